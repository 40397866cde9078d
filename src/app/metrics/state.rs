//! What trimtab itself knows: findings, changes, its mode, its guard, its gaps and its own cost.

use crate::{
    app::metrics::page::{Family, Kind, Page, Row},
    model::{
        alert::AlertState,
        change::ChangeState,
        finding::Severity,
        limits::Mode,
        message::{GuardState, View},
    },
};

/// Writes them.
pub fn write(view: &View, page: &mut Page) {
    program(view, page);
    findings(view, page);
    alerts(view, page);
    changes(view, page);
    health(view, page);
}

fn gauge<'a>(name: &'a str, unit: &'static str, help: &'a str) -> Family<'a> {
    Family { name, kind: Kind::Gauge, unit, help }
}

fn info<'a>(name: &'a str, help: &'a str) -> Family<'a> {
    Family { name, kind: Kind::Info, unit: "", help }
}

fn program(view: &View, page: &mut Page) {
    let version = Row::of([("version", env!("CARGO_PKG_VERSION").into())], 1.0);
    page.family(&info("build", "This trimtab"), [version]);
    let facts = &view.facts;
    let host = Row::of([("host", (&*facts.host).into()), ("kernel", (&*facts.kernel).into()), ("os", (&*facts.os).into())], 1.0);
    page.family(&info("host", "The host that is watched"), [host]);
    page.family(&gauge("cpus", "", "Online processors"), [Row::plain(f64::from(facts.cpus))]);
    page.family(&gauge("memory_size_bytes", "bytes", "Memory of the host"), [Row::plain(facts.memory as f64)]);
    let swept = view.snapshot.vitals.now.wall.0 as f64 / 1e3;
    page.family(&gauge("sweep_timestamp_seconds", "seconds", "When the host was read last, since 1970"), [Row::plain(swept)]);
    page.family(&gauge("own_cpu_cores", "cores", "Cpu that trimtab itself uses"), [Row::plain(view.cost.cpu)]);
    page.family(&gauge("own_resident_bytes", "bytes", "Memory that trimtab itself uses"), [Row::plain(view.cost.resident as f64)]);
    let modes = [Mode::Observe, Mode::Suggest, Mode::Auto];
    let rows = modes.map(|mode| Row::of([("mode", mode.words().into())], holds(mode == view.mode)));
    page.family(&Family { name: "mode", kind: Kind::StateSet, unit: "", help: "What trimtab may do" }, rows);
}

fn holds(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

/// A severity as a word.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "notice",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

fn findings(view: &View, page: &mut Page) {
    let rows = [Severity::Notice, Severity::Warning, Severity::Critical].map(|each| {
        let count = view.findings.iter().filter(|finding| finding.severity == each).count();
        Row::of([("severity", severity(each).into())], count as f64)
    });
    page.family(&gauge("findings", "", "Findings that hold now"), rows);
    let rows = view.findings.iter().map(|finding| {
        let labels = [
            ("kind", finding.id.kind.words().into()),
            ("subject", finding.id.subject.to_string().into()),
            ("severity", severity(finding.severity).into()),
        ];
        Row::of(labels, 1.0)
    });
    page.family(&info("finding", "A finding that holds now"), rows);
}

fn alerts(view: &View, page: &mut Page) {
    let states = [AlertState::Pending, AlertState::Firing, AlertState::Acknowledged, AlertState::Snoozed];
    let rows = states.map(|state| {
        let count = view.alerts.iter().filter(|alert| alert.state == state).count();
        Row::of([("state", state.words().into())], count as f64)
    });
    page.family(&gauge("alerts", "", "Alerts by where they stand"), rows);
    let rows = view.alerts.iter().filter(|alert| alert.is_live()).map(|alert| {
        let labels = [
            ("rule", (&*alert.rule).into()),
            ("subject", alert.key.subject.to_string().into()),
            ("severity", severity(alert.severity).into()),
            ("state", alert.state.words().into()),
        ];
        Row::of(labels, 1.0)
    });
    page.family(&info("alert", "An alert that holds"), rows);
}

const STATES: [ChangeState; 14] = [
    ChangeState::Proposed,
    ChangeState::Approved,
    ChangeState::Prepared,
    ChangeState::Applying,
    ChangeState::Applied,
    ChangeState::Watching,
    ChangeState::Kept,
    ChangeState::RollingBack,
    ChangeState::RolledBack,
    ChangeState::Rejected,
    ChangeState::Refused,
    ChangeState::Expired,
    ChangeState::Yielded,
    ChangeState::Stuck,
];

fn changes(view: &View, page: &mut Page) {
    let rows = STATES.map(|state| {
        let count = view.changes.iter().filter(|change| change.state == state).count();
        Row::of([("state", state.words().into())], count as f64)
    });
    page.family(&gauge("changes", "", "Changes of the queue by where they stand; ended ones are kept for a while"), rows);
    let live = view.changes.iter().filter(|change| change.state.is_live());
    let rows = live.map(|change| {
        let labels = [
            ("change", change.id.0.to_string().into()),
            ("action", (&*change.proposal.action).into()),
            ("state", change.state.words().into()),
        ];
        Row::of(labels, 1.0)
    });
    page.family(&info("change", "A change that is in force, or is just being applied or rolled back"), rows);
}

fn health(view: &View, page: &mut Page) {
    let guard = match view.guard {
        GuardState::Idle => "idle",
        GuardState::Armed { .. } => "armed",
        GuardState::Failed(_) => "failed",
    };
    let rows = ["idle", "armed", "failed"].map(|state| Row::of([("guard", state.into())], holds(state == guard)));
    page.family(
        &Family { name: "guard", kind: Kind::StateSet, unit: "", help: "The process that undoes what nobody confirmed" },
        rows,
    );
    page.family(&gauge("problems", "", "What is wrong with trimtab itself"), [Row::plain(view.problems.len() as f64)]);
    let rows = view.snapshot.gaps.iter().map(|(source, _)| Row::of([("source", format!("{source:?}").to_lowercase().into())], 1.0));
    page.family(&gauge("gap", "", "1 for a source that is late or failing"), rows);
}
