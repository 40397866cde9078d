//! Series made for tests: AR(1) noise from a few lines of generator, and cases around a change.

use crate::model::{
    metric::{Better, Key, Metric},
    series::{Point, SeriesSet},
    time::Tick,
    trial::{Trial, Windows},
};

/// A generator of unit-variance AR(1) noise (splitmix64 and the sum of uniforms).
pub(in crate::analysis) struct Noise(u64);

impl Noise {
    pub(in crate::analysis) fn seeded(seed: u64) -> Noise {
        Noise(seed)
    }

    /// Between 0 and 1.
    pub(in crate::analysis) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(in crate::analysis) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    pub(in crate::analysis) fn ar(&mut self, n: usize, phi: f64) -> Vec<f64> {
        let mut x = self.normal();
        let step = (1.0 - phi * phi).sqrt();
        (0..n)
            .map(|_| {
                x = phi * x + step * self.normal();
                x
            })
            .collect()
    }
}

/// The key that simulations are about.
pub(super) fn key() -> Key {
    Key::host(Metric::PressureCpuSome)
}

/// A trial of it.
pub(super) fn trial() -> Trial {
    Trial {
        primary: key(),
        better: Better::Lower,
        least: 0.1,
        guardrails: Vec::new(),
        controls: Vec::new(),
        windows: Windows::default(),
        prevents: None,
    }
}

/// Seconds as a tick.
pub(super) fn at(seconds: usize) -> Tick {
    Tick(seconds as u64 * 1_000_000_000)
}

/// Values one second apart, from second 1 on.
pub(super) fn series(values: &[f64]) -> SeriesSet {
    let mut set = SeriesSet::default();
    put(&mut set, key(), values);
    set
}

/// Adds values of another key.
pub(super) fn put(set: &mut SeriesSet, key: Key, values: &[f64]) {
    for (i, value) in values.iter().enumerate() {
        set.push(key.clone(), Point { at: at(i + 1), value: *value }, 10_000);
    }
}
