//! What the next value should be, given the last six and the time of day: recursive least squares with forgetting (Haykin, "Adaptive
//! Filter Theory", chapter 10), its updates cut at five times the usual error, so that an outlier is not learnt (Huber 1981).

use std::f64::consts::TAU;

/// Values that it looks back.
const LAGS: usize = 6;
/// Its terms: the lags, a constant, two waves of a day.
const TERMS: usize = LAGS + 5;
/// The weight of the past after each row.
const FORGET: f64 = 0.999;
/// Errors, in usual ones, that it learns from in full.
const CUT: f64 = 5.0;
/// Values count as no further out than this, in early deviations.
const FAR: f64 = 1e6;
/// Rows from which it learns the scale.
const FIRST: usize = 50;
/// Rows before its errors mean anything.
const LEARNING: usize = 50;

/// A linear predictor of one series.
#[derive(Clone, Debug)]
pub struct Predictor {
    early: Vec<f64>,
    origin: f64,
    scale: f64,
    lags: [f64; LAGS],
    weights: [f64; TERMS],
    /// Inverse of the weighted sum of outer products of the terms.
    inverse: [[f64; TERMS]; TERMS],
    usual: f64,
    rows: usize,
    resumed: bool,
}

impl Default for Predictor {
    fn default() -> Predictor {
        let mut inverse = [[0.0; TERMS]; TERMS];
        for (at, row) in inverse.iter_mut().enumerate() {
            if let Some(cell) = row.get_mut(at) {
                *cell = 100.0;
            }
        }
        Predictor {
            early: Vec::new(),
            origin: 0.0,
            scale: 0.0,
            lags: [0.0; LAGS],
            weights: [0.0; TERMS],
            inverse,
            usual: 1.0,
            rows: 0,
            resumed: false,
        }
    }
}

impl Predictor {
    /// How far `value` is from what was expected, in usual errors; 0 while learning.
    pub fn take(&mut self, time: f64, value: f64) -> f64 {
        if self.rows < FIRST {
            return self.begin(value);
        }
        let now = (value - self.origin) / self.scale;
        if std::mem::take(&mut self.resumed) {
            self.lags = [now.clamp(-FAR, FAR); LAGS];
            return 0.0;
        }
        let terms = self.terms(time);
        let expected: f64 = terms.iter().zip(&self.weights).map(|(a, b)| a * b).sum();
        let error = now - expected;
        let odd = error.abs() / (self.usual + 1e-6);
        self.learn(&terms, error.clamp(-CUT * self.usual, CUT * self.usual));
        self.usual = 0.99 * self.usual + 0.01 * error.abs().min(CUT * self.usual) * 1.2533;
        self.lags.rotate_right(1);
        if let Some(newest) = self.lags.first_mut() {
            *newest = now.clamp(-FAR, FAR);
        }
        self.rows += 1;
        if self.rows > FIRST + LEARNING && odd.is_finite() { odd } else { 0.0 }
    }

    /// The next value follows a gap: nothing is expected of it, and it stands for those before.
    pub fn resume(&mut self) {
        self.resumed = true;
    }

    fn begin(&mut self, value: f64) -> f64 {
        self.early.push(value);
        self.rows += 1;
        if self.rows == FIRST {
            let early = std::mem::take(&mut self.early);
            let mean = early.iter().sum::<f64>() / FIRST as f64;
            let variance = early.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / FIRST as f64;
            self.origin = mean;
            self.scale = variance.sqrt() + 1e-3 * mean.abs() + 1e-9;
            for (lag, value) in self.lags.iter_mut().zip(early.iter().rev()) {
                *lag = (value - mean) / self.scale;
            }
        }
        0.0
    }

    fn terms(&self, time: f64) -> [f64; TERMS] {
        let angle = TAU * (time / 86_400.0).fract();
        let rest = [1.0, angle.cos(), angle.sin(), (2.0 * angle).cos(), (2.0 * angle).sin()];
        let mut terms = [0.0; TERMS];
        for (term, value) in terms.iter_mut().zip(self.lags.iter().chain(&rest)) {
            *term = *value;
        }
        terms
    }

    fn learn(&mut self, terms: &[f64; TERMS], error: f64) {
        let mut gain = [0.0; TERMS];
        for (gain, row) in gain.iter_mut().zip(&self.inverse) {
            *gain = row.iter().zip(terms).map(|(a, b)| a * b).sum();
        }
        let power: f64 = gain.iter().zip(terms).map(|(a, b)| a * b).sum();
        let share = 1.0 / (FORGET + power.max(0.0));
        for (weight, gain) in self.weights.iter_mut().zip(&gain) {
            *weight += gain * share * error;
        }
        for (row, left) in self.inverse.iter_mut().zip(&gain) {
            for (cell, right) in row.iter_mut().zip(&gain) {
                *cell = ((*cell - left * right * share) / FORGET).clamp(-1e4, 1e4);
            }
        }
    }
}
