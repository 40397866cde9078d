//! Level and spread that a few odd values do not move.

/// The value below which a share `p` of `sorted` lies; 0 for none.
pub fn quantile(sorted: &[f64], p: f64) -> f64 {
    let place = p.clamp(0.0, 1.0) * sorted.len().saturating_sub(1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    let at = |i: usize| sorted.get(i).copied().unwrap_or(0.0);
    at(low) + (at(high) - at(low)) * (place - place.floor())
}

/// A sorted copy.
pub fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Median.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    quantile(&sorted(values), 0.5)
}

/// Spread around the median in units of a normal sample's standard deviation (1.4826 times the median absolute deviation).
pub fn spread(values: &[f64]) -> f64 {
    let centre = median(values.iter().copied());
    1.4826 * median(values.iter().map(|v| (v - centre).abs()))
}

/// Mean; 0 for none.
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}
