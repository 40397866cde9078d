//! From state to bytes: one synchronized update per frame, with the cells that changed and nothing else.

use crate::ui::{draw, state::State};
use crossterm::{
    queue,
    terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate},
};
use ratatui::{
    backend::{Backend, CrosstermBackend},
    buffer::Buffer,
    layout::Rect,
};
use std::io;

/// What the terminal shows, and the buffer for the next frame.
#[derive(Debug, Default)]
pub struct Screen {
    shown: Buffer,
    next: Buffer,
    clear: bool,
    /// Bytes that go out before the next frame.
    before: Vec<u8>,
}

impl Screen {
    /// Sends bytes along with the next frame, changed or not.
    pub fn prefix(&mut self, bytes: &[u8]) {
        self.before.extend_from_slice(bytes);
    }

    /// The next frame draws every cell.
    pub fn forget(&mut self) {
        self.clear = true;
    }

    /// Draws the state and appends to `frame` what the terminal needs to show it. Nothing if nothing changed.
    pub fn render(&mut self, state: &State, frame: &mut Vec<u8>) -> io::Result<()> {
        let area = Rect::new(0, 0, state.size.0, state.size.1);
        frame.append(&mut self.before);
        if self.shown.area != area {
            self.shown = Buffer::empty(area);
            self.next = Buffer::empty(area);
            self.clear = true;
        }
        self.next.reset();
        draw::draw(state, area, &mut self.next);
        if self.clear {
            self.shown.reset();
        }
        let mut changes = self.shown.diff_iter(&self.next).peekable();
        if changes.peek().is_some() || self.clear {
            queue!(frame, BeginSynchronizedUpdate)?;
            if self.clear {
                queue!(frame, Clear(ClearType::All))?;
            }
            CrosstermBackend::new(&mut *frame).draw(changes)?;
            queue!(frame, EndSynchronizedUpdate)?;
        }
        self.clear = false;
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(())
    }
}
