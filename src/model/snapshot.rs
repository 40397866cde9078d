//! The derived state of the host at one moment: rates, not counters. Immutable, behind `Arc`, the same for engine, screen and wire.

use crate::model::{
    allowance::Allowance,
    backing::Backing,
    hardware::{Gpu, Hardware},
    idle::Idle,
    paging::Paging,
    receive::Receive,
    sample::{
        CgroupVersion, DiskLayout, DiskQueue, InterfaceKind, Listener, NeighbourTable, NetMark, NetworkLimits, Policy,
        ReceiveLimits, SourceName, Space,
    },
    subject::ProcessId,
    tables::Tables,
    time::{Now, Wall},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A value that may still be coming or may be missing. Never a made-up number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Reading<T> {
    /// The first sample is in, a rate needs a second one. Shown as "initializing".
    #[default]
    Initializing,
    /// Known.
    Known(T),
    /// Could not be read.
    Gap(Gap),
}

impl<T> Reading<T> {
    /// The value, if known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Reading::Known(value) => Some(value),
            _ => None,
        }
    }
}

/// Why a value is missing, in words for the operator, such as `/proc/pressure/cpu: not supported (boot with psi=1)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// The cause.
    pub why: Arc<str>,
    /// Since when.
    pub since: Wall,
}

/// What the fast lane reads: enough to see an emergency.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Vitals {
    /// When these were true.
    pub now: Now,
    /// Processor time split.
    pub cpu: Reading<Cpu>,
    /// Memory now.
    pub memory: Reading<Memory>,
    /// Reclaim, swap and faults.
    pub vm: Reading<Vm>,
    /// Pressure.
    pub pressure: Reading<Pressure>,
}

/// Everything known about the host at one sweep.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Snapshot {
    pub vitals: Vitals,
    pub disks: Reading<Vec<Disk>>,
    pub filesystems: Reading<Vec<Filesystem>>,
    pub network: Reading<Network>,
    pub tcp: Reading<Vec<Tcp>>,
    /// Sorted by id.
    pub processes: Reading<Arc<Vec<Process>>>,
    /// Sorted by path.
    pub cgroups: Reading<Vec<Cgroup>>,
    pub services: Reading<Vec<Service>>,
    #[serde(default)]
    pub hardware: Reading<Hardware>,
    /// Empty where there is none.
    #[serde(default)]
    pub gpus: Reading<Vec<Gpu>>,
    #[serde(default)]
    pub backing: Reading<Backing>,
    #[serde(default)]
    pub allowance: Reading<Allowance>,
    #[serde(default)]
    pub paging: Reading<Paging>,
    #[serde(default)]
    pub receive: Reading<Receive>,
    #[serde(default)]
    pub idle: Reading<Idle>,
    #[serde(default)]
    pub tables: Reading<Tables>,
    /// Sources that are late or failing now, for the doctor and the panes.
    pub gaps: Vec<(SourceName, Gap)>,
}

impl Snapshot {
    /// The process of that identity, if it is alive.
    pub fn process(&self, id: ProcessId) -> Option<&Process> {
        let all = self.processes.known()?;
        all.binary_search_by_key(&id, |p| p.id).ok().and_then(|i| all.get(i))
    }

    /// The cgroup of that path.
    pub fn cgroup(&self, path: &str) -> Option<&Cgroup> {
        let all = self.cgroups.known()?;
        all.binary_search_by(|c| (*c.path).cmp(path)).ok().and_then(|i| all.get(i))
    }

    /// The cgroup of that path and those above it, innermost first.
    pub fn lineage<'s, 'p>(&'s self, path: &'p str) -> impl Iterator<Item = &'s Cgroup> + use<'s, 'p> {
        let above = |path: &&'p str| if *path == "/" { None } else { path.rfind('/').and_then(|end| path.get(..end)) };
        std::iter::successors(Some(path), above).filter_map(|path| self.cgroup(if path.is_empty() { "/" } else { path }))
    }

    /// Name of the container that the cgroup of that path is, or is inside of.
    pub fn container<'s>(&'s self, path: &str) -> Option<&'s Arc<str>> {
        self.lineage(path).find_map(|group| group.container.as_ref())
    }

    /// Name of the systemd unit that the cgroup of that path is, or is inside of; slices are left out.
    pub fn unit<'s>(&'s self, path: &str) -> Option<&'s Arc<str>> {
        self.lineage(path).filter_map(|group| group.unit.as_ref()).find(|unit| !unit.ends_with(".slice"))
    }

    /// The disk of that name.
    pub fn disk(&self, name: &str) -> Option<&Disk> {
        self.disks.known()?.iter().find(|d| &*d.name == name)
    }
}

