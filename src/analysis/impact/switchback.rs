//! Judging by switching off and on: segments in force and out of it by turns, in pairs of random order, so that whatever else goes on
//! falls on both alike (switchback experiments; Bojinov, Simchi-Levi and Zhao 2023).
//!
//! Only for knobs that act at once and leave nothing behind. The first seconds of each segment are left out. The differences within pairs
//! give the interval (Student); the order being random, turning the signs of pairs gives the exact chance of so large a gain (Fisher),
//! and where there is history enough, the same pattern laid over it tells how often it shows such a gain by itself.

use crate::{
    analysis::impact::{
        case::{Case, LEAST_POINTS, back, between, seconds, values},
        distribution, effect,
        judge::{self, Measured},
    },
    model::{
        metric::Better,
        series::Point,
        time::Tick,
        trial::{Leg, Trial},
        verdict::{Effect, Switched, Verdict},
    },
};

/// Pairs of segments.
pub const PAIRS: usize = 6;
/// Seconds of a segment.
pub const SEGMENT: f64 = 15.0;
/// Seconds at its beginning that are left out.
const DROPPED: f64 = 3.0;
/// Pairs that must be whole.
const LEAST_PAIRS: usize = 5;
/// Points of a segment.
const LEAST: usize = 5;
/// Of history: as with placebos before and after.
const HISTORY: f64 = 1800.0;
const LEAST_WINDOWS: usize = 20;

/// The order of the segments of a change: in each pair one in force and one out of it, which first is for a coin to say.
pub fn order(change: u64) -> Vec<Leg> {
    let coins = mixed(change);
    let pair = |i: usize| if coins >> i & 1 == 0 { [Leg::On, Leg::Off] } else { [Leg::Off, Leg::On] };
    (0..PAIRS).flat_map(pair).collect()
}

