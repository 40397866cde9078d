//! Steps: made, written, read back and undone, the same way for every action.
//!
//! All steps are compared before the first is written, each again right before its write, and each is read back after. Undo writes the
//! absolute value before, only where the present one is ours.
//!
//! What reads back as something else is one of two things. The kernel made it of our value (it clamps to its bounds, towards the value
//! before, or rounds to a step of its own): then it is taken back at once. Or somebody else wrote in between: then it is theirs and is left
//! alone. A stranger's number that lies between the value before and ours, written in that very moment, looks like a clamp in principle:
//! such a one is taken back.
//!
//! Knobs that the kernel moves together (catalogue B8, lock groups) yield together, since undoing one would overwrite a stranger's
//! value in the other.

use crate::{
    actions::knob::{
        refuse::{self, from_host, refusal},
        shell::command,
        threads,
    },
    host::{
        canonical::parse_cpus,
        error::{HostError, Kind},
        host::{Host, Touch},
    },
    model::{
        knob::{Knob, Task},
        plan::{Held, Obstacle, Plan, Refusal, Step, Undone},
        subject::ProcessId,
    },
};
use std::{collections::BTreeSet, time::Duration};

/// In which order undo goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Last written, first undone.
    LastFirst,
    /// First written, first undone: for knobs whose first one decides what the others become.
    FirstFirst,
}

/// Makes the knob of a thread, such as [`Knob::Nice`].
pub type ThreadKnob = fn(Task) -> Knob;

/// The step from the present value of `knob` to `after`.
pub fn step(host: &dyn Host, knob: Knob, after: impl Into<String>) -> Touch<Step> {
    let before = host.get(&knob)?;
    let after = after.into();
    Ok(Step { apply: command(&knob, &after), undo: command(&knob, &before), knob, before, after })
}

/// A step of every thread of these processes; `after` gives the value from the one before, or refuses. Processes and threads that
/// ended are left out; when all have, that is a refusal.
pub fn of_threads(
    host: &dyn Host,
    processes: &[ProcessId],
    knob: ThreadKnob,
    after: &dyn Fn(&str) -> Result<String, Refusal>,
) -> Result<Vec<Step>, Refusal> {
    let mut steps = Vec::new();
    for process in processes {
        match threads::tasks(host, *process) {
            Ok(tasks) => tasks.into_iter().try_for_each(|task| thread(host, knob(task), after, &mut steps))?,
            Err(e) if e.kind == Kind::Gone => {}
            Err(e) => return Err(from_host(&e, "read access to it")),
        }
    }
    if steps.is_empty() { Err(refuse::gone()) } else { Ok(steps) }
}

fn thread(
    host: &dyn Host,
    knob: Knob,
    after: &dyn Fn(&str) -> Result<String, Refusal>,
    steps: &mut Vec<Step>,
) -> Result<(), Refusal> {
    let before = match host.get(&knob) {
        Ok(before) => before,
        Err(e) if e.kind == Kind::Gone => return Ok(()),
        Err(e) => return Err(from_host(&e, "read access to it")),
    };
    let after = after(&before)?;
    steps.push(Step { apply: command(&knob, &after), undo: command(&knob, &before), knob, before, after });
    Ok(())
}

/// Knobs of one name are moved together by the kernel, or by each other.
fn group(knob: &Knob) -> Option<String> {
    match knob {
        Knob::File(place) => {
            let (directory, file) = place.path.rsplit_once('/')?;
            match file {
                "dirty_bytes" | "dirty_ratio" => Some(format!("{directory}/dirty")),
                "dirty_background_bytes" | "dirty_background_ratio" => Some(format!("{directory}/dirty_background")),
                "scheduler" | "nr_requests" | "wbt_lat_usec" => Some(directory.into()),
                "gc_thresh1" | "gc_thresh2" | "gc_thresh3" => Some(directory.into()),
                _ => None,
            }
        }
        Knob::NetworkFile { netns, file, .. } if file == "core/somaxconn" => Some(format!("backlog {netns}")),
        Knob::Backlog { netns, .. } => Some(format!("backlog {netns}")),
        // What a socket may hold and what a program may ask for bound each other.
        Knob::NetworkFile { netns, file, .. } if matches!(file.as_str(), "ipv4/tcp_rmem" | "core/rmem_max" | "ipv4/tcp_mem") => {
            Some(format!("buffers {netns}"))
        }
        // v1: memory with swap may never be below memory alone.
        Knob::CgroupFile { directory, file, .. } if file.ends_with("limit_in_bytes") => Some(format!("{directory}/memory")),
        _ => None,
    }
}

/// A step that only keeps a value which the kernel resets when the rest of its group is written. It has no opinion of its own.
fn companion(step: &Step) -> bool {
    step.before == step.after && matches!(&step.knob, Knob::File(place) if place.path.ends_with("/nr_requests"))
}

