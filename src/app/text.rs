//! What the command line prints for people: plain lines, aligned, no escape codes.

use crate::app::once::Once;
use crate::model::{
    change::{Change, ChangeId, ChangeState, Entry},
    finding::{Evidence, Finding, Party},
    limits::Mode,
    message::{Cost, GuardState, View},
    plan::Plan,
    proposal::Proposal,
    snapshot::Snapshot,
    time::{Now, Wall},
    unit::Unit,
    verdict::Effect,
};
use serde::Serialize;
use std::{fmt::Write, sync::Arc};

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
    /// Its cost.
    pub cost: Cost,
    /// Findings that hold.
    pub findings: Arc<Vec<Finding>>,
    /// Changes: number, state, title.
    pub changes: Vec<(ChangeId, ChangeState, String)>,
}

impl Status {
    /// That of a view.
    pub fn of(view: &View) -> Status {
        Status {
            host: view.facts.host.clone(),
            now: view.now,
            engine: view.engine,
            mode: view.mode,
            guard: view.guard.clone(),
            problems: view.problems.clone(),
            cost: view.cost,
            findings: view.findings.clone(),
            changes: view.changes.iter().map(|c| (c.id, c.state, c.proposal.title.clone())).collect(),
        }
    }
}

/// The state of engine and host in short.
pub fn status(view: &View) -> String {
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
    for problem in &view.problems {
        line(&mut out, &format!("problem   {problem}"));
    }
    for finding in view.findings.iter() {
        line(&mut out, &format!("{:<3}{}", finding.severity.sign(), finding.headline));
    }
    out
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

/// The queue, one line a change.
pub fn queue(changes: &[Arc<Change>]) -> String {
    if changes.is_empty() {
        return "nothing is proposed and nothing was changed\n".into();
    }
    let mut out = String::new();
    for change in changes {
        let id = change.id.to_string();
        let note = match (&change.lock, &change.verdict, &change.trouble) {
            (_, _, Some(trouble)) => format!("  ({trouble})"),
            (_, Some(verdict), _) => format!("  ({})", verdict.why),
            (Some(lock), ..) if change.state.is_open() => format!("  (locked: {})", lock.why),
            _ => String::new(),
        };
        let (state, risk) = (change.state.words(), change.proposal.risk.words());
        line(&mut out, &format!("{id:<5} {state:<12} {risk:<6} {}{note}", change.proposal.title));
    }
    out
}

/// All about one change.
pub fn change(change: &Change) -> String {
    let mut out = String::new();
    line(&mut out, &format!("{} {} ({})", change.id, change.proposal.title, change.state.words()));
    findings(&mut out, std::slice::from_ref(&change.finding));
    proposal(&mut out, &change.proposal);
    if let Some(lock) = &change.lock {
        row(&mut out, "locked", &lock.why);
    }
    if let Some(foresight) = &change.foresight {
        let least = Unit::Share.show(foresight.detectable);
        row(
            &mut out,
            "can show",
            &format!("an effect of {least} or more, from {} of history", Unit::Seconds.show(foresight.history)),
        );
    }
    if let Some(made) = &change.plan {
        plan(&mut out, made);
    }
    if let Some(verdict) = &change.verdict {
        row(&mut out, "verdict", &verdict.why);
        if let Some(effect) = &verdict.effect {
            row(&mut out, "effect", &shown_effect(effect, change.proposal.trial.primary.metric.unit()));
        }
        for doubt in &verdict.doubts {
            row(&mut out, "doubt", doubt);
        }
    }
    if let Some(trouble) = &change.trouble {
        row(&mut out, "trouble", trouble);
    }
    for (at, who, what) in &change.deeds {
        line(&mut out, &format!("  {}  {what} by {who}", clock(*at)));
    }
    out
}

fn shown_effect(effect: &Effect, unit: Unit) -> String {
    let percent = |share: f64| format!("{:+.0} %", share * 100.0);
    format!(
        "{} -> {}, {} ({} to {})",
        unit.show(effect.before),
        unit.show(effect.after),
        percent(effect.change),
        percent(effect.interval.0),
        percent(effect.interval.1)
    )
}

fn plan(out: &mut String, plan: &Plan) {
    const SHOWN: usize = 12;
    for step in plan.steps.iter().take(SHOWN) {
        row(out, "diff", &format!("{}: {} -> {}", step.knob, step.before, step.after));
    }
    if let Some(more) = plan.steps.len().checked_sub(SHOWN).filter(|n| *n > 0) {
        row(out, "", &format!("and {more} more"));
    }
}

/// Findings with their evidence.
pub fn findings(out: &mut String, findings: &[Finding]) {
    for finding in findings {
        line(out, &format!("{:<2} {}: {}", finding.severity.sign(), finding.id.kind.words(), finding.headline));
        for evidence in &finding.evidence {
            row(out, "evidence", &shown_evidence(evidence));
        }
        parties(out, "victim", &finding.victims);
        parties(out, "culprit", &finding.culprits);
        if !finding.ruled_out.is_empty() {
            row(out, "not", &finding.ruled_out.join("; "));
        }
        if let Some(advice) = &finding.advice {
            row(out, "advice", advice);
        }
    }
}

fn shown_evidence(evidence: &Evidence) -> String {
    let unit = evidence.metric.unit();
    let over = evidence.threshold.map(|t| format!(" (threshold {})", unit.show(t))).unwrap_or_default();
    let Evidence { metric, subject, value, from, .. } = evidence;
    format!("{} of {subject} {}{over}, from {from}", metric.words(), unit.show(*value))
}

fn parties(out: &mut String, role: &str, all: &[Party]) {
    for party in all.iter().take(6) {
        let amount = party.unit.show(party.amount);
        row(out, role, &format!("{} ({}), {}, {amount}", party.name, party.subject, Unit::Share.show(party.share)));
    }
}

/// A proposal's reasons.
pub fn proposal(out: &mut String, proposal: &Proposal) {
    row(out, "proposal", &format!("{} (risk {})", proposal.title, proposal.risk.words()));
    for (name, value) in
        [("why", &proposal.why), ("how", &proposal.mechanism), ("expect", &proposal.expect), ("undo", &proposal.undo)]
    {
        row(out, name, value);
    }
}

/// What one run without an engine sees.
pub fn once(once: &Once) -> String {
    let mut out = String::new();
    let facts = &once.facts;
    line(&mut out, &format!("{}, {}, Linux {}, {} cpu, {}", facts.host, facts.os, facts.kernel, facts.cpus, bytes(facts.memory)));
    snapshot(&mut out, &once.snapshot);
    for (source, gap) in &once.snapshot.gaps {
        line(&mut out, &format!("gap       {source:?}: {}", gap.why));
    }
    if once.findings.is_empty() {
        line(&mut out, "nothing holds this host back now");
    }
    for finding in &once.findings {
        findings(&mut out, std::slice::from_ref(finding));
        for offer in once.proposals.iter().filter(|offer| offer.proposal.finding == finding.id) {
            proposal(&mut out, &offer.proposal);
            match &offer.plan {
                Ok(made) => plan(&mut out, made),
                Err(refusal) => row(&mut out, "locked", &refusal.why),
            }
        }
    }
    out
}

fn bytes(n: u64) -> String {
    Unit::Bytes.show(n as f64)
}

fn snapshot(out: &mut String, snapshot: &Snapshot) {
    let share = |value: f64| Unit::Share.show(value);
    if let Some(cpu) = snapshot.vitals.cpu.known() {
        let load = cpu.load.map(|[one, five, fifteen]| format!(", load {one:.2} {five:.2} {fifteen:.2}")).unwrap_or_default();
        line(
            out,
            &format!(
                "cpu       {} busy, {} steal, {} runnable{load}",
                share(cpu.total.busy()),
                share(cpu.total.steal),
                cpu.running
            ),
        );
    }
    if let Some(memory) = snapshot.vitals.memory.known() {
        line(out, &format!("memory    {} of {} available", bytes(memory.available), bytes(memory.total)));
    }
    if let Some(pressure) = snapshot.vitals.pressure.known() {
        let [cpu, memory, io] = [pressure.cpu, pressure.memory, pressure.io].map(|p| share(p.some));
        line(out, &format!("pressure  cpu {cpu}, memory {memory}, io {io}"));
    }
    for disk in snapshot.disks.known().into_iter().flatten() {
        let latency = disk.latency.map_or("no requests".into(), |seconds| Unit::Seconds.show(seconds));
        let [read, write] = [disk.read, disk.write].map(|rate| Unit::BytesPerSecond.show(rate));
        line(out, &format!("disk      {}: read {read}, write {write}, latency {latency}, busy {}", disk.name, share(disk.busy)));
    }
    for filesystem in snapshot.filesystems.known().into_iter().flatten() {
        if let Some(used) = filesystem.used() {
            line(out, &format!("space     {}: {} used", filesystem.at, share(used)));
        }
    }
    for interface in snapshot.network.known().into_iter().flat_map(|network| &network.interfaces) {
        let [received, sent] = interface.bytes.map(|rate| Unit::BytesPerSecond.show(rate));
        line(out, &format!("network   {}: received {received}, sent {sent}", interface.name));
    }
    for service in snapshot.services.known().into_iter().flatten() {
        let latency = service.latency.map_or("too few".into(), |[_, p95, _]| format!("p95 {}", Unit::Seconds.show(p95)));
        line(out, &format!("service   {}: {}, {latency}", service.name, Unit::PerSecond.show(service.rate)));
    }
}

/// The journal, one line an entry.
pub fn audit(entries: &[(u64, Entry)]) -> String {
    if entries.is_empty() {
        return "the journal is empty\n".into();
    }
    let mut out = String::new();
    for (number, entry) in entries {
        let change = entry.change.to_string();
        let (at, who) = (clock(entry.now.wall), entry.who.to_string());
        line(&mut out, &format!("{number:>6}  {at}  {change:<5} {:<18} {who}{}", entry.deed.words(), more(&entry.deed)));
    }
    out
}

fn more(deed: &crate::model::change::Deed) -> String {
    use crate::model::change::Deed;
    match deed {
        Deed::Proposed { proposal, .. } => format!("  {}", proposal.title),
        Deed::Refused(refusal) => format!("  {}", refusal.why),
        Deed::RollbackStarted(cause) => format!("  {}", cause.words()),
        Deed::Judged(verdict) => format!("  {}", verdict.why),
        Deed::Stuck { error, .. } => format!("  {error}"),
        _ => String::new(),
    }
}

/// Date and time of day in UTC, from days since 1970 (the civil calendar repeats every 400 years, of 146 097 days).
pub fn clock(at: Wall) -> String {
    let seconds = at.0.div_euclid(1000);
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years that begin in March put the leap day last: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

fn row(out: &mut String, name: &str, value: &str) {
    line(out, &format!("   {name:<9} {value}"));
}

fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _never = writeln!(out, "{}", text.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_is_shown_in_utc() {
        for (millis, text) in [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_400_000, "2000-02-29 00:00:00Z"),
            (1_735_689_599_999, "2024-12-31 23:59:59Z"),
            (-1, "1969-12-31 23:59:59Z"),
        ] {
            assert_eq!(clock(Wall(millis)), text);
        }
    }
}
