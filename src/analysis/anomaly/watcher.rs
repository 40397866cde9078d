//! One series, watched: how new is its value, its mean and its unrest of the last hour, its last step, its distance from the usual day?
//! The sum of these novelties is its score: they see different things (a level never held, a burst, a flat line, a nightly job that
//! did not come), and what several see is rarely noise.

use crate::analysis::anomaly::{
    alarm::{Alarm, Call},
    level::Level,
    novelty::Novelty,
    predictor::Predictor,
    season::Season,
    spread::Spread,
    window::Window,
};

/// Greater values are cut to this: squares and sums stay finite.
const GREATEST: f64 = 1e30;
/// Rows after which a value counts as seen.
const LAG: usize = 12;
/// The score that calls.
pub const THRESHOLD: f64 = 1.1;

/// What is said about one row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Verdict {
    /// How odd, 1 at the threshold.
    pub score: f64,
    /// An alarm begins here.
    pub alert: bool,
    /// The range expected, 95 of 100 values, in the series' unit.
    pub expected: Option<(f64, f64)>,
    /// Distance from what the last rows let expect, in usual errors.
    pub step: f64,
    /// Distance from the usual day, in usual errors.
    pub day: f64,
    /// Each view.
    pub views: [f64; 5],
}

/// The memory of one series.
#[derive(Clone, Debug)]
pub struct Watcher {
    hour: Window,
    all: Spread,
    last: Option<f64>,
    value: Novelty,
    mean: Novelty,
    unrest: Novelty,
    step: Novelty,
    day: Novelty,
    season: Season,
    known: bool,
    off: Level,
    predictor: Predictor,
    alarm: Alarm,
    calm: f64,
}

impl Watcher {
    /// Knows nothing yet; rows come every `step` seconds.
    pub fn new(step: f64) -> Watcher {
        let step = if step.is_finite() { step.clamp(1.0, 86_400.0) } else { 60.0 };
        let hour = ((3600.0 / step).round() as usize).clamp(4, 360);
        let day = 86_400.0 / step;
        Watcher {
            hour: Window::new(hour),
            all: Spread::default(),
            last: None,
            value: Novelty::new(LAG),
            mean: Novelty::new(2 * hour),
            unrest: Novelty::new(2 * hour),
            step: Novelty::new(LAG),
            day: Novelty::new(LAG),
            season: Season::new(step),
            known: false,
            off: Level::new(day / 4.0, day),
            predictor: Predictor::default(),
            alarm: Alarm::new(THRESHOLD),
            calm: day,
        }
    }

    /// Takes the value at `time`, seconds; `None` is a gap.
    pub fn take(&mut self, time: f64, value: Option<f64>) -> Verdict {
        let Some(value) = value.filter(|value| value.is_finite() && time.is_finite()) else { return Verdict::default() };
        let value = value.clamp(-GREATEST, GREATEST);
        let usual = self.season.usual(time);
        if usual.is_some() != self.known {
            self.known = usual.is_some();
            self.off = Level::new(self.calm / 4.0, self.calm);
        }
        let residual = value - usual.unwrap_or_default();
        let floor = 1e-3 * value.abs() + 0.02 * self.all.deviation();
        let day = self.off.take(residual, floor);
        let step = self.predictor.take(time, value);
        let views = self.views(value, usual.map(|_| residual));
        self.season.learn(time, value);
        let Call { score, alert } = self.alarm.take(time, views.iter().sum());
        let (level, wide) = (usual.unwrap_or_default() + self.off.level(), 1.96 * (self.off.scale() + floor));
        Verdict { score, alert, expected: Some((level - wide, level + wide)), step, day, views }
    }

    fn views(&mut self, value: f64, residual: Option<f64>) -> [f64; 5] {
        self.hour.take(value);
        self.all.learn(value);
        let change = value - self.last.replace(value).unwrap_or(value);
        let unrest = self.hour.deviation() + 0.02 * self.all.deviation() + 1e-4 * value.abs() + 1e-12;
        [
            self.value.take(value),
            self.mean.take(self.hour.mean()),
            self.unrest.take(unrest.ln()),
            self.step.take(change),
            residual.map_or(0.0, |residual| self.day.take(residual)),
        ]
    }
}
