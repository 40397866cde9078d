//! What a proposal is about, by names that outlast a process: lessons and rejections are kept under these.

use crate::model::{finding::Finding, proposal::Proposal, subject::Subject};
use std::{collections::BTreeSet, sync::Arc};

/// Names that are listed one by one at most.
const NAMED: usize = 3;

/// The class of a proposal's subjects: their kind, and for a control group the tree that it is in.
pub fn class(proposal: &Proposal) -> Arc<str> {
    let mut classes: BTreeSet<String> = proposal.wants.iter().map(|want| class_of(&want.on)).collect();
    match (classes.pop_first(), classes.is_empty()) {
        (Some(one), true) => one.into(),
        (Some(_), false) => "several".into(),
        (None, _) => "host".into(),
    }
}

fn class_of(subject: &Subject) -> String {
    match subject {
        Subject::Cgroup(path) => {
            let top = path.trim_start_matches('/').split('/').next().unwrap_or_default();
            format!("cgroup /{top}")
        }
        other => other.kind().into(),
    }
}

/// The subjects by their lasting names: a process by its program, as the finding knows it.
pub fn names(proposal: &Proposal, finding: &Finding) -> Arc<str> {
    let parties = || finding.culprits.iter().chain(&finding.victims);
    let name = |subject: &Subject| match subject {
        Subject::Process(_) => parties().find(|party| party.subject == *subject).map_or("process".into(), |p| p.name.to_string()),
        other => other.name().into_owned(),
    };
    let all: BTreeSet<String> = proposal.wants.iter().map(|want| name(&want.on)).collect();
    let mut shown: Vec<String> = all.iter().take(NAMED).cloned().collect();
    if let Some(more) = all.len().checked_sub(NAMED).filter(|more| *more > 0) {
        shown.push(format!("{more} more"));
    }
    if shown.is_empty() { "host".into() } else { shown.join(" + ").into() }
}

/// The lasting number of a piece of advice: the same for the same action on the same subjects against the same kind of trouble.
pub fn advice(proposal: &Proposal, finding: &Finding) -> String {
    let text = format!("{} | {:?} | {} | {}", proposal.action, proposal.finding.kind, class(proposal), names(proposal, finding));
    // FNV-1a, 64 bits.
    let hash = text.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
    format!("{hash:016x}")
}
