//! Notes: what happened to the house itself and not to one change. They stand in the journal beside the deeds, under
//! [`ChangeId::HOUSE`], so that who switched a mode or read another configuration is proved by the same chain as what was written.

use crate::model::{limits::Mode, metric::Key, verdict::Outcome};
use serde::{Deserialize, Serialize};

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
    },
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

impl Note {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Note::Started { version, mode, config } => {
                let short = config.get(..12).unwrap_or(config);
                format!("trimtab {version} started in mode {}, configuration {short}", mode.words())
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
