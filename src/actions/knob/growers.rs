//! Which cgroups are behind a shortage of memory, and which suffer from it: the pure half of the actions on memory of cgroups.

use crate::{
    actions::knob::{cgroups, protect, rivals},
    model::{
        finding::Finding,
        metric::{Key, Metric},
        sample::CgroupVersion,
        snapshot::{Cgroup, Process},
        subject::Subject,
        world::World,
    },
};

/// Seconds over which growth is looked for.
const SPELL: f64 = 60.0;

/// Memory has a hierarchy of version 2: version 1 has neither `memory.high` nor `memory.low` nor `memory.reclaim`.
pub fn unified(world: &World<'_>) -> bool {
    world.facts.cgroup_v2.is_some() && !world.facts.cgroup_v1.iter().any(|(controller, _)| &**controller == "memory")
}

/// The cgroups that the finding's culprits live in, but for those that hold one of its victims, or the whole host.
pub fn of_culprits<'a>(world: &World<'a>, finding: &'a Finding) -> Vec<&'a Cgroup> {
    let victims = of_victims(world, finding);
    let touchable = rivals::processes(world, &finding.culprits).filter(|(_, process)| rivals::touchable(process));
    let mut found: Vec<&Cgroup> = touchable.filter_map(|(_, process)| home(world, process)).collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup_by(|a, b| a.path == b.path);
    found.retain(|row| !victims.iter().any(|victim| holds(row, victim)));
    found
}

/// The cgroups that the finding's victims live in.
pub fn of_victims<'a>(world: &World<'a>, finding: &'a Finding) -> Vec<&'a Cgroup> {
    let mut found: Vec<&Cgroup> = Vec::new();
    for (_, process) in rivals::processes(world, &finding.victims) {
        if let Some(row) = home(world, process)
            && !found.iter().any(|known| known.path == row.path)
        {
            found.push(row);
        }
    }
    found
}

/// The cgroup that a process lives in, where its memory can be set: never the root, nor what an orchestrator owns.
fn home<'a>(world: &World<'a>, process: &Process) -> Option<&'a Cgroup> {
    let row = world.snapshot.cgroup(&process.cgroup)?;
    let free = row.version == CgroupVersion::V2 && row.memory.is_some() && cgroups::owner(&row.path).is_none();
    (free && row.path.len() > 1 && !row.path.ends_with("/init.scope")).then_some(row)
}

/// `inner` is `outer` or below it.
pub fn holds(outer: &Cgroup, inner: &Cgroup) -> bool {
    inner.path.strip_prefix(&*outer.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// True when a process that must not be slowed lives in the cgroup or below; `prepare` looks again, closer.
pub fn is_protected(world: &World<'_>, row: &Cgroup) -> bool {
    let within = |p: &&Process| p.cgroup.strip_prefix(&*row.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let all = world.snapshot.processes.known().into_iter().flat_map(|all| all.iter());
    all.filter(within).any(|p| p.id.pid <= 1 || p.id.pid == world.facts.own || protect::known(&p.name))
}

/// By how much of its size the memory of a cgroup has grown per minute; `None` before it was seen for half of that.
pub fn growth(world: &World<'_>, row: &Cgroup) -> Option<f64> {
    let key = Key::new(Subject::Cgroup(row.path.clone()), Metric::CgroupMemory);
    let recent = |at: crate::model::time::Tick| world.now.tick.seconds_since(at) <= SPELL;
    let then = world.series.get(&key)?.points().find(|point| recent(point.at))?;
    let span = world.now.tick.seconds_since(then.at);
    let now = row.memory? as f64;
    (span >= SPELL / 2.0 && then.value > 0.0).then(|| (now - then.value) / then.value * SPELL / span)
}
