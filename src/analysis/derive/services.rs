//! Latency percentiles from histogram counts.

use super::delta::{delta, per};
use crate::model::{sample::ServiceSample, snapshot::Service};

/// Requests in a window below which a percentile says nothing.
const FEWEST: u64 = 5;

/// What happened between two samples. A service whose counts went backwards (it started anew) has no row until seen twice again.
pub(super) fn services(old: &[ServiceSample], new: &[ServiceSample], seconds: f64) -> Vec<Service> {
    let before = |new: &ServiceSample| old.iter().find(|old| old.name == new.name);
    new.iter().filter_map(|service| derive(before(service)?, service, seconds)).collect()
}

fn derive(old: &ServiceSample, new: &ServiceSample, seconds: f64) -> Option<Service> {
    let counts = window(&old.buckets, &new.buckets)?;
    let all = counts.last().map_or(0, |(_, count)| *count);
    let latency = (all >= FEWEST).then(|| [0.5, 0.95, 0.99].map(|q| quantile(&counts, q)));
    Some(Service { name: new.name.clone(), rate: per(all as f64, seconds), latency, process: new.process })
}

/// Cumulative counts of the window; `None` when the buckets are not the same or a count went backwards.
fn window(old: &[(f64, u64)], new: &[(f64, u64)]) -> Option<Vec<(f64, u64)>> {
    if old.len() != new.len() || new.is_empty() {
        return None;
    }
    let pairs = old.iter().zip(new);
    pairs.map(|((old_bound, old), (bound, new))| Some((*bound, delta(*old, *new).filter(|_| old_bound == bound)?))).collect()
}

/// The value below which the share `q` of the requests lies, taken as evenly spread inside its bucket. Beyond the last finite bound
/// nothing is known but that it was exceeded: that bound is the answer.
fn quantile(counts: &[(f64, u64)], q: f64) -> f64 {
    let all = counts.last().map_or(0, |(_, count)| *count) as f64;
    let rank = q * all;
    let (mut lower, mut below) = (0.0, 0.0);
    for (bound, count) in counts {
        let count = *count as f64;
        if count >= rank && count > below {
            return if bound.is_finite() { lower + (bound - lower) * (rank - below) / (count - below) } else { lower };
        }
        if bound.is_finite() {
            lower = *bound;
        }
        below = below.max(count);
    }
    lower
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn service(counts: [u64; 3]) -> ServiceSample {
        let [a, b, c] = counts;
        ServiceSample { name: "shop".into(), buckets: vec![(0.01, a), (0.1, b), (f64::INFINITY, c)], process: None }
    }

    #[test]
    fn percentiles_are_interpolated_inside_their_bucket() {
        let row = &services(&[service([10, 10, 10])], &[service([60, 110, 110])], 2.0)[0];
        assert_eq!(row.rate, 50.0);
        let [p50, p95, p99] = row.latency.unwrap();
        assert!((p50 - 0.01).abs() < 1e-12);
        assert!((p95 - (0.01 + 0.09 * 0.9)).abs() < 1e-12);
        assert!((p99 - (0.01 + 0.09 * 0.98)).abs() < 1e-12);
    }

    #[test]
    fn beyond_the_last_bound_the_bound_is_the_answer() {
        let row = &services(&[service([0, 0, 0])], &[service([0, 0, 20])], 1.0)[0];
        assert_eq!(row.latency, Some([0.1; 3]));
    }

    #[test]
    fn too_few_requests_are_no_percentile_and_a_restart_no_row() {
        assert_eq!(services(&[service([0, 0, 0])], &[service([4, 4, 4])], 1.0)[0].latency, None);
        assert!(services(&[service([9, 9, 9])], &[service([1, 1, 1])], 1.0).is_empty());
    }

    proptest! {
        #[test]
        fn percentiles_rise_and_stay_within_the_bounds(steps in proptest::collection::vec(0u64..1000, 3)) {
            let (a, b, c) = (steps[0], steps[0] + steps[1], steps[0] + steps[1] + steps[2]);
            if let Some([p50, p95, p99]) = services(&[service([0; 3])], &[service([a, b, c])], 1.0)[0].latency {
                prop_assert!(0.0 <= p50 && p50 <= p95 && p95 <= p99 && p99 <= 0.1);
            }
        }
    }
}
