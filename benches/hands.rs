//! How fast the hands act on real knobs: apply with read-back, roll back, roll back everything, and how late the guard is. The knobs are
//! those of own children and own control groups (root, cgroup v1); journal and guard are the real ones, the journal in a directory of
//! its own (below `TMPDIR`: set it to measure another disk). Goals: apply under 5 s (50 ms for a file knob), everything rolled back
//! under 10 s (1 s), the guard within 1 s of the deadline. `cargo bench --bench hands`.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::Arc,
    time::Duration,
};
use trimtab::{
    actions,
    engine::{
        guard::process::GuardProcess,
        hands::Hands,
        job::{Apply, Done, Job},
        undo::{Tools, fold},
        worker::Work,
    },
    host::{host::Host, real::RealHost},
    model::{
        change::{Cause, ChangeId, ChangeState, Deed, Who},
        finding::{Finding, FindingId, FindingKind, Severity},
        metric::{Better, Key, Metric},
        plan::Plan,
        proposal::{Domain, Proposal, Risk, Want},
        subject::{ProcessId, Subject},
        time::{Tick, Wall},
        trial::{Trial, Windows},
    },
    store::journal::{FILE, Journal},
};

const HIERARCHY: &str = "/sys/fs/cgroup/cpu";
/// Times that an apply and its rollback are measured.
const ROUNDS: usize = 200;
/// Times that everything is rolled back, and that a deadline passes.
const FEW: usize = 20;
/// Control groups, and bands of processes, that are changed at once.
const SETS: usize = 5;
/// Processes in a band.
const BAND: usize = 6;
const FAR: Duration = Duration::from_secs(3600);

/// What is changed: sleeping children and control groups, which go with this.
struct Stage {
    bands: Vec<Vec<Child>>,
    groups: Vec<PathBuf>,
}

impl Stage {
    fn set() -> Stage {
        let sleeper = |_| Command::new("sleep").arg("900").spawn().unwrap();
        let mut stage = Stage { bands: Vec::new(), groups: Vec::new() };
        for set in 0..SETS {
            stage.bands.push((0..BAND).map(sleeper).collect());
            let path = PathBuf::from(format!("{HIERARCHY}/trimtab_bench_{}_{set}", std::process::id()));
            if std::fs::create_dir(&path).is_ok() {
                stage.groups.push(path);
            }
        }
        stage
    }

    fn nice(&self, host: &RealHost, set: usize) -> Proposal {
        let id = |child: &Child| ProcessId { pid: child.id(), start: host.start_time(&child.id().to_string()).unwrap() };
        let want = |child| Want { on: Subject::Process(id(child)), to: "7".into() };
        proposal("nice", self.bands[set].iter().map(want).collect())
    }

    fn weight(&self, set: usize) -> Proposal {
        let path = format!("/{}", self.groups[set].strip_prefix(HIERARCHY).unwrap().display());
        proposal("cgroup-weight", vec![Want { on: Subject::Cgroup(path.into()), to: "256".into() }])
    }

    fn shares(&self, set: usize) -> PathBuf {
        self.groups[set].join("cpu.shares")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for sleeper in self.bands.iter_mut().flatten() {
            let _ended_already = sleeper.kill();
            let _reaped = sleeper.wait();
        }
        for path in &self.groups {
            let _left_for_the_eye_if_it_stays = std::fs::remove_dir(path);
        }
    }
}

fn text() -> String {
    "for the bench".into()
}

fn proposal(action: &str, wants: Vec<Want>) -> Proposal {
    let trial = Trial {
        primary: Key::host(Metric::PressureCpuSome),
        better: Better::Lower,
        least: 0.1,
        guardrails: Vec::new(),
        controls: Vec::new(),
        windows: Windows::default(),
        prevents: None,
    };
    Proposal {
        action: action.into(),
        finding: FindingId { kind: FindingKind::CpuContention, subject: Subject::Host },
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
    }
}

fn finding(id: FindingId) -> Finding {
    Finding {
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
    }
}

/// The real hands, with the changes that they have made so far.
struct Crew {
    hands: Hands,
    host: Arc<RealHost>,
    changes: u64,
}

impl Crew {
    fn new(folder: &Path) -> Crew {
        let host = Arc::new(RealHost::default());
        let opened = Journal::open(&folder.join(FILE), host.now()).unwrap();
        let boot = host.facts().boot.to_string();
        let tools = Tools { host: host.clone(), actions: actions::named, journal: opened.journal, boot };
        let args = vec!["guard".into(), folder.into()];
        let guard = GuardProcess::new(PathBuf::from(env!("CARGO_BIN_EXE_trimtab")), args, Box::new(|_| ()));
        Crew { hands: Hands::new(tools, Box::new(guard), 0), host, changes: 0 }
    }

    fn now(&self) -> Tick {
        self.host.now().tick
    }

    fn perform(&mut self, job: Job) -> Done {
        let done = self.hands.perform(job);
        assert!(done.error.is_none(), "{:?}", done.error);
        done
    }

