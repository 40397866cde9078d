//! Every number that an operator may want to set: thresholds, hysteresis, windows, policy. Sections of the configuration.

use crate::model::{
    custom::Condition,
    emergency::Reach,
    hours::{Hours, Offset},
    rule::{Rule, Tiering},
    trial::Windows,
};
use serde::{Deserialize, Serialize};

/// Thresholds of the detectors (catalogue B0 and B9). Shares are of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Thresholds {
    /// cpu pressure, some.
    pub cpu_pressure: f64,
    /// Run delay of a victim, seconds per second.
    pub run_delay: f64,
    /// Cores that a culprit uses.
    pub hog_cores: f64,
    /// Busy share of all cores that is saturation.
    pub cpu_busy: f64,
    pub steal: f64,
    /// Share of periods throttled.
    pub throttled: f64,
    /// Idle share of the host at which throttling is a waste.
    pub throttled_idle: f64,
    pub memory_some: f64,
    pub memory_full: f64,
    /// MemAvailable over total, below which memory is short.
    pub memory_available: f64,
    /// Bytes per second in and out of swap.
    pub swap_bytes: f64,
    /// Growth of a process in shares of its size per hour.
    pub leak_growth: f64,
    /// Fit (R squared) of the growth line.
    pub leak_fit: f64,
    pub io_some: f64,
    pub io_full: f64,
    /// Seconds per request that are slow, on a device without and with rotation.
    pub disk_latency: f64,
    pub disk_latency_rotational: f64,
    /// Seconds of writing that are dirty at once.
    pub dirty_seconds: f64,
    /// Bytes dirty below which it never counts.
    pub dirty_bytes: f64,
    /// Overflows per second over ten seconds.
    pub overflows: f64,
    /// Descriptors over soft limit.
    pub descriptors: f64,
    /// Outgoing connections over local ports.
    pub ports: f64,
    /// Share of a filesystem in use.
    pub filesystem: f64,
    /// Softirq share of one core.
    pub softirq: f64,
    /// Allocations per second that wait for reclaim while memory is available.
    pub allocation_stalls: f64,
    /// Share of reclaim that tasks do themselves.
    pub direct_reclaim: f64,
    /// Allocations per second that wait for compaction.
    pub compaction_stalls: f64,
    /// Share of free memory in blocks of 16 pages or more, below which it is in pieces.
    pub high_order: f64,
    /// Reclaimable slabs over memory.
    pub slab: f64,
    /// Share of pages given on another node than wanted.
    pub remote_pages: f64,
    /// Clock over the greatest possible one, below which busy processors are slow.
    pub clock: f64,
    /// Share of time in idle states that are slow to leave.
    pub deep_idle: f64,
    /// Time to leave them over the median latency of a service.
    pub wake_cost: f64,
    /// Requests to connect dropped per second, over ten seconds.
    pub syn_drops: f64,
    /// Receive queues cut, or datagrams lost for a full buffer, per second over ten seconds.
    pub socket_buffers: f64,
    /// Packets dropped at a cpu's queue per second, over ten seconds.
    pub backlog_drops: f64,
    /// Receive rounds cut short per second, over ten seconds.
    pub backlog_squeezes: f64,
    /// Share of segments sent twice.
    pub resent: f64,
    /// Seconds of round trip from which a path is long.
    pub round_trip: f64,
    /// Slow starts after a rest per second, over ten seconds. Looks see about half of them: the others have grown back by then.
    pub restarts: f64,
    /// Neighbours over what their table holds.
    pub neighbours: f64,
    /// Connections without a program over how many there may be.
    pub orphans: f64,
    /// Seconds ahead at which it is told that a limit will be reached.
    pub trouble_horizon: f64,
    /// Confidence from which that is told.
    pub trouble_confidence: f64,
    /// Conditions of custom actions, from another section.
    #[serde(skip)]
    pub conditions: Vec<Condition>,
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds {
            cpu_pressure: 0.25,
            run_delay: 0.10,
            hog_cores: 0.2,
            cpu_busy: 0.95,
            steal: 0.05,
            throttled: 0.05,
            throttled_idle: 0.25,
            memory_some: 0.10,
            memory_full: 0.05,
            memory_available: 0.05,
            swap_bytes: 2.0 * 1024.0 * 1024.0,
            leak_growth: 0.01,
            leak_fit: 0.9,
            io_some: 0.30,
            io_full: 0.10,
            disk_latency: 0.02,
            disk_latency_rotational: 0.1,
            dirty_seconds: 0.2,
            dirty_bytes: 256.0 * 1024.0 * 1024.0,
            overflows: 0.5,
            descriptors: 0.85,
            ports: 0.70,
            filesystem: 0.90,
            softirq: 0.60,
            allocation_stalls: 1.0,
            direct_reclaim: 0.10,
            compaction_stalls: 10.0,
            high_order: 0.02,
            slab: 0.30,
            remote_pages: 0.05,
            clock: 0.70,
            deep_idle: 0.50,
            wake_cost: 0.10,
            syn_drops: 0.5,
            socket_buffers: 1.0,
            backlog_drops: 1.0,
            backlog_squeezes: 10.0,
            resent: 0.015,
            round_trip: 0.02,
            restarts: 0.5,
            neighbours: 0.80,
            orphans: 0.80,
            trouble_horizon: 7200.0,
            trouble_confidence: 0.5,
            conditions: Vec::new(),
        }
    }
}

