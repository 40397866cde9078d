//! What the season says of a step: its value one season before, the mean of the last seven seasons there, and the former smoothed over
//! a few steps. All three are known a season ahead, so they tell of the steps that are to be forecast.

/// Mean over at most so many seasons.
const SEASONS: usize = 7;

/// Steps to each side in [`Seasonal::around`].
pub const AROUND: usize = 3;

/// For each step of the series and each of the horizon after it.
pub struct Seasonal {
    /// Steps of a season.
    pub period: usize,
    /// One season before.
    pub last: Vec<f32>,
    /// Mean of the last seasons at the same step.
    pub profile: Vec<f32>,
    /// One season before, mean over the steps around.
    pub around: Vec<f32>,
}

impl Seasonal {
    /// Of a series with this season, up to `ahead` steps after its end, at most a season less [`AROUND`]. Within the first season, where
    /// there is nothing before, each is the present value.
    pub fn new(values: &[f32], period: usize, ahead: usize) -> Seasonal {
        let at = |i: usize| values.get(i).or(values.last()).copied().unwrap_or_default();
        let steps = 0..values.len() + ahead;
        let last = steps.clone().map(|i| at(i.checked_sub(period).unwrap_or(i))).collect();
        let profile = |i: usize| {
            let seasons = (i / period).min(SEASONS);
            let sum: f32 = (1..=seasons).map(|s| at(i - s * period)).sum();
            if seasons > 0 { sum / seasons as f32 } else { at(i) }
        };
        let around = |i: usize| {
            let Some(middle) = i.checked_sub(period) else { return at(i) };
            let near = values.get(middle.saturating_sub(AROUND)..(middle + AROUND + 1).min(values.len())).unwrap_or_default();
            near.iter().sum::<f32>() / near.len().max(1) as f32
        };
        Seasonal { period, last, profile: steps.clone().map(profile).collect(), around: steps.map(around).collect() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn the_season_tells_of_steps_to_come() {
        let values: Vec<f32> = (0..20).map(|i| (i % 5) as f32 + if i < 5 { 3.0 } else { 0.0 }).collect();
        let seasonal = Seasonal::new(&values, 5, 2);
        assert_eq!(seasonal.last.len(), 22);
        assert_eq!((seasonal.last[20], seasonal.last[21]), (0.0, 1.0));
        assert_eq!(seasonal.profile[21], 1.0 + 3.0 / 4.0);
        assert_eq!(seasonal.around[10], (2.0 + 3.0 + 4.0 + 0.0 + 1.0 + 2.0 + 3.0 + 3.0 * 3.0) / 7.0);
        assert_eq!(seasonal.last[3], values[3]);
    }
}
