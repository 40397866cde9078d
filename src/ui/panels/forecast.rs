//! Where one number is heading: its past and what is coming on one time scale, with both ranges, its limit and the moments that tables
//! tell; below it how the forecast came to be and how earlier ones did.

use crate::{
    model::{
        ahead::{AHEAD, about, after, stretch},
        metric::Key,
        outlook::{Anomaly, Band, Forecast, Link, Outlook, Pattern},
        telling::range,
        time::Wall,
    },
    ui::{
        canvas::Canvas,
        chart::{Grow, Ink},
        course::{Course, Grain, Shade},
        foresight::{self, PAST},
        panels::{findings, reader::Prose, track},
        state::State,
    },
};
use ratatui::text::Span;
use std::time::Duration;

/// Columns of the scale at the left.
const SCALE: u16 = 11;

/// Draws the chart above the page.
pub fn draw_chart(state: &State, key: &Key, mut canvas: Canvas<'_>) {
    let Some((_, forecast)) = foresight::shown(state, key) else { return };
    let (width, height) = (canvas.width().saturating_sub(SCALE), canvas.height());
    if width < 8 || height < 3 {
        return;
    }
    let view = Window::new(state, forecast, width);
    let past = foresight::values(state, key, &view.past, view.each);
    let ahead: Vec<Option<Band>> = view.ahead.iter().map(|at| forecast.at(*at)).collect();
    let scale = scale(&past, &ahead, forecast);
    labels(state, forecast, scale, &mut canvas);
    let mut chart = canvas.part(SCALE, 0, width, height - 1);
    lines(state, forecast, (&view, scale), &mut chart);
    let ranges = |of: fn(&Band) -> (f64, f64)| -> Vec<Option<(f64, f64)>> { ahead.iter().map(|b| b.as_ref().map(of)).collect() };
    let (wide, narrow) = (ranges(|b| (b.lo95, b.hi95)), ranges(|b| (b.lo80, b.hi80)));
    let shades = [Shade { ranges: &wide, grain: Grain::Coarse }, Shade { ranges: &narrow, grain: Grain::Fine }];
    let points: Vec<Option<f64>> = ahead.iter().map(|b| b.as_ref().filter(|_| forecast.reliable).map(|b| b.point)).collect();
    let theme = state.theme();
    let course = |points, shades, styles| Course { points, shades, scale, ink: state.look.ink, grow: Grow::Up, styles };
    let now = view.now;
    let tall = chart.height();
    course(&past, &[], (theme.chart, theme.dim)).draw(&mut chart.part(0, 0, now, tall));
    course(&points, &shades, (theme.ahead, theme.dim)).draw(&mut chart.part(now + 1, 0, width - now - 1, tall));
    signs(state, key, &view, &mut chart);
    moments(state, forecast, &view, &mut canvas.part(SCALE, height - 1, width, 1));
}

/// The stretch of time of a chart.
struct Window {
    /// The column of now.
    now: u16,
    /// Columns.
    width: u16,
    /// The end of each dot before now, and after.
    past: Vec<Wall>,
    ahead: Vec<Wall>,
    /// Of a dot.
    each: Duration,
    /// When it is.
    at: Wall,
}

impl Window {
    fn new(state: &State, forecast: &Forecast, width: u16) -> Window {
        let at = state.shown().now.wall;
        let now = (f64::from(width) * PAST / (PAST + 1.0)) as u16;
        let ahead = width.saturating_sub(now + 1).max(1);
        let each = foresight::ahead(state, forecast) / f64::from(ahead * 2);
        let wall = |dots: f64| after(at, dots * each);
        Window {
            now,
            width,
            past: (0..now * 2).map(|dot| wall(f64::from(dot) + 1.0 - f64::from(now * 2))).collect(),
            ahead: (0..ahead * 2).map(|dot| wall(f64::from(dot) + 1.0)).collect(),
            each: Duration::try_from_secs_f64(each.max(1.0)).unwrap_or(Duration::from_secs(1)),
            at,
        }
    }

    /// The column of a moment.
    fn column(&self, when: Wall) -> Option<u16> {
        let dot = |all: &[Wall]| all.iter().position(|end| *end >= when).map(|dot| (dot / 2) as u16);
        if when <= self.at {
            return self.past.first().filter(|first| **first <= when).and_then(|_| dot(&self.past));
        }
        dot(&self.ahead).map(|column| self.now + 1 + column).filter(|x| *x < self.width)
    }
}

