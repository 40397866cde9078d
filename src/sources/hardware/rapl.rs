//! Energy counters of the processor packages: `/sys/class/powercap/intel-rapl:*` (Documentation/power/powercap/powercap.rst), of AMD as
//! well. Root alone may read them since they tell secrets of others (CVE-2020-8694).

use super::{named, number};
use crate::{
    host::{error::Kind, host::Host},
    model::{hardware::EnergyCounter, knob::Place, text::clean},
};
use std::collections::BTreeMap;

/// The zones that were found.
#[derive(Default)]
pub struct Zones {
    all: Vec<(Place, EnergyCounter)>,
    hidden: bool,
    buffer: Vec<u8>,
}

impl Zones {
    /// Looks which there are and which may be read.
    pub fn find(&mut self, host: &dyn Host) {
        self.all.clear();
        self.hidden = false;
        let root = Place::sys("class/powercap");
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for zone in named(host, &root, "intel-rapl:") {
            let directory = root.join(&zone);
            let Ok(text) = host.text(&directory.join("name")) else { continue };
            // Zones within a package have the same names in each: `intel-rapl:0:1` is in `intel-rapl:0`.
            let above = zone.rsplit_once(':').and_then(|(above, _)| names.get(above));
            let name = above.map_or_else(|| text.trim().to_string(), |above| format!("{above} {}", text.trim()));
            let counter = directory.join("energy_uj");
            match host.read(&counter, &mut self.buffer) {
                Ok(()) => {
                    let range = number(host, &directory.join("max_energy_range_uj"), &mut self.buffer);
                    let range = range.and_then(|range| u64::try_from(range).ok()).unwrap_or(0);
                    self.all.push((counter, EnergyCounter { name: clean(&name, 64), microjoules: 0, range }));
                }
                Err(error) => self.hidden |= error.kind == Kind::Denied,
            }
            names.insert(zone, name);
        }
    }

    /// The counters, and whether there are some that only root may read.
    pub fn read(&mut self, host: &dyn Host) -> (Vec<EnergyCounter>, bool) {
        let buffer = &mut self.buffer;
        let rows = self.all.iter().filter_map(|(place, row)| {
            let microjoules = u64::try_from(number(host, place, buffer)?).ok()?;
            Some(EnergyCounter { microjoules, ..row.clone() })
        });
        (rows.collect(), self.hidden)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    #[test]
    fn zones_within_packages_are_told_apart() {
        let host = RecordedHost::default();
        for (zone, name) in
            [("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "core"), ("intel-rapl:1", "package-1"), ("intel-rapl:1:0", "core")]
        {
            host.put(&format!("/sys/class/powercap/{zone}/name"), &format!("{name}\n"));
            host.put(&format!("/sys/class/powercap/{zone}/energy_uj"), "123456789\n");
            host.put(&format!("/sys/class/powercap/{zone}/max_energy_range_uj"), "262143328850\n");
        }
        host.put("/sys/class/powercap/intel-rapl-mmio:0/name", "package-0\n");
        host.put("/sys/class/powercap/intel-rapl-mmio:0/energy_uj", "1\n");
        let mut zones = Zones::default();
        zones.find(&host);
        let (rows, hidden) = zones.read(&host);
        let names: Vec<&str> = rows.iter().map(|row| &*row.name).collect();
        assert_eq!(names, ["package-0", "package-1", "package-0 core", "package-1 core"]);
        assert_eq!((rows[0].microjoules, rows[0].range, hidden), (123_456_789, 262_143_328_850, false));
    }
}
