//! How much each candidate counts: the inverse of how far it was off in the calibration, to the fourth power, the newest errors counting
//! most. A mean of several forecasts beats the best single one on most series, and bad ones vanish by the power
//! (Bates and Granger 1969; Timmermann 2006).

use crate::analysis::forecast::candidates::Candidate;
use ndarray::{Array1, Array2, ArrayView1, Axis, s};

/// Greater means: the best one takes more.
const POWER: f32 = 4.0;
/// After so many steps an error counts half.
const HALF: f32 = 150.0;
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
    /// The errors of each candidate at each horizon, weighted by `recency` of each step.
    pub fn errors(&self, recency: ArrayView1<'_, f32>) -> Array2<f32> {
        let total = recency.sum().max(f32::MIN_POSITIVE);
        let mut out = Array2::zeros((self.candidates.len(), self.truth.nrows()));
        for (candidate, mut line) in self.candidates.iter().zip(out.axis_iter_mut(Axis(0))) {
            for ((said, came), error) in candidate.past.axis_iter(Axis(0)).zip(self.truth.axis_iter(Axis(0))).zip(line.iter_mut()) {
                let sum: f32 = said.iter().zip(came).zip(recency).map(|((said, came), weight)| weight * (said - came).abs()).sum();
                *error = sum / total;
            }
        }
        out
    }

    /// What the blend said of each step, weighted by what was learnt from the other half of the calibration: so that its errors are
    /// those of a forecast, not of a fit.
    pub fn crossed(&self) -> Array2<f32> {
        let steps = self.truth.ncols();
        let mut out = Array2::zeros(self.truth.raw_dim());
        let recency = recency(steps);
        for half in [0..steps / 2, steps / 2..steps] {
            let mut others = recency.clone();
            others.slice_mut(s![half.clone()]).fill(0.0);
            let weights = weights(&self.errors(others.view()));
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
pub fn recency(steps: usize) -> Array1<f32> {
    Array1::from_shape_fn(steps, |i| 0.5f32.powf((steps - 1 - i) as f32 / HALF))
}

/// Weights from errors.
pub fn weights(errors: &Array2<f32>) -> Weights {
    let horizons = errors.ncols();
    let mut out = Array2::zeros(errors.raw_dim());
    for (horizon, mut column) in out.axis_iter_mut(Axis(1)).enumerate() {
        let near = horizon.saturating_sub(NEAR)..(horizon + NEAR + 1).min(horizons);
        let error = errors.slice(s![.., near]).sum_axis(Axis(1));
        let least = error.iter().copied().fold(f32::MAX, f32::min).max(1e-9);
        column.assign(&error.mapv(|error| (error.max(1e-9) / least).powf(-POWER)));
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
