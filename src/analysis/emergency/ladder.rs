//! The ladder of each emergency: rungs in the order in which they would be climbed, with their targets. Made anew each second from the
//! newest snapshot, so that in the emergency nothing is left to think of.

use crate::{
    analysis::emergency::targets::{self, Target},
    model::{
        emergency::{EmergencyKind, Reach, Rung, RungState},
        limits::Rescue,
        proposal::Want,
        subject::Subject,
        unit::Unit,
        world::World,
    },
};
use std::collections::BTreeSet;

/// Targets of one ladder: who is hit first, and who next.
const TARGETS: usize = 2;
const MIB: u64 = 1 << 20;
/// Taken back by one rung at most, and at least.
const RECLAIM: (u64, u64) = (16 * MIB, 512 * MIB);
/// What logs may keep when a disk is full.
const LOGS: u64 = 64 * MIB;
/// A bound on writing is at least this, in bytes per second: nobody is to hang in D.
const WRITE: f64 = 1_048_576.0;
/// Entries of queues and tables in a flood.
const SYN_BACKLOG: u64 = 16_384;

/// The ladder against `kind`. Whoever is in `spared` was found to be protected and is passed by.
pub fn of(kind: EmergencyKind, world: &World<'_>, rule: &Rescue, spared: &BTreeSet<Subject>) -> Vec<Rung> {
    let free = |all: Vec<Target>| -> Vec<Target> { all.into_iter().filter(|t| !spared.contains(&t.on)).take(TARGETS).collect() };
    let mut ladder = match kind {
        EmergencyKind::Memory => memory(world, &free(targets::growing(world))),
        EmergencyKind::Space => space(&free(targets::writing(world))),
        EmergencyKind::Forks => forks(world, &free(targets::multiplying(world))),
        EmergencyKind::Io => io(world, &free(targets::writing(world))),
        EmergencyKind::Connections => connections(world),
        EmergencyKind::Heat => heat(world, &free(targets::burning(world))),
    };
    for rung in ladder.iter_mut().filter(|rung| rung.reach > rule.rungs) {
        rung.state = RungState::Barred(format!("the configuration allows rungs up to {}", rule.rungs.words()));
    }
    ladder
}

fn rung(reach: Reach, title: String, on: &Subject, to: impl Into<String>) -> Rung {
    let wants = vec![Want { on: on.clone(), to: to.into() }];
    Rung { reach, title: short(title), wants, state: RungState::Waiting, change: None }
}

/// At most 60 characters, the end of a path rather than its beginning.
fn short(title: String) -> String {
    let count = title.chars().count();
    if count <= 60 {
        return title;
    }
    let (verb, rest) = title.split_once(' ').unwrap_or((&title, ""));
    let keep = 60_usize.saturating_sub(verb.chars().count() + 4);
    let tail: String = rest.chars().skip(rest.chars().count().saturating_sub(keep)).collect();
    format!("{verb} ...{tail}")
}

fn whom(target: &Target) -> String {
    match &target.on {
        Subject::Process(id) => format!("{} ({})", target.name, id.pid),
        _ => target.name.to_string(),
    }
}

fn pause(target: &Target) -> Rung {
    let verb = if matches!(target.on, Subject::Process(_)) { "stop" } else { "freeze" };
    rung(Reach::Freeze, format!("{verb} {}", whom(target)), &target.on, verb)
}

fn end(target: &Target, reach: Reach) -> Rung {
    let (verb, words) = if reach == Reach::Term { ("term", "SIGTERM to") } else { ("kill", "kill") };
    rung(reach, format!("{words} {}", whom(target)), &target.on, verb)
}

fn memory(world: &World<'_>, all: &[Target]) -> Vec<Rung> {
    let mut ladder = Vec::new();
    if let Some(Target { on: on @ Subject::Cgroup(path), .. }) = all.first()
        && let Some(used) = world.snapshot.cgroup(path).and_then(|group| group.memory)
    {
        let some = (used / 4).clamp(RECLAIM.0, RECLAIM.1) / MIB * MIB;
        ladder.push(rung(
            Reach::Ease,
            format!("reclaim {} from {path}", Unit::Bytes.show(some as f64)),
            on,
            format!("reclaim {some}"),
        ));
        let high = (used / MIB * MIB).max(MIB);
        ladder.push(rung(Reach::Ease, format!("high {} for {path}", Unit::Bytes.show(high as f64)), on, format!("high {high}")));
    }
    ladder.extend(all.iter().map(pause));
    for target in all {
        ladder.extend([Reach::Term, Reach::Kill].map(|reach| end(target, reach)));
    }
    ladder
}

