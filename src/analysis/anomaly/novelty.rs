//! How new a value is: its distance to the nearest value that was ever seen, against how large such distances usually are. A value
//! becomes part of what was seen only some rows later, so that an episode is not its own excuse.

use crate::analysis::anomaly::{net::Net, spread::Spread, tail::Tail};
use std::collections::VecDeque;

/// Rows before anything can be new.
const LEARNING: f64 = 50.0;
/// Rows of a day whose distances are greater than what is usual.
const RARE: f64 = 0.3;
/// A distance below this share of the standard deviation is nothing, however calm the series was.
const FLOOR: f64 = 0.05;
/// Nor is one below this share of the value itself.
const RELATIVE: f64 = 1e-3;

/// What was seen of one view of a series.
#[derive(Clone, Debug)]
pub struct Novelty {
    pending: VecDeque<(f64, f64)>,
    lag: usize,
    /// Rows of a day.
    day: f64,
    seen: Net,
    usual: Tail,
    spread: Spread,
}

impl Novelty {
    /// Nothing seen yet; values count as seen `lag` rows later, and there are `day` rows a day.
    pub fn new(lag: usize, day: f64) -> Novelty {
        let (seen, usual, spread) = (Net::default(), Tail::new(RARE / day), Spread::default());
        Novelty { pending: VecDeque::new(), lag, day, seen, usual, spread }
    }

    /// How new `value` is: ln(1 + d / u), where d is its distance from all that was seen, and u the distance that one row in three days
    /// exceeds, the greater the less of a day is known. 0 is nothing new, 0.7 as new as that, 3 twenty times that. Bounded also where
    /// the series was constant so far.
    pub fn take(&mut self, value: f64) -> f64 {
        self.spread.learn(value);
        let distance = self.seen.distance(value).unwrap_or_default();
        let young = 1.0 + self.day / self.usual.count().max(1.0);
        let usual = self.usual.high() + RELATIVE * value.abs() + FLOOR * self.spread.deviation();
        let known = self.usual.count() > LEARNING;
        self.pending.push_back((value, distance));
        if self.pending.len() > self.lag
            && let Some((value, distance)) = self.pending.pop_front()
        {
            self.seen.learn(value);
            self.usual.learn(distance);
        }
        if known && usual > 0.0 { (distance / (usual * young)).ln_1p() } else { 0.0 }
    }
}
