//! The rules that are built in: few, and none that a healthy host breaks. Findings already tell of contention and saturation as soon as
//! they begin; these tell of what stays beyond a limit for so long that somebody should come.

use crate::model::{
    alert::{Rule, Side},
    finding::Severity,
    metric::Metric,
};

const MIB: f64 = 1024.0 * 1024.0;

/// Name, metric, side, limit, level of clearing, seconds, severity, note.
type Row = (&'static str, Metric, Side, f64, f64, f64, Severity, &'static str);

use Severity::{Critical, Warning};
use Side::{Above, Below};

const ROWS: &[Row] = &[
    ("filesystem nearly full", Metric::FilesystemUsed, Above, 0.9, 0.88, 300.0, Warning, "find what grows, or make room"),
    ("filesystem full", Metric::FilesystemUsed, Above, 0.97, 0.95, 60.0, Critical, "writes fail soon: make room now"),
    (
        "inodes nearly used up",
        Metric::FilesystemInodes,
        Above,
        0.9,
        0.88,
        300.0,
        Warning,
        "many small files: find the directory that grows",
    ),
    (
        "memory nearly gone",
        Metric::MemoryAvailable,
        Below,
        128.0 * MIB,
        192.0 * MIB,
        60.0,
        Critical,
        "the kernel will kill: stop or limit what grows",
    ),
    (
        "tasks wait for memory",
        Metric::PressureMemoryFull,
        Above,
        0.1,
        0.03,
        60.0,
        Critical,
        "nothing gets on while all wait for memory",
    ),
    ("swapping hard", Metric::SwapIn, Above, 32.0 * MIB, 8.0 * MIB, 120.0, Warning, "the working set does not fit"),
    ("tasks wait for the cpu", Metric::PressureCpuSome, Above, 0.8, 0.6, 600.0, Warning, "look at the findings: who holds the cpu"),
    ("tasks wait for disks", Metric::PressureIoFull, Above, 0.5, 0.25, 300.0, Warning, "look at the findings: which disk, by whom"),
    (
        "cpu stolen",
        Metric::CpuSteal,
        Above,
        0.3,
        0.15,
        600.0,
        Warning,
        "the hypervisor gives our time to others: move, or ask its owner",
    ),
    ("interface loses packets", Metric::NetDrops, Above, 50.0, 5.0, 120.0, Warning, "cable, speed, ring buffer, or a full backlog"),
    (
        "connection tracking nearly full",
        Metric::ConntrackUsed,
        Above,
        0.9,
        0.8,
        60.0,
        Critical,
        "new connections are dropped when it is full",
    ),
    ("too hot", Metric::Temperature, Above, 95.0, 85.0, 60.0, Critical, "it throttles, then switches itself off"),
    ("service slow", Metric::ServiceP95, Above, 1.0, 0.7, 120.0, Warning, "set the limit that your users notice"),
];

/// Rules that stand there to be switched on, for their limit cannot be known.
const OFF: &[&str] = &["service slow"];

/// All of them.
pub fn built_in() -> Vec<Rule> {
    let rule = |row: &Row| {
        let (name, metric, side, limit, clear, span, severity, note) = *row;
        let enabled = !OFF.contains(&name);
        Rule { name: name.into(), metric, subject: "any".into(), side, limit, clear, span, severity, note: note.into(), enabled }
    };
    ROWS.iter().map(rule).collect()
}
