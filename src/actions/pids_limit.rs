//! How many tasks there may be (catalogue P3; admin-guide/cgroup-v2.rst "PID", cgroup-v1/pids.rst, sysctl/kernel.rst "pid_max" and
//! "threads-max").
//!
//! Changes: `pids.max` of a cgroup (`TasksMax` of a systemd unit); for the whole host `kernel.pid_max` and `kernel.threads-max`.
//! Helps when: nearly as many tasks run as may: the next fork, or thread, fails with EAGAIN.
//! Hurts when: threads leak, or something forks without end: more tasks then only take more memory.
//! Undone how: the numbers before are written back, but not while as many tasks run: every fork would fail.
//!
//! Beyond a hundred forks per second nothing is proposed: that may be a fork bomb, and its limit is what holds it (E3).

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            cgroups,
            refuse::{from_host, nothing, refusal},
            setting::Setting,
            steps,
            trial::{self, rise},
            units,
        },
    },
    host::{
        error::{HostError, Kind},
        host::{Host, Touch},
    },
    model::{
        finding::{Finding, FindingKind},
        knob::{Knob, Place},
        metric::{Key, Metric},
        plan::{Obstacle, Plan, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        snapshot::Cgroup,
        subject::Subject,
        unit::Unit,
        world::World,
    },
};
use std::sync::Arc;

/// Forks per second from which on this may be a fork bomb (catalogue P3).
const BOMB: f64 = 100.0;
/// Bytes that the kernel keeps for a task: its stack of 16 KiB, its descriptor and what hangs on it.
const TASK: f64 = 32_768.0;
/// Share of the memory available that the tasks added may take.
const SHARE: f64 = 0.25;
/// The greatest `kernel.pid_max` (`PID_MAX_LIMIT`).
const NUMBERS: u64 = 4_194_304;
/// How many times the limit before a new one must be to be worth it.
const WORTH: f64 = 1.1;
/// What may be set for the whole host.
const HOST: [&str; 2] = ["kernel/pid_max", "kernel/threads-max"];

/// Tasks at most.
pub struct PidsLimit;

impl Setting for PidsLimit {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "pids-limit",
            row: "P3",
            changes: "pids.max of a cgroup (TasksMax of a systemd unit), or kernel.pid_max and threads-max",
            helps: "nearly as many tasks run as may: the next fork fails",
            hurts: "threads leak or something forks without end: more only take memory",
            undone: "the numbers before are written back, never below what runs",
            risk: Risk::Medium,
            needs: "root, or write access to the cgroup (CAP_DAC_OVERRIDE)",
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if world.vitals.cpu.known().is_none_or(|cpu| cpu.forks > BOMB) {
            return Vec::new();
        }
        let kinds = [FindingKind::TasksExhaustion, FindingKind::PredictedTasks];
        let near = world.findings.iter().filter(|f| kinds.contains(&f.id.kind));
        near.filter_map(|finding| match &finding.id.subject {
            Subject::Cgroup(path) => self.of_group(world, finding, path),
            _ => self.of_host(world, finding),
        })
        .collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let needs = Setting::about(self).needs;
        let mut all = Vec::new();
        for want in &proposal.wants {
            let step = match &want.on {
                Subject::Cgroup(path) => {
                    let directory = cgroups::find(host, "pids", path)?;
                    units::limit(host, (path, &directory), ("pids.max", &want.to), needs)?
                }
                _ => of_kernel(host, &want.to, needs)?,
            };
            all.extend((number(&step.after) > number(&step.before)).then_some(step));
        }
        if all.is_empty() { Err(nothing("as many tasks may run")) } else { Ok(all) }
    }

    /// Below what runs no fork succeeds, though nothing is ended.
    fn may_undo(&self, plan: &Plan, host: &dyn Host) -> Touch<()> {
        plan.steps.iter().filter(|step| host.get(&step.knob).is_ok_and(|found| found == step.after)).try_for_each(|step| {
            let run = running(host, &step.knob)?;
            if run < number(&step.before) {
                return Ok(());
            }
            let why = format!("{run} tasks run, not below {}: every fork would fail; later type: {}", step.before, step.undo);
            Err(HostError::plain("write back", &step.knob, Kind::Other, why))
        })
    }
}

