//! Where in time the screen stands: now, or at an instant of the stored past; and how far its charts reach.
//!
//! The past comes as answers ([`Past`], [`Trace`], marks). Only one question is under way at a time, so that a key held down walks as
//! fast as answers come and leaves no queue behind.

use crate::{
    model::{
        message::{Ask, View},
        metric::Key,
        past::{Mark, Past, Trace},
        readings,
        series::Point,
        time::{Tick, Wall},
        when,
    },
    ui::{
        entry::Entry,
        history::{self, History},
        pane::Page,
        state::{Over, State, UiCommand},
        words,
    },
};
use std::{sync::Arc, time::Duration};

/// Seconds per dot of a chart in each zoom: from minutes to a day.
const ZOOM: [u64; 6] = [2, 5, 15, 60, 120, 300];

/// Dots that a trace brings: more than any chart has.
const DOTS: usize = 320;

/// Half a window of a comparison.
const HALF: i64 = 60_000;

/// Where the screen stands in time.
#[derive(Debug, Default)]
pub struct Travel {
    /// The instant shown; `None` is now.
    pub past: Option<Past>,
    /// The engine plays a history: nothing can be changed.
    pub replay: bool,
    /// What the charts draw, where that is not the newest minutes.
    charts: Option<History>,
    /// The time that `charts` was asked for.
    traced: Tick,
    zoom: usize,
    asked: bool,
    wanted: Wanted,
    /// The bookmarks, once asked for, oldest first.
    pub marks: Vec<Mark>,
    /// The first window of a comparison, and what is known of both.
    pub compared: Compared,
}

/// What is to be done with the bookmarks when they come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Wanted {
    #[default]
    Nothing,
    Before(Wall),
    After(Wall),
    List,
}

/// Two windows side by side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compared {
    /// The middle of each; the first is marked before the second.
    pub at: (Option<Wall>, Option<Wall>),
    /// What each brought.
    pub rows: (Option<Trace>, Option<Trace>),
}

impl State {
    /// Seconds per dot of a chart.
    pub fn step(&self) -> Duration {
        Duration::from_secs(ZOOM.get(self.travel.zoom).copied().unwrap_or(2))
    }

    /// What the charts draw.
    pub fn charts(&self) -> &History {
        self.travel.charts.as_ref().unwrap_or(&self.history)
    }

    /// Says that the screen does not show now, if so.
    pub fn place_in_time(&self) -> Option<String> {
        let here = self.shown().now.wall;
        if let Some(past) = &self.travel.past {
            let age = words::since(self.travel.now(self), here);
            let over = if past.over > 1.5 { format!(", means over {}", words::span(past.over)) } else { String::new() };
            return Some(format!("the past: {}, {age} ago{over}; T t step, b go to, . back to now", when::show(here)));
        }
        let age = words::since(self.now.wall, here);
        self.travel.replay.then(|| format!("replay {}, {age} ago; nothing can be changed", when::show(here)))
    }
}

impl Travel {
    /// Now, as the engine has it.
    fn now(&self, state: &State) -> Wall {
        state.view.now.wall
    }
}

/// One stored instant back.
pub fn earlier(state: &mut State) -> Vec<UiCommand> {
    match &state.travel.past {
        None => go(state, Wall(state.view.now.wall.0 - 1)),
        Some(Past { before: Some(at), .. }) => go(state, *at),
        Some(_) => told(state, "this is the oldest that is kept"),
    }
}

/// One stored instant on; behind the newest is now.
pub fn later(state: &mut State) -> Vec<UiCommand> {
    match &state.travel.past {
        None => told(state, "this is now"),
        Some(Past { after: Some(at), .. }) => go(state, *at),
        Some(_) => now(state),
    }
}

/// Back to now.
pub fn now(state: &mut State) -> Vec<UiCommand> {
    forget(state);
    state.frozen = None;
    state.refresh();
    redraw_charts(state)
}

