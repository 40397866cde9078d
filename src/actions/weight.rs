//! The cpu weight of a cgroup (catalogue C4; cgroup-v2.rst "cpu.weight", sched-design-CFS.rst "cpu.shares").
//!
//! Changes: `cpu.weight` (v2) or `cpu.shares` (v1) of the culprits' cgroups, or of the victim's where the culprits have none; of a systemd
//! unit its `CPUWeight`, at runtime.
//! Helps when: culprit and victim live in different cgroups: nothing below that level counts between them.
//! Hurts when: something else in the culprits' cgroup is wanted quick.
//! Undone how: the weight before is written back.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            cgroups::{self, owner},
            protect,
            rivals::{self, Culprit, Lever, Rivals, crowd},
            setting::Setting,
            trial, units,
        },
    },
    host::host::Host,
    model::{
        plan::{Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        sample::CgroupVersion,
        snapshot::Cgroup,
        subject::Subject,
        world::World,
    },
};

/// The weight of a cgroup.
pub struct Weight;

/// A weight is divided or multiplied by this: what nice 19 is beside nice 0.
const FACTOR: u64 = 64;
/// The weight of a unit that sets none (systemd.resource-control(5)).
const USUAL: u64 = 100;

impl Setting for Weight {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "cgroup-weight",
            row: "C4",
            changes: "cpu.weight (v2) or cpu.shares (v1) of a cgroup; CPUWeight of a systemd unit",
            helps: "culprit and victim live in different cgroups",
            hurts: "something else in the culprits' cgroup is wanted quick",
            undone: "the weight before is written back",
            risk: Risk::Low,
            needs: "write access to the cgroup (CAP_DAC_OVERRIDE)",
            cooldown: 60.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let both = |rivals: &Rivals<'_>| self.lower(world, rivals).or_else(|| self.raise(world, rivals));
        rivals::all(world).iter().filter_map(both).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let mut steps = Vec::new();
        for want in &proposal.wants {
            let Subject::Cgroup(path) = &want.on else { continue };
            let directory = cgroups::find(host, "cpu", path)?;
            let file = if directory.version == CgroupVersion::V1 { "cpu.shares" } else { "cpu.weight" };
            let step = units::limit(host, (path, &directory), (file, &want.to), Setting::about(self).needs)?;
            // A unit with no weight of its own has the usual one.
            let number = |text: &str| units::held(text).map_or(USUAL, |held| held.parse::<u64>().unwrap_or(0));
            if number(&step.after) < number(&step.before) {
                protect::cgroup(host, path, &directory.place)?;
            }
            steps.push(step);
        }
        Ok(steps)
    }
}

impl Weight {
    fn lower(&self, world: &World<'_>, rivals: &Rivals<'_>) -> Option<Proposal> {
        let (culprits, part) = rivals.at(|c| cgroup(world, c).is_some());
        let first = culprits.first()?;
        let mut wants: Vec<Want> = Vec::new();
        for row in culprits.iter().filter_map(|c| cgroup(world, c)) {
            let (least, _) = bounds(row.version);
            let want = Want { on: Subject::Cgroup(row.path.clone()), to: (row.weight? / FACTOR).max(least).to_string() };
            if !wants.contains(&want) {
                wants.push(want);
            }
        }
        wants.sort();
        let trial = trial::contention(world, rivals, Some(first.process.id));
        let names = crowd(wants.iter().filter_map(|w| match &w.on {
            Subject::Cgroup(path) => path.rsplit('/').next(),
            _ => None,
        }));
        Some(Proposal {
            title: format!("cpu weight 1/{FACTOR} for {}", names.chars().take(40).collect::<String>()),
            why: format!("{} They live in other cgroups, where only weights count.", rivals.why(&culprits)),
            mechanism: format!("Beside its siblings the cgroup gets 1/{FACTOR} of the share that it had, and all time left idle."),
            expect: trial::outlook(world, &trial, 0.3),
            undo: "The weight before is written back, at once; of a unit what was set at runtime is taken away.".into(),
            wants,
            fit: 0.9 * part,
            ..trial::proposal(&Setting::about(self), &rivals.finding.id, Domain::Cpu, trial)
        })
    }

    /// The victim's own cgroup, seen from a culprit that is in none.
    fn raise(&self, world: &World<'_>, rivals: &Rivals<'_>) -> Option<Proposal> {
        let first = rivals.culprits.first()?;
        let Lever::Cgroup(path) = rivals::lever(world, rivals.sufferer, first.process) else { return None };
        let row = world.snapshot.cgroup(&path).filter(|row| !row.idle && owner(&row.path).is_none())?;
        let (_, most) = bounds(row.version);
        let to = row.weight?.saturating_mul(FACTOR).min(most);
        let (culprits, _) = rivals.at(|_| true);
        let trial = trial::contention(world, rivals, Some(first.process.id));
        let name: String = path.rsplit('/').next().unwrap_or(&path).chars().take(24).collect();
        Some(Proposal {
            title: format!("cpu weight {} -> {to} for {name}", row.weight?),
            why: format!("{} Its cgroup has weights, theirs has none.", rivals.why(&culprits)),
            mechanism: "The cgroup of the victim gets a greater share beside everything at its level.".into(),
            expect: trial::outlook(world, &trial, 0.4),
            undo: "The weight before is written back, at once; of a unit what was set at runtime is taken away.".into(),
            wants: vec![Want { on: Subject::Cgroup(path), to: to.to_string() }],
            fit: 0.5,
            ..trial::proposal(&Setting::about(self), &rivals.finding.id, Domain::Cpu, trial)
        })
    }
}

/// The cgroup that a culprit could be slowed by, where it has a weight that can be lowered.
fn cgroup<'a>(world: &World<'a>, culprit: &Culprit<'_>) -> Option<&'a Cgroup> {
    let Lever::Cgroup(path) = &culprit.lever else { return None };
    let row = world.snapshot.cgroup(path)?;
    let room = row.weight.is_some_and(|weight| weight > bounds(row.version).0);
    (room && !row.idle && owner(&row.path).is_none() && !row.path.ends_with("/init.scope")).then_some(row)
}

/// Least and greatest weight.
fn bounds(version: CgroupVersion) -> (u64, u64) {
    match version {
        CgroupVersion::V1 => (2, 262_144),
        CgroupVersion::V2 => (1, 10_000),
    }
}
