//! What our own control group and those above it allow: inside a container the host's sizes in `/proc` are not the true ones.
//!
//! The tightest limit counts, on the way from our group up to the highest that is mounted here (Documentation/admin-guide/cgroup-v2.rst,
//! cpu.max and memory.max; cgroup-v1/memory.rst). v1 also tells of limits above what we see: `hierarchical_memory_limit`.

use crate::{
    host::{canonical::parse_cpus, error::HostError, host::Host},
    model::{
        allowance::{Allowance as Allowed, CpuAllowance, MemoryAllowance},
        knob::Place,
        sample::{Sample, SourceName},
        text::clean,
    },
    sources::{
        kept::Kept,
        parse::{self, mountinfo},
        source::{Lane, Source, SourceAbout},
    },
};
use std::{sync::Arc, time::Duration};

/// The source.
pub struct Allowance {
    cgroup: Kept,
    /// Content of `/proc/self/cgroup` when the groups were looked up.
    seen: Vec<u8>,
    buffer: Vec<u8>,
    groups: Groups,
}

impl Default for Allowance {
    fn default() -> Self {
        let cgroup = Kept::new(Place::proc("self/cgroup"));
        Allowance { cgroup, seen: Vec::new(), buffer: Vec::new(), groups: Groups::default() }
    }
}

impl Source for Allowance {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Allowance,
            lane: Lane::Seldom(5),
            deadline: Duration::from_millis(1500),
            reads: "/proc/self/cgroup; cpu.max, memory.max and cpus of our group and those above it",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        // A kernel built without control groups limits nobody by them.
        if self.cgroup.read(host, &mut self.buffer).is_err() {
            self.buffer.clear();
        }
        if self.buffer != self.seen {
            let mounts = host.text(&Place::proc("self/mountinfo")).unwrap_or_default();
            self.groups = Groups::find(&parse::text(&self.buffer), &mounts);
            std::mem::swap(&mut self.seen, &mut self.buffer);
        }
        let online = cpus(host, &Place::sys("devices/system/cpu/online"), "");
        let memory = host.text(&Place::proc("meminfo")).unwrap_or_default();
        let total = parse::keyed(&memory).find(|(key, _)| *key == "MemTotal").map_or(u64::MAX, |(_, kib)| kib.saturating_mul(1024));
        let mine = cpus(host, &Place::proc("self/status"), "Cpus_allowed_list:");
        Ok(Sample::Allowance(Allowed {
            cpu: self.groups.cpu(host).filter(|cpu| online.is_none_or(|online| cpu.cores < f64::from(online))),
            memory: self.groups.memory(host).filter(|memory| memory.limit < total),
            cpus: mine.filter(|mine| online.is_some_and(|online| *mine < online)),
        }))
    }
}

/// How many processors a list names that stands in the line that begins with `label`.
fn cpus(host: &dyn Host, place: &Place, label: &str) -> Option<u32> {
    let text = host.text(place).ok()?;
    let list = text.lines().find_map(|line| line.strip_prefix(label))?;
    u32::try_from(parse_cpus(list, 8191)?.len()).ok().filter(|count| *count > 0)
}

/// Our group in each hierarchy that can limit us.
#[derive(Default)]
struct Groups {
    unified: Option<Group>,
    cpu: Option<Group>,
    memory: Option<Group>,
}

impl Groups {
    /// From `/proc/self/cgroup` and `/proc/self/mountinfo`.
    fn find(cgroup: &str, mountinfo: &str) -> Groups {
        let mounts = mountinfo::parse(mountinfo);
        // `4:memory:/docker/abc`, and of the unified hierarchy `0::/docker/abc`.
        let find = |controller: &str| {
            let mut lines = cgroup.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
            let (_, path) = lines.find(|(names, _)| names.split(',').any(|name| name == controller))?;
            let is_it = |mount: &&mountinfo::Mount| match controller {
                "" => mount.kind == "cgroup2",
                name => mount.kind == "cgroup" && mount.options.split(',').any(|option| option == name),
            };
            mounts.iter().find(is_it).map(|mount| Group::new(mount, path))
        };
        Groups { unified: find(""), cpu: find("cpu"), memory: find("memory") }
    }

