//! How much each candidate counts: the inverse of how far it was off in the calibration, to the fourth power, the newest errors counting
//! most. A mean of several forecasts beats the best single one on most series, and bad ones vanish by the power
//! (Bates and Granger 1969; Timmermann 2006).

use crate::analysis::forecast::candidates::Candidate;
use ndarray::{Array1, Array2, Axis, s};

/// Greater means: the best one takes more.
const POWER: f32 = 4.0;
/// After so many steps an error counts half.
const HALF: f32 = 75.0;
/// Errors are averaged over so many horizons to each side.
const NEAR: usize = 2;

/// Weights of candidates (lines) by horizon (columns); each column adds up to 1.
pub type Weights = Array2<f32>;

/// The calibration: what the candidates said and what came.
pub struct Trial<'a> {
    /// Who said it.
    pub candidates: &'a [Candidate],
    /// What came, by horizon and step.
    pub truth: Array2<f32>,
}

impl Trial<'_> {
    /// The errors of each candidate at each horizon, the newest steps counting most: in the older half of the calibration, in the newer
    /// one. Sums, so that those of the whole are theirs together.
    pub fn errors(&self) -> [Array2<f32>; 2] {
        let steps = self.truth.ncols();
        let recency = recency(steps);
        let halves = [0..steps / 2, steps / 2..steps].map(|half| {
            let mut recency = recency.clone();
            recency.iter_mut().enumerate().filter(|(i, _)| !half.contains(i)).for_each(|(_, weight)| *weight = 0.0);
            recency
        });
        let mut out = halves.each_ref().map(|_| Array2::zeros((self.candidates.len(), self.truth.nrows())));
        for (i, candidate) in self.candidates.iter().enumerate() {
            let mut missed = &candidate.past - &self.truth;
            missed.mapv_inplace(f32::abs);
            for (out, half) in out.iter_mut().zip(&halves) {
                out.row_mut(i).assign(&missed.dot(half));
            }
        }
        out
    }

    /// What the blend said of each step, weighted by what was learnt from the other half of the calibration: so that its errors are
    /// those of a forecast, not of a fit.
    pub fn crossed(&self, [older, newer]: &[Array2<f32>; 2]) -> Array2<f32> {
        let steps = self.truth.ncols();
        let mut out = Array2::zeros(self.truth.raw_dim());
        for (half, others) in [(0..steps / 2, newer), (steps / 2..steps, older)] {
            let weights = weights(others);
            for (candidate, weights) in self.candidates.iter().zip(weights.axis_iter(Axis(0))) {
                for ((said, mut out), weight) in candidate.past.axis_iter(Axis(0)).zip(out.axis_iter_mut(Axis(0))).zip(weights) {
                    out.slice_mut(s![half.clone()]).scaled_add(*weight, &said.slice(s![half.clone()]));
                }
            }
        }
        out
    }
}

/// How much the error of each step of the calibration counts.
fn recency(steps: usize) -> Array1<f32> {
    Array1::from_shape_fn(steps, |i| 0.5f32.powf((steps - 1 - i) as f32 / HALF))
}

/// Weights from errors.
pub fn weights(errors: &Array2<f32>) -> Weights {
    let horizons = errors.ncols();
    let mut out = Array2::zeros(errors.raw_dim());
    for (horizon, mut column) in out.axis_iter_mut(Axis(1)).enumerate() {
        let near = horizon.saturating_sub(NEAR)..(horizon + NEAR + 1).min(horizons);
        let error = errors.slice(s![.., near]).sum_axis(Axis(1));
        let least = error.iter().copied().fold(f32::MAX, f32::min).max(f32::MIN_POSITIVE);
        column.assign(&error.mapv(|error| (error.max(f32::MIN_POSITIVE) / least).powf(-POWER)));
        let total = column.sum();
        column.mapv_inplace(|weight| weight / total);
    }
    out
}

/// What the blend says now.
pub fn ahead(candidates: &[Candidate], weights: &Weights) -> Array1<f32> {
    let mut out = Array1::zeros(weights.ncols());
    for (candidate, weights) in candidates.iter().zip(weights.axis_iter(Axis(0))) {
        out += &(&candidate.ahead * &weights);
    }
    out
}
