//! What a series says about itself at each step: smoothed, averaged, shifted. Each function gives one number for each step, from that
//! step and those before it.

/// Exponential smoothing: each value moves the level by this share of its distance.
pub fn smooth(values: &[f32], share: f32) -> Vec<f32> {
    let mut level = values.first().copied().unwrap_or_default();
    let step = |value: &f32| {
        level += share * (value - level);
        level
    };
    values.iter().map(step).collect()
}

/// The mean of the newest `width` values, of fewer at the beginning.
pub fn mean(values: &[f32], width: usize) -> Vec<f32> {
    let (mut sum, mut count) = (0.0f64, 0usize);
    let gone = std::iter::repeat_n(None, width).chain(values.iter().map(Some));
    let step = |(value, gone): (&f32, Option<&f32>)| {
        sum += f64::from(*value) - gone.map_or(0.0, |v| f64::from(*v));
        count += usize::from(gone.is_none());
        (sum / count.max(1) as f64) as f32
    };
    values.iter().zip(gone).map(step).collect()
}

/// The value `steps` ago; the oldest one where there is none.
pub fn lag(values: &[f32], steps: usize) -> Vec<f32> {
    let oldest = values.first().copied().unwrap_or_default();
    std::iter::repeat_n(oldest, steps.min(values.len())).chain(values.iter().copied()).take(values.len()).collect()
}

/// How much it moves from step to step of late: the root of the smoothed squared change.
pub fn volatility(values: &[f32], share: f32) -> Vec<f32> {
    let squares: Vec<f32> = lag(values, 1).iter().zip(values).map(|(before, now)| (now - before).powi(2)).collect();
    smooth(&squares, share).iter().map(|v| v.sqrt()).collect()
}

/// The standard deviation.
pub fn spread(values: impl Iterator<Item = f32> + Clone) -> f32 {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().map(f64::from).sum::<f64>() / count;
    (values.map(|v| (f64::from(v) - mean).powi(2)).sum::<f64>() / count).sqrt() as f32
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn each_looks_only_back() {
        let values = [1.0, 3.0, 5.0, 7.0];
        assert_eq!(mean(&values, 2), [1.0, 2.0, 4.0, 6.0]);
        assert_eq!(mean(&values, 9), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(lag(&values, 2), [1.0, 1.0, 1.0, 3.0]);
        assert_eq!(lag(&values, 9), [1.0; 4]);
        assert_eq!(smooth(&values, 0.5), [1.0, 2.0, 3.5, 5.25]);
        assert_eq!(volatility(&values, 1.0), [0.0, 2.0, 2.0, 2.0]);
        assert!((spread(values.into_iter()) - 5f32.sqrt()).abs() < 1e-6);
    }
}
