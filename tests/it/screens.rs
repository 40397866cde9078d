//! The screen: what it draws at every size, in every theme, and what keys do to it.
//!
//! Pictures are `screens/*.snap`; `UPDATE_SCREENS=1 cargo test --test it screens` draws them anew.

mod alerts;
mod big;
mod close_look;
mod find;
mod foresight;
mod learned;
mod scene;
mod table;

use proptest::prelude::*;
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, layout::Rect, style::Color};
use scene::{after, first_view, full_view, open, view, watched, welcome};
use std::{fs, path::Path, sync::Arc};
use trimtab::{
    model::{
        change::{Cause, Change, ChangeId, ChangeState},
        limits::Mode,
        message::{Ask, Body, Command, Reply, View},
        plan::{Obstacle, Refusal},
        proposal::Risk,
        subject::ProcessId,
        verdict::{Effect, Outcome, Verdict},
        wish::{Signal, Wish},
    },
    ui::{
        arrangement::Arrangement,
        chart::Ink,
        draw,
        key::Key,
        keys::{Intent, Motion, TABLE},
        pane::{Page, Pane},
        panels::bar,
        state::{Look, Msg, Over, State, UiCommand},
        theme::Theme,
        update::update,
    },
};

fn look(theme: &str, ink: Ink) -> Look {
    let themes = Theme::built_in();
    let chosen = themes.iter().position(|t| t.name == theme).unwrap();
    Look { themes, chosen, layouts: Arrangement::built_in(), layout: 0, ink }
}

fn state_of(view: View) -> State {
    State::begin(&welcome(view), look("ansi16", Ink::Braille), true)
}

fn state() -> State {
    state_of(full_view())
}

fn press(state: &mut State, millis: u64, keys: &str) -> Vec<UiCommand> {
    keys.chars().flat_map(|c| update(state, after(millis), Msg::Key(Key::Char(c)))).collect()
}

fn drawn(state: &mut State, width: u16, height: u16) -> Buffer {
    update(state, state.now, Msg::Resize(width, height));
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| drop(draw::draw(state, frame.area(), frame.buffer_mut()))).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut row = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            if skip == 0 {
                row.push_str(symbol);
                skip = unicode_width::UnicodeWidthStr::width(symbol).max(1);
            }
            skip -= 1;
        }
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out
}

/// Where each style begins, one line a row: what the text does not show.
fn styles(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut last = None;
        for x in 0..buffer.area.width {
            let style = buffer[(x, y)].style();
            if last != Some(style) {
                let colour = |c: Option<Color>| c.map(|c| c.to_string().to_lowercase()).unwrap_or_default();
                let bits = style.add_modifier.bits();
                out.push_str(&format!("{x}:{}/{}/{bits} ", colour(style.fg), colour(style.bg)));
                last = Some(style);
            }
        }
        out.push('\n');
    }
    out
}

/// Compares with the picture of that name, or draws it anew.
fn compare(name: &str, now: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/screens").join(format!("{name}.snap"));
    if std::env::var_os("UPDATE_SCREENS").is_some() {
        fs::write(&path, now).unwrap();
    }
    let before = fs::read_to_string(&path).unwrap_or_default();
    if before != now {
        let row = before.lines().zip(now.lines()).position(|(a, b)| a != b).unwrap_or(0);
        panic!("{} differs from row {row} on; now it is\n{now}", path.display());
    }
}

#[test]
fn the_overview_at_every_size() {
    for (width, height) in [(160, 50), (120, 40), (80, 24), (60, 20), (40, 15), (40, 12), (20, 5), (1, 1)] {
        compare(&format!("overview-{width}x{height}"), &text(&drawn(&mut state(), width, height)));
    }
}

#[test]
fn network_and_storage_with_room_for_everything() {
    for (key, name) in [("3", "network"), ("4", "storage")] {
        for (width, height) in [(160, 48), (80, 24), (40, 15)] {
            let mut state = state();
            drawn(&mut state, width, height);
            press(&mut state, 0, key);
            press(&mut state, 0, "e");
            compare(&format!("whole-{name}-{width}x{height}"), &text(&drawn(&mut state, width, height)));
        }
    }
}

