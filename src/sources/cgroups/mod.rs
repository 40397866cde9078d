//! Control groups: the unified tree, and v1's cpu, cpuacct, memory, pids and blkio trees merged by path.

mod container;
pub mod files;
mod group;
mod names;
pub mod tree;

use crate::{
    host::{
        error::{HostError, Kind},
        host::Host,
    },
    model::{
        knob::Place,
        sample::{Sample, SourceName},
        time::Tick,
    },
    sources::source::{Lane, Source, SourceAbout},
};
use group::{Group, Reader};
use names::Names;
use std::time::Duration;
use tree::Mounts;

/// Seconds after which the trees are walked again without a sign of change.
const WALK: f64 = 30.0;
/// Seconds between two walks at least, where groups come and go all the time: at most every other sweep.
const NEWS: f64 = 1.5;

/// The source.
pub struct Cgroups {
    mounts: Option<Mounts>,
    /// Sorted by path.
    groups: Vec<Group>,
    /// Files that may be kept open.
    handles: usize,
    buffer: Vec<u8>,
    signature: Vec<u64>,
    fresh: Vec<u64>,
    names: Names,
    walked: Option<Tick>,
    sweeps: u64,
}

impl Cgroups {
    /// Keeps at most `handles` files open between sweeps.
    pub fn new(handles: usize) -> Cgroups {
        Cgroups {
            mounts: None,
            groups: Vec::new(),
            handles,
            buffer: Vec::new(),
            signature: Vec::new(),
            fresh: Vec::new(),
            names: Names::default(),
            walked: None,
            sweeps: 0,
        }
    }

    /// Walks the trees if groups came or went, as far as one can tell, or if it is long ago.
    fn refresh_groups(&mut self, host: &dyn Host) -> Result<(), HostError> {
        let mounts = match &self.mounts {
            Some(known) => known,
            None => {
                let place = Place::proc("self/mountinfo");
                let mounts = Mounts::parse(&host.text(&place)?);
                if mounts.is_empty() {
                    return Err(HostError::plain("find", "control groups", Kind::Absent, "no hierarchy is mounted"));
                }
                self.mounts.insert(mounts)
            }
        };
        mounts.signature(host, &mut self.fresh);
        let now = host.now().tick;
        let pause = if self.fresh == self.signature { WALK } else { NEWS };
        if self.walked.is_some_and(|last| now.seconds_since(last) < pause) {
            return Ok(());
        }
        self.walked = Some(now);
        std::mem::swap(&mut self.fresh, &mut self.signature);
        let mut old = std::mem::take(&mut self.groups).into_iter().peekable();
        for (number, (path, parts)) in mounts.walk(host)?.into_iter().enumerate() {
            while old.next_if(|group| group.path < path).is_some() {}
            let known = old.next_if(|group| group.path == path && group.parts == parts);
            self.groups.push(known.unwrap_or_else(|| {
                let mut group = Group::new(mounts, &path, parts);
                if number < self.handles {
                    group.keep_open();
                }
                group
            }));
        }
        self.names.keep(self.groups.iter().map(|group| group.path.as_str()));
        for group in &mut self.groups {
            group.sample.container = self.names.name(host, &group.path);
        }
        Ok(())
    }
}

impl Source for Cgroups {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Cgroups,
            lane: Lane::Sweep,
            deadline: Duration::from_millis(1500),
            reads: "/proc/self/mountinfo, /proc/cgroups, cpu, cpuacct, memory, pids and blkio files of cgroup v1 and v2, names in the files of container runtimes",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        self.refresh_groups(host)?;
        let sweep = self.sweeps;
        self.sweeps = self.sweeps.wrapping_add(1);
        let mut reader = Reader { host, buffer: &mut self.buffer };
        // Parents come before their children: those above the present group, and whether each ran.
        let mut above: Vec<(String, bool)> = Vec::new();
        let mut gone = false;
        self.groups.retain_mut(|group| {
            while above.last().is_some_and(|(path, _)| !is_below(&group.path, path)) {
                above.pop();
            }
            let parent_ran = above.last().is_none_or(|(_, ran)| *ran);
            let alive = group.refresh(&mut reader, sweep, parent_ran).is_ok();
            above.push((group.path.clone(), group.ran));
            gone |= !alive;
            alive
        });
        if gone {
            self.walked = None;
        }
        let mut samples: Vec<_> = self.groups.iter().map(|group| group.sample.clone()).collect();
        // Cleaned paths may sort otherwise than the paths themselves.
        samples.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Sample::Cgroups(samples))
    }
}

