//! How new a value is: its distance to the nearest value that was ever seen, against how large such distances usually are. A value
//! becomes part of what was seen only some rows later, so that an episode is not its own excuse.

use crate::analysis::anomaly::{net::Net, spread::Spread, tail::Tail};
use std::collections::VecDeque;

/// Rows before anything can be new.
const LEARNING: f64 = 50.0;
/// A distance below this share of the standard deviation is nothing, however calm the series was.
const FLOOR: f64 = 0.05;
/// Nor is one below this share of the value itself.
const RELATIVE: f64 = 1e-3;

/// What was seen of one view of a series.
#[derive(Clone, Debug)]
pub struct Novelty {
    pending: VecDeque<(f64, f64)>,
    lag: usize,
    seen: Net,
    usual: Tail,
    spread: Spread,
}

impl Novelty {
    /// Nothing seen yet; values count as seen `lag` rows later.
    pub fn new(lag: usize) -> Novelty {
        Novelty { pending: VecDeque::new(), lag, seen: Net::default(), usual: Tail::default(), spread: Spread::default() }
    }

    /// How new `value` is: ln(1 + its distance from all that was seen, in units of the distance that 999 of 1000 values had). 0 is
    /// nothing new, 0.7 as new as one in a thousand, 3 twenty times that. Bounded also for constant series.
    pub fn take(&mut self, value: f64) -> f64 {
        self.spread.learn(value);
        let distance = self.seen.distance(value).unwrap_or_default();
        let usual = self.usual.high() + RELATIVE * value.abs() + FLOOR * self.spread.deviation();
        let known = self.usual.count() > LEARNING;
        self.pending.push_back((value, distance));
        if self.pending.len() > self.lag {
            if let Some((value, distance)) = self.pending.pop_front() {
                self.seen.learn(value);
                self.usual.learn(distance);
            }
        }
        if known && usual > 0.0 { (distance / usual).ln_1p() } else { 0.0 }
    }
}
