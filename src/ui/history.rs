//! What the charts draw: the values of each view that has come, kept for as long as a chart can show.

use crate::model::{
    message::{View, Welcome},
    metric::{Key, Metric},
    readings,
    series::{Point, Series, SeriesSet},
    subject::Subject,
    time::Tick,
};
use std::time::Duration;

/// Seconds of a dot in the charts of the host: a column of two moves once in four seconds.
pub const STEP: Duration = Duration::from_secs(2);

/// Points kept of each series: ten minutes at one a second.
const MOST: usize = 600;

/// A value is held for so long, or for so many times what lay between it and the one before, where the host is swept more slowly; a
/// longer silence is a hole in the chart.
const HELD: Duration = Duration::from_millis(2500);
const PACES: f64 = 2.0;

/// Series that charts draw.
#[derive(Clone, Debug, Default)]
pub struct History {
    set: SeriesSet,
}

impl History {
    /// The history that the engine sends along at the beginning.
    pub fn begin(welcome: &Welcome) -> History {
        let mut history = History::default();
        for (key, points) in welcome.history.iter().filter(|(key, _)| is_drawn(key)) {
            for point in points {
                history.set.push(key.clone(), *point, MOST);
            }
        }
        history.take(&welcome.view);
        history
    }

    /// Adds what a view says. The same snapshot twice adds nothing.
    pub fn take(&mut self, view: &View) {
        let at = view.snapshot.vitals.now.tick;
        let set = &mut self.set;
        readings::snapshot(&view.snapshot, &mut |key, value| {
            if is_drawn(&key) {
                set.push(key, Point { at, value }, MOST);
            }
        });
        let oldest = Tick(at.0.saturating_sub(Duration::from_secs(MOST as u64).as_nanos() as u64));
        self.set.forget(oldest, |_| false);
    }

    /// Adds one value of the past.
    pub fn push(&mut self, key: Key, point: Point) {
        self.set.push(key, point, MOST);
    }

    /// The series of a key.
    pub fn get(&self, key: &Key) -> Option<&Series> {
        self.set.get(key)
    }

    /// `count` values that end at `now`, one per `step`, the newest last.
    pub fn dots(&self, key: &Key, now: Tick, step: Duration, count: usize) -> Vec<Option<f64>> {
        match self.get(key) {
            Some(series) => sample(series.points(), now, step, count),
            None => vec![None; count],
        }
    }
}

/// Processes come and go by the thousand and have no chart.
pub fn is_drawn(key: &Key) -> bool {
    match &key.subject {
        Subject::Host => !matches!(key.metric, Metric::ContextSwitches),
        Subject::Disk(_)
        | Subject::Filesystem(_)
        | Subject::Interface(_)
        | Subject::Service(_)
        | Subject::Cgroup(_)
        | Subject::Network(_)
        | Subject::Gpu(_) => true,
        Subject::Cpu(_) | Subject::Process(_) => false,
    }
}

/// The step in which the newest dot of a chart stands. It is always the right one of a column of two, so that a chart moves by whole
/// columns: what is drawn stays as it is between two moves, and so does the terminal's line.
pub fn newest(now: Tick, step: u64) -> u64 {
    (now.0 / step.max(1)) | 1
}

/// The column of a moment in a chart of `width` columns that ends at `now`, if it is in view.
pub fn column(now: Tick, at: Tick, step: Duration, width: u16) -> Option<u16> {
    if at > now {
        return None;
    }
    let step = (step.as_nanos() as u64).max(1);
    let back = newest(now, step).checked_sub(at.0 / step)? / 2;
    u16::try_from(back).ok().and_then(|back| width.checked_sub(back + 1))
}

