//! The invariants of safety.md, held at every write of a knob, at every second, and at the end.
//!
//! What is durable is asked of the disk itself: its synced content alone, read by a journal of its own. What was seen in the journal must
//! stay there, whatever happens to processes and power.

use crate::{
    knobs::COOLDOWN,
    life,
    machine::{Machine, PROTECTED, Writer, queue},
    vfs::Simulated,
    world::{OBSERVER, acting, current, now, world},
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};
use trimtab::{
    engine::undo::fold,
    model::{
        change::{Change, ChangeId, ChangeState, Deed, Entry, Who},
        knob::Knob,
        plan::{Plan, Step},
        time::Tick,
        verdict::Outcome,
    },
    store::{chain::digest, journal::Journal},
};

/// How long an awake guard may take.
const SLACK: Duration = Duration::from_secs(3);

/// What another process wrote is known to the engine within this time, in seconds.
const NEWS: f64 = 6.0;

#[derive(Default)]
struct Law {
    observer: Option<Journal>,
    entries: Vec<Entry>,
    changes: BTreeMap<ChangeId, Change>,
    /// Entries of each change.
    of: BTreeMap<ChangeId, Vec<Entry>>,
    /// When the victim was measured, in this boot.
    measured: Vec<Tick>,
    /// Entries that were there before the power went.
    before: usize,
    /// Changes that a guard has acknowledged, in this boot.
    armed: BTreeSet<ChangeId>,
}

thread_local! {
    static LAW: RefCell<Law> = RefCell::new(Law::default());
}

fn law<T>(touch: impl FnOnce(&mut Law) -> T) -> T {
    LAW.with(|cell| touch(&mut cell.borrow_mut()))
}

pub fn begin() {
    law(|law| *law = Law::default());
}

pub fn broke(why: impl Into<String>) {
    let why = why.into();
    world(|w| w.broke(why));
}

pub fn armed(change: ChangeId) {
    law(|law| {
        law.armed.insert(change);
    });
}

pub fn measured(at: Tick) {
    law(|law| law.measured.push(at));
}

/// Nobody looks at the journal any more.
pub fn blind() {
    let observer = law(|law| law.observer.take());
    acting(OBSERVER, || drop(observer));
}

pub fn rebooted() {
    law(|law| {
        law.measured.clear();
        law.armed.clear();
        law.before = law.entries.len();
    });
}

fn boot() -> String {
    world(|w| format!("boot-{}", w.boot))
}

/// Reads what is new in the journal and holds it against the law.
pub fn read() {
    let fresh = acting(OBSERVER, || {
        law(|law| {
            if law.observer.is_none() {
                law.observer = Journal::join_on(&Simulated, Path::new(PATH)).ok();
            }
            let seen = law.entries.len() as u64;
            law.observer.as_ref().map(|journal| journal.since(seen))
        })
    });
    match fresh {
        Some(Ok(fresh)) => fresh.into_iter().for_each(|(number, entry)| take(number, entry)),
        Some(Err(e)) => broke(format!("the journal cannot be read: {e}")),
        None => {}
    }
}

const PATH: &str = life::PATH;

/// After the power came back: what was seen in the journal is still there.
pub fn nothing_was_lost() {
    let (before, seen) = law(|law| (law.before, law.entries.clone()));
    let found = acting(OBSERVER, || Journal::join_on(&Simulated, Path::new(PATH)).and_then(|journal| journal.since(0)));
    match found {
        Ok(found) => {
            let kept = found.iter().map(|(_, entry)| entry).zip(&seen).take_while(|(a, b)| a == b).count();
            if kept < before {
                broke(format!("{} entries that were in the journal are lost, from number {} on", before - kept, kept + 1));
            }
        }
        Err(_) if before == 0 => {}
        Err(e) => broke(format!("the journal is lost: {e}")),
    }
}

fn take(number: u64, entry: Entry) {
    let told = format!("journal {number}: {} {} by {}", entry.change, entry.deed.words(), entry.who);
    world(|w| {
        w.tell(told);
        w.count("entries");
    });
    let wrong = law(|law| law.take(number, entry));
    wrong.into_iter().for_each(broke);
}

impl Law {
    /// One more entry; what is wrong with it.
    fn take(&mut self, number: u64, entry: Entry) -> Vec<String> {
        let mut wrong = Vec::new();
        let id = entry.change;
        if number != self.entries.len() as u64 + 1 {
            wrong.push(format!("entry {number} follows entry {}", self.entries.len()));
        }
        if matches!(entry.deed, Deed::Noted(_)) {
            self.entries.push(entry);
            return wrong;
        }
        match Change::begin(&entry) {
            Some(change) => {
                if self.changes.insert(id, change).is_some() {
                    wrong.push(format!("{id} begins twice"));
                }
            }
            None => match self.changes.get_mut(&id) {
                Some(change) => {
                    if let Err(illegal) = change.take(&entry) {
                        wrong.push(format!("{id}: {illegal} ({number})"));
                    }
                }
                None => wrong.push(format!("{id} does not begin with its proposal")),
            },
        }
        match &entry.deed {
            Deed::ApplyStarted { plan, .. } => self.intended(id, plan, &entry, &mut wrong),
            Deed::Kept if entry.who == Who::Engine => self.kept(id, &entry, &mut wrong),
            _ => {}
        }
        self.of.entry(id).or_default().push(entry.clone());
        self.entries.push(entry);
        wrong
    }

