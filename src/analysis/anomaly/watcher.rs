//! One series, watched: how new is its value, its mean and its unrest over the last hour, its step, its distance from the usual day?
//! The sum of these novelties is its score. They see different things (a level never held, a burst, a flat line, a nightly job that
//! did not come), and what several of them see is rarely noise. Nothing here knows what the series is.

use crate::analysis::anomaly::{
    alarm::{Alarm, Call},
    novelty::Novelty,
    predictor::Predictor,
    spread::Spread,
    usual::{Stand, Usual},
    window::Window,
};

/// Greater values are cut to this: squares and sums stay finite.
const GREATEST: f64 = 1e30;
/// Rows after which a value counts as seen.
const LAG: usize = 12;
/// Rows of the last hour, at least and at most.
const HOUR: (usize, usize) = (4, 120);
/// The sum of novelties that calls.
const THRESHOLD: f64 = 0.8;
/// Seconds, and rows, without a value after which the last hour begins anew.
const GAP: (f64, f64) = (3_600.0, 3.0);
/// What is not odd, as shares of the value and of the standard deviation.
const FLOOR: (f64, f64) = (1e-3, 0.02);

/// What is said about one value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Verdict {
    /// How odd: 1 is the threshold of an alarm. Lowered where the last hours have seen something odder.
    pub score: f64,
    /// An alarm begins here, or grows.
    pub alert: bool,
    /// The range of 95 of 100 values at this time, in the series' unit; `None` while too little is known.
    pub expected: Option<(f64, f64)>,
    /// Distance from what the last rows let expect, in usual errors.
    pub step: f64,
    /// Distance from the usual day, or from the usual level where no day is known, in usual distances.
    pub day: f64,
}

/// The memory of one series.
#[derive(Clone, Debug)]
pub struct Watcher {
    /// Seconds after which the last hour begins anew.
    gap: f64,
    last: Option<(f64, f64)>,
    all: Spread,
    hour: Window,
    residuals: Window,
    usual: Usual,
    predictor: Predictor,
    value: Novelty,
    mean: Novelty,
    unrest: Novelty,
    change: Novelty,
    day: Novelty,
    alarm: Alarm,
}

impl Watcher {
    /// Knows nothing yet; values come every `step` seconds.
    pub fn new(step: f64) -> Watcher {
        let step = if step.is_finite() { step.clamp(1.0, 86_400.0) } else { 60.0 };
        let hour = ((3_600.0 / step).round() as usize).clamp(HOUR.0, HOUR.1);
        let rows = 86_400.0 / step;
        let (at, over) = (Novelty::new(LAG, rows), Novelty::new(2 * hour, rows));
        Watcher {
            gap: GAP.0.max(GAP.1 * step),
            last: None,
            all: Spread::default(),
            hour: Window::new(hour),
            residuals: Window::new(hour),
            usual: Usual::new(step),
            predictor: Predictor::default(),
            value: at.clone(),
            mean: over.clone(),
            unrest: over.clone(),
            change: at,
            day: over,
            alarm: Alarm::new(THRESHOLD),
        }
    }

    /// Takes the value at `time`, seconds of a clock whose days are the usual ones; `None`, or what is no number, is a gap. A
    /// clock that is put back is borne.
    pub fn take(&mut self, time: f64, value: Option<f64>) -> Verdict {
        let Some(value) = value.filter(|value| value.is_finite() && time.is_finite()) else { return Verdict::default() };
        let value = value.clamp(-GREATEST, GREATEST);
        if self.last.is_some_and(|(last, _)| time - last > self.gap) {
            self.resume();
        }
        let Stand { odd, residual, expected } = self.usual.take(time, value, self.floor(value));
        let step = self.predictor.take(time, value);
        let novelty = self.novelty(value, residual);
        self.last = Some((time, value));
        let Call { score, alert } = self.alarm.take(time, novelty);
        Verdict { score, alert, expected, step, day: odd }
    }

    /// After a gap there is no last step and no last hour.
    fn resume(&mut self) {
        self.last = None;
        self.hour.clear();
        self.residuals.clear();
        self.predictor.resume();
    }

    fn floor(&self, value: f64) -> f64 {
        FLOOR.0 * value.abs() + FLOOR.1 * self.all.deviation()
    }

    /// The sum of what is new about the value.
    fn novelty(&mut self, value: f64, residual: Option<f64>) -> f64 {
        self.hour.take(value);
        self.all.learn(value);
        let mut sum = self.value.take(value);
        if let Some((_, last)) = self.last {
            sum += self.change.take(value - last);
        }
        if self.hour.ready() {
            // Unrest is compared by its ratio; below the floor it is none.
            let unrest = self.hour.deviation() + self.floor(value) + f64::MIN_POSITIVE;
            sum += self.mean.take(self.hour.mean()) + self.unrest.take(unrest.ln());
        }
        if let Some(residual) = residual {
            self.residuals.take(residual);
            if self.residuals.ready() {
                sum += self.day.take(self.residuals.mean());
            }
        }
        sum
    }
}
