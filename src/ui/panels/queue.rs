//! The queue: what is proposed, what is being tried, what came of it, and which key comes next.

use crate::{
    model::{
        change::{Change, ChangeState},
        proposal::Risk,
        verdict::Outcome,
    },
    ui::{
        canvas::Canvas,
        filter::List,
        frame::{frame, note},
        pane::{Page, Pane},
        panels::{field, watch},
        spots::{Spot, Spots},
        state::State,
        theme::Theme,
        words,
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};
use std::sync::Arc;

/// Draws the pane.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer, spots: &mut Spots) {
    let theme = state.theme();
    let all: Vec<&Arc<Change>> = state.queued().collect();
    let open = all.iter().filter(|c| c.state.is_open()).count();
    let mut title = if open > 0 { note(format!("{open} open"), theme.accent) } else { Line::default() };
    title.spans.splice(0..0, field::in_title(state, List::Queue));
    let inner = frame(state, Pane::Queue, title, area, buf);
    let mut canvas = Canvas::new(inner, buf);
    if all.is_empty() {
        let why = if state.queue.is_empty() { "nothing proposed, nothing changed" } else { "no change passes the filter" };
        canvas.text(0, 0, why, theme.dim);
        return;
    }
    let width = canvas.width();
    let notes: Vec<Vec<(String, Style)>> = all.iter().map(|c| notes(state, c, width.saturating_sub(6).into())).collect();
    let chosen = state.chosen_change().map(|c| c.id);
    let at = all.iter().position(|c| Some(c.id) == chosen).unwrap_or(0);
    let mut y = 0;
    for (i, (change, notes)) in all.iter().zip(&notes).enumerate().skip(first(&notes, at, canvas.height())) {
        if y >= canvas.height() {
            break;
        }
        let top = y;
        y = one(state, change, notes, (y, i == at), &mut canvas);
        (top..y).for_each(|row| spots.add(canvas.row(row), Spot::Change(change.id)));
        if i == at && state.focus == Pane::Queue && state.page == Page::Overview {
            for row in top..y {
                canvas.tint(0, row, width, theme.selected);
            }
        }
    }
}

/// The first change to draw so that the one at `at` is in view.
fn first(notes: &[Vec<(String, Style)>], at: usize, height: u16) -> usize {
    let mut first = at;
    let mut room = usize::from(height);
    for (i, lines) in notes.iter().enumerate().take(at + 1).rev() {
        match room.checked_sub(lines.len() + 1) {
            Some(rest) => (first, room) = (i, rest),
            None => break,
        }
    }
    first
}

fn one(state: &State, change: &Change, notes: &[(String, Style)], (y, chosen): (u16, bool), canvas: &mut Canvas<'_>) -> u16 {
    let theme = state.theme();
    let width = canvas.width();
    let id = change.id.to_string();
    let over = standing(theme, change.state);
    canvas.text(0, y, if chosen { "▸" } else { " " }, theme.accent);
    canvas.text(1, y, &id, theme.dim);
    let word = word(change);
    let end = width.saturating_sub(word.len() as u16);
    let title = if change.state.is_open() || change.state.is_live() { theme.title } else { theme.text };
    canvas.short(6, y, end.saturating_sub(7), &change.proposal.title, title);
    canvas.right(width, y, word, over);
    let mut row = y + 1;
    for (text, style) in notes {
        canvas.text(6, row, text, *style);
        row += 1;
    }
    row
}

/// Where a change stands, in a word. A proposal whose plan is not there to be read yet cannot be approved.
pub fn word(change: &Change) -> &'static str {
    match () {
        () if is_planning(change) => "planning",
        () if change.is_dry() => "dry",
        () => change.state.words(),
    }
}

fn is_planning(change: &Change) -> bool {
    change.state == ChangeState::Proposed && change.lock.is_none() && change.digest.is_empty()
}

/// The style of a state.
pub fn standing(theme: &Theme, state: ChangeState) -> Style {
    match state {
        ChangeState::Kept => theme.good,
        ChangeState::Stuck => theme.critical,
        ChangeState::Yielded | ChangeState::Refused => theme.warning,
        ChangeState::Proposed => theme.notice,
        s if s.is_unconfirmed() || s == ChangeState::Approved || s == ChangeState::Prepared => theme.accent,
        _ => theme.dim,
    }
}

