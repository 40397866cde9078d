//! Emergencies in the brain: seen, proposed or fought, stopped at the first relief, undone when over; and E7, which holds.

use super::scene::{ACTIONS, Scene, refused};
use trimtab::model::{
    change::{Cause, ChangeState, Deed},
    emergency::{EmergencyKind, Reach, RungState, Stage},
    finding::FindingKind,
    limits::{Mode, Policy, Rescue},
    message::Command,
    note::Note,
};

/// All tasks wait for memory most of the time.
fn squeezed(mode: Mode, rescue: Rescue) -> Scene {
    let mut scene = Scene::urgent(Policy { mode, ..Policy::default() }, rescue);
    scene.seconds(5);
    (scene.squeeze, scene.full10) = (80_000, 60.0);
    scene
}

fn stage(scene: &Scene) -> Option<Stage> {
    scene.view.as_ref().unwrap().emergencies.first().map(|emergency| emergency.stage.clone())
}

#[test]
fn it_is_raised_after_its_sustain_and_not_before_and_stands_on_top() {
    let mut scene = squeezed(Mode::Suggest, Rescue::default());
    scene.seconds(9);
    assert_eq!(stage(&scene), None, "nine seconds are not ten");
    scene.seconds(2);
    assert_eq!(stage(&scene), Some(Stage::Proposed));
    let view = scene.view.clone().unwrap();
    assert_eq!(view.findings[0].id.kind, FindingKind::EmergencyMemory);
    assert!(view.findings[0].advice.as_ref().unwrap().contains("stop hog"), "{:?}", view.findings[0].advice);
    assert!(scene.noted().iter().any(|note| matches!(note, Note::Emergency(row, _) if row == "E1")));
    scene.seconds(20);
    assert!(scene.climbed.is_empty(), "nobody has said yes");
}

#[test]
fn a_moment_without_it_begins_its_sustain_anew() {
    let mut scene = squeezed(Mode::Auto, Rescue::default());
    for _ in 0..5 {
        scene.seconds(8);
        scene.full10 = 8.0;
        scene.seconds(1);
        scene.full10 = 60.0;
    }
    assert!(scene.climbed.is_empty() && stage(&scene).is_none());
}

#[test]
fn one_yes_climbs_and_the_first_relief_stops_it() {
    let mut scene = squeezed(Mode::Suggest, Rescue { rungs: Reach::Kill, ..Rescue::default() });
    scene.relief = "stop";
    scene.seconds(12);
    scene.command(Command::Rescue(EmergencyKind::Memory));
    scene.seconds(15);
    assert_eq!(scene.climbed, ["stop"], "one rung was enough");
    assert_eq!(stage(&scene), Some(Stage::Relieved));
    let change = scene.change("rescue").unwrap();
    assert_eq!((change.state, change.leave), (ChangeState::Kept, true));
    scene.seconds(40);
    assert_eq!(stage(&scene), None, "half a minute of calm is the end");
    let change = scene.change("rescue").unwrap();
    assert_eq!((change.state, change.cause), (ChangeState::RolledBack, Some(Cause::Over)));
}

#[test]
fn in_auto_mode_it_climbs_by_itself_and_no_further_than_it_may() {
    let mut scene = squeezed(Mode::Auto, Rescue::default());
    scene.seconds(40);
    assert_eq!(scene.climbed, ["stop", "stop"], "two targets are paused, nobody is ended");
    assert!(matches!(stage(&scene), Some(Stage::Spent(why)) if why.contains("freeze")));
    let ladder = scene.view.clone().unwrap().emergencies[0].ladder.clone();
    assert!(ladder.iter().filter(|rung| rung.reach > Reach::Freeze).all(|rung| matches!(rung.state, RungState::Barred(_))));
}

#[test]
fn who_is_to_end_is_let_run_for_it() {
    let mut scene = squeezed(Mode::Auto, Rescue { rungs: Reach::Term, ..Rescue::default() });
    scene.relief = "term";
    scene.seconds(40);
    assert_eq!(scene.climbed, ["stop", "stop", "term"]);
    let view = scene.view.clone().unwrap();
    let ladder = &view.emergencies[0].ladder;
    let state = |at: usize| ladder[at].state.clone();
    assert_eq!((state(0), state(1), state(2)), (RungState::Undone, RungState::Stands, RungState::Stands));
}

