//! How long decisions, applications and rollbacks take here: from the times in the journal.

use crate::model::unit::Unit;
use serde::{Deserialize, Serialize};

/// The spread of one kind of span, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Spans measured.
    pub count: usize,
    /// Half of them took no longer.
    pub p50: f64,
    /// 95 of 100 took no longer: of fewer than 20, the longest.
    pub p95: f64,
}

impl Spread {
    /// Of spans in any order; `None` of none.
    pub fn of(spans: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut order: Vec<f64> = spans.into_iter().filter(|s| s.is_finite()).collect();
        order.sort_by(f64::total_cmp);
        // The smallest value that so large a share does not exceed (nearest rank).
        let rank = |share: f64| order.get(((share * order.len() as f64).ceil() as usize).saturating_sub(1)).copied();
        Some(Spread { count: order.len(), p50: rank(0.5)?, p95: rank(0.95)? })
    }

    /// Such as `P50 4.00 s, P95 31.0 s of 12`.
    pub fn words(&self) -> String {
        format!("P50 {}, P95 {} of {}", Unit::Seconds.show(self.p50), Unit::Seconds.show(self.p95), self.count)
    }
}

/// Spans between deeds, each `None` until there was one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// From the beginning of trouble to a proposal.
    pub propose: Option<Spread>,
    /// From a proposal to the approval of an operator.
    pub decide: Option<Spread>,
    /// From a proposal to the approval of the engine.
    pub automatic: Option<Spread>,
    /// From the durable intent to every value written and read back.
    pub apply: Option<Spread>,
    /// From the begin of an undo to its end.
    pub rollback: Option<Spread>,
}

impl Timings {
    /// Each with its name.
    pub fn rows(&self) -> [(&'static str, Option<Spread>); 5] {
        [
            ("raised to proposed", self.propose),
            ("decided by people", self.decide),
            ("decided by itself", self.automatic),
            ("apply", self.apply),
            ("rollback", self.rollback),
        ]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_nearest_ones_and_nothing_has_no_spread() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([3.0]), Some(Spread { count: 1, p50: 3.0, p95: 3.0 }));
        let hundred = Spread::of((1..=100).rev().map(f64::from)).unwrap();
        assert_eq!((hundred.p50, hundred.p95), (50.0, 95.0));
        assert_eq!(Spread::of([1.0, 2.0, 3.0, 4.0, f64::NAN]).unwrap().p95, 4.0);
    }
}
