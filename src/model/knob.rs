//! Knobs: the settable things of a machine, each with its identity, its value as canonical text, and the path or call behind it.

use crate::model::{custom::Program, subject::ProcessId, subject::Subject, systemd::Property};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A root below which a path stands. The host maps it to a directory, so that a recorded tree can stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Root {
    /// `/proc`
    Proc,
    /// `/sys`
    Sys,
    /// `/etc`
    Etc,
    /// `/`, for mount points and files named by configuration.
    Top,
}

impl Root {
    /// Where it stands on a real machine; for display. Only the host opens paths.
    pub fn usual(self) -> &'static str {
        match self {
            Root::Proc => "/proc",
            Root::Sys => "/sys",
            Root::Etc => "/etc",
            Root::Top => "",
        }
    }
}

/// A file or directory: a root and a path below it, without a leading slash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Below which root.
    pub root: Root,
    /// Path below it.
    pub path: String,
}

impl Place {
    /// A path below `/proc`.
    pub fn proc(path: impl Into<String>) -> Place {
        Place { root: Root::Proc, path: path.into() }
    }

    /// A path below `/sys`.
    pub fn sys(path: impl Into<String>) -> Place {
        Place { root: Root::Sys, path: path.into() }
    }

    /// A path below `/etc`.
    pub fn etc(path: impl Into<String>) -> Place {
        Place { root: Root::Etc, path: path.into() }
    }

    /// An absolute path.
    pub fn top(path: &str) -> Place {
        Place { root: Root::Top, path: path.trim_start_matches('/').into() }
    }

    /// The file `name` in this directory.
    pub fn join(&self, name: &str) -> Place {
        Place { root: self.root, path: format!("{}/{name}", self.path.trim_end_matches('/')) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.root.usual(), self.path)
    }
}

/// A thread, by thread id and start time, of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Task {
    /// The process.
    pub process: ProcessId,
    /// Thread id.
    pub tid: u32,
    /// Start time of the thread in clock ticks after boot.
    pub start: u64,
}

/// One settable thing. Its value is always text in the form that the variant names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Knob {
    /// A file of `/proc/sys` or `/sys` whose content is the value, trimmed. A selector such as `none [bfq]` has the value `bfq`.
    File(Place),
    /// A file of `/proc/PID`, such as `autogroup`, whose value is `-20` to `19`.
    ProcessFile {
        /// Whose.
        process: ProcessId,
        /// Name below `/proc/PID`.
        file: String,
    },
    /// A file of a cgroup directory.
    CgroupFile {
        /// The directory.
        directory: Place,
        /// Its inode: a cgroup of the same path made anew is another one.
        inode: u64,
        /// Name in it, such as `cpu.max`.
        file: String,
    },
    /// A device's own line in a file of a cgroup directory, such as `io.max` or `blkio.throttle.read_bps_device`, without the device.
    CgroupDevice {
        /// The directory.
        directory: Place,
        /// Its inode.
        inode: u64,
        /// Name in it.
        file: String,
        /// Number of the whole disk: a partition has no queue of its own.
        device: (u32, u32),
    },
    /// Options of one mount, not of its filesystem, as `/proc/self/mountinfo` has them: `rw,nosuid,relatime`.
    Mount {
        /// Mount point.
        at: String,
        /// Number of the device that is mounted there: its identity beside the path.
        number: (u32, u32),
    },
    /// A file of `/proc/sys/net` in a network namespace that may not be ours.
    NetworkFile {
        /// Inode of the namespace.
        netns: u64,
        /// A process in it; `None` when it is our own.
        through: Option<ProcessId>,
        /// Path below `/proc/sys/net`.
        file: String,
    },
    /// Nice of a thread: `-20` to `19`.
    Nice(Task),
    /// Scheduling policy of a thread: `other`, `batch`, `idle`, with `+reset` when reset-on-fork is set; others are only read.
    Policy(Task),
    /// Processors that a thread may use, as a list such as `0-3,6`.
    Affinity(Task),
    /// I/O priority of a thread: `none`, `realtime 0` to `7`, `best-effort 0` to `7`, `idle`.
    IoPriority(Task),
    /// Descriptor limit of a process: `SOFT:HARD`, a number or `unlimited` each.
    Descriptors(ProcessId),
    /// Backlog of the listening sockets of a port, a number. It is set by asking its program to listen again (SIGHUP); what it
    /// then is follows from the program's wish and somaxconn.
    Backlog {
        /// The program that listens and takes the signal.
        process: ProcessId,
        /// Inode of its network namespace.
        netns: u64,
        /// The port.
        port: u16,
    },
    /// Programs of an operator's own: their value is `undone` or `done`, as the verify program says by its exit code.
    Custom(Box<Program>),
    /// A property of a systemd unit as it is set at runtime, until the next boot. Its value is what is set, such as `20`; or `unset 100`
    /// where nothing at runtime sets it and systemd holds 100 (see [`crate::model::systemd`]).
    UnitProperty {
        /// Name of the unit.
        unit: String,
        /// Directory of its cgroup, where the kernel's file proves what systemd says.
        directory: Place,
        /// The property.
        property: Property,
    },
    /// A whole small file below `/etc` that trimtab writes, so that a setting outlives a boot. Its value is its text; `none` while there
    /// is no such file.
    Document(Place),
    /// How long waking a processor may take (`/dev/cpu_dma_latency`), in microseconds, or `none`. It is a bound that an open descriptor
    /// holds: it lasts no longer than that process, and only that process can set it.
    WakeLatency {
        /// Who holds it: trimtab's engine.
        holder: ProcessId,
    },
    /// A signal to a process. Its value is `running` before and the name of the signal after; it cannot be taken back.
    Signal(ProcessId),
    /// Whether a process may run: `running`, or `stopped` (SIGSTOP and SIGCONT, read from its state).
    Run(ProcessId),
    /// The journal that a logging daemon keeps in that directory. Its value is the bytes that it may shrink to, before any shrinking
    /// `kept`; what is removed cannot be brought back.
    Log(Place),
}

