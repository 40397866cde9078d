//! Chips of `/sys/class/hwmon` (Documentation/hwmon/sysfs-interface.rst).
//!
//! A reading may wake a device (Documentation/power/runtime_pm.rst): nothing of a chip is read while `runtime_status` of its device
//! says that it sleeps. The temperature of a spinning disk (`drivetemp`) is not asked at all: it can hold up the disk's spin-down.

use super::{named, number};
use crate::{
    host::host::Host,
    model::{
        hardware::{Sensor, SensorKind},
        knob::Place,
        text::clean,
    },
    sources::parse,
};
use std::sync::Arc;

/// Sensors that are read at most.
const MOST: usize = 256;

/// The chips that were found.
#[derive(Default)]
pub struct Chips {
    all: Vec<Chip>,
    buffer: Vec<u8>,
}

struct Chip {
    /// Its directory with its name: a number is given anew when a driver comes back.
    key: (Place, Arc<str>),
    /// Files that say whether what is behind it sleeps; only those that can.
    sleepers: Vec<Place>,
    /// Its channels, once it was awake.
    channels: Option<Vec<Channel>>,
}

struct Channel {
    input: Place,
    /// What the file's number is to be divided by.
    scale: f64,
    row: Sensor,
}

impl Chips {
    /// Looks which there are.
    pub fn find(&mut self, host: &dyn Host) {
        let root = Place::sys("class/hwmon");
        let mut old = std::mem::take(&mut self.all);
        for directory in named(host, &root, "hwmon").iter().map(|name| root.join(name)) {
            let Some(name) = word(host, &directory.join("name"), &mut self.buffer) else { continue };
            if &*name == "drivetemp" && self.spins(host, &directory) {
                continue;
            }
            let key = (directory, name);
            let known = old.iter().position(|chip| chip.key == key).map(|i| old.swap_remove(i));
            self.all.push(known.unwrap_or_else(|| Chip {
                sleepers: sleepers(host, &key.0, &mut self.buffer),
                key,
                channels: None,
            }));
        }
    }

    fn spins(&mut self, host: &dyn Host, directory: &Place) -> bool {
        let block = directory.join("device/block");
        let disks = named(host, &block, "");
        disks.iter().any(|disk| number(host, &block.join(disk).join("queue/rotational"), &mut self.buffer) != Some(0))
    }

    /// Reads all that is awake. What sleeps keeps its rows, without values.
    pub fn read(&mut self, host: &dyn Host) -> Vec<Sensor> {
        let mut rows = Vec::new();
        for chip in &mut self.all {
            let awake = !chip.sleepers.iter().any(|place| asleep(host, place, &mut self.buffer));
            if awake && chip.channels.is_none() {
                chip.channels = Some(channels(host, &chip.key.0, &chip.key.1, &mut self.buffer));
            }
            for channel in chip.channels.iter().flatten().take(MOST.saturating_sub(rows.len())) {
                let raw = if awake { number(host, &channel.input, &mut self.buffer) } else { None };
                // A driver that cannot measure says so with an error or with a number that no sensor has.
                let value = raw.map(|raw| raw as f64 / channel.scale).filter(|value| (-100.0..1e6).contains(value));
                rows.push(Sensor { value, ..channel.row.clone() });
            }
        }
        rows
    }
}

/// `runtime_status` of the device and of the one above it (an nvme controller's is the pci device), where they can sleep.
fn sleepers(host: &dyn Host, directory: &Place, buffer: &mut Vec<u8>) -> Vec<Place> {
    let files = ["device/power/runtime_status", "device/device/power/runtime_status"].map(|file| directory.join(file));
    files.into_iter().filter(|file| word(host, file, buffer).is_some_and(|status| &*status != "unsupported")).collect()
}

fn asleep(host: &dyn Host, status: &Place, buffer: &mut Vec<u8>) -> bool {
    word(host, status, buffer).is_some_and(|status| !matches!(&*status, "active" | "unsupported"))
}

fn word(host: &dyn Host, place: &Place, buffer: &mut Vec<u8>) -> Option<Arc<str>> {
    host.read(place, buffer).ok()?;
    Some(clean(parse::text(buffer).trim(), 64))
}

/// Temperatures, fans and powers of a chip with what its driver says of their limits.
fn channels(host: &dyn Host, directory: &Place, chip: &Arc<str>, buffer: &mut Vec<u8>) -> Vec<Channel> {
    let mut found = Vec::new();
    for file in named(host, directory, "") {
        let Some((kind, scale)) = kind(&file) else { continue };
        let channel = file.split('_').next().unwrap_or(&file);
        if file.ends_with("_average")
            && found.iter().any(|known: &Channel| known.input == directory.join(&format!("{channel}_input")))
        {
            continue;
        }
        let mut limit = |name: &str| {
            let limit = number(host, &directory.join(&format!("{channel}_{name}")), buffer)? as f64 / scale;
            // Drivers without a limit give zero or the largest number that they have.
            (limit > 0.0 && (kind != SensorKind::Temperature || limit < 250.0)).then_some(limit)
        };
        let (high, critical) = (limit("max"), limit("crit"));
        let label = word(host, &directory.join(&format!("{channel}_label")), buffer).unwrap_or_else(|| channel.into());
        let row = Sensor { chip: chip.clone(), label, kind, value: None, high, critical };
        found.push(Channel { input: directory.join(&file), scale, row });
    }
    found.sort_by_key(|channel| channel.row.kind);
    found
}

