//! The simulated machine: a recorded host whose knobs are watched, with faults on the way to them.
//!
//! It keeps what the outside world last wanted of each knob (its original value, or a stranger's), and who wrote last. At each write by
//! a process of ours it asks what the durable journal says: that is where the invariants of writing are held (safety.md 1, 5, 7, 8, 13).

use crate::{
    dice::Dice,
    law,
    life::meanwhile,
    world::{Gate, Op, current, gate, now, pass, tell, world},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    sync::Arc,
    time::Duration,
};
use trimtab::{
    host::{
        error::HostError,
        host::{Connection, Handle, Host, Touch},
        recorded::RecordedHost,
    },
    model::{
        facts::Facts,
        knob::{Knob, Place, Task},
        sample::{Listener, Space},
        subject::ProcessId,
        time::Now,
    },
};

/// Who was waited upon, and who is slowed.
pub const VICTIM: u32 = 200;
pub const HOGS: [u32; 2] = [300, 310];
/// Never to be touched: pid 1, a kernel thread, sshd, and trimtab itself.
pub const PROTECTED: [u32; 4] = [1, 2, 90, 100];

/// Who wrote a knob last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    Nature,
    Stranger,
    Ours,
}

/// What is known of a knob.
#[derive(Clone, Debug)]
pub struct Truth {
    /// What the world outside last wanted.
    pub base: String,
    pub writer: Writer,
    /// What the machine made of values of ours: found there, it is nobody's wish, and a change may go back to it.
    pub warped: BTreeSet<String>,
}

/// The machine of one boot.
pub struct Machine {
    pub host: RecordedHost,
    pub truth: BTreeMap<Knob, Truth>,
    /// Starts of processes: a reused pid gets another one.
    starts: BTreeMap<u32, u64>,
    foreign: u64,
    /// When a touch of a knob last failed.
    pub failed: Option<Now>,
    /// Factors on the victim's waiting while a knob is at our value.
    pub effects: BTreeMap<&'static str, f64>,
    /// How well each action thinks that it fits.
    pub fits: BTreeMap<&'static str, f64>,
    /// Proposals name this protected process, too.
    pub bait: Option<u32>,
}

pub fn file(path: &str) -> Knob {
    Knob::File(Place::proc(path))
}

pub fn queue(name: &str) -> Knob {
    Knob::File(Place::sys(format!("block/vda/queue/{name}")))
}

fn stat(pid: u32, name: &str, session: u32, flags: u64, start: u64) -> String {
    format!("{pid} ({name}) R 1 {session} {session} 0 -1 {flags} 0 0 0 0 10 0 0 0 20 0 1 0 {start} 0 0\n")
}

