//! Storage with room for everything: each disk's latencies with their percentiles, what it is made of and what is on it, and every
//! filesystem with its inodes.

use super::{LEAST_INODES, by_fullness, history, worth_a_row};
use crate::{
    model::{
        metric::{Key, Metric},
        sample::Space,
        snapshot::{Disk, Filesystem, Snapshot},
        subject::Subject,
        time::Tick,
        unit::Unit,
    },
    ui::{
        canvas::Canvas,
        frame::known,
        sheet::{Column, Row, Sheet},
        state::State,
        words,
    },
};
use ratatui::style::Style;
use std::sync::Arc;

/// Latency leads, then the queue: a parallel device that is busy all the time may be far from full.
const DISK: &[Column] = &[
    ("latency", 9),
    ("p95", 9),
    ("p99", 9),
    ("queue", 7),
    ("read", 10),
    ("write", 10),
    ("iops", 9),
    ("busy time", 11),
    ("reads", 9),
    ("writes", 9),
    ("flushes", 9),
    ("p50", 9),
    ("request", 10),
    ("in flight", 11),
    ("discards", 10),
];

const FILESYSTEM: &[Column] =
    &[("used", 8), ("free", 11), ("", 13), ("inodes", 9), ("size", 11), ("type", 9), ("inodes free", 13), ("device", 22)];

/// What the percentiles are of.
const HONEST: &str = "p50 p95 p99: of the means of each second over the last 10 min; the kernel counts no single requests";

/// Draws the inside of the pane.
pub fn draw(state: &State, disks: &[Disk], mut canvas: Canvas<'_>) {
    let snapshot = &state.shown().snapshot;
    let (width, height) = (canvas.width(), canvas.height());
    let disks = worth_a_row(disks);
    let all = by_fullness(snapshot);
    let listed = (disks.len() as u16 + 1).min(height / 4).max(2);
    let told = (disks.len() as u16).min(height / 5);
    let filled = (all.len() as u16 + 1).min(height / 3).max(2);
    let tall = height.saturating_sub(listed + told + filled + 3);
    let tall = if tall >= 3 { tall.min(height / 3) } else { 0 };
    history(state, &disks, canvas.part(0, 0, width, tall));
    let theme = state.theme();
    let rows: Vec<Row> = disks.iter().map(|disk| row(state, disk)).collect();
    let sheet = Sheet { name: ("disk", 9), columns: DISK, rows: &rows, quiet: theme.dim, style: theme.text };
    let mut y = tall + sheet.draw(&mut canvas.part(0, tall, width, listed));
    canvas.short(0, y, width, HONEST, theme.dim);
    y += 1;
    for disk in disks.iter().take(told.into()) {
        canvas.short(0, y, width, &made_of(disk, snapshot), theme.dim);
        y += 1;
    }
    if disks.iter().any(|disk| disk.is_parallel() && disk.busy >= 0.9) {
        canvas.short(0, y, width, "busy all the time is not full for a device that works on many requests at once", theme.notice);
    }
    y += 1;
    if known(state, &snapshot.filesystems, y, &mut canvas).is_none() {
        return;
    }
    let rows: Vec<Row> = all.iter().map(|filesystem| mounted(state, filesystem)).collect();
    let sheet = Sheet { name: ("filesystem", 24), columns: FILESYSTEM, rows: &rows, quiet: theme.dim, style: theme.text };
    sheet.draw(&mut canvas.part(0, y, width, height.saturating_sub(y)));
}

fn row(state: &State, disk: &Disk) -> Row {
    let theme = state.theme();
    let time = |seconds: Option<f64>| {
        (words::maybe(Unit::Seconds, seconds), seconds.map_or(theme.dim, |seconds| theme.level(seconds, 0.02, 0.1)))
    };
    let plain = |text: String| (text, theme.text);
    let [p50, p95, p99] = percentiles(state, disk, state.shown().now.tick);
    let moved = disk.reads + disk.writes;
    let size = if moved > 0.0 { Some((disk.read + disk.write) / moved) } else { None };
    let cells = vec![
        time(disk.latency),
        time(p95),
        time(p99),
        plain(format!("{:.1}", disk.queue)),
        plain(Unit::BytesPerSecond.show(disk.read)),
        plain(Unit::BytesPerSecond.show(disk.write)),
        plain(Unit::PerSecond.show(moved.round())),
        plain(Unit::Share.show(disk.busy)),
        time(disk.read_latency),
        time(disk.write_latency),
        time(disk.flush_latency),
        time(p50),
        plain(words::maybe(Unit::Bytes, size)),
        plain(Unit::Count.show(disk.in_flight as f64)),
        plain(Unit::BytesPerSecond.show(disk.discarded)),
    ];
    Row { name: disk.name.to_string(), cells }
}

