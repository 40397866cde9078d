//! The guard phase of a watch: every five seconds, is it hurting? Hard trips need no statistics; each guardrail is a sequential test
//! that may be looked at as often as one likes (mixture SPRT, catalogue C3.4), with the long-run variance of its own history.

use crate::{
    analysis::impact::{
        case::{Case, LEAST_POINTS, back, means},
        judge,
        moments::Moments,
    },
    model::{
        change::Cause,
        metric::{Better, Key, Metric},
        series::Point,
        time::Tick,
        trial::{Guardrail, Trial},
    },
};

/// Seconds between looks, and of the means that are looked at.
pub const LOOK: f64 = 5.0;
/// Looks in a row that a hard trip must hold for.
const LOOKS: usize = 2;
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
    /// Looks in a row with new full pressure.
    full: usize,
    /// Looks in a row with the primary worse by far.
    worse: usize,
}

/// Why a watch must end now.
#[derive(Clone, Debug, PartialEq)]
pub struct Trip {
    /// In the journal's words.
    pub cause: Cause,
    /// In one sentence, for the operator.
    pub why: String,
}

/// One look; to be made every [`LOOK`] seconds while a change is watched. `None` while all is well.
pub fn guard_look(trial: &Trial, case: &Case<'_>, watch: &mut Watch) -> Option<Trip> {
    if let Some(silence) = silent(trial, case) {
        let why = format!("no value of {} for {silence:.0} s", trial.primary);
        return Some(Trip { cause: Cause::NoData, why });
    }
    let full = new_pressure(trial, case);
    watch.full = if full.is_some() { watch.full + 1 } else { 0 };
    let worse = far_worse(trial, case);
    watch.worse = if worse.is_some() { watch.worse + 1 } else { 0 };
    let hard = full.filter(|_| watch.full >= LOOKS).or(worse.filter(|_| watch.worse >= LOOKS));
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

/// Block means of `key` before the change, and the mean of the last look, all of it after the change.
fn blocks(trial: &Trial, case: &Case<'_>, key: &Key) -> Option<(Vec<f64>, f64)> {
    let (from, to) = case.before(&trial.windows);
    let latest = back(case.now, LOOK).max(case.after(&trial.windows).0);
    let series = case.series.get(key)?;
    let last = Moments::of(&series.values(latest, Tick(case.now.0.saturating_add(1))));
    let before = means(between(series.points(), from, to), LOOK);
    (last.count > 0 && !before.is_empty()).then_some((before, last.mean))
}

fn between(points: impl Iterator<Item = Point>, from: Tick, to: Tick) -> impl Iterator<Item = Point> {
    points.filter(move |p| p.at >= from && p.at < to)
}

fn new_pressure(trial: &Trial, case: &Case<'_>) -> Option<String> {
    FULL.iter().find_map(|(metric, level)| {
        let (before, now) = blocks(trial, case, &Key::host(*metric))?;
        let known = before.iter().any(|mean| mean >= level);
        (now >= *level && !known).then(|| format!("{} rose to {}", metric.words(), metric.unit().show(now)))
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
    let (before, after) = case.values(trial, &rail.key);
    if before.len() < LEAST_POINTS || (after.len() as f64) < LOOK {
        return None;
    }
    let (was, is) = (Moments::of(&before), Moments::of(&after));
    let margin = judge::margin(rail, was.mean);
    let beyond = judge::harm(rail, was.mean, is.mean) - margin;
    // A series that never moved before still has the grain of its margin.
    let variance = was.variance.max((margin / 4.0).powi(2)).max((was.mean * 1e-3).powi(2));
    let spread = Moments { variance, ..was };
    let longrun = spread.variance_of_mean(was.rho) + Moments { count: is.count, ..spread }.variance_of_mean(was.rho);
    let likely = evidence(beyond, longrun, variance);
    let show = |v: f64| rail.key.metric.unit().show(v);
    (beyond > 0.0 && likely > rails / ALPHA)
        .then(|| format!("{} went from {} to {}, over its margin of {}", rail.key, show(was.mean), show(is.mean), show(margin)))
}

/// The likelihood ratio of the mixture: `d` beyond the margin, its variance `v`, and `tau2` the variance of effects to expect.
fn evidence(d: f64, v: f64, tau2: f64) -> f64 {
    let (v, tau2) = (v.max(f64::MIN_POSITIVE), tau2.max(f64::MIN_POSITIVE));
    (v / (v + tau2)).sqrt() * (d * d / v * (tau2 / (v + tau2)) / 2.0).exp()
}
