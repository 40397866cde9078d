//! When it was bad and when it was good: a symptom's values split into the two, with the moments at which the bad times began.

use crate::analysis::pattern::robust::{mean, quantile, sorted};

/// Rounds that a bad time lasts at least, and that a good time in between lasts at least.
const LEAST_BAD: usize = 2;
const LEAST_GOOD: usize = 4;
/// Levels this many spreads apart make a split that counts.
const MARKED: f64 = 2.9;
/// A rise has begun where so much of it is done.
pub const BEGUN: f64 = 0.25;

/// A course split into good and bad times. More is worse.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// Smoothed values, one a round.
    pub values: Vec<f64>,
    /// The rounds in which it was bad.
    pub bad: Vec<bool>,
    /// The rounds in which a bad time began, oldest first; none where it was bad from the start.
    pub onsets: Vec<usize>,
    /// Level of good and of bad times; the good one is `None` where it was never good.
    pub good_level: Option<f64>,
    /// Level of bad times.
    pub bad_level: f64,
}

/// Three-point means, and gaps closed by the value before. A symptom without a value (no request, no read) is as it was.
pub fn smooth(values: &[f64]) -> Vec<f64> {
    let first = values.iter().copied().find(|v| v.is_finite()).unwrap_or(0.0);
    let whole: Vec<f64> = values
        .iter()
        .scan(first, |last, v| {
            *last = if v.is_finite() { *v } else { *last };
            Some(*last)
        })
        .collect();
    (0..whole.len()).map(|i| mean(whole.get(i.saturating_sub(1)..(i + 2).min(whole.len())).unwrap_or_default())).collect()
}

impl Episode {
    /// Splits `values` (more is worse, NaN for a gap); `None` where there is nothing to split.
    pub fn of(values: &[f64]) -> Option<Episode> {
        let values = smooth(values);
        let line = otsu(&values)?;
        let mut bad: Vec<bool> = values.iter().map(|v| *v > line).collect();
        flip_short(&mut bad, false, LEAST_GOOD);
        flip_short(&mut bad, true, LEAST_BAD);
        let level = |which: bool| {
            let part: Vec<f64> = values.iter().zip(&bad).filter(|(_, b)| **b == which).map(|(v, _)| *v).collect();
            (!part.is_empty()).then(|| mean(&part))
        };
        let (good_level, bad_level) = (level(false), level(true)?);
        let mut episode = Episode { onsets: Vec::new(), good_level, bad_level, bad, values };
        if let Some(good) = good_level {
            episode.onsets = episode.begins(good + BEGUN * (bad_level - good));
        }
        Some(episode)
    }

    /// It is bad all the time: nothing is known of good times.
    pub fn always(values: &[f64]) -> Episode {
        let values = smooth(values);
        let bad_level = mean(&values);
        Episode { bad: vec![true; values.len()], onsets: Vec::new(), good_level: None, bad_level, values }
    }

    /// The rounds at which bad times begin, each taken back to where the rise began.
    fn begins(&self, line: f64) -> Vec<usize> {
        let turns =
            self.bad.iter().zip(self.bad.iter().skip(1)).enumerate().filter(|(_, (was, is))| !**was && **is).map(|(i, _)| i + 1);
        let back = |at: usize| {
            let above = (0..=at).rev().take_while(|i| self.values.get(*i).is_some_and(|v| *v > line)).last();
            above.unwrap_or(at)
        };
        turns.map(back).collect()
    }

    /// Mean of `dose` in good times (`None` without any) and in bad ones.
    pub fn levels(&self, dose: &[f64]) -> (Option<f64>, f64) {
        let part =
            |which: bool| -> Vec<f64> { dose.iter().zip(&self.bad).filter(|(_, b)| **b == which).map(|(v, _)| *v).collect() };
        let good = part(false);
        ((!good.is_empty()).then(|| mean(&good)), mean(&part(true)))
    }

