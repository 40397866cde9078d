//! What the machine's own sensors say: frequencies, temperatures, fans, power, throttling. Raw and derived, since most of it is a
//! state and no counter.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the slow readings of sysfs found. On a machine without sensors everything is empty, and that is no gap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HardwareSample {
    /// One row per cpufreq policy.
    pub policies: Vec<FrequencyPolicy>,
    /// Times that the cores were throttled for heat since boot; `None` where the kernel does not count (it does on Intel).
    pub core_throttles: Option<u64>,
    /// Times that whole packages were.
    pub package_throttles: Option<u64>,
    /// Sensors of hwmon, or of thermal zones where hwmon has no temperature.
    pub sensors: Vec<Sensor>,
    /// Energy counters of RAPL that may be read.
    pub energy: Vec<EnergyCounter>,
    /// Energy counters that are there but only for root.
    pub energy_hidden: bool,
}

/// Processors that share a clock (Documentation/admin-guide/pm/cpufreq.rst).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FrequencyPolicy {
    /// Their numbers.
    pub cpus: Arc<[u32]>,
    /// Hertz now.
    pub now: u64,
    /// What the governor may choose: lowest and highest, in hertz.
    pub range: (u64, u64),
    /// What the hardware can do at most, in hertz.
    pub most: u64,
    /// The governor, cleaned.
    pub governor: Arc<str>,
}

/// What a sensor measures; it decides the unit of its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SensorKind {
    /// Degrees Celsius.
    #[default]
    Temperature,
    /// Turns per minute.
    Fan,
    /// Watts.
    Power,
}

/// One sensor (Documentation/hwmon/sysfs-interface.rst).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sensor {
    /// Name of its chip, such as `coretemp`, cleaned.
    pub chip: Arc<str>,
    /// Its label, such as `Package id 0`, or its channel's name, cleaned.
    pub label: Arc<str>,
    /// What it measures.
    pub kind: SensorKind,
    /// The value; `None` while its device sleeps and is not woken for us, or does not answer.
    pub value: Option<f64>,
    /// From here on it is too much.
    pub high: Option<f64>,
    /// From here on the machine protects itself.
    pub critical: Option<f64>,
}

/// An energy counter of RAPL (Documentation/power/powercap/powercap.rst).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EnergyCounter {
    /// Its zone, such as `package-0`, cleaned.
    pub name: Arc<str>,
    /// Microjoules.
    pub microjoules: u64,
    /// Where it begins anew.
    pub range: u64,
}

/// Sensors over the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hardware {
    /// Clocks.
    pub policies: Vec<FrequencyPolicy>,
    /// Times that cores were throttled for heat: per second, and since boot.
    pub core_throttles: Option<(f64, u64)>,
    /// The same of whole packages.
    pub package_throttles: Option<(f64, u64)>,
    /// Temperatures, fans, power.
    pub sensors: Vec<Sensor>,
    /// Watts of each zone of RAPL; empty before the second reading.
    pub power: Vec<(Arc<str>, f64)>,
}

impl Hardware {
    /// Mean frequency over all processors, in hertz.
    pub fn frequency(&self) -> Option<f64> {
        let cpus: usize = self.policies.iter().map(|p| p.cpus.len()).sum();
        let sum: f64 = self.policies.iter().map(|p| p.now as f64 * p.cpus.len() as f64).sum();
        (cpus > 0).then(|| sum / cpus as f64)
    }

    /// The frequency of one processor, in hertz.
    pub fn frequency_of(&self, cpu: u32) -> Option<u64> {
        self.policies.iter().find(|p| p.cpus.contains(&cpu)).map(|p| p.now)
    }

    /// The temperature nearest to its own limit: of a machine, that one matters. Without any limit the highest.
    pub fn hottest(&self) -> Option<&Sensor> {
        let room = |s: &Sensor| Some(s.critical.or(s.high)? - s.value?);
        let all = || self.sensors.iter().filter(|s| s.kind == SensorKind::Temperature && s.value.is_some());
        let near =
            all().filter(|s| room(s).is_some()).min_by(|a, b| room(a).unwrap_or(f64::MAX).total_cmp(&room(b).unwrap_or(f64::MAX)));
        near.or_else(|| all().max_by(|a, b| a.value.unwrap_or(0.0).total_cmp(&b.value.unwrap_or(0.0))))
    }

    /// Watts of all processor packages together.
    pub fn package_power(&self) -> Option<f64> {
        // `package-0 core` and its like are parts of a package.
        let packages = || self.power.iter().filter(|(name, _)| name.starts_with("package") && !name.contains(' '));
        packages().next()?;
        Some(packages().map(|(_, watts)| watts).sum())
    }
}

/// A graphics processor, now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gpu {
    /// Its address on the bus, such as `0000:01:00.0`, or what its driver calls it.
    pub id: Arc<str>,
    /// Model or driver, cleaned.
    pub name: Arc<str>,
    /// Share of time with work on it.
    pub busy: Option<f64>,
    /// Bytes of its own memory in use, and in all.
    pub memory: Option<(u64, u64)>,
    /// Degrees Celsius.
    pub temperature: Option<f64>,
    /// Watts.
    pub power: Option<f64>,
    /// Watts at which it is held.
    pub power_limit: Option<f64>,
    /// Hertz of its cores.
    pub clock: Option<u64>,
    /// Hertz of its memory.
    pub memory_clock: Option<u64>,
    /// It sleeps and is not woken for us: the rest is unknown.
    pub asleep: bool,
    /// Processes that use it, by pid.
    pub processes: Vec<GpuProcess>,
}

/// A process on a graphics processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpuProcess {
    /// Its pid, as the driver knows it.
    pub pid: u32,
    /// Bytes of the processor's memory; `None` where the driver does not tell.
    pub memory: Option<u64>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn heat(value: Option<f64>, critical: Option<f64>) -> Sensor {
        Sensor { value, critical, ..Sensor::default() }
    }

    #[test]
    fn the_hottest_is_the_one_nearest_to_its_limit() {
        let sensors =
            vec![heat(Some(70.0), Some(110.0)), heat(Some(60.0), Some(65.0)), heat(Some(90.0), None), heat(None, Some(1.0))];
        let hardware = Hardware { sensors, ..Hardware::default() };
        assert_eq!(hardware.hottest().unwrap().value, Some(60.0));
        let unlimited = Hardware { sensors: vec![heat(Some(3.0), None), heat(Some(9.0), None)], ..Hardware::default() };
        assert_eq!(unlimited.hottest().unwrap().value, Some(9.0));
        assert!(Hardware::default().hottest().is_none());
    }

    #[test]
    fn a_mean_frequency_counts_processors_not_policies() {
        let policy = |cpus: &[u32], now| FrequencyPolicy { cpus: cpus.into(), now, ..FrequencyPolicy::default() };
        let hardware = Hardware { policies: vec![policy(&[0, 1, 2], 1_000), policy(&[3], 5_000)], ..Hardware::default() };
        assert_eq!((hardware.frequency(), hardware.frequency_of(3), hardware.frequency_of(9)), (Some(2_000.0), Some(5_000), None));
    }

    #[test]
    fn packages_are_added_up_and_what_is_inside_them_is_not_counted_twice() {
        let power =
            vec![("package-0".into(), 10.0), ("package-0 core".into(), 7.0), ("package-1".into(), 5.0), ("psys".into(), 40.0)];
        assert_eq!(Hardware { power, ..Hardware::default() }.package_power(), Some(15.0));
        assert_eq!(Hardware::default().package_power(), None);
    }
}