impl Knob {
    /// True where what is written cannot be read back, nor taken back: it is done once.
    pub fn is_one_way(&self) -> bool {
        match self {
            Knob::Signal(_) | Knob::Log(_) => true,
            Knob::CgroupFile { file, .. } => matches!(file.as_str(), "memory.reclaim" | "cgroup.kill"),
            _ => false,
        }
    }

    /// What the knob belongs to.
    pub fn subject(&self) -> Subject {
        match self {
            Knob::File(_) | Knob::Log(_) | Knob::Custom(_) | Knob::WakeLatency { .. } => Subject::Host,
            Knob::ProcessFile { process, .. }
            | Knob::Descriptors(process)
            | Knob::Signal(process)
            | Knob::Run(process)
            | Knob::Backlog { process, .. } => Subject::Process(*process),
            Knob::CgroupFile { directory, .. } | Knob::CgroupDevice { directory, .. } | Knob::UnitProperty { directory, .. } => {
                Subject::Cgroup(directory.path.as_str().into())
            }
            Knob::Mount { at, .. } => Subject::Filesystem(at.as_str().into()),
            Knob::Document(_) => Subject::Host,
            Knob::NetworkFile { through: None, .. } => Subject::Host,
            Knob::NetworkFile { netns, .. } => Subject::Network(*netns),
            Knob::Nice(t) | Knob::Policy(t) | Knob::Affinity(t) | Knob::IoPriority(t) => Subject::Process(t.process),
        }
    }

    /// The key of a sysctl with slashes, such as `vm/swappiness`; of our own network namespace alone: no file sets those of others.
    pub fn sysctl(&self) -> Option<String> {
        match self {
            Knob::File(Place { root: Root::Proc, path }) => path.strip_prefix("sys/").map(str::to_string),
            Knob::NetworkFile { through: None, file, .. } => Some(format!("net/{file}")),
            _ => None,
        }
    }

    /// True for what a boot does not take away: it is still owed, or still kept, by the next one.
    pub fn outlives_boot(&self) -> bool {
        matches!(self, Knob::Document(_))
    }
}

impl fmt::Display for Knob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Knob::File(place) => place.fmt(f),
            Knob::ProcessFile { process, file } => write!(f, "{}/{}/{file}", Root::Proc.usual(), process.pid),
            Knob::CgroupFile { directory, file, .. } => write!(f, "{directory}/{file}"),
            Knob::CgroupDevice { directory, file, device: (major, minor), .. } => write!(f, "{directory}/{file} ({major}:{minor})"),
            Knob::Mount { at, .. } => write!(f, "options of {at}"),
            Knob::NetworkFile { through: None, file, .. } => write!(f, "{}/sys/net/{file}", Root::Proc.usual()),
            Knob::NetworkFile { netns, file, .. } => write!(f, "{}/sys/net/{file} (namespace {netns})", Root::Proc.usual()),
            Knob::Nice(t) => write!(f, "nice of {}", t.tid),
            Knob::Policy(t) => write!(f, "policy of {}", t.tid),
            Knob::Affinity(t) => write!(f, "affinity of {}", t.tid),
            Knob::IoPriority(t) => write!(f, "io priority of {}", t.tid),
            Knob::Descriptors(p) => write!(f, "descriptor limit of {}", p.pid),
            Knob::Custom(program) => write!(f, "custom action {}", program.name),
            Knob::WakeLatency { holder } => write!(f, "wake latency held by {}", holder.pid),
            Knob::Signal(p) => write!(f, "signal to {}", p.pid),
            Knob::UnitProperty { unit, property, .. } => write!(f, "{} of {unit}", property.name()),
            Knob::Document(place) => place.fmt(f),
            Knob::Run(p) => write!(f, "whether {} runs", p.pid),
            Knob::Log(place) => write!(f, "log in {place}"),
            Knob::Backlog { process, port, .. } => write!(f, "backlog of port {port} ({})", process.pid),
        }
    }
}
