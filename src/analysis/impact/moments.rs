//! Mean and spread of a window whose points are not independent.
//!
//! A second looks like the second before it. With lag-1 autocorrelation rho, n points carry the news of n (1 - rho) / (1 + rho)
//! independent ones (AR(1)); without that correction a plain t-test cries wolf in more than half of all comparisons of nothing.

/// What a window of values amounts to. Every field is finite for finite values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Points.
    pub count: usize,
    /// Mean.
    pub mean: f64,
    /// Variance of a single point, unbiased.
    pub variance: f64,
    /// Lag-1 autocorrelation, corrected for bias, 0 to [`MOST_RHO`]. Negative ones are taken as none.
    pub rho: f64,
}

/// No window of this size can tell a stronger autocorrelation from a trend.
pub const MOST_RHO: f64 = 0.98;

impl Moments {
    /// Of `values`; all zero for none.
    pub fn of(values: &[f64]) -> Moments {
        let count = values.len();
        if count == 0 {
            return Moments { count, mean: 0.0, variance: 0.0, rho: 0.0 };
        }
        // Scaled so that squares of huge values stay finite.
        let scale = values.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        if scale == 0.0 || !scale.is_finite() {
            return Moments { count, mean: 0.0, variance: 0.0, rho: 0.0 };
        }
        let n = count as f64;
        let mean = values.iter().map(|v| v / scale).sum::<f64>() / n;
        let squares: f64 = values.iter().map(|v| (v / scale - mean).powi(2)).sum();
        // Differences in the last digits are rounding, not spread.
        if count < 2 || squares <= n * (mean * 1e-12).powi(2) {
            return Moments { count, mean: mean * scale, variance: 0.0, rho: 0.0 };
        }
        let lagged: f64 = values.iter().zip(values.iter().skip(1)).map(|(a, b)| (a / scale - mean) * (b / scale - mean)).sum();
        let variance = (squares / (n - 1.0) * scale).min(f64::MAX / 1e9 / scale) * scale;
        Moments { count, mean: mean * scale, variance, rho: unbiased(lagged / squares, n) }
    }

    /// Points that independent sampling would have needed for the same news, at autocorrelation `rho`.
    pub fn effective(&self, rho: f64) -> f64 {
        (self.count as f64 * (1.0 - rho) / (1.0 + rho)).max(1.0)
    }

    /// Variance of the mean, at autocorrelation `rho`.
    pub fn variance_of_mean(&self, rho: f64) -> f64 {
        self.variance / self.effective(rho)
    }
}

/// Kendall's correction: around an estimated mean, the estimate falls short of rho by about (1 + 3 rho) / n.
fn unbiased(raw: f64, n: f64) -> f64 {
    if n <= 4.0 { raw.clamp(0.0, MOST_RHO) } else { ((n * raw + 1.0) / (n - 3.0)).clamp(0.0, MOST_RHO) }
}

/// One autocorrelation for two windows of the same series: the windows that vary, weighted by their points.
pub fn pooled(a: &Moments, b: &Moments) -> f64 {
    let weight = |m: &Moments| if m.variance > 0.0 { m.count as f64 } else { 0.0 };
    let whole = weight(a) + weight(b);
    if whole == 0.0 { 0.0 } else { (a.rho * weight(a) + b.rho * weight(b)) / whole }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::analysis::impact::simulation::Noise;

    #[test]
    fn autocorrelation_is_found_without_bias() {
        for phi in [0.0, 0.5, 0.8, 0.9] {
            let mut noise = Noise::seeded(7);
            let mean: f64 = (0..400).map(|_| Moments::of(&noise.ar(120, phi)).rho).sum::<f64>() / 400.0;
            let most = if phi == 0.0 { 0.05 } else { phi + 0.03 };
            assert!(mean > phi - 0.04 && mean < most, "phi {phi}: mean estimate {mean}");
        }
    }

    #[test]
    fn a_constant_has_neither_spread_nor_memory() {
        let flat = Moments::of(&[0.1 + 0.2; 50]);
        assert_eq!((flat.variance, flat.rho), (0.0, 0.0));
        assert!((flat.mean - 0.3).abs() < 1e-12);
    }
}
