//! Charts go on into the future: the stretch after now, at the chart's own time scale, from the forecast that fits it.
//!
//! A quarter of the width is ahead. What reaches further than that is not drawn, what does not reach so far ends where it ends. Where
//! nothing reliable is known the chart keeps its whole width.

use crate::{
    model::{
        finding::Severity,
        metric::Key,
        outlook::{Anomaly, Forecast, Outlook},
        time::{Tick, Wall},
        unit::Unit,
    },
    ui::{
        canvas::Canvas,
        chart::{Chart, Grow, Ink},
        course::{Course, Grain, Shade},
        foresight, history,
        pane::Pane,
        state::State,
    },
};
use ratatui::style::{Modifier, Style};
use std::{sync::Arc, time::Duration};

/// Charts of fewer columns show only what was.
const LEAST_WIDTH: u16 = 16;

/// Rows from which on the range can be told from the line.
const LEAST_BAND: u16 = 5;

/// A forecast has to have so many steps in the stretch, else it says nothing of its course.
const LEAST_STEPS: f64 = 3.0;

/// In a sum, a part of more than this share needs a forecast of its own; smaller ones are taken to stay as they are.
const SMALL: f64 = 0.1;

/// What is coming, two values for each column after the line of now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Future {
    /// The most likely values.
    pub points: Vec<Option<f64>>,
    /// The 80 % ranges; none of a sum, as they do not add up.
    pub ranges: Vec<Option<(f64, f64)>>,
}

/// A chart cut at now.
#[derive(Clone, Debug)]
pub struct Cut {
    /// Columns of what was.
    pub past: u16,
    /// What is coming, if anything is known.
    pub future: Option<Future>,
    /// Seconds ahead of which nothing is known.
    unknown: Option<f64>,
}

/// Cuts a chart of `width` columns that draws the sum of `keys`.
pub fn cut(state: &State, keys: &[Key], width: u16) -> Cut {
    cut_at(state, keys, width, state.step())
}

/// The same for a chart of so long dots.
pub fn cut_at(state: &State, keys: &[Key], width: u16, step: Duration) -> Cut {
    let whole = Cut { past: width, future: None, unknown: None };
    let Some(outlook) = outlook(state).filter(|_| width >= LEAST_WIDTH) else { return whole };
    let ahead = width / 4;
    let moments = moments(state, step, Chart::dots(ahead - 1));
    let span = step.as_secs_f64() * moments.len() as f64;
    match sum(state, outlook, keys, (&moments, step.as_secs_f64())) {
        Some(future) => Cut { past: width - ahead, future: Some(future), unknown: None },
        None => Cut { unknown: Some(span), ..whole },
    }
}

/// Cuts two charts that stand back to back at the same column.
pub fn cut_pair(state: &State, (up, down): (&[Key], &[Key]), width: u16) -> [Cut; 2] {
    let mut cuts = [up, down].map(|keys| cut(state, keys, width));
    let past = cuts.iter().map(|cut| cut.past).min().unwrap_or(width);
    cuts.iter_mut().for_each(|cut| cut.past = past);
    cuts
}

/// The outlook, while charts are to show it.
fn outlook(state: &State) -> Option<&Arc<Outlook>> {
    state.shown().outlook.as_ref().filter(|_| !state.foresight.hidden)
}

/// The moments of the dots after now: where live values will stand when they come.
fn moments(state: &State, step: Duration, count: usize) -> Vec<Wall> {
    let (now, step) = (state.shown().now, step.as_nanos() as u64);
    let next = history::newest(now.tick, step) + 1;
    let wall = |slot: u64| {
        let end = Tick((slot + 1).saturating_mul(step));
        Wall(now.wall.0.saturating_add(i64::try_from(end.since(now.tick).as_millis()).unwrap_or(i64::MAX)))
    };
    (next..).take(count).map(wall).collect()
}

/// The forecast of a key whose steps are most like those of a chart.
pub fn fitting<'o>(outlook: &'o Outlook, key: &Key, now: Wall, (step, span): (f64, f64)) -> Option<&'o Arc<Forecast>> {
    let far = |forecast: &Forecast| (forecast.step.max(f64::MIN_POSITIVE) / step.max(f64::MIN_POSITIVE)).ln().abs();
    let fits = |f: &&Arc<Forecast>| f.reliable && f.step * LEAST_STEPS <= span && f.at(now).is_some();
    outlook.of(key).filter(fits).min_by(|a, b| far(a).total_cmp(&far(b)))
}

