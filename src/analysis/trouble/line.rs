//! A robust line: the median of the slopes between all pairs of points (Theil 1950, Sen 1968), with the range of the slope by the ranks
//! of those slopes. A quarter of the points may be anything without moving it.
//!
//! Sen's range takes the points' deviations for independent; those of a machine hang together, so the variance of the rank statistic is
//! widened by how much they do (Hamed and Rao 1998, with the autocorrelation at lag 1 alone).

/// Points that a line is laid through at most; the pairs are quadratic in them.
pub const MOST: usize = 60;
/// Points at least.
pub const LEAST: usize = 6;
/// Quantiles of the normal distribution that nine of ten, and ninety-nine of a hundred, are below.
const NINE_OF_TEN: f64 = 1.281_551_565_5;
const SURELY: f64 = 2.326_347_874;

/// A line through points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Change per second.
    pub slope: f64,
    /// The slope is below the first in one of ten cases, above the second in one of ten.
    pub range: (f64, f64),
    /// The slope is below this in one of a hundred cases: above 0 is a rise that chance does not make.
    pub surely: f64,
    /// Where the line stands at the last point.
    pub end: f64,
    /// How far above the line the higher half of the points stands: its median.
    pub above: f64,
    /// How far above the line the highest point stands.
    pub most: f64,
    /// Share of the variance that it explains; below 0 for one that does worse than the mean.
    pub fit: f64,
    /// Seconds from the first to the last point.
    pub span: f64,
}

impl Line {
    /// The line through points of seconds and values, ascending; the newest [`MOST`] count. `None` with fewer than [`LEAST`], without
    /// any span, or where a number is none.
    pub fn through(points: &[(f64, f64)]) -> Option<Line> {
        let points = points.get(points.len().saturating_sub(MOST)..)?;
        let (first, last) = (points.first()?, points.last()?);
        let span = last.0 - first.0;
        if points.len() < LEAST || span <= 0.0 || points.iter().any(|(t, v)| !t.is_finite() || !v.is_finite()) {
            return None;
        }
        let slopes = slopes(points);
        let slope = median(&slopes)?;
        let mut off: Vec<f64> = points.iter().map(|(t, v)| v - slope * (t - last.0)).collect();
        let rho = autocorrelation(&off);
        off.sort_by(f64::total_cmp);
        let end = median(&off)?;
        let (high, top) = (off.get(off.len() * 3 / 4)?, off.last()?);
        let line = Line {
            slope,
            range: range(&slopes, reach(NINE_OF_TEN, points.len(), rho)),
            surely: range(&slopes, reach(SURELY, points.len(), rho)).0,
            end,
            above: (high - end).max(0.0),
            most: (top - end).max(0.0),
            fit: fit(points, &off, end),
            span,
        };
        (line.slope.is_finite() && line.end.is_finite() && line.most.is_finite()).then_some(line)
    }
}

/// The slopes between all pairs, ascending.
fn slopes(points: &[(f64, f64)]) -> Vec<f64> {
    let mut all = Vec::with_capacity(points.len() * points.len() / 2);
    for (i, (t, v)) in points.iter().enumerate() {
        let later = points.iter().skip(i + 1).filter(|(u, _)| u > t);
        all.extend(later.map(|(u, w)| (w - v) / (u - t)).filter(|slope| slope.is_finite()));
    }
    all.sort_by(f64::total_cmp);
    all
}

/// The median of what is sorted.
fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let high = *sorted.get(middle)?;
    Some(if sorted.len().is_multiple_of(2) { f64::midpoint(*sorted.get(middle.checked_sub(1)?)?, high) } else { high })
}

/// R squared: `off` is what the points are off a line through 0, which stands `end` too low.
fn fit(points: &[(f64, f64)], off: &[f64], end: f64) -> f64 {
    let mean = points.iter().map(|p| p.1).sum::<f64>() / points.len().max(1) as f64;
    let total: f64 = points.iter().map(|p| (p.1 - mean).powi(2)).sum();
    1.0 - off.iter().map(|v| (v - end).powi(2)).sum::<f64>() / total
}

