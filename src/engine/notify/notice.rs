//! What a receiver is told: one JSON object, whether it comes on standard input or over HTTP.

use crate::model::{
    alert::{Alert, Side},
    finding::Severity,
};
use serde::Serialize;
use std::sync::Arc;

/// Version of the object: fields may be added to it.
const VERSION: u32 = 1;

/// What happened to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// It fires.
    Fired,
    /// Its snooze is over and it still holds.
    Woke,
    /// It is over.
    Cleared,
}

impl Event {
    /// Its name.
    pub fn words(self) -> &'static str {
        match self {
            Event::Fired => "fired",
            Event::Woke => "woke",
            Event::Cleared => "cleared",
        }
    }
}

/// One thing to tell.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What happened.
    pub event: Event,
    /// To which alert, as it stood then.
    pub alert: Arc<Alert>,
}

/// All that is told at once.
#[derive(Debug)]
pub struct Message<'a> {
    /// Name of the host.
    pub host: &'a str,
    /// What happened, oldest first; never empty.
    pub notices: &'a [Notice],
    /// Notices that found no room.
    pub left_out: usize,
}

#[derive(Serialize)]
struct Body<'a> {
    v: u32,
    host: &'a str,
    left_out: usize,
    alerts: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    event: Event,
    id: u64,
    rule: &'a str,
    metric: String,
    subject: String,
    severity: &'static str,
    headline: String,
    value: f64,
    peak: f64,
    limit: f64,
    side: &'static str,
    /// Milliseconds since 1970.
    since: i64,
    note: &'a str,
}

/// A severity as a word.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "notice",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

impl Message<'_> {
    /// As JSON.
    pub fn json(&self) -> String {
        let alerts = self.notices.iter().map(row).collect();
        let body = Body { v: VERSION, host: self.host, left_out: self.left_out, alerts };
        // Values are finite: nothing in here can fail to be written.
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// The worst severity in it.
    pub fn worst(&self) -> Severity {
        self.notices.iter().map(|notice| notice.alert.severity).max().unwrap_or(Severity::Notice)
    }

    /// One line: the newest, and how many there are besides.
    pub fn headline(&self) -> String {
        let newest = self.notices.last().map(|n| format!("{} {}", n.event.words(), n.alert.headline())).unwrap_or_default();
        let others = self.notices.len().saturating_sub(1) + self.left_out;
        if others == 0 { newest } else { format!("{newest} (and {others} more)") }
    }
}

fn row(notice: &Notice) -> Row<'_> {
    let alert = &notice.alert;
    Row {
        event: notice.event,
        id: alert.id.0,
        rule: &alert.rule,
        metric: alert.key.metric.name(),
        subject: alert.key.subject.to_string(),
        severity: severity(alert.severity),
        headline: alert.headline(),
        value: alert.value,
        peak: alert.peak,
        limit: alert.limit,
        side: if alert.side == Side::Above { "above" } else { "below" },
        since: alert.since.0,
        note: &alert.note,
    }
}
