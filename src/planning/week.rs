//! Which hours of the week are quiet here, learned from the host's own load. Pure.
//!
//! Each hour of the week has the mean cpu use, and the mean rate of requests where services are measured, of the times that it was seen;
//! an older week counts half of the one after it, and what is older than fourteen days counts nothing. An hour that was never seen is
//! taken to be like the same hour of the days that were. Quiet is what stands at or below the 30th percentile of all hours, in every
//! channel, as long as the present is not above their median. Less than three days say nothing.

use crate::model::{
    hours::Minute,
    time::Wall,
    week::{HOURS, Hour, Week},
};

/// Share of hours that are quiet.
const QUIET: f64 = 0.3;
/// Hours that must have been seen.
const LEAST: usize = 72;
/// Milliseconds after which an hour is forgotten.
const FORGOTTEN: i64 = 15 * 86_400_000;
/// Part of an hour that must have been seen for it to count, in readings a second apart at best.
const SEEN: u32 = 600;
/// Readings that the present is the mean of.
const PRESENT: f64 = 60.0;

/// A load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Busy share of all cores.
    pub busy: f64,
    /// Requests per second of all measured services together.
    pub served: Option<f64>,
}

/// Learns the week.
#[derive(Clone, Debug, Default)]
pub struct Learner {
    /// What is known.
    pub week: Week,
    hour: usize,
    sum: (f64, f64),
    count: u32,
    services: bool,
    present: Option<Load>,
}

impl Learner {
    /// One who knows this already.
    pub fn knowing(week: Week) -> Learner {
        let mut slots = week.0;
        slots.resize(HOURS, None);
        Learner { week: Week(slots), ..Learner::default() }
    }

    /// Takes one reading; true when an hour has just been learned.
    pub fn take(&mut self, minute: Minute, now: Wall, load: Load) -> bool {
        let hour = (minute.0 / 60) as usize % HOURS;
        let closed = hour != self.hour && self.close(now);
        if hour != self.hour {
            (self.hour, self.sum, self.count, self.services) = (hour, (0.0, 0.0), 0, false);
        }
        if load.busy.is_finite() {
            self.sum.0 += load.busy;
            self.sum.1 += load.served.unwrap_or(0.0);
            self.services |= load.served.is_some();
            self.count += 1;
            let fade = |before: f64, new: f64| before + (new - before) / PRESENT;
            let served = |before: Option<f64>| load.served.map(|new| before.map_or(new, |before| fade(before, new)));
            self.present = Some(self.present.map_or(load, |p| Load { busy: fade(p.busy, load.busy), served: served(p.served) }));
        }
        closed
    }

    fn close(&mut self, now: Wall) -> bool {
        if self.count < SEEN {
            return false;
        }
        let count = f64::from(self.count);
        let new = Load { busy: self.sum.0 / count, served: self.services.then_some(self.sum.1 / count) };
        self.learn(self.hour, now, new);
        true
    }

    /// Learns one whole hour, such as one from the history.
    pub fn learn(&mut self, hour: usize, at: Wall, new: Load) {
        let Some(slot) = self.week.0.get_mut(hour) else { return };
        let old = slot.filter(|old| at.0 - old.at.0 < FORGOTTEN);
        let half = |old: f64, new: f64| f64::midpoint(old, new);
        *slot = Some(Hour {
            busy: old.map_or(new.busy, |old| half(old.busy, new.busy)),
            served: match (old.and_then(|old| old.served), new.served) {
                (Some(old), Some(new)) => Some(half(old, new)),
                (old, new) => new.or(old),
            },
            at,
        });
    }

    /// Whether this hour is quiet; `None` as long as too little is known.
    pub fn is_quiet(&self, minute: Minute, now: Wall) -> Option<bool> {
        let fresh: Vec<Option<&Hour>> =
            self.week.0.iter().map(|slot| slot.as_ref().filter(|hour| now.0 - hour.at.0 < FORGOTTEN)).collect();
        if fresh.iter().flatten().count() < LEAST {
            return None;
        }
        let hour = (minute.0 / 60) as usize % HOURS;
        let busy = is_low(&fresh, hour, |h| Some(h.busy), self.present.map(|p| p.busy));
        let served = is_low(&fresh, hour, |h| h.served, self.present.and_then(|p| p.served));
        Some(busy? && served.unwrap_or(true))
    }
}

