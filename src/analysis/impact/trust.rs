//! Trust in the judge: trials in which nothing was done, judged like any other. What they would have kept or blamed is a false alarm, and
//! with too many of them no verdict of this host can be believed.
//!
//! Trust is lost when the rate is surely above 8 % (one-sided 95 % bound of the binomial after Clopper and Pearson), and regained when the
//! rate among the newest trials is no longer above it.

use crate::{
    analysis::impact::distribution,
    model::verdict::{Outcome, Trust},
};
use std::collections::VecDeque;

/// False alarms that are one too many, in shares of the trials.
pub const MOST: f64 = 0.08;
/// Trials that count, the newest.
const NEWEST: usize = 100;

/// The newest trials of nothing.
#[derive(Clone, Debug, Default)]
pub struct Record {
    newest: VecDeque<Outcome>,
    lost: bool,
}

impl Record {
    /// Takes one more; true when trust was lost or regained by it.
    pub fn take(&mut self, outcome: Outcome) -> bool {
        self.newest.push_back(outcome);
        while self.newest.len() > NEWEST {
            self.newest.pop_front();
        }
        let (alarms, tries) = ((self.count(Outcome::Better) + self.count(Outcome::Worse)) as f64, self.newest.len() as f64);
        let lost = if self.lost { alarms / tries > MOST } else { distribution::at_least(alarms, tries) > MOST };
        std::mem::replace(&mut self.lost, lost) != lost
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.newest.iter().filter(|seen| **seen == outcome).count()
    }

    /// How it stands; `None` before the first trial.
    pub fn trust(&self) -> Option<Trust> {
        let trials = self.newest.len();
        let (keeps, harms) = (self.count(Outcome::Better), self.count(Outcome::Worse));
        (trials > 0).then_some(Trust { trials, keeps, harms, lost: self.lost })
    }

    /// True when verdicts of this host are not to be believed.
    pub fn is_lost(&self) -> bool {
        self.lost
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn after(outcomes: impl IntoIterator<Item = Outcome>) -> Record {
        let mut record = Record::default();
        for outcome in outcomes {
            record.take(outcome);
        }
        record
    }

    #[test]
    fn one_alarm_is_chance_and_many_are_not() {
        use Outcome::{Better, Neutral, Worse};
        assert!(!after([Neutral; 200]).is_lost());
        assert!(!after([Better]).is_lost(), "one of one is no proof");
        assert!(!after([Neutral; 18].into_iter().chain([Better, Worse])).is_lost(), "two of twenty are not yet");
        let mut record = after([Neutral; 7].into_iter().chain([Better, Worse]));
        assert!(!record.is_lost() && record.take(Better) && record.is_lost(), "three of ten are");
        let trust = record.trust().unwrap();
        assert_eq!((trust.trials, trust.keeps, trust.harms, trust.lost), (10, 2, 1, true));
    }

    #[test]
    fn it_is_regained_when_the_rate_is_low_again() {
        let mut record = after([Outcome::Better; 4]);
        assert!(record.is_lost());
        let needed = (1..).find(|_| record.take(Outcome::Neutral)).unwrap();
        assert_eq!(needed, 46, "four of fifty are 8 %");
        assert!(!record.is_lost());
    }

    #[test]
    fn only_the_newest_count() {
        let record = after([Outcome::Better; 30].into_iter().chain([Outcome::Neutral; 100]));
        assert_eq!(record.trust().unwrap(), Trust { trials: 100, keeps: 0, harms: 0, lost: false });
    }
}
