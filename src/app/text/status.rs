//! Engine and host in short.

use crate::{
    app::text::rows::line,
    model::{
        change::{Change, ChangeId, ChangeState},
        finding::Finding,
        limits::Mode,
        message::{Cost, GuardState, View},
        outlook::{Anomaly, Forecast},
        time::Now,
        timing::Timings,
        unit::Unit,
        verdict::Trust,
    },
};
use serde::Serialize;
use std::sync::Arc;

/// The state of engine and host in short, for programs.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Host name.
    pub host: Arc<str>,
    /// When.
    pub now: Now,
    /// Pid of the engine.
    pub engine: u32,
    /// Mode in force.
    pub mode: Mode,
    /// The guard.
    pub guard: GuardState,
    /// What is wrong with trimtab itself.
    pub problems: Vec<String>,
    /// How often its judge cries wolf here; `None` before the first self-test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
    /// Its cost.
    pub cost: Cost,
    /// Findings that hold.
    pub findings: Arc<Vec<Finding>>,
    /// Changes: number, state, title.
    pub changes: Vec<(ChangeId, ChangeState, String)>,
    /// Forecasts that reach a limit, the first to do so first.
    pub ahead: Vec<Arc<Forecast>>,
    /// What is odd now.
    pub odd: Vec<Anomaly>,
    /// How long decisions, applications and rollbacks take; `None` from an engine that does not say.
    pub timings: Option<Timings>,
}

impl Status {
    /// That of a view.
    pub fn of(view: &View, timings: Option<Timings>) -> Status {
        Status {
            host: view.facts.host.clone(),
            now: view.now,
            engine: view.engine,
            mode: view.mode,
            guard: view.guard.clone(),
            problems: view.problems.clone(),
            trust: view.trust,
            cost: view.cost,
            findings: view.findings.clone(),
            changes: view.changes.iter().map(|c| (c.id, c.state, c.proposal.title.clone())).collect(),
            ahead: heading(view).into_iter().cloned().collect(),
            odd: odd(view).cloned().collect(),
            timings,
        }
    }
}

/// The state of engine and host in short.
pub fn status(view: &View, timings: Option<&Timings>) -> String {
    let mut out = String::new();
    let guard = match &view.guard {
        GuardState::Idle => "not needed".into(),
        GuardState::Armed { pid, plans } => format!("pid {pid}, holds {plans}"),
        GuardState::Failed(why) => format!("failed: {why}"),
    };
    let cost = format!("{}, {}", Unit::Cores.show(view.cost.cpu), Unit::Bytes.show(view.cost.resident as f64));
    let rows: [(&str, String); 6] = [
        ("host", format!("{}, Linux {}", view.facts.host, view.facts.kernel)),
        ("engine", format!("pid {}, {}", view.engine, cost)),
        ("mode", view.mode.words().into()),
        ("guard", guard),
        ("findings", count(view.findings.len())),
        ("changes", changes_in_short(&view.changes)),
    ];
    for (name, value) in rows {
        line(&mut out, &format!("{name:<9} {value}"));
    }
    if let Some(trust) = &view.trust {
        line(&mut out, &format!("judge     {}", trust.words()));
    }
    for (name, spread) in timings.map(Timings::rows).into_iter().flatten() {
        if let Some(spread) = spread {
            line(&mut out, &format!("{name:<19} {}", spread.words()));
        }
    }
    for problem in &view.problems {
        line(&mut out, &format!("problem   {problem}"));
    }
    for finding in view.findings.iter() {
        line(&mut out, &format!("{:<3}{}", finding.severity.sign(), finding.headline));
    }
    for forecast in heading(view) {
        let limit = forecast.limit(view.now.wall).unwrap_or_default();
        line(&mut out, &format!("ahead     {} to {limit}", forecast.key.path()));
    }
    for anomaly in odd(view) {
        line(&mut out, &format!("{:<3}odd: {}", anomaly.severity.sign(), anomaly.words(view.now.wall)));
    }
    out
}

/// Forecasts that reach a limit, the first to do so first.
pub fn heading(view: &View) -> Vec<&Arc<Forecast>> {
    let now = view.now.wall;
    let Some(outlook) = &view.outlook else { return Vec::new() };
    let mut all: Vec<_> = outlook.keys().filter_map(|key| outlook.chief(key)).filter(|f| f.due(now).is_some()).collect();
    all.sort_by(|a, b| a.due(now).unwrap_or(f64::INFINITY).total_cmp(&b.due(now).unwrap_or(f64::INFINITY)));
    all
}

/// What is odd now.
pub fn odd(view: &View) -> impl Iterator<Item = &Anomaly> {
    view.outlook.iter().flat_map(|outlook| &outlook.anomalies).filter(|anomaly| anomaly.until.is_none())
}

fn count(n: usize) -> String {
    if n == 0 { "none".into() } else { n.to_string() }
}

fn changes_in_short(changes: &[Arc<Change>]) -> String {
    let mut states: Vec<ChangeState> = changes.iter().map(|c| c.state).collect();
    states.sort();
    let mut parts: Vec<(usize, ChangeState)> = Vec::new();
    for state in states {
        match parts.last_mut() {
            Some((n, last)) if *last == state => *n += 1,
            _ => parts.push((1, state)),
        }
    }
    if parts.is_empty() {
        return "none".into();
    }
    parts.iter().map(|(n, state)| format!("{n} {}", state.words())).collect::<Vec<_>>().join(", ")
}
