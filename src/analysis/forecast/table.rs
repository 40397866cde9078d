//! The table that regressions learn from: one column for each step of the past, and lines in three groups. Shared features describe the
//! step itself; targets say how far the value moves from there within each horizon; seasonal features say, for each horizon, how far the
//! season would move it. All are differences from the value of the step: what is learnt holds at any level.

use crate::analysis::forecast::{rolling, seasonal::Seasonal};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, s};
use std::{f32::consts::TAU, ops::Range};

/// Values so many steps ago.
const LAGS: [usize; 17] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 18, 21, 23, 24];
/// Means over so many steps.
const MEANS: [usize; 5] = [3, 6, 12, 24, 72];
/// Exponential smoothing with these shares.
const SMOOTH: [f32; 3] = [0.3, 0.1, 0.03];
/// Means over so many steps are, with the value, the one before and the season, bent at their own quantiles [`KNOTS`], so that a deviation may count more or less the larger it is
/// (additive regression splines of first order, Friedman and Silverman 1989).
const BENT: [usize; 3] = [6, 24, 72];
/// See [`BENT`].
const KNOTS: [f32; 2] = [0.2, 0.8];
/// Waves of the season: cycles in a season, and phase in parts of a cycle.
const WAVES: [(f32, f32); 4] = [(1.0, 0.0), (1.0, 0.25), (2.0, 0.0), (2.0, 0.25)];
/// Nothing can be learnt from fewer columns.
pub const FEWEST: usize = 40;

/// What is learnt from.
pub struct Table {
    lines: Array2<f32>,
    shared_now: Array1<f32>,
    seasonal_now: Array2<f32>,
    /// Lines of shared features.
    pub shared: usize,
    /// The horizons, in steps.
    pub horizons: Vec<usize>,
    /// Seasonal features for each horizon.
    pub kinds: usize,
    /// The steps of the series that the columns describe.
    pub steps: Range<usize>,
}

impl Table {
    /// Of a series and its season; `None` if it is too short.
    pub fn new(values: &[f32], seasonal: Option<&Seasonal>, horizons: &[usize]) -> Option<Table> {
        let furthest = horizons.last().copied()?;
        let first = seasonal.map_or(LAGS.last().copied().unwrap_or_default() + 1, |s| s.period + furthest);
        let steps = first..values.len().checked_sub(furthest)?;
        if steps.len() < FEWEST {
            return None;
        }
        let features = features(values, seasonal);
        let kinds = seasonal.map_or(0, |_| 3);
        let (shared, count) = (features.len() + 1, horizons.len());
        let mut table = Table {
            lines: Array2::zeros((shared + count + kinds * count, steps.len())),
            shared_now: Array1::ones(shared),
            seasonal_now: Array2::zeros((kinds, count)),
            shared,
            horizons: horizons.to_vec(),
            kinds,
            steps,
        };
        table.lines.row_mut(0).fill(1.0);
        for (line, feature) in features.iter().enumerate() {
            table.share(line + 1, feature);
        }
        table.aim(values);
        if let Some(seasonal) = seasonal {
            for (kind, course) in [&seasonal.last, &seasonal.profile, &seasonal.around].into_iter().enumerate() {
                table.season(kind, course, values);
            }
        }
        Some(table)
    }

    fn share(&mut self, line: usize, feature: &[f32]) {
        let past = feature.get(self.steps.clone()).unwrap_or_default();
        let unit = 1.0 / (rolling::spread(feature.iter().skip(self.steps.start).copied()) + 1e-9);
        copy(self.lines.row_mut(line), past.iter().map(|v| v * unit));
        if let Some((now, value)) = self.shared_now.get_mut(line).zip(feature.last()) {
            *now = value * unit;
        }
    }

    fn aim(&mut self, values: &[f32]) {
        for (at, ahead) in self.horizons.iter().enumerate() {
            let past = values.iter().skip(self.steps.start);
            copy(self.lines.row_mut(self.shared + at), past.clone().skip(*ahead).zip(past).map(|(to, from)| to - from));
        }
    }

