//! Ranges from errors that were really made (split conformal prediction, Vovk et al. 2005): the errors of the calibration, each divided by
//! how far off one had to expect to be at the time, give quantiles; times how far off one has to expect to be now, they are the range.

use ndarray::{Array2, ArrayView1, Axis};

/// The quantiles: of the 95 % range its lower end, of the 80 % range both, of the 95 % range its upper end.
const QUANTILES: [f32; 4] = [0.025, 0.1, 0.9, 0.975];
/// Factors on the ends: quantiles of errors that hang together, as those of neighbouring steps do, are a little too tight.
const MORE: [f32; 4] = [1.12, 1.05, 1.05, 1.12];
/// So many columns of a table tell as much as one that stood alone would.
const ALIKE: f64 = 4.0;

/// How much smaller errors will be than those of the calibration, because the fit in use learnt from `all` columns and the one that was
/// tried only from `fewer`. The variance of a regression grows by about one share in so many as there are columns for each feature.
pub fn better(features: usize, fewer: usize, all: usize) -> f32 {
    let variance = |columns: usize| 1.0 + ALIKE * features as f64 / columns.max(1) as f64;
    (variance(all) / variance(fewer)).sqrt() as f32
}

/// For each horizon how far from the point the four ends are. `errors`: by horizon and step of the calibration.
pub fn ends(errors: &Array2<f32>) -> Vec<[f32; 4]> {
    let horizon = |errors: ArrayView1<'_, f32>| {
        let [a, b, c, d] = quantiles(errors.to_vec());
        let [e, f, g, h] = MORE;
        [(a * e).min(0.0), (b * f).min(0.0), (c * g).max(0.0), (d * h).max(0.0)]
    };
    errors.axis_iter(Axis(0)).map(horizon).collect()
}

fn quantiles(mut values: Vec<f32>) -> [f32; 4] {
    values.sort_unstable_by(f32::total_cmp);
    QUANTILES.map(|quantile| {
        let at = quantile * values.len() as f32 - 0.5;
        let value = |i: f32| values.get(i.max(0.0) as usize).or(values.last()).copied().unwrap_or_default();
        value(at.floor()) + (value(at.floor() + 1.0) - value(at.floor())) * (at - at.floor())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_quantiles_and_never_cross_the_point() {
        let errors = Array2::from_shape_fn((2, 1000), |(h, i)| if h == 0 { i as f32 - 499.5 } else { i as f32 + 1.0 });
        let ends = ends(&errors);
        assert!((ends[0][1] + 400.0 * MORE[1]).abs() < 1.0 && (ends[0][3] - 475.0 * MORE[3]).abs() < 1.0, "{ends:?}");
        assert_eq!((ends[1][0], ends[1][1]), (0.0, 0.0));
    }

    #[test]
    fn a_fit_on_more_is_a_little_better() {
        assert_eq!(better(60, 1000, 1000), 1.0);
        let (short, long) = (better(60, 400, 800), better(60, 2500, 3700));
        assert!(0.8 < short && short < long && long < 1.0, "{short} {long}");
    }

    #[test]
    fn few_errors_give_their_extremes() {
        let ends = ends(&Array2::from_shape_vec((1, 3), vec![-1.0, 5.0, 2.0]).unwrap());
        assert_eq!((ends[0][0], ends[0][3]), (-MORE[0], 5.0 * MORE[3]));
    }
}
