//! A host with everything on it: contention, an open proposal, a change being watched, one kept, one locked, a gap, names that mean harm.

use std::{collections::BTreeMap, sync::Arc, time::Duration};
use trimtab::model::{
    change::{Cause, Change, ChangeId, ChangeState, Deed, Entry, Who},
    facts::Facts,
    finding::{Evidence, Finding, FindingId, FindingKind, Party, Severity},
    knob::Knob,
    limits::Mode,
    message::{Cost, GuardState, View, Welcome},
    metric::{Better, Key, Metric},
    plan::{Obstacle, Plan, Refusal, Step},
    proposal::{Domain, Proposal, Risk, Want},
    readings,
    role::Role,
    sample::Space,
    series::Point,
    snapshot::*,
    subject::{ProcessId, Subject},
    text::clean,
    time::{Now, Tick, Wall},
    trial::{Guardrail, Trial, Windows},
    unit::Unit,
    verdict::{Effect, Foresight, Outcome, Verdict},
};

/// Seconds after boot at which the scene plays.
pub const SECOND: u64 = 1_036_800;

pub fn at(second: u64) -> Now {
    Now { tick: Tick(second * 1_000_000_000), wall: Wall(1_785_844_800_000 + (second as i64 - SECOND as i64) * 1000) }
}

pub const GIB: u64 = 1 << 30;

fn wave(second: u64, period: f64, low: f64, high: f64) -> f64 {
    let turn = (second as f64 / period * std::f64::consts::TAU).sin();
    low + (high - low) * (turn + 1.0) / 2.0
}

fn split(busy: f64) -> CpuSplit {
    CpuSplit {
        user: busy * 0.8,
        system: busy * 0.15,
        softirq: busy * 0.05,
        iowait: 0.012,
        idle: 0.988 - busy,
        ..CpuSplit::default()
    }
}

/// What the host looked like at a second.
pub fn snapshot(second: u64) -> Snapshot {
    let busy = if second + 60 > SECOND { 0.97 } else { wave(second, 40.0, 0.2, 0.6) };
    let vitals = Vitals {
        now: at(second),
        cpu: Reading::Known(Cpu {
            total: split(busy),
            cores: (0..8).map(|n| (n, split((busy - 0.11 * f64::from(n)).max(0.0)))).collect(),
            load: Some([9.2, 4.1, 1.8]),
            running: 12,
            blocked: 1,
            context_switches: 41_230.0,
            forks: 3.0,
            interrupts: 9_000.0,
        }),
        memory: Reading::Known(Memory {
            total: 32 * GIB,
            available: 21 * GIB - (wave(second, 90.0, 0.0, 4.0) * GIB as f64) as u64,
            cached: 9 * GIB,
            buffers: GIB / 4,
            swap_total: 4 * GIB,
            swap_free: 4 * GIB - 300 * (1 << 20),
            ..Memory::default()
        }),
        vm: Reading::Known(Vm { faults: 900.0, major_faults: 2.0, dirty: 40 << 20, ..Vm::default() }),
        pressure: Reading::Gap(Gap {
            why: "/proc/pressure/cpu: not supported by this kernel (boot with psi=1)".into(),
            since: at(SECOND - 700).wall,
        }),
    };
    Snapshot {
        vitals,
        disks: Reading::Known(disks(second)),
        filesystems: Reading::Known(filesystems()),
        network: Reading::Known(network(second)),
        tcp: Reading::Known(vec![Tcp { retransmits: 3.0, established: 214, ..Tcp::default() }]),
        processes: Reading::Known(Arc::new(processes(second))),
        cgroups: Reading::Initializing,
        services: Reading::Known(vec![Service {
            name: "shop".into(),
            rate: 198.0,
            latency: Some([0.0031, p95(second), 0.052]),
            process: Some(process_id(4242)),
        }]),
        gaps: Vec::new(),
        ..Snapshot::default()
    }
}

/// Good, then the hogs come, then the change helps.
fn p95(second: u64) -> f64 {
    let ago = SECOND.saturating_sub(second);
    let noise = wave(second, 7.0, 0.9, 1.1);
    noise
        * if ago > 60 {
            0.004
        } else if ago > 20 {
            0.041
        } else {
            0.006
        }
}

