//! Hands that are tied: they do no job, and say why. An engine that only watches holds these.

use crate::{
    engine::{
        job::{Done, Job},
        worker::Work,
    },
    model::change::Entry,
};

/// Why nothing is done.
#[derive(Clone, Debug)]
pub struct Bystander(pub String);

impl Work for Bystander {
    fn perform(&mut self, _job: Job) -> Done {
        Done { error: Some(self.0.clone()), journal_down: true, ..Done::default() }
    }

    fn foreign(&mut self) -> Done {
        Done::default()
    }

    fn audit(&mut self, _most: usize) -> Vec<(u64, Entry)> {
        Vec::new()
    }
}
