//! The past as consoles ask for it: the view at one time, the course of numbers over a stretch of time, and the marks in between.

use crate::model::{
    change::{ChangeId, ChangeState},
    finding::{FindingId, Severity},
    message::View,
    metric::Key,
    time::Wall,
};
use serde::{Deserialize, Serialize};

/// The view as it was at one time, and where that time stands among those that are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// What a screen showed; `view.now` is its exact time, at or before the time that was asked for.
    pub view: View,
    /// Seconds over which its rates are means: the distance to the stored instant before. Zero for the first instant of a run, which has
    /// no rates.
    pub over: f64,
    /// The stored instant before this one, to step to.
    pub before: Option<Wall>,
    /// The stored instant after this one.
    pub after: Option<Wall>,
    /// The oldest and the newest stored instant.
    pub kept: (Wall, Wall),
}

/// A number over a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Least value.
    pub min: f64,
    /// Mean over the values seen.
    pub mean: f64,
    /// Greatest value.
    pub max: f64,
}

/// The course of some numbers, in equal steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// When the first step begins.
    pub from: Wall,
    /// Milliseconds per step.
    pub step: i64,
    /// Each key that was asked for with one trend per step; `None` where nothing is known.
    pub rows: Vec<(Key, Vec<Option<Trend>>)>,
}

/// A bookmark: something happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// When.
    pub at: Wall,
    /// What.
    pub event: Event,
    /// One line for the operator.
    pub text: String,
}

/// What a mark is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A finding came to be.
    Raised(FindingId, Severity),
    /// A finding ended.
    Ended(FindingId),
    /// A change came into that state.
    Moved(ChangeId, ChangeState),
}
