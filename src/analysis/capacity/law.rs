//! The universal scalability law: X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1)).
//!
//! *lambda* is the throughput of one alone, *sigma* the share of work that only one at a time can do (Amdahl 1967), *kappa* what it costs each
//! to agree with each other one; with kappa above 0 there is a peak beyond which more means less.

use serde::{Deserialize, Serialize};

/// The law with its three coefficients, none negative.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Law {
    /// Throughput at a concurrency of one.
    pub lambda: f64,
    /// Contention.
    pub sigma: f64,
    /// Coherency.
    pub kappa: f64,
}

/// By how much each of `n` is slowed down by the others. Below one there are no others.
pub(super) fn drag(n: f64, sigma: f64, kappa: f64) -> f64 {
    let others = (n - 1.0).max(0.0);
    1.0 + sigma * others + kappa * n * others
}

impl Law {
    /// Throughput at concurrency `n`.
    pub fn at(&self, n: f64) -> f64 {
        self.lambda * n / drag(n, self.sigma, self.kappa)
    }

    /// Seconds in the system for each, at concurrency `n`, by Little's law (1961), where throughput is per second.
    pub fn residence(&self, n: f64) -> f64 {
        n / self.at(n)
    }

    /// The concurrency beyond which throughput falls; `None` where there is no such point.
    pub fn peak(&self) -> Option<f64> {
        if self.sigma >= 1.0 {
            return Some(1.0);
        }
        let peak = ((1.0 - self.sigma) / self.kappa).sqrt();
        (self.kappa > 0.0 && peak < 1e7).then(|| peak.max(1.0))
    }

    /// The throughput that no concurrency exceeds; `None` where there is no bound.
    pub fn most(&self) -> Option<f64> {
        match self.peak() {
            Some(peak) => Some(self.at(peak)),
            None => (self.sigma > 1e-6).then(|| self.lambda / self.sigma),
        }
    }

    /// The least concurrency at which throughput reaches `x`; `None` where it never does.
    pub fn concurrency(&self, x: f64) -> Option<f64> {
        let top = self.peak().unwrap_or(1e7);
        if x.is_nan() || x > self.at(top) {
            return None;
        }
        let (mut low, mut high) = (0.0, top);
        for _ in 0..80 {
            let middle = f64::midpoint(low, high);
            if self.at(middle) < x { low = middle } else { high = middle }
        }
        Some(high)
    }
}
