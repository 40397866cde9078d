//! Win, neutral, harm: a Dirichlet model with the catalogue's belief as its prior, the belief about the whole as that about its parts,
//! and forgetting, since hosts change.

use crate::{
    analysis::impact::distribution::beta_below,
    model::{
        lesson::{Chance, Tally},
        proposal::Risk,
        time::Wall,
    },
};

/// Counts or chances of win, neutral and harm.
pub type Shares = [f64; 3];

/// Pseudo-counts that a belief about the whole is worth for a part of it.
pub const SHRINK: f64 = 5.0;

/// What is left of a count after a day.
const DAILY: f64 = 0.98;

/// What is left of all counts on another kernel.
pub(super) const KERNEL: f64 = 0.3;

/// One trial's lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taught {
    /// It helped.
    Win,
    /// Nothing was shown.
    Neutral,
    /// It hurt.
    Harm,
    /// Too little was measured.
    Unclear,
}

/// What the catalogue believes of an action of that risk before any trial.
pub fn prior(risk: Risk) -> Shares {
    match risk {
        Risk::Low => [3.0, 2.0, 0.2],
        Risk::Medium => [2.0, 3.0, 0.5],
        Risk::High => [1.0, 3.0, 1.0],
    }
}

/// What is left of a count after a time.
pub fn fade(from: Wall, to: Wall) -> f64 {
    let days = (to.0.saturating_sub(from.0)).max(0) as f64 / 86_400_000.0;
    DAILY.powf(days)
}

/// Trials, counted and faded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcomes {
    counts: Shares,
    at: Wall,
    /// Trials as they were.
    pub tally: Tally,
}

impl Outcomes {
    /// One more trial.
    pub fn add(&mut self, taught: Taught, at: Wall) {
        let place = match taught {
            Taught::Win => Some((0, &mut self.tally.win)),
            Taught::Neutral => Some((1, &mut self.tally.neutral)),
            Taught::Harm => Some((2, &mut self.tally.harm)),
            Taught::Unclear => None,
        };
        let Some((place, tally)) = place else {
            self.tally.unclear += 1;
            return;
        };
        *tally += 1;
        self.counts = self.counts(at);
        self.at = self.at.max(at);
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1.0;
        }
    }

    /// What still counts of them.
    pub fn counts(&self, now: Wall) -> Shares {
        let left = fade(self.at, now);
        self.counts.map(|count| count * left)
    }

    /// Another kernel runs: what was seen counts for less.
    pub fn forget(&mut self) {
        self.counts = self.counts.map(|count| count * KERNEL);
    }

    /// The belief after these trials, as pseudo-counts.
    pub fn posterior(&self, prior: Shares, now: Wall) -> Shares {
        let counts = self.counts(now);
        let mut sum = prior;
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        sum
    }
}

/// The belief about the whole as the prior about a part of it.
pub fn shrink(whole: Shares) -> Shares {
    let sum: f64 = whole.iter().sum();
    whole.map(|count| SHRINK * count / sum.max(f64::MIN_POSITIVE))
}

/// The chance of one outcome, with its 90 % interval: a Dirichlet's marginal is a beta.
pub fn chance(counts: Shares, taught: Taught) -> Chance {
    let place = match taught {
        Taught::Win => 0,
        Taught::Neutral | Taught::Unclear => 1,
        Taught::Harm => 2,
    };
    let sum: f64 = counts.iter().sum();
    let a = counts.get(place).copied().unwrap_or_default();
    beta_chance(a, sum - a)
}

/// The same, by pseudo-counts for and against.
pub fn beta_chance(a: f64, b: f64) -> Chance {
    Chance { mean: a / (a + b), low: beta_below(0.05, a, b), high: beta_below(0.95, a, b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn counts_fade_by_the_day_and_another_kernel_takes_most_of_them() {
        let mut outcomes = Outcomes::default();
        outcomes.add(Taught::Win, Wall(0));
        outcomes.add(Taught::Win, Wall(10 * DAY));
        let [wins, ..] = outcomes.counts(Wall(20 * DAY));
        assert!((wins - (0.98_f64.powi(20) + 0.98_f64.powi(10))).abs() < 1e-12, "{wins}");
        outcomes.forget();
        assert!((outcomes.counts(Wall(20 * DAY))[0] - 0.3 * wins).abs() < 1e-12);
        assert_eq!(outcomes.tally.win, 2, "the tally tells what was");
        assert_eq!(outcomes.counts(Wall(-5 * DAY)), outcomes.counts(Wall(10 * DAY)), "a clock set back fades nothing");
    }

    #[test]
    fn a_part_begins_with_the_belief_about_the_whole_worth_five_trials() {
        let mut whole = Outcomes::default();
        (0..8).for_each(|_| whole.add(Taught::Win, Wall(0)));
        let belief = whole.posterior(prior(Risk::Low), Wall(0));
        let part = shrink(belief);
        assert!((part.iter().sum::<f64>() - SHRINK).abs() < 1e-12);
        assert!((part[0] / SHRINK - 11.0 / 13.2).abs() < 1e-12);
        let mut one = Outcomes::default();
        one.add(Taught::Harm, Wall(0));
        let harm = chance(one.posterior(part, Wall(0)), Taught::Harm);
        assert!(harm.mean > 0.17 && harm.mean < 0.2, "one harm against a good name: {harm:?}");
        assert!(harm.low < harm.mean && harm.mean < harm.high);
    }

    #[test]
    fn what_is_unclear_teaches_nothing() {
        let mut outcomes = Outcomes::default();
        outcomes.add(Taught::Unclear, Wall(0));
        assert_eq!((outcomes.counts(Wall(0)), outcomes.tally.unclear, outcomes.tally.runs()), ([0.0; 3], 1, 0));
    }
}