/// Shares of time of one processor or of all; they add up to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct CpuSplit {
    pub user: f64,
    pub nice: f64,
    pub system: f64,
    pub idle: f64,
    pub iowait: f64,
    pub irq: f64,
    pub softirq: f64,
    pub steal: f64,
    pub guest: f64,
}

impl CpuSplit {
    /// Share of time spent working for somebody on this machine: neither idle, nor iowait, nor stolen.
    pub fn busy(&self) -> f64 {
        (1.0 - self.idle - self.iowait - self.steal).clamp(0.0, 1.0)
    }
}

/// Processors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cpu {
    /// All together.
    pub total: CpuSplit,
    /// Each online one with its number.
    pub cores: Vec<(u32, CpuSplit)>,
    /// Load averages over 1, 5, 15 minutes.
    pub load: Option<[f64; 3]>,
    /// Runnable tasks.
    pub running: u64,
    /// Tasks in uninterruptible wait for I/O.
    pub blocked: u64,
    /// Context switches per second.
    pub context_switches: f64,
    /// Forks per second.
    pub forks: f64,
    /// Interrupts per second.
    pub interrupts: f64,
}

/// Memory in bytes, as in [`crate::model::sample::MemorySample`].
pub type Memory = crate::model::sample::MemorySample;

/// Paging per second, and writeback state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Vm {
    /// Minor and major faults per second.
    pub faults: f64,
    /// Major faults per second.
    pub major_faults: f64,
    /// Bytes per second from swap.
    pub swap_in: f64,
    /// Bytes per second to swap.
    pub swap_out: f64,
    /// Pages per second scanned by tasks that had to wait for memory.
    pub scan_direct: f64,
    /// Pages per second scanned by kswapd.
    pub scan_kswapd: f64,
    /// Allocation stalls per second.
    pub stalls: f64,
    /// Compaction stalls per second.
    pub compact_stalls: f64,
    /// Share of huge-page faults that fell back to small pages; `None` when there was no such fault.
    pub thp_fallback: Option<f64>,
    /// Refaults per second of anonymous pages.
    pub refault_anon: f64,
    /// Refaults per second of file pages.
    pub refault_file: f64,
    /// Kills for want of memory in the window.
    pub oom_kills: u64,
    /// Bytes dirty.
    pub dirty: u64,
    /// Bytes under writeback.
    pub writeback: u64,
    /// Dirty bytes at which writers are throttled.
    pub dirty_threshold: u64,
    /// Dirty bytes at which background writeback starts.
    pub dirty_background: u64,
}

/// Share of the window that was stalled, computed from totals, beside the kernel's averages in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PressureShare {
    /// Share of the window in which at least one task waited.
    pub some: f64,
    /// Share in which all waited; 0 where the kernel has no such line.
    pub full: f64,
    /// The kernel's 10 s average of `some`, as a share.
    pub some10: f64,
    /// The kernel's 10 s average of `full`, as a share.
    pub full10: f64,
}

/// Pressure stall information.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Pressure {
    pub cpu: PressureShare,
    pub memory: PressureShare,
    pub io: PressureShare,
}

/// A block device over the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Disk {
    /// Kernel name.
    pub name: Arc<str>,
    /// Major and minor number.
    pub device: (u32, u32),
    /// Bytes per second read.
    pub read: f64,
    /// Bytes per second written.
    pub write: f64,
    /// Reads per second.
    pub reads: f64,
    /// Writes per second.
    pub writes: f64,
    /// Flushes per second.
    pub flushes: f64,
    /// Mean seconds per read; `None` without reads.
    pub read_latency: Option<f64>,
    /// Mean seconds per write; `None` without writes.
    pub write_latency: Option<f64>,
    /// Mean seconds per flush; `None` without flushes.
    pub flush_latency: Option<f64>,
    /// Mean seconds per request of any kind; `None` without.
    pub latency: Option<f64>,
    /// Mean requests in flight.
    pub queue: f64,
    /// Share of time with a request in flight.
    pub busy: f64,
    /// Settings of its queue.
    pub settings: Option<Arc<DiskQueue>>,
    /// Requests in flight now.
    #[serde(default)]
    pub in_flight: u64,
    /// Discards per second.
    #[serde(default)]
    pub discards: f64,
    /// Bytes per second discarded.
    #[serde(default)]
    pub discarded: f64,
    /// Mean bytes of a read and of a write; `None` without.
    #[serde(default)]
    pub request_size: [Option<f64>; 2],
    /// What it is made of and who builds on it.
    #[serde(default)]
    pub layout: Option<Arc<DiskLayout>>,
}

