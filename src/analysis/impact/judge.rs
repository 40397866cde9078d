//! The verdict at the end of the watch (catalogue C3.5): an effect that is useful, surely of the good sign, rare without a change, and
//! paid for by nobody. Anything less is no benefit, and no benefit is rolled back.

use crate::{
    analysis::impact::{
        adjust::{self, Control},
        case::{Case, LEAST_POINTS, values},
        counts, distribution,
        effect::{self, Difference},
        foresight, longrun, placebo, prevention,
    },
    model::{
        metric::{Better, Key},
        series::Point,
        trial::{Guardrail, Prevention, Trial},
        unit::Unit,
        verdict::{Adjusted, Effect, Outcome, Verdict},
    },
};

/// A gain that appears by itself more often than this proves nothing.
const CHANCE: f64 = 0.05;
/// A load that moved by more than this casts doubt.
const LOAD: f64 = 0.20;

/// What the change did, as far as the data can say.
pub fn judge(trial: &Trial, case: &Case<'_>) -> Verdict {
    if let Some(prevention) = &trial.prevents {
        return prevented(trial, prevention, case);
    }
    let (before, after) = case.values(trial, &trial.primary);
    if before.len() < LEAST_POINTS || after.len() < LEAST_POINTS {
        let why = format!("too few points of {}: {} before, {} after", trial.primary, before.len(), after.len());
        return Verdict { why, doubts: doubts(trial, case, (&before, None)), ..Verdict::default() };
    }
    let control = adjust::control(trial, case, &trial.primary);
    let measured = Measured::of(trial, case, control.as_ref());
    let mut doubts = doubts(trial, case, (&before, control.as_ref()));
    if measured.gains.is_none() {
        doubts.push("history too short to rank the gain among windows without a change".into());
    }
    let guards: Vec<Guarded> = trial.guardrails.iter().map(|rail| guarded(trial, case, rail)).collect();
    doubts.extend(guards.iter().filter_map(|g| g.doubt.clone()));
    let (outcome, why) = decide(trial, &measured, &guards);
    let why = control.as_ref().map_or(why.clone(), |control| format!("{why}, {}", control.words()));
    let adjusted = control.map(|c| Adjusted { by: c.key, method: c.method, effect: measured.effect, explained: c.explained });
    let effect = Some(if adjusted.is_some() { effect::of(&before, &after) } else { measured.effect });
    let (placebo, chance) = (measured.gains, Some(measured.chance));
    Verdict { outcome, effect, placebo, why, doubts, adjusted, chance, ..Verdict::default() }
}

/// The primary as it is judged: without what a control explains.
pub(super) struct Measured {
    /// The effect.
    pub effect: Effect,
    /// Chance of so large a gain (one-sided).
    pub chance: f64,
    /// Share of windows without a change with so large a gain, and with so large a loss.
    pub gains: Option<f64>,
    /// See `gains`.
    pub losses: Option<f64>,
}

impl Measured {
    fn of(trial: &Trial, case: &Case<'_>, control: Option<&Control>) -> Measured {
        let raw = case.course(&trial.primary);
        let course = control.map_or_else(|| raw.clone(), |control| control.adjust(case, &raw));
        let (first, last) = case.split(&trial.windows, &course);
        let (before, after) = (values(&first), values(&last));
        let (effect, chance) = if counts::are_rare(&before, &after) {
            (counts::effect(&before, &after), counts::chance(trial.better, &before, &after))
        } else {
            let more = control.map_or(0.0, |control| control.error) + drifting(&first, &last);
            let difference = Difference::of(&before, &after).widened(more);
            (effect::from(&difference), difference.chance(trial.better))
        };
        let ranked = |better| placebo::rank(better, &trial.windows, case, &course);
        Measured { effect, chance, gains: ranked(trial.better), losses: ranked(worse(trial.better)) }
    }
}

/// What a trend before adds to the variance of the difference between two windows: it may go on, or turn.
pub(super) fn drifting(before: &[Point], after: &[Point]) -> f64 {
    let middle = |points: &[Point]| points.get(points.len() / 2).map(|p| p.at);
    let apart = middle(before).zip(middle(after)).map_or(0.0, |(b, a)| a.seconds_since(b));
    longrun::drift(before) * apart * apart
}

/// The other way.
fn worse(better: Better) -> Better {
    match better {
        Better::Lower => Better::Higher,
        Better::Higher => Better::Lower,
    }
}

/// The verdict on a change against what has not come yet: nothing was to improve, but the other side still must not suffer.
fn prevented(trial: &Trial, prevention: &Prevention, case: &Case<'_>) -> Verdict {
    let (before, after) = case.values(trial, &trial.primary);
    let effect = (before.len() >= LEAST_POINTS && after.len() >= LEAST_POINTS).then(|| effect::of(&before, &after));
    let guards: Vec<Guarded> = trial.guardrails.iter().map(|rail| guarded(trial, case, rail)).collect();
    let (outcome, why) = match guards.iter().find(|guard| guard.harm == Harm::Shown) {
        Some(harm) => (Outcome::Worse, harm.told.clone()),
        None => prevention::decide(trial, prevention, case),
    };
    let doubts = guards.into_iter().filter_map(|guard| guard.doubt).collect();
    Verdict { outcome, effect, why, doubts, ..Verdict::default() }
}

/// The effect turned so that more is better: estimate, worst, best.
fn gain(better: Better, effect: &Effect) -> (f64, f64, f64) {
    let (low, high) = effect.interval;
    match better {
        Better::Higher => (effect.change, low, high),
        Better::Lower => (-effect.change, -high, -low),
    }
}

