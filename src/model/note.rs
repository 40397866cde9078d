//! Notes: what happened to the house itself and not to one change. They stand in the journal beside the deeds, under
//! [`ChangeId::HOUSE`], so that who switched a mode or read another configuration is proved by the same chain as what was written.

use crate::model::{change::ChangeId, finding::FindingKind, limits::Mode, metric::Key, verdict::Outcome};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Note {
    /// An engine began to work.
    Started {
        /// Version of the program.
        version: String,
        /// The mode that it began in.
        mode: Mode,
        /// SHA-256 of the configuration in force, in hexadecimal.
        config: String,
        /// Kernel release; empty where an earlier version did not say.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        kernel: String,
        /// What of the configuration is not built in: `section.field` and its value.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        settings: Vec<(String, String)>,
        /// What differs from the configuration of the start before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changed: Vec<Setting>,
    },
    /// Auto mode chose, and between what: enough to tell later what another policy would have chosen.
    Chose(Box<Choice>),
    /// It ended in order.
    Stopped,
    /// The mode was switched.
    Mode {
        /// Before.
        from: Mode,
        /// Since.
        to: Mode,
    },
    /// The file that stops everything appeared (true) or went (false).
    Halted(bool),
    /// Everything was rolled back (catalogue E7) and nothing new is done until an operator switches the mode: why.
    Held(String),
    /// An emergency began: its row in the catalogue and what was seen.
    Emergency(String, String),
    /// So many entries could not be kept while the journal took none.
    Lost(u64),
    /// A trial in which nothing was done was judged like any other.
    Tested {
        /// What was measured.
        key: Key,
        /// What a change would have been told to have done.
        outcome: Outcome,
    },
}

/// A setting that changed from one start to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// `section.field`.
    pub field: String,
    /// Its value before; `built-in` where it was not set.
    pub from: String,
    /// Its value now, likewise.
    pub to: String,
}

/// One of the things that auto mode could have done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// The change.
    pub change: ChangeId,
    /// Its action.
    pub action: Arc<str>,
    /// The kind of trouble.
    pub kind: FindingKind,
    /// The action's belief in itself, moved by what was seen here.
    pub fit: f64,
    /// How bad the trouble is, 1 to 3.
    pub severity: f64,
    /// Expected score: what it brings less what it risks and costs.
    pub mean: f64,
    /// The score as drawn from what is believed.
    pub drawn: f64,
    /// How often draws would have chosen it.
    pub propensity: f64,
}

/// A choice of auto mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// What it chose.
    pub chosen: ChangeId,
    /// Every change that it could have chosen.
    pub arms: Vec<Arm>,
    /// Score of doing nothing; `None` where that is not known.
    pub nothing: Option<f64>,
    /// It is not what is best by expectation: it was tried to learn.
    pub explored: bool,
    /// The seed of the draws.
    pub seed: u64,
}

impl Note {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Note::Started { version, mode, config, changed, .. } => {
                let short = config.get(..12).unwrap_or(config);
                let changed: Vec<String> = changed.iter().map(|c| format!("{} {} -> {}", c.field, c.from, c.to)).collect();
                let changed = if changed.is_empty() { String::new() } else { format!(": {}", changed.join(", ")) };
                format!("trimtab {version} started in mode {}, configuration {short}{changed}", mode.words())
            }
            Note::Chose(choice) => {
                let arm = choice.arms.iter().find(|arm| arm.change == choice.chosen);
                let why = if choice.explored { "to learn" } else { "best by what is known" };
                let odds = arm.map_or_else(String::new, |arm| format!(", taken in {:.0} of 100 draws", arm.propensity * 100.0));
                format!("chose {} of {} ({why}{odds})", choice.chosen, choice.arms.len())
            }
            Note::Stopped => "trimtab stopped".into(),
            Note::Mode { from, to } => format!("mode {} -> {}", from.words(), to.words()),
            Note::Halted(true) => "the stop file is there: nothing new is applied".into(),
            Note::Tested { key, outcome } => {
                let told = match outcome {
                    Outcome::Better => "would have kept a change: false alarm",
                    Outcome::Worse => "would have blamed a change: false alarm",
                    Outcome::Neutral | Outcome::Unclear => "saw nothing, as it should",
                };
                format!("self-test on {key}: {told}")
            }
            Note::Halted(false) => "the stop file is gone".into(),
            Note::Held(why) => format!("everything is rolled back and held in mode observe: {why}"),
            Note::Emergency(row, what) => format!("emergency {row}: {what}"),
            Note::Lost(count) => format!("{count} entries are lost: the journal took none for too long"),
        }
    }
}
