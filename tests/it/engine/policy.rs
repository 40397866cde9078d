//! What operators write into the policy holds: rules under the mode, two people for high risk, the stop file, and auto mode that gives
//! way when it does harm (`reference/safety.md`, 10, 13 and 14).

use super::scene::{ACTIONS, RISKY, Scene, apply, approve, is_done, refused};
use trimtab::{
    engine::input::Input,
    model::{
        change::{ChangeId, ChangeState, Deed, Entry, Who},
        hours::Hours,
        limits::{Mode, Policy},
        message::{Command, Reply},
        note::Note,
        rule::Rule,
        trial::Windows,
    },
};

const WINDOWS: Windows = Windows { before: 30.0, settle: 2.0, after: 20.0 };

fn policy(mode: Mode, rules: Vec<Rule>) -> Policy {
    Policy { mode, windows: WINDOWS, rules, ..Policy::default() }
}

fn rule(allow: Mode) -> Rule {
    Rule {
        families: vec![],
        subjects: vec![],
        tier: None,
        risk: None,
        kinds: vec![],
        hours: None,
        window: None,
        confidence: None,
        allow,
        promoted: false,
        approvals: None,
    }
}

fn deeds(scene: &Scene, id: ChangeId) -> Vec<&str> {
    scene.entries.iter().filter(|e| e.change == id).map(|e| e.deed.words()).collect()
}

fn notes(scene: &Scene) -> Vec<(Note, String)> {
    let note = |e: &Entry| match &e.deed {
        Deed::Noted(note) => Some(((**note).clone(), e.who.user().to_string())),
        _ => None,
    };
    scene.entries.iter().filter_map(note).collect()
}

fn risky(policy: Policy) -> Scene {
    Scene::of(policy, RISKY, vec![])
}

#[test]
fn high_risk_takes_two_people() {
    let mut scene = risky(policy(Mode::Suggest, vec![]));
    let id = scene.until_proposed();
    assert_eq!(scene.change("calm").unwrap().approvals().as_deref(), Some("0 of 2"));
    let first = scene.command_of("ann", approve(id));
    assert!(matches!(&first, Some(Reply::Done(said)) if said.contains("1 of 2 (ann)")), "{first:?}");
    assert_eq!(scene.state("calm"), Some(ChangeState::Proposed));
    assert!(refused(scene.command_of("ann", approve(id))).contains("second person"));
    assert!(refused(scene.command_of("ann", apply(id))).contains("not approved"));
    assert!(is_done(scene.command_of("bob", approve(id))));
    assert_eq!(scene.state("calm"), Some(ChangeState::Approved));
    assert!(is_done(scene.command_of("ann", approve(id))), "it is approved already");
    assert!(is_done(scene.command_of("ann", apply(id))));
    let all = ["proposed", "endorsed", "approved", "prepared", "being applied", "applied", "watched"];
    assert_eq!(deeds(&scene, id), all);
}

#[test]
fn a_first_approval_ends_with_its_time_its_plan_or_its_giver() {
    let mut scene = risky(Policy { approval: 5.0, ..policy(Mode::Suggest, vec![]) });
    let id = scene.until_proposed();
    assert!(is_done(scene.command_of("ann", approve(id))));
    scene.seconds(7);
    assert_eq!(deeds(&scene, id), ["proposed", "endorsed", "unapproved"]);
    assert!(is_done(scene.command_of("bob", approve(id))));
    assert_eq!(scene.state("calm"), Some(ChangeState::Proposed), "his is the first now");

    let mut scene = risky(policy(Mode::Suggest, vec![]));
    let id = scene.until_proposed();
    assert!(is_done(scene.command_of("ann", approve(id))));
    scene.plan = "two";
    scene.seconds(12);
    assert!(scene.change("calm").unwrap().endorsed.is_none(), "what she has seen is no longer the plan");
    assert!(is_done(scene.command_of("bob", approve(id))));
    assert_eq!(scene.state("calm"), Some(ChangeState::Proposed));
    assert!(is_done(scene.command_of("bob", Command::Unapprove(id))));
    assert!(is_done(scene.command_of("ann", approve(id))));
    assert_eq!(scene.change("calm").unwrap().approvals().as_deref(), Some("1 of 2 (ann)"));
}

