//! The bounds on acting hold whatever operators press: budgets, domains, approvals, observe mode, a dead journal.

use super::scene::{Scene, apply, approve, is_done, refused};
use proptest::prelude::*;
use std::{collections::BTreeMap, time::Duration};
use trimtab::engine::input::{Input, Ticket};
use trimtab::model::{
    change::{Cause, ChangeId, ChangeState, Deed, Who},
    limits::{Mode, Policy},
    message::{Command, Reply, Slow},
    subject::ProcessId,
    time::Tick,
    trial::Windows,
    wish::Wish,
};

#[test]
fn observe_mode_proposes_nothing_and_applies_nothing() {
    let mut scene = Scene::new(Mode::Observe);
    scene.seconds(60);
    assert!(!scene.view.clone().unwrap().findings.is_empty());
    assert!(scene.view.clone().unwrap().changes.is_empty());
    let mut scene = Scene::new(Mode::Suggest);
    let id = scene.until_proposed();
    assert!(is_done(scene.command(approve(id))));
    assert!(is_done(scene.command(Command::SetMode(Mode::Observe))));
    assert!(refused(scene.command(apply(id))).contains("observe"));
}

#[test]
fn the_interval_of_sweeps_is_the_operators_within_bounds_and_the_budget_lengthens_it() {
    let mut scene = Scene::new(Mode::Observe);
    scene.second();
    assert!(is_done(scene.command(Command::Interval(2000))));
    assert_eq!(scene.every.take(), Some(Duration::from_secs(2)));
    assert_eq!(scene.view.clone().unwrap().cost.pace.asked, 2.0);
    assert!(refused(scene.command(Command::Interval(100))).contains("0.5 to 10 seconds"));
    assert_eq!(scene.every, None);
    // Twice the budget of two hundredths of a core.
    for second in 0..8_u64 {
        scene.step(Input::Weighed { at: Tick(second * 1_000_000_000), cpu: second * 40_000_000, resident: 1 });
    }
    assert_eq!(scene.every, Some(Duration::from_secs(5)));
    scene.second();
    assert_eq!(scene.view.clone().unwrap().cost.pace.slow, Some(Slow::Budget));
}

#[test]
fn an_expired_approval_applies_nothing() {
    let windows = Windows { before: 30.0, settle: 2.0, after: 20.0 };
    let mut scene = Scene::with(Policy { approval: 5.0, windows, ..Policy::default() });
    let id = scene.until_proposed();
    assert!(is_done(scene.command(approve(id))));
    for _ in 0..60 {
        scene.pass();
    }
    assert!(refused(scene.command(apply(id))).contains("has expired"));
    scene.second();
    assert_eq!(scene.state("calm"), Some(ChangeState::Proposed), "the next sweep takes it back");
    assert!(refused(scene.command(apply(id))).contains("approve it first"));
}

#[test]
fn a_trouble_too_young_to_measure_by_is_not_acted_on_yet() {
    let mut scene = Scene::new(Mode::Suggest);
    while scene.change("calm").is_none_or(|change| change.plan.is_none()) {
        scene.second();
    }
    let id = scene.change("calm").unwrap().id;
    assert!(is_done(scene.command(approve(id))));
    let why = refused(scene.command(apply(id)));
    assert!(why.contains("too young to measure") && why.contains("try again in"), "{why}");
    scene.seconds(9);
    assert!(is_done(scene.command(apply(id))));
}

#[test]
fn of_two_who_approve_at_once_one_is_first_and_both_hear_who() {
    let mut scene = Scene::new(Mode::Suggest);
    let id = scene.until_proposed();
    let operator = |user: &str| Who::Operator { user: user.into(), via: "socket".into() };
    for (number, user) in [(901, "ann"), (902, "bob")] {
        scene.step(Input::Commanded { ticket: Ticket(number), who: operator(user), command: approve(id) });
    }
    scene.work();
    for number in [901, 902] {
        let Some(Reply::Done(said)) = scene.answer(Ticket(number)) else { panic!("{number} was refused") };
        assert!(said.contains("by ann (socket)"), "{said}");
    }
    let change = scene.change("calm").unwrap();
    let approvals: Vec<&Who> = change.deeds.iter().filter(|(.., words)| words == "approved").map(|(_, who, _)| who).collect();
    assert_eq!(approvals, [&operator("ann")]);
    scene.step(Input::Commanded { ticket: Ticket(903), who: operator("bob"), command: approve(id) });
    assert_eq!(scene.answer(Ticket(903)), Some(Reply::Done(format!("{id} is approved already, by ann (socket)"))));
}

