//! From state to bytes: one synchronized update per frame, with the cells that changed and nothing else.

use crate::{
    app::console::paint::paint,
    ui::{draw, spots::Spots, state::State},
};
use crossterm::{
    queue,
    terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate},
};
use ratatui::{buffer::Buffer, layout::Rect};
use std::io;

/// What the terminal shows, and the buffer for the next frame.
#[derive(Debug, Default)]
pub struct Screen {
    shown: Buffer,
    next: Buffer,
    clear: bool,
    /// What stands where, for the mouse.
    pub spots: Spots,
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
        self.spots = draw::draw(state, area, &mut self.next);
        if self.clear {
            self.shown.reset();
        }
        let mut changes = self.shown.diff_iter(&self.next).peekable();
        if changes.peek().is_some() || self.clear {
            queue!(frame, BeginSynchronizedUpdate)?;
            if self.clear {
                queue!(frame, Clear(ClearType::All))?;
            }
            paint(changes, frame)?;
            queue!(frame, EndSynchronizedUpdate)?;
        }
        self.clear = false;
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{
        model::{facts::Facts, limits::Mode, message::*, role::Role, snapshot::Snapshot, time::Now},
        ui::{
            chart::Ink,
            state::{Look, Msg},
            theme::Theme,
            update::update,
        },
    };
    use std::sync::Arc;

    fn state() -> State {
        let view = View {
            number: 0,
            now: Now::default(),
            mode: Mode::Suggest,
            facts: Arc::new(Facts::default()),
            snapshot: Arc::new(Snapshot::default()),
            findings: Arc::default(),
            changes: Arc::default(),
            problems: Vec::new(),
            halted: None,
            cost: Cost::default(),
            guard: GuardState::Idle,
            engine: 1,
            alerts: Arc::default(),
            outlook: None,
            emergencies: Vec::new(),
            present: Vec::new(),
            trust: None,
        };
        let layouts = crate::ui::arrangement::Arrangement::built_in();
        let look = Look { themes: Theme::built_in(), chosen: 0, layouts, layout: 0, ink: Ink::Braille };
        State::begin(&Welcome { view, history: Vec::new(), role: Role::Admin }, look, true)
    }

    fn frame(screen: &mut Screen, state: &State) -> String {
        let mut bytes = Vec::new();
        screen.render(state, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_frame_is_one_synchronized_update_and_nothing_changed_is_nothing_sent() {
        let (mut screen, mut state) = (Screen::default(), state());
        let first = frame(&mut screen, &state);
        assert!(first.starts_with("\x1b[?2026h\x1b[2J") && first.ends_with("\x1b[?2026l"));
        assert_eq!(frame(&mut screen, &state), "");
        update(&mut state, Now::default(), Msg::Notice("gone".into()));
        let second = frame(&mut screen, &state);
        assert!(second.contains("gone") && second.len() < first.len() / 4 && second.matches("\x1b[?2026h").count() == 1);
    }

    #[test]
    fn a_forgotten_screen_is_drawn_whole() {
        let (mut screen, state) = (Screen::default(), state());
        let first = frame(&mut screen, &state);
        screen.forget();
        assert_eq!(frame(&mut screen, &state), first);
    }

    #[test]
    fn what_goes_before_a_frame_goes_even_without_one() {
        let (mut screen, state) = (Screen::default(), state());
        frame(&mut screen, &state);
        screen.prefix(b"copy");
        assert_eq!(frame(&mut screen, &state), "copy");
    }
}