impl Disk {
    /// It works on many requests at once, so that all the time busy is not all of what it can do.
    pub fn is_parallel(&self) -> bool {
        self.layout.as_ref().is_some_and(|l| l.hardware_queues > 1 || l.slaves.len() > 1)
            || self.settings.as_ref().is_some_and(|s| !s.rotational)
    }
}

/// A mount.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Filesystem {
    /// Mount point.
    pub at: Arc<str>,
    /// Device.
    pub device: Arc<str>,
    /// Type.
    pub kind: Arc<str>,
    /// Its space; `None` if it never answered.
    pub space: Option<Space>,
    /// Seconds since it last answered, when it does not answer now.
    pub stale: Option<f64>,
    /// Device number.
    #[serde(default)]
    pub number: (u32, u32),
    /// Nothing can be written to it.
    #[serde(default)]
    pub read_only: bool,
    /// Options of the mount.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub options: Arc<str>,
}

impl Filesystem {
    /// Share of inodes in use; `None` where the filesystem has no fixed number of them.
    pub fn inodes_used(&self) -> Option<f64> {
        let space = self.space?;
        (space.inodes > 0).then(|| space.inodes.saturating_sub(space.inodes_free) as f64 / space.inodes as f64)
    }

    /// Share in use of what an ordinary user may use, as `df` counts it.
    pub fn used(&self) -> Option<f64> {
        let space = self.space?;
        let usable = space.used + space.available;
        (usable > 0).then(|| space.used as f64 / usable as f64)
    }
}

/// Interfaces and the receive path of each cpu.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// Sorted by name.
    pub interfaces: Vec<Interface>,
    /// Per cpu, per second: packets processed, dropped for a full backlog, times out of budget (squeezed).
    pub softnet: Vec<[f64; 3]>,
    /// Limits of the receive path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive: Option<ReceiveLimits>,
    /// Tables of neighbours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub neighbours: Vec<NeighbourTable>,
}

/// An interface; index 0 received, 1 sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interface {
    /// Name.
    pub name: Arc<str>,
    /// Bytes per second.
    pub bytes: [f64; 2],
    /// Packets per second.
    pub packets: [f64; 2],
    /// Errors per second.
    pub errors: [f64; 2],
    /// Drops per second.
    pub drops: [f64; 2],
    /// Bits per second of the link.
    pub speed: Option<u64>,
    /// Up.
    pub up: bool,
    /// What it is.
    #[serde(default)]
    pub kind: InterfaceKind,
    /// Greatest packet in bytes.
    #[serde(default)]
    pub mtu: u32,
    /// `full` or `half`, where the driver says.
    #[serde(default)]
    pub duplex: Option<Arc<str>>,
    /// Whether there is a cable or its like; `None` while the interface is switched off.
    #[serde(default)]
    pub carrier: Option<bool>,
}

impl Interface {
    /// Share of the link's speed in use: of the busier direction, or of both together where only one can be used at a time.
    pub fn used(&self) -> Option<f64> {
        let [received, sent] = self.bytes.map(|bytes| bytes * 8.0);
        let bits = if self.duplex.as_deref() == Some("half") { received + sent } else { received.max(sent) };
        self.speed.filter(|speed| *speed > 0).map(|speed| bits / speed as f64)
    }
}