    /// Of each knob, the kept change that was applied last; but not of those on which another stands in some knob: what becomes of them
    /// is settled when that one is undone.
    fn tops(&self, boot: &str) -> BTreeMap<Knob, (ChangeId, String)> {
        let mut tops = BTreeMap::new();
        let begun = self.entries.iter().filter(|e| matches!(e.deed, Deed::ApplyStarted { .. }));
        for change in begun.filter_map(|e| self.changes.get(&e.change)).filter(|c| c.state == ChangeState::Kept) {
            let steps = change.plan.iter().filter(|plan| plan.boot == boot).flat_map(|plan| &plan.steps);
            let steps = steps.filter(|step| step.knob != queue("nr_requests"));
            let steps: Vec<&Step> = steps.collect();
            let beneath = |knob: &Knob| tops.get(knob).map(|(id, _): &(ChangeId, String)| *id);
            let covered: BTreeSet<ChangeId> = steps.iter().filter_map(|step| beneath(&step.knob)).collect();
            tops.retain(|_, (id, _)| !covered.contains(id));
            tops.extend(steps.into_iter().map(|step| (step.knob.clone(), (change.id, step.after.clone()))));
        }
        tops
    }

    fn entries_of(&self, id: ChangeId) -> &[Entry] {
        self.of.get(&id).map(Vec::as_slice).unwrap_or_default()
    }

    /// An intent: approved as it is, alone in its domain, within budget, flaps and cool-down.
    fn intended(&self, id: ChangeId, plan: &Plan, entry: &Entry, wrong: &mut Vec<String>) {
        let Some(change) = self.changes.get(&id) else { return };
        let approved = self.entries_of(id).iter().rev().find_map(|e| match &e.deed {
            Deed::Approved { digest } => Some((digest.clone(), e.now.tick)),
            _ => None,
        });
        match approved {
            None => wrong.push(format!("{id} is applied, but was never approved")),
            Some((of, _)) if of != digest(&plan.essence()) => {
                wrong.push(format!("{id} is applied with another plan than was approved"));
            }
            Some(_) => {}
        }
        if change.proposal.asked {
            return;
        }
        let rival = self.changes.values().find(|other| {
            other.id != id
                && other.state.is_unconfirmed()
                && !other.proposal.asked
                && other.proposal.domain == change.proposal.domain
        });
        if let Some(rival) = rival {
            wrong.push(format!("{id} and {} are both unconfirmed in {:?}", rival.id, rival.proposal.domain));
        }
        let policy = life::setup(|s| s.policy.clone());
        let now = entry.now.tick;
        let here = |e: &&Entry| e.boot == entry.boot && now.since(e.now.tick) < Duration::from_secs(3600);
        let asked = |e: &Entry| self.changes.get(&e.change).is_some_and(|c| c.proposal.asked);
        let applied = self.entries.iter().filter(here).filter(|e| matches!(e.deed, Deed::ApplyStarted { .. }) && !asked(e)).count();
        if applied >= policy.per_hour {
            wrong.push(format!("{id} is applied, though {applied} were within the hour"));
        }
        let old = |e: &&Entry| now.seconds_since(e.now.tick) > NEWS;
        let same = |e: &Entry| {
            self.changes.get(&e.change).is_some_and(|c| {
                c.proposal.action == change.proposal.action
                    && c.proposal.wants.iter().any(|a| change.proposal.wants.iter().any(|b| a.on == b.on))
            })
        };
        let undone = |e: &&Entry| matches!(e.deed, Deed::RolledBack | Deed::Yielded(_));
        for want in &change.proposal.wants {
            let on = |e: &Entry| {
                self.changes.get(&e.change).is_some_and(|c| {
                    c.proposal.action == change.proposal.action && c.proposal.wants.iter().any(|other| other.on == want.on)
                })
            };
            let flaps = self.entries.iter().filter(here).filter(old).filter(undone).filter(|e| on(e)).count();
            if flaps >= policy.flaps {
                wrong.push(format!("{id} is applied, though its knobs were reversed {flaps} times within the hour"));
            }
        }
        let touched = |e: &&Entry| undone(e) || matches!(e.deed, Deed::ApplyStarted { .. });
        let last = self.entries.iter().filter(here).filter(touched).filter(|e| same(e)).map(|e| e.now.tick).max();
        if let Some(last) = last.map(|last| now.seconds_since(last)).filter(|since| *since > NEWS && *since < COOLDOWN) {
            wrong.push(format!("{id} is applied {last:.1} s after its knobs were touched"));
        }
    }

