//! What a value must be besides of the right type.

use crate::{
    config::{address, complaint::Complaint, sections::Metrics},
    model::limits::{Budget, Foresight, Hysteresis, Keeping, Policy, Rescue, ServiceWatch, Thresholds},
};

/// Takes the name of a field and what is wrong with its value.
type Blame<'a> = &'a mut dyn FnMut(&str, String);

/// Shares are shares; all others are more than nothing.
pub(super) fn thresholds(t: &Thresholds, blame: Blame<'_>) {
    let shares = [
        ("cpu_pressure", t.cpu_pressure),
        ("cpu_busy", t.cpu_busy),
        ("steal", t.steal),
        ("throttled", t.throttled),
        ("throttled_idle", t.throttled_idle),
        ("memory_some", t.memory_some),
        ("memory_full", t.memory_full),
        ("memory_available", t.memory_available),
        ("leak_fit", t.leak_fit),
        ("io_some", t.io_some),
        ("io_full", t.io_full),
        ("descriptors", t.descriptors),
        ("ports", t.ports),
        ("filesystem", t.filesystem),
        ("files", t.files),
        ("tasks", t.tasks),
        ("host_tasks", t.host_tasks),
        ("softirq", t.softirq),
        ("direct_reclaim", t.direct_reclaim),
        ("high_order", t.high_order),
        ("slab", t.slab),
        ("remote_pages", t.remote_pages),
        ("clock", t.clock),
        ("deep_idle", t.deep_idle),
        ("wake_cost", t.wake_cost),
        ("trouble_confidence", t.trouble_confidence),
    ];
    for (name, value) in shares {
        if !(value > 0.0 && value <= 1.0) {
            blame(name, format!("`{name}` is a share: more than 0, at most 1 (0.25 is 25 %)"));
        }
    }
    let amounts = [
        ("run_delay", t.run_delay),
        ("hog_cores", t.hog_cores),
        ("swap_bytes", t.swap_bytes),
        ("leak_growth", t.leak_growth),
        ("disk_latency", t.disk_latency),
        ("disk_latency_rotational", t.disk_latency_rotational),
        ("dirty_seconds", t.dirty_seconds),
        ("dirty_bytes", t.dirty_bytes),
        ("overflows", t.overflows),
        ("allocation_stalls", t.allocation_stalls),
        ("compaction_stalls", t.compaction_stalls),
        ("trouble_horizon", t.trouble_horizon),
    ];
    for (name, value) in amounts {
        if !(value.is_finite() && value > 0.0) {
            blame(name, format!("`{name}` must be more than 0"));
        }
    }
}

/// An address must be one.
pub(super) fn metrics(m: &Metrics, blame: Blame<'_>) {
    if let Some(Err(why)) = m.listen.as_deref().map(address::parse) {
        blame("listen", why);
    }
}

/// A finding must be possible, and must be able to end.
pub(super) fn hysteresis(h: &Hysteresis, blame: Blame<'_>) {
    if !(1..=600).contains(&h.looks) {
        blame("looks", "`looks` is 1 to 600".into());
    }
    if h.raise < 1 || h.raise > h.looks {
        let name = if h.raise < 1 || h.raise != Hysteresis::default().raise { "raise" } else { "looks" };
        blame(name, format!("`raise` ({}) is 1 to `looks` ({})", h.raise, h.looks));
    }
    if !(1..=600).contains(&h.urgent) {
        blame("urgent", "`urgent` is 1 to 600; more than `raise` counts as `raise`".into());
    }
    if !(1..=3600).contains(&h.clear) {
        blame("clear", "`clear` is 1 to 3600".into());
    }
}

