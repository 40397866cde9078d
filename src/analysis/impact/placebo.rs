//! Placebo in time: how often does a gain like this one appear by itself, in windows of the same shape in which nothing was done?
//!
//! The only test in the table of `impact` whose false alarms do not depend on how the noise is correlated; it needs history, though.

use crate::{
    analysis::impact::case::{Case, back, seconds},
    model::{
        metric::{Better, Key},
        series::Point,
        time::Tick,
        trial::Trial,
    },
};

/// Seconds of history looked at.
const HISTORY: f64 = 1800.0;
/// With fewer windows than this no rank can be at or below 5 %.
const LEAST_WINDOWS: usize = 20;
/// Fewest points on either side of a window.
const LEAST_POINTS: usize = 5;

/// Share of placebo windows with a gain at least as large, (c + 1) / (n + 1) after Phipson and Smyth; `None` with too few windows.
pub fn rank(trial: &Trial, case: &Case<'_>, key: &Key) -> Option<f64> {
    let from = back(case.applied, HISTORY).max(case.since);
    let sums = Sums::of(case.series.get(key)?.points().filter(|p| p.at >= from));
    let (before, after) = (case.before(&trial.windows), case.after(&trial.windows));
    let gain = |a: f64, b: f64| if trial.better == Better::Lower { b - a } else { a - b };
    let actual = gain(sums.mean(after)?, sums.mean(before)?);
    // Without history the window before is cut short; so are those of the placebos.
    let first = sums.points.first()?.at;
    let (lead, length) = (before.1.since(before.0.max(first)), after.1.since(after.0));
    let settle = seconds(trial.windows.settle);
    let step = seconds((length.as_secs_f64() / 6.0).max(1.0));
    let (mut windows, mut as_good, mut start) = (0usize, 0usize, first);
    while start + lead + settle + length <= case.applied {
        let (middle, end) = (start + lead, start + lead + settle + length);
        let means = sums.mean((middle + settle, end)).zip(sums.mean((start, middle)));
        if let Some((a, b)) = means.filter(|_| !case.disturbed(start, end)) {
            windows += 1;
            as_good += usize::from(gain(a, b) >= actual);
        }
        start = start + step;
    }
    (windows >= LEAST_WINDOWS).then(|| (as_good + 1) as f64 / (windows + 1) as f64)
}

/// Points with running sums, so that each window costs two searches.
struct Sums {
    points: Vec<Point>,
    /// Of the values before each point.
    sums: Vec<f64>,
}

impl Sums {
    fn of(points: impl Iterator<Item = Point>) -> Sums {
        let points: Vec<Point> = points.collect();
        let mut sums = vec![0.0];
        sums.extend(points.iter().scan(0.0, |sum, p| {
            *sum += p.value;
            Some(*sum)
        }));
        Sums { points, sums }
    }

    fn mean(&self, (from, to): (Tick, Tick)) -> Option<f64> {
        let index = |at: Tick| self.points.partition_point(|p| p.at < at);
        let (first, last) = (index(from), index(to));
        let count = last.saturating_sub(first);
        let sum = self.sums.get(last)? - self.sums.get(first)?;
        (count >= LEAST_POINTS).then(|| sum / count as f64)
    }
}
