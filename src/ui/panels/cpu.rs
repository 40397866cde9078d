//! Processors: how busy over time, each core, where the time goes, who waits.

use crate::{
    model::{
        metric::{Key, Metric},
        snapshot::{Cpu, CpuSplit, Pressure, Reading},
        unit::Unit,
    },
    ui::{
        canvas::Canvas,
        chart::{self, Chart, Grow},
        frame::{Cell, frame, grid, known, note, reason_rows},
        pane::Pane,
        state::State,
    },
};
use ratatui::{buffer::Buffer, layout::Rect};

/// Draws the pane.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    let theme = state.theme();
    let vitals = &state.shown().snapshot.vitals;
    let busy = vitals.cpu.known().map(|cpu| cpu.total.busy());
    let title = busy.map(|busy| note(format!("{} busy", Unit::Share.show(busy)), theme.level(busy, 0.8, 0.95)));
    let inner = frame(state, Pane::Cpu, title.unwrap_or_default(), area, buf);
    let mut canvas = Canvas::new(inner, buf);
    let Some(cpu) = known(state, &vitals.cpu, 0, &mut canvas) else { return };
    let cells = cells(state, cpu, &vitals.pressure);
    let columns = if canvas.width() >= 40 { 3 } else { 2 };
    let low = (cells.len() as u16).div_ceil(columns) + reason_rows(state, &vitals.pressure, canvas.width());
    let strip = strip_rows(cpu.cores.len(), canvas.width());
    let tall = canvas.height().saturating_sub(low + strip);
    if tall >= 2 {
        history(state, canvas.part(0, 0, canvas.width(), tall));
    }
    let tall = if tall >= 2 { tall } else { 0 };
    cores(state, &cpu.cores, canvas.part(0, tall, canvas.width(), strip));
    let y = grid(state, &cells, columns, tall + strip, &mut canvas);
    if let Reading::Gap(_) = vitals.pressure {
        known(state, &vitals.pressure, y, &mut canvas);
    }
}

fn history(state: &State, mut canvas: Canvas<'_>) {
    let theme = state.theme();
    let count = Chart::dots(canvas.width());
    let dots = state.charts().dots(&Key::host(Metric::CpuBusy), state.shown().now.tick, state.step(), count);
    let style = |busy: f64| match busy {
        b if b >= 0.95 => theme.critical,
        b if b >= 0.8 => theme.warning,
        _ => theme.chart,
    };
    Chart { dots: &dots, full: 1.0, ink: state.look.ink, grow: Grow::Up, style: &style }.draw(&mut canvas);
}

/// Rows of the strip of cores: one, or two for more cores than columns.
fn strip_rows(cores: usize, width: u16) -> u16 {
    if cores > usize::from(width.saturating_sub(7)) { 2 } else { 1 }
}

/// One cell a core; where they do not fit, one cell for the busiest of several neighbours.
fn cores(state: &State, cores: &[(u32, CpuSplit)], mut canvas: Canvas<'_>) {
    let theme = state.theme();
    canvas.text(0, 0, "cores", theme.dim);
    let wide = usize::from(canvas.width().saturating_sub(7));
    let room = wide * usize::from(canvas.height());
    let together = cores.len().div_ceil(room.max(1)).max(1);
    // A few cores are drawn wide enough to be seen.
    let each = if together == 1 && !cores.is_empty() { (wide / cores.len()).clamp(1, 3) } else { 1 };
    for (i, group) in cores.chunks(together).enumerate() {
        let busy = group.iter().map(|(_, split)| split.busy()).fold(0.0, f64::max);
        let at = i * each;
        let (x, y) = (at % wide.max(1), at / wide.max(1));
        let style = match busy {
            b if b >= 0.95 => theme.critical,
            b if b >= 0.8 => theme.warning,
            b if b < 0.02 => theme.border,
            _ => theme.chart,
        };
        // Wide cells have a gap between them.
        for step in 0..each.max(2) - 1 {
            canvas.put((7 + x + step) as u16, y as u16, chart::level(busy, state.look.ink), style);
        }
    }
}

fn cells(state: &State, cpu: &Cpu, pressure: &Reading<Pressure>) -> Vec<Cell> {
    let theme = state.theme();
    let t = &cpu.total;
    let share = |label, value: f64, warning, critical| -> Cell {
        let style = if value < 0.0005 { theme.dim } else { theme.level(value, warning, critical) };
        (label, Unit::Share.show(value), style)
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
        cells.push(share("psi", pressure.cpu.some, 0.25, 0.6));
    }
    cells
}
