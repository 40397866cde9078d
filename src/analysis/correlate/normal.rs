//! Normal scores: each value replaced by the quantile of the normal distribution that belongs to its rank (van der Waerden). One huge
//! value then weighs no more than the greatest of a normal sample, and correlation has its textbook distribution.

/// The value that a standard normal variable stays below with probability `p` (Acklam's rational approximation, error below 1.2e-9).
pub(super) fn quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416, 1.0];
    let poly = |of: &[f64], x: f64| of.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |p: f64| {
        let q = (-2.0 * p.ln()).sqrt();
        poly(&C, q) / poly(&D, q)
    };
    match p {
        p if p < 0.024_25 => tail(p.max(1e-300)),
        p if p > 1.0 - 0.024_25 => -tail((1.0 - p).max(1e-300)),
        _ => {
            let q = p - 0.5;
            poly(&A, q * q) * q / poly(&B, q * q)
        }
    }
}

/// The normal scores of `values`, with mean 0 and variance 1; equal values share the mean of their ranks. `None` where nearly all
/// values are the same one: a handful of events has no correlation worth the name.
pub(super) fn scores(values: &[f64]) -> Option<Vec<f64>> {
    let n = values.len();
    let mut order: Vec<usize> = (0..n).collect();
    let value = |i: &usize| values.get(*i).copied().unwrap_or(0.0);
    order.sort_by(|a, b| value(a).total_cmp(&value(b)));
    let mut scores = vec![0.0; n];
    let mut start = 0;
    for run in order.chunk_by(|a, b| value(a) == value(b)) {
        if run.len() * 10 > n * 9 {
            return None;
        }
        let rank = start as f64 + (run.len() as f64 + 1.0) / 2.0;
        let score = quantile((rank - 0.375) / (n as f64 + 0.25));
        run.iter().for_each(|i| {
            if let Some(slot) = scores.get_mut(*i) {
                *slot = score;
            }
        });
        start += run.len();
    }
    standard(&scores)
}

/// `values` with mean 0 and variance 1; `None` where they do not vary.
pub(super) fn standard(values: &[f64]) -> Option<Vec<f64>> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let spread = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    (spread > 1e-12 && spread.is_finite()).then(|| values.iter().map(|v| (v - mean) / spread).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.959_964), (0.001, -3.090_232), (0.999_999, 4.753_424)] {
            assert!((quantile(p) - z).abs() < 1e-5, "{p}: {}", quantile(p));
        }
    }

    #[test]
    fn one_huge_value_does_not_rule_and_few_events_have_no_score() {
        let mut values: Vec<f64> = (0..100).map(f64::from).collect();
        values[99] = 1e30;
        let scored = scores(&values).unwrap();
        assert!(scored[99] < 3.0 && scored[0] < -2.0 && scored[50].abs() < 0.1);
        let mut rare = vec![0.0; 100];
        rare[5] = 1.0;
        assert!(scores(&rare).is_none());
    }
}
