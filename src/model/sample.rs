//! Raw readings, one type per source, kept as the kernel gave them: counters stay counters.
//!
//! Sources make them, `analysis::derive` turns two of them into rates. Field names follow the kernel's where that is clear.

use crate::model::{
    allowance::Allowance,
    backing::BackingSample,
    facts::Facts,
    hardware::{Gpu, HardwareSample},
    idle::IdleSample,
    paging::Paging,
    receive::ReceiveSample,
    snapshot::Quota,
    subject::ProcessId,
    tables::Tables,
    time::Tick,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which source a sample is from, or should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SourceName {
    /// `/proc/stat`, `/proc/loadavg`.
    Cpu,
    /// `/proc/meminfo`.
    Memory,
    /// `/proc/vmstat`.
    Vm,
    /// `/proc/pressure/*`.
    Pressure,
    /// `/proc/diskstats` and `/sys/block`.
    Disks,
    /// Mounts and their space.
    Filesystems,
    /// `/proc/net/dev`, `/sys/class/net`, `/proc/net/softnet_stat`.
    Interfaces,
    /// TCP counters and listeners of each network namespace.
    Tcp,
    /// `/proc/PID`.
    Processes,
    /// cgroup v1 and v2 trees.
    Cgroups,
    /// Facts that seldom change.
    Facts,
    /// Latency histograms of configured services.
    Services,
    /// Frequencies, temperatures, fans, power, thermal throttling.
    Hardware,
    /// Graphics processors.
    Gpus,
    /// Swap devices, zram, zswap, NUMA nodes.
    Backing,
    /// Limits of our own control group.
    Allowance,
    /// Free blocks of memory by size, and the settings of reclaim.
    Paging,
    /// Receive queues of interfaces and the interrupts that serve them.
    Receive,
    /// Idle states of the processors.
    Idle,
    /// Open files and tasks of the whole host.
    Tables,
}

/// One reading of one source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Sample {
    /// See [`CpuSample`].
    Cpu(CpuSample),
    /// See [`MemorySample`].
    Memory(MemorySample),
    /// See [`VmSample`].
    Vm(VmSample),
    /// See [`PressureSample`].
    Pressure(PressureSample),
    /// One row per block device.
    Disks(Vec<DiskSample>),
    /// One row per mount.
    Filesystems(Vec<FilesystemSample>),
    /// See [`NetworkSample`].
    Interfaces(NetworkSample),
    /// One row per network namespace.
    Tcp(Vec<TcpSample>),
    /// One row per process, sorted by [`ProcessId`].
    Processes(Arc<Vec<ProcessSample>>),
    /// One row per control group, sorted by path.
    Cgroups(Vec<CgroupSample>),
    /// See [`Facts`].
    Facts(Arc<Facts>),
    /// One row per configured service.
    Services(Vec<ServiceSample>),
    /// See [`HardwareSample`].
    Hardware(HardwareSample),
    /// One row per graphics processor.
    Gpus(Vec<Gpu>),
    /// See [`BackingSample`].
    Backing(BackingSample),
    /// See [`Allowance`].
    Allowance(Allowance),
    /// See [`Paging`].
    Paging(Paging),
    /// See [`ReceiveSample`].
    Receive(ReceiveSample),
    /// See [`IdleSample`].
    Idle(IdleSample),
    /// See [`Tables`].
    Tables(Tables),
}

/// Time split of a processor in `USER_HZ` ticks since boot. `user` and `nice` exclude guest time, which the kernel counts in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the kernel's own words: Documentation/filesystems/proc.rst, 1.7
pub struct CpuTimes {
    pub user: u64,
    pub nice: u64,
    pub system: u64,
    pub idle: u64,
    pub iowait: u64,
    pub irq: u64,
    pub softirq: u64,
    pub steal: u64,
    pub guest: u64,
}