fn disks(second: u64) -> Vec<Disk> {
    let sda = Disk {
        name: "nvme0n1".into(),
        read: wave(second, 30.0, 0.0, 90e6),
        write: wave(second, 22.0, 1e6, 40e6),
        reads: 1200.0,
        writes: 310.0,
        latency: Some(0.0004),
        queue: 1.3,
        busy: 0.41,
        ..Disk::default()
    };
    let sdb = Disk { name: "sdb".into(), latency: Some(0.14), write: 2e6, writes: 20.0, queue: 9.0, busy: 0.99, ..Disk::default() };
    let idle = Disk { name: "loop0".into(), ..Disk::default() };
    vec![sda, sdb, idle]
}

fn filesystems() -> Vec<Filesystem> {
    let one = |at: &str, total: u64, used: u64| Filesystem {
        at: at.into(),
        device: "/dev/nvme0n1p2".into(),
        kind: "ext4".into(),
        space: Some(Space { total, used, available: total - used, inodes: 0, inodes_free: 0 }),
        ..Filesystem::default()
    };
    let hung = Filesystem { at: "/mnt/backup".into(), kind: "nfs4".into(), stale: Some(12.0), ..Filesystem::default() };
    vec![one("/", 200 * GIB, 90 * GIB), one("/var", 50 * GIB, 46 * GIB), one("/boot", GIB, GIB / 3), hung]
}

fn network(second: u64) -> Network {
    let one = |name: &str, scale: f64, up| Interface {
        name: name.into(),
        bytes: [wave(second, 25.0, 0.1, 8.0) * scale, wave(second, 18.0, 0.5, 30.0) * scale],
        drops: [if name == "eth1" { 2.0 } else { 0.0 }, 0.0],
        up,
        ..Interface::default()
    };
    Network {
        interfaces: vec![one("eth0", 1e6, true), one("eth1", 2e4, true), one("lo", 1e3, true), one("wlan0", 0.0, false)],
        ..Network::default()
    }
}

pub fn process_id(pid: u32) -> ProcessId {
    ProcessId { pid, start: u64::from(pid) * 10 }
}

fn processes(second: u64) -> Vec<Process> {
    let one = |pid: u32, name: &str, cpu: f64, wait: f64, mib: u64| Process {
        id: process_id(pid),
        parent: 1,
        name: clean(name, 64),
        command: clean(&format!("/usr/bin/{name} --serve"), 128),
        uid: if pid > 4000 { 1000 } else { 0 },
        state: 'R',
        cpu: Some(cpu),
        wait: Some(wait),
        resident: mib << 20,
        threads: 1 + pid % 7,
        nice: if pid == 4300 { 10 } else { 0 },
        io: (pid != 4301).then_some([0.0, wave(second, 11.0, 0.0, 3e5)]),
        cgroup: "/user.slice/user-1000.slice/session-3.scope".into(),
        ..Process::default()
    };
    let mut all = vec![
        one(1, "systemd", 0.001, 0.0, 12),
        one(812, "sshd", 0.0, 0.0, 9),
        one(4242, "shopd", 0.31, 0.41, 310),
        one(4300, "漢字プロセス名前とても長い", 0.02, 0.001, 44),
        one(4301, "evil\u{1b}[2J\u{202e}name\n", 0.03, 0.0, 2),
    ];
    all.extend((0..6).map(|n| one(5000 + n, "python3", 1.2 - f64::from(n) * 0.05, 0.6, 80)));
    all.extend((0..40).map(|n| one(6000 + n, "worker", 0.0, 0.0, 20 + u64::from(n))));
    all
}

fn party(pid: u32, name: &str, share: f64, amount: f64, unit: Unit) -> Party {
    Party { subject: Subject::Process(process_id(pid)), name: clean(name, 64), share, amount, unit }
}

fn contention() -> Finding {
    let evidence = |metric, pid: Option<u32>, value, threshold| Evidence {
        metric,
        subject: pid.map_or(Subject::Host, |pid| Subject::Process(process_id(pid))),
        value,
        threshold,
        from: "/proc/PID/schedstat".into(),
    };
    Finding {
        id: FindingId { kind: FindingKind::CpuContention, subject: Subject::Process(process_id(4242)) },
        severity: Severity::Critical,
        headline: "shopd waits 410 ms/s for a cpu that 6 x python3 hold (6.4 of 8 cores)".into(),
        evidence: vec![
            evidence(Metric::ProcessRunDelay, Some(4242), 0.41, Some(0.1)),
            evidence(Metric::CpuBusy, None, 0.97, Some(0.95)),
            evidence(Metric::RunQueue, None, 12.0, None),
        ],
        culprits: (0..6).map(|n| party(5000 + n, "python3", 0.16, 1.1, Unit::Cores)).collect(),
        victims: vec![party(4242, "shopd", 0.62, 0.41, Unit::SecondsPerSecond)],
        ruled_out: vec!["no quota throttles it".into(), "steal is 0.0 %".into()],
        advice: Some("Move the batch to another host, or give it a cgroup of its own.".into()),
        impact: 0.41,
        priority: 1.2,
        since: at(SECOND - 41).wall,
        crossing: None,
    }
}