/// When a condition becomes a finding and when it ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hysteresis {
    /// Looks remembered, at one per sweep (detectors of the fast lane: one per 500 ms).
    pub looks: usize,
    /// Looks among them that must be over for a finding.
    pub raise: usize,
    /// Looks among them that must be over for a finding that foretells trouble within minutes.
    pub urgent: usize,
    /// Looks in a row that must be clear (below 0.7 of the threshold) for its end.
    pub clear: usize,
}

impl Default for Hysteresis {
    fn default() -> Self {
        Hysteresis { looks: 6, raise: 4, urgent: 2, clear: 10 }
    }
}

/// What trimtab may do by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mode {
    /// Watches; proposes nothing, changes nothing. Rollback stays possible.
    Observe,
    /// Proposes; acts on approval.
    #[default]
    Suggest,
    /// Applies low-risk reversible proposals by itself.
    Auto,
}

impl Mode {
    /// Its name.
    pub fn words(self) -> &'static str {
        match self {
            Mode::Observe => "observe",
            Mode::Suggest => "suggest",
            Mode::Auto => "auto",
        }
    }
}

/// Whose word auto mode takes that an action does little harm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trust {
    /// The catalogue's, for low risk with an exact and instant undo, until it does harm here; for everything else only what was measured.
    #[default]
    Catalogue,
    /// Nobody's: only runs without harm on this host, enough of them (28 for low risk).
    Proven,
}

impl Trust {
    /// Its name.
    pub fn words(self) -> &'static str {
        match self {
            Trust::Catalogue => "catalogue",
            Trust::Proven => "proven",
        }
    }
}

/// When a change whose knobs can be set and reset at once is judged by switching it off and on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Switchback {
    /// Never.
    Never,
    /// Where before and after alone could show no effect smaller than three times the least useful one.
    #[default]
    Blind,
    /// Always.
    Always,
}