/// Never anything of a user's: logs that the system keeps for itself, then whoever writes is paused.
fn space(all: &[Target]) -> Vec<Rung> {
    let logs = format!("shrink the journal of systemd to {}", Unit::Bytes.show(LOGS as f64));
    let mut ladder = vec![rung(Reach::Ease, logs, &Subject::Host, format!("vacuum {LOGS}"))];
    ladder.extend(all.first().map(pause));
    ladder
}

fn forks(world: &World<'_>, all: &[Target]) -> Vec<Rung> {
    let mut ladder = Vec::new();
    // A single process is no bomb; its group is.
    let Some(target) = all.iter().find(|target| matches!(target.on, Subject::Cgroup(_))) else { return ladder };
    if let Subject::Cgroup(path) = &target.on
        && let Some(now) = world.snapshot.cgroup(path).and_then(|group| group.pids).filter(|now| *now > 0)
    {
        ladder.push(rung(Reach::Ease, format!("pids.max {now} for {path}"), &target.on, format!("pids {now}")));
    }
    ladder.push(pause(target));
    ladder.push(end(target, Reach::Kill));
    ladder
}

fn io(world: &World<'_>, all: &[Target]) -> Vec<Rung> {
    let mut ladder = Vec::new();
    let disks = world.snapshot.disks.known();
    let busiest = disks.into_iter().flatten().max_by(|a, b| a.write.total_cmp(&b.write));
    if let (Some(target), Some(disk)) = (all.first(), busiest)
        && let Subject::Cgroup(path) = &target.on
    {
        let bound = (target.weight / 4.0).max(WRITE);
        let words = format!("at most {} written to {} by {path}", Unit::BytesPerSecond.show(bound), disk.name);
        let (major, minor) = disk.device;
        ladder.push(rung(Reach::Ease, words, &target.on, format!("write {major}:{minor} {bound:.0}")));
    }
    ladder.extend(all.first().map(pause));
    ladder
}

fn connections(world: &World<'_>) -> Vec<Rung> {
    let set = |path: &str, value: u64| {
        let name = path.rsplit('/').next().unwrap_or(path);
        rung(Reach::Ease, format!("{name} {value}"), &Subject::Host, format!("raise {path} {value}"))
    };
    let mut ladder = vec![set("proc/sys/net/ipv4/tcp_syncookies", 1), set("proc/sys/net/ipv4/tcp_max_syn_backlog", SYN_BACKLOG)];
    let own = world.snapshot.tcp.known().and_then(|all| all.first());
    if let Some([_, most]) = own.and_then(|tcp| tcp.conntrack) {
        ladder.push(set("proc/sys/net/netfilter/nf_conntrack_max", most.saturating_mul(2)));
    }
    ladder
}

/// Every clock at four fifths, then whoever can wait is paused.
fn heat(world: &World<'_>, all: &[Target]) -> Vec<Rung> {
    let policies = world.snapshot.hardware.known().map(|h| h.policies.as_slice()).unwrap_or_default();
    let wants: Vec<Want> = policies
        .iter()
        .filter_map(|policy| {
            let first = policy.cpus.first()?;
            let path = format!("sys/devices/system/cpu/cpufreq/policy{first}/scaling_max_freq");
            Some(Want { on: Subject::Host, to: format!("set {path} {}", policy.most / 1000 * 4 / 5) })
        })
        .collect();
    let mut ladder = Vec::new();
    if !wants.is_empty() {
        let title = "clocks at 80 % of what they can do".into();
        ladder.push(Rung { reach: Reach::Ease, title, wants, state: RungState::Waiting, change: None });
    }
    ladder.extend(all.first().map(pause));
    ladder
}