/// Whether `found` is what the step wrote. A backlog is the program's own wish within somaxconn: anything above the old one is ours.
fn ours(step: &Step, found: &str) -> bool {
    if found == step.after || (found == "FREEZING" && step.after == "FROZEN") {
        return true;
    }
    let number = |text: &str| text.parse::<u64>().ok();
    matches!(step.knob, Knob::Backlog { .. })
        && number(found).zip(number(&step.before)).is_some_and(|(found, before)| found > before)
        && number(found).zip(number(&step.after)).is_some_and(|(found, after)| found < after)
}

/// Whether the kernel may have made `found` of what the step wrote: each number of it is cut towards the value before, or rounded by less
/// than a thirty-second; of processors, some are left out. A system call takes nice, policy and I/O priority as they are, or fails.
fn bent(step: &Step, found: &str) -> bool {
    match step.knob {
        Knob::Nice(_) | Knob::Policy(_) | Knob::IoPriority(_) => false,
        Knob::Affinity(_) => {
            let cpus = |list: &str| parse_cpus(list, u32::from(u16::MAX)).unwrap_or_default();
            let (some, all) = (cpus(found), cpus(&step.after));
            !some.is_empty() && some.iter().all(|cpu| all.contains(cpu))
        }
        _ => {
            let (Some(found), Some(after)) = (numbers(found), numbers(&step.after)) else { return false };
            let before = numbers(&step.before).filter(|before| before.len() == after.len()).unwrap_or_else(|| after.clone());
            let cut = |(found, (after, before)): (f64, (f64, f64))| {
                let (low, high) = (after.min(before), after.max(before));
                (low..=high).contains(&found) || (found - after).abs() <= (after.abs() / 32.0).max(1.0)
            };
            found.len() == after.len() && found.into_iter().zip(after.into_iter().zip(before)).all(cut)
        }
    }
}

/// The numbers that a value is made of, `max` being beyond all; `None` where it is made of anything else.
fn numbers(value: &str) -> Option<Vec<f64>> {
    let number = |word: &str| match word.trim_end_matches('%') {
        "max" | "unlimited" => Some(f64::INFINITY),
        word => word.parse().ok(),
    };
    value.split([' ', ':']).map(number).collect()
}

/// Undoing what a unit has set at runtime takes its drop-in away and then has systemd read its files: cut in between, systemd still holds
/// our value.
fn half_undone(step: &Step, found: &str) -> bool {
    matches!(step.knob, Knob::UnitProperty { .. }) && found.strip_prefix("unset ").is_some_and(|held| held == step.after)
}

/// Reads a knob until it stands as `wanted` says: at once for all but a backlog, whose program has to take its signal first and may
/// for a moment not listen at all, and what systemd holds, which it writes to the kernel a moment later.
fn read_back(host: &dyn Host, knob: &Knob, wanted: &dyn Fn(&str) -> bool) -> Touch<String> {
    // A signal and the freezer of v1 take effect when the tasks next pass by the kernel.
    let looks = match knob {
        Knob::Backlog { .. } | Knob::Run(_) => 100,
        Knob::CgroupFile { file, .. } if file == "freezer.state" => 100,
        Knob::UnitProperty { .. } => 25,
        _ => 1,
    };
    let mut found = host.get(knob);
    for _ in 1..looks {
        if found.as_ref().is_ok_and(|value| wanted(value)) {
            break;
        }
        host.pause(Duration::from_millis(20));
        found = host.get(knob);
    }
    found
}

/// Writes the steps in order; stops at the first failure. Targets that ended are skipped. Nothing is written where one of them is neither
/// at its value before nor at ours: of knobs that move together, the first write would overwrite a stranger's value in the other.
pub fn apply(plan: &Plan, host: &dyn Host, needs: &str) -> Result<(), Refusal> {
    for step in &plan.steps {
        compare(step, host, needs)
            .map(|_| ())
            .or_else(|refusal| if refusal.kind == Obstacle::Gone { Ok(()) } else { Err(refusal) })?;
    }
    let mut alive = false;
    for step in &plan.steps {
        match write(step, host, needs) {
            Ok(()) => alive = true,
            Err(refusal) if refusal.kind == Obstacle::Gone => {}
            Err(refusal) => return Err(refusal),
        }
    }
    if alive { Ok(()) } else { Err(refuse::gone()) }
}

/// True when the step is done already; refuses where a stranger's value stands.
fn compare(step: &Step, host: &dyn Host, needs: &str) -> Result<bool, Refusal> {
    let found = host.get(&step.knob).map_err(|e| from_host(&e, needs))?;
    if ours(step, &found) {
        return Ok(true);
    }
    if found != step.before && !companion(step) {
        return Err(refuse::moved(&step.knob, &step.before, &found));
    }
    Ok(false)
}

