//! Changes: proposals on their way through the states, moved only by deeds. The state of a change is the fold of its journal.

use crate::model::{
    finding::Finding,
    lesson::Prospects,
    note::Note,
    plan::{Held, Plan, Refusal},
    proposal::Proposal,
    rule::Decision,
    series::Point,
    time::{Now, Tick, Wall},
    trial::Leg,
    verdict::{Foresight, Verdict},
};
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt};

/// Number of a change, unique in a journal, shown as `#12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChangeId(pub u64);

impl ChangeId {
    /// No change: what [`Deed::Noted`] is filed under.
    pub const HOUSE: ChangeId = ChangeId(0);
}

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Who {
    /// A person: user name, and how they came (`SUDO_USER`, `SSH_CONNECTION`), as far as known.
    Operator {
        /// User name or number.
        user: String,
        /// Such as `console`, `socket`, `ssh 10.0.0.7`.
        via: String,
    },
    /// The engine by itself.
    Engine,
    /// The guard process.
    Guard,
    /// Recovery after a crash.
    Recovery,
}

impl Who {
    /// The name of the person; of a part of trimtab, its own.
    pub fn user(&self) -> &str {
        match self {
            Who::Operator { user, .. } => user,
            Who::Engine => "engine",
            Who::Guard => "guard",
            Who::Recovery => "recovery",
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Who::Operator { user, via } => write!(f, "{user} ({via})"),
            Who::Engine => f.write_str("engine"),
            Who::Guard => f.write_str("guard"),
            Who::Recovery => f.write_str("recovery"),
        }
    }
}

/// Where a change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs)] // each is explained by the table in `ChangeState::next`
pub enum ChangeState {
    Proposed,
    Approved,
    Prepared,
    Applying,
    Applied,
    Watching,
    Kept,
    RollingBack,
    RolledBack,
    Rejected,
    Refused,
    Expired,
    Yielded,
    Stuck,
    Done,
}

/// Why a rollback began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// The operator asked.
    Operator,
    /// A guardrail or the primary got worse.
    Hurt,
    /// No benefit was shown.
    NoEffect,
    /// Nobody confirmed by the deadline.
    Deadline,
    /// The engine that watched it ended.
    LostWatcher,
    /// A step of apply failed.
    ApplyFailed,
    /// The value did not read back.
    NotHeld,
    /// Metrics were missing for too long.
    NoData,
    /// PANIC: everything.
    Panic,
    /// The run that it was made for ends (demo).
    Leaving,
    /// The machine was started anew: what was set in memory is gone with the old boot.
    Reboot,
    /// The emergency that it was done against is over.
    Over,
    /// A kept change harmed a guardrail, slowly enough to be seen only after the verdict.
    LateHarm,
}

impl Cause {
    /// Its name in running text.
    pub fn words(self) -> &'static str {
        match self {
            Cause::Operator => "by the operator",
            Cause::Hurt => "it hurt",
            Cause::NoEffect => "no benefit shown",
            Cause::Deadline => "nobody confirmed in time",
            Cause::LostWatcher => "its watcher ended",
            Cause::ApplyFailed => "a step failed",
            Cause::NotHeld => "the value did not read back",
            Cause::NoData => "no data to judge by",
            Cause::Panic => "everything is rolled back",
            Cause::Leaving => "the run ends",
            Cause::Reboot => "a reboot had undone it",
            Cause::Over => "the emergency is over",
            Cause::LateHarm => "it hurt in the end",
        }
    }
}

/// What happened to a change. Each is a journal entry; each moves the state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Deed {
    /// Came into the queue.
    Proposed {
        /// What.
        proposal: Box<Proposal>,
        /// The finding as it stood.
        finding: Box<Finding>,
    },
    /// Approved, bound to a digest of plan and evidence.
    Approved {
        /// Digest of [`Plan::essence`] of the plan that was shown.
        digest: String,
    },
    /// The first of two approvals, of a change that needs two: the second comes from somebody else and is [`Deed::Approved`].
    Endorsed {
        /// Digest of [`Plan::essence`] of the plan that was shown.
        digest: String,
    },
    /// An approval was taken back before apply.
    Unapproved,
    /// Dismissed by the operator.
    Rejected,
    /// Lived too long, or its finding ended.
    Expired,
    /// Could not be done.
    Refused(Refusal),
    /// `prepare` read the machine and made the plan.
    Prepared,
    /// Intent, durable before the first write.
    ApplyStarted {
        /// The whole plan.
        plan: Box<Plan>,
        /// When the guard rolls back unless confirmed.
        deadline: Tick,
        /// Undo when the run that made it ends, even if kept (demo).
        leave: bool,
    },
    /// Every step was written and read back.
    Applied,
    /// Measuring began.
    WatchStarted,
    /// Switched off or on to be judged: intent, durable before the first write; the watch goes on.
    Switched(Leg),
    /// A verdict was reached; keep or rollback follows.
    Judged(Box<Verdict>),
    /// Kept.
    Kept,
    /// Done and over: what cannot be undone (a signal) is neither kept nor taken back.
    Done,
    /// Undo began.
    RollbackStarted(Cause),
    /// Undo is done and read back.
    RolledBack,
    /// Somebody else set the knob: hands off. Which knobs.
    Yielded(Vec<String>),
    /// Undo failed; the error, and the commands that a human can type.
    Stuck {
        /// The error.
        error: String,
        /// Commands, in order.
        commands: Vec<String>,
    },
    /// Something happened to the engine itself; under [`ChangeId::HOUSE`].
    Noted(Box<Note>),
}

