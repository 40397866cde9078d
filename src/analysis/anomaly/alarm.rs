//! When a score is an alarm: one for each episode, and not many. A score counts in full only if it beats all of the last half day; and
//! each alarm raises the price of the next one, which falls again by the rate that an operator can bear, so that a series that always
//! finds something new is heard less.

/// Seconds in which a lower score belongs to the same episode.
const EPISODE: f64 = 43_200.0;
/// What is left of a score within an episode.
const REST: f64 = 0.1;
/// Alarms a day that an operator can bear, for one series.
const RATE: f64 = 0.1;
/// Alarms saved up at most.
const SAVED: f64 = 2.0;

/// The decision.
#[derive(Clone, Debug)]
pub struct Alarm {
    threshold: f64,
    best: f64,
    when: f64,
    last: Option<f64>,
    saved: f64,
}

/// What is to be said about one row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Call {
    /// The score, 1 at the threshold; lowered within an episode that has seen a greater one.
    pub score: f64,
    /// It is an alarm.
    pub alert: bool,
}

impl Alarm {
    /// Calls at scores of `threshold` and more.
    pub fn new(threshold: f64) -> Alarm {
        Alarm { threshold, best: 0.0, when: f64::NEG_INFINITY, last: None, saved: SAVED }
    }

    /// Decides about the score of the row at `time`, seconds.
    pub fn take(&mut self, time: f64, score: f64) -> Call {
        let passed = self.last.map_or(0.0, |last| (time - last).max(0.0));
        self.last = Some(time);
        self.saved = (self.saved + RATE * passed / 86_400.0).min(SAVED);
        let score = score / self.threshold;
        if time - self.when > EPISODE {
            self.best = 0.0;
        }
        if score <= self.best {
            return Call { score: score * REST, alert: false };
        }
        self.best = score;
        self.when = time;
        let price = 1.0 + (1.0 - self.saved).max(0.0);
        let alert = score >= price;
        if alert {
            self.saved -= 1.0;
        }
        Call { score, alert }
    }
}
