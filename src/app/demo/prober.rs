//! The prober of the demo: sends at fixed times whatever comes back, and counts latency from the time at which a request was meant to be
//! sent, so that a stalled service is not spared the requests that it delayed (no coordinated omission). It writes a cumulative
//! histogram in Prometheus' text format, whole, by rename.
//!
//! A measuring instrument must not wait for the cpu itself: it runs in real time (SCHED_FIFO, sched(7)) when it may, and says so when not.

use crate::{
    app::{demo::part::Life, failure::Failure},
    host::host::Host,
    model::time::Tick,
};
use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

/// Between two requests.
const PERIOD: Duration = Duration::from_millis(10);
/// Between two writes of the file.
const PUBLISH: Duration = Duration::from_millis(200);
/// Name of the histogram.
pub const HISTOGRAM: &str = "demo_request_seconds";

/// Cumulative counts of latencies, in steps of a tenth from 0.2 ms to 20 s.
struct Histogram {
    bounds: Vec<f64>,
    counts: Vec<u64>,
    sum: f64,
    count: u64,
}

impl Histogram {
    fn new() -> Histogram {
        let bounds: Vec<f64> = std::iter::successors(Some(0.000_2), |b| Some(b * 1.1)).take_while(|b| *b < 20.0).collect();
        Histogram { counts: vec![0; bounds.len()], bounds, sum: 0.0, count: 0 }
    }

    fn add(&mut self, seconds: f64) {
        let first = self.bounds.partition_point(|bound| *bound < seconds);
        if let Some(count) = self.counts.get_mut(first) {
            *count += 1;
        }
        self.sum += seconds;
        self.count += 1;
    }

    /// In the text format of <https://prometheus.io/docs/instrumenting/exposition_formats/>.
    fn text(&self, note: &str) -> String {
        let mut out = format!("# {note}\n# TYPE {HISTOGRAM} histogram\n");
        let mut below = 0;
        for (bound, count) in self.bounds.iter().zip(&self.counts) {
            below += count;
            // Writing to a String cannot fail.
            let _never = writeln!(out, "{HISTOGRAM}_bucket{{le=\"{bound:.6}\"}} {below}");
        }
        let (sum, count) = (self.sum, self.count);
        let _never =
            writeln!(out, "{HISTOGRAM}_bucket{{le=\"+Inf\"}} {count}\n{HISTOGRAM}_sum {sum:.6}\n{HISTOGRAM}_count {count}");
        out
    }
}

/// Probes until the demo ends.
pub fn run(parent: u32, seconds: u64, port: u16, file: &Path) -> Result<(), Failure> {
    let life = Life::begin(c"demo-prober", parent, seconds)?;
    let note = match life.host().run_in_real_time() {
        Ok(()) => "the prober runs in real time".to_string(),
        Err(e) => format!("the prober may wait for the cpu itself, which counts as latency ({e})"),
    };
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(Failure::new)?;
    stream.set_nodelay(true).map_err(Failure::new)?;
    let reader = stream.try_clone().map_err(Failure::new)?;
    let histogram = Mutex::new(Histogram::new());
    let begin = life.host().now().tick;
    thread::scope(|scope| {
        let sending = scope.spawn(|| send(&life, begin, &stream));
        let receiving = scope.spawn(|| receive(&life, begin, reader, &histogram));
        while !life.is_over() && !sending.is_finished() && !receiving.is_finished() {
            let text = histogram.lock().unwrap_or_else(PoisonError::into_inner).text(&note);
            publish(file, &text)?;
            life.host().pause(PUBLISH);
        }
        // Ends the two that still wait for the service.
        let _closed_already = stream.shutdown(std::net::Shutdown::Both);
        Ok(())
    })
}

/// When request `n` is meant to be sent.
fn due(begin: Tick, n: u64) -> Tick {
    begin + PERIOD * u32::try_from(n).unwrap_or(u32::MAX)
}

fn send(life: &Life, begin: Tick, mut stream: &TcpStream) {
    let mut n: u64 = 0;
    while !life.is_over() && stream.write_all(&n.to_be_bytes()).is_ok() {
        n += 1;
        life.host().pause(due(begin, n).since(life.host().now().tick));
    }
}

fn receive(life: &Life, begin: Tick, mut stream: TcpStream, histogram: &Mutex<Histogram>) {
    let mut answer = [0; 8];
    while stream.read_exact(&mut answer).is_ok() {
        let late = life.host().now().tick.seconds_since(due(begin, u64::from_be_bytes(answer)));
        histogram.lock().unwrap_or_else(PoisonError::into_inner).add(late);
    }
}

fn publish(file: &Path, text: &str) -> Result<(), Failure> {
    let fresh = file.with_extension("new");
    std::fs::write(&fresh, text).and_then(|()| std::fs::rename(&fresh, file)).map_err(Failure::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_end_with_all() {
        let mut histogram = Histogram::new();
        for seconds in [0.000_1, 0.001, 0.001, 0.5, 100.0] {
            histogram.add(seconds);
        }
        let text = histogram.text("note");
        let counts: Vec<u64> =
            text.lines().filter(|l| l.contains("_bucket")).filter_map(|l| l.rsplit(' ').next()?.parse().ok()).collect();
        assert!(counts.is_sorted());
        assert_eq!((counts.first(), counts.iter().rev().nth(1), counts.last()), (Some(&1), Some(&4), Some(&5)));
        assert!(text.ends_with("_count 5\n"));
    }
}