    /// The distance of both levels in spreads of the rougher of the two times; 0 where it was never good.
    pub fn gap(&self) -> f64 {
        self.distance(self.spread(false).max(self.spread(true)))
    }

    /// The same in spreads of good times alone: trouble is rougher than peace.
    pub fn rise(&self) -> f64 {
        self.distance(self.spread(false))
    }

    /// It differs enough to be worth more than no split at all, where it is known that something is wrong.
    pub fn is_marked(&self) -> bool {
        self.gap() > MARKED
    }

    fn distance(&self, spread: f64) -> f64 {
        let gap = self.good_level.map_or(0.0, |good| self.bad_level - good);
        if gap > 0.0 { gap / spread.max(1e-12 * gap) } else { 0.0 }
    }

    fn spread(&self, which: bool) -> f64 {
        let level = if which { self.bad_level } else { self.good_level.unwrap_or(self.bad_level) };
        let part = self.values.iter().zip(&self.bad).filter(|(_, b)| **b == which);
        let (squares, count) = part.fold((0.0, 0.0), |(sum, n), (v, _)| (sum + (v - level).powi(2), n + 1.0));
        if count > 0.0 { f64::sqrt(squares / count) } else { 0.0 }
    }

    /// It is bad now, or was within the last `rounds`.
    pub fn is_recent(&self, rounds: usize) -> bool {
        self.bad.iter().rev().take(rounds).any(|b| *b)
    }
}

/// The line between two groups that leaves least within them (Otsu 1979), searched between the 2nd and the 98th percentile.
fn otsu(values: &[f64]) -> Option<f64> {
    let order = sorted(values.iter().copied());
    let (low, high) = (quantile(&order, 0.02), quantile(&order, 0.98));
    if !(high - low).is_normal() {
        return None;
    }
    let whole: f64 = order.iter().sum();
    let n = order.len() as f64;
    let mut best: Option<(f64, f64)> = None;
    let mut below = 0.0;
    for (i, (value, next)) in order.iter().zip(order.iter().skip(1)).enumerate() {
        below += value;
        if next <= value || *value < low || *value > high {
            continue;
        }
        let (a, b) = (i as f64 + 1.0, n - i as f64 - 1.0);
        let between = a * b * (below / a - (whole - below) / b).powi(2);
        if best.is_none_or(|(most, _)| between > most) {
            best = Some((between, f64::midpoint(*value, *next)));
        }
    }
    best.map(|(_, line)| line)
}

/// Runs of `which` shorter than `least` become the other, but at the edges.
fn flip_short(marks: &mut [bool], which: bool, least: usize) {
    let mut start = 0;
    while start < marks.len() {
        let value = marks.get(start).copied().unwrap_or(false);
        let length = marks.iter().skip(start).take_while(|m| **m == value).count();
        let inner = start > 0 && start + length < marks.len();
        if value == which && length < least && inner {
            marks.iter_mut().skip(start).take(length).for_each(|m| *m = !which);
        }
        start += length.max(1);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bad_times_and_their_begins_are_found() {
        let values: Vec<f64> =
            (0..120).map(|t| if (40..60).contains(&t) || t >= 90 { 0.8 } else { 0.05 } + 0.01 * f64::from(t % 3)).collect();
        let episode = Episode::of(&values).unwrap();
        assert_eq!(episode.onsets.len(), 2);
        assert!(
            episode.onsets.iter().zip([40_usize, 90]).all(|(found, true_one)| found.abs_diff(true_one) <= 1),
            "{:?}",
            episode.onsets
        );
        assert!(episode.bad_level > 0.75 && episode.good_level.unwrap() < 0.1 && episode.is_recent(5));
    }

    #[test]
    fn a_constant_has_neither() {
        assert_eq!(Episode::of(&[0.5; 100]), None);
        assert_eq!(Episode::of(&[]), None);
        assert_eq!(Episode::always(&[0.5; 10]).onsets.len(), 0);
    }
}