/// What a file measures and in what fraction of its unit: millidegrees, turns per minute, microwatts.
fn kind(file: &str) -> Option<(SensorKind, f64)> {
    let (channel, what) = file.split_once('_')?;
    let name = channel.trim_end_matches(|c: char| c.is_ascii_digit());
    match (name, what) {
        ("temp", "input") => Some((SensorKind::Temperature, 1e3)),
        ("fan", "input") => Some((SensorKind::Fan, 1.0)),
        ("power", "input" | "average") => Some((SensorKind::Power, 1e6)),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    fn host(files: &[(&str, &str)]) -> RecordedHost {
        let host = RecordedHost::default();
        for (path, content) in files {
            host.put(&format!("/sys/class/hwmon/{path}"), content);
        }
        host
    }

    fn rows(host: &RecordedHost) -> Vec<Sensor> {
        let mut chips = Chips::default();
        chips.find(host);
        chips.read(host)
    }

    #[test]
    fn temperatures_fans_and_powers_come_with_labels_and_limits() {
        let host = host(&[
            ("hwmon0/name", "coretemp\n"),
            ("hwmon0/temp1_input", "61000\n"),
            ("hwmon0/temp1_label", "Package id 0\n"),
            ("hwmon0/temp1_max", "80000\n"),
            ("hwmon0/temp1_crit", "100000\n"),
            ("hwmon0/temp1_crit_alarm", "0\n"),
            ("hwmon0/temp10_input", "55500\n"),
            ("hwmon1/name", "nct6775\n"),
            ("hwmon1/fan2_input", "1180\n"),
            ("hwmon1/in0_input", "900\n"),
            ("hwmon2/name", "amdgpu\n"),
            ("hwmon2/power1_average", "25000000\n"),
            ("hwmon2/power1_cap_max", "1\n"),
            ("hwmon3/name", "nvme\n"),
            ("hwmon3/temp1_input", "40850\n"),
            ("hwmon3/temp1_max", "65261850\n"),
        ]);
        let all = rows(&host);
        let seen: Vec<_> = all.iter().map(|s| (&*s.chip, &*s.label, s.kind, s.value.unwrap(), s.high, s.critical)).collect();
        assert_eq!(
            seen,
            [
                ("coretemp", "Package id 0", SensorKind::Temperature, 61.0, Some(80.0), Some(100.0)),
                ("coretemp", "temp10", SensorKind::Temperature, 55.5, None, None),
                ("nct6775", "fan2", SensorKind::Fan, 1180.0, None, None),
                ("amdgpu", "power1", SensorKind::Power, 25.0, None, None),
                ("nvme", "temp1", SensorKind::Temperature, 40.85, None, None),
            ]
        );
    }

    #[test]
    fn a_device_that_sleeps_is_left_asleep() {
        let host = host(&[
            ("hwmon0/name", "amdgpu\n"),
            ("hwmon0/device/power/runtime_status", "suspended\n"),
            ("hwmon0/temp1_input", "44000\n"),
            ("hwmon1/name", "nvme\n"),
            ("hwmon1/device/power/runtime_status", "unsupported\n"),
            ("hwmon1/device/device/power/runtime_status", "active\n"),
            ("hwmon1/temp1_input", "30000\n"),
        ]);
        let mut chips = Chips::default();
        chips.find(&host);
        assert_eq!(chips.read(&host).iter().map(|s| (&*s.chip, s.value)).collect::<Vec<_>>(), [("nvme", Some(30.0))]);
        host.put("/sys/class/hwmon/hwmon0/device/power/runtime_status", "active\n");
        assert_eq!(chips.read(&host)[0].value, Some(44.0));
        for (chip, file) in [(0, "device"), (1, "device/device")] {
            host.put(&format!("/sys/class/hwmon/hwmon{chip}/{file}/power/runtime_status"), "suspended\n");
        }
        assert_eq!(chips.read(&host).iter().map(|s| s.value).collect::<Vec<_>>(), [None, None], "rows stay, values do not");
    }

    #[test]
    fn a_spinning_disk_is_not_asked_for_its_temperature() {
        let host = host(&[
            ("hwmon0/name", "drivetemp\n"),
            ("hwmon0/temp1_input", "38000\n"),
            ("hwmon0/device/block/sda/queue/rotational", "1\n"),
            ("hwmon1/name", "drivetemp\n"),
            ("hwmon1/temp1_input", "33000\n"),
            ("hwmon1/device/block/sdb/queue/rotational", "0\n"),
        ]);
        assert_eq!(rows(&host).iter().map(|s| s.value).collect::<Vec<_>>(), [Some(33.0)]);
    }

    #[test]
    fn a_driver_that_cannot_measure_has_a_row_without_a_value() {
        let host = host(&[("hwmon0/name", "it87\n"), ("hwmon0/temp1_input", "-128000\n"), ("hwmon0/temp2_input", "not\n")]);
        assert_eq!(rows(&host).iter().map(|s| s.value).collect::<Vec<_>>(), [None, None]);
    }
}
