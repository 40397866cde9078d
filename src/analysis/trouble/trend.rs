//! Which stretch of a number's past tells where it is heading, and the line through it.
//!
//! A line through everything misses what began a minute ago, a line through the newest seconds takes each tooth of a saw for a leak.
//! So the newest points are followed back for as long as they stand on one line: what is before that is another regime (a step, a
//! plateau, a slower pace) and says nothing about the present one. Only where the past rose and fell by as much before is it one saw,
//! and the line goes through all of it: a limit is reached by the peaks of a saw, never by one tooth.
//!
//! What has stopped growing in the last third of its stretch is a plateau and heads nowhere.

use crate::analysis::trouble::line::{LEAST, Line, MOST};

/// What the last third gains on the middle one is at least this part of what the line says.
const LATE: f64 = 0.3;
/// Points off the line by so many times their spread are on another one.
const OFF: f64 = 3.0;
/// Part of the growth of a stretch that is no spread worth a cut.
const GRAIN: f64 = 0.03;
/// A fall of this part of the growth makes a saw.
const FALL: f64 = 0.5;
/// Points up to which a line is laid without asking first whether it may rise.
const FEW: usize = 20;
/// Spreads by which the last third stands above the middle one where a line is worth its price; noise alone does so one time of nine.
const WORTH: f64 = 1.2;
/// It has been as near to the limit as this before: that it turned round there means nothing.
const THERE: f64 = 0.95;

/// A number on its way up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rise {
    /// Along which line, by its newest regime.
    pub line: Line,
    /// Seconds for which it has grown, at a third of this pace or more.
    pub lasted: f64,
}

/// How `points` (seconds and values, ascending, growing towards `limit`) rise now; `None` while they do not.
pub fn rising(points: &[(f64, f64)], limit: f64) -> Option<Rise> {
    let fine = newest(points, MOST);
    let coarse = if points.len() > MOST { blocks(points) } else { Vec::new() };
    let long = stretch(&coarse, points, limit);
    let short = stretch(fine, points, limit);
    match (long, short) {
        // The longer one is the surer one, unless the pace has changed since.
        (Some(long), Some(short)) if long.line.slope >= short.line.range.0 && long.line.slope <= short.line.range.1 => Some(long),
        (long, short) => short.or(long),
    }
}

fn newest(points: &[(f64, f64)], most: usize) -> &[(f64, f64)] {
    points.get(points.len().saturating_sub(most)..).unwrap_or_default()
}

/// At most [`MOST`] spans of equally many points, each with its last time and its highest value; the newest span is whole.
fn blocks(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let per = points.len().div_ceil(MOST).max(1);
    let top = |block: &[(f64, f64)]| {
        let last = block.last().map_or(0.0, |(t, _)| *t);
        (last, block.iter().map(|(_, v)| *v).fold(f64::NEG_INFINITY, f64::max))
    };
    let mut all: Vec<(f64, f64)> = points.rchunks(per).map(top).collect();
    all.reverse();
    all
}

/// The newest regime of `points`, if it rises; `past` is all that is known.
fn stretch(points: &[(f64, f64)], past: &[(f64, f64)], limit: f64) -> Option<Rise> {
    if !may_rise(points) {
        return None;
    }
    let start = begin(points)?;
    let (earlier, regime) = points.split_at_checked(start)?;
    let line = Line::through(regime)?;
    let rise = Rise { line, lasted: line.span + grown(earlier, regime, line.slope) };
    let from = regime.first()?.0;
    let before = past.iter().take_while(|(t, _)| *t < from).map(|(_, v)| *v);
    let peak = before.fold(f64::NEG_INFINITY, f64::max);
    let fall = fall(past);
    let near = peak >= limit - (1.0 - THERE) * limit.abs();
    let new = line.end - peak >= FALL * fall;
    if near || new || fall < FALL * line.slope * line.span {
        return rises(&line, regime).then_some(rise);
    }
    // One tooth is no saw: only what spans all of the past may speak for it.
    let (first, last) = (points.first()?.0, points.last()?.0);
    let line = Line::through(points).filter(|_| past.first().is_some_and(|oldest| first - oldest.0 <= 0.1 * (last - first)))?;
    rises(&line, points).then_some(Rise { line, lasted: line.span })
}