impl Machine {
    pub fn new(boot: u64, dice: &mut Dice) -> Machine {
        let host = RecordedHost::default();
        host.put("/proc/sys/kernel/random/boot_id", &format!("boot-{boot}\n"));
        host.put(
            "/proc/self/mountinfo",
            "32 1 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n33 1 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
        );
        host.put("/proc/sys/vm/dirty_bytes", "0\n");
        host.put("/proc/sys/vm/dirty_ratio", "20\n");
        host.put("/proc/sys/vm/dirty_background_bytes", "0\n");
        host.put("/proc/sys/vm/dirty_background_ratio", "10\n");
        host.put("/proc/sys/vm/swappiness", "60\n");
        host.put("/sys/block/vda/queue/scheduler", "none [mq-deadline] kyber bfq\n");
        host.put("/sys/block/vda/queue/nr_requests", "256\n");
        host.put("/sys/fs/cgroup/cpu/batch/cgroup.procs", "400\n");
        host.put("/sys/fs/cgroup/cpu/batch/cpu.shares", "1024\n");
        host.set_family(vec![100]);
        let mut machine = Machine {
            host,
            truth: BTreeMap::new(),
            starts: BTreeMap::new(),
            foreign: 0,
            failed: None,
            effects: BTreeMap::new(),
            fits: BTreeMap::new(),
            bait: dice.one_in(8).then(|| *dice.pick(&PROTECTED)),
        };
        for (pid, name, flags) in [(1, "init", 0), (2, "kthreadd", 0x0020_0000), (90, "sshd", 0), (100, "trimtab", 0)] {
            machine.start(pid, (name, flags), u64::from(pid) * 10);
        }
        for (pid, name) in [(VICTIM, "web"), (HOGS[0], "hog"), (HOGS[1], "hog"), (400, "build")] {
            machine.start(pid, (name, 0), u64::from(pid) * 10);
        }
        for knob in [
            file("sys/vm/dirty_bytes"),
            file("sys/vm/dirty_ratio"),
            file("sys/vm/dirty_background_bytes"),
            file("sys/vm/dirty_background_ratio"),
            file("sys/vm/swappiness"),
            queue("scheduler"),
            queue("nr_requests"),
            machine.shares(),
        ] {
            machine.learn(knob);
        }
        for action in ["nice", "writeback", "swappiness", "io-scheduler", "cgroup-weight"] {
            let effect = *dice.pick(&[0.05, 0.1, 0.5, 1.0, 1.0, 1.6, 3.0]);
            machine.effects.insert(action, effect);
            machine.fits.insert(action, 0.1 + 0.8 * dice.share());
        }
        machine
    }

    /// A process starts, maybe under a number that another one had.
    fn start(&mut self, pid: u32, (name, flags): (&str, u64), start: u64) {
        let line = stat(pid, name, pid, flags, start);
        self.host.put(&format!("/proc/{pid}/stat"), &line);
        self.host.put(&format!("/proc/{pid}/task/{pid}/stat"), &line);
        self.starts.insert(pid, start);
        self.learn(self.nice(pid));
    }

    /// A hog ends, and its number is given to another process, which is nobody's business.
    pub fn reuse(&mut self, pid: u32) {
        let old = self.nice(pid);
        self.truth.remove(&old);
        let start = self.starts[&pid] + 7;
        self.start(pid, ("hog", 0), start);
    }

    fn learn(&mut self, knob: Knob) {
        let base = self.host.get(&knob).expect("a knob of the machine");
        self.truth.insert(knob, Truth { base, writer: Writer::Nature, warped: BTreeSet::new() });
    }

    pub fn process(&self, pid: u32) -> ProcessId {
        ProcessId { pid, start: self.starts[&pid] }
    }

    pub fn nice(&self, pid: u32) -> Knob {
        let process = self.process(pid);
        Knob::Nice(Task { process, tid: pid, start: process.start })
    }

    pub fn shares(&self) -> Knob {
        let directory = Place::sys("fs/cgroup/cpu/batch");
        let inode = self.host.inode(&directory).expect("the cgroup");
        Knob::CgroupFile { directory, inode, file: "cpu.shares".into() }
    }

    pub fn value(&self, knob: &Knob) -> String {
        self.host.get(knob).unwrap_or_else(|e| format!("({e})"))
    }

    /// Knobs that move together.
    pub fn group(knob: &Knob) -> Vec<Knob> {
        let pair = |name: &str| vec![file(&format!("sys/vm/{name}_bytes")), file(&format!("sys/vm/{name}_ratio"))];
        for name in ["dirty", "dirty_background"] {
            if pair(name).contains(knob) {
                return pair(name);
            }
        }
        let disk = vec![queue("scheduler"), queue("nr_requests")];
        if disk.contains(knob) { disk } else { vec![knob.clone()] }
    }

