//! Verdicts tried on simulated hosts: how often does nothing look like something, and is something seen?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::{
    analysis::impact::{
        case::Case,
        foresight::foresee,
        guard::{LOOK, Signs, Watch, guard_look, hard_trip},
        judge::judge,
        simulation::{Noise, at, put, series, trial},
    },
    model::{
        change::Cause,
        metric::{Better, Key, Metric},
        series::SeriesSet,
        time::Tick,
        trial::{Guardrail, Trial},
        verdict::{Outcome, Verdict},
    },
};
use proptest::prelude::*;

const AFTER: usize = 63;

/// Noise of unit spread around 4, `history` seconds long, with `shift` for the minute after it.
fn host(noise: &mut Noise, (history, phi, shift): (usize, f64, f64)) -> Vec<f64> {
    let mut values: Vec<f64> = noise.ar(history + AFTER, phi).iter().map(|v| 4.0 + v).collect();
    values[history..].iter_mut().for_each(|v| *v += shift);
    values
}

fn case(series: &SeriesSet, history: usize) -> Case<'_> {
    Case { series, since: Tick(0), applied: at(history), now: at(history + AFTER), others: &[], off: &[] }
}

fn share_of(outcome: Outcome, runs: u32, shape: (usize, f64, f64)) -> f64 {
    let mut noise = Noise::seeded(shape.0 as u64 * 31 + 5);
    let hits = (0..runs).filter(|_| {
        let set = series(&host(&mut noise, shape));
        judge(&trial(), &case(&set, shape.0)).outcome == outcome
    });
    hits.count() as f64 / f64::from(runs)
}

#[test]
fn nothing_seldom_looks_better_however_the_noise_is_correlated() {
    for history in [120, 1800] {
        for phi in [0.0, 0.5, 0.8, 0.9] {
            let share = share_of(Outcome::Better, if history > 1000 { 60 } else { 200 }, (history, phi, 0.0));
            assert!(share <= 0.07, "history {history}, phi {phi}: {share}");
        }
    }
}

#[test]
fn nothing_seldom_looks_worse() {
    for phi in [0.0, 0.8] {
        let share = share_of(Outcome::Worse, 200, (300, phi, 0.0));
        assert!(share <= 0.06, "phi {phi}: {share}");
    }
}

#[test]
fn a_large_effect_is_seen() {
    for (history, phi, least) in [(120, 0.0, 0.99), (120, 0.5, 0.96), (120, 0.8, 0.8), (1800, 0.8, 0.8), (1800, 0.0, 0.99)] {
        let share = share_of(Outcome::Better, 30, (history, phi, -2.0));
        assert!(share >= least, "history {history}, phi {phi}: {share}");
        let worse = share_of(Outcome::Worse, 30, (history, phi, 2.0));
        assert!(worse >= least, "history {history}, phi {phi}, worse: {worse}");
    }
}

#[test]
fn fifteen_seconds_of_history_will_do_for_a_cure() {
    let mut noise = Noise::seeded(3);
    let mut values: Vec<f64> = noise.ar(15, 0.5).iter().map(|v| 0.4 + 0.05 * v).collect();
    values.extend(noise.ar(AFTER, 0.5).iter().map(|v| 0.007 + 0.001 * v));
    let set = series(&values);
    let verdict = judge(&trial(), &case(&set, 15));
    assert_eq!(verdict.outcome, Outcome::Better, "{verdict:?}");
    assert_eq!(verdict.placebo, None);
    assert!(verdict.doubts.iter().any(|d| d.contains("history too short")), "{verdict:?}");
}

#[test]
fn calm_before_the_trouble_is_no_comparison() {
    let mut values = vec![0.01; 200];
    values.extend([0.4, 0.42, 0.38, 0.41].repeat(5));
    let applied = values.len();
    values.extend([0.05, 0.06, 0.04].repeat(21));
    let set = series(&values);
    let whole = case(&set, applied);
    assert_ne!(judge(&trial(), &whole).outcome, Outcome::Better);
    let told = Case { since: at(201), ..whole };
    assert_eq!(judge(&trial(), &told).outcome, Outcome::Better);
}

#[test]
fn drops_that_end_are_a_benefit_and_drops_that_go_on_are_not() {
    let bursts = |n: usize| (0..n).map(|i| if i % 4 == 0 { 45.0 } else { 0.0 });
    let ends: Vec<f64> = bursts(60).chain((0..AFTER).map(|_| 0.0)).collect();
    let set = series(&ends);
    let verdict = judge(&trial(), &case(&set, 60));
    assert_eq!(verdict.outcome, Outcome::Better, "{verdict:?}");
    let (low, high) = verdict.effect.unwrap().interval;
    assert!(low == -1.0 && high > -0.9 && high < -0.4, "{low} {high}");
    let set = series(&bursts(60 + AFTER).collect::<Vec<_>>());
    assert_eq!(judge(&trial(), &case(&set, 60)).outcome, Outcome::Neutral);
    // Three lone drops in a minute may well be followed by none.
    let rare = (0..60).map(|i| f64::from(u8::from(i % 20 == 0))).chain((0..AFTER).map(|_| 0.0));
    let set = series(&rare.collect::<Vec<_>>());
    assert_eq!(judge(&trial(), &case(&set, 60)).outcome, Outcome::Neutral);
}