/// From the least to the greatest of what is drawn; the limit is drawn where it is not far beyond.
fn scale(past: &[Option<f64>], ahead: &[Option<Band>], forecast: &Forecast) -> (f64, f64) {
    let values = past.iter().flatten().copied();
    let bands = ahead.iter().flatten().flat_map(|b| [b.lo80, b.hi80]);
    let (low, high) = values
        .chain(bands)
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return (0.0, 1.0);
    }
    let high = match &forecast.crossing {
        Some(crossing) if crossing.likely.is_some() => high.max(crossing.limit),
        _ => high,
    };
    let air = ((high - low) * 0.06).max(high.abs() * 1e-3).max(f64::MIN_POSITIVE);
    let floor = if low >= 0.0 { (low - air).max(0.0) } else { low - air };
    (floor, high + air)
}

fn labels(state: &State, forecast: &Forecast, (floor, full): (f64, f64), canvas: &mut Canvas<'_>) {
    let (unit, dim) = (forecast.key.metric.unit(), state.theme().dim);
    let last = canvas.height().saturating_sub(2);
    for (y, value) in [(0, full), (last / 2, (floor + full) / 2.0), (last, floor)] {
        canvas.right(SCALE - 1, y, &unit.show(value), dim);
    }
}

/// The line of now, the moments that tables tell, the limit and the moment that it is reached.
fn lines(state: &State, forecast: &Forecast, (view, (floor, full)): (&Window, (f64, f64)), canvas: &mut Canvas<'_>) {
    let (theme, height) = (state.theme(), canvas.height());
    let line = |braille, ascii| if state.look.ink == Ink::Braille { braille } else { ascii };
    let mut upright = |x: u16, symbol: char, style| (0..height).for_each(|y| canvas.put(x, y, symbol, style));
    for x in AHEAD.iter().filter_map(|ahead| view.column(after(view.at, *ahead))) {
        upright(x, line('┆', ':'), theme.border);
    }
    upright(view.now, line('│', '|'), theme.text);
    let Some(crossing) = &forecast.crossing else { return };
    if let Some(x) = crossing.likely.and_then(|likely| view.column(after(forecast.made, likely))) {
        upright(x, line('┃', '!'), theme.critical);
    }
    if crossing.limit < full && crossing.limit > floor {
        let share = (full - crossing.limit) / (full - floor);
        let y = (share * f64::from(height.saturating_sub(1))).round() as u16;
        (0..canvas.width()).for_each(|x| canvas.put(x, y, line('─', '-'), theme.warning));
    }
}

/// The sign of each anomaly where it began.
fn signs(state: &State, key: &Key, view: &Window, canvas: &mut Canvas<'_>) {
    let Some(outlook) = foresight::outlook(state) else { return };
    for anomaly in outlook.odd(key) {
        if let Some(x) = view.column(anomaly.since) {
            canvas.text(x, 0, anomaly.severity.sign(), findings::style(state.theme(), anomaly.severity));
        }
    }
}

/// Times below the chart: where it begins, now, the moments ahead, its end.
fn moments(state: &State, forecast: &Forecast, view: &Window, canvas: &mut Canvas<'_>) {
    let dim = state.theme().dim;
    let mut free = canvas.text(0, 0, &format!("-{}", about(foresight::ahead(state, forecast) * PAST)), dim) + 1;
    let ahead = AHEAD.iter().map(|ahead| (after(view.at, *ahead), format!("+{}", stretch(*ahead))));
    let all = std::iter::once((view.at, "now".to_string())).chain(ahead);
    for (when, text) in all {
        let Some(x) = view.column(when) else { continue };
        let wide = text.len() as u16;
        let x = x.min(view.width.saturating_sub(wide));
        if x >= free {
            free = canvas.text(x, 0, &text, dim) + 1;
        }
    }
    if view.column(after(view.at, 900.0)).is_none() {
        canvas.right(view.width, 0, &format!("+{}", about(foresight::ahead(state, forecast))), dim);
    }
}