fn sum(state: &State, outlook: &Outlook, keys: &[Key], (moments, step): (&[Wall], f64)) -> Option<Future> {
    let (now, span) = (state.shown().now, step * moments.len() as f64);
    let present = |key: &Key| state.history.get(key).and_then(|all| all.points().rfind(|p| p.at <= now.tick)).map(|p| p.value);
    let forecast = |key: &Key| fitting(outlook, key, now.wall, (step, span));
    if let [key] = keys {
        let bands: Vec<_> = forecast(key).map(|f| moments.iter().map(|at| f.at(*at)).collect())?;
        return Some(Future {
            points: bands.iter().map(|band| band.map(|b| b.point)).collect(),
            ranges: bands.iter().map(|band| band.map(|b| (b.lo80, b.hi80))).collect(),
        });
    }
    let whole: f64 = keys.iter().filter_map(present).sum();
    let mut points = vec![Some(0.0); moments.len()];
    let mut any = false;
    for key in keys {
        let value = present(key).unwrap_or(0.0);
        match forecast(key) {
            Some(forecast) => {
                any = true;
                for (sum, at) in points.iter_mut().zip(moments) {
                    *sum = sum.zip(forecast.at(*at)).map(|(sum, band)| sum + band.point);
                }
            }
            None if value <= whole * SMALL => points.iter_mut().flatten().for_each(|sum| *sum += value),
            None => return None,
        }
    }
    any.then_some(Future { points, ranges: Vec::new() })
}

impl Cut {
    /// The sum of the values of `keys` before now, two for each column.
    pub fn dots(&self, state: &State, keys: &[Key]) -> Vec<Option<f64>> {
        let count = Chart::dots(self.past);
        let mut sum: Vec<Option<f64>> = vec![None; count];
        for key in keys {
            let dots = state.charts().dots(key, state.shown().now.tick, state.step(), count);
            for (all, one) in sum.iter_mut().zip(dots) {
                *all = all.map_or(one, |a| Some(a + one.unwrap_or(0.0)));
            }
        }
        sum
    }

    /// Draws the line of now and what follows it; `canvas` is the whole chart. A pane that fills the screen says where nothing is known.
    pub fn draw(&self, state: &State, full: f64, grow: Grow, canvas: &mut Canvas<'_>) {
        let theme = state.theme();
        let Some(future) = &self.future else {
            if let Some(span) = self.unknown.filter(|_| state.expanded && grow == Grow::Up) {
                let text = format!(" no reliable forecast for the next {}", Unit::Seconds.show(span));
                canvas.right(canvas.width(), 0, &text, theme.dim.remove_modifier(Modifier::BOLD));
            }
            return;
        };
        let (width, height, ink) = (canvas.width(), canvas.height(), state.look.ink);
        for y in 0..height {
            canvas.put(self.past, y, if ink == Ink::Braille { '│' } else { '|' }, theme.dim);
        }
        let ranges = if height >= LEAST_BAND { future.ranges.as_slice() } else { &[] };
        let shades = [Shade { ranges, grain: Grain::Fine }];
        let styles = (theme.ahead, theme.dim);
        let course = Course { points: &future.points, shades: &shades, scale: (0.0, full), ink, grow, styles };
        course.draw(&mut canvas.part(self.past + 1, 0, width.saturating_sub(self.past + 1), height));
    }
}

/// How many numbers of a pane are odd now, and how bad the worst is.
pub fn odd(state: &State, pane: Pane) -> Option<(usize, Severity)> {
    let all = state.shown().outlook.iter().flat_map(|outlook| &outlook.anomalies);
    let mut live: Vec<&Anomaly> = all.filter(|odd| odd.until.is_none() && foresight::pane(&odd.key) == pane).collect();
    live.sort_by(|a, b| a.key.cmp(&b.key));
    live.dedup_by(|a, b| a.key == b.key);
    Some((live.len(), live.iter().map(|odd| odd.severity).max()?))
}

/// Signs where anomalies of `keys` began, over a chart whose `past` columns end now: the worse one where two share a column.
pub fn marks(state: &State, keys: &[Key], past: u16, canvas: &mut Canvas<'_>) {
    let Some(outlook) = outlook(state) else { return };
    let (now, theme) = (state.shown().now, state.theme());
    let mut all: Vec<&Anomaly> = outlook.anomalies.iter().filter(|anomaly| keys.contains(&anomaly.key)).collect();
    all.sort_by_key(|anomaly| anomaly.severity);
    for anomaly in all {
        let ago = u64::try_from(now.wall.0.saturating_sub(anomaly.since.0)).ok().map(Duration::from_millis);
        let at = ago.and_then(|ago| now.tick.0.checked_sub(u64::try_from(ago.as_nanos()).ok()?));
        if let Some(x) = at.and_then(|at| history::column(now.tick, Tick(at), state.step(), past)) {
            mark(anomaly.severity, x, crate::ui::panels::findings::style(theme, anomaly.severity), canvas);
        }
    }
}

/// The sign of a severity downwards: `~`, `!`, two `!`.
fn mark(severity: Severity, x: u16, style: Style, canvas: &mut Canvas<'_>) {
    for (y, sign) in (0..canvas.height()).zip(severity.sign().chars()) {
        canvas.put(x, y, sign, style);
    }
}
