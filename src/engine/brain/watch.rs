//! Watching what was applied: settle, look for harm every few seconds, judge at the end, keep what helped and undo the rest
//! (`reference/impact.md`, C3, steps 3 to 5). Kept changes are read back, so that a foreign hand on a knob is seen.

use crate::{
    analysis::impact::{
        case::{Case, seconds},
        guard::{self, Trip},
        judge::judge,
    },
    engine::{
        brain::{
            desk::{Errand, Purpose, Then},
            ledger::troubled,
            office::{EXTENSION, Office, errand},
        },
        input::Effect,
        job::Job,
    },
    model::{
        change::{Cause, Change, ChangeId, ChangeState, Deed, Who},
        metric::Key,
        plan::Held,
        proposal::Course,
        series::{Point, SeriesSet},
        snapshot::Snapshot,
        subject::Subject,
        time::{Now, Tick},
        trial::Trial,
        verdict::{Outcome, Verdict},
    },
};
use std::{collections::BTreeMap, time::Duration};

/// Between two readings of the same knobs.
const READ_BACK: Duration = Duration::from_secs(5);

/// Without the primary metric for so long, there is nothing to keep by.
const BLIND: f64 = 5.0;

/// Seconds after the guard's deadline at which the engine acts itself, should the guard not have.
const LATE: Duration = Duration::from_secs(3);

/// An undo that came to nothing is begun again after this time.
const RETRY: Duration = Duration::from_secs(10);

/// Points of the track at most.
const TRACK: usize = 400;

/// One change that is being watched.
#[derive(Clone, Copy, Debug)]
struct Watch {
    /// Since when the trouble has held.
    since: Tick,
    applied: Tick,
    settled: Tick,
    ends: Tick,
    extended: bool,
    looked: Tick,
    /// The primary was measurable at this time.
    seen: Tick,
    judged: bool,
    /// What the looks for harm remember.
    guard: guard::Watch,
}

impl Watch {
    fn of(change: &Change, applied: Now) -> Watch {
        let (windows, at) = (change.proposal.trial.windows, applied.tick);
        let settled = at + seconds(windows.settle);
        Watch {
            since: troubled(change, applied),
            applied: at,
            settled,
            ends: settled + seconds(windows.after),
            extended: false,
            looked: settled,
            seen: at,
            judged: false,
            guard: guard::Watch::default(),
        }
    }

    /// The trial, with its watch as long as it is by now.
    fn trial(&self, change: &Change) -> Trial {
        let mut trial = change.proposal.trial.clone();
        if self.extended {
            trial.windows.after *= EXTENSION;
        }
        trial
    }
}

/// All changes that are being watched, and when live ones were last read back.
#[derive(Debug, Default)]
pub struct Watches {
    all: BTreeMap<ChangeId, Watch>,
    verified: BTreeMap<ChangeId, Tick>,
    /// When an undo was last begun, here or elsewhere.
    undoing: BTreeMap<ChangeId, Tick>,
}

impl Watches {
    /// A change got entries: it may have to be watched from now on, or no longer.
    pub fn moved(&mut self, id: ChangeId, office: &mut Office) {
        let Some(change) = office.ledger.get(id) else { return };
        match (change.state, change.applied) {
            (ChangeState::Applied | ChangeState::Watching, Some(applied)) => {
                let (watch, state) = (Watch::of(change, applied), change.state);
                self.all.entry(id).or_insert(watch);
                if state == ChangeState::Applied && office.desk.deed(id).is_none() {
                    office.note(id, Purpose::Watch, Deed::WatchStarted);
                }
            }
            (ChangeState::RollingBack, _) => {
                self.all.remove(&id);
                self.undoing.insert(id, office.now.tick);
            }
            _ => {
                self.all.remove(&id);
                self.undoing.remove(&id);
            }
        }
    }

    /// Once per sweep, and each second without one.
    pub fn tend(&mut self, series: &SeriesSet, snapshot: &Snapshot, office: &mut Office) {
        self.adopt(office);
        let ids: Vec<ChangeId> = self.all.keys().copied().collect();
        for id in ids {
            self.track(id, series, office);
            self.look(id, (series, snapshot), office);
        }
        self.verify(office);
        if office.ledger.live().next().is_some() {
            office.effects.push(Effect::LookForeign);
        }
    }

