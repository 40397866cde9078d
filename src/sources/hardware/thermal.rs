//! Thermal zones, for machines whose hwmon has no temperature: `/sys/class/thermal` (Documentation/driver-api/thermal/sysfs-api.rst).

use super::{named, number};
use crate::{
    host::host::Host,
    model::{
        hardware::{Sensor, SensorKind},
        knob::Place,
        text::clean,
    },
};

/// The zones that were found.
#[derive(Default)]
pub struct Zones {
    all: Vec<(Place, Sensor)>,
    buffer: Vec<u8>,
}

impl Zones {
    /// Looks which there are.
    pub fn find(&mut self, host: &dyn Host) {
        self.all.clear();
        let root = Place::sys("class/thermal");
        for directory in named(host, &root, "thermal_zone").iter().map(|name| root.join(name)) {
            let Ok(label) = host.text(&directory.join("type")) else { continue };
            let (high, critical) = (self.trip(host, &directory, "hot"), self.trip(host, &directory, "critical"));
            let row = Sensor { chip: "thermal".into(), label: clean(label.trim(), 64), high, critical, ..Sensor::default() };
            self.all.push((directory.join("temp"), row));
        }
    }

    /// The temperature of the trip point of that type.
    fn trip(&mut self, host: &dyn Host, directory: &Place, kind: &str) -> Option<f64> {
        let points = named(host, directory, "trip_point_");
        let is_it =
            |file: &&String| file.ends_with("_type") && host.text(&directory.join(file)).is_ok_and(|text| text.trim() == kind);
        let file = points.iter().find(is_it)?.replace("_type", "_temp");
        let degrees = number(host, &directory.join(&file), &mut self.buffer)? as f64 / 1e3;
        (degrees > 0.0 && degrees < 250.0).then_some(degrees)
    }

    /// Reads all into `rows`.
    pub fn read(&mut self, host: &dyn Host, rows: &mut Vec<Sensor>) {
        for (place, row) in &self.all {
            let value = number(host, place, &mut self.buffer).map(|milli| milli as f64 / 1e3);
            rows.push(Sensor {
                kind: SensorKind::Temperature,
                value: value.filter(|v| (-100.0..250.0).contains(v)),
                ..row.clone()
            });
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    #[test]
    fn the_critical_trip_point_is_the_limit() {
        let host = RecordedHost::default();
        let files =
            [("type", "acpitz\n"), ("temp", "27800\n"), ("trip_point_0_type", "passive\n"), ("trip_point_0_temp", "90000\n")];
        for (file, text) in files.into_iter().chain([("trip_point_1_type", "critical\n"), ("trip_point_1_temp", "119000\n")]) {
            host.put(&format!("/sys/class/thermal/thermal_zone0/{file}"), text);
        }
        host.put("/sys/class/thermal/cooling_device0/type", "Processor\n");
        let (mut zones, mut rows) = (Zones::default(), Vec::new());
        zones.find(&host);
        zones.read(&host, &mut rows);
        assert_eq!(rows.len(), 1);
        assert_eq!((&*rows[0].label, rows[0].value, rows[0].high, rows[0].critical), ("acpitz", Some(27.8), None, Some(119.0)));
    }
}
