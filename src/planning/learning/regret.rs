//! What automatic trials cost the host: how much worse their primaries got, for how long, within a day. Beyond a share of what the day
//! would have brought without them, auto mode tries nothing new (conservative bandits: Wu and others 2016).

use crate::{
    model::{
        change::Change,
        lesson::Regret,
        metric::Better,
        time::{Now, Wall},
    },
    planning::learning::learned::measured,
};
use std::collections::VecDeque;

const DAY: i64 = 86_400_000;

/// Losses of the last day, each when it was over and in seconds.
#[derive(Debug, Default)]
pub struct Losses(VecDeque<(Wall, f64)>);

impl Losses {
    /// An automatic trial was undone at that time: what its verdict says it made worse, for as long as it was in force.
    pub fn undone(&mut self, change: &Change, now: Now) {
        let better = change.proposal.trial.better;
        let effect = change.verdict.as_ref().and_then(measured);
        let Some((applied, effect)) = change.applied.zip(effect) else { return };
        let worse = match better {
            Better::Lower => effect.change,
            Better::Higher => -effect.change,
        };
        let seconds = (now.wall.0 - applied.wall.0).clamp(0, DAY) as f64 / 1000.0;
        if worse.is_finite() && worse > 0.0 {
            self.0.push_back((now.wall, worse * seconds));
        }
        self.0.retain(|(at, _)| now.wall.0 - at.0 < DAY);
    }

    /// How it stands, against that share of a day.
    pub fn standing(&self, share: f64, now: Wall) -> Regret {
        let fresh = self.0.iter().filter(|(at, _)| (0..DAY).contains(&(now.0 - at.0)));
        Regret { spent: fresh.map(|(_, loss)| loss).sum(), budget: share * DAY as f64 / 1000.0 }
    }
}
