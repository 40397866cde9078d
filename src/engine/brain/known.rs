//! All that is known of the host: what is perceived, what was, and what is wrong with it.

use crate::{
    analysis::detect::Lane,
    engine::{
        brain::{
            alarms::{self, Alarms, News},
            alerts::Alerts,
            history::History,
            senses::Senses,
        },
        parts::Settings,
    },
    model::{
        limits::Thresholds,
        outlook::Outlook,
        time::{Now, Tick},
        trial::Windows,
        world::World,
    },
};
use std::{sync::Arc, time::Duration};

/// Detectors of the fast lane look this often.
const LOOK: Duration = Duration::from_millis(500);

/// What is known.
pub struct Known {
    /// Perceived now.
    pub senses: Senses,
    /// Over time.
    pub history: History,
    /// What is wrong.
    pub alarms: Alarms,
    /// What is beyond a limit that an operator has set.
    pub alerts: Alerts,
    /// What is coming and what is odd, as last thought through.
    pub outlook: Arc<Outlook>,
    thresholds: Thresholds,
    windows: Windows,
    looked: Option<Tick>,
}

impl Known {
    /// Nothing is known yet.
    pub fn new(senses: Senses, settings: &Settings, now: Now) -> Known {
        Known {
            senses,
            history: History::default(),
            alarms: Alarms::new(&settings.hysteresis),
            alerts: Alerts::new(&settings.alerts, now),
            outlook: Arc::default(),
            thresholds: settings.thresholds.clone(),
            windows: settings.policy.windows,
            looked: None,
        }
    }

    /// The thread that looks ahead has had its turn. The view of the next sweep shows what it sees.
    pub fn foresee(&mut self, outlook: Option<Arc<Outlook>>, cpu: u64) {
        self.senses.apart += cpu;
        if let Some(outlook) = outlook {
            self.outlook = outlook;
        }
    }

    /// The world with the findings that hold.
    pub fn world(&self, now: Now) -> World<'_> {
        World { findings: &self.alarms.findings, ..self.unjudged(now) }
    }

    /// The world as detectors see it: without findings.
    fn unjudged(&self, now: Now) -> World<'_> {
        World {
            now,
            vitals: &self.senses.vitals,
            snapshot: &self.senses.snapshot,
            facts: &self.senses.facts,
            series: &self.history.series,
            thresholds: &self.thresholds,
            findings: &[],
            outlook: &self.outlook,
            windows: self.windows,
        }
    }

    /// A pass of the fast lane: every half second fresh vitals and a look of its detectors; in tense times fresh vitals with every pass.
    /// `None` when it was not time to look.
    pub fn pass(&mut self, now: Now, tense: bool) -> Option<News> {
        // Half a pass early counts: passes jitter.
        let due = self.looked.is_none_or(|at| now.tick.since(at) + Duration::from_millis(50) >= LOOK);
        if !due && !tense {
            return None;
        }
        self.senses.look(now);
        if !due {
            return Some(News::default());
        }
        self.looked = Some(now.tick);
        let looked = alarms::look(Lane::Fast, &self.unjudged(now));
        Some(self.alarms.take(Lane::Fast, looked))
    }

    /// A sweep: snapshot, series, and a look of all its detectors.
    pub fn sweep(&mut self, now: Now) -> News {
        self.senses.sweep(now);
        self.history.feed(now.tick, &self.senses.snapshot);
        let looked = alarms::look(Lane::Sweep, &self.unjudged(now));
        self.alarms.take(Lane::Sweep, looked)
    }
}
