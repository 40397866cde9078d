//! The elastic net (Zou and Hastie 2005): features that add little get no weight at all. Solved by linfa, not on the thousands of
//! columns of the table but on their factor: its few rows have the same squares and products, so the solution is the same.

use crate::analysis::forecast::regress::System;
use linfa::{Dataset, traits::Fit};
use linfa_elasticnet::ElasticNet;
use ndarray::{Array1, Array2, s};

/// The price of a weight, in shares of the target's spread.
const PENALTY: f32 = 0.01;
/// Half of it on the weights' sizes, half on their squares.
const MIX: f32 = 0.5;
/// Rounds of coordinate descent at most: a blend does not need the last digits.
const ROUNDS: u32 = 5;
/// Where weights move less than this share of the greatest, they stand.
const STILL: f32 = 0.1;

/// Coefficients of the shared and of the seasonal features. `weight`: the sum of the weights of the columns behind the system.
pub fn solve(system: &System, weight: f64) -> [Array1<f64>; 2] {
    let shared = system.target.len();
    let (mut features, mut target) = rows(system);
    let count = target.len();
    let spread = (target.dot(&target) / weight.max(f64::MIN_POSITIVE)).sqrt() + 1e-12;
    // linfa divides by the rows that it sees; there were more.
    let unit = (count as f64 / weight.max(f64::MIN_POSITIVE)).sqrt();
    features *= unit;
    target *= unit / spread;
    let net = ElasticNet::params().penalty(PENALTY).l1_ratio(MIX).with_intercept(false).tolerance(STILL).max_iterations(ROUNDS);
    let narrow = |v: f64| v as f32;
    let all = match net.fit(&Dataset::new(features.mapv(narrow), target.mapv(narrow))) {
        Ok(net) => net.hyperplane().mapv(f64::from) * spread,
        Err(_) => Array1::zeros(count),
    };
    [all.slice(s![..shared]).to_owned(), all.slice(s![shared..]).to_owned()]
}

/// The triangle and the target whose least squares are those of the system.
fn rows(system: &System) -> (Array2<f64>, Array1<f64>) {
    let (shared, kinds) = (system.target.len(), system.seasonal.len());
    let mut features = Array2::zeros((shared + kinds, shared + kinds));
    features.slice_mut(s![..shared, ..shared]).assign(&system.common.transposed());
    for (kind, feature) in system.seasonal.iter().enumerate() {
        features.slice_mut(s![..shared, shared + kind]).assign(feature);
    }
    features.slice_mut(s![shared.., shared..]).assign(&system.own.transposed());
    let mut target = Array1::zeros(shared + kinds);
    target.slice_mut(s![..shared]).assign(&system.target);
    target.slice_mut(s![shared..]).assign(&system.own.descend(system.right.iter().copied()));
    (features, target)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::analysis::forecast::factor::Factor;
    use ndarray::array;
    use std::sync::Arc;

    /// A thousand columns of three independent features with spread 1, of which the last is particular to the horizon; the target is
    /// twice the first and three times the last.
    fn system(noise: f64) -> System {
        let n = 1000.0;
        let common = Arc::new(Factor::of(&array![[n, 0.0], [0.0, n]]));
        let target = common.forward(array![(2.0 * n) as f32, (noise * n) as f32].view());
        let seasonal = vec![common.forward(array![0.0f32, 0.0].view())];
        System { common, target, seasonal, own: Factor::of(&array![[n]]), right: array![3.0 * n] }
    }

    #[test]
    fn what_matters_is_found_and_what_does_not_is_left_out() {
        let [shared, seasonal] = solve(&system(0.01), 1000.0);
        assert!((shared[0] - 2.0).abs() < 0.1 && (seasonal[0] - 3.0).abs() < 0.1, "{shared} {seasonal}");
        assert_eq!(shared[1], 0.0);
        let [shared, _] = solve(&system(1.0), 1000.0);
        assert!((shared[1] - 1.0).abs() < 0.1, "{shared}");
    }
}
