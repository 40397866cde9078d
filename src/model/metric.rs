//! The kinds of numbers that trimtab keeps over time, each with its unit, its good direction and its words.

use crate::model::{subject::Subject, unit::Unit};
use serde::{Deserialize, Serialize};

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Better {
    /// Less is better, as with waiting.
    Lower,
    /// More is better, as with throughput.
    Higher,
}

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident, $unit:ident, $better:ident, $words:literal;)*) => {
        /// A kind of number. Which subjects have it follows from its first word.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Metric { $($(#[$doc])* $name,)* }

        impl Metric {
            /// Every metric, in display order.
            pub const ALL: &'static [Metric] = &[$(Metric::$name,)*];

            /// The unit of its values.
            pub fn unit(self) -> Unit {
                match self { $(Metric::$name => Unit::$unit,)* }
            }

            /// Which way is better.
            pub fn better(self) -> Better {
                match self { $(Metric::$name => Better::$better,)* }
            }

            /// Its name in running text.
            pub fn words(self) -> &'static str {
                match self { $(Metric::$name => $words,)* }
            }

            fn camel(self) -> &'static str {
                match self { $(Metric::$name => stringify!($name),)* }
            }
        }
    };
}

metrics! {
    /// Time not idle and not waiting for I/O, of all cores (host) or one (cpu).
    CpuBusy, Share, Lower, "cpu busy";
    /// Idle time with I/O outstanding.
    CpuIowait, Share, Lower, "iowait";
    /// Time that the hypervisor gave to others.
    CpuSteal, Share, Lower, "steal";
    /// Time in soft interrupts.
    CpuSoftirq, Share, Lower, "softirq";
    /// Load average over one minute.
    Load, Count, Lower, "load";
    /// Runnable tasks.
    RunQueue, Count, Lower, "run queue";
    /// Context switches.
    ContextSwitches, PerSecond, Lower, "context switches";
    /// MemAvailable.
    MemoryAvailable, Bytes, Higher, "memory available";
    /// Total less available.
    MemoryUsed, Bytes, Lower, "memory used";
    /// Swap in use.
    SwapUsed, Bytes, Lower, "swap used";
    /// Pages swapped in, as bytes.
    SwapIn, BytesPerSecond, Lower, "swap in";
    /// Pages swapped out, as bytes.
    SwapOut, BytesPerSecond, Lower, "swap out";
    /// Faults that needed I/O.
    MajorFaults, PerSecond, Lower, "major faults";
    /// Pages scanned by direct reclaim.
    DirectReclaim, PerSecond, Lower, "direct reclaim";
    /// Dirty and under writeback.
    Dirty, Bytes, Lower, "dirty memory";
    /// Some task waited for cpu: share of time, from the PSI total.
    PressureCpuSome, Share, Lower, "cpu pressure";
    /// Some task waited for memory.
    PressureMemorySome, Share, Lower, "memory pressure";
    /// All tasks waited for memory.
    PressureMemoryFull, Share, Lower, "memory pressure full";
    /// Some task waited for I/O.
    PressureIoSome, Share, Lower, "io pressure";
    /// All tasks waited for I/O.
    PressureIoFull, Share, Lower, "io pressure full";
    /// Bytes read from a disk.
    DiskRead, BytesPerSecond, Higher, "disk read";
    /// Bytes written to a disk.
    DiskWrite, BytesPerSecond, Higher, "disk write";
    /// Mean time of a read, queue included; no value in a window without reads.
    DiskReadLatency, Seconds, Lower, "read latency";
    /// Mean time of a write.
    DiskWriteLatency, Seconds, Lower, "write latency";
    /// Mean time of a flush (what fsync waits for).
    DiskFlushLatency, Seconds, Lower, "flush latency";
    /// Mean time of any request.
    DiskLatency, Seconds, Lower, "disk latency";
    /// Mean requests in flight.
    DiskQueue, Count, Lower, "disk queue";
    /// Time with at least one request in flight. On parallel devices 100 % is not saturation.
    DiskBusy, Share, Lower, "disk busy time";
    /// Space in use, of what an ordinary user may use.
    FilesystemUsed, Share, Lower, "filesystem used";
    /// Inodes in use; no value where a filesystem has no fixed number of them.
    FilesystemInodes, Share, Lower, "inodes used";
    /// Bytes received.
    NetReceive, BytesPerSecond, Higher, "received";
    /// Bytes sent.
    NetTransmit, BytesPerSecond, Higher, "sent";
    /// Packets in error or dropped, both ways.
    NetDrops, PerSecond, Lower, "drops and errors";
    /// The link's speed in use.
    NetUsed, Share, Lower, "link used";
    /// Segments retransmitted.
    TcpRetransmits, PerSecond, Lower, "retransmits";
    /// Segments retransmitted, of all that were sent; no value while hardly anything is sent.
    TcpResentShare, Share, Lower, "retransmitted share";
    /// Connections that ended by a reset.
    TcpResets, PerSecond, Lower, "connections reset";
    /// Connections established.
    TcpEstablished, Count, Higher, "connections established";
    /// Connections in TIME_WAIT.
    TcpTimeWait, Count, Lower, "connections in TIME_WAIT";
    /// Connections in CLOSE_WAIT: the other side has closed, the program has not.
    TcpCloseWait, Count, Lower, "connections in CLOSE_WAIT";
    /// Connections half open, as the other side has not answered yet.
    TcpSynReceived, Count, Lower, "connections half open";
    /// Datagrams lost for a full buffer.
    UdpFull, PerSecond, Lower, "datagrams lost for full buffers";
    /// Connections tracked, of how many may be.
    ConntrackUsed, Share, Lower, "connection tracking used";
    /// Connections dropped because an accept queue was full.
    ListenOverflows, PerSecond, Lower, "listen overflows";
    /// Connections established and in TIME_WAIT as a share of the local port range.
    PortsUsed, Share, Lower, "local ports used";
    /// Connections opened by programs of the namespace.
    TcpConnects, PerSecond, Higher, "connections opened";
    /// Connections opened to programs of the namespace.
    TcpAccepts, PerSecond, Higher, "connections accepted";
    /// Cpu time of a process, in cores.
    ProcessCpu, Cores, Higher, "process cpu";
    /// Time runnable but waiting for a cpu, summed over threads.
    ProcessRunDelay, SecondsPerSecond, Lower, "run delay";
    /// Resident memory.
    ProcessResident, Bytes, Lower, "resident memory";
    /// Bytes read from storage by a process.
    ProcessRead, BytesPerSecond, Higher, "process reads";
    /// Bytes written to storage (or its cache) by a process.
    ProcessWrite, BytesPerSecond, Higher, "process writes";
    /// Payload that the TCP connections of a process receive.
    ProcessReceive, BytesPerSecond, Higher, "process receives";
    /// Payload that the TCP connections of a process send.
    ProcessSend, BytesPerSecond, Higher, "process sends";
    /// Open descriptors as a share of the soft limit.
    ProcessDescriptors, Share, Lower, "descriptors used";
    /// Cpu time of a cgroup, in cores.
    CgroupCpu, Cores, Higher, "cgroup cpu";
    /// Share of enforcement periods in which the cgroup was throttled.
    CgroupThrottled, Share, Lower, "throttled periods";
    /// Time throttled per second.
    CgroupThrottledTime, SecondsPerSecond, Lower, "throttled time";
    /// Memory charged to a cgroup.
    CgroupMemory, Bytes, Lower, "cgroup memory";
    /// Median latency of a service.
    ServiceP50, Seconds, Lower, "p50";
    /// 95th percentile of latency of a service.
    ServiceP95, Seconds, Lower, "p95";
    /// 99th percentile of latency of a service.
    ServiceP99, Seconds, Lower, "p99";
    /// Requests answered.
    ServiceRate, PerSecond, Higher, "requests";
    /// Mean clock of all processors.
    CpuFrequency, Hertz, Higher, "cpu frequency";
    /// Times that cores were throttled for heat.
    ThermalThrottles, PerSecond, Lower, "thermal throttling";
    /// The temperature nearest to its limit (host), or of a graphics processor.
    Temperature, Celsius, Lower, "temperature";
    /// Power of all processor packages (host), or of a graphics processor.
    Power, Watts, Lower, "power";
    /// Memory that zram and zswap take.
    CompressedMemory, Bytes, Lower, "compressed memory";
    /// Share of time with work on a graphics processor.
    GpuBusy, Share, Higher, "gpu busy";
    /// Memory of a graphics processor in use.
    GpuMemory, Bytes, Lower, "gpu memory";
    /// Memory charged to a cgroup that the kernel cannot simply take back: without the pages of files and the slabs that can be dropped.
    /// Kept where a limit is set, since this is what reaches it.
    CgroupUnreclaimable, Bytes, Lower, "cgroup memory beyond reclaim";
    /// Tasks of a cgroup and of those below it, kept where their number is limited and a quarter of it is used.
    CgroupTasks, Count, Lower, "cgroup tasks";
    /// Allocations that had to wait for reclaim.
    AllocationStalls, PerSecond, Lower, "allocation stalls";
    /// Allocations that had to wait for compaction.
    CompactionStalls, PerSecond, Lower, "compaction stalls";
    /// File pages that came back soon after they were taken.
    FileRefaults, PerSecond, Lower, "file refaults";
    /// Kernel caches that can be given back: inodes, directory entries.
    SlabReclaimable, Bytes, Lower, "reclaimable slabs";
    /// Pages given on another node than wanted, of all; no value with one node.
    RemotePages, Share, Lower, "pages from another node";
    /// Time of the processors in idle states that are slow to leave.
    DeepIdle, Share, Lower, "deep idle";
    /// Requests for a connection dropped because too many were half open; kept once it has happened.
    TcpSynDrops, PerSecond, Lower, "requests to connect dropped";
    /// Receive queues of sockets squeezed or cut for want of buffer; kept once it has happened.
    TcpPrunes, PerSecond, Lower, "receive queues cut";
    /// Round trip of what is sent over TCP.
    TcpRoundTrip, Seconds, Lower, "round trip";
    /// Connections over a long path that started slowly again after a rest; kept once it has happened.
    TcpRestarts, PerSecond, Lower, "slow starts after a rest";
    /// Packets dropped because the queue of a cpu was full.
    BacklogDrops, PerSecond, Lower, "packets dropped at a cpu's queue";
    /// Rounds of receiving that ended before all was taken.
    BacklogSqueezes, PerSecond, Lower, "receive rounds cut short";
    /// The fuller one of the tables of neighbours.
    NeighboursUsed, Share, Lower, "neighbour table used";
    /// Connections without a program, of how many there may be; kept from a tenth on.
    OrphansUsed, Share, Lower, "orphaned connections used";
    /// Files open on the whole host, of how many may be; kept from a tenth on.
    FilesUsed, Share, Lower, "file table used";
    /// Tasks of the whole host, of how many there may be; kept from a tenth on.
    TasksUsed, Share, Lower, "tasks used";
    /// Tasks of a cgroup, of how many there may be; kept from a quarter on.
    CgroupTasksUsed, Share, Lower, "cgroup tasks used";
}