/// A deed that the state does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Illegal {
    /// The state it met.
    pub state: ChangeState,
    /// The deed's name.
    pub deed: &'static str,
}

impl fmt::Display for Illegal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a change that is {} cannot be {}", self.state.words(), self.deed)
    }
}

impl Deed {
    /// Its name in running text.
    pub fn words(&self) -> &'static str {
        match self {
            Deed::Proposed { .. } => "proposed",
            Deed::Approved { .. } => "approved",
            Deed::Endorsed { .. } => "endorsed",
            Deed::Unapproved => "unapproved",
            Deed::Rejected => "rejected",
            Deed::Expired => "expired",
            Deed::Refused(_) => "refused",
            Deed::Prepared => "prepared",
            Deed::ApplyStarted { .. } => "being applied",
            Deed::Applied => "applied",
            Deed::WatchStarted => "watched",
            Deed::Switched(Leg::On) => "switched on",
            Deed::Switched(Leg::Off) => "switched off",
            Deed::Judged(_) => "judged",
            Deed::Kept => "kept",
            Deed::Done => "done",
            Deed::RollbackStarted(_) => "being rolled back",
            Deed::RolledBack => "rolled back",
            Deed::Yielded(_) => "yielded",
            Deed::Stuck { .. } => "stuck",
            Deed::Noted(_) => "noted",
        }
    }

    /// What else there is to say of it, in one line; empty for most.
    pub fn detail(&self) -> String {
        match self {
            Deed::Proposed { proposal, .. } => proposal.title.clone(),
            Deed::Refused(refusal) => refusal.why.clone(),
            Deed::RollbackStarted(cause) => cause.words().into(),
            Deed::Judged(verdict) => verdict.why.clone(),
            Deed::Yielded(knobs) => knobs.join(", "),
            Deed::Stuck { error, .. } => error.clone(),
            Deed::Noted(note) => note.words(),
            _ => String::new(),
        }
    }
}

impl ChangeState {
    /// The one transition function. `Deed::Proposed` makes a change and is legal only as its first deed, so never here.
    pub fn next(self, deed: &Deed) -> Result<ChangeState, Illegal> {
        use ChangeState as S;
        let to = match (self, deed) {
            (S::Proposed, Deed::Approved { .. }) => S::Approved,
            // The first of two approvals, and its end by time or by another plan.
            (S::Proposed, Deed::Endorsed { .. } | Deed::Unapproved) => S::Proposed,
            (S::Proposed | S::Approved, Deed::Rejected) => S::Rejected,
            (S::Proposed | S::Approved, Deed::Expired) => S::Expired,
            (S::Approved, Deed::Unapproved) => S::Proposed,
            (S::Proposed | S::Approved | S::Prepared, Deed::Refused(_)) => S::Refused,
            (S::Approved, Deed::Prepared) => S::Prepared,
            (S::Prepared, Deed::ApplyStarted { .. }) => S::Applying,
            (S::Applying, Deed::Applied) => S::Applied,
            (S::Applied, Deed::WatchStarted) => S::Watching,
            (S::Watching, Deed::Judged(_) | Deed::Switched(_)) => S::Watching,
            (S::Applied | S::Watching, Deed::Kept) => S::Kept,
            (S::Applied, Deed::Done) => S::Done,
            (S::Applying | S::Applied | S::Watching | S::Kept | S::RollingBack | S::Stuck, Deed::RollbackStarted(_)) => {
                S::RollingBack
            }
            (S::RollingBack, Deed::RolledBack) => S::RolledBack,
            (S::RollingBack | S::Applied | S::Watching | S::Kept, Deed::Yielded(_)) => S::Yielded,
            (S::RollingBack, Deed::Stuck { .. }) => S::Stuck,
            _ => return Err(Illegal { state: self, deed: deed.words() }),
        };
        Ok(to)
    }