#[test]
fn poisson_drops_without_a_change_seldom_look_better() {
    let mut noise = Noise::seeded(11);
    let hits = (0..300).filter(|_| {
        let values: Vec<f64> = (0..120 + AFTER).map(|_| if noise.normal() > 1.3 { 1.0 } else { 0.0 }).collect();
        judge(&trial(), &case(&series(&values), 120)).outcome == Outcome::Better
    });
    assert!(hits.count() <= 15);
}

fn rail() -> Guardrail {
    Guardrail { key: Key::host(Metric::PressureIoSome), relative: 0.1, absolute: 0.05 }
}

/// A primary that improves, and a guardrail with `shift` after the change.
fn guarded(noise: &mut Noise, (phi, shift): (f64, f64)) -> (Trial, SeriesSet) {
    let mut set = series(&host(noise, (120, 0.0, -2.0)));
    let rail_values: Vec<f64> = host(noise, (120, phi, shift)).iter().map(|v| v * 0.05).collect();
    put(&mut set, rail().key, &rail_values);
    (Trial { guardrails: vec![rail()], ..trial() }, set)
}

#[test]
fn a_gain_paid_for_by_a_guardrail_is_worse() {
    let (trial, set) = guarded(&mut Noise::seeded(1), (0.3, 4.0));
    let verdict = judge(&trial, &case(&set, 120));
    assert_eq!(verdict.outcome, Outcome::Worse);
    assert!(verdict.why.starts_with("io pressure of host went from"), "{}", verdict.why);
    let (trial, set) = guarded(&mut Noise::seeded(1), (0.3, 0.0));
    assert_eq!(judge(&trial, &case(&set, 120)).outcome, Outcome::Better);
}

/// Seconds after the change at which the guard trips, in sweeps of a second and looks every five.
fn tripped(trial: &Trial, set: &SeriesSet) -> Option<usize> {
    let mut watch = Watch::default();
    (1..=AFTER).find(|second| {
        let case = Case { now: at(120 + second), ..case(set, 120) };
        let hard = hard_trip(trial, &case, &Signs::default(), &mut watch).is_some();
        hard || (second.is_multiple_of(LOOK as usize) && guard_look(trial, &case, &mut watch).is_some())
    })
}

#[test]
fn the_guard_sleeps_through_noise_and_wakes_for_harm() {
    for phi in [0.0, 0.5, 0.8, 0.9] {
        let mut noise = Noise::seeded(21);
        let alarms = (0..150).filter(|_| {
            let (trial, set) = guarded(&mut noise, (phi, 0.0));
            tripped(&trial, &set).is_some()
        });
        assert!(alarms.count() <= 3, "phi {phi}");
    }
    for (phi, least) in [(0.0, 49), (0.5, 49), (0.8, 40)] {
        let mut noise = Noise::seeded(22);
        let seen = (0..50).filter(|_| {
            let (trial, set) = guarded(&mut noise, (phi, 4.0));
            tripped(&trial, &set).is_some_and(|second| second <= 45)
        });
        let seen = seen.count();
        assert!(seen >= least, "phi {phi}: {seen}");
    }
}

#[test]
fn hard_trips_need_two_looks_and_no_statistics() {
    let flat = |v: f64, w: f64| (0..120).map(|_| v).chain((0..AFTER).map(|_| w)).collect::<Vec<f64>>();
    assert_eq!(tripped(&trial(), &series(&flat(1.0, 2.5))), Some(10));
    assert_eq!(tripped(&trial(), &series(&flat(1.0, 1.9))), None);
    let higher = Trial { better: Better::Higher, ..trial() };
    assert_eq!(tripped(&higher, &series(&flat(1.0, 0.4))), Some(10));
    let mut set = series(&flat(1.0, 1.0));
    put(&mut set, Key::host(Metric::PressureMemoryFull), &flat(0.0, 0.08));
    assert_eq!(tripped(&trial(), &set), Some(4), "two sweeps after settling");
    let mut set = series(&flat(1.0, 1.0));
    put(&mut set, Key::host(Metric::PressureMemoryFull), &flat(0.08, 0.08));
    assert_eq!(tripped(&trial(), &set), None, "what was there before is not new");
}

#[test]
fn a_kill_ends_it_at_once_and_a_service_that_does_not_answer_twice() {
    let set = series(&vec![1.0; 130]);
    let case = Case { now: at(121), ..case(&set, 120) };
    let mut watch = Watch::default();
    let look = |signs: &Signs, watch: &mut Watch| hard_trip(&trial(), &case, signs, watch).map(|trip| trip.why);
    let lost = Signs { lost: Some("web".into()), ..Signs::default() };
    assert_eq!(look(&lost, &mut watch), None);
    assert_eq!(look(&Signs::default(), &mut watch), None, "it answered again");
    assert_eq!(look(&lost, &mut watch), None);
    assert_eq!(look(&lost, &mut watch).unwrap(), "web does not answer any more");
    let killed = Signs { killed: true, ..Signs::default() };
    assert!(look(&killed, &mut Watch::default()).unwrap().contains("killed for want of memory"));
}

