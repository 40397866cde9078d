//! The pane of processors with room: each core with its number, where all time goes, clocks and heat, graphics processors, and what the
//! numbers mean.

use super::{cells, history, sensors, strip::Strip};
use crate::{
    model::{
        allowance::Allowance,
        hardware::Hardware,
        snapshot::{Cpu, CpuSplit, Snapshot},
        unit::Unit,
    },
    ui::{
        basis::Basis,
        canvas::Canvas,
        chart,
        frame::{Cell, grid},
        state::State,
        words,
    },
};

/// Rows that the chart has at least.
const CHART: u16 = 3;

/// Draws everything, what matters most first; what has no room is left out.
pub fn draw(state: &State, snapshot: &Snapshot, cpu: &Cpu, canvas: &mut Canvas<'_>) {
    let nothing = Hardware::default();
    let hardware = snapshot.hardware.known().unwrap_or(&nothing);
    let gpus = snapshot.gpus.known().map(Vec::as_slice).unwrap_or_default();
    let (width, height) = (canvas.width(), canvas.height());
    let strip = Strip::new(cpu, &state.shown().facts.groups, width, height / 3);
    let numbers = all_cells(state, snapshot, cpu, hardware);
    let columns = (width / 26).clamp(2, 6);
    let limits = limits(snapshot.allowance.known(), snapshot);
    let notes = words::wrap(&notes(state.basis), width.into());
    let core = Core::wide(hardware);
    let across = usize::from((width / core).max(1));
    let mut left = height.saturating_sub(CHART);
    let mut take = |rows: usize| {
        let granted = u16::try_from(rows).unwrap_or(u16::MAX).min(left);
        left -= granted;
        granted
    };
    let granted = [
        take(strip.height().into()),
        take(limits.len()),
        take(numbers.len().div_ceil(columns.into())),
        take(gpus.len()),
        take(cpu.cores.len().div_ceil(across)),
        take(sensors::rows(hardware, width).into()),
        take(notes.len()),
    ];
    let [strips, limited, gridded, drawn, listed, sensed, noted] = granted;
    let mut y = CHART + left;
    history(state, canvas.part(0, 0, width, y));
    strip.draw(state, canvas.part(0, y, width, strips));
    y += strips;
    grid(state, &numbers, columns, 0, &mut canvas.part(0, y, width, gridded));
    y += gridded;
    for (row, line) in (y..y + limited).zip(&limits) {
        canvas.text(0, row, line, state.theme().notice);
    }
    y += limited;
    for (row, gpu) in (y..y + drawn).zip(gpus) {
        sensors::gpu(state, snapshot, gpu, row, canvas);
    }
    y += drawn;
    cores(state, cpu, hardware, canvas.part(0, y, width, listed));
    y += listed;
    sensors::draw(state, hardware, canvas.part(0, y, width, sensed));
    y += sensed;
    for (row, line) in (y..y + noted).zip(&notes) {
        canvas.text(0, row, line, state.theme().dim);
    }
}

/// The cells of the overview and those that only matter to somebody who looks closely.
fn all_cells(state: &State, snapshot: &Snapshot, cpu: &Cpu, hardware: &Hardware) -> Vec<Cell> {
    let theme = state.theme();
    let cpus = cpu.cores.len();
    let mut all = cells(state, cpu, &snapshot.vitals.pressure);
    all.push(("nice", state.basis.of_host(cpu.total.nice, cpus), theme.text));
    all.push(("guest", state.basis.of_host(cpu.total.guest, cpus), theme.text));
    all.push(("blocked", Unit::Count.show(cpu.blocked as f64), theme.text));
    all.push(("forks", Unit::PerSecond.show(cpu.forks), theme.text));
    all.push(("interrupts", Unit::PerSecond.show(cpu.interrupts), theme.text));
    for (label, load) in ["load 1 min", "load 5 min", "load 15 min"].into_iter().zip(cpu.load.iter().flatten()) {
        all.push((label, format!("{load:.2}"), theme.text));
    }
    if let Some(pressure) = snapshot.vitals.pressure.known() {
        all.push(("psi 10 s", Unit::Share.show(pressure.cpu.some10), theme.text));
    }
    all.extend(sensors::cells(state, hardware));
    if let Some((_, since_boot)) = hardware.package_throttles.filter(|(_, since_boot)| *since_boot > 0) {
        all.push(("as packages", Unit::Count.show(since_boot as f64), theme.dim));
    }
    if let Some(policy) = hardware.policies.first() {
        all.push(("clock at most", Unit::Hertz.show(policy.range.1 as f64), theme.text));
        all.push(("governor", policy.governor.to_string(), theme.text));
    }
    all
}

