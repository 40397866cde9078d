//! What was looked at and found innocent, each in one phrase with its number. What is unknown is not called innocent.

use crate::{
    analysis::detect::{recent, report},
    model::{
        finding::Level,
        metric::{Key, Metric},
        world::World,
    },
};

/// What an operator would suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suspect {
    Steal,
    CpuPressure,
    MemoryPressure,
    IoPressure,
    Throttling,
    Swap,
}

/// The phrases for those of `suspects` that stand clear of their threshold.
pub(super) fn among(world: &World<'_>, suspects: &[Suspect]) -> Vec<String> {
    suspects.iter().filter_map(|suspect| phrase(world, *suspect)).collect()
}

fn phrase(world: &World<'_>, suspect: Suspect) -> Option<String> {
    let limits = world.thresholds;
    let pressure = world.vitals.pressure.known();
    let (metric, value, threshold) = match suspect {
        Suspect::Steal => (Metric::CpuSteal, world.vitals.cpu.known().map(|c| c.total.steal), limits.steal),
        Suspect::CpuPressure => (Metric::PressureCpuSome, pressure.map(|p| p.cpu.some), limits.cpu_pressure),
        Suspect::MemoryPressure => (Metric::PressureMemorySome, pressure.map(|p| p.memory.some), limits.memory_some),
        Suspect::IoPressure => (Metric::PressureIoSome, pressure.map(|p| p.io.some), limits.io_some),
        Suspect::Throttling => return throttling(world),
        Suspect::Swap => {
            let bytes = world.vitals.vm.known().map(|vm| vm.swap_in + vm.swap_out);
            return below(bytes?, limits.swap_bytes)
                .then(|| format!("swapping {}", Metric::SwapIn.unit().show(bytes.unwrap_or(0.0))));
        }
    };
    let value = recent::mean(world, &Key::host(metric), recent::STEADY).or(value)?;
    below(value, threshold).then(|| format!("{} {}", metric.words(), metric.unit().show(value)))
}

fn below(value: f64, threshold: f64) -> bool {
    report::level(value, threshold) == Level::Clear
}

fn throttling(world: &World<'_>) -> Option<String> {
    let most = world.snapshot.cgroups.known()?.iter().filter_map(|c| c.throttled).fold(0.0, f64::max);
    below(most, world.thresholds.throttled)
        .then(|| if most > 0.0 { format!("throttling {:.1} %", most * 100.0) } else { "throttling none".into() })
}