    /// What is unconfirmed and watched by nobody (an earlier run left it, or its undo was cut short) is undone.
    fn adopt(&mut self, office: &mut Office) {
        let lost = |c: &&Change| c.state.is_unconfirmed() && !self.all.contains_key(&c.id) && office.desk.deed(c.id).is_none();
        let ids: Vec<ChangeId> = office.ledger.live().filter(lost).map(|c| c.id).collect();
        for id in ids {
            undo(&mut self.undoing, id, Cause::LostWatcher, office);
        }
    }

    /// The primary, from its window before the apply until now.
    fn track(&self, id: ChangeId, series: &SeriesSet, office: &mut Office) {
        let Some((watch, change)) = self.all.get(&id).zip(office.ledger.get_mut(id)) else { return };
        let trial = &change.proposal.trial;
        let before = Duration::from_secs_f64(trial.windows.before.max(0.0)).as_nanos();
        let from = Tick(watch.applied.0.saturating_sub(u64::try_from(before).unwrap_or(u64::MAX)));
        let from = change.track.last().map_or(from, |point| Tick(point.at.0 + 1));
        let Some(series) = series.get(&trial.primary) else { return };
        let mut fresh: Vec<Point> = series.points().rev().take_while(|point| point.at >= from).collect();
        fresh.reverse();
        change.track.append(&mut fresh);
        let over = change.track.len().saturating_sub(TRACK);
        change.track.drain(..over);
    }

    fn look(&mut self, id: ChangeId, known: (&SeriesSet, &Snapshot), office: &mut Office) {
        let now = office.now.tick;
        let Some((watch, change)) = self.all.get_mut(&id).zip(office.ledger.get(id)) else { return };
        if office.desk.deed(id).is_some() || change.state != ChangeState::Watching {
            return;
        }
        if change.deadline.is_some_and(|deadline| now >= deadline + LATE) {
            return undo(&mut self.undoing, id, Cause::Deadline, office);
        }
        let (series, snapshot) = known;
        let trial = &watch.trial(change);
        if measurable(&trial.primary, series, snapshot, watch.seen) {
            watch.seen = now;
        }
        if now.seconds_since(watch.seen) > BLIND {
            return undo(&mut self.undoing, id, Cause::NoData, office);
        }
        if watch.judged || now < watch.settled {
            return;
        }
        let others = office.ledger.others(id);
        let case = Case { series, since: watch.since, applied: watch.applied, now, others: &others };
        if now >= watch.ends {
            let verdict = judge(trial, &case);
            if worth_extending(&verdict, trial.least) && !watch.extended {
                watch.extended = true;
                watch.ends = watch.settled + seconds(trial.windows.after * EXTENSION);
                let more = trial.windows.after;
                office.log(log::Level::Info, format!("{id}: {}; watched for another {more:.0} s", verdict.why));
                return;
            }
            watch.judged = true;
            conclude(id, verdict, office);
        } else if now.since(watch.looked) >= seconds(guard::LOOK) {
            watch.looked = now;
            if let Some(trip) = guard::guard_look(trial, &case, &mut watch.guard) {
                watch.judged = true;
                let verdict = judge(trial, &case);
                trip_up(id, trip, verdict, office);
            }
        }
    }

    /// Reads the knobs of one live change back, the one that was read longest ago.
    fn verify(&mut self, office: &mut Office) {
        self.verified.retain(|id, _| office.ledger.get(*id).is_some_and(|c| c.state.is_live()));
        if office.desk.busy(Purpose::Verify, None) {
            return;
        }
        let now = office.now.tick;
        let in_force = |c: &&Change| matches!(c.state, ChangeState::Watching | ChangeState::Kept) && c.held != Some(Held::Gone);
        let due = |id: ChangeId| self.verified.get(&id).is_none_or(|at| now.since(*at) >= READ_BACK);
        let oldest = office.ledger.live().filter(in_force).filter(|c| due(c.id)).min_by_key(|c| self.verified.get(&c.id));
        let Some((id, Some(plan))) = oldest.map(|c| (c.id, c.plan.clone())) else { return };
        self.verified.insert(id, now);
        office.perform(errand(id, Purpose::Verify, None), Job::Verify(id, Box::new(plan)));
    }
}

