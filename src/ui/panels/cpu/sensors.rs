//! What the pane of processors shows of sensors and graphics processors.

use crate::{
    model::{
        hardware::{Gpu, Hardware, Sensor, SensorKind},
        snapshot::Snapshot,
        unit::Unit,
    },
    ui::{canvas::Canvas, frame::Cell, state::State, words::maybe},
};
use ratatui::style::Style;

/// Columns of one sensor.
const WIDE: u16 = 40;

/// Clock, heat and power in three cells at most; none where the machine has no such sensor.
pub fn cells(state: &State, hardware: &Hardware) -> Vec<Cell> {
    let theme = state.theme();
    let mut cells = Vec::new();
    if let Some(frequency) = hardware.frequency() {
        cells.push(("clock", Unit::Hertz.show(frequency), theme.text));
    }
    if let Some(sensor) = hardware.hottest() {
        cells.push(("heat", maybe(Unit::Celsius, sensor.value), style(state, sensor)));
    }
    if let Some(watts) = hardware.package_power() {
        cells.push(("power", Unit::Watts.show(watts), theme.text));
    }
    if let Some((rate, since_boot)) = hardware.core_throttles.filter(|(_, since_boot)| *since_boot > 0) {
        let style = if rate > 0.0 { theme.critical } else { theme.dim };
        cells.push(("throttled", Unit::Count.show(since_boot as f64), style));
    }
    cells
}

/// A temperature is judged by its own limits; without any it is only told.
fn style(state: &State, sensor: &Sensor) -> Style {
    let theme = state.theme();
    let high = sensor.high.or(sensor.critical.map(|critical| critical - 10.0)).unwrap_or(f64::INFINITY);
    match sensor.value {
        None => theme.dim,
        Some(value) if sensor.kind == SensorKind::Temperature => theme.level(value, high, sensor.critical.unwrap_or(f64::INFINITY)),
        Some(_) => theme.text,
    }
}

/// Rows that [`draw`] wants.
pub fn rows(hardware: &Hardware, width: u16) -> u16 {
    u16::try_from(hardware.sensors.len() + hardware.power.len()).unwrap_or(u16::MAX).div_ceil((width / WIDE).max(1))
}

/// Every sensor with its limit, in columns.
pub fn draw(state: &State, hardware: &Hardware, mut canvas: Canvas<'_>) {
    let theme = state.theme();
    let columns = (canvas.width() / WIDE).max(1);
    let wide = WIDE.min(canvas.width());
    let sensors = hardware.sensors.iter().map(|sensor| {
        let name = format!("{} {}", sensor.chip, sensor.label);
        (name, shown(sensor), style(state, sensor))
    });
    let power = hardware.power.iter().map(|(name, watts)| (format!("rapl {name}"), Unit::Watts.show(*watts), theme.text));
    for (i, (name, value, style)) in (0u16..).zip(sensors.chain(power)) {
        let (x, y) = ((i % columns) * wide, i / columns);
        let taken = u16::try_from(value.chars().count()).unwrap_or(wide) + 3;
        canvas.short(x, y, wide.saturating_sub(taken), &name, theme.dim);
        canvas.right(x + wide - 2, y, &value, style);
    }
}

fn shown(sensor: &Sensor) -> String {
    let Some(value) = sensor.value else { return "asleep".into() };
    let number = |value| match sensor.kind {
        SensorKind::Temperature => Unit::Celsius.show(value),
        SensorKind::Fan => format!("{value:.0} rpm"),
        SensorKind::Power => Unit::Watts.show(value),
    };
    match sensor.critical.or(sensor.high).filter(|_| sensor.kind == SensorKind::Temperature) {
        Some(limit) => format!("{} of {}", number(value), number(limit)),
        None => number(value),
    }
}

/// One line for a graphics processor: what it does, how full and how hot it is, and who uses it.
pub fn gpu(state: &State, snapshot: &Snapshot, gpu: &Gpu, y: u16, canvas: &mut Canvas<'_>) {
    let theme = state.theme();
    let x = canvas.text(0, y, "gpu ", theme.dim);
    if gpu.asleep {
        canvas.text(x, y, &format!("{} asleep", gpu.name), theme.dim);
        return;
    }
    let busy = gpu.busy.map_or(theme.text, |busy| theme.level(busy, 2.0, 2.0));
    let mut x = canvas.text(x, y, &format!("{:>6} ", maybe(Unit::Share, gpu.busy)), busy);
    if let Some((used, total)) = gpu.memory {
        let text = format!(" {} of {} ", Unit::Bytes.show(used as f64), Unit::Bytes.show(total as f64));
        x = canvas.text(x, y, &text, theme.level(used as f64 / total.max(1) as f64, 0.9, 0.98));
    }
    let numbers = [(Unit::Celsius, gpu.temperature), (Unit::Watts, gpu.power), (Unit::Hertz, gpu.clock.map(|clock| clock as f64))];
    for (unit, value) in numbers {
        if let Some(value) = value {
            x = canvas.text(x, y, &format!(" {} ", unit.show(value)), theme.text);
        }
    }
    let x = canvas.text(x, y, &format!(" {}", gpu.name), theme.dim);
    let users: Vec<String> = gpu.processes.iter().map(|user| named(snapshot, user.pid, user.memory)).collect();
    if !users.is_empty() {
        canvas.short(x, y, canvas.width().saturating_sub(x), &format!(": {}", users.join(", ")), theme.text);
    }
}

fn named(snapshot: &Snapshot, pid: u32, memory: Option<u64>) -> String {
    let mut all = snapshot.processes.known().into_iter().flat_map(|all| all.iter());
    let name = all.find(|process| process.id.pid == pid).map_or_else(String::new, |process| format!("{} ", process.name));
    format!("{name}{pid} {}", maybe(Unit::Bytes, memory.map(|bytes| bytes as f64)))
}
