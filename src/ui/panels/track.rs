//! The chart of one metric with the change marked: before it, after it, after its undo.

use crate::{
    model::{change::Change, metric::Key, time::Tick, unit::Unit},
    ui::{
        canvas::Canvas,
        chart::{self, Chart, Grow, Ink},
        history,
        state::State,
        words,
    },
};
use std::time::Duration;

/// Draws the values of `key` with a line where each of `marks` was; the newest value stands at the right.
/// Returns the value at full height and the rows above the drawing.
pub fn draw(state: &State, key: &Key, marks: &[Tick], dots: &[Option<f64>], step: Duration, canvas: &mut Canvas<'_>) -> (f64, u16) {
    let theme = state.theme();
    let width = canvas.width();
    let full = chart::scale_of_most(dots, 1e-6);
    let unit = key.metric.unit();
    let ink = state.look.ink;
    let chart = Chart { dots, full, ink, grow: Grow::Up, style: &|_| theme.chart };
    // Where there is room the words have a row of their own, and hide nothing.
    let above = u16::from(canvas.height() >= 4);
    let mut drawing = canvas.part(0, above, width, canvas.height() - above);
    let height = drawing.height();
    chart.draw(&mut drawing);
    let now = state.shown().now.tick;
    for mark in marks {
        if let Some(x) = history::column(now, *mark, step, width) {
            for y in 0..height {
                drawing.put(x, y, if ink == Ink::Braille { '┆' } else { '|' }, theme.mark);
            }
        }
    }
    let clipped = if chart.mark_clipped(&mut drawing, theme.warning) { ", ▲ more" } else { "" };
    let span = words::span(step.as_secs_f64() * Chart::dots(width) as f64);
    canvas.text(0, 0, &format!("{}, full height {}{clipped}, {span} ", key.metric.words(), unit.show(full)), theme.dim);
    (full, above)
}

/// When a change was made and undone.
pub fn marks(change: &Change) -> Vec<Tick> {
    change.applied.iter().chain(&change.undone).map(|now| now.tick).collect()
}

/// Draws the primary of a change: its own track, or what the console has seen of it.
pub fn draw_change(state: &State, change: &Change, mut canvas: Canvas<'_>) {
    let key = &change.proposal.trial.primary;
    let now = state.shown().now.tick;
    let count = Chart::dots(canvas.width());
    let marks = marks(change);
    // Both sides of the change are in view: the step grows with its age.
    let age = marks.iter().map(|mark| now.seconds_since(*mark)).fold(0.0, f64::max);
    let step = Duration::from_secs(((age * 1.5 / count.max(1) as f64).ceil() as u64).clamp(1, 10));
    let dots = match state.history.get(key) {
        Some(series) => history::sample(series.points(), now, step, count),
        None => history::sample(change.track.iter().copied(), now, step, count),
    };
    draw(state, key, &marks, &dots, step, &mut canvas);
}

/// The newest value of a key, as text.
pub fn newest(state: &State, key: &Key) -> String {
    let unit: Unit = key.metric.unit();
    state
        .history
        .get(key)
        .and_then(|s| s.points().rfind(|p| p.at <= state.shown().now.tick))
        .map_or_else(|| "-".into(), |p| unit.show(p.value))
}
