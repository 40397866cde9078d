//! Whatever dies when: knobs are at their prior or kept value, never between, and the journal agrees.
//!
//! Every action lives a full life on a recorded machine, through the real hands and the real journal. Then the journal is cut after each
//! of its entries, on the machine as it was then (every number of writes that may have been done by then), and recovered.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::laws::scene;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Barrier},
    thread,
    time::Duration,
};
use tempfile::TempDir;
use trimtab::{
    actions::{self, action::Action},
    engine::{
        guard::{arm::Guard, keeper::Keeper},
        hands::Hands,
        job::{Apply, Done, Job},
        undo::{Tools, fold},
        worker::Work,
    },
    host::{host::Host, recorded::RecordedHost},
    model::{
        change::{Cause, Change, ChangeId, ChangeState, Deed, Entry, Who},
        finding::Finding,
        message::GuardState,
        plan::Plan,
        proposal::Proposal,
        time::Now,
        trial::Leg,
        verdict::{Outcome, Verdict},
    },
    store::{
        chain::FORMAT,
        journal::{FILE, Journal},
    },
};

const BOOT: &str = "this boot";
const CONFIRM: Duration = Duration::from_secs(60);
const ONE: ChangeId = ChangeId(1);

fn you() -> Who {
    Who::Operator { user: "you".into(), via: "test".into() }
}

/// A guard in this process.
struct Near(Keeper);

impl Guard for Near {
    fn arm(&mut self, change: ChangeId) -> Result<GuardState, String> {
        let answer = self.0.hear(&format!("arm {}", change.0));
        if answer.starts_with("armed") { Ok(self.state()) } else { Err(answer) }
    }
    fn disarm(&mut self, change: ChangeId) {
        self.0.hear(&format!("disarm {}", change.0));
    }
    fn state(&mut self) -> GuardState {
        GuardState::Armed { pid: 1, plans: 0 }
    }
}

/// A guard that cannot be had.
struct NoGuard;

impl Guard for NoGuard {
    fn arm(&mut self, _: ChangeId) -> Result<GuardState, String> {
        Err("no process can be started".into())
    }
    fn disarm(&mut self, _: ChangeId) {}
    fn state(&mut self) -> GuardState {
        GuardState::Failed("no process can be started".into())
    }
}

/// In memory where there is such a place: these tests open hundreds of journals, and cut them themselves.
fn directory() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

/// A machine, a state directory, and one action's advice for it.
struct Bench {
    host: RecordedHost,
    directory: TempDir,
    proposal: Proposal,
    finding: Finding,
    /// The machine before.
    before: String,
}

impl Bench {
    fn new(action: &dyn Action) -> Bench {
        let scene = scene::of(action.about().name);
        let proposal = action.propose(&scene.world()).remove(0);
        let host = scene::machine(action.about().name);
        let before = host.dump();
        Bench { host, directory: directory(), proposal, finding: scene.findings[0].clone(), before }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join(FILE)
    }

    fn tools(&self, journal: Journal, boot: &str) -> Tools {
        Tools { host: Arc::new(self.host.clone()), actions: actions::named, journal, boot: boot.into() }
    }

    fn keeper(&self) -> Keeper {
        Keeper::new(self.tools(Journal::join(&self.path()).unwrap(), BOOT))
    }

    fn hands(&self) -> Hands {
        let opened = Journal::open(&self.path(), Now::default()).unwrap();
        let seen = opened.entries.len() as u64;
        Hands::new(self.tools(opened.journal, BOOT), Box::new(Near(self.keeper())), seen)
    }

    /// Opens the journal as an engine of that boot does, and recovers; what was added.
    fn recover(&self, boot: &str) -> Vec<(u64, Entry)> {
        let opened = Journal::open(&self.path(), Now::default()).unwrap();
        assert!(opened.damage.is_none());
        let mut hands = Hands::new(self.tools(opened.journal, boot), Box::new(NoGuard), opened.entries.len() as u64);
        let done = hands.recover(&opened.entries);
        assert_eq!(done.error, None);
        done.entries
    }