#[test]
fn a_host_seen_for_the_first_time_shows_no_number_that_it_does_not_have() {
    let picture = text(&drawn(&mut state_of(first_view()), 160, 50));
    assert!(picture.matches("initializing").count() == 6, "{picture}");
    assert!(!picture.contains('%') || picture.matches('%').count() == 2, "only our own cost and its budget are known: {picture}");
    compare("first", &picture);
}

#[test]
fn pages() {
    let pages = [
        ("finding", "7", Some(Key::Enter)),
        ("change", "8", Some(Key::Enter)),
        ("verify", "v", None),
        ("process", "5jj", Some(Key::Enter)),
        ("help", "?", None),
    ];
    for (name, keys, last) in pages {
        let mut state = state();
        drawn(&mut state, 120, 40);
        press(&mut state, 0, keys);
        if let Some(key) = last {
            update(&mut state, after(0), Msg::Key(key));
        }
        compare(name, &text(&drawn(&mut state, 120, 40)));
    }
}

#[test]
fn every_theme_draws_the_same_text_in_its_own_style() {
    let plain = text(&drawn(&mut state(), 160, 50));
    for theme in Theme::built_in() {
        let mut state = State::begin(&welcome(full_view()), look(&theme.name, Ink::Braille), true);
        let buffer = drawn(&mut state, 160, 50);
        assert_eq!(text(&buffer), plain, "{}", theme.name);
        compare(&format!("theme-{}", theme.name), &styles(&buffer));
    }
}

#[test]
fn ascii_is_ascii() {
    let mut state = State::begin(&welcome(full_view()), look("mono", Ink::Ascii), true);
    let picture = text(&drawn(&mut state, 120, 40));
    assert!(picture.is_ascii());
    compare("ascii-120x40", &picture);
}

#[test]
fn no_size_is_refused() {
    for width in [0, 1, 2, 3, 7, 19, 23, 24, 39, 59, 60, 89, 90, 137, 138, 300] {
        for height in [0, 1, 2, 3, 4, 7, 8, 17, 18, 27, 28, 30, 100] {
            let mut state = state();
            drawn(&mut state, width, height);
            press(&mut state, 0, "e");
            drawn(&mut state, width, height);
            press(&mut state, 0, "8?");
            drawn(&mut state, width, height);
            press(&mut state, 0, "q!");
            drawn(&mut state, width, height);
        }
    }
}

#[test]
fn names_that_mean_harm_are_shown_as_text() {
    let picture = text(&drawn(&mut state(), 160, 50));
    assert!(picture.contains("evil?[2J?name?"));
    assert!(!picture.contains('\u{1b}') && !picture.contains('\u{202e}'));
}

#[test]
fn a_gap_tells_its_reason_in_its_pane() {
    assert!(text(&drawn(&mut state(), 160, 50)).contains("boot with psi=1"));
}

fn only(change: Change) -> State {
    state_of(view(0, vec![change]))
}

fn approved() -> Change {
    Change { state: ChangeState::Approved, ..open() }
}

fn apply(id: u64) -> UiCommand {
    UiCommand::Ask(Ask::Do(Command::Apply { change: ChangeId(id), digest: Some(format!("digest-{id}")) }))
}

#[test]
fn the_life_of_a_proposal_by_keys() {
    let mut state = only(open());
    let approve = Command::Approve { change: ChangeId(12), digest: Some("digest-12".into()) };
    assert_eq!(press(&mut state, 0, "a"), [UiCommand::Ask(Ask::Do(approve))]);
    // Not approved yet: nothing is asked of anybody, and the reason is told.
    assert_eq!(press(&mut state, 0, "A"), []);
    assert!(state.toast.as_ref().unwrap().text.contains("not approved"));

    update(&mut state, after(1000), Msg::View(Arc::new(view(1, vec![approved()]))));
    assert_eq!(press(&mut state, 1000, "A"), [UiCommand::Drain]);
    assert_eq!(press(&mut state, 1400, "y"), [apply(12)]);

    update(&mut state, after(2000), Msg::View(Arc::new(view(2, vec![Change { id: ChangeId(12), ..watched() }]))));
    assert_eq!(press(&mut state, 2000, "R"), [UiCommand::Drain]);
    assert_eq!(press(&mut state, 2500, "y"), [UiCommand::Ask(Ask::Do(Command::RollBack(ChangeId(12))))]);
    assert_eq!(press(&mut state, 3000, "C"), [UiCommand::Drain]);
    assert_eq!(press(&mut state, 3500, "y"), [UiCommand::Ask(Ask::Do(Command::Keep(ChangeId(12))))]);
}

