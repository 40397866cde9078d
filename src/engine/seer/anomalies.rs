//! What is odd now: a watcher for each number that matters, at ten seconds and at a minute, and the host as a whole.
//!
//! A watcher alone may call falsely once in ten days. A host has many numbers, so only those that matter call, what two resolutions of
//! one number see is one anomaly, and all of them together have a budget of calls that refills slowly.

use crate::{
    analysis::anomaly::{
        host::Joint,
        watcher::{Verdict, Watcher},
    },
    engine::seer::{
        ladder::SCALES,
        shelf::{Shelf, Weight},
    },
    model::{
        finding::Severity,
        metric::Key,
        outlook::{Anomaly, Unusual},
        time::Wall,
    },
};
use std::collections::{BTreeMap, VecDeque};

/// The resolutions that are watched, as places in [`SCALES`], and numbers that are watched at each.
const WATCHED: [(usize, usize); 2] = [(1, 16), (2, 48)];

/// Steps that are looked at in one go.
const CHUNK: usize = 256;

/// Steps that may lie between the newest one and one that calls: what is older is only learnt from.
const FRESH: i64 = 3;

/// Calls that may be saved up, and seconds until there is one more: twelve a day for a host.
const SAVED: f64 = 4.0;
const PAUSE: f64 = 7200.0;

/// Steps within the expected range after which an anomaly is over, and seconds after which it is over in any case: it is the usual then.
const CALM: usize = 3;
const LONGEST: f64 = 43_200.0;

/// Anomalies that are told, and seconds for which one that is over is.
const TOLD: usize = 64;
const KEPT: f64 = 86_400.0;

/// A score at which it deserves more than notice.
const SEVERE: f64 = 2.0;

/// Numbers of which an unusual host is told to consist.
const BY: usize = 5;

struct Watch {
    watcher: Watcher,
    /// Number of the step that it has not seen yet.
    next: i64,
    verdict: Verdict,
    calm: usize,
}

/// All that is odd.
pub struct Anomalies {
    watches: BTreeMap<(Key, usize), Watch>,
    /// Newest first.
    told: VecDeque<Anomaly>,
    saved: f64,
    at: Option<f64>,
    host: Joint,
    /// Number of the minute that the host was looked at last.
    minute: i64,
    /// The host as a whole, while it is unusual.
    pub unusual: Option<Unusual>,
}

impl Default for Anomalies {
    fn default() -> Self {
        Anomalies {
            watches: BTreeMap::new(),
            told: VecDeque::new(),
            saved: SAVED,
            at: None,
            host: Joint::default(),
            minute: 0,
            unusual: None,
        }
    }
}

impl Anomalies {
    /// Newest first.
    pub fn told(&self) -> Vec<Anomaly> {
        self.told.iter().cloned().collect()
    }

    /// Chooses who is watched, and lets watchers see what is new; true when anything that is told has changed.
    pub fn take(&mut self, shelf: &Shelf, now: f64) -> bool {
        let passed = (now - self.at.replace(now).unwrap_or(now)).max(0.0);
        self.saved = (self.saved + passed / PAUSE).min(SAVED);
        self.choose(shelf);
        let mut changed = self.forget(now);
        let names: Vec<(Key, usize)> = self.watches.keys().cloned().collect();
        for name in names {
            changed |= self.look(&name, shelf, FRESH as usize);
        }
        changed | self.whole()
    }

    /// Lets a watcher that has much to learn from the past learn some of it; false when nobody has.
    pub fn learn(&mut self, shelf: &Shelf) -> bool {
        let behind =
            |(key, rung): &(Key, usize), watch: &Watch| shelf.get(key).map_or(0, |row| row.ladder.open(*rung) - watch.next);
        let most = self.watches.iter().max_by_key(|(name, watch)| behind(name, watch));
        let Some(name) = most.filter(|(name, watch)| behind(name, watch) > FRESH).map(|(name, _)| name.clone()) else {
            return false;
        };
        self.look(&name, shelf, CHUNK);
        true
    }

    /// Bytes that it holds, those of watchers estimated by what they have seen: a net of 512 points for each of five views, a season, and
    /// what waits to be learnt.
    pub fn bytes(&self) -> usize {
        let watchers: usize = self.watches.keys().map(|(_, rung)| if *rung == 1 { 56 << 10 } else { 34 << 10 }).sum();
        watchers + self.told.capacity() * size_of::<Anomaly>()
    }

    /// The clock was set by so many seconds.
    pub fn shift(&mut self, seconds: f64) {
        for ((_, rung), watch) in &mut self.watches {
            let step = SCALES.get(*rung).map_or(1, |scale| scale.step);
            watch.next += (seconds / step as f64).round() as i64;
        }
        self.at = self.at.map(|at| at + seconds);
        self.minute += (seconds / 60.0).round() as i64;
    }

