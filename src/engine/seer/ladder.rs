//! The course of one number at four resolutions: each coarser value is the time-weighted mean of the finer ones that it is made of.
//!
//! Steps are counted from 1970, so that those of all numbers and of a history fall together. A step of which less than half was seen is
//! a gap, and stays one in coarser steps.

use std::collections::VecDeque;

/// A resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Seconds per step.
    pub step: i64,
    /// Steps that are kept.
    pub most: usize,
}

/// The resolutions, finest first: ten minutes, two hours, a day, two weeks.
pub const SCALES: [Scale; 4] =
    [Scale { step: 1, most: 600 }, Scale { step: 10, most: 720 }, Scale { step: 60, most: 1440 }, Scale { step: 300, most: 4032 }];

/// Share of a step that must have been seen.
const SEEN: f64 = 0.5;

/// Room grows by so many values at a time, so that none is left unused for long.
const GROWTH: usize = 128;

/// Values of equal steps, oldest first; NaN is a gap.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// When the first step begins, in seconds since 1970.
    pub start: f64,
    /// Seconds per step.
    pub step: f64,
    /// One value per finished step.
    pub values: Vec<f64>,
}

impl Course {
    /// When the last step ends.
    pub fn end(&self) -> f64 {
        self.start + self.step * self.values.len() as f64
    }

    /// Steps that are no gap.
    pub fn known(&self) -> usize {
        self.values.iter().filter(|value| value.is_finite()).count()
    }

    /// The newest value.
    pub fn last(&self) -> Option<f64> {
        self.values.iter().rev().copied().find(|value| value.is_finite())
    }
}

/// What was seen of a step that is not over.
#[derive(Clone, Copy, Debug, Default)]
struct Gathered {
    /// Value times seconds.
    sum: f64,
    /// Seconds.
    seen: f64,
}

/// One resolution.
#[derive(Clone, Debug)]
struct Rung {
    scale: Scale,
    /// Number of the step that is not over.
    open: i64,
    gathered: Gathered,
    values: VecDeque<f32>,
}

impl Rung {
    fn new(scale: Scale, at: f64) -> Rung {
        Rung { scale, open: number(at, scale.step), gathered: Gathered::default(), values: VecDeque::new() }
    }

    /// Ends every step before number `to`; what was seen of the one that was open, if it counts.
    fn advance(&mut self, to: i64) -> Option<Gathered> {
        if to <= self.open {
            return None;
        }
        let gathered = std::mem::take(&mut self.gathered);
        let counts = gathered.seen >= SEEN * self.scale.step as f64;
        self.push(if counts { (gathered.sum / gathered.seen) as f32 } else { f32::NAN });
        let missed = usize::try_from(to - self.open - 1).unwrap_or(usize::MAX);
        if missed >= self.scale.most {
            self.values.clear();
        } else {
            (0..missed).for_each(|_| self.push(f32::NAN));
        }
        self.open = to;
        counts.then_some(gathered)
    }

    /// A series begins with a value.
    fn push(&mut self, value: f32) {
        if self.values.is_empty() && value.is_nan() {
            return;
        }
        if self.values.len() >= self.scale.most {
            self.values.pop_front();
        } else if self.values.len() == self.values.capacity() {
            self.values.reserve_exact(GROWTH.min(self.scale.most - self.values.len()));
        }
        self.values.push_back(value);
    }

    fn first(&self) -> i64 {
        self.open - self.values.len() as i64
    }

    /// Puts older values in where none is known yet.
    fn backfill(&mut self, older: impl Iterator<Item = (i64, f32)>) {
        let oldest = self.open - self.scale.most as i64;
        let mut older: Vec<(i64, f32)> = older.filter(|(step, _)| (oldest..self.open).contains(step)).collect();
        older.retain(|(_, value)| value.is_finite());
        let Some(first) = older.iter().map(|(step, _)| *step).min().map(|first| first.min(self.first())) else { return };
        let length = usize::try_from(self.open - first).unwrap_or_default();
        let mut values = VecDeque::new();
        values.reserve_exact(length);
        values.resize(length, f32::NAN);
        let own = (self.first()..).zip(self.values.iter().copied()).filter(|(_, value)| !value.is_nan());
        for (step, value) in older.into_iter().chain(own) {
            if let Some(slot) = usize::try_from(step - first).ok().and_then(|i| values.get_mut(i)) {
                *slot = value;
            }
        }
        self.values = values;
    }
}

/// The number of the step in which a time lies.
pub fn number(at: f64, step: i64) -> i64 {
    (at / step.max(1) as f64).floor() as i64
}