/// Seconds before a regime for which it grew already, if not along the same line.
fn grown(earlier: &[(f64, f64)], regime: &[(f64, f64)], slope: f64) -> f64 {
    let centre = |part: &[(f64, f64)]| (middle(part.iter().map(|p| p.0)), middle(part.iter().map(|p| p.1)));
    let Some(first) = regime.first() else { return 0.0 };
    let mut after = centre(regime.get(..3).unwrap_or(regime));
    let mut since = first.0;
    for part in earlier.rchunks(3) {
        let before = centre(part);
        if after.1 - before.1 < LATE * slope * (after.0 - before.0) {
            break;
        }
        (after, since) = (before, part.first().map_or(since, |p| p.0));
    }
    first.0 - since
}

/// Where the newest regime begins: followed back for as long as what is before stands on the line of what is after.
fn begin(points: &[(f64, f64)]) -> Option<usize> {
    let mut start = points.len().checked_sub(LEAST.max(points.len() / 6))?;
    while start > 0 {
        let regime = points.get(start..)?;
        let line = Line::through(&thin(regime))?;
        let before = points.get(start.saturating_sub((regime.len() / 4).max(3))..start)?;
        if is_off(&line, regime, before) {
            break;
        }
        start -= before.len();
    }
    Some(start)
}

/// Every so manyth point, the last one among them: enough to follow a line back by, at a fraction of its price.
fn thin(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut all: Vec<(f64, f64)> = points.iter().rev().step_by(points.len().div_ceil(FEW).max(1)).copied().collect();
    all.reverse();
    all
}

/// True when most of `before` stands further off the line of `regime` than its own points and the doubt about its slope explain.
fn is_off(line: &Line, regime: &[(f64, f64)], before: &[(f64, f64)]) -> bool {
    let Some((last, _)) = regime.last() else { return true };
    let off = |(t, v): &(f64, f64)| (v - line.end - line.slope * (t - last)).abs();
    let spread = middle(regime.iter().map(off)) * 1.4826 + GRAIN * line.slope.abs() * line.span;
    let doubt = (line.range.1 - line.slope).min(line.slope - line.range.0).max(0.0);
    let reach = before.first().zip(regime.first()).map_or(0.0, |((a, _), (b, _))| b - a);
    let allowed = OFF * spread + if doubt.is_finite() { doubt * (reach + line.span / 2.0) } else { 0.0 };
    middle(before.iter().map(off)) > allowed
}

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = values.collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(0.0)
}

/// A cheap look before the dear one: does the last third stand above the middle one by more than what goes up and down from point to
/// point explains?
fn may_rise(points: &[(f64, f64)]) -> bool {
    if points.len() <= FEW {
        return true;
    }
    let Some(((_, early), (_, late))) = thirds(points) else { return false };
    let steps = points.iter().zip(points.iter().skip(1)).map(|(a, b)| (b.1 - a.1).abs());
    // The mean step of white noise is 1.128 times its deviation.
    let spread = steps.sum::<f64>() / (points.len() - 1) as f64 / 1.128;
    late - early > WORTH * spread * (6.0 / points.len() as f64).sqrt()
}

/// The mean times and values of the middle and of the last third.
fn thirds(points: &[(f64, f64)]) -> Option<((f64, f64), (f64, f64))> {
    let mean = |part: &[(f64, f64)]| {
        let count = part.len().max(1) as f64;
        (part.iter().map(|p| p.0).sum::<f64>() / count, part.iter().map(|p| p.1).sum::<f64>() / count)
    };
    let third = points.len() / 3;
    let split = points.len() - third;
    Some((mean(points.get(split.saturating_sub(third)..split)?), mean(points.get(split..)?)))
}

/// Surely upwards, and still so at the end.
fn rises(line: &Line, points: &[(f64, f64)]) -> bool {
    let Some(((t0, v0), (t1, v1))) = thirds(points) else { return false };
    line.surely > 0.0 && v1 - v0 >= LATE * line.slope * (t1 - t0)
}

