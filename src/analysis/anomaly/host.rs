//! A host as a whole: many numbers a little odd at once are more than one that is very odd. The mean over all series of how far each is
//! from what its last rows, and from what its usual day let expect, each cut at ten usual errors; then the geometric mean of both.

use crate::analysis::anomaly::{
    alarm::Alarm,
    watcher::{Verdict, Watcher},
};

/// Usual errors that count at most, for one series.
const CUT: f64 = 10.0;
/// The score that calls.
pub const THRESHOLD: f64 = 4.0;

/// The memory of one host.
#[derive(Clone, Debug)]
pub struct HostWatcher {
    series: Vec<Watcher>,
    alarm: Alarm,
}

/// What is said about one row of a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostVerdict {
    /// How odd, 1 at the threshold.
    pub score: f64,
    /// An alarm begins here.
    pub alert: bool,
    /// Each series.
    pub series: Vec<Verdict>,
}

impl HostWatcher {
    /// Watches `count` series with a row every `step` seconds.
    pub fn new(step: f64, count: usize) -> HostWatcher {
        HostWatcher { series: vec![Watcher::new(step); count], alarm: Alarm::new(THRESHOLD) }
    }

    /// Takes one row, a value for each series; `None` is a gap.
    pub fn take(&mut self, time: f64, row: &[Option<f64>]) -> HostVerdict {
        let series: Vec<Verdict> = self.series.iter_mut().zip(row).map(|(watcher, value)| watcher.take(time, *value)).collect();
        let count = series.len().max(1) as f64;
        let mean = |of: fn(&Verdict) -> f64| series.iter().map(|verdict| of(verdict).min(CUT)).sum::<f64>() / count;
        let raw = (mean(|verdict| verdict.step) * mean(|verdict| verdict.day)).sqrt();
        let call = self.alarm.take(time, raw);
        HostVerdict { score: raw / THRESHOLD, alert: call.alert, series }
    }
}