fn write(step: &Step, host: &dyn Host, needs: &str) -> Result<(), Refusal> {
    let lacks = |e: HostError| from_host(&e, needs);
    if compare(step, host, needs)? {
        return Ok(());
    }
    host.set(&step.knob, &step.after).map_err(lacks)?;
    let found = read_back(host, &step.knob, &|found| ours(step, found)).map_err(lacks)?;
    if ours(step, &found) {
        return Ok(());
    }
    if found != step.before && !companion(step) && !bent(step, &found) {
        return Err(refuse::moved(&step.knob, &step.after, &found));
    }
    // What the kernel made of our value would look like a stranger's at undo: take it back now, and say so if even that fails.
    let back = if found == step.before { Ok(()) } else { host.set(&step.knob, &step.before) };
    let after = back.err().map(|e| format!(" Taking it back failed too: {e}. Type: {}", step.undo)).unwrap_or_default();
    Err(refusal(Obstacle::Failed, format!("{}: wrote {}, it reads {found}.{after}", step.knob, step.after)))
}

/// Reads every knob back.
pub fn verify(plan: &Plan, host: &dyn Host) -> Result<Held, HostError> {
    let mut alive = false;
    for step in &plan.steps {
        match host.get(&step.knob) {
            Ok(found) if ours(step, &found) => alive = true,
            Ok(found) => return Ok(Held::Drifted { knob: step.knob.to_string(), found }),
            Err(e) if e.kind == Kind::Gone => {}
            Err(e) => return Err(e),
        }
    }
    Ok(if alive { Held::Holds } else { Held::Gone })
}

/// Undoes the steps. Goes on past a knob that yields, is gone or fails; the first failure is the answer, after all others were tried.
pub fn rollback(plan: &Plan, order: Order, host: &dyn Host) -> Result<Undone, HostError> {
    let mut undo = Undo { host, foreign: BTreeSet::new(), yielded: Vec::new(), failed: None };
    undo.look(&plan.steps);
    match order {
        Order::LastFirst => plan.steps.iter().rev().for_each(|step| undo.step(step)),
        Order::FirstFirst => plan.steps.iter().for_each(|step| undo.step(step)),
    }
    undo.strays(&plan.steps);
    match (undo.failed, undo.yielded) {
        (Some(error), _) => Err(error),
        (None, yielded) if yielded.is_empty() => Ok(Undone::Undone),
        (None, yielded) => Ok(Undone::Yielded(yielded)),
    }
}

struct Undo<'a> {
    host: &'a dyn Host,
    /// Groups in which a stranger wrote.
    foreign: BTreeSet<String>,
    yielded: Vec<String>,
    failed: Option<HostError>,
}

