//! What is seen of each emergency now. A sign whose data are missing is not told at all: silence neither raises nor ends anything.

use crate::{
    analysis::{
        detect::Lane,
        emergency::targets,
        trouble::{
            crossing,
            limits::{IMAGES, Limit},
        },
    },
    model::{
        emergency::EmergencyKind,
        finding::{Evidence, Finding, FindingId, Level, Severity},
        limits::Rescue,
        metric::{Key, Metric},
        snapshot::Filesystem,
        subject::Subject,
        time::Wall,
        unit::Unit,
        world::World,
    },
};

/// Catalogue E2: full within so many seconds.
const SOON: f64 = 900.0;
/// Catalogue E2: share free.
const FREE: f64 = 0.02;
/// Catalogue E3: forks per second, and share of the numbers that there are.
const FORKS: f64 = 1000.0;
const NUMBERS: f64 = 0.8;
/// Catalogue E4: share of time in which all wait for disks, and tasks in that wait.
const IO_FULL: f64 = 0.4;
const BLOCKED: u64 = 5;
/// Catalogue E5, ten times what proposes N2 and N4: half-open requests dropped per second, share of connections tracked.
const DROPPED: f64 = 10.0;
const TRACKED: f64 = 0.95;
/// Catalogue E6: share of the critical temperature.
const HOT: f64 = 0.95;
/// Share of a threshold below which a sign is clear (catalogue B0).
const CLEAR: f64 = 0.7;

/// One sign of one emergency.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Of what.
    pub kind: EmergencyKind,
    /// Which sign of it.
    pub sign: &'static str,
    /// Seconds that it must hold without a break.
    pub sustain: f64,
    /// How far it holds.
    pub level: Level,
    /// It is clear at this very moment, whatever its average still says.
    pub eased: bool,
    /// What to show.
    pub finding: Finding,
}

/// What the signs of a lane say now. `waiting` is the share of the last moments in which all tasks waited, for memory and for disks.
pub fn look(lane: Lane, world: &World<'_>, rule: &Rescue, waiting: [f64; 2]) -> Vec<Sight> {
    let [memory, io] = waiting;
    let all = match lane {
        Lane::Fast => vec![pressure(world, rule, memory), available(world, rule), storm(world, io)],
        Lane::Sweep => vec![space(world), forks(world), flood(world), heat(world)],
    };
    all.into_iter().flatten().collect()
}

fn level(value: f64, threshold: f64) -> Level {
    match value {
        v if v >= threshold => Level::Over,
        v if v >= CLEAR * threshold => Level::Between,
        _ => Level::Clear,
    }
}

fn pressure(world: &World<'_>, rule: &Rescue, waiting: f64) -> Option<Sight> {
    let full = world.vitals.pressure.known()?.memory.full10;
    let by = targets::growing(world).into_iter().next().map_or_else(String::new, |t| format!("; {} grows most", t.name));
    let headline = format!("all tasks wait for memory {} of the time{by}", Unit::Share.show(full));
    let key = Key::host(Metric::PressureMemoryFull);
    Some(Sight {
        kind: EmergencyKind::Memory,
        sign: "pressure",
        sustain: 10.0,
        level: level(full, rule.memory_full),
        eased: waiting < CLEAR * rule.memory_full,
        finding: finding(
            EmergencyKind::Memory,
            Subject::Host,
            headline,
            fact(key, full, rule.memory_full, "/proc/pressure/memory"),
        ),
    })
}