/// `/proc/stat` and `/proc/loadavg`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CpuSample {
    /// All processors together.
    pub total: CpuTimes,
    /// Each online processor with its number; offline ones are absent.
    pub cores: Vec<(u32, CpuTimes)>,
    /// Context switches since boot.
    pub context_switches: u64,
    /// Forks since boot.
    pub forks: u64,
    /// Interrupts since boot.
    pub interrupts: u64,
    /// Runnable tasks now.
    pub running: u64,
    /// Tasks in uninterruptible I/O wait now.
    pub blocked: u64,
    /// Load averages over 1, 5 and 15 minutes; absent when `/proc/loadavg` is.
    pub load: Option<[f64; 3]>,
}

/// `/proc/meminfo`, in bytes. Absent fields of old kernels are zero, except `available`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // the kernel's own words: Documentation/filesystems/proc.rst, meminfo
pub struct MemorySample {
    pub total: u64,
    pub free: u64,
    /// MemAvailable; where the kernel (before 3.14) has none: free + buffers + cached - shmem.
    pub available: u64,
    pub buffers: u64,
    pub cached: u64,
    pub swap_cached: u64,
    pub anon: u64,
    pub shmem: u64,
    pub slab: u64,
    pub slab_reclaimable: u64,
    pub dirty: u64,
    pub writeback: u64,
    pub page_tables: u64,
    pub committed: u64,
    pub commit_limit: u64,
    pub huge_total: u64,
    pub huge_free: u64,
    pub huge_size: u64,
    pub swap_total: u64,
    pub swap_free: u64,
    #[serde(default)]
    pub slab_unreclaimable: u64,
    /// Huge pages of anonymous memory.
    #[serde(default)]
    pub anon_huge: u64,
    #[serde(default)]
    pub kernel_stack: u64,
    #[serde(default)]
    pub mapped: u64,
    #[serde(default)]
    pub mlocked: u64,
    /// Memory that zswap takes.
    #[serde(default)]
    pub zswap: u64,
    /// Bytes of pages that zswap holds, as they were.
    #[serde(default)]
    pub zswapped: u64,
}

/// Counters of `/proc/vmstat` since boot, in events; `nr_*` are pages now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // the kernel's own words
pub struct VmSample {
    pub pgfault: u64,
    pub pgmajfault: u64,
    pub pgpgin: u64,
    pub pgpgout: u64,
    pub pswpin: u64,
    pub pswpout: u64,
    pub pgscan_direct: u64,
    pub pgscan_kswapd: u64,
    pub pgsteal_direct: u64,
    pub pgsteal_kswapd: u64,
    pub allocstall: u64,
    pub compact_stall: u64,
    pub compact_fail: u64,
    pub thp_fault_alloc: u64,
    pub thp_fault_fallback: u64,
    pub workingset_refault_anon: u64,
    pub workingset_refault_file: u64,
    pub oom_kill: u64,
    pub nr_dirty: u64,
    pub nr_writeback: u64,
    pub nr_dirty_threshold: u64,
    pub nr_dirty_background_threshold: u64,
    /// Bytes in a page.
    pub page_size: u64,
}

/// One line of a pressure file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PressureLine {
    /// Percent of the last 10 s, 60 s and 300 s, as the kernel averages it.
    pub avg: [f64; 3],
    /// Microseconds stalled since boot.
    pub total: u64,
}

/// A pressure file; `full` of cpu is absent on kernels before 5.13.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stall {
    /// At least one task waited.
    pub some: PressureLine,
    /// All non-idle tasks waited.
    pub full: Option<PressureLine>,
}

/// `/proc/pressure/{cpu,memory,io}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct PressureSample {
    pub cpu: Stall,
    pub memory: Stall,
    pub io: Stall,
}

