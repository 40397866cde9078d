//! What has helped is offered to outlive a boot: once, for its own approval, and never without having helped.

use super::scene::{Scene, apply, approve, is_done, refused};
use trimtab::model::{
    change::ChangeState,
    limits::{Mode, Policy},
    message::{Command, Reply},
    proposal::{Course, Risk},
    trial::Windows,
};

fn scene(mode: Mode) -> Scene {
    let windows = Windows { before: 30.0, settle: 2.0, after: 20.0 };
    Scene::with(Policy { mode, windows, lasting: 40.0, ..Policy::default() })
}

#[test]
fn what_helped_and_was_kept_long_enough_is_offered_to_outlive_a_boot() {
    let mut scene = scene(Mode::Suggest);
    let id = scene.until_applied();
    scene.seconds(25);
    assert_eq!(scene.state("calm"), Some(ChangeState::Kept));
    assert!(scene.change("persist").is_none(), "not before its time");
    scene.seconds(25);
    assert!(is_done(scene.command(Command::SetMode(Mode::Auto))));
    scene.seconds(20);
    let offered = scene.change("persist").unwrap();
    assert_eq!((offered.state, offered.proposal.course), (ChangeState::Proposed, Course::Lasting(id)), "auto mode leaves it alone");
    assert_eq!((offered.proposal.risk, &*offered.proposal.wants[0].to), (Risk::Medium, "vm/swappiness = one"));
    assert_eq!(offered.finding.id, scene.change("calm").unwrap().finding.id);
    assert!(is_done(scene.command(Command::SetMode(Mode::Suggest))));
    assert!(is_done(scene.command(approve(offered.id))));
    let applied = scene.command(apply(offered.id));
    assert!(matches!(applied, Some(Reply::Done(_))), "nothing is measured, so no history is wanted: {applied:?}");
    assert_eq!(scene.state("persist"), Some(ChangeState::Kept));
    let why = refused(scene.command(Command::RollBack(id)));
    assert!(why.contains("roll that back first"), "{why}");
    assert!(is_done(scene.command(Command::RollBack(offered.id))));
    let after = scene.command(Command::RollBack(id));
    assert!(!format!("{after:?}").contains("last over boots"), "it is in nobody's way any more: {after:?}");
    scene.seconds(60);
    let all = scene.view.clone().unwrap().changes.iter().filter(|c| &*c.proposal.action == "persist").count();
    assert_eq!(all, 1, "it is offered once");
}

#[test]
fn what_an_operator_kept_without_a_verdict_is_not_offered() {
    let mut scene = scene(Mode::Suggest);
    let id = scene.until_applied();
    assert!(is_done(scene.command(Command::Keep(id))));
    scene.seconds(90);
    assert!(scene.change("persist").is_none());
}

#[test]
fn an_offer_ends_with_the_change_that_it_would_make_last() {
    let mut scene = scene(Mode::Suggest);
    let id = scene.until_applied();
    scene.seconds(60);
    assert_eq!(scene.state("persist"), Some(ChangeState::Proposed));
    assert!(is_done(scene.command(Command::RollBack(id))));
    scene.seconds(70);
    assert_eq!(scene.state("persist"), Some(ChangeState::Expired));
}
