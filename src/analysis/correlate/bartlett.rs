//! How many independent points two series with a memory of their own are worth (Bartlett 1935): with autocorrelations a and b, the
//! correlation of n points varies as that of n / (1 + 2 sum a(k) b(k)) independent ones.

use crate::analysis::impact::distribution;

/// Autocorrelation of `values` (mean 0) at lags 0 to `most`.
pub fn autocorrelation(values: &[f64], most: usize) -> Vec<f64> {
    let whole: f64 = values.iter().map(|v| v * v).sum();
    let at = |lag: usize| values.iter().zip(values.iter().skip(lag)).map(|(a, b)| a * b).sum::<f64>();
    (0..=most).map(|lag| if whole > 0.0 { at(lag) / whole } else { 0.0 }).collect()
}

/// Independent points among `n`, by the autocorrelations of two series: at least 4 and at most `n`.
pub fn effective(n: usize, a: &[f64], b: &[f64]) -> f64 {
    let n = n as f64;
    let products = a.iter().zip(b).enumerate().skip(1).map(|(k, (a, b))| (1.0 - k as f64 / n).max(0.0) * a * b);
    let inflation = 1.0 + 2.0 * products.sum::<f64>();
    (n / inflation.max(1.0)).clamp(4.0, n.max(4.0))
}

/// The chance of a correlation at least as far from zero as `r` among `points` independent ones.
pub fn chance(r: f64, points: f64) -> f64 {
    let df = (points - 2.0).max(1.0);
    let rest = (1.0 - r * r).max(1e-12);
    distribution::beyond(r * (df / rest).sqrt(), df)
}

/// The 95 % interval of a correlation `r` of `points` independent ones (Fisher's transform).
pub fn interval(r: f64, points: f64) -> (f64, f64) {
    let reach = 1.959_964 / (points - 3.0).max(1.0).sqrt();
    let centre = r.clamp(-0.999_999, 0.999_999).atanh();
    ((centre - reach).tanh(), (centre + reach).tanh())
}

/// Correlation of two series of equal length; 0 where one does not vary.
pub fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len()) as f64;
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len().max(1) as f64;
    let (ma, mb) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - ma, y - mb);
        (ab, aa, bb) = (ab + x * y, aa + x * x, bb + y * y);
    }
    let spread = (aa * bb).sqrt();
    // What is only rounding is no spread.
    let flat = |squares: f64, mean: f64| squares <= n * (mean * 1e-12).powi(2);
    if flat(aa, ma) || flat(bb, mb) || !spread.is_normal() { 0.0 } else { (ab / spread).clamp(-1.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::impact::simulation::Noise;

    #[test]
    fn the_spread_of_chance_correlations_is_foretold() {
        let mut noise = Noise::seeded(5);
        for phi in [0.0, 0.5, 0.9] {
            let pairs: Vec<f64> = (0..400).map(|_| correlation(&noise.ar(300, phi), &noise.ar(300, phi))).collect();
            let spread = (pairs.iter().map(|r| r * r).sum::<f64>() / 400.0).sqrt();
            let memory: Vec<f64> = (0..100).map(|k| f64::powi(phi, k)).collect();
            let foretold = effective(300, &memory, &memory).sqrt().recip();
            assert!((spread / foretold - 1.0).abs() < 0.12, "{phi}: {spread} against {foretold}");
        }
    }

    #[test]
    fn intervals_and_chances_are_those_of_the_textbook() {
        let (low, high) = interval(0.5, 103.0);
        assert!((low - 0.339).abs() < 2e-3 && (high - 0.632).abs() < 2e-3, "{low} {high}");
        assert!((chance(0.576, 12.0) - 0.05).abs() < 1e-3);
        assert_eq!(correlation(&[1.0, 1.0], &[1.0, 2.0]), 0.0);
    }
}
