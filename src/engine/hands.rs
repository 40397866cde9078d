//! The hands: they write the journal and touch the machine, as told, one job at a time. They decide nothing but this: no knob is written
//! before its intent is durable and the guard has acknowledged it, and whatever fails on the way is undone at once.

use crate::{
    actions::action::Action,
    engine::{
        guard::arm::Guard,
        job::{Apply, Carry, Done, Job},
        recover,
        rescuer::Rescuer,
        undo::{Case, End, Tools, Undoing, undo, undo_steps},
        worker::Work,
    },
    host::{dry::Rehearsal, host::Host},
    model::{
        change::{Cause, ChangeId, ChangeState, Deed, Entry, Who},
        note::Note,
        plan::{Held, Obstacle, Plan, Refusal, Undone},
        proposal::{Course, Proposal},
        time::Tick,
        trial::Leg,
    },
    planning::policy,
    store::{chain::digest, error::StoreError, proof::Anchor, stop},
};
use std::{path::PathBuf, time::Duration};

/// Hands with their tools.
pub struct Hands {
    pub(super) tools: Tools,
    pub(super) guard: Box<dyn Guard>,
    /// Number of the newest entry that was reported.
    seen: u64,
    /// The journal's stamp when it was last read.
    stamp: Option<i64>,
    /// What it takes to climb at once.
    pub(super) rescuer: Rescuer,
    /// Tells somebody outside of the journal what its newest record is.
    witness: Option<Witness>,
    /// When that was last told.
    anchored: Option<Tick>,
    bounds: Bounds,
    /// In a dry run, the host that takes no writes: all that is new goes to this one, what is undone to the machine.
    rehearsal: Option<Rehearsal>,
    /// Actions that are configured, besides those that everybody knows.
    defined: Vec<&'static dyn Action>,
}

/// What ties the hands, whatever they are told.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// While this file is there nothing new is written.
    pub stop: Option<PathBuf>,
    /// They go the whole way and write nothing.
    pub dry: bool,
}

/// Told number and hash of the journal's newest record.
pub type Witness = Box<dyn Fn(&Anchor) + Send>;

/// Between two anchors.
const DAILY: Duration = Duration::from_secs(24 * 3600);

impl Hands {
    /// Hands on a journal whose entries up to number `seen` the brain has folded.
    pub fn new(tools: Tools, guard: Box<dyn Guard>, seen: u64) -> Hands {
        let (bounds, rescuer) = (Bounds::default(), Rescuer::default());
        let (rehearsal, defined, witness, anchored) = (None, Vec::new(), None, None);
        Hands { tools, guard, seen, stamp: None, rescuer, bounds, rehearsal, defined, witness, anchored }
    }

    /// The same hands, tied.
    pub fn tied(self, bounds: Bounds) -> Hands {
        let rehearsal = bounds.dry.then(|| Rehearsal(self.tools.host.clone()));
        Hands { bounds, rehearsal, ..self }
    }

    /// The same hands, which also know these actions.
    pub fn knowing(self, defined: Vec<&'static dyn Action>) -> Hands {
        Hands { defined, ..self }
    }

    /// Where what is new is written.
    fn stage(&self) -> &dyn Host {
        self.rehearsal.as_ref().map_or(self.tools.host.as_ref(), |rehearsal| rehearsal)
    }

    /// Tells somebody, once a day that something is done and at the end, what the journal's newest record is.
    pub fn witnessed(self, witness: Witness) -> Hands {
        Hands { witness: Some(witness), ..self }
    }

    fn anchor(&mut self) {
        self.anchored = Some(self.tools.host.now().tick);
        let Some(witness) = &self.witness else { return };
        match self.tools.journal.anchor() {
            Ok(anchor) => witness(&anchor),
            Err(e) => log::warn!("the journal has no anchor today: {e}"),
        }
    }

    /// Puts right, at the start of an engine, what an earlier one left: `entries` is the whole journal as it was opened.
    pub fn recover(&mut self, entries: &[(u64, Entry)]) -> Done {
        let trouble = recover::recover(&mut self.tools, entries);
        let done = trouble.map(|e| unwritten(&e)).unwrap_or_default();
        self.report(done)
    }
}

