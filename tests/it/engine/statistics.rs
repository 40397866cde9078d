//! The statistics at work in the loop: switching off and on, the late watch, trials of nothing, many verdicts.

use super::scene::{Scene, apply, approve, is_done, refused};
use trimtab::model::{
    change::{Cause, ChangeId, ChangeState, Deed, Entry, Who},
    limits::{Mode, Policy, Switchback},
    message::Command,
    metric::{Key, Metric},
    note::Note,
    time::{Now, Tick, Wall},
    trial::{Leg, Windows},
    verdict::{Outcome, Verdict},
};

fn windows() -> Windows {
    Windows { before: 30.0, settle: 2.0, after: 20.0 }
}

fn switching() -> Scene {
    let mut scene = Scene::with(Policy { switchback: Switchback::Always, windows: windows(), ..Policy::default() });
    let id = scene.until_proposed();
    assert!(is_done(scene.command(approve(id))));
    assert!(is_done(scene.command(apply(id))));
    scene
}

fn legs(scene: &Scene) -> Vec<Leg> {
    scene.entries.iter().filter_map(|e| if let Deed::Switched(leg) = e.deed { Some(leg) } else { None }).collect()
}

#[test]
fn a_change_is_switched_off_and_on_judged_by_the_pairs_and_kept_in_force() {
    let mut scene = switching();
    let watched = scene.change("calm").unwrap();
    let span = watched.deadline.unwrap().seconds_since(watched.applied.unwrap().tick);
    assert!(span >= 2.0 + 180.0 + 30.0, "the guard waits for all segments: {span}");
    scene.seconds(190);
    let kept = scene.change("calm").unwrap();
    assert_eq!(kept.state, ChangeState::Kept, "{:?}", kept.deeds);
    let verdict = kept.verdict.as_ref().unwrap();
    assert_eq!(verdict.switched.unwrap().better, 6);
    assert!(verdict.why.contains("by turns on and off") && verdict.placebo.unwrap() <= 1.0 / 64.0 + 1e-9, "{verdict:?}");
    let legs = legs(&scene);
    assert!(legs.len() >= 6 && legs.chunks(2).all(|pair| pair[0] == Leg::Off), "{legs:?}");
    assert!(legs.windows(2).all(|pair| pair[0] != pair[1]), "{legs:?}");
    assert_eq!((kept.leg(), scene.wait), (Leg::On, scene.cured), "what is kept is in force");
}

#[test]
fn what_makes_no_difference_in_turns_is_rolled_back() {
    let mut scene = Scene::with(Policy { switchback: Switchback::Always, windows: windows(), ..Policy::default() });
    scene.cured = 0.5;
    let id = scene.until_proposed();
    assert!(is_done(scene.command(approve(id))) && is_done(scene.command(apply(id))));
    scene.seconds(190);
    assert_eq!((scene.state("calm"), scene.causes()), (Some(ChangeState::RolledBack), vec![Cause::NoEffect]));
}

#[test]
fn harm_ends_it_in_the_midst_of_a_segment_and_an_operator_at_any_time() {
    let mut scene = Scene::with(Policy { switchback: Switchback::Always, windows: windows(), ..Policy::default() });
    scene.cured = 2.0;
    let id = scene.until_proposed();
    assert!(is_done(scene.command(approve(id))) && is_done(scene.command(apply(id))));
    scene.seconds(50);
    assert_eq!((scene.state("calm"), scene.causes()), (Some(ChangeState::RolledBack), vec![Cause::Hurt]));
    let mut scene = switching();
    let id = scene.change("calm").unwrap().id;
    while legs(&scene).last() != Some(&Leg::Off) {
        scene.second();
    }
    assert!(is_done(scene.command(Command::RollBack(id))));
    assert_eq!(scene.state("calm"), Some(ChangeState::RolledBack));
    scene.seconds(60);
    assert_eq!(legs(&scene).last(), Some(&Leg::Off), "nothing is switched on afterwards");
}

#[test]
fn with_data_that_show_enough_nothing_is_switched() {
    let mut scene = Scene::new(Mode::Suggest);
    scene.until_applied();
    scene.seconds(25);
    assert!(legs(&scene).is_empty() && scene.state("calm") == Some(ChangeState::Kept));
}

#[test]
fn a_kept_change_whose_guardrail_suffers_afterwards_is_undone() {
    let mut scene = Scene::new(Mode::Suggest);
    scene.until_applied();
    scene.seconds(24);
    assert_eq!(scene.state("calm"), Some(ChangeState::Kept));
    scene.squeeze = 10_000;
    scene.seconds(90);
    assert_eq!(scene.causes(), [Cause::LateHarm]);
}

