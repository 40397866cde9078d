//! The last seconds of a series. Bursty trouble (a full accept queue every three seconds, a descriptor limit hit for one) is seen
//! reliably only in a trailing window, never in the last second alone.

use crate::model::{metric::Key, series::Point, time::Tick, world::World};

/// Seconds that bursty conditions are averaged over.
pub(super) const BURST: f64 = 10.0;
/// Seconds that busy conditions are averaged over, to rank parties steadily.
pub(super) const STEADY: f64 = 5.0;

/// A point stands for at most so many seconds before it: what is older was not measured, or was idle.
const REACH: f64 = 2.0;

fn from(world: &World<'_>, seconds: f64) -> Tick {
    Tick(world.now.tick.0.saturating_sub((seconds * 1e9) as u64))
}

/// The points of the last `seconds`, newest first.
pub(super) fn points<'w>(world: &World<'w>, key: &Key, seconds: f64) -> impl Iterator<Item = Point> + use<'w> {
    let from = from(world, seconds);
    let series = world.series.get(key);
    series.into_iter().flat_map(|s| s.points().rev()).take_while(move |p| p.at > from)
}

/// Mean of the points of the last `seconds`, if there are any.
pub(super) fn mean(world: &World<'_>, key: &Key, seconds: f64) -> Option<f64> {
    let (count, sum) = points(world, key, seconds).fold((0.0, 0.0), |(n, sum), p| (n + 1.0, sum + p.value));
    (count > 0.0).then(|| sum / count)
}

/// Mean over the last `seconds` of a series that has points only while something happens: silence counts as zero, unless the series
/// is younger than that.
pub(super) fn activity(world: &World<'_>, key: &Key, seconds: f64) -> Option<f64> {
    let from = from(world, seconds);
    let mut newer: Option<Point> = None;
    let (mut sum, mut oldest) = (0.0, None);
    for point in world.series.get(key)?.points().rev() {
        if let Some(next) = newer {
            sum += next.value * next.at.seconds_since(point.at.max(from)).min(REACH);
        }
        newer = (point.at > from).then_some(point);
        if newer.is_none() {
            oldest = Some(from);
            break;
        }
    }
    // The series begins within the window: its first point stands for one second.
    if let Some(first) = newer {
        sum += first.value;
        oldest = Some(Tick(first.at.0.saturating_sub(1_000_000_000)).max(from));
    }
    let span = world.now.tick.seconds_since(oldest?);
    (span > 0.0).then(|| sum / span)
}
