//! Where the hierarchies are mounted, and which groups there are.

use super::files::is_file;
use crate::{
    host::host::{Host, Touch},
    model::{
        knob::Place,
        sample::{CgroupVersion, MOST_CGROUPS},
    },
    sources::parse::{self, keyed, mountinfo},
};
use std::collections::BTreeMap;

/// Levels below a root that are looked at.
const DEEPEST: usize = 32;

/// A hierarchy whose files we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// `cpu` of v1.
    Cpu,
    /// `cpuacct` of v1.
    Accounting,
    /// `memory` of v1.
    Memory,
    /// `pids` of v1.
    Pids,
    /// `blkio` of v1.
    Blkio,
    /// The unified one.
    Unified,
}

/// Controllers of v1 whose files we read, as mount options name them.
const V1: [(Part, &str); 5] =
    [(Part::Cpu, "cpu"), (Part::Accounting, "cpuacct"), (Part::Memory, "memory"), (Part::Pids, "pids"), (Part::Blkio, "blkio")];

/// The mounted hierarchies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mounts {
    all: BTreeMap<Part, Place>,
}

/// In which hierarchies a group of a path is.
pub type Parts = Vec<Part>;

impl Mounts {
    /// From mountinfo. One v1 hierarchy may carry several controllers.
    pub fn parse(text: &str) -> Mounts {
        let mut all = BTreeMap::new();
        for mount in mountinfo::parse(text) {
            let controllers: &[(Part, &str)] = match mount.kind.as_str() {
                "cgroup2" => {
                    all.entry(Part::Unified).or_insert_with(|| parse::place(&mount.at));
                    continue;
                }
                "cgroup" => &V1,
                _ => continue,
            };
            for (part, name) in controllers {
                if mount.options.split(',').any(|option| option == *name) {
                    all.entry(*part).or_insert_with(|| parse::place(&mount.at));
                }
            }
        }
        Mounts { all }
    }

    /// True where no hierarchy is mounted that we read.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The version that shares the cpu: v1 where its controller is mounted.
    pub fn version(&self) -> CgroupVersion {
        if self.all.contains_key(&Part::Cpu) { CgroupVersion::V1 } else { CgroupVersion::V2 }
    }

    /// The directory of a group in a hierarchy.
    pub fn directory(&self, part: Part, path: &str) -> Option<Place> {
        let root = self.all.get(&part)?;
        let below = path.trim_start_matches('/');
        Some(if below.is_empty() { root.clone() } else { root.join(below) })
    }

    /// A text that changes when groups come or go, as far as the kernel counts them: cheaper than a walk.
    pub fn signature(&self, host: &dyn Host, into: &mut Vec<u64>) {
        into.clear();
        let mut buffer = Vec::new();
        if host.read(&Place::proc("cgroups"), &mut buffer).is_ok() {
            // Name, hierarchy, number of groups, enabled.
            let count = |line: &str| line.split_ascii_whitespace().nth(2)?.parse::<u64>().ok();
            into.extend(parse::text(&buffer).lines().filter_map(count));
        }
        if let Some(root) = self.all.get(&Part::Unified)
            && host.read(&root.join("cgroup.stat"), &mut buffer).is_ok()
        {
            into.extend(keyed(&parse::text(&buffer)).filter(|(key, _)| *key == "nr_descendants").map(|(_, count)| count));
        }
    }

    /// Every group by path with its hierarchies, at most [`MOST_CGROUPS`], upper ones first.
    pub fn walk(&self, host: &dyn Host) -> Touch<BTreeMap<String, Parts>> {
        let mut found = BTreeMap::from([("/".to_string(), self.all.keys().copied().collect::<Parts>())]);
        let mut level: Vec<(Part, String)> = self.all.keys().map(|part| (*part, "/".to_string())).collect();
        let mut names = Vec::new();
        for _ in 0..DEEPEST {
            let mut next = Vec::new();
            for (part, path) in level {
                let Some(directory) = self.directory(part, &path) else { continue };
                match host.list(&directory, &mut names) {
                    Ok(()) => {}
                    // A host without these two loses what they count, no more.
                    Err(error) if path == "/" && !matches!(part, Part::Pids | Part::Blkio) => return Err(error),
                    // Removed since its parent was listed, or no directory after all.
                    Err(_) => {
                        forget(&mut found, part, &path);
                        continue;
                    }
                }
                for name in names.iter().filter(|name| !is_file(name)) {
                    let child = format!("{}/{name}", path.trim_end_matches('/'));
                    if let Some(parts) = found.get_mut(&child) {
                        parts.push(part);
                    } else if found.len() < MOST_CGROUPS {
                        found.insert(child.clone(), vec![part]);
                    } else {
                        continue;
                    }
                    next.push((part, child));
                }
            }
            level = next;
        }
        Ok(found)
    }
}

fn forget(found: &mut BTreeMap<String, Parts>, part: Part, path: &str) {
    if let Some(parts) = found.get_mut(path) {
        parts.retain(|other| *other != part);
        if parts.is_empty() {
            found.remove(path);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    const HYBRID: &str = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
        35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

    #[test]
    fn controllers_are_found_where_they_are_mounted() {
        let mounts = Mounts::parse(HYBRID);
        assert_eq!(mounts.version(), CgroupVersion::V1);
        assert_eq!(mounts.directory(Part::Accounting, "/"), Some(Place::sys("fs/cgroup/cpu,cpuacct")));
        assert_eq!(mounts.directory(Part::Memory, "/a/b"), Some(Place::sys("fs/cgroup/memory/a/b")));
        let pure = Mounts::parse("24 22 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n");
        assert_eq!((pure.version(), pure.directory(Part::Cpu, "/a")), (CgroupVersion::V2, None));
        assert!(Mounts::parse("").is_empty());
    }

    #[test]
    fn hierarchies_are_merged_by_path() {
        let host = RecordedHost::default();
        for file in ["cpu,cpuacct/cpu.stat", "cpu,cpuacct/a/cpu.stat", "memory/a/b/tasks", "memory/tasks", "unified/cgroup.procs"] {
            host.put(&format!("/sys/fs/cgroup/{file}"), "\n");
        }
        let found = Mounts::parse(HYBRID).walk(&host).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["/", "/a", "/a/b"]);
        assert_eq!(found["/a"], [Part::Cpu, Part::Accounting, Part::Memory]);
        assert_eq!(found["/a/b"], [Part::Memory]);
    }
}
