//! Which numbers have a limit beyond which something breaks, and where it is.
//!
//! | number | limit | beyond it |
//! |---|---|---|
//! | memory available (host) | 1 % of all memory, as a floor | the kernel kills |
//! | swap used (host) | all swap | anonymous memory can go nowhere |
//! | memory of a cgroup beyond reclaim | `memory.max`, v1 `memory.limit_in_bytes` | the kernel kills in it |
//! | tasks of a cgroup | `pids.max` | fork fails |
//! | filesystem used, inodes used | all of what an ordinary user may use | ENOSPC |
//! | descriptors of a process | its soft limit | EMFILE |
//! | connection tracking used | `nf_conntrack_max` | packets are dropped |
//! | local ports used | the range | EADDRNOTAVAIL |
//!
//! The floor of memory available: MemAvailable (proc(5)) leaves out the kernel's own reserves already, but counts half of the page
//! cache, to the end that is the code of running programs, read back as soon as it is dropped. The kernel kills when hardly anything
//! else is left, which is before the number is 0; a hundredth of all memory stands for it. With swap the killing comes later.
//!
//! A limit of a group that is inside of a tighter one is never reached; the tighter one's own number says so, since memory and tasks
//! are counted upwards (cgroup-v2.rst "memory.current", v1 with `use_hierarchy`).

use crate::model::{
    metric::{Key, Metric},
    sample::CgroupVersion,
    snapshot::{Cgroup, Filesystem, Process, Snapshot, Tcp},
    subject::Subject,
};
use std::sync::Arc;

/// Share of all memory that is left when the kernel begins to kill.
const LAST: f64 = 0.01;
/// Images that are full by nature.
pub const IMAGES: [&str; 4] = ["squashfs", "iso9660", "erofs", "cramfs"];
/// Share of the descriptor limit below which no history is kept.
const OPEN: f64 = 0.5;
/// Letters of a path that are told.
const PATH: usize = 32;

/// A limit of a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// Of what.
    pub key: Key,
    /// Where, in the metric's unit.
    pub limit: f64,
    /// What it is, such as `memory.max of /app`.
    pub of: Arc<str>,
    /// It is reached from above.
    pub floor: bool,
}

impl Limit {
    fn new(subject: Subject, metric: Metric, limit: f64, of: impl Into<Arc<str>>) -> Limit {
        Limit { key: Key::new(subject, metric), limit, of: of.into(), floor: false }
    }

    /// A value turned so that it rises towards the limit (the limit turned likewise), and such a one turned back.
    pub fn turn(&self, value: f64) -> f64 {
        if self.floor { -value } else { value }
    }

    /// How far a value is from the limit, in the metric's unit; not above 0 once it is reached.
    pub fn room(&self, value: f64) -> f64 {
        if self.floor { value - self.limit } else { self.limit - value }
    }
}

/// Every limit that is known now, sorted by key.
pub fn limits(snapshot: &Snapshot) -> Vec<Limit> {
    let mut all: Vec<Limit> = host(snapshot);
    all.extend(snapshot.cgroups.known().into_iter().flatten().flat_map(cgroup));
    all.extend(snapshot.filesystems.known().into_iter().flatten().flat_map(filesystem));
    all.extend(snapshot.tcp.known().into_iter().flatten().flat_map(network));
    all.extend(snapshot.processes.known().into_iter().flat_map(|all| all.iter()).filter_map(process));
    all.retain(|limit| limit.limit.is_finite());
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all
}

fn host(snapshot: &Snapshot) -> Vec<Limit> {
    let Some(memory) = snapshot.vitals.memory.known().filter(|memory| memory.total > 0) else { return Vec::new() };
    let floor = Limit::new(Subject::Host, Metric::MemoryAvailable, LAST * memory.total as f64, "end of memory");
    let mut all = vec![Limit { floor: true, ..floor }];
    if memory.swap_total > 0 {
        all.push(Limit::new(Subject::Host, Metric::SwapUsed, memory.swap_total as f64, "end of swap"));
    }
    all
}

fn cgroup(row: &Cgroup) -> impl Iterator<Item = Limit> {
    let subject = || Subject::Cgroup(row.path.clone());
    let name = if row.version == CgroupVersion::V2 { "memory.max" } else { "memory limit" };
    let limit = |metric, most: u64, of: &str| Limit::new(subject(), metric, most as f64, format!("{of} of {}", short(&row.path)));
    let memory = row.memory_limit.filter(|most| *most > 0).map(|most| limit(Metric::CgroupUnreclaimable, most, name));
    let tasks = row.pids_limit.filter(|most| *most > 0).map(|most| limit(Metric::CgroupTasks, most, "pids.max"));
    memory.into_iter().chain(tasks)
}

