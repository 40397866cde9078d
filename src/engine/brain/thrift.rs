//! Thrift: when trimtab costs more than its budget, or the host is in distress and trimtab itself has to wait, it sweeps less often,
//! in steps, and recovers in steps. A pure decision; the fast lane, where emergencies show, is never slowed.
//!
//! A step down needs [`WORSE`] looks in a row with a reason, a step up [`BETTER`] without one, and room in the budget for what the
//! quicker pace will cost.

use crate::model::{
    limits::Budget,
    message::{Pace, Slow},
    snapshot::Snapshot,
};
use std::time::Duration;

/// Seconds between sweeps of each step, unless the operator wants fewer of them anyway.
const STEPS: [f64; 3] = [0.0, 2.0, 5.0];

/// Looks with a reason before a step down.
const WORSE: u32 = 3;

/// Looks without one before a step up.
const BETTER: u32 = 5;

/// What the next quicker pace may cost of the budget.
const ROOM: f64 = 0.8;

/// Shares of time: all of cpu pressure, our own waiting, and full memory pressure, that make distress, and below which it has ended.
const DISTRESS: [(f64, f64); 3] = [(0.5, 0.3), (0.1, 0.05), (0.1, 0.05)];

/// How long between sweeps an operator may ask for, in milliseconds.
pub const ASKED: std::ops::RangeInclusive<u32> = 500..=10_000;

/// Decides how often the host is swept.
#[derive(Debug)]
pub struct Thrift {
    budget: Budget,
    asked: f64,
    step: usize,
    why: Option<Slow>,
    worse: u32,
    better: u32,
}

/// What it looks at: shares of time, and cores.
#[derive(Clone, Copy, Debug, Default)]
pub struct Strain {
    /// Cores that sweeping uses.
    pub cpu: f64,
    /// Some task waited for cpu.
    pub pressure: f64,
    /// Our own threads waited for cpu.
    pub waited: f64,
    /// All tasks waited for memory.
    pub full: f64,
    /// Trouble is foreseen within minutes: what heads there has to be seen often enough, for as long as that takes.
    pub urgent: bool,
}

impl Strain {
    /// Of this host now; sweeping takes so many cores.
    pub fn of(snapshot: &Snapshot, sweeping: f64, own: u32) -> Strain {
        let pressure = snapshot.vitals.pressure.known();
        let processes = snapshot.processes.known();
        let we = processes.and_then(|all| all.iter().find(|process| process.id.pid == own));
        Strain {
            cpu: sweeping,
            pressure: pressure.map_or(0.0, |p| p.cpu.some10),
            waited: we.and_then(|process| process.wait).unwrap_or(0.0),
            full: pressure.map_or(0.0, |p| p.memory.full10),
            urgent: false,
        }
    }
}

impl Thrift {
    /// At the usual pace.
    pub fn new(budget: Budget) -> Thrift {
        Thrift { budget, asked: 1.0, step: 0, why: None, worse: 0, better: 0 }
    }

    /// What is in force.
    pub fn pace(&self) -> Pace {
        let sweep = self.sweep(self.step);
        Pace { asked: self.asked, sweep, slow: self.why.filter(|_| sweep > self.asked) }
    }

    /// What may be used.
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// Time between sweeps.
    pub fn every(&self) -> Duration {
        Duration::from_secs_f64(self.sweep(self.step))
    }

    /// The operator wants another pace.
    pub fn ask(&mut self, seconds: f64) {
        self.asked = seconds;
    }

    /// Looks once; true when the pace has changed.
    pub fn look(&mut self, strain: &Strain) -> bool {
        let before = self.step;
        match self.reason(strain) {
            _ if strain.urgent => (self.better, self.worse, self.step) = (0, 0, 0),
            Some(why) => {
                (self.better, self.worse) = (0, self.worse + 1);
                if self.worse >= WORSE {
                    (self.worse, self.why) = (0, Some(why));
                    self.step = (self.step + 1).min(STEPS.len() - 1);
                }
            }
            None => {
                self.worse = 0;
                self.better = if self.has_ended(strain) { self.better + 1 } else { 0 };
                if self.better >= BETTER {
                    self.better = 0;
                    self.step = self.step.saturating_sub(1);
                }
            }
        }
        if self.step == 0 {
            self.why = None;
        }
        self.sweep(before) != self.sweep(self.step)
    }

    fn sweep(&self, step: usize) -> f64 {
        self.asked.max(STEPS.get(step).copied().unwrap_or(0.0))
    }

