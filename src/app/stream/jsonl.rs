//! One JSON object a line: the facts of the host first, then one for each sweep. `v` is the version of this form.

use crate::{
    app::{
        metrics::state::severity,
        stream::{Lines, values::values},
        text::rows::iso,
    },
    model::{
        alert::{AlertId, AlertState},
        change::{ChangeId, ChangeState},
        facts::Facts,
        finding::FindingKind,
        message::{Cost, View},
        pick::Pick,
        sample::SourceName,
    },
};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// Version of the form: fields may be added to it, none is taken away or given another meaning.
const VERSION: u32 = 1;

/// Makes the lines.
#[derive(Debug)]
pub struct Jsonl {
    picks: Vec<Pick>,
    begun: bool,
}

impl Jsonl {
    /// With only these numbers, or all but those of processes.
    pub fn new(picks: Vec<Pick>) -> Jsonl {
        Jsonl { picks, begun: false }
    }
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line<'a> {
    Facts { v: u32, time: String, facts: &'a Facts },
    Sweep(Box<Sweep<'a>>),
}

#[derive(Serialize)]
struct Sweep<'a> {
    v: u32,
    time: String,
    /// Milliseconds since 1970.
    wall: i64,
    values: Values,
    findings: Vec<Found<'a>>,
    alerts: Vec<Beyond>,
    changes: Vec<Moved<'a>>,
    gaps: Vec<Missing<'a>>,
    cost: Cost,
}

/// Numbers by the paths of their keys, in their order.
struct Values(Vec<(String, f64)>);

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (path, value) in &self.0 {
            map.serialize_entry(path, value)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Found<'a> {
    kind: FindingKind,
    subject: String,
    severity: &'static str,
    headline: &'a str,
    since: String,
}

#[derive(Serialize)]
struct Beyond {
    id: AlertId,
    state: AlertState,
    severity: &'static str,
    key: String,
    headline: String,
}

#[derive(Serialize)]
struct Moved<'a> {
    id: ChangeId,
    state: ChangeState,
    title: &'a str,
}

#[derive(Serialize)]
struct Missing<'a> {
    source: SourceName,
    why: &'a str,
}

impl Lines for Jsonl {
    fn lines(&mut self, view: &View) -> String {
        let mut out = String::new();
        let time = iso(view.snapshot.vitals.now.wall);
        if !std::mem::replace(&mut self.begun, true) {
            line(&mut out, &Line::Facts { v: VERSION, time: time.clone(), facts: &view.facts });
        }
        let numbers = values(&view.snapshot, &self.picks);
        let sweep = Sweep {
            v: VERSION,
            time,
            wall: view.snapshot.vitals.now.wall.0,
            values: Values(numbers.into_iter().map(|(key, value)| (key.path(), value)).collect()),
            findings: found(view),
            alerts: beyond(view),
            changes: moved(view),
            gaps: view.snapshot.gaps.iter().map(|(source, gap)| Missing { source: *source, why: &gap.why }).collect(),
            cost: view.cost,
        };
        line(&mut out, &Line::Sweep(Box::new(sweep)));
        out
    }
}

fn found(view: &View) -> Vec<Found<'_>> {
    let all = view.findings.iter().map(|finding| Found {
        kind: finding.id.kind,
        subject: finding.id.subject.to_string(),
        severity: severity(finding.severity),
        headline: &finding.headline,
        since: iso(finding.since),
    });
    all.collect()
}

/// Alerts that hold; what is over stands in `trimtab alerts`.
fn beyond(view: &View) -> Vec<Beyond> {
    let all = view.alerts.iter().filter(|alert| alert.is_live()).map(|alert| Beyond {
        id: alert.id,
        state: alert.state,
        severity: severity(alert.severity),
        key: alert.key.path(),
        headline: alert.headline(),
    });
    all.collect()
}

/// Changes that wait or are in force; what is over stands in `trimtab audit`.
fn moved(view: &View) -> Vec<Moved<'_>> {
    let all = view.changes.iter().filter(|change| !change.state.is_over());
    all.map(|change| Moved { id: change.id, state: change.state, title: &change.proposal.title }).collect()
}

fn line(out: &mut String, line: &Line<'_>) {
    // Numbers that JSON does not know were left out before: nothing here can fail to be written.
    if let Ok(text) = serde_json::to_string(line) {
        out.push_str(&text);
        out.push('\n');
    }
}
