//! What the brain takes and what it gives: two closed enums. Everything that the engine ever does is an answer to one of these inputs.

use crate::{
    engine::{
        job::{Done, Job},
        notify::notice::Notice,
    },
    model::{
        alert::Kept,
        change::Who,
        message::{Command, Reply, View},
        outlook::Outlook,
        sample::{Sample, SourceName},
        time::{Now, Tick},
        week::Week,
    },
    sources::source::Lane,
};
use std::{sync::Arc, time::Duration};

/// A command that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A job that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobNumber(pub u64);

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A source was read, or could not be, and why.
    Sampled {
        /// Which.
        source: SourceName,
        /// When the reading was done.
        at: Now,
        /// What it gave.
        sample: Result<Sample, Arc<str>>,
    },
    /// A lane has read all of its sources once.
    Passed {
        /// Which.
        lane: Lane,
        /// When.
        now: Now,
    },
    /// What this process has used, for its own cost.
    Weighed {
        /// When.
        at: Tick,
        /// Cpu nanoseconds since it started.
        cpu: u64,
        /// Resident bytes.
        resident: u64,
    },
    /// An operator wants something.
    Commanded {
        /// To answer under.
        ticket: Ticket,
        /// Who.
        who: Who,
        /// What.
        command: Command,
    },
    /// The hands have done a job, or found what others (the guard) have written; those come without a number.
    Performed {
        /// Which job.
        job: Option<JobNumber>,
        /// What came of it.
        done: Box<Done>,
    },
    /// The history cannot be written, and why; or it can be again.
    History(Option<Arc<str>>),
    /// A receiver of alerts could not be reached, or can be again.
    Notified {
        /// Which.
        target: String,
        /// Why not; `None` when it was reached.
        error: Option<String>,
    },
    /// The thread that looks ahead has had its turn after a sweep.
    Foreseen {
        /// What it sees, if that is another outlook than before.
        outlook: Option<Arc<Outlook>>,
        /// Cpu nanoseconds that it has used.
        cpu: u64,
    },
    /// How forecasts did cannot be kept, and why; or it can be again.
    Foresight(Option<Arc<str>>),
    /// The stop file came (true) or went.
    Halted(bool),
    /// Time has passed and nothing else came.
    Ticked {
        /// When.
        now: Now,
    },
    /// The engine is to end: undo what nobody confirmed and what was made for this run only.
    Stopped {
        /// Answered when nothing is left to undo.
        ticket: Ticket,
    },
}

/// What is to be done about it.
#[derive(Debug)]
pub enum Effect {
    /// Show this.
    Publish(Arc<View>),
    /// Give this to the hands.
    Perform {
        /// Under this number.
        job: JobNumber,
        /// What.
        what: Job,
    },
    /// Ask the hands for entries that others have written.
    LookForeign,
    /// Answer a command.
    Reply {
        /// Which.
        ticket: Ticket,
        /// What.
        reply: Reply,
    },
    /// Sweep the host so often from now on.
    SweepEvery(Duration),
    /// Tell the receivers.
    Notify(Notice),
    /// Keep the alerts on disk.
    KeepAlerts(Arc<Kept>),
    /// Keep the host's week on disk.
    KeepWeek(Arc<Week>),
    /// Write a line into the log.
    Log(log::Level, String),
}