#[test]
fn each_rung_has_its_patience() {
    let mut scene = squeezed(Mode::Auto, Rescue { patience: 5.0, ..Rescue::default() });
    for _ in 0..30 {
        if scene.climbed.is_empty() {
            scene.seconds(1);
        }
    }
    scene.seconds(4);
    assert_eq!(scene.climbed.len(), 1);
    scene.seconds(2);
    assert_eq!(scene.climbed.len(), 2);
}

#[test]
fn rungs_are_counted_and_more_than_so_many_an_hour_are_not_climbed() {
    let mut scene = squeezed(Mode::Auto, Rescue { per_hour: 1, ..Rescue::default() });
    scene.seconds(40);
    assert_eq!(scene.climbed.len(), 1);
    assert!(matches!(stage(&scene), Some(Stage::Spent(why)) if why.contains("within the hour")));
}

#[test]
fn in_observe_mode_nothing_is_made_ready_and_nothing_is_done() {
    let mut scene = squeezed(Mode::Observe, Rescue::default());
    scene.seconds(15);
    assert_eq!(stage(&scene), Some(Stage::Proposed), "it is told all the same");
    assert!(refused(scene.command(Command::Rescue(EmergencyKind::Memory))).contains("observe"));
    scene.seconds(10);
    assert!(scene.climbed.is_empty() && !scene.done.iter().any(|job| job == "Ready"));
}

#[test]
fn switched_off_it_is_silent() {
    let mut scene = squeezed(Mode::Auto, Rescue { enabled: false, ..Rescue::default() });
    scene.seconds(30);
    assert!(scene.climbed.is_empty() && stage(&scene).is_none() && !scene.done.iter().any(|job| job == "Ready"));
}

#[test]
fn in_quiet_times_ladders_are_ready_and_seldom_made_anew() {
    let mut scene = Scene::urgent(Policy::default(), Rescue::default());
    scene.seconds(60);
    let ready = scene.done.iter().filter(|job| *job == "Ready").count();
    assert!((5..=8).contains(&ready), "{ready} in a minute");
}

#[test]
fn panic_holds_until_an_operator_switches_the_mode() {
    let mut scene = Scene::new(Mode::Suggest);
    scene.until_applied();
    scene.command(Command::RollBackAll);
    scene.seconds(5);
    assert_eq!(scene.view.clone().unwrap().mode, Mode::Observe);
    assert!(scene.noted().iter().any(|note| matches!(note, Note::Held(_))));
    let entries = scene.entries.iter().cloned().enumerate().map(|(n, entry)| (n as u64 + 1, entry)).collect::<Vec<_>>();
    let mut again = Scene::of(Policy::default(), ACTIONS, entries.clone());
    again.seconds(2);
    assert_eq!(again.view.clone().unwrap().mode, Mode::Observe, "an engine that starts anew holds as well");
    scene.command(Command::SetMode(Mode::Suggest));
    scene.seconds(2);
    let entries = scene.entries.iter().cloned().enumerate().map(|(n, entry)| (n as u64 + 1, entry)).collect::<Vec<_>>();
    let mut again = Scene::of(Policy::default(), ACTIONS, entries);
    again.seconds(2);
    assert_eq!(again.view.clone().unwrap().mode, Mode::Suggest, "it was lifted");
}

#[test]
fn two_harms_within_ten_minutes_roll_everything_back_and_hold() {
    let mut scene = Scene::urgent(Policy { mode: Mode::Suggest, ..Policy::default() }, Rescue { harms: 1, ..Rescue::default() });
    scene.cured = 2.0;
    scene.until_applied();
    scene.seconds(60);
    assert!(scene.causes().contains(&Cause::Hurt));
    assert_eq!(scene.view.clone().unwrap().mode, Mode::Observe);
    let held = |scene: &Scene| scene.noted().iter().filter(|note| matches!(note, Note::Held(_))).count();
    assert_eq!(held(&scene), 1);
    scene.command(Command::SetMode(Mode::Suggest));
    scene.seconds(5);
    assert_eq!((held(&scene), scene.view.clone().unwrap().mode), (1, Mode::Suggest), "the same harm is answered once");
}

impl Scene {
    /// What was noted of the house.
    fn noted(&self) -> Vec<Note> {
        let note = |deed: &Deed| if let Deed::Noted(note) = deed { Some((**note).clone()) } else { None };
        self.entries.iter().filter_map(|entry| note(&entry.deed)).collect()
    }
}
