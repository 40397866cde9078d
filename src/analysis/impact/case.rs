//! One change under judgement: where its windows lie.

use crate::model::{
    metric::Key,
    series::{Point, SeriesSet},
    time::Tick,
    trial::{Trial, Windows},
};
use std::time::Duration;

/// Fewest points in a window that anything is said about.
pub const LEAST_POINTS: usize = 8;

/// What judging a change needs to know beside its trial.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What was measured.
    pub series: &'a SeriesSet,
    /// Since when the trouble that the change answers has held: what was before is another regime and no comparison. Zero when unknown.
    pub since: Tick,
    /// When the last step was written.
    pub applied: Tick,
    /// Now.
    pub now: Tick,
    /// From when to when other changes were applied, watched or rolled back.
    pub others: &'a [(Tick, Tick)],
    /// From when to when it was switched off since, to be judged.
    pub off: &'a [(Tick, Tick)],
}

impl Case<'_> {
    /// From and to of the time before the change that it is compared with.
    pub fn before(&self, windows: &Windows) -> (Tick, Tick) {
        (back(self.applied, windows.before).max(self.since), self.applied)
    }

    /// From and to of the time after it has settled.
    pub fn after(&self, windows: &Windows) -> (Tick, Tick) {
        let from = self.applied + seconds(windows.settle);
        (from, (from + seconds(windows.after)).min(Tick(self.now.0.saturating_add(1))))
    }

    /// Every point of `key`, oldest first.
    pub fn course(&self, key: &Key) -> Vec<Point> {
        self.series.get(key).map(|series| series.points().collect()).unwrap_or_default()
    }

    /// The points before, and those after in which the change was in force.
    pub fn split(&self, windows: &Windows, course: &[Point]) -> (Vec<Point>, Vec<Point>) {
        let before = between(course, self.before(windows)).to_vec();
        let after = between(course, self.after(windows)).iter();
        (before, after.filter(|p| !self.off.iter().any(|(from, to)| p.at >= *from && p.at < *to)).copied().collect())
    }

    /// The values of `key` before and after.
    pub fn values(&self, trial: &Trial, key: &Key) -> (Vec<f64>, Vec<f64>) {
        let (before, after) = self.split(&trial.windows, &self.course(key));
        (values(&before), values(&after))
    }

    /// True when another change lived between `from` and `to`.
    pub fn disturbed(&self, from: Tick, to: Tick) -> bool {
        self.others.iter().any(|(begin, end)| *begin < to && *end > from)
    }
}

/// The points with `from <= at < to`, of points in order.
pub fn between(course: &[Point], (from, to): (Tick, Tick)) -> &[Point] {
    let index = |at: Tick| course.partition_point(|p| p.at < at);
    course.get(index(from)..index(to)).unwrap_or_default()
}

/// What points amount to.
pub fn values(points: &[Point]) -> Vec<f64> {
    points.iter().map(|p| p.value).collect()
}

/// A span of so many seconds; nothing for a number that is none.
pub fn seconds(span: f64) -> Duration {
    Duration::try_from_secs_f64(span).unwrap_or_default()
}

/// The tick so many seconds before `at`.
pub fn back(at: Tick, span: f64) -> Tick {
    Tick(at.0.saturating_sub(u64::try_from(seconds(span).as_nanos()).unwrap_or(u64::MAX)))
}

/// Means over spans of `width` seconds, from the first point on; empty spans are left out.
pub fn means(points: impl Iterator<Item = Point>, width: f64) -> Vec<f64> {
    let mut all: Vec<(u64, f64, f64)> = Vec::new();
    let step = seconds(width).as_nanos().max(1) as u64;
    let mut origin = None;
    for point in points {
        let bin = point.at.0.saturating_sub(*origin.get_or_insert(point.at.0)) / step;
        match all.last_mut().filter(|(last, ..)| *last == bin) {
            Some((_, sum, count)) => {
                *sum += point.value;
                *count += 1.0;
            }
            None => all.push((bin, point.value, 1.0)),
        }
    }
    all.into_iter().map(|(_, sum, count)| sum / count).collect()
}
