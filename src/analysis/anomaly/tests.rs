//! Series made by seed, healthy and not: what is alerted and when, how often nothing is, and that no number whatever breaks a watcher.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::analysis::anomaly::{
    host::HostWatcher,
    watcher::{Verdict, Watcher},
};
use proptest::prelude::*;
use std::f64::consts::TAU;

const STEP: f64 = 300.0;
const DAY: usize = 288;
const HOUR: usize = 12;

/// Uniform and normal numbers by seed (splitmix64; the normal ones as a sum of twelve).
struct Dice(u64);

impl Dice {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// A value for each row, from the row's number and the dice.
fn series(days: usize, seed: u64, mut value: impl FnMut(usize, &mut Dice) -> f64) -> Vec<f64> {
    let mut dice = Dice(seed);
    (0..days * DAY).map(|row| value(row, &mut dice)).collect()
}

fn wave(row: usize) -> f64 {
    (TAU * row as f64 / DAY as f64).sin()
}

/// A service with a busy and a quiet time of day.
fn busy(days: usize, seed: u64) -> Vec<f64> {
    series(days, seed, |row, dice| 50.0 + 20.0 * wave(row) + 3.0 * dice.normal())
}

/// A job of half an hour at three each night, that is not punctual.
fn nightly(days: usize, seed: u64) -> Vec<f64> {
    let mut late = 0;
    series(days, seed, move |row, dice| {
        if row % DAY == 0 {
            late = (dice.uniform() * 3.0) as usize;
        }
        let job = (36 + late..42 + late).contains(&(row % DAY));
        if job { 80.0 } else { 20.0 + dice.normal() }
    })
}

fn watch(values: &[f64]) -> Vec<Verdict> {
    let mut watcher = Watcher::new(STEP);
    values.iter().enumerate().map(|(row, value)| watcher.take(row as f64 * STEP, Some(*value))).collect()
}

/// Rows at which an episode begins: an alert with none in the three hours before.
fn begins(verdicts: &[Verdict]) -> Vec<usize> {
    let alerts: Vec<usize> = verdicts.iter().enumerate().filter(|(_, verdict)| verdict.alert).map(|(row, _)| row).collect();
    let apart = |at: usize| at == 0 || alerts[at] - alerts[at - 1] > 3 * HOUR;
    (0..alerts.len()).filter(|at| apart(*at)).map(|at| alerts[at]).collect()
}

/// Rows from `at` to the first alert.
fn delay(values: &[f64], at: usize) -> Option<usize> {
    watch(values).iter().skip(at).position(|verdict| verdict.alert)
}

#[test]
fn healthy_months_are_quiet() {
    let mut level = 100.0;
    let mut memory = 0.0;
    let months: Vec<(&str, Vec<f64>)> = vec![
        ("busy", busy(30, 1)),
        ("nightly", nightly(30, 2)),
        ("noise", series(30, 3, |_, dice| 10.0 + dice.normal())),
        ("requests", series(30, 4, |row, dice| (1.0 + 0.5 * wave(row) + 0.4 * dice.normal()).exp())),
        (
            "weekends",
            series(30, 5, |row, dice| 40.0 + if row / DAY % 7 < 5 { 15.0 } else { 5.0 } * wave(row) + 2.0 * dice.normal()),
        ),
        ("filling", series(30, 6, |row, dice| 40.0 + row as f64 / DAY as f64 + 0.05 * dice.normal())),
        ("sawtooth", series(30, 7, |row, dice| 30.0 + (row % 84) as f64 / 2.0 + dice.normal())),
        ("capped", series(30, 8, |row, dice| (70.0 + 40.0 * wave(row) + 8.0 * dice.normal()).clamp(0.0, 100.0))),
        ("constant", series(30, 9, |_, _| 7.0)),
        ("rare errors", series(30, 10, |_, dice| if dice.uniform() < 0.003 { 1.0 + (3.0 * dice.uniform()).floor() } else { 0.0 })),
        (
            "slow",
            series(30, 11, move |row, dice| {
                memory = 0.95 * memory + 0.31 * dice.normal();
                50.0 + 20.0 * wave(row) + 4.0 * memory
            }),
        ),
        (
            "wandering",
            series(30, 12, move |_, dice| {
                level += 0.3 * dice.normal();
                level
            }),
        ),
    ];
    let called: Vec<(&str, usize)> = months.iter().map(|(name, values)| (*name, begins(&watch(values)).len())).collect();
    let all: usize = called.iter().map(|(_, count)| count).sum();
    assert!(called.iter().all(|(_, count)| *count <= 5), "{called:?}");
    assert!(all as f64 <= 0.1 * 30.0 * months.len() as f64, "{called:?}");
}

#[test]
fn what_breaks_is_alerted_within_rows() {
    for seed in 100..104 {
        let at = 20 * DAY + 37 * seed as usize % DAY;
        let mut dice = Dice(seed);
        let mut broken = |change: &mut dyn FnMut(usize, f64, &mut Dice) -> f64| {
            let mut values = busy(22, seed);
            for row in 0..6 * HOUR {
                values[at + row] = change(row, values[at + row], &mut dice);
            }
            delay(&values, at)
        };
        let held = busy(22, seed)[at];
        let spike = broken(&mut |row, value, _| if row == 0 { value + 60.0 } else { value });
        let shift = broken(&mut |_, value, _| value + 25.0);
        let noise = broken(&mut |_, value, dice| value + 15.0 * dice.normal());
        let flat = broken(&mut |_, _, _| held);
        assert_eq!(spike, Some(0), "seed {seed}: spike");
        assert!(shift.is_some_and(|rows| rows <= 2), "seed {seed}: shift after {shift:?}");
        assert!(noise.is_some_and(|rows| rows <= HOUR), "seed {seed}: noise after {noise:?}");
        assert!(flat.is_some_and(|rows| rows <= 2 * HOUR), "seed {seed}: flat after {flat:?}");
    }
}

#[test]
fn a_job_that_did_not_come_is_alerted_within_the_hour() {
    for seed in 100..104 {
        let mut values = nightly(20, seed);
        let at = 19 * DAY + 36;
        let mut dice = Dice(seed + 1000);
        for value in &mut values[at..at + HOUR] {
            *value = 20.0 + dice.normal();
        }
        let after = delay(&values, at);
        assert!(after.is_some_and(|rows| rows <= HOUR), "seed {seed}: after {after:?}");
    }
}

#[test]
fn what_was_seen_before_is_no_news() {
    let mut values = busy(30, 7);
    let bursts: Vec<usize> = (10..29).map(|day| day * DAY + 100).collect();
    for &burst in &bursts {
        values[burst] += 60.0;
    }
    let begins = begins(&watch(&values));
    assert!(begins.contains(&bursts[0]), "{begins:?}");
    assert!(begins.len() <= 4, "{begins:?}");
}

#[test]
fn the_expected_range_holds_what_it_says() {
    for values in [busy(20, 5), series(20, 6, |_, dice| (0.8 * dice.normal()).exp())] {
        let verdicts = watch(&values);
        let told: Vec<bool> = verdicts
            .iter()
            .zip(&values)
            .filter_map(|(verdict, value)| verdict.expected.map(|(low, high)| (low..=high).contains(value)))
            .collect();
        let share = told.iter().filter(|held| **held).count() as f64 / told.len() as f64;
        assert!(told.len() > 19 * DAY && (0.93..=0.97).contains(&share), "{share}");
    }
}

#[test]
fn a_host_is_odd_when_many_numbers_are() {
    let columns: Vec<Vec<f64>> = (0..7).map(|column| busy(12, 40 + column)).collect();
    let at = 11 * DAY + 90;
    let run = |odd: usize| {
        let mut watcher = HostWatcher::new(STEP, columns.len());
        let rows = (0..12 * DAY).map(|row| {
            let of = |(at_column, column): (usize, &Vec<f64>)| column[row] + if row == at && at_column < odd { 40.0 } else { 0.0 };
            let values: Vec<Option<f64>> = columns.iter().enumerate().map(of).map(Some).collect();
            watcher.take(row as f64 * STEP, &values).0
        });
        rows.collect::<Vec<_>>()
    };
    let (one, many) = (run(1), run(5));
    assert!(many[at].alert && !one[at].alert, "{:?}, {:?}", many[at], one[at]);
    assert!((many[at].shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{:?}", many[at].shares);
    assert!(many[at].shares[0] > many[at].shares[6]);
    assert!(one.iter().filter(|together| together.alert).count() <= 1);
}

#[test]
fn a_gap_is_neither_odd_nor_forgotten() {
    let values = busy(20, 9);
    let mut watcher = Watcher::new(STEP);
    let mut alerts = 0;
    for (row, value) in values.iter().enumerate() {
        let absent = (12 * DAY..12 * DAY + DAY / 2).contains(&row) || row % 50 == 0;
        let verdict = watcher.take(row as f64 * STEP, (!absent).then_some(*value));
        alerts += usize::from(verdict.alert && row > DAY);
        assert!(!absent || verdict == Verdict::default());
    }
    assert!(alerts <= 1, "{alerts}");
    assert!(watcher.take(20.0 * 86_400.0, Some(150.0)).alert);
}

proptest! {
    #[test]
    fn no_number_breaks_a_watcher(
        step in prop_oneof![Just(1.0), Just(10.0), Just(300.0), Just(f64::NAN), Just(0.0), Just(1e9)],
        rows in prop::collection::vec((-5e3..5e4f64, prop::option::of(any_value())), 0..400),
    ) {
        let (mut watcher, mut host, mut time) = (Watcher::new(step), HostWatcher::new(step, 2), 0.0);
        for (passed, value) in rows {
            time += passed;
            let verdict = watcher.take(time, value);
            prop_assert!(verdict.score.is_finite() && verdict.step.is_finite() && verdict.day.is_finite(), "{:?}", verdict);
            if let Some((low, high)) = verdict.expected {
                prop_assert!(low.is_finite() && high.is_finite() && low <= high, "{:?}", verdict);
            }
            let (together, _) = host.take(time, &[value, value.map(|value| -value)]);
            prop_assert!(together.score.is_finite() && together.shares.iter().all(|share| share.is_finite()), "{:?}", together);
        }
    }
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        -1.0..1.0f64,
        Just(0.0),
        Just(5.0),
        Just(-1e300),
        Just(1e300),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
        Just(f64::INFINITY),
        Just(f64::NAN),
        Just(1e18),
    ]
}
