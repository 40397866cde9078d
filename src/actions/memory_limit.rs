//! The memory limit of a cgroup (catalogue M3; cgroup-v2.rst "memory.max", cgroup-v1/memory.rst).
//!
//! Changes: `memory.max` (v2) or `memory.limit_in_bytes` (v1, with `memory.memsw.limit_in_bytes` before it where that stands lower); of
//! a systemd unit its `MemoryMax`, at runtime.
//! Helps when: what runs in the cgroup is foreseen to reach its limit and be killed while the host has memory to spare.
//! Hurts when: it leaks, and nobody uses the time that is won; or the limit is a promise to others.
//! Undone how: the limit before is written back, but never below what is in use.
//!
//! It only buys time: enough for a person to come (`SPELL` at the present pace), as far as the host keeps a quarter of its memory
//! available even if all of the new limit is used, and no group around it is tighter. It is not judged by an improvement, as nothing was
//! wrong yet, but by whether the old limit was passed alive, or would have been (see [`Prevention`]).
//!
//! Why it must not be undone blindly: a limit below what is in use makes v1 refuse (EBUSY) and v2 kill at once. So before the way back
//! what is in use beyond reclaim is read, and if that does not fit, nothing is written: the change is stuck, with the command for later.
//! In v1 the limit of memory with swap may never be below that of memory alone (EINVAL): it is raised first and lowered last.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            cgroups,
            refuse::{from_host, nothing},
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
        knob::Knob,
        metric::{Key, Metric},
        outlook::Crossing,
        plan::{Plan, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        sample::CgroupVersion,
        snapshot::Cgroup,
        subject::Subject,
        trial::{Prevention, Trial},
        unit::Unit,
        world::World,
    },
};

/// Seconds that the new limit is to last at the present pace.
const SPELL: f64 = 600.0;
/// How many times the old limit the new one may be; the smallest that lasts, or the greatest that the host can spare.
const STEPS: [f64; 7] = [1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0];
/// Share of the host's memory that stays available even if all of the new limit is used (catalogue M3).
const RESERVE: f64 = 0.25;
/// A limit to go back to must be at least this much above what is in use, or the next page kills.
const MARGIN: f64 = 1.05;
const MIB: f64 = 1_048_576.0;

/// The memory limit of a cgroup.
pub struct MemoryLimit;

impl Setting for MemoryLimit {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "memory-limit",
            row: "M3",
            changes: "memory.max (v2) or memory.limit_in_bytes (v1) of a cgroup; MemoryMax of a systemd unit",
            helps: "a limit is foreseen to be reached while the host has memory to spare",
            hurts: "it leaks and nobody uses the time won, or the limit is a promise to others",
            undone: "the limit before is written back, never below what is in use",
            risk: Risk::Low,
            needs: "write access to the cgroup (CAP_DAC_OVERRIDE)",
            cooldown: 60.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let coming = world.findings.iter().filter(|f| f.id.kind == FindingKind::PredictedMemory);
        coming.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let lacks = |e: HostError| from_host(&e, Setting::about(self).needs);
        let mut steps = Vec::new();
        for want in &proposal.wants {
            let Subject::Cgroup(path) = &want.on else { continue };
            let directory = cgroups::find(host, "memory", path)?;
            let v1 = directory.version == CgroupVersion::V1;
            let file = if v1 { "memory.limit_in_bytes" } else { "memory.max" };
            let step = units::limit(host, (path, &directory), (file, &want.to), Setting::about(self).needs)?;
            let (before, after) = (bytes(&step.before), bytes(&step.after));
            if after <= before {
                return Err(nothing(format!("{} is {}", step.knob, step.before)));
            }
            // systemd sees to the other one of the pair by itself.
            if v1 && matches!(step.knob, Knob::CgroupFile { .. }) {
                steps.extend(with_swap(host, directory.knob("memory.memsw.limit_in_bytes"), (before, after)).map_err(lacks)?);
            }
            steps.push(step);
        }
        Ok(steps)
    }

    /// Refuses the way back while what is in use does not fit below it.
    fn may_undo(&self, plan: &Plan, host: &dyn Host) -> Touch<()> {
        plan.steps.iter().try_for_each(|step| {
            let (directory, file) = match &step.knob {
                Knob::CgroupFile { directory, file, .. } => (directory, file.as_str()),
                Knob::UnitProperty { directory, property, .. } => (directory, property.file()),
                _ => return Ok(()),
            };
            let ours = host.get(&step.knob).is_ok_and(|found| found == step.after);
            if !ours || file.contains("memsw") {
                return Ok(());
            }
            let old = host.text(&directory.join("memory.usage_in_bytes")).ok();
            let usage = old.map_or_else(|| host.text(&directory.join("memory.current")), Ok)?;
            let used = bytes(usage.trim());
            let held = used.saturating_sub(reclaimable(&host.text(&directory.join("memory.stat"))?)) as f64;
            let before = bytes(&step.before) as f64;
            if held * MARGIN <= before {
                return Ok(());
            }
            let why = format!(
                "{} in use do not fit below {} and writing that would kill; once it has shrunk, type: {}",
                Unit::Bytes.show(held),
                Unit::Bytes.show(before),
                step.undo
            );
            Err(HostError::plain("write back", &step.knob, Kind::Other, why))
        })
    }
}