#[test]
fn nothing_is_approved_before_its_plan_can_be_read() {
    let mut state = only(Change { digest: String::new(), plan: None, ..open() });
    assert_eq!(press(&mut state, 0, "a"), []);
    assert!(!bar::usable(&state).iter().any(|b| b.intent == Intent::Approve));
    assert!(state.toast.take().unwrap().text.contains("still being planned"));
    let picture = text(&drawn(&mut state, 160, 50));
    assert!(picture.contains("planning") && !picture.contains("a approves"), "{picture}");
}

#[test]
fn a_watched_change_tells_how_far_it_is_and_how_it_does() {
    let picture = text(&drawn(&mut only(watched()), 160, 50));
    for part in ["━━╌╌ 20 s of 23 s", "p95 41.7 ms → 6.03 ms so far", "rolled back in 33 s unless proven"] {
        assert!(picture.contains(part), "{part} in\n{picture}");
    }
}

#[test]
fn a_verdict_names_the_guardrail_that_decided_it() {
    let why = "io pressure of host went from 1.0 % to 40.0 %";
    let effect = Effect { before: 0.04, after: 0.041, change: 0.03, interval: (-0.02, 0.08), points: (60, 60) };
    let verdict =
        |why: &str| Verdict { outcome: Outcome::Worse, effect: Some(effect), placebo: None, why: why.into(), ..Verdict::default() };
    let undone =
        |why| Change { state: ChangeState::RolledBack, cause: Some(Cause::Hurt), verdict: Some(verdict(why)), ..watched() };
    assert!(text(&drawn(&mut only(undone(why)), 160, 50)).contains("worse: io pressure of host went from"));
    let primary = "p95 of service shop: 40.0 ms -> 41.0 ms (+3 %, -2 % to +8 %)";
    assert!(text(&drawn(&mut only(undone(primary)), 160, 50)).contains("worse: p95 +3 % (-2 % to +8 %)"));
}

#[test]
fn type_ahead_confirms_nothing() {
    let mut state = only(approved());
    assert_eq!(press(&mut state, 0, "Ayyyy"), [UiCommand::Drain]);
    assert_eq!(press(&mut state, 399, "y"), []);
    assert!(matches!(state.over, Over::Dialog(_)));
    assert_eq!(state.wake(), Some(after(400).tick), "the screen shows by itself that it listens now");
    assert_eq!(press(&mut state, 400, "y"), [apply(12)]);
}

#[test]
fn enter_and_every_other_key_confirm_nothing() {
    for binding in TABLE {
        for key in binding.keys.iter().filter(|key| **key != Key::Char('y')) {
            let mut state = only(approved());
            press(&mut state, 0, "A");
            let commands = update(&mut state, after(1000), Msg::Key(*key));
            assert!(!commands.iter().any(|c| matches!(c, UiCommand::Ask(_))), "{key} confirmed");
        }
    }
}

#[test]
fn a_changed_plan_is_not_applied_by_the_old_question() {
    let mut state = only(approved());
    press(&mut state, 0, "A");
    let other = Change { digest: "another".into(), ..approved() };
    update(&mut state, after(500), Msg::View(Arc::new(view(1, vec![other]))));
    assert!(text(&drawn(&mut state, 80, 24)).contains("the plan has changed"));
    assert_eq!(press(&mut state, 1000, "y"), []);
    assert!(matches!(state.over, Over::Nothing), "any key closes what is stale");
}

#[test]
fn a_change_that_moved_on_or_is_locked_is_not_applied_either() {
    let lock = Refusal { kind: Obstacle::Policy, why: "six changes in this hour".into() };
    for other in [vec![], vec![watched()], vec![Change { lock: Some(lock), ..approved() }], vec![open()]] {
        let mut state = only(approved());
        press(&mut state, 0, "A");
        update(&mut state, after(500), Msg::View(Arc::new(view(1, other))));
        assert_eq!(press(&mut state, 1000, "y"), []);
    }
}

