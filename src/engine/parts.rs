//! What an engine is made of; the app puts it together.

use crate::{
    actions::action::Action,
    engine::worker::Work,
    host::host::Host,
    model::{
        change::Entry,
        limits::{Hysteresis, Policy, Thresholds},
    },
    sources::source::{Inspect, Source},
};
use std::sync::Arc;

/// Numbers that an operator may set.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Of the detectors.
    pub thresholds: Thresholds,
    /// When a condition becomes a finding.
    pub hysteresis: Hysteresis,
    /// Bounds on acting, mode and windows.
    pub policy: Policy,
}

/// What an engine is made of.
pub struct Parts {
    /// The machine.
    pub host: Arc<dyn Host>,
    /// What is read.
    pub sources: Vec<Box<dyn Source>>,
    /// Makes one that looks closely at processes.
    pub inspector: fn() -> Box<dyn Inspect>,
    /// What may be changed.
    pub actions: &'static [&'static dyn Action],
    /// Who carries it out and writes it down.
    pub hands: Box<dyn Work>,
    /// The journal after recovery, oldest first.
    pub entries: Vec<(u64, Entry)>,
    /// Numbers in force.
    pub settings: Settings,
    /// Changes applied in this run are undone when it ends, even if kept (demo).
    pub leave: bool,
}
