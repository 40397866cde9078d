//! What an operator asks for by hand, as the proposal that it is. Pure.

use crate::model::{
    finding::{Finding, FindingId, FindingKind, Severity},
    metric::{Better, Key, Metric},
    proposal::{Domain, Proposal, Want},
    snapshot::Snapshot,
    subject::{ProcessId, Subject},
    time::Wall,
    trial::{Trial, Windows},
    wish::{MOST, Wish},
};

/// The proposal with the finding that stands for its reason, or why there can be none.
pub fn proposal(wish: &Wish, snapshot: &Snapshot, asker: &str, now: Wall) -> Result<(Proposal, Finding), String> {
    let all = wish.processes();
    let first = *all.first().ok_or("no process was named: put the cursor on one, or mark some")?;
    if all.len() > MOST {
        return Err(format!("{} processes at once are too many: at most {MOST}", all.len()));
    }
    if let Wish::Nice { to, .. } = wish
        && !(-20..20).contains(to)
    {
        return Err(format!("{to} is no nice: it goes from -20 to 19"));
    }
    let whom = whom(all, snapshot);
    let finding = FindingId { kind: FindingKind::Asked, subject: Subject::Process(first) };
    let words = words(wish, &whom);
    let want = |process: &ProcessId| Want { on: Subject::Process(*process), to: words.value.clone() };
    let proposal = Proposal {
        action: words.action.into(),
        finding: finding.clone(),
        title: words.title,
        why: format!("Asked for by {asker}."),
        mechanism: words.mechanism,
        expect: "It is not measured: it stands on its asker's word.".into(),
        undo: words.undo.into(),
        wants: all.iter().map(want).collect(),
        risk: wish.risk(),
        reversible: matches!(wish, Wish::Nice { .. }),
        domain: Domain::Cpu,
        trial: unjudged(first),
        fit: 1.0,
        cooldown: 0.0,
        asked: true,
        foreseen: None,
        course: crate::model::proposal::Course::Judged,
    };
    Ok((proposal, reason(finding, asker, now)))
}

/// The words that two kinds of wishes do not share.
struct Words {
    action: &'static str,
    value: String,
    title: String,
    mechanism: String,
    undo: &'static str,
}

fn words(wish: &Wish, whom: &str) -> Words {
    match wish {
        Wish::Nice { to, .. } => Words {
            action: "renice",
            value: to.to_string(),
            title: format!("nice {to} for {whom}"),
            mechanism: "Each step of nice is about a quarter more or less of the cpu's time beside others.".into(),
            undo: "Each thread gets its own nice back at once.",
        },
        Wish::Signal { signal, .. } => Words {
            action: "signal",
            value: signal.name().into(),
            title: format!("SIG{} to {whom}", signal.name()),
            mechanism: format!("SIG{}: {}.", signal.name(), signal.help()),
            undo: "A signal cannot be taken back.",
        },
    }
}

/// `backup (123)`, `6 x python3`, `3 processes`.
pub fn whom(all: &[ProcessId], snapshot: &Snapshot) -> String {
    let name = |id: &ProcessId| snapshot.process(*id).map(|process| process.name.clone());
    let names: Vec<_> = all.iter().map(name).collect();
    match (all, names.first().cloned().flatten()) {
        ([one], Some(name)) => format!("{name} ({})", one.pid),
        ([one], None) => format!("process {}", one.pid),
        (_, Some(name)) if names.iter().all(|other| other.as_ref() == Some(&name)) => format!("{} x {name}", all.len()),
        _ => format!("{} processes", all.len()),
    }
}

/// Nothing is measured; the words want a metric all the same.
fn unjudged(process: ProcessId) -> Trial {
    Trial {
        primary: Key::new(Subject::Process(process), Metric::ProcessCpu),
        better: Better::Lower,
        least: 0.0,
        guardrails: Vec::new(),
        controls: Vec::new(),
        windows: Windows { before: 0.0, settle: 0.0, after: 0.0 },
        prevents: None,
    }
}

fn reason(id: FindingId, asker: &str, now: Wall) -> Finding {
    Finding {
        id,
        severity: Severity::Notice,
        headline: format!("asked for by {asker}"),
        evidence: Vec::new(),
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: Vec::new(),
        advice: None,
        impact: 0.0,
        priority: 0.0,
        since: now,
        crossing: None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::{
        snapshot::{Process, Reading},
        wish::Signal,
    };
    use std::sync::Arc;

    fn id(pid: u32) -> ProcessId {
        ProcessId { pid, start: 1 }
    }

    fn snapshot() -> Snapshot {
        let process = |pid, name: &str| Process { id: id(pid), name: name.into(), ..Process::default() };
        let all = vec![process(1, "init"), process(7, "backup"), process(8, "backup")];
        Snapshot { processes: Reading::Known(Arc::new(all)), ..Snapshot::default() }
    }

    fn title(wish: &Wish) -> String {
        proposal(wish, &snapshot(), "ann", Wall::default()).unwrap().0.title
    }

    #[test]
    fn it_says_what_to_whom() {
        let signal = |pids: &[u32]| Wish::Signal { processes: pids.iter().map(|pid| id(*pid)).collect(), signal: Signal::Term };
        assert_eq!(title(&signal(&[7])), "SIGTERM to backup (7)");
        assert_eq!(title(&signal(&[7, 8])), "SIGTERM to 2 x backup");
        assert_eq!(title(&signal(&[1, 8])), "SIGTERM to 2 processes");
        assert_eq!(title(&signal(&[99])), "SIGTERM to process 99");
        assert_eq!(title(&Wish::Nice { processes: vec![id(7)], to: -5 }), "nice -5 for backup (7)");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |wish: Wish| proposal(&wish, &snapshot(), "ann", Wall::default()).unwrap_err();
        assert!(refused(Wish::Nice { processes: vec![], to: 5 }).contains("no process"));
        assert!(refused(Wish::Nice { processes: vec![id(7)], to: 20 }).contains("-20 to 19"));
        assert!(refused(Wish::Nice { processes: (0..300).map(id).collect(), to: 1 }).contains("at most 256"));
    }

    #[test]
    fn only_what_can_be_undone_says_so() {
        let of = |wish: &Wish| proposal(wish, &snapshot(), "ann", Wall::default()).unwrap().0;
        assert!(of(&Wish::Nice { processes: vec![id(7)], to: 5 }).reversible);
        assert!(!of(&Wish::Signal { processes: vec![id(7)], signal: Signal::Kill }).reversible);
    }
}
