//! Storage: disks led by latency and queue, since a parallel device that is always busy may be far from full; filesystems by fullness.

mod expanded;

use crate::{
    model::{
        ahead::{about, seconds},
        metric::{Key, Metric},
        snapshot::{Disk, Filesystem, Reading, Snapshot},
        subject::Subject,
        unit::Unit,
    },
    ui::{
        canvas::Canvas,
        chart,
        frame::{frame, known, note},
        pane::Pane,
        panels::network::pair,
        state::State,
        words::{self, is_quiet},
    },
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

/// A mebibyte per second: below it the chart is quiet.
const LEAST: f64 = 1_048_576.0;

/// Rows from which on there is room for everything.
const ROOMY: u16 = 15;

/// Share of inodes in use that is critical: the last of them go fast.
const LEAST_INODES: f64 = 0.95;

/// Draws the pane.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    let snapshot = &state.shown().snapshot;
    let inner = frame(state, Pane::Storage, title(state, snapshot), area, buf);
    let mut canvas = Canvas::new(inner, buf);
    let (width, height) = (canvas.width(), canvas.height());
    let Some(disks) = known(state, &snapshot.disks, 0, &mut canvas) else { return };
    if height >= ROOMY {
        return expanded::draw(state, disks, canvas);
    }
    let disks = worth_a_row(disks);
    let full = by_fullness(snapshot);
    let disks = the_busiest(disks, usize::from(height / 3).max(1));
    let listed = disks.len().max(1) as u16 + 1;
    let filled = full.len().clamp(1, usize::from(height / 5).max(1)) as u16;
    let tall = height.saturating_sub(listed + filled);
    let tall = if tall >= 2 { tall } else { 0 };
    history(state, &disks, canvas.part(0, 0, width, tall));
    table(state, &disks, canvas.part(0, tall, width, listed));
    let rest = height.saturating_sub(tall + listed);
    filesystems(state, &full, canvas.part(0, tall + listed, width, rest));
    if snapshot.filesystems.known().is_none() {
        known(state, &snapshot.filesystems, tall + listed, &mut canvas);
    }
}

fn title(state: &State, snapshot: &Snapshot) -> Line<'static> {
    let theme = state.theme();
    match &snapshot.vitals.pressure {
        Reading::Known(p) => note(format!("pressure {}", Unit::Share.show(p.io.some)), theme.level(p.io.some, 0.3, 0.6)),
        _ => Line::default(),
    }
}

/// Disks that did something or could; memory disks and loops only while they work.
fn worth_a_row(disks: &[Disk]) -> Vec<&Disk> {
    let idle = |d: &Disk| d.reads + d.writes == 0.0 && d.queue == 0.0;
    let virtual_one = |d: &Disk| ["loop", "ram", "zram"].iter().any(|kind| d.name.starts_with(kind));
    let mut rows: Vec<&Disk> = disks.iter().filter(|d| !(virtual_one(d) && idle(d))).collect();
    rows.sort_by_key(|d| (virtual_one(d), d.name.clone()));
    rows
}

/// At most `most` disks: those with most to do, in the order of their names.
fn the_busiest(mut rows: Vec<&Disk>, most: usize) -> Vec<&Disk> {
    if rows.len() > most {
        rows.sort_by(|a, b| b.busy.total_cmp(&a.busy).then_with(|| a.name.cmp(&b.name)));
        rows.truncate(most);
        rows.sort_by(|a, b| a.name.cmp(&b.name));
    }
    rows
}

fn by_fullness(snapshot: &Snapshot) -> Vec<&Filesystem> {
    // What lives in memory is of interest once it fills up.
    let in_memory = |f: &Filesystem| matches!(&*f.kind, "tmpfs" | "devtmpfs" | "ramfs") && f.used().unwrap_or(0.0) < 0.5;
    let mut rows: Vec<&Filesystem> = snapshot.filesystems.known().into_iter().flatten().filter(|f| !in_memory(f)).collect();
    // One that hangs comes first: it is worse than full.
    let order = |f: &Filesystem| if f.stale.is_some() { 2.0 } else { scarcest(f).map_or(-1.0, |(used, _)| used) };
    rows.sort_by(|a, b| order(b).total_cmp(&order(a)).then_with(|| a.at.cmp(&b.at)));
    rows
}

