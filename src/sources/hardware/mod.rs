//! The machine's own sensors: clocks (cpufreq), heat, fans and power (hwmon, thermal zones, RAPL), throttling for heat.
//!
//! A driver may take its time or hang, and a reading may wake a device that sleeps: this is read seldom, on a thread of its own, and
//! what sleeps is left asleep. A machine without any of it gives an empty sample and no word of error.

mod cpufreq;
mod hwmon;
mod rapl;
mod thermal;
mod throttle;

use crate::{
    host::{error::HostError, host::Host},
    model::{
        hardware::{HardwareSample, SensorKind},
        knob::Place,
        sample::{Sample, SourceName},
    },
    sources::{
        parse,
        source::{Lane, Source, SourceAbout},
    },
};
use std::time::Duration;

/// Readings between two looks at which sensors there are.
const TURNS: usize = 12;

/// The source.
#[derive(Default)]
pub struct Hardware {
    turn: usize,
    clocks: cpufreq::Clocks,
    throttles: throttle::Throttles,
    chips: hwmon::Chips,
    zones: thermal::Zones,
    energy: rapl::Zones,
}

impl Source for Hardware {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Hardware,
            lane: Lane::Apart(5),
            deadline: Duration::from_secs(5),
            reads: "/sys: cpufreq, thermal_throttle, hwmon, thermal zones, intel-rapl",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        if self.turn.is_multiple_of(TURNS) {
            self.clocks.find(host);
            self.throttles.find(host);
            self.chips.find(host);
            self.zones.find(host);
            self.energy.find(host);
        }
        let mut sensors = self.chips.read(host);
        if !sensors.iter().any(|sensor| sensor.kind == SensorKind::Temperature) {
            self.zones.read(host, &mut sensors);
        }
        let (core_throttles, package_throttles) = self.throttles.read(host);
        let policies = self.clocks.read(host, self.turn, TURNS);
        let (energy, energy_hidden) = self.energy.read(host);
        self.turn = self.turn.wrapping_add(1);
        Ok(Sample::Hardware(HardwareSample { policies, core_throttles, package_throttles, sensors, energy, energy_hidden }))
    }
}

/// The names in a directory that begin with `prefix`, sorted so that `x10` follows `x9`; none where there is no such directory.
fn named(host: &dyn Host, directory: &Place, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    let _absent_is_none = host.list(directory, &mut names);
    names.retain(|name| name.starts_with(prefix));
    names.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    names
}

/// A file that is one number.
fn number(host: &dyn Host, place: &Place, buffer: &mut Vec<u8>) -> Option<i64> {
    host.read(place, buffer).ok()?;
    parse::text(buffer).trim().parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    pub(super) fn read(source: &mut Hardware, host: &RecordedHost) -> HardwareSample {
        let Sample::Hardware(sample) = source.read(host).unwrap() else { panic!() };
        sample
    }

    #[test]
    fn a_machine_without_sensors_is_empty_and_no_gap() {
        assert_eq!(read(&mut Hardware::default(), &RecordedHost::default()), HardwareSample::default());
    }

    #[test]
    fn zones_speak_only_where_hwmon_has_no_temperature() {
        let host = RecordedHost::default();
        host.put("/sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n");
        host.put("/sys/class/thermal/thermal_zone0/temp", "54000\n");
        let zone = read(&mut Hardware::default(), &host).sensors;
        assert_eq!((zone[0].value, &*zone[0].label), (Some(54.0), "x86_pkg_temp"));
        host.put("/sys/class/hwmon/hwmon0/name", "coretemp\n");
        host.put("/sys/class/hwmon/hwmon0/temp1_input", "55000\n");
        let chip = read(&mut Hardware::default(), &host).sensors;
        assert_eq!(chip.iter().map(|s| (&*s.chip, s.value)).collect::<Vec<_>>(), [("coretemp", Some(55.0))]);
    }

    #[test]
    fn what_is_plugged_in_later_is_found_with_the_next_look() {
        let host = RecordedHost::default();
        let mut source = Hardware::default();
        assert!(read(&mut source, &host).sensors.is_empty());
        host.put("/sys/class/hwmon/hwmon0/name", "acpitz\n");
        host.put("/sys/class/hwmon/hwmon0/temp1_input", "30000\n");
        let seen: Vec<usize> = (0..TURNS).map(|_| read(&mut source, &host).sensors.len()).collect();
        assert_eq!((seen.iter().sum::<usize>(), seen[TURNS - 1]), (1, 1));
    }
}
