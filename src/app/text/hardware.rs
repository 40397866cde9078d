//! Sensors, graphics processors and what a container allows, in words.

use crate::model::{
    allowance::Allowance,
    hardware::{Gpu, Hardware},
    unit::Unit,
};

/// What binds us below the size of the machine; `None` where nothing does.
pub fn limits(allowance: &Allowance) -> Option<String> {
    let quota = allowance.cpu.as_ref().map(|cpu| format!("{:.2} cores ({})", cpu.cores, cpu.at));
    let cpus = allowance.cpus.map(|cpus| format!("{cpus} processors (cpuset or affinity)"));
    let memory = allowance.memory.as_ref().map(|memory| {
        let at = if memory.at.is_empty() { "a group above" } else { &memory.at };
        let left = memory.available().map_or_else(String::new, |left| format!(", {} available", Unit::Bytes.show(left as f64)));
        format!("{} of memory ({at}{left})", Unit::Bytes.show(memory.limit as f64))
    });
    let all: Vec<String> = quota.into_iter().chain(cpus).chain(memory).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// Clock, heat, power and throttling; `None` on a machine that tells none of it.
pub fn sensors(hardware: &Hardware) -> Option<String> {
    let clock = hardware.frequency().map(|hertz| format!("clock {}", Unit::Hertz.show(hertz)));
    let heat = hardware.hottest().and_then(|sensor| {
        let limit = sensor.critical.or(sensor.high).map_or_else(String::new, |limit| format!(" of {}", Unit::Celsius.show(limit)));
        Some(format!("{} {} {}{limit}", sensor.chip, sensor.label, Unit::Celsius.show(sensor.value?)))
    });
    let power = hardware.package_power().map(|watts| format!("power {}", Unit::Watts.show(watts)));
    let throttled = hardware.core_throttles.filter(|(_, count)| *count > 0).map(|(_, count)| format!("throttled {count} times"));
    let all: Vec<String> = clock.into_iter().chain(heat).chain(power).chain(throttled).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// A graphics processor.
pub fn gpu(gpu: &Gpu) -> String {
    if gpu.asleep {
        return format!("{} {}: asleep", gpu.id, gpu.name);
    }
    let busy = gpu.busy.map(|busy| format!("{} busy", Unit::Share.show(busy)));
    let memory = gpu.memory.map(|(used, total)| format!("{} of {}", Unit::Bytes.show(used as f64), Unit::Bytes.show(total as f64)));
    let rest = [(Unit::Celsius, gpu.temperature), (Unit::Watts, gpu.power)];
    let rest = rest.into_iter().filter_map(|(unit, value)| Some(unit.show(value?)));
    let all: Vec<String> = busy.into_iter().chain(memory).chain(rest).collect();
    format!("{} {}: {}", gpu.id, gpu.name, all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::allowance::{CpuAllowance, MemoryAllowance};

    #[test]
    fn only_what_binds_is_told() {
        assert_eq!(limits(&Allowance::default()), None);
        let memory = MemoryAllowance { limit: 1 << 30, ..MemoryAllowance::default() };
        let allowance = Allowance { cpu: Some(CpuAllowance { cores: 1.5, at: "/pod".into() }), memory: Some(memory), cpus: None };
        assert_eq!(limits(&allowance).as_deref(), Some("1.50 cores (/pod), 1.00 GiB of memory (a group above)"));
        assert_eq!(sensors(&Hardware::default()), None);
    }
}
