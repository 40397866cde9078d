//! The forecast of a short past: it stays as it is, give or take what it moved from step to step, more the further ahead. It knows
//! little, and its ranges are as wide as that.

use crate::model::outlook::Band;

/// Quantiles of the normal distribution for ranges of 80 and 95 %.
const NORMAL: [f64; 2] = [1.2816, 1.96];

/// Fewer moves than this say little even if none of them led anywhere.
const FEW: f64 = 40.0;

/// Bands for each step ahead of a series without gaps.
pub fn bands(values: &[f64], steps: usize) -> Vec<Band> {
    let last = values.last().copied().unwrap_or_default();
    let moves: Vec<f64> =
        values.windows(2).map(|pair| pair.iter().rev().copied().reduce(|to, from| to - from).unwrap_or_default()).collect();
    let most = moves.iter().fold(f64::MIN_POSITIVE, |most, v| most.max(v.abs()));
    let count = moves.len() as f64;
    let step = most * (moves.iter().map(|v| (v / most).powi(2)).sum::<f64>() / count.max(1.0)).sqrt();
    // It never moved, but few chances were seen: by the rule of succession the next may be its first, by as much as it is high.
    let step = if step <= f64::MIN_POSITIVE && count < FEW { last.abs() / (count + 1.0) } else { step };
    // A spread that is known from so few moves is known badly: Student's distribution is about this much wider.
    let wider = 1.0 + 2.0 / count.max(1.0);
    let band = |ahead: usize| {
        let [near, far] = NORMAL.map(|quantile| quantile * wider * step * (ahead as f64).sqrt());
        Band { point: last, lo80: last - near, hi80: last + near, lo95: last - far, hi95: last + far }
    };
    (1..=steps).map(band).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn the_less_is_known_the_wider() {
        let width = |values: &[f64]| bands(values, 4).iter().map(|band| band.hi95 - band.lo95).collect::<Vec<_>>();
        assert!(width(&[5.0])[0] > width(&[5.0, 5.0, 5.0])[0] && width(&[5.0, 5.0, 5.0])[0] > 0.0);
        assert_eq!(width(&[5.0; 100]), [0.0; 4]);
        let moving = width(&[1.0, 2.0, 1.0, 2.0]);
        assert!(moving[0] > 2.0 * 1.96 && moving[3] > 1.9 * moving[0], "{moving:?}");
        assert!(width(&[1e300, -1e300]).iter().all(|width| width.is_finite()));
    }
}
