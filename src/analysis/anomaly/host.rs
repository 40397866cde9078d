//! A host as a whole: many numbers a little odd at once say more than one that is very odd. How far each series is from what its last
//! rows let expect, and how far from its usual day, both cut, so that no single one decides; the means over all series, combined as a
//! geometric mean in which the first counts twice.

use crate::analysis::anomaly::{
    alarm::Alarm,
    watcher::{Verdict, Watcher},
};

/// Usual errors that count at most, for one series.
const CUT: f64 = 10.0;
/// The score that calls.
pub const THRESHOLD: f64 = 4.0;
/// Alarms of a host that are borne each day. Whole hosts are odd more often than single numbers, and there is one of them.
const RATE: f64 = 0.5;

/// What is said about one row of a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Together {
    /// How odd, 1 at the threshold.
    pub score: f64,
    /// An alarm begins here, or grows.
    pub alert: bool,
    /// The share of each series in it, in their order; they add up to 1, or are all 0.
    pub shares: Vec<f64>,
}

/// Judges series together.
#[derive(Clone, Debug)]
pub struct Joint {
    alarm: Alarm,
}

impl Default for Joint {
    fn default() -> Joint {
        Joint { alarm: Alarm::new(THRESHOLD).bearing(RATE) }
    }
}

impl Joint {
    /// Takes what was said about each series at `time`, seconds.
    pub fn take(&mut self, time: f64, series: &[Verdict]) -> Together {
        let count = series.len().max(1) as f64;
        let odd = |verdict: &Verdict| (verdict.step.min(CUT), verdict.day.min(CUT));
        let (steps, days) = series.iter().map(odd).fold((0.0, 0.0), |sum, odd| (sum.0 + odd.0, sum.1 + odd.1));
        let raw = ((steps / count).powi(2) * (days / count)).cbrt();
        let share = |verdict: &Verdict| {
            let (step, day) = odd(verdict);
            if raw > 0.0 { (2.0 * step / steps + day / days) / 3.0 } else { 0.0 }
        };
        let alert = self.alarm.take(time, raw).alert;
        Together { score: raw / THRESHOLD, alert, shares: series.iter().map(share).collect() }
    }
}

/// Series that come in rows, and all of them together.
#[derive(Clone, Debug)]
pub struct HostWatcher {
    series: Vec<Watcher>,
    joint: Joint,
}

impl HostWatcher {
    /// Watches `count` series with a row every `step` seconds.
    pub fn new(step: f64, count: usize) -> HostWatcher {
        HostWatcher { series: vec![Watcher::new(step); count], joint: Joint::default() }
    }

    /// Takes one row, a value for each series; `None` is a gap.
    pub fn take(&mut self, time: f64, row: &[Option<f64>]) -> (Together, Vec<Verdict>) {
        let series: Vec<Verdict> = self.series.iter_mut().zip(row).map(|(watcher, value)| watcher.take(time, *value)).collect();
        (self.joint.take(time, &series), series)
    }
}
