//! Linear regression for all horizons at once. The sums of squares and products of the table's lines are taken once for each round; the
//! part that belongs to the shared features is factored once, and what is particular to a horizon (its seasonal features) is a small
//! system of its own on top of it (Schur complement). So two dozen regressions on thousands of columns cost little more than one.
//!
//! Least squares follow bursts; what is scored is the mean absolute error. So columns are weighted anew in each round by the inverse
//! of how far they were missed (iteratively reweighted least squares, Holland and Welsch 1977), which tends towards the median.

use crate::analysis::forecast::{factor::Factor, scale::median, table::Table};
use ndarray::{Array1, Array2, ArrayView1, Axis, Zip, s};
use std::ops::Range;

/// Rounds of weighting anew.
const ROUNDS: usize = 3;
/// The ridge, for each column of the table. Features have a spread of one.
const RIDGE: f64 = 1e-3;
/// Every so many columns are looked at to know how far off is usual.
const SAMPLE: usize = 4;

/// Coefficients for each horizon.
#[derive(Clone)]
pub struct Fit {
    shared: Array2<f32>,
    seasonal: Array2<f32>,
}

/// Least squares and robust fits, on what came before the calibration and on everything.
pub struct Fits {
    /// Least squares: before the calibration, everything.
    pub ridge: [Fit; 2],
    /// Robust: before the calibration, everything.
    pub robust: [Fit; 2],
}

impl Fits {
    /// Fits a table whose columns from `calibration` on are kept apart for the first of each pair.
    pub fn of(table: &Table, calibration: usize) -> Fits {
        let early = calibration.saturating_sub(table.horizons.last().copied().unwrap_or_default()).max(1);
        let mut weights = Array1::ones(table.columns());
        let pair = |weights: &Array1<f32>| {
            let first = Sums::of(table, 0..early, weights);
            let mut all = Sums::of(table, early..table.columns(), weights);
            all.add(&first);
            [first.solve(table, early), all.solve(table, table.columns())]
        };
        let ridge = pair(&weights);
        let mut robust = ridge.clone();
        for _ in 0..ROUNDS {
            let [_, all] = &robust;
            weigh(table, all, &mut weights);
            robust = pair(&weights);
        }
        Fits { ridge, robust }
    }
}

/// Weights columns by how far a fit misses them, over all horizons.
fn weigh(table: &Table, fit: &Fit, weights: &mut Array1<f32>) {
    let guess = fit.past(table, 0..table.columns());
    weights.fill(0.0);
    let share = 1.0 / table.horizons.len() as f32;
    for (horizon, guess) in guess.axis_iter(Axis(0)).enumerate() {
        let mut missed = &guess - &table.target(horizon);
        missed.mapv_inplace(f32::abs);
        let usual = median(missed.iter().step_by(SAMPLE).copied().collect()).unwrap_or_default() + 1e-7;
        Zip::from(&mut *weights).and(&missed).for_each(|weight, missed| *weight += share * usual / missed.max(usual));
    }
}

impl Fit {
    /// How far the values of some columns will move, by horizon.
    pub fn past(&self, table: &Table, columns: Range<usize>) -> Array2<f32> {
        let mut out = self.shared.dot(&table.shared_of(columns.clone()));
        for (horizon, mut line) in out.axis_iter_mut(Axis(0)).enumerate() {
            for (kind, factor) in self.seasonal.row(horizon).iter().enumerate() {
                line.scaled_add(*factor, &table.seasonal(kind, horizon).slice(s![columns.clone()]));
            }
        }
        out
    }

    /// How far the value will move from now on, by horizon.
    pub fn ahead(&self, table: &Table) -> Array1<f32> {
        let (shared, seasonal) = table.now();
        self.shared.dot(&shared) + (&self.seasonal * &seasonal.t()).sum_axis(Axis(1))
    }
}

/// Weighted sums over some columns.
struct Sums {
    /// Of shared features with every line.
    shared: Array2<f32>,
    /// For each horizon, of its seasonal features with each other and, last, with the target.
    seasonal: Vec<Array2<f32>>,
}

impl Sums {
    fn of(table: &Table, columns: Range<usize>, weights: &Array1<f32>) -> Sums {
        let weights = weights.slice(s![columns.clone()]);
        let weighted = &table.shared_of(columns.clone()) * &weights;
        let shared = weighted.dot(&table.part(columns.clone()).t());
        let seasonal = |horizon: usize| {
            let part = |line: ArrayView1<'_, f32>| line.slice(s![columns.clone()]).to_owned();
            let lines: Vec<_> =
                (0..table.kinds).map(|kind| part(table.seasonal(kind, horizon))).chain([part(table.target(horizon))]).collect();
            let weighted: Vec<_> = lines.iter().take(table.kinds).map(|line| line * &weights).collect();
            let sum = |i: usize, j: usize| weighted.get(i).zip(lines.get(j)).map_or(0.0, |(weighted, line)| weighted.dot(line));
            Array2::from_shape_fn((table.kinds, table.kinds + 1), |(i, j)| sum(i, j))
        };
        Sums { shared, seasonal: (0..table.horizons.len()).map(seasonal).collect() }
    }

    fn add(&mut self, other: &Sums) {
        self.shared += &other.shared;
        self.seasonal.iter_mut().zip(&other.seasonal).for_each(|(sums, other)| *sums += other);
    }

    fn solve(&self, table: &Table, columns: usize) -> Fit {
        let (shared, kinds) = (table.shared, table.kinds);
        let ridge = RIDGE * columns as f64;
        let mut square = self.shared.slice(s![.., ..shared]).mapv(f64::from);
        square.diag_mut().iter_mut().for_each(|d| *d += ridge);
        let factor = Factor::of(&square);
        let mut fit =
            Fit { shared: Array2::zeros((table.horizons.len(), shared)), seasonal: Array2::zeros((table.horizons.len(), kinds)) };
        for (horizon, sums) in self.seasonal.iter().enumerate() {
            let mut target = factor.forward(self.shared.column(shared + horizon));
            let seasonal: Vec<_> =
                (0..kinds).map(|kind| factor.forward(self.shared.column(table.seasonal_line(kind, horizon)))).collect();
            let of = |i: usize| seasonal.get(i).unwrap_or(&target);
            let sum = |i: usize, j: usize| f64::from(sums.get((i, j)).copied().unwrap_or_default());
            let square = |i: usize, j: usize| sum(i, j) - of(i).dot(of(j)) + if i == j { ridge } else { 0.0 };
            let right = Array1::from_shape_fn(kinds, |i| sum(i, kinds) - of(i).dot(&target));
            let own = Factor::of(&Array2::from_shape_fn((kinds, kinds), |(i, j)| square(i, j))).solve(&right);
            for (own, seasonal) in own.iter().zip(&seasonal) {
                target.scaled_add(-own, seasonal);
            }
            fit.seasonal.row_mut(horizon).assign(&own.mapv(|v| v as f32));
            fit.shared.row_mut(horizon).assign(&factor.backward(target).mapv(|v| v as f32));
        }
        fit
    }
}
