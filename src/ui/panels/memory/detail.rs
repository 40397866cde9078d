//! The pane of memory with room: every part of it, swap and what compresses, nodes, reclaim, and the formula of each number.

use super::{cells, history};
use crate::{
    model::{
        backing::{Backing, Node, SwapArea, Zram},
        sample::MemorySample,
        snapshot::{Memory, Snapshot, Vm},
        unit::Unit,
    },
    ui::{
        canvas::Canvas,
        frame::{Cell, grid},
        state::State,
        words,
    },
};

/// Rows that the chart has at least.
const CHART: u16 = 3;

/// Draws everything, what matters most first; what has no room is left out.
pub fn draw(state: &State, snapshot: &Snapshot, memory: &Memory, canvas: &mut Canvas<'_>) {
    let theme = state.theme();
    let (width, height) = (canvas.width(), canvas.height());
    let columns = (width / 26).clamp(2, 6);
    let mut numbers = cells(state, memory, &snapshot.vitals);
    numbers.extend(parts(state, memory));
    numbers.extend(snapshot.vitals.vm.known().into_iter().flat_map(|vm| paging(state, vm)));
    let limit = limit(snapshot);
    let rows: Vec<String> = snapshot.backing.known().into_iter().flat_map(|backing| behind(memory, backing)).collect();
    let notes = words::wrap(NOTES, width.into());
    let mut left = height.saturating_sub(CHART);
    let mut take = |rows: usize| {
        let granted = u16::try_from(rows).unwrap_or(u16::MAX).min(left);
        left -= granted;
        granted
    };
    let gridded = take(numbers.len().div_ceil(columns.into()));
    let granted = [take(limit.iter().len()), take(rows.len()), take(notes.len())];
    let mut y = CHART + left;
    history(state, memory, canvas.part(0, 0, width, y));
    grid(state, &numbers, columns, 0, &mut canvas.part(0, y, width, gridded));
    y += gridded;
    let lines = [(limit.as_slice(), theme.notice), (rows.as_slice(), theme.text), (notes.as_slice(), theme.dim)];
    for ((lines, style), granted) in lines.into_iter().zip(granted) {
        for (row, line) in (y..y + granted).zip(lines) {
            canvas.short(0, row, width, line, style);
        }
        y += granted;
    }
}

/// What the numbers mean; each is a line of `/proc/meminfo` where nothing else is said.
const NOTES: &str = "available = MemAvailable, what programs can still have without swapping. used = total - available. \
     cache = Cached + Buffers - Shmem: file pages, nearly all of which the kernel gives back. slab freeable = SReclaimable. \
     committed = what programs were promised, of the limit that binds only with overcommit_memory = 2. \
     huge pages = HugePages_Total x size: taken from everything else, used or not. psi = share of time in which some task (full: all of them) \
     waited for memory. reclaim = pages that were scanned to be freed; direct = by tasks that had to wait for it. \
     refaults = pages read again that had just been dropped.";

fn parts(state: &State, m: &MemorySample) -> Vec<Cell> {
    let theme = state.theme();
    let bytes =
        |label, value: u64| -> Cell { (label, Unit::Bytes.show(value as f64), if value == 0 { theme.dim } else { theme.text }) };
    let mut all = vec![
        bytes("free", m.free),
        bytes("buffers", m.buffers),
        bytes("shmem", m.shmem),
        bytes("anonymous", m.anon),
        bytes("of it huge", m.anon_huge),
        bytes("mapped", m.mapped),
        bytes("slab freeable", m.slab_reclaimable),
        bytes("slab kept", m.slab_unreclaimable),
        bytes("page tables", m.page_tables),
        bytes("kernel stacks", m.kernel_stack),
        bytes("mlocked", m.mlocked),
        bytes("committed", m.committed),
        bytes("commit limit", m.commit_limit),
    ];
    if m.huge_total > 0 {
        all.push(bytes("huge pages", m.huge_total.saturating_mul(m.huge_size)));
        all.push(bytes("of them free", m.huge_free.saturating_mul(m.huge_size)));
        all.push(bytes("huge page size", m.huge_size));
    }
    all
}

