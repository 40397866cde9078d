//! Where deeds are begun and ended: the one place that gives jobs to the hands and folds what they report.

use crate::{
    analysis::impact::switchback,
    engine::{
        brain::{
            desk::{Desk, Errand, Purpose},
            ledger::Ledger,
        },
        input::{Effect, JobNumber, Ticket},
        job::{Apply, Done, Job},
    },
    model::{
        change::{Cause, Change, ChangeId, ChangeState, Deed, Who},
        finding::FindingId,
        limits::{Mode, Policy},
        message::{GuardState, Reply},
        note::Note,
        plan::Refusal,
        time::{Now, Tick},
    },
    planning::policy::{self, Standing},
};
use std::{collections::BTreeSet, time::Duration};

/// A job that is done, as far as others care.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The errand; `None` for entries that others wrote.
    pub errand: Option<Errand>,
    /// Changes that got entries, in order.
    pub moved: Vec<ChangeId>,
    /// It was not done, and why.
    pub error: Option<String>,
}

/// What deeds share.
#[derive(Debug)]
pub struct Office {
    /// When, for everything that is done in one step.
    pub now: Now,
    /// Mode in force.
    pub mode: Mode,
    /// Bounds.
    pub policy: Policy,
    /// Changes applied in this run are undone when it ends.
    pub leave: bool,
    /// Actions whose knobs act at once and leave nothing behind.
    pub instant: BTreeSet<&'static str>,
    /// Changes.
    pub ledger: Ledger,
    /// Jobs under way.
    pub desk: Desk,
    /// The guard.
    pub guard: GuardState,
    /// Verdicts of this host were not to be believed when that was last told.
    pub doubted: bool,
    /// Why the journal cannot be written, if so.
    pub journal: Option<String>,
    /// Why the history is not kept, if so.
    pub history: Option<std::sync::Arc<str>>,
    /// Why the record of forecasts is not kept, if so.
    pub foresight: Option<std::sync::Arc<str>>,
    /// The stop file, if there can be one, and whether it is there.
    pub stop: Option<std::sync::Arc<str>>,
    /// The stop file is there.
    pub halted: bool,
    /// Findings that are critical now.
    pub critical: Vec<FindingId>,
    /// This hour of the week is quiet here; `None` as long as that is not known.
    pub low_traffic: Option<bool>,
    /// When a journal that cannot be written was last tried.
    pub probed: Tick,
    /// Effects of this step so far.
    pub effects: Vec<Effect>,
}

impl Office {
    /// The mode to act in: while verdicts of this host are not to be believed, automatic mode only suggests.
    pub fn acting(&self) -> Mode {
        if self.mode == Mode::Auto && self.ledger.trust.is_lost() { Mode::Suggest } else { self.mode }
    }

    /// Seconds from the apply of a change to its verdict, at most.
    fn watched(&self, change: &Change) -> f64 {
        let windows = change.proposal.trial.windows;
        windows.settle + if self.standing().switches(change) { switchback::length() } else { windows.after * EXTENSION }
    }

