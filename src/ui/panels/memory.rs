//! Memory, led by what is available: what is free or can be freed without swapping (`MemAvailable` of proc_meminfo(5)). With room for it, everything
//! (`detail`).

mod detail;

use crate::{
    model::{
        metric::{Key, Metric},
        snapshot::{Memory, Reading, Vitals},
        unit::Unit,
    },
    ui::{
        ahead,
        canvas::Canvas,
        chart::{Chart, Grow},
        frame::{Cell, frame, grid, known, note, reason_rows},
        pane::Pane,
        state::State,
    },
};
use ratatui::{buffer::Buffer, layout::Rect};

/// Rows from which on everything is shown.
const ROOMY: u16 = 16;

/// Draws the pane.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    let theme = state.theme();
    let vitals = &state.shown().snapshot.vitals;
    let title = vitals.memory.known().map(|m| {
        let limit = state.shown().snapshot.allowance.known().and_then(|allowance| allowance.memory.as_ref());
        let limit =
            limit.map_or_else(|| " available".into(), |memory| format!(", limit {}", Unit::Bytes.show(memory.limit as f64)));
        let text = format!("{} of {}{limit}", Unit::Bytes.show(m.available as f64), Unit::Bytes.show(m.total as f64));
        note(text, theme.level(used(m), 0.85, 0.95))
    });
    let inner = frame(state, Pane::Memory, title.unwrap_or_default(), area, buf);
    let mut canvas = Canvas::new(inner, buf);
    let Some(memory) = known(state, &vitals.memory, 0, &mut canvas) else { return };
    if canvas.height() >= ROOMY {
        detail::draw(state, &state.shown().snapshot, memory, &mut canvas);
        return;
    }
    let cells = cells(state, memory, vitals);
    let columns = if canvas.width() >= 40 { 3 } else { 2 };
    let low = (cells.len() as u16).div_ceil(columns) + reason_rows(state, &vitals.pressure, canvas.width());
    let tall = canvas.height().saturating_sub(low);
    let tall = if tall >= 2 { tall } else { 0 };
    history(state, memory, canvas.part(0, 0, canvas.width(), tall));
    let y = grid(state, &cells, columns, tall, &mut canvas);
    if let Reading::Gap(_) = vitals.pressure {
        known(state, &vitals.pressure, y, &mut canvas);
    }
}

/// Share that is not available.
fn used(memory: &Memory) -> f64 {
    memory.total.saturating_sub(memory.available) as f64 / memory.total.max(1) as f64
}

fn history(state: &State, memory: &Memory, mut canvas: Canvas<'_>) {
    let theme = state.theme();
    let full = memory.total as f64;
    let keys = [Key::host(Metric::MemoryUsed)];
    let cut = ahead::cut(state, &keys, canvas.width());
    let dots = cut.dots(state, &keys);
    let style = |used: f64| match used / full.max(1.0) {
        share if share >= 0.95 => theme.critical,
        share if share >= 0.85 => theme.warning,
        _ => theme.chart,
    };
    let tall = canvas.height();
    let chart = Chart { dots: &dots, full, ink: state.look.ink, grow: Grow::Up, style: &style };
    chart.draw(&mut canvas.part(0, 0, cut.past, tall));
    cut.draw(state, full, Grow::Up, &mut canvas);
    ahead::marks(state, &keys, cut.past, &mut canvas);
}

fn cells(state: &State, memory: &Memory, vitals: &Vitals) -> Vec<Cell> {
    let theme = state.theme();
    let bytes =
        |label, value: u64| -> Cell { (label, Unit::Bytes.show(value as f64), if value == 0 { theme.dim } else { theme.text }) };
    let swap = memory.swap_total.saturating_sub(memory.swap_free);
    let mut cells = vec![
        bytes("used", memory.total.saturating_sub(memory.available)),
        bytes("cache", (memory.cached + memory.buffers).saturating_sub(memory.shmem)),
        if memory.swap_total == 0 { ("swap", "none".into(), theme.dim) } else { bytes("swap", swap) },
    ];
    if let Some(pressure) = vitals.pressure.known() {
        let share = |label, value: f64, warning, critical| -> Cell {
            let style = if value < 0.0005 { theme.dim } else { theme.level(value, warning, critical) };
            (label, Unit::Share.show(value), style)
        };
        cells.push(share("psi", pressure.memory.some, 0.1, 0.3));
        cells.push(share("full", pressure.memory.full, 0.05, 0.15));
    }
    if let Some(vm) = vitals.vm.known() {
        let rate = |label, value: f64, warning, critical| -> Cell {
            let style = if value == 0.0 { theme.dim } else { theme.level(value, warning, critical) };
            (label, Unit::PerSecond.show(value), style)
        };
        cells.push(rate("faults", vm.major_faults, 100.0, 2000.0));
        cells.push(rate("reclaim", vm.scan_direct + vm.scan_kswapd, 10_000.0, 1e9));
        let moved = vm.swap_in + vm.swap_out;
        let style = if moved == 0.0 { theme.dim } else { theme.level(moved, 2e6, 2e7) };
        cells.push(("paging", Unit::BytesPerSecond.show(moved), style));
        cells.push(bytes("dirty", vm.dirty + vm.writeback));
    }
    cells
}
