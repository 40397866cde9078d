//! The close look at the process whose page is open: asked for each second, only while somebody looks.

use crate::{
    model::{inspection::Inspection, message::Ask, subject::ProcessId, time::Tick},
    ui::{pane::Page, state::State},
};
use std::time::Duration;

/// From one question to the next; a little less than a sweep takes, so that each view brings one.
const EACH: Duration = Duration::from_millis(900);

/// After this long no answer will come any more.
const LOST: Duration = Duration::from_secs(5);

/// What is known of one process, and what is asked.
#[derive(Debug)]
pub struct CloseLook {
    /// The newest answer.
    look: Option<Box<Inspection>>,
    /// What was asked last, and when.
    asked: Option<(ProcessId, Tick)>,
    /// No answer to that has come yet.
    pending: bool,
    /// Its threads are listed.
    pub threads: bool,
}

impl Default for CloseLook {
    fn default() -> Self {
        CloseLook { look: None, asked: None, pending: false, threads: true }
    }
}

impl CloseLook {
    /// Takes an answer.
    pub fn take(&mut self, look: Box<Inspection>) {
        if self.asked.is_some_and(|(asked, _)| asked == look.id) {
            self.pending = false;
            self.look = Some(look);
        }
    }

    /// The newest look at a process.
    pub fn of(&self, process: ProcessId) -> Option<&Inspection> {
        self.look.as_deref().filter(|look| look.id == process)
    }

    fn is_due(&self, process: ProcessId, now: Tick) -> bool {
        match self.asked {
            Some((asked, at)) if asked == process => now.since(at) >= if self.pending { LOST } else { EACH },
            _ => true,
        }
    }
}

/// The question that is due: about the process on the page, while it lives, the screen is not held, and an engine is there to answer.
pub fn due(state: &mut State) -> Option<Ask> {
    let Page::Process(process) = state.page else { return None };
    let alive = state.view.snapshot.process(process).is_some();
    if state.lost || state.frozen.is_some() || !alive || !state.close_look.is_due(process, state.now.tick) {
        return None;
    }
    state.close_look.asked = Some((process, state.now.tick));
    state.close_look.pending = true;
    Some(Ask::Inspect(process))
}