/// `count` values that end at `now`, one per `step`: the greatest of each step, or the last one before if it is fresh. Steps are cut
/// at whole multiples, so that a value never changes its shape as it moves. The newest dot may be yet to come.
pub fn sample(points: impl DoubleEndedIterator<Item = Point>, now: Tick, step: Duration, count: usize) -> Vec<Option<f64>> {
    let step = u64::try_from(step.as_nanos()).unwrap_or(u64::MAX).max(1);
    let newest = newest(now, step);
    let mut dots = vec![None; count];
    let mut points = with_pace(points.rev().skip_while(|p| p.at > now)).peekable();
    for (back, dot) in dots.iter_mut().rev().enumerate() {
        let Some(slot) = newest.checked_sub(back as u64) else { break };
        if slot > now.0 / step {
            continue;
        }
        let mut most: Option<f64> = None;
        while let Some((point, _)) = points.next_if(|(p, _)| p.at.0 / step >= slot) {
            most = Some(most.map_or(point.value, |m| m.max(point.value)));
        }
        let end = Tick((slot + 1).saturating_mul(step));
        let held = |pace: Duration| HELD.max(Duration::from_nanos(step * 2)).max(pace.mul_f64(PACES));
        *dot = most.or_else(|| points.peek().filter(|(p, pace)| end.since(p.at) <= held(*pace)).map(|(p, _)| p.value));
    }
    dots
}

/// Each point, newest first, with the time from the one before it; zero for the oldest.
fn with_pace(points: impl Iterator<Item = Point>) -> impl Iterator<Item = (Point, Duration)> {
    let mut points = points.peekable();
    std::iter::from_fn(move || {
        let point = points.next()?;
        Some((point, points.peek().map_or(Duration::ZERO, |before| point.at.since(before.at))))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn points(all: &[(u64, f64)]) -> Vec<Point> {
        all.iter().map(|(millis, value)| Point { at: Tick(millis * 1_000_000), value: *value }).collect()
    }

    #[test]
    fn each_dot_is_the_peak_of_its_step_or_the_fresh_value_before() {
        let all = points(&[(1000, 1.0), (1400, 5.0), (1900, 2.0), (3100, 3.0), (9000, 9.0)]);
        let dots = sample(all.into_iter(), Tick(9_500_000_000), Duration::from_secs(1), 10);
        let expect = [None, Some(5.0), Some(2.0), Some(3.0), Some(3.0), None, None, None, None, Some(9.0)];
        assert_eq!(dots, expect);
    }

    #[test]
    fn slow_sweeps_leave_no_holes_and_a_silence_does() {
        let all = points(&[(1000, 1.0), (6000, 2.0), (11_000, 3.0), (40_000, 4.0)]);
        let dots = sample(all.into_iter(), Tick(41_500_000_000), Duration::from_secs(1), 42);
        assert!(dots[6..20].iter().all(Option::is_some), "{dots:?}");
        assert!(dots[25..40].iter().all(Option::is_none), "{dots:?}");
    }

    #[test]
    fn a_value_keeps_its_height_as_it_moves() {
        let all = points(&[(1000, 1.0), (2000, 2.0), (3000, 3.0)]);
        let at = |millis: u64| sample(all.clone().into_iter(), Tick(millis * 1_000_000), Duration::from_secs(2), 3);
        assert_eq!(at(3000), [None, Some(1.0), Some(3.0)]);
        assert_eq!(at(3999), at(3000));
    }

    #[test]
    fn points_after_now_are_not_drawn_so_that_a_frozen_chart_stands() {
        let all = points(&[(1000, 1.0), (2000, 2.0)]);
        assert_eq!(sample(all.into_iter(), Tick(1_500_000_000), Duration::from_secs(1), 1), [Some(1.0)]);
    }

    #[test]
    fn a_chart_moves_by_whole_columns() {
        let all = points(&[(1000, 1.0), (2000, 2.0), (3000, 3.0)]);
        let at = |millis: u64| sample(all.clone().into_iter(), Tick(millis * 1_000_000), Duration::from_secs(1), 4);
        assert_eq!(at(1000), [None, None, None, Some(1.0)]);
        assert_eq!(at(2000), [None, Some(1.0), Some(2.0), None], "the right half of the newest column is yet to come");
        assert_eq!(at(3000), [None, Some(1.0), Some(2.0), Some(3.0)]);
    }
}
