//! Chance for the bootstrap (Efron 1979), the same in every run, and quantiles of what comes of it.

use crate::analysis::pattern::robust::{quantile, sorted};
use serde::{Deserialize, Serialize};

/// A value with its 95 % range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranged {
    /// The value.
    pub value: f64,
    /// In 2.5 of 100 cases it is below this.
    pub low: f64,
    /// In 2.5 of 100 cases it is above this.
    pub high: f64,
}

impl Ranged {
    /// Around `value`, by the values that replicas came to.
    pub fn of(value: f64, replicas: impl IntoIterator<Item = f64>) -> Ranged {
        let order = sorted(replicas.into_iter().filter(|v| v.is_finite()));
        if order.is_empty() {
            return Ranged { value, low: f64::NEG_INFINITY, high: f64::INFINITY };
        }
        Ranged { value, low: quantile(&order, 0.025).min(value), high: quantile(&order, 0.975).max(value) }
    }
}

impl Ranged {
    /// The same with another source of error besides, of which `error` is the standard error as a share of the value (both errors independent,
    /// on the logarithmic scale).
    pub fn widened(self, error: f64) -> Ranged {
        let reach = |end: f64| (end / self.value).ln().hypot(1.96 * error).exp();
        if self.value > 0.0 && self.low > 0.0 && error.is_finite() {
            Ranged { low: self.value / reach(self.low), high: self.value * reach(self.high), ..self }
        } else {
            self
        }
    }
}

/// Draws by splitmix64: reproducible, since the same data must give the same answer.
#[derive(Clone, Copy, Debug)]
pub struct Draws(u64);

impl Draws {
    /// The sequence of that number.
    pub fn new(seed: u64) -> Draws {
        Draws(seed)
    }

    /// One of `0..below`; 0 where there is none.
    pub fn index(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % below.max(1) as u64) as usize
    }
}
