//! Emergencies (catalogue E1 to E7): what leaves no time for approval and statistics, and the ladder of rungs against each.
//!
//! A rung is the next, harder thing to do. It is climbed only while the one before it brought no relief, and never beyond what the
//! configuration allows.

use crate::model::{change::ChangeId, finding::FindingKind, proposal::Want, time::Wall};
use serde::{Deserialize, Serialize};

/// The kinds of emergency that have a ladder. E7 (undo everything and hold) has none: it is a deed of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EmergencyKind {
    /// E1: all tasks wait for memory, or none is left.
    Memory,
    /// E2: a filesystem is full, or will be within minutes.
    Space,
    /// E3: processes multiply until no number is left.
    Forks,
    /// E4: everybody waits for the disk.
    Io,
    /// E5: connections flood in.
    Connections,
    /// E6: the processor protects itself from heat.
    Heat,
}

impl EmergencyKind {
    /// Every kind, in the order of the catalogue.
    pub const ALL: [EmergencyKind; 6] = [
        EmergencyKind::Memory,
        EmergencyKind::Space,
        EmergencyKind::Forks,
        EmergencyKind::Io,
        EmergencyKind::Connections,
        EmergencyKind::Heat,
    ];

    /// Its row in the catalogue.
    pub fn row(self) -> &'static str {
        match self {
            EmergencyKind::Memory => "E1",
            EmergencyKind::Space => "E2",
            EmergencyKind::Forks => "E3",
            EmergencyKind::Io => "E4",
            EmergencyKind::Connections => "E5",
            EmergencyKind::Heat => "E6",
        }
    }

    /// The kind of finding that it is shown as.
    pub fn finding(self) -> FindingKind {
        match self {
            EmergencyKind::Memory => FindingKind::EmergencyMemory,
            EmergencyKind::Space => FindingKind::EmergencySpace,
            EmergencyKind::Forks => FindingKind::EmergencyForks,
            EmergencyKind::Io => FindingKind::EmergencyIo,
            EmergencyKind::Connections => FindingKind::EmergencyConnections,
            EmergencyKind::Heat => FindingKind::EmergencyHeat,
        }
    }
}

/// How far a rung reaches, mildest first; the configuration names the last one that may be climbed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reach {
    /// Slowed down or limited; undone exactly.
    Ease,
    /// Paused; undone exactly.
    #[default]
    Freeze,
    /// Asked to end (SIGTERM); cannot be undone.
    Term,
    /// Ended (SIGKILL); cannot be undone.
    Kill,
}

impl Reach {
    /// Its name in running text.
    pub fn words(self) -> &'static str {
        match self {
            Reach::Ease => "ease",
            Reach::Freeze => "freeze",
            Reach::Term => "term",
            Reach::Kill => "kill",
        }
    }

    /// True when what it does is undone once the emergency is over.
    pub fn is_reversible(self) -> bool {
        self <= Reach::Freeze
    }
}

/// Where a rung stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RungState {
    /// Its turn has not come.
    #[default]
    Waiting,
    /// It cannot or may not be climbed here, and why.
    Barred(String),
    /// Being done.
    UnderWay,
    /// Done; in force, if it can be undone.
    Stands,
    /// Taken back.
    Undone,
    /// It failed, and why.
    Failed(String),
}

impl RungState {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            RungState::Waiting => "not yet".into(),
            RungState::Barred(why) => format!("not here: {why}"),
            RungState::UnderWay => "being done".into(),
            RungState::Stands => "done".into(),
            RungState::Undone => "taken back".into(),
            RungState::Failed(why) => format!("failed: {why}"),
        }
    }
}

/// One rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// How far it reaches.
    pub reach: Reach,
    /// What it does, such as `freeze /batch/hog`; at most 60 characters.
    pub title: String,
    /// The settings; the action `rescue` knows their words.
    pub wants: Vec<Want>,
    /// Where it stands.
    pub state: RungState,
    /// The change that it became.
    pub change: Option<ChangeId>,
}

/// How an emergency goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Nobody has said yes; nothing is done.
    Proposed,
    /// A rung is being climbed, or its effect awaited.
    Climbing,
    /// It got better: no further rung. What was done stands until it is over.
    Relieved,
    /// Nothing is left that may be done, and why.
    Spent(String),
}

impl Stage {
    /// In one word or two.
    pub fn short(&self) -> &'static str {
        match self {
            Stage::Proposed => "waits for you",
            Stage::Climbing => "being fought",
            Stage::Relieved => "relieved",
            Stage::Spent(_) => "NOT RELIEVED",
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Stage::Proposed => "waits for a yes".into(),
            Stage::Climbing => "being fought".into(),
            Stage::Relieved => "relieved; undone once it is over".into(),
            Stage::Spent(why) => format!("no rung left: {why}"),
        }
    }
}

/// An emergency that holds now, with its ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emergency {
    /// Which.
    pub kind: EmergencyKind,
    /// One line: what is wrong.
    pub headline: String,
    /// Since when.
    pub since: Wall,
    /// How it goes.
    pub stage: Stage,
    /// The rungs, in their order.
    pub ladder: Vec<Rung>,
}

impl Emergency {
    /// What would be done, in one line: `reclaim, high and freeze of /batch/hog`.
    pub fn promise(&self) -> String {
        let open: Vec<&str> =
            self.ladder.iter().filter(|rung| rung.state == RungState::Waiting).map(|rung| rung.title.as_str()).collect();
        if open.is_empty() { "nothing that may be done here".into() } else { open.join(", then ") }
    }
}