    /// The bounds on acting, now.
    pub fn standing(&self) -> Standing<'_> {
        Standing {
            now: self.now,
            mode: self.acting(),
            policy: &self.policy,
            memory: &self.ledger.memory,
            learned: &self.ledger.learned,
            experience: &self.ledger.experience,
            instant: &self.instant,
            critical: &self.critical,
            low_traffic: self.low_traffic,
            halted: self.halted(),
            guard: &self.guard,
            journal: self.journal.as_deref(),
        }
    }

    /// The stop file, while it is there.
    pub fn halted(&self) -> Option<&str> {
        self.stop.as_deref().filter(|_| self.halted)
    }

    /// A line for the log.
    pub fn log(&mut self, level: log::Level, text: impl Into<String>) {
        self.effects.push(Effect::Log(level, text.into()));
    }

    /// Gives a job to the hands.
    pub fn perform(&mut self, errand: Errand, what: Job) {
        let job = self.desk.open(errand);
        self.effects.push(Effect::Perform { job, what });
    }

    /// Writes a deed down.
    pub fn record(&mut self, errand: Errand, deed: Deed, who: Who) {
        let what = Job::Record(vec![(errand.change, deed, who)]);
        self.perform(errand, what);
    }

    /// Writes a deed of the engine down, with nothing to follow and nobody waiting.
    pub fn note(&mut self, change: ChangeId, purpose: Purpose, deed: Deed) {
        self.record(errand(change, purpose, None), deed, Who::Engine);
    }

    /// Writes down what happened to the engine itself.
    pub fn house(&mut self, note: Note, who: Who) {
        self.record(errand(ChangeId::HOUSE, Purpose::Note, None), Deed::Noted(Box::new(note)), who);
    }

    /// Tries every few seconds whether a journal that could not be written can be again.
    pub fn probe(&mut self) {
        let now = self.now.tick;
        if self.journal.is_none() || now.since(self.probed) < PROBE || self.desk.busy(Purpose::Probe, None) {
            return;
        }
        self.probed = now;
        self.perform(errand(ChangeId::HOUSE, Purpose::Probe, None), Job::Record(Vec::new()));
    }

    /// Answers a command.
    pub fn reply(&mut self, ticket: Ticket, reply: Reply) {
        self.effects.push(Effect::Reply { ticket, reply });
    }

    /// Carries an approved change out, if the bounds allow it now.
    pub fn apply(&mut self, id: ChangeId, who: Who, asker: Option<Ticket>) -> Result<(), Refusal> {
        let refused = |why: String| Refusal { kind: crate::model::plan::Obstacle::Policy, why };
        let Some((change, approval)) = self.ledger.get(id).zip(self.ledger.approval(id)) else {
            return Err(refused(format!("{id} is not approved: approve it first")));
        };
        let standing = self.standing();
        standing.is_fresh(change, approval.at)?;
        standing.may_act()?;
        standing.is_allowed(change)?;
        let needed = standing.approvals(change);
        if who == Who::Engine {
            standing.may_be_automatic(change)?;
        } else if needed > 1 && approval.people < needed {
            return Err(refused(format!(
                "{id} needs {needed} people to approve it, and has {}: take it back, then approve",
                approval.people
            )));
        }
        if let Some(lock) = &change.lock {
            return Err(lock.clone());
        }
        standing.may_touch(&change.proposal)?;
        let unconfirmed = self.ledger.live().filter(|c| c.state.is_unconfirmed());
        let begun = self.desk.about(Purpose::Apply).filter_map(|other| self.ledger.get(other));
        standing.is_alone(change, unconfirmed.chain(begun))?;
        if let Some(other) = self.desk.about(Purpose::Apply).find(|other| *other != id) {
            return Err(refused(format!("{other} is being applied at this moment: try again when it is done")));
        }
        let apply = Apply {
            change: id,
            proposal: change.proposal.clone(),
            digest: approval.digest.clone(),
            who,
            confirm: Duration::from_secs_f64((self.watched(change) + self.policy.grace).max(1.0)),
            leave: self.leave,
        };
        self.perform(errand(id, Purpose::Apply, asker), Job::Apply(Box::new(apply)));
        Ok(())
    }

    /// Undoes a live change, and before that what was applied on top of it, since that goes back to this one's values. False when there
    /// is nothing to undo.
    pub fn roll_back(&mut self, id: ChangeId, why: (Cause, Who), askers: Vec<Ticket>) -> bool {
        for above in self.ledger.above(id) {
            self.roll_back_one(above, why.clone(), Vec::new());
        }
        self.roll_back_one(id, why, askers)
    }

    /// While another deed on it is under way, right after that.
    fn roll_back_one(&mut self, id: ChangeId, why: (Cause, Who), askers: Vec<Ticket>) -> bool {
        match self.desk.deed(id).map(|deed| deed.purpose) {
            Some(Purpose::RollBack) => askers.iter().for_each(|ticket| self.desk.join(id, *ticket)),
            Some(_) => self.desk.undo_after(id, why, askers),
            None => {
                let Some(change) = self.ledger.get(id).filter(|c| c.state.is_live()) else { return false };
                let Some(plan) = change.plan.clone() else { return false };
                let errand = Errand { change: id, purpose: Purpose::RollBack, then: None, askers };
                self.perform(errand, Job::RollBack { change: id, plan: Box::new(plan), cause: why.0, who: why.1 });
            }
        }
        true
    }

    /// Folds what the hands report and answers who waited for it.
    pub fn finish(&mut self, job: Option<JobNumber>, done: &Done) -> Outcome {
        let errand = job.and_then(|job| self.desk.close(job));
        let wrote = errand.as_ref().is_some_and(|e| !e.purpose.looks_only());
        self.journal_stands(done, wrote);
        if let Some(guard) = &done.guard {
            self.guard = guard.clone();
        }
        let mut moved = Vec::new();
        for (_, entry) in &done.entries {
            let id = entry.change;
            if let Err(illegal) = self.ledger.take(entry) {
                self.log(log::Level::Error, format!("{id}: journaled, but {illegal}"));
                continue;
            }
            if let Deed::Noted(note) = &entry.deed {
                match **note {
                    Note::Halted(halted) => self.halted = halted,
                    Note::Tested { .. } => self.believed(),
                    _ => {}
                }
            }
            let line = match self.ledger.get(id) {
                Some(change) => format!("{id} {}: {} by {}", change.proposal.title, entry.deed.words(), entry.who),
                None => format!("{} by {}", entry.deed.detail(), entry.who),
            };
            self.log(log::Level::Info, line);
            moved.push(id);
        }
        if let Some(error) = &done.error {
            self.log(log::Level::Warn, error.clone());
        }
        Outcome { errand, moved, error: done.error.clone() }
    }

    /// Says so when trust in the judge was lost or regained.
    fn believed(&mut self) {
        let lost = self.ledger.trust.is_lost();
        if std::mem::replace(&mut self.doubted, lost) != lost {
            let (level, text) = match lost {
                true => (log::Level::Warn, "verdicts of this host cannot be believed for now: automatic mode only suggests"),
                false => (log::Level::Info, "verdicts of this host can be believed again"),
            };
            self.log(level, text);
        }
    }

    /// A journal that failed once is in order again with the first write that it takes.
    fn journal_stands(&mut self, done: &Done, wrote: bool) {
        if done.journal_down {
            let why = done.error.clone().unwrap_or_else(|| "write failed".into());
            if self.journal.is_none() {
                self.log(log::Level::Error, format!("the journal cannot be written: {why}"));
            }
            self.journal = Some(why);
        } else if wrote && done.error.is_none() && self.journal.take().is_some() {
            self.log(log::Level::Info, "the journal can be written again");
        }
    }

    /// Answers those who waited for an errand.
    pub fn answer(&mut self, outcome: &Outcome) {
        let Some(errand) = &outcome.errand else { return };
        let reply = self.reply_of(errand, outcome.error.as_deref());
        self.tell(&errand.askers, &reply);
    }

    /// Tells those who waited for one deed how it went.
    pub fn tell(&mut self, askers: &[Ticket], said: &Reply) {
        for ticket in askers {
            if let Some(reply) = self.desk.answer(*ticket, said.clone()) {
                self.reply(*ticket, reply);
            }
        }
    }

    fn reply_of(&self, errand: &Errand, error: Option<&str>) -> Reply {
        let id = errand.change;
        if errand.purpose == Purpose::Halt {
            return halting(self.halted(), error);
        }
        let Some(change) = self.ledger.get(id) else {
            return Reply::Refused(error.map_or_else(|| format!("{id} is unknown"), Into::into));
        };
        let state = change.state;
        if change.is_dry() {
            return Reply::Done(format!("{id}: {}", change.trouble.clone().unwrap_or_default()));
        }
        let trouble = || error.map(str::to_string).or_else(|| change.trouble.clone());
        let as_wished = match errand.purpose {
            Purpose::Approve => state == ChangeState::Approved,
            Purpose::Endorse => change.endorsed.is_some(),
            Purpose::Unapprove => state == ChangeState::Proposed,
            Purpose::Reject => state == ChangeState::Rejected,
            Purpose::Apply if !change.proposal.course.is_watched() => state == ChangeState::Kept,
            Purpose::Apply => matches!(state, ChangeState::Applied | ChangeState::Watching),
            Purpose::Keep => state == ChangeState::Kept,
            Purpose::Carry => matches!(state, ChangeState::Kept | ChangeState::Done),
            Purpose::RollBack => matches!(state, ChangeState::RolledBack | ChangeState::Yielded),
            _ => error.is_none(),
        };
        let detail = trouble().map_or_else(String::new, |why| format!(": {why}"));
        match (as_wished, errand.purpose) {
            (true, Purpose::Apply) if !change.proposal.course.is_watched() => {
                Reply::Done(format!("{id} {}: written down, later boots begin with it", change.proposal.title))
            }
            (true, Purpose::Apply) => {
                let after = change.proposal.trial.windows;
                let (span, how) = match self.standing().switches(change) {
                    true => (self.watched(change), ", switched off and on meanwhile"),
                    false => (after.settle + after.after, ""),
                };
                Reply::Done(format!("{id} is applied and judged in {span:.0} s{how}; undone by itself unless it helps"))
            }
            // Of several who asked, all hear whose approval it is.
            (true, Purpose::Approve) => Reply::Done(format!("{id} is approved by {}", approver(change))),
            (true, Purpose::Endorse) => {
                Reply::Done(format!("{id} has {} approvals: it takes a second person", change.approvals().unwrap_or_default()))
            }
            (true, Purpose::Carry) => Reply::Done(format!("{id} {}: done", change.proposal.title)),
            (true, _) => Reply::Done(format!(
                "{id} is {}{}",
                state.words(),
                change.trouble.as_ref().map_or_else(String::new, |t| format!(": {t}"))
            )),
            (false, purpose) => Reply::Refused(format!("{id} could not be {} and is {}{detail}", purpose.words(), state.words())),
        }
    }
}