#[test]
fn two_changes_of_one_domain_do_not_overlap() {
    let mut scene = Scene::new(Mode::Suggest);
    let first = scene.until_applied();
    let (rival, stranger) = (scene.change("lean").unwrap().id, scene.change("trim").unwrap().id);
    assert!(is_done(scene.command(approve(rival))));
    assert!(refused(scene.command(apply(rival))).contains("same domain"));
    assert!(is_done(scene.command(approve(stranger))));
    assert!(is_done(scene.command(apply(stranger))), "another domain is free");
    assert!(is_done(scene.command(Command::Keep(first))));
    assert!(is_done(scene.command(apply(rival))), "a confirmed change is in nobody's way");
}

#[test]
fn a_dead_journal_stops_changes_and_no_rollback() {
    let mut scene = Scene::new(Mode::Suggest);
    scene.until_applied();
    let rival = scene.change("trim").unwrap().id;
    assert!(is_done(scene.command(approve(rival))));
    scene.journal_down = true;
    scene.cured = 0.5;
    let why = refused(scene.command(apply(rival)));
    assert!(why.contains("disk full"), "{why}");
    assert!(scene.view.clone().unwrap().problems[0].contains("disk full"));
    let why = refused(scene.command(apply(rival)));
    assert!(why.contains("no change begins"), "refused before the hands are asked: {why}");
    let reply = scene.command(Command::RollBackAll);
    assert!(is_done(reply.clone()), "{reply:?}");
    assert_eq!(scene.state("calm"), Some(ChangeState::RolledBack));
    scene.journal_down = false;
    scene.seconds(7);
    assert!(scene.view.clone().unwrap().problems.is_empty(), "it is tried every few seconds");
}

#[test]
fn a_double_press_is_one_deed_with_two_answers() {
    let mut scene = Scene::new(Mode::Suggest);
    let id = scene.until_proposed();
    scene.asleep = true;
    assert_eq!(scene.command(approve(id)), None);
    assert_eq!(scene.command(approve(id)), None);
    scene.asleep = false;
    scene.work();
    let done = scene.replies.iter().filter(|(_, reply)| matches!(reply, Reply::Done(_))).count();
    assert_eq!(done, 2);
    assert!(is_done(scene.command(approve(id))), "and a third time is no error");
    assert_eq!(scene.entries.iter().filter(|e| matches!(e.deed, Deed::Approved { .. })).count(), 1);
}

#[test]
fn panic_during_an_apply_undoes_it_right_after() {
    let mut scene = Scene::new(Mode::Suggest);
    let id = scene.until_proposed();
    assert!(is_done(scene.command(approve(id))));
    scene.asleep = true;
    assert_eq!(scene.command(apply(id)), None);
    assert_eq!(scene.command(Command::RollBackAll), None, "it waits for the undo");
    scene.asleep = false;
    scene.work();
    assert!(is_done(scene.replies.last().map(|(_, reply)| reply.clone())));
    assert_eq!(scene.state("calm"), Some(ChangeState::RolledBack));
    assert_eq!(scene.causes(), [Cause::Panic]);
}

#[test]
fn the_budget_of_an_hour_is_not_exceeded() {
    let windows = Windows { before: 30.0, settle: 2.0, after: 20.0 };
    let mut scene = Scene::with(Policy { per_hour: 1, windows, ..Policy::default() });
    let id = scene.until_applied();
    assert!(is_done(scene.command(Command::Keep(id))));
    let next = scene.change("trim").unwrap().id;
    assert!(is_done(scene.command(approve(next))));
    assert!(refused(scene.command(apply(next))).contains("the budget is 1"));
}

#[test]
fn rejected_advice_is_not_given_again_within_the_hour() {
    let mut scene = Scene::new(Mode::Suggest);
    let id = scene.until_proposed();
    assert!(is_done(scene.command(Command::Reject(id))));
    scene.seconds(120);
    let again = scene.entries.iter().filter(|e| matches!(&e.deed, Deed::Proposed { proposal, .. } if &*proposal.action == "calm"));
    assert_eq!(again.count(), 1);
}