#[test]
fn a_risky_change_wants_its_code() {
    let mut risky = approved();
    risky.proposal.risk = Risk::High;
    let mut state = only(risky);
    press(&mut state, 0, "A");
    let Over::Dialog(dialog) = &state.over else { panic!("no question") };
    let code = dialog.code.clone().unwrap();
    assert_eq!(press(&mut state, 1000, "y"), [], "y alone is not enough");
    press(&mut state, 1000, "yy");
    assert_eq!(press(&mut state, 1000, &code), [apply(12)]);
}

#[test]
fn panic_rolls_everything_back_after_its_code() {
    let mut state = only(watched());
    assert_eq!(press(&mut state, 0, "!"), [UiCommand::Drain]);
    let Over::Dialog(dialog) = &state.over else { panic!("no question") };
    let code = dialog.code.clone().unwrap();
    assert_eq!(press(&mut state, 100, &code), [], "typed too early");
    assert_eq!(press(&mut state, 500, &code), [UiCommand::Ask(Ask::Do(Command::RollBackAll))]);
}

#[test]
fn auto_mode_wants_a_yes_and_observe_does_not() {
    let mut state = state();
    press(&mut state, 0, "oj");
    assert_eq!(update(&mut state, after(0), Msg::Key(Key::Enter)), [UiCommand::Drain]);
    assert_eq!(press(&mut state, 500, "y"), [UiCommand::Ask(Ask::Do(Command::SetMode(Mode::Auto)))]);
    press(&mut state, 1000, "ok");
    assert_eq!(update(&mut state, after(1000), Msg::Key(Key::Enter)), [UiCommand::Ask(Ask::Do(Command::SetMode(Mode::Observe)))]);
}

#[test]
fn leaving_asks_only_while_a_change_is_in_flight() {
    assert_eq!(press(&mut only(open()), 0, "q"), [UiCommand::Quit]);
    let mut state = only(watched());
    assert_eq!(press(&mut state, 0, "q"), [UiCommand::Drain]);
    assert_eq!(press(&mut state, 500, "q"), [], "q is no in a question");
    press(&mut state, 1000, "q");
    assert_eq!(press(&mut state, 1500, "y"), [UiCommand::Quit]);
    press(&mut state, 2000, "q");
    assert_eq!(update(&mut state, after(2001), Msg::Key(Key::Ctrl('c'))), [UiCommand::Quit]);
}

#[test]
fn a_paste_outside_a_field_is_dropped() {
    let mut state = only(approved());
    assert_eq!(update(&mut state, after(0), Msg::Paste("Ayq!".into())), []);
    assert!(matches!(state.over, Over::Nothing));
    press(&mut state, 0, "/");
    update(&mut state, after(0), Msg::Paste("PYthon\nrm -rf".into()));
    assert_eq!(state.processes.filter.text(), "PYthon");
    assert_eq!(state.processes.rows.all.len(), 0, "a capital counts");
    update(&mut state, after(0), Msg::Key(Key::Ctrl('u')));
    update(&mut state, after(0), Msg::Paste("python".into()));
    assert_eq!(state.processes.rows.all.len(), 6);
}

#[test]
fn a_frozen_screen_stands_while_the_world_goes_on() {
    let mut state = state();
    let before = text(&drawn(&mut state, 160, 50));
    press(&mut state, 0, "f");
    update(&mut state, after(7000), Msg::View(Arc::new(view(7, vec![]))));
    let frozen = text(&drawn(&mut state, 160, 50));
    assert!(frozen.contains("frozen, 7 s old"));
    let rows = |picture: &str| picture.lines().filter(|l| l.contains("python3")).map(str::to_string).collect::<Vec<_>>();
    assert_eq!(rows(&before), rows(&frozen));
    press(&mut state, 7000, "f");
    assert!(text(&drawn(&mut state, 160, 50)).contains("nothing proposed"));
}

