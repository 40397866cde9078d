//! Verdicts: what a change did, with an interval and its limits.

use crate::model::metric::Key;
use serde::{Deserialize, Serialize};

/// The four possible outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The primary improved by at least the least useful effect, no guardrail suffered.
    Better,
    /// The primary or a guardrail got worse by its margin.
    Worse,
    /// No benefit could be shown: rolled back.
    Neutral,
    /// Too little or too disturbed data to say; treated as neutral.
    #[default]
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

/// How a control took the load's share out of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// The control's own relative change was subtracted (difference in differences on the ratio scale).
    Difference,
    /// What the control explained of the primary before the change was subtracted (regression, CUPED).
    Regression,
}

/// The effect without the share that a control explains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adjusted {
    /// The control.
    pub by: Key,
    /// How.
    pub method: Method,
    /// What is left of the effect; the outcome is decided by it.
    pub effect: Effect,
    /// Share of the primary's long-run variance before the change that the control explained, 0 to 1.
    pub explained: f64,
}

/// Segments in which a change was in force and out of it by turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switched {
    /// Pairs of segments, one in force and one out of it, in random order.
    pub pairs: usize,
    /// Pairs in which being in force was better.
    pub better: usize,
}

/// A verdict among those of the last seven days.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Week {
    /// Verdicts with a probability, this one included.
    pub verdicts: usize,
    /// Gains among them that Benjamini and Hochberg accept at a false discovery rate of 10 %.
    pub accepted: usize,
    /// How many of those chance alone would make, at most.
    pub chance: f64,
    /// This one is among the accepted.
    pub holds: bool,
}

/// How often the judge cries wolf on this host: trials in which nothing was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trust {
    /// Trials of nothing, the newest that count.
    pub trials: usize,
    /// Of which it would have kept a change.
    pub keeps: usize,
    /// Of which it would have blamed one for harm.
    pub harms: usize,
    /// Surely more often than it may: automatic mode only suggests.
    pub lost: bool,
}

impl Week {
    /// Such as `of 12 verdicts this week 3 are gains, at most 0.4 of them by chance`.
    pub fn words(&self) -> String {
        let Week { verdicts, accepted, chance, .. } = self;
        match accepted {
            0 => format!("of {verdicts} verdicts this week none is a gain beyond chance"),
            _ => format!("of {verdicts} verdicts this week {accepted} are gains, at most {chance:.2} of them by chance"),
        }
    }
}

impl Trust {
    /// In words.
    pub fn words(&self) -> String {
        let alarms = self.keeps + self.harms;
        let counted = format!("{alarms} false alarm{} in {} self-tests", if alarms == 1 { "" } else { "s" }, self.trials);
        if self.lost { format!("{counted}: verdicts are not believed here, automatic mode only suggests") } else { counted }
    }
}

/// What a change did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// The effect adjusted for load, where a control explains a part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted: Option<Adjusted>,
    /// Set where the change was judged by switching it off and on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switched: Option<Switched>,
    /// Probability of so large a gain by chance (one-sided, respecting autocorrelation); `None` where nothing was tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance: Option<f64>,
    /// How it stands among the verdicts of the week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub week: Option<Week>,
}