    fn season(&mut self, kind: usize, course: &[f32], values: &[f32]) {
        let (from, columns) = (self.steps.start, self.steps.len());
        let moved = |ahead: usize| course.iter().skip(from + ahead).zip(values.iter().skip(from)).map(|(to, from)| to - from);
        let middle = self.horizons.last().map_or(1, |h| h / 2 + 1);
        let unit = 1.0 / (rolling::spread(moved(middle).take(columns)) + 1e-9);
        let first = self.shared + (kind + 1) * self.horizons.len();
        for at in 0..self.horizons.len() {
            let ahead = self.horizons.get(at).copied().unwrap_or_default();
            copy(self.lines.row_mut(first + at), moved(ahead).map(|moved| moved * unit));
            let moved = course.get(values.len() - 1 + ahead).zip(values.last()).map(|(to, from)| (to - from) * unit);
            if let Some((now, moved)) = self.seasonal_now.get_mut((kind, at)).zip(moved) {
                *now = moved;
            }
        }
    }

    /// How many columns there are.
    pub fn columns(&self) -> usize {
        self.lines.ncols()
    }

    /// All lines of some columns.
    pub fn part(&self, columns: Range<usize>) -> ArrayView2<'_, f32> {
        self.lines.slice(s![.., columns])
    }

    /// The shared features of some columns.
    pub fn shared_of(&self, columns: Range<usize>) -> ArrayView2<'_, f32> {
        self.lines.slice(s![..self.shared, columns])
    }

    /// Where the values moved within a horizon.
    pub fn target(&self, horizon: usize) -> ArrayView1<'_, f32> {
        self.lines.row(self.shared + horizon)
    }

    /// The line of a seasonal feature of a horizon.
    pub fn seasonal_line(&self, kind: usize, horizon: usize) -> usize {
        self.shared + (kind + 1) * self.horizons.len() + horizon
    }

    /// A seasonal feature of a horizon.
    pub fn seasonal(&self, kind: usize, horizon: usize) -> ArrayView1<'_, f32> {
        self.lines.row(self.seasonal_line(kind, horizon))
    }

    /// The features of the present step: shared ones, and those of each seasonal kind and horizon.
    pub fn now(&self) -> (ArrayView1<'_, f32>, ArrayView2<'_, f32>) {
        (self.shared_now.view(), self.seasonal_now.view())
    }
}

fn copy(mut line: ArrayViewMut1<'_, f32>, values: impl Iterator<Item = f32>) {
    for (to, value) in line.iter_mut().zip(values) {
        *to = value;
    }
}

/// The shared features at each step.
fn features(values: &[f32], seasonal: Option<&Seasonal>) -> Vec<Vec<f32>> {
    let apart = |mut course: Vec<f32>| {
        course.truncate(values.len());
        course.iter_mut().zip(values).for_each(|(course, value)| *course -= value);
        course
    };
    let lags = LAGS.iter().map(|steps| rolling::lag(values, *steps));
    let means = MEANS.iter().map(|width| rolling::mean(values, *width));
    let smooth = SMOOTH.iter().map(|share| rolling::smooth(values, *share));
    let mut all: Vec<Vec<f32>> = lags.chain(means).chain(smooth).map(apart).collect();
    let mut bent: Vec<Vec<f32>> = vec![values.to_vec(), apart(rolling::lag(values, 1))];
    bent.extend(BENT.iter().map(|width| apart(rolling::mean(values, *width))));
    if let Some(seasonal) = seasonal {
        let (last, profile) = (apart(rolling::lag(values, seasonal.period)), apart(seasonal.profile.clone()));
        all.push(apart(rolling::mean(values, seasonal.period)));
        all.extend(WAVES.iter().map(|w| wave(values.len(), seasonal.period, *w)));
        all.extend([last.clone(), profile.clone()]);
        bent.extend([last, profile]);
    }
    all.extend(bent.iter().flat_map(|course| hinges(course)));
    all
}

fn wave(steps: usize, period: usize, (cycles, phase): (f32, f32)) -> Vec<f32> {
    (0..steps).map(|i| (TAU * (cycles * (i % period) as f32 / period as f32 + phase)).sin()).collect()
}

/// How far a course is above each of its own quantiles, zero below.
fn hinges(course: &[f32]) -> [Vec<f32>; 2] {
    KNOTS.map(|knot| {
        let mut sample: Vec<f32> = course.to_vec();
        let at = (knot * (sample.len().max(1) - 1) as f32) as usize;
        let knot = if at < sample.len() { *sample.select_nth_unstable_by(at, f32::total_cmp).1 } else { 0.0 };
        course.iter().map(|v| (v - knot).max(0.0)).collect()
    })
}
