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
pub struct Bystander {
    why: String,
    /// Whether the operator has been told. It is no news for one who asked for it.
    told: bool,
}

impl Bystander {
    /// One who was asked only to watch.
    pub fn wanted(why: &str) -> Bystander {
        Bystander { why: why.into(), told: true }
    }

    /// One who can do no more than watch.
    pub fn forced(why: &str) -> Bystander {
        Bystander { why: why.into(), told: false }
    }

    fn tied(&mut self) -> Done {
        self.told = true;
        Done { error: Some(self.why.clone()), journal_down: true, ..Done::default() }
    }
}

impl Work for Bystander {
    fn perform(&mut self, _job: Job) -> Done {
        self.tied()
    }

    fn foreign(&mut self) -> Done {
        if self.told { Done::default() } else { self.tied() }
    }

    fn audit(&mut self, _most: usize) -> Vec<(u64, Entry)> {
        Vec::new()
    }
}
