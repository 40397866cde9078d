//! What a forecast promises, whatever the series.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::{
    analysis::forecast::forecast::{Past, Prediction, forecast},
    model::outlook::Band,
};
use proptest::prelude::*;

fn past(values: &[f64], step: f64) -> Past<'_> {
    Past { values, start: 1.7e9, step, floor: None, ceiling: None }
}

/// Noise of about the normal distribution, the same in each run.
fn noise(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed;
    let mut even = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    std::iter::repeat_with(move || (0..12).map(|_| even()).sum::<f64>() - 6.0)
}

fn whole(bands: &[Band]) {
    for band in bands {
        let all = [band.lo95, band.lo80, band.point, band.hi80, band.hi95];
        assert!(all.iter().all(|v| v.is_finite()), "{band:?}");
        assert!(all.windows(2).all(|pair| pair[0] <= pair[1]), "{band:?}");
    }
}

/// Mean error over that of the last value, and the shares of values in the ranges, over some origins.
fn score(values: &[f64], step: f64, origins: impl Iterator<Item = usize>) -> (f64, f64, f64) {
    let (mut error, mut naive, mut in80, mut in95, mut count) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for origin in origins {
        let bands = forecast(&past(&values[..origin], step), 24).bands;
        for (band, came) in bands.iter().zip(&values[origin..]) {
            error += (band.point - came).abs();
            naive += (values[origin - 1] - came).abs();
            in80 += f64::from(u8::from(band.lo80 <= *came && *came <= band.hi80));
            in95 += f64::from(u8::from(band.lo95 <= *came && *came <= band.hi95));
            count += 1.0;
        }
    }
    (error / naive, in80 / count, in95 / count)
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -10.0..10.0f64,
        1 => Just(0.0),
        1 => Just(f64::NAN),
        1 => prop_oneof![Just(1e300), Just(-1e300), Just(f64::INFINITY), Just(f64::MAX), Just(1e-300), Just(f64::MIN)],
    ]
}

/// A series of stretches, each of one kind: as real ones are, but worse.
fn any_series() -> impl Strategy<Value = Vec<f64>> {
    let stretch = (0..5u8, any_value(), 1..160usize, any::<u64>()).prop_map(|(kind, value, count, seed)| -> Vec<f64> {
        match kind {
            0 => vec![value; count],
            1 => noise(seed).take(count).map(|e| value + e).collect(),
            2 => (0..count).map(|i| value * i as f64).collect(),
            3 => noise(seed).take(count).map(|e| if e > 1.5 { value } else { 0.0 }).collect(),
            _ => (0..count).map(|i| if i % 7 == 0 { value } else { f64::NAN }).collect(),
        }
    });
    prop::collection::vec(stretch, 0..8).prop_map(|all| all.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_series_gets_whole_bands(values in any_series(), horizon in 1..40usize, step in prop_oneof![Just(1.0), Just(300.0), Just(7200.0)]) {
        let told = forecast(&past(&values, step), horizon);
        let known = values.iter().any(|v| v.is_finite());
        prop_assert_eq!(told.bands.len(), if known { horizon } else { 0 });
        whole(&told.bands);
        prop_assert!(told.skill.is_none_or(f64::is_finite) && told.trained.is_finite());
        let weight: f64 = told.blend.iter().map(|(_, weight)| weight).sum();
        prop_assert!(!known || (weight - 1.0).abs() < 1e-3, "{:?}", told.blend);
    }

    #[test]
    fn bounds_are_kept(values in prop::collection::vec(0.0..1.0f64, 2..400), horizon in 1..30usize) {
        let told = forecast(&Past { floor: Some(0.0), ceiling: Some(1.0), ..past(&values, 10.0) }, horizon);
        whole(&told.bands);
        prop_assert!(told.bands.iter().all(|band| band.lo95 >= 0.0 && band.hi95 <= 1.0));
    }
}

#[test]
fn odd_steps_and_horizons_do_no_harm() {
    let values: Vec<f64> = noise(1).take(900).collect();
    for step in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-9, 1e12] {
        for horizon in [0, 1, 25, 500, 2000] {
            let told = forecast(&past(&values, step), horizon);
            assert_eq!(told.bands.len(), horizon, "{step}");
            whole(&told.bands);
        }
    }
}