/// Bounds on acting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The mode to start in.
    pub mode: Mode,
    /// Changes applied per hour at most.
    pub per_hour: usize,
    /// Reversals of one knob per hour after which it is left alone.
    pub flaps: usize,
    /// Seconds that an approval lives.
    pub approval: f64,
    /// Seconds that a proposal lives after its finding ended.
    pub proposal: f64,
    /// Seconds for which rejected advice is not given again.
    pub rejected: f64,
    /// Rejections of the same advice after which it is not given for long.
    pub rejections: u32,
    /// Seconds of that.
    pub veto: f64,
    /// Whose word auto mode takes that an action does little harm.
    pub trust: Trust,
    /// Share of a day's performance that automatic trials may cost before auto mode tries nothing new.
    pub regret: f64,
    /// Confidence of a forecast from which auto mode acts on what has not come yet.
    pub foresight: f64,
    /// Seconds after the end of the watch at which the guard rolls back what nobody confirmed.
    pub grace: f64,
    /// Seconds for which a change that helped must have been kept before it is proposed to make it outlive a boot.
    pub lasting: f64,
    /// Changes of high risk applied per day at most.
    pub high_per_day: usize,
    /// Changes that hurt within a day, after which auto mode gives way to suggest.
    pub harms: usize,
    /// Trial windows.
    pub windows: Windows,
    /// What is allowed to whom and when; of several rules that fit, the first decides.
    pub rules: Vec<Rule>,
    /// How much subjects matter; of several that fit, the first counts.
    pub tiers: Vec<Tiering>,
    /// Maintenance windows.
    pub maintenance: Vec<Hours>,
    /// How far the clock of hours and windows is ahead of UTC.
    pub utc_offset: Offset,
    /// Go the whole way and write nothing.
    pub dry: bool,
    /// The file that stops everything while it is there, if it is another one than `STOP` in the runtime directory.
    pub stop: Option<String>,
    /// When to judge by switching off and on.
    pub switchback: Switchback,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            mode: Mode::Suggest,
            per_hour: 6,
            flaps: 2,
            approval: 300.0,
            proposal: 60.0,
            rejected: 3600.0,
            rejections: 3,
            veto: 7.0 * 86_400.0,
            trust: Trust::Catalogue,
            regret: 0.05,
            foresight: 0.85,
            grace: 30.0,
            lasting: 3600.0,
            high_per_day: 2,
            harms: 3,
            windows: Windows::default(),
            rules: Vec::new(),
            tiers: Vec::new(),
            maintenance: Vec::new(),
            utc_offset: Offset::default(),
            dry: false,
            stop: None,
            switchback: Switchback::default(),
        }
    }
}

/// What is done when there is no time to ask (catalogue E1 to E7).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rescue {
    /// Look for emergencies and keep their ladders ready.
    pub enabled: bool,
    /// The last rung that may be climbed: `Ease`, `Freeze`, `Term`, `Kill`.
    pub rungs: Reach,
    /// Rungs climbed per hour at most, all emergencies together.
    pub per_hour: usize,
    /// Seconds that a rung has to bring relief before the next one.
    pub patience: f64,
    /// Seconds without any sign of it after which an emergency is over and what was done is taken back.
    pub calm: f64,
    /// Share of time in which all tasks wait for memory that is an emergency after ten seconds.
    pub memory_full: f64,
    /// MemAvailable over total below which it is one after two seconds, where swap is used up too.
    pub memory_available: f64,
    /// Changes that did harm within ten minutes, after which everything is rolled back and held (E7).
    pub harms: usize,
}

impl Default for Rescue {
    fn default() -> Self {
        Rescue {
            enabled: true,
            rungs: Reach::Freeze,
            per_hour: 12,
            patience: 5.0,
            calm: 30.0,
            memory_full: 0.10,
            memory_available: 0.04,
            harms: 2,
        }
    }
}

/// What of the past is kept on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keeping {
    /// Keep a history at all.
    pub keep: bool,
    /// Bytes that its file may take, log included: when it is full, the oldest of the finest goes first.
    pub bytes: u64,
}

impl Default for Keeping {
    fn default() -> Self {
        Keeping { keep: true, bytes: 256 << 20 }
    }
}

/// What trimtab may cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Cores: 0.02 is two hundredths of one, which leaves room for some 2,000 processes.
    pub cpu: f64,
    /// Resident bytes.
    pub resident: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { cpu: 0.02, resident: 60 << 20 }
    }
}

/// How far ahead trimtab looks, and what that may cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Foresight {
    /// Look ahead at all.
    pub enabled: bool,
    /// Cores: 0.01 is one hundredth of one. Where it does not suffice, forecasts are made more seldom.
    pub cpu: f64,
    /// Seconds ahead.
    pub horizon: f64,
}

impl Foresight {
    /// Nobody is told of anything further ahead: two hours, in seconds.
    pub const LONGEST: f64 = 7200.0;
}

impl Default for Foresight {
    fn default() -> Self {
        Foresight { enabled: true, cpu: 0.01, horizon: Foresight::LONGEST }
    }
}

/// A service to watch: a file with a cumulative latency histogram in Prometheus' text format, written whole (rename) by its owner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceWatch {
    /// Name shown.
    pub name: String,
    /// Absolute path of the text file.
    pub file: String,
    /// Name of the histogram, without `_bucket`.
    pub histogram: String,
    /// Name of the process that serves, as in `comm`, or its pid as text; empty when unknown.
    #[serde(default)]
    pub process: String,
}