/// Lets the past go without asking for anything.
pub fn forget(state: &mut State) {
    state.travel.past = None;
    state.travel.asked = false;
    if state.travel.zoom == 0 {
        state.travel.charts = None;
    }
}

/// Opens the line for a time.
pub fn open_jump(state: &mut State) {
    state.over = Over::Jump(Entry::default());
}

/// Goes where the line says.
pub fn jump(state: &mut State, text: &str) -> Vec<UiCommand> {
    match when::time(text, state.view.now.wall) {
        Some(at) if at >= state.view.now.wall => now(state),
        Some(at) => go(state, at),
        None => {
            state.refuse("that is no time: 14:05, -10m, 2026-11-21 14:05 (UTC)");
            vec![]
        }
    }
}

/// Longer or shorter charts.
pub fn zoom(state: &mut State, zoom: usize) -> Vec<UiCommand> {
    state.travel.zoom = zoom.min(ZOOM.len() - 1);
    let span = state.step().as_secs_f64();
    state.tell(format!("{} a column of the charts", words::span(span * 2.0)));
    redraw_charts(state)
}

/// The zoom in force, from 0.
pub fn zoomed(state: &State) -> usize {
    state.travel.zoom
}

/// Asks for the bookmarks, to go to the one before or after, or to list them.
pub fn mark_before(state: &mut State) -> Vec<UiCommand> {
    ask_marks(state, Wanted::Before(state.shown().now.wall))
}

/// See [`mark_before`].
pub fn mark_after(state: &mut State) -> Vec<UiCommand> {
    ask_marks(state, Wanted::After(state.shown().now.wall))
}

/// See [`mark_before`].
pub fn list_marks(state: &mut State) -> Vec<UiCommand> {
    ask_marks(state, Wanted::List)
}

fn ask_marks(state: &mut State, wanted: Wanted) -> Vec<UiCommand> {
    state.travel.wanted = wanted;
    vec![UiCommand::Ask(Ask::Marks { from: Wall(0), to: state.view.now.wall })]
}

/// The first press marks one window, the second another one and opens the page.
pub fn compare(state: &mut State) -> Vec<UiCommand> {
    let here = state.shown().now.wall;
    let compared = &mut state.travel.compared;
    let Some(first) = compared.at.0.filter(|_| compared.at.1.is_none()) else {
        *compared = Compared { at: (Some(here), None), rows: (None, None) };
        return told(state, "window A is marked here; go to another time and press the key again");
    };
    compared.at.1 = Some(here);
    state.page = Page::Compare;
    state.scroll = 0;
    let keys = keys(state.shown());
    let window = |at: Wall| {
        let (from, to) = (Wall(at.0 - HALF), Wall(at.0 + HALF));
        UiCommand::Ask(Ask::Trace { keys: keys.clone(), from, to, points: 1 })
    };
    vec![window(first), window(here)]
}

/// Asks for a snapshot file of the ten minutes before what is shown.
pub fn write_snapshot(state: &mut State) -> Vec<UiCommand> {
    let to = state.shown().now.wall;
    let time: String = when::show(to).chars().filter(char::is_ascii_digit).collect();
    let host = state.shown().facts.host.replace(['/', ' '], "-");
    let file = format!("/tmp/trimtab-{host}-{time}.history");
    vec![UiCommand::Ask(Ask::WriteSnapshot { file, from: Wall(to.0 - 600_000), to })]
}

/// Goes to an instant.
pub fn go(state: &mut State, at: Wall) -> Vec<UiCommand> {
    if std::mem::replace(&mut state.travel.asked, true) {
        return vec![];
    }
    vec![UiCommand::Ask(Ask::Past { at })]
}

fn told(state: &mut State, text: &str) -> Vec<UiCommand> {
    state.tell(text);
    vec![]
}

/// A view of the past came.
pub fn came(state: &mut State, past: Past) -> Vec<UiCommand> {
    if !std::mem::take(&mut state.travel.asked) {
        // The operator has gone back to now meanwhile.
        return vec![];
    }
    state.frozen = Some(Arc::new(past.view.clone()));
    state.travel.past = Some(past);
    state.refresh();
    redraw_charts(state)
}

