//! Forecasts: every number with where it is heading, what reaches its limit first at the top. Each value stands with its range; where there
//! is no reliable forecast, that stands there instead.

use crate::{
    model::{
        ahead::{self, AHEAD},
        finding::Severity,
        outlook::{Crossing, Forecast},
        telling::range,
        time::Wall,
        unit::Unit,
    },
    ui::{
        canvas::Canvas,
        filter::List,
        foresight,
        frame::{boxed, note},
        panels::{field, findings, track},
        spots::{Spot, Spots},
        state::State,
        theme::Theme,
        words,
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};

/// Columns of a value with its range.
const RANGED: u16 = 29;

/// Columns of the present value.
const NOW: u16 = 11;

/// Draws the page.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer, spots: &mut Spots) {
    let theme = state.theme();
    let all = foresight::listed(state);
    let now = state.shown().now.wall;
    let heading = all.iter().filter(|forecast| forecast.due(now).is_some()).count();
    let mut right = if heading > 0 { note(format!("{heading} to a limit"), theme.warning) } else { Line::default() };
    right.spans.splice(0..0, field::in_title(state, List::Forecasts));
    let inner = boxed(state, true, Line::styled(" Forecasts ", theme.accent), right, area, buf);
    let mut canvas = Canvas::new(inner, buf);
    if all.is_empty() {
        nothing(state, &mut canvas);
        return;
    }
    let table = Table::new(canvas.width());
    table.heads(state, &mut canvas);
    let (width, rows) = (canvas.width(), canvas.height().saturating_sub(1));
    let fit = usize::from((rows / table.tall).max(1));
    let chosen = foresight::chosen(state);
    let at = all.iter().position(|forecast| Some(&forecast.key) == chosen.as_ref()).unwrap_or(0);
    let first = (at + 1).saturating_sub(fit);
    let mut y = 1;
    for (i, forecast) in all.iter().enumerate().skip(first).take(fit) {
        table.row(state, forecast, &mut canvas.part(0, y, width, table.tall));
        for row in y..y + table.tall {
            spots.add(canvas.row(row), Spot::Forecast(forecast.key.clone()));
            if i == at {
                canvas.tint(0, row, width, theme.selected);
            }
        }
        y += table.tall;
    }
}

fn nothing(state: &State, canvas: &mut Canvas<'_>) {
    let why = match foresight::outlook(state) {
        _ if state.travel.past.is_some() => "the past carries no forecasts; . goes back to now",
        Some(outlook) if !outlook.forecasts.is_empty() => "no forecast passes the filter",
        _ => "nothing can be said yet: forecasts come once some minutes have been seen",
    };
    for (y, line) in (0..canvas.height()).zip(words::wrap(why, canvas.width().into())) {
        canvas.text(0, y, &line, state.theme().dim);
    }
}

/// Which columns there is room for.
struct Table {
    /// Columns of the names.
    name: u16,
    /// Seconds ahead, the nearest first.
    ahead: &'static [f64],
    /// Rows of each forecast.
    tall: u16,
}

impl Table {
    fn new(width: u16) -> Table {
        let fits = |columns: u16| width >= 26 + NOW + columns * RANGED;
        let (ahead, tall): (&[f64], u16) = match AHEAD.len() as u16 {
            all if fits(all) => (&AHEAD, 2),
            all if fits(all - 1) => (AHEAD.get(1..).unwrap_or_default(), 2),
            _ if fits(1) => (AHEAD.get(2..).unwrap_or_default(), 2),
            _ => (&[], 3),
        };
        Table { name: width.saturating_sub(NOW + ahead.len() as u16 * RANGED), ahead, tall }
    }

    fn heads(&self, state: &State, canvas: &mut Canvas<'_>) {
        let dim = state.theme().dim;
        canvas.clip(0, 0, self.name, &format!("number, {}", state.foresight.order.words()), dim);
        let mut end = self.name + NOW;
        canvas.right(end, 0, "now", dim);
        for ahead in self.ahead {
            end += RANGED;
            canvas.right(end, 0, &format!("in {} (80 of 100)", ahead::stretch(*ahead)), dim);
        }
    }

