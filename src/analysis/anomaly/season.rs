//! The usual day: what a series was around this time of day on the six days before. The median of three
//! or more days does not learn from one bad one. Days of the week are not told apart.

/// Days remembered, the present one included.
const DAYS: usize = 7;
/// Neighbouring slots on each side that count as the same time of day.
const BESIDE: usize = 2;
/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// Seven days of one series, by time of day.
#[derive(Clone, Debug)]
pub struct Season {
    /// Slots of a day.
    slots: usize,
    /// The mean of each slot of the last days, day after day; NaN where nothing was seen.
    past: Vec<f32>,
    /// The slot that is being filled: its number since the epoch, sum and count.
    filling: Option<(i64, f64, f64)>,
    /// Subtracted before values are stored.
    origin: f64,
    scratch: Vec<f32>,
}

impl Season {
    /// For rows every `step` seconds: slots of five minutes, or of one row where rows are rarer.
    pub fn new(step: f64) -> Season {
        let width = step.clamp(300.0, 7_200.0);
        let slots = ((DAY / width).round() as usize).max(1);
        Season { slots, past: vec![f32::NAN; slots * DAYS], filling: None, origin: 0.0, scratch: Vec::new() }
    }

    fn slot(&self, time: f64) -> i64 {
        (time * self.slots as f64 / DAY).floor() as i64
    }

    /// The median of what was seen around this time of day on the days before; `None` with less than two days of it.
    pub fn usual(&mut self, time: f64) -> Option<f64> {
        let slot = self.slot(time);
        let (per, all) = (self.slots as i64, self.past.len() as i64);
        self.scratch.clear();
        for day in 1..DAYS as i64 {
            for beside in -(BESIDE as i64)..=BESIDE as i64 {
                let at = (slot - day * per + beside).rem_euclid(all);
                let value = self.past.get(at as usize).copied().unwrap_or(f32::NAN);
                if !value.is_nan() {
                    self.scratch.push(value);
                }
            }
        }
        let count = self.scratch.len();
        if count < 2 * (2 * BESIDE + 1) {
            return None;
        }
        let (_, &mut middle, _) = self.scratch.select_nth_unstable_by(count / 2, f32::total_cmp);
        Some(f64::from(middle) + self.origin)
    }

    /// Takes a value.
    pub fn learn(&mut self, time: f64, value: f64) {
        let slot = self.slot(time);
        match &mut self.filling {
            Some((filling, sum, count)) if *filling == slot => {
                *sum += value;
                *count += 1.0;
            }
            Some(_) => self.turn(slot, value),
            None => {
                self.origin = value;
                self.filling = Some((slot, value, 1.0));
            }
        }
    }

    /// Stores the full slot, forgets those that had no row, begins the next.
    fn turn(&mut self, slot: i64, value: f64) {
        let all = self.past.len() as i64;
        if let Some((filled, sum, count)) = self.filling.replace((slot, value, 1.0)) {
            let mean = (sum / count - self.origin) as f32;
            if let Some(place) = self.past.get_mut(filled.rem_euclid(all) as usize) {
                *place = mean;
            }
            for gap in (filled + 1..slot).take(self.past.len()) {
                if let Some(place) = self.past.get_mut(gap.rem_euclid(all) as usize) {
                    *place = f32::NAN;
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_is_the_median_of_the_days_before() {
        let mut season = Season::new(300.0);
        for row in 0..4 * 288 {
            let (day, slot) = (row / 288, row % 288);
            let value = if day == 2 { 1e6 } else { slot as f64 };
            season.learn(row as f64 * 300.0, value);
            let usual = season.usual(row as f64 * 300.0 + 300.0);
            assert_eq!(usual.is_some(), row > 2 * 288, "row {row}: {usual:?}");
        }
        let usual = season.usual((4 * 288 + 100) as f64 * 300.0).unwrap();
        assert!((usual - 100.0).abs() <= BESIDE as f64, "{usual}");
    }

    #[test]
    fn days_without_rows_are_forgotten() {
        let mut season = Season::new(300.0);
        (0..3 * 288).for_each(|row| season.learn(f64::from(row) * 300.0, 5.0));
        assert_eq!(season.usual(3.0 * DAY), Some(5.0));
        season.learn(30.0 * DAY, 7.0);
        season.learn(30.0 * DAY + 300.0, 7.0);
        assert_eq!(season.usual(30.0 * DAY + 600.0), None);
    }
}
