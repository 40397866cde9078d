//! Who is looked at, per resource that may be behind a symptom.

use crate::{
    analysis::cause::{
        blame, demand,
        dose::{Dose, Look},
        episode::Episode,
        resource::Resource,
        story::Scene,
        suspicion::{Part, Suspicion},
        symptom::Symptom,
        witness::{Actor, Use},
    },
    model::{
        finding::Finding,
        metric::{Key, Metric},
        snapshot::Cgroup,
        subject::Subject,
        unit::Unit,
    },
};
use std::sync::Arc;

/// Actors that are looked at closely for each resource: those whose use rose most.
const CLOSELY: usize = 12;
/// A resource that explains less than this is not looked at.
const REMOTE: f64 = 0.1;

/// Share of the host's memory that is available from which on the host itself is not short of it.
const SPARE: f64 = 0.2;
/// Share of its limit from which on a group is.
const NEAR: f64 = 0.8;

/// Share of all that the disks move below which nobody matters.
const SMALL: f64 = 0.05;

/// All suspects of a symptom, before they are ranked.
pub(super) struct Trial {
    pub(super) suspicions: Vec<Suspicion>,
    /// Who was looked at and is a victim.
    pub(super) cleared: Vec<Suspicion>,
    /// Share of the rise that known actors account for.
    pub(super) covered: f64,
}

/// What every look needs.
pub(super) struct Case<'a> {
    pub(super) symptom: &'a Symptom,
    pub(super) episode: &'a Episode,
    pub(super) scene: &'a Scene<'a>,
    pub(super) step: f64,
    pub(super) cpus: f64,
}

impl Case<'_> {
    /// How a use of this resource is looked at.
    pub(super) fn look(&self, resource: Resource) -> Look {
        Look { step: self.step, delay: resource.delay(), stock: resource.is_stock() }
    }

    /// A number as a dose.
    pub(super) fn number(&self, key: &Key, resource: Resource) -> Option<Dose> {
        let raw = self.scene.witness.number(key)?;
        raw.iter().any(|v| v.is_finite()).then(|| Dose::of(&super::episode::smooth(&raw), self.episode, &self.look(resource)))
    }

    /// How much a number rose from good times to bad; its level where there were no good times.
    pub(super) fn rise(&self, key: &Key) -> Option<f64> {
        let raw = self.scene.witness.number(key).filter(|raw| raw.iter().any(|v| v.is_finite()))?;
        let (before, during) = self.episode.levels(&super::episode::smooth(&raw));
        Some(during - before.unwrap_or(0.0))
    }

    /// The actor's name, with the unit or container that it is in.
    pub(super) fn name(&self, actor: &Actor) -> Arc<str> {
        let snapshot = self.scene.snapshot;
        let home = snapshot.container(&actor.cgroup).or_else(|| snapshot.unit(&actor.cgroup));
        let many = if actor.count > 1 { format!("{} x ", actor.count) } else { String::new() };
        match home {
            Some(home) if **home != *actor.name => format!("{many}{} ({home})", actor.name).into(),
            _ => format!("{many}{}", actor.name).into(),
        }
    }
}

/// Everybody who may be behind the symptom, weighed.
pub(super) fn gather(symptom: &Symptom, episode: &Episode, finding: Option<&Finding>, scene: &Scene<'_>) -> Trial {
    let cpus = scene.snapshot.vitals.cpu.known().map_or(1, |cpu| cpu.cores.len().max(1)) as f64;
    let case = Case { symptom, episode, scene, step: scene.witness.step(), cpus };
    let (mut suspicions, mut covered) = (Vec::new(), 0.0_f64);
    for (resource, fit) in Resource::behind(symptom.key.metric) {
        let fit = fit * shortage(&case, *resource);
        if fit < REMOTE {
            continue;
        }
        let (found, share) = match resource {
            Resource::Quota => (blame::quotas(&case, fit), 1.0),
            Resource::Steal => (blame::hypervisor(&case, fit), 1.0),
            Resource::Network => (blame::traffic(&case, fit), 1.0),
            Resource::Memory => {
                let cramped = cramped(&case);
                let within = |actor: &Actor| cramped.iter().any(|path| blame::inside(path, &actor.cgroup));
                actors(&case, (*resource, fit), |actor| cramped.is_empty() || within(actor))
            }
            _ => actors(&case, (*resource, fit), |_| true),
        };
        covered = if found.is_empty() { covered } else { covered.max(share) };
        suspicions.extend(found);
    }
    suspicions.extend(blame::slow_disks(&case));
    suspicions.extend(blame::applied(&case));
    unite(&mut suspicions);
    if let Some(driver) = demand::driver(&case, &mut suspicions) {
        suspicions.push(driver);
    }
    blame::bystanders(&mut suspicions, episode);
    let cleared = blame::victims(&case, &mut suspicions, finding);
    Trial { suspicions, cleared, covered }
}