fn available(world: &World<'_>, rule: &Rescue) -> Option<Sight> {
    let memory = world.vitals.memory.known().filter(|m| m.total > 0)?;
    let left = memory.available as f64 / memory.total as f64;
    let swap = if memory.swap_total == 0 { 0.0 } else { memory.swap_free as f64 / memory.swap_total as f64 };
    let short = rule.memory_available / left.max(1e-9);
    let level = if swap < 0.1 { level(short, 1.0) } else { Level::Clear };
    let swap_words = if memory.swap_total == 0 { "no swap".into() } else { format!("{} of swap free", Unit::Share.show(swap)) };
    let show = |bytes: u64| Unit::Bytes.show(bytes as f64);
    let headline = format!("{} of {} memory available, {swap_words}", show(memory.available), show(memory.total));
    let key = Key::host(Metric::MemoryAvailable);
    let floor = rule.memory_available * memory.total as f64;
    Some(Sight {
        kind: EmergencyKind::Memory,
        sign: "available",
        sustain: 2.0,
        level,
        eased: level == Level::Clear,
        finding: finding(
            EmergencyKind::Memory,
            Subject::Host,
            headline,
            fact(key, memory.available as f64, floor, "/proc/meminfo"),
        ),
    })
}

fn storm(world: &World<'_>, waiting: f64) -> Option<Sight> {
    let full = world.vitals.pressure.known()?.io.full10;
    let blocked = world.vitals.cpu.known()?.blocked;
    let crowd = if blocked > BLOCKED { Level::Over } else { Level::Clear };
    let headline = format!("all tasks wait for disks {} of the time, {blocked} of them in it", Unit::Share.show(full));
    let key = Key::host(Metric::PressureIoFull);
    Some(Sight {
        kind: EmergencyKind::Io,
        sign: "pressure",
        sustain: 5.0,
        // Few in the queue raise nothing, but do not end it either as long as everybody waits.
        level: if crowd == Level::Over { level(full, IO_FULL) } else { level(full, IO_FULL).min(Level::Between) },
        eased: waiting < CLEAR * IO_FULL,
        finding: finding(EmergencyKind::Io, Subject::Host, headline, fact(key, full, IO_FULL, "/proc/pressure/io")),
    })
}

/// The filesystem that is worst.
fn space(world: &World<'_>) -> Option<Sight> {
    let all = world.snapshot.filesystems.known()?;
    let mut worst = Sight {
        kind: EmergencyKind::Space,
        sign: "full",
        sustain: 3.0,
        level: Level::Clear,
        eased: true,
        finding: finding(
            EmergencyKind::Space,
            Subject::Host,
            String::new(),
            fact(Key::host(Metric::FilesystemUsed), 0.0, 1.0 - FREE, "statvfs"),
        ),
    };
    for (fs, used) in all.iter().filter(|fs| !fs.read_only && !IMAGES.contains(&&*fs.kind)).filter_map(|fs| Some((fs, fs.used()?)))
    {
        let left = ends(world, fs);
        let filling = left.is_some_and(|seconds| seconds < SOON);
        let level = match 1.0 - used {
            _ if filling => Level::Over,
            free if free < FREE => Level::Over,
            free if free < FREE / CLEAR => Level::Between,
            _ => Level::Clear,
        };
        if level > worst.level {
            let when = left.filter(|_| filling).map_or_else(String::new, |s| format!(", full in {}", Unit::Seconds.show(s)));
            let available = fs.space.map_or(0.0, |space| space.available as f64);
            let headline = format!("{} has {} left of {} in use{when}", fs.at, Unit::Bytes.show(available), Unit::Share.show(used));
            let key = Key::new(Subject::Filesystem(fs.at.clone()), Metric::FilesystemUsed);
            worst.level = level;
            worst.eased = false;
            worst.finding = finding(EmergencyKind::Space, key.subject.clone(), headline, fact(key, used, 1.0 - FREE, "statvfs"));
        }
    }
    Some(worst)
}

/// Seconds until a filesystem is full along the line that it fills on, where there is one to believe in.
fn ends(world: &World<'_>, fs: &Filesystem) -> Option<f64> {
    let key = Key::new(Subject::Filesystem(fs.at.clone()), Metric::FilesystemUsed);
    let limit = Limit { key: key.clone(), limit: 1.0, of: "space".into(), floor: false };
    let found = crossing::along(world.series.get(&key)?, &limit, world.now.tick, world.thresholds.trouble_horizon)?;
    found.likely.filter(|_| found.confidence >= world.thresholds.trouble_confidence.max(0.8))
}