/// TCP of one network namespace, per second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tcp {
    /// Inode of the namespace; the host's own row comes first.
    pub netns: u64,
    /// A process in it; `None` for our own.
    pub through: Option<ProcessId>,
    /// Segments sent.
    pub segments_out: f64,
    /// Segments received.
    pub segments_in: f64,
    /// Segments retransmitted.
    pub retransmits: f64,
    /// Bad segments.
    pub errors: f64,
    /// Connections dropped for a full accept queue.
    pub overflows: f64,
    /// Connections dropped on listen for any cause.
    pub drops: f64,
    /// Connections now established.
    pub established: u64,
    /// Connections in time-wait.
    pub time_wait: u64,
    /// Connections opened by us and to us.
    pub opens: f64,
    /// Connections opened by us alone: each takes a local port.
    #[serde(default)]
    pub connects: f64,
    /// `net.core.somaxconn`.
    pub somaxconn: Option<u64>,
    /// `net.ipv4.ip_local_port_range`.
    pub port_range: Option<(u16, u16)>,
    /// Listening sockets, where read.
    pub listeners: Arc<Vec<Listener>>,
    /// Resets sent, and connections that ended by a reset.
    #[serde(default)]
    pub resets: [f64; 2],
    /// Requests for a connection dropped because too many were half open.
    #[serde(default)]
    pub syn_drops: f64,
    /// Connections that no process holds any more.
    #[serde(default)]
    pub orphans: u64,
    /// UDP.
    #[serde(default)]
    pub udp: Udp,
    /// Connections tracked and how many may be.
    #[serde(default)]
    pub conntrack: Option<[u64; 2]>,
    /// Connections by state, numbered as in [`crate::model::sample::TrafficSample`].
    #[serde(default)]
    pub states: Option<[u32; 13]>,
    /// Bytes per second received and sent over connections whose process is not known.
    #[serde(default)]
    pub unattributed: Option<[f64; 2]>,
    /// Where a limit of TCP is too low.
    #[serde(default)]
    pub strained: Strained,
    /// Pages that TCP takes in all namespaces together.
    #[serde(default)]
    pub pages: u64,
    /// Limits, where read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Arc<NetworkLimits>>,
    /// Seconds of round trip of what is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip: Option<f64>,
}

/// Per second; `None` while it has never happened in the namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Strained {
    /// Requests for a connection that found no room: dropped.
    pub syns: Option<f64>,
    /// Cookies sent for want of room, and cookies that came back as connections.
    pub cookies: Option<[f64; 2]>,
    /// Receive queues of sockets that were squeezed together or lost segments.
    pub prunes: Option<f64>,
    /// Times that TCP came short of memory as a whole.
    pub memory: Option<f64>,
    /// Connections over a long path that started slowly again after a rest.
    pub restarts: Option<f64>,
}

impl Tcp {
    /// Share of segments sent that had been sent before; `None` when hardly anything was sent.
    pub fn resent(&self) -> Option<f64> {
        (self.segments_out >= 10.0).then(|| self.retransmits / self.segments_out)
    }

    /// Connections without a program, of how many there may be on the whole host.
    pub fn orphaned(&self) -> Option<f64> {
        let most = self.limits.as_ref()?.max_orphans?;
        Some(self.orphans as f64 / most.max(1) as f64)
    }
}

/// UDP of one network namespace, per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Udp {
    /// Datagrams received and sent.
    pub datagrams: [f64; 2],
    /// Datagrams lost because the receiver's or the sender's buffer was full.
    pub full: [f64; 2],
    /// Datagrams that could not be delivered for any cause.
    pub errors: f64,
}

/// A process over the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Who.
    pub id: ProcessId,
    /// Parent's pid.
    pub parent: u32,
    /// `comm`.
    pub name: Arc<str>,
    /// Command line.
    pub command: Arc<str>,
    /// User id.
    pub uid: u32,
    /// State letter.
    pub state: char,
    /// Kernel thread.
    pub kernel: bool,
    /// Session id.
    pub session: u32,
    /// Controlling terminal, 0 for none.
    pub tty: i32,
    /// Cores used; `None` on its first sight.
    pub cpu: Option<f64>,
    /// Seconds per second runnable but waiting, summed over threads.
    pub wait: Option<f64>,
    /// Resident bytes.
    pub resident: u64,
    /// Threads.
    pub threads: u32,
    /// Nice.
    pub nice: i8,
    /// Policy.
    pub policy: Policy,
    /// Major faults per second.
    pub major_faults: f64,
    /// Bytes per second read from and written to storage; `None` without rights.
    pub io: Option<[f64; 2]>,
    /// Open descriptors.
    pub descriptors: Option<u32>,
    /// Soft and hard descriptor limit.
    pub descriptor_limit: Option<(u64, u64)>,
    /// cgroup path.
    pub cgroup: Arc<str>,
    /// Network namespace.
    pub netns: u64,
    /// What its TCP connections move; `None` where it has none or they cannot be read.
    #[serde(default)]
    pub net: Option<ProcessNet>,
    /// Seconds per second blocked on storage, main thread alone; `None` while the kernel does not count it.
    #[serde(default)]
    pub io_wait: Option<f64>,
    /// Nanoseconds of cpu that it used since it began.
    #[serde(default)]
    pub cpu_time: u64,
}