/// An answer says that there is none.
pub fn failed(state: &mut State) {
    state.travel.asked = false;
}

/// Bookmarks came.
pub fn marked(state: &mut State, marks: Vec<Mark>) -> Vec<UiCommand> {
    state.travel.marks = marks;
    let marks = &state.travel.marks;
    let goal = match std::mem::take(&mut state.travel.wanted) {
        Wanted::Nothing => return vec![],
        Wanted::Before(here) => marks.iter().rfind(|mark| mark.at < here),
        Wanted::After(here) => marks.iter().find(|mark| mark.at > here),
        Wanted::List if marks.is_empty() => None,
        Wanted::List => {
            let here = state.shown().now.wall;
            let row = marks.iter().rposition(|mark| mark.at <= here).unwrap_or(0);
            state.over = Over::Marks(row);
            return vec![];
        }
    };
    match goal.map(|mark| (mark.at, mark.text.clone())) {
        Some((at, text)) => {
            state.tell(text);
            go(state, at)
        }
        None => told(state, "there is no such bookmark: no finding, no change"),
    }
}

/// Goes to a bookmark of the list.
pub fn go_to_mark(state: &mut State, row: usize) -> Vec<UiCommand> {
    match state.travel.marks.get(row).map(|mark| mark.at) {
        Some(at) => go(state, at),
        None => vec![],
    }
}

/// The course of numbers came: for the charts, or for the comparison.
pub fn traced(state: &mut State, trace: Trace) {
    let single = trace.rows.first().is_some_and(|(_, row)| row.len() == 1);
    if single && let (Some(first), Some(_)) = state.travel.compared.at {
        let rows = &mut state.travel.compared.rows;
        if trace.from.0 == first.0 - HALF && rows.0.is_none() {
            rows.0 = Some(trace)
        } else {
            rows.1 = Some(trace)
        }
        return;
    }
    if state.travel.past.is_none() && state.travel.zoom == 0 {
        return;
    }
    let here = state.shown().now;
    let mut charts = History::default();
    for (key, row) in &trace.rows {
        for (slot, trend) in (0_i64..).zip(row) {
            // The end of the slot: where a live value of it would stand.
            let before = here.wall.0 - (trace.from.0 + (slot + 1) * trace.step);
            let at = Tick(here.tick.0.saturating_sub(before.max(0).unsigned_abs() * 1_000_000));
            if let Some(trend) = trend {
                charts.push(key.clone(), Point { at, value: trend.max });
            }
        }
    }
    state.travel.charts = Some(charts);
}

/// A live view came: zoomed charts move on by whole columns.
pub fn passed(state: &mut State) -> Vec<UiCommand> {
    let due = state.view.now.tick.since(state.travel.traced) >= state.step() * 2;
    if state.travel.past.is_some() || state.travel.zoom == 0 || !due {
        return vec![];
    }
    redraw_charts(state)
}

/// Asks for what the charts need, if they show anything but the newest minutes.
fn redraw_charts(state: &mut State) -> Vec<UiCommand> {
    if state.travel.past.is_none() && state.travel.zoom == 0 {
        state.travel.charts = None;
        return vec![];
    }
    let now = state.shown().now;
    state.travel.traced = state.view.now.tick;
    let span = i64::try_from(state.step().as_millis()).unwrap_or(2000) * DOTS as i64;
    let keys = keys(state.shown());
    vec![UiCommand::Ask(Ask::Trace { keys, from: Wall(now.wall.0 - span), to: now.wall, points: DOTS })]
}

/// Every number of a view that charts draw.
fn keys(view: &View) -> Vec<Key> {
    let mut keys = Vec::new();
    readings::snapshot(&view.snapshot, &mut |key, _| {
        if history::is_drawn(&key) {
            keys.push(key);
        }
    });
    keys
}