    fn choose(&mut self, shelf: &Shelf) {
        let vital = || shelf.iter().filter(|(_, row)| row.weight == Weight::Vital);
        let is_vital = |key: &Key| shelf.get(key).is_some_and(|row| row.weight == Weight::Vital);
        self.watches.retain(|(key, _), _| is_vital(key));
        for (rung, most) in WATCHED {
            let step = SCALES.get(rung).map_or(1, |scale| scale.step);
            let room = most.saturating_sub(self.watches.keys().filter(|(_, of)| *of == rung).count());
            let fresh = vital().filter(|(key, _)| !self.watches.contains_key(&((*key).clone(), rung)));
            let fresh: Vec<(Key, i64)> =
                fresh.take(room).map(|(key, row)| (key.clone(), row.ladder.open(rung) - row.ladder.length(rung) as i64)).collect();
            for (key, next) in fresh {
                let watch = Watch { watcher: Watcher::new(step as f64), next, verdict: Verdict::default(), calm: 0 };
                self.watches.insert((key, rung), watch);
            }
        }
    }

    /// Lets one watcher see at most so many steps.
    fn look(&mut self, name: &(Key, usize), shelf: &Shelf, most: usize) -> bool {
        let (key, rung) = name;
        let Some((watch, row)) = self.watches.get_mut(name).zip(shelf.get(key)) else { return false };
        let (open, step) = (row.ladder.open(*rung), SCALES.get(*rung).map_or(1, |scale| scale.step));
        // Whoever has much to learn does so in turns of its own.
        if most <= FRESH as usize && open - watch.next > FRESH {
            return false;
        }
        let mut changed = false;
        for _ in 0..most {
            let Some(watch) = self.watches.get_mut(name).filter(|watch| watch.next < open) else { break };
            let number = watch.next;
            watch.next += 1;
            let (value, end) = (row.ladder.at(*rung, number), (number + 1) * step);
            watch.verdict = watch.watcher.take(end as f64, value);
            let verdict = watch.verdict;
            if let Some(value) = value.filter(|_| open - number <= FRESH) {
                changed |= self.judge(name, (end, value), &verdict);
            }
        }
        changed
    }

    /// What a verdict changes in what is told.
    fn judge(&mut self, name: &(Key, usize), (end, value): (i64, f64), verdict: &Verdict) -> bool {
        let at = Wall(end * 1000);
        if let Some(open) = self.told.iter_mut().find(|told| told.key == name.0 && told.until.is_none()) {
            let (low, high) = open.expected;
            let Some(watch) = self.watches.get_mut(name) else { return false };
            let outside = |value: f64| (low - value).max(value - high);
            watch.calm = if outside(value) <= 0.0 { watch.calm + 1 } else { 0 };
            if watch.calm >= CALM || at.0 - open.since.0 > (LONGEST * 1000.0) as i64 {
                open.until = Some(at);
            } else if outside(value) > outside(open.value) {
                open.value = value;
                open.score = open.score.max(verdict.score);
            }
            return open.until.is_some();
        }
        let Some(expected) = verdict.expected.filter(|_| verdict.alert && self.saved >= 1.0) else { return false };
        self.saved -= 1.0;
        if let Some(watch) = self.watches.get_mut(name) {
            watch.calm = 0;
        }
        let severity = if verdict.score >= SEVERE { Severity::Warning } else { Severity::Notice };
        let anomaly = Anomaly { key: name.0.clone(), since: at, until: None, value, expected, score: verdict.score, severity };
        self.told.push_front(anomaly);
        self.told.truncate(TOLD);
        true
    }

    /// What is over for long is not told any more, and what nobody watches any more is over.
    fn forget(&mut self, now: f64) -> bool {
        let before = self.told.len();
        let wall = Wall((now * 1000.0) as i64);
        let mut ended = false;
        for told in self.told.iter_mut().filter(|told| told.until.is_none()) {
            if !self.watches.keys().any(|(key, _)| *key == told.key) {
                told.until = Some(wall);
                ended = true;
            }
        }
        self.told.retain(|told| told.until.is_none_or(|until| wall.0 - until.0 < (KEPT * 1000.0) as i64));
        ended || self.told.len() != before
    }

