//! The guard phase of a watch: is it hurting? Hard trips need no statistics and are looked for at every sweep: a kill for want of memory,
//! full pressure newly at the level at which one acts, a measured service that no longer answers. Every five seconds each guardrail is a
//! sequential test that may be looked at as often as one likes (mixture SPRT, catalogue C3.4; Robbins 1970), on five-second means without
//! what a control explains, with the long-run variance of its own history; false alarms of all guardrails together stay below 5 %.

use crate::{
    analysis::impact::{
        adjust,
        case::{Case, LEAST_POINTS, back, between, means, values},
        judge, longrun,
        moments::Moments,
        placebo,
    },
    model::{
        change::Cause,
        metric::{Better, Key, Metric},
        series::Point,
        time::Tick,
        trial::{Guardrail, Trial},
    },
};
use std::sync::Arc;

/// Seconds between looks, and of the means that are looked at.
pub const LOOK: f64 = longrun::BLOCK;
/// Looks in a row that a primary must be worse by far, and sweeps in a row that a hard trip must hold for.
const TWICE: usize = 2;
/// Seconds without a value of the primary after which nobody can judge.
const SILENCE: f64 = 20.0;
/// A primary worse by this factor needs no statistics.
const WORSE: f64 = 2.0;
/// False alarms of all guardrails together.
const ALPHA: f64 = 0.05;
/// Pressure of which all tasks wait, at which one acts (catalogue B0).
const FULL: [(Metric, f64); 2] = [(Metric::PressureMemoryFull, 0.05), (Metric::PressureIoFull, 0.10)];

/// What the looks of one watch remember.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Sweeps in a row without an answer of a measured service.
    lost: usize,
    /// Looks in a row with the primary worse by far.
    worse: usize,
}

/// What a sweep saw that no series holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// Somebody was killed for want of memory, and nobody was in the time before the change.
    pub killed: bool,
    /// A service that the trial measures and that did not answer.
    pub lost: Option<Arc<str>>,
}

/// Why a watch must end now.
#[derive(Clone, Debug, PartialEq)]
pub struct Trip {
    /// In the journal's words.
    pub cause: Cause,
    /// In one sentence, for the operator.
    pub why: String,
}

/// Once per sweep: what needs no statistics.
pub fn hard_trip(trial: &Trial, case: &Case<'_>, signs: &Signs, watch: &mut Watch) -> Option<Trip> {
    let killed = || signs.killed.then(|| "somebody was killed for want of memory".to_string());
    watch.lost = if signs.lost.is_some() { watch.lost + 1 } else { 0 };
    let lost = || signs.lost.as_ref().filter(|_| watch.lost >= TWICE).map(|name| format!("{name} does not answer any more"));
    let why = killed().or_else(lost).or_else(|| new_pressure(trial, case))?;
    Some(Trip { cause: Cause::Hurt, why })
}

/// One look; to be made every [`LOOK`] seconds while a change is watched. `None` while all is well.
pub fn guard_look(trial: &Trial, case: &Case<'_>, watch: &mut Watch) -> Option<Trip> {
    if let Some(silence) = silent(trial, case) {
        let why = format!("no value of {} for {silence:.0} s", trial.primary);
        return Some(Trip { cause: Cause::NoData, why });
    }
    let worse = far_worse(trial, case);
    watch.worse = if worse.is_some() { watch.worse + 1 } else { 0 };
    let hard = worse.filter(|_| watch.worse >= TWICE);
    let rails = trial.guardrails.len().max(1) as f64;
    let why = hard.or_else(|| trial.guardrails.iter().find_map(|rail| hurt(trial, case, (rail, rails))))?;
    Some(Trip { cause: Cause::Hurt, why })
}

/// Seconds since the primary's last value, when that is too long.
fn silent(trial: &Trial, case: &Case<'_>) -> Option<f64> {
    let last = case.series.get(&trial.primary).and_then(|s| s.last()).map_or(case.applied, |p| p.at.max(case.applied));
    let silence = case.now.seconds_since(last);
    (silence > SILENCE).then_some(silence)
}

