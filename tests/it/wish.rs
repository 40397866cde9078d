//! What an operator asks for by hand, through the real hands and the real journal, on processes that the tests start themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

use std::{
    os::unix::process::ExitStatusExt,
    process::{Child, Command},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use trimtab::{
    actions,
    engine::{
        guard::arm::Guard,
        hands::Hands,
        job::{Carry, Done, Job},
        undo::Tools,
        worker::Work,
    },
    host::{host::Host, real::RealHost},
    model::{
        change::{Cause, Change, ChangeId, ChangeState, Entry, Who},
        message::GuardState,
        plan::Plan,
        snapshot::Snapshot,
        subject::ProcessId,
        time::Wall,
        wish::{Signal, Wish},
    },
    planning::wish,
    store::journal::{FILE, Journal},
};

const ONE: ChangeId = ChangeId(1);

fn you() -> Who {
    Who::Operator { user: "you".into(), via: "test".into() }
}

/// A guard that is there, or one that is not.
struct Watcher(Result<(), String>);

impl Guard for Watcher {
    fn arm(&mut self, _: ChangeId) -> Result<GuardState, String> {
        self.0.clone().map(|()| GuardState::Idle)
    }
    fn disarm(&mut self, _: ChangeId) {}
    fn state(&mut self) -> GuardState {
        GuardState::Idle
    }
}

struct Sleeper(Child);

impl Sleeper {
    fn new() -> Sleeper {
        Sleeper(Command::new("sleep").arg("1000").spawn().unwrap())
    }

    fn id(&self) -> ProcessId {
        let pid = self.0.id();
        ProcessId { pid, start: RealHost::default().start_time(&pid.to_string()).unwrap() }
    }

    fn nice(&self) -> String {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        stat.rsplit(')').next().unwrap().split_ascii_whitespace().nth(16).unwrap().into()
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

struct Crew {
    hands: Hands,
    entries: Vec<Entry>,
    directory: TempDir,
}

impl Crew {
    fn new(guard: Result<(), String>) -> Crew {
        let directory = TempDir::new().unwrap();
        let hands = Crew::hands(&directory, 0, guard);
        Crew { hands, entries: Vec::new(), directory }
    }

    fn hands(directory: &TempDir, seen: u64, guard: Result<(), String>) -> Hands {
        let host = Arc::new(RealHost::default());
        let journal = Journal::open(&directory.path().join(FILE), host.now()).unwrap().journal;
        let tools = Tools { host, actions: actions::named, journal, boot: "this boot".into() };
        Hands::new(tools, Box::new(Watcher(guard)), seen)
    }

    fn perform(&mut self, job: Job) -> Done {
        let done = self.hands.perform(job);
        self.entries.extend(done.entries.iter().map(|(_, entry)| entry.clone()));
        done
    }

    fn carry(&mut self, wish: &Wish) -> Done {
        let (proposal, finding) = wish::proposal(wish, &Snapshot::default(), "you", Wall(1)).unwrap();
        let confirm = Duration::from_secs(30);
        self.perform(Job::Carry(Box::new(Carry { change: ONE, proposal, finding, who: you(), confirm, leave: false })))
    }

    fn change(&self) -> Change {
        trimtab::engine::undo::fold(&self.entries).unwrap()
    }

    fn deeds(&self) -> Vec<&'static str> {
        self.entries.iter().map(|entry| entry.deed.words()).collect()
    }
}

fn to(sleeper: &Sleeper, signal: Signal) -> Wish {
    Wish::Signal { processes: vec![sleeper.id()], signal }
}

#[test]
fn a_signal_is_written_down_before_it_is_sent_and_is_over_with_it() {
    let (mut crew, mut sleeper) = (Crew::new(Ok(())), Sleeper::new());
    let done = crew.carry(&to(&sleeper, Signal::Term));
    assert_eq!(done.error, None);
    assert_eq!(sleeper.0.wait().unwrap().signal(), Some(libc::SIGTERM));
    assert_eq!(crew.deeds(), ["proposed", "approved", "prepared", "being applied", "applied", "done"]);
    let change = crew.change();
    assert_eq!((change.state, change.state.is_live(), change.state.is_over()), (ChangeState::Done, false, true));
    assert_eq!(change.plan.unwrap().steps[0].apply, format!("sudo kill -TERM {}", sleeper.0.id()));
    assert!(crew.entries[..4].iter().filter(|e| e.deed.words() != "refused").all(|e| e.who == you()));
}

#[test]
fn a_nice_value_stands_and_is_rolled_back_to_what_it_was() {
    let (mut crew, sleeper) = (Crew::new(Ok(())), Sleeper::new());
    let done = crew.carry(&Wish::Nice { processes: vec![sleeper.id()], to: 7 });
    if !rustix::process::geteuid().is_root() {
        assert!(crew.change().trouble.unwrap().contains("CAP_SYS_NICE"), "raising it back needs the right");
        return;
    }
    assert_eq!((done.error, sleeper.nice().as_str()), (None, "7"));
    assert_eq!(crew.change().state, ChangeState::Kept);
    let plan: Box<Plan> = Box::new(crew.change().plan.unwrap());
    crew.perform(Job::RollBack { change: ONE, plan, cause: Cause::Operator, who: you() });
    assert_eq!((crew.change().state, sleeper.nice().as_str()), (ChangeState::RolledBack, "0"));
}

#[test]
fn a_process_of_the_same_number_is_not_the_one_that_was_meant() {
    let (mut crew, mut sleeper) = (Crew::new(Ok(())), Sleeper::new());
    let other = ProcessId { start: sleeper.id().start - 1, ..sleeper.id() };
    crew.carry(&Wish::Signal { processes: vec![other], signal: Signal::Kill });
    assert_eq!(crew.deeds(), ["proposed", "refused"]);
    assert!(sleeper.0.try_wait().unwrap().is_none(), "it lives");
}

#[test]
fn what_is_protected_is_refused_with_the_reason() {
    let mut crew = Crew::new(Ok(()));
    let init = ProcessId { pid: 1, start: RealHost::default().start_time("1").unwrap() };
    crew.carry(&Wish::Signal { processes: vec![init], signal: Signal::Term });
    assert!(crew.change().trouble.unwrap().contains("pid 1"), "{:?}", crew.change().trouble);
}

#[test]
fn without_a_guard_nothing_is_sent() {
    let (mut crew, mut sleeper) = (Crew::new(Err("no process can be started".into())), Sleeper::new());
    let done = crew.carry(&to(&sleeper, Signal::Kill));
    assert!(done.error.unwrap().contains("guard"));
    assert!(sleeper.0.try_wait().unwrap().is_none(), "it lives");
}

#[test]
fn a_signal_whose_sending_was_cut_short_is_not_sent_again_and_said_to_be_unknown() {
    let (mut crew, mut sleeper) = (Crew::new(Err("cut".into())), Sleeper::new());
    // The guard refuses: the intent is durable and the undo follows. What undo says is what recovery would say.
    crew.carry(&to(&sleeper, Signal::Term));
    let change = crew.change();
    assert_eq!(change.state, ChangeState::Yielded);
    assert!(change.trouble.unwrap().starts_with("cannot be taken back: TERM signal to"));
    let entries: Vec<(u64, Entry)> = (1..).zip(crew.entries.clone()).collect();
    let mut again = Crew::hands(&crew.directory, entries.len() as u64, Ok(()));
    again.recover(&entries);
    assert!(sleeper.0.try_wait().unwrap().is_none(), "it lives");
}