    fn entries(&self) -> Vec<Entry> {
        Journal::join(&self.path()).unwrap().since(0).unwrap().into_iter().map(|(_, entry)| entry).collect()
    }

    fn change(&self) -> Change {
        let entries = self.entries();
        let mut states = ChangeState::Proposed;
        for entry in &entries[1..] {
            states = states.next(&entry.deed).unwrap_or_else(|e| panic!("{e} in {entries:?}"));
        }
        let change = fold(&entries).unwrap();
        assert_eq!(change.state, states);
        change
    }

    fn deed(&self, deed: Deed) -> Job {
        Job::Record(vec![(ONE, deed, you())])
    }

    fn propose(&self) -> Job {
        self.deed(Deed::Proposed { proposal: Box::new(self.proposal.clone()), finding: Box::new(self.finding.clone()) })
    }

    fn judge(&self) -> Job {
        let why = "it fell by a third".into();
        self.deed(Deed::Judged(Box::new(Verdict {
            outcome: Outcome::Better,
            effect: None,
            placebo: None,
            why,
            ..Verdict::default()
        })))
    }

    fn apply(&self, digest: &str, leave: bool) -> Job {
        let (change, proposal, digest) = (ONE, self.proposal.clone(), digest.into());
        Job::Apply(Box::new(Apply { change, proposal, digest, who: you(), confirm: CONFIRM, leave }))
    }

    /// From proposal to being watched; the digest and what each job came to.
    fn watched(&self, hands: &mut Hands, leave: bool) -> Vec<Done> {
        let mut all = vec![hands.perform(self.propose())];
        let seen = hands.perform(Job::Preview(ONE, Box::new(self.proposal.clone())));
        let (_, digest) = seen.preview.unwrap().1.unwrap();
        all.push(hands.perform(self.deed(Deed::Approved { digest: digest.clone() })));
        all.push(hands.perform(self.apply(&digest, leave)));
        all
    }

    fn undo(&self, plan: &Plan) -> Job {
        Job::RollBack { change: ONE, plan: Box::new(plan.clone()), cause: Cause::Operator, who: you() }
    }

    /// The machine with the change applied.
    fn applied(&self) -> String {
        let host = scene::machine(&self.proposal.action);
        let action = actions::named(&self.proposal.action).unwrap();
        action.apply(&action.prepare(&self.proposal, &host).unwrap(), &host).unwrap();
        host.dump()
    }
}

fn names(entries: &[Entry]) -> Vec<&'static str> {
    entries.iter().map(|entry| entry.deed.words()).collect()
}

const LIFE: [&str; 8] = ["proposed", "approved", "prepared", "being applied", "applied", "watched", "judged", "kept"];

#[test]
fn a_life_is_written_down_deed_by_deed_and_ends_as_it_began() {
    for action in actions::all() {
        let bench = Bench::new(*action);
        let mut hands = bench.hands();
        let mut done = bench.watched(&mut hands, false);
        assert_eq!(bench.host.dump(), bench.applied(), "{}", action.about().name);
        done.push(hands.perform(bench.judge()));
        done.push(hands.perform(Job::Keep(ONE, you())));
        let plan = bench.change().plan.unwrap();
        done.push(hands.perform(bench.undo(&plan)));
        assert!(done.iter().all(|d| d.error.is_none() && !d.journal_down), "{}: {done:?}", action.about().name);
        assert_eq!(names(&bench.entries())[..8], LIFE);
        assert_eq!(names(&bench.entries())[8..], ["being rolled back", "rolled back"]);
        assert!(bench.host.dump() == bench.before, "{}", action.about().name);
        let reported: Vec<Entry> = done.into_iter().flat_map(|d| d.entries).map(|(_, entry)| entry).collect();
        assert_eq!(reported, bench.entries(), "every entry is reported once");
        assert!(hands.foreign().entries.is_empty());
    }
}

