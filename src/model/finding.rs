//! Detected bottlenecks: what is wrong, by whom, at whose cost, by what evidence, and what it is not.

use crate::model::{metric::Metric, outlook::Crossing, subject::Subject, time::Wall, unit::Unit};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The kinds of bottleneck (catalogue B9 of signatures).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FindingKind {
    /// Somebody waits for cpu while others hold it.
    CpuContention,
    /// All cores busy, nobody in particular to blame.
    CpuSaturation,
    /// A cgroup's quota holds it back while the host has idle cpu.
    Throttled,
    /// Tasks wait for memory.
    MemoryPressure,
    /// Pages go to swap and come back.
    SwapThrash,
    /// A process grows without a plateau.
    Leak,
    /// A disk answers slowly.
    DiskLatency,
    /// Too much dirty memory: whoever syncs waits for all of it.
    WritebackStall,
    /// Connections dropped because an accept queue is full.
    AcceptOverflow,
    /// A process is near its descriptor limit.
    DescriptorExhaustion,
    /// Connections nearly use up the local ports.
    PortExhaustion,
    /// A filesystem is nearly full.
    FilesystemFull,
    /// One cpu carries the network's soft interrupts.
    SoftirqImbalance,
    /// The hypervisor gives our time to others.
    Steal,
    /// Requests for a connection are dropped: too many are half open.
    SynDrops,
    /// Receive buffers of sockets are too small for what comes.
    SocketBuffers,
    /// Packets are dropped before any protocol saw them, or wait for the next round.
    ReceiveBacklog,
    /// Much is sent twice over a long path.
    LossyPath,
    /// Connections over a long path start slowly again after each rest.
    IdleRestart,
    /// The table of neighbours is nearly full.
    NeighbourTable,
    /// Connections without a program are nearly as many as may be.
    Orphans,
    /// A condition of a custom action holds.
    Condition,
    /// Nothing is wrong: an operator asked for a change by hand.
    Asked,
    /// Tasks reclaim memory themselves though there is enough of it.
    DirectReclaim,
    /// Free memory is in pieces too small for what is asked for.
    Fragmentation,
    /// Caches of inodes and directory entries crowd out what is in use.
    SlabBloat,
    /// Memory is given on another node than it was wanted on.
    RemoteMemory,
    /// The processors are busy and run slowly.
    SlowClock,
    /// Requests wait for processors to wake from deep idle states.
    DeepIdle,
    /// Nearly as many files are open as may be.
    FileTable,
    /// Nearly as many tasks run as may, in a cgroup or on the host.
    TasksExhaustion,
    /// E1: all tasks wait for memory, or none is left.
    EmergencyMemory,
    /// E2: a filesystem is full, or will be within minutes.
    EmergencySpace,
    /// E3: processes multiply until no number is left.
    EmergencyForks,
    /// E4: everybody waits for the disk.
    EmergencyIo,
    /// E5: connections flood in.
    EmergencyConnections,
    /// E6: the processor protects itself from heat.
    EmergencyHeat,
    /// Memory of the host or of a cgroup will reach its limit.
    PredictedMemory,
    /// Swap will be full.
    PredictedSwap,
    /// A filesystem will be full.
    PredictedSpace,
    /// A filesystem will have no inodes left.
    PredictedInodes,
    /// A process will reach its descriptor limit.
    PredictedDescriptors,
    /// Connections tracked will reach their limit.
    PredictedConntrack,
    /// Local ports will be used up.
    PredictedPorts,
    /// A cgroup will have as many tasks as it may.
    PredictedTasks,
}