pub(super) fn decide(trial: &Trial, measured: &Measured, guards: &[Guarded]) -> (Outcome, String) {
    let effect = &measured.effect;
    let told = tell(&trial.primary, effect);
    let (estimate, worst, best) = gain(trial.better, effect);
    if let Some(harm) = guards.iter().find(|g| g.harm == Harm::Shown) {
        return (Outcome::Worse, harm.told.clone());
    }
    if estimate <= -trial.least && best < 0.0 && measured.losses.is_none_or(|p| p <= CHANCE) {
        return (Outcome::Worse, told);
    }
    if estimate < trial.least || worst <= 0.0 {
        let found = if best < trial.least { "no useful effect" } else { "no benefit shown" };
        return (Outcome::Neutral, format!("{found}: {told}"));
    }
    if let Some(p) = measured.gains.filter(|p| *p > CHANCE) {
        let often = Unit::Share.show(p);
        return (Outcome::Neutral, format!("{told}, but {often} of windows without a change do as well"));
    }
    if let Some(harm) = guards.iter().find(|g| g.harm == Harm::Possible) {
        return (Outcome::Unclear, format!("{told}, but {}", harm.told));
    }
    (Outcome::Better, told)
}

/// `p95 of service x: 80.0 ms -> 20.0 ms (-75 %, -80 % to -70 %)`.
fn tell(key: &Key, effect: &Effect) -> String {
    let show = |v: f64| key.metric.unit().show(v);
    let percent = |v: f64| if v >= 9.995 { format!("x{:.0}", v + 1.0) } else { format!("{:+.0} %", v * 100.0) };
    let (low, high) = effect.interval;
    let (before, after) = (show(effect.before), show(effect.after));
    format!("{key}: {before} -> {after} ({}, {} to {})", percent(effect.change), percent(low), percent(high))
}

/// How a guardrail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    /// Within its margin.
    None,
    /// Over its margin, but that may be chance.
    Possible,
    /// Over its margin, and surely worse than before.
    Shown,
}

/// A guardrail at the end of the watch.
pub(super) struct Guarded {
    harm: Harm,
    told: String,
    /// What weakens it.
    pub doubt: Option<String>,
}

/// One-sided: is the harm over the margin, is there surely any (5 % over all guardrails together), and is it rare without a change?
pub(super) fn guarded(trial: &Trial, case: &Case<'_>, rail: &Guardrail) -> Guarded {
    let control = adjust::control(trial, case, &rail.key);
    let raw = case.course(&rail.key);
    let course = control.as_ref().map_or_else(|| raw.clone(), |control| control.adjust(case, &raw));
    let (before, after) = case.split(&trial.windows, &course);
    if before.len() < LEAST_POINTS || after.len() < LEAST_POINTS {
        let doubt = Some(format!("no data to guard {} by", rail.key));
        return Guarded { harm: Harm::None, told: String::new(), doubt };
    }
    let more = control.map_or(0.0, |control| control.error) + drifting(&before, &after);
    let d = Difference::of(&values(&before), &values(&after)).widened(more);
    let (was, is) = (d.was.mean, d.is.mean);
    let harm = harm(rail, was, is);
    let reach = distribution::student(1.0 - CHANCE / trial.guardrails.len().max(1) as f64, d.df) * d.error();
    let margin = margin(rail, was);
    let usual = || placebo::rank(worse(rail.key.metric.better()), &trial.windows, case, &course).is_some_and(|p| p > CHANCE);
    let verdict = match harm {
        h if h <= margin => Harm::None,
        h if h - reach > 0.0 && !usual() => Harm::Shown,
        _ => Harm::Possible,
    };
    let show = |v: f64| rail.key.metric.unit().show(v);
    let told = format!("{} went from {} to {}, over its margin of {}", rail.key, show(was), show(is), show(margin));
    let doubt = (verdict == Harm::None && harm + reach > margin).then(|| format!("harm to {} cannot be excluded", rail.key));
    Guarded { harm: verdict, told, doubt }
}

/// How much worse `is` is than `was`, in the unit of the rail.
pub(super) fn harm(rail: &Guardrail, was: f64, is: f64) -> f64 {
    match rail.key.metric.better() {
        Better::Lower => is - was,
        Better::Higher => was - is,
    }
}

/// How much worse it may get: the wider of its two margins.
pub(super) fn margin(rail: &Guardrail, was: f64) -> f64 {
    (rail.relative * was.abs()).max(rail.absolute).max(0.0)
}

/// What weakens a verdict. A load that was taken out is no doubt any more.
pub(super) fn doubts(trial: &Trial, case: &Case<'_>, (before, control): (&[f64], Option<&Control>)) -> Vec<String> {
    let (from, to) = case.before(&trial.windows);
    let mut doubts = Vec::new();
    if to.seconds_since(from) < 0.9 * trial.windows.before || (before.len() as f64) < 0.5 * trial.windows.before {
        doubts.push(format!("only {} points before the change", before.len()));
    }
    if before.len() >= LEAST_POINTS && foresight::drifted(before) {
        doubts.push(format!("{} moved by itself before the change", trial.primary.metric.words()));
    }
    if case.disturbed(from, case.after(&trial.windows).1) {
        doubts.push("another change lived in the same time".into());
    }
    let others = trial.controls.iter().filter(|key| control.is_none_or(|control| control.key != **key));
    doubts.extend(others.filter_map(|key| moved(trial, case, key)));
    doubts
}

fn moved(trial: &Trial, case: &Case<'_>, key: &Key) -> Option<String> {
    let (before, after) = case.values(trial, key);
    if before.len() < LEAST_POINTS || after.len() < LEAST_POINTS {
        return None;
    }
    let change = effect::of(&before, &after).change;
    (change.abs() > LOAD).then(|| format!("{key} moved by {:+.0} % meanwhile", change * 100.0))
}
