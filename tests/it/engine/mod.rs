//! The brain on a scripted host: from a contention to a finding, a proposal, an approval, a verdict, and every way out of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bounds;
mod lasting;
mod learning;
mod placebo;
mod policy;
mod scene;
mod start;
mod statistics;
mod urgent;

use scene::{Scene, apply, approve, is_done, refused};
use trimtab::model::{
    change::{Cause, ChangeState, Deed},
    finding::FindingKind,
    limits::Mode,
    message::Command,
    plan::{Held, Obstacle, Refusal},
    verdict::Outcome,
};

#[test]
fn a_contention_is_found_proposed_applied_judged_and_kept() {
    let mut scene = Scene::new(Mode::Suggest);
    scene.seconds(12);
    let view = scene.view.clone().unwrap();
    assert_eq!(view.findings[0].id.kind, FindingKind::CpuContention, "{:?}", view.findings);
    let id = scene.until_applied();
    let watched = scene.change("calm").unwrap();
    assert!(watched.foresight.is_some(), "the smallest visible effect was shown before");
    scene.seconds(25);
    let kept = scene.change("calm").unwrap();
    assert_eq!(kept.state, ChangeState::Kept, "{:?}", kept.verdict);
    assert_eq!(kept.verdict.as_ref().unwrap().outcome, Outcome::Better);
    let deeds: Vec<&str> = scene.entries.iter().filter(|e| e.change == id).map(|e| e.deed.words()).collect();
    assert_eq!(deeds, ["proposed", "approved", "prepared", "being applied", "applied", "watched", "judged", "kept"]);
    let (first, last) = (kept.track.first().unwrap().at, kept.track.last().unwrap().at);
    let applied = kept.applied.unwrap().tick;
    assert!(first < applied && applied < last, "the track shows before and after");
}

#[test]
fn what_brings_nothing_is_rolled_back_and_rests_longer_each_time() {
    let mut scene = Scene::new(Mode::Suggest);
    scene.cured = 0.5;
    scene.until_applied();
    scene.seconds(60);
    assert_eq!(scene.state("calm"), Some(ChangeState::RolledBack));
    assert_eq!(scene.causes(), [Cause::NoEffect]);
    let proposed = |scene: &Scene| {
        scene.entries.iter().filter(|e| matches!(&e.deed, Deed::Proposed { proposal, .. } if &*proposal.action == "calm")).count()
    };
    assert_eq!(proposed(&scene), 1);
    scene.seconds(60);
    assert_eq!(proposed(&scene), 2, "after twice its cool-down of 30 s the advice is given again");
}

#[test]
fn harm_is_rolled_back_at_a_look_before_the_end() {
    let mut scene = Scene::new(Mode::Suggest);
    scene.cured = 2.0;
    let id = scene.until_applied();
    scene.seconds(15);
    let change = scene.change("calm").unwrap();
    assert_eq!(change.state, ChangeState::RolledBack, "{:?}", change.deeds);
    assert_eq!(scene.causes(), [Cause::Hurt]);
    let judged = scene.entries.iter().position(|e| e.change == id && matches!(e.deed, Deed::Judged(_))).unwrap();
    let undone = scene.entries.iter().position(|e| e.change == id && matches!(e.deed, Deed::RollbackStarted(_))).unwrap();
    assert!(judged < undone, "the verdict is written before the undo");
}

#[test]
fn a_victim_that_cannot_be_measured_any_more_ends_the_watch() {
    let mut scene = Scene::new(Mode::Suggest);
    scene.until_applied();
    scene.seconds(4);
    scene.measured = false;
    scene.seconds(7);
    assert_eq!(scene.causes(), [Cause::NoData]);
}

#[test]
fn an_undo_that_could_not_be_written_down_is_begun_again_but_not_each_second() {
    let mut scene = Scene::new(Mode::Suggest);
    scene.until_applied();
    (scene.measured, scene.unwritten, scene.journal_down) = (false, true, true);
    scene.seconds(30);
    let tries = scene.done.iter().filter(|job| *job == "RollBack").count();
    assert!((2..=3).contains(&tries), "{tries} tries in 24 s");
    (scene.unwritten, scene.journal_down) = (false, false);
    scene.seconds(11);
    assert_eq!(scene.state("calm"), Some(ChangeState::RolledBack));
}

#[test]
fn a_victim_that_waits_no_more_is_measured_as_zero() {
    let mut scene = Scene::new(Mode::Suggest);
    scene.cured = 0.0;
    scene.until_applied();
    scene.seconds(25);
    assert_eq!(scene.state("calm"), Some(ChangeState::Kept), "{:?}", scene.change("calm").unwrap().deeds);
}

#[test]
fn without_sweeps_time_alone_ends_the_watch() {
    let mut scene = Scene::new(Mode::Suggest);
    scene.until_applied();
    for _ in 0..80 {
        scene.pass();
    }
    assert_eq!(scene.causes(), [Cause::NoData]);
}

