//! What engine and consoles say to each other: the only meeting point of `ui` and `engine`, and the wire of `link`.

use crate::model::{
    alert::{Alert, AlertId},
    change::{Change, ChangeId, Entry},
    emergency::{Emergency, EmergencyKind},
    facts::Facts,
    finding::Finding,
    inspection::Inspection,
    lesson::Lessons,
    limits::{Budget, Mode},
    metric::Key,
    outlook::{Forecast, Outlook},
    past::{Mark, Past, Trace},
    role::Role,
    series::Point,
    snapshot::Snapshot,
    subject::ProcessId,
    time::{Now, Wall},
    verdict::Trust,
    wish::Wish,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Version of the wire. Both sides name theirs first; unequal versions part with a clear error.
pub const WIRE: u32 = 4;

/// What an operator asks the engine to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Approve a proposal as it was shown: `digest` of the plan, so that a re-planned one is not approved unseen. `None` (command
    /// line) approves the present plan.
    Approve {
        /// Which.
        change: ChangeId,
        /// Digest shown.
        digest: Option<String>,
    },
    /// Take an approval back.
    Unapprove(ChangeId),
    /// Dismiss a proposal.
    Reject(ChangeId),
    /// Apply an approved change.
    Apply {
        /// Which.
        change: ChangeId,
        /// Digest shown.
        digest: Option<String>,
    },
    /// Keep a change that is being watched, now, on the operator's word.
    Keep(ChangeId),
    /// Roll back one change.
    RollBack(ChangeId),
    /// PANIC (E7): roll back everything that is live, newest first, and hold: nothing new until an operator switches the mode.
    RollBackAll,
    /// Climb the ladder of an emergency that holds, as far as the configuration allows.
    Rescue(EmergencyKind),
    /// Switch the mode.
    SetMode(Mode),
    /// Sweep the host so often: milliseconds from one sweep to the next.
    Interval(u32),
    /// Somebody knows of an alert.
    Acknowledge(AlertId),
    /// Somebody wants to hear of an alert later.
    Snooze {
        /// Which.
        alert: AlertId,
        /// After so many seconds; without, when it comes again after it was over.
        seconds: Option<u64>,
    },
    /// Do what an operator asks for by hand.
    Wish(Wish),
    /// Put the stop file there (true) or take it away.
    Halt(bool),
}

/// The engine's answer to a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// Done, or begun: one line for the operator.
    Done(String),
    /// Not done, and why: one line with what to do.
    Refused(String),
}

/// What trimtab itself costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Cores used over the last window, all threads.
    pub cpu: f64,
    /// Resident bytes.
    pub resident: u64,
    /// What it may cost.
    #[serde(default)]
    pub budget: Budget,
    /// How often the host is swept.
    #[serde(default)]
    pub pace: Pace,
}

/// How often the host is swept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// Seconds between sweeps that the operator wants.
    pub asked: f64,
    /// Seconds between sweeps in force.
    pub sweep: f64,
    /// Why that is slower.
    pub slow: Option<Slow>,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { asked: 1.0, sweep: 1.0, slow: None }
    }
}

/// Why trimtab slows itself down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Slow {
    /// It uses more cpu than its budget.
    Budget,
    /// Tasks wait for cpu, and so does trimtab.
    Starved,
    /// Everybody waits for memory.
    Full,
}

impl Slow {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Slow::Budget => "over its budget",
            Slow::Starved => "host is starved",
            Slow::Full => "memory is full",
        }
    }
}

/// How the guard stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum GuardState {
    /// Not running; started with the first apply.
    #[default]
    Idle,
    /// Running with that pid, holding so many plans.
    Armed {
        /// Its pid.
        pid: u32,
        /// Unconfirmed changes in its hands.
        plans: usize,
    },
    /// It could not be started, or died: no change is applied meanwhile.
    Failed(String),
}