/// Block means of `key` in all the time of the same trouble before the change, and the mean of the last look, all of it after the change.
fn blocks(trial: &Trial, case: &Case<'_>, key: &Key) -> Option<(Vec<f64>, f64)> {
    let course = case.course(key);
    let (_, after) = case.split(&trial.windows, &course);
    let from = back(case.now, LOOK);
    let last = Moments::of(&after.iter().filter(|p| p.at >= from).map(|p| p.value).collect::<Vec<f64>>());
    let alone = between(&course, (case.since, case.applied)).iter().filter(|p| !case.disturbed(p.at, Tick(p.at.0 + 1)));
    let before = means(alone.copied(), LOOK);
    (last.count > 0 && !before.is_empty()).then_some((before, last.mean))
}

/// Full pressure at its level in the last two sweeps, and never in two in a row before the change.
fn new_pressure(trial: &Trial, case: &Case<'_>) -> Option<String> {
    FULL.iter().find_map(|(metric, level)| {
        let course = case.course(&Key::host(*metric));
        let (before, after) = case.split(&trial.windows, &course);
        let both = |pair: &[Point]| pair.iter().all(|p| p.value >= *level);
        let (last, now) = (after.last_chunk::<TWICE>()?, after.last()?);
        let fresh = case.now.seconds_since(now.at) < LOOK;
        (fresh && both(last) && !before.windows(TWICE).any(both))
            .then(|| format!("{} rose to {}", metric.words(), metric.unit().show(now.value)))
    })
}

fn far_worse(trial: &Trial, case: &Case<'_>) -> Option<String> {
    // What a change prevents goes on growing for a while: that is why it was made.
    let (before, now) = blocks(trial, case, &trial.primary).filter(|_| trial.prevents.is_none())?;
    let mean = Moments::of(&before).mean;
    let (far, beyond) = match trial.better {
        Better::Lower => (now > WORSE * mean, before.iter().all(|b| now > *b)),
        Better::Higher => (now < mean / WORSE, before.iter().all(|b| now < *b)),
    };
    // From nothing, anything is twice as much; such a primary is judged by its interval alone.
    let show = |v: f64| trial.primary.metric.unit().show(v);
    (mean > 0.0 && far && beyond).then(|| format!("{} went from {} to {}", trial.primary, show(mean), show(now)))
}

/// The sequential test of one of `rails.1` guardrails: is the harm beyond its margin?
fn hurt(trial: &Trial, case: &Case<'_>, (rail, rails): (&Guardrail, f64)) -> Option<String> {
    let raw = case.course(&rail.key);
    let (before, after) = case.split(&trial.windows, &raw);
    if before.len() < LEAST_POINTS || (after.len() as f64) < LOOK {
        return None;
    }
    // Most looks see nothing at all: no more is computed for those.
    let (was, is) = (Moments::of(&values(&before)), Moments::of(&values(&after)));
    let beyond = |was: f64, is: f64| judge::harm(rail, was, is) - judge::margin(rail, was);
    let adjusted = adjust::control(trial, case, &rail.key);
    if beyond(was.mean, is.mean) <= 0.0 && adjusted.is_none() {
        return None;
    }
    let course = adjusted.as_ref().map_or_else(|| raw.clone(), |control| control.adjust(case, &raw));
    let (before, after) = case.split(&trial.windows, &course);
    let (was, is) = (Moments::of(&values(&before)), Moments::of(&values(&after)));
    let d = beyond(was.mean, is.mean);
    let margin = judge::margin(rail, was.mean);
    // A series that never moved before still has the grain of its margin.
    let grain = (margin / 4.0).powi(2).max((was.mean * 1e-3).powi(2));
    let longrun = longrun::of_points(&before).max(grain) * (1.0 / was.count.max(1) as f64 + 1.0 / is.count.max(1) as f64);
    let error = adjusted.map_or(0.0, |control| control.error) + judge::drifting(&before, &after);
    let variance = longrun.max(placebo::spread(&trial.windows, case, &course).unwrap_or(0.0)) + error;
    let likely = evidence(d, variance, was.variance.max(grain));
    let show = |v: f64| rail.key.metric.unit().show(v);
    (d > 0.0 && likely > rails / ALPHA)
        .then(|| format!("{} went from {} to {}, over its margin of {}", rail.key, show(was.mean), show(is.mean), show(margin)))
}

/// The likelihood ratio of the mixture: `d` beyond the margin, its variance `v`, and `tau2` the variance of effects to expect.
fn evidence(d: f64, v: f64, tau2: f64) -> f64 {
    let (v, tau2) = (v.max(f64::MIN_POSITIVE), tau2.max(f64::MIN_POSITIVE));
    (v / (v + tau2)).sqrt() * (d * d / v * (tau2 / (v + tau2)) / 2.0).exp()
}
