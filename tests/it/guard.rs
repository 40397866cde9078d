//! The guard as a process of its own, on the nice value of a child of this test.
//!
//! This test is the engine: the end of its pipe closes when it lets go of it, as the kernel closes it when an engine is killed. Lowering a
//! nice value again needs a right that a plain user lacks; without it these tests say that they were skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::laws::scene;
use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};
use std::{
    path::Path,
    process::{Child, Command},
    time::Duration,
};
use tempfile::TempDir;
use trimtab::{
    actions,
    engine::{
        guard::{arm::Guard, process::GuardProcess},
        undo::fold,
    },
    host::{host::Host, real::RealHost},
    model::{
        change::{Cause, ChangeId, ChangeState, Deed, Entry, Who},
        knob::{Knob, Task},
        message::GuardState,
        plan::{Plan, Step},
        subject::ProcessId,
        time::Tick,
    },
    store::journal::{FILE, Journal},
};

struct Sleeper(Child);

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

struct Bench {
    host: RealHost,
    journal: Journal,
    directory: TempDir,
    knob: Knob,
    plan: Plan,
    _sleeper: Sleeper,
}

impl Bench {
    /// `None` where this user cannot raise a priority again.
    fn new() -> Option<Bench> {
        if !rustix::process::geteuid().is_root() {
            println!("guard: skipped: raising a priority again needs root");
            return None;
        }
        let host = RealHost::default();
        let sleeper = Sleeper(Command::new("sleep").arg("1000").spawn().unwrap());
        let pid = sleeper.0.id();
        let start = host.start_time(&pid.to_string()).unwrap();
        let knob = Knob::Nice(Task { process: ProcessId { pid, start }, tid: pid, start });
        let before = host.get(&knob).unwrap();
        let step = Step { knob: knob.clone(), before, after: "15".into(), apply: String::new(), undo: String::new() };
        let plan = Plan { action: "nice".into(), boot: "this".into(), steps: vec![step] };
        let directory = TempDir::new().unwrap();
        let journal = Journal::open(&directory.path().join(FILE), host.now()).unwrap().journal;
        Some(Bench { host, journal, directory, knob, plan, _sleeper: sleeper })
    }

    fn guard(&self) -> GuardProcess {
        let args = vec!["guard".into(), self.directory.path().into()];
        GuardProcess::new(Path::new(env!("CARGO_BIN_EXE_trimtab")).into(), args, Box::new(|_| ()))
    }

    /// Journals a change up to its intent.
    fn intend(&mut self, change: ChangeId, deadline: Tick) {
        let scene = scene::of("nice");
        let proposal = Box::new(actions::named("nice").unwrap().propose(&scene.world()).remove(0));
        let finding = Box::new(scene.findings[0].clone());
        let plan = Box::new(self.plan.clone());
        let deeds = [
            Deed::Proposed { proposal, finding },
            Deed::Approved { digest: String::new() },
            Deed::Prepared,
            Deed::ApplyStarted { plan, deadline, leave: false },
        ];
        let entry = |deed| Entry { change, deed, who: Who::Engine, now: self.host.now(), boot: "this".into() };
        self.journal.append(&deeds.map(entry)).unwrap();
    }

    fn apply(&self) {
        actions::named("nice").unwrap().apply(&self.plan, &self.host).unwrap();
        assert_eq!(self.host.get(&self.knob).unwrap(), "15");
    }

    fn is_back(&self) -> bool {
        self.host.get(&self.knob).unwrap() == self.plan.steps[0].before
    }

    /// State, last cause and last actor.
    fn story(&self, change: ChangeId) -> (ChangeState, Option<Cause>, Who) {
        let entries: Vec<Entry> = self.journal.of(change).unwrap().into_iter().map(|(_, entry)| entry).collect();
        let change = fold(&entries).unwrap();
        (change.state, change.cause, entries.last().unwrap().who.clone())
    }
}

fn pid(state: &GuardState) -> Pid {
    let GuardState::Armed { pid, .. } = state else { panic!("{state:?}") };
    Pid::from_raw(i32::try_from(*pid).unwrap()).unwrap()
}

const FAR: Duration = Duration::from_secs(3600);

#[test]
fn when_the_engine_dies_the_guard_restores_the_knob_and_goes() {
    let Some(mut bench) = Bench::new() else { return };
    let mut guard = bench.guard();
    assert_eq!(guard.state(), GuardState::Idle);
    bench.intend(ChangeId(1), bench.host.now().tick + FAR);
    let armed = guard.arm(ChangeId(1)).unwrap();
    bench.apply();
    drop(guard);
    assert!(bench.is_back());
    assert_eq!(bench.story(ChangeId(1)), (ChangeState::RolledBack, Some(Cause::LostWatcher), Who::Guard));
    assert!(rustix::process::test_kill_process(pid(&armed)).is_err(), "no process is left behind");
}

#[test]
fn at_the_deadline_it_restores_the_knob_while_the_engine_does_nothing() {
    let Some(mut bench) = Bench::new() else { return };
    let mut guard = bench.guard();
    bench.intend(ChangeId(1), bench.host.now().tick);
    bench.intend(ChangeId(2), bench.host.now().tick + FAR);
    bench.apply();
    guard.arm(ChangeId(1)).unwrap();
    // It answers in order: what was due is done before it hears the next word.
    guard.arm(ChangeId(2)).unwrap();
    assert!(bench.is_back());
    assert_eq!(bench.story(ChangeId(1)), (ChangeState::RolledBack, Some(Cause::Deadline), Who::Guard));
}

#[test]
fn the_signals_of_a_closed_terminal_do_not_take_it_away_and_a_killed_one_is_replaced() {
    let Some(mut bench) = Bench::new() else { return };
    let mut guard = bench.guard();
    bench.intend(ChangeId(1), bench.host.now().tick + FAR);
    let first = pid(&guard.arm(ChangeId(1)).unwrap());
    bench.apply();
    assert_eq!(rustix::process::getsid(Some(first)).unwrap(), first, "a session of its own");
    for signal in [Signal::HUP, Signal::INT, Signal::TERM, Signal::PIPE] {
        kill_process(first, signal).unwrap();
    }
    bench.intend(ChangeId(2), bench.host.now().tick + FAR);
    assert_eq!(pid(&guard.arm(ChangeId(2)).unwrap()), first);

    let end = pidfd_open(first, PidfdFlags::empty()).unwrap();
    kill_process(first, Signal::KILL).unwrap();
    poll(&mut [PollFd::new(&end, PollFlags::IN)], None).unwrap();
    let GuardState::Armed { plans: 2, .. } = guard.state() else { panic!("{:?}", guard.state()) };
    assert_ne!(pid(&guard.state()), first);
    assert!(!bench.is_back());
    drop(guard);
    assert!(bench.is_back(), "the new one holds what the old one held");
}

#[test]
fn a_guard_that_cannot_be_started_arms_nothing() {
    let Some(mut bench) = Bench::new() else { return };
    bench.intend(ChangeId(1), bench.host.now().tick + FAR);
    let mut guard = GuardProcess::new("/no/such/program".into(), vec![], Box::new(|_| ()));
    assert!(guard.arm(ChangeId(1)).unwrap_err().contains("/no/such/program"));
    assert!(matches!(guard.state(), GuardState::Failed(_)));
}