/// What the TCP connections of a process move: payload, headers and resends not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessNet {
    /// Bytes per second received.
    pub received: f64,
    /// Bytes per second sent.
    pub sent: f64,
    /// How sure that is.
    pub mark: NetMark,
}

/// A cpu quota: at most `quota` microseconds of cpu in each `period` microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Quota {
    /// Microseconds, or `None` for no limit (`max`, or -1 in v1).
    pub quota: Option<u64>,
    /// Microseconds.
    pub period: u64,
}

impl Quota {
    /// The limit in cores.
    pub fn cores(self) -> Option<f64> {
        self.quota.filter(|_| self.period > 0).map(|q| q as f64 / self.period as f64)
    }
}

/// A control group over the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cgroup {
    /// Path.
    pub path: Arc<str>,
    /// Version of its cpu controller.
    pub version: CgroupVersion,
    /// Identity beside the path.
    pub inode: u64,
    /// Cores used.
    pub cpu: Option<f64>,
    /// Share of enforcement periods that were throttled; `None` without periods in the window.
    pub throttled: Option<f64>,
    /// Seconds throttled per second.
    pub throttled_time: Option<f64>,
    /// The quota.
    pub quota: Option<Quota>,
    /// Weight or shares.
    pub weight: Option<u64>,
    /// `cpu.idle` is 1.
    pub idle: bool,
    /// Bytes charged.
    pub memory: Option<u64>,
    /// Hard limit.
    pub memory_limit: Option<u64>,
    /// Bytes charged that the kernel takes back before it kills; `None` where not read (no limit, or far from it).
    #[serde(default)]
    pub reclaimable: Option<u64>,
    /// Kills for want of memory in the window.
    pub oom_kills: u64,
    /// Share of the window stalled for cpu, memory and io (some).
    pub pressure: Option<[f64; 3]>,
    /// Processes directly in it.
    pub processes: u32,
    /// The same shares in which all of its tasks were stalled.
    #[serde(default)]
    pub pressure_full: Option<[f64; 3]>,
    /// Bytes above which its tasks are slowed down; v2 only.
    #[serde(default)]
    pub memory_high: Option<u64>,
    /// The most bytes ever charged.
    #[serde(default)]
    pub memory_peak: Option<u64>,
    /// Bytes in swap.
    #[serde(default)]
    pub swap: Option<u64>,
    /// Bytes per second read from and written to storage.
    #[serde(default)]
    pub io: Option<[f64; 2]>,
    /// Tasks in it and below, where the pids controller counts them.
    #[serde(default)]
    pub pids: Option<u64>,
    /// How many there may be; `None` for no limit.
    #[serde(default)]
    pub pids_limit: Option<u64>,
    /// Threads of the processes directly in it.
    #[serde(default)]
    pub threads: u32,
    /// Processes in it and in all groups below.
    #[serde(default)]
    pub processes_below: u32,
    /// Threads in it and in all groups below; as the pids controller counts them where there is one.
    #[serde(default)]
    pub threads_below: u32,
    /// Name of the container whose group this is. Groups inside a container have none: see [`Snapshot::container`].
    #[serde(default)]
    pub container: Option<Arc<str>>,
    /// Name of the systemd unit or slice whose group this is, such as `nginx.service`.
    #[serde(default)]
    pub unit: Option<Arc<str>>,
}

impl Cgroup {
    /// Bytes charged that stay charged when memory is short; `None` where that was not read.
    pub fn unreclaimable(&self) -> Option<u64> {
        Some(self.memory?.saturating_sub(self.reclaimable?))
    }

    /// Tasks over how many there may be; `None` without a limit.
    pub fn tasks_used(&self) -> Option<f64> {
        Some(self.pids? as f64 / self.pids_limit.filter(|most| *most > 0)? as f64)
    }
}

/// A measured service over the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Configured name.
    pub name: Arc<str>,
    /// Requests per second.
    pub rate: f64,
    /// Median, 95th and 99th percentile of latency in seconds; `None` with fewer than 5 requests in the window.
    pub latency: Option<[f64; 3]>,
    /// The process that serves.
    pub process: Option<ProcessId>,
}
