//! The log, drawn by tui-logger. Its buffer is the one global thing of the program; nothing outside this file touches it.

use crate::{
    model::time::Wall,
    query::rows::line::LineRow,
    ui::{
        filter::{List, Sieve},
        frame::frame,
        keys::Motion,
        pane::Pane,
        panels::field,
        state::State,
        words,
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Widget,
};
use std::fmt;
use tui_logger::{Drain, ExtLogRecord, LogFormatter, TuiLoggerWidget, TuiWidgetEvent, TuiWidgetState};

/// Lines kept.
const KEPT: usize = 1000;

/// Takes log lines into the buffer. tui-logger's own logger wakes a thread a hundred times a second; this one only stores.
struct Keep(Drain);

impl log::Log for Keep {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Info
    }
    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.log(record);
        }
    }
    fn flush(&self) {}
}

/// Begins to keep what is logged. Only the first logger of a process counts; another one keeps its place.
pub fn start() {
    if log::set_boxed_logger(Box::new(Keep(Drain::new()))).is_ok() {
        tui_logger::set_buffer_depth(KEPT);
        tui_logger::set_hot_buffer_depth(KEPT);
        log::set_max_level(log::LevelFilter::Info);
    }
}

/// Where the log is scrolled to.
#[derive(Default)]
pub struct LogView(TuiWidgetState);

impl fmt::Debug for LogView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogView")
    }
}

impl LogView {
    /// Scrolls.
    pub fn go(&self, motion: Motion) {
        self.0.transition(match motion {
            Motion::Up | Motion::PageUp | Motion::HalfUp | Motion::Top => TuiWidgetEvent::PrevPageKey,
            Motion::Down | Motion::PageDown | Motion::HalfDown => TuiWidgetEvent::NextPageKey,
            Motion::Bottom => TuiWidgetEvent::EscapeKey,
        });
    }
}

/// Draws the pane.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    let theme = state.theme();
    let title = Line::from_iter(field::in_title(state, List::Log));
    let inner = frame(state, Pane::Log, title, area, buf);
    if inner.is_empty() {
        return;
    }
    tui_logger::move_events();
    let styles = [theme.critical, theme.warning, theme.text, theme.dim];
    TuiLoggerWidget::default()
        .formatter(Box::new(Lines { styles, sieve: state.filters.log.clone() }))
        .state(&state.log.0)
        .render(inner, buf);
}

/// One line or more a record: the time of day as everywhere else on the screen, then the message, broken between words.
struct Lines {
    /// Of an error, a warning, an information, all else.
    styles: [Style; 4],
    /// Records that do not pass have no line.
    sieve: Sieve,
}

impl LogFormatter for Lines {
    fn min_width(&self) -> u16 {
        16
    }

    fn format(&self, width: usize, record: &ExtLogRecord) -> Vec<Line<'_>> {
        let [error, warning, info, other] = self.styles;
        let style = match record.level {
            log::Level::Error => error,
            log::Level::Warn => warning,
            log::Level::Info => info,
            log::Level::Debug | log::Level::Trace => other,
        };
        if !self.sieve.passes(&LineRow { text: record.msg(), level: Some(record.level.as_str()) }) {
            return Vec::new();
        }
        let time = words::clock(Wall(record.timestamp.timestamp().as_millisecond()));
        let room = width.saturating_sub(time.len() + 1);
        let lines = words::wrap(record.msg(), room).into_iter().enumerate();
        lines
            .map(|(i, text)| {
                let time = if i == 0 { time.clone() } else { " ".repeat(time.len()) };
                Line::from(vec![Span::styled(time, other), Span::raw(" "), Span::styled(text, style)])
            })
            .collect()
    }
}