/// What a filesystem runs out of first, by share in use: space, or inodes when they are nearly gone before it.
fn scarcest(filesystem: &Filesystem) -> Option<(f64, Scarce)> {
    let space = filesystem.used().map(|used| (used, Scarce::Space));
    let inodes = filesystem.inodes_used().filter(|used| *used >= 0.85).map(|used| (used, Scarce::Inodes));
    space.into_iter().chain(inodes).max_by(|(a, _), (b, _)| a.total_cmp(b))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scarce {
    Space,
    Inodes,
}

fn history(state: &State, disks: &[&Disk], mut canvas: Canvas<'_>) {
    let theme = state.theme();
    let of = |metric| disks.iter().map(|disk| Key::new(Subject::Disk(disk.name.clone()), metric)).collect::<Vec<_>>();
    let (read, written) = (of(Metric::DiskRead), of(Metric::DiskWrite));
    pair(state, (&read, &written), LEAST, [theme.chart, theme.second], &mut canvas);
}

fn table(state: &State, disks: &[&Disk], mut canvas: Canvas<'_>) {
    let theme = state.theme();
    let width = canvas.width();
    // From the right; what does not fit is left out from the least important on.
    let columns: &[(&str, u16)] = match width {
        0..48 => &[("latency", 9), ("read", 10), ("write", 10)],
        48..66 => &[("latency", 9), ("read", 10), ("write", 10), ("queue", 7)],
        _ => &[("latency", 9), ("read", 10), ("write", 10), ("iops", 9), ("queue", 7), ("busy time", 10)],
    };
    let wide: u16 = columns.iter().map(|(_, w)| w).sum();
    let start = width.saturating_sub(wide);
    canvas.text(0, 0, "disk", theme.dim);
    for (y, disk) in std::iter::once(None).chain(disks.iter().map(Some)).enumerate() {
        let y = y as u16;
        let mut end = start;
        if let Some(disk) = disk {
            canvas.short(0, y, start, &disk.name, theme.text);
        }
        for (name, wide) in columns {
            end += wide;
            match disk {
                None => canvas.right(end, y, name, theme.dim),
                Some(disk) => {
                    let (text, latency) = number(name, disk);
                    let style = match (is_quiet(&text), latency) {
                        (true, _) => theme.dim,
                        (false, Some(seconds)) => theme.level(seconds, 0.02, 0.1),
                        (false, None) => theme.text,
                    };
                    canvas.right(end, y, &text, style);
                }
            }
        }
    }
}

/// The text of a column, and for latency the seconds that colour it.
fn number(column: &str, disk: &Disk) -> (String, Option<f64>) {
    match column {
        "latency" => (words::maybe(Unit::Seconds, disk.latency), disk.latency),
        "read" => (Unit::BytesPerSecond.show(disk.read), None),
        "write" => (Unit::BytesPerSecond.show(disk.write), None),
        "iops" => (Unit::PerSecond.show((disk.reads + disk.writes).round()), None),
        "queue" => (format!("{:.1}", disk.queue), None),
        _ => (Unit::Share.show(disk.busy), None),
    }
}

/// Between which times a filesystem is foreseen to be full, while charts show what is coming.
fn full_in(state: &State, filesystem: &Filesystem) -> Option<String> {
    let outlook = state.shown().outlook.as_ref().filter(|_| !state.foresight.hidden)?;
    let key = Key::new(Subject::Filesystem(filesystem.at.clone()), Metric::FilesystemUsed);
    let (forecast, now) = (outlook.chief(&key)?, state.shown().now.wall);
    let crossing = forecast.crossing.as_ref().filter(|crossing| crossing.likely.is_some())?;
    let left = |time: f64| about((time - seconds(forecast.made, now)).max(0.0));
    let earliest = left(crossing.earliest.or(crossing.likely)?);
    Some(match crossing.latest {
        Some(latest) => format!("full in {earliest} to {}", left(latest)),
        None => format!("full in {earliest} or later"),
    })
}

fn filesystems(state: &State, all: &[&Filesystem], mut canvas: Canvas<'_>) {
    let theme = state.theme();
    let width = canvas.width();
    let bar = width.saturating_sub(44).clamp(4, 16);
    // When it is full takes more room than what is free.
    let full: Vec<Option<String>> = all.iter().map(|row| full_in(state, row)).collect();
    let taken = bar + full.iter().flatten().map(|text| text.len() as u16 + 10).fold(28, u16::max);
    for (y, (row, full)) in (0..canvas.height()).zip(all.iter().zip(full)) {
        let (used, scarce) = scarcest(row).unwrap_or((0.0, Scarce::Space));
        let style = theme.level(used, 0.85, LEAST_INODES);
        let at = canvas.short(0, y, width.saturating_sub(taken), &row.at, theme.text).max(width.saturating_sub(taken));
        if let Some(stale) = row.stale {
            canvas.right(width, y, &format!("stale {}", words::span(stale)), theme.critical);
        } else if let Some(space) = row.space {
            let x = canvas.text(at + 1, y, &chart::bar(used, bar.into(), state.look.ink), style);
            canvas.right(x + 8, y, &Unit::Share.show(used), style);
            match scarce {
                _ if full.is_some() => canvas.right(width, y, &full.unwrap_or_default(), theme.warning),
                Scarce::Space if row.read_only => canvas.right(width, y, "read-only", theme.dim),
                Scarce::Space => canvas.right(width, y, &format!("{} free", Unit::Bytes.show(space.available as f64)), theme.dim),
                Scarce::Inodes => canvas.right(width, y, &format!("{} inodes", Unit::Count.show(space.inodes_free as f64)), style),
            }
        } else {
            canvas.right(width, y, "no answer yet", theme.notice);
        }
    }
}
