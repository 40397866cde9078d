//! Cold pages taken from a cgroup before somebody has to (catalogue M4; cgroup-v2.rst "memory.reclaim", Linux 5.19).
//!
//! Changes: nothing that could be read back: a number of bytes, at most 1 % of what the cgroup holds, is written once.
//! Helps when: memory is tight and a cgroup that waits for none holds pages that it does not use.
//! Hurts when: it did use them: they are read back from swap or disk.
//! Undone how: not at all; what was taken comes back as it is touched.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            cgroups, growers,
            refuse::{from_host, refusal},
            trial,
            trigger::Trigger,
        },
    },
    host::{error::HostError, host::Host},
    model::{
        finding::{Finding, FindingKind},
        knob::Knob,
        plan::{Obstacle, Refusal},
        proposal::{Domain, Proposal, Risk, Want},
        sample::CgroupVersion,
        snapshot::Cgroup,
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Share of what it holds that is taken at once, at most (senpai, TMO: ASPLOS '22).
const PART: f64 = 0.01;
/// Share of time that its tasks may wait for memory: below it, it is not missed (TMO's target).
const CALM: f64 = 0.001;
/// A cgroup smaller than this is not worth it.
const LEAST: u64 = 256 << 20;

/// Proactive reclaim.
pub struct Reclaim;

impl Trigger for Reclaim {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "memory-reclaim",
            row: "M4",
            changes: "memory.reclaim (v2) of a cgroup, at most 1 % of it written once",
            helps: "memory is tight and a cgroup that waits for none holds cold pages",
            hurts: "it did use them: they are read back from swap or disk",
            undone: "not at all; what was taken comes back as it is touched",
            risk: Risk::Low,
            needs: "write access to the cgroup (CAP_DAC_OVERRIDE)",
            cooldown: 6.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let swap = world.vitals.memory.known().is_some_and(|memory| memory.swap_total > 0);
        if !swap || !growers::unified(world) {
            return Vec::new();
        }
        let short = world.findings.iter().filter(|f| f.id.kind == FindingKind::MemoryPressure);
        short.filter_map(|finding| self.take(world, finding)).collect()
    }

    fn writes(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<(Knob, String)>, Refusal> {
        let lacks = |e: HostError| from_host(&e, self.about().needs);
        let mut all = Vec::new();
        for want in &proposal.wants {
            let Subject::Cgroup(path) = &want.on else { continue };
            let directory = cgroups::find(host, "memory", path)?;
            if directory.version == CgroupVersion::V1 {
                return Err(refusal(Obstacle::Unsupported, "cgroup v1 has no memory.reclaim (memory.force_empty takes all)."));
            }
            let used = host.text(&directory.place.join("memory.current")).map_err(lacks)?.trim().parse::<u64>().unwrap_or(0);
            let wanted = want.to.parse::<u64>().unwrap_or(u64::MAX);
            if wanted as f64 > PART * used as f64 {
                let why = format!("{path} holds {} now, and that wish is more than 1 % of it.", Unit::Bytes.show(used as f64));
                return Err(refusal(Obstacle::Moved, why));
            }
            all.push((directory.knob("memory.reclaim"), want.to.clone()));
        }
        Ok(all)
    }
}

/// At most a hundredth of `used`: the power of two below, so that the same wish is made while it changes a little.
fn part(used: u64) -> u64 {
    let most = (used as f64 * PART) as u64;
    if most == 0 { 0 } else { 1 << most.ilog2() }
}

impl Reclaim {
    fn take(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let victims = growers::of_victims(world, finding);
        let calm = |row: &&Cgroup| row.pressure.is_some_and(|[_, memory, _]| memory < CALM);
        let free = |row: &&Cgroup| {
            let kin = victims.iter().any(|victim| growers::holds(row, victim) || growers::holds(victim, row));
            row.version == CgroupVersion::V2 && row.path.len() > 1 && cgroups::owner(&row.path).is_none() && !kin
        };
        let all = world.snapshot.cgroups.known()?.iter();
        let row = all.filter(calm).filter(free).filter(|row| row.memory >= Some(LEAST)).max_by_key(|row| row.memory)?;
        let (used, wanted) = (row.memory?, part(row.memory?));
        let subjects: Vec<&Subject> = finding.victims.iter().map(|v| &v.subject).collect();
        let trial = trial::memory(world, &subjects);
        let show = |bytes: u64| Unit::Bytes.show(bytes as f64);
        let name: String = row.path.rsplit('/').next().unwrap_or(&row.path).chars().take(24).collect();
        Some(Proposal {
            title: format!("reclaim {} from {name}", show(wanted)),
            why: format!("{} holds {} and waits for memory less than 0.1 % of the time.", row.path, show(used)),
            mechanism: "The kernel takes from it what was not used for longest, before others have to wait for it.".into(),
            expect: format!("{} become available at once; so little is hardly to be seen elsewhere.", show(wanted)),
            undo: "It cannot be taken back: what was taken comes back as it is touched.".into(),
            wants: vec![Want { on: Subject::Cgroup(row.path.clone()), to: wanted.to_string() }],
            fit: 0.2,
            reversible: false,
            ..trial::proposal(&self.about(), &finding.id, Domain::Memory, trial)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_more_than_a_hundredth(used in 0u64..(1 << 45)) {
            prop_assert!(part(used) as f64 <= PART * used as f64);
        }
    }
}
