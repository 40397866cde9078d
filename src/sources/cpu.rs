//! Processor time, run queue and load: `/proc/stat` and `/proc/loadavg` (Documentation/filesystems/proc.rst, 1.7).

use crate::{
    host::{error::HostError, host::Host},
    model::{
        knob::Place,
        sample::{CpuSample, CpuTimes, Sample, SourceName},
    },
    sources::{
        kept::Kept,
        parse,
        source::{Lane, Source, SourceAbout},
    },
};
use std::{str::SplitAsciiWhitespace, time::Duration};

/// The source.
pub struct Cpu {
    stat: Kept,
    load: Kept,
    buffer: Vec<u8>,
}

impl Default for Cpu {
    fn default() -> Self {
        Cpu { stat: Kept::new(Place::proc("stat")), load: Kept::new(Place::proc("loadavg")), buffer: Vec::new() }
    }
}

impl Source for Cpu {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Cpu,
            lane: Lane::Fast,
            deadline: Duration::from_millis(500),
            reads: "/proc/stat, /proc/loadavg",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        self.stat.read(host, &mut self.buffer)?;
        let mut sample =
            parse_stat(&parse::text(&self.buffer)).ok_or_else(|| parse::malformed(self.stat.place(), "the line `cpu`"))?;
        if self.load.read(host, &mut self.buffer).is_ok() {
            sample.load = parse_load(&parse::text(&self.buffer));
        }
        Ok(Sample::Cpu(sample))
    }
}

/// `/proc/stat`; `None` without its first line.
pub fn parse_stat(text: &str) -> Option<CpuSample> {
    let mut sample = CpuSample::default();
    let mut seen = false;
    for line in text.lines() {
        let mut fields = line.split_ascii_whitespace();
        match fields.next().unwrap_or("") {
            "cpu" => {
                sample.total = times(&mut fields);
                seen = true;
            }
            // `intr` has a field for each interrupt there is; only the first, their sum, is wanted.
            "intr" => sample.interrupts = parse::next(&mut fields),
            "ctxt" => sample.context_switches = parse::next(&mut fields),
            "processes" => sample.forks = parse::next(&mut fields),
            "procs_running" => sample.running = parse::next(&mut fields),
            "procs_blocked" => sample.blocked = parse::next(&mut fields),
            name => {
                if let Some(number) = name.strip_prefix("cpu").and_then(|n| n.parse().ok()) {
                    sample.cores.push((number, times(&mut fields)));
                }
            }
        }
    }
    seen.then_some(sample)
}

fn times(fields: &mut SplitAsciiWhitespace) -> CpuTimes {
    let mut next = || parse::next(fields);
    let [user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice] = std::array::from_fn(|_| next());
    CpuTimes {
        user: user.saturating_sub(guest),
        nice: nice.saturating_sub(guest_nice),
        system,
        idle,
        iowait,
        irq,
        softirq,
        steal,
        guest: guest.saturating_add(guest_nice),
    }
}

/// The three averages of `/proc/loadavg`.
pub fn parse_load(text: &str) -> Option<[f64; 3]> {
    let mut fields = text.split_ascii_whitespace();
    let mut next = || fields.next()?.parse::<f64>().ok().filter(|load| load.is_finite() && *load >= 0.0);
    Some([next()?, next()?, next()?])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  100 20 30 400 50 6 7 8 40 5\ncpu0 1 2 3 4 5 6 7 8 0 0\ncpu2 9 0 0 0 0 0 0 0 0 0\n\
                        intr 12345 1 2 3\nctxt 999\nbtime 1700000000\nprocesses 42\nprocs_running 3\nprocs_blocked 1\nsoftirq 1 2\n";

    #[test]
    fn guest_time_is_taken_out_of_user_and_nice() {
        let sample = parse_stat(STAT).unwrap();
        assert_eq!((sample.total.user, sample.total.nice, sample.total.guest), (60, 15, 45));
        assert_eq!(sample.total.steal, 8);
    }

    #[test]
    fn offline_cores_are_absent_and_counters_are_found() {
        let sample = parse_stat(STAT).unwrap();
        assert_eq!(sample.cores.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [0, 2]);
        assert_eq!((sample.interrupts, sample.context_switches, sample.forks), (12345, 999, 42));
        assert_eq!((sample.running, sample.blocked), (3, 1));
    }

    #[test]
    fn old_kernels_have_fewer_columns() {
        let sample = parse_stat("cpu 1 2 3 4\n").unwrap();
        assert_eq!((sample.total.idle, sample.total.steal), (4, 0));
        assert!(parse_stat("intr 5\n").is_none());
    }

    #[test]
    fn load_that_is_no_number_is_absent() {
        assert_eq!(parse_load("0.10 0.20 0.30 1/96 10477\n"), Some([0.1, 0.2, 0.3]));
        assert_eq!(parse_load("NaN 0 0"), None);
        assert_eq!(parse_load("1 2"), None);
    }
}