    /// Kept by the engine: only on a verdict, only with data.
    fn kept(&self, id: ChangeId, entry: &Entry, wrong: &mut Vec<String>) {
        let verdict = self.entries_of(id).iter().rev().find_map(|e| match &e.deed {
            Deed::Judged(verdict) => Some((verdict.outcome, e.now.tick)),
            _ => None,
        });
        let Some(change) = self.changes.get(&id) else { return };
        if change.proposal.asked {
            return;
        }
        let Some((outcome, judged)) = verdict else {
            return wrong.push(format!("{id} is kept by the engine without a verdict"));
        };
        if outcome != Outcome::Better {
            wrong.push(format!("{id} is kept, though it is judged {outcome:?}"));
        }
        let applied = change.applied.map_or(judged, |now| now.tick);
        let within = self.measured.iter().filter(|at| **at > applied && **at <= judged).count();
        let silent = self.measured.last().map_or(f64::INFINITY, |at| entry.now.tick.seconds_since(*at));
        if within < 5 || silent > 60.0 {
            wrong.push(format!("{id} is kept with {within} measurements since it was applied, the last {silent:.0} s ago"));
        }
    }
}

/// What would be in the journal if the power went now and nothing unsynced came to the disk.
fn durable() -> Vec<Entry> {
    read();
    if world(|w| w.disk.is_synced()) {
        return law(|law| law.entries.clone());
    }
    let (disk, layer) = world(|w| {
        let durable = w.disk.durable();
        (std::mem::replace(&mut w.disk, durable), std::mem::take(&mut w.layer))
    });
    let found = acting(OBSERVER, || Journal::join_on(&Simulated, Path::new(PATH)).and_then(|journal| journal.since(0)));
    world(|w| (w.disk, w.layer) = (disk, layer));
    found.map(|all| all.into_iter().map(|(_, entry)| entry).collect()).unwrap_or_default()
}

/// A process of ours is about to write a knob that now reads `found`.
pub fn write(knob: &Knob, found: &str, value: &str) {
    if let Knob::Nice(task) = knob
        && PROTECTED.contains(&task.process.pid)
    {
        broke(format!("a protected process is touched: {knob} to {value}"));
    }
    let durable = durable();
    let mut of: BTreeMap<ChangeId, Vec<&Entry>> = BTreeMap::new();
    durable.iter().for_each(|entry| of.entry(entry.change).or_default().push(entry));
    let changes: Vec<Change> = of.into_values().filter_map(fold).collect();
    let boot = boot();
    let plans = changes.iter().filter(|c| c.deadline.is_some() || !c.state.is_open()).filter_map(|c| Some((c, c.plan.as_ref()?)));
    let steps: Vec<(&Change, &Step)> = plans
        .filter(|(_, plan)| plan.boot == boot)
        .flat_map(|(change, plan)| plan.steps.iter().map(move |step| (change, step)))
        .filter(|(_, step)| step.knob == *knob)
        .collect();
    let known = steps.iter().any(|(_, step)| step.after == value || step.before == value);
    if !known {
        broke(format!("{:?} writes {knob} {found} -> {value} without a durable intent of this boot", current()));
    }
    let begun = steps.iter().find(|(c, step)| c.state == ChangeState::Applying && step.before == found && step.after == value);
    if let Some((change, _)) = begun.filter(|(change, _)| !law(|law| law.armed.contains(&change.id))) {
        broke(format!("{} is applied ({knob} {found} -> {value}), and no guard holds it", change.id));
    }
    let truth = world(|w| w.machine.truth.get(knob).cloned());
    let Some(truth) = truth else { return broke(format!("{knob} of a process that has ended is written")) };
    let foreign = truth.writer == Writer::Stranger && found == truth.base && found != value && *knob != queue("nr_requests");
    let meant = steps.iter().any(|(_, step)| step.before == found && step.after == value);
    if foreign && !meant {
        broke(format!("{:?} overwrites a stranger's value: {knob} {found} -> {value}", current()));
    }
}

