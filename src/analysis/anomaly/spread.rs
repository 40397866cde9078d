//! Mean and standard deviation of everything that a number ever was (Welford 1962), the newest 50,000 values weighing most.

/// Values after which older ones fade.
const MEMORY: f64 = 50_000.0;

/// Running mean and variance.
#[derive(Clone, Debug, Default)]
pub struct Spread {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Spread {
    /// Takes a value.
    pub fn learn(&mut self, value: f64) {
        self.count = (self.count + 1.0).min(MEMORY);
        let share = 1.0 / self.count;
        let off = value - self.mean;
        self.mean += share * off;
        self.variance = (1.0 - share) * (self.variance + share * off * off);
    }

    /// Standard deviation, in the unit of the values.
    pub fn deviation(&self) -> f64 {
        self.variance.max(0.0).sqrt()
    }
}