/// How far Kendall's statistic of so many points goes by chance, to that quantile.
fn reach(quantile: f64, points: usize, rho: f64) -> f64 {
    let n = points as f64;
    quantile * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0 * (1.0 + rho) / (1.0 - rho)).sqrt()
}

/// The slopes at the ranks that bound the median, so far apart.
fn range(slopes: &[f64], reach: f64) -> (f64, f64) {
    let pairs = slopes.len() as f64;
    let low = ((pairs - reach) / 2.0).floor();
    let high = f64::midpoint(pairs, reach).ceil();
    let at = |rank: f64| if rank >= 0.0 { slopes.get(rank as usize).copied() } else { None };
    (at(low).unwrap_or(f64::NEG_INFINITY), at(high).unwrap_or(f64::INFINITY))
}

/// Autocorrelation at lag 1 of what is off the line, from 0 to 0.9: what swings back and forth is taken for independent, and so is what
/// chance alone makes of so few points in one of forty cases.
fn autocorrelation(off: &[f64]) -> f64 {
    let mean = off.iter().sum::<f64>() / off.len().max(1) as f64;
    let total: f64 = off.iter().map(|v| (v - mean).powi(2)).sum();
    let next: f64 = off.iter().zip(off.iter().skip(1)).map(|(a, b)| (a - mean) * (b - mean)).sum();
    let rho = next / total;
    let chance = 1.96 / (off.len().max(1) as f64).sqrt();
    if rho.is_finite() && rho > chance { rho.min(0.9) } else { 0.0 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(values: impl IntoIterator<Item = f64>) -> Vec<(f64, f64)> {
        values.into_iter().enumerate().map(|(i, v)| (i as f64, v)).collect()
    }

    #[test]
    fn a_line_is_found_at_any_scale_though_a_quarter_of_the_points_is_wild() {
        for scale in [1e-9, 1.0, 1e15] {
            let wild = |i: u32| if i % 5 == 3 { 1e3 } else { 0.0 };
            let line = Line::through(&points((0..60).map(|i| scale * (5.0 + 0.5 * f64::from(i) + wild(i))))).unwrap();
            assert!((line.slope / scale - 0.5).abs() < 0.02, "{line:?}");
            assert!(line.range.0 <= line.slope && line.slope <= line.range.1);
        }
    }

    #[test]
    fn the_range_holds_the_slope_eight_times_of_ten_even_where_noise_hangs_together() {
        let mut seed = 7_u64;
        let mut uniform = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        for rho in [0.0, 0.6] {
            let mut held = 0;
            for _ in 0..400 {
                let mut noise = 0.0;
                let values: Vec<f64> = (0..40)
                    .map(|i| {
                        noise = rho * noise + uniform();
                        f64::from(i) + 5.0 * noise
                    })
                    .collect();
                let (low, high) = Line::through(&points(values)).unwrap().range;
                held += usize::from(low <= 1.0 && 1.0 <= high);
            }
            assert!((272..=376).contains(&held), "{held} of 400 at {rho}");
        }
    }

    #[test]
    fn few_points_no_span_and_what_is_no_number_have_no_line() {
        assert_eq!(Line::through(&points((0..5).map(f64::from))), None);
        assert_eq!(Line::through(&[(1.0, 1.0); 20]), None);
        assert_eq!(Line::through(&points([1.0, 2.0, f64::NAN, 4.0, 5.0, 6.0, 7.0])), None);
        assert_eq!(Line::through(&points([7.0; 20])).unwrap().range, (0.0, 0.0));
    }

    proptest! {
        #[test]
        fn no_points_make_it_panic(values in proptest::collection::vec(proptest::num::f64::ANY, 0..80)) {
            let _any = Line::through(&points(values));
        }
    }
}