/// A step of the whole host; the wish reads `kernel/pid_max 65536`.
fn of_kernel(host: &dyn Host, wish: &str, needs: &str) -> Result<Step, Refusal> {
    let known = wish.split_once(' ').filter(|(file, _)| HOST.contains(file));
    let (file, value) = known.ok_or_else(|| refusal(Obstacle::Unsupported, "it names no limit of tasks. Reject this proposal."))?;
    steps::step(host, Knob::File(Place::proc(format!("sys/{file}"))), value).map_err(|e| from_host(&e, needs))
}

/// Tasks that count against that knob.
fn running(host: &dyn Host, knob: &Knob) -> Touch<u64> {
    let text = match knob {
        Knob::CgroupFile { directory, .. } | Knob::UnitProperty { directory, .. } => host.text(&directory.join("pids.current"))?,
        _ => {
            let text = host.text(&Place::proc("loadavg"))?;
            text.split_once('/').and_then(|(_, rest)| rest.split(' ').next()).unwrap_or_default().into()
        }
    };
    Ok(text.trim().parse().unwrap_or(u64::MAX))
}

/// A limit's text: `max`, `infinity` and what nobody set are no limit.
fn number(text: &str) -> u64 {
    units::held(text).and_then(|held| held.parse().ok()).unwrap_or(u64::MAX)
}

impl PidsLimit {
    fn of_group(&self, world: &World<'_>, finding: &Finding, path: &Arc<str>) -> Option<Proposal> {
        let row = world.snapshot.cgroup(path).filter(|row| cgroups::owner(&row.path).is_none())?;
        let (used, most) = (row.pids?, row.pids_limit?);
        let new = wish(world, row)?;
        let name: String = path.rsplit('/').next().unwrap_or(path).chars().take(20).collect();
        let about = format!("for {name}");
        let key = Key::new(finding.id.subject.clone(), Metric::CgroupTasksUsed);
        let want = Want { on: finding.id.subject.clone(), to: new.to_string() };
        let why = format!("{used} of {most} tasks run in {path}: beyond that no process or thread can begin there.");
        Some(Proposal { why, wants: vec![want], ..self.proposal(world, finding, (key, about), [used, most, new]) })
    }

    fn of_host(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let tasks = world.snapshot.tables.known()?.tasks?;
        let (used, most) = (tasks.used, tasks.most());
        let new = most.saturating_mul(2).min(NUMBERS);
        if (new as f64) < WORTH * most as f64 || !affordable(world, new - most) {
            return None;
        }
        let limits = HOST.into_iter().zip([tasks.pid_max, tasks.threads_max]).filter(|(_, limit)| *limit < new);
        let wants = limits.map(|(file, _)| Want { on: Subject::Host, to: format!("{file} {new}") }).collect();
        let why = format!("{used} of {most} tasks run on this host: beyond that no process or thread can begin.");
        let key = Key::host(Metric::TasksUsed);
        Some(Proposal { why, wants, ..self.proposal(world, finding, (key, "on the host".into()), [used, most, new]) })
    }

    /// What is alike for a group and for the host.
    fn proposal(&self, world: &World<'_>, finding: &Finding, (key, about): (Key, String), [used, most, new]: [u64; 3]) -> Proposal {
        let trial = trial::of(world, key, vec![rise(Metric::PressureMemoryFull, 0.05)]);
        let share = |most: u64| Unit::Share.show(used as f64 / most.max(1) as f64);
        Proposal {
            title: format!("tasks at most {most} -> {new} {about}"),
            mechanism: "The next fork or thread begins instead of failing with EAGAIN.".into(),
            expect: format!("The tasks should be {} of what may run instead of {}.", share(new), share(most)),
            undo: "The number before is written back, unless as many run: then every fork would fail, and it says so.".into(),
            fit: 0.8,
            foreseen: trial::foreseen(finding),
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Cpu, trial)
        }
    }
}

/// Twice what may run in the group, as far as the groups around it and the memory allow; `None` where that is not worth it.
fn wish(world: &World<'_>, row: &Cgroup) -> Option<u64> {
    let (used, most) = (row.pids?, row.pids_limit?);
    let around = world.snapshot.lineage(&row.path).skip(1);
    let rooms = around.filter_map(|group| Some(used.saturating_add(group.pids_limit?.saturating_sub(group.pids?))));
    let new = rooms.fold(most.saturating_mul(2), u64::min);
    (new as f64 >= WORTH * most as f64 && affordable(world, new - most)).then_some(new)
}

/// Memory for so many tasks more.
fn affordable(world: &World<'_>, more: u64) -> bool {
    world.vitals.memory.known().is_some_and(|memory| more as f64 * TASK <= SHARE * memory.available as f64)
}
