//! What is kept between samples: the last one and what was derived from it, or the newest second of a fast source.

use crate::model::time::Tick;
use std::{collections::VecDeque, time::Duration};

/// The last sample of a source and what the last two made.
pub(super) struct Slot<S, D> {
    last: Option<(Tick, S)>,
    pub(super) derived: Option<D>,
}

impl<S, D> Default for Slot<S, D> {
    fn default() -> Self {
        Slot { last: None, derived: None }
    }
}

impl<S, D> Slot<S, D> {
    /// The newest sample.
    pub(super) fn newest(&self) -> Option<&S> {
        self.last.as_ref().map(|(_, sample)| sample)
    }

    /// Takes a sample. `derive` gets the one before, if any, the new one, and the seconds between them. A sample that is not newer
    /// than the last is left out.
    pub(super) fn take(&mut self, at: Tick, new: S, derive: impl FnOnce(Option<&S>, &S, f64) -> Option<D>) {
        if self.last.as_ref().is_some_and(|(last, _)| *last >= at) {
            return;
        }
        let seconds = self.last.as_ref().map_or(0.0, |(last, _)| at.seconds_since(*last));
        self.derived = derive(self.last.as_ref().map(|(_, old)| old), &new, seconds);
        self.last = Some((at, new));
    }

    /// The last sample.
    pub(super) fn last(&self) -> Option<&S> {
        self.last.as_ref().map(|(_, sample)| sample)
    }
}

/// The samples of the last second, oldest first; the oldest is a second older than the newest, or all there is.
pub(super) struct Ring<S> {
    all: VecDeque<(Tick, S)>,
}

impl<S> Default for Ring<S> {
    fn default() -> Self {
        Ring { all: VecDeque::new() }
    }
}

/// The window of vitals: long enough that ticks of 10 ms make fine shares, short enough for an emergency.
const WINDOW: Duration = Duration::from_secs(1);

impl<S> Ring<S> {
    /// Takes a sample, unless it is not newer than the last.
    pub(super) fn take(&mut self, at: Tick, sample: S) {
        if self.all.back().is_some_and(|(last, _)| *last >= at) {
            return;
        }
        self.all.push_back((at, sample));
        while self.all.get(1).is_some_and(|(second, _)| at.since(*second) >= WINDOW) {
            self.all.pop_front();
        }
    }

    /// Oldest and newest with the seconds between them; `None` with fewer than two.
    pub(super) fn ends(&self) -> Option<(&S, &S, f64)> {
        let ((from, old), (to, new)) = (self.all.front()?, self.all.back()?);
        (to > from).then(|| (old, new, to.seconds_since(*from)))
    }

    /// The newest.
    pub(super) fn last(&self) -> Option<&S> {
        self.all.back().map(|(_, sample)| sample)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_spans_a_second_and_no_more_than_one_sample_over() {
        let mut ring = Ring::default();
        assert!(ring.ends().is_none());
        for step in 0..50_u64 {
            ring.take(Tick(step * 100_000_000), step);
        }
        assert_eq!(ring.ends(), Some((&39, &49, 1.0)));
        ring.take(Tick(7_000_000_000), 99);
        assert_eq!(ring.ends(), Some((&49, &99, 2.1)), "a late one leaves a longer window, not a hole");
        ring.take(Tick(7_000_000_000), 100);
        assert_eq!(ring.last(), Some(&99));
    }
}