fn forks(world: &World<'_>) -> Option<Sight> {
    let forks = world.vitals.cpu.known()?.forks;
    let (used, whose) = targets::numbers(world);
    let level = if used > NUMBERS { level(forks, FORKS) } else { level(forks, FORKS).min(Level::Between) };
    let headline = format!("{forks:.0} forks per second, {} of the tasks of {whose} in use", Unit::Share.show(used));
    let key = Key::host(Metric::ContextSwitches);
    let mut fact = fact(key, 0.0, 0.0, "/proc/stat");
    fact.value = world.vitals.cpu.known()?.context_switches;
    fact.threshold = None;
    Some(Sight {
        kind: EmergencyKind::Forks,
        sign: "forks",
        sustain: 1.0,
        level,
        eased: forks < CLEAR * FORKS,
        finding: finding(EmergencyKind::Forks, Subject::Host, headline, fact),
    })
}

fn flood(world: &World<'_>) -> Option<Sight> {
    let own = world.snapshot.tcp.known()?.first()?;
    let tracked = own.conntrack.filter(|[_, most]| *most > 0).map_or(0.0, |[used, most]| used as f64 / most as f64);
    let level = level(own.syn_drops, DROPPED).max(level(tracked, TRACKED));
    let headline = format!(
        "{:.0} half-open connections dropped per second, {} of connection tracking in use",
        own.syn_drops,
        Unit::Share.show(tracked)
    );
    let fact = fact(Key::host(Metric::ConntrackUsed), tracked, TRACKED, "nf_conntrack_count, TcpExt");
    Some(Sight {
        kind: EmergencyKind::Connections,
        sign: "flood",
        sustain: 5.0,
        level,
        eased: level == Level::Clear,
        finding: finding(EmergencyKind::Connections, Subject::Host, headline, fact),
    })
}

fn heat(world: &World<'_>) -> Option<Sight> {
    let hardware = world.snapshot.hardware.known()?;
    let hottest = hardware.hottest()?;
    let (value, critical) = (hottest.value?, hottest.critical?);
    let rises = [hardware.core_throttles, hardware.package_throttles].into_iter().flatten().any(|(rate, _)| rate > 0.0);
    let near = value / critical.max(1.0);
    let level = match (rises, near) {
        (true, near) if near > HOT => Level::Over,
        // A few degrees are all there is between well and throttled.
        (_, near) if near > HOT - 0.05 => Level::Between,
        _ => Level::Clear,
    };
    let headline = format!("{} {} is at {value:.0} of {critical:.0} degrees and throttled", hottest.chip, hottest.label);
    let mut fact = fact(Key::host(Metric::CpuBusy), 0.0, 0.0, "/sys/class/hwmon");
    fact.value = world.vitals.cpu.known().map_or(0.0, |cpu| cpu.total.busy());
    fact.threshold = None;
    Some(Sight {
        kind: EmergencyKind::Heat,
        sign: "throttled",
        sustain: 5.0,
        level,
        eased: !rises,
        finding: finding(EmergencyKind::Heat, Subject::Host, headline, fact),
    })
}

fn fact(key: Key, value: f64, threshold: f64, from: &str) -> Evidence {
    Evidence { metric: key.metric, subject: key.subject, value, threshold: Some(threshold), from: from.into() }
}

fn finding(kind: EmergencyKind, subject: Subject, headline: String, fact: Evidence) -> Finding {
    Finding {
        id: FindingId { kind: kind.finding(), subject },
        severity: Severity::Critical,
        headline: headline.chars().take(100).collect(),
        evidence: vec![fact],
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: Vec::new(),
        advice: None,
        impact: 1.0,
        // Above everything else.
        priority: 2.0,
        since: Wall::default(),
        crossing: None,
    }
}