/// Splitmix64's finish: neighbours get unlike coins.
fn mixed(seed: u64) -> u64 {
    let z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Seconds that all segments take.
pub fn length() -> f64 {
    2.0 * PAIRS as f64 * SEGMENT
}

/// Which segment runs so many seconds after the first began; `None` when all are over.
pub fn segment(order: &[Leg], since: f64) -> Option<Leg> {
    order.get((since / SEGMENT) as usize).copied()
}

/// What the change did, from the segments that began at `begun`.
pub fn judge(trial: &Trial, case: &Case<'_>, (begun, order): (Tick, &[Leg])) -> Verdict {
    let (before, _) = case.values(trial, &trial.primary);
    let course = case.course(&trial.primary);
    let mut doubts = judge::doubts(trial, case, (&before, None));
    let pairs: Vec<(f64, f64)> = pairs(&course, begun, order).into_iter().flatten().collect();
    if pairs.len() < LEAST_PAIRS {
        let why = format!("too few points of {}: {} of {PAIRS} pairs of segments are whole", trial.primary, pairs.len());
        return Verdict { why, doubts, ..Verdict::default() };
    }
    let differences: Vec<f64> = pairs.iter().map(|(on, off)| on - off).collect();
    let (effect, chance) = paired(trial.better, &pairs, &differences);
    let turn = |better: Better| if better == Better::Lower { -1.0 } else { 1.0 };
    let sign = turn(trial.better);
    let rank = |sign: f64| {
        let signed: Vec<f64> = differences.iter().map(|d| sign * d).collect();
        let past = past(trial, case, (&course, order), sign).unwrap_or(0.0);
        Some(turned(&signed).max(past))
    };
    let measured = Measured { effect, chance, gains: rank(sign), losses: rank(-sign) };
    let guards: Vec<_> = trial.guardrails.iter().map(|rail| judge::guarded(trial, case, rail)).collect();
    doubts.extend(guards.iter().filter_map(|guard| guard.doubt.clone()));
    let (outcome, told) = judge::decide(trial, &measured, &guards);
    let better = differences.iter().filter(|d| sign * **d > 0.0).count();
    let why = format!("{told}, by turns on and off: better in {better} of {} pairs", pairs.len());
    Verdict {
        outcome,
        effect: Some(effect),
        placebo: measured.gains,
        why,
        doubts,
        switched: Some(Switched { pairs: pairs.len(), better }),
        chance: Some(chance),
        ..Verdict::default()
    }
}

/// The means in force and out of it of each pair; `None` for a pair with a segment that has too few points.
fn pairs(course: &[Point], begun: Tick, order: &[Leg]) -> Vec<Option<(f64, f64)>> {
    let mean = |i: usize| {
        let from = begun + seconds(i as f64 * SEGMENT);
        let values = values(between(course, (from + seconds(DROPPED), from + seconds(SEGMENT))));
        (values.len() >= LEAST).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let pair = |(i, legs): (usize, &[Leg])| {
        let (first, second) = (mean(2 * i)?, mean(2 * i + 1)?);
        Some(if legs.first() == Some(&Leg::On) { (first, second) } else { (second, first) })
    };
    order.chunks_exact(2).enumerate().map(pair).collect()
}

/// Student's interval of the paired differences, and the one-sided chance of the gain.
fn paired(better: Better, pairs: &[(f64, f64)], differences: &[f64]) -> (Effect, f64) {
    let n = pairs.len() as f64;
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / n;
    let (on, off) = (mean(&mut pairs.iter().map(|p| p.0)), mean(&mut pairs.iter().map(|p| p.1)));
    let difference = mean(&mut differences.iter().copied());
    let variance = differences.iter().map(|d| (d - difference).powi(2)).sum::<f64>() / (n - 1.0) / n;
    let error = variance.sqrt();
    let change = effect::relative(off, on);
    let reach = distribution::student(0.975, n - 1.0) * error / off.abs();
    let bound = |v: f64| if v.is_finite() { v.clamp(-1000.0, 1000.0) } else { 1000.0_f64.copysign(v) };
    let reach = if reach.is_finite() { reach } else { 2000.0 };
    let points = |_| pairs.len() * (SEGMENT - DROPPED) as usize;
    let interval = (bound(change - reach), bound(change + reach));
    let effect = Effect { before: off, after: on, change, interval, points: (points(Leg::Off), points(Leg::On)) };
    let gain = if better == Better::Lower { -difference } else { difference };
    let tail = if error > 0.0 { distribution::beyond(gain / error, n - 1.0) / 2.0 } else { f64::MIN_POSITIVE };
    (effect, if gain > 0.0 { tail } else { 1.0 - tail })
}

/// Share of all ways to turn the signs of the pairs that give at least this gain: exact, the order being random.
fn turned(gains: &[f64]) -> f64 {
    let actual: f64 = gains.iter().sum();
    let ways = 1_u32 << gains.len().min(16);
    let of = |way: u32| gains.iter().enumerate().map(|(i, gain)| if way >> i & 1 == 0 { *gain } else { -gain }).sum::<f64>();
    let slack = 1e-12 * gains.iter().map(|gain| gain.abs()).sum::<f64>();
    (0..ways).filter(|way| of(*way) >= actual - slack).count() as f64 / f64::from(ways)
}

/// Share of places in the history at which the same pattern shows at least this gain though nothing was switched.
fn past(trial: &Trial, case: &Case<'_>, (course, order): (&[Point], &[Leg]), sign: f64) -> Option<f64> {
    let sum = |begun: Tick| -> Option<f64> {
        let pairs: Option<Vec<(f64, f64)>> = pairs(course, begun, order).into_iter().collect();
        Some(pairs?.iter().map(|(on, off)| sign * (on - off)).sum())
    };
    let first = course.first()?.at.max(back(case.applied, HISTORY)).max(case.since);
    let begun = case.after(&trial.windows).0;
    let actual = sum(begun)?;
    let (mut windows, mut as_good, mut start) = (0_usize, 0_usize, first);
    while start + seconds(length()) <= case.applied {
        if let Some(gain) = sum(start).filter(|_| !case.disturbed(start, start + seconds(length()))) {
            windows += 1;
            as_good += usize::from(gain >= actual);
        }
        start = start + seconds(SEGMENT);
    }
    (windows >= LEAST_WINDOWS.max(LEAST_POINTS)).then(|| (as_good + 1) as f64 / (windows + 1) as f64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::analysis::impact::simulation::{Noise, at, series, trial};
    use crate::model::verdict::Outcome;

    const BEFORE: usize = 120;

    fn tried(noise: &mut Noise, (phi, shift, change): (f64, f64, u64)) -> Verdict {
        let order = order(change);
        let begun = BEFORE + 3;
        let n = begun + 2 * PAIRS * SEGMENT as usize + 1;
        let mut values: Vec<f64> = noise.ar(n, phi).iter().map(|v| 10.0 + v).collect();
        let mut off = Vec::new();
        for (i, leg) in order.iter().enumerate() {
            let from = begun + i * SEGMENT as usize;
            match leg {
                Leg::On => values[from - 1..from + 14].iter_mut().for_each(|v| *v += shift),
                Leg::Off => off.push((at(from), at(from + 15))),
            }
        }
        let set = series(&values);
        let (applied, now) = (at(BEFORE), at(n));
        let windows = crate::model::trial::Windows { after: length(), ..trial().windows };
        let trial = Trial { least: 0.02, windows, ..trial() };
        judge(&trial, &Case { series: &set, since: Tick(0), applied, now, others: &[], off: &off }, (at(begun), &order))
    }

    fn share(outcome: Outcome, runs: u64, (phi, shift): (f64, f64)) -> f64 {
        let mut noise = Noise::seeded(41);
        (0..runs).filter(|run| tried(&mut noise, (phi, shift, *run)).outcome == outcome).count() as f64 / runs as f64
    }

    #[test]
    fn each_pair_has_both_and_the_coins_fall_evenly() {
        let first = (1..=400).flat_map(|change| order(change).chunks(2).map(|pair| pair[0]).collect::<Vec<Leg>>());
        let on = first.filter(|leg| *leg == Leg::On).count();
        assert!((1100..1300).contains(&on), "{on} of 2400");
        assert!(order(7).chunks(2).all(|pair| pair[0] != pair[1]) && order(7) == order(7) && order(7) != order(8));
        let legs = order(3);
        assert_eq!((segment(&legs, 0.0), segment(&legs, 179.9), segment(&legs, 180.0)), (Some(legs[0]), Some(legs[11]), None));
    }

    #[test]
    fn nothing_seldom_looks_like_something_however_slow_the_noise() {
        for phi in [0.5, 0.8, 0.95] {
            let (better, worse) = (share(Outcome::Better, 400, (phi, 0.0)), share(Outcome::Worse, 400, (phi, 0.0)));
            println!("switchback of nothing, phi {phi}: keep {better:.3}, harm {worse:.3}");
            assert!(better <= 0.05 && worse <= 0.05, "phi {phi}: {better} {worse}");
        }
    }

    #[test]
    fn slow_noise_that_hides_an_effect_from_before_and_after_does_not_hide_it_here() {
        for (phi, shift, least) in [(0.95, -1.0, 0.6), (0.8, -1.0, 0.45), (0.95, -2.0, 0.97)] {
            let seen = share(Outcome::Better, 200, (phi, shift));
            println!("switchback, phi {phi}, {shift} sigma: {seen:.2}");
            assert!(seen >= least, "phi {phi}, {shift}: {seen}");
            assert!(share(Outcome::Worse, 50, (phi, -shift)) >= least - 0.1);
        }
    }

    #[test]
    fn signs_are_turned_exactly() {
        assert_eq!(turned(&[1.0; 6]), 1.0 / 64.0);
        assert_eq!(turned(&[1.0, 1.0, 1.0, 1.0, 1.0, -0.5]), 2.0 / 64.0);
        assert_eq!(turned(&[0.0; 6]), 1.0);
    }
}
