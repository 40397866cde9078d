//! What a metric, a finding or a change is about.

use crate::model::time::Tick;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, sync::Arc};

/// A process: pid *and* start time, never pid alone, so that a reused pid is another process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// Process id in the host's pid namespace.
    pub pid: u32,
    /// Start time in clock ticks after boot (field 22 of `/proc/PID/stat`).
    pub start: u64,
}

impl ProcessId {
    /// Seconds since it started. Start times are in clock ticks of a hundredth of a second (proc(5), USER_HZ).
    pub fn age(self, now: Tick) -> f64 {
        (now.0 as f64 / 1e9 - self.start as f64 / 100.0).max(0.0)
    }
}

/// What something is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// The whole machine.
    Host,
    /// One logical processor.
    Cpu(u32),
    /// A block device by kernel name, such as `vda`.
    Disk(Arc<str>),
    /// A mounted filesystem by mount point.
    Filesystem(Arc<str>),
    /// A network interface by name.
    Interface(Arc<str>),
    /// A network namespace by inode number.
    Network(u64),
    /// A process.
    Process(ProcessId),
    /// A control group by path below its hierarchy's mount, such as `/system.slice/nginx.service`.
    Cgroup(Arc<str>),
    /// A service whose latency is measured, by its configured name.
    Service(Arc<str>),
    /// A graphics processor by its address on the bus.
    Gpu(Arc<str>),
}

impl Subject {
    /// The process, if it is one.
    pub fn process(&self) -> Option<ProcessId> {
        match self {
            Subject::Process(id) => Some(*id),
            _ => None,
        }
    }

    /// What kind of thing it is, in one word: the name of its label in OpenMetrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Subject::Host => "host",
            Subject::Cpu(_) => "cpu",
            Subject::Disk(_) => "disk",
            Subject::Filesystem(_) => "filesystem",
            Subject::Interface(_) => "interface",
            Subject::Network(_) => "netns",
            Subject::Process(_) => "process",
            Subject::Cgroup(_) => "cgroup",
            Subject::Service(_) => "service",
            Subject::Gpu(_) => "gpu",
        }
    }

    /// Its name without its kind, such as `vda`; `host` is the host's.
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            Subject::Host => "host".into(),
            Subject::Cpu(n) => n.to_string().into(),
            Subject::Disk(name)
            | Subject::Filesystem(name)
            | Subject::Interface(name)
            | Subject::Cgroup(name)
            | Subject::Service(name)
            | Subject::Gpu(name) => Cow::Borrowed(name),
            Subject::Network(inode) => inode.to_string().into(),
            Subject::Process(id) => id.pid.to_string().into(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Host => f.write_str("host"),
            Subject::Cpu(n) => write!(f, "cpu {n}"),
            Subject::Disk(name) => write!(f, "disk {name}"),
            Subject::Filesystem(at) => write!(f, "filesystem {at}"),
            Subject::Interface(name) => write!(f, "interface {name}"),
            Subject::Network(inode) => write!(f, "network namespace {inode}"),
            Subject::Process(id) => write!(f, "process {}", id.pid),
            Subject::Cgroup(path) => write!(f, "cgroup {path}"),
            Subject::Service(name) => write!(f, "service {name}"),
            Subject::Gpu(id) => write!(f, "gpu {id}"),
        }
    }
}