/// The groups that stand near their own limit of memory, where the host has memory to spare: then only who lives in them can have made
/// memory short.
fn cramped<'a>(case: &Case<'a>) -> Vec<&'a str> {
    let snapshot = case.scene.snapshot;
    let spare = snapshot.vitals.memory.known().is_some_and(|m| m.available as f64 >= SPARE * m.total as f64);
    let near = |group: &&Cgroup| group.memory.zip(group.memory_limit).is_some_and(|(used, most)| used as f64 >= NEAR * most as f64);
    let groups = snapshot.cgroups.known().into_iter().flatten().filter(|_| spare);
    groups.filter(near).map(|group| &*group.path).collect()
}

/// How far the resource's own numbers say that it became short, 0 to 1.
fn shortage(case: &Case<'_>, resource: Resource) -> f64 {
    if resource.is_measured_by(case.symptom.key.metric) {
        return 1.0;
    }
    let rises = resource.stress().iter().filter_map(|metric| match resource {
        Resource::Quota => blame::groups(case).into_iter().filter_map(|key| case.rise(&key)).reduce(f64::max),
        _ => case.rise(&Key::host(*metric)),
    });
    rises.fold(0.0, f64::max).clamp(0.0, resource.full()) / resource.full()
}

/// The actors whose use of the resource rose, and the share of the whole rise that they account for.
pub(super) fn actors(case: &Case<'_>, (resource, fit): (Resource, f64), wanted: impl Fn(&Actor) -> bool) -> (Vec<Suspicion>, f64) {
    let (which, unit) = resource.dose();
    let memory = case.scene.snapshot.vitals.memory.known().map_or(0, |m| m.total) as f64;
    let material = resource.material(case.cpus, memory).max(small(case, resource));
    let rise = |actor: &Actor| {
        let (before, during) = case.episode.levels(&case.scene.witness.used(actor, which));
        during - before.unwrap_or(0.0)
    };
    let all = case.scene.witness.actors().iter().filter(|actor| wanted(actor));
    let mut rising: Vec<(&Actor, f64)> = all.map(|actor| (actor, rise(actor))).filter(|(_, rise)| *rise >= material).collect();
    rising.sort_by(|a, b| b.1.total_cmp(&a.1));
    rising.truncate(CLOSELY);
    let looked_at = case.scene.witness.actors().len();
    let look = case.look(resource);
    let doses = rising.iter().map(|(actor, _)| (*actor, Dose::of(&case.scene.witness.used(actor, which), case.episode, &look)));
    let doses: Vec<(&Actor, Dose)> = doses.filter(|(_, dose)| dose.is_clear(looked_at)).collect();
    let accounted: f64 = doses.iter().map(|(_, dose)| dose.rise).sum();
    let whole = accounted.max(whole(case, resource));
    let suspicions = doses.iter().map(|(actor, dose)| {
        let part = Part { what: word(which), unit, share: if whole > 0.0 { dose.rise / whole } else { 0.0 }, fit };
        let mut made = Suspicion::of(Subject::Process(actor.chief), case.name(actor), dose, &part);
        newborn(case, actor, &mut made);
        made
    });
    (suspicions.collect(), if whole > 0.0 { accounted / whole } else { 0.0 })
}

/// What is too little to matter beside all that the disks move.
fn small(case: &Case<'_>, resource: Resource) -> f64 {
    if resource != Resource::Storage {
        return 0.0;
    }
    let keys = case.scene.witness.keys().filter(|key| matches!(key.metric, Metric::DiskRead | Metric::DiskWrite));
    let level = |key: &Key| Some(case.episode.levels(&super::episode::smooth(&case.scene.witness.number(key)?)).1);
    SMALL * keys.filter_map(level).sum::<f64>()
}

/// The rise that there is to account for, as the host itself measures it.
fn whole(case: &Case<'_>, resource: Resource) -> f64 {
    let rise = |metric| case.rise(&Key::host(metric)).unwrap_or(0.0);
    match resource {
        Resource::Cpu => rise(Metric::CpuBusy) * case.cpus,
        Resource::Memory => rise(Metric::MemoryUsed),
        _ => 0.0,
    }
}

/// Somebody who came into being just before it began.
fn newborn(case: &Case<'_>, actor: &Actor, made: &mut Suspicion) {
    let now = case.scene.witness.now().tick.0 as f64 / 1e9;
    let Some(onset) = case.episode.onsets.first() else { return };
    let began = now - (case.episode.bad.len().saturating_sub(onset + 1)) as f64 * case.step;
    let lead = began - actor.born;
    if (-3.0..=30.0).contains(&lead) {
        made.strengthen(1.1, format!("was started {} before it (within 3 s)", Unit::Seconds.show(lead.max(0.0))));
    }
}

fn word(which: Use) -> &'static str {
    match which {
        Use::Cpu => "cpu",
        Use::Storage => "reads and writes",
        Use::Memory => "memory",
        Use::Received => "receives",
        Use::Sent => "sends",
        Use::Wait => "waits",
        Use::Blocked => "blocked",
    }
}

/// One entry per subject: the heaviest, with what the others add.
fn unite(suspicions: &mut Vec<Suspicion>) {
    suspicions.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let mut united: Vec<Suspicion> = Vec::new();
    for suspicion in suspicions.drain(..) {
        match united.iter_mut().find(|u| u.subject == suspicion.subject) {
            Some(first) => first.supports.extend(suspicion.supports.into_iter().take(1)),
            None => united.push(suspicion),
        }
    }
    *suspicions = united;
}