/// Writes a journal of these entries, as one that was cut there.
fn cut(path: &Path, entries: &[Entry]) {
    let mut journal = Journal::open(path, Now::default()).unwrap().journal;
    journal.append(entries).unwrap();
}

/// How many writes may have been done when that many entries of a life were durable: of apply, and of undo after it.
fn moments(entries: &[Entry], most: usize) -> Vec<(usize, usize)> {
    let state = entries.iter().skip(1).fold(ChangeState::Proposed, |state, entry| state.next(&entry.deed).unwrap());
    match state {
        ChangeState::Applying => (0..=most).map(|n| (n, 0)).collect(),
        ChangeState::RollingBack => (0..=most).map(|n| (most, n)).collect(),
        ChangeState::Applied | ChangeState::Watching | ChangeState::Kept => vec![(most, 0)],
        ChangeState::RolledBack => vec![(most, most)],
        _ => vec![(0, 0)],
    }
}

/// The machine after so many writes of apply and so many of undo.
fn machine(action: &dyn Action, plan: &Plan, (applied, undone): (usize, usize)) -> RecordedHost {
    let host = scene::machine(action.about().name);
    host.fail_write(applied + 1);
    let _cut_short = action.apply(plan, &host);
    host.heal();
    if undone > 0 {
        host.fail_write(undone + 1);
        let _cut_short = action.rollback(plan, &host);
        host.heal();
    }
    host
}

fn cuts(action: &dyn Action, life: &[Entry], leave: bool) {
    let name = action.about().name;
    let plan = fold(life).unwrap().plan.unwrap();
    let most = {
        let host = scene::machine(name);
        action.apply(&plan, &host).unwrap();
        host.writes()
    };
    for count in 1..=life.len() {
        for moment in moments(&life[..count], most) {
            let mut bench = Bench::new(action);
            bench.host = machine(action, &plan, moment);
            cut(&bench.path(), &life[..count]);
            let was = bench.change().state;
            bench.recover(BOOT);
            let after = (bench.host.dump(), bench.entries());
            let state = bench.change().state;
            let case = format!("{name}, cut after {count} entries ({}), at {moment:?}: {}", was.words(), state.words());
            if was == ChangeState::Kept && !leave {
                assert!(after.0 == bench.applied() && state == ChangeState::Kept, "{case}");
            } else {
                assert!(after.0 == bench.before, "{case}");
                let ended = [ChangeState::Expired, ChangeState::Refused, ChangeState::RolledBack];
                assert!(ended.contains(&state), "{case}");
            }
            assert!(bench.recover(BOOT).is_empty(), "{case}: recovered twice");
            assert!((bench.host.dump(), bench.entries()) == after, "{case}: recovered twice");
        }
    }
}

/// The entries of a life that was undone, kept before or not.
fn life(action: &dyn Action, kept: bool, leave: bool) -> Vec<Entry> {
    let bench = Bench::new(action);
    let mut hands = bench.hands();
    bench.watched(&mut hands, leave);
    if kept {
        hands.perform(bench.judge());
        hands.perform(Job::Keep(ONE, you()));
    }
    let plan = bench.change().plan.unwrap();
    hands.perform(bench.undo(&plan));
    bench.entries()
}

#[test]
fn cut_after_each_entry_a_life_that_was_kept_recovers() {
    actions::all().iter().for_each(|action| cuts(*action, &life(*action, true, false), false));
}

#[test]
fn cut_after_each_entry_a_life_that_is_left_behind_recovers_to_nothing() {
    for name in ["nice", "writeback"] {
        let action = actions::named(name).unwrap();
        cuts(action, &life(action, true, true), true);
    }
}

