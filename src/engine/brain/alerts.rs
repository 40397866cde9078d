//! Alerts: after each sweep every rule looks at its numbers; what comes of it is logged, told and kept.

use crate::{
    analysis::alerts::tracker::{News, Tracker},
    engine::{
        brain::office::Office,
        input::Effect,
        notify::notice::{Event, Notice},
        parts::AlertSettings,
    },
    model::{
        alert::Alert,
        change::Who,
        message::{Command, Reply},
        readings,
        snapshot::Snapshot,
        time::Now,
    },
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Alerts that are over, on the screen; the file keeps more.
const SHOWN: usize = 50;

/// Alerts, and what is wrong with telling of them.
#[derive(Debug)]
pub struct Alerts {
    tracker: Tracker,
    /// For the view.
    pub shown: Arc<Vec<Arc<Alert>>>,
    troubles: BTreeMap<String, String>,
}

impl Alerts {
    /// With what an earlier engine has kept.
    pub fn new(settings: &AlertSettings, now: Now) -> Alerts {
        let tracker = Tracker::new(&settings.rules, settings.kept.clone(), now);
        let shown = Arc::new(tracker.shown(SHOWN));
        Alerts { tracker, shown, troubles: BTreeMap::new() }
    }

    /// Looks at a sweep.
    pub fn look(&mut self, now: Now, snapshot: &Snapshot, office: &mut Office) {
        let was_quiet = self.tracker.is_quiet();
        let news = self.tracker.look(now, |take| readings::snapshot(snapshot, take));
        let changed = !news.is_empty();
        for one in news {
            tell(one, office);
        }
        if changed {
            self.keep(office);
        }
        if changed || !was_quiet || !self.tracker.is_quiet() {
            self.show();
        }
    }

    /// Does a command about an alert; `None` when it is about something else.
    pub fn obey(&mut self, command: &Command, who: &Who, office: &mut Office) -> Option<Reply> {
        let now = office.now;
        let answer = match command {
            Command::Acknowledge(id) => self.tracker.acknowledge(*id, who.clone(), now),
            Command::Snooze { alert, seconds } => self.tracker.snooze(*alert, who.clone(), seconds.map(Duration::from_secs), now),
            _ => return None,
        };
        Some(match answer {
            Ok(text) => {
                office.log(log::Level::Info, format!("{text}, by {who}"));
                self.keep(office);
                self.show();
                Reply::Done(text)
            }
            Err(why) => Reply::Refused(why),
        })
    }

    /// A receiver, or the file, could not be reached, or can be again.
    pub fn heard(&mut self, target: String, error: Option<String>, office: &mut Office) {
        match error {
            Some(why) => {
                office.log(log::Level::Warn, format!("alerts are not told: {target} {why}"));
                self.troubles.insert(target, why);
            }
            None => {
                office.log(log::Level::Info, format!("alerts are told again: {target}"));
                self.troubles.remove(&target);
            }
        }
    }

    /// What is wrong, in words for the header.
    pub fn problems(&self) -> impl Iterator<Item = String> + '_ {
        let full = (self.tracker.left_out > 0)
            .then(|| format!("{} more conditions are beyond their limits than there is room for alerts", self.tracker.left_out));
        self.troubles.iter().map(|(target, why)| format!("alerts are not told: {target} {why}")).chain(full)
    }

    fn keep(&self, office: &mut Office) {
        office.effects.push(Effect::KeepAlerts(Arc::new(self.tracker.kept())));
    }

    fn show(&mut self) {
        self.shown = Arc::new(self.tracker.shown(SHOWN));
    }
}

fn tell(news: News, office: &mut Office) {
    let (event, alert, level) = match news {
        News::Fired(alert) => (Event::Fired, alert, log::Level::Warn),
        News::Woke(alert) => (Event::Woke, alert, log::Level::Warn),
        News::Cleared(alert) => (Event::Cleared, alert, log::Level::Info),
    };
    office.log(level, format!("alert {} {}: {}", alert.id, event.words(), alert.headline()));
    // Whoever put it off does not want to hear that it is over, either.
    if alert.snoozed.is_none() {
        office.effects.push(Effect::Notify(Notice { event, alert: Arc::new(alert) }));
    }
}
