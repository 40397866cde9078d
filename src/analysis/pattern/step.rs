//! A move to another level that stayed.
//!
//! The split that leaves the least squares (as binary segmentation takes its first cut: Scott and Knott 1974), then three questions:
//! is the difference of levels beyond what so few independent points allow; did it come at once, where a walk takes its time; and has the
//! new level held. The newest split counts: the search goes on in what comes after it.

use crate::analysis::{
    impact::moments::Moments,
    pattern::robust::{mean, median, spread},
};

/// Points that each level needs.
const LEAST_SIDE: usize = 8;
/// The difference over its standard error. The best of many splits of a walk seldom reaches this (simulated: `tests`).
const CLEAR: f64 = 8.0;
/// Share of the difference that must be there within [`EDGE`] points of the split.
const ABRUPT: f64 = 0.65;
const EDGE: usize = 5;
/// The difference over the spread within a level.
const TALL: f64 = 2.5;

/// A step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The first point of the new level.
    pub at: usize,
    /// Level before.
    pub from: f64,
    /// Level after.
    pub to: f64,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// Sum of squares around the two levels.
    pub rest: f64,
}

/// The split of `values` into two levels that leaves least, with what it leaves; `None` for too few.
pub fn split(values: &[f64]) -> Option<(usize, f64)> {
    let (n, sum, squares) = values.iter().fold((0.0, 0.0, 0.0), |(n, s, q), v| (n + 1.0, s + v, q + v * v));
    let mut best: Option<(usize, f64)> = None;
    let mut left = 0.0;
    for (i, value) in values.iter().enumerate() {
        left += value;
        let (before, after) = (i as f64 + 1.0, n - i as f64 - 1.0);
        if i + 1 < LEAST_SIDE || values.len() - i - 1 < LEAST_SIDE {
            continue;
        }
        let rest = squares - left * left / before - (sum - left).powi(2) / after;
        if best.is_none_or(|(_, least)| rest < least) {
            best = Some((i + 1, rest.max(0.0)));
        }
    }
    best
}

/// The newest step in `values`, if there is one that stayed.
pub fn find(values: &[f64]) -> Option<Step> {
    let centre = mean(values);
    let shifted: Vec<f64> = values.iter().map(|v| v - centre).collect();
    let (at, rest) = split(&shifted)?;
    let (before, after) = shifted.split_at(at);
    if let Some(later) = find_in(after, at) {
        return Some(Step { from: later.from + centre, to: later.to + centre, ..later });
    }
    judge(before, after).map(|(from, to, confidence)| Step { at, from: from + centre, to: to + centre, confidence, rest })
}

fn find_in(values: &[f64], offset: usize) -> Option<Step> {
    let (at, rest) = split(values)?;
    let (before, after) = values.split_at(at);
    let (from, to, confidence) = judge(before, after)?;
    Some(Step { at: at + offset, from, to, confidence, rest })
}

/// Both levels and how sure it is that they differ and that the change was sudden.
fn judge(before: &[f64], after: &[f64]) -> Option<(f64, f64, f64)> {
    let (was, is) = (Moments::of(before), Moments::of(after));
    let (from, to) = (median(before.iter().copied()), median(after.iter().copied()));
    let height = (to - from).abs();
    let within = spread(before).max(spread(after));
    let rho = was.rho.max(is.rho);
    let error = (was.variance_of_mean(rho) + is.variance_of_mean(rho)).sqrt();
    let clear = if error > 0.0 { (is.mean - was.mean).abs() / error } else { f64::INFINITY };
    let edge = |side: &[f64], end: usize| mean(side.get(end..(end + EDGE).min(side.len())).unwrap_or_default());
    let jump = (edge(after, 0) - edge(before, before.len().saturating_sub(EDGE))) * (to - from).signum();
    let held = edge(after, after.len().saturating_sub(2 * EDGE)) - from;
    let stayed = held * (to - from).signum() > 0.5 * height;
    let tiny = height <= 1e-9 * from.abs().max(to.abs());
    if tiny || height < TALL * within || clear < CLEAR || jump < ABRUPT * height || !stayed {
        return None;
    }
    let sure = (1.0 - CLEAR / clear / 2.0) * (jump / height).min(1.0);
    Some((from, to, sure.clamp(0.0, 0.99)))
}
