//! The order of proposals: the right knob for the worst finding first, and of two equals the one that risks less.
//!
//! Pure; the brain calls it after each sweep, before anything becomes a change.

use crate::model::{finding::Finding, proposal::Proposal};

/// Open proposals of one finding at most.
pub const PER_FINDING: usize = 3;

/// `proposals` for `findings` (most pressing first), best first, without a second proposal of the same action for the same finding,
/// at most [`PER_FINDING`] for each. Proposals for a finding that does not hold are left out.
pub fn rank(proposals: Vec<Proposal>, findings: &[Finding]) -> Vec<Proposal> {
    let mut rated: Vec<(f64, Proposal)> = proposals.into_iter().filter_map(|p| Some((worth(&p, findings)?, p))).collect();
    rated.sort_by(|(a, p), (b, q)| b.total_cmp(a).then(p.risk.cmp(&q.risk)));
    let mut chosen: Vec<Proposal> = Vec::new();
    for (_, proposal) in rated {
        let rivals = || chosen.iter().filter(|c| c.finding == proposal.finding);
        if rivals().count() < PER_FINDING && rivals().all(|c| c.action != proposal.action) {
            chosen.push(proposal);
        }
    }
    chosen
}

/// Fit weighted by how bad the finding is; `None` when it does not hold.
fn worth(proposal: &Proposal, findings: &[Finding]) -> Option<f64> {
    let finding = findings.iter().find(|f| f.id == proposal.finding)?;
    let severity = f64::from(finding.severity as u8) + 1.0;
    Some(proposal.fit.clamp(0.0, 1.0) * severity)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{
        finding::{FindingId, FindingKind, Severity},
        metric::{Better, Key, Metric},
        proposal::{Domain, Risk},
        subject::Subject,
        time::Wall,
        trial::{Trial, Windows},
    };

    fn finding(kind: FindingKind, severity: Severity) -> Finding {
        Finding {
            id: FindingId { kind, subject: Subject::Host },
            severity,
            headline: String::new(),
            evidence: vec![],
            culprits: vec![],
            victims: vec![],
            ruled_out: vec![],
            advice: None,
            impact: 0.5,
            priority: 1.0,
            since: Wall(0),
        }
    }

    fn proposal(action: &str, kind: FindingKind, fit: f64, risk: Risk) -> Proposal {
        Proposal {
            action: action.into(),
            finding: FindingId { kind, subject: Subject::Host },
            title: String::new(),
            why: String::new(),
            mechanism: String::new(),
            expect: String::new(),
            undo: String::new(),
            wants: vec![],
            risk,
            reversible: true,
            domain: Domain::Cpu,
            trial: Trial {
                primary: Key::host(Metric::PressureCpuSome),
                better: Better::Lower,
                least: 0.1,
                guardrails: vec![],
                controls: vec![],
                windows: Windows::default(),
            },
            fit,
            cooldown: 60.0,
        }
    }

    #[test]
    fn the_worst_finding_s_best_knob_comes_first_and_ties_go_to_the_lower_risk() {
        let findings =
            [finding(FindingKind::CpuContention, Severity::Critical), finding(FindingKind::SwapThrash, Severity::Notice)];
        let ranked = rank(
            vec![
                proposal("swappiness", FindingKind::SwapThrash, 1.0, Risk::Medium),
                proposal("quota", FindingKind::CpuContention, 0.9, Risk::Medium),
                proposal("nice", FindingKind::CpuContention, 0.9, Risk::Low),
                proposal("weight", FindingKind::Throttled, 1.0, Risk::Low),
            ],
            &findings,
        );
        let order: Vec<&str> = ranked.iter().map(|p| &*p.action).collect();
        assert_eq!(order, ["nice", "quota", "swappiness"], "a knob for a finding that does not hold is left out");
    }

    #[test]
    fn a_finding_gets_three_proposals_of_different_actions() {
        let findings = [finding(FindingKind::CpuContention, Severity::Warning)];
        let all = ["a", "a", "b", "c", "d"].map(|name| proposal(name, FindingKind::CpuContention, 0.5, Risk::Low));
        let names: Vec<String> = rank(all.to_vec(), &findings).iter().map(|p| p.action.to_string()).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }
}