    fn cpu(&self, host: &dyn Host) -> Option<CpuAllowance> {
        let unified = self.unified.iter().flat_map(Group::upwards).filter_map(|(at, directory)| {
            let text = host.text(&directory.join("cpu.max")).ok()?;
            let (quota, period) = text.trim().split_once(' ')?;
            Some((quota.parse::<f64>().ok()? / period.parse::<f64>().ok()?, at))
        });
        let old = self.cpu.iter().flat_map(Group::upwards).filter_map(|(at, directory)| {
            let number = |file: &str| host.text(&directory.join(file)).ok()?.trim().parse::<f64>().ok();
            // -1 is no quota.
            let quota = number("cpu.cfs_quota_us").filter(|quota| *quota > 0.0)?;
            Some((quota / number("cpu.cfs_period_us")?, at))
        });
        let tightest = unified.chain(old).filter(|(cores, _)| cores.is_finite()).min_by(|(a, _), (b, _)| a.total_cmp(b))?;
        Some(CpuAllowance { cores: tightest.0, at: tightest.1 })
    }

    fn memory(&self, host: &dyn Host) -> Option<MemoryAllowance> {
        let number = |directory: &Place, file: &str| parse::whole(&host.text(&directory.join(file)).ok()?);
        let stat = |directory: &Place, wanted: &str| {
            let text = host.text(&directory.join("memory.stat")).ok()?;
            parse::keyed(&text).find(|(key, _)| *key == wanted).map(|(_, value)| value)
        };
        // `max` is no number, and no limit.
        let unified = self.unified.iter().flat_map(Group::upwards).filter_map(|(at, directory)| {
            let limit = number(&directory, "memory.max")?;
            let files = ("memory.current", "inactive_file");
            Some((limit, at, Some((directory, files))))
        });
        let old = self.memory.iter().flat_map(Group::upwards).filter_map(|(at, directory)| {
            let limit = number(&directory, "memory.limit_in_bytes")?;
            let files = ("memory.usage_in_bytes", "total_inactive_file");
            Some((limit, at, Some((directory, files))))
        });
        let above = self.memory.iter().filter_map(|group| {
            let limit = stat(&group.directory(&group.path), "hierarchical_memory_limit")?;
            Some((limit, Arc::from(""), None))
        });
        // Of equal limits the first counts: a group that is seen before one that is not.
        let (limit, at, seen) = unified.chain(old).chain(above).min_by_key(|(limit, ..)| *limit)?;
        let used = seen.as_ref().and_then(|(directory, (usage, _))| number(directory, usage));
        let reclaimable = seen.and_then(|(directory, (_, inactive))| stat(&directory, inactive)).unwrap_or(0);
        Some(MemoryAllowance { limit, used, reclaimable, at })
    }
}

/// The path of the group above.
fn above<'a>(path: &&'a str) -> Option<&'a str> {
    (!path.is_empty()).then(|| path.rsplit_once('/').map_or("", |(above, _)| above))
}

/// A group in one hierarchy.
struct Group {
    /// Where the hierarchy is mounted.
    mount: Place,
    /// Path of the group below the mount; empty for the mount itself.
    path: String,
}

impl Group {
    /// A bind mount shows only a part of the hierarchy: paths below it are without the part's own. A group outside of what is mounted
    /// is limited by that part at least.
    fn new(mount: &mountinfo::Mount, path: &str) -> Group {
        let below = match mount.root.as_str() {
            "/" => Some(path),
            root => path.strip_prefix(root).filter(|rest| rest.is_empty() || rest.starts_with('/')),
        };
        let path = below.filter(|path| !path.contains("/..")).unwrap_or("").trim_matches('/');
        Group { mount: parse::place(&mount.at), path: path.into() }
    }

    fn directory(&self, path: &str) -> Place {
        if path.is_empty() { self.mount.clone() } else { self.mount.join(path) }
    }

    /// This group and those above it up to the mount: name and directory.
    fn upwards(&self) -> impl Iterator<Item = (Arc<str>, Place)> + '_ {
        std::iter::successors(Some(self.path.as_str()), above).map(|path| (clean(&format!("/{path}"), 256), self.directory(path)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
