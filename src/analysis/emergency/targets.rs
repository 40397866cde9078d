//! Who would be hit: those that grow, write, fork or burn most, as control groups where they have one of their own, else as processes.

use crate::model::{
    metric::{Key, Metric},
    snapshot::{Cgroup, Process},
    subject::Subject,
    world::World,
};
use std::{collections::BTreeMap, sync::Arc};

/// Seconds over which growth is looked for.
const GROWTH: f64 = 15.0;

/// Growth below this share of all memory is none.
const GROWN: f64 = 0.002;

/// Somebody who could be hit.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// A group or a process.
    pub on: Subject,
    /// Its name to show.
    pub name: Arc<str>,
    /// How much of it there is, in what it was chosen by.
    pub weight: f64,
}

/// True for processes that nothing may be done to, by what a snapshot shows; the action looks again, closer.
fn exempt(world: &World<'_>, process: &Process) -> bool {
    process.kernel || process.id.pid <= 1 || process.id.pid == world.facts.own
}

/// Targets by the sum of what their processes weigh, heaviest first.
fn by(world: &World<'_>, weigh: impl Fn(&Process) -> f64) -> Vec<Target> {
    let Some(all) = world.snapshot.processes.known() else { return Vec::new() };
    let mut sums: BTreeMap<Subject, Target> = BTreeMap::new();
    for process in all.iter().filter(|process| !exempt(world, process)) {
        let weight = weigh(process);
        if weight <= 0.0 {
            continue;
        }
        let (on, name) = whose(process);
        sums.entry(on.clone()).or_insert(Target { on, name, weight: 0.0 }).weight += weight;
    }
    let mut targets: Vec<Target> = sums.into_values().collect();
    targets.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.on.cmp(&b.on)));
    targets
}

fn whose(process: &Process) -> (Subject, Arc<str>) {
    if is_own(&process.cgroup) {
        (Subject::Cgroup(process.cgroup.clone()), process.cgroup.clone())
    } else {
        (Subject::Process(process.id), process.name.clone())
    }
}

/// A group of some program's own: neither the root, nor the slice or scope that a whole login or machine lives in.
fn is_own(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    !last.is_empty() && !last.ends_with(".slice") && last != "init.scope" && !last.starts_with("session-")
}

/// By growth of memory in the last seconds; where nobody grows, by size.
pub fn growing(world: &World<'_>) -> Vec<Target> {
    let total = world.vitals.memory.known().map_or(0, |m| m.total) as f64;
    let grown = by(world, |process| growth(world, process));
    match grown.first() {
        Some(most) if most.weight >= GROWN * total => grown,
        _ => by(world, |process| process.resident as f64),
    }
}

fn growth(world: &World<'_>, process: &Process) -> f64 {
    let key = Key::new(Subject::Process(process.id), Metric::ProcessResident);
    let now = world.now.tick;
    let then =
        world.series.get(&key).and_then(|series| series.points().rev().take_while(|p| now.seconds_since(p.at) <= GROWTH).last());
    // One that was not there before has grown by all that it has.
    let born = process.id.age(now) <= GROWTH;
    then.map_or(if born { process.resident as f64 } else { 0.0 }, |point| process.resident as f64 - point.value)
}

/// By bytes written per second.
pub fn writing(world: &World<'_>) -> Vec<Target> {
    by(world, |process| process.io.map_or(0.0, |[_, written]| written))
}

/// By cores used, of those that can wait: niced, or of a batch policy; if there is none, of all.
pub fn burning(world: &World<'_>) -> Vec<Target> {
    use crate::model::sample::Policy;
    let patient = |p: &Process| p.nice > 0 || matches!(p.policy, Policy::Batch | Policy::Idle);
    let batch = by(world, |process| if patient(process) { process.cpu.unwrap_or(0.0) } else { 0.0 });
    if batch.is_empty() { by(world, |process| process.cpu.unwrap_or(0.0)) } else { batch }
}

/// The group whose tasks come nearest to their limit, and how near; of the host where no group has one.
pub fn numbers(world: &World<'_>) -> (f64, Arc<str>) {
    let groups = world.snapshot.cgroups.known();
    let near = |g: &Cgroup| Some(g.pids? as f64 / g.pids_limit.filter(|limit| *limit > 0)? as f64);
    let all = groups.into_iter().flatten().filter_map(|g| Some((near(g)?, g.path.clone())));
    let host = host_numbers(world).map(|used| (used, "the host".into()));
    all.chain(host).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((0.0, "the host".into()))
}

fn host_numbers(world: &World<'_>) -> Option<f64> {
    let threads: u64 = world.snapshot.processes.known()?.iter().map(|p| u64::from(p.threads)).sum();
    (world.facts.tasks > 0).then(|| threads as f64 / world.facts.tasks as f64)
}

/// Groups by their processes, most first: a fork bomb is where they are.
pub fn multiplying(world: &World<'_>) -> Vec<Target> {
    by(world, |_| 1.0)
}
