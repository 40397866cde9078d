//! What is looked at next, and whether there is time for it: a bucket of cpu time that fills at the budget's rate, and the number whose
//! forecast is most overdue for what it matters.
//!
//! A forecast costs what it costs, so the bucket may be overdrawn by one of them and is then waited for: over any stretch of time no
//! more is used than the budget's share of it, what the bucket holds, and one forecast.

use crate::{
    engine::seer::{ladder::SCALES, shelf::Shelf},
    model::metric::Key,
};
use std::collections::VecDeque;

/// Seconds of the budget that are there at the start, so that the first forecasts stand soon, and those that can be saved up later.
const START: f64 = 50.0;
const SAVED: f64 = 5.0;

/// Nanoseconds at once at most: others want the processor, too.
const AT_ONCE: f64 = 50e6;

/// Seconds over which the use is told, and between two of its marks.
const TOLD: f64 = 300.0;
const MARK: f64 = 10.0;

/// Cpu time that may be used.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Nanoseconds per second.
    rate: f64,
    /// Nanoseconds that are there; below zero they are owed.
    level: f64,
    /// Nanoseconds that may still be used at once.
    turn: f64,
    at: Option<f64>,
    spent: f64,
    /// What had been spent when.
    marks: VecDeque<(f64, f64)>,
}

impl Bucket {
    /// For a share of one core.
    pub fn new(share: f64) -> Bucket {
        let rate = share * 1e9;
        Bucket { rate, level: rate * START, turn: 0.0, at: None, spent: 0.0, marks: VecDeque::new() }
    }

    /// Time has passed; another turn begins. Times are seconds since 1970.
    pub fn pass(&mut self, now: f64) {
        let passed = (now - self.at.replace(now).unwrap_or(now)).clamp(0.0, START);
        let full = (self.rate * SAVED).max(self.level);
        self.level = (self.level + self.rate * passed).min(full);
        self.turn = AT_ONCE;
        if self.marks.back().is_none_or(|(at, _)| now - at >= MARK || now < *at) {
            self.marks.push_back((now, self.spent));
            while self.marks.front().is_some_and(|(at, _)| now - at > TOLD || now < *at) {
                self.marks.pop_front();
            }
        }
    }

    /// Whether something may be begun.
    pub fn may(&self) -> bool {
        self.level > 0.0 && self.turn > 0.0
    }

    /// So many nanoseconds were used.
    pub fn spend(&mut self, nanos: u64) {
        let nanos = nanos as f64;
        self.level -= nanos;
        self.turn -= nanos;
        self.spent += nanos;
    }

    /// Share of a core that it may be.
    pub fn budget(&self) -> f64 {
        self.rate / 1e9
    }

    /// Share of a core over the last minutes.
    pub fn used(&self) -> f64 {
        let first = self.marks.front().zip(self.at);
        first.map_or(0.0, |((at, spent), now)| (self.spent - spent) / 1e9 / (now - at).max(1.0))
    }
}

/// Steps ahead at each resolution.
pub const AHEAD: [usize; 4] = [60, 30, 30, 24];

/// Finished steps without which there is nothing to learn from.
pub const LEAST: [usize; 4] = [120, 30, 30, 36];

/// With so many steps of ten seconds, those of one second are not needed.
const WARM: usize = 60;

/// Steps after which a forecast is due to be made anew, by weight and resolution.
const PATIENCE: [[f64; 4]; 3] = [[15.0, 3.0, 1.0, 1.0], [f64::INFINITY, 12.0, 4.0, 2.0], [f64::INFINITY, 30.0, 10.0, 3.0]];

/// How overdue a forecast is that was never made.
const NEVER: [f64; 3] = [8.0, 4.0, 2.0];

/// Seconds, beside two steps, for which a number may not have been seen and is still looked ahead at.
const UNSEEN: f64 = 30.0;

