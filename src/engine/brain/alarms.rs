//! Findings: the detectors of a lane look, hysteresis decides, and what was raised or cleared is told.

use crate::{
    analysis::{
        detect::{self, Lane},
        hysteresis::Tracker,
    },
    model::{finding::Finding, limits::Hysteresis, world::World},
};
use std::sync::Arc;

/// What holds now.
#[derive(Debug)]
pub struct Alarms {
    tracker: Tracker,
    /// Findings that hold, most pressing first.
    pub findings: Arc<Vec<Finding>>,
}

/// What one look changed.
#[derive(Debug, Default)]
pub struct News {
    /// Came to be.
    pub raised: Vec<Finding>,
    /// Ended.
    pub cleared: Vec<Finding>,
}

impl News {
    /// True when nothing came and nothing went.
    pub fn is_none(&self) -> bool {
        self.raised.is_empty() && self.cleared.is_empty()
    }
}

impl Alarms {
    /// Nothing holds yet.
    pub fn new(rule: &Hysteresis) -> Alarms {
        Alarms { tracker: Tracker::new(rule), findings: Arc::default() }
    }

    /// Takes what the detectors of `lane` said of the world.
    pub fn take(&mut self, lane: Lane, looked: Looked) -> News {
        self.tracker.look(lane, looked.now, looked.signals);
        let findings = self.tracker.findings();
        let missing = |from: &[Finding], of: &[Finding]| -> Vec<Finding> {
            of.iter().filter(|f| from.iter().all(|other| other.id != f.id)).cloned().collect()
        };
        let news = News { raised: missing(&self.findings, &findings), cleared: missing(&findings, &self.findings) };
        if *self.findings != findings {
            self.findings = Arc::new(findings);
        }
        news
    }
}

/// What detectors said, and when.
#[derive(Debug)]
pub struct Looked {
    now: crate::model::time::Now,
    signals: Vec<crate::model::finding::Signal>,
}

/// Lets the detectors of `lane` look at the world.
pub fn look(lane: Lane, world: &World<'_>) -> Looked {
    Looked { now: world.now, signals: detect::look(lane, world) }
}