#[test]
fn what_an_operator_has_kept_is_not_taken_away_by_the_late_watch() {
    let mut scene = Scene::new(Mode::Suggest);
    let id = scene.until_applied();
    scene.seconds(8);
    assert!(is_done(scene.command(Command::Keep(id))));
    scene.squeeze = 10_000;
    scene.seconds(90);
    assert_eq!((scene.state("calm"), scene.causes()), (Some(ChangeState::Kept), vec![]));
}

fn tested(outcome: Outcome) -> Deed {
    Deed::Noted(Box::new(Note::Tested { key: Key::host(Metric::PressureCpuSome), outcome }))
}

fn entries(deeds: impl IntoIterator<Item = (ChangeId, Deed)>) -> Vec<(u64, Entry)> {
    let now = Now { tick: Tick(900_000_000_000), wall: Wall(1_699_999_000_000) };
    let entry = |(change, deed)| Entry { change, deed, who: Who::Engine, now, boot: "boot".into() };
    (1..).zip(deeds.into_iter().map(entry)).collect()
}

#[test]
fn a_quiet_host_tests_its_judge_and_a_busy_one_does_not() {
    for (idle, expected) in [(0.0, 0), (0.8, 1)] {
        let mut scene = Scene::new(Mode::Suggest);
        (scene.idle, scene.wait) = (idle, 0.02);
        scene.seconds(900 + 40);
        let notes = scene.entries.iter().filter(|e| matches!(&e.deed, Deed::Noted(note) if matches!(**note, Note::Tested { .. })));
        assert_eq!(notes.count(), expected, "idle {idle}");
        assert_eq!(scene.view.clone().unwrap().trust.map(|trust| trust.trials), (expected > 0).then_some(expected));
    }
}

#[test]
fn a_judge_that_cries_wolf_demotes_automatic_mode_until_it_no_longer_does() {
    let auto = || Policy { mode: Mode::Auto, windows: windows(), ..Policy::default() };
    let wolf = |alarms: usize, quiet: usize| {
        let all = vec![tested(Outcome::Worse); alarms].into_iter().chain(vec![tested(Outcome::Neutral); quiet]);
        entries(all.map(|deed| (ChangeId::HOUSE, deed)))
    };
    let applied = |scene: &Scene| scene.entries.iter().any(|e| matches!(e.deed, Deed::ApplyStarted { .. }));
    let mut scene = Scene::born(auto(), wolf(4, 10));
    scene.seconds(60);
    assert!(!applied(&scene));
    let view = scene.view.clone().unwrap();
    assert!(view.trust.unwrap().lost && view.problems[0].contains("4 false alarms in 14 self-tests"), "{:?}", view.problems);
    let id = scene.change("calm").unwrap().id;
    assert!(is_done(scene.command(approve(id))), "an operator may act all the same");
    let mut scene = Scene::born(auto(), wolf(4, 60));
    scene.seconds(60);
    assert!(applied(&scene), "four of sixty-four are rare again");
}

#[test]
fn among_many_verdicts_of_nothing_a_gain_must_be_rarer() {
    let verdict = |chance| Verdict { outcome: Outcome::Neutral, chance: Some(chance), ..Verdict::default() };
    let mut donor = Scene::new(Mode::Suggest);
    donor.until_applied();
    let life: Vec<Deed> = donor.entries.iter().filter(|e| e.change == ChangeId(1)).map(|e| e.deed.clone()).collect();
    assert!(matches!(life[0], Deed::Proposed { .. }), "{life:?}");
    // A week in which two hundred changes brought nothing.
    let judged = (0..200).map(|_| (ChangeId(1), Deed::Judged(Box::new(verdict(0.5)))));
    let undone = [Deed::RollbackStarted(Cause::NoEffect), Deed::RolledBack].map(|deed| (ChangeId(1), deed));
    let before = entries(life.into_iter().map(|deed| (ChangeId(1), deed)).chain(judged).chain(undone));
    let mut scene = Scene::born(Policy { windows: windows(), ..Policy::default() }, before);
    scene.cured = 0.44;
    scene.seconds(200);
    let id = scene.view.clone().unwrap().changes.iter().find(|c| c.state == ChangeState::Proposed).map(|c| c.id);
    let Some(id) = id else { panic!("{:?}", scene.view.clone().unwrap().changes.iter().map(|c| c.state).collect::<Vec<_>>()) };
    assert!(is_done(scene.command(approve(id))));
    let applied = scene.command(apply(id));
    assert!(is_done(applied.clone()), "{}", refused(applied));
    scene.seconds(60);
    let change = scene.view.clone().unwrap().changes.iter().find(|c| c.id == id).cloned().unwrap();
    let week = change.verdict.as_ref().unwrap().week.unwrap();
    assert_eq!(week.verdicts, 201);
    assert_eq!(change.state == ChangeState::Kept, week.holds, "{:?}", change.verdict);
}