/// A block device: `/proc/diskstats` (Documentation/admin-guide/iostats.rst) and its queue directory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DiskSample {
    /// Kernel name, cleaned.
    pub name: Arc<str>,
    /// Major and minor number.
    pub device: (u32, u32),
    /// Requests completed: reads, writes, discards, flushes.
    pub completed: [u64; 4],
    /// 512-byte sectors: read, written, discarded.
    pub sectors: [u64; 3],
    /// Milliseconds spent: reads, writes, discards, flushes.
    pub millis: [u64; 4],
    /// Requests in flight now.
    pub in_flight: u64,
    /// Milliseconds with a request in flight.
    pub busy_millis: u64,
    /// Milliseconds weighted by requests in flight.
    pub queue_millis: u64,
    /// Settings of its queue; `None` where it has none (a partition, a read failure).
    pub queue: Option<Arc<DiskQueue>>,
    /// What it is made of and who builds on it.
    #[serde(default)]
    pub layout: Option<Arc<DiskLayout>>,
}

/// What a block device is made of: its directory in `/sys/block`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskLayout {
    /// Model, cleaned; empty where the driver names none.
    pub model: Arc<str>,
    /// Queues of the hardware; more than one means that it works on many requests at once. Zero where it has none of its own.
    pub hardware_queues: u32,
    /// Its partitions with their device numbers.
    pub partitions: Vec<(Arc<str>, (u32, u32))>,
    /// Devices that are built on it or on its partitions (device mapper, RAID).
    pub holders: Vec<Arc<str>>,
    /// Devices that it is built on.
    pub slaves: Vec<Arc<str>>,
    /// Its write cache is `write back`: what it has acknowledged needs a flush to be safe.
    pub write_back: bool,
}

/// Settings of `/sys/block/NAME/queue`, as text where they are knobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskQueue {
    /// The active scheduler.
    pub scheduler: Arc<str>,
    /// The schedulers one can choose.
    pub schedulers: Vec<Arc<str>>,
    /// Read-ahead in KiB.
    pub read_ahead: u64,
    /// `nr_requests`.
    pub requests: u64,
    /// True for a spinning disk.
    pub rotational: bool,
    /// Size in bytes.
    pub size: u64,
    /// Microseconds that a read should take at most beside buffered writes (`wbt_lat_usec`): 0 for off, `None` without the feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_throttling: Option<u64>,
}

/// A mount and its space.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FilesystemSample {
    /// Mount point, cleaned.
    pub at: Arc<str>,
    /// Device or source, cleaned.
    pub device: Arc<str>,
    /// Type, such as `ext4`.
    pub kind: Arc<str>,
    /// Device number, to tell a bind mount from another filesystem.
    pub number: (u32, u32),
    /// Nothing can be written to it.
    #[serde(default)]
    pub read_only: bool,
    /// Options of the mount, such as `rw,relatime`.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub options: Arc<str>,
    /// Space; `None` while the mount does not answer.
    pub space: Option<Space>,
    /// Seconds since the mount last answered, when it does not answer now.
    pub stale: Option<f64>,
}

/// What `statvfs` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// Bytes in all.
    pub total: u64,
    /// Bytes in use.
    pub used: u64,
    /// Bytes that an ordinary user may still write.
    pub available: u64,
    /// Inodes in all; zero where the filesystem has no fixed number.
    pub inodes: u64,
    /// Inodes free.
    pub inodes_free: u64,
}

/// Interfaces and the per-cpu receive path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NetworkSample {
    /// One row per interface, sorted by name.
    pub interfaces: Vec<InterfaceSample>,
    /// `/proc/net/softnet_stat`: per cpu processed, dropped, squeezed.
    pub softnet: Vec<[u64; 3]>,
    /// Limits of the receive path; `None` in a namespace that cannot see them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive: Option<ReceiveLimits>,
    /// Tables of neighbours, IPv4 and IPv6, where they can be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub neighbours: Vec<NeighbourTable>,
}

/// Limits of the receive path of each cpu (admin-guide/sysctl/net.rst).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiveLimits {
    /// `netdev_max_backlog`: packets that wait for a cpu at most.
    pub backlog: u64,
    /// `netdev_budget`: packets taken in one round at most.
    pub budget: u64,
    /// `netdev_budget_usecs`: microseconds of a round at most; 0 before Linux 4.12.
    pub micros: u64,
}

