//! The high quantile of everything that a number ever was, in bounded memory: only its greatest values are kept, and where the count
//! grows past what they can tell, every second one is dropped and the count halved, so that the recent past weighs more.

/// Values kept at most.
const MOST: usize = 64;
/// The share of values above the quantile.
const ABOVE: f64 = 0.001;

/// The greatest values seen, greatest first.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    top: Vec<f64>,
    count: f64,
}

impl Tail {
    /// Values taken into account.
    pub fn count(&self) -> f64 {
        self.count
    }

    /// The value that 999 of 1000 do not exceed; the greatest while there were fewer, and 0 without any.
    pub fn high(&self) -> f64 {
        let rank = (self.count * ABOVE) as usize;
        self.top.get(rank).or(self.top.last()).copied().unwrap_or_default()
    }

    /// Takes a value.
    pub fn learn(&mut self, value: f64) {
        self.count += 1.0;
        let at = self.top.partition_point(|&greater| greater > value);
        if at < MOST {
            self.top.insert(at, value);
            self.top.truncate(MOST);
        }
        if self.count * ABOVE >= (MOST - 1) as f64 {
            let mut odd = false;
            self.top.retain(|_| {
                odd = !odd;
                odd
            });
            self.count /= 2.0;
        }
    }
}