/// The deepest fall from a height to anything after it.
fn fall(points: &[(f64, f64)]) -> f64 {
    let mut height = f64::NEG_INFINITY;
    points.iter().fold(0.0, |deepest: f64, (_, v)| {
        height = height.max(*v);
        deepest.max(height - v)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(values: impl IntoIterator<Item = f64>) -> Vec<(f64, f64)> {
        values.into_iter().enumerate().map(|(i, v)| (i as f64, v)).collect()
    }

    fn slope(values: impl IntoIterator<Item = f64>) -> Option<f64> {
        rising(&points(values), 1000.0).map(|rise| rise.line.slope)
    }

    /// Noise of at most `by` to either side, the same each time.
    fn noise(i: usize, by: f64) -> f64 {
        by * ((i as f64 * 12.9898).sin() * 43_758.545).fract()
    }

    #[test]
    fn a_ramp_after_a_plateau_has_the_slope_of_the_ramp() {
        for (flat, ramp) in [(20, 8), (50, 10), (300, 12), (1000, 30), (600, 600)] {
            let values = (0..flat + ramp).map(|i| 100.0 + 5.0 * (i as f64 - flat as f64).max(0.0) + noise(i, 1.0));
            let slope = slope(values).unwrap_or_else(|| panic!("{flat} {ramp}"));
            assert!((slope - 5.0).abs() < 0.7, "{flat} {ramp}: {slope}");
        }
    }

    #[test]
    fn a_plateau_a_step_and_a_constant_head_nowhere() {
        for n in [12, 40, 200, 1500] {
            assert_eq!(slope((0..n).map(|_| 7.0)), None, "constant {n}");
            let step = slope((0..n).map(|i| if i < n - 6 { 100.0 } else { 300.0 } + noise(i, 1.0)));
            assert!(step.is_none_or(|slope| slope < 1e-3), "step {n}: {step:?}");
            assert_eq!(slope((0..n).map(|i| if i < n / 2 { 100.0 } else { 300.0 })), None, "old step {n}");
            assert_eq!(slope((0..n).map(|i| (i.min(n / 2)) as f64 + noise(i, 0.1))), None, "plateau {n}");
            assert_eq!(slope((0..n).map(|i| 500.0 - i as f64)), None, "falling {n}");
        }
    }

    #[test]
    fn a_saw_that_has_been_seen_once_heads_nowhere_on_its_way_up() {
        for period in [10, 25, 60, 120, 400] {
            for n in (2 * period + 3..4 * period).step_by(period / 5) {
                let values = (0..n).map(|i| 300.0 + 100.0 * (i % period) as f64 / period as f64 + noise(i, 1.0));
                let found = slope(values);
                let tooth = 100.0 / period as f64;
                assert!(found.is_none_or(|slope| slope < tooth / 4.0), "{period} {n}: {found:?}");
            }
        }
    }

    #[test]
    fn a_saw_whose_peaks_grow_heads_for_the_limit_as_fast_as_its_peaks() {
        let values = (0..600).map(|i| 300.0 + 0.5 * i as f64 + 60.0 * (i % 40) as f64 / 40.0);
        let line = rising(&points(values), 1000.0).unwrap().line;
        assert!((line.slope - 0.5).abs() < 0.05, "{line:?}");
        assert!(line.end + line.most >= 630.0, "the height of the peaks is in it: {line:?}");
    }

    #[test]
    fn what_was_at_its_limit_before_and_was_started_anew_heads_there_again() {
        let crashes = (0..90).map(|i| 20.0 * (i % 50) as f64 + noise(i, 2.0));
        let slope = slope(crashes).unwrap();
        assert!((slope - 20.0).abs() < 2.0, "{slope}");
    }

    proptest! {
        #[test]
        fn no_points_make_it_panic(values in proptest::collection::vec(proptest::num::f64::ANY, 0..300), limit in proptest::num::f64::ANY) {
            if let Some(rise) = rising(&points(values), limit) {
                prop_assert!(rise.line.slope > 0.0 && rise.line.surely > 0.0 && rise.lasted >= rise.line.span);
            }
        }
    }
}