#[test]
fn the_cursor_keeps_its_change_when_better_ones_come() {
    let mut state = state_of(view(0, vec![open()]));
    press(&mut state, 0, "8");
    let mut better = Change { id: ChangeId(13), ..open() };
    better.proposal.fit = 1.0;
    update(&mut state, after(1000), Msg::View(Arc::new(view(1, vec![better, open()]))));
    assert_eq!(state.queue.first().unwrap().id, ChangeId(13));
    assert_eq!(state.chosen_change().unwrap().id, ChangeId(12));
}

#[test]
fn the_bar_shows_only_keys_that_work_here_and_now() {
    let intents = |state: &State| bar::usable(state).iter().map(|b| b.intent).collect::<Vec<_>>();
    let proposed = intents(&only(open()));
    assert!(proposed.contains(&Intent::Approve) && !proposed.contains(&Intent::Apply) && !proposed.contains(&Intent::RollBack));
    let ready = intents(&only(approved()));
    assert!(ready.contains(&Intent::Apply) && !ready.contains(&Intent::Approve));
    let none = intents(&state_of(view(0, vec![])));
    assert!(!none.contains(&Intent::Approve) && !none.contains(&Intent::RollBackAll) && none.contains(&Intent::Quit));
    let mut lost = only(open());
    update(&mut lost, after(0), Msg::Lost(None));
    assert!(!intents(&lost).contains(&Intent::Approve));
}

#[test]
fn the_engine_s_end_is_told_and_the_last_view_stays() {
    let mut state = state();
    update(&mut state, after(0), Msg::Lost(None));
    let picture = text(&drawn(&mut state, 160, 50));
    assert!(picture.contains("the engine has ended") && picture.contains("python3"));
    assert_eq!(press(&mut state, 0, "q"), [UiCommand::Quit]);
}

#[test]
fn answers_show_for_a_while() {
    let mut state = state();
    update(&mut state, after(0), Msg::Answer(Body::Reply(Reply::Refused("#12 is gone".into()))));
    assert!(text(&drawn(&mut state, 80, 24)).contains("#12 is gone"));
    let until = state.wake().unwrap();
    update(&mut state, trimtab::model::time::Now { tick: until, ..after(0) }, Msg::Tick);
    assert!(!text(&drawn(&mut state, 80, 24)).contains("#12 is gone"));
}

#[test]
fn copying_gives_the_commands_and_once_applied_the_way_back() {
    let commands = press(&mut only(open()), 0, "y");
    let [UiCommand::Copy(text)] = commands.as_slice() else { panic!("{commands:?}") };
    assert!(text.starts_with("echo 19 > /proc/5000/autogroup\n"));
    let commands = press(&mut only(watched()), 0, "y");
    let [UiCommand::Copy(text)] = commands.as_slice() else { panic!("{commands:?}") };
    assert!(text.starts_with("echo 0 > /proc/5005/autogroup\n"));
}

#[test]
fn copying_takes_the_selected_process_and_the_finding() {
    let mut state = state();
    let commands = press(&mut state, 0, "5jy");
    let [UiCommand::Copy(line)] = commands.as_slice() else { panic!("{commands:?}") };
    let id = state.processes.cursor.as_ref().unwrap().process().unwrap();
    let process = state.view.snapshot.process(id).unwrap().clone();
    assert!(!line.is_empty() && (*line == *process.command || *line == *process.name), "{line}");
    let commands = press(&mut state, 0, "7y");
    let [UiCommand::Copy(text)] = commands.as_slice() else { panic!("{commands:?}") };
    let finding = &state.view.findings[0];
    assert!(text.contains(&finding.headline) && text.starts_with(finding.severity.sign()), "{text}");
}

#[test]
fn escape_goes_back_one_step_at_a_time() {
    let mut state = state();
    let esc = |state: &mut State| update(state, after(0), Msg::Key(Key::Esc));
    press(&mut state, 0, "/py");
    update(&mut state, after(0), Msg::Key(Key::Enter));
    press(&mut state, 0, "jje");
    update(&mut state, after(0), Msg::Key(Key::Enter));
    assert!(matches!(state.page, Page::Process(_)));
    esc(&mut state);
    assert!(state.page == Page::Overview && state.expanded);
    esc(&mut state);
    assert!(!state.expanded && state.processes.cursor.is_some());
    esc(&mut state);
    assert!(state.processes.cursor.is_none() && state.processes.filter.text() == "py");
    esc(&mut state);
    assert!(state.processes.filter.is_empty());
    assert_eq!(state.focus, Pane::Processes);
}