/// Of the one-second means of latency that are remembered, up to the moment that is shown.
fn percentiles(state: &State, disk: &Disk, now: Tick) -> [Option<f64>; 3] {
    let key = Key::new(Subject::Disk(disk.name.clone()), Metric::DiskLatency);
    let series = state.history.get(&key);
    let mut all: Vec<f64> = series.map(|s| s.points().filter(|p| p.at <= now).map(|p| p.value).collect()).unwrap_or_default();
    all.sort_unstable_by(f64::total_cmp);
    [50, 95, 99].map(|percent| rank(&all, percent))
}

/// The least value that so many percent of them do not exceed; `None` of fewer than ten.
fn rank(sorted: &[f64], percent: usize) -> Option<f64> {
    if sorted.len() < 10 {
        return None;
    }
    sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied()
}

/// Size, kind and settings of a disk, what it stands on and what stands on it.
fn made_of(disk: &Disk, snapshot: &Snapshot) -> String {
    let mut parts = vec![disk.name.to_string()];
    if let Some(settings) = &disk.settings {
        let kind = if settings.rotational { "rotating" } else { "solid state" };
        let ahead = Unit::Bytes.show(settings.read_ahead as f64 * 1024.0);
        parts.push(Unit::Bytes.show(settings.size as f64));
        parts.push(format!("{kind}, {}, {} requests, read-ahead {ahead}", settings.scheduler, settings.requests));
    }
    if let Some(layout) = &disk.layout {
        if !layout.model.is_empty() {
            parts.insert(1, layout.model.to_string());
        }
        if layout.hardware_queues > 1 {
            parts.push(format!("{} hardware queues", layout.hardware_queues));
        }
        let named = |what: &str, names: &[Arc<str>]| (!names.is_empty()).then(|| format!("{what} {}", names.join(" ")));
        parts.extend(named("on", &layout.slaves));
        parts.extend(named("under", &layout.holders));
    }
    let mounts: Vec<&str> = mounts(disk, snapshot).map(|f| &*f.at).collect();
    if !mounts.is_empty() {
        parts.push(format!("has {}", mounts.join(" ")));
    }
    parts.join(" · ")
}

/// The filesystems on a disk or on its partitions, by device number, or by name for those (btrfs) that have a number of their own.
fn mounts<'s>(disk: &'s Disk, snapshot: &'s Snapshot) -> impl Iterator<Item = &'s Filesystem> {
    let parts = disk.layout.as_ref().map(|layout| layout.partitions.as_slice()).unwrap_or_default();
    let is_on = move |f: &&Filesystem| {
        let device = f.device.strip_prefix("/dev/").unwrap_or("");
        let mut all = parts.iter().map(|(name, number)| (&**name, *number)).chain([(&*disk.name, disk.device)]);
        all.any(|(name, number)| name == device || (number != (0, 0) && number == f.number))
    };
    snapshot.filesystems.known().into_iter().flatten().filter(is_on)
}

fn mounted(state: &State, filesystem: &Filesystem) -> Row {
    let theme = state.theme();
    let share = |used: Option<f64>| -> (String, Style) {
        (words::maybe(Unit::Share, used), used.map_or(theme.dim, |used| theme.level(used, 0.85, LEAST_INODES)))
    };
    let quiet = |text: String| (text, theme.dim);
    let flags = match (filesystem.stale, filesystem.read_only) {
        (Some(seconds), _) => (format!("stale {}", words::span(seconds)), theme.critical),
        (None, true) => ("read-only".into(), theme.notice),
        (None, false) => (String::new(), theme.dim),
    };
    let space = filesystem.space;
    let bytes = |of: fn(&Space) -> u64| words::maybe(Unit::Bytes, space.as_ref().map(|s| of(s) as f64));
    let inodes = space.filter(|space| space.inodes > 0).map(|space| space.inodes_free as f64);
    let cells = vec![
        share(filesystem.used()),
        (bytes(|space| space.available), theme.text),
        flags,
        share(filesystem.inodes_used()),
        quiet(bytes(|space| space.total)),
        quiet(filesystem.kind.to_string()),
        quiet(words::maybe(Unit::Count, inodes)),
        quiet(filesystem.device.chars().take(20).collect()),
    ];
    Row { name: filesystem.at.to_string(), cells }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let all: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!([50, 95, 99].map(|percent| rank(&all, percent)), [Some(50.0), Some(95.0), Some(99.0)]);
        assert_eq!(rank(&all[..9], 50), None);
    }
}
