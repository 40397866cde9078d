//! One use held against one episode: how much it rose, whether that is more than its own restlessness, when it began, and whether the
//! symptom answers to it.

use crate::analysis::{
    cause::episode::{BEGUN, Episode, smooth},
    correlate::bartlett,
    impact::moments::{Moments, pooled},
    pattern::{ramp, robust::median, step},
};

/// Rounds by which a cause may seem to come after its effect: smoothing, and two clocks of one second.
const SLACK: f64 = 2.5;
/// Seconds around an onset in which a rise belongs to it.
const AROUND: f64 = 60.0;
/// The same for a stock, which fills slowly.
const AROUND_STOCK: f64 = 400.0;

/// Lags of the memory that counts for independent points.
const MEMORY: usize = 60;

/// Points that a ramp needs.
const LEAST_TAIL: usize = 20;

/// When a use rose, against the onset of the symptom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Timing {
    /// So many seconds before it (a little below zero counts as together).
    Before(f64),
    /// So many seconds after it.
    After(f64),
    /// It was as high before.
    Steady,
    /// Nothing is known of the time before.
    Unknown,
}

/// What one use looks like against an episode.
#[derive(Clone, Debug)]
pub(super) struct Dose {
    /// Smoothed values, one a round.
    pub(super) values: Vec<f64>,
    /// Mean in good times.
    pub(super) before: Option<f64>,
    /// Mean in bad times.
    pub(super) during: f64,
    /// The difference; the level where there were no good times.
    pub(super) rise: f64,
    /// Standard error of the rise, with the memory of the values counted in.
    pub(super) error: f64,
    pub(super) timing: Timing,
    /// Correlation with the symptom at the best delay, and its 95 % interval.
    pub(super) response: f64,
    pub(super) interval: (f64, f64),
    /// The chance of such a correlation.
    pub(super) chance: f64,
    /// It has itself a step or a ramp, which no noise has.
    shaped: bool,
    /// Times that it fell back and the symptom with it.
    pub(super) pauses: usize,
}

/// How to look: seconds a round, seconds of delay allowed, and whether it is a stock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) step: f64,
    pub(super) delay: f64,
    pub(super) stock: bool,
}

impl Dose {
    pub(super) fn of(raw: &[f64], episode: &Episode, look: &Look) -> Dose {
        let values = smooth(raw);
        let (before, during) = episode.levels(&values);
        let rise = during - before.unwrap_or(0.0);
        let (response, points) = response(&values, &episode.values, (look.delay / look.step) as usize);
        Dose {
            error: error(raw, &episode.bad),
            timing: timing(&values, episode, (before, during), look),
            interval: bartlett::interval(response, points),
            chance: bartlett::chance(response, points),
            shaped: is_shaped(raw, before, during),
            pauses: pauses(&values, episode, (before, during)),
            values,
            before,
            during,
            rise,
            response,
        }
    }

    /// It rose by more than its own restlessness explains, among so many that were looked at.
    pub(super) fn is_clear(&self, looked_at: usize) -> bool {
        let sure = self.rise > 4.0 * self.error || self.chance * (looked_at as f64) < 0.01 && self.response > 0.0;
        self.rise > 0.0 && (sure || self.shaped || self.before.is_none())
    }
}

/// A step up, or a ramp up at least from where the rise began.
fn is_shaped(raw: &[f64], before: Option<f64>, during: f64) -> bool {
    let line = before.map(|before| before + 0.1 * (during - before));
    let begin = line.and_then(|line| raw.iter().rposition(|v| *v <= line)).unwrap_or(0);
    let up = |part: &[f64]| ramp::find(part).is_some_and(|r| r.slope > 0.0);
    let tail = raw.get(begin..).filter(|tail| tail.len() >= LEAST_TAIL);
    step::find(raw).is_some_and(|s| s.to > s.from) || up(raw) || tail.is_some_and(up)
}

/// Standard error of the difference between bad and good times.
fn error(values: &[f64], bad: &[bool]) -> f64 {
    let part = |which: bool| -> Vec<f64> { values.iter().zip(bad).filter(|(_, b)| **b == which).map(|(v, _)| *v).collect() };
    let (good, bad) = (Moments::of(&part(false)), Moments::of(&part(true)));
    let rho = pooled(&good, &bad);
    (good.variance_of_mean(rho) + bad.variance_of_mean(rho)).sqrt()
}

/// The strongest correlation of the symptom with the dose up to `delay` rounds earlier, and the independent points behind it.
fn response(dose: &[f64], symptom: &[f64], delay: usize) -> (f64, f64) {
    let n = dose.len().min(symptom.len());
    let at = |lag: usize| bartlett::correlation(dose.get(..n - lag).unwrap_or_default(), symptom.get(lag..n).unwrap_or_default());
    let best = (0..=delay.min(n / 4)).map(at).fold(0.0_f64, |best, r| if r.abs() > best.abs() { r } else { best });
    let centred = |values: &[f64]| -> Vec<f64> {
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        values.iter().map(|v| v - mean).collect()
    };
    let memory = |values: &[f64]| bartlett::autocorrelation(&centred(values), (n / 4).min(MEMORY));
    (best, bartlett::effective(n, &memory(dose), &memory(symptom)))
}

/// Where the dose rises through a quarter of its way, against where the symptom does: the median over all onsets.
fn timing(values: &[f64], episode: &Episode, (before, during): (Option<f64>, f64), look: &Look) -> Timing {
    let Some(before) = before.filter(|_| !episode.onsets.is_empty()) else { return Timing::Unknown };
    if during <= before {
        return Timing::Steady;
    }
    let line = before + BEGUN * (during - before);
    let around = (if look.stock { AROUND_STOCK } else { AROUND } / look.step) as usize;
    let leads: Vec<f64> =
        episode.onsets.iter().filter_map(|onset| crossing(values, line, *onset, around)).map(|rounds| rounds as f64).collect();
    if leads.len() * 2 < episode.onsets.len() || leads.is_empty() {
        return Timing::Steady;
    }
    let lead = median(leads);
    if lead >= -SLACK { Timing::Before(lead * look.step) } else { Timing::After(-lead * look.step) }
}

/// Rounds from the nearest rise through `line` to `onset`; negative when it comes after.
fn crossing(values: &[f64], line: f64, onset: usize, around: usize) -> Option<i64> {
    let rises = values.iter().zip(values.iter().skip(1)).enumerate().filter(|(_, (was, is))| **was <= line && **is > line);
    let leads = rises.map(|(i, _)| onset as i64 - (i as i64 + 1));
    leads.filter(|lead| lead.unsigned_abs() as usize <= around).min_by_key(|lead| lead.abs())
}

/// Good times after a bad one in which the dose had fallen as well.
fn pauses(values: &[f64], episode: &Episode, (before, during): (Option<f64>, f64)) -> usize {
    let Some(before) = before.filter(|before| during > *before) else { return 0 };
    let line = f64::midpoint(before, during);
    let ends =
        episode.bad.iter().zip(episode.bad.iter().skip(1)).enumerate().filter(|(_, (was, is))| **was && !**is).map(|(i, _)| i + 1);
    ends.filter(|end| values.get(*end..(end + 4).min(values.len())).is_some_and(|after| after.iter().any(|v| *v < line))).count()
}
