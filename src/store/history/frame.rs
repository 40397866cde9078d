//! Frames: what was known at one instant, raw. The unit of storing, stepping and replaying.

use crate::model::{
    facts::Facts,
    finding::Finding,
    limits::Mode,
    message::{Cost, GuardState},
    sample::{Sample, SourceName},
    time::Now,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// The newest reading of a source.
#[derive(Clone, Debug)]
pub struct Reading {
    /// When it was done.
    pub at: Now,
    /// What it gave, or why nothing.
    pub sample: Result<Sample, Arc<str>>,
}

/// The newest reading of each source.
pub type Readings = BTreeMap<SourceName, Arc<Reading>>;

/// What the engine said of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// Mode in force.
    pub mode: Mode,
    /// What was wrong with trimtab.
    pub problems: Vec<String>,
    /// Its cost.
    pub cost: Cost,
    /// The guard.
    pub guard: GuardState,
    /// Pid of the engine.
    pub engine: u32,
}

/// One instant.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// When.
    pub now: Now,
    /// Raw samples, those of slow sources older than `now`.
    pub readings: Readings,
    /// Facts of the host.
    pub facts: Arc<Facts>,
    /// Findings that held.
    pub findings: Arc<Vec<Finding>>,
    /// The engine itself.
    pub own: Own,
}
