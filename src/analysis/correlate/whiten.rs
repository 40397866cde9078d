//! Prewhitening: a series reduced to what its own past did not foretell, without its season, as normal scores.
//!
//! An autoregression by Burg's method (Burg 1975; stable up to a unit root, so that a random walk becomes its steps) of the order that
//! Akaike's criterion chooses; then the mean course of a season, where one is left; then ranks.

use crate::analysis::correlate::{bartlett, normal};

/// Greatest order of the autoregression; so many innovations are lost at the start.
pub const MOST_ORDER: usize = 6;
/// Fewest values worth a look.
pub const LEAST: usize = 60;
/// Greatest share of values that may be missing.
const MOST_GAPS: f64 = 0.1;

/// The innovations of `values` (one step apart, NaN for a gap): [`MOST_ORDER`] fewer than the values, the last of both belonging
/// together, mean 0, variance 1. `None` for too few values, too many gaps, or hardly any change.
pub fn innovations(values: &[f64]) -> Option<Vec<f64>> {
    normal::scores(&deseasoned(plain(values)?))
}

/// The same with its season left in and without scores.
pub fn plain(values: &[f64]) -> Option<Vec<f64>> {
    let whole = normal::standard(&bridged(values)?)?;
    Some(residuals(&whole, &burg(&whole)))
}

/// `values` with gaps bridged by straight lines.
fn bridged(values: &[f64]) -> Option<Vec<f64>> {
    let known: Vec<(usize, f64)> = values.iter().copied().enumerate().filter(|(_, v)| v.is_finite()).collect();
    let gaps = values.len() - known.len();
    if known.len() < LEAST || gaps as f64 > MOST_GAPS * values.len() as f64 {
        return None;
    }
    let ((first, start), (_, end)) = (*known.first()?, *known.last()?);
    let mut whole = vec![start; first + 1];
    for ((i, from), (j, to)) in known.iter().zip(known.iter().skip(1)) {
        let steps = (j - i) as f64;
        whole.extend((1..=j - i).map(|k| from + (to - from) * k as f64 / steps));
    }
    whole.resize(values.len(), end);
    Some(whole)
}

/// Coefficients of the autoregression, newest lag first, by Burg's recursion.
fn burg(values: &[f64]) -> Vec<f64> {
    let n = values.len() as f64;
    let (mut forward, mut backward) = (values.to_vec(), values.to_vec());
    let (mut power, mut model): (f64, Vec<f64>) = (values.iter().map(|v| v * v).sum::<f64>() / n, Vec::new());
    let mut best = (n * power.max(1e-300).ln(), Vec::new());
    for order in 1..=MOST_ORDER {
        let pairs = || forward.iter().skip(order).zip(backward.iter().skip(order - 1));
        let (top, bottom) = pairs().fold((0.0, 0.0), |(t, b), (f, g)| (t + f * g, b + f * f + g * g));
        if bottom <= 1e-12 {
            break;
        }
        let k = 2.0 * top / bottom;
        let turned: Vec<f64> = model.iter().zip(model.iter().rev()).map(|(a, r)| a - k * r).collect();
        model = turned;
        model.push(k);
        let (older_f, older_b) = (forward.clone(), backward.clone());
        for t in order..values.len() {
            if let (Some(f), Some(b), Some(now_f), Some(now_b)) =
                (older_f.get(t), older_b.get(t - 1), forward.get_mut(t), backward.get_mut(t))
            {
                (*now_f, *now_b) = (f - k * b, b - k * f);
            }
        }
        power *= 1.0 - k * k;
        let criterion = n * power.max(1e-300).ln() + 2.0 * order as f64;
        if criterion < best.0 {
            best = (criterion, model.clone());
        }
    }
    best.1
}

fn residuals(values: &[f64], model: &[f64]) -> Vec<f64> {
    let foretold = |window: &[f64]| model.iter().zip(window.iter().rev().skip(1)).map(|(a, v)| a * v).sum::<f64>();
    values.windows(MOST_ORDER + 1).map(|window| window.last().copied().unwrap_or(0.0) - foretold(window)).collect()
}

/// Without the mean course of the season that stands out most, if one does and fits three times.
fn deseasoned(values: Vec<f64>) -> Vec<f64> {
    let Some(unit) = normal::standard(&values) else { return values };
    let memory = bartlett::autocorrelation(&unit, unit.len() / 3);
    let clear = 5.0 / (unit.len() as f64).sqrt();
    let season = memory.iter().copied().enumerate().skip(4).filter(|(_, r)| *r > clear).max_by(|a, b| a.1.total_cmp(&b.1));
    let Some((period, _)) = season else { return values };
    let mut course = vec![(0.0, 0.0); period];
    for (slot, value) in (0..period).cycle().zip(&values) {
        if let Some((sum, count)) = course.get_mut(slot) {
            *sum += value;
            *count += 1.0;
        }
    }
    values.iter().zip(course.iter().cycle()).map(|(value, (sum, count))| value - sum / count).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::analysis::impact::simulation::Noise;

    fn walk(noise: &mut Noise, n: usize) -> Vec<f64> {
        (0..n)
            .scan(0.0, |x, _| {
                *x += noise.normal();
                Some(*x)
            })
            .collect()
    }

    #[test]
    fn nothing_of_the_past_is_left() {
        let mut noise = Noise::seeded(3);
        let season: Vec<f64> = (0..300).map(|t| f64::from(u8::from(t % 60 < 5)) * 8.0 + noise.normal()).collect();
        let cases = [(noise.ar(300, 0.9), 0.2), (walk(&mut noise, 300), 0.2), (noise.ar(300, 0.0), 0.2), (season, 0.35)];
        for (values, most) in cases {
            let white = innovations(&values).unwrap();
            assert_eq!(white.len(), 300 - MOST_ORDER);
            let memory = bartlett::autocorrelation(&white, 61);
            let worst = memory.iter().skip(1).map(|r| r.abs()).fold(0.0, f64::max);
            assert!(worst < most, "{worst}");
        }
    }

    #[test]
    fn gaps_are_bridged_and_the_unusable_is_refused() {
        let mut values = Noise::seeded(1).ar(120, 0.5);
        (values[0], values[40], values[41], values[119]) = (f64::NAN, f64::NAN, f64::INFINITY, f64::NAN);
        assert!(innovations(&values).unwrap().iter().all(|v| v.is_finite()));
        values[60..80].fill(f64::NAN);
        assert!(innovations(&values).is_none(), "a sixth is missing");
        for unusable in [vec![], vec![1.0; 300], vec![f64::NAN; 300], vec![1.0, 2.0]] {
            assert!(innovations(&unusable).is_none());
        }
        let huge: Vec<f64> = Noise::seeded(2).ar(100, 0.0).iter().map(|v| v * 1e300).collect();
        assert!(innovations(&huge).is_none_or(|w| w.iter().all(|v| v.is_finite())));
    }
}