/// Neighbours of one family (`/proc/net/stat/{arp,ndisc}_cache`, `gc_thresh1` to `3` of networking/ip-sysctl.rst).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeighbourTable {
    /// IPv6, else IPv4.
    pub six: bool,
    /// Entries.
    pub entries: u64,
    /// Times that there was no room for one more.
    pub fulls: u64,
    /// From how many on it is swept, swept hard, and full.
    pub thresholds: [u64; 3],
}

impl NeighbourTable {
    /// Share of what it holds that is taken.
    pub fn used(&self) -> f64 {
        let [_, _, most] = self.thresholds;
        self.entries as f64 / most.max(1) as f64
    }
}

/// `/proc/net/dev` and `/sys/class/net/NAME`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // the kernel's own words, since boot; index 0 received, 1 sent
pub struct InterfaceSample {
    pub name: Arc<str>,
    pub bytes: [u64; 2],
    pub packets: [u64; 2],
    pub errors: [u64; 2],
    pub drops: [u64; 2],
    /// Bits per second of the link, where the driver says.
    pub speed: Option<u64>,
    /// `operstate` is `up` (or `unknown`, as loopback has).
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

/// What an interface is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum InterfaceKind {
    /// A device of the machine.
    Physical,
    /// Several that act as one.
    Bond,
    /// Joins others as a switch does.
    Bridge,
    /// A part of another one (vlan, macvlan and the like).
    Vlan,
    /// A tunnel (tun, tap, wireguard, vxlan and the like).
    Tunnel,
    /// One end of a pair, the usual way into a container.
    Veth,
    /// The loopback.
    Loopback,
    /// Any other that is made in software.
    #[default]
    Virtual,
}

impl InterfaceKind {
    /// Its name.
    pub fn words(self) -> &'static str {
        match self {
            InterfaceKind::Physical => "physical",
            InterfaceKind::Bond => "bond",
            InterfaceKind::Bridge => "bridge",
            InterfaceKind::Vlan => "vlan",
            InterfaceKind::Tunnel => "tunnel",
            InterfaceKind::Veth => "veth",
            InterfaceKind::Loopback => "loopback",
            InterfaceKind::Virtual => "virtual",
        }
    }
}

/// TCP of one network namespace: `/proc/net/{snmp,netstat,sockstat}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // the kernel's own words, events since the namespace began
pub struct TcpSample {
    /// Inode of the namespace; the host's own comes first.
    pub netns: u64,
    /// A process in it, through which its files are read; `None` for our own.
    pub through: Option<ProcessId>,
    pub retrans_segs: u64,
    pub out_segs: u64,
    pub in_segs: u64,
    pub in_errs: u64,
    pub out_rsts: u64,
    pub active_opens: u64,
    pub passive_opens: u64,
    pub attempt_fails: u64,
    pub established: u64,
    pub listen_overflows: u64,
    pub listen_drops: u64,
    pub tcp_timeouts: u64,
    pub syn_retrans: u64,
    pub time_wait: u64,
    /// `net.core.somaxconn` of the namespace.
    pub somaxconn: Option<u64>,
    /// `net.ipv4.ip_local_port_range` of the namespace.
    pub port_range: Option<(u16, u16)>,
    /// Listening sockets with their queues; read when overflows grow, otherwise in turns. Empty when unknown.
    pub listeners: Arc<Vec<Listener>>,
    #[serde(default)]
    pub estab_resets: u64,
    /// Requests for a connection dropped because too many were half open (`TCPReqQFullDrop`).
    #[serde(default)]
    pub syn_drops: u64,
    /// Connections that no process holds any more.
    #[serde(default)]
    pub orphans: u64,
    #[serde(default)]
    pub udp: UdpSample,
    /// Connections tracked and how many may be; our own namespace only, `None` without connection tracking.
    #[serde(default)]
    pub conntrack: Option<[u64; 2]>,
    /// Connections by state, and what they moved for each process, as of the last look at each of them. `None` before the first, and
    /// where there are too many to look at.
    #[serde(default)]
    pub traffic: Option<Arc<TrafficSample>>,
    /// Pages that TCP takes in all namespaces together.
    #[serde(default)]
    pub pages: u64,
    /// Where a limit of TCP was too low.
    #[serde(default)]
    pub strained: Strained,
    /// Limits of the namespace; of a foreign one read once something of it is strained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Arc<NetworkLimits>>,
}

