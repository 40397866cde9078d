//! One process between sweeps: what was last read of it, and when which part is read again.
//!
//! | part | read |
//! |---|---|
//! | cpu clock | each sweep: one cheap system call says whether it ran at all |
//! | stat | when the clock moved, while runnable or blocked, else in turns of [`Sweep::idle`] sweeps |
//! | schedstat (each thread's), io | when the clock moved, while runnable or blocked |
//! | descriptors | each sweep over 40 % of their limit, else in turns |
//! | status, cgroup, cmdline, limits, namespace | at first and second sight, after an exec, in slow turns, faster while it runs |

use super::{
    handles::{File, Handles, Wanted},
    stat::{self, Stat},
    threads::{Threads, Whose},
};
use crate::{
    host::host::Host,
    model::{knob::Place, sample::ProcessSample, subject::ProcessId, text::clean},
    sources::parse,
};
use std::sync::Arc;

/// Sweeps after which the dearer parts of a process that runs are read again.
const TURN: u64 = 10;
/// Sweeps after which an idle process is looked at again, among few processes and among more than so many: without running it opens
/// nothing and allocates nothing.
const IDLE: [(u64, u64); 3] = [(30, 0), (60, 300), (120, 600)];
/// Turns after which the slow parts of an idle process are read again.
const SLOW: u64 = 8;
/// Sweeps without running after which its handles are closed.
const COLD: u32 = 30;
/// PF_KTHREAD of `linux/sched.h`.
const KERNEL_THREAD: u64 = 0x0020_0000;
/// `USER_HZ` is 100 in the ABI of every architecture that Rust runs on; in nanoseconds. Only used where the cpu clock cannot be read.
const TICK: u64 = 10_000_000;

/// One process.
pub struct Row {
    /// As last read.
    pub sample: ProcessSample,
    /// Its stat has been read: `sample.id` is its identity. (A start time of 0 is a real one: that of pid 1.)
    known: bool,
    clock: Option<u64>,
    /// Sweeps since it last ran.
    idle: u32,
    stat: File,
    schedstat: File,
    io: File,
    threads: Threads,
    /// Looks at the slow parts that are due at once: two after its first sight or an exec, since what follows a fork (exec,
    /// setuid, moving into a cgroup) takes a moment.
    owed: u8,
}

/// What a sweep knows beside the row.
#[derive(Clone, Copy)]
pub struct Sweep {
    /// Counts sweeps.
    pub number: u64,
    /// Bytes in a page.
    pub page_size: u64,
    /// The kernel counts waiting for storage.
    pub counted: bool,
    /// How many processes there are.
    pub rows: u64,
}

impl Sweep {
    /// Sweeps from one turn of an idle process to its next: the more of them, the longer.
    fn idle(self) -> u64 {
        IDLE.iter().rev().find(|(_, more)| self.rows > *more).map_or(1, |(turn, _)| *turn)
    }
}

impl Row {
    /// A process first seen.
    pub fn new(pid: u32) -> Row {
        Row {
            sample: ProcessSample { id: ProcessId { pid, start: 0 }, state: '?', ..ProcessSample::default() },
            known: false,
            clock: None,
            idle: 0,
            stat: File::default(),
            schedstat: File::default(),
            io: File::default(),
            threads: Threads::default(),
            owed: 2,
        }
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.sample.id.pid
    }

    /// Closes what it keeps.
    pub fn close(&mut self, handles: &mut Handles) {
        handles.drop(&mut self.stat);
        handles.drop(&mut self.schedstat);
        handles.drop(&mut self.io);
        self.threads.close(handles);
    }

    /// Reads what is due. False when the process is gone.
    pub fn refresh(&mut self, host: &dyn Host, sweep: Sweep, handles: &mut Handles) -> bool {
        let clock = host.cpu_clock(self.pid()).ok();
        let first = !self.known;
        let ran = clock.is_none() || clock != self.clock;
        self.idle = if ran { 0 } else { self.idle.saturating_add(1) };
        if self.idle == COLD {
            self.close(handles);
        }
        let waits = matches!(self.sample.state, 'R' | 'D');
        let turn = u64::from(self.pid()).wrapping_add(sweep.number);
        let idle = sweep.idle();
        if !(first || ran || waits || turn.is_multiple_of(idle)) {
            return true;
        }
        self.clock = clock;
        if !self.read_stat(host, sweep, handles) {
            return false;
        }
        let waits = waits || matches!(self.sample.state, 'R' | 'D');
        if first || ran || waits {
            self.read_delay(host, handles);
            self.read_io(host, handles);
        }
        if !self.sample.kernel {
            if turn.is_multiple_of(if ran { TURN / 2 } else { idle }) || self.crowded() || self.owed > 0 {
                self.sample.descriptors = host.descriptors(self.pid()).ok();
            }
            if self.crowded() || self.owed > 0 || turn.is_multiple_of(if ran { TURN } else { idle * SLOW }) {
                self.read_slow(host, handles);
            }
        }
        true
    }

