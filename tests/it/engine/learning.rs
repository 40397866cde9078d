//! What the brain makes of what it has learned: whom auto mode leaves alone, what is not proposed again, what it writes down of a choice.

use super::scene::{Scene, is_done};
use trimtab::model::{
    change::{ChangeState, Deed, Entry},
    limits::{Mode, Policy, Trust},
    message::Command,
    note::{Choice, Note},
    trial::Windows,
};

fn policy(mode: Mode) -> Policy {
    let windows = Windows { before: 30.0, settle: 2.0, after: 20.0 };
    Policy { mode, windows, per_hour: 100, flaps: 100, ..Policy::default() }
}

fn applied(scene: &Scene, action: &str) -> usize {
    let started = |entry: &&Entry| matches!(entry.deed, Deed::ApplyStarted { .. });
    let of = |entry: &&Entry| {
        scene
            .entries
            .iter()
            .any(|e| e.change == entry.change && matches!(&e.deed, Deed::Proposed { proposal, .. } if &*proposal.action == action))
    };
    scene.entries.iter().filter(started).filter(of).count()
}

fn choices(scene: &Scene) -> Vec<Choice> {
    let choice = |entry: &Entry| match &entry.deed {
        Deed::Noted(note) => match &**note {
            Note::Chose(choice) => Some((**choice).clone()),
            _ => None,
        },
        _ => None,
    };
    scene.entries.iter().filter_map(choice).collect()
}

#[test]
fn an_action_that_harmed_is_left_to_people_and_each_choice_is_written_down_before_its_approval() {
    let mut scene = Scene::with(Policy { harms: 100, ..policy(Mode::Auto) });
    scene.cured = 2.0;
    scene.seconds(900);
    for action in ["calm", "lean", "trim"] {
        assert!(applied(&scene, action) <= 1, "{action} harmed and was tried again by itself");
    }
    assert_eq!(applied(&scene, "calm"), 1, "the best of them was tried");
    let choices = choices(&scene);
    assert!(!choices.is_empty() && choices[0].arms.iter().any(|arm| arm.change == choices[0].chosen));
    for choice in &choices {
        let at = |wanted: &dyn Fn(&Entry) -> bool| scene.entries.iter().position(wanted).unwrap();
        let noted = at(&|e| matches!(&e.deed, Deed::Noted(n) if matches!(&**n, Note::Chose(c) if c.chosen == choice.chosen)));
        let approved = at(&|e| e.change == choice.chosen && matches!(e.deed, Deed::Approved { .. }));
        assert_eq!(approved, noted + 1);
    }
    let lessons = scene.brain.lessons();
    let calm = lessons.lessons.iter().find(|lesson| &*lesson.action == "calm").unwrap();
    assert!(calm.tally.harm == 1 && !calm.trusted && calm.why.contains("10 more clean runs"), "{calm:?}");
    assert!(lessons.regret.spent > 0.0 && lessons.timings.automatic.is_some());
}

#[test]
fn who_wants_proof_gets_no_automatic_change_from_a_fresh_journal() {
    let mut scene = Scene::with(Policy { trust: Trust::Proven, ..policy(Mode::Auto) });
    scene.seconds(300);
    assert!(scene.change("calm").is_some() && scene.entries.iter().all(|e| !matches!(e.deed, Deed::Approved { .. })));
    let manual = scene.change("calm").unwrap().decision.as_ref().unwrap().manual.clone().unwrap();
    assert!(manual.contains("harm may be as likely as 95 %"), "{manual}");
}

#[test]
fn advice_that_was_rejected_three_times_is_not_given_again() {
    let mut scene = Scene::with(Policy { rejected: 1.0, ..policy(Mode::Suggest) });
    for round in 0..3 {
        scene.seconds(40);
        let change =
            scene.view.clone().unwrap().changes.iter().find(|c| &*c.proposal.action == "calm" && c.state.is_open()).cloned();
        let id = change.unwrap_or_else(|| panic!("proposed in round {round}")).id;
        assert!(is_done(scene.command(Command::Reject(id))));
    }
    scene.seconds(300);
    let open =
        |action: &str| scene.view.clone().unwrap().changes.iter().any(|c| &*c.proposal.action == action && c.state.is_open());
    assert!(!open("calm") && open("trim"));
    assert_eq!(scene.state("calm"), Some(ChangeState::Rejected));
    let vetoes = scene.brain.lessons().vetoes;
    assert_eq!((vetoes.len(), vetoes[0].rejections, &*vetoes[0].on), (1, 3, "hog"));
}