/// Events of `/proc/net/netstat` that tell which limit of TCP is too low.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // the kernel's own words, events since the namespace began
pub struct Strained {
    pub syncookies_sent: u64,
    pub syncookies_recv: u64,
    pub prune_called: u64,
    pub rcvq_drop: u64,
    pub memory_pressures: u64,
}

/// Limits of a network namespace (networking/ip-sysctl.rst, admin-guide/sysctl/net.rst). `None` where this kernel or namespace has no
/// such file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // the kernel's own words and units
pub struct NetworkLimits {
    pub syncookies: Option<u64>,
    pub max_syn_backlog: Option<u64>,
    pub tw_reuse: Option<u64>,
    pub slow_start_after_idle: Option<u64>,
    pub fin_timeout: Option<u64>,
    /// `tcp_rmem` and `tcp_wmem`: least, usual and most bytes of a socket.
    pub rmem: Option<[u64; 3]>,
    pub wmem: Option<[u64; 3]>,
    /// The most that a program may ask for.
    pub rmem_max: Option<u64>,
    pub wmem_max: Option<u64>,
    /// The congestion control of new connections, and those to choose from.
    pub congestion: Arc<str>,
    pub congestions: Vec<Arc<str>>,
    /// Of the whole host, hence of our own namespace only: `tcp_mem`, in pages.
    pub mem: Option<[u64; 3]>,
    pub max_orphans: Option<u64>,
}

/// UDP of a network namespace, IPv4 and IPv6 together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the kernel's own words, events since the namespace began
pub struct UdpSample {
    pub in_datagrams: u64,
    pub out_datagrams: u64,
    pub rcvbuf_errors: u64,
    pub sndbuf_errors: u64,
    pub in_errors: u64,
}

/// What the TCP connections of a namespace moved, by process (inet_diag): sums since we first looked, counted in turns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrafficSample {
    /// When the connections were looked at.
    pub at: Tick,
    /// Sorted by process.
    pub processes: Vec<ProcessTraffic>,
    /// Bytes received and sent of connections whose owner is not known.
    pub unattributed: [u64; 2],
    /// Connections by state, as `include/net/tcp_states.h` numbers them: index 1 is ESTABLISHED, 3 SYN_RECV, 8 CLOSE_WAIT.
    pub states: [u32; 13],
    /// Seconds of round trip, weighed by what was sent in the last look; `None` when nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip: Option<f64>,
    /// Times that the window of a connection over a long path shrank though nothing was lost: it had been idle.
    #[serde(default)]
    pub restarts: u64,
}

/// Payload that the TCP connections of a process moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessTraffic {
    /// Who.
    pub id: ProcessId,
    /// Bytes received and sent since we first looked.
    pub bytes: [u64; 2],
    /// How sure what was added by the last look is.
    pub mark: NetMark,
}

/// How exact the traffic of a process is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NetMark {
    /// Every connection and its owner were read over the whole window, and nothing else was sent or received.
    #[default]
    Exact,
    /// At least that much: short-lived connections, UDP, or connections of unknown owners may be missing.
    AtLeast,
    /// Estimated: several processes hold the same connection, or who holds it was not yet looked at everywhere.
    Estimated,
}