#[test]
fn after_a_reboot_nothing_is_written_and_every_change_has_ended() {
    for action in actions::all() {
        let life = life(*action, true, false);
        for count in 1..=life.len() {
            let bench = Bench::new(*action);
            cut(&bench.path(), &life[..count]);
            bench.recover("another boot");
            let change = bench.change();
            assert!(!change.state.is_live() && !change.state.is_open(), "{:?} after {count}", change.state);
            assert_eq!(bench.host.writes(), 0);
            assert!(bench.recover("another boot").is_empty());
        }
    }
}

#[test]
fn what_outlives_a_boot_is_still_kept_or_still_owed_after_it() {
    let action = actions::named("persist").unwrap();
    let fresh = || {
        let host = scene::host();
        let parent = crate::laws::lasting::kept(&host, "swappiness", Outcome::Better);
        let proposal = trimtab::planning::lasting::proposal(&parent).unwrap();
        let before = host.dump();
        Bench { host, directory: directory(), proposal, finding: parent.finding, before }
    };
    let bench = fresh();
    let mut hands = bench.hands();
    bench.watched(&mut hands, false);
    drop(hands);
    let (kept, life) = (bench.change(), bench.entries());
    assert_eq!(kept.state, ChangeState::Kept, "it stands once it is read back: {life:?}");
    assert_eq!(bench.recover("another boot"), vec![], "after a boot it stands as it did");
    assert_eq!(bench.change().state, ChangeState::Kept);
    let plan = kept.plan.unwrap();
    for count in 1..life.len() {
        let bench = fresh();
        if life[..count].iter().any(|entry| matches!(entry.deed, Deed::ApplyStarted { .. })) {
            action.apply(&plan, &bench.host).unwrap();
        }
        cut(&bench.path(), &life[..count]);
        bench.recover("another boot");
        assert!(!bench.change().state.is_live(), "{:?} after {count}", bench.change().state);
        assert_eq!(bench.host.dump(), bench.before, "what nobody confirmed is still undone after {count}");
    }
    let bench = fresh();
    action.apply(&plan, &bench.host).unwrap();
    cut(&bench.path(), &life);
    bench.host.remove("/etc/sysctl.d/90-trimtab-vm-swappiness.conf");
    bench.recover("another boot");
    assert_eq!(bench.change().state, ChangeState::Yielded, "an administrator took it away");
}

/// From entry number `full` on, nothing can be appended.
fn fill(path: &Path, full: usize) -> rusqlite::Connection {
    let disk = rusqlite::Connection::open(path).unwrap();
    let body = "SELECT RAISE(ABORT, 'database or disk is full');";
    disk.execute_batch(&format!("CREATE TRIGGER full BEFORE INSERT ON entries WHEN NEW.number >= {full} BEGIN {body} END"))
        .unwrap();
    disk
}

#[test]
fn with_the_disk_full_at_any_entry_no_knob_is_written_without_intent_and_undo_still_happens() {
    for action in actions::all() {
        let name = action.about().name;
        for full in 1..=10 {
            let bench = Bench::new(*action);
            drop(Journal::open(&bench.path(), Now::default()).unwrap());
            let disk = fill(&bench.path(), full);
            let mut hands = bench.hands();
            let plan = action.prepare(&bench.proposal, &bench.host).unwrap();
            let mut done = bench.watched(&mut hands, false);
            let applying = bench.entries().iter().any(|e| matches!(e.deed, Deed::ApplyStarted { .. }));
            assert!(applying || bench.host.writes() == 0, "{name}: written without intent, full at {full}");
            let watched = bench.entries().iter().any(|e| e.deed == Deed::WatchStarted);
            assert!(bench.host.dump() == if watched { bench.applied() } else { bench.before.clone() }, "{name}: full at {full}");
            if watched {
                done.push(hands.perform(bench.judge()));
                done.push(hands.perform(Job::Keep(ONE, you())));
            }
            done.push(hands.perform(bench.undo(&plan)));
            assert!(bench.host.dump() == bench.before, "{name}: undone, full at {full}");
            assert!(done.iter().any(|d| d.journal_down && d.error.is_some()), "{name}: said so, full at {full}");
            disk.execute_batch("DROP TRIGGER full").unwrap();
            let change = (full > 1).then(|| bench.change());
            drop(hands);
            bench.recover(BOOT);
            if change.is_some() {
                let state = bench.change().state;
                assert!(!state.is_live() || state == ChangeState::Kept, "{name}: {state:?}, full at {full}");
            }
            assert!(bench.host.dump() == bench.before, "{name}: recovered, full at {full}");
        }
    }
}