fn filesystem(row: &Filesystem) -> impl Iterator<Item = Limit> {
    let takes = !row.read_only && !IMAGES.contains(&&*row.kind);
    let limit = |metric, of: &str| {
        Limit::new(Subject::Filesystem(row.at.clone()), metric, 1.0, format!("end of {of} on {}", short(&row.at)))
    };
    let space = row.used().filter(|_| takes).map(|_| limit(Metric::FilesystemUsed, "space"));
    let inodes = row.inodes_used().filter(|_| takes).map(|_| limit(Metric::FilesystemInodes, "inodes"));
    space.into_iter().chain(inodes)
}

/// Ports only where most connections are opened and not accepted: those that are accepted take none.
fn network(row: &Tcp) -> impl Iterator<Item = Limit> {
    let subject = || if row.through.is_none() { Subject::Host } else { Subject::Network(row.netns) };
    let tracked = row.conntrack.filter(|[_, most]| *most > 0);
    let tracked = tracked.map(|_| Limit::new(subject(), Metric::ConntrackUsed, 1.0, "nf_conntrack_max"));
    let ports = row.port_range.filter(|_| row.connects > 0.0 && row.connects >= row.opens / 2.0);
    tracked.into_iter().chain(ports.map(|_| Limit::new(subject(), Metric::PortsUsed, 1.0, "end of local ports")))
}

fn process(row: &Process) -> Option<Limit> {
    let (open, (soft, _)) = row.descriptors.zip(row.descriptor_limit)?;
    let near = !row.kernel && soft > 0 && f64::from(open) >= OPEN * soft as f64;
    let of = || format!("descriptor limit of {} ({})", short(&row.name), row.id.pid);
    near.then(|| Limit::new(Subject::Process(row.id), Metric::ProcessDescriptors, 1.0, of()))
}

/// The end of a path says more than its beginning.
fn short(path: &str) -> String {
    let count = path.chars().count();
    if count <= PATH { path.into() } else { "..".chars().chain(path.chars().skip(count - PATH + 2)).collect() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{
        sample::Space,
        snapshot::{Memory, Reading},
        subject::ProcessId,
    };
    use std::sync::Arc;

    fn of(snapshot: &Snapshot) -> Vec<(String, f64, bool)> {
        limits(snapshot).iter().map(|limit| (limit.of.to_string(), limit.limit, limit.floor)).collect()
    }

    #[test]
    fn what_has_a_limit_is_listed_with_it() {
        let mut snapshot = Snapshot::default();
        snapshot.vitals.memory = Reading::Known(Memory { total: 1000, swap_total: 500, ..Memory::default() });
        let groups = vec![
            Cgroup { path: "/app".into(), memory_limit: Some(250), pids_limit: Some(100), ..Cgroup::default() },
            Cgroup { path: "/old".into(), version: CgroupVersion::V1, memory_limit: Some(7), ..Cgroup::default() },
            Cgroup { path: "/free".into(), memory: Some(7), ..Cgroup::default() },
        ];
        snapshot.cgroups = Reading::Known(groups);
        let space = Some(Space { total: 100, used: 50, available: 50, inodes: 0, inodes_free: 0 });
        let mounted = |at: &str, kind: &str| Filesystem { at: at.into(), kind: kind.into(), space, ..Filesystem::default() };
        snapshot.filesystems = Reading::Known(vec![mounted("/", "ext4"), mounted("/snap", "squashfs")]);
        let process = |pid, open| Process {
            id: ProcessId { pid, start: 1 },
            name: "web".into(),
            descriptors: Some(open),
            descriptor_limit: Some((1000, 4000)),
            ..Process::default()
        };
        snapshot.processes = Reading::Known(Arc::new(vec![process(7, 600), process(8, 100)]));
        let expected = [
            ("end of memory", 10.0, true),
            ("end of swap", 500.0, false),
            ("end of space on /", 1.0, false),
            ("descriptor limit of web (7)", 1.0, false),
            ("memory.max of /app", 250.0, false),
            ("pids.max of /app", 100.0, false),
            ("memory limit of /old", 7.0, false),
        ];
        let mut expected: Vec<_> = expected.map(|(of, limit, floor)| (of.to_string(), limit, floor)).into();
        let mut found = of(&snapshot);
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        found.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(found, expected);
        assert!(limits(&snapshot).is_sorted_by(|a, b| a.key <= b.key));
    }

    #[test]
    fn ports_are_a_limit_for_those_who_open_connections() {
        let with = |connects, opens| {
            let row = Tcp { port_range: Some((1, 10)), connects, opens, conntrack: Some([5, 0]), ..Tcp::default() };
            of(&Snapshot { tcp: Reading::Known(vec![row]), ..Snapshot::default() })
        };
        assert_eq!(with(80.0, 100.0), [("end of local ports".to_string(), 1.0, false)]);
        assert!(with(1.0, 100.0).is_empty() && with(0.0, 0.0).is_empty() && with(f64::NAN, 1.0).is_empty());
    }

    #[test]
    fn a_long_path_keeps_its_end() {
        assert_eq!(short(&"/a/very".repeat(9)).chars().count(), PATH);
        assert!(short(&format!("{}/leaf", "/a/very".repeat(9))).ends_with("/leaf"));
    }
}