impl NetMark {
    /// What stands behind the number.
    pub fn sign(self) -> &'static str {
        match self {
            NetMark::Exact => "",
            NetMark::AtLeast => "+",
            NetMark::Estimated => "~",
        }
    }

    /// Its name.
    pub fn words(self) -> &'static str {
        match self {
            NetMark::Exact => "exact",
            NetMark::AtLeast => "at least",
            NetMark::Estimated => "estimated",
        }
    }
}

/// A listening TCP socket (inet_diag).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Local port.
    pub port: u16,
    /// Connections waiting to be accepted.
    pub waiting: u32,
    /// How many may wait: the smaller of what the program asked and somaxconn, fixed at its `listen()`.
    pub backlog: u32,
    /// Socket inode, to find its owner.
    pub inode: u64,
    /// The process that holds it, where we may look.
    pub owner: Option<ProcessId>,
}

/// Scheduling policy (`sched(7)`), field 41 of `/proc/PID/stat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Policy {
    #[default]
    Other,
    Fifo,
    RoundRobin,
    Batch,
    Idle,
    Deadline,
    Ext,
    Unknown,
}

impl Policy {
    /// Its name, as `chrt` has it.
    pub fn words(self) -> &'static str {
        match self {
            Policy::Other => "other",
            Policy::Fifo => "fifo",
            Policy::RoundRobin => "rr",
            Policy::Batch => "batch",
            Policy::Idle => "idle",
            Policy::Deadline => "deadline",
            Policy::Ext => "ext",
            Policy::Unknown => "-",
        }
    }
}

/// A process as `/proc/PID` shows it. Cheap fields each sweep, dear ones in turns, kept between.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessSample {
    /// Who.
    pub id: ProcessId,
    /// Parent's pid.
    pub parent: u32,
    /// `comm`, cleaned.
    pub name: Arc<str>,
    /// Command line with spaces between arguments, cleaned, at most 256 characters; empty for kernel threads.
    pub command: Arc<str>,
    /// Real user id.
    pub uid: u32,
    /// State letter of `/proc/PID/stat`.
    pub state: char,
    /// True for kernel threads (PF_KTHREAD).
    pub kernel: bool,
    /// Session id; `autogroup` follows it.
    pub session: u32,
    /// Controlling terminal's device number, 0 for none.
    pub tty: i32,
    /// Cpu time in nanoseconds since it started.
    pub cpu: u64,
    /// Nanoseconds runnable but waiting, summed over threads; `None` where schedstat is unreadable.
    pub run_delay: Option<u64>,
    /// Resident bytes.
    pub resident: u64,
    /// Threads.
    pub threads: u32,
    /// Nice of the main thread.
    pub nice: i8,
    /// Policy of the main thread.
    pub policy: Policy,
    /// Major faults since start.
    pub major_faults: u64,
    /// Bytes read from and written to storage; `None` without rights.
    pub io: Option<[u64; 2]>,
    /// Open descriptors; `None` without rights or before the first turn.
    pub descriptors: Option<u32>,
    /// Soft and hard descriptor limit (`RLIMIT_NOFILE`); `None` likewise.
    pub descriptor_limit: Option<(u64, u64)>,
    /// Path in the cpu hierarchy (v1) or the unified one (v2), cleaned. Two processes with equal paths are rivals by nice.
    pub cgroup: Arc<str>,
    /// Inode of its network namespace; 0 when unknown.
    pub netns: u64,
    /// Nanoseconds blocked on storage, main thread and ended ones (`delayacct_blkio_ticks`); `None` while the kernel does not count
    /// them (`kernel.task_delayacct` is 0).
    #[serde(default)]
    pub io_wait: Option<u64>,
}

/// Delay accounting of a process in nanoseconds, ended threads included (`struct taskstats`). What its kernel does not have is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the kernel's own words: include/uapi/linux/taskstats.h
pub struct DelaySample {
    pub cpu: Option<u64>,
    pub blkio: Option<u64>,
    pub swapin: Option<u64>,
    pub freepages: Option<u64>,
    pub thrashing: Option<u64>,
    pub compact: Option<u64>,
    pub wpcopy: Option<u64>,
    pub irq: Option<u64>,
}

