//! Detectors: one file per bottleneck, each a pure look at the world. The signatures are those of the catalogue (B9): errors first,
//! then saturation, then utilisation, and what was looked at and found innocent. All numbers come from `world.thresholds`.
//!
//! A detector says how far its condition holds *now* (or over the last few seconds, where the trouble comes in bursts); whether that
//! is a finding is for [`crate::analysis::hysteresis`].

mod backlog;
mod buffers;
mod clock;
mod condition;
mod contention;
mod descriptors;
mod disk;
mod filesystem;
#[cfg(test)]
mod fixture;
mod fragmentation;
mod idle;
mod innocent;
mod leak;
mod listen;
mod memory;
mod nodes;
mod path;
mod ports;
mod recent;
mod reclaim;
mod report;
mod saturation;
mod slab;
mod softirq;
mod steal;
mod syn;
mod tables;
mod throttled;
mod trouble;
mod who;
mod writeback;

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
        Detector { name: "memory pressure", lane: Lane::Fast, look: memory::pressure },
        Detector { name: "swap thrash", lane: Lane::Fast, look: memory::thrash },
        Detector { name: "cpu contention", lane: Lane::Sweep, look: contention::look },
        Detector { name: "cpu saturation", lane: Lane::Sweep, look: saturation::look },
        Detector { name: "throttled cgroup", lane: Lane::Sweep, look: throttled::look },
        Detector { name: "steal", lane: Lane::Sweep, look: steal::look },
        Detector { name: "writeback stall", lane: Lane::Sweep, look: writeback::look },
        Detector { name: "disk latency", lane: Lane::Sweep, look: disk::look },
        Detector { name: "accept queue", lane: Lane::Sweep, look: listen::look },
        Detector { name: "descriptors", lane: Lane::Sweep, look: descriptors::look },
        Detector { name: "local ports", lane: Lane::Sweep, look: ports::look },
        Detector { name: "filesystem", lane: Lane::Sweep, look: filesystem::look },
        Detector { name: "half-open connections", lane: Lane::Sweep, look: syn::look },
        Detector { name: "socket buffers", lane: Lane::Sweep, look: buffers::look },
        Detector { name: "receive backlog", lane: Lane::Sweep, look: backlog::look },
        Detector { name: "long paths", lane: Lane::Sweep, look: path::look },
        Detector { name: "tables", lane: Lane::Sweep, look: tables::look },
        Detector { name: "softirq", lane: Lane::Sweep, look: softirq::look },
        Detector { name: "direct reclaim", lane: Lane::Sweep, look: reclaim::look },
        Detector { name: "fragmentation", lane: Lane::Sweep, look: fragmentation::look },
        Detector { name: "slab caches", lane: Lane::Sweep, look: slab::look },
        Detector { name: "memory nodes", lane: Lane::Sweep, look: nodes::look },
        Detector { name: "clock", lane: Lane::Sweep, look: clock::look },
        Detector { name: "deep idle", lane: Lane::Sweep, look: idle::look },
        Detector { name: "trouble", lane: Lane::Sweep, look: trouble::look },
        Detector { name: "conditions", lane: Lane::Sweep, look: condition::look },
        Detector { name: "leak", lane: Lane::Sweep, look: leak::look },
    ]
}

/// What the detectors of `lane` say.
pub fn look(lane: Lane, world: &World<'_>) -> Vec<Signal> {
    all().iter().filter(|detector| detector.lane == lane).flat_map(|detector| (detector.look)(world)).collect()
}