fn paging(state: &State, vm: &Vm) -> Vec<Cell> {
    let theme = state.theme();
    let quiet = |value: f64| if value == 0.0 { theme.dim } else { theme.text };
    let rate = |label, value: f64| -> Cell { (label, Unit::PerSecond.show(value), quiet(value)) };
    let bytes = |label, value: f64| -> Cell { (label, Unit::BytesPerSecond.show(value), quiet(value)) };
    let killed = if vm.oom_kills == 0 { theme.dim } else { theme.critical };
    vec![
        bytes("swap in", vm.swap_in),
        bytes("swap out", vm.swap_out),
        rate("faults all", vm.faults),
        rate("direct", vm.scan_direct),
        rate("stalls", vm.stalls),
        rate("compaction", vm.compact_stalls),
        rate("refaults anon", vm.refault_anon),
        rate("refaults file", vm.refault_file),
        ("thp fallback", words::maybe(Unit::Share, vm.thp_fallback), theme.text),
        ("oom kills", vm.oom_kills.to_string(), killed),
        ("dirty limit", Unit::Bytes.show(vm.dirty_threshold as f64), theme.text),
    ]
}

/// What binds us below the machine's size.
fn limit(snapshot: &Snapshot) -> Option<String> {
    let memory = snapshot.allowance.known()?.memory.as_ref()?;
    let left = memory.available().map_or_else(String::new, |left| format!(", {} of it available", Unit::Bytes.show(left as f64)));
    let by =
        if memory.at.is_empty() { "a group above those that we see".into() } else { format!("our control group {}", memory.at) };
    Some(format!("limit: {} by {by}{left}", Unit::Bytes.show(memory.limit as f64)))
}

/// Swap, compressed memory and nodes, a line each.
fn behind(memory: &Memory, backing: &Backing) -> Vec<String> {
    let mut lines: Vec<String> = backing.swaps.iter().map(swap).collect();
    lines.extend(backing.zrams.iter().map(zram));
    if let Some(zswap) = backing.zswap.as_ref().filter(|zswap| zswap.enabled || memory.zswap > 0) {
        let (held, taken) = (memory.zswapped as f64, memory.zswap as f64);
        let state = if zswap.enabled { "on" } else { "off" };
        let ratio = if taken > 0.0 { format!(", ratio {:.1}", held / taken) } else { String::new() };
        let (held, taken) = (Unit::Bytes.show(held), Unit::Bytes.show(taken));
        lines.push(format!(
            "zswap {state}: {held} held in {taken}{ratio}; {}, at most {} % of memory",
            zswap.compressor, zswap.most
        ));
    }
    lines.extend(backing.nodes.iter().map(node));
    lines
}

fn swap(area: &SwapArea) -> String {
    let (used, size) = (Unit::Bytes.show(area.used as f64), Unit::Bytes.show(area.size as f64));
    format!("swap {}: {used} of {size} in use, priority {}", area.name, area.priority)
}

fn zram(zram: &Zram) -> String {
    let [original, used, size] = [zram.original, zram.used, zram.size].map(|bytes| Unit::Bytes.show(bytes as f64));
    let ratio = zram.ratio().map_or_else(String::new, |ratio| format!(", ratio {ratio:.1}"));
    format!("{}: {original} of {size} held in {used} of memory{ratio}; {}", zram.name, zram.algorithm)
}

fn node(node: &Node) -> String {
    let [free, total, anon, file] = [node.free, node.total, node.anon, node.file].map(|bytes| Unit::Bytes.show(bytes as f64));
    let given = node.given.map_or_else(String::new, |[hit, miss, foreign]| {
        let [hit, miss, foreign] = [hit, miss, foreign].map(|rate| Unit::PerSecond.show(rate));
        format!("; pages given {hit}, for others {miss}, by others {foreign}")
    });
    format!("node {}: {free} of {total} free, anonymous {anon}, file {file}{given}", node.number)
}
