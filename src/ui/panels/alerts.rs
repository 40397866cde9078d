//! Alerts: those that fire first, then those that somebody knows of, then what is over and how long it held.

use crate::{
    model::{
        alert::{Alert, AlertState},
        time::Wall,
    },
    ui::{
        alerts,
        canvas::Canvas,
        frame::{boxed, note},
        panels::{findings, reader::Prose},
        spots::{Spot, Spots},
        state::State,
        words,
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};

/// Its style: what nobody has taken note of has the colour of its severity, all else is quieter. The sign says it without colour.
pub fn style(state: &State, alert: &Alert) -> Style {
    let theme = state.theme();
    match alert.state {
        AlertState::Firing => findings::style(theme, alert.severity),
        AlertState::Acknowledged | AlertState::Snoozed => theme.text,
        AlertState::Pending | AlertState::Cleared => theme.dim,
    }
}

/// Draws the page.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer, spots: &mut Spots) {
    let theme = state.theme();
    let all = &state.shown().alerts;
    let firing = alerts::firing(state).count();
    let title = Line::styled(" Alerts ", theme.accent);
    let count = if firing > 0 { note(format!("{firing} firing"), theme.warning) } else { Line::default() };
    let inner = boxed(state, true, title, count, area, buf);
    let mut canvas = Canvas::new(inner, buf);
    if all.is_empty() {
        canvas.text(0, 0, "nothing is beyond its limit, and nothing was", theme.good);
        return;
    }
    let chosen = alerts::chosen(state).map(|alert| alert.id);
    let at = all.iter().position(|alert| Some(alert.id) == chosen).unwrap_or(0);
    let (width, height) = (canvas.width(), usize::from(canvas.height()));
    // Narrow screens give each alert a second row for its time.
    let rows = if width >= 90 { 1 } else { 2 };
    let fit = (height / rows).max(1);
    let first = (at + 1).saturating_sub(fit);
    let mut y = 0;
    for (i, alert) in all.iter().enumerate().skip(first).take(fit) {
        one(state, alert, y, &mut canvas);
        (y..y + rows as u16).for_each(|row| spots.add(canvas.row(row), Spot::Alert(alert.id)));
        if i == at {
            for row in 0..rows as u16 {
                canvas.tint(0, y + row, width, theme.selected);
            }
        }
        y += rows as u16;
    }
}

fn one(state: &State, alert: &Alert, y: u16, canvas: &mut Canvas<'_>) {
    let theme = state.theme();
    let (width, style) = (canvas.width(), style(state, alert));
    canvas.text(0, y, alert.severity.sign(), style);
    let held = held(state, alert);
    if width >= 90 {
        canvas.text(3, y, &alert.id.to_string(), theme.dim);
        canvas.text(9, y, alert.state.words(), style);
        let end = width.saturating_sub(held.chars().count() as u16 + 1);
        canvas.short(23, y, end.saturating_sub(24), &alert.headline(), style);
        canvas.right(width, y, &held, theme.dim);
    } else {
        canvas.short(3, y, width.saturating_sub(3), &alert.headline(), style);
        canvas.short(3, y + 1, width.saturating_sub(3), &format!("{} {}, {held}", alert.id, alert.state.words()), theme.dim);
    }
}

/// Since when, or for how long.
fn held(state: &State, alert: &Alert) -> String {
    let begun = alert.fired.unwrap_or(alert.since);
    match alert.cleared {
        Some(end) => format!("{} for {}", words::clock(begun), span(begun, end)),
        None => format!("for {}", words::since(state.shown().now.wall, begun)),
    }
}

fn span(from: Wall, to: Wall) -> String {
    words::since(to, from)
}

/// Draws firing alerts into what is left of the findings pane, from row `y` on.
pub fn draw_below(state: &State, mut y: u16, canvas: &mut Canvas<'_>, spots: &mut Spots) {
    let (width, height) = (canvas.width(), canvas.height());
    let mut all = alerts::firing(state).peekable();
    while let Some(alert) = all.next() {
        if y >= height {
            return;
        }
        let style = style(state, alert);
        // The last row says how many there is no room for.
        if y + 1 == height && all.peek().is_some() {
            canvas.short(3, y, width.saturating_sub(3), &format!("and {} more alerts: 0", 1 + all.count()), style);
            return;
        }
        spots.add(canvas.row(y), Spot::Alert(alert.id));
        canvas.text(0, y, alert.severity.sign(), style);
        canvas.short(3, y, width.saturating_sub(3), &format!("alert {}", alert.headline()), style);
        y += 1;
    }
}

/// Writes the page of one alert; returns its title.
pub fn write(state: &State, id: crate::model::alert::AlertId, prose: &mut Prose<'_>) -> String {
    let theme = prose.theme;
    let Some(alert) = alerts::find(state, id) else {
        prose.text("This alert is over and no longer kept here; `trimtab alerts` may know of it.", theme.dim);
        return format!("Alert {id}");
    };
    let unit = alert.key.metric.unit();
    prose.text(&alert.headline(), style(state, alert));
    prose.heading("What");
    prose.field("rule", &alert.rule, theme.text);
    prose.field("number", &format!("{} ({})", alert.key, alert.key.path()), theme.text);
    prose.field("limit", &unit.show(alert.limit), theme.text);
    prose.field("now", &unit.show(alert.value), theme.text);
    prose.field("worst", &unit.show(alert.peak), theme.text);
    prose.field("state", alert.state.words(), style(state, alert));
    if !alert.note.is_empty() {
        prose.field("note", &alert.note, theme.text);
    }
    prose.heading("When");
    let at = |wall: Wall| format!("{} ({} ago)", words::clock(wall), words::since(state.shown().now.wall, wall));
    prose.field("beyond", &at(alert.since), theme.text);
    if let Some(fired) = alert.fired {
        prose.field("fired", &at(fired), theme.text);
    }
    if let Some(cleared) = alert.cleared {
        prose.field("cleared", &at(cleared), theme.text);
    }
    if alert.times > 1 {
        prose.field("times", &format!("{} within an hour", alert.times), theme.text);
    }
    if let Some((who, since)) = &alert.acknowledged {
        prose.field("known", &format!("to {who} since {}", at(*since)), theme.text);
    }
    if let Some((who, until)) = &alert.snoozed {
        let until = until.map_or("until it clears".into(), |until| format!("until {}", words::clock(until)));
        prose.field("snoozed", &format!("by {who} {until}"), theme.text);
    }
    let about = state.shown().findings.iter().filter(|finding| finding.id.subject == alert.key.subject);
    for (i, finding) in about.enumerate() {
        if i == 0 {
            prose.heading("Findings about the same");
        }
        prose.text(&format!("{} {}", finding.severity.sign(), finding.headline), findings::style(theme, finding.severity));
    }
    format!("Alert {id}")
}