fn nice() -> Bench {
    Bench::new(actions::named("nice").unwrap())
}

#[test]
fn without_a_guard_nothing_is_written() {
    let bench = nice();
    let opened = Journal::open(&bench.path(), Now::default()).unwrap();
    let mut hands = Hands::new(bench.tools(opened.journal, BOOT), Box::new(NoGuard), 0);
    let done = bench.watched(&mut hands, false).pop().unwrap();
    assert!(done.error.unwrap().contains("no process can be started"));
    assert_eq!((bench.host.writes(), bench.change().state), (0, ChangeState::RolledBack));
}

#[test]
fn an_apply_that_fails_at_any_write_is_undone_at_once() {
    for action in actions::all() {
        for nth in 1..20 {
            let bench = Bench::new(*action);
            let mut hands = bench.hands();
            hands.perform(bench.propose());
            let seen = hands.perform(Job::Preview(ONE, Box::new(bench.proposal.clone())));
            let digest = seen.preview.unwrap().1.unwrap().1;
            hands.perform(bench.deed(Deed::Approved { digest: digest.clone() }));
            bench.host.fail_write(nth);
            let done = hands.perform(bench.apply(&digest, false));
            let state = bench.change().state;
            if state == ChangeState::Watching {
                break;
            }
            assert!(done.error.is_some());
            bench.host.heal();
            if state == ChangeState::Stuck {
                let plan = bench.change().plan.unwrap();
                assert!(bench.change().trouble.unwrap().contains("by hand"), "the commands are shown");
                hands.perform(bench.undo(&plan));
            }
            assert_eq!(bench.change().state, ChangeState::RolledBack);
            assert!(bench.host.dump() == bench.before, "{} at write {nth}", action.about().name);
        }
    }
}

#[test]
fn an_approval_is_of_one_plan_and_good_for_one_apply() {
    let bench = nice();
    let mut hands = bench.hands();
    hands.perform(bench.propose());
    hands.perform(bench.deed(Deed::Approved { digest: "of another plan".into() }));
    hands.perform(bench.apply("of another plan", false));
    assert_eq!((bench.host.writes(), bench.change().state), (0, ChangeState::Refused));

    let bench = nice();
    let mut hands = bench.hands();
    let done = bench.watched(&mut hands, false);
    let (writes, entries) = (bench.host.writes(), bench.entries());
    let Deed::Approved { digest } = &done[1].entries[0].1.deed else { panic!("{done:?}") };
    assert!(hands.perform(bench.apply(digest, false)).error.unwrap().contains("watching"));
    assert_eq!((bench.host.writes(), bench.entries()), (writes, entries), "a double press is one apply");
}