impl Metric {
    /// Its name for programs, such as `disk_read`: in `--keys`, in alert rules and in OpenMetrics. It stays what it is.
    pub fn name(self) -> String {
        let mut name = String::with_capacity(24);
        for (i, c) in self.camel().chars().enumerate() {
            if c.is_ascii_uppercase() && i > 0 {
                name.push('_');
            }
            name.push(c.to_ascii_lowercase());
        }
        name
    }

    /// The metric of that name.
    pub fn named(name: &str) -> Option<Metric> {
        Metric::ALL.iter().copied().find(|metric| metric.name() == name)
    }
}

/// A metric of a subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// What it is about.
    pub subject: Subject,
    /// Which number.
    pub metric: Metric,
}

impl Key {
    /// The key of `metric` of `subject`.
    pub fn new(subject: Subject, metric: Metric) -> Key {
        Key { subject, metric }
    }

    /// The key of a metric of the whole host.
    pub fn host(metric: Metric) -> Key {
        Key { subject: Subject::Host, metric }
    }
}

impl Key {
    /// Its name for programs: `cpu_busy` of the host, `disk_read:vda` of anything else.
    pub fn path(&self) -> String {
        match &self.subject {
            Subject::Host => self.metric.name(),
            other => format!("{}:{}", self.metric.name(), other.name()),
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.metric.words(), self.subject)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_a_name_of_its_own_and_is_found_by_it() {
        for metric in Metric::ALL {
            assert_eq!(Metric::named(&metric.name()), Some(*metric));
            assert!(metric.name().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{}", metric.name());
        }
        assert_eq!(Metric::PressureMemoryFull.name(), "pressure_memory_full");
        assert_eq!(Metric::ServiceP95.name(), "service_p95");
    }

    #[test]
    fn a_key_reads_as_metric_and_subject() {
        assert_eq!(Key::host(Metric::CpuBusy).path(), "cpu_busy");
        assert_eq!(Key::new(Subject::Cpu(3), Metric::CpuBusy).path(), "cpu_busy:3");
        assert_eq!(Key::new(Subject::Filesystem("/var".into()), Metric::FilesystemUsed).path(), "filesystem_used:/var");
    }
}
