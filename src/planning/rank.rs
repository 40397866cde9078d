//! The order of proposals: the right knob for the worst finding first, and of two equals the one that risks less.
//!
//! Pure; the brain calls it after each sweep, before anything becomes a change.

use crate::model::{finding::Finding, proposal::Proposal, subject::Subject};
use std::collections::BTreeSet;

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

/// How two proposals of one action for one finding relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// The same subjects.
    Same,
    /// At least half of the subjects of each are those of the other: the same trouble, while short-lived processes come and go.
    Kin,
    /// Something else.
    Other,
}

/// How `new` relates to `old`.
pub fn likeness(old: &Proposal, new: &Proposal) -> Likeness {
    if old.same_advice(new) {
        return Likeness::Same;
    }
    let subjects = |p: &Proposal| p.wants.iter().map(|want| want.on.clone()).collect::<BTreeSet<Subject>>();
    let (old, new) = (subjects(old), subjects(new));
    let common = old.intersection(&new).count();
    if 2 * common >= old.len() && 2 * common >= new.len() { Likeness::Kin } else { Likeness::Other }
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
        proposal::{Domain, Risk, Want},
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
            crossing: None,
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
                prevents: None,
            },
            fit,
            cooldown: 60.0,
            asked: false,
            foreseen: None,
            course: crate::model::proposal::Course::Judged,
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
    fn half_of_the_subjects_make_kin() {
        let on = |cpus: &[u32]| {
            let wants = cpus.iter().map(|n| Want { on: Subject::Cpu(*n), to: "1".into() }).collect();
            Proposal { wants, ..proposal("a", FindingKind::CpuContention, 0.5, Risk::Low) }
        };
        let old = on(&[1, 2, 3, 4]);
        assert_eq!(likeness(&old, &on(&[4, 3, 2, 1])), Likeness::Same, "in any order");
        assert_eq!(likeness(&old, &on(&[1, 2, 5, 6])), Likeness::Kin);
        assert_eq!(likeness(&old, &on(&[1, 2, 5, 6, 7])), Likeness::Other, "less than half of the new ones are known");
        assert_eq!(likeness(&old, &on(&[1])), Likeness::Other);
    }

    #[test]
    fn a_finding_gets_three_proposals_of_different_actions() {
        let findings = [finding(FindingKind::CpuContention, Severity::Warning)];
        let all = ["a", "a", "b", "c", "d"].map(|name| proposal(name, FindingKind::CpuContention, 0.5, Risk::Low));
        let names: Vec<String> = rank(all.to_vec(), &findings).iter().map(|p| p.action.to_string()).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }
}
