//! Rare events: overflows, drops, retransmits. Their seconds are mostly zero and come in bursts, so that means of seconds say little.
//!
//! Two rates are compared by the exact conditional test: given all events of both windows, those after the change are binomial. Bursts
//! make neighbouring events one: counts in bins of ten seconds are divided by their over-dispersion.

use crate::{
    analysis::impact::{distribution, moments::Moments},
    model::{metric::Better, verdict::Effect},
};

/// Seconds (points) of a bin.
const BIN: usize = 10;
/// From this share of zeros in either window on, values count as rare events.
const RARE: f64 = 0.3;

/// True when `before` and `after` are counts or shares that are zero much of the time.
pub fn are_rare(before: &[f64], after: &[f64]) -> bool {
    let zeros = |values: &[f64]| values.iter().filter(|v| **v == 0.0).count() as f64 / values.len().max(1) as f64;
    let positive = before.iter().chain(after).all(|v| *v >= 0.0) && before.iter().chain(after).any(|v| *v > 0.0);
    positive && (zeros(before) >= RARE || zeros(after) >= RARE)
}

/// The effect on a rate, with the exact interval.
pub fn effect(before: &[f64], after: &[f64]) -> Effect {
    let (was, is) = (Moments::of(before), Moments::of(after));
    let change = relative(was.mean, is.mean);
    let dispersion = dispersion(before).max(dispersion(after));
    let events = |values: &[f64]| values.iter().sum::<f64>() / dispersion;
    let (b, a) = (events(before), events(after));
    let (low, high) = distribution::proportion(a, a + b);
    let ratio = |p: f64| if p >= 1.0 { f64::from(1000) } else { p / (1.0 - p) * before.len() as f64 / after.len().max(1) as f64 };
    Effect {
        before: was.mean,
        after: is.mean,
        change,
        interval: ((ratio(low) - 1.0).min(change), (ratio(high) - 1.0).max(change).min(1000.0)),
        points: (before.len(), after.len()),
    }
}

/// The chance of so few events after (or so many, for what is better higher), were nothing changed: exact, given all events of both.
pub fn chance(better: Better, before: &[f64], after: &[f64]) -> f64 {
    let dispersion = dispersion(before).max(dispersion(after));
    let (b, a) = (before.iter().sum::<f64>() / dispersion, after.iter().sum::<f64>() / dispersion);
    let share = after.len() as f64 / (before.len() + after.len()).max(1) as f64;
    match better {
        Better::Lower => distribution::at_most(a, a + b, share),
        Better::Higher => distribution::at_most(b, a + b, 1.0 - share),
    }
}

fn relative(was: f64, is: f64) -> f64 {
    if was > 0.0 { (is / was - 1.0).min(1000.0) } else { 1000.0 }
}

/// How much one independent event weighs: variance over mean of the sums of bins, or the greatest second with its like neighbours.
fn dispersion(values: &[f64]) -> f64 {
    let bins: Vec<f64> = values.chunks(BIN).filter(|bin| bin.len() == BIN).map(|bin| bin.iter().sum()).collect();
    let m = Moments::of(&bins);
    let clumps = if m.mean > 0.0 && m.count >= 2 { m.variance / m.mean } else { 0.0 };
    let rho = Moments::of(values).rho;
    let greatest = values.iter().copied().fold(0.0, f64::max) * (1.0 + rho) / (1.0 - rho);
    clumps.max(greatest).max(f64::MIN_POSITIVE)
}
