//! Each shape is found where it is, and none where there is none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::{
    analysis::{
        impact::simulation::Noise,
        pattern::{Course, recognise},
    },
    model::{
        metric::{Key, Metric},
        outlook::{Pattern, Shape},
        time::Wall,
    },
};

const END: Wall = Wall(1_700_000_000_000);

fn seen(values: &[f64]) -> Vec<Pattern> {
    recognise(&Key::host(Metric::CpuBusy), &Course { values, step: 1.0, end: END })
}

fn walk(noise: &mut Noise, n: usize) -> Vec<f64> {
    (0..n)
        .scan(0.0, |x, _| {
            *x += noise.normal();
            Some(*x)
        })
        .collect()
}

/// Series of 100 in which `make` shows any shape.
fn claims(make: impl Fn(&mut Noise) -> Vec<f64>) -> usize {
    (0..100).filter(|seed| !seen(&make(&mut Noise::seeded(seed * 7919 + 1))).is_empty()).count()
}

/// Series of 40 in which `right` holds for a shape.
fn hits(make: impl Fn(&mut Noise) -> Vec<f64>, right: impl Fn(&Shape) -> bool) -> usize {
    (0..40)
        .filter(|seed| seen(&make(&mut Noise::seeded(seed * 104_729 + 3))).iter().any(|p| right(&p.shape) && p.confidence > 0.4))
        .count()
}

#[test]
fn nothing_is_claimed_on_noise() {
    for n in [120, 300, 600] {
        let counts = [
            ("white", claims(|noise| noise.ar(n, 0.0))),
            ("AR 0.5", claims(|noise| noise.ar(n, 0.5))),
            ("AR 0.9", claims(|noise| noise.ar(n, 0.9))),
            ("AR 0.98", claims(|noise| noise.ar(n, 0.98))),
            ("random walk", claims(|noise| walk(noise, n))),
            ("counts", claims(|noise| (0..n).map(|_| (noise.normal().abs() * 2.0).floor()).collect())),
        ];
        assert!(counts.iter().all(|(_, claimed)| *claimed <= 8), "{n}: {counts:?}");
        assert!(counts.iter().map(|(_, claimed)| claimed).sum::<usize>() <= 30, "5 % in all; {n}: {counts:?}");
    }
}

/// A job that runs `on` of every `period` steps, each time a step early or late, on top of noise.
fn job(noise: &mut Noise, n: usize, period: usize, on: usize) -> Vec<f64> {
    let mut values: Vec<f64> = noise.ar(n, 0.5).iter().map(|v| 10.0 + v).collect();
    for cycle in 0..=n / period {
        let start = cycle * period + 7 + (noise.uniform() * 2.0) as usize;
        values.iter_mut().skip(start).take(on).for_each(|v| *v += 8.0);
    }
    values
}

#[test]
fn jobs_by_the_clock_are_found_with_period_and_width() {
    for (n, period, on) in [(600, 60, 5), (600, 60, 20), (600, 10, 3), (1440, 60, 2), (600, 120, 30)] {
        let right = |shape: &Shape| {
            matches!(shape, Shape::Periodic { period: p, width: w }
                if (p / period as f64 - 1.0).abs() < 0.03 && (w - on as f64).abs() <= 3.0 + 0.2 * on as f64)
        };
        let found = hits(|noise| job(noise, n, period, on), right);
        assert!(found >= 36, "{found} of 40 with a period of {period}, {on} on, {n} points");
    }
    let wave = |noise: &mut Noise| noise.ar(600, 0.3).iter().enumerate().map(|(t, v)| v + 2.0 * (t as f64 * 0.157).sin()).collect();
    assert!(hits(wave, |s| matches!(s, Shape::Periodic { period, .. } if (period - 40.0).abs() < 1.5)) >= 36);
}

#[test]
fn steps_are_found_where_they_are() {
    for (at, height, phi) in [(150, 5.0, 0.5), (250, 6.0, 0.3), (60, -5.0, 0.5), (280, 10.0, 0.0)] {
        let make = |noise: &mut Noise| {
            noise.ar(300, phi).iter().enumerate().map(|(t, v)| 20.0 + v + if t >= at { height } else { 0.0 }).collect()
        };
        let right = |shape: &Shape| match shape {
            Shape::Step { at: when, from, to } => {
                let seconds = (END.0 - when.0) as f64 / 1000.0;
                (seconds - (299 - at) as f64).abs() <= 2.0 && (to - from - height).abs() < 1.5
            }
            _ => false,
        };
        let found = hits(make, right);
        assert!(found >= 36, "{found} of 40 steps of {height} at {at}, phi {phi}");
    }
}

#[test]
fn ramps_are_found_with_their_slope() {
    for (slope, phi) in [(0.1, 0.3), (-0.2, 0.6), (0.05, 0.0)] {
        let make = |noise: &mut Noise| noise.ar(300, phi).iter().enumerate().map(|(t, v)| v + slope * t as f64).collect();
        let found = hits(make, |s| matches!(s, Shape::Ramp { slope: found } if (found / slope - 1.0).abs() < 0.1));
        assert!(found >= 36, "{found} of 40 ramps of {slope}, phi {phi}");
    }
    assert!(matches!(seen(&(0..100).map(f64::from).collect::<Vec<_>>())[..], [Pattern { shape: Shape::Ramp { slope: 1.0 }, .. }]));
}

#[test]
fn bursts_are_found_and_counted() {
    let make = |noise: &mut Noise| {
        let mut values: Vec<f64> = noise.ar(600, 0.3).iter().map(|v| 5.0 + v).collect();
        let mut start = 0;
        for _ in 0..8 {
            start += 20 + (noise.uniform() * 90.0) as usize;
            values.iter_mut().skip(start).take(3).for_each(|v| *v += 25.0);
        }
        values
    };
    let found = hits(make, |s| matches!(s, Shape::Bursts { per_hour } if (24.0..=54.0).contains(per_hour)));
    assert!(found >= 36, "{found} of 40");
    let mut still = vec![0.0; 300];
    [20, 90, 130, 270].iter().for_each(|i| still[*i] = 3.0);
    assert!(seen(&still).iter().any(|p| matches!(p.shape, Shape::Bursts { .. })), "events on a still ground");
}

#[test]
fn hostile_courses_break_nothing() {
    let odd: [Vec<f64>; 8] = [
        vec![],
        vec![1.0, 2.0],
        vec![f64::NAN; 300],
        vec![7.0; 300],
        vec![f64::MAX; 300],
        (0..300).map(|t| if t % 2 == 0 { 1e139 } else { -1e139 }).collect(),
        (0..300).map(|t| if t % 3 == 0 { f64::NAN } else { f64::from(t) }).collect(),
        (0..300).map(|t| if t == 5 { f64::INFINITY } else { f64::from(t % 7) }).collect(),
    ];
    for values in &odd {
        for pattern in seen(values) {
            assert!((0.0..=1.0).contains(&pattern.confidence), "{pattern:?}");
        }
    }
}
