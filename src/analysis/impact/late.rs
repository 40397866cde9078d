//! The late watch: what was kept stays under guard of its guardrails, for harm that grows too slowly to show before the verdict.
//!
//! A one-sided CUSUM (Page 1954; k 0.5, h 8) sums what five-second means, later minutes, are beyond the margin in long-run deviations of
//! the time before the change. Who is late to notice must be careful whom to blame: only where the sum began to rise near the apply, where
//! the last minute is still beyond the margin (it "went away" otherwise, as FBDetect has it), and where the controls stand as they stood.

use crate::{
    analysis::impact::{
        case::{Case, LEAST_POINTS, between, seconds, values},
        judge, longrun,
        moments::Moments,
    },
    model::{
        metric::Key,
        proposal::Risk,
        series::{Point, SeriesSet},
        time::Tick,
        trial::{Guardrail, Trial},
    },
};
use std::{collections::VecDeque, time::Duration};

/// Deviations that count for nothing, and their sum at which it is harm.
const SLACK: f64 = 0.5;
const LIMIT: f64 = 8.0;
/// A sum grows no further, so that it can fall again while the controls have moved.
const MOST: f64 = 2.0 * LIMIT;
/// Seconds of the means at first, and after [`FINE`].
const SHORT: f64 = longrun::BLOCK;
const LONG: f64 = 60.0;
const FINE: Duration = Duration::from_secs(1800);
/// Means looked at to see whether it went away.
const RECENT: usize = 12;
/// Nanoseconds of the time in which a control is looked at: five minutes.
const MINUTES: u64 = 300_000_000_000;
/// A control that moved by more than this takes the blame.
const LOAD: f64 = 0.20;

/// How long a change of that risk stays under guard.
pub fn span(risk: Risk) -> Duration {
    match risk {
        Risk::Low => Duration::from_secs(1800),
        Risk::Medium => Duration::from_secs(2 * 3600),
        Risk::High => Duration::from_secs(24 * 3600),
    }
}

/// One guardrail over time.
#[derive(Clone, Debug)]
struct Rail {
    rail: Guardrail,
    mean: f64,
    /// Long-run variance of a second.
    variance: f64,
    sum: f64,
    /// Since when the sum is above zero.
    risen: Option<Tick>,
    /// The mean being made: since when, sum, count.
    open: Option<(Tick, f64, f64)>,
    /// Newest point that was taken.
    taken: Tick,
    /// Newest means, as harm beyond the margin.
    recent: VecDeque<f64>,
}

/// A kept change under guard.
#[derive(Clone, Debug)]
pub struct Late {
    rails: Vec<Rail>,
    controls: Vec<(Key, f64)>,
    applied: Tick,
    settled: Tick,
    /// What begins later is not its doing.
    near: Tick,
    ends: Tick,
}

impl Late {
    /// Under guard from now on, with the time before the change as the measure; `None` where that measured no guardrail.
    pub fn of(trial: &Trial, case: &Case<'_>, risk: Risk) -> Option<Late> {
        let rails: Vec<Rail> = trial.guardrails.iter().filter_map(|rail| Rail::of(trial, case, rail)).collect();
        let controls = trial.controls.iter().filter_map(|key| {
            let before = case.values(trial, key).0;
            (before.len() >= LEAST_POINTS).then(|| (key.clone(), Moments::of(&before).mean))
        });
        let near = case.applied + seconds(trial.windows.settle + 2.0 * trial.windows.after);
        let (controls, settled, ends) = (controls.collect(), case.after(&trial.windows).0, case.applied + span(risk));
        (!rails.is_empty()).then_some(Late { rails, controls, applied: case.applied, settled, near, ends })
    }

    /// True when it has been watched for long enough.
    pub fn is_over(&self, now: Tick) -> bool {
        now >= self.ends
    }