    /// Its name.
    pub fn words(self) -> &'static str {
        match self {
            ChangeState::Proposed => "proposed",
            ChangeState::Approved => "approved",
            ChangeState::Prepared => "prepared",
            ChangeState::Applying => "applying",
            ChangeState::Applied => "applied",
            ChangeState::Watching => "watching",
            ChangeState::Kept => "kept",
            ChangeState::RollingBack => "rolling back",
            ChangeState::RolledBack => "rolled back",
            ChangeState::Rejected => "rejected",
            ChangeState::Refused => "refused",
            ChangeState::Expired => "expired",
            ChangeState::Yielded => "yielded",
            ChangeState::Stuck => "stuck",
            ChangeState::Done => "done",
        }
    }

    /// True when the machine may hold, or may come to hold, values of ours: these are what recovery, guard and rollback look at.
    pub fn is_live(self) -> bool {
        matches!(
            self,
            ChangeState::Applying
                | ChangeState::Applied
                | ChangeState::Watching
                | ChangeState::Kept
                | ChangeState::RollingBack
                | ChangeState::Stuck
        )
    }

    /// True when nobody has confirmed it yet: the guard's business.
    pub fn is_unconfirmed(self) -> bool {
        matches!(self, ChangeState::Applying | ChangeState::Applied | ChangeState::Watching | ChangeState::RollingBack)
    }

    /// True when nothing is left to do or to undo.
    pub fn is_over(self) -> bool {
        !self.is_live() && !self.is_open() && self != ChangeState::Prepared
    }

    /// True while it waits for the operator.
    pub fn is_open(self) -> bool {
        matches!(self, ChangeState::Proposed | ChangeState::Approved)
    }
}

/// One journal entry: who did what to which change, when, in which boot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Which change.
    pub change: ChangeId,
    /// What.
    pub deed: Deed,
    /// Who.
    pub who: Who,
    /// When.
    pub now: Now,
    /// Identity of the boot.
    pub boot: String,
}

/// The first of two approvals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Endorsement {
    /// Whose.
    pub who: Who,
    /// Digest of the plan that was shown.
    pub digest: String,
    /// When.
    pub at: Now,
}

/// A change as engine and screen see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Which.
    pub id: ChangeId,
    /// Where it stands.
    pub state: ChangeState,
    /// What it is.
    pub proposal: Proposal,
    /// The finding it answers, as it stood when proposed.
    pub finding: Finding,
    /// The plan: a preview while proposed, the real one from `ApplyStarted` on. `None` until the first `prepare`.
    pub plan: Option<Plan>,
    /// Digest of the plan's essence.
    pub digest: String,
    /// Why it cannot be applied here and now, if so: the lock that the queue shows.
    pub lock: Option<Refusal>,
    /// The first of two approvals, while the second is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endorsed: Option<Endorsement>,
    /// What policy says of it, as long as it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// What the data at hand could show.
    pub foresight: Option<Foresight>,
    /// What may come of it, by what was learned here; while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prospects: Option<Prospects>,
    /// When it was proposed.
    pub proposed: Wall,
    /// When the last step was written.
    pub applied: Option<Now>,
    /// Guard's deadline.
    pub deadline: Option<Tick>,
    /// Undo when the run that made it ends, even if kept (demo).
    pub leave: bool,
    /// When it was rolled back.
    pub undone: Option<Now>,
    /// Why it was, or is being, rolled back.
    pub cause: Option<Cause>,
    /// What it did.
    pub verdict: Option<Verdict>,
    /// What verify last saw.
    pub held: Option<Held>,
    /// Error or knobs of `Stuck`, `Yielded`, `Refused`, in words.
    pub trouble: Option<String>,
    /// The primary metric before and after, for the chart; newest points of a bounded window.
    pub track: Vec<Point>,
    /// When it was switched off and on to be judged, oldest first; in force before the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legs: Vec<(Tick, Leg)>,
    /// Deeds so far, with time and actor, for the detail view.
    pub deeds: Vec<(Wall, Who, String)>,
}

impl Change {
    /// Order of the queue, wherever it is shown: what is stuck, what runs, what waits for the operator (unlocked before locked, the worse
    /// finding first, then the likeliest to help), what was kept, what is over.
    pub fn queue_order(&self, other: &Change) -> Ordering {
        let place = |change: &Change| match change.state {
            ChangeState::Stuck => 0,
            ChangeState::Kept => 3,
            state if state.is_open() => 2,
            state if state.is_over() => 4,
            _ => 1,
        };
        let by_place = place(self).cmp(&place(other));
        if !self.state.is_open() || by_place.is_ne() {
            return by_place;
        }
        let locked = self.lock.is_some().cmp(&other.lock.is_some());
        let severity = other.finding.severity.cmp(&self.finding.severity);
        locked.then(severity).then(other.proposal.fit.total_cmp(&self.proposal.fit))
    }

    /// Whether its values stand, while it is watched.
    pub fn leg(&self) -> Leg {
        self.legs.last().map_or(Leg::On, |(_, leg)| *leg)
    }

