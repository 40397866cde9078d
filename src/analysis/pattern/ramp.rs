//! Growth or decline along a line.
//!
//! The slope is Theil and Sen's median of slopes between far apart points, so that outliers do not turn it. A random walk with no drift
//! also covers ground: after n steps as much as the square root of n times one step. So the ground covered is measured in the
//! uncertainty that the line's own residuals imply, with their memory counted in, and the line must explain nearly everything.

use crate::analysis::{
    impact::moments::Moments,
    pattern::robust::{mean, median},
};

/// Share of the variance that the line must explain.
const FIT: f64 = 0.9;
/// The slope over its standard error, residual memory counted in.
const CLEAR: f64 = 10.0;
/// In each of four parts the course must go the same way.
const PARTS: usize = 4;

/// A ramp.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    /// Change per step.
    pub slope: f64,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// Sum of squares around the line.
    pub rest: f64,
}

/// The ramp that `values` are, if they are one.
pub fn find(values: &[f64]) -> Option<Ramp> {
    let n = values.len();
    let half = n / 2;
    // Slopes between points half a course apart: each pair is disjoint, and each spans enough to be steady.
    let far = values.iter().zip(values.iter().skip(half)).map(|(a, b)| (b - a) / half.max(1) as f64);
    let slope = median(far);
    let level = median(values.iter().enumerate().map(|(i, v)| v - slope * i as f64));
    let rests: Vec<f64> = values.iter().enumerate().map(|(i, v)| v - level - slope * i as f64).collect();
    let centre = mean(values);
    let whole: f64 = values.iter().map(|v| (v - centre).powi(2)).sum();
    let rest: f64 = rests.iter().map(|r| r * r).sum();
    if whole <= 0.0 || slope == 0.0 || rest > (1.0 - FIT) * whole || !steady(values, slope) {
        return None;
    }
    let moments = Moments::of(&rests);
    // Around a fitted line the memory looks shorter than it is (Kendall's bias, doubled for the slope).
    let rho = (moments.rho + (1.0 + 3.0 * moments.rho) / n as f64).min(0.995);
    let spread = n as f64 / 12f64.sqrt();
    let error = (moments.variance / moments.effective(rho)).sqrt() / spread;
    let clear = if error > 0.0 { slope.abs() / error } else { f64::INFINITY };
    let sure = 1.0 - CLEAR / clear / 2.0;
    (clear >= CLEAR).then_some(Ramp { slope, confidence: sure.clamp(0.0, 0.99), rest })
}

/// Every part goes the way of the whole.
fn steady(values: &[f64], slope: f64) -> bool {
    let size = values.len() / PARTS;
    values.chunks_exact(size.max(2)).take(PARTS).all(|part| {
        let (early, late) = part.split_at(part.len() / 2);
        (mean(late) - mean(early)) * slope.signum() > 0.2 * slope.abs() * (size as f64 / 2.0)
    })
}
