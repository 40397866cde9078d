//! Clocks: `/sys/devices/system/cpu/cpufreq/policyN` (Documentation/admin-guide/pm/cpufreq.rst).

use super::{named, number};
use crate::{
    host::host::Host,
    model::{hardware::FrequencyPolicy, knob::Place, text::clean},
    sources::parse,
};

/// The policies that were found.
#[derive(Default)]
pub struct Clocks {
    all: Vec<Policy>,
    buffer: Vec<u8>,
}

struct Policy {
    directory: Place,
    clock: Place,
    row: FrequencyPolicy,
    /// Its settings were read.
    known: bool,
}

impl Clocks {
    /// Looks which there are.
    pub fn find(&mut self, host: &dyn Host) {
        let root = Place::sys("devices/system/cpu/cpufreq");
        let names = named(host, &root, "policy");
        let mut old = std::mem::take(&mut self.all);
        for directory in names.iter().map(|name| root.join(name)) {
            let known = old.iter().position(|policy| policy.directory == directory).map(|i| old.swap_remove(i));
            self.all.push(known.unwrap_or_else(|| Policy::new(directory)));
        }
    }

    /// Reads each clock, and in `turns` the settings of all: on a machine of 256 policies they cost more than the clocks.
    pub fn read(&mut self, host: &dyn Host, turn: usize, turns: usize) -> Vec<FrequencyPolicy> {
        let mut rows = Vec::with_capacity(self.all.len());
        for (i, policy) in self.all.iter_mut().enumerate() {
            if !policy.known || i % turns == turn % turns {
                policy.settle(host, &mut self.buffer);
            }
            // A policy whose processors are offline has no clock.
            if let Some(now) = hertz(host, &policy.clock, &mut self.buffer) {
                rows.push(FrequencyPolicy { now, ..policy.row.clone() });
            }
        }
        rows
    }
}

impl Policy {
    fn new(directory: Place) -> Policy {
        Policy { clock: directory.join("scaling_cur_freq"), directory, row: FrequencyPolicy::default(), known: false }
    }

    fn settle(&mut self, host: &dyn Host, buffer: &mut Vec<u8>) {
        let mut of = |file: &str| hertz(host, &self.directory.join(file), buffer).unwrap_or(0);
        let (range, most) = ((of("scaling_min_freq"), of("scaling_max_freq")), of("cpuinfo_max_freq"));
        let mut text = |file: &str| host.read(&self.directory.join(file), buffer).map(|()| parse::text(buffer).trim().to_string());
        let governor = text("scaling_governor").unwrap_or_default();
        let cpus = text("affected_cpus").unwrap_or_default();
        if *governor != *self.row.governor {
            self.row.governor = clean(&governor, 32);
        }
        let cpus: Vec<u32> = cpus.split_ascii_whitespace().filter_map(|cpu| cpu.parse().ok()).collect();
        if *cpus != *self.row.cpus {
            self.row.cpus = cpus.into();
        }
        (self.row.range, self.row.most, self.known) = (range, most, true);
    }
}

/// The kernel counts kilohertz.
fn hertz(host: &dyn Host, place: &Place, buffer: &mut Vec<u8>) -> Option<u64> {
    u64::try_from(number(host, place, buffer)?).ok().map(|kilo| kilo.saturating_mul(1000))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    fn put(host: &RecordedHost, policy: u32, cpus: &str, now: &str) {
        let at = |file: &str| format!("/sys/devices/system/cpu/cpufreq/policy{policy}/{file}");
        let files = [
            ("affected_cpus", cpus),
            ("scaling_cur_freq", now),
            ("scaling_governor", "powersave\n"),
            ("scaling_min_freq", "800000\n"),
        ];
        files.into_iter().chain([("scaling_max_freq", "3200000\n"), ("cpuinfo_max_freq", "4800000\n")]).for_each(|(file, text)| {
            host.put(&at(file), text);
        });
    }

    #[test]
    fn clocks_come_with_their_processors_and_the_range_of_the_governor() {
        let host = RecordedHost::default();
        put(&host, 0, "0 1 2 3\n", "1200000\n");
        put(&host, 4, "\n", "<unknown>\n");
        let mut clocks = Clocks::default();
        clocks.find(&host);
        let rows = clocks.read(&host, 0, 12);
        assert_eq!(rows.len(), 1, "processors that are offline have no clock");
        assert_eq!(
            (&*rows[0].cpus, rows[0].now, rows[0].range),
            ([0, 1, 2, 3].as_slice(), 1_200_000_000, (800_000_000, 3_200_000_000))
        );
        assert_eq!((rows[0].most, &*rows[0].governor), (4_800_000_000, "powersave"));
    }

    #[test]
    fn settings_follow_in_turns_and_clocks_at_once() {
        let host = RecordedHost::default();
        (0..3).for_each(|policy| put(&host, policy, "0\n", "1000000\n"));
        let mut clocks = Clocks::default();
        clocks.find(&host);
        clocks.read(&host, 0, 3);
        for policy in 0..3 {
            put(&host, policy, "0\n", "2000000\n");
            host.put(&format!("/sys/devices/system/cpu/cpufreq/policy{policy}/scaling_governor"), "performance\n");
        }
        let rows = clocks.read(&host, 1, 3);
        assert!(rows.iter().all(|row| row.now == 2_000_000_000));
        assert_eq!(rows.iter().map(|row| &*row.governor).collect::<Vec<_>>(), ["powersave", "performance", "powersave"]);
    }
}
