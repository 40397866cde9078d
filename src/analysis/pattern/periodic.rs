//! What repeats by the clock.
//!
//! The periodogram of the innovations, each frequency held against the median of its neighbours, so that red noise claims no more than
//! white; powers of a frequency and its first harmonics are added, since a job of five seconds each minute is no sine. Under noise such a
//! sum follows a gamma distribution, and the chance is corrected for every frequency and every number of harmonics tried (Fisher 1929's test with a
//! local floor). What passes must also repeat in time: each cycle by itself shows the pulse, and one half of the cycles foretells the other.

use crate::analysis::{
    correlate::{bartlett::correlation, whiten},
    pattern::robust::{mean, median, quantile, sorted},
};
use std::f64::consts::TAU;

/// Chance of a claim on noise.
const ALPHA: f64 = 0.002;
/// Cycles needed.
const LEAST_CYCLES: f64 = 4.0;
/// Steps of the shortest period.
const SHORTEST: f64 = 4.0;
/// Numbers of harmonics that are tried.
const HARMONICS: [usize; 4] = [1, 2, 4, 8];
/// Neighbours on either side that make the local floor.
const AROUND: usize = 16;
/// Correlation of the mean course of odd cycles with that of even ones.
const AGREE: f64 = 0.5;
/// Share of the cycles that must show the pulse.
const PRESENT: f64 = 0.75;

/// A repetition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Periodic {
    /// Steps from one time to the next.
    pub period: f64,
    /// Steps that each lasts.
    pub width: f64,
    /// How sure, 0 to 1.
    pub confidence: f64,
}

/// The repetition in `values`, if there is one.
pub fn find(values: &[f64]) -> Option<Periodic> {
    let white = whiten::plain(values)?;
    let (frequency, chance) = strongest(&powers(&white), white.len())?;
    if chance > ALPHA {
        return None;
    }
    let period = refine(values, white.len() as f64 / frequency as f64);
    let course = fold(values, period, |_| true);
    let (agree, present) = (agreement(values, period), presence(values, period, &course));
    let cycles = values.len() as f64 / period;
    if cycles < LEAST_CYCLES || agree < AGREE || present < PRESENT {
        return None;
    }
    let width = width(&course) * period / course.len() as f64;
    let sure = agree.min(present) * (1.0 - chance.max(1e-12).log10().recip().abs() / 2.0);
    Some(Periodic { period, width, confidence: sure.clamp(0.0, 0.99) })
}

/// Power at each whole number of cycles, over the local floor: exponential with mean 1 under noise. Index is the number of cycles.
fn powers(values: &[f64]) -> Vec<f64> {
    let n = values.len();
    let raw: Vec<f64> = (0..n / 2).map(|cycles| power(values, TAU * cycles as f64 / n as f64)).collect();
    let floor = |at: usize| {
        let near = at.saturating_sub(AROUND).max(1)..(at + AROUND + 1).min(raw.len());
        median(near.filter(|i| *i != at).filter_map(|i| raw.get(i).copied())) / std::f64::consts::LN_2
    };
    raw.iter().enumerate().map(|(i, p)| if i == 0 { 0.0 } else { p / floor(i).max(1e-12) }).collect()
}

/// Goertzel's recursion: power at one frequency.
fn power(values: &[f64], angle: f64) -> f64 {
    let turn = 2.0 * angle.cos();
    let (one, two) = values.iter().fold((0.0, 0.0), |(one, two), v| (v + turn * one - two, one));
    (one * one + two * two - turn * one * two).max(0.0) / values.len() as f64
}

/// The number of cycles that stands out most, with its chance under noise.
fn strongest(powers: &[f64], n: usize) -> Option<(usize, f64)> {
    let last = (n as f64 / SHORTEST) as usize;
    let first = LEAST_CYCLES as usize;
    let tries = (last.saturating_sub(first) * HARMONICS.len()) as f64;
    let mut best: Option<(usize, f64)> = None;
    for cycles in first..=last {
        for count in HARMONICS {
            let terms: Vec<f64> = (1..=count).filter_map(|h| powers.get(cycles * h).copied()).collect();
            if terms.len() < count {
                break;
            }
            let chance = beyond_gamma(terms.iter().sum(), count) * tries;
            if best.is_none_or(|(_, least)| chance < least) {
                best = Some((cycles, chance));
            }
        }
    }
    best
}