#[test]
fn what_nobody_confirmed_is_rolled_back_at_the_deadline_and_what_was_kept_is_not() {
    let bench = nice();
    let mut hands = bench.hands();
    let mut guard = bench.keeper();
    bench.watched(&mut hands, false);
    assert_eq!(guard.hear("arm 1"), "armed 1");
    bench.host.step(CONFIRM - Duration::from_secs(1));
    guard.meet_deadlines();
    assert_eq!(bench.host.dump(), bench.applied());
    bench.host.step(Duration::from_secs(1));
    guard.meet_deadlines();
    assert!(bench.host.dump() == bench.before && guard.is_empty());
    let foreign = hands.foreign().entries;
    let told: Vec<_> = foreign.iter().map(|(_, entry)| (&entry.deed, &entry.who)).collect();
    assert_eq!(told, [(&Deed::RollbackStarted(Cause::Deadline), &Who::Guard), (&Deed::RolledBack, &Who::Guard)]);
    assert!(hands.perform(Job::Keep(ONE, you())).error.unwrap().contains("rolled back"));

    let bench = nice();
    let mut hands = bench.hands();
    let mut guard = bench.keeper();
    bench.watched(&mut hands, false);
    guard.hear("arm 1");
    hands.perform(Job::Keep(ONE, you()));
    bench.host.step(CONFIRM);
    guard.meet_deadlines();
    assert_eq!(
        (bench.host.dump(), bench.change().state),
        (bench.applied(), ChangeState::Kept),
        "the guard was not told, but it reads"
    );
}

#[test]
fn when_the_engine_ends_the_guard_undoes_the_unconfirmed_and_what_was_to_be_left_behind() {
    for (kept, leave, undone) in [(false, false, true), (true, false, false), (true, true, true)] {
        let bench = nice();
        let mut hands = bench.hands();
        let mut guard = bench.keeper();
        bench.watched(&mut hands, leave);
        guard.hear("arm 1");
        if kept {
            hands.perform(Job::Keep(ONE, you()));
            guard.hear("disarm 1");
        }
        drop(hands);
        guard.engine_ended();
        let case = format!("kept {kept}, to be left {leave}");
        assert_eq!(bench.host.dump() == bench.before, undone, "{case}");
        let state = if undone { ChangeState::RolledBack } else { ChangeState::Kept };
        assert_eq!(bench.change().state, state, "{case}");
    }
}

#[test]
fn a_guard_whose_journal_is_full_rolls_back_and_writes_it_down_when_it_can() {
    let bench = nice();
    let mut hands = bench.hands();
    let mut guard = bench.keeper();
    bench.watched(&mut hands, false);
    guard.hear("arm 1");
    let disk = fill(&bench.path(), 1);
    bench.host.step(CONFIRM);
    guard.meet_deadlines();
    assert!(bench.host.dump() == bench.before);
    assert_eq!(bench.change().state, ChangeState::Watching);
    disk.execute_batch("DROP TRIGGER full").unwrap();
    bench.host.step(guard.deadline().unwrap().since(bench.host.now().tick));
    guard.meet_deadlines();
    assert_eq!(bench.change().state, ChangeState::RolledBack);
    assert!(guard.is_empty());
}

/// A guard whose deadline passes before the first write: the engine was stopped for that long.
struct Hasty(Keeper, RecordedHost);

impl Guard for Hasty {
    fn arm(&mut self, change: ChangeId) -> Result<GuardState, String> {
        assert_eq!(self.0.hear(&format!("arm {}", change.0)), "armed 1");
        self.1.step(CONFIRM);
        self.0.meet_deadlines();
        Ok(self.state())
    }
    fn disarm(&mut self, _: ChangeId) {}
    fn state(&mut self) -> GuardState {
        GuardState::Idle
    }
}

#[test]
fn writes_that_come_after_the_guard_has_rolled_back_are_undone_too() {
    for action in actions::all() {
        let bench = Bench::new(*action);
        let opened = Journal::open(&bench.path(), Now::default()).unwrap();
        let guard = Hasty(bench.keeper(), bench.host.clone());
        let mut hands = Hands::new(bench.tools(opened.journal, BOOT), Box::new(guard), 0);
        let done = bench.watched(&mut hands, false).pop().unwrap();
        assert!(done.error.unwrap().contains("the guard has rolled it back"));
        assert!(bench.host.writes() > 0, "{} was written late", action.about().name);
        assert!(bench.host.dump() == bench.before, "{}", action.about().name);
        assert_eq!(bench.change().state, ChangeState::RolledBack);
    }
}

