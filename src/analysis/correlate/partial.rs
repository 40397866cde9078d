//! What is left of a correlation once a common companion is taken out: a driver of both leaves next to nothing.

use crate::analysis::correlate::{bartlett::correlation, search::Trace};

/// The companion enters at its own best lag to either of the two and at so many steps to both sides of it: each series was whitened by
/// a filter of its own, which spreads a shared movement a little.
const AROUND: i64 = 1;

/// A companion that goes with less than this is none.
const LEAST: f64 = 0.15;

/// A companion with the lags at which it goes with the leader and the follower, in steps (positive: it goes first).
#[derive(Clone, Copy, Debug)]
pub(super) struct Companion<'t> {
    pub(super) trace: &'t Trace,
    pub(super) to_leader: (i64, f64),
    pub(super) to_follower: (i64, f64),
}

impl Companion<'_> {
    /// How strongly it goes with both; 0 for what comes after one of them, since an effect explains nothing.
    pub(super) fn strength(&self) -> f64 {
        let common = self.to_leader.1.abs().min(self.to_follower.1.abs());
        if self.to_leader.0 < 0 || self.to_follower.0 < 0 || common < LEAST { 0.0 } else { common }
    }
}

/// The correlation of `leader` with `follower`, which comes `lag` steps later, without what `companion` explains of either.
pub(super) fn partial(leader: &Trace, follower: &Trace, lag: i64, companion: &Companion<'_>) -> f64 {
    let mut shifts: Vec<i64> = Vec::new();
    for centre in [companion.to_leader.0, companion.to_follower.0 - lag] {
        shifts.extend(centre - AROUND..=centre + AROUND);
    }
    shifts.sort_unstable();
    shifts.dedup();
    let n = leader.unit.len() as i64;
    let (from, to) = shifts.iter().fold((0.max(-lag), n.min(n - lag)), |(from, to), s| (from.max(*s), to.min(n + s)));
    let cut = |trace: &Trace, shift: i64| -> Vec<f64> {
        let part = usize::try_from(from - shift).ok().zip(usize::try_from(to - shift).ok());
        part.and_then(|(a, b)| trace.unit.get(a..b)).unwrap_or_default().iter().map(|v| f64::from(*v)).collect()
    };
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for shift in shifts {
        let column = without(cut(companion.trace, shift), &basis);
        let norm = column.iter().map(|v| v * v).sum::<f64>().sqrt();
        if norm > 1e-6 {
            basis.push(column.iter().map(|v| v / norm).collect());
        }
    }
    correlation(&without(cut(leader, 0), &basis), &without(cut(follower, -lag), &basis))
}

/// `values` less their part along each of the orthonormal `basis`.
fn without(mut values: Vec<f64>, basis: &[Vec<f64>]) -> Vec<f64> {
    for direction in basis {
        let along: f64 = values.iter().zip(direction).map(|(a, b)| a * b).sum();
        values.iter_mut().zip(direction).for_each(|(value, d)| *value -= along * d);
    }
    values
}