    /// Its descriptors are near enough to their limit to be watched closely.
    fn crowded(&self) -> bool {
        let pair = self.sample.descriptors.zip(self.sample.descriptor_limit);
        pair.is_some_and(|(open, (soft, _))| u64::from(open).saturating_mul(5) > soft.saturating_mul(2))
    }

    fn wanted(&self, name: &'static str) -> Wanted {
        // Busy now and not for the first time: worth a handle.
        Wanted { pid: self.pid(), thread: None, name, keep: self.idle == 0 && self.known }
    }

    fn read_stat(&mut self, host: &dyn Host, sweep: Sweep, handles: &mut Handles) -> bool {
        let wanted = self.wanted("stat");
        if handles.read(host, &mut self.stat, &wanted).is_err() {
            return false;
        }
        let bytes = std::mem::take(&mut handles.buffer);
        let whole = match stat::parse_stat(&bytes) {
            Some(stat) => {
                if self.known && self.sample.id.start != stat.start {
                    // The pid belongs to another process now.
                    self.close(handles);
                    *self = Row { clock: self.clock, ..Row::new(self.pid()) };
                }
                self.take_stat(&stat, sweep);
                true
            }
            None => false,
        };
        handles.buffer = bytes;
        whole
    }

    fn take_stat(&mut self, stat: &Stat, sweep: Sweep) {
        let sample = &mut self.sample;
        if sample.name.as_bytes() != stat.comm {
            let name = clean(&String::from_utf8_lossy(stat.comm), 64);
            if name != sample.name {
                self.owed = 2;
                sample.name = name;
            }
        }
        self.known = true;
        sample.id.start = stat.start;
        sample.parent = stat.ppid;
        sample.state = stat.state;
        sample.kernel = stat.flags & KERNEL_THREAD != 0;
        sample.session = stat.session;
        sample.tty = stat.tty;
        sample.cpu = self.clock.unwrap_or(stat.ticks.saturating_mul(TICK));
        sample.resident = stat.rss.saturating_mul(sweep.page_size);
        sample.threads = stat.threads;
        sample.nice = stat.nice;
        sample.policy = stat.policy;
        sample.major_faults = stat.majflt;
        sample.io_wait = sweep.counted.then(|| stat.blkio.saturating_mul(TICK));
        if sample.kernel && sample.cgroup.is_empty() {
            sample.cgroup = Arc::from("/");
        }
    }

    fn read_delay(&mut self, host: &dyn Host, handles: &mut Handles) {
        self.sample.run_delay = if self.sample.threads > 1 {
            handles.drop(&mut self.schedstat);
            let whose = Whose { pid: self.pid(), threads: self.sample.threads, keep: self.idle == 0 };
            self.threads.read(host, whose, handles).ok()
        } else {
            let wanted = self.wanted("schedstat");
            let read = handles.read(host, &mut self.schedstat, &wanted).ok();
            let delay = read.and_then(|()| stat::parse_schedstat(&parse::text(&handles.buffer)));
            delay.map(|delay| self.threads.alone(self.sample.id.pid, delay, handles))
        };
    }

    fn read_io(&mut self, host: &dyn Host, handles: &mut Handles) {
        if self.sample.kernel {
            return;
        }
        let wanted = self.wanted("io");
        let read = handles.read(host, &mut self.io, &wanted).ok();
        self.sample.io = read.and_then(|()| stat::parse_io(&parse::text(&handles.buffer)));
    }

    fn read_slow(&mut self, host: &dyn Host, handles: &mut Handles) {
        self.owed = self.owed.saturating_sub(1);
        let pid = self.pid();
        let bytes = &mut handles.buffer;
        let sample = &mut self.sample;
        let read = |name: &str, bytes: &mut Vec<u8>| host.read(&Place::proc(format!("{pid}/{name}")), bytes).is_ok();
        if read("status", bytes) {
            sample.uid = stat::parse_uid(&parse::text(bytes)).unwrap_or(sample.uid);
        }
        if read("cgroup", bytes) {
            keep(&mut sample.cgroup, clean(stat::parse_cgroup(&parse::text(bytes)).unwrap_or(""), 512));
        }
        sample.descriptor_limit = if read("limits", bytes) { stat::parse_limits(&parse::text(bytes)) } else { None };
        // Reading the arguments takes the process's memory lock, which one blocked on a device may hold for long.
        if sample.state != 'D' && read("cmdline", bytes) {
            keep(&mut sample.command, stat::command(bytes));
        }
        let link = host.link(&Place::proc(format!("{pid}/ns/net"))).ok();
        sample.netns = link.and_then(|link| parse::namespace(&link)).unwrap_or(0);
    }
}

/// Keeps the old text when the new one is equal, so that equal rows share it.
fn keep(old: &mut Arc<str>, new: Arc<str>) {
    if *old != new {
        *old = new;
    }
}