/// The course of one number at every resolution.
#[derive(Clone, Debug)]
pub struct Ladder {
    rungs: [Rung; 4],
    /// When a value was seen last, in seconds since 1970.
    pub seen: f64,
}

impl Ladder {
    /// Of a number that is seen from `at` on.
    pub fn new(at: f64) -> Ladder {
        Ladder { rungs: SCALES.map(|scale| Rung::new(scale, at)), seen: at }
    }

    /// Takes a value that held from one time to another, both in seconds since 1970. What is older than the newest finished step is
    /// left out.
    pub fn take(&mut self, (from, to): (f64, f64), value: f64) {
        if !value.is_finite() || to <= from {
            return;
        }
        self.seen = to;
        for second in number(from, 1)..=number(to, 1) {
            let seen = (to.min((second + 1) as f64) - from.max(second as f64)).max(0.0);
            let [finest, ..] = &self.rungs;
            if second > finest.open {
                self.advance(second as f64);
            }
            let [finest, ..] = &mut self.rungs;
            if second == finest.open {
                finest.gathered.sum += value * seen;
                finest.gathered.seen += seen;
            }
        }
    }

    /// Time has passed: steps that are over are finished.
    pub fn advance(&mut self, now: f64) {
        let mut up: Option<Gathered> = None;
        for rung in &mut self.rungs {
            let step = rung.scale.step;
            if let Some(more) = up.take() {
                rung.gathered.sum += more.sum;
                rung.gathered.seen += more.seen;
            }
            let to = number(now, step);
            up = rung.advance(to);
        }
    }

    /// The clock was set: all that is known moves by so many seconds.
    pub fn shift(&mut self, seconds: f64) {
        self.seen += seconds;
        for rung in &mut self.rungs {
            rung.open += (seconds / rung.scale.step as f64).round() as i64;
        }
    }

    /// Puts what was stored into a resolution, where nothing is known: beginnings of steps in seconds since 1970, and values.
    pub fn backfill(&mut self, rung: usize, older: impl Iterator<Item = (f64, f64)>) {
        if let Some(rung) = self.rungs.get_mut(rung) {
            let step = rung.scale.step;
            rung.backfill(older.map(|(at, value)| (number(at, step), value as f32)));
        }
    }

    /// The finished steps of a resolution.
    pub fn course(&self, rung: usize) -> Option<Course> {
        let rung = self.rungs.get(rung)?;
        let step = rung.scale.step as f64;
        let values = rung.values.iter().map(|value| f64::from(*value)).collect();
        Some(Course { start: rung.first() as f64 * step, step, values })
    }

    /// Number of the step of a resolution that is not over.
    pub fn open(&self, rung: usize) -> i64 {
        self.rungs.get(rung).map_or(0, |rung| rung.open)
    }

    /// Finished steps of a resolution, gaps included.
    pub fn length(&self, rung: usize) -> usize {
        self.rungs.get(rung).map_or(0, |rung| rung.values.len())
    }