    fn row(&self, state: &State, forecast: &Forecast, canvas: &mut Canvas<'_>) {
        let (theme, width) = (state.theme(), canvas.width());
        let now = state.shown().now.wall;
        let crossing = forecast.crossing.as_ref().filter(|crossing| crossing.likely.is_some());
        let style = crossing.map_or(theme.text, |crossing| pressing(theme, forecast, crossing, now));
        let sign = crossing.map_or("", |crossing| urgency(forecast, crossing, now).map_or("", Severity::sign));
        canvas.text(0, 0, sign, style);
        canvas.short(3, 0, self.name.saturating_sub(4), &forecast.key.path(), theme.title);
        canvas.right(self.name + NOW, 0, &track::newest(state, &forecast.key), theme.text);
        let doubt = forecast.doubt();
        let mut end = self.name + NOW;
        for ahead in self.ahead {
            end += RANGED;
            let (text, style) = ranged(state, forecast, *ahead);
            canvas.right(end, 0, &text, style);
        }
        let limit = crossing.and_then(|_| forecast.limit(now));
        let trust = doubt.unwrap_or_else(|| format!("{}{}", near(forecast, now), trust(forecast)));
        let lines: Vec<(String, Style)> = match limit {
            Some(limit) if self.tall == 2 => vec![(format!("{limit}; {trust}"), style)],
            Some(limit) => vec![(limit, style), (trust, theme.dim)],
            None if self.tall == 3 => {
                let (text, _) = ranged(state, forecast, AHEAD.last().copied().unwrap_or_default());
                vec![
                    (format!("in {}: {text}", ahead::stretch(AHEAD.last().copied().unwrap_or_default())), theme.text),
                    (trust, theme.dim),
                ]
            }
            None => vec![(trust, theme.dim)],
        };
        for (y, (text, style)) in (1..self.tall).zip(lines) {
            canvas.short(3, y, width.saturating_sub(3), &text, style);
        }
    }
}

/// A value ahead with its 80 % range, from the forecast that answers for it.
fn ranged(state: &State, chief: &Forecast, seconds: f64) -> (String, Style) {
    let theme = state.theme();
    let now = state.shown().now.wall;
    let unit = chief.key.metric.unit();
    let answer = foresight::outlook(state).and_then(|outlook| outlook.answer(&chief.key, now, seconds));
    match answer.and_then(|forecast| Some((forecast.ahead(now, seconds)?, forecast.reliable))) {
        None => ("-".into(), theme.dim),
        Some((band, true)) => (format!("{} ({})", unit.show(band.point), range(unit, band.lo80, band.hi80)), theme.text),
        Some((band, false)) => (format!("? ({})", range(unit, band.lo80, band.hi80)), theme.dim),
    }
}

/// How much a limit ahead deserves attention: by when, and by how sure.
fn urgency(forecast: &Forecast, crossing: &Crossing, now: Wall) -> Option<Severity> {
    let due = forecast.due(now)?;
    Some(match (due, crossing.confidence) {
        (due, sure) if due < 900.0 && sure >= 0.5 => Severity::Critical,
        (_, sure) if sure >= 0.5 => Severity::Warning,
        _ => Severity::Notice,
    })
}

fn pressing(theme: &Theme, forecast: &Forecast, crossing: &Crossing, now: Wall) -> Style {
    urgency(forecast, crossing, now).map_or(theme.text, |severity| findings::style(theme, severity))
}

/// The value at the end of a reach that is too short for the table.
fn near(forecast: &Forecast, now: Wall) -> String {
    let unit = forecast.key.metric.unit();
    let left = forecast.left(now);
    let band = forecast.at(ahead::after(now, left)).filter(|_| AHEAD.first().is_some_and(|first| left < *first));
    band.map_or_else(String::new, |band| {
        format!("in {} {} ({}), ", ahead::about(left), unit.show(band.point), range(unit, band.lo80, band.hi80))
    })
}

/// How far a forecast can be trusted, in one line.
fn trust(forecast: &Forecast) -> String {
    let mut parts = Vec::new();
    if let Some(skill) = forecast.skill {
        parts.push(format!("skill {skill:+.2}"));
    }
    parts.push(forecast.record.as_ref().map_or_else(
        || "no record yet".into(),
        |record| {
            let scored = Unit::Count.show(record.scored as f64);
            format!("{scored} scored, {:.0} and {:.0} % within", record.within80 * 100.0, record.within95 * 100.0)
        },
    ));
    parts.push(forecast.methods());
    parts.extend(forecast.season.map(|season| format!("season {}", ahead::stretch(season))));
    parts.join(", ")
}