/// Times are positive and windows long enough to judge by.
pub(super) fn policy(p: &Policy, blame: Blame<'_>) {
    for (name, value) in [("approval", p.approval), ("proposal", p.proposal), ("grace", p.grace)] {
        if !(1.0..=86_400.0).contains(&value) {
            blame(name, format!("`{name}` is 1 to 86400 seconds"));
        }
    }
    if !(1..=1000).contains(&p.rejections) {
        blame("rejections", "`rejections` is 1 to 1000".into());
    }
    if !(p.veto >= 0.0 && p.veto <= 366.0 * 86_400.0) {
        blame("veto", "`veto` is in seconds: 0 to 31622400 (604800 is a week)".into());
    }
    if !(p.regret > 0.0 && p.regret <= 1.0) {
        blame("regret", "`regret` is a share: more than 0, at most 1 (0.05 is 5 %)".into());
    }
    if !(p.foresight > 0.0 && p.foresight <= 1.0) {
        blame("foresight", "`foresight` is a share: more than 0, at most 1 (0.85 is 85 %)".into());
    }
    for (name, value) in [("harms", p.harms), ("per_hour", p.per_hour), ("flaps", p.flaps), ("high_per_day", p.high_per_day)] {
        if value > 1000 || (value == 0 && name == "harms") {
            blame(name, format!("`{name}` is at most 1000{}", if name == "harms" { ", and at least 1" } else { "" }));
        }
    }
    if p.stop.as_ref().is_some_and(|path| !path.starts_with('/')) {
        blame("stop", "`stop` is an absolute path".into());
    }
    let fits = |value: f64, least: f64| (least..=3600.0).contains(&value);
    if !(fits(p.windows.before, 5.0) && fits(p.windows.settle, 0.0) && fits(p.windows.after, 5.0)) {
        blame("windows", "`before` and `after` are 5 to 3600 seconds, `settle` 0 to 3600".into());
    }
}

/// A history has room for at least its open blocks.
pub(super) fn history(h: &Keeping, blame: Blame<'_>) {
    if !((8 << 20)..=(1 << 40)).contains(&h.bytes) {
        blame("bytes", "`bytes` is 8388608 (8 MiB) to 1099511627776 (1 TiB)".into());
    }
}

/// Whoever looks ahead needs some time to do so, and does not look further than is kept.
pub(super) fn foresight(f: &Foresight, blame: Blame<'_>) {
    if !(f.cpu >= 0.0005 && f.cpu <= 1.0) {
        blame("cpu", "`cpu` is in cores: 0.0005 to 1 (0.01 is one hundredth of one)".into());
    }
    if !(60.0..=Foresight::LONGEST).contains(&f.horizon) {
        blame("horizon", format!("`horizon` is 60 to {} seconds", Foresight::LONGEST));
    }
}

/// A rung needs some time to show, and not so much that it is no rung any more.
pub(super) fn emergency(e: &Rescue, blame: Blame<'_>) {
    if !(1..=600).contains(&e.per_hour) {
        blame("per_hour", "`per_hour` is 1 to 600; `enabled: false` switches emergencies off".into());
    }
    if !(1.0..=5.0).contains(&e.patience) {
        blame("patience", "`patience` is 1 to 5 seconds".into());
    }
    if !(5.0..=3600.0).contains(&e.calm) {
        blame("calm", "`calm` is 5 to 3600 seconds".into());
    }
    for (name, value) in [("memory_full", e.memory_full), ("memory_available", e.memory_available)] {
        if !(value > 0.0 && value <= 1.0) {
            blame(name, format!("`{name}` is a share: more than 0, at most 1 (0.1 is 10 %)"));
        }
    }
    if !(1..=100).contains(&e.harms) {
        blame("harms", "`harms` is 1 to 100".into());
    }
}

/// What cannot be kept is no budget.
pub(super) fn budget(b: &Budget, blame: Blame<'_>) {
    if !(b.cpu >= 0.001 && b.cpu <= 1024.0) {
        blame("cpu", "`cpu` is in cores: at least 0.001 (0.01 is one hundredth of one)".into());
    }
    if b.resident < 8 << 20 {
        blame("resident", "`resident` is in bytes, at least 8388608 (8 MiB)".into());
    }
}

/// Names are unique, files absolute.
pub(super) fn services(all: &[(ServiceWatch, Complaint)], complaints: &mut Vec<Complaint>) {
    for (i, (service, at)) in all.iter().enumerate() {
        let mut blame = |why: String| complaints.push(Complaint { why, ..at.clone() });
        if service.name.trim().is_empty() {
            blame("a service needs a `name`".into());
        }
        if !service.file.starts_with('/') {
            blame(format!("`file` is an absolute path, not `{}`", service.file));
        }
        if service.histogram.trim().is_empty() {
            blame("a service needs the name of its `histogram`".into());
        }
        if all.iter().take(i).any(|(other, _)| other.name == service.name) {
            blame(format!("there are two services named `{}`", service.name));
        }
    }
}
