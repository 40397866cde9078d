//! Alerts: limits that an operator sets on metrics, and what came of them. A finding says what holds the host back and by whom; an alert
//! says that a number is beyond a limit for too long, and is somebody's to acknowledge.

use crate::model::{
    change::Who,
    finding::Severity,
    metric::{Key, Metric},
    subject::Subject,
    time::Wall,
};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// Number of an alert, unique in a state directory, shown as `!12`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlertId(pub u64);

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "!{}", self.0)
    }
}

/// The side of a limit that is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// More than the limit.
    Above,
    /// Less than the limit.
    Below,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// What it is called, once.
    pub name: Arc<str>,
    /// Which number.
    pub metric: Metric,
    /// Of which subjects: `any`, or a pattern of names.
    pub subject: String,
    /// Which side is bad.
    pub side: Side,
    /// The limit, in the metric's base unit.
    pub limit: f64,
    /// The level on the other side of the limit at which it is over.
    pub clear: f64,
    /// Seconds for which it must be beyond the limit.
    pub span: f64,
    /// How bad.
    pub severity: Severity,
    /// What to do about it, for whoever is woken.
    pub note: Arc<str>,
    /// In force.
    pub enabled: bool,
}

impl Rule {
    /// True when `value` is beyond the limit.
    pub fn is_over(&self, value: f64) -> bool {
        match self.side {
            Side::Above => value > self.limit,
            Side::Below => value < self.limit,
        }
    }

    /// True when `value` is back beyond the level at which it is over.
    pub fn is_clear(&self, value: f64) -> bool {
        match self.side {
            Side::Above => value <= self.clear,
            Side::Below => value >= self.clear,
        }
    }

    /// The worse of two values.
    pub fn worse(&self, a: f64, b: f64) -> f64 {
        match self.side {
            Side::Above => a.max(b),
            Side::Below => a.min(b),
        }
    }
}

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AlertState {
    /// It holds, and nobody has said that they know.
    Firing,
    /// Beyond the limit, not yet for long enough.
    Pending,
    /// Somebody knows.
    Acknowledged,
    /// Somebody wants to hear of it later.
    Snoozed,
    /// Over.
    Cleared,
}

impl AlertState {
    /// Its name.
    pub fn words(self) -> &'static str {
        match self {
            AlertState::Firing => "firing",
            AlertState::Pending => "pending",
            AlertState::Acknowledged => "acknowledged",
            AlertState::Snoozed => "snoozed",
            AlertState::Cleared => "cleared",
        }
    }
}

/// A rule that a subject has broken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Which.
    pub id: AlertId,
    /// The rule's name.
    pub rule: Arc<str>,
    /// What of what.
    pub key: Key,
    /// How bad.
    pub severity: Severity,
    /// Where it stands.
    pub state: AlertState,
    /// Which side is bad.
    pub side: Side,
    /// The limit.
    pub limit: f64,
    /// The newest value.
    pub value: f64,
    /// The worst value.
    pub peak: f64,
    /// Since when it has been beyond the limit.
    pub since: Wall,
    /// When it fired, if it has.
    pub fired: Option<Wall>,
    /// When it was over, if it is.
    pub cleared: Option<Wall>,
    /// Who knows of it, and since when.
    pub acknowledged: Option<(Who, Wall)>,
    /// Who put it off, and until when; without a time until it clears.
    pub snoozed: Option<(Who, Option<Wall>)>,
    /// How often it has fired within the last hour: from three on it goes on and off, and is held until it is quiet for long.
    pub times: u32,
    /// What to do about it.
    pub note: Arc<str>,
}

impl Alert {
    /// True while it holds, known to somebody or not.
    pub fn is_live(&self) -> bool {
        !matches!(self.state, AlertState::Pending | AlertState::Cleared)
    }

    /// One line: which rule, of what, how much, what the limit is. Of what is over the worst is told.
    pub fn headline(&self) -> String {
        let unit = self.key.metric.unit();
        let value = unit.show(if self.state == AlertState::Cleared { self.peak } else { self.value });
        let side = match self.side {
            Side::Above => "over",
            Side::Below => "under",
        };
        let limit = unit.show(self.limit);
        match &self.key.subject {
            Subject::Host => format!("{}: {value}, {side} {limit}", self.rule),
            subject => format!("{}: {} {value}, {side} {limit}", self.rule, subject.name()),
        }
    }

    /// Order wherever they are shown: firing first, the worse first, the newer first.
    pub fn order(&self, other: &Alert) -> std::cmp::Ordering {
        let place =
            |alert: &Alert| (alert.state, std::cmp::Reverse(alert.severity), std::cmp::Reverse(alert.cleared.or(alert.fired)));
        place(self).cmp(&place(other)).then(other.id.cmp(&self.id))
    }
}

/// Somebody to tell, by a program or by HTTP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Target {
    /// A program and its arguments; no shell is in between.
    pub exec: Vec<String>,
    /// An `http://` address that takes JSON.
    pub webhook: Option<String>,
    /// Alerts of this severity and worse.
    pub severity: Severity,
    /// Seconds after which a receiver that does not answer is given up.
    pub timeout: f64,
    /// Messages an hour at most; more are gathered into the next one.
    pub per_hour: usize,
}

impl Default for Target {
    fn default() -> Self {
        Target { exec: Vec::new(), webhook: None, severity: Severity::Warning, timeout: 10.0, per_hour: 30 }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.webhook, self.exec.first()) {
            (Some(url), _) => write!(f, "webhook {url}"),
            (None, program) => write!(f, "exec {}", program.map_or("", String::as_str)),
        }
    }
}

/// What is kept of alerts over a restart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Number of the newest one.
    pub newest: u64,
    /// Those that hold.
    pub live: Vec<Alert>,
    /// Those that are over, newest first.
    pub ended: Vec<Arc<Alert>>,
}
