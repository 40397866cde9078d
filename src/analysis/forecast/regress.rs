//! Linear regression for all horizons at once. The sums of squares and products of the table's lines are taken once for each round; the
//! part that belongs to the shared features is factored once, and what is particular to a horizon (its seasonal features) is a small
//! system of its own on top of it (Schur complement). So two dozen regressions on thousands of columns cost little more than one.
//!
//! Least squares follow bursts; what is scored is the mean absolute error. So columns are weighted anew in each round by the inverse
//! of how far they were missed (iteratively reweighted least squares, Holland and Welsch 1977), which tends towards the median. The
//! factored systems of the last round are also what the elastic net is solved on ([`net`]).

use crate::analysis::forecast::{factor::Factor, net, scale::median, table::Table};
use ndarray::{Array1, Array2, ArrayView1, Axis, Zip, s};
use std::{ops::Range, sync::Arc};

/// Rounds of weighting anew; more change next to nothing.
const ROUNDS: usize = 1;
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
    /// Elastic net on the robust weights: before the calibration, everything.
    pub sparse: [Fit; 2],
}

impl Fits {
    /// Fits a table whose columns from `calibration` on are kept apart for the first of each pair.
    pub fn of(table: &Table, calibration: usize) -> Fits {
        let early = calibration.saturating_sub(table.horizons.last().copied().unwrap_or_default()).max(1);
        let mut weights = Array1::ones(table.columns());
        let systems = |weights: &Array1<f32>| {
            let first = Sums::of(table, 0..early, weights);
            let mut all = Sums::of(table, early..table.columns(), weights);
            all.add(&first);
            [first.systems(table, early), all.systems(table, table.columns())]
        };
        let solved = |[first, all]: &[Vec<System>; 2]| [first, all].map(|all| Fit::of(all.iter().map(System::solve), table));
        let mut last = systems(&weights);
        let ridge = solved(&last);
        let mut robust = ridge.clone();
        for _ in 0..ROUNDS {
            weigh(table, &robust[1], &mut weights);
            last = systems(&weights);
            robust = solved(&last);
        }
        let net = |systems: &[System], weight: f32| Fit::of(systems.iter().map(|s| net::solve(s, f64::from(weight))), table);
        let sparse = [net(&last[0], weights.slice(s![..early]).sum()), net(&last[1], weights.sum())];
        Fits { ridge, robust, sparse }
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
    /// Of the coefficients of shared and seasonal features for each horizon.
    fn of(all: impl Iterator<Item = [Array1<f64>; 2]>, table: &Table) -> Fit {
        let count = table.horizons.len();
        let mut fit = Fit { shared: Array2::zeros((count, table.shared)), seasonal: Array2::zeros((count, table.kinds)) };
        let lines = fit.shared.axis_iter_mut(Axis(0)).zip(fit.seasonal.axis_iter_mut(Axis(0)));
        for ((mut shared, mut seasonal), [to_shared, to_seasonal]) in lines.zip(all) {
            shared.assign(&to_shared.mapv(|v| v as f32));
            seasonal.assign(&to_seasonal.mapv(|v| v as f32));
        }
        fit
    }

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

    /// One system for each horizon.
    fn systems(&self, table: &Table, columns: usize) -> Vec<System> {
        let (shared, kinds) = (table.shared, table.kinds);
        let ridge = RIDGE * columns as f64;
        let mut square = self.shared.slice(s![.., ..shared]).mapv(f64::from);
        square.diag_mut().iter_mut().for_each(|d| *d += ridge);
        let common = Arc::new(Factor::of(&square));
        let system = |(horizon, sums): (usize, &Array2<f32>)| {
            let target = common.forward(self.shared.column(shared + horizon));
            let seasonal: Vec<_> =
                (0..kinds).map(|kind| common.forward(self.shared.column(table.seasonal_line(kind, horizon)))).collect();
            let of = |i: usize| seasonal.get(i).unwrap_or(&target);
            let sum = |i: usize, j: usize| f64::from(sums.get((i, j)).copied().unwrap_or_default());
            let square = |i: usize, j: usize| sum(i, j) - of(i).dot(of(j)) + if i == j { ridge } else { 0.0 };
            let own = Factor::of(&Array2::from_shape_fn((kinds, kinds), |(i, j)| square(i, j)));
            let right = Array1::from_shape_fn(kinds, |i| sum(i, kinds) - of(i).dot(&target));
            System { common: common.clone(), target, seasonal, own, right }
        };
        self.seasonal.iter().enumerate().map(system).collect()
    }
}

/// The normal equations of one horizon, factored.
pub struct System {
    /// Of the shared features with themselves, the same for all horizons.
    pub common: Arc<Factor>,
    /// The target, brought forward through it.
    pub target: Array1<f64>,
    /// Each seasonal feature, brought forward through it.
    pub seasonal: Vec<Array1<f64>>,
    /// Of what the shared features leave of the seasonal ones.
    pub own: Factor,
    /// What they leave of the target for those.
    pub right: Array1<f64>,
}

impl System {
    /// Least squares: coefficients of the shared and of the seasonal features.
    fn solve(&self) -> [Array1<f64>; 2] {
        let seasonal = self.own.solve(&self.right);
        let mut target = self.target.clone();
        for (factor, feature) in seasonal.iter().zip(&self.seasonal) {
            target.scaled_add(-factor, feature);
        }
        [self.common.backward(target), seasonal]
    }
}