#[test]
fn a_foreign_value_on_a_kept_change_is_left_alone() {
    let mut scene = Scene::new(Mode::Suggest);
    let id = scene.until_applied();
    assert!(is_done(scene.command(Command::Keep(id))));
    assert_eq!(scene.state("calm"), Some(ChangeState::Kept));
    scene.held = Held::Drifted { knob: "nice of 20".into(), found: "3".into() };
    scene.seconds(6);
    assert_eq!(scene.state("calm"), Some(ChangeState::Yielded));
    assert!(scene.causes().is_empty(), "nothing of somebody else's is undone");
}

#[test]
fn a_foreign_value_in_the_watch_undoes_what_is_left_of_the_change() {
    let mut scene = Scene::new(Mode::Suggest);
    scene.until_applied();
    scene.held = Held::Drifted { knob: "nice of 20".into(), found: "3".into() };
    scene.seconds(6);
    assert_eq!(scene.causes(), [Cause::NotHeld]);
}

#[test]
fn a_proposal_ends_after_its_finding_and_not_before() {
    let mut scene = Scene::new(Mode::Suggest);
    scene.until_proposed();
    scene.wait = 0.0;
    scene.seconds(40);
    assert_eq!(scene.state("calm"), Some(ChangeState::Proposed));
    scene.seconds(60);
    assert_eq!(scene.state("calm"), Some(ChangeState::Expired));
}

#[test]
fn a_proposal_stands_still_while_short_lived_processes_come_and_go() {
    let mut scene = Scene::new(Mode::Suggest);
    let id = scene.until_proposed();
    for pid in 100..120 {
        scene.visitor = Some(pid);
        scene.seconds(4);
    }
    assert_eq!(scene.change("calm").unwrap().id, id);
    scene.seconds(20);
    let settled = scene.change("calm").unwrap();
    assert!(settled.id > id && settled.proposal.wants.len() == 3, "a third hog that stays makes new advice");
}

#[test]
fn a_plan_that_moved_takes_the_approval_with_it() {
    let mut scene = Scene::new(Mode::Suggest);
    let id = scene.until_proposed();
    let stale = Command::Approve { change: id, digest: Some("another".into()) };
    assert!(refused(scene.command(stale)).contains("has changed since it was shown"));
    assert!(is_done(scene.command(Command::Approve { change: id, digest: Some("one".into()) })));
    scene.plan = "two";
    let why = refused(scene.command(apply(id)));
    assert!(why.contains("another one by now"), "{why}");
    assert_eq!(scene.state("calm"), Some(ChangeState::Refused));
}

#[test]
fn an_approval_of_a_moved_plan_is_taken_back_with_the_next_preview() {
    let mut scene = Scene::new(Mode::Suggest);
    let id = scene.until_proposed();
    assert!(is_done(scene.command(approve(id))));
    scene.plan = "two";
    scene.seconds(35);
    assert_eq!(scene.state("calm"), Some(ChangeState::Proposed));
    assert_eq!(scene.change("calm").unwrap().digest, "two");
}

#[test]
fn a_locked_proposal_is_refused_with_the_words_of_its_lock() {
    let mut scene = Scene::new(Mode::Suggest);
    let needs = Obstacle::Rights { errno: "EPERM".into(), needs: "CAP_SYS_NICE".into() };
    scene.lock = Some(Refusal { kind: needs, why: "needs CAP_SYS_NICE".into() });
    scene.seconds(20);
    let id = scene.change("calm").unwrap().id;
    assert!(refused(scene.command(approve(id))).contains("needs CAP_SYS_NICE"));
}

#[test]
fn auto_mode_acts_by_itself_once_the_data_can_show_the_effect() {
    let mut scene = Scene::new(Mode::Auto);
    scene.seconds(90);
    assert_eq!(scene.state("calm"), Some(ChangeState::Kept), "{:?}", scene.change("calm").map(|c| (c.foresight, c.deeds.clone())));
    assert!(scene.entries.iter().all(|e| e.who.to_string() == "engine"));
}

#[test]
fn an_emergency_of_the_fast_lane_needs_no_sweep() {
    let mut scene = Scene::new(Mode::Suggest);
    scene.seconds(3);
    let before = scene.view.clone().unwrap();
    assert!(before.findings.is_empty());
    scene.pass();
    assert_eq!(scene.view.clone().unwrap().number, before.number, "a quiet pass shows nothing new");
    scene.squeeze = 50_000;
    let passes = (1..40).find(|_| {
        scene.pass();
        !scene.view.clone().unwrap().findings.is_empty()
    });
    assert_eq!(scene.view.clone().unwrap().findings[0].id.kind, FindingKind::MemoryPressure);
    assert!(passes.unwrap() <= 25, "four looks of half a second and the pass that completes them, not {passes:?}");
}