#[test]
fn a_daily_wave_is_told_far_better_than_by_the_last_value() {
    let wave = |i: usize| 50.0 + 20.0 * (i as f64 / 288.0 * std::f64::consts::TAU).sin();
    let values: Vec<f64> = noise(3).take(3200).enumerate().map(|(i, e)| wave(i) + 2.0 * e).collect();
    let (error, in80, in95) = score(&values, 300.0, (1500..3170).step_by(67));
    assert!(error < 0.5, "{error}");
    assert!((0.72..0.88).contains(&in80) && (0.9..0.99).contains(&in95), "{in80} {in95}");
    let told = forecast(&past(&values, 300.0), 24);
    assert!(told.reliable && told.skill.unwrap() > 0.4, "{told:?}");
    assert_eq!(told.season, Some(86_400.0));
}

#[test]
fn a_job_of_every_five_minutes_is_seen_in_seconds() {
    let values: Vec<f64> = noise(5).take(2400).enumerate().map(|(i, e)| if i % 300 < 40 { 8.0 } else { 1.0 } + 0.2 * e).collect();
    let told = forecast(&past(&values, 1.0), 120);
    assert_eq!(told.season, Some(300.0));
    let (error, _, _) = score(&values, 1.0, (1500..2370).step_by(41));
    assert!(error < 0.7, "{error}");
}

#[test]
fn of_a_random_walk_nothing_is_promised() {
    let (mut reliable, mut all80, mut all95) = (0, 0.0, 0.0);
    for seed in 0..12 {
        let values: Vec<f64> = noise(seed + 40)
            .take(1400)
            .scan(0.0, |sum, e| {
                Some({
                    *sum += e;
                    *sum
                })
            })
            .collect();
        let (error, in80, in95) = score(&values, 300.0, (900..1370).step_by(71));
        assert!(error < 1.25, "{error}");
        let told: Prediction = forecast(&past(&values, 300.0), 24);
        reliable += i32::from(told.reliable);
        all80 += in80 / 12.0;
        all95 += in95 / 12.0;
    }
    assert!(reliable <= 2, "{reliable}");
    assert!((0.7..0.9).contains(&all80) && (0.87..1.0).contains(&all95), "{all80} {all95}");
}

#[test]
fn a_step_to_another_level_resets_what_is_learnt_from() {
    let level = |i: usize| if i < 1400 { 200.0 } else { 20.0 };
    let values: Vec<f64> = noise(11).take(2400).enumerate().map(|(i, e)| level(i) + e).collect();
    let told = forecast(&past(&values, 300.0), 24);
    let changed = told.changed.unwrap() / 300.0;
    assert!((changed - 1000.0).abs() < 15.0 && told.trained <= changed * 300.0, "{changed} {}", told.trained);
    assert!(told.bands.iter().all(|band| (band.point - 20.0).abs() < 2.0 && band.hi95 - band.lo95 < 8.0), "{:?}", told.bands);
    // Too little of the present level to do without the rest: it is told all the same.
    let told = forecast(&past(&values[..1700], 300.0), 24);
    assert!(told.changed.is_some() && told.trained > 1600.0 * 300.0);
    assert_eq!(forecast(&past(&values[..1300], 300.0), 24).changed, None);
}

#[test]
fn a_constant_stays_and_nothing_is_forecast_of_nothing() {
    let told = forecast(&past(&[7.0; 500], 1.0), 10);
    assert!(told.bands.iter().all(|band| band.point == 7.0) && !told.reliable && told.skill.is_none());
    assert!(forecast(&past(&[f64::NAN; 5], 1.0), 10).bands.is_empty());
}

#[test]
fn a_short_past_says_how_little_it_knows() {
    let values: Vec<f64> = noise(9).take(6).collect();
    let told = forecast(&past(&values, 1.0), 30);
    assert!(!told.reliable && told.skill.is_none());
    let width = |i: usize| told.bands[i].hi95 - told.bands[i].lo95;
    assert!(width(29) > 4.0 * width(0));
}

#[test]
fn a_gap_at_the_end_is_part_of_the_way_ahead() {
    let mut values: Vec<f64> = (0..600).map(f64::from).collect();
    values.extend([f64::NAN; 5]);
    let told = forecast(&past(&values, 1.0), 3);
    assert!((told.bands[0].point - 605.0).abs() < 3.0, "{:?}", told.bands[0]);
}

#[test]
fn a_skill_is_a_number_whatever_came_before() {
    let mut values = vec![-1e300];
    values.resize(94, f64::NAN);
    values.resize(456, 0.0);
    values.resize(564, f64::NAN);
    let told = forecast(&past(&values, 7200.0), 13);
    whole(&told.bands);
    assert!(told.skill.is_none_or(f64::is_finite), "{told:?}");
}
