//! The throttle of the cgroup that grows fastest (catalogue M1; cgroup-v2.rst "memory.high").
//!
//! Changes: `memory.high` of that cgroup (`MemoryHigh` of a systemd unit), to just below what it holds: never below 95 % of it.
//! Helps when: one cgroup grows and everybody waits for memory.
//! Hurts when: it cannot give anything back: without swap its tasks stall on every page that they ask for.
//! Undone how: the mark before is written back; the tasks go on at once.
//!
//! A throttle and no limit: nothing is killed, its tasks free what they take. Version 1 has only `memory.soft_limit_in_bytes`, which
//! the kernel looks at when the whole host is short, and then too late (cgroup-v1/memory.rst, 7): there this is refused, and the
//! limit of memory (M3) is the knob.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            cgroups, growers, protect,
            refuse::{from_host, nothing, refusal},
            setting::Setting,
            trial, units,
        },
    },
    host::{error::HostError, host::Host},
    model::{
        finding::{Finding, FindingKind},
        knob::Place,
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        sample::CgroupVersion,
        snapshot::Cgroup,
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Growth per minute, as a share of its size, from which on a cgroup is the one to hold back.
const GROWTH: f64 = 0.01;
/// The least share of what it holds that the mark is set to: a greater step would make it reclaim at full speed for seconds.
const STEP: f64 = 0.95;

/// The throttle of a cgroup's memory.
pub struct MemoryHigh;

impl Setting for MemoryHigh {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "memory-high",
            row: "M1",
            changes: "memory.high (v2) of the cgroup that grows fastest; MemoryHigh of a systemd unit",
            helps: "one cgroup grows and everybody waits for memory",
            hurts: "it cannot give anything back: without swap its tasks stall",
            undone: "the mark before is written back",
            risk: Risk::Medium,
            needs: "write access to the cgroup (CAP_DAC_OVERRIDE)",
            cooldown: 60.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if !growers::unified(world) {
            return Vec::new();
        }
        let short = world.findings.iter().filter(|f| matches!(f.id.kind, FindingKind::MemoryPressure | FindingKind::SwapThrash));
        short.filter_map(|finding| self.hold(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let lacks = |e: HostError| from_host(&e, Setting::about(self).needs);
        let mut all = Vec::new();
        for want in &proposal.wants {
            let Subject::Cgroup(path) = &want.on else { continue };
            let directory = cgroups::find(host, "memory", path)?;
            if directory.version == CgroupVersion::V1 {
                let why =
                    "cgroup v1 has only memory.soft_limit_in_bytes, which acts too late to throttle: set a memory limit (M3).";
                return Err(refusal(Obstacle::Unsupported, why));
            }
            protect::cgroup(host, path, &directory.place)?;
            if !has_swap(host).map_err(lacks)? && proposal.risk < Risk::High {
                let why =
                    "there is no swap: what it holds could not be taken back and its tasks would stall; wait for a new proposal.";
                return Err(refusal(Obstacle::Unsupported, why));
            }
            let used = bytes(host.text(&directory.place.join("memory.current")).map_err(lacks)?.trim());
            let mark = bytes(&want.to).max(just_below(used));
            let step = units::limit(host, (path, &directory), ("memory.high", &mark.to_string()), Setting::about(self).needs)?;
            if bytes(&step.before) <= mark {
                return Err(nothing(format!("{} is {}", step.knob, step.before)));
            }
            all.push(step);
        }
        Ok(all)
    }
}

fn has_swap(host: &dyn Host) -> Result<bool, HostError> {
    let text = host.text(&Place::proc("meminfo"))?;
    let total = text.lines().find_map(|line| line.strip_prefix("SwapTotal:"));
    Ok(total.and_then(|rest| rest.split_ascii_whitespace().next()).is_some_and(|kib| kib != "0"))
}

/// A mark's text: `max` is none, nor is a property of a unit that nothing sets.
fn bytes(text: &str) -> u64 {
    units::held(text).and_then(|held| held.parse().ok()).unwrap_or(u64::MAX)
}

/// Not below 95 % of `used`, rounded up to a sixteenth of a power of two: what grows a little asks for the same mark, so that an
/// approval still fits.
fn just_below(used: u64) -> u64 {
    let least = (used as f64 * STEP) as u64;
    let grain = (least.max(1 << 20).next_power_of_two() >> 5).max(4096);
    least.div_ceil(grain).saturating_mul(grain)
}

impl MemoryHigh {
    fn hold(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let grown = growers::of_culprits(world, finding).into_iter().filter_map(|row| Some((row, growers::growth(world, row)?)));
        let fast = grown.filter(|(row, growth)| *growth >= GROWTH && !growers::is_protected(world, row));
        let (row, growth) = fast.max_by(|a, b| a.1.total_cmp(&b.1))?;
        let used = row.memory?;
        let mark = just_below(used);
        if row.memory_high.is_some_and(|high| high <= mark) {
            return None;
        }
        Some(self.proposal(world, finding, (row, growth), mark))
    }

    fn proposal(&self, world: &World<'_>, finding: &Finding, (row, growth): (&Cgroup, f64), mark: u64) -> Proposal {
        let victims: Vec<&Subject> = finding.victims.iter().map(|v| &v.subject).collect();
        let trial = trial::memory(world, &victims);
        let swapless = world.vitals.memory.known().is_none_or(|memory| memory.swap_total == 0);
        let show = |bytes: u64| Unit::Bytes.show(bytes as f64);
        let stall =
            if swapless { " Without swap only pages of files can be taken from it: its tasks may stall for good." } else { "" };
        let name: String = row.path.rsplit('/').next().unwrap_or(&row.path).chars().take(24).collect();
        let about = Setting::about(self);
        Proposal {
            title: format!("memory high {} for {name}", show(mark)),
            why: format!(
                "{} holds {} and grows by {} of that a minute while others wait for memory.{stall}",
                row.path,
                show(row.memory.unwrap_or(0)),
                Unit::Share.show(growth)
            ),
            mechanism: "Above the mark its own tasks free as much as they take, before they go on; nothing is killed.".into(),
            expect: trial::outlook(world, &trial, 0.5),
            undo: "The mark before is written back, at once; of a unit what was set at runtime is taken away.".into(),
            wants: vec![Want { on: Subject::Cgroup(row.path.clone()), to: mark.to_string() }],
            fit: 0.8,
            risk: if swapless { Risk::High } else { about.risk },
            ..trial::proposal(&about, &finding.id, Domain::Memory, trial)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_mark_is_never_below_95_percent_and_hardly_above_what_is_held(used in (2u64 << 20)..(1 << 42)) {
            let mark = just_below(used) as f64 / used as f64;
            prop_assert!((0.9499..=1.06).contains(&mark), "{mark}");
        }
    }

    #[test]
    fn a_little_growth_asks_for_the_same_mark() {
        assert_eq!(just_below(1000 << 20), just_below(1002 << 20));
        assert_eq!((bytes("max"), bytes("4096")), (u64::MAX, 4096));
    }
}