impl Work for Hands {
    fn perform(&mut self, job: Job) -> Done {
        self.catch_up();
        let did = match job {
            Job::Record(deeds) => self.record(deeds),
            Job::Preview(change, proposal) => Ok(self.preview(change, &proposal)),
            Job::Apply(apply) => self.apply(&apply),
            Job::RollBack { change, plan, cause, who } => Ok(self.roll_back(&Case { change, plan: &plan, cause, who })),
            Job::Switch { change, plan, to } => self.switch(change, &plan, to),
            Job::Carry(carry) => self.carry(&carry),
            Job::Keep(change, who) => self.keep(change, &who),
            Job::Halt(halt, who) => self.halt(halt, who),
            Job::Verify(change, plan) => Ok(self.verify(change, &plan)),
            Job::Ready(rungs) => Ok(self.ready(rungs)),
            Job::Climb(climb) => Ok(self.climb(&climb)),
        };
        let done = did.unwrap_or_else(|e| unwritten(&e));
        let now = self.tools.host.now().tick;
        if self.anchored.is_none_or(|at| now.since(at) >= DAILY) {
            self.anchor();
        }
        self.report(done)
    }

    fn end(&mut self) {
        self.anchor();
    }

    fn foreign(&mut self) -> Done {
        match self.tools.journal.stamp() {
            Ok(stamp) if self.stamp == Some(stamp) => Done { guard: Some(self.guard.state()), ..Done::default() },
            Ok(stamp) => {
                self.stamp = Some(stamp);
                self.report(Done::default())
            }
            Err(e) => self.report(unwritten(&e)),
        }
    }

    fn audit(&mut self, most: usize) -> Vec<(u64, Entry)> {
        // What cannot be read is reported by the next look.
        self.tools.journal.newest(most).unwrap_or_default()
    }
}

impl Hands {
    /// Adds what is in the journal since the last report, whoever wrote it.
    fn report(&mut self, mut done: Done) -> Done {
        match self.tools.journal.since(self.seen) {
            Ok(mut entries) => {
                self.seen = entries.last().map_or(self.seen, |(number, _)| *number);
                let ended = |entry: &&(u64, Entry)| entry.1.who == Who::Guard && !matches!(entry.1.deed, Deed::RollbackStarted(_));
                entries.iter().filter(ended).for_each(|(_, entry)| self.guard.disarm(entry.change));
                // What the ring held was reported when it was done.
                entries.retain(|(number, _)| !self.rescuer.caught_up.remove(number));
                done.entries.append(&mut entries);
            }
            Err(e) => {
                done.journal_down = true;
                done.error.get_or_insert(e.to_string());
            }
        }
        done.guard = Some(self.guard.state());
        done
    }

    /// Each deed that is still due: the guard may have ended its change since the brain looked. None at all is a try of the journal.
    fn record(&mut self, deeds: Vec<(ChangeId, Deed, Who)>) -> Result<Done, StoreError> {
        if deeds.is_empty() {
            self.tools.journal.append(&[])?;
        }
        for (change, deed, who) in deeds {
            loop {
                let Some((newest, now)) = self.tools.standing(change)? else {
                    let entry = self.tools.entry(change, deed, who);
                    self.tools.journal.append(&[entry])?;
                    break;
                };
                if let Err(illegal) = now.state.next(&deed) {
                    return Ok(failed(format!("{change}: {illegal}")));
                }
                if self.tools.move_on(change, newest, &who, vec![deed.clone()])?.is_some() {
                    break;
                }
            }
        }
        Ok(Done::default())
    }

    fn preview(&self, change: ChangeId, proposal: &Proposal) -> Done {
        let plan = self.prepare(proposal).map(|plan| {
            let digest = digest(&plan.essence());
            (plan, digest)
        });
        Done { preview: Some((change, plan)), ..Done::default() }
    }

    pub(super) fn prepare(&self, proposal: &Proposal) -> Result<Plan, Refusal> {
        let action = self.action(&proposal.action).map_err(|why| Refusal { kind: Obstacle::Unsupported, why })?;
        let mut plan = action.prepare(proposal, self.stage())?;
        plan.boot.clone_from(&self.tools.boot);
        Ok(plan)
    }

