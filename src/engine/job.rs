//! What the brain asks of the hands, and what the hands answer.
//!
//! The hands write the journal and touch the machine; the brain does neither. Its changes are the fold of the entries that the hands
//! report as durable, so that a state never runs ahead of the journal.

use crate::model::{
    change::{Cause, ChangeId, Deed, Entry, Who},
    finding::Finding,
    message::GuardState,
    plan::{Held, Plan, Refusal},
    proposal::Proposal,
    trial::Leg,
};
use std::time::Duration;

/// One piece of work. Jobs are done one at a time, in order, on the hands' thread; rollbacks overtake all others.
#[derive(Clone, Debug)]
pub enum Job {
    /// Write deeds into the journal; nothing else.
    Record(Vec<(ChangeId, Deed, Who)>),
    /// Prepare without writing anything, to show diff and locks.
    Preview(ChangeId, Box<Proposal>),
    /// Prepare again, compare with the approved digest, arm the guard, journal the intent, apply, read back, journal the outcome. What
    /// fails on the way is undone at once.
    Apply(Box<Apply>),
    /// Journal, undo, journal. With a journal that cannot be written it is undone all the same; then `journal_down` is set and the change
    /// stays as it was in the fold, until a later rollback (of nothing) is written down.
    RollBack {
        /// Which.
        change: ChangeId,
        /// Its plan, from the journal.
        plan: Box<Plan>,
        /// Why.
        cause: Cause,
        /// Who wants it.
        who: Who,
    },
    /// Journal, then set the knobs of a watched change back for a while, or anew, so that it is judged by the difference. What fails on
    /// the way is undone for good.
    Switch {
        /// Which.
        change: ChangeId,
        /// Its plan, from the journal.
        plan: Box<Plan>,
        /// Out of force, or into it.
        to: Leg,
    },
    /// Journal, prepare and carry out what an operator asks for by hand, to its end.
    Carry(Box<Carry>),
    /// Journal that a change is kept, and take it out of the guard's hands.
    Keep(ChangeId, Who),
    /// Put the stop file there (true) or take it away, and journal that.
    Halt(bool, Who),
    /// Read the knobs of a live change back.
    Verify(ChangeId, Box<Plan>),
    /// Make the plans of these rungs and hold their knobs open, against an emergency; nothing is written.
    Ready(Vec<Proposal>),
    /// Climb a rung: journal as well as can be, arm the guard as well as can be, carry out, journal. Nothing is waited for.
    Climb(Box<Climb>),
}

/// A rung to climb.
#[derive(Clone, Debug)]
pub struct Climb {
    /// As which change.
    pub change: ChangeId,
    /// What.
    pub proposal: Proposal,
    /// The emergency.
    pub finding: Finding,
    /// Who said so.
    pub who: Who,
    /// From now to the guard's deadline, should the engine fall silent.
    pub confirm: Duration,
}

/// An application to carry out.
#[derive(Clone, Debug)]
pub struct Apply {
    /// Which change.
    pub change: ChangeId,
    /// What.
    pub proposal: Proposal,
    /// Digest of the plan that was approved.
    pub digest: String,
    /// Who said so.
    pub who: Who,
    /// From apply to the guard's deadline.
    pub confirm: Duration,
    /// Undo when this run ends.
    pub leave: bool,
}

/// What an operator asks for by hand.
#[derive(Clone, Debug)]
pub struct Carry {
    /// As which change.
    pub change: ChangeId,
    /// What.
    pub proposal: Proposal,
    /// What stands for its reason.
    pub finding: Finding,
    /// Who asks.
    pub who: Who,
    /// From apply to the guard's deadline.
    pub confirm: Duration,
    /// Undo when this run ends.
    pub leave: bool,
}

/// A plan and its digest, or why there is none.
pub type Preview = Result<(Plan, String), Refusal>;

/// What came of a job. `entries` are in the journal, durable, in order, and each is reported once, also those that another process (the
/// guard) wrote meanwhile; the fold takes them whatever else happened.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Journaled.
    pub entries: Vec<(u64, Entry)>,
    /// Of a preview: the plan and its digest, or why not.
    pub preview: Option<(ChangeId, Preview)>,
    /// Of readying: each rung, in the order asked, and why it cannot be climbed, if so.
    pub ready: Option<Vec<Option<Refusal>>>,
    /// Of a verify.
    pub held: Option<(ChangeId, Held)>,
    /// How the guard stands after it.
    pub guard: Option<GuardState>,
    /// The job was not done, or not to its end, and why, in words for the operator. A refusal that is a journaled deed is not one.
    pub error: Option<String>,
    /// The journal cannot be written: no new change is begun until it can.
    pub journal_down: bool,
}