    /// The host as a whole, once a minute: how far its numbers are from what their last values and their usual days let expect.
    fn whole(&mut self) -> bool {
        let [_, (rung, _)] = WATCHED;
        let seen = self.watches.iter().filter(|((_, of), _)| *of == rung);
        let ready: Vec<(&Key, &Verdict, i64)> = seen.map(|((key, _), watch)| (key, &watch.verdict, watch.next)).collect();
        let Some(minute) = ready.iter().map(|(_, _, next)| *next).max().filter(|minute| *minute > self.minute) else {
            return false;
        };
        self.minute = minute;
        let all: Vec<(&Key, &Verdict)> =
            ready.into_iter().filter(|(_, _, next)| *next == minute).map(|(key, verdict, _)| (key, verdict)).collect();
        let verdicts: Vec<Verdict> = all.iter().map(|(_, verdict)| **verdict).collect();
        let together = self.host.take((minute * 60) as f64, &verdicts);
        let was = self.unusual.is_some();
        if together.alert || was && together.score >= 1.0 {
            let since = self.unusual.as_ref().map_or(Wall(minute * 60_000), |unusual| unusual.since);
            let mut by: Vec<(Key, f64)> = all.iter().map(|(key, _)| (*key).clone()).zip(together.shares).collect();
            by.sort_by(|(a, x), (b, y)| y.total_cmp(x).then_with(|| a.cmp(b)));
            by.truncate(BY);
            self.unusual = Some(Unusual { since, score: together.score, by });
        } else {
            self.unusual = None;
        }
        was || self.unusual.is_some()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{
        metric::Metric,
        snapshot::{Disk, Reading, Snapshot},
        subject::Subject,
    };
    use std::collections::BTreeSet;

    const START: i64 = 1_700_006_400;

    fn noise(which: i64, second: i64) -> f64 {
        let mixed = (second * 64 + which).unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        ((mixed ^ (mixed >> 32)) & 0xFFFF) as f64 / 65_536.0
    }

    /// Disks with noisy traffic; `odd` adds to the reads of the first one.
    fn snapshot(second: i64, odd: f64) -> Snapshot {
        let disk = |which: i64| Disk {
            name: format!("d{which}").into(),
            read: 100.0 + 10.0 * noise(which, second) + if which == 0 { odd } else { 0.0 },
            busy: 0.3 + 0.1 * noise(which + 20, second),
            ..Disk::default()
        };
        Snapshot { disks: Reading::Known((0..3).map(disk).collect()), ..Snapshot::default() }
    }

    /// Plays sweeps ten seconds apart; how often what is told has changed.
    fn play(all: (&mut Shelf, &mut Anomalies), seconds: std::ops::Range<i64>, odd: f64) -> usize {
        let (shelf, anomalies) = all;
        let mut changes = 0;
        for second in seconds.step_by(10) {
            let now = (START + second) as f64;
            shelf.take(now, &snapshot(second, odd), &BTreeSet::new());
            changes += usize::from(anomalies.take(shelf, now));
        }
        changes
    }

    #[test]
    fn what_was_never_seen_is_told_once_with_its_range_and_its_end_and_noise_hardly_ever() {
        let (mut shelf, mut anomalies) = (Shelf::default(), Anomalies::default());
        play((&mut shelf, &mut anomalies), 0..86_400, 0.0);
        assert!(anomalies.told().len() <= 1, "noise: {:?}", anomalies.told());
        let before = anomalies.told().len();
        play((&mut shelf, &mut anomalies), 86_400..86_700, 400.0);
        let read = Key::new(Subject::Disk("d0".into()), Metric::DiskRead);
        let told = anomalies.told();
        assert_eq!(told.len(), before + 1, "one number, one anomaly: {told:?}");
        let odd = &told[0];
        assert!(odd.key == read && odd.until.is_none() && odd.value > 400.0, "{odd:?}");
        assert!(odd.expected.0 > 80.0 && odd.expected.1 < 200.0, "{odd:?}");
        assert!((odd.since.0 / 1000 - START - 86_400).abs() <= 60, "{odd:?}");
        play((&mut shelf, &mut anomalies), 86_700..87_300, 0.0);
        let over = &anomalies.told()[0];
        assert!((over.until.unwrap().0 / 1000 - START - 86_700).abs() < 300, "{over:?}");
        anomalies.forget((START + 87_300) as f64 + KEPT);
        assert!(anomalies.told().iter().all(|told| told.key != read), "a day later it is not told any more");
    }

    #[test]
    fn the_host_has_so_many_calls_and_no_more() {
        let (mut shelf, mut anomalies) = (Shelf::default(), Anomalies::default());
        play((&mut shelf, &mut anomalies), 0..14_400, 0.0);
        anomalies.saved = 0.5;
        play((&mut shelf, &mut anomalies), 14_400..14_700, 400.0);
        assert!(anomalies.told().is_empty(), "there is no call left: {:?}", anomalies.told());
    }

    #[test]
    fn a_past_that_came_from_a_history_is_learnt_in_turns_and_calls_nobody() {
        let (mut shelf, mut anomalies) = (Shelf::default(), Anomalies::default());
        play((&mut shelf, &mut Anomalies::default()), 0..7200, 0.0);
        let now = (START + 7200) as f64;
        let key = Key::new(Subject::Disk("d1".into()), Metric::DiskRead);
        shelf.get_mut(&key).unwrap().ladder.backfill(2, (1..600).map(|i| (now - 7200.0 - 60.0 * f64::from(i), 1e6)));
        anomalies.take(&shelf, now);
        let mut turns = 0;
        while anomalies.learn(&shelf) {
            turns += 1;
        }
        assert!(turns > 10 && anomalies.told().is_empty(), "{turns}");
        assert!(anomalies.watches.iter().all(|((key, rung), watch)| watch.next == shelf.get(key).unwrap().ladder.open(*rung)));
    }
}