/// The lines below a change's title.
fn notes(state: &State, change: &Change, width: usize) -> Vec<(String, Style)> {
    let theme = state.theme();
    let mut all: Vec<(String, Style)> = Vec::new();
    let mut say = |text: String, style: Style, most: usize| {
        all.extend(words::wrap_most(&text, width, most).into_iter().map(|line| (line, style)));
    };
    if let Some(trouble) = &change.trouble {
        say(trouble.clone(), if change.state == ChangeState::Stuck { theme.critical } else { theme.warning }, 2);
    } else if change.state.is_open() {
        match &change.lock {
            Some(lock) => say(format!("locked: {}", lock.why), theme.warning, 2),
            None => {
                let style = if change.proposal.risk == Risk::Low { theme.dim } else { theme.warning };
                let people = change.approvals().map_or_else(String::new, |n| format!("{n}; "));
                let next = match change.state {
                    ChangeState::Approved => "A applies",
                    _ if is_planning(change) => "being planned",
                    _ => "a approves",
                };
                say(format!("risk {}; {people}{next}; Enter tells why", change.proposal.risk.words()), style, 1);
                say(change.proposal.expect.clone(), theme.text, 2);
            }
        }
        if let Some(foreseen) = foreseen(state, change) {
            say(format!("foreseen: {foreseen}"), theme.notice, 2);
        }
    } else {
        if let Some(progress) = watch::progress(state, change) {
            say(progress, theme.accent, 1);
        }
        if let Some(effect) = watch::so_far(state, change) {
            say(effect, theme.text, 1);
        }
        if let Some(text) = guard(state, change) {
            say(text, theme.accent, 1);
        }
    }
    if let Some(verdict) = &change.verdict {
        say(outcome(change), outcome_style(theme, verdict.outcome), 2);
    }
    if let (Some(cause), false) = (change.cause, change.state == ChangeState::Stuck) {
        say(cause.words().to_string(), theme.dim, 1);
    }
    all
}

/// When the trouble comes that a proposal answers, if that is only foreseen: by the present finding, or by the one that it was made for.
pub fn foreseen(state: &State, change: &Change) -> Option<String> {
    change.foreseen(state.shown().findings.iter().find(|finding| finding.id == change.finding.id))
}

/// What will happen to a change that nobody has confirmed.
pub fn guard(state: &State, change: &Change) -> Option<String> {
    let left = change.deadline.and_then(|deadline| words::until(state.shown().now.tick, deadline));
    match change.state {
        ChangeState::Watching | ChangeState::Applied => {
            let left = left?;
            Some(format!("rolled back in {left} unless proven; C keeps it"))
        }
        ChangeState::Prepared | ChangeState::Applying => Some("being applied".into()),
        ChangeState::RollingBack => Some("being rolled back".into()),
        _ => None,
    }
}

/// A verdict in short: what decided it. That is the effect on the primary and its interval, or the guardrail that suffered.
pub fn outcome(change: &Change) -> String {
    let Some(verdict) = &change.verdict else { return String::new() };
    let word = match verdict.outcome {
        Outcome::Better => "better",
        Outcome::Worse => "worse",
        Outcome::Neutral => "no benefit",
        Outcome::Unclear => "unclear",
    };
    let primary = &change.proposal.trial.primary;
    let decided = verdict.why.contains(&primary.to_string());
    match &verdict.effect {
        Some(effect) if decided => {
            let (low, high) = effect.interval;
            let metric = primary.metric.words();
            let but = verdict.why.split_once(", but ").map_or(String::new(), |(_, but)| format!(", but {but}"));
            let (change, low, high) = (words::change(effect.change), words::change(low), words::change(high));
            format!("{word}: {metric} {change} ({low} to {high}){but}")
        }
        _ => format!("{word}: {}", verdict.why),
    }
}

/// The style of an outcome.
pub fn outcome_style(theme: &Theme, outcome: Outcome) -> Style {
    match outcome {
        Outcome::Better => theme.good,
        Outcome::Worse => theme.critical,
        Outcome::Neutral | Outcome::Unclear => theme.warning,
    }
}
