//! One control group: its numbers, and the knobs that are set on it.

use crate::{
    model::{
        sample::CgroupVersion,
        snapshot::{Cgroup, Gap, Reading},
        unit::Unit,
    },
    ui::{panels::reader::Prose, state::State, words},
};

/// Writes the page; returns its title.
pub fn write(state: &State, path: &str, prose: &mut Prose<'_>) -> String {
    let theme = prose.theme;
    let snapshot = &state.shown().snapshot;
    let title = format!("control group {path}");
    let Some(group) = snapshot.cgroup(path) else {
        let why = match &snapshot.cgroups {
            Reading::Gap(Gap { why, .. }) => format!("Not known: {why}"),
            Reading::Initializing => "Not read yet.".into(),
            Reading::Known(_) => "No controller that is watched has this control group, or it is gone.".into(),
        };
        prose.text(&why, theme.dim);
        return title;
    };
    for (label, name) in [("unit", &group.unit), ("container", &group.container)] {
        if let Some(name) = name {
            prose.field(label, name, theme.text);
        }
    }
    let version = if group.version == CgroupVersion::V1 { "v1" } else { "v2" };
    prose.field("version", &format!("{version} shares the cpu here"), theme.text);
    let tasks = format!("{} in it, {} with those below ({} threads)", group.processes, group.processes_below, group.threads_below);
    prose.field("processes", &tasks, theme.text);
    prose.heading("Use");
    for (label, value) in used(state, group) {
        prose.field(label, &value, theme.text);
    }
    prose.heading("Knobs");
    for (label, value) in knobs(group) {
        prose.field(label, &value, theme.text);
    }
    title
}

fn bytes(value: Option<u64>) -> String {
    words::maybe(Unit::Bytes, value.map(|bytes| bytes as f64))
}

/// A limit; none is a fact, not a gap.
fn limit(value: Option<String>) -> String {
    value.unwrap_or_else(|| "none".into())
}

fn used(state: &State, group: &Cgroup) -> Vec<(&'static str, String)> {
    let cpus = state.shown().facts.cpus as usize;
    let cpu = group.cpu.map_or_else(|| "-".into(), |cores| state.basis.of_process(cores, cpus));
    let of = if state.basis == crate::ui::basis::Basis::Machine { "of the machine" } else { "of one core" };
    let throttled = match (group.throttled, group.throttled_time) {
        (Some(share), Some(time)) => {
            format!("{} of the periods, {}", Unit::Share.show(share), Unit::SecondsPerSecond.show(time))
        }
        _ => "no period in this window".into(),
    };
    let moved = |which: usize| words::maybe(Unit::BytesPerSecond, group.io.and_then(|io| io.get(which).copied()));
    let pressure = |shares: Option<[f64; 3]>| {
        let show = |at: usize| words::maybe(Unit::Share, shares.and_then(|all| all.get(at).copied()));
        format!("cpu {}, memory {}, io {}", show(0), show(1), show(2))
    };
    vec![
        ("cpu", format!("{cpu} {of}")),
        ("throttled", throttled),
        ("memory", format!("{} charged, {} at most, {} in swap", bytes(group.memory), bytes(group.memory_peak), bytes(group.swap))),
        ("storage", format!("{} read, {} written", moved(0), moved(1))),
        ("tasks", group.pids.map_or_else(|| "-".into(), |pids| pids.to_string())),
        ("some waited", pressure(group.pressure)),
        ("all waited", pressure(group.pressure_full)),
        ("oom kills", format!("{} in this window", group.oom_kills)),
    ]
}

fn knobs(group: &Cgroup) -> Vec<(&'static str, String)> {
    let (quota, weight, high) = match group.version {
        CgroupVersion::V1 => ("cpu.cfs_quota_us", "cpu.shares", None),
        CgroupVersion::V2 => ("cpu.max", "cpu.weight", Some("memory.high")),
    };
    let cores =
        group.quota.and_then(|quota| Some(format!("{} of {} us ({:.2} cores)", quota.quota?, quota.period, quota.cores()?)));
    let weight_now = group.weight.map_or_else(|| "-".into(), |weight| weight.to_string());
    let idle = if group.idle { ", runs only when nobody else wants to" } else { "" };
    let mut all = vec![
        ("quota", format!("{} ({quota})", limit(cores))),
        ("weight", format!("{weight_now}{idle} ({weight})")),
        ("memory", format!("limit {}", limit(group.memory_limit.map(|bytes| Unit::Bytes.show(bytes as f64))))),
        ("tasks", format!("limit {} (pids.max)", limit(group.pids_limit.map(|most| most.to_string())))),
    ];
    if let Some(name) = high {
        all.push((
            "",
            format!("slowed down above {} ({name})", limit(group.memory_high.map(|bytes| Unit::Bytes.show(bytes as f64)))),
        ));
    }
    all
}
