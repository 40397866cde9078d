//! Finding things: filters, the palette, keys of one's own, the help page.

use super::*;
use trimtab::{
    config::sections::Keys,
    ui::{
        filter::{self, List},
        keymap::Keymap,
        palette::{self, COMMANDS, Deed},
    },
};

const SIZES: [(u16, u16); 5] = [(160, 48), (100, 30), (80, 24), (60, 20), (40, 15)];

fn key(state: &mut State, millis: u64, key: Key) -> Vec<UiCommand> {
    update(state, after(millis), Msg::Key(key))
}

/// Shows the processes, whatever the size.
fn sized(width: u16, height: u16) -> State {
    let mut state = state();
    drawn(&mut state, width, height);
    press(&mut state, 0, "5");
    state
}

#[test]
fn fields_palette_and_help_at_every_size() {
    for (width, height) in SIZES {
        for (name, keys) in [("filter", "/cpu > 50 and usr = root"), ("palette", ":theme d"), ("help", "?/roll back")] {
            let mut state = sized(width, height);
            press(&mut state, 0, keys);
            compare(&format!("{name}-{width}x{height}"), &text(&drawn(&mut state, width, height)));
        }
        let mut state = sized(width, height);
        press(&mut state, 0, "/na");
        key(&mut state, 0, Key::F(1));
        compare(&format!("language-{width}x{height}"), &text(&drawn(&mut state, width, height)));
    }
}

#[test]
fn a_filter_works_while_it_is_typed_and_the_last_good_one_stays() {
    let mut state = state();
    press(&mut state, 0, "/cpu > 100");
    assert_eq!(state.processes.rows.all.len(), 4);
    press(&mut state, 0, " and usr = root");
    assert_eq!(state.processes.rows.all.len(), 4, "the last good one is in force");
    let picture = text(&drawn(&mut state, 120, 40));
    assert!(picture.contains("^ no field `usr` here; did you mean `user`?"), "{picture}");
    assert!(picture.contains("4 of 51"), "{picture}");
    key(&mut state, 0, Key::Ctrl('u'));
    assert_eq!(state.processes.rows.all.len(), 51);
    press(&mut state, 0, "name = shopd");
    key(&mut state, 0, Key::Enter);
    assert_eq!(state.processes.rows.all.len(), 1);
    assert!(text(&drawn(&mut state, 120, 40)).contains("filter: name = shopd"));
    key(&mut state, 0, Key::Esc);
    assert_eq!(state.processes.rows.all.len(), 51);
}

#[test]
fn names_are_completed_and_filters_remembered() {
    let mut state = state();
    press(&mut state, 0, "/na");
    assert!(text(&drawn(&mut state, 80, 24)).contains("Tab name"));
    key(&mut state, 0, Key::Tab);
    press(&mut state, 0, "~ ^py");
    key(&mut state, 0, Key::Enter);
    assert_eq!(filter::of(&state, List::Processes).text(), "name ~ ^py");
    press(&mut state, 0, "/");
    key(&mut state, 0, Key::Ctrl('u'));
    press(&mut state, 0, "worker");
    key(&mut state, 0, Key::Enter);
    press(&mut state, 0, "/");
    for expect in ["worker", "name ~ ^py", "name ~ ^py"] {
        key(&mut state, 0, Key::Up);
        assert_eq!(filter::of(&state, List::Processes).text(), expect);
    }
    key(&mut state, 0, Key::Down);
    assert_eq!(filter::of(&state, List::Processes).text(), "worker");
}

#[test]
fn every_list_has_its_filter() {
    let mut state = state();
    drawn(&mut state, 160, 50);
    let (findings, changes) = (state.found().count(), state.queued().count());
    assert!(findings > 0 && changes > 1);
    press(&mut state, 0, "7/severity = nobody");
    key(&mut state, 0, Key::Enter);
    assert_eq!(state.found().count(), 0);
    assert!(text(&drawn(&mut state, 160, 50)).contains("no finding passes the filter"));
    key(&mut state, 0, Key::Esc);
    assert_eq!(state.found().count(), findings);
    press(&mut state, 0, "8/state = watching");
    key(&mut state, 0, Key::Enter);
    assert!(state.queued().count() < changes);
    assert!(state.queued().all(|change| change.state == ChangeState::Watching));
    press(&mut state, 0, "?/unmark");
    key(&mut state, 0, Key::Enter);
    press(&mut state, 0, "q?/freez");
    let picture = text(&drawn(&mut state, 100, 30));
    assert!(picture.contains("hold the screen still") && !picture.contains("next theme"), "{picture}");
}

