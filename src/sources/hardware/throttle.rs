//! Throttling for heat: `cpuN/thermal_throttle` of x86 (Documentation/ABI/testing/sysfs-devices-system-cpu).
//!
//! Threads of one core count the same events, and so do all processors of a package: of each only the first is read.

use super::{named, number};
use crate::{host::host::Host, model::knob::Place, sources::parse};
use std::collections::BTreeSet;

/// The counters that were found.
#[derive(Default)]
pub struct Throttles {
    cores: Vec<Place>,
    packages: Vec<Place>,
    buffer: Vec<u8>,
}

impl Throttles {
    /// Looks which there are.
    pub fn find(&mut self, host: &dyn Host) {
        self.cores.clear();
        self.packages.clear();
        let root = Place::sys("devices/system/cpu");
        let (mut cores, mut packages) = (BTreeSet::new(), BTreeSet::new());
        for cpu in named(host, &root, "cpu").iter().filter(|name| name.trim_start_matches("cpu").parse::<u32>().is_ok()) {
            let directory = root.join(cpu);
            let counter = directory.join("thermal_throttle/core_throttle_count");
            if number(host, &counter, &mut self.buffer).is_none() {
                // All processors have it or none; one that is offline has no directory.
                if self.cores.is_empty() { return } else { continue }
            }
            let mut of = |file: &str| {
                let read = host.read(&directory.join(file), &mut self.buffer).is_ok();
                if read { parse::text(&self.buffer).trim().to_string() } else { cpu.clone() }
            };
            if cores.insert(of("topology/thread_siblings_list")) {
                self.cores.push(counter);
            }
            if packages.insert(of("topology/physical_package_id")) {
                self.packages.push(directory.join("thermal_throttle/package_throttle_count"));
            }
        }
    }

    /// Events of all cores and of all packages since boot.
    pub fn read(&mut self, host: &dyn Host) -> (Option<u64>, Option<u64>) {
        let buffer = &mut self.buffer;
        let mut sum = |places: &[Place]| {
            let counts = places.iter().filter_map(|place| u64::try_from(number(host, place, buffer)?).ok());
            counts.reduce(u64::saturating_add)
        };
        (sum(&self.cores), sum(&self.packages))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    #[test]
    fn threads_of_a_core_and_cores_of_a_package_count_once() {
        let host = RecordedHost::default();
        for (cpu, siblings, core) in [(0, "0,2", 5), (1, "1,3", 7), (2, "0,2", 5), (3, "1,3", 7)] {
            let at = |file: &str| format!("/sys/devices/system/cpu/cpu{cpu}/{file}");
            host.put(&at("thermal_throttle/core_throttle_count"), &format!("{core}\n"));
            host.put(&at("thermal_throttle/package_throttle_count"), "9\n");
            host.put(&at("topology/thread_siblings_list"), &format!("{siblings}\n"));
            host.put(&at("topology/physical_package_id"), "0\n");
        }
        let mut throttles = Throttles::default();
        throttles.find(&host);
        assert_eq!(throttles.read(&host), (Some(12), Some(9)));
    }

    #[test]
    fn a_machine_that_does_not_count_has_none() {
        let host = RecordedHost::default();
        host.put("/sys/devices/system/cpu/cpu0/topology/physical_package_id", "0\n");
        let mut throttles = Throttles::default();
        throttles.find(&host);
        assert_eq!(throttles.read(&host), (None, None));
    }
}
