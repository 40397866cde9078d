//! Processors: how busy over time, each core, where the time goes, who waits, how hot. With room for it, everything (`detail`).

mod detail;
mod sensors;
mod strip;

use crate::{
    model::{
        metric::{Key, Metric},
        snapshot::{Cpu, Pressure, Reading},
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
use ratatui::{buffer::Buffer, layout::Rect, text::Line};
use strip::Strip;

/// Rows from which on everything is shown.
const ROOMY: u16 = 16;

/// Draws the pane.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    let snapshot = &state.shown().snapshot;
    let vitals = &snapshot.vitals;
    let inner = frame(state, Pane::Cpu, title(state), area, buf);
    let mut canvas = Canvas::new(inner, buf);
    let Some(cpu) = known(state, &vitals.cpu, 0, &mut canvas) else { return };
    if canvas.height() >= ROOMY {
        detail::draw(state, snapshot, cpu, &mut canvas);
        return;
    }
    let mut cells = cells(state, cpu, &vitals.pressure);
    if let Some(hardware) = snapshot.hardware.known() {
        cells.extend(sensors::cells(state, hardware).into_iter().take(3));
    }
    let gpu = snapshot.gpus.known().and_then(|gpus| gpus.first());
    let (width, height) = (canvas.width(), canvas.height());
    let columns = if width >= 40 { 3 } else { 2 };
    let low = (cells.len() as u16).div_ceil(columns) + reason_rows(state, &vitals.pressure, width) + u16::from(gpu.is_some());
    let strip = Strip::new(cpu, &state.shown().facts.groups, width, (height / 4).max(1));
    let tall = height.saturating_sub(low + strip.height());
    let tall = if tall >= 2 { tall } else { 0 };
    history(state, canvas.part(0, 0, width, tall));
    strip.draw(state, canvas.part(0, tall, width, strip.height()));
    let mut y = grid(state, &cells, columns, tall + strip.height(), &mut canvas);
    if let Some(gpu) = gpu {
        sensors::gpu(state, snapshot, gpu, y, &mut canvas);
        y += 1;
    }
    if let Reading::Gap(_) = vitals.pressure {
        known(state, &vitals.pressure, y, &mut canvas);
    }
}

/// How busy the machine is, of what, and what we may have of it.
fn title(state: &State) -> Line<'static> {
    let snapshot = &state.shown().snapshot;
    let Some(cpu) = snapshot.vitals.cpu.known() else { return Line::default() };
    let (busy, cpus) = (cpu.total.busy(), cpu.cores.len());
    let limit = snapshot.allowance.known().and_then(|allowance| allowance.cores());
    let limit = limit.map_or_else(String::new, |cores| format!(", limit {cores:.1}"));
    let text = format!("{} busy {} {cpus}{limit}", state.basis.of_host(busy, cpus), state.basis.host_head());
    note(text, state.theme().level(busy, 0.8, 0.95))
}

fn history(state: &State, mut canvas: Canvas<'_>) {
    let theme = state.theme();
    let keys = [Key::host(Metric::CpuBusy)];
    let cut = ahead::cut(state, &keys, canvas.width());
    let dots = cut.dots(state, &keys);
    let style = |busy: f64| match busy {
        b if b >= 0.95 => theme.critical,
        b if b >= 0.8 => theme.warning,
        _ => theme.chart,
    };
    let tall = canvas.height();
    let chart = Chart { dots: &dots, full: 1.0, ink: state.look.ink, grow: Grow::Up, style: &style };
    chart.draw(&mut canvas.part(0, 0, cut.past, tall));
    cut.draw(state, 1.0, Grow::Up, &mut canvas);
    ahead::marks(state, &keys, cut.past, &mut canvas);
}

fn cells(state: &State, cpu: &Cpu, pressure: &Reading<Pressure>) -> Vec<Cell> {
    let theme = state.theme();
    let t = &cpu.total;
    let style = |value: f64, warning, critical| if value < 0.0005 { theme.dim } else { theme.level(value, warning, critical) };
    let cpus = cpu.cores.len();
    let share = |label, value: f64, warning, critical| -> Cell {
        (label, state.basis.of_host(value, cpus), style(value, warning, critical))
    };
    let mut cells = vec![
        share("user", t.user + t.nice, 2.0, 2.0),
        share("system", t.system, 0.5, 2.0),
        share("iowait", t.iowait, 0.3, 2.0),
        share("irq", t.irq, 0.2, 2.0),
        share("softirq", t.softirq, 0.3, 2.0),
        share("steal", t.steal, 0.05, 0.2),
        ("queue", Unit::Count.show(cpu.running as f64), theme.text),
        ("switch", Unit::PerSecond.show(cpu.context_switches), theme.text),
    ];
    if let Some(pressure) = pressure.known() {
        let some = pressure.cpu.some;
        cells.push(("psi", Unit::Share.show(some), style(some, 0.25, 0.6)));
    }
    cells
}