    /// A stranger sets something, always to a value that nobody had before and that no clamp of ours could have become: in the moment
    /// between a write and its reading back, and beneath a change of ours, those two cannot be told from each other in principle.
    pub fn stranger(&mut self, dice: &mut Dice) -> String {
        self.foreign += 1;
        let n = self.foreign;
        let (knob, value) = match dice.below(7) {
            0 => (file("sys/vm/swappiness"), (101 + n % 90).to_string()),
            1 => (file("sys/vm/dirty_bytes"), ((100 << 20) + n * 4096).to_string()),
            2 => (file("sys/vm/dirty_ratio"), (21 + n % 70).to_string()),
            3 => (file("sys/vm/dirty_background_bytes"), ((60 << 20) + n * 4096).to_string()),
            4 => (queue("scheduler"), if n.is_multiple_of(2) { "kyber" } else { "none" }.into()),
            5 => (self.shares(), (2000 + n).to_string()),
            _ => (self.nice(*dice.pick(&HOGS)), (1 + n % 17).to_string()),
        };
        if self.value(&knob) == value {
            return format!("a stranger leaves {knob} at {value}");
        }
        self.host.tamper(&knob, &value);
        for member in Machine::group(&knob) {
            let base = self.value(&member);
            self.truth.insert(member, Truth { base, writer: Writer::Stranger, warped: BTreeSet::new() });
        }
        format!("a stranger sets {knob} to {value}")
    }

    /// How much the changes in force do to the victim's waiting.
    pub fn effect(&self) -> f64 {
        let changed = |knob: &Knob| self.truth.get(knob).is_some_and(|t| t.writer == Writer::Ours && self.value(knob) != t.base);
        let of = |action: &str, knob: &Knob| if changed(knob) { self.effects[action] } else { 1.0 };
        of("nice", &self.nice(HOGS[0]))
            * of("writeback", &file("sys/vm/dirty_bytes"))
            * of("swappiness", &file("sys/vm/swappiness"))
            * of("io-scheduler", &queue("scheduler"))
            * of("cgroup-weight", &self.shares())
    }

    pub fn facts(&self) -> Facts {
        let boot = self.host.text(&Place::proc("sys/kernel/random/boot_id")).expect("the boot");
        Facts { cpus: 2, host: "sim".into(), boot: boot.trim().into(), autogroup: true, ..Facts::default() }
    }
}

/// The machine as a process of ours touches it.
pub struct SimHost;

fn errno(op: &'static str, knob: &Knob, code: i32) -> HostError {
    HostError::new(op, knob, &std::io::Error::from_raw_os_error(code))
}

fn host() -> RecordedHost {
    world(|w| w.machine.host.clone())
}

/// A reading of the machine that is no knob.
fn looked<T>(op: &'static str, look: impl FnOnce(&RecordedHost) -> Touch<T>) -> Touch<T> {
    match gate(Op::Look) {
        Gate::Go => look(&host()),
        Gate::Fail(code) => Err(HostError::new(op, "the machine", &std::io::Error::from_raw_os_error(code))),
        _ => Err(HostError::new(op, "a dead process's file", &std::io::Error::from_raw_os_error(libc::EIO))),
    }
}

impl Host for SimHost {
    fn now(&self) -> Now {
        now()
    }
    fn pause(&self, span: Duration) {
        pass(span);
    }
    fn read(&self, place: &Place, into: &mut Vec<u8>) -> Touch<()> {
        looked("read", |host| host.read(place, into))
    }
    fn open(&self, place: &Place) -> Touch<Box<dyn Handle>> {
        looked("open", |host| host.open(place))
    }
    fn list(&self, place: &Place, into: &mut Vec<String>) -> Touch<()> {
        looked("list", |host| host.list(place, into))
    }
    fn link(&self, place: &Place) -> Touch<String> {
        looked("readlink", |host| host.link(place))
    }
    fn inode(&self, place: &Place) -> Touch<u64> {
        looked("stat", |host| host.inode(place))
    }
    fn descriptors(&self, pid: u32) -> Touch<u32> {
        looked("stat", |host| host.descriptors(pid))
    }
    fn space(&self, at: &Place) -> Touch<Space> {
        looked("statvfs", |host| host.space(at))
    }
    fn cpu_clock(&self, pid: u32) -> Touch<u64> {
        looked("clock_gettime", |host| host.cpu_clock(pid))
    }
    fn listeners(&self, netns: u64, through: Option<ProcessId>) -> Touch<Vec<Listener>> {
        looked("inet_diag", |host| host.listeners(netns, through))
    }
    fn connections(&self, netns: u64, through: Option<ProcessId>, into: &mut Vec<Connection>) -> Touch<()> {
        looked("inet_diag", |host| host.connections(netns, through, into))
    }
    fn facts(&self) -> Facts {
        world(|w| w.machine.facts())
    }
    fn family(&self) -> Vec<u32> {
        vec![100]
    }

