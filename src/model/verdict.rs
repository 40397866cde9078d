//! Verdicts: what a change did, with an interval and its limits.

use serde::{Deserialize, Serialize};

/// The four possible outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The primary improved by at least the least useful effect, no guardrail suffered.
    Better,
    /// The primary or a guardrail got worse by its margin.
    Worse,
    /// No benefit could be shown: rolled back.
    Neutral,
    /// Too little or too disturbed data to say; treated as neutral.
    Unclear,
}

/// What can be said before applying: how small an effect the data at hand could show.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Foresight {
    /// Seconds of history used.
    pub history: f64,
    /// Mean of the primary, in its unit.
    pub mean: f64,
    /// Lag-1 autocorrelation, corrected for bias.
    pub rho: f64,
    /// Smallest relative effect that would be seen with 80 % power at 5 %.
    pub detectable: f64,
    /// The history is shorter than the trial wants.
    pub short: bool,
    /// The primary moved by itself in the history (a change point, or halves that differ by more than 20 %).
    pub unstable: bool,
}

/// The effect on one metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Mean before.
    pub before: f64,
    /// Mean after settling.
    pub after: f64,
    /// Relative change: after / before - 1.
    pub change: f64,
    /// 95 % interval of `change`, respecting autocorrelation.
    pub interval: (f64, f64),
    /// Points before and after.
    pub points: (usize, usize),
}

/// What a change did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// The effect on the primary; `None` without data.
    pub effect: Option<Effect>,
    /// Placebo-in-time rank probability; `None` when history is too short for it.
    pub placebo: Option<f64>,
    /// One sentence that names the deciding reason.
    pub why: String,
    /// What weakens the verdict (short history, load moved), in phrases.
    pub doubts: Vec<String>,
}