#[test]
fn of_two_second_approvals_one_wins_and_of_two_first_ones_neither_counts_twice() {
    let mut scene = risky(policy(Mode::Suggest, vec![]));
    let id = scene.until_proposed();
    scene.asleep = true;
    assert_eq!(scene.command_of("ann", approve(id)), None);
    assert!(refused(scene.command_of("bob", approve(id))).contains("try again"), "hers is not written yet: his could be no second");
    scene.asleep = false;
    scene.work();
    assert_eq!(scene.state("calm"), Some(ChangeState::Proposed));
    scene.asleep = true;
    assert_eq!(scene.command_of("bob", approve(id)), None);
    assert_eq!(scene.command_of("eve", approve(id)), None);
    scene.asleep = false;
    scene.work();
    assert_eq!(scene.state("calm"), Some(ChangeState::Approved));
    assert_eq!(deeds(&scene, id), ["proposed", "endorsed", "approved"], "one entry, by who came first");
    assert_eq!(scene.entries.last().unwrap().who.user(), "bob");
}

#[test]
fn high_risk_is_never_automatic_and_a_rule_may_want_two_people_for_anything() {
    let mut scene = risky(policy(Mode::Auto, vec![rule(Mode::Auto)]));
    scene.seconds(90);
    assert_eq!(scene.state("calm"), Some(ChangeState::Proposed));
    let why = scene.change("calm").unwrap().decision.clone().unwrap().automatic();
    assert!(why.contains("two people"), "{why}");
    let one = Rule { approvals: Some(1), ..rule(Mode::Auto) };
    let mut scene = risky(policy(Mode::Auto, vec![one]));
    scene.seconds(90);
    let why = scene.change("calm").unwrap().decision.clone().unwrap().automatic();
    assert!(why.contains("no maintenance window"), "{why}");
    let two = Rule { approvals: Some(2), ..rule(Mode::Suggest) };
    let mut scene = Scene::with(policy(Mode::Auto, vec![two]));
    scene.seconds(60);
    let id = scene.change("calm").unwrap().id;
    assert_eq!(scene.state("calm"), Some(ChangeState::Proposed));
    assert!(is_done(scene.command_of("ann", approve(id))));
    assert_eq!(scene.state("calm"), Some(ChangeState::Proposed));
}

#[test]
fn rules_tighten_what_the_mode_allows_and_never_loosen_it() {
    let mut scene = Scene::with(policy(Mode::Suggest, vec![Rule { promoted: true, ..rule(Mode::Auto) }]));
    scene.seconds(90);
    assert_eq!(scene.state("calm"), Some(ChangeState::Proposed), "the mode is the ceiling");
    let decision = scene.change("calm").unwrap().decision.clone().unwrap();
    assert_eq!(decision.automatic(), "no: the mode is suggest");
    assert!(decision.words().starts_with("auto at most, by rule 1"), "{}", decision.words());

    let only = |name: &str, allow| Rule { families: vec![name.into()], ..rule(allow) };
    let mut scene = Scene::with(policy(Mode::Auto, vec![only("calm", Mode::Observe), only("lean", Mode::Suggest)]));
    scene.seconds(120);
    assert!(scene.change("calm").is_none(), "what is only observed is not even proposed");
    let lean = scene.change("lean").unwrap().id;
    assert!(!deeds(&scene, lean).contains(&"approved"), "suggested and no more");
    assert_eq!(scene.state("trim"), Some(ChangeState::Kept), "what no rule names is as built in");
}

#[test]
fn hours_open_and_close_while_a_proposal_waits() {
    // The scene begins on a Tuesday at 22:13 UTC.
    let hours = |text: &str| Some(Hours::try_from(text.to_string()).unwrap());
    let night = Rule { hours: hours("Tue 22:15-22:17"), ..rule(Mode::Observe) };
    let mut scene = Scene::with(policy(Mode::Suggest, vec![night]));
    let id = scene.until_proposed();
    assert!(is_done(scene.command(approve(id))));
    scene.seconds(70);
    assert!(refused(scene.command(apply(id))).contains("rule 1 of the policy"), "approved before, not allowed now");
    assert_eq!(scene.change("calm").unwrap().decision.as_ref().unwrap().level, Mode::Observe);
    scene.seconds(120);
    assert!(is_done(scene.command(apply(id))), "and the window is over again");
}