#[test]
fn a_confirmation_at_the_deadline_is_kept_or_reverted_never_both() {
    let mut kept = 0;
    for _ in 0..40 {
        let bench = nice();
        let mut hands = bench.hands();
        let mut guard = bench.keeper();
        bench.watched(&mut hands, false);
        guard.hear("arm 1");
        bench.host.step(CONFIRM);
        let line = Arc::new(Barrier::new(2));
        let start = line.clone();
        let watchman = thread::spawn(move || {
            start.wait();
            guard.meet_deadlines();
        });
        line.wait();
        let done = hands.perform(Job::Keep(ONE, you()));
        watchman.join().unwrap();
        let state = bench.change().state;
        let machine = bench.host.dump();
        if state == ChangeState::Kept {
            kept += 1;
            assert!(machine == bench.applied() && done.error.is_none());
        } else {
            assert_eq!(state, ChangeState::RolledBack);
            assert!(machine == bench.before && done.error.is_some());
        }
    }
    println!("confirm against deadline: {kept} of 40 kept");
}

#[test]
fn a_knob_that_somebody_else_set_is_left_to_them_by_recovery() {
    let action = actions::named("swappiness").unwrap();
    let life = life(action, true, false);
    for count in [4, 6, 8] {
        let mut bench = Bench::new(action);
        let plan = fold(&life).unwrap().plan.unwrap();
        bench.host = machine(action, &plan, (1, 0));
        bench.host.tamper(&plan.steps[0].knob, "77");
        cut(&bench.path(), &life[..count]);
        bench.recover(BOOT);
        assert_eq!(bench.change().state, ChangeState::Yielded, "after {count}");
        assert_eq!(bench.host.get(&plan.steps[0].knob).unwrap(), "77");
        assert!(bench.recover(BOOT).is_empty());
    }
}

/// Journals outlive versions: a form that an old one cannot be read in any more would pass for damage at every start.
#[test]
fn a_journal_of_the_first_form_is_still_understood() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/golden/journal-{FORMAT}.jsonl"));
    let text = std::fs::read_to_string(golden).unwrap();
    let entries: Vec<Entry> =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
    let mut deeds = names(&entries);
    deeds.sort_unstable();
    deeds.dedup();
    assert_eq!(deeds.len(), 16, "every deed stands in it: {deeds:?}");
    for change in [1, 2, 3, 4, 5].map(ChangeId) {
        let of = || entries.iter().filter(|entry| entry.change == change);
        assert_eq!(fold(of()).unwrap().deeds.len(), of().count(), "{change} is a legal life");
    }
}

/// Actions whose knobs may be switched off and on.
fn instant() -> impl Iterator<Item = &'static dyn Action> {
    actions::all().iter().copied().filter(|action| action.about().is_instant())
}

/// A change that is being watched, its plan, and the hands that apply and switch it.
fn watched(action: &dyn Action) -> (Bench, Hands, Plan) {
    let bench = Bench::new(action);
    let mut hands = bench.hands();
    bench.watched(&mut hands, false);
    let plan = bench.change().plan.unwrap();
    (bench, hands, plan)
}

fn switch(plan: &Plan, to: Leg) -> Job {
    Job::Switch { change: ONE, plan: Box::new(plan.clone()), to }
}

#[test]
fn switched_off_is_as_before_switched_on_as_applied_and_what_is_kept_is_on() {
    assert!(instant().count() >= 3);
    for action in instant() {
        let name = action.about().name;
        let (bench, mut hands, plan) = watched(action);
        for leg in [Leg::Off, Leg::On, Leg::Off] {
            let done = hands.perform(switch(&plan, leg));
            assert_eq!(done.error, None, "{name}");
            assert_eq!((bench.change().state, bench.change().leg()), (ChangeState::Watching, leg), "{name}");
            let expected = if leg == Leg::Off { bench.before.clone() } else { bench.applied() };
            assert!(bench.host.dump() == expected, "{name}: {leg:?}");
        }
        hands.perform(bench.judge());
        assert_eq!(hands.perform(Job::Keep(ONE, you())).error, None);
        assert!(bench.host.dump() == bench.applied() && bench.change().state == ChangeState::Kept, "{name}");
        hands.perform(bench.undo(&plan));
        assert!(bench.host.dump() == bench.before, "{name}");
    }
}