impl Undo<'_> {
    /// Finds the groups that yield, before the first write moves anything. One of which a member cannot be read is not touched either:
    /// a stranger's value may be in it.
    fn look(&mut self, steps: &[Step]) {
        for step in steps.iter().filter(|step| !companion(step)) {
            let Some(group) = group(&step.knob) else { continue };
            match self.host.get(&step.knob) {
                Ok(found) if found == step.before || ours(step, &found) => {}
                Err(e) if e.kind == Kind::Gone => {}
                Ok(_) => drop(self.foreign.insert(group)),
                Err(e) => {
                    self.foreign.insert(group);
                    self.failed = self.failed.take().or(Some(e));
                }
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match self.write(step) {
            Ok(()) => {}
            Err(e) if e.kind == Kind::Gone => {}
            Err(e) => self.failed = self.failed.take().or(Some(e)),
        }
    }

    fn write(&mut self, step: &Step) -> Touch<()> {
        let found = self.host.get(&step.knob)?;
        if found == step.before || (step.before == step.after && !companion(step)) {
            return Ok(());
        }
        let foreign = group(&step.knob).is_some_and(|group| self.foreign.contains(&group));
        if foreign || !(ours(step, &found) || half_undone(step, &found) || companion(step)) {
            self.yielded.push(step.knob.to_string());
            return Ok(());
        }
        self.host.set(&step.knob, &step.before)?;
        let found = read_back(self.host, &step.knob, &|found| found == step.before)?;
        if found == step.before {
            return Ok(());
        }
        let why = format!("wrote {}, it reads {found}; type: {}", step.before, step.undo);
        Err(HostError::plain("read back", &step.knob, Kind::Invalid, why))
    }

    /// Threads started since the write inherited what we wrote and are in no step: they get what the main thread had.
    fn strays(&mut self, steps: &[Step]) {
        let mut done = BTreeSet::new();
        for step in steps {
            let Some((task, knob)) = of_thread(&step.knob) else { continue };
            if done.insert(task.process) {
                let own: Vec<&Step> =
                    steps.iter().filter(|s| of_thread(&s.knob).is_some_and(|(t, _)| t.process == task.process)).collect();
                self.inherited(task.process, knob, &own);
            }
        }
    }

    fn inherited(&mut self, process: ProcessId, knob: ThreadKnob, own: &[&Step]) {
        let main = own.iter().find(|step| of_thread(&step.knob).is_some_and(|(t, _)| t.tid == process.pid)).or(own.first());
        let (Some(main), Ok(tasks)) = (main, threads::tasks(self.host, process)) else { return };
        for task in tasks.into_iter().filter(|task| !own.iter().any(|step| step.knob == knob(*task))) {
            let stray = Step { knob: knob(task), ..(*main).clone() };
            if self.host.get(&stray.knob).is_ok_and(|found| found == stray.after) {
                self.step(&stray);
            }
        }
    }
}

fn of_thread(knob: &Knob) -> Option<(Task, ThreadKnob)> {
    match knob {
        Knob::Nice(task) => Some((*task, Knob::Nice)),
        Knob::Policy(task) => Some((*task, Knob::Policy)),
        Knob::Affinity(task) => Some((*task, Knob::Affinity)),
        Knob::IoPriority(task) => Some((*task, Knob::IoPriority)),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{host::recorded::RecordedHost, model::knob::Place};

    fn dirty(member: &str) -> Knob {
        Knob::File(Place::proc(format!("sys/vm/dirty_{member}")))
    }

    fn of(knob: Knob, before: &str, after: &str) -> Step {
        Step { knob, before: before.into(), after: after.into(), apply: String::new(), undo: String::new() }
    }

    #[test]
    fn a_strangers_value_in_any_step_stops_the_first_write() {
        let host = RecordedHost::default();
        host.put("/proc/sys/vm/dirty_bytes", "0\n");
        host.put("/proc/sys/vm/dirty_ratio", "20\n");
        let steps = vec![of(dirty("bytes"), "0", "50331648"), of(dirty("ratio"), "20", "0")];
        let plan = Plan { action: "writeback".into(), boot: "b".into(), steps };
        apply(&plan, &host, "root").unwrap();
        apply(&plan, &host, "root").unwrap();
        rollback(&plan, Order::LastFirst, &host).unwrap();
        host.tamper(&dirty("ratio"), "24");
        let (before, writes) = (host.dump(), host.writes());
        let refused = apply(&plan, &host, "root").unwrap_err();
        assert!(refused.kind == Obstacle::Moved && refused.why.contains("found 24"), "{}", refused.why);
        assert_eq!((host.dump(), host.writes()), (before, writes));
    }

    #[test]
    fn what_cannot_be_read_may_hold_a_strangers_value() {
        let host = RecordedHost::default();
        host.put("/proc/sys/vm/dirty_bytes", "0\n");
        host.put("/proc/sys/vm/dirty_ratio", "20\n");
        let steps = vec![of(dirty("bytes"), "0", "50331648"), of(dirty("ratio"), "20", "0")];
        let plan = Plan { action: "writeback".into(), boot: "b".into(), steps };
        apply(&plan, &host, "root").unwrap();
        let writes = host.writes();
        host.remove("/proc/sys/vm/dirty_bytes");
        rollback(&plan, Order::LastFirst, &host).unwrap_err();
        assert_eq!(host.writes(), writes, "the other one of the pair was written");
        host.put("/proc/sys/vm/dirty_bytes", "50331648\n");
        assert_eq!(rollback(&plan, Order::LastFirst, &host).unwrap(), Undone::Undone);
        assert_eq!((host.get(&dirty("bytes")).unwrap(), host.get(&dirty("ratio")).unwrap()), ("0".into(), "20".into()));
    }

    #[test]
    fn a_clamp_is_told_from_a_strangers_value() {
        let file = |before: &str, after: &str, found: &str| bent(&of(Knob::File(Place::proc("sys/x")), before, after), found);
        assert!(file("1024", "1", "2"), "cut to the least");
        assert!(file("60", "200", "100"), "cut to the most");
        assert!(file("max", "1000000", "999424"), "rounded to a page");
        assert!(file("128", "5", "4"), "rounded to a step");
        assert!(file("4096 131072 6291456", "4096 131072 9000000", "4096 131072 8388608"), "cut in one place");
        assert!(!file("1024", "16", "2001") && !file("60", "20", "104") && !file("60", "200", "30"));
        assert!(!file("none", "bfq", "kyber") && !file("1 2", "3 4", "3"));
        let task = Task { process: ProcessId { pid: 7, start: 70 }, tid: 7, start: 70 };
        let affinity = |found: &str| bent(&of(Knob::Affinity(task), "0-7", "0-3"), found);
        assert!(affinity("0-1") && !affinity("4") && !affinity("0-5"));
        assert!(!bent(&of(Knob::Nice(task), "0", "19"), "5"), "a system call takes it or fails");
    }
}