#[test]
fn a_page_about_a_change_stays_about_it_whatever_the_filter_says() {
    let mut state = only(open());
    press(&mut state, 0, "8/state = proposed");
    key(&mut state, 0, Key::Enter);
    key(&mut state, 0, Key::Enter);
    assert!(matches!(state.page, Page::Change(_)));
    let other = Change { id: ChangeId(13), ..open() };
    update(&mut state, after(1000), Msg::View(Arc::new(view(1, vec![other, approved()]))));
    assert_eq!(state.chosen_change().unwrap().id, ChangeId(12));
    assert_eq!(press(&mut state, 1000, "A"), [UiCommand::Drain]);
    assert_eq!(press(&mut state, 1500, "y"), [apply(12)]);
}

/// Opens the palette, types and presses Enter.
fn command(state: &mut State, millis: u64, typed: &str) -> Vec<UiCommand> {
    press(state, millis, ":");
    press(state, millis, typed);
    key(state, millis, Key::Enter)
}

#[test]
fn the_palette_does_what_it_names() {
    let mut state = state();
    assert_eq!(command(&mut state, 0, "theme dark"), []);
    assert_eq!(state.theme().name, "dark");
    press(&mut state, 0, "7");
    command(&mut state, 0, "sort mem");
    assert_eq!((state.focus, state.processes.choices.sort.as_ref()), (Pane::Processes, "memory"));
    command(&mut state, 0, "filter cpu > 100");
    assert_eq!(state.processes.rows.all.len(), 4);
    command(&mut state, 0, "freeze");
    assert!(state.frozen.is_some());
    assert_eq!(command(&mut state, 0, "mode observe"), [UiCommand::Ask(Ask::Do(Command::SetMode(Mode::Observe)))]);
    press(&mut state, 0, ":quq");
    let Over::Palette(open) = &state.over else { panic!("q closed it") };
    assert_eq!(open.entry.text(), "quq");
    key(&mut state, 0, Key::Esc);
    assert!(matches!(state.over, Over::Nothing));
}

#[test]
fn the_palette_reaches_the_host_only_through_the_usual_question() {
    let mut state = only(approved());
    assert_eq!(command(&mut state, 0, "apply"), [UiCommand::Drain]);
    assert!(matches!(state.over, Over::Dialog(_)));
    assert_eq!(key(&mut state, 0, Key::Enter), [], "it opened a moment ago");
    assert_eq!(key(&mut state, 1000, Key::Enter), [], "Enter is no");
    assert!(matches!(state.over, Over::Nothing));
    assert_eq!(command(&mut state, 2000, "apply"), [UiCommand::Drain]);
    assert_eq!(press(&mut state, 3000, "y"), [apply(12)]);
    assert_eq!(command(&mut state, 4000, "mode auto"), [UiCommand::Drain]);
}

#[test]
fn what_is_not_possible_now_is_dim_and_says_why() {
    let mut state = only(open());
    assert_eq!(command(&mut state, 0, "roll back all"), []);
    assert!(state.toast.as_ref().unwrap().text.contains("nothing is applied"));
    assert!(matches!(state.over, Over::Palette(_)), "it stays open");
    let picture = text(&drawn(&mut state, 120, 40));
    assert!(picture.contains("not now: nothing is applied"), "{picture}");
}

#[test]
fn the_palette_names_every_action_and_the_help_every_key_and_command() {
    let state = state();
    let all = palette::items(&state, "");
    let mut help = String::new();
    let mut on_help = super::state();
    press(&mut on_help, 0, "?");
    drawn(&mut on_help, 200, 60);
    for _ in 0..20 {
        help.push_str(&text(&drawn(&mut on_help, 200, 60)));
        key(&mut on_help, 0, Key::PageDown);
    }
    for row in TABLE {
        assert!(help.contains(row.help) && row.keys.iter().all(|key| help.contains(&key.to_string())), "{row:?}");
        let inner = ["Dialog", "Code", "Menu", "Columns", "Field", "Filter", "Palette", "Jump"]
            .contains(&format!("{:?}", row.context).as_str());
        let named = all.iter().any(|item| item.deed == Deed::Intent(row.intent));
        assert!(inner || named || matches!(row.intent, Intent::Move(_) | Intent::Palette), "{row:?}");
    }
    for (form, what) in COMMANDS {
        assert!(help.contains(form) && help.contains(what), "{form}");
    }
    assert!(help.contains("Filter language") && help.contains("Fields of findings"));
}

#[test]
fn keys_of_one_s_own_work_and_are_shown() {
    let mut state = state();
    let keys: Keys = [("freeze".to_string(), vec!["F12".to_string()]), ("palette".into(), vec![";".into()])].into();
    state.keymap = Keymap::new(&keys);
    press(&mut state, 0, "f");
    assert!(state.frozen.is_none());
    key(&mut state, 0, Key::F(12));
    assert!(state.frozen.is_some());
    press(&mut state, 0, "?/freeze");
    assert!(text(&drawn(&mut state, 160, 50)).contains("F12               freeze"));
    key(&mut state, 0, Key::Enter);
    press(&mut state, 0, ";freeze");
    assert!(text(&drawn(&mut state, 100, 30)).contains("F12"));
}
