//! What a forecast costs: `cargo bench --bench forecast`.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use std::{f64::consts::TAU, hint::black_box, time::Instant};
use trimtab::analysis::forecast::forecast::{Past, forecast};

/// Forecasts, so many that the mean is calm.
const ROUNDS: u32 = 40;

/// A daily wave with noise and bursts, the same in each run.
fn series(count: usize, day: f64) -> Vec<f64> {
    let mut state = 7u64;
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let value = |i| 40.0 + 10.0 * (f64::from(i) / day * TAU).sin() + 3.0 * noise() + if noise() > 0.99 { 50.0 } else { 0.0 };
    (0..count as u32).map(value).collect()
}

fn main() {
    println!("{:>8} {:>8} {:>8} {:>12}", "history", "step s", "horizon", "ms/forecast");
    for (count, step, horizon) in
        [(30, 1.0, 60), (300, 1.0, 60), (600, 1.0, 120), (720, 10.0, 60), (1440, 60.0, 120), (4032, 300.0, 24)]
    {
        let values = series(count, 86_400.0 / step);
        let past = Past { values: &values, start: 1.7e9, step, floor: None, ceiling: None };
        let begun = Instant::now();
        for _ in 0..ROUNDS {
            black_box(forecast(black_box(&past), horizon));
        }
        println!("{count:>8} {step:>8} {horizon:>8} {:>12.3}", begun.elapsed().as_secs_f64() * 1e3 / f64::from(ROUNDS));
    }
}
