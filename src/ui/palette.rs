//! The palette: every action of the program by name, found by a few letters, the best match first.
//!
//! It only does what keys do: what reaches the host opens the same question as its key, and what cannot be done here and now says why.

use crate::ui::{
    act::{self, MODES},
    entry::Entry,
    filter::{self, List},
    fuzzy::score,
    keys::{Context, Intent},
    pane::{Page, Pane},
    processes::{self, columns::TABLE},
    state::{Over, State, UiCommand},
    update,
};

/// What a row of the palette does.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// What a key means.
    Intent(Intent),
    /// Order the processes by a column.
    Sort(&'static str),
    /// A theme, by place.
    Theme(usize),
    /// A layout, by place.
    Layout(usize),
    /// A mode, by place.
    Mode(usize),
    /// A filter of the list in front, or of the processes.
    Filter(String),
}

/// A row of the palette.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its name, as it can be typed.
    pub name: String,
    /// What it does, in a line.
    pub help: String,
    /// Its keys.
    pub keys: String,
    /// Why it cannot be done here and now.
    pub obstacle: Option<String>,
    /// What it does.
    pub deed: Deed,
}

/// The palette while it is open.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    /// The line that is typed.
    pub entry: Entry,
    /// The chosen row.
    pub row: usize,
}

/// Commands with an argument, for the help page: how they are typed, and what they do.
pub const COMMANDS: &[(&str, &str)] = &[
    ("sort COLUMN", "order the processes"),
    ("theme NAME", "choose a theme"),
    ("layout NAME", "choose a layout of the panes"),
    ("mode MODE", "observe, suggest or auto"),
    ("filter EXPRESSION", "filter the list in front, or the processes"),
    ("roll back all", "PANIC: roll back everything; asks for a code"),
];

/// The rows that fit what was typed, the best first.
pub fn items(state: &State, typed: &str) -> Vec<Item> {
    let typed = typed.trim_start();
    if let Some(item) = filter_item(state, typed) {
        return vec![item];
    }
    let mut all: Vec<(i32, Item)> = every(state).into_iter().filter_map(|item| Some((points(typed, &item)?, item))).collect();
    // What can be done comes before what cannot, unless the name fits much better; the sort keeps the order of equals.
    all.sort_by_key(|(points, item)| points.saturating_neg() + if item.obstacle.is_some() { 4 } else { 0 });
    all.into_iter().map(|(_, item)| item).collect()
}

/// A name counts more than the line beside it; a short one more than a long one.
fn points(typed: &str, item: &Item) -> Option<i32> {
    let short = i32::try_from(item.name.len()).unwrap_or(0) / 8;
    let name = score(typed, &item.name).map(|points| points * 2 + 6 - short);
    name.max(score(typed, &format!("{} {}", item.name, item.help)).map(|points| points - short))
}

/// `filter EXPRESSION`, once it is being typed.
fn filter_item(state: &State, typed: &str) -> Option<Item> {
    let text = typed.strip_prefix("filter ")?.trim();
    let list = list(state);
    let error = crate::query::filter::Filter::parse(text, list.schema()).err();
    Some(Item {
        name: format!("filter {text}"),
        help: format!("filter the {}", list.schema().rows),
        keys: state.keymap.shown(Intent::Filter),
        obstacle: error.map(|e| e.to_string()),
        deed: Deed::Filter(text.into()),
    })
}

/// The list that `filter` is about.
fn list(state: &State) -> List {
    List::in_front(&state.page, state.focus).unwrap_or(List::Processes)
}