    /// The keys that it must see.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.rails.iter().map(|rail| &rail.rail.key).chain(self.controls.iter().map(|(key, _)| key))
    }

    /// Takes what was measured since; the harm, if it is the change's.
    pub fn look(&mut self, series: &SeriesSet, now: Tick) -> Option<String> {
        let width = if now.since(self.applied) > FINE { LONG } else { SHORT };
        let (near, mut harm) = (self.near, None);
        for rail in &mut self.rails {
            if let Some(series) = series.get(&rail.rail.key) {
                let fresh: Vec<Point> = series.points().rev().take_while(|p| p.at > rail.taken).collect();
                fresh.iter().rev().for_each(|point| rail.take(*point, width));
            }
            if rail.sum < LIMIT {
                continue;
            }
            if rail.risen.is_some_and(|at| at > near) {
                rail.forget();
            } else if !rail.went_away() {
                harm = harm.or_else(|| Some(rail.words()));
            }
        }
        let from = Tick(now.0.saturating_sub(MINUTES)).max(self.settled);
        harm.filter(|_| !self.controls.iter().any(|(key, before)| moved(series, (key, *before), from)))
    }
}

/// True when a control since `from` is not as before, or nobody knows.
fn moved(series: &SeriesSet, (key, before): (&Key, f64), from: Tick) -> bool {
    let Some(series) = series.get(key) else { return true };
    let last: Vec<f64> = series.points().rev().take_while(|p| p.at >= from).map(|p| p.value).collect();
    last.is_empty() || (Moments::of(&last).mean - before).abs() > LOAD * before.abs()
}

impl Rail {
    fn of(trial: &Trial, case: &Case<'_>, rail: &Guardrail) -> Option<Rail> {
        let course = case.course(&rail.key);
        let before = between(&course, case.before(&trial.windows));
        let m = Moments::of(&values(before));
        let grain = (judge::margin(rail, m.mean) / 4.0).powi(2).max((m.mean * 1e-3).powi(2));
        let variance = longrun::of_points(before).max(grain);
        let taken = case.after(&trial.windows).0;
        (m.count >= LEAST_POINTS && variance > 0.0).then(|| Rail {
            rail: rail.clone(),
            mean: m.mean,
            variance,
            sum: 0.0,
            risen: None,
            open: None,
            taken,
            recent: VecDeque::new(),
        })
    }

    fn take(&mut self, point: Point, width: f64) {
        self.taken = point.at;
        let (since, sum, count) = self.open.get_or_insert((point.at, 0.0, 0.0));
        *sum += point.value;
        *count += 1.0;
        if point.at.seconds_since(*since) + 1.0 < width {
            return;
        }
        let (since, mean, count) = (*since, *sum / *count, *count);
        self.open = None;
        let beyond = judge::harm(&self.rail, self.mean, mean) - judge::margin(&self.rail, self.mean);
        let deviations = beyond / (self.variance / count).sqrt();
        self.recent.push_back(beyond);
        while self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        self.sum = (self.sum + deviations - SLACK).clamp(0.0, MOST);
        self.risen = if self.sum > 0.0 { self.risen.or(Some(since)) } else { None };
    }

    /// Fewer than two thirds of the newest means are beyond the margin.
    fn went_away(&self) -> bool {
        let beyond = self.recent.iter().filter(|beyond| **beyond > 0.0).count();
        self.recent.len() < 3 || 3 * beyond < 2 * self.recent.len()
    }

    fn forget(&mut self) {
        (self.sum, self.risen) = (0.0, None);
    }

