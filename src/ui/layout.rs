//! Which panes stand where, for every size. No size is refused: what does not fit gives way to what matters more.

use crate::ui::{
    pane::{Page, Pane},
    state::State,
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
    if state.lost {
        let own = if state.own { "the engine has ended" } else { "the connection to the engine is lost" };
        return Some(format!("{own}: this is the last that was seen; q quits"));
    }
    if let Some(frozen) = &state.frozen {
        let age = crate::ui::words::since(state.view.now.wall, frozen.now.wall);
        return Some(format!("frozen, {age} old; watching goes on; f resumes"));
    }
    state.view.problems.first().cloned()
}

fn panes(state: &State, shape: Shape, body: Rect) -> Vec<(Pane, Rect)> {
    if state.expanded || matches!(shape, Shape::Single | Shape::Small) {
        return vec![(state.focus, body)];
    }
    if shape == Shape::Medium {
        return if state.focus.is_right() { right(state, body) } else { left(body) };
    }
    let [a, b] = Layout::horizontal([Constraint::Fill(63), Constraint::Fill(37)]).areas(body);
    let mut all = left(a);
    all.extend(right(state, b));
    all
}

fn left(area: Rect) -> Vec<(Pane, Rect)> {
    let tall = area.height >= 40;
    let (upper, lower) = if tall { (13, 12) } else { (10, 9) };
    let [a, b, c] = Layout::vertical([Constraint::Length(upper), Constraint::Length(lower), Constraint::Fill(1)]).areas(area);
    let halves = |row: Rect| -> [Rect; 2] { Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(row) };
    let ([cpu, memory], [network, storage]) = (halves(a), halves(b));
    vec![(Pane::Cpu, cpu), (Pane::Memory, memory), (Pane::Network, network), (Pane::Storage, storage), (Pane::Processes, c)]
}

fn right(state: &State, area: Rect) -> Vec<(Pane, Rect)> {
    let services = state.shown().snapshot.services.known().map_or(0, Vec::len);
    let service_rows = match services {
        0 => 0,
        n => (4 + 5 * n.min(2) as u16).min(area.height / 3),
    };
    let log = match area.height {
        34.. => 7,
        26.. => 4,
        _ => 0,
    };
    let findings = ((area.height - service_rows - log) / 3).clamp(4, 12);
    let rows = [findings, service_rows].map(Constraint::Length);
    let [a, b, c, d] = Layout::vertical([rows[0], rows[1], Constraint::Fill(1), Constraint::Length(log)]).areas(area);
    let all = [(Pane::Findings, a), (Pane::Services, b), (Pane::Queue, c), (Pane::Log, d)];
    // A pane without room or rows is shown only while it is asked for.
    let hidden = all.iter().any(|(pane, at)| *pane == state.focus && at.height == 0);
    if hidden {
        let [a, b, c] = Layout::vertical([Constraint::Length(findings), Constraint::Length(6), Constraint::Fill(1)]).areas(area);
        return vec![(Pane::Findings, a), (state.focus, b), (Pane::Queue, c)];
    }
    all.into_iter().filter(|(_, at)| at.height > 0).collect()
}
