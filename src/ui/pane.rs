//! The panes of the overview and the whole-screen pages.

use crate::model::{alert::AlertId, change::ChangeId, finding::FindingId, metric::Key, subject::ProcessId};
use serde::Deserialize;
use std::sync::Arc;

/// A pane; its number is the key that focuses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[allow(missing_docs)]
pub enum Pane {
    Cpu,
    Memory,
    Network,
    Storage,
    Processes,
    Services,
    Findings,
    Queue,
    Log,
}

impl Pane {
    /// All, in the order of their numbers.
    pub const ALL: [Pane; 9] = [
        Pane::Cpu,
        Pane::Memory,
        Pane::Network,
        Pane::Storage,
        Pane::Processes,
        Pane::Services,
        Pane::Findings,
        Pane::Queue,
        Pane::Log,
    ];

    /// Its number, from 1.
    pub fn number(self) -> usize {
        self as usize + 1
    }

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Pane::Cpu => "CPU",
            Pane::Memory => "Memory",
            Pane::Network => "Network",
            Pane::Storage => "Storage",
            Pane::Processes => "Processes",
            Pane::Services => "Services",
            Pane::Findings => "Findings",
            Pane::Queue => "Queue",
            Pane::Log => "Log",
        }
    }

    /// The pane after (`1`) or before (`8`) it, in a ring.
    pub fn along(self, by: usize) -> Pane {
        Pane::ALL.get((self as usize + by) % Pane::ALL.len()).copied().unwrap_or(self)
    }

    /// True for those of the right column.
    pub fn is_right(self) -> bool {
        matches!(self, Pane::Services | Pane::Findings | Pane::Queue | Pane::Log)
    }
}

/// What fills the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// The panes.
    Overview,
    /// One finding with its evidence.
    Finding(FindingId),
    /// One change with everything about it.
    Change(ChangeId),
    /// Before and after one change, and whether its values still stand.
    Verify(ChangeId),
    /// Each phase of a change's cycle.
    Phases(ChangeId),
    /// One process.
    Process(ProcessId),
    /// One control group, by path.
    Cgroup(Arc<str>),
    /// Two windows of time side by side.
    Compare,
    /// Where numbers are heading.
    Forecasts,
    /// Where one number is heading.
    Forecast(Key),
    /// What is behind the trouble: stories, links, patterns.
    Causes,
    /// Two numbers that move together.
    Link(Key, Key),
    /// Alerts.
    Alerts,
    /// One alert.
    Alert(AlertId),
    /// The journal.
    Audit,
    /// What changes taught.
    Learned,
    /// Keys.
    Help,
}
