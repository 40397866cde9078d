//! Ranges from errors that were really made (split conformal prediction, Vovk et al. 2005): the errors of the calibration, each divided by
//! how much the series moved at the time, give quantiles; times how much it moves now, they are the range. Newer errors count
//! more, because series change (Barber et al. 2023).

use crate::analysis::forecast::{rolling, scale::median};
use ndarray::{Array2, ArrayView1, Axis};

/// Share by which the volatility follows.
const FOLLOW: f32 = 0.03;
/// The quantiles: of the 95 % range its lower end, of the 80 % range both, of the 95 % range its upper end.
const QUANTILES: [f32; 4] = [0.025, 0.1, 0.9, 0.975];
/// Factors on the ranges: quantiles of finitely many, dependent errors are a little too tight.
const MORE: [f32; 4] = [1.05, 1.02, 1.02, 1.05];

/// How much the series moves at each step, never quite zero.
pub fn unrest(plain: &[f32]) -> Vec<f32> {
    let volatility = rolling::volatility(plain, FOLLOW);
    let usual = median(volatility.clone()).unwrap_or_default();
    let floor = usual * 0.5 + 1e-3 * rolling::spread(plain.iter().copied()) + 1e-12;
    volatility.iter().map(|v| (v * (usual + floor)).sqrt() + floor).collect()
}

/// For each horizon how far from the point the four ends are, in units of the unrest. `errors`: by horizon and step of the calibration,
/// in the same units.
pub fn ends(errors: &Array2<f32>) -> Vec<[f32; 4]> {
    let steps = errors.ncols();
    let half = (steps as f32 / 2.0).max(576.0);
    let weight = |i: usize| 0.5f32.powf((steps - 1 - i) as f32 / half);
    let horizon = |errors: ArrayView1<'_, f32>| {
        let mut weighted: Vec<(f32, f32)> = errors.iter().enumerate().map(|(i, error)| (*error, weight(i))).collect();
        let [a, b, c, d] = quantiles(&mut weighted);
        let [e, f, g, h] = MORE;
        [(a * e).min(0.0), (b * f).min(0.0), (c * g).max(0.0), (d * h).max(0.0)]
    };
    errors.axis_iter(Axis(0)).map(horizon).collect()
}

/// Weighted quantiles: the first value with so much weight below its middle.
fn quantiles(weighted: &mut [(f32, f32)]) -> [f32; 4] {
    weighted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let total: f32 = weighted.iter().map(|(_, weight)| weight).sum();
    let mut out = [weighted.last().map_or(0.0, |(value, _)| *value); 4];
    let mut left = QUANTILES.iter().zip(&mut out).peekable();
    let mut below = 0.0;
    for (value, weight) in weighted {
        while let Some((_, out)) = left.next_if(|(quantile, _)| **quantile * total <= below + *weight / 2.0) {
            *out = *value;
        }
        below += *weight;
    }
    out
}