/// What binds us below the machine's size, a line each.
fn limits(allowance: Option<&Allowance>, snapshot: &Snapshot) -> Vec<String> {
    let Some(allowance) = allowance else { return Vec::new() };
    let mut lines = Vec::new();
    if let Some(cpu) = &allowance.cpu {
        let throttled = snapshot.cgroup(&cpu.at).and_then(|group| group.throttled);
        let throttled =
            throttled.map_or_else(String::new, |share| format!(", throttled in {} of its periods", Unit::Share.show(share)));
        lines.push(format!("limit: {:.2} cores by the quota of our control group {}{throttled}", cpu.cores, cpu.at));
    }
    if let Some(cpus) = allowance.cpus {
        lines.push(format!("limit: we may run on {cpus} of the processors (cpuset or affinity)"));
    }
    lines
}

/// One core in the list.
struct Core;

impl Core {
    /// Columns with the gap to the next: number, level, share, and the clock where it is known.
    fn wide(hardware: &Hardware) -> u16 {
        if hardware.policies.is_empty() { 16 } else { 26 }
    }
}

/// Each core with its number; where not all fit, the busiest.
fn cores(state: &State, cpu: &Cpu, hardware: &Hardware, mut canvas: Canvas<'_>) {
    let theme = state.theme();
    let wide = Core::wide(hardware);
    let across = usize::from((canvas.width() / wide).max(1));
    let mut shown: Vec<&(u32, CpuSplit)> = cpu.cores.iter().collect();
    let room = across * usize::from(canvas.height());
    if shown.len() > room {
        shown.sort_by(|(_, a), (_, b)| b.busy().total_cmp(&a.busy()));
        shown.truncate(room);
    }
    let rows = shown.len().div_ceil(across).max(1);
    for (i, (number, split)) in shown.into_iter().enumerate() {
        let (x, y) = ((i / rows) as u16 * wide, (i % rows) as u16);
        let busy = split.busy();
        let style = if busy < 0.0005 { theme.dim } else { theme.level(busy, 0.8, 0.95) };
        canvas.right(x + 4, y, &number.to_string(), theme.dim);
        canvas.put(x + 5, y, chart::level(busy, state.look.ink), style);
        canvas.right(x + 14, y, &Unit::Share.show(busy), style);
        if let Some(hertz) = hardware.frequency_of(*number) {
            canvas.right(x + 24, y, &Unit::Hertz.show(hertz as f64), theme.dim);
        }
    }
}

fn notes(basis: Basis) -> String {
    let of = match basis {
        Basis::Core => "Shares of time are of one core (V): two busy cores are 200 %.",
        Basis::Usual | Basis::Machine => "Shares of time are of the whole machine (V for shares of one core).",
    };
    format!(
        "busy = all time but idle, iowait and steal, from /proc/stat over the last second. {of} A core's own share is of that core. \
         user with nice, without guests. queue = tasks running or runnable now; blocked = tasks waiting for I/O now. psi = share of time \
         in which some task waited for a processor. clock = mean over all processors; heat = the sensor nearest to its limit; \
         throttled = times that cores were slowed down for heat since boot."
    )
}