/// `path` is a group somewhere below `above`.
fn is_below(path: &str, above: &str) -> bool {
    above == "/" || path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{
        host::recorded::RecordedHost,
        model::{
            sample::{CgroupSample, CgroupVersion},
            snapshot::Quota,
        },
    };

    fn put(host: &RecordedHost, group: &str, file: &str, content: &str) {
        host.put(&format!("/sys/fs/cgroup{group}/{file}"), content);
    }

    fn usage(host: &RecordedHost, group: &str, micros: u64) {
        put(host, group, "cpu.stat", &format!("usage_usec {micros}\nnr_periods 10\nnr_throttled 2\nthrottled_usec 5\n"));
    }

    fn host() -> RecordedHost {
        let host = RecordedHost::default();
        host.put("/proc/self/mountinfo", "24 22 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        host.put("/sys/fs/cgroup/cgroup.stat", "nr_descendants 2\n");
        for group in ["", "/a", "/a/b"] {
            usage(&host, group, 100);
        }
        put(&host, "/a", "cpu.max", "20000 100000\n");
        put(&host, "/a", "memory.current", "4096\n");
        put(&host, "/a", "memory.max", "max\n");
        put(&host, "/a", "cgroup.procs", "1\n2\n3\n");
        host
    }

    fn rows(source: &mut Cgroups, host: &RecordedHost) -> Vec<CgroupSample> {
        let Sample::Cgroups(rows) = source.read(host).unwrap() else { panic!() };
        rows
    }

    #[test]
    fn first_sight_reads_everything_and_what_is_absent_is_none() {
        let all = rows(&mut Cgroups::new(0), &host());
        assert_eq!(all.iter().map(|g| &*g.path).collect::<Vec<_>>(), ["/", "/a", "/a/b"]);
        let a = &all[1];
        assert_eq!((a.version, a.cpu, a.throttling), (CgroupVersion::V2, Some(100_000), Some([10, 2, 5000])));
        assert_eq!(a.quota, Some(Quota { quota: Some(20_000), period: 100_000 }));
        assert_eq!((a.memory, a.memory_limit, a.processes, a.weight), (Some(4096), None, 3, None));
        assert_eq!((all[2].quota, all[2].memory, all[2].pressure.is_none()), (None, None, true));
    }

    #[test]
    fn a_group_is_read_when_its_parent_ran_and_at_the_latest_in_its_turn() {
        let (mut source, host) = (Cgroups::new(8), host());
        rows(&mut source, &host);
        let seen = (1..=10).filter(|step| {
            usage(&host, "/a/b", 700 + step);
            rows(&mut source, &host)[2].cpu == Some((700 + step) * 1000)
        });
        assert_eq!(seen.count(), 1, "no parent ran, so only its turn brings it");
        for group in ["", "/a", "/a/b"] {
            usage(&host, group, 900);
        }
        assert_eq!(rows(&mut source, &host)[2].cpu, Some(900_000));
    }

    #[test]
    fn groups_that_come_and_go_are_noticed() {
        let (mut source, host) = (Cgroups::new(8), host());
        rows(&mut source, &host);
        usage(&host, "/a/c", 5);
        host.step(Duration::from_secs(3));
        assert_eq!(rows(&mut source, &host).len(), 3, "no sign of it yet");
        host.put("/sys/fs/cgroup/cgroup.stat", "nr_descendants 3\n");
        assert_eq!(rows(&mut source, &host).len(), 4);
        host.remove("/sys/fs/cgroup/a/b");
        let seen = (0..10).map(|_| rows(&mut source, &host).len()).last();
        assert_eq!(seen, Some(3), "its turn came and it was gone");
    }

    #[test]
    fn no_hierarchy_is_a_gap_in_words() {
        let host = RecordedHost::default();
        host.put("/proc/self/mountinfo", "27 1 254:0 / / rw - ext4 /dev/vda rw\n");
        assert!(Cgroups::new(0).read(&host).unwrap_err().to_string().contains("no hierarchy is mounted"));
    }
}
