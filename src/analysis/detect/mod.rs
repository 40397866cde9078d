//! Detectors: one file per bottleneck, each a pure look at the world. The signatures are those of the catalogue (B9): errors first,
//! then saturation, then utilisation, and what was looked at and found innocent. All numbers come from `world.thresholds`.
//!
//! A detector says how far its condition holds *now* (or over the last few seconds, where the trouble comes in bursts); whether that
//! is a finding is for [`crate::analysis::hysteresis`].

mod contention;
mod innocent;
mod recent;
mod report;
mod saturation;
mod steal;
mod throttled;
mod who;

use crate::model::{finding::Signal, world::World};

/// How often a detector looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Every 500 ms: emergencies; sees fresh vitals and the last sweep.
    Fast,
    /// At each sweep.
    Sweep,
}

/// One detector.
#[derive(Clone, Copy, Debug)]
pub struct Detector {
    /// Its name, for the log.
    pub name: &'static str,
    /// How often it looks.
    pub lane: Lane,
    /// The look. Silence about a condition is clear.
    pub look: fn(&World<'_>) -> Vec<Signal>,
}

/// Every detector.
pub fn all() -> &'static [Detector] {
    &[
        Detector { name: "cpu contention", lane: Lane::Sweep, look: contention::look },
        Detector { name: "cpu saturation", lane: Lane::Sweep, look: saturation::look },
        Detector { name: "throttled cgroup", lane: Lane::Sweep, look: throttled::look },
        Detector { name: "steal", lane: Lane::Sweep, look: steal::look },
    ]
}

/// What the detectors of `lane` say.
pub fn look(lane: Lane, world: &World<'_>) -> Vec<Signal> {
    all().iter().filter(|detector| detector.lane == lane).flat_map(|detector| (detector.look)(world)).collect()
}