/// Everything that can be done at all.
fn every(state: &State) -> Vec<Item> {
    let mut all: Vec<Item> = Vec::new();
    for row in &state.keymap.rows {
        let inner = !row.context.is_free();
        let deed = Deed::Intent(row.intent);
        if inner || matches!(row.intent, Intent::Move(_) | Intent::Palette) || all.iter().any(|item| item.deed == deed) {
            continue;
        }
        all.push(Item {
            name: row.intent.name().replace('-', " "),
            help: row.help.into(),
            keys: keys(state, row.intent),
            obstacle: obstacle(state, row.intent),
            deed,
        });
    }
    let plain = |name: String, help: &str, deed| Item { name, help: help.into(), keys: String::new(), obstacle: None, deed };
    for column in TABLE {
        let name = format!("sort {}", column.name);
        // Orders with a key of their own are there already.
        if !all.iter().any(|item| item.name == name) {
            all.push(plain(name, "order the processes", Deed::Sort(column.name)));
        }
    }
    for (i, theme) in state.look.themes.iter().enumerate() {
        all.push(plain(format!("theme {}", theme.name), "choose a theme", Deed::Theme(i)));
    }
    for (i, layout) in state.look.layouts.iter().enumerate() {
        all.push(plain(format!("layout {}", layout.name), &layout.about, Deed::Layout(i)));
    }
    for (i, mode) in MODES.iter().enumerate() {
        let obstacle = act::obstacle(state, Intent::Mode);
        let name = format!("mode {mode:?}").to_lowercase();
        all.push(Item { obstacle, ..plain(name, "what the engine may do", Deed::Mode(i)) });
    }
    all
}

/// Every key of an intent, whatever the place.
fn keys(state: &State, intent: Intent) -> String {
    let rows = state.keymap.rows.iter().filter(|row| row.intent == intent && row.context.is_free());
    rows.flat_map(|row| &row.keys).map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Why a key's meaning is not possible now; one that belongs to another place of the program says which.
fn obstacle(state: &State, intent: Intent) -> Option<String> {
    let contexts: Vec<Context> = state.keymap.rows.iter().filter(|row| row.intent == intent).map(|row| row.context).collect();
    let here = state.contexts_below();
    // The processes are gone to, other places are not guessed.
    let reached = |context: &Context| here.contains(context) || matches!(context, Context::Processes | Context::Queue);
    if !contexts.iter().any(reached) {
        return contexts.first().map(|context| format!("only {}", context.place()));
    }
    act::obstacle(state, intent)
}

/// Does what the chosen row does, and closes the palette. What cannot be done says why and leaves it open.
pub fn choose(state: &mut State, palette: Palette) -> Vec<UiCommand> {
    let items = items(state, palette.entry.text());
    let Some(item) = items.get(palette.row) else {
        state.over = Over::Palette(palette);
        return vec![];
    };
    if let Some(why) = &item.obstacle {
        state.refuse(format!("{}: {why}", item.name));
        state.over = Over::Palette(palette);
        return vec![];
    }
    match &item.deed {
        Deed::Intent(intent) => {
            go_to(state, *intent);
            return update::perform(state, *intent);
        }
        Deed::Sort(sort) => {
            update::focus(state, Pane::Processes);
            processes::act::sort(state, sort);
        }
        Deed::Theme(at) => state.look.chosen = *at,
        Deed::Layout(at) => {
            state.look.layout = *at;
            state.settle_focus();
        }
        Deed::Mode(at) => return act::set_mode(state, *at),
        Deed::Filter(text) => {
            let list = list(state);
            if list == List::Processes {
                update::focus(state, Pane::Processes);
            }
            // It was understood a moment ago, else there were an obstacle.
            let _understood = filter::set(state, list, text);
        }
    }
    vec![]
}

/// Goes where the keys of an intent have their meaning.
fn go_to(state: &mut State, intent: Intent) {
    let here = state.contexts();
    let rows: Vec<Context> = state.keymap.rows.iter().filter(|row| row.intent == intent).map(|row| row.context).collect();
    if rows.iter().any(|context| here.contains(context)) {
        return;
    }
    if rows.contains(&Context::Processes) {
        update::focus(state, Pane::Processes);
    } else if rows.contains(&Context::Queue) {
        update::open(state, Page::Overview);
    }
}