/// Begins an undo, unless one was begun a moment ago: its outcome may still be on its way, or the journal may not take it.
fn undo(undoing: &mut BTreeMap<ChangeId, Tick>, id: ChangeId, cause: Cause, office: &mut Office) {
    let now = office.now.tick;
    if undoing.get(&id).is_none_or(|at| now.since(*at) >= RETRY) {
        undoing.insert(id, now);
        office.log(log::Level::Warn, format!("{id} is rolled back: {}", cause.words()));
        office.roll_back(id, (cause, Who::Engine), Vec::new());
    }
}

/// What a reading of the knobs saw.
pub fn held(id: ChangeId, held: &Held, office: &mut Office) {
    let Some(change) = office.ledger.get_mut(id) else { return };
    change.held = Some(held.clone());
    let Held::Drifted { knob, found } = held else { return };
    let state = change.state;
    if office.desk.deed(id).is_some() {
        return;
    }
    let knob = format!("{knob} (now {found})");
    match state {
        ChangeState::Kept => {
            office.log(log::Level::Warn, format!("{id}: somebody else set {knob}: hands off"));
            office.note(id, Purpose::Yield, Deed::Yielded(vec![knob]));
        }
        // What is left of an unconfirmed change can be neither judged nor kept; its undo leaves the foreign value alone.
        ChangeState::Watching => {
            office.log(log::Level::Warn, format!("{id}: somebody else set {knob}: the rest is undone"));
            office.roll_back(id, (Cause::NotHeld, Who::Engine), Vec::new());
        }
        _ => {}
    }
}

/// Writes the verdict down; what it means follows.
fn conclude(id: ChangeId, verdict: Verdict, office: &mut Office) {
    let undo = |cause| Then::RollBack(cause, Who::Engine, Vec::new());
    let then = match verdict.outcome {
        // It is undone at its end, by the guard, whatever came of it.
        Outcome::Better if brief(id, office) => return office.note(id, Purpose::Judge, Deed::Judged(Box::new(verdict))),
        Outcome::Better => Then::Keep,
        Outcome::Worse => undo(Cause::Hurt),
        Outcome::Neutral | Outcome::Unclear => undo(Cause::NoEffect),
    };
    let judge = Errand { then: Some(then), ..errand(id, Purpose::Judge, None) };
    office.record(judge, Deed::Judged(Box::new(verdict)), Who::Engine);
}

fn brief(id: ChangeId, office: &Office) -> bool {
    office.ledger.get(id).is_some_and(|change| matches!(change.proposal.course, Course::Brief(_)))
}

/// Harm was seen before the end: what was measured so far, and why it ends.
fn trip_up(id: ChangeId, trip: Trip, verdict: Verdict, office: &mut Office) {
    match trip.cause {
        Cause::Hurt => conclude(id, Verdict { outcome: Outcome::Worse, why: trip.why, ..verdict }, office),
        cause => {
            office.log(log::Level::Warn, format!("{id}: {}", trip.why));
            office.roll_back(id, (cause, Who::Engine), Vec::new());
        }
    }
}

/// A first look that could not tell, at an effect that would be worth it.
fn worth_extending(verdict: &Verdict, least: f64) -> bool {
    let undecided = matches!(verdict.outcome, Outcome::Neutral | Outcome::Unclear);
    undecided && verdict.effect.is_some_and(|effect| effect.change.abs() >= least)
}

/// Whether the primary was measured since `seen`, or its subject is there and merely had nothing to measure (a disk without requests).
fn measurable(key: &Key, series: &SeriesSet, snapshot: &Snapshot, seen: Tick) -> bool {
    let fresh = series.get(key).and_then(|s| s.last()).is_some_and(|point| point.at > seen);
    fresh || (snapshot.vitals.now.tick > seen && quiet(&key.subject, snapshot))
}

fn quiet(subject: &Subject, snapshot: &Snapshot) -> bool {
    match subject {
        Subject::Disk(name) => snapshot.disk(name).is_some(),
        Subject::Service(name) => snapshot.services.known().is_some_and(|all| all.iter().any(|s| s.name == *name)),
        _ => false,
    }
}