#[test]
fn cut_in_any_segment_and_at_any_write_of_a_switch_it_recovers_to_nothing() {
    for action in instant() {
        let name = action.about().name;
        let (bench, mut hands, plan) = watched(action);
        let mut lives = Vec::new();
        for leg in [Leg::Off, Leg::On, Leg::Off, Leg::On] {
            hands.perform(switch(&plan, leg));
            lives.push((leg, bench.entries()));
        }
        let most = bench.host.writes();
        for (leg, life) in lives {
            for n in 0..=most {
                let mut cutted = Bench::new(action);
                cutted.host = match leg {
                    Leg::Off => machine(action, &plan, (most, n)),
                    Leg::On => {
                        let host = machine(action, &plan, (most, most));
                        host.fail_write(n + 1);
                        let _cut_short = action.apply(&plan, &host);
                        host.heal();
                        host
                    }
                };
                cut(&cutted.path(), &life);
                cutted.recover(BOOT);
                let (state, case) = (cutted.change().state, format!("{name} {leg:?} after {n} writes"));
                assert!(cutted.host.dump() == cutted.before && state == ChangeState::RolledBack, "{case}: {}", state.words());
                assert!(cutted.recover(BOOT).is_empty(), "{case}: recovered twice");
            }
        }
    }
}

#[test]
fn a_switch_that_fails_at_any_write_ends_the_change_and_leaves_nothing() {
    for action in instant() {
        for leg in [Leg::Off, Leg::On] {
            for nth in 1..20 {
                let (bench, mut hands, plan) = watched(action);
                if leg == Leg::On {
                    hands.perform(switch(&plan, Leg::Off));
                }
                bench.host.fail_write(nth);
                let done = hands.perform(switch(&plan, leg));
                bench.host.heal();
                if done.error.is_none() {
                    break;
                }
                if bench.change().state == ChangeState::Stuck {
                    hands.perform(bench.undo(&plan));
                }
                assert_eq!(bench.change().state, ChangeState::RolledBack, "{} {leg:?} at write {nth}", action.about().name);
                assert!(bench.host.dump() == bench.before, "{} {leg:?} at write {nth}", action.about().name);
            }
        }
    }
}

#[test]
fn a_foreign_value_in_an_off_segment_is_left_alone_and_ends_the_change() {
    let (bench, mut hands, plan) = watched(actions::named("nice").unwrap());
    hands.perform(switch(&plan, Leg::Off));
    bench.host.set(&plan.steps[0].knob, "7").unwrap();
    let done = hands.perform(switch(&plan, Leg::On));
    assert!(done.error.is_some());
    assert_eq!(bench.change().state, ChangeState::Yielded);
    assert_eq!(bench.host.get(&plan.steps[0].knob).unwrap(), "7");
    assert!(plan.steps[1..].iter().all(|step| bench.host.get(&step.knob).unwrap() == step.before));
}

#[test]
fn the_guards_deadline_in_an_off_segment_ends_it_and_a_late_switch_writes_nothing() {
    let (bench, mut hands, plan) = watched(actions::named("nice").unwrap());
    hands.perform(switch(&plan, Leg::Off));
    let mut keeper = bench.keeper();
    assert!(keeper.hear("arm 1").starts_with("armed"));
    bench.host.step(CONFIRM + Duration::from_secs(1));
    keeper.meet_deadlines();
    assert_eq!(bench.change().state, ChangeState::RolledBack);
    let writes = bench.host.writes();
    assert!(hands.perform(switch(&plan, Leg::On)).error.is_some());
    assert!(bench.host.writes() == writes && bench.host.dump() == bench.before);
}
