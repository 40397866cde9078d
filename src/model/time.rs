//! Two clocks: a monotonic [`Tick`] decides, a [`Wall`] time is only shown and written down.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Nanoseconds of `CLOCK_BOOTTIME`: monotonic, runs on in suspend, starts anew with each boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tick(pub u64);

impl Tick {
    /// The time from `earlier` to `self`; zero if `earlier` is later.
    pub fn since(self, earlier: Tick) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Seconds from `earlier` to `self`; zero if `earlier` is later.
    pub fn seconds_since(self, earlier: Tick) -> f64 {
        self.since(earlier).as_secs_f64()
    }
}

impl std::ops::Add<Duration> for Tick {
    type Output = Tick;
    fn add(self, span: Duration) -> Tick {
        Tick(self.0.saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// Milliseconds since 1970 (UTC). Shown and journaled, never compared to decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wall(pub i64);

/// One instant on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// Decides.
    pub tick: Tick,
    /// Is shown.
    pub wall: Wall,
}