#[test]
fn stopping_undoes_what_nobody_confirmed_and_keeps_what_was_kept() {
    let mut scene = Scene::new(Mode::Suggest);
    let kept = scene.until_applied();
    assert!(is_done(scene.command(Command::Keep(kept))));
    let other = scene.change("trim").unwrap().id;
    assert!(is_done(scene.command(approve(other))));
    assert!(is_done(scene.command(apply(other))));
    assert!(is_done(scene.stop()));
    assert_eq!(scene.state("trim"), Some(ChangeState::RolledBack));
    assert_eq!(scene.state("calm"), Some(ChangeState::Kept));
    assert_eq!(scene.causes(), [Cause::Leaving]);
}

#[derive(Clone, Debug)]
enum Press {
    Command(u8, u64),
    Wait(u8),
    Sleep(bool),
    Journal(bool),
}

fn press() -> impl Strategy<Value = Press> {
    prop_oneof![
        6 => (0_u8..8, 1_u64..6).prop_map(|(what, id)| Press::Command(what, id)),
        2 => (1_u8..12).prop_map(Press::Wait),
        1 => any::<bool>().prop_map(Press::Sleep),
        1 => prop::bool::weighted(0.2).prop_map(Press::Journal),
    ]
}

fn command(what: u8, id: u64) -> Command {
    let id = ChangeId(id);
    match what {
        0 | 1 => approve(id),
        2 | 3 => apply(id),
        4 => Command::Keep(id),
        5 => Command::RollBack(id),
        6 => Command::Unapprove(id),
        _ if id.0 == 5 => Command::RollBackAll,
        // What panic holds, an operator lifts.
        _ if id.0 == 4 => Command::SetMode(Mode::Suggest),
        _ => Command::Reject(id),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_of_commands_leaves_the_bounds(presses in prop::collection::vec(press(), 1..60)) {
        let windows = Windows { before: 10.0, settle: 1.0, after: 8.0 };
        let mut scene = Scene::with(Policy { per_hour: 3, windows, ..Policy::default() });
        scene.cured = 0.5;
        scene.seconds(16);
        for press in presses {
            match press {
                Press::Command(what, id) => drop(scene.command(command(what, id))),
                Press::Wait(seconds) => scene.seconds(usize::from(seconds)),
                Press::Sleep(asleep) => { scene.asleep = asleep; scene.work(); }
                Press::Journal(down) => scene.journal_down = down,
            }
        }
        scene.asleep = false;
        scene.work();
        let applied = scene.entries.iter().filter(|e| matches!(e.deed, Deed::ApplyStarted { .. })).count();
        prop_assert!(applied <= 3, "{applied} changes applied within an hour");
        overlaps(&scene)?;
    }
}

/// Replays the journal: every entry is legal, and no two unconfirmed changes share a domain at any time.
fn overlaps(scene: &Scene) -> Result<(), TestCaseError> {
    let mut all: BTreeMap<ChangeId, trimtab::model::change::Change> = BTreeMap::new();
    for entry in scene.entries.iter().filter(|entry| entry.change != ChangeId::HOUSE) {
        match trimtab::model::change::Change::begin(entry) {
            Some(change) => drop(all.insert(entry.change, change)),
            None => {
                let taken = all.get_mut(&entry.change).unwrap().take(entry);
                prop_assert!(taken.is_ok(), "{taken:?}");
            }
        }
        let mut busy = all.values().filter(|c| c.state.is_unconfirmed()).map(|c| c.proposal.domain.clone()).collect::<Vec<_>>();
        let count = busy.len();
        busy.sort();
        busy.dedup();
        prop_assert_eq!(busy.len(), count, "two unconfirmed changes in one domain");
    }
    Ok(())
}

#[test]
fn what_is_asked_for_by_hand_is_done_within_its_own_bounds() {
    let wish = || Command::Wish(Wish::Nice { processes: vec![ProcessId { pid: 7, start: 1 }], to: 5 });
    let mut scene = Scene::new(Mode::Suggest);
    scene.seconds(2);
    assert!(is_done(scene.command(wish())));
    let change = scene.change("renice").unwrap();
    assert_eq!(change.state, ChangeState::Kept);
    scene.seconds(30);
    assert_eq!(scene.state("renice"), Some(ChangeState::Kept), "it is not judged");
    assert!(is_done(scene.command(Command::RollBack(change.id))), "and can be taken back");
    let mut scene = Scene::new(Mode::Observe);
    scene.seconds(2);
    assert!(refused(scene.command(wish())).contains("observe"));
    let mut scene = Scene::new(Mode::Suggest);
    scene.seconds(2);
    let none = Command::Wish(Wish::Nice { processes: vec![], to: 5 });
    assert!(refused(scene.command(none)).contains("no process"));
}
