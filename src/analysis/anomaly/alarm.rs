//! When a score is an alarm: once for each episode, later for who is hardly known, and not often. Each alarm uses up some of what an
//! operator can bear from one source in a day; once that is used up, the price of the next alarm rises, so that a series which finds
//! something new every other day is heard only when it shouts. This bounds false alarms by what was measured on the series itself.

/// Seconds without a greater score after which an episode is over.
const EPISODE: f64 = 10_800.0;
/// What is left of a score that is not the greatest of its episode.
const REST: f64 = 0.3;
/// Seconds of history that halve the price of an alarm, down to its threshold.
const ACQUAINTED: f64 = 21_600.0;
/// Alarms a day that are borne from one source, unless told otherwise.
const RATE: f64 = 0.1;
/// Alarms that may be saved up.
const SAVED: f64 = 3.0;
/// What each alarm beyond those adds to the price of the next, in thresholds.
const DEARER: f64 = 0.25;

/// The decision about one stream of scores.
#[derive(Clone, Debug)]
pub struct Alarm {
    threshold: f64,
    /// Alarms a day that are borne.
    rate: f64,
    /// Alarms that are borne now.
    saved: f64,
    /// The greatest score of the episode, and when it was.
    greatest: f64,
    when: f64,
    /// When the newest alarm began.
    called: f64,
    /// Seconds that have passed since the first row; a clock that is put back does not count.
    clock: f64,
    last: Option<f64>,
}

/// What is to be said about one row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Call {
    /// The score, 1 at the threshold; lowered where an episode has seen a greater one.
    pub score: f64,
    /// It is an alarm.
    pub alert: bool,
}

impl Alarm {
    /// Calls at scores of `threshold` and more.
    pub fn new(threshold: f64) -> Alarm {
        let never = f64::NEG_INFINITY;
        Alarm { threshold, rate: RATE, saved: SAVED, greatest: 0.0, when: never, called: never, clock: 0.0, last: None }
    }

    /// Bears `rate` alarms a day.
    pub fn bearing(self, rate: f64) -> Alarm {
        Alarm { rate, ..self }
    }

    /// Decides about the score of the row at `time`, seconds.
    pub fn take(&mut self, time: f64, score: f64) -> Call {
        let passed = self.last.replace(time).map_or(0.0, |last| (time - last).max(0.0));
        self.clock += passed;
        self.saved = (self.saved + self.rate * passed / 86_400.0).min(SAVED);
        if self.clock - self.when > EPISODE {
            self.greatest = 0.0;
        }
        let score = score / self.threshold;
        if score <= self.greatest {
            return Call { score: score * REST, alert: false };
        }
        (self.greatest, self.when) = (score, self.clock);
        let again = self.clock - self.called <= EPISODE;
        let owed = if again { 0.0 } else { (1.0 - self.saved).max(0.0) };
        let alert = self.clock > 0.0 && score >= 1.0 + DEARER * owed + ACQUAINTED / self.clock;
        if alert {
            self.saved -= f64::from(u8::from(!again));
            self.called = self.clock;
        }
        Call { score, alert }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const HOUR: f64 = 3_600.0;

    /// An alarm that has known its source for a hundred days.
    fn old() -> Alarm {
        let mut alarm = Alarm::new(2.0);
        alarm.take(-100.0 * 24.0 * HOUR, 0.0);
        alarm
    }

    #[test]
    fn an_episode_calls_when_it_begins_and_when_it_grows() {
        let mut alarm = old();
        assert_eq!(alarm.take(0.0, 3.0), Call { score: 1.5, alert: true });
        assert_eq!(alarm.take(HOUR, 2.5), Call { score: 1.25 * REST, alert: false });
        assert_eq!(alarm.take(2.0 * HOUR, 4.0), Call { score: 2.0, alert: true });
        assert_eq!(alarm.take(6.0 * HOUR, 2.5), Call { score: 1.25, alert: true });
    }

    #[test]
    fn who_calls_too_often_must_shout() {
        let mut alarm = old();
        let called = |alarm: &mut Alarm, from: f64, score: f64| {
            (0..20).filter(|at| alarm.take((from + f64::from(*at) * 12.0) * HOUR, score).alert).count()
        };
        // Three were saved up, and ten days earn one more.
        assert_eq!(called(&mut alarm, 0.0, 2.1), 4);
        assert!(alarm.take(500.0 * HOUR, 20.0).alert);
        let calm = 500.0 + 24.0 * 30.0;
        assert!(alarm.take(calm * HOUR, 2.1).alert);
    }

    #[test]
    fn a_clock_put_back_silences_nobody() {
        let mut alarm = old();
        assert!(alarm.take(0.0, 3.0).alert);
        assert!(!alarm.take(-9_000.0 * HOUR, 2.5).alert);
        assert!(alarm.take(-8_996.0 * HOUR, 2.5).alert);
    }

    #[test]
    fn the_first_hours_cost_more() {
        let mut alarm = Alarm::new(1.0);
        assert!(!alarm.take(0.0, 1e6).alert);
        assert!(!alarm.take(12.0 * HOUR, 1.4).alert);
        assert!(alarm.take(24.0 * HOUR, 1.4).alert);
    }
}
