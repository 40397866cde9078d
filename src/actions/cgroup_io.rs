//! What a cgroup may move through a disk (catalogue S5; cgroup-v2.rst "io.max", cgroup-v1/blkio-controller.rst, block/bfq-iosched.rst).
//!
//! Changes: `io.max` (v2) or `blkio.throttle.read_bps_device` (v1) of the cgroup for that disk; under bfq its weight instead.
//! Helps when: one cgroup moves most of what a disk does while others wait for it.
//! Hurts when: something else in that cgroup is wanted quick; a cap holds even while the disk has nothing else to do.
//! Undone how: the line of that disk before is written back (`max`, or 0 in v1, where there was none).
//!
//! v1 throttles reads and direct writes only: buffered ones are sent by the flusher, whose cgroup is the root. A weight counts under bfq
//! alone. The number is that of the whole disk: partitions have no queue.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            cgroups::{self, owner},
            protect,
            refuse::{from_host, nothing, refusal},
            setting::Setting,
            steps,
            trial::{self, progress, rise},
        },
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        knob::Knob,
        metric::{Key, Metric},
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        sample::CgroupVersion,
        snapshot::{Cgroup, Disk, Process},
        subject::Subject,
        systemd::{Keeper, keeper},
        unit::Unit,
        world::World,
    },
};

/// Share of the disk's bytes from which a cgroup is the one to slow.
const DOMINANT: f64 = 0.5;
/// Share of time that others wait for storage.
const WAITS: f64 = 0.20;
/// A cap is half of what moves now, and never less than this.
const LEAST: f64 = 1024.0 * 1024.0;
/// Under bfq: a tenth of the usual weight of 100.
const WEIGHT: u64 = 10;

/// Storage of a cgroup.
pub struct CgroupIo;

impl Setting for CgroupIo {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "cgroup-io",
            row: "S5",
            changes: "io.max (v2), blkio.throttle.read_bps_device (v1) or the bfq weight of a cgroup",
            helps: "one cgroup moves most of what a disk does while others wait",
            hurts: "something else in that cgroup is wanted quick",
            undone: "the line of that disk before is written back",
            risk: Risk::Medium,
            needs: "write access to the cgroup (CAP_DAC_OVERRIDE)",
            cooldown: 120.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let slow = world.findings.iter().filter(|f| matches!(f.id.kind, FindingKind::DiskLatency | FindingKind::WritebackStall));
        slow.filter_map(|finding| self.relief(world, finding)).collect()
    }

    /// The want's text is `weight N`, or `max MAJOR:MINOR READ WRITE` in bytes per second, 0 for what is not bounded.
    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let mut steps = Vec::new();
        for want in &proposal.wants {
            let Subject::Cgroup(path) = &want.on else { continue };
            let controller = if has_v1(host)? { "blkio" } else { "io" };
            let directory = cgroups::find(host, controller, path)?;
            protect::cgroup(host, path, &directory.place)?;
            let Some((knob, value)) = wished(&want.to, &directory)? else { continue };
            let step = steps::step(host, knob, value).map_err(|e| from_host(&e, Setting::about(self).needs))?;
            if step.before != step.after && is_tighter(&step) {
                return Err(nothing(format!("{} is {}", step.knob, step.before)));
            }
            steps.push(step);
        }
        Ok(steps)
    }
}

