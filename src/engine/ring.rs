//! Entries that the journal could not take, kept in memory until it can (`reference/safety.md`, 15 and 16): of emergencies only, whose
//! deeds do not wait for a disk. Bounded; its room is taken at the start. What does not fit is counted, and the count is written down.

use crate::model::change::Entry;

/// Entries that fit.
const ROOM: usize = 256;

/// The ring. What came first stays: it says what was there before.
#[derive(Debug)]
pub struct Ring {
    waiting: Vec<Entry>,
    lost: u64,
}

impl Default for Ring {
    fn default() -> Self {
        Ring { waiting: Vec::with_capacity(ROOM), lost: 0 }
    }
}

impl Ring {
    /// Keeps entries, as many as fit.
    pub fn keep(&mut self, entries: &[Entry]) {
        let room = ROOM.saturating_sub(self.waiting.len());
        self.waiting.extend(entries.iter().take(room).cloned());
        self.lost += entries.len().saturating_sub(room) as u64;
    }

    /// Those that wait, oldest first.
    pub fn waiting(&self) -> &[Entry] {
        &self.waiting
    }

    /// Entries lost so far.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// They are written.
    pub fn written(&mut self) {
        self.waiting.clear();
        self.lost = 0;
    }

    /// Nothing waits and nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.lost == 0
    }
}