/// Who approved a change.
pub fn approver(change: &Change) -> String {
    let approved = |(_, _, words): &&(_, Who, String)| words == "approved";
    change.deeds.iter().rfind(approved).map_or_else(|| "nobody".into(), |(_, who, _)| who.to_string())
}

/// What came of putting the stop file there, or of taking it away.
fn halting(halted: Option<&str>, error: Option<&str>) -> Reply {
    match (error, halted) {
        (Some(why), Some(file)) => Reply::Done(format!("{}; but: {why}", policy::halted(file))),
        (Some(why), None) => Reply::Refused(why.into()),
        (None, Some(file)) => Reply::Done(policy::halted(file)),
        (None, None) => Reply::Done("no longer halted: what is approved can be applied".into()),
    }
}

/// From the intent of what is asked for by hand to the guard's deadline: nothing is watched, so its grace is all there is.
pub fn brief(policy: &Policy) -> Duration {
    Duration::from_secs_f64(policy.grace.max(1.0))
}

/// An errand that nothing follows.
pub fn errand(change: ChangeId, purpose: Purpose, asker: Option<Ticket>) -> Errand {
    Errand { change, purpose, then: None, askers: asker.into_iter().collect() }
}

/// Between two tries of a journal that cannot be written.
const PROBE: Duration = Duration::from_secs(5);

/// How many times its length a watch may last: once more when the first was not enough to say.
pub const EXTENSION: f64 = 2.0;