/// The chance that a sum of `count` exponential variables exceeds `x`.
fn beyond_gamma(x: f64, count: usize) -> f64 {
    let terms = (0..count).scan(1.0, |term, k| {
        let now = *term;
        *term *= x / (k as f64 + 1.0);
        Some(now)
    });
    ((-x).exp() * terms.sum::<f64>()).min(1.0)
}

/// The period near `about` (and its double and triple: a strong second harmonic misleads) whose mean course explains most.
fn refine(values: &[f64], about: f64) -> f64 {
    let n = values.len() as f64;
    let mut best = (about, f64::NEG_INFINITY);
    for multiple in [1.0, 2.0, 3.0] {
        let centre = about * multiple;
        if n / centre < LEAST_CYCLES {
            break;
        }
        let reach = (centre * centre / n).min(centre * 0.15);
        for step in -10..=10 {
            let period = centre + reach * f64::from(step) / 10.0;
            let explained = explained(values, period);
            // A longer period has more freedom: it must earn that.
            let earns = explained - if multiple > 1.0 { 0.1 } else { 0.0 };
            if earns > best.1 + 1e-9 {
                best = (period, earns);
            }
        }
    }
    best.0
}

/// Share of the variance that the mean course explains, corrected for its freedom.
fn explained(values: &[f64], period: f64) -> f64 {
    let course = fold(values, period, |_| true);
    let centre = mean(values);
    let rest: f64 = values.iter().enumerate().map(|(i, v)| (v - at(&course, i, period)).powi(2)).sum();
    let whole: f64 = values.iter().map(|v| (v - centre).powi(2)).sum();
    let n = values.len() as f64;
    let freedom = (n - course.len() as f64).max(1.0);
    if whole > 0.0 { 1.0 - (rest / freedom) / (whole / n) } else { 0.0 }
}

fn slot(index: usize, period: f64, slots: usize) -> usize {
    let phase = (index as f64 / period).fract();
    ((phase * slots as f64) as usize).min(slots.saturating_sub(1))
}

fn at(course: &[f64], index: usize, period: f64) -> f64 {
    course.get(slot(index, period, course.len())).copied().unwrap_or(0.0)
}

/// The mean course over the cycles that `wanted` takes.
fn fold(values: &[f64], period: f64, wanted: impl Fn(usize) -> bool) -> Vec<f64> {
    let slots = (period.round() as usize).max(2);
    let centre = mean(values);
    let mut sums = vec![(0.0, 0.0); slots];
    for (i, value) in values.iter().enumerate().filter(|(i, _)| wanted((*i as f64 / period) as usize)) {
        if let Some((sum, count)) = sums.get_mut(slot(i, period, slots)) {
            *sum += value;
            *count += 1.0;
        }
    }
    sums.iter().map(|(sum, count)| if *count > 0.0 { sum / count } else { centre }).collect()
}

fn agreement(values: &[f64], period: f64) -> f64 {
    correlation(&fold(values, period, |cycle| cycle % 2 == 0), &fold(values, period, |cycle| cycle % 2 == 1))
}

/// Share of the whole cycles that go with the mean course.
fn presence(values: &[f64], period: f64, course: &[f64]) -> f64 {
    let cycles = (values.len() as f64 / period) as usize;
    let goes = |cycle: &usize| {
        let (from, to) = ((*cycle as f64 * period).ceil() as usize, ((cycle + 1) as f64 * period).floor() as usize);
        let own = values.get(from..to.min(values.len())).unwrap_or_default();
        let usual: Vec<f64> = (from..from + own.len()).map(|i| at(course, i, period)).collect();
        correlation(own, &usual) > 0.3
    };
    (0..cycles).filter(goes).count() as f64 / cycles.max(1) as f64
}

/// Slots in which the course is nearer to its top than to its ground.
fn width(course: &[f64]) -> f64 {
    let order = sorted(course.iter().copied());
    let line = f64::midpoint(quantile(&order, 0.2), quantile(&order, 1.0));
    course.iter().filter(|v| **v > line).count() as f64
}
