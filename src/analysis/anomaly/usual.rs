//! What is usual for a series at this moment: its usual day, once two days of it are known, and where the last hours were relative to
//! that. A day of the week that differs, or a new level, is followed within hours. The range of 95 of 100 values is as wide as it had to
//! be so far, whatever the distribution: it widens with each miss and narrows with each hit (adaptive conformal inference, Gibbs and
//! Candès 2021).

use crate::analysis::anomaly::{level::Level, season::Season};

/// Deviations that hold 95 of 100 values where they are normal.
const NORMAL: f64 = 1.96;
/// Share of values outside of the range.
const OUTSIDE: f64 = 0.05;
/// How fast the range learns, and how far it may go from the normal one.
const LEARN: f64 = 0.05;
const WIDEST: f64 = 20.0;

/// How a value stands to what is usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stand {
    /// Distance from what is usual, in usual distances.
    pub odd: f64,
    /// What is left of the value after its usual day and the present level; `None` while no day is known.
    pub residual: Option<f64>,
    /// The range of 95 of 100 values, in the series' unit; `None` while too little is known.
    pub expected: Option<(f64, f64)>,
}

/// The usual day of a series, and its level.
#[derive(Clone, Debug)]
pub struct Usual {
    /// Rows of a day.
    rows: f64,
    season: Season,
    /// The level was learnt relative to the usual day.
    seasonal: bool,
    level: Level,
    /// Deviations that hold 95 of 100 values.
    wide: f64,
}

impl Usual {
    /// For values every `step` seconds.
    pub fn new(step: f64) -> Usual {
        let rows = 86_400.0 / step;
        Usual { rows, season: Season::new(step), seasonal: false, level: Usual::level(rows), wide: NORMAL }
    }

    /// Follows within six hours, and knows the scale of a day.
    fn level(rows: f64) -> Level {
        Level::new(rows / 4.0, rows)
    }

    /// Takes the value at `time`, seconds; distances below `floor` are not odd.
    pub fn take(&mut self, time: f64, value: f64, floor: f64) -> Stand {
        let day = self.season.usual(time);
        self.season.learn(time, value);
        if day.is_some() != self.seasonal {
            self.seasonal = day.is_some();
            self.level = Usual::level(self.rows);
        }
        let middle = day.unwrap_or_default() + self.level.level();
        let half = self.wide * self.level.scale();
        let expected = self.level.known().then_some((middle - half, middle + half));
        if expected.is_some() {
            let missed = if (value - middle).abs() > half { 1.0 - OUTSIDE } else { -OUTSIDE };
            self.wide = (self.wide * (LEARN * missed).exp()).clamp(NORMAL / WIDEST, NORMAL * WIDEST);
        }
        let residual = day.map(|_| value - middle);
        Stand { odd: self.level.take(value - day.unwrap_or_default(), floor), residual, expected }
    }
}