    /// Proposes and approves; the job that applies it is left to the caller's watch.
    fn approve(&mut self, proposal: Proposal, confirm: Duration) -> (Box<Apply>, Box<Plan>) {
        self.changes += 1;
        let (change, who) = (ChangeId(self.changes), Who::Engine);
        let born = Deed::Proposed { proposal: Box::new(proposal.clone()), finding: Box::new(finding(proposal.finding.clone())) };
        self.perform(Job::Record(vec![(change, born, who.clone())]));
        let Some((_, Ok((plan, digest)))) = self.perform(Job::Preview(change, Box::new(proposal.clone()))).preview else {
            panic!("{} cannot be prepared", proposal.action);
        };
        self.perform(Job::Record(vec![(change, Deed::Approved { digest: digest.clone() }, who.clone())]));
        (Box::new(Apply { change, proposal, digest, who, confirm, leave: false }), Box::new(plan))
    }

    /// How long the job took.
    fn timed(&mut self, job: Job) -> Duration {
        let begun = self.now();
        self.perform(job);
        self.now().since(begun)
    }

    fn state(&mut self, change: ChangeId) -> ChangeState {
        let entries: Vec<_> = self.hands.audit(64).into_iter().map(|(_, entry)| entry).filter(|e| e.change == change).collect();
        fold(&entries).unwrap().state
    }
}

fn back(change: ChangeId, plan: Box<Plan>, cause: Cause) -> Job {
    Job::RollBack { change, plan, cause, who: Who::Engine }
}

fn report(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).ceil() as usize].as_secs_f64() * 1e3;
    println!(
        "{name:<44} {:>4} times   median {:>8.2} ms   p99 {:>8.2} ms   most {:>8.2} ms",
        times.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

/// Apply with read-back, then roll back, again and again.
fn one(crew: &mut Crew, name: &str, proposal: impl Fn(&RealHost) -> Proposal) {
    let (mut applied, mut undone) = (Vec::new(), Vec::new());
    // The first starts the guard.
    for round in 0..=ROUNDS {
        let wish = proposal(&crew.host);
        let (apply, plan) = crew.approve(wish, FAR);
        let change = apply.change;
        let took = crew.timed(Job::Apply(apply));
        if round == 0 && change == ChangeId(1) {
            report("first apply, which starts the guard", vec![took]);
        } else if round > 0 {
            applied.push(took);
        }
        undone.push(crew.timed(back(change, plan, Cause::Operator)));
        assert_eq!(crew.state(change), ChangeState::RolledBack);
    }
    report(&format!("apply, {name}"), applied);
    report(&format!("roll back, {name}"), undone);
}

/// Ten live changes, rolled back newest first.
fn all(crew: &mut Crew, stage: &Stage) {
    let mut times = Vec::new();
    let mut count = 0;
    for _ in 0..FEW {
        let bands = (0..SETS).map(|set| stage.nice(&crew.host, set));
        let wishes: Vec<Proposal> = bands.chain((0..stage.groups.len()).map(|set| stage.weight(set))).collect();
        let mut live = Vec::new();
        for wish in wishes {
            let (apply, plan) = crew.approve(wish, FAR);
            live.push((apply.change, plan));
            crew.perform(Job::Apply(apply));
        }
        count = live.len();
        let begun = crew.now();
        for (change, plan) in live.into_iter().rev() {
            crew.perform(back(change, plan, Cause::Panic));
        }
        times.push(crew.now().since(begun));
    }
    report(&format!("roll back everything, {count} changes"), times);
}

/// From the deadline to the knob's old value, while the hands do nothing.
fn late(crew: &mut Crew, stage: &Stage) {
    let file = stage.shares(0);
    let shares = || std::fs::read_to_string(&file).unwrap().trim().to_string();
    let before = shares();
    let mut times = Vec::new();
    for round in 0..FEW {
        // Not always a multiple of the guard's own rhythm.
        let confirm = Duration::from_millis(300 + 37 * round as u64);
        let (apply, _) = crew.approve(stage.weight(0), confirm);
        let change = apply.change;
        let done = crew.perform(Job::Apply(apply));
        let intent = |deed: &Deed| if let Deed::ApplyStarted { deadline, .. } = deed { Some(*deadline) } else { None };
        let deadline = done.entries.iter().find_map(|(_, entry)| intent(&entry.deed)).unwrap();
        assert_ne!(shares(), before);
        while shares() != before {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(crew.now() >= deadline, "the guard waits for the deadline");
        times.push(crew.now().since(deadline));
        while crew.state(change) != ChangeState::RolledBack {
            std::thread::sleep(Duration::from_millis(1));
        }
        crew.hands.foreign();
    }
    report("guard, from the deadline to the old value", times);
}

fn main() {
    if !rustix::process::geteuid().is_root() {
        return println!("hands: skipped: a priority is raised again, and control groups are made, only by root");
    }
    let stage = Stage::set();
    let folder = tempfile::tempdir().unwrap();
    let mut crew = Crew::new(folder.path());
    one(&mut crew, "nice of 6 processes", |host| stage.nice(host, 0));
    if stage.groups.is_empty() {
        println!("cpu.shares and the guard: skipped: no cpu controller of cgroup v1 at {HIERARCHY}");
    } else {
        one(&mut crew, "cpu.shares of a control group", |_| stage.weight(0));
        late(&mut crew, &stage);
    }
    all(&mut crew, &stage);
}