impl CgroupIo {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let Subject::Disk(name) = &finding.id.subject else { return None };
        let disk = world.snapshot.disk(name)?;
        let settings = disk.settings.as_ref()?;
        let (row, [read, written]) = dominant(world, disk)?;
        let waiting = waits(world, finding, row)?;
        let v1 = world.facts.cgroup_v1.iter().any(|(controller, _)| &**controller == "blkio");
        let half = |bytes: f64| (bytes / 2.0).max(LEAST) as u64;
        let bfq = &*settings.scheduler == "bfq";
        let (read_cap, write_cap) = (if read >= written { half(read) } else { 0 }, if written > read { half(written) } else { 0 });
        if v1 && !bfq && read_cap == 0 {
            return None;
        }
        let (major, minor) = disk.device;
        let to = if bfq { format!("weight {WEIGHT}") } else { format!("max {major}:{minor} {read_cap} {write_cap}") };
        let show = |bytes: f64| Unit::BytesPerSecond.show(bytes);
        let short: String = row.path.rsplit('/').next().unwrap_or(&row.path).chars().take(24).collect();
        let member = world
            .snapshot
            .processes
            .known()?
            .iter()
            .filter(|p| within(&p.cgroup, &row.path))
            .max_by(|a, b| moves(a).total_cmp(&moves(b)));
        let metric = if read >= written { Metric::ProcessRead } else { Metric::ProcessWrite };
        let mut guardrails = vec![rise(Metric::PressureMemoryFull, 0.05)];
        guardrails.extend(member.map(|process| progress(process.id, metric)));
        let trial = trial::of(world, Key::new(finding.id.subject.clone(), Metric::DiskLatency), guardrails);
        let cap = show((read_cap + write_cap) as f64);
        Some(Proposal {
            title: if bfq {
                format!("bfq weight {WEIGHT} for {short}")
            } else {
                format!("{cap} at most through {name} for {short}")
            },
            why: format!("{short} moves {} of {} through {name}; {waiting}.", show(read + written), show(disk.read + disk.write)),
            mechanism: if bfq {
                "bfq serves the cgroup a tenth as often as one of usual weight, and whenever no other asks.".into()
            } else {
                "The kernel lets the cgroup's requests through at that pace; those of others find the disk free.".into()
            },
            expect: format!("{} The cgroup itself may fall to half its pace.", trial::outlook(world, &trial, 0.5)),
            undo: "The line of that disk before is written back at once; requests held back are let through.".into(),
            wants: vec![Want { on: Subject::Cgroup(row.path.clone()), to }],
            fit: if bfq { 0.7 } else { 0.6 },
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Storage, trial)
        })
    }
}

fn moves(process: &Process) -> f64 {
    process.io.map_or(0.0, |[read, written]| read + written)
}

fn within(path: &str, group: &str) -> bool {
    path.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The cgroup that moves at least half of what the disk does, the smallest that does. v2 counts a group with those below it.
fn dominant<'a>(world: &World<'a>, disk: &Disk) -> Option<(&'a Cgroup, [f64; 2])> {
    let all = (disk.read + disk.write).max(1.0);
    let open = |row: &Cgroup| row.path.len() > 1 && owner(&row.path).is_none() && !row.path.ends_with("/init.scope");
    // Lines of a unit are systemd's to write; see `knob::owner`.
    let free = |row: &Cgroup| !world.facts.systemd || keeper(&row.path) == Keeper::Nobody;
    let rows = world.snapshot.cgroups.known()?.iter().filter(|row| open(row) && free(row));
    let heavy = rows.filter_map(|row| Some((row, row.io?))).filter(|(_, [read, written])| read + written >= DOMINANT * all);
    heavy.max_by_key(|(row, _)| row.path.matches('/').count())
}

/// Who waits outside of that cgroup, in words: a victim of the finding, or another cgroup.
fn waits(world: &World<'_>, finding: &Finding, row: &Cgroup) -> Option<String> {
    let outside = |path: &str| !within(path, &row.path) && !within(&row.path, path);
    let victims = finding.victims.iter().filter_map(|v| world.snapshot.process(v.subject.process()?));
    if let Some(victim) = victims.into_iter().find(|process| !within(&process.cgroup, &row.path)) {
        return Some(format!("{} waits for it", victim.name.chars().take(24).collect::<String>()));
    }
    let pressed = |row: &&Cgroup| outside(&row.path) && row.pressure.is_some_and(|[_, _, io]| io >= WAITS);
    let other = world.snapshot.cgroups.known()?.iter().find(pressed)?;
    let share = Unit::Share.show(other.pressure.map_or(0.0, |[_, _, io]| io));
    Some(format!("{} waits {share} of the time for storage", other.path.rsplit('/').next().unwrap_or(&other.path)))
}

/// Whether v1 has the controller: then v2 has not.
fn has_v1(host: &dyn Host) -> Result<bool, Refusal> {
    let place = crate::model::knob::Place::proc("self/mountinfo");
    let text = host.text(&place).map_err(|e| from_host(&e, "read access to it"))?;
    let options = |line: &str| {
        let (_, right) = line.split_once(" - cgroup ")?;
        right.split(' ').nth(1).map(|options| options.split(',').any(|option| option == "blkio"))
    };
    Ok(text.lines().filter_map(options).any(|has| has))
}