    fn get(&self, knob: &Knob) -> Touch<String> {
        meanwhile(Op::Get, knob);
        match gate(Op::Get) {
            Gate::Go => host().get(knob),
            Gate::Fail(code) => {
                world(|w| w.machine.failed = Some(w.now));
                Err(errno("read", knob, code))
            }
            _ => Err(errno("read", knob, libc::EIO)),
        }
    }

    fn set(&self, knob: &Knob, value: &str) -> Touch<()> {
        meanwhile(Op::Set, knob);
        match gate(Op::Set) {
            Gate::Go => put(knob, value),
            Gate::DieAfter => put(knob, value).and(Err(errno("write", knob, libc::EIO))),
            Gate::Fail(code) => failing(knob, value, code),
            Gate::Dead | Gate::DieTorn => Err(errno("write", knob, libc::EIO)),
        }
    }

    fn may_set(&self, knob: &Knob) -> Touch<()> {
        match gate(Op::Look) {
            Gate::Go => host().may_set(knob),
            Gate::Fail(code) => Err(errno("write", knob, code)),
            _ => Err(errno("write", knob, libc::EIO)),
        }
    }
}

/// A write of ours: held against the journal, then done.
fn put(knob: &Knob, value: &str) -> Touch<()> {
    let found = world(|w| w.machine.value(knob));
    host().may_set(knob)?;
    law::write(knob, &found, value);
    host().set(knob, value)?;
    tell(format!("{:?} sets {knob}: {found} -> {value}", current()));
    world(|w| {
        w.count("writes");
        for member in Machine::group(knob) {
            if let Some(truth) = w.machine.truth.get_mut(&member) {
                truth.writer = Writer::Ours;
            }
        }
    });
    Ok(())
}

/// A write that goes wrong: it fails, is ignored, or becomes something else.
fn failing(knob: &Knob, value: &str, code: i32) -> Touch<()> {
    world(|w| w.machine.failed = Some(w.now));
    match world(|w| w.dice.below(4)) {
        0 => Ok(()),
        // A system call takes a nice as it is, or fails; what is written to a file may be cut or rounded.
        1 if !matches!(knob, Knob::Nice(_)) && value.parse::<i64>().is_ok_and(|v| v > 1) => {
            let found = world(|w| w.machine.value(knob));
            law::write(knob, &found, value);
            let clamped = value.parse::<i64>().map(|v| (v - 1).to_string()).unwrap_or_default();
            host().set(knob, &clamped)?;
            let mut text = String::new();
            let _into_a_string_never_fails = write!(text, "{:?} sets {knob} to {value}, it becomes {clamped}", current());
            tell(text);
            world(|w| {
                for member in Machine::group(knob) {
                    if let Some(truth) = w.machine.truth.get_mut(&member) {
                        truth.writer = Writer::Ours;
                        truth.warped.insert(if member == *knob {
                            clamped.clone()
                        } else {
                            w.machine.host.get(&member).unwrap_or_default()
                        });
                    }
                }
            });
            Ok(())
        }
        _ => Err(errno("write", knob, code)),
    }
}

/// The host as the engine holds it.
pub fn shared() -> Arc<dyn Host> {
    Arc::new(SimHost)
}
