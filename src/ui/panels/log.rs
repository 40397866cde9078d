//! The log, drawn by tui-logger. Its buffer is the one global thing of the program; nothing outside this file touches it.

use crate::ui::{frame::frame, keys::Motion, pane::Pane, state::State};
use ratatui::{buffer::Buffer, layout::Rect, text::Line, widgets::Widget};
use std::fmt;
use tui_logger::{Drain, TuiLoggerLevelOutput, TuiLoggerWidget, TuiWidgetEvent, TuiWidgetState};

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
    let inner = frame(state, Pane::Log, Line::default(), area, buf);
    if inner.is_empty() {
        return;
    }
    tui_logger::move_events();
    TuiLoggerWidget::default()
        .style(theme.text)
        .style_error(theme.critical)
        .style_warn(theme.warning)
        .style_info(theme.text)
        .output_separator(' ')
        .output_timestamp(Some("%H:%M:%S".into()))
        .output_level(Some(TuiLoggerLevelOutput::Abbreviated))
        .output_target(false)
        .output_file(false)
        .output_line(false)
        .state(&state.log.0)
        .render(inner, buf);
}