/// Once a second.
pub fn look() {
    read();
    let now = now().tick;
    let boot = boot();
    let late: Vec<Change> = law(|law| {
        let late = |c: &&Change| {
            c.state.is_unconfirmed()
                && c.plan.as_ref().is_some_and(|plan| plan.boot == boot)
                && c.deadline.is_some_and(|deadline| deadline + SLACK < now)
        };
        law.changes.values().filter(late).cloned().collect()
    });
    for change in late {
        let begun = change.applied.or(change.undone).map_or(Tick(0), |at| at.tick);
        let failed = world(|w| w.machine.failed.is_some_and(|at| at.tick >= begun));
        if failed || !life::is_guarded(change.id, SLACK) {
            continue;
        }
        let Some(plan) = &change.plan else { continue };
        let ours = plan.steps.iter().find(|step| {
            let (value, writer) = world(|w| (w.machine.value(&step.knob), w.machine.truth.get(&step.knob).map(|t| t.writer)));
            value == step.after && value != step.before && writer == Some(Writer::Ours)
        });
        if let Some(step) = ours {
            broke(format!("{} is past its deadline and guarded, and {} is still {}", change.id, step.knob, step.after));
        }
    }
    standing(&[]);
}

/// Every knob is as the world outside left it, or as a change says that was begun in this boot.
fn standing(states: &[ChangeState]) {
    let boot = boot();
    let plans: Vec<(ChangeState, Plan)> = law(|law| {
        let here = |c: &&Change| states.is_empty() || states.contains(&c.state);
        let plan = |c: &Change| c.plan.clone().filter(|plan| plan.boot == boot).map(|plan| (c.state, plan));
        law.changes.values().filter(here).filter_map(plan).collect()
    });
    let wrong = world(|w| {
        let machine: &Machine = &w.machine;
        let odd = |knob: &&Knob| {
            let (value, truth) = (machine.value(knob), &machine.truth[*knob]);
            let said = plans.iter().flat_map(|(_, plan)| &plan.steps).any(|step| step.knob == **knob && step.after == value);
            // The kernel moves it by itself with the scheduler, in the middle of a change and of its undo.
            let follows = states.is_empty() && **knob == queue("nr_requests");
            value != truth.base && !truth.warped.contains(&value) && !said && !follows
        };
        machine.truth.keys().find(odd).map(|knob| {
            let truth = &machine.truth[knob];
            format!(
                "{knob} is {}, was {}, last written by {:?}, and no change says so",
                machine.value(knob),
                truth.base,
                truth.writer
            )
        })
    });
    wrong.into_iter().for_each(broke);
}

/// The last deadline of a change that nobody has confirmed.
pub fn deadline() -> Option<Tick> {
    read();
    let boot = boot();
    let here = |c: &&Change| c.state.is_unconfirmed() && c.plan.as_ref().is_some_and(|plan| plan.boot == boot);
    law(|law| law.changes.values().filter(here).filter_map(|c| c.deadline).max())
}

/// Whether a change is not at its end yet.
pub fn restless() -> bool {
    law(|law| law.changes.values().any(|c| c.state.is_unconfirmed() || c.state == ChangeState::Prepared))
}

/// At the end, everything healed and the engine twice ended in good order.
pub fn settled() {
    read();
    let wrong = law(|law| {
        let open = |c: &&Change| c.state.is_unconfirmed() || matches!(c.state, ChangeState::Prepared | ChangeState::Stuck);
        let ended = law.changes.values().find(open).map(|c| format!("{} ends as {}: {:?}", c.id, c.state.words(), c.trouble));
        let boot = boot();
        let both = law.of.values().find(|entries| {
            let has = |deed: fn(&Deed) -> bool| entries.iter().rposition(|e| deed(&e.deed));
            let undone = has(|d| matches!(d, Deed::RolledBack));
            undone.is_some() && has(|d| matches!(d, Deed::Kept)) > undone
        });
        let both = both.map(|entries| format!("{} is kept after it was rolled back", entries[0].change));
        let gone = law.tops(&boot).into_iter().find_map(|(knob, (id, after))| {
            let value = world(|w| w.machine.truth.contains_key(&knob).then(|| w.machine.value(&knob)))?;
            (value != after).then(|| format!("{id} is kept, but {knob} is {value}"))
        });
        [ended, both, gone].into_iter().flatten().collect::<Vec<_>>()
    });
    wrong.into_iter().for_each(broke);
    standing(&[ChangeState::Kept]);
    let whole = acting(OBSERVER, || law(|law| law.observer.as_ref().map(Journal::verify)));
    if let Some(Err(e)) = whole {
        broke(format!("the chain is broken: {e}"));
    }
}

/// A digest of all changes, for the trace.
pub fn story() -> String {
    law(|law| {
        law.changes.values().map(|c| format!("{} {} {}", c.id, c.proposal.action, c.state.words())).collect::<Vec<_>>().join("; ")
    })
}

/// One of the newest changes.
pub fn recent() -> Option<ChangeId> {
    let ids: Vec<ChangeId> = law(|law| law.changes.keys().rev().take(4).copied().collect());
    (!ids.is_empty()).then(|| world(|w| *w.dice.pick(&ids)))
}