impl FindingKind {
    /// Its name in running text.
    pub fn words(self) -> &'static str {
        match self {
            FindingKind::CpuContention => "cpu contention",
            FindingKind::CpuSaturation => "cpu saturated",
            FindingKind::Throttled => "cpu quota throttles",
            FindingKind::MemoryPressure => "memory pressure",
            FindingKind::SwapThrash => "swap thrash",
            FindingKind::Leak => "memory leak",
            FindingKind::DiskLatency => "disk latency",
            FindingKind::WritebackStall => "writeback stall",
            FindingKind::AcceptOverflow => "accept queue overflow",
            FindingKind::DescriptorExhaustion => "descriptors run out",
            FindingKind::PortExhaustion => "local ports run out",
            FindingKind::FilesystemFull => "filesystem nearly full",
            FindingKind::SoftirqImbalance => "softirq imbalance",
            FindingKind::Steal => "cpu stolen by the hypervisor",
            FindingKind::SynDrops => "requests to connect dropped",
            FindingKind::SocketBuffers => "socket buffers too small",
            FindingKind::ReceiveBacklog => "receive backlog",
            FindingKind::LossyPath => "lossy long path",
            FindingKind::IdleRestart => "slow starts after rests",
            FindingKind::NeighbourTable => "neighbour table nearly full",
            FindingKind::Orphans => "orphaned connections pile up",
            FindingKind::Condition => "condition",
            FindingKind::Asked => "asked for",
            FindingKind::DirectReclaim => "direct reclaim",
            FindingKind::Fragmentation => "memory fragmented",
            FindingKind::SlabBloat => "slab caches bloated",
            FindingKind::RemoteMemory => "memory on the wrong node",
            FindingKind::SlowClock => "slow clock",
            FindingKind::DeepIdle => "deep idle states",
            FindingKind::FileTable => "file table nearly full",
            FindingKind::TasksExhaustion => "tasks run out",
            FindingKind::EmergencyMemory => "EMERGENCY: out of memory",
            FindingKind::EmergencySpace => "EMERGENCY: disk full",
            FindingKind::EmergencyForks => "EMERGENCY: fork bomb",
            FindingKind::EmergencyIo => "EMERGENCY: disk storm",
            FindingKind::EmergencyConnections => "EMERGENCY: connections flood in",
            FindingKind::EmergencyHeat => "EMERGENCY: too hot",
            FindingKind::PredictedMemory => "memory will run out (predicted)",
            FindingKind::PredictedSwap => "swap will be full (predicted)",
            FindingKind::PredictedSpace => "filesystem will be full (predicted)",
            FindingKind::PredictedInodes => "inodes will run out (predicted)",
            FindingKind::PredictedDescriptors => "descriptors will run out (predicted)",
            FindingKind::PredictedConntrack => "connection tracking will be full (predicted)",
            FindingKind::PredictedPorts => "local ports will run out (predicted)",
            FindingKind::PredictedTasks => "tasks will run out (predicted)",
        }
    }

    /// True for what leaves no time for approval and statistics.
    pub fn is_emergency(self) -> bool {
        (FindingKind::EmergencyMemory..=FindingKind::EmergencyHeat).contains(&self)
    }

    /// True for trouble that has not come yet.
    pub fn is_predicted(self) -> bool {
        self >= FindingKind::PredictedMemory
    }
}

/// How bad, and the sign it is drawn with beside its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// `~` worth knowing.
    Notice,
    /// `!` costs somebody something.
    Warning,
    /// `!!` act now.
    Critical,
}

impl Severity {
    /// The sign that says it without colour.
    pub fn sign(self) -> &'static str {
        match self {
            Severity::Notice => "~",
            Severity::Warning => "!",
            Severity::Critical => "!!",
        }
    }
}

/// One measured fact and the threshold that it crossed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What was measured.
    pub metric: Metric,
    /// Of what.
    pub subject: Subject,
    /// The value, in the metric's unit.
    pub value: f64,
    /// The threshold it crossed; `None` for context.
    pub threshold: Option<f64>,
    /// Where the number is from, such as `/proc/schedstat`.
    pub from: Arc<str>,
}

/// Somebody with a part in a finding: a culprit with its share of the use, or a victim with its share of the waiting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Party {
    /// Who.
    pub subject: Subject,
    /// Its name, cleaned.
    pub name: Arc<str>,
    /// Share of the whole, 0 to 1.
    pub share: f64,
    /// How much, in `unit`.
    pub amount: f64,
    /// The unit of `amount`.
    pub unit: Unit,
}

/// What makes a finding the same one from sweep to sweep.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FindingId {
    /// What kind.
    pub kind: FindingKind,
    /// About what.
    pub subject: Subject,
}

/// A bottleneck.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Which.
    pub id: FindingId,
    /// How bad.
    pub severity: Severity,
    /// One line: who waits for what, because of whom. At most 100 characters.
    pub headline: String,
    /// The numbers behind it.
    pub evidence: Vec<Evidence>,
    /// Who causes it, greatest share first.
    pub culprits: Vec<Party>,
    /// Who suffers, greatest share first.
    pub victims: Vec<Party>,
    /// What was looked at and found innocent, each in one phrase.
    pub ruled_out: Vec<String>,
    /// What a human can do where trimtab has no knob (or besides it).
    pub advice: Option<String>,
    /// How much it costs, 0 to 1: the share of time or space lost.
    pub impact: f64,
    /// Order in the list: impact weighted by severity.
    pub priority: f64,
    /// Since when it has held; set by hysteresis.
    pub since: Wall,
    /// When a limit is reached, where that is foreseen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crossing: Option<Crossing>,
}

impl Finding {
    /// True for trouble that is foreseen for the next minutes.
    pub fn is_imminent(&self) -> bool {
        self.id.kind.is_predicted() && self.severity == Severity::Critical
    }
}

/// How far a condition holds in one evaluation: hysteresis wants to know three things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// Below 0.7 of the threshold.
    Clear,
    /// Between: neither raises nor clears.
    Between,
    /// At or over the threshold.
    Over,
}

/// What a detector says in one evaluation. A condition at [`Level::Clear`] need not be reported: silence is clear.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// How far it holds.
    pub level: Level,
    /// The finding, should hysteresis raise or keep it.
    pub finding: Finding,
}