    /// The change that a first entry ([`Deed::Proposed`]) makes; `None` for any other deed.
    pub fn begin(entry: &Entry) -> Option<Change> {
        let Deed::Proposed { proposal, finding } = &entry.deed else { return None };
        Some(Change {
            id: entry.change,
            state: ChangeState::Proposed,
            proposal: (**proposal).clone(),
            finding: (**finding).clone(),
            plan: None,
            digest: String::new(),
            lock: None,
            endorsed: None,
            decision: None,
            foresight: None,
            prospects: None,
            proposed: entry.now.wall,
            applied: None,
            deadline: None,
            leave: false,
            undone: None,
            cause: None,
            verdict: None,
            held: None,
            trouble: None,
            track: Vec::new(),
            legs: Vec::new(),
            deeds: vec![(entry.now.wall, entry.who.clone(), entry.deed.words().into())],
        })
    }

    /// How many of the people who must approve it have, and who: `1 of 2 (ann)`. `None` where one suffices.
    pub fn approvals(&self) -> Option<String> {
        let needed = self.decision.as_ref().map_or(1, |decision| decision.approvals);
        let by = self.endorsed.as_ref().map(|endorsed| endorsed.who.user().to_string());
        match (self.state, by) {
            (ChangeState::Proposed, Some(user)) => Some(format!("1 of 2 ({user})")),
            (ChangeState::Proposed, None) if needed > 1 => Some(format!("0 of {needed}")),
            _ => None,
        }
    }

    /// Whether it went the whole way of a dry run.
    pub fn is_dry(&self) -> bool {
        self.state == ChangeState::Refused && self.trouble.as_deref().is_some_and(crate::model::plan::is_dry)
    }

    /// Folds one more entry into the change. Illegal deeds change nothing.
    pub fn take(&mut self, entry: &Entry) -> Result<(), Illegal> {
        self.state = self.state.next(&entry.deed)?;
        let mut words = entry.deed.words().to_string();
        self.endorsed = None;
        match &entry.deed {
            Deed::Endorsed { digest } => {
                self.endorsed = Some(Endorsement { who: entry.who.clone(), digest: digest.clone(), at: entry.now });
            }
            Deed::ApplyStarted { plan, deadline, leave } => {
                self.plan = Some((**plan).clone());
                self.deadline = Some(*deadline);
                self.leave = *leave;
                self.lock = None;
            }
            Deed::Applied => self.applied = Some(entry.now),
            Deed::Switched(leg) => self.legs.push((entry.now.tick, *leg)),
            Deed::Judged(verdict) => {
                words = format!("judged: {}", verdict.why);
                self.verdict = Some((**verdict).clone());
            }
            Deed::Kept | Deed::Done => self.deadline = None,
            Deed::RollbackStarted(cause) => {
                words = format!("rolling back: {}", cause.words());
                self.cause = Some(*cause);
            }
            Deed::RolledBack => self.undone = Some(entry.now),
            Deed::Refused(refusal) => {
                words = format!("refused: {}", refusal.why);
                self.trouble = Some(refusal.why.clone());
            }
            Deed::Yielded(knobs) => {
                self.undone = Some(entry.now);
                let why = if self.proposal.reversible { "set by somebody else since, left alone" } else { "cannot be taken back" };
                self.trouble = Some(format!("{why}: {}", knobs.join(", ")));
            }
            Deed::Stuck { error, commands } => {
                self.trouble = Some(format!("{error}; to undo by hand: {}", commands.join("; ")));
            }
            _ => {}
        }
        self.deeds.push((entry.now.wall, entry.who.clone(), words));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ChangeState as S;

    #[test]
    fn a_dead_state_takes_no_deed() {
        let deeds = [
            Deed::Unapproved,
            Deed::Rejected,
            Deed::Prepared,
            Deed::Applied,
            Deed::Kept,
            Deed::RolledBack,
            Deed::RollbackStarted(Cause::Operator),
        ];
        for state in [S::Rejected, S::Refused, S::Expired, S::RolledBack, S::Yielded, S::Done] {
            for deed in &deeds {
                assert!(state.next(deed).is_err(), "{state:?} took {deed:?}");
            }
        }
    }

    #[test]
    fn nothing_is_written_before_the_intent() {
        assert!(S::Approved.next(&Deed::Applied).is_err());
        assert!(S::Prepared.next(&Deed::Applied).is_err());
        assert_eq!(S::Applying.next(&Deed::Applied), Ok(S::Applied));
    }

    #[test]
    fn every_live_state_can_be_rolled_back() {
        for state in [S::Applying, S::Applied, S::Watching, S::Kept, S::RollingBack, S::Stuck] {
            assert!(state.is_live());
            assert_eq!(state.next(&Deed::RollbackStarted(Cause::Panic)), Ok(S::RollingBack));
        }
    }
}