/// The number and resolution whose forecast is most overdue, if any is due. `made` is the step that was open when it was made last.
pub fn next(shelf: &Shelf, now: f64, made: impl Fn(&Key, usize) -> Option<i64>) -> Option<(Key, usize)> {
    let mut best: Option<(f64, &Key, usize)> = None;
    for (key, row) in shelf.iter() {
        for (rung, (scale, least)) in SCALES.iter().zip(LEAST).enumerate() {
            let (ladder, weight) = (&row.ladder, row.weight as usize);
            let warm = rung == 0 && ladder.length(1) >= WARM;
            if ladder.length(rung) < least || warm || now - ladder.seen > UNSEEN + 2.0 * scale.step as f64 {
                continue;
            }
            let patience = PATIENCE.get(weight).and_then(|all| all.get(rung)).copied().unwrap_or(f64::INFINITY);
            let overdue = match made(key, rung) {
                Some(made) => (ladder.open(rung) - made) as f64 / patience,
                None if patience.is_finite() => NEVER.get(weight).copied().unwrap_or_default(),
                None => 0.0,
            };
            if overdue >= 1.0 && best.is_none_or(|(most, ..)| overdue > most) {
                best = Some((overdue, key, rung));
            }
        }
    }
    best.map(|(_, key, rung)| (key.clone(), rung))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{
        engine::seer::ladder::Ladder,
        model::{
            metric::Metric,
            snapshot::{Disk, Reading, Snapshot},
            subject::Subject,
        },
    };
    use std::collections::{BTreeMap, BTreeSet};

    const START_AT: f64 = 1_700_000_100.0;

    /// An hour of turns in which everything that may be is begun, each costing `cost` ms; what was spent by the end of each second.
    fn spend_all(bucket: &mut Bucket, cost: u64) -> Vec<f64> {
        (0..3600)
            .map(|second| {
                bucket.pass(START_AT + f64::from(second));
                while bucket.may() {
                    bucket.spend(cost * 1_000_000);
                }
                bucket.spent / 1e9
            })
            .collect()
    }

    #[test]
    fn no_stretch_of_time_costs_more_than_the_budget() {
        for cost in [1, 8, 300] {
            let mut bucket = Bucket::new(0.01);
            let spent = spend_all(&mut bucket, cost);
            let start = 0.01 * START;
            for window in [10, 60, 600, 3000] {
                for from in 0..3600 - window {
                    let used = spent[from + window] - spent[from];
                    // After the first minute what was there at the start is used up.
                    let extra = if from < 60 { start } else { 0.01 * SAVED };
                    let most = 0.01 * window as f64 + extra + cost as f64 / 1e3;
                    assert!(used <= most + 1e-9, "{used} s of {window} s from {from} at {cost} ms each");
                }
            }
            assert!(*spent.last().unwrap() > 0.0099 * 3600.0, "and what there is is used: {:?}", spent.last());
            assert!((bucket.used() - 0.01).abs() < 0.002, "{}", bucket.used());
            assert_eq!(bucket.budget(), 0.01);
        }
    }

    #[test]
    fn time_that_was_not_used_is_not_saved_up_for_long() {
        let mut bucket = Bucket::new(0.01);
        bucket.pass(START_AT);
        bucket.spend(600_000_000);
        bucket.pass(START_AT + 1.0);
        assert!(!bucket.may(), "owed");
        for late in [100.0, 200.0, 10_000.0, 20_000.0] {
            bucket.pass(START_AT + late);
        }
        let mut used = 0;
        while bucket.may() {
            bucket.spend(1_000_000);
            used += 1;
        }
        assert_eq!(used, 50, "five seconds of one hundredth");
    }

    fn shelf(disks: usize) -> Shelf {
        let disk = |n: usize| Disk { name: format!("d{n:02}").into(), ..Disk::default() };
        let snapshot = Snapshot { disks: Reading::Known((0..disks).map(disk).collect()), ..Snapshot::default() };
        let mut shelf = Shelf::default();
        for second in 0..4000 {
            shelf.take(START_AT + f64::from(second), &snapshot, &BTreeSet::new());
        }
        shelf
    }

    /// Lets `per_minute` forecasts be made for an hour; how long ago, in steps, each of a resolution was made at most in its second half.
    fn starve(per_minute: usize, rung: usize) -> BTreeMap<Key, i64> {
        let mut shelf = shelf(20);
        let snapshot = Snapshot {
            disks: Reading::Known((0..20).map(|n| Disk { name: format!("d{n:02}").into(), ..Disk::default() }).collect()),
            ..Snapshot::default()
        };
        let mut made: BTreeMap<(Key, usize), i64> = BTreeMap::new();
        let mut oldest: BTreeMap<Key, i64> = BTreeMap::new();
        for second in 4000..7600 {
            let now = START_AT + f64::from(second);
            shelf.take(now, &snapshot, &BTreeSet::new());
            for _ in 0..if second % 60 == 0 { per_minute } else { 0 } {
                let Some((key, rung)) = next(&shelf, now, |key, rung| made.get(&(key.clone(), rung)).copied()) else { break };
                let open = shelf.get(&key).unwrap().ladder.open(rung);
                made.insert((key, rung), open);
            }
            for (key, row) in shelf.iter().filter(|_| second > 5800) {
                let age = made.get(&(key.clone(), rung)).map_or(i64::MAX, |made| row.ladder.open(rung) - made);
                let most = oldest.entry(key.clone()).or_default();
                *most = age.max(*most);
            }
        }
        oldest
    }

    #[test]
    fn starving_delays_all_but_what_matters_least_of_all_the_most() {
        let disk = |metric| Key::new(Subject::Disk("d07".into()), metric);
        let plenty = starve(400, 2);
        assert!(plenty[&disk(Metric::DiskBusy)] <= 4 && plenty[&disk(Metric::DiskQueue)] <= 11, "{plenty:?}");
        let little = starve(40, 2);
        let (vital, usual) = (little[&disk(Metric::DiskBusy)], little[&disk(Metric::DiskQueue)]);
        assert!(vital < 20 && usual < 60 && vital * 2 < usual, "{vital} {usual}");
    }

    #[test]
    fn nothing_is_made_of_too_little_nor_of_what_is_gone_nor_twice() {
        let mut shelf = shelf(1);
        let now = START_AT + 4000.0;
        let mut made = BTreeMap::new();
        let mut rungs = BTreeSet::new();
        while let Some((key, rung)) = next(&shelf, now, |key, rung| made.get(&(key.clone(), rung)).copied()) {
            rungs.insert(rung);
            let open = shelf.get(&key).unwrap().ladder.open(rung);
            assert_eq!(made.insert((key, rung), open), None);
        }
        assert_eq!(rungs, BTreeSet::from([1, 2]), "66 minutes: no seconds any more, too few steps of 5 minutes");
        assert_eq!(next(&shelf, now + 200.0, |_, _| None), None, "not seen for minutes");
        let key = shelf.iter().map(|(key, _)| key.clone()).next().unwrap();
        shelf.get_mut(&key).unwrap().ladder = Ladder::new(now);
        assert!(next(&shelf, now, |other, _| (*other != key).then_some(i64::MAX)).is_none());
    }
}
