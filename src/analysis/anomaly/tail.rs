//! The high quantile of everything that a number ever was, in bounded memory: only its greatest values are kept, and where the count
//! grows past what they can tell, every second one is dropped and the count halved, so that the recent past weighs more.

/// Values kept at most.
const MOST: usize = 64;
/// The greatest values seen, greatest first.
#[derive(Clone, Debug)]
pub struct Tail {
    above: f64,
    top: Vec<f64>,
    count: f64,
}

impl Tail {
    /// Knows the quantile that a share of `above` values exceeds.
    pub fn new(above: f64) -> Tail {
        Tail { above, top: Vec::new(), count: 0.0 }
    }

    /// Values taken into account.
    pub fn count(&self) -> f64 {
        self.count
    }

    /// The value that only the rare share exceeds; the greatest while there were fewer, and 0 without any.
    pub fn high(&self) -> f64 {
        let rank = (self.count * self.above) as usize;
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
        if self.count * self.above >= (MOST - 1) as f64 {
            let mut odd = false;
            self.top.retain(|_| {
                odd = !odd;
                odd
            });
            self.count /= 2.0;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn the_rare_quantile_is_kept_over_any_length() {
        let mut tail = Tail::new(0.01);
        assert_eq!(tail.high(), 0.0);
        for at in 0..50_000 {
            tail.learn((f64::from(at) * 0.618_033_988_75).fract());
            assert!(tail.top.len() <= MOST && tail.count * 0.01 < MOST as f64);
        }
        assert!((tail.high() - 0.99).abs() < 0.005, "{}", tail.high());
    }
}