    fn action(&self, name: &str) -> Result<&'static dyn Action, String> {
        let defined = self.defined.iter().copied().find(|action| action.about().name == name);
        defined.or_else(|| (self.tools.actions)(name)).ok_or_else(|| format!("this trimtab has no action {name}"))
    }

    /// Why nothing new may be written, if so.
    pub(super) fn halted(&self) -> Option<String> {
        self.bounds.stop.as_deref().filter(|file| stop::stands(file)).map(|file| policy::halted(&file.display().to_string()))
    }

    fn halt(&mut self, halt: bool, who: Who) -> Result<Done, StoreError> {
        let Some(file) = &self.bounds.stop else { return Ok(failed("these hands look at no stop file".into())) };
        let done = if halt { stop::raise(file, &who.to_string()) } else { stop::lower(file) };
        if let Err(e) = done {
            return Ok(failed(e.to_string()));
        }
        self.record(vec![(ChangeId::HOUSE, Deed::Noted(Box::new(Note::Halted(halt))), who)])
    }

    /// What ends a change before its intent: a dry run.
    pub(super) fn rehearsed(&self, plan: &Plan) -> Option<Deed> {
        self.bounds.dry.then(|| Deed::Refused(Refusal::dry(plan)))
    }

    fn apply(&mut self, job: &Apply) -> Result<Done, StoreError> {
        if let Some(why) = self.halted() {
            return Ok(failed(why));
        }
        let Some((newest, now)) = self.tools.standing(job.change)? else {
            return Ok(failed(format!("the journal does not know {}", job.change)));
        };
        if now.state != ChangeState::Approved {
            return Ok(failed(format!("{} is {}, not approved", job.change, now.state.words())));
        }
        let moved = || failed(format!("{} was moved by somebody else meanwhile: look again", job.change));
        let plan = match self.prepare(&job.proposal).and_then(|plan| same(plan, &job.digest)) {
            Ok(plan) => plan,
            Err(refusal) => {
                let written = self.tools.move_on(job.change, newest, &Who::Engine, vec![Deed::Refused(refusal)])?;
                return Ok(written.map_or_else(moved, |_| Done::default()));
            }
        };
        if let Some(end) = self.rehearsed(&plan) {
            let written = self.tools.move_on(job.change, newest, &job.who, vec![Deed::Prepared, end])?;
            return Ok(written.map_or_else(moved, |_| Done::default()));
        }
        let deadline = self.tools.host.now().tick + job.confirm;
        let intent = Deed::ApplyStarted { plan: Box::new(plan.clone()), deadline, leave: job.leave };
        match self.tools.move_on(job.change, newest, &job.who, vec![Deed::Prepared, intent])? {
            Some(started) => {
                let done = self.carry_out(job.change, &plan, started, vec![Deed::Applied, next(job.proposal.course)]);
                if done.error.is_none() && !job.proposal.course.is_watched() {
                    self.guard.disarm(job.change);
                }
                Ok(done)
            }
            None => Ok(moved()),
        }
    }

    /// What an operator asks for by hand: approved by asking, and standing (or over) as soon as it is done.
    fn carry(&mut self, job: &Carry) -> Result<Done, StoreError> {
        let (id, who) = (job.change, &job.who);
        if let Some(why) = self.halted() {
            return Ok(failed(why));
        }
        let proposed = Deed::Proposed { proposal: Box::new(job.proposal.clone()), finding: Box::new(job.finding.clone()) };
        let entry = self.tools.entry(id, proposed, who.clone());
        let newest = self.tools.journal.append(&[entry])?.last().copied().unwrap_or_default();
        let moved = || failed(format!("{id} was moved by somebody else meanwhile"));
        let plan = match self.prepare(&job.proposal) {
            Ok(plan) => plan,
            Err(refusal) => {
                let written = self.tools.move_on(id, newest, &Who::Engine, vec![Deed::Refused(refusal)])?;
                return Ok(written.map_or_else(moved, |_| Done::default()));
            }
        };
        if let Some(end) = self.rehearsed(&plan) {
            let written = self.tools.move_on(id, newest, who, vec![end])?;
            return Ok(written.map_or_else(moved, |_| Done::default()));
        }
        let deadline = self.tools.host.now().tick + job.confirm;
        let approved = Deed::Approved { digest: digest(&plan.essence()) };
        let intent = Deed::ApplyStarted { plan: Box::new(plan.clone()), deadline, leave: job.leave };
        let Some(started) = self.tools.move_on(id, newest, who, vec![approved, Deed::Prepared, intent])? else {
            return Ok(moved());
        };
        let end = if job.proposal.reversible { Deed::Kept } else { Deed::Done };
        let done = self.carry_out(id, &plan, started, vec![Deed::Applied, end]);
        if done.error.is_none() {
            self.guard.disarm(id);
        }
        Ok(done)
    }

    /// From the durable intent (entry `started`) on: whatever happens, the change ends up as `after` says, or undone.
    fn carry_out(&mut self, change: ChangeId, plan: &Plan, started: u64, after: Vec<Deed>) -> Done {
        let case = |cause| Case { change, plan, cause, who: Who::Engine };
        if let Err(why) = self.guard.arm(change) {
            let why = format!("the guard could not be armed, so nothing was changed: {why}");
            return self.give_up(&case(Cause::ApplyFailed), why);
        }
        // The last look before the first write.
        if let Some(why) = self.halted() {
            return self.give_up(&case(Cause::ApplyFailed), why);
        }
        if let Err((cause, why)) = self.write(plan) {
            return self.give_up(&case(cause), why);
        }
        match self.tools.move_on(change, started, &Who::Engine, after) {
            Ok(Some(_)) => Done::default(),
            Ok(None) => self.give_up(&case(Cause::ApplyFailed), "it took so long that the guard has rolled it back".into()),
            Err(e) => {
                let done =
                    self.give_up(&case(Cause::ApplyFailed), format!("it was undone, since it could not be written down: {e}"));
                Done { journal_down: true, ..done }
            }
        }
    }

    /// Writes the plan and reads it back.
    pub(super) fn write(&self, plan: &Plan) -> Result<(), (Cause, String)> {
        let host = self.stage();
        let action = self.action(&plan.action).map_err(|why| (Cause::ApplyFailed, why))?;
        action.apply(plan, host).map_err(|refusal| (Cause::ApplyFailed, refusal.why))?;
        match action.verify(plan, host) {
            Ok(Held::Holds) => Ok(()),
            Ok(Held::Drifted { knob, found }) => Err((Cause::NotHeld, format!("{knob} reads {found} after the write"))),
            Ok(Held::Gone) => Err((Cause::NotHeld, "every target has ended".into())),
            Err(e) => Err((Cause::NotHeld, e.to_string())),
        }
    }

    /// Sets the knobs of a watched change back for a while, or anew. Whoever else moved it meanwhile (the guard, at its deadline) has the
    /// last word.
    fn switch(&mut self, change: ChangeId, plan: &Plan, to: Leg) -> Result<Done, StoreError> {
        let Some((newest, now)) = self.tools.standing(change)? else {
            return Ok(failed(format!("the journal does not know {change}")));
        };
        if let Err(illegal) = now.state.next(&Deed::Switched(to)) {
            return Ok(failed(format!("{change}: {illegal}")));
        }
        let case = |cause| Case { change, plan, cause, who: Who::Engine };
        // Switching on is applying anew.
        if let (Leg::On, Some(why)) = (to, self.halted()) {
            return Ok(self.give_up(&case(Cause::Operator), why));
        }
        let Some(intent) = self.tools.move_on(change, newest, &Who::Engine, vec![Deed::Switched(to)])? else {
            return Ok(failed(format!("{change} was moved by somebody else meanwhile")));
        };
        let written = match to {
            Leg::On => self.write(plan),
            Leg::Off => self.set_back(plan),
        };
        if let Err((cause, why)) = written {
            return Ok(self.give_up(&case(cause), why));
        }
        match self.tools.standing(change) {
            Ok(Some((newest, _))) if newest == intent => Ok(Done::default()),
            _ => Ok(self.give_up(&case(Cause::LostWatcher), format!("{change} was moved by somebody else meanwhile"))),
        }
    }

    /// Sets every knob to its value before; a stranger's value ends it.
    fn set_back(&self, plan: &Plan) -> Result<(), (Cause, String)> {
        let action = self.action(&plan.action).map_err(|why| (Cause::NotHeld, why))?;
        match action.rollback(plan, self.tools.host.as_ref()) {
            Ok(Undone::Undone) => Ok(()),
            Ok(Undone::Yielded(knobs)) => Err((Cause::NotHeld, format!("somebody else set {}", knobs.join(", ")))),
            Err(e) => Err((Cause::NotHeld, e.to_string())),
        }
    }

    /// Undoes what was begun, and says why.
    fn give_up(&mut self, case: &Case<'_>, why: String) -> Done {
        let done = self.roll_back(case);
        Done { error: Some(done.error.map_or_else(|| why.clone(), |more| format!("{why}; {more}"))), ..done }
    }

    pub(super) fn roll_back(&mut self, case: &Case<'_>) -> Done {
        let Undoing { end, unwritten } = undo(&mut self.tools, case);
        let mut error = match end {
            End::Undone | End::Yielded => None,
            End::Stuck(error) => Some(format!("{} could not be undone: {error}", case.change)),
            End::Settled(state) => self.settled(case, state),
        };
        match &unwritten {
            // The guard keeps it: at the deadline it finds nothing to undo and writes that down.
            Some(e) => error = Some(format!("{}{} was rolled back, but not written down: {e}", lead(error), case.change)),
            None => self.guard.disarm(case.change),
        }
        Done { error, journal_down: unwritten.is_some(), ..Done::default() }
    }

    /// Somebody else ended the change. If it was rolled back while our own writes were still under way, some may have come after: the
    /// knobs are looked at once more.
    fn settled(&mut self, case: &Case<'_>, state: ChangeState) -> Option<String> {
        if state == ChangeState::RolledBack
            && let Deed::Stuck { error, commands } = undo_steps(&self.tools, case.plan)
        {
            return Some(format!("{} could not be undone: {error}; by hand: {}", case.change, commands.join("; ")));
        }
        Some(format!("{} is already {}", case.change, state.words()))
    }

    fn keep(&mut self, change: ChangeId, who: &Who) -> Result<Done, StoreError> {
        loop {
            let Some((newest, now)) = self.tools.standing(change)? else {
                return Ok(failed(format!("the journal does not know {change}")));
            };
            if let Err(illegal) = now.state.next(&Deed::Kept) {
                return Ok(failed(format!("{change}: {illegal}")));
            }
            // What is kept is in force.
            if let (Leg::Off, Some(plan)) = (now.leg(), &now.plan) {
                let done = self.switch(change, plan, Leg::On)?;
                if done.error.is_some() {
                    return Ok(done);
                }
                continue;
            }
            if self.tools.move_on(change, newest, who, vec![Deed::Kept])?.is_some() {
                self.guard.disarm(change);
                return Ok(Done::default());
            }
        }
    }

    fn verify(&self, change: ChangeId, plan: &Plan) -> Done {
        let host = self.tools.host.as_ref();
        match self.action(&plan.action).and_then(|action| action.verify(plan, host).map_err(|e| e.to_string())) {
            Ok(held) => Done { held: Some((change, held)), ..Done::default() },
            Err(why) => failed(format!("{change} could not be read back: {why}")),
        }
    }
}

/// What follows the write of what was approved.
fn next(course: Course) -> Deed {
    match course {
        Course::Judged => Deed::WatchStarted,
        Course::Lasting(_) => Deed::Kept,
    }
}

fn failed(why: String) -> Done {
    Done { error: Some(why), ..Done::default() }
}

fn unwritten(error: &StoreError) -> Done {
    Done { error: Some(error.to_string()), journal_down: true, ..Done::default() }
}

fn lead(error: Option<String>) -> String {
    error.map(|e| format!("{e}; ")).unwrap_or_default()
}

/// The plan, if it is the approved one.
fn same(plan: Plan, approved: &str) -> Result<Plan, Refusal> {
    if digest(&plan.essence()) == approved {
        return Ok(plan);
    }
    Err(Refusal { kind: Obstacle::Moved, why: "the machine has moved since the approval, and so has the plan: look again".into() })
}
