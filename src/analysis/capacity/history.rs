//! Observations from a host's own past: numbers that belong to the same moment, gathered by load.

use crate::{
    analysis::{
        capacity::fit::Observation,
        pattern::robust::{median, quantile, sorted},
    },
    model::metric::Key,
};

/// Numbers of the past: for a key the values at common moments, NaN where nothing was measured. `None` if nothing is known of it.
pub type Past<'a> = dyn Fn(&Key) -> Option<Vec<f64>> + 'a;

/// Groups of load, evenly spaced in its logarithm.
const GROUPS: usize = 24;
/// Moments that a group needs.
const LEAST_GROUP: usize = 5;
/// Moments that are needed at all.
pub const LEAST_MOMENTS: usize = 60;

/// Seconds of one host are no independent observations; the medians of groups of like load are nearly. Load and outcome of the same moments
/// are given; what is not above zero is left out.
pub fn grouped(load: &[f64], outcome: &[f64]) -> Vec<Observation> {
    let pairs: Vec<Observation> = load
        .iter()
        .zip(outcome)
        .filter(|(n, x)| n.is_finite() && x.is_finite() && **n > 0.0 && **x > 0.0)
        .map(|(n, x)| Observation { n: *n, x: *x })
        .collect();
    let order = sorted(pairs.iter().map(|o| o.n));
    // The outermost hundredths are accidents of sampling.
    let (low, high) = (quantile(&order, 0.01).max(1e-9), quantile(&order, 0.99));
    let width = ((high / low).ln() / GROUPS as f64).max(1e-6);
    let mut groups: Vec<Vec<Observation>> = vec![Vec::new(); GROUPS];
    for pair in pairs.iter().filter(|o| o.n >= low && o.n <= high) {
        let place = (((pair.n / low).ln() / width) as usize).min(GROUPS - 1);
        if let Some(group) = groups.get_mut(place) {
            group.push(*pair);
        }
    }
    let middle =
        |group: &Vec<Observation>| Observation { n: median(group.iter().map(|o| o.n)), x: median(group.iter().map(|o| o.x)) };
    groups.iter().filter(|group| group.len() >= LEAST_GROUP).map(middle).collect()
}

/// The sums of two series, moment by moment.
pub fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// Mean of what was measured over the newest `most` moments.
pub fn recent(values: &[f64], most: usize) -> Option<f64> {
    let newest: Vec<f64> = values.iter().rev().take(most).copied().filter(|v| v.is_finite()).collect();
    (!newest.is_empty()).then(|| newest.iter().sum::<f64>() / newest.len() as f64)
}
