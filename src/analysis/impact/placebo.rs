//! Placebo in time: how often does a gain like this one appear by itself, in windows of the same shape in which nothing was done?
//!
//! The only test in the table of `impact` whose false alarms do not depend on how the noise is correlated; it needs history, though.

use crate::{
    analysis::impact::case::{Case, back, between, seconds},
    model::{metric::Better, series::Point, time::Tick, trial::Windows},
};
use std::time::Duration;

/// Seconds of history looked at.
const HISTORY: f64 = 1800.0;
/// With fewer windows than this no rank can be at or below 5 %.
const LEAST_WINDOWS: usize = 20;
/// Fewest points on either side of a window.
const LEAST_POINTS: usize = 5;

/// Windows of the shape of a case, in its history.
struct Past<'a> {
    case: &'a Case<'a>,
    windows: &'a Windows,
    sums: Sums,
    /// Lengths of the windows before and after.
    lengths: (Duration, Duration),
}

impl<'a> Past<'a> {
    /// `None` where there are no points. Without history the window before is cut short; so are those of the placebos.
    fn of(windows: &'a Windows, case: &'a Case<'_>, course: &[Point]) -> Option<Past<'a>> {
        let from = back(case.applied, HISTORY).max(case.since);
        let sums = Sums::of(between(course, (from, Tick(u64::MAX))));
        let (before, after) = (case.before(windows), case.after(windows));
        let first = sums.points.first()?.at;
        let lengths = (before.1.since(before.0.max(first)), after.1.since(after.0));
        Some(Past { case, windows, sums, lengths })
    }

    /// After less before, of each window in which nothing was done.
    fn differences(&self) -> Vec<f64> {
        let ((lead, length), settle) = (self.lengths, seconds(self.windows.settle));
        let step = seconds((length.as_secs_f64() / 6.0).max(1.0));
        let Some(mut start) = self.sums.points.first().map(|p| p.at) else { return Vec::new() };
        let mut all = Vec::new();
        while start + lead + settle + length <= self.case.applied {
            let (middle, end) = (start + lead, start + lead + settle + length);
            let means = self.sums.mean((middle + settle, end)).zip(self.sums.mean((start, middle)));
            all.extend(means.filter(|_| !self.case.disturbed(start, end)).map(|(a, b)| a - b));
            start = start + step;
        }
        all
    }
}

/// Share of placebo windows with a gain at least as large, (c + 1) / (n + 1) after Phipson and Smyth; `None` with too few windows.
pub fn rank(better: Better, windows: &Windows, case: &Case<'_>, course: &[Point]) -> Option<f64> {
    let past = Past::of(windows, case, course)?;
    let gain = |change: f64| if better == Better::Lower { -change } else { change };
    let (before, after) = case.split(windows, course);
    let actual = gain(mean(&after)? - mean(&before)?);
    let all = past.differences();
    let as_good = all.iter().filter(|change| gain(**change) >= actual).count();
    (all.len() >= LEAST_WINDOWS).then(|| (as_good + 1) as f64 / (all.len() + 1) as f64)
}

/// Mean square of the differences between windows of this shape in which nothing was done, however the noise is made; `None` with too
/// few of them.
pub fn spread(windows: &Windows, case: &Case<'_>, course: &[Point]) -> Option<f64> {
    let all = Past::of(windows, case, course)?.differences();
    (all.len() >= LEAST_WINDOWS).then(|| all.iter().map(|d| d * d).sum::<f64>() / all.len() as f64)
}

fn mean(points: &[Point]) -> Option<f64> {
    (points.len() >= LEAST_POINTS).then(|| points.iter().map(|p| p.value).sum::<f64>() / points.len() as f64)
}

/// Points with running sums, so that each window costs two searches.
struct Sums {
    points: Vec<Point>,
    /// Of the values before each point.
    sums: Vec<f64>,
}

impl Sums {
    fn of(points: &[Point]) -> Sums {
        let points = points.to_vec();
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