fn any_key() -> impl Strategy<Value = Key> {
    let all: Vec<Key> = TABLE.iter().flat_map(|b| b.keys.iter().copied()).collect();
    prop_oneof![4 => prop::sample::select(all), 1 => any::<char>().prop_map(Key::Char)]
}

fn any_msg() -> impl Strategy<Value = Msg> {
    let views = prop::sample::select(vec![0_u64, 1, 2, 3]).prop_map(|n| {
        Msg::View(Arc::new(match n {
            0 => full_view(),
            1 => first_view(),
            2 => view(2, vec![approved()]),
            _ => view(3, vec![]),
        }))
    });
    prop_oneof![
        12 => any_key().prop_map(Msg::Key),
        2 => (0_u16..200, 0_u16..60).prop_map(|(w, h)| Msg::Resize(w, h)),
        1 => views,
        1 => "\\PC{0,20}".prop_map(Msg::Paste),
        1 => Just(Msg::Tick),
        1 => Just(Msg::Answer(Body::Audit(Vec::new()))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn no_keys_at_no_size_break_it(msgs in prop::collection::vec((any_msg(), 0_u64..600), 1..40)) {
        let mut state = state();
        let mut millis = 0;
        for (msg, pause) in msgs {
            millis += pause;
            update(&mut state, after(millis), msg);
            let area = Rect::new(0, 0, state.size.0, state.size.1);
            draw::draw(&state, area, &mut Buffer::empty(area));
        }
    }
}

fn chosen(state: &State) -> ProcessId {
    state.processes.cursor.as_ref().unwrap().process().unwrap()
}

#[test]
fn a_signal_wants_a_target_a_choice_and_a_yes() {
    let mut state = state();
    assert_eq!(press(&mut state, 0, "X"), []);
    assert!(state.toast.take().unwrap().text.contains("choose a process first"), "the row at the top is no target");
    press(&mut state, 0, "jX");
    let target = chosen(&state);
    assert_eq!(update(&mut state, after(0), Msg::Key(Key::Enter)), [UiCommand::Drain], "TERM stands first");
    assert!(text(&drawn(&mut state, 100, 30)).contains(&format!("({}) of", target.pid)));
    let term = Wish::Signal { processes: vec![target], signal: Signal::Term };
    assert_eq!(press(&mut state, 100, "y"), [], "too early");
    assert_eq!(press(&mut state, 500, "y"), [UiCommand::Ask(Ask::Do(Command::Wish(term)))]);
}

#[test]
fn what_cannot_be_undone_and_hurts_wants_its_code() {
    let mut state = state();
    press(&mut state, 0, "jX");
    let row = Signal::ALL.iter().position(|signal| *signal == Signal::Kill).unwrap();
    press(&mut state, 0, &"j".repeat(row));
    update(&mut state, after(0), Msg::Key(Key::Enter));
    let Over::Dialog(dialog) = &state.over else { panic!("no question") };
    let code = dialog.code.clone().unwrap();
    assert_eq!(press(&mut state, 500, "y"), []);
    press(&mut state, 500, "yy");
    let kill = Wish::Signal { processes: vec![chosen(&state)], signal: Signal::Kill };
    assert_eq!(press(&mut state, 500, &code), [UiCommand::Ask(Ask::Do(Command::Wish(kill)))]);
}

#[test]
fn a_nice_value_is_chosen_from_the_next_one_up_or_down() {
    let mut state = state();
    press(&mut state, 0, "j");
    let target = chosen(&state);
    update(&mut state, after(0), Msg::Key(Key::F(8)));
    update(&mut state, after(0), Msg::Key(Key::Enter));
    let nicer = Wish::Nice { processes: vec![target], to: 5 };
    assert_eq!(press(&mut state, 500, "y"), [UiCommand::Ask(Ask::Do(Command::Wish(nicer)))]);
}

#[test]
fn a_target_that_ended_meanwhile_makes_the_question_stale() {
    let mut state = state();
    press(&mut state, 0, "jX");
    update(&mut state, after(0), Msg::Key(Key::Enter));
    update(&mut state, after(100), Msg::View(Arc::new(view(9, vec![]))));
    let mut gone = view(10, vec![]);
    gone.snapshot = Arc::default();
    update(&mut state, after(200), Msg::View(Arc::new(gone)));
    assert_eq!(press(&mut state, 900, "y"), []);
    assert!(matches!(state.over, Over::Nothing), "any key closes it");
}

#[test]
fn every_layout_at_every_size() {
    for layout in 1..Arrangement::built_in().len() {
        let mut state = state();
        state.look.layout = layout;
        let name = state.look.layouts[layout].name.clone();
        compare(&format!("layout-{name}"), &text(&drawn(&mut state, 160, 48)));
        for (width, height) in [(120, 40), (100, 30), (80, 24), (60, 20), (40, 15), (20, 5), (1, 1)] {
            drawn(&mut state, width, height);
        }
    }
}

#[test]
fn a_theme_and_a_layout_are_shown_as_they_are_passed_and_come_back_when_cancelled() {
    let mut state = state();
    press(&mut state, 0, "cj");
    assert_eq!(state.theme().name, "dark");
    update(&mut state, after(0), Msg::Key(Key::Esc));
    assert_eq!(state.theme().name, "ansi16");
    press(&mut state, 0, "cj");
    update(&mut state, after(0), Msg::Key(Key::Enter));
    assert_eq!(state.theme().name, "dark");
    update(&mut state, after(0), Msg::Key(Key::F(2)));
    press(&mut state, 0, "j");
    assert!(text(&drawn(&mut state, 160, 48)).contains("the list of processes as large as it gets"));
    update(&mut state, after(0), Msg::Key(Key::Esc));
    assert_eq!(state.look.layout, 0);
}

/// Clicks on the first place where `word` stands on a screen of that size.
fn click(state: &mut State, millis: u64, word: &str) -> Vec<UiCommand> {
    let (width, height) = (160, 50);
    update(state, state.now, Msg::Resize(width, height));
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    let spots = draw::draw(state, buf.area, &mut buf);
    let picture = text(&buf);
    let (row, line) = picture.lines().enumerate().find(|(_, line)| line.contains(word)).expect(word);
    let column = line[..line.find(word).unwrap()].chars().count();
    match spots.at(column as u16, row as u16).cloned() {
        Some(spot) => update(state, after(millis), Msg::Click(spot)),
        None => panic!("nothing can be hit at {word}\n{picture}"),
    }
}

#[test]
fn a_click_chooses_and_a_second_one_opens() {
    let mut state = state();
    click(&mut state, 0, "cpu contention");
    assert_eq!((state.focus, &state.page), (Pane::Findings, &Page::Overview));
    click(&mut state, 0, "cpu contention");
    assert!(matches!(state.page, Page::Finding(_)));
    click(&mut state, 0, "Esc back");
    click(&mut state, 0, " 5004 ");
    assert_eq!((state.focus, state.processes.targets()[0].pid), (Pane::Processes, 5004));
}

#[test]
fn the_mouse_answers_a_question_no_earlier_than_the_keys() {
    let mut state = only(approved());
    assert_eq!(click(&mut state, 0, "A apply"), [UiCommand::Drain]);
    assert_eq!(click(&mut state, 100, "y yes"), [], "too early");
    assert_eq!(click(&mut state, 500, "y yes"), [apply(12)]);
}

#[test]
fn a_menu_is_chosen_from_by_click_and_closed_beside_it() {
    let mut state = state();
    press(&mut state, 0, "c");
    click(&mut state, 0, "light");
    assert_eq!((state.theme().name.as_str(), matches!(state.over, Over::Nothing)), ("light", true));
    press(&mut state, 0, "c");
    click(&mut state, 0, "1 CPU");
    assert!(matches!(state.over, Over::Nothing));
    update(&mut state, after(0), Msg::Wheel(Some(Pane::Queue), Motion::Down));
    assert_eq!(state.focus, Pane::Queue);
}
