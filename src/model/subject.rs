//! What a metric, a finding or a change is about.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A process: pid *and* start time, never pid alone, so that a reused pid is another process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// Process id in the host's pid namespace.
    pub pid: u32,
    /// Start time in clock ticks after boot (field 22 of `/proc/PID/stat`).
    pub start: u64,
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
