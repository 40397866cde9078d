//! Long-run variance: what the mean of a window really varies by, when its points are not independent.
//!
//! Two estimates, and the larger counts: that of an AR(1) process with the bias-corrected lag-1 autocorrelation, which is right for what
//! decays evenly, and that of Newey and West (1987; Bartlett weights, lag 4 (n / 100)^(2/9)), which needs no model but falls short in
//! small windows. Means of five seconds show slow swings that seconds hide under their own noise, so both scales are asked.

use crate::{
    analysis::impact::{
        case::{LEAST_POINTS, means},
        moments::Moments,
    },
    model::series::Point,
};

/// Seconds of the means that guardrails are looked at by.
pub const BLOCK: f64 = 5.0;

/// Deviations that a slope must be away from none.
const SURE: f64 = 2.0;

/// Variance of one point such that the mean of n points varies by it over n.
pub fn variance(values: &[f64]) -> f64 {
    let m = Moments::of(values);
    let decays = (1.0 + m.rho) / (1.0 - m.rho);
    m.variance * decays.max(newey_west(values, m.mean))
}

/// The same of seconds, or of their five-second means, whichever is larger.
pub fn of_points(points: &[Point]) -> f64 {
    let values: Vec<f64> = points.iter().map(|p| p.value).collect();
    let blocks = means(points.iter().copied(), BLOCK);
    let seconds = variance(&values);
    if blocks.len() < LEAST_POINTS {
        return seconds;
    }
    seconds.max(variance(&blocks) * values.len() as f64 / blocks.len() as f64)
}

/// A trend beyond what noise makes of itself, as the square of its slope per second: what moved by itself before a change goes on
/// moving. Zero for all but sure trends, so that it costs no power where there is none.
pub fn drift(points: &[Point]) -> f64 {
    let Some(first) = points.first().filter(|_| points.len() >= LEAST_POINTS) else { return 0.0 };
    let times: Vec<f64> = points.iter().map(|p| p.at.seconds_since(first.at)).collect();
    let (n, mean) = (points.len() as f64, times.iter().sum::<f64>() / points.len() as f64);
    let level = points.iter().map(|p| p.value / n).sum::<f64>();
    let spread: f64 = times.iter().map(|t| (t - mean).powi(2)).sum();
    let slope = times.iter().zip(points).map(|(t, p)| (t - mean) * ((p.value - level) / spread)).sum::<f64>();
    let rest: Vec<f64> = times.iter().zip(points).map(|(t, p)| p.value - level - slope * (t - mean)).collect();
    let excess = slope * slope - SURE * SURE * variance(&rest) / spread;
    if excess.is_finite() { excess.max(0.0) } else { 0.0 }
}

/// How many times the variance of a point the long-run variance is.
fn newey_west(values: &[f64], mean: f64) -> f64 {
    let scale = values.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    if values.len() < 2 || scale == 0.0 || !scale.is_finite() {
        return 1.0;
    }
    let from_mean: Vec<f64> = values.iter().map(|v| v / scale - mean / scale).collect();
    let squares: f64 = from_mean.iter().map(|v| v * v).sum();
    if squares <= 0.0 {
        return 1.0;
    }
    let lag = (4.0 * (values.len() as f64 / 100.0).powf(2.0 / 9.0)).floor() as usize;
    let weighed = (1..=lag).map(|lag_by| {
        let lagged: f64 = from_mean.iter().zip(from_mean.iter().skip(lag_by)).map(|(a, b)| a * b).sum();
        (1.0 - lag_by as f64 / (lag as f64 + 1.0)) * lagged / squares
    });
    (1.0 + 2.0 * weighed.sum::<f64>()).max(0.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::analysis::impact::simulation::{Noise, at};

    fn mean_of(runs: usize, n: usize, phi: f64) -> f64 {
        let mut noise = Noise::seeded(3);
        (0..runs).map(|_| variance(&noise.ar(n, phi))).sum::<f64>() / runs as f64
    }

    #[test]
    fn the_long_run_variance_of_a_known_process_is_found() {
        for (phi, true_one) in [(0.0, 1.0), (0.5, 3.0), (0.8, 9.0)] {
            let found = mean_of(60, 1200, phi);
            assert!(found > 0.9 * true_one && found < 1.4 * true_one, "phi {phi}: {found}");
        }
    }

    #[test]
    fn what_alternates_is_not_taken_for_quieter_than_it_is_and_slow_swings_show_in_blocks() {
        let flips: Vec<f64> = (0..120).map(|i| f64::from(i % 2)).collect();
        assert!(variance(&flips) > 0.2, "{}", variance(&flips));
        // White seconds on a slow swing: lag 1 hardly sees it, five-second means do.
        let mut noise = Noise::seeded(8);
        let slow = noise.ar(120, 0.97);
        let points: Vec<Point> = (0..120).map(|i| Point { at: at(i), value: 2.0 * noise.normal() + slow[i] }).collect();
        let seconds: Vec<f64> = points.iter().map(|p| p.value).collect();
        assert!(of_points(&points) >= variance(&seconds));
    }

    #[test]
    fn a_trend_is_found_and_noise_has_hardly_any() {
        let points = |f: &dyn Fn(usize) -> f64| (0..120).map(|i| Point { at: at(i), value: f(i) }).collect::<Vec<Point>>();
        let mut noise = Noise::seeded(4);
        let rising = noise.ar(120, 0.5);
        let slope = drift(&points(&|i| 0.1 * i as f64 + rising[i])).sqrt();
        assert!(slope > 0.085 && slope < 0.115, "{slope}");
        let none = (0..100)
            .filter(|_| {
                let flat = noise.ar(120, 0.8);
                drift(&points(&|i| flat[i])) == 0.0
            })
            .count();
        assert!(none >= 75, "{none}");
    }

    #[test]
    fn neither_nothing_nor_a_constant_nor_a_giant_breaks_it() {
        for values in [vec![], vec![1.0], vec![3.0; 40], vec![1e300, -1e300, 1e300, 1.0]] {
            let v = variance(&values);
            assert!(v.is_finite() && v >= 0.0, "{values:?}: {v}");
        }
    }
}
