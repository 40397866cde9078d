//! Trials: how a change will be judged, declared and journaled before the first write.

use crate::model::metric::{Better, Key};
use serde::{Deserialize, Serialize};

/// A number that must not get worse, and by how much it may.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guardrail {
    /// What.
    pub key: Key,
    /// Harm margin relative to the mean before (0.1 is 10 %); whichever of the two margins is wider counts.
    pub relative: f64,
    /// Harm margin in the metric's unit.
    pub absolute: f64,
}

/// Seconds of each phase.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Windows {
    /// Wanted before the write.
    pub before: f64,
    /// Left out after the write.
    pub settle: f64,
    /// Judged after settling.
    pub after: f64,
}

impl Default for Windows {
    fn default() -> Self {
        Windows { before: 120.0, settle: 3.0, after: 60.0 }
    }
}

/// A limit that the primary was foreseen to reach, and where it is moved. A change that prevents cannot be judged by an improvement:
/// there was nothing wrong yet. It is judged by whether the trouble would have come, and has not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prevention {
    /// The limit before, in the primary's unit.
    pub limit: f64,
    /// The limit after.
    pub moved: f64,
}

/// Whether a change is in force while it is switched off and on to be judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Leg {
    /// In force.
    #[default]
    On,
    /// Every knob at its value before.
    Off,
}

impl Leg {
    /// Its name.
    pub fn words(self) -> &'static str {
        match self {
            Leg::On => "on",
            Leg::Off => "off",
        }
    }
}

/// What is measured, which way is better, and what would count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The symptom that should improve.
    pub primary: Key,
    /// Which way.
    pub better: Better,
    /// Least useful effect, relative (0.1 is 10 %).
    pub least: f64,
    /// What must not suffer.
    pub guardrails: Vec<Guardrail>,
    /// Load that should stay as it was; when it moves, the verdict says so.
    pub controls: Vec<Key>,
    /// Phases.
    pub windows: Windows,
    /// Set where it prevents trouble that has not come yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prevents: Option<Prevention>,
}
