//! Watching what was applied: settle, look for harm all the while, judge at the end, keep what helped and undo the rest
//! (`reference/impact.md`, C3, steps 3 to 6). Where before and after would show nothing, it is switched off and on meanwhile. Kept changes
//! are read back, so that a foreign hand on a knob is seen.

use crate::{
    analysis::impact::{
        case::{Case, seconds},
        guard::{self, Signs},
        judge::judge,
        switchback,
    },
    engine::{
        brain::{
            desk::Purpose,
            late::{Fresh, LateWatches},
            ledger::troubled,
            office::{EXTENSION, Office, errand},
            verdicts::{conclude, trip_up},
        },
        input::Effect,
        job::Job,
    },
    model::{
        change::{Cause, Change, ChangeId, ChangeState, Deed, Who},
        metric::Key,
        plan::Held,
        series::{Point, SeriesSet},
        snapshot::Snapshot,
        subject::Subject,
        time::{Now, Tick},
        trial::{Leg, Trial},
        verdict::{Outcome, Verdict},
    },
};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

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

/// After switching back on, its effect comes back within so long.
const RETURN: f64 = 3.0;

/// Kills for want of memory that are remembered, the newest.
const KILLS: usize = 64;

/// One change that is being watched.
#[derive(Clone, Debug)]
struct Watch {
    /// The order of segments, where it is judged by switching.
    order: Option<Vec<Leg>>,
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
    fn of(change: &Change, applied: Now, order: Option<Vec<Leg>>) -> Watch {
        let (windows, at) = (change.proposal.trial.windows, applied.tick);
        let settled = at + seconds(windows.settle);
        Watch {
            order,
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
        if self.order.is_some() {
            trial.windows.after = switchback::length();
        } else if self.extended {
            trial.windows.after *= EXTENSION;
        }
        trial
    }

    /// Looks for harm, when it is time to.
    fn guard(&mut self, id: ChangeId, (trial, case): (&Trial, &Case<'_>), office: &mut Office) {
        if case.now.since(self.looked) < seconds(guard::LOOK) {
            return;
        }
        self.looked = case.now;
        if let Some(trip) = guard::guard_look(trial, case, &mut self.guard) {
            self.judged = true;
            trip_up(id, trip, judge(trial, case), office);
        }
    }

    /// The verdict at the end, or some more time for it.
    fn judge(&mut self, id: ChangeId, (trial, case): (&Trial, &Case<'_>), office: &mut Office) {
        let verdict = judge(trial, case);
        if worth_extending(&verdict, trial.least) && !self.extended {
            self.extended = true;
            self.ends = self.settled + seconds(trial.windows.after * EXTENSION);
            let more = trial.windows.after;
            return office.log(log::Level::Info, format!("{id}: {}; watched for another {more:.0} s", verdict.why));
        }
        self.judged = true;
        conclude(id, verdict, office);
    }

    /// What is kept goes on being guarded by what it was judged by.
    fn fresh(self, change: &Change) -> Fresh {
        Fresh { since: self.since, applied: self.applied, trial: self.trial(change) }
    }
}

/// All changes that are being watched, and when live ones were last read back.
#[derive(Debug, Default)]
pub struct Watches {
    all: BTreeMap<ChangeId, Watch>,
    verified: BTreeMap<ChangeId, Tick>,
    /// When an undo was last begun, here or elsewhere.
    undoing: BTreeMap<ChangeId, Tick>,
    /// Kept changes that are still under guard.
    late: LateWatches,
    /// When somebody was killed for want of memory.
    kills: VecDeque<Tick>,
}

impl Watches {
    /// A change got entries: it may have to be watched from now on, or no longer.
    pub fn moved(&mut self, id: ChangeId, office: &mut Office) {
        let Some(change) = office.ledger.get(id) else { return };
        match (change.state, change.applied) {
            (ChangeState::Applied | ChangeState::Watching, Some(applied)) => {
                let order = office.standing().switches(change).then(|| switchback::order(id.0));
                let (watch, state) = (Watch::of(change, applied, order), change.state);
                self.all.entry(id).or_insert(watch);
                if state == ChangeState::Applied && office.desk.deed(id).is_none() {
                    office.note(id, Purpose::Watch, Deed::WatchStarted);
                }
            }
            (ChangeState::RollingBack, _) => {
                self.all.remove(&id);
                self.undoing.insert(id, office.now.tick);
            }
            (state, _) => {
                self.undoing.remove(&id);
                if let (Some(watch), ChangeState::Kept) = (self.all.remove(&id), state) {
                    self.late.keep(id, watch.fresh(change));
                }
            }
        }
    }

    /// A verdict to keep could not be written down, so it is not acted on: it is judged again.
    pub fn judge_again(&mut self, id: ChangeId) {
        if let Some(watch) = self.all.get_mut(&id) {
            watch.judged = false;
        }
    }

    /// What the late watch must see.
    pub fn late(&self) -> impl Iterator<Item = &Key> {
        self.late.keys()
    }

    /// Once per sweep, and each second without one.
    pub fn tend(&mut self, series: &SeriesSet, snapshot: &Snapshot, office: &mut Office) {
        self.adopt(office);
        self.count_kills(snapshot);
        let ids: Vec<ChangeId> = self.all.keys().copied().collect();
        for id in ids {
            self.track(id, series, office);
            self.look(id, (series, snapshot), office);
        }
        for id in self.late.tend(series, office) {
            undo(&mut self.undoing, id, Cause::LateHarm, office);
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

    /// Remembers kills for want of memory, each once.
    fn count_kills(&mut self, snapshot: &Snapshot) {
        let at = snapshot.vitals.now.tick;
        let killed = snapshot.vitals.vm.known().is_some_and(|vm| vm.oom_kills > 0);
        if killed && self.kills.back().is_none_or(|last| *last < at) {
            self.kills.push_back(at);
            let over = self.kills.len().saturating_sub(KILLS);
            self.kills.drain(..over);
        }
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
        if watch.judged {
            return;
        }
        let (others, off) = (office.ledger.others(id), off(change, now));
        let case = Case { series, since: watch.since, applied: watch.applied, now, others: &others, off: &off };
        let signs = signs(trial, &case, (&self.kills, snapshot));
        if let Some(trip) = guard::hard_trip(trial, &case, &signs, &mut watch.guard) {
            watch.judged = true;
            return trip_up(id, trip, judge(trial, &case), office);
        }
        if now < watch.settled {
            return;
        }
        match &watch.order {
            Some(order) => match switchback::segment(order, now.seconds_since(watch.settled)) {
                None => {
                    let verdict = switchback::judge(trial, &case, (watch.settled, order));
                    watch.judged = true;
                    conclude(id, verdict, office);
                }
                Some(leg) if leg != change.leg() => switch(id, leg, office),
                Some(Leg::Off) => {}
                Some(Leg::On) => watch.guard(id, (trial, &case), office),
            },
            None if now >= watch.ends => watch.judge(id, (trial, &case), office),
            None => watch.guard(id, (trial, &case), office),
        }
    }

    /// Reads the knobs of one live change back, the one that was read longest ago.
    fn verify(&mut self, office: &mut Office) {
        self.verified.retain(|id, _| office.ledger.get(*id).is_some_and(|c| c.state.is_live()));
        if office.desk.busy(Purpose::Verify, None) {
            return;
        }
        let now = office.now.tick;
        let stands = |c: &Change| matches!(c.state, ChangeState::Watching | ChangeState::Kept) && c.leg() == Leg::On;
        let in_force = |c: &&Change| stands(c) && c.held != Some(Held::Gone);
        let due = |id: ChangeId| self.verified.get(&id).is_none_or(|at| now.since(*at) >= READ_BACK);
        // What was set on top of it is no foreign hand.
        let bare = |c: &&Change| office.ledger.above(c.id).is_empty();
        let oldest =
            office.ledger.live().filter(in_force).filter(|c| due(c.id)).filter(bare).min_by_key(|c| self.verified.get(&c.id));
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
    // One that is switched off does not hold, nor should it.
    let Some(change) = office.ledger.get_mut(id).filter(|change| change.leg() == Leg::On) else { return };
    change.held = Some(held.clone());
    let Held::Drifted { knob, found } = held else { return };
    let (state, several) = (change.state, change.plan.as_ref().is_some_and(|plan| plan.steps.len() > 1));
    if office.desk.deed(id).is_some() || !office.ledger.above(id).is_empty() {
        return;
    }
    let knob = format!("{knob} (now {found})");
    match state {
        // Of several knobs, some may still hold what nobody would ever take back.
        ChangeState::Kept if several => {
            office.log(log::Level::Warn, format!("{id}: somebody else set {knob}: hands off that, the rest is undone"));
            office.roll_back(id, (Cause::NotHeld, Who::Engine), Vec::new());
        }
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

/// Switches it off, or on again.
fn switch(id: ChangeId, to: Leg, office: &mut Office) {
    let Some(plan) = office.ledger.get(id).and_then(|change| change.plan.clone()) else { return };
    office.perform(errand(id, Purpose::Switch, None), Job::Switch { change: id, plan: Box::new(plan), to });
}

/// From when to when it was out of force since it was applied, with the time that its effect takes to come back.
fn off(change: &Change, now: Tick) -> Vec<(Tick, Tick)> {
    let mut spans = Vec::new();
    let mut began = None;
    for (at, leg) in &change.legs {
        match leg {
            Leg::Off => began = began.or(Some(*at)),
            Leg::On => spans.extend(began.take().map(|from| (from, *at + seconds(RETURN)))),
        }
    }
    spans.extend(began.map(|from| (from, Tick(now.0.saturating_add(1)))));
    spans
}

/// What a sweep tells that no series holds.
fn signs(trial: &Trial, case: &Case<'_>, (kills, snapshot): (&VecDeque<Tick>, &Snapshot)) -> Signs {
    let before = case.before(&trial.windows);
    let usual = kills.iter().any(|at| *at >= before.0 && *at < before.1);
    let killed = !usual && kills.iter().any(|at| *at > case.applied);
    let keys = std::iter::once(&trial.primary).chain(trial.guardrails.iter().map(|rail| &rail.key));
    let measured = keys.filter_map(|key| if let Subject::Service(name) = &key.subject { Some(name) } else { None });
    let answers = |name: &str| snapshot.services.known().is_none_or(|all| all.iter().any(|service| &*service.name == name));
    let lost = measured.into_iter().find(|name| !answers(name)).cloned();
    Signs { killed, lost }
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
