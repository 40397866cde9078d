//! Pages of text that scroll: details of a finding, a change, a process; the journal; the keys.

use crate::{
    query::rows::line::LineRow,
    ui::{
        canvas::Canvas,
        filter::List,
        frame::{boxed, note},
        layout,
        pane::Page,
        panels::{alerts, audit, cgroup, change, compare, field, finding, forecast, help, learned, link, phases, process},
        state::State,
        theme::Theme,
        words,
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

/// Lines of text, wrapped as they are written.
#[derive(Debug)]
pub struct Prose<'a> {
    /// How it looks.
    pub theme: &'a Theme,
    /// Columns.
    pub width: usize,
    /// Written so far.
    pub lines: Vec<Line<'static>>,
}

/// Columns of the labels of fields.
const LABEL: usize = 12;

impl Prose<'_> {
    /// A heading with air above it.
    pub fn heading(&mut self, text: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.lines.push(Line::styled(text.to_string(), self.theme.accent));
    }

    /// A label and its text, wrapped beside it.
    pub fn field(&mut self, label: &str, text: &str, style: Style) {
        self.short_field((label, usize::MAX), text, style);
    }

    /// The same, with an ellipsis after so many lines.
    pub fn short_field(&mut self, (label, most): (&str, usize), text: &str, style: Style) {
        let dim = self.theme.dim;
        for (i, line) in words::wrap_most(text, self.width.saturating_sub(LABEL), most).into_iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            self.lines.push(Line::from(vec![Span::styled(format!("{label:<LABEL$}"), dim), Span::styled(line, style)]));
        }
    }

    /// Text across the page.
    pub fn text(&mut self, text: &str, style: Style) {
        self.lines.extend(words::wrap(text, self.width).into_iter().map(|line| Line::styled(line, style)));
    }

    /// A line as it is.
    pub fn line(&mut self, spans: Vec<Span<'static>>) {
        self.lines.push(Line::from(spans));
    }
}

/// Title and text of the page in front.
fn content(state: &State, width: usize) -> (String, Vec<Line<'static>>) {
    let mut prose = Prose { theme: state.theme(), width, lines: Vec::new() };
    let title = match &state.page {
        Page::Overview => String::new(),
        Page::Finding(id) => finding::write(state, id, &mut prose),
        Page::Change(id) => change::write(state, *id, &mut prose),
        Page::Verify(id) => change::write_verify(state, *id, &mut prose),
        Page::Process(id) => process::write(state, *id, &mut prose),
        Page::Cgroup(path) => cgroup::write(state, path, &mut prose),
        Page::Compare => compare::write(state, &mut prose),
        Page::Alerts | Page::Forecasts | Page::Causes => String::new(),
        Page::Forecast(key) => forecast::write(state, key, &mut prose),
        Page::Link(leads, follows) => link::write(state, leads, follows, &mut prose),
        Page::Alert(id) => alerts::write(state, *id, &mut prose),
        Page::Phases(id) => phases::write(state, *id, &mut prose),
        Page::Learned => learned::write(state, &mut prose),
        Page::Audit => audit::write(state, &mut prose),
        Page::Help => help::write(state, &mut prose),
    };
    if state.page == Page::Help && !state.filters.help.is_empty() {
        prose.lines.retain(|line| passes(state, line));
    }
    (title, prose.lines)
}

/// Whether a line of the help page is searched for.
fn passes(state: &State, line: &Line<'_>) -> bool {
    let text: String = line.spans.iter().map(|span| &*span.content).collect();
    state.filters.help.passes(&LineRow { text: &text, level: None })
}

/// Rows of the chart above the text, if the page has one and there is room.
fn chart_rows(state: &State, height: u16) -> u16 {
    match state.page {
        Page::Change(_) if height >= 20 => height / 4,
        Page::Verify(_) | Page::Forecast(_) | Page::Link(..) if height >= 8 => height * 3 / 5,
        _ => 0,
    }
}

/// Columns of text on a page of this width: long lines are hard to read.
fn columns(width: u16) -> u16 {
    width.saturating_sub(4).min(120)
}

fn body(state: &State) -> Rect {
    layout::places(state, Rect::new(0, 0, state.size.0, state.size.1)).body
}

/// Rows of the page in front.
pub fn rows(state: &State) -> usize {
    content(state, columns(body(state).width).into()).1.len()
}

/// Rows of text in view.
pub fn height(state: &State) -> usize {
    let inner = body(state).height.saturating_sub(2);
    inner.saturating_sub(chart_rows(state, inner)).into()
}

/// Draws the page.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    let theme = state.theme();
    let (title, lines) = content(state, columns(area.width).into());
    let inner_height = area.height.saturating_sub(2);
    let chart = chart_rows(state, inner_height);
    let rows = usize::from(inner_height - chart.min(inner_height));
    let top = state.scroll.min(lines.len().saturating_sub(rows));
    let below = lines.len().saturating_sub(top + rows);
    let mut more = if below > 0 { note(format!("{below} more lines ▼"), theme.dim) } else { Line::default() };
    if let Some(list @ (List::Audit | List::Help)) = state.list() {
        more.spans.splice(0..0, field::in_title(state, list));
    }
    let inner = boxed(state, true, Line::styled(format!(" {title} "), theme.accent), more, area, buf);
    let mut canvas = Canvas::new(inner, buf);
    let width = canvas.width();
    if chart > 1 {
        let part = canvas.part(0, 0, width, chart - 1);
        match &state.page {
            Page::Forecast(key) => forecast::draw_chart(state, key, part),
            Page::Link(leads, follows) => link::draw_charts(state, (leads, follows), part),
            _ => change::draw_chart(state, part),
        }
    }
    for (y, line) in (chart..canvas.height()).zip(lines.iter().skip(top)) {
        canvas.line(0, y, line);
    }
}
