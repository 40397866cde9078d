//! kill -9 at random moments of apply, watch, keep and rollback on real knobs: afterwards every knob is at its prior or kept value, and the
//! journal agrees.
//!
//! The victim is this test binary, run again as an engine's hands with the real guard: it changes the nice of sleeping processes and, as
//! root, the cpu shares of a cgroup, as fast as it can. By turns the engine is killed, the engine with its guard (so that recovery has to
//! put things right alone), or the guard and then the engine that had to do without. Consoles are killed on a real daemon. Ten rounds by default, `TRIMTAB_KILLS` sets another number; a failure prints the seed for `TRIMTAB_SEED`.

use crate::{
    cli::{Daemon, Home},
    terminal::Terminal,
};
use std::{
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use trimtab::{
    actions,
    engine::{
        guard::{arm::Guard, process::GuardProcess},
        hands::Hands,
        job::{Apply, Done, Job},
        undo::Tools,
        worker::Work,
    },
    host::{host::Host, real::RealHost},
    model::{
        change::{Cause, Change, ChangeId, ChangeState, Deed, Entry, Who},
        finding::{Finding, FindingId, FindingKind, Severity},
        knob::{Knob, Task},
        metric::{Better, Key, Metric},
        proposal::{Domain, Proposal, Risk, Want},
        subject::{ProcessId, Subject},
        time::Wall,
        trial::{Trial, Windows},
    },
    store::{journal::Journal, lock::Lock},
};

const HIERARCHY: &str = "/sys/fs/cgroup/cpu";

/// Sleeping processes and, as root on cgroup v1, a cgroup: what is changed and looked at.
pub struct Stage {
    pub sleepers: Vec<Child>,
    cgroup: Option<PathBuf>,
}

impl Stage {
    pub fn set() -> Stage {
        let sleepers = (0..3).map(|_| Command::new("sleep").arg("600").spawn().unwrap()).collect();
        let path = PathBuf::from(format!("{HIERARCHY}/trimtab_kill_{}", std::process::id()));
        let cgroup = std::fs::create_dir(&path).ok().map(|()| path);
        Stage { sleepers, cgroup }
    }

    pub fn pids(&self) -> Vec<u32> {
        self.sleepers.iter().map(Child::id).collect()
    }

    fn shares(&self) -> Option<PathBuf> {
        self.cgroup.as_ref().map(|path| path.join("cpu.shares")).filter(|file| file.is_file())
    }

    /// The present value of each knob.
    pub fn values(&self) -> Vec<String> {
        let host = RealHost::default();
        let mut values: Vec<String> =
            self.pids().into_iter().map(|pid| host.get(&Knob::Nice(main_thread(&host, pid))).unwrap()).collect();
        values.extend(self.shares().map(|file| std::fs::read_to_string(file).unwrap().trim().to_string()));
        values
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for sleeper in &mut self.sleepers {
            let _ended_already = sleeper.kill();
            let _no_status_needed = sleeper.wait();
        }
        if let Some(path) = &self.cgroup {
            std::fs::remove_dir(path).unwrap();
        }
    }
}

pub fn process(host: &RealHost, pid: u32) -> ProcessId {
    ProcessId { pid, start: host.start_time(&pid.to_string()).unwrap() }
}

pub fn main_thread(host: &RealHost, pid: u32) -> Task {
    let process = process(host, pid);
    Task { process, tid: pid, start: process.start }
}

pub fn proposal(action: &str, wants: Vec<Want>) -> (Proposal, Finding) {
    let id = FindingId { kind: FindingKind::CpuContention, subject: Subject::Host };
    let trial = Trial {
        primary: Key::host(Metric::PressureCpuSome),
        better: Better::Lower,
        least: 0.1,
        guardrails: Vec::new(),
        controls: Vec::new(),
        windows: Windows::default(),
        prevents: None,
    };
    let text = || "for the test".to_string();
    let proposal = Proposal {
        action: action.into(),
        finding: id.clone(),
        title: text(),
        why: text(),
        mechanism: text(),
        expect: text(),
        undo: text(),
        wants,
        risk: Risk::Low,
        reversible: true,
        domain: Domain::Cpu,
        trial,
        fit: 0.9,
        cooldown: 60.0,
        asked: false,
        foreseen: None,
        course: trimtab::model::proposal::Course::Judged,
    };
    let finding = Finding {
        id,
        severity: Severity::Warning,
        headline: text(),
        evidence: Vec::new(),
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: Vec::new(),
        advice: None,
        impact: 0.5,
        priority: 0.5,
        since: Wall(0),
        crossing: None,
    };
    (proposal, finding)
}

pub fn tools(folder: &Path, host: &Arc<RealHost>) -> (Tools, Vec<(u64, Entry)>) {
    let opened = Journal::open(&folder.join("journal.db"), host.now()).unwrap();
    assert!(opened.damage.is_none(), "kill -9 damages no journal: {:?}", opened.damage);
    let boot = host.facts().boot.to_string();
    (Tools { host: host.clone(), actions: actions::named, journal: opened.journal, boot }, opened.entries)
}

/// The lock of a dead engine may live for a moment in the guard that it was just about to start: after fork, before exec.
fn lock(folder: &Path) -> Lock {
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        match Lock::take(folder) {
            Ok(lock) => return lock,
            Err(held) => assert!(Instant::now() < end, "{held}"),
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Every change in the journal, folded.
pub fn changes(entries: &[(u64, Entry)]) -> Vec<Change> {
    let mut all: Vec<Change> = Vec::new();
    for (_, entry) in entries {
        match all.iter_mut().find(|change| change.id == entry.change) {
            Some(change) => change.take(entry).unwrap_or_else(|illegal| panic!("{}: {illegal}", entry.change)),
            None => all.push(Change::begin(entry).expect("a change begins with its proposal")),
        }
    }
    all
}

/// The engine that will be killed: recovers, then proposes, applies, keeps and rolls back without end.
#[test]
#[ignore = "run by kill::at_random_moments_loses_nothing"]
fn hands_to_be_killed() {
    let Some(folder) = std::env::var_os("TRIMTAB_KILL_FOLDER").map(PathBuf::from) else { return };
    let given = |name: &str| std::env::var(name).unwrap_or_default();
    let host = Arc::new(RealHost::default());
    let _lock = lock(&folder);
    let (tools, entries) = tools(&folder, &host);
    let number = entries.last().map_or(0, |(number, _)| *number);
    let next = entries.iter().map(|(_, entry)| entry.change.0).max().unwrap_or(0) + 1;
    let program = PathBuf::from(env!("CARGO_BIN_EXE_trimtab"));
    let guard = GuardProcess::new(program, vec!["guard".into(), folder.clone().into()], Box::new(|pid| println!("guard {pid}")));
    let mut hands = Hands::new(tools, Box::new(guard), number);
    hands.recover(&entries);
    for change in changes(&entries).into_iter().filter(|change| change.state == ChangeState::Kept) {
        let (plan, cause) = (Box::new(change.plan.unwrap()), Cause::Operator);
        hands.perform(Job::RollBack { change: change.id, plan, cause, who: Who::Engine });
    }
    let wants: Vec<Want> = given("TRIMTAB_KILL_PIDS")
        .split(' ')
        .map(|pid| Want { on: Subject::Process(process(&host, pid.parse().unwrap())), to: "7".into() })
        .collect();
    let group = given("TRIMTAB_KILL_CGROUP");
    for id in next.. {
        let on_group = !group.is_empty() && id % 2 == 0;
        let (action, wants) = match on_group {
            true => ("cgroup-weight", vec![Want { on: Subject::Cgroup(group.as_str().into()), to: "256".into() }]),
            false => ("nice", wants.clone()),
        };
        live_once(&mut hands, ChangeId(id), proposal(action, wants));
        if id == next {
            // The guard runs now: from here on the blow may fall at any moment.
            println!("go");
        }
    }
}

/// One life of a change; every third is kept for a while.
fn live_once(hands: &mut Hands, id: ChangeId, (proposal, finding): (Proposal, Finding)) {
    let who = Who::Engine;
    let born = Deed::Proposed { proposal: Box::new(proposal.clone()), finding: Box::new(finding) };
    hands.perform(Job::Record(vec![(id, born, who.clone())]));
    let Done { preview: Some((_, Ok((plan, digest)))), .. } = hands.perform(Job::Preview(id, Box::new(proposal.clone()))) else {
        panic!("the action cannot be prepared");
    };
    hands.perform(Job::Record(vec![(id, Deed::Approved { digest: digest.clone() }, who.clone())]));
    let confirm = Duration::from_secs(60);
    hands.perform(Job::Apply(Box::new(Apply { change: id, proposal, digest, who: who.clone(), confirm, leave: false })));
    if id.0.is_multiple_of(3) {
        hands.perform(Job::Keep(id, who.clone()));
    }
    hands.perform(Job::RollBack { change: id, plan: Box::new(plan), cause: Cause::Operator, who });
}

/// Runs the hands, kills them `after` their first change has ended, and the guard too if `both`.
fn kill_once(folder: &Path, stage: &Stage, after: Duration, both: Both) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture", "kill::hands_to_be_killed"]);
    let pids: Vec<String> = stage.pids().iter().map(u32::to_string).collect();
    let group = stage.shares().map(|file| file.parent().unwrap().strip_prefix(HIERARCHY).unwrap().to_owned());
    command.env("TRIMTAB_KILL_FOLDER", folder).env("TRIMTAB_KILL_PIDS", pids.join(" "));
    command.env("TRIMTAB_KILL_CGROUP", group.map(|path| format!("/{}", path.display())).unwrap_or_default());
    let mut engine = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut guard = None;
    let mut lines = BufReader::new(engine.stdout.take().unwrap()).lines();
    for line in &mut lines {
        let line = line.unwrap();
        if let Some((_, pid)) = line.split_once("guard ") {
            guard = pid.parse::<i32>().ok().and_then(rustix::process::Pid::from_raw).or(guard);
        }
        if line.ends_with("go") {
            break;
        }
    }
    // The moment of the blow is what is tried here.
    std::thread::sleep(after);
    if let (Both::EngineAndGuard | Both::GuardThenEngine, Some(guard)) = (both, guard) {
        let _not_started_yet = rustix::process::kill_process(guard, rustix::process::Signal::KILL);
    }
    if both == Both::GuardThenEngine {
        std::thread::sleep(after / 2);
    }
    engine.kill().unwrap();
    assert_eq!(engine.wait().unwrap().signal(), Some(9), "it ran until it was killed");
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Both {
    Engine,
    EngineAndGuard,
    GuardThenEngine,
}

/// After recovery: every knob at its first value, or at the target of a kept change.
fn check(folder: &Path, stage: &Stage, first: &[String]) -> usize {
    let host = Arc::new(RealHost::default());
    let lock = lock(folder);
    let (tools, entries) = tools(folder, &host);
    let seen = entries.last().map_or(0, |(number, _)| *number);
    let mut hands = Hands::new(tools, Box::new(NoGuard), seen);
    hands.recover(&entries);
    drop((hands, lock));
    let (_, entries) = self::tools(folder, &host);
    let mut wanted = first.to_vec();
    let all = changes(&entries);
    for change in &all {
        assert!(!change.state.is_unconfirmed(), "{} is left {}", change.id, change.state.words());
        if change.state == ChangeState::Kept {
            match &*change.proposal.action {
                "nice" => wanted[..stage.sleepers.len()].fill("7".into()),
                _ => *wanted.last_mut().unwrap() = "256".into(),
            }
        }
    }
    assert_eq!(stage.values(), wanted, "the knobs are as the journal says");
    all.len()
}

/// Recovery applies nothing, so it needs no guard.
pub struct NoGuard;

impl Guard for NoGuard {
    fn arm(&mut self, _: ChangeId) -> Result<trimtab::model::message::GuardState, String> {
        Err("nothing is applied here".into())
    }
    fn disarm(&mut self, _: ChangeId) {}
    fn state(&mut self) -> trimtab::model::message::GuardState {
        trimtab::model::message::GuardState::Idle
    }
}

#[test]
fn at_random_moments_loses_nothing() {
    let number = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let rounds = number("TRIMTAB_KILLS", 10);
    let seed = number("TRIMTAB_SEED", u64::from(std::process::id()));
    println!("TRIMTAB_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::set();
    let first = stage.values();
    let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut lives = 0;
    for round in 0..rounds {
        // xorshift64: where the blow falls.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let both = [Both::Engine, Both::EngineAndGuard, Both::GuardThenEngine][(round % 3) as usize];
        kill_once(folder.path(), &stage, Duration::from_micros(random % 120_000), both);
        lives = check(folder.path(), &stage, &first);
    }
    println!("{rounds} times killed in {lives} changes; every knob as the journal says");
}

#[test]
fn consoles_leave_the_daemon_as_it_was() {
    let number = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let rounds = number("TRIMTAB_CONSOLE_KILLS", 5);
    let mut random = number("TRIMTAB_SEED", u64::from(std::process::id())).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let home = Home::new();
    let daemon = Daemon::start(&home, &[]);
    for _ in 0..rounds {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let mut console = Terminal::start(&home.trimtab(&[]), 24, 80);
        // The moment of the blow is what is tried here.
        std::thread::sleep(Duration::from_micros(random % 400_000));
        console.child.kill().unwrap();
        assert_eq!(console.child.wait().unwrap().signal(), Some(9), "it ran until it was killed");
    }
    assert!(home.run(&["status"]).status.success(), "the daemon answers");
    daemon.end_at_once();
    Daemon::start(&home, &[]).end_at_once();
    println!("{rounds} consoles killed; the daemon answers");
}
