//! Who contends with whom for cpu, and which knob stands between them.
//!
//! The scheduler shares time level by level (sched(7), "The autogroup feature"; cgroup-v2.rst, "CPU"): among the children of the
//! root, a cgroup's weight counts; below the root and with autogroup on, a session's nice; within one group, a thread's nice. The
//! right knob of a culprit is the one at the level where its path and the victim's part: any other changes nothing.

use crate::{
    actions::knob::protect,
    model::{
        finding::{Finding, FindingKind, Party},
        proposal::Want,
        sample::Policy,
        snapshot::Process,
        subject::{ProcessId, Subject},
        world::World,
    },
};
use std::sync::Arc;

/// The level at which a culprit and a victim part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lever {
    /// Same group: nice and policy of threads.
    Thread,
    /// Sessions of the root cgroup: nice of that autogroup.
    Session(u32),
    /// Cgroups: weight of that one.
    Cgroup(Arc<str>),
}

/// A culprit and the knob that stands between it and the victim.
#[derive(Clone, Debug)]
pub struct Culprit<'a> {
    /// Its part in the finding.
    pub party: &'a Party,
    /// The process.
    pub process: &'a Process,
    /// Where it parts from the victim.
    pub lever: Lever,
}

/// A contention with its greatest victim.
#[derive(Clone, Debug)]
pub struct Rivals<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The greatest victim's part.
    pub victim: &'a Party,
    /// Its process.
    pub sufferer: &'a Process,
    /// Culprits that may be touched, greatest first.
    pub culprits: Vec<Culprit<'a>>,
}

impl<'a> Rivals<'a> {
    /// The culprits at that kind of lever, with their share of all that the culprits use.
    pub fn at(&self, wanted: impl Fn(&Culprit<'a>) -> bool) -> (Vec<&Culprit<'a>>, f64) {
        let all: f64 = self.culprits.iter().map(|c| c.party.amount).sum();
        let some: Vec<&Culprit<'a>> = self.culprits.iter().filter(|c| wanted(c)).collect();
        let part: f64 = some.iter().map(|c| c.party.amount).sum();
        (some, if all > 0.0 { part / all } else { 0.0 })
    }

    /// Why somebody has to give way, in one sentence with numbers.
    pub fn why(&self, culprits: &[&Culprit<'a>]) -> String {
        let used: f64 = culprits.iter().map(|c| c.party.amount).sum();
        let unit = culprits.first().map_or(self.victim.unit, |c| c.party.unit);
        let (who, many) = (crowd(culprits.iter().map(|c| &*c.party.name)), if culprits.len() == 1 { "uses" } else { "use" });
        let waits = self.victim.unit.show(self.victim.amount);
        format!("{who} {many} {} cpu while {} waits {waits} for it.", unit.show(used), self.victim.name)
    }
}

/// Every contention that a change may cure. None while the hypervisor steals: then no cpu number can be trusted.
pub fn all<'a>(world: &World<'a>) -> Vec<Rivals<'a>> {
    if world.findings.iter().any(|f| f.id.kind == FindingKind::Steal) {
        return Vec::new();
    }
    world.findings.iter().filter(|f| f.id.kind == FindingKind::CpuContention).filter_map(|f| rivals(world, f)).collect()
}

fn rivals<'a>(world: &World<'a>, finding: &'a Finding) -> Option<Rivals<'a>> {
    let (victim, sufferer) = processes(world, &finding.victims).next()?;
    let hurt = |id: ProcessId| finding.victims.iter().any(|v| v.subject == Subject::Process(id));
    let culprits = processes(world, &finding.culprits)
        .filter(|(_, p)| touchable(p) && !hurt(p.id))
        .map(|(party, process)| Culprit { party, process, lever: lever(world, process, sufferer) })
        .collect();
    Some(Rivals { finding, victim, sufferer, culprits })
}

/// The parties that are processes alive in the snapshot.
pub fn processes<'a>(world: &World<'a>, parties: &'a [Party]) -> impl Iterator<Item = (&'a Party, &'a Process)> {
    let snapshot = world.snapshot;
    parties.iter().filter_map(move |party| match &party.subject {
        Subject::Process(id) => snapshot.process(*id).map(|process| (party, process)),
        _ => None,
    })
}

/// Not on the protected list by what the snapshot shows; `prepare` looks again, closer.
pub fn touchable(process: &Process) -> bool {
    process.id.pid > 1 && !process.kernel && !protect::known(&process.name)
}

/// True for the policies that nice has a say in.
pub fn fair(process: &Process) -> bool {
    matches!(process.policy, Policy::Other | Policy::Batch | Policy::Idle)
}

/// The level at which `culprit` parts from `victim`, on the culprit's side.
pub fn lever(world: &World<'_>, culprit: &Process, victim: &Process) -> Lever {
    let (mine, theirs) = (path(world, culprit), path(world, victim));
    let common = mine.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
    mine.into_iter().nth(common).unwrap_or(Lever::Thread)
}

/// The scheduling groups that a process is in, from the root down.
fn path(world: &World<'_>, process: &Process) -> Vec<Lever> {
    let mut path: Vec<Lever> = Vec::new();
    for (end, _) in process.cgroup.match_indices('/').skip(1).chain([(process.cgroup.len(), "")]) {
        let Some(part) = process.cgroup.get(..end).filter(|part| part.len() > 1) else { continue };
        // A v2 group without the cpu controller is not a level of its own.
        if world.snapshot.cgroup(part).is_none_or(|row| row.weight.is_some()) {
            path.push(Lever::Cgroup(part.into()));
        }
    }
    if path.is_empty() && world.facts.autogroup {
        path.push(Lever::Session(process.session));
    }
    path
}

/// The same wish for each, in an order that does not change with their shares: the same culprits are the same advice.
pub fn wants(culprits: &[&Culprit<'_>], to: &str) -> Vec<Want> {
    let want = |c: &&Culprit<'_>| Want { on: Subject::Process(c.process.id), to: to.into() };
    let mut wants: Vec<Want> = culprits.iter().map(want).collect();
    wants.sort();
    wants
}

/// Names in few words: `6 x python3`, or `4 x make, dd`.
pub fn crowd<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for name in names {
        match counts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => counts.push((name, 1)),
        }
    }
    let rest: usize = counts.iter().skip(2).map(|(_, count)| count).sum();
    let mut parts: Vec<String> =
        counts.iter().take(2).map(|(name, count)| if *count == 1 { (*name).into() } else { format!("{count} x {name}") }).collect();
    if rest > 0 {
        parts.push(format!("{rest} more"));
    }
    parts.join(", ")
}