    /// The value of a finished step; `None` for a gap and for what is not known (any more).
    pub fn at(&self, rung: usize, step: i64) -> Option<f64> {
        let rung = self.rungs.get(rung)?;
        let value = *rung.values.get(usize::try_from(step - rung.first()).ok()?)?;
        value.is_finite().then(|| value.into())
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        size_of::<Ladder>() + self.rungs.iter().map(|rung| rung.values.capacity() * size_of::<f32>()).sum::<usize>()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const START: f64 = 1_700_000_100.0;

    /// Values one second apart, each for the second before it.
    fn fed(values: impl IntoIterator<Item = f64>) -> Ladder {
        let mut ladder = Ladder::new(START);
        for (i, value) in values.into_iter().enumerate() {
            let at = START + i as f64;
            ladder.take((at, at + 1.0), value);
            ladder.advance(at + 1.0);
        }
        ladder
    }

    fn is_gap(value: &f64) -> bool {
        value.is_nan()
    }

    #[test]
    fn coarser_values_are_means_of_the_finer_ones() {
        let ladder = fed((0..600).map(f64::from));
        let course = |rung| ladder.course(rung).unwrap();
        assert_eq!(course(0).values[..3], [0.0, 1.0, 2.0]);
        assert_eq!((course(0).start, course(0).values.len()), (START, 600));
        assert_eq!(course(1).values[..3], [4.5, 14.5, 24.5]);
        assert_eq!((course(2).values[1], course(3).values[0]), (89.5, 149.5));
        assert_eq!((course(3).start, course(3).values.len(), course(3).end()), (START, 2, START + 600.0));
        assert_eq!(ladder.at(1, ladder.open(1) - 1), Some(594.5));
        assert_eq!(ladder.at(1, ladder.open(1)), None, "not over");
    }

    #[test]
    fn a_value_counts_for_the_time_that_it_held() {
        let mut ladder = Ladder::new(START);
        // Sweeps 5 s apart, off the grid.
        for i in 0..12 {
            let at = START + 0.5 + 5.0 * f64::from(i);
            ladder.take((at, at + 5.0), f64::from(i % 2));
        }
        ladder.advance(START + 60.0);
        assert_eq!(ladder.course(0).unwrap().values[4..7], [0.0, 0.5, 1.0]);
        let tens = ladder.course(1).unwrap().values;
        assert_eq!(tens.len(), 6);
        assert!((tens[0] - 4.5 / 9.5).abs() < 1e-6 && tens[1] == 0.5, "{tens:?}");
    }

    #[test]
    fn gaps_stay_gaps_and_half_a_step_is_a_value() {
        let seconds = (0..60).map(|s| if (14..20).contains(&s) || (25..30).contains(&s) { f64::NAN } else { 2.0 });
        let tens = fed(seconds).course(1).unwrap().values;
        assert!(is_gap(&tens[1]), "6 of 10 are missing");
        assert_eq!([tens[0], tens[2], tens[3]], [2.0; 3], "5 of 10 are there");
        assert_eq!(fed([f64::NAN; 30]).course(0).unwrap().values, [0.0; 0], "a series begins with a value");
    }

    #[test]
    fn every_resolution_is_bounded_and_its_bytes_are_counted() {
        let ladder = fed((0..30_000).map(|s| f64::from(s % 7)));
        for (rung, scale) in SCALES.iter().enumerate() {
            assert_eq!(ladder.length(rung), scale.most.min(30_000 / scale.step as usize));
        }
        let mut full = ladder;
        for (rung, scale) in SCALES.iter().enumerate() {
            let end = full.open(rung) as f64;
            full.backfill(rung, (0..5000).map(|i| ((end - 1.0 - f64::from(i)) * scale.step as f64, 1.0)));
            assert_eq!(full.length(rung), scale.most);
        }
        let values: usize = SCALES.iter().map(|scale| scale.most * 4).sum();
        assert_eq!(full.bytes(), values + size_of::<Ladder>());
        assert!(200 * full.bytes() < 6 << 20, "{}", full.bytes());
    }

    #[test]
    fn after_a_long_silence_it_begins_anew() {
        let mut ladder = fed([1.0; 100]);
        ladder.advance(START + 5000.0);
        assert_eq!(ladder.length(0), 0);
        assert_eq!(ladder.course(1).unwrap().known(), 10, "two hours are not over");
        ladder.take((START + 5000.0, START + 5001.0), 3.0);
        ladder.advance(START + 5001.0);
        assert_eq!(ladder.course(0).unwrap().values, [3.0]);
    }

    #[test]
    fn what_was_stored_fills_only_what_is_not_known() {
        let mut ladder = fed([5.0; 20]);
        ladder.backfill(1, (-3..9).map(|i| (START + 10.0 * f64::from(i), 1.0)));
        assert_eq!(ladder.course(1).unwrap(), Course { start: START - 30.0, step: 10.0, values: vec![1.0, 1.0, 1.0, 5.0, 5.0] });
        ladder.backfill(1, [(START - 60.0, 2.0), (START - 50.0, f64::NAN)].into_iter());
        let values = ladder.course(1).unwrap().values;
        assert!(values.len() == 8 && values[0] == 2.0 && is_gap(&values[1]) && is_gap(&values[2]), "{values:?}");
    }

    #[test]
    fn a_clock_that_is_set_moves_all_that_is_known() {
        let mut ladder = fed([5.0; 30]);
        ladder.shift(3600.0);
        assert_eq!(ladder.course(1).unwrap().start, START + 3600.0);
        ladder.take((START + 3630.0, START + 3631.0), 6.0);
        ladder.advance(START + 3631.0);
        assert_eq!(ladder.course(0).unwrap().values.last(), Some(&6.0));
        assert_eq!(ladder.length(0), 31);
    }

    #[test]
    fn values_from_before_and_values_that_are_none_change_nothing() {
        let mut ladder = fed([5.0; 30]);
        ladder.take((START, START + 5.0), 9.0);
        ladder.take((START + 40.0, START + 30.0), 9.0);
        ladder.take((START + 30.0, START + 31.0), f64::INFINITY);
        ladder.advance(START + 30.0);
        assert_eq!(ladder.course(0).unwrap().values, [5.0; 30]);
    }
}