#[test]
fn the_stop_file_holds_everybody_back_within_a_tick_and_no_rollback() {
    let mut scene = Scene::new(Mode::Auto);
    let windows = Command::SetMode(Mode::Suggest);
    assert!(is_done(scene.command(windows)));
    let id = scene.until_applied();
    let rival = scene.change("trim").unwrap().id;
    assert!(is_done(scene.command(approve(rival))));
    scene.step(Input::Halted(true));
    assert_eq!(scene.view.clone().unwrap().halted.as_deref(), Some("/run/x/STOP"));
    assert!(scene.view.clone().unwrap().problems[0].contains("trimtab resume"));
    assert!(refused(scene.command(apply(rival))).contains("HALTED"));
    assert!(is_done(scene.command(Command::RollBack(id))), "rollback still works");
    assert!(is_done(scene.command(Command::SetMode(Mode::Auto))));
    scene.seconds(120);
    assert_eq!(scene.entries.iter().filter(|e| matches!(e.deed, Deed::ApplyStarted { .. })).count(), 1, "auto mode neither");
    scene.step(Input::Halted(false));
    assert!(scene.view.clone().unwrap().halted.is_none());
    scene.seconds(120);
    assert!(scene.entries.iter().filter(|e| matches!(e.deed, Deed::ApplyStarted { .. })).count() > 1);
    let halts: Vec<Note> = notes(&scene).into_iter().map(|(note, _)| note).filter(|n| matches!(n, Note::Halted(_))).collect();
    assert_eq!(halts, [Note::Halted(true), Note::Halted(false)]);
}

#[test]
fn an_operator_who_halts_is_named_once() {
    let mut scene = Scene::new(Mode::Suggest);
    scene.seconds(2);
    assert!(is_done(scene.command_of("ann", Command::Halt(true))));
    scene.step(Input::Halted(true));
    assert!(is_done(scene.command_of("bob", Command::Halt(true))), "it is so already");
    assert!(is_done(scene.command_of("bob", Command::Halt(false))));
    scene.step(Input::Halted(false));
    let who: Vec<(Note, String)> = notes(&scene);
    assert_eq!(who, [(Note::Halted(true), "ann".to_string()), (Note::Halted(false), "bob".to_string())]);
}

#[test]
fn three_harms_a_day_end_auto_mode_across_restarts_until_an_operator_switches_it_on() {
    let mut scene = Scene::with(Policy { harms: 2, flaps: 100, ..policy(Mode::Auto, vec![]) });
    scene.cured = 2.0;
    for _ in 0..1200 {
        scene.second();
        if notes(&scene).iter().any(|(note, _)| matches!(note, Note::Mode { to: Mode::Suggest, .. })) {
            break;
        }
    }
    let mut told = notes(&scene);
    told.retain(|(note, _)| !matches!(note, Note::Chose(_)));
    assert_eq!(told, [(Note::Mode { from: Mode::Auto, to: Mode::Suggest }, "engine".to_string())]);
    assert!(scene.view.clone().unwrap().problems[0].contains("2 changes hurt within a day"));
    let applied = |scene: &Scene| scene.entries.iter().filter(|e| matches!(e.deed, Deed::ApplyStarted { .. })).count();
    assert_eq!(applied(&scene), 2);
    let entries: Vec<(u64, Entry)> = scene.entries.iter().cloned().enumerate().map(|(i, e)| (i as u64 + 1, e)).collect();
    let mut again = Scene::of(Policy { harms: 2, ..policy(Mode::Auto, vec![]) }, ACTIONS, entries);
    again.now = scene.now;
    again.seconds(120);
    assert_eq!(applied(&again), 0, "a restart forgets nothing");
    assert_eq!(again.view.clone().unwrap().mode, Mode::Suggest);
    assert!(is_done(again.command(Command::SetMode(Mode::Auto))));
    again.seconds(5);
    assert_eq!(again.view.clone().unwrap().mode, Mode::Auto, "who has seen it may switch it on");
    let by: Vec<&Entry> =
        again.entries.iter().filter(|e| matches!(&e.deed, Deed::Noted(n) if matches!(**n, Note::Mode { .. }))).collect();
    assert!(matches!(by.last().unwrap().who, Who::Operator { .. }));
}