fn full() -> Finding {
    Finding {
        id: FindingId { kind: FindingKind::FilesystemFull, subject: Subject::Filesystem("/var".into()) },
        severity: Severity::Warning,
        headline: "/var is 92 % full, 4.00 GiB left".into(),
        evidence: vec![],
        culprits: vec![],
        victims: vec![],
        ruled_out: vec![],
        advice: None,
        impact: 0.1,
        priority: 0.2,
        since: at(SECOND - 7300).wall,
        crossing: None,
    }
}

fn proposal(action: &str, title: &str, risk: Risk, fit: f64) -> Proposal {
    Proposal {
        action: action.into(),
        finding: contention().id,
        title: title.into(),
        why: "The hogs run in sessions of their own, so that nice inside a session does nothing against shopd; the session's weight does.".into(),
        mechanism: "CFS shares the cpu among sessions by the nice of each autogroup.".into(),
        expect: "p95 of shop from 41.0 ms towards 5 ms, at least 60 % less".into(),
        undo: "the autogroup's nice of before is written back, at once".into(),
        wants: vec![Want { on: Subject::Process(process_id(5000)), to: "19".into() }],
        risk,
        reversible: true,
        domain: Domain::Cpu,
        trial: Trial {
            primary: Key::new(Subject::Service("shop".into()), Metric::ServiceP95),
            better: Better::Lower,
            least: 0.1,
            guardrails: vec![Guardrail { key: Key::host(Metric::PressureIoSome), relative: 0.2, absolute: 0.05 }],
            controls: vec![],
            windows: Windows { before: 10.0, settle: 3.0, after: 20.0 },
            prevents: None,
        },
        fit,
        cooldown: 60.0,
        asked: false,
        foreseen: None,
        course: trimtab::model::proposal::Course::Judged,
    }
}

fn plan(action: &str, pids: std::ops::Range<u32>) -> Plan {
    let step = |pid: u32| Step {
        knob: Knob::ProcessFile { process: process_id(pid), file: "autogroup".into() },
        before: "0".into(),
        after: "19".into(),
        apply: format!("echo 19 > /proc/{pid}/autogroup"),
        undo: format!("echo 0 > /proc/{pid}/autogroup"),
    };
    Plan { action: action.into(), boot: "b".into(), steps: pids.map(step).collect() }
}

fn change(id: u64, state: ChangeState, proposal: Proposal) -> Change {
    let who = Who::Engine;
    let deed = Deed::Proposed { proposal: Box::new(proposal), finding: Box::new(contention()) };
    let entry = Entry { change: ChangeId(id), deed, who, now: at(SECOND - 30), boot: "b".into() };
    Change { state, digest: format!("digest-{id}"), ..Change::begin(&entry).unwrap() }
}

fn operator() -> Who {
    Who::Operator { user: "ann".into(), via: "console".into() }
}

/// An open proposal, first in the queue once nothing is in flight.
pub fn open() -> Change {
    Change {
        plan: Some(plan("autogroup", 5000..5006)),
        foresight: Some(Foresight { history: 60.0, mean: 0.041, rho: 0.3, detectable: 0.18, short: true, unstable: false }),
        ..change(12, ChangeState::Proposed, proposal("autogroup", "autogroup nice 19 for 6 x python3", Risk::Low, 0.9))
    }
}

/// A change that is being watched.
pub fn watched() -> Change {
    let track = (0..60).map(|n| Point { at: at(SECOND - 60 + n).tick, value: p95(SECOND - 60 + n) }).collect();
    Change {
        plan: Some(plan("autogroup", 5000..5006)),
        applied: Some(at(SECOND - 20)),
        deadline: Some(at(SECOND + 33).tick),
        track,
        deeds: vec![
            (at(SECOND - 30).wall, Who::Engine, "proposed".into()),
            (at(SECOND - 24).wall, operator(), "approved".into()),
            (at(SECOND - 20).wall, operator(), "applied".into()),
        ],
        ..change(11, ChangeState::Watching, proposal("autogroup", "autogroup nice 19 for 6 x python3", Risk::Low, 0.9))
    }
}

