//! A ceiling for the cgroup that takes the cpu from others (catalogue C6; cgroup-v2.rst "cpu.max", scheduler/sched-bwc.rst).
//!
//! Changes: `cpu.max` (v2) or `cpu.cfs_quota_us` (v1) of the culprits' cgroup (`CPUQuota` of a systemd unit), to half of what it uses now.
//! Helps when: weights do not: the victim waits although its share is due, as when wake-ups or caches are what it loses (CPI2).
//! Hurts when: the victim rests: the culprit cannot use what is idle then. Or when it holds a lock that the victim waits for.
//! Undone how: the quota before is written back, at once.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            cgroups::{self, owner},
            protect,
            refuse::nothing,
            rivals::{self, Lever, Rivals},
            setting::Setting,
            trial, units,
        },
    },
    host::host::Host,
    model::{
        plan::{Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        sample::CgroupVersion,
        snapshot::{Cgroup, Quota},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};
use std::sync::Arc;

/// Share of its present use that is left to it.
const LEFT: f64 = 0.5;
/// Share of what all culprits use that it must have: as much as its use must explain of the victim's waiting (catalogue C6).
const PART: f64 = 0.35;
/// Cores that it must use: capping less frees nothing.
const LEAST: f64 = 0.5;

/// The ceiling of an antagonist.
pub struct Cap;

impl Setting for Cap {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "cpu-cap",
            row: "C6",
            changes: "cpu.max (v2) or cpu.cfs_quota_us (v1) of the culprits' cgroup; CPUQuota of a systemd unit",
            helps: "the victim waits although weights give it its share",
            hurts: "the victim rests: the culprit cannot use what is idle",
            undone: "the quota before is written back",
            risk: Risk::Medium,
            needs: "write access to the cgroup (CAP_DAC_OVERRIDE)",
            cooldown: 120.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        rivals::all(world).iter().filter_map(|rivals| self.against(world, rivals)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let mut all = Vec::new();
        for want in &proposal.wants {
            let Subject::Cgroup(path) = &want.on else { continue };
            let directory = cgroups::find(host, "cpu", path)?;
            let file = if directory.version == CgroupVersion::V1 { "cpu.cfs_quota_us" } else { "cpu.max" };
            protect::cgroup(host, path, &directory.place)?;
            let step = units::limit(host, (path, &directory), (file, &want.to), Setting::about(self).needs)?;
            if quota(&step.before) <= quota(&step.after) {
                return Err(nothing(format!("{} is {}", step.knob, step.before)));
            }
            all.push(step);
        }
        Ok(all)
    }
}

/// The quota in a knob's text; `max`, `infinity`, -1 and what nobody set are none.
fn quota(text: &str) -> u64 {
    let first = units::held(text).and_then(|held| held.split(' ').next());
    first.and_then(|word| word.trim_end_matches('%').parse().ok()).unwrap_or(u64::MAX)
}

impl Cap {
    fn against(&self, world: &World<'_>, rivals: &Rivals<'_>) -> Option<Proposal> {
        let (path, part) = heaviest(rivals)?;
        let row = world.snapshot.cgroup(&path).filter(|row| owner(&row.path).is_none() && !row.path.ends_with("/init.scope"))?;
        let used = row.cpu.filter(|used| *used >= LEAST)?;
        let to = wish(row, used * LEFT)?;
        let (culprits, _) = rivals.at(|c| c.lever == Lever::Cgroup(path.clone()));
        let trial = trial::contention(world, rivals, culprits.first().map(|c| c.process.id));
        let show = |cores| Unit::Cores.show(cores);
        let name: String = path.rsplit('/').next().unwrap_or(&path).chars().take(24).collect();
        Some(Proposal {
            title: format!("cpu cap {} for {name}", show(used * LEFT)),
            why: format!(
                "{} {path} uses {} now, {} of what the culprits do.",
                rivals.why(&culprits),
                show(used),
                Unit::Share.show(part)
            ),
            mechanism: "When it has used that much in a period, its tasks wait for the next one, whatever is idle.".into(),
            expect: trial::outlook(world, &trial, 0.4),
            undo: "The quota before is written back, at once; of a unit what was set at runtime is taken away.".into(),
            wants: vec![Want { on: Subject::Cgroup(path), to }],
            // A weight does the same without a loss where it works: it goes first.
            fit: 0.4 * part,
            ..trial::proposal(&Setting::about(self), &rivals.finding.id, Domain::Cpu, trial)
        })
    }
}

/// The cgroup that most of the culprits' use is in, with its part of it.
fn heaviest(rivals: &Rivals<'_>) -> Option<(Arc<str>, f64)> {
    let groups = rivals.culprits.iter().filter_map(|c| if let Lever::Cgroup(path) = &c.lever { Some(path) } else { None });
    let part = |path: &Arc<str>| rivals.at(|c| c.lever == Lever::Cgroup(path.clone())).1;
    let best = groups.max_by(|a, b| part(a).total_cmp(&part(b)))?;
    Some((best.clone(), part(best))).filter(|(_, part)| *part >= PART)
}

/// That many cores as the knob's text, in whole milliseconds of the period that stands; `None` where its quota is as tight.
fn wish(row: &Cgroup, cores: f64) -> Option<String> {
    let Quota { quota, period } = row.quota?;
    let new = ((cores * period as f64 / 10_000.0).round() * 10_000.0).max(10_000.0) as u64;
    quota.is_none_or(|old| new < old).then(|| match row.version {
        CgroupVersion::V1 => new.to_string(),
        CgroupVersion::V2 => format!("{new} {period}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ceiling_is_wished_in_the_text_of_its_version_and_never_above_one_that_stands() {
        let row = |version, quota| Cgroup { version, quota: Some(Quota { quota, period: 100_000 }), ..Cgroup::default() };
        assert_eq!(wish(&row(CgroupVersion::V1, None), 0.75).as_deref(), Some("80000"));
        assert_eq!(wish(&row(CgroupVersion::V2, Some(200_000)), 0.75).as_deref(), Some("80000 100000"));
        assert_eq!(wish(&row(CgroupVersion::V2, Some(50_000)), 0.75), None);
        assert_eq!((quota("max 100000"), quota("-1"), quota("80000 100000")), (u64::MAX, u64::MAX, 80_000));
        assert_eq!((quota("unset infinity"), quota("unset"), quota("unset 15%"), quota("80%")), (u64::MAX, u64::MAX, 15, 80));
    }
}
