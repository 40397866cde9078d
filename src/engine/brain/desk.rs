//! Jobs under way: what each is for, what follows when it is done, and which commands wait for it.

use crate::{
    engine::input::{JobNumber, Ticket},
    model::{
        change::{Cause, ChangeId, Who},
        message::Reply,
    },
};
use std::collections::BTreeMap;

/// What a job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A new proposal is written down.
    Propose,
    /// Diff and locks are looked up.
    Preview,
    /// An approval is written down.
    Approve,
    /// The first of two approvals is written down.
    Endorse,
    /// It is taken back.
    Unapprove,
    /// A proposal is dismissed.
    Reject,
    /// A proposal has lived too long.
    Expire,
    /// The change is carried out.
    Apply,
    /// What an operator asks for by hand is carried out, from proposal to end.
    Carry,
    /// The begin of measuring is written down.
    Watch,
    /// It is switched off or on, to be judged.
    Switch,
    /// A verdict is written down.
    Judge,
    /// It is kept.
    Keep,
    /// It is undone.
    RollBack,
    /// Its knobs are read back.
    Verify,
    /// A foreign value was found on its knobs.
    Yield,
    /// The stop file is put there or taken away; about no change.
    Halt,
    /// Something that happened to the engine itself is written down; about no change.
    Note,
    /// A rung of an emergency's ladder is climbed.
    Climb,
    /// Ladders are made ready; about no change.
    Ready,
    /// Nothing is written, to see whether the journal takes it; about no change.
    Probe,
}

impl Purpose {
    /// True for jobs that only look; any number of deeds may go on beside them.
    pub fn looks_only(self) -> bool {
        matches!(self, Purpose::Preview | Purpose::Verify | Purpose::Ready)
    }

    /// Its name in running text.
    pub fn words(self) -> &'static str {
        match self {
            Purpose::Propose => "written down",
            Purpose::Preview => "previewed",
            Purpose::Approve => "approved",
            Purpose::Endorse => "endorsed",
            Purpose::Unapprove => "unapproved",
            Purpose::Reject => "rejected",
            Purpose::Expire => "expired",
            Purpose::Apply => "applied",
            Purpose::Carry => "carried out",
            Purpose::Watch => "watched",
            Purpose::Switch => "switched",
            Purpose::Judge => "judged",
            Purpose::Keep => "kept",
            Purpose::RollBack => "rolled back",
            Purpose::Verify => "verified",
            Purpose::Yield => "given up",
            Purpose::Halt => "halted",
            Purpose::Note => "noted",
            Purpose::Climb => "climbed",
            Purpose::Ready => "made ready",
            Purpose::Probe => "tried",
        }
    }
}

/// What follows when a job is done, well or not.
#[derive(Clone, Debug, PartialEq)]
pub enum Then {
    /// Apply it (auto mode, after the approval).
    Apply,
    /// Keep it (after the verdict).
    Keep,
    /// Undo it; those wait for that.
    RollBack(Cause, Who, Vec<Ticket>),
}

/// A job under way.
#[derive(Clone, Debug)]
pub struct Errand {
    /// About which change.
    pub change: ChangeId,
    /// What for.
    pub purpose: Purpose,
    /// What follows.
    pub then: Option<Then>,
    /// Who waits for it.
    pub askers: Vec<Ticket>,
}

/// A command that waits for one job or more.
#[derive(Debug, Default)]
struct Waiting {
    left: usize,
    said: Vec<String>,
    refused: bool,
}

/// All jobs under way. At most one deed per change at a time, so that a double press is one deed.
#[derive(Debug, Default)]
pub struct Desk {
    errands: BTreeMap<JobNumber, Errand>,
    waiting: BTreeMap<Ticket, Waiting>,
    newest: u64,
}

impl Desk {
    /// Takes an errand and gives it a number.
    pub fn open(&mut self, errand: Errand) -> JobNumber {
        self.newest += 1;
        self.errands.insert(JobNumber(self.newest), errand);
        JobNumber(self.newest)
    }

    /// Ends an errand.
    pub fn close(&mut self, job: JobNumber) -> Option<Errand> {
        self.errands.remove(&job)
    }

    /// The deed under way on a change.
    pub fn deed(&self, change: ChangeId) -> Option<&Errand> {
        self.errands.values().find(|e| e.change == change && !e.purpose.looks_only())
    }

    /// Counts one more deed that a command waits for.
    pub fn expect(&mut self, ticket: Ticket) {
        self.waiting.entry(ticket).or_default().left += 1;
    }

    /// One more asks for the deed that is under way on a change.
    pub fn join(&mut self, change: ChangeId, asker: Ticket) {
        if let Some(errand) = self.deed_mut(change) {
            errand.askers.push(asker);
        }
    }

    /// Undo follows the deed that is under way on a change, instead of what was to follow.
    pub fn undo_after(&mut self, change: ChangeId, why: (Cause, Who), mut askers: Vec<Ticket>) {
        let Some(errand) = self.deed_mut(change) else { return };
        if let Some(Then::RollBack(_, _, before)) = errand.then.take() {
            askers.extend(before);
        }
        errand.then = Some(Then::RollBack(why.0, why.1, askers));
    }

    fn deed_mut(&mut self, change: ChangeId) -> Option<&mut Errand> {
        self.errands.values_mut().find(|e| e.change == change && !e.purpose.looks_only())
    }

    /// Whether a job of that purpose is under way for a change (any, with `None`).
    pub fn busy(&self, purpose: Purpose, change: Option<ChangeId>) -> bool {
        self.errands.values().any(|e| e.purpose == purpose && change.is_none_or(|id| e.change == id))
    }

    /// The changes that jobs of that purpose are about.
    pub fn about(&self, purpose: Purpose) -> impl Iterator<Item = ChangeId> + '_ {
        self.errands.values().filter(move |e| e.purpose == purpose).map(|e| e.change)
    }

    /// One of the jobs that a command waits for is done; the answer when it was the last.
    pub fn answer(&mut self, ticket: Ticket, reply: Reply) -> Option<Reply> {
        let waiting = self.waiting.get_mut(&ticket)?;
        waiting.left = waiting.left.saturating_sub(1);
        match reply {
            Reply::Done(text) => waiting.said.push(text),
            Reply::Refused(text) => {
                waiting.refused = true;
                waiting.said.push(text);
            }
        }
        if waiting.left > 0 {
            return None;
        }
        let Waiting { said, refused, .. } = self.waiting.remove(&ticket)?;
        let text = said.join("; ");
        Some(if refused { Reply::Refused(text) } else { Reply::Done(text) })
    }
}