/// Which cgroup version a row is from; it decides the names of the knobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum CgroupVersion {
    V1,
    #[default]
    V2,
}

/// Control groups that are read at most.
pub const MOST_CGROUPS: usize = 2000;

/// A control group. In v1 the controllers' directories of the same path are one row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CgroupSample {
    /// Path below the hierarchy, cleaned; `/` is the root.
    pub path: Arc<str>,
    /// Which version its cpu controller is.
    pub version: CgroupVersion,
    /// Inode of its (cpu or unified) directory: its identity beside the path.
    pub inode: u64,
    /// Cpu nanoseconds used.
    pub cpu: Option<u64>,
    /// Enforcement periods, throttled ones, nanoseconds throttled.
    pub throttling: Option<[u64; 3]>,
    /// The cpu quota; `None` without the controller.
    pub quota: Option<Quota>,
    /// `cpu.weight` (v2, 1 to 10000) or `cpu.shares` (v1, 2 to 262144).
    pub weight: Option<u64>,
    /// `cpu.idle` is 1.
    pub idle: bool,
    /// Bytes charged.
    pub memory: Option<u64>,
    /// Hard limit in bytes; `None` for none (`max`, or the v1 sentinel).
    pub memory_limit: Option<u64>,
    /// Kills for want of memory.
    pub oom_kills: Option<u64>,
    /// Pressure of cpu, memory, io: of the unified hierarchy's group of that path, on hybrid hosts too.
    pub pressure: Option<[Stall; 3]>,
    /// Processes directly in it.
    pub processes: u32,
    /// `memory.high`, above which its tasks are slowed down (v2); `None` for none. v1's soft limit is another thing.
    #[serde(default)]
    pub memory_high: Option<u64>,
    /// The most that was ever charged, in bytes (`memory.peak` since Linux 5.19, v1 `memory.max_usage_in_bytes`).
    #[serde(default)]
    pub memory_peak: Option<u64>,
    /// Bytes in swap.
    #[serde(default)]
    pub swap: Option<u64>,
    /// Bytes read from and written to storage (`io.stat`, v1 `blkio.throttle.io_service_bytes`).
    #[serde(default)]
    pub io: Option<[u64; 2]>,
    /// Tasks in it and below (`pids.current`).
    #[serde(default)]
    pub pids: Option<u64>,
    /// How many there may be (`pids.max`); `None` for no limit.
    #[serde(default)]
    pub pids_limit: Option<u64>,
    /// When memory in use, pressure and io were read: idle groups take turns. 0 in recordings of old.
    #[serde(default)]
    pub at: Tick,
    /// Bytes charged that the kernel takes back before it kills: pages of files, and slabs that can be dropped (`memory.stat`). Read
    /// where a limit is set and a fiftieth of it is used.
    #[serde(default)]
    pub reclaimable: Option<u64>,
    /// Name of the container whose group this is, cleaned; its short id where no runtime says more.
    #[serde(default)]
    pub container: Option<Arc<str>>,
    /// Name of the systemd unit or slice whose group this is, unescaped and cleaned.
    #[serde(default)]
    pub unit: Option<Arc<str>>,
}

/// Cumulative latency histogram of a service, as Prometheus' text format has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceSample {
    /// Configured name.
    pub name: Arc<str>,
    /// Upper bounds in seconds (the last one infinite) with cumulative counts.
    pub buckets: Vec<(f64, u64)>,
    /// The process that serves, where the configuration names one.
    pub process: Option<ProcessId>,
}

/// The newest sample of each source that counts, for those who want counters and not rates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Counters {
    pub cpu: Option<CpuSample>,
    pub vm: Option<VmSample>,
    pub pressure: Option<PressureSample>,
    pub disks: Vec<DiskSample>,
    pub network: NetworkSample,
    pub tcp: Vec<TcpSample>,
    pub cgroups: Vec<CgroupSample>,
    pub services: Vec<ServiceSample>,
}