fn kept() -> Change {
    Change {
        plan: Some(plan("dirty_bytes", 5000..5001)),
        verdict: Some(Verdict {
            outcome: Outcome::Better,
            effect: Some(Effect { before: 1.9, after: 0.04, change: -0.98, interval: (-0.99, -0.97), points: (60, 60) }),
            placebo: Some(0.01),
            why: "flush latency fell by 98 %, more than in any window before".into(),
            doubts: vec!["the history before was short".into()],
            ..Verdict::default()
        }),
        ..change(9, ChangeState::Kept, proposal("writeback", "dirty_bytes 64 MiB", Risk::Medium, 0.7))
    }
}

fn undone() -> Change {
    Change {
        cause: Some(Cause::NoEffect),
        undone: Some(at(SECOND - 400)),
        ..change(8, ChangeState::RolledBack, proposal("nice", "nice 10 for backup", Risk::Low, 0.4))
    }
}

fn locked() -> Change {
    let needs = Obstacle::Rights { errno: "EACCES".into(), needs: "CAP_SYS_NICE".into() };
    Change {
        lock: Some(Refusal {
            kind: needs,
            why: "EACCES on /sys/fs/cgroup/batch/cpu.weight: needs root, or a delegated cgroup".into(),
        }),
        ..change(10, ChangeState::Proposed, proposal("cpu_weight", "cpu.weight 10 for /batch", Risk::High, 0.8))
    }
}

/// A change whose knob somebody else set, with a name that means harm.
fn yielded() -> Change {
    Change {
        trouble: Some("set by somebody else since, left alone: /proc/sys/vm/swappiness".into()),
        ..change(
            7,
            ChangeState::Yielded,
            proposal("swappiness", &clean("swappiness 10 for evil\u{1b}[2J\u{202e}name", 60), Risk::Medium, 0.2),
        )
    }
}

/// A view with these changes.
pub fn view(number: u64, changes: Vec<Change>) -> View {
    View {
        number,
        now: at(SECOND + number),
        mode: Mode::Suggest,
        facts: Arc::new(Facts {
            host: "web-07".into(),
            kernel: "6.18.5-fc".into(),
            cpus: 8,
            users: vec![(0, "root".into()), (1000, "ann".into())],
            ..Facts::default()
        }),
        snapshot: Arc::new(snapshot(SECOND + number)),
        findings: Arc::new(vec![contention(), full()]),
        changes: Arc::new(changes.into_iter().map(Arc::new).collect()),
        problems: Vec::new(),
        halted: None,
        cost: Cost { cpu: 0.004, resident: 22 << 20, ..Cost::default() },
        guard: GuardState::Armed { pid: 99, plans: 1 },
        engine: 98,
        alerts: Arc::default(),
        outlook: None,
        emergencies: Vec::new(),
        present: Vec::new(),
        trust: None,
    }
}

/// Everything.
pub fn full_view() -> View {
    view(0, vec![open(), watched(), locked(), kept(), undone(), yielded()])
}

/// A host that has just been looked at for the first time.
pub fn first_view() -> View {
    View {
        snapshot: Arc::new(Snapshot { vitals: Vitals { now: at(SECOND), ..Vitals::default() }, ..Snapshot::default() }),
        findings: Arc::default(),
        guard: GuardState::Idle,
        ..view(0, vec![])
    }
}

/// A view with two minutes of history before it.
pub fn welcome(view: View) -> Welcome {
    let mut history: BTreeMap<Key, Vec<Point>> = BTreeMap::new();
    for second in SECOND - 120..SECOND {
        readings::snapshot(&snapshot(second), &mut |key, value| {
            if !matches!(key.subject, Subject::Process(_)) {
                history.entry(key).or_default().push(Point { at: at(second).tick, value });
            }
        });
    }
    Welcome { view, history: history.into_iter().collect(), role: Role::Admin }
}

/// Some time after the scene begins.
pub fn after(millis: u64) -> Now {
    let begin = at(SECOND);
    Now { tick: begin.tick + Duration::from_millis(millis), wall: Wall(begin.wall.0 + millis as i64) }
}
