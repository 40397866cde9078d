//! Short times far above the rest, at no regular times.

use crate::analysis::pattern::robust::{median, quantile, sorted, spread};

/// Above the median by so many spreads of the rest.
const FAR: f64 = 8.0;
/// Bursts needed before the word fits.
const LEAST: usize = 3;
/// Share of the time that they may take together, and that one alone may take.
const MOST_TIME: f64 = 0.2;
const MOST_ONE: f64 = 0.07;
/// Points between two bursts; nearer ones are one.
const APART: usize = 3;

/// Bursts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bursts {
    /// How many.
    pub count: usize,
    /// How sure, 0 to 1.
    pub confidence: f64,
}

/// The bursts of `values`, if there are any.
pub fn find(values: &[f64]) -> Option<Bursts> {
    let line = limit(values)?;
    let high: Vec<usize> = values.iter().enumerate().filter(|(_, v)| **v > line).map(|(i, _)| i).collect();
    let runs: Vec<&[usize]> = high.chunk_by(|a, b| b - a <= APART).collect();
    let longest = runs.iter().map(|run| run.len()).max()?;
    let n = values.len() as f64;
    if runs.len() < LEAST || high.len() as f64 > MOST_TIME * n || longest as f64 > (MOST_ONE * n).max(3.0) {
        return None;
    }
    // A walk is above any line for long and in one piece; what is in many short pieces, each from the ground up, is bursts.
    let grounded = runs.iter().filter(|run| rises(values, run, line)).count();
    let share = grounded as f64 / runs.len() as f64;
    (share >= 0.7).then_some(Bursts { count: runs.len(), confidence: (share * (1.0 - 1.0 / runs.len() as f64)).clamp(0.0, 0.99) })
}

/// The line that only a burst is above.
fn limit(values: &[f64]) -> Option<f64> {
    let order = sorted(values.iter().copied());
    let centre = median(values.iter().copied());
    let (ground, top) = (quantile(&order, 0.8), order.last().copied()?);
    // Where most values are the same one, what lies between ground and top decides.
    let line = centre + FAR * spread(values).max((ground - centre) / 2.0);
    let line = if line > centre { line } else { f64::midpoint(centre, top) };
    (top > line).then_some(line)
}

/// The values around a run are down again within a few points on both sides.
fn rises(values: &[f64], run: &[usize], line: f64) -> bool {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return false };
    let down = |part: Option<&[f64]>| part.is_none_or(|p| p.is_empty() || p.iter().any(|v| *v <= line));
    down(values.get(first.saturating_sub(APART)..*first)) && down(values.get(last + 1..(last + 1 + APART).min(values.len())))
}
