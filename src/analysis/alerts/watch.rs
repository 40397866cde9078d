//! One rule on one subject: from pending over firing to cleared, with damping of what goes on and off.

use crate::model::{
    alert::{Alert, AlertId, AlertState, Rule},
    metric::Key,
    time::{Now, Tick},
};
use std::{collections::VecDeque, time::Duration};

/// How long it must be clear to be over: as long as it had to be beyond, within these bounds.
const QUIET: (f64, f64) = (10.0, 60.0);

/// Firings within [`HOUR`] from which on it counts as going on and off.
const FLAPS: usize = 3;
const HOUR: Duration = Duration::from_secs(3600);

/// What goes on and off is over only when it was quiet for so long.
const SETTLED: f64 = 600.0;

/// What a look at one alert changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing.
    Stays,
    /// It was pending and is no more.
    Dropped,
    /// It fires.
    Fired,
    /// Its snooze is over, and it still holds.
    Woke,
    /// It is over.
    Cleared,
}

/// An alert with what decides about it.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub(super) alert: Alert,
    /// Since when it has been beyond the limit.
    began: Tick,
    /// Since when it has been clear.
    clear: Option<Tick>,
    /// When a snooze ends.
    pub(super) wakes: Option<Tick>,
    /// When a value was last there.
    pub(super) seen: Tick,
}

impl Watch {
    /// Beyond the limit for the first time.
    pub(super) fn begin(id: AlertId, rule: &Rule, key: Key, value: f64, now: Now) -> Watch {
        let alert = Alert {
            id,
            rule: rule.name.clone(),
            key,
            severity: rule.severity,
            state: AlertState::Pending,
            side: rule.side,
            limit: rule.limit,
            value,
            peak: value,
            since: now.wall,
            fired: None,
            cleared: None,
            acknowledged: None,
            snoozed: None,
            times: 0,
            note: rule.note.clone(),
        };
        Watch { alert, began: now.tick, clear: None, wakes: None, seen: now.tick }
    }

    /// One that was live when an earlier engine ended. What is left of a snooze is told by the wall: there is no other clock that both
    /// engines have.
    pub(super) fn resume(alert: Alert, now: Now) -> Watch {
        let wakes = alert.snoozed.as_ref().and_then(|(_, until)| *until).map(|until| {
            let left = u64::try_from(until.0 - now.wall.0).unwrap_or(0);
            now.tick + Duration::from_millis(left)
        });
        Watch { alert, began: now.tick, clear: None, wakes, seen: now.tick }
    }

    /// Takes a value. `fired` are the times at which this rule fired on this subject.
    pub(super) fn take(&mut self, rule: &Rule, value: f64, now: Now, fired: &mut VecDeque<Tick>) -> Turn {
        self.seen = now.tick;
        self.alert.value = value;
        if self.alert.state == AlertState::Pending {
            return self.wait(rule, value, now, fired);
        }
        self.alert.peak = rule.worse(self.alert.peak, value);
        if !rule.is_clear(value) {
            self.clear = None;
            return self.wake(now);
        }
        let since = *self.clear.get_or_insert(now.tick);
        let quiet = if self.alert.times as usize >= FLAPS { SETTLED } else { rule.span.clamp(QUIET.0, QUIET.1) };
        if now.tick.seconds_since(since) >= quiet { self.end(now) } else { Turn::Stays }
    }

    fn wait(&mut self, rule: &Rule, value: f64, now: Now, fired: &mut VecDeque<Tick>) -> Turn {
        if !rule.is_over(value) {
            return Turn::Dropped;
        }
        self.alert.peak = rule.worse(self.alert.peak, value);
        if now.tick.seconds_since(self.began) < rule.span {
            return Turn::Stays;
        }
        while fired.front().is_some_and(|at| now.tick.since(*at) > HOUR) {
            fired.pop_front();
        }
        fired.push_back(now.tick);
        self.alert.state = AlertState::Firing;
        self.alert.fired = Some(now.wall);
        self.alert.times = u32::try_from(fired.len()).unwrap_or(u32::MAX);
        Turn::Fired
    }

    /// Ends a snooze whose time has come.
    fn wake(&mut self, now: Now) -> Turn {
        if self.alert.state != AlertState::Snoozed || self.wakes.is_none_or(|at| now.tick < at) {
            return Turn::Stays;
        }
        self.wakes = None;
        self.alert.snoozed = None;
        self.alert.state = AlertState::Firing;
        Turn::Woke
    }

    /// It is over.
    pub(super) fn end(&mut self, now: Now) -> Turn {
        self.alert.state = AlertState::Cleared;
        self.alert.cleared = Some(now.wall);
        Turn::Cleared
    }
}