    fn reason(&self, strain: &Strain) -> Option<Slow> {
        let [(pressure, _), (waited, _), (full, _)] = DISTRESS;
        if strain.full > full {
            Some(Slow::Full)
        } else if strain.pressure > pressure && strain.waited > waited {
            Some(Slow::Starved)
        } else {
            (strain.cpu > self.budget.cpu).then_some(Slow::Budget)
        }
    }

    /// The distress is over by more than a hair, and the quicker pace has room in the budget.
    fn has_ended(&self, strain: &Strain) -> bool {
        let [(_, pressure), (_, waited), (_, full)] = DISTRESS;
        let quicker = self.sweep(self.step) / self.sweep(self.step.saturating_sub(1));
        let fits = strain.cpu * quicker <= self.budget.cpu * ROOM;
        fits && strain.full < full && (strain.pressure < pressure || strain.waited < waited)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const BUDGET: Budget = Budget { cpu: 0.01, resident: 60 << 20 };
    const CALM: Strain = Strain { cpu: 0.003, pressure: 0.0, waited: 0.0, full: 0.0, urgent: false };

    fn looks(thrift: &mut Thrift, strain: Strain, count: usize) -> Vec<f64> {
        (0..count).map(|_| (thrift.look(&strain), thrift.pace().sweep).1).collect()
    }

    #[test]
    fn over_the_budget_it_slows_down_in_steps_and_recovers_in_steps() {
        let mut thrift = Thrift::new(BUDGET);
        let over = Strain { cpu: 0.02, ..CALM };
        assert_eq!(looks(&mut thrift, over, 2), [1.0, 1.0], "twice may be chance");
        assert_eq!(looks(&mut thrift, over, 5), [2.0, 2.0, 2.0, 5.0, 5.0]);
        assert_eq!(thrift.pace().slow, Some(Slow::Budget));
        assert_eq!(looks(&mut thrift, CALM, 10), [5.0, 5.0, 5.0, 5.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0]);
        assert_eq!(thrift.pace(), Pace::default());
    }

    #[test]
    fn it_stays_slow_while_the_quicker_pace_would_be_over_the_budget_again() {
        let mut thrift = Thrift::new(BUDGET);
        looks(&mut thrift, Strain { cpu: 0.012, ..CALM }, 3);
        // Half the sweeps cost half: 6 thousandths now would be 12 again.
        assert_eq!(looks(&mut thrift, Strain { cpu: 0.006, ..CALM }, 20), [2.0; 20]);
        assert_eq!(looks(&mut thrift, Strain { cpu: 0.0039, ..CALM }, 5).last(), Some(&1.0));
    }

    #[test]
    fn a_busy_host_slows_it_only_when_it_waits_itself() {
        let mut thrift = Thrift::new(BUDGET);
        looks(&mut thrift, Strain { pressure: 0.9, ..CALM }, 20);
        assert_eq!(thrift.pace(), Pace::default());
        looks(&mut thrift, Strain { pressure: 0.9, waited: 0.3, ..CALM }, 3);
        assert_eq!(thrift.pace().slow, Some(Slow::Starved));
        // Between the two levels nothing moves.
        looks(&mut thrift, Strain { pressure: 0.4, waited: 0.07, ..CALM }, 20);
        assert_eq!(thrift.pace().sweep, 2.0);
        looks(&mut thrift, Strain { full: 0.2, ..CALM }, 3);
        assert_eq!((thrift.pace().sweep, thrift.pace().slow), (5.0, Some(Slow::Full)));
    }

    #[test]
    fn while_trouble_is_foreseen_within_minutes_nothing_slows_it() {
        let mut thrift = Thrift::new(BUDGET);
        let starved = Strain { pressure: 0.9, waited: 0.3, full: 0.2, ..CALM };
        assert_eq!(looks(&mut thrift, starved, 6).last(), Some(&5.0));
        assert_eq!(looks(&mut thrift, Strain { urgent: true, ..starved }, 9), [1.0; 9]);
        assert_eq!(looks(&mut thrift, starved, 3).last(), Some(&2.0));
    }

    #[test]
    fn what_the_operator_wants_is_the_quickest_pace() {
        let mut thrift = Thrift::new(BUDGET);
        thrift.ask(10.0);
        let changed = (0..9).any(|_| thrift.look(&Strain { cpu: 0.02, ..CALM }));
        assert!(!changed);
        assert_eq!(thrift.pace(), Pace { asked: 10.0, sweep: 10.0, slow: None });
        thrift.ask(0.5);
        assert_eq!(thrift.pace().sweep, 5.0);
    }
}
