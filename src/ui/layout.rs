//! Which panes stand where, for every size. No size is refused: what does not fit gives way to what matters more.

use crate::{
    model::emergency::Stage,
    ui::{
        pane::{Page, Pane},
        state::State,
    },
};
use ratatui::layout::{Constraint, Layout, Rect};

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Everything side by side.
    Wide,
    /// The right column takes turns with the rest.
    Medium,
    /// One pane, and a line each for findings and queue.
    Single,
    /// The verdict and one pane.
    Small,
    /// The verdict alone.
    Line,
}

impl Shape {
    /// The shape for a size.
    pub fn of(width: u16, height: u16) -> Shape {
        match (width, height) {
            (138.., 30..) => Shape::Wide,
            (90.., 28..) => Shape::Medium,
            (60.., 18..) => Shape::Single,
            (24.., 8..) => Shape::Small,
            _ => Shape::Line,
        }
    }
}

/// Where everything stands.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The header.
    pub header: Rect,
    /// Bad news about trimtab itself, or that the screen is held.
    pub banner: Rect,
    /// Panes, or the page of text (then empty).
    pub panes: Vec<(Pane, Rect)>,
    /// All between header and lines.
    pub body: Rect,
    /// The verdict: a line each for findings and queue, or more rows where it stands alone.
    pub verdict: Rect,
    /// The bottom bar.
    pub bar: Rect,
}

/// Cuts a whole screen up.
pub fn places(state: &State, area: Rect) -> Places {
    let shape = Shape::of(area.width, area.height);
    if shape == Shape::Line {
        return Places { verdict: area, ..Places::default() };
    }
    let alone = state.expanded || shape != Shape::Wide;
    let verdict = match (shape, &state.page) {
        (Shape::Small, _) => 3,
        (_, Page::Overview) if alone => 2,
        _ => 0,
    };
    let banner = u16::from(banner(state).is_some());
    let rows = [1, banner].map(Constraint::Length);
    let (top, body, low) = if shape == Shape::Small {
        let [top, line, low, body, bar] =
            Layout::vertical([rows[0], rows[1], Constraint::Length(verdict), Constraint::Fill(1), Constraint::Length(1)])
                .areas(area);
        ((top, line), body, (low, bar))
    } else {
        let [top, line, body, low, bar] =
            Layout::vertical([rows[0], rows[1], Constraint::Fill(1), Constraint::Length(verdict), Constraint::Length(1)])
                .areas(area);
        ((top, line), body, (low, bar))
    };
    let panes = if state.page == Page::Overview { panes(state, shape, body) } else { Vec::new() };
    Places { header: top.0, banner: top.1, panes, body, verdict: low.0, bar: low.1 }
}

/// Whether a pane can be seen, or is what the keys are about.
pub fn shows(state: &State, pane: Pane) -> bool {
    let area = Rect::new(0, 0, state.size.0, state.size.1);
    state.page == Page::Overview && (state.focus == pane || places(state, area).panes.iter().any(|(shown, _)| *shown == pane))
}

/// What the banner says, if there is reason for one.
pub fn banner(state: &State) -> Option<String> {
    if let Some(why) = state.retries.as_ref().filter(|_| state.lost) {
        return Some(format!("the connection is lost ({why}): trying again; this is the last that was seen; q quits"));
    }
    if state.lost {
        let own = if state.own { "the engine has ended" } else { "the connection to the engine is lost" };
        return Some(format!("{own}: this is the last that was seen; q quits"));
    }
    if let Some(place) = state.place_in_time() {
        return Some(place);
    }
    if let Some(frozen) = &state.frozen {
        let age = crate::ui::words::since(state.view.now.wall, frozen.now.wall);
        return Some(format!("frozen, {age} old; watching goes on; f resumes"));
    }
    let waits = state.view.emergencies.iter().find(|emergency| emergency.stage == Stage::Proposed);
    if let Some(emergency) = waits {
        return Some(format!("EMERGENCY {}: {}; Y fights it: {}", emergency.kind.row(), emergency.headline, emergency.promise()));
    }
    state.view.problems.first().cloned()
}

fn panes(state: &State, shape: Shape, body: Rect) -> Vec<(Pane, Rect)> {
    let alone = || vec![(state.focus, body)];
    let Some(layout) = state.look.layouts.get(state.look.layout) else { return alone() };
    if state.expanded || matches!(shape, Shape::Single | Shape::Small) {
        return alone();
    }
    let needed = |pane| needed(state, pane);
    let all = match shape {
        Shape::Medium => layout.column(state.focus).places(body, &needed),
        _ => layout.places(body, &needed),
    };
    // A pane that has no place in the layout, or no room, is shown while it is asked for.
    if all.iter().any(|(pane, _)| *pane == state.focus) { all } else { alone() }
}

/// Rows that a pane has to show, for parts that are as large as that.
fn needed(state: &State, pane: Pane) -> u16 {
    match pane {
        Pane::Services => match state.shown().snapshot.services.known().map_or(0, Vec::len) {
            0 => 0,
            n => 4 + 5 * n.min(2) as u16,
        },
        _ => 8,
    }
}