#[test]
fn silence_of_the_primary_ends_the_watch() {
    let set = series(&vec![1.0; 125]);
    let look = |second: usize| guard_look(&trial(), &Case { now: at(120 + second), ..case(&set, 120) }, &mut Watch::default());
    assert_eq!(look(20), None);
    assert_eq!(look(30).unwrap().cause, Cause::NoData);
}

#[test]
fn the_foreseen_effect_is_the_one_that_is_seen_in_four_of_five_trials() {
    let mut noise = Noise::seeded(9);
    let set = series(&noise.ar(120, 0.5).iter().map(|v| 4.0 + v).collect::<Vec<_>>());
    let foresight = foresee(&trial(), &set, Tick(0), at(120)).unwrap();
    assert!(!foresight.short && (foresight.rho - 0.5).abs() < 0.2, "{foresight:?}");
    let share = share_of(Outcome::Better, 200, (120, 0.5, -4.0 * foresight.detectable));
    assert!(share > 0.65 && share < 0.97, "{foresight:?}: {share}");
}

#[test]
fn a_history_that_moves_by_itself_is_called_unstable_and_a_still_one_is_not() {
    let step: Vec<f64> = (0..120).map(|i| if i < 60 { 1.0 } else { 1.5 }).collect();
    assert!(foresee(&trial(), &series(&step), Tick(0), at(120)).unwrap().unstable);
    let mut noise = Noise::seeded(4);
    let calm = (0..200).filter(|_| {
        let set = series(&noise.ar(120, 0.5).iter().map(|v| 20.0 + v).collect::<Vec<_>>());
        !foresee(&trial(), &set, Tick(0), at(120)).unwrap().unstable
    });
    assert!(calm.count() > 180);
    let short = foresee(&trial(), &series(&[1.0; 40]), Tick(0), at(40)).unwrap();
    assert!(short.short && !short.unstable && short.detectable == 0.0);
    assert_eq!(foresee(&trial(), &series(&[1.0; 7]), Tick(0), at(7)), None);
}

#[test]
fn a_load_that_moved_and_another_change_are_doubts() {
    let mut set = series(&host(&mut Noise::seeded(2), (120, 0.0, -2.0)));
    let load: Vec<f64> = (0..120).map(|_| 100.0).chain((0..AFTER).map(|_| 60.0)).collect();
    put(&mut set, Key::host(Metric::ServiceRate), &load);
    let trial = Trial { controls: vec![Key::host(Metric::ServiceRate)], ..trial() };
    let others = [(at(100), at(110))];
    let verdict = judge(&trial, &Case { others: &others, ..case(&set, 120) });
    assert!(verdict.doubts.contains(&"requests of host moved by -40 % meanwhile".into()), "{verdict:?}");
    assert!(verdict.doubts.contains(&"another change lived in the same time".into()));
}

#[test]
fn too_few_points_are_unclear() {
    let set = series(&vec![1.0; 125]);
    assert_eq!(judge(&trial(), &Case { now: at(130), ..case(&set, 120) }).outcome, Outcome::Unclear);
    assert_eq!(judge(&trial(), &case(&SeriesSet::default(), 120)).outcome, Outcome::Unclear);
}

fn is_finite(verdict: &Verdict) -> bool {
    let effect = verdict.effect.is_none_or(|e| {
        [e.before, e.after, e.change, e.interval.0, e.interval.1].iter().all(|v| v.is_finite()) && e.interval.0 <= e.interval.1
    });
    effect && verdict.placebo.is_none_or(|p| p > 0.0 && p <= 1.0)
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), -1.0..1.0f64, -1e300..1e300f64, 1e-300..1e-290f64, Just(f64::MIN_POSITIVE)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_series_makes_a_nan_or_a_panic(
        values in proptest::collection::vec(any_value(), 0..400),
        flat in proptest::bool::ANY,
        applied in 0usize..300,
    ) {
        let first = values.first().copied().unwrap_or(0.0);
        let values: Vec<f64> = if flat { values.iter().map(|_| first).collect() } else { values };
        let mut set = series(&values);
        put(&mut set, rail().key, &values);
        for better in [Better::Lower, Better::Higher] {
            let trial = Trial { better, guardrails: vec![rail()], controls: vec![rail().key], ..trial() };
            prop_assert!(is_finite(&judge(&trial, &case(&set, applied))));
            let _trip = guard_look(&trial, &case(&set, applied), &mut Watch::default());
            if let Some(f) = foresee(&trial, &set, Tick(0), at(applied)) {
                prop_assert!(f.mean.is_finite() && f.detectable.is_finite() && (0.0..1.0).contains(&f.rho));
            }
        }
    }
}
