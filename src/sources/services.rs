//! Latency of configured services: a file with a cumulative histogram in Prometheus' text format, written whole by its owner
//! (prometheus.io/docs/instrumenting/exposition_formats). Counts of all label sets of the histogram are added up.

use crate::{
    host::{error::HostError, host::Host},
    model::{
        knob::Place,
        limits::ServiceWatch,
        sample::{Sample, ServiceSample, SourceName},
        subject::ProcessId,
        text::clean,
        time::Tick,
    },
    sources::{
        parse,
        source::{Lane, Source, SourceAbout},
    },
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Seconds between two searches for a process that is not found.
const SEARCH: f64 = 10.0;
/// Characters of a name that the kernel keeps in `comm`.
const COMM: usize = 15;

/// The source.
pub struct Services {
    all: Vec<Watched>,
    buffer: Vec<u8>,
}

struct Watched {
    name: Arc<str>,
    watch: ServiceWatch,
    process: Option<ProcessId>,
    sought: Option<Tick>,
}

impl Services {
    /// Watches these.
    pub fn new(services: &[ServiceWatch]) -> Services {
        let watched =
            |watch: &ServiceWatch| Watched { name: clean(&watch.name, 64), watch: watch.clone(), process: None, sought: None };
        Services { all: services.iter().map(watched).collect(), buffer: Vec::new() }
    }
}

impl Source for Services {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Services,
            lane: Lane::Sweep,
            deadline: Duration::from_millis(1500),
            reads: "latency histograms of configured services, /proc/PID/comm",
        }
    }

    /// Services whose file cannot be read have no row; when that is so for all of them, the first one's reason is given.
    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        let mut rows = Vec::with_capacity(self.all.len());
        let mut first = None;
        for service in &mut self.all {
            match service.read(host, &mut self.buffer) {
                Ok(row) => rows.push(row),
                Err(error) => first = first.or(Some(error)),
            }
        }
        match first {
            Some(error) if rows.is_empty() => Err(error),
            _ => Ok(Sample::Services(rows)),
        }
    }
}

impl Watched {
    fn read(&mut self, host: &dyn Host, buffer: &mut Vec<u8>) -> Result<ServiceSample, HostError> {
        let place = parse::place(&self.watch.file);
        host.read(&place, buffer)?;
        let buckets = parse_histogram(&parse::text(buffer), &self.watch.histogram)
            .ok_or_else(|| parse::malformed(&place, &format!("the histogram {}", self.watch.histogram)))?;
        self.find(host);
        Ok(ServiceSample { name: self.name.clone(), buckets, process: self.process })
    }

    /// Keeps the process while it lives; looks for it otherwise, now and then.
    fn find(&mut self, host: &dyn Host) {
        let identity = |pid: u32| Some(ProcessId { pid, start: host.start_time(&pid.to_string()).ok()? });
        if self.process.is_some_and(|known| identity(known.pid) == Some(known)) || self.watch.process.is_empty() {
            return;
        }
        self.process = None;
        let now = host.now().tick;
        if self.sought.is_some_and(|sought| now.seconds_since(sought) < SEARCH) {
            return;
        }
        self.sought = Some(now);
        let pid = self.watch.process.parse().ok().or_else(|| lowest_named(host, &self.watch.process));
        self.process = pid.and_then(identity);
    }
}

/// The lowest pid of that name: of a service with workers, the one that started them.
fn lowest_named(host: &dyn Host, name: &str) -> Option<u32> {
    let wanted: String = name.chars().take(COMM).collect();
    let (mut names, mut buffer) = (Vec::new(), Vec::new());
    host.list(&Place::proc(""), &mut names).ok()?;
    let mut pids: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
    pids.sort_unstable();
    pids.into_iter().find(|pid| {
        let read = host.read(&Place::proc(format!("{pid}/comm")), &mut buffer).is_ok();
        read && parse::text(&buffer).trim_end_matches('\n') == wanted
    })
}

/// Bounds in seconds, rising, with cumulative counts; `None` where there is no such histogram. A last bound that is not infinite gets
/// an infinite one beside it from the histogram's `_count`.
pub fn parse_histogram(text: &str, name: &str) -> Option<Vec<(f64, u64)>> {
    // Keyed by bits: finite and infinite bounds that are not negative sort by them as by value.
    let mut counts = BTreeMap::<u64, u64>::new();
    let mut all = 0_u64;
    for line in text.lines() {
        let Some(rest) = line.strip_prefix(name) else { continue };
        if let Some((bound, count)) = rest.strip_prefix("_bucket{").and_then(bucket) {
            let sum = counts.entry(bound.to_bits()).or_default();
            *sum = sum.saturating_add(count);
        } else if let Some(count) = rest.strip_prefix("_count").and_then(total) {
            all = all.saturating_add(count);
        }
    }
    let last = *counts.last_key_value()?.1;
    counts.entry(f64::INFINITY.to_bits()).or_insert(all.max(last));
    Some(counts.into_iter().map(|(bits, count)| (f64::from_bits(bits), count)).collect())
}