/// v1: the limit of memory with swap rises with that of memory alone, by as much, where it would stand in its way.
fn with_swap(host: &dyn Host, knob: Knob, (before, after): (u64, u64)) -> Touch<Option<Step>> {
    let both = match host.get(&knob) {
        Ok(both) => bytes(&both),
        // Without swap accounting there is no such file.
        Err(e) if e.kind == Kind::Absent => return Ok(None),
        Err(e) => return Err(e),
    };
    if both >= after {
        return Ok(None);
    }
    steps::step(host, knob, after.saturating_add(both.saturating_sub(before)).to_string()).map(Some)
}

/// What the kernel can take back, as `memory.stat` of either version tells: pages of files, and slabs that can be dropped.
fn reclaimable(stat: &str) -> u64 {
    let of = |names: &[&str]| {
        let lines = stat.lines().filter_map(|line| line.split_once(' ')).filter(|(key, _)| names.contains(key));
        lines.filter_map(|(_, value)| value.trim().parse::<u64>().ok()).reduce(u64::saturating_add)
    };
    of(&["total_inactive_file", "total_active_file"])
        .or_else(|| of(&["inactive_file", "active_file", "slab_reclaimable"]))
        .unwrap_or(0)
}

/// A limit's text: `max` is no limit, nor is a property of a unit that nothing sets.
fn bytes(text: &str) -> u64 {
    units::held(text).and_then(|held| held.parse().ok()).unwrap_or(u64::MAX)
}

impl MemoryLimit {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let Subject::Cgroup(path) = &finding.id.subject else { return None };
        let cgroup = world.snapshot.cgroup(path).filter(|c| cgroups::owner(&c.path).is_none())?;
        let crossing = finding.crossing.as_ref()?;
        let (old, used, left) = (cgroup.memory_limit? as f64, held(cgroup)?, crossing.likely?);
        let pace = ((old - used) / left.max(1.0)).max(0.0);
        let new = wish(world, cgroup, old + pace * SPELL)?;
        let name = path.rsplit('/').next().unwrap_or(path).chars().take(20).collect::<String>();
        let show = |v: f64| Unit::Bytes.show(v);
        let time = |v: f64| Unit::Seconds.show(v);
        let sure = Unit::Share.show(crossing.confidence);
        let lasts = if pace > 0.0 { time((new - used) / pace) } else { time(SPELL) };
        Some(Proposal {
            title: format!("memory limit {} -> {} for {name}", show(old), show(new)),
            why: format!("{path} holds {} and reaches {} {}, with a confidence of {sure}.", show(used), show(old), range(crossing)),
            mechanism: "What runs in it may take more memory before the kernel kills in it; the host has it to spare.".into(),
            expect: format!("At this pace {} last for {lasts} instead of {}: time to restart what grows.", show(new), time(left)),
            undo: format!(
                "{} is written back at once while what is in use fits below it; else it says so and writes nothing.",
                show(old)
            ),
            wants: vec![Want { on: finding.id.subject.clone(), to: format!("{new:.0}") }],
            fit: 0.9,
            foreseen: Some(crossing.confidence),
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Memory, trial(world, finding, (old, new)))
        })
    }
}

fn trial(world: &World<'_>, finding: &Finding, (limit, moved): (f64, f64)) -> Trial {
    let key = Key::new(finding.id.subject.clone(), Metric::CgroupUnreclaimable);
    let trial = trial::of(world, key, vec![rise(Metric::PressureMemoryFull, 0.05)]);
    Trial { prevents: Some(Prevention { limit, moved }), ..trial }
}

fn range(crossing: &Crossing) -> String {
    let show = |time: Option<f64>| time.map_or("later".into(), |seconds| Unit::Seconds.show(seconds));
    format!("in {} ({} to {})", show(crossing.likely), show(crossing.earliest), show(crossing.latest))
}

/// Bytes that count against the limit in the end.
fn held(cgroup: &Cgroup) -> Option<f64> {
    cgroup.unreclaimable().or(cgroup.memory).map(|bytes| bytes as f64)
}

/// The smallest step that reaches `wanted`, else the greatest that host and groups around can spare, in whole MiB.
fn wish(world: &World<'_>, cgroup: &Cgroup, wanted: f64) -> Option<f64> {
    let (old, used) = (cgroup.memory_limit? as f64, held(cgroup)?);
    let memory = world.vitals.memory.known()?;
    let spare = memory.available as f64 - RESERVE * memory.total as f64;
    let around = world.snapshot.lineage(&cgroup.path).skip(1);
    let rooms = around.filter_map(|group| Some(group.memory_limit? as f64 - held(group)?));
    let most = used + rooms.fold(spare, f64::min);
    let mut steps = STEPS.iter().map(|step| step * old).filter(|new| *new <= most).peekable();
    let mut best = *steps.peek()?;
    for new in steps {
        if best >= wanted {
            break;
        }
        best = new;
    }
    Some((best / MIB).floor() * MIB)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_taken_back_is_read_in_both_versions() {
        assert_eq!(reclaimable("inactive_file 1\ntotal_inactive_file 10\ntotal_active_file 5\n"), 15);
        assert_eq!(reclaimable("anon 9\ninactive_file 1\nactive_file 2\nslab_reclaimable 3\n"), 6);
        assert_eq!(reclaimable("garbage\n"), 0);
        assert_eq!((bytes("max"), bytes("4096")), (u64::MAX, 4096));
    }
}
