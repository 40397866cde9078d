//! Measured services: the latency that people feel, with the changes that were made marked in it.

use crate::{
    model::{
        metric::{Key, Metric},
        snapshot::Service,
        subject::Subject,
        time::Tick,
        unit::Unit,
    },
    ui::{
        ahead,
        canvas::Canvas,
        chart::{Chart, Grow},
        frame::{frame, known},
        pane::Pane,
        panels::track,
        state::State,
        words,
    },
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};
use std::time::Duration;

/// Draws the pane.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    let theme = state.theme();
    let inner = frame(state, Pane::Services, Line::default(), area, buf);
    let mut canvas = Canvas::new(inner, buf);
    let Some(services) = known(state, &state.shown().snapshot.services, 0, &mut canvas) else { return };
    if services.is_empty() {
        canvas.text(0, 0, "no service is configured to be measured", theme.dim);
        return;
    }
    let each = (canvas.height() / services.len().max(1) as u16).max(2);
    let (width, height) = (canvas.width(), canvas.height());
    for (i, service) in (0..height.div_ceil(each)).zip(services) {
        one(state, service, canvas.part(0, i * each, width, each));
    }
}

fn one(state: &State, service: &Service, mut canvas: Canvas<'_>) {
    let theme = state.theme();
    let (width, height) = (canvas.width(), canvas.height());
    let key = Key::new(Subject::Service(service.name.clone()), Metric::ServiceP95);
    let now = match service.latency {
        Some([p50, p95, p99]) => [("p50 ", p50), ("p95 ", p95), ("p99 ", p99)].map(|(name, v)| (name, Unit::Seconds.show(v))),
        None => [("p50 ", "-".into()), ("p95 ", "-".into()), ("p99 ", "-".into())],
    };
    canvas.short(0, 0, width / 4, &service.name, theme.title);
    let mut x = width / 4 + 1;
    for (name, value) in &now {
        x = canvas.text(x, 0, name, theme.dim);
        x = canvas.text(x, 0, value, if *name == "p95 " { theme.accent } else { theme.text }) + 2;
    }
    let rate = Unit::PerSecond.show(service.rate.round());
    if usize::from(x) + rate.len() <= width.into() {
        canvas.right(width, 0, &rate, theme.dim);
    }
    if height >= 3 {
        let step = Duration::from_secs(1);
        let cut = ahead::cut_at(state, std::slice::from_ref(&key), width, step);
        let dots = state.charts().dots(&key, state.shown().now.tick, step, Chart::dots(cut.past));
        let part = &mut canvas.part(0, 1, cut.past, height - 1);
        let (full, above) = track::draw(state, &key, &marks(state), &dots, step, part);
        cut.draw(state, full, Grow::Up, &mut canvas.part(0, 1 + above, width, height - 1 - above));
    } else if service.latency.is_none() {
        canvas.text(0, 1, &words::wrap("too few requests to say", width.into()).join(" "), theme.dim);
    }
}

/// When anything was changed or undone.
fn marks(state: &State) -> Vec<Tick> {
    state.queue.iter().flat_map(|change| track::marks(change)).collect()
}