/// Writes the page; returns its title.
pub fn write(state: &State, key: &Key, prose: &mut Prose<'_>) -> String {
    let theme = prose.theme;
    let title = format!("{key} ({})", key.path());
    let (Some((at, forecast)), Some(outlook)) = (foresight::shown(state, key), foresight::outlook(state)) else {
        prose.text("There is no forecast of this now.", theme.dim);
        return title;
    };
    if let Some(doubt) = forecast.doubt() {
        prose.text(&format!("{doubt}; the ranges are all that can be said"), theme.notice);
    }
    if let Some(limit) = forecast.limit(state.shown().now.wall) {
        let style = if forecast.due(state.shown().now.wall).is_some() { theme.warning } else { theme.text };
        prose.field("limit", &limit, style);
    }
    table(state, forecast, prose);
    prose.heading("How it came to be");
    let count = outlook.of(key).count();
    let steps = format!("{} each, {} ahead", stretch(forecast.step), stretch(forecast.reach()));
    let others = if count > 1 { format!(" ({} of {count}; + and - for the others)", at + 1) } else { String::new() };
    prose.field("steps", &format!("{steps}{others}"), theme.text);
    prose.field("methods", &forecast.methods(), theme.text);
    let skill = |skill: f64| format!("{skill:+.2} in its own past; 0 is as good as the last value, 1 perfect");
    prose.field("skill", &forecast.skill.map_or_else(|| "not tested: too little history".into(), skill), theme.text);
    let record = forecast.record.as_ref().map_or_else(|| "none yet: no forecast has come due".into(), |record| record.words());
    prose.field("record", &record, theme.text);
    let season = forecast.season.map_or_else(|| "none found".into(), stretch);
    prose.field("season", &season, theme.text);
    prose.field("learnt", &format!("from {} of history", stretch(forecast.trained)), theme.text);
    if let Some(changed) = forecast.changed {
        prose.field("changed", &format!("its ways {} ago; what was before counts no more", stretch(changed)), theme.text);
    }
    beside(state, outlook, key, prose);
    title
}

/// Values ahead with both ranges.
fn table(state: &State, forecast: &Forecast, prose: &mut Prose<'_>) {
    let (theme, unit, now) = (prose.theme, forecast.key.metric.unit(), state.shown().now.wall);
    prose.heading(&format!("{:<12}{:>10}   {:<24}{}", "Ahead", "likely", "80 of 100 cases", "95 of 100 cases"));
    let row = |label: String, value: String, ranges: [String; 2]| {
        let [narrow, wide] = ranges;
        vec![
            Span::styled(format!("{label:<12}"), theme.dim),
            Span::styled(format!("{value:>10}   "), theme.text),
            Span::styled(format!("{narrow:<24}{wide}"), theme.text),
        ]
    };
    prose.line(row("now".into(), track::newest(state, &forecast.key), [String::new(), String::new()]));
    let reach = forecast.left(now);
    let told: Vec<f64> = AHEAD.iter().copied().filter(|ahead| forecast.ahead(now, *ahead).is_some()).collect();
    let end = Some(reach).filter(|reach| told.last().is_none_or(|last| last * 1.1 < *reach));
    let moments = told.into_iter().chain(end);
    for ahead in moments {
        let Some(band) = forecast.ahead(now, ahead) else { continue };
        let likely = if forecast.reliable { unit.show(band.point) } else { "?".into() };
        let ranges = [range(unit, band.lo80, band.hi80), range(unit, band.lo95, band.hi95)];
        prose.line(row(about(ahead), likely, ranges));
    }
}

/// What else is known of the number.
fn beside(state: &State, outlook: &Outlook, key: &Key, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    let odd: Vec<&Anomaly> = outlook.odd(key).collect();
    if !odd.is_empty() {
        prose.heading("Anomalies");
    }
    for anomaly in odd {
        let text = format!("{} {}", anomaly.severity.sign(), anomaly.words(state.shown().now.wall));
        prose.text(&text, findings::style(theme, anomaly.severity));
    }
    let links: Vec<&Link> = outlook.links.iter().filter(|link| link.leads == *key || link.follows == *key).collect();
    if !links.is_empty() {
        prose.heading("Moves together with");
    }
    for link in links {
        prose.text(&link.words(), theme.text);
    }
    let patterns: Vec<&Pattern> = outlook.patterns.iter().filter(|pattern| pattern.key == *key).collect();
    if !patterns.is_empty() {
        prose.heading("Patterns");
    }
    for pattern in patterns {
        prose.text(&pattern.words(), theme.text);
    }
}