/// Everything a screen shows, published after each sweep and each deed. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Counts publications.
    pub number: u64,
    /// When.
    pub now: Now,
    /// Mode in force.
    pub mode: Mode,
    /// Facts.
    pub facts: Arc<Facts>,
    /// The newest sweep.
    pub snapshot: Arc<Snapshot>,
    /// Findings that hold, most pressing first.
    pub findings: Arc<Vec<Finding>>,
    /// Changes: open and live ones, and the newest ended ones, newest first.
    pub changes: Arc<Vec<Arc<Change>>>,
    /// What is wrong with trimtab itself, such as a journal that cannot be written; shown in the header.
    pub problems: Vec<String>,
    /// The stop file, while it is there: nothing new is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halted: Option<String>,
    /// Its cost.
    pub cost: Cost,
    /// The guard.
    pub guard: GuardState,
    /// Pid of the engine.
    pub engine: u32,
    /// Alerts that hold or wait, then the newest that are over.
    #[serde(default)]
    pub alerts: Arc<Vec<Arc<Alert>>>,
    /// What is coming and what is odd. On the wire only where it is another one than in the view before.
    #[serde(default)]
    pub outlook: Option<Arc<Outlook>>,
    /// Emergencies that hold, each with its ladder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emergencies: Vec<Emergency>,
    /// Who watches through the socket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub present: Vec<Present>,
    /// How often the judge cries wolf here; `None` before the first trial of nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
}

/// Somebody who watches through the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// Name of the user, from the socket.
    pub user: Arc<str>,
    /// How they say that they came.
    pub via: Arc<str>,
    /// What they may ask.
    pub role: Role,
}

/// The first thing a console gets: the present view and the history of the charts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    /// The present view.
    pub view: View,
    /// History of every key but those of processes.
    pub history: Vec<(Key, Vec<Point>)>,
    /// What who is welcomed may ask.
    #[serde(default)]
    pub role: Role,
}

/// A question on the socket, one JSON object a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// [`WIRE`].
    pub wire: u32,
    /// Echoed in the answer.
    pub id: u64,
    /// How the asker came, such as `ssh 10.0.0.7`; shown, not trusted. The user is taken from the socket.
    pub via: String,
    /// What.
    pub ask: Ask,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Ask {
    /// A welcome, then views for as long as the connection lives.
    Watch,
    /// The present view, once.
    View,
    /// Do something.
    Do(Command),
    /// The newest journal entries, oldest first.
    Audit {
        /// At most so many.
        most: usize,
    },
    /// A close look at one process, now.
    Inspect(ProcessId),
    /// The view as it was.
    Past {
        /// The newest stored instant at or before this time, or the oldest there is.
        at: Wall,
    },
    /// The course of some numbers.
    Trace {
        /// Which.
        keys: Vec<Key>,
        /// From here.
        from: Wall,
        /// Up to here.
        to: Wall,
        /// In so many steps.
        points: usize,
    },
    /// Every finding and every deed on a change in a stretch of time, oldest first.
    Marks {
        /// From here.
        from: Wall,
        /// Up to and with here.
        to: Wall,
    },
    /// Write a stretch of the history into a file of its own, for somebody else to look at.
    WriteSnapshot {
        /// An absolute path that does not exist yet.
        file: String,
        /// From here.
        from: Wall,
        /// Up to and with here.
        to: Wall,
    },
    /// The present numbers in a text format of Prometheus.
    Metrics(Exposition),
    /// All that was learned from changes, and how long things take.
    Learned,
    /// The course ahead of one number.
    Forecast {
        /// Which: [`Key::path`], such as `disk_read:vda`.
        of: String,
        /// How far ahead, in seconds, at most [`crate::model::limits::Foresight::LONGEST`].
        horizon: f64,
    },
}

/// A text format of Prometheus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exposition {
    /// OpenMetrics 1.0: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.
    OpenMetrics,
    /// The format before it, 0.0.4, which node_exporter's textfile collector reads.
    Text,
}

/// An answer on the socket, one JSON object a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// [`WIRE`].
    pub wire: u32,
    /// Of the request; 0 for an error before one was understood.
    pub id: u64,
    /// What.
    pub body: Body,
}

/// What can be answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// To [`Ask::Watch`], first.
    Welcome(Box<Welcome>),
    /// To [`Ask::View`], and to [`Ask::Watch`] from then on.
    View(Box<View>),
    /// To [`Ask::Do`] and [`Ask::WriteSnapshot`].
    Reply(Reply),
    /// To [`Ask::Audit`]: number and entry.
    Audit(Vec<(u64, Entry)>),
    /// To [`Ask::Inspect`].
    Inspected(Box<Inspection>),
    /// To [`Ask::Past`].
    Past(Box<Past>),
    /// To [`Ask::Trace`].
    Trace(Trace),
    /// To [`Ask::Marks`].
    Marks(Vec<Mark>),
    /// To [`Ask::Metrics`].
    Metrics(String),
    /// To [`Ask::Learned`].
    Learned(Box<Lessons>),
    /// To [`Ask::Forecast`].
    Forecast(Box<Forecast>),
    /// The request could not be understood or served.
    Error(String),
}