/// Bound and count of what follows `NAME_bucket{`.
fn bucket(mut rest: &str) -> Option<(f64, u64)> {
    let mut bound = None;
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(value) = rest.strip_prefix('}') {
            return Some((bound?, number(value)?));
        }
        let (key, after) = rest.split_once("=\"")?;
        let end = closing_quote(after)?;
        if key == "le" {
            bound = after.get(..end)?.parse::<f64>().ok().filter(|bound| *bound >= 0.0).map(f64::abs);
        }
        rest = after.get(end + 1..)?;
    }
}

/// Where a label's value ends: at the first quote without a backslash before it.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })
}

/// The count of what follows `NAME_count`, with or without labels.
fn total(rest: &str) -> Option<u64> {
    let value = if rest.starts_with('{') { rest.rsplit_once('}')?.1 } else { rest };
    number(value)
}

/// The first number of a value, which may be followed by a time; counts may be written as `1e3`.
fn number(text: &str) -> Option<u64> {
    let value: f64 = text.split_ascii_whitespace().next()?.parse().ok()?;
    (0.0..1e18).contains(&value).then_some(value as u64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;
    use proptest::prelude::*;

    const TEXT: &str = "# HELP rt_seconds x\n# TYPE rt_seconds histogram\n\
        rt_seconds_bucket{le=\"0.1\",path=\"/a\\\"},le=\"} 5\nrt_seconds_bucket{path=\"/b\",le=\"0.1\"} 2 1700000000000\n\
        rt_seconds_bucket{le=\"0.01\"} 1\nrt_seconds_bucket{path=\"/a\",le=\"+Inf\"} 1.2e1\nrt_seconds_sum 4\nrt_seconds_count 12\n\
        rt_seconds_more_bucket{le=\"9\"} 3\n";

    #[test]
    fn label_sets_are_added_up_and_bounds_rise() {
        assert_eq!(parse_histogram(TEXT, "rt_seconds").unwrap(), [(0.01, 1), (0.1, 7), (f64::INFINITY, 12)]);
        assert_eq!(parse_histogram(TEXT, "other"), None);
    }

    #[test]
    fn the_infinite_bound_comes_from_the_count_where_it_is_missing() {
        let text = "h_bucket{le=\"1\"} 4\nh_count{a=\"b\"} 6\n";
        assert_eq!(parse_histogram(text, "h").unwrap(), [(1.0, 4), (f64::INFINITY, 6)]);
    }

    #[test]
    fn garbage_has_no_buckets() {
        for text in ["h_bucket{le=\"NaN\"} 4", "h_bucket{le=\"1\"} NaN", "h_bucket{le=\"1", "h_bucket{le=\"-1\"} 4", "h_bucket{} 3"]
        {
            assert_eq!(parse_histogram(text, "h"), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(h(_bucket\\{|_count)?(le=\"|[^\n]){0,20}\n){0,5}") {
            let _ = parse_histogram(&text, "h");
        }
    }

    fn watch(name: &str, process: &str) -> ServiceWatch {
        ServiceWatch { name: name.into(), file: format!("/run/{name}.prom"), histogram: "h".into(), process: process.into() }
    }

    #[test]
    fn a_missing_file_costs_its_own_row_only() {
        let host = RecordedHost::default();
        let mut both = Services::new(&[watch("a", ""), watch("b", "")]);
        assert!(both.read(&host).unwrap_err().to_string().contains("/run/a.prom"));
        host.put("/run/b.prom", "h_bucket{le=\"1\"} 4\n");
        let Sample::Services(rows) = both.read(&host).unwrap() else { panic!() };
        assert_eq!(rows.iter().map(|row| &*row.name).collect::<Vec<_>>(), ["b"]);
        assert!(matches!(Services::new(&[]).read(&host), Ok(Sample::Services(rows)) if rows.is_empty()));
    }

    #[test]
    fn its_process_is_found_by_name_and_again_after_a_restart() {
        let host = RecordedHost::default();
        host.put("/run/a.prom", "h_bucket{le=\"1\"} 4\n");
        let run = |pid: u32| {
            host.put(&format!("/proc/{pid}/comm"), "a-very-long-nam\n");
            host.put(&format!("/proc/{pid}/stat"), &format!("{pid} (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {pid} 0 0\n"));
        };
        run(100);
        run(30);
        let mut services = Services::new(&[watch("a", "a-very-long-name-indeed")]);
        let mut process = || {
            let Sample::Services(rows) = services.read(&host).unwrap() else { panic!() };
            rows[0].process.map(|id| id.pid)
        };
        assert_eq!(process(), Some(30));
        host.remove("/proc/30");
        assert_eq!(process(), None, "not sought each sweep");
        host.step(Duration::from_secs(10));
        assert_eq!(process(), Some(100));
    }
}