/// The knob and its value; refuses what that version cannot.
fn wished(text: &str, directory: &cgroups::Directory) -> Result<Option<(Knob, String)>, Refusal> {
    let v1 = directory.version == CgroupVersion::V1;
    let words: Vec<&str> = text.split(' ').collect();
    let device = |text: &str| text.split_once(':').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    Ok(match words[..] {
        ["weight", weight] if v1 => Some((directory.knob("blkio.bfq.weight"), weight.into())),
        ["weight", weight] => Some((directory.knob("io.bfq.weight"), format!("default {weight}"))),
        ["max", number, read, write] => {
            let Some(device) = device(number) else { return Ok(None) };
            if v1 && read == "0" {
                let why = "v1 does not throttle buffered writes: they are the flusher's. Look at the writeback limits instead.";
                return Err(refusal(Obstacle::Unsupported, why));
            }
            let bound = |bytes: &str| if bytes == "0" { "max".to_string() } else { bytes.into() };
            let (file, value) = if v1 {
                ("blkio.throttle.read_bps_device", read.into())
            } else {
                ("io.max", format!("rbps={} wbps={} riops=max wiops=max", bound(read), bound(write)))
            };
            let (place, inode) = (directory.place.clone(), directory.inode);
            Some((Knob::CgroupDevice { directory: place, inode, file: file.into(), device }, value))
        }
        _ => None,
    })
}

/// Something is bounded more tightly already: another's bound is not loosened.
fn is_tighter(step: &Step) -> bool {
    let numbers = |text: &str| -> Vec<Option<u64>> {
        let number = |word: &str| word.rsplit('=').next().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
        text.split(' ').filter(|word| *word != "default").map(number).collect()
    };
    let pairs = numbers(&step.before).into_iter().zip(numbers(&step.after));
    pairs.into_iter().any(|(before, after)| before.is_some_and(|before| after.is_none_or(|after| before < after)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{actions::knob::cgroups::Directory, host::recorded::RecordedHost, model::knob::Place};

    fn directory(version: CgroupVersion) -> Directory {
        Directory { place: Place::sys("fs/cgroup/a"), inode: 1, version }
    }

    #[test]
    fn each_version_has_its_own_file_and_words() {
        let of = |text: &str, version| {
            wished(text, &directory(version)).map(|wish| wish.map(|(knob, value)| format!("{knob} {value}")).unwrap_or_default())
        };
        let (v1, v2) = (CgroupVersion::V1, CgroupVersion::V2);
        assert_eq!(of("max 8:0 500 0", v2).unwrap(), "/sys/fs/cgroup/a/io.max (8:0) rbps=500 wbps=max riops=max wiops=max");
        assert_eq!(of("max 8:0 500 0", v1).unwrap(), "/sys/fs/cgroup/a/blkio.throttle.read_bps_device (8:0) 500");
        assert_eq!(of("max 8:0 0 500", v1).unwrap_err().kind, Obstacle::Unsupported, "buffered writes are the flusher's");
        assert_eq!(of("weight 10", v2).unwrap(), "/sys/fs/cgroup/a/io.bfq.weight default 10");
        assert_eq!(of("weight 10", v1).unwrap(), "/sys/fs/cgroup/a/blkio.bfq.weight 10");
        assert_eq!(of("nonsense", v2).unwrap(), "");
    }

    #[test]
    fn a_bound_that_somebody_set_tighter_is_not_loosened() {
        let tighter = |before: &str, after: &str| {
            let knob = directory(CgroupVersion::V2).knob("io.max");
            is_tighter(&Step { knob, before: before.into(), after: after.into(), apply: String::new(), undo: String::new() })
        };
        assert!(!tighter("rbps=max wbps=max riops=max wiops=max", "rbps=500 wbps=max riops=max wiops=max"));
        assert!(tighter("rbps=400 wbps=max riops=max wiops=max", "rbps=500 wbps=max riops=max wiops=max"));
        assert!(
            tighter("rbps=max wbps=max riops=9 wiops=max", "rbps=500 wbps=max riops=max wiops=max"),
            "that bound would be lost"
        );
        assert!(!tighter("0", "500") && tighter("400", "500") && !tighter("default 100", "default 10"));
    }

    #[test]
    fn v1_is_known_by_its_mount() {
        let host = RecordedHost::default();
        host.put("/proc/self/mountinfo", "24 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        assert_eq!(has_v1(&host), Ok(false));
        host.put("/proc/self/mountinfo", "34 1 0:22 / /sys/fs/cgroup/blkio rw shared:3 - cgroup cgroup rw,blkio\n");
        assert_eq!(has_v1(&host), Ok(true));
    }
}
