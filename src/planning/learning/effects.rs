//! How much it helps when it helps: the logarithm of the effect under a normal model of unknown mean and spread, with its conjugate prior
//! (normal-inverse-gamma; Murphy 2007, "Conjugate Bayesian analysis of the Gaussian distribution").

use crate::{
    analysis::impact::distribution::student,
    model::{lesson::Chance, metric::Better, time::Wall, verdict::Effect},
    planning::learning::outcomes::{KERNEL, fade},
};

/// Before any trial an effect of a fifth is believed in, as firmly as one trial would make it.
const MEAN: f64 = 0.223;
const WORTH: f64 = 1.0;
/// The spread believed in: two trials' worth, a standard deviation of about a fifth.
const SHAPE: f64 = 2.0;
const RATE: f64 = 0.05;

/// An effect beyond a hundredfold says no more than a hundredfold.
const FARTHEST: f64 = 4.6;

/// Effects of the trials that helped, counted and faded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effects {
    count: f64,
    sum: f64,
    squares: f64,
    at: Wall,
}

/// The improvement on the logarithmic scale: more than 0 is better.
pub fn improvement(effect: &Effect, better: Better) -> Option<f64> {
    let log = (1.0 + effect.change).max(0.0).ln().clamp(-FARTHEST, FARTHEST);
    let log = match better {
        Better::Lower => -log,
        Better::Higher => log,
    };
    effect.change.is_finite().then_some(log)
}

impl Effects {
    /// One more.
    pub fn add(&mut self, log: f64, at: Wall) {
        let left = fade(self.at, at);
        self.count = self.count * left + 1.0;
        self.sum = self.sum * left + log;
        self.squares = self.squares * left + log * log;
        self.at = self.at.max(at);
    }

    /// Another kernel runs.
    pub fn forget(&mut self) {
        (self.count, self.sum, self.squares) = (self.count * KERNEL, self.sum * KERNEL, self.squares * KERNEL);
    }

    /// True until one was measured.
    pub fn is_empty(&self) -> bool {
        self.count <= 0.0
    }

    /// The mean improvement on the logarithmic scale.
    pub fn log(&self, now: Wall) -> Chance {
        let left = fade(self.at, now);
        let (count, sum, squares) = (self.count * left, self.sum * left, self.squares * left);
        let mean = (WORTH * MEAN + sum) / (WORTH + count);
        let shape = SHAPE + count / 2.0;
        let (around, off) = if count > 0.0 {
            let middle = sum / count;
            ((squares - sum * middle).max(0.0), WORTH * count * (middle - MEAN).powi(2) / (WORTH + count))
        } else {
            (0.0, 0.0)
        };
        let rate = RATE + (around + off) / 2.0;
        let reach = student(0.95, 2.0 * shape) * (rate / (shape * (WORTH + count))).sqrt();
        Chance { mean, low: mean - reach, high: mean + reach }
    }

    /// The mean improvement as a share of the primary.
    pub fn share(&self, better: Better, now: Wall) -> Chance {
        match better {
            Better::Lower => self.log(now).map(|log| 1.0 - (-log).exp()),
            Better::Higher => self.log(now).map(|log| log.exp() - 1.0),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_with_a_fifth_and_ends_with_what_was_measured() {
        let mut effects = Effects::default();
        let before = effects.share(Better::Lower, Wall(0));
        assert!((before.mean - 0.2).abs() < 0.001 && before.low < 0.05, "{before:?}");
        for change in [-0.58, -0.62, -0.6, -0.61, -0.59, -0.6, -0.6, -0.6] {
            let effect = Effect { before: 1.0, after: 1.0 + change, change, interval: (change, change), points: (9, 9) };
            effects.add(improvement(&effect, Better::Lower).unwrap(), Wall(0));
        }
        let after = effects.share(Better::Lower, Wall(0));
        assert!((0.55..0.61).contains(&after.mean) && after.low > 0.45 && after.high < 0.7, "{after:?}");
        assert!(after.high - after.low < before.high - before.low);
        let gone = effects.share(Better::Lower, Wall(600 * 86_400_000));
        assert!((gone.mean - 0.2).abs() < 0.01, "after two years nothing is known: {gone:?}");
    }

    #[test]
    fn what_vanished_is_a_hundredfold_and_nothing_is_infinite() {
        let gone = Effect { before: 1.0, after: 0.0, change: -1.0, interval: (-1.0, -1.0), points: (9, 9) };
        assert_eq!(improvement(&gone, Better::Lower), Some(FARTHEST));
        assert_eq!(improvement(&Effect { change: f64::NAN, ..gone }, Better::Lower), None);
        assert!(improvement(&Effect { change: 0.5, ..gone }, Better::Lower).unwrap() < 0.0);
    }
}
