//! Memory that is not taken from a cgroup while others have any (catalogue M2; cgroup-v2.rst "memory.low").
//!
//! Changes: `memory.low` of the victim's cgroup and of those above it (`MemoryLow` of systemd units), to what it holds now.
//! Helps when: what it reads again and again is taken from it, and read from disk again.
//! Hurts when: too much is promised: others give way to something that rests. All promises together stay below 60 % of memory.
//! Undone how: the values before are written back, the innermost first.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            cgroups::{self, Directory},
            growers,
            refuse::{from_host, nothing, refusal},
            setting::Setting,
            trial, units,
        },
    },
    host::{error::HostError, host::Host},
    model::{
        finding::{Finding, FindingKind},
        knob::Place,
        metric::Metric,
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        sample::CgroupVersion,
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Share of memory that may be promised in all (catalogue M2).
const MOST: f64 = 0.60;
/// File pages per second that come back, from which on a cache is missed.
const REFAULTS: f64 = 100.0;

/// Protected memory of a cgroup.
pub struct MemoryLow;

impl Setting for MemoryLow {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "memory-low",
            row: "M2",
            changes: "memory.low (v2) of the victim's cgroup and those above it; MemoryLow of systemd units",
            helps: "what it reads again and again is taken from it",
            hurts: "too much is promised: others give way to something that rests",
            undone: "the values before are written back, the innermost first",
            risk: Risk::Medium,
            needs: "write access to the cgroup (CAP_DAC_OVERRIDE)",
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if !growers::unified(world) {
            return Vec::new();
        }
        let short = world.findings.iter().filter(|f| matches!(f.id.kind, FindingKind::MemoryPressure | FindingKind::SwapThrash));
        short.filter_map(|finding| self.protect(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let lacks = |e: HostError| from_host(&e, Setting::about(self).needs);
        let mut all: Vec<Step> = Vec::new();
        for want in &proposal.wants {
            let Subject::Cgroup(path) = &want.on else { continue };
            let directory = cgroups::find(host, "memory", path)?;
            if directory.version == CgroupVersion::V1 {
                return Err(refusal(Obstacle::Unsupported, "cgroup v1 protects no memory: it has no memory.low."));
            }
            let step = units::limit(host, (path, &directory), ("memory.low", &want.to), Setting::about(self).needs)?;
            if bytes(&step.before) < bytes(&step.after) {
                all.push(step);
            }
            room(host, &directory, path, bytes(&want.to)).map_err(lacks)??;
        }
        if all.is_empty() { Err(nothing("that much is promised")) } else { Ok(all) }
    }
}

/// The path and those above it, the outermost first, without the root.
fn lineage(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.match_indices('/').skip(1).map(|(end, _)| end).chain([path.len()]);
    ends.filter_map(|end| path.get(..end)).filter(|part| part.len() > 1)
}

/// What is promised at the top, with `wanted` for the group that holds `path`, stays below its share of memory.
fn room(host: &dyn Host, directory: &Directory, path: &str, wanted: u64) -> Result<Result<(), Refusal>, HostError> {
    let memory = host.text(&Place::proc("meminfo"))?;
    let total =
        memory.lines().find_map(|line| line.strip_prefix("MemTotal:")).and_then(|rest| rest.split_ascii_whitespace().next());
    let total = total.map_or(0, bytes).saturating_mul(1024);
    let place = &directory.place;
    let root = Place { root: place.root, path: place.path.strip_suffix(path).unwrap_or_default().into() };
    let own = lineage(path).next().unwrap_or(path).trim_start_matches('/');
    let mut names = Vec::new();
    host.list(&root, &mut names)?;
    let low = |name: &str| host.text(&root.join(name).join("memory.low")).map_or(0, |text| bytes(text.trim()));
    let others: u64 = names.iter().filter(|name| *name != own).map(|name| low(name)).fold(0, u64::saturating_add);
    let all = others.saturating_add(wanted.max(low(own)));
    if all as f64 <= MOST * total as f64 {
        return Ok(Ok(()));
    }
    let show = |bytes: u64| Unit::Bytes.show(bytes as f64);
    let why =
        format!("{} of {} would be promised, more than 60 %: lower memory.low of another group first.", show(all), show(total));
    Ok(Err(refusal(Obstacle::Unsupported, why)))
}

/// A value's text: `max` is all there is, and a property of a unit that nothing sets is nothing.
fn bytes(text: &str) -> u64 {
    units::held(text).map_or(0, |held| held.parse().unwrap_or(u64::MAX))
}

impl MemoryLow {
    fn protect(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let vm = world.vitals.vm.known().filter(|vm| vm.refault_file >= REFAULTS)?;
        let total = world.vitals.memory.known()?.total;
        let row = growers::of_victims(world, finding).into_iter().next()?;
        // In whole 16 MiB: what it holds moves a little all the time, and the wish should not.
        let held = row.memory? >> 24 << 24;
        if held == 0 || held as f64 > MOST * total as f64 {
            return None;
        }
        let victims: Vec<&Subject> = finding.victims.iter().map(|v| &v.subject).collect();
        let mut trial = trial::memory(world, &victims);
        trial.guardrails.retain(|guard| guard.key.metric != Metric::PressureIoFull);
        let show = |bytes: u64| Unit::Bytes.show(bytes as f64);
        let name: String = row.path.rsplit('/').next().unwrap_or(&row.path).chars().take(24).collect();
        Some(Proposal {
            title: format!("memory low {} for {name}", show(held)),
            why: format!(
                "{} holds {} and waits for pages that were just taken: {} file refaults.",
                row.path,
                show(row.memory?),
                Unit::PerSecond.show(vm.refault_file)
            ),
            mechanism: "Nothing of that is taken from it while any other cgroup has something to give.".into(),
            expect: trial::outlook(world, &trial, 0.5),
            undo: "The values before are written back, at once; of units what was set at runtime is taken away.".into(),
            // Outermost first: a promise holds only as far as the groups above make it too.
            wants: lineage(&row.path).map(|path| Want { on: Subject::Cgroup(path.into()), to: held.to_string() }).collect(),
            fit: 0.7,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Memory, trial)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_above_come_first_and_the_root_never() {
        assert_eq!(lineage("/a/b/c").collect::<Vec<_>>(), ["/a", "/a/b", "/a/b/c"]);
        assert_eq!(lineage("/a").collect::<Vec<_>>(), ["/a"]);
    }
}
