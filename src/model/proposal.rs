//! Proposals: candidate changes, with reason, expectation and risk. Pure words; the plan with exact values comes from `prepare`.

use crate::model::{change::ChangeId, finding::FindingId, subject::Subject, trial::Trial};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};

/// How much can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Risk {
    /// One process or cgroup, instant undo.
    Low,
    /// Host-wide or service-wide, instant undo.
    Medium,
    /// Data or availability, or slow or no undo. Needs a typed code.
    High,
}

impl Risk {
    /// Its name.
    pub fn words(self) -> &'static str {
        match self {
            Risk::Low => "low",
            Risk::Medium => "medium",
            Risk::High => "high",
        }
    }
}

/// What two changes may not touch at the same time, since their effects could not be told apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Domain {
    Cpu,
    Memory,
    Storage,
    Network,
}

/// One wished setting; the action knows which knob of the subject it means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Want {
    /// On what.
    pub on: Subject,
    /// The value wished, in the knob's canonical text.
    pub to: String,
}

/// What becomes of a change once it is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Course {
    /// It is watched, then kept or undone by its verdict.
    #[default]
    Judged,
    /// It writes down for later boots what that change set, was judged to help and was kept. At runtime it changes nothing, so nothing
    /// judges it: it stands once it is read back.
    Lasting(ChangeId),
}

impl Course {
    /// True for the usual one; it is not written down.
    pub fn is_usual(&self) -> bool {
        *self == Course::Judged
    }

    /// True when the change is watched and judged.
    pub fn is_watched(self) -> bool {
        self == Course::Judged
    }

    /// The change whose setting this one makes lasting.
    pub fn parent(self) -> Option<ChangeId> {
        match self {
            Course::Lasting(parent) => Some(parent),
            Course::Judged => None,
        }
    }
}

/// A candidate change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Name of the action, such as `autogroup`.
    pub action: Arc<str>,
    /// The finding that it answers.
    pub finding: FindingId,
    /// One line, such as `autogroup nice 19 for 6 x python3`; at most 60 characters.
    pub title: String,
    /// Why this knob, from the evidence: one or two sentences.
    pub why: String,
    /// How it works: one sentence.
    pub mechanism: String,
    /// What should happen, in words with a number.
    pub expect: String,
    /// How it is undone and what that costs.
    pub undo: String,
    /// The settings.
    pub wants: Vec<Want>,
    /// Risk.
    pub risk: Risk,
    /// True when undo restores the state exactly and at once.
    pub reversible: bool,
    /// What else must not change meanwhile.
    pub domain: Domain,
    /// How it will be judged.
    pub trial: Trial,
    /// Rank among the proposals of one finding, 0 to 1, highest first; the action's own belief that it is the right knob here.
    pub fit: f64,
    /// Seconds before the same knobs may be touched again.
    pub cooldown: f64,
    /// An operator asked for it by hand: it answers no finding, is judged by nothing, and stands once it is read back.
    #[serde(default)]
    pub asked: bool,
    /// It answers trouble that has not come yet: confidence of the forecast that it stands on, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreseen: Option<f64>,
    /// What becomes of it once it is applied.
    #[serde(default, skip_serializing_if = "Course::is_usual")]
    pub course: Course,
}

impl Proposal {
    /// Two proposals of the same name and subjects for the same finding are the same advice, whatever the numbers in their text.
    pub fn same_advice(&self, other: &Proposal) -> bool {
        // Subjects come in the order of their shares, which dance from look to look: their order is no difference.
        let subjects = |proposal: &'_ Proposal| proposal.wants.iter().map(|want| want.on.clone()).collect::<BTreeSet<Subject>>();
        self.action == other.action && self.finding == other.finding && subjects(self) == subjects(other)
    }
}