    fn words(&self) -> String {
        let key = &self.rail.key;
        let show = |v: f64| key.metric.unit().show(v);
        let margin = judge::margin(&self.rail, self.mean);
        let by = self.recent.iter().sum::<f64>() / self.recent.len().max(1) as f64 + margin;
        format!("{key} is worse than before the change by {}, over its margin of {}, ever since", show(by), show(margin))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{
        analysis::impact::simulation::{Noise, at, put, trial},
        model::metric::Metric,
    };

    const APPLIED: usize = 300;
    const KEPT: usize = 370;

    fn rail() -> Guardrail {
        Guardrail { key: Key::host(Metric::PressureIoSome), relative: 0.0, absolute: 0.05 }
    }

    fn load() -> Key {
        Key::host(Metric::ServiceRate)
    }

    /// The second after the apply at which a change is blamed, watched for half an hour.
    fn blamed(values: &[f64], control: &[f64]) -> Option<usize> {
        let mut whole = SeriesSet::default();
        put(&mut whole, rail().key, values);
        put(&mut whole, load(), control);
        let trial = Trial { guardrails: vec![rail()], controls: vec![load()], ..trial() };
        let mut series = SeriesSet::default();
        let mut late = None;
        (1..=values.len()).find(|second| {
            for (key, all) in whole.iter() {
                all.points().filter(|p| p.at == at(*second)).for_each(|p| series.push(key.clone(), p, 1800));
            }
            if *second == KEPT {
                let case = Case { series: &series, since: Tick(0), applied: at(APPLIED), now: at(KEPT), others: &[], off: &[] };
                late = Late::of(&trial, &case, Risk::Low);
            }
            late.as_mut().is_some_and(|late| !late.is_over(at(*second)) && late.look(&series, at(*second)).is_some())
        })
    }

    fn noisy(noise: &mut Noise, phi: f64, harm: impl Fn(usize) -> f64) -> Vec<f64> {
        noise.ar(APPLIED + 1800, phi).iter().enumerate().map(|(i, v)| 0.2 + 0.02 * v + harm(i)).collect()
    }

    static STEADY: [f64; APPLIED + 1800] = [100.0; APPLIED + 1800];

    #[test]
    fn half_an_hour_of_nothing_blames_nobody() {
        for phi in [0.0, 0.5, 0.8, 0.9] {
            let mut noise = Noise::seeded(31);
            let alarms = (0..40).filter(|_| blamed(&noisy(&mut noise, phi, |_| 0.0), &STEADY).is_some()).count();
            assert!(alarms <= 1, "phi {phi}: {alarms} of 40");
        }
    }

    #[test]
    fn harm_that_creeps_in_after_the_apply_is_blamed() {
        let mut noise = Noise::seeded(32);
        // A tenth of a point more each second from the apply on, up to twice the margin.
        let creeping = |i: usize| if i > APPLIED { ((i - APPLIED) as f64 * 0.001).min(0.1) } else { 0.0 };
        let seen = (0..20).filter_map(|_| blamed(&noisy(&mut noise, 0.5, creeping), &STEADY)).collect::<Vec<usize>>();
        assert!(seen.len() >= 19 && seen.iter().all(|second| *second < APPLIED + 300), "{seen:?}");
    }

    #[test]
    fn what_comes_much_later_what_went_away_and_what_came_with_load_is_not_its_doing() {
        let mut noise = Noise::seeded(33);
        let later = |i: usize| if i > APPLIED + 600 { 0.1 } else { 0.0 };
        let spike = |i: usize| if (APPLIED + 75..APPLIED + 90).contains(&i) { 0.3 } else { 0.0 };
        let at_once = |i: usize| if i > APPLIED + 20 { 0.1 } else { 0.0 };
        let busy: Vec<f64> = (0..STEADY.len()).map(|i| if i > APPLIED + 20 { 150.0 } else { 100.0 }).collect();
        for _ in 0..10 {
            assert_eq!(blamed(&noisy(&mut noise, 0.5, later), &STEADY), None);
            assert_eq!(blamed(&noisy(&mut noise, 0.5, spike), &STEADY), None);
            assert_eq!(blamed(&noisy(&mut noise, 0.5, at_once), &busy), None);
            assert!(blamed(&noisy(&mut noise, 0.5, at_once), &STEADY).is_some());
        }
    }
}
