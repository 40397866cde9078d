//! Findings and proposals with their reasons.

use crate::{
    app::text::rows::{line, row},
    model::{
        finding::{Evidence, Finding, Party},
        proposal::Proposal,
        unit::Unit,
    },
};

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