/// Whether one channel is low in that hour; `None` where it was never measured.
fn is_low(week: &[Option<&Hour>], hour: usize, of: impl Fn(&Hour) -> Option<f64>, present: Option<f64>) -> Option<bool> {
    let expected: Vec<Option<f64>> = (0..week.len()).map(|hour| expect(week, hour, &of)).collect();
    let mut order: Vec<f64> = expected.iter().flatten().copied().collect();
    order.sort_by(f64::total_cmp);
    let at = |share: f64| order.get(((order.len() as f64 * share) as usize).min(order.len().saturating_sub(1))).copied();
    let (quiet, median) = (at(QUIET)?, at(0.5)?);
    let calm = present.is_none_or(|present| present <= median.max(quiet));
    Some(expected.get(hour).copied().flatten()? <= quiet && calm)
}

/// What an hour was, or else the same hour of the days that were seen.
fn expect(week: &[Option<&Hour>], hour: usize, of: &impl Fn(&Hour) -> Option<f64>) -> Option<f64> {
    let value = |hour: usize| week.get(hour).copied().flatten().and_then(of);
    value(hour).or_else(|| {
        let others: Vec<f64> = (0..7).filter_map(|day| value(day * 24 + hour % 24)).collect();
        (!others.is_empty()).then(|| others.iter().sum::<f64>() / others.len() as f64)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const MONDAY: i64 = 1_700_438_400_000; // 2023-11-20 00:00 UTC

    /// So many hours from Monday on, with the load of each.
    fn learned(hours: usize, load: impl Fn(usize) -> f64) -> Learner {
        let mut learner = Learner::default();
        for hour in 0..=hours {
            for second in 0..700 {
                let now = Wall(MONDAY + hour as i64 * 3_600_000 + second * 1000);
                let minute = Minute(((hour * 60) % (HOURS * 60)) as u32);
                learner.take(minute, now, Load { busy: load(hour), served: None });
            }
        }
        learner
    }

    fn busy_by_day(hour: usize) -> f64 {
        if (7..23).contains(&(hour % 24)) { 0.7 } else { 0.1 }
    }

    fn quiet(learner: &Learner, hour: usize, now: i64) -> Option<bool> {
        learner.is_quiet(Minute((hour % HOURS * 60) as u32), Wall(MONDAY + now * 3_600_000))
    }

    #[test]
    fn nights_are_quiet_once_three_days_were_seen_also_on_days_that_were_not() {
        assert_eq!(quiet(&learned(71, busy_by_day), 2, 71), None, "three days are not over");
        let known = learned(74, busy_by_day);
        assert_eq!(quiet(&known, 2, 74), Some(true));
        assert_eq!(quiet(&known, 12, 74), Some(false));
        assert_eq!(quiet(&known, 5 * 24 + 2, 74), Some(true), "Saturday's night is taken to be like the others");
        assert_eq!(quiet(&known, 2, 74 + 16 * 24), None, "a fortnight later nothing of it counts");
    }

    #[test]
    fn a_night_that_is_busy_after_all_is_not_quiet() {
        let mut known = learned(74, busy_by_day);
        for second in 0..300 {
            let now = Wall(MONDAY + 74 * 3_600_000 + (700 + second) * 1000);
            known.take(Minute(74 * 60 + 20), now, Load { busy: 0.95, served: None });
        }
        assert_eq!(quiet(&known, 74, 74), Some(false));
    }

    #[test]
    fn a_newer_week_counts_more_and_requests_count_as_well() {
        let mut learner = Learner::default();
        for week in 0..2 {
            for hour in 0..HOURS {
                let at = Wall(MONDAY + ((week * HOURS + hour) as i64) * 3_600_000);
                let night = !(7..23).contains(&(hour % 24));
                // The cpu is the same all day; requests come at night, from the second week on.
                let served = if night && week == 1 { 1000.0 } else { 10.0 };
                learner.learn(hour, at, Load { busy: 0.3, served: Some(served) });
            }
        }
        assert_eq!(learner.week.0[2].unwrap().served, Some(505.0));
        assert_eq!(quiet(&learner, 2, 2 * HOURS as i64), Some(false));
        assert_eq!(quiet(&learner, 12, 2 * HOURS as i64), Some(true));
    }
}
