//! The phases of one change's cycle, from detection to its end: each with its evidence, when, how long, who, and what was done with the
//! machine: nothing, a look, a write, or a write that was only rehearsed. For whoever wants to see through what the engine did.

use crate::model::{
    change::{Change, ChangeState, Who},
    finding::{Evidence, Party},
    plan::{Held, Plan},
    time::Wall,
    unit::Unit,
    verdict::{Effect, Verdict},
};

/// How far a phase is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Over.
    Done,
    /// Under way.
    Now,
    /// Not reached yet.
    Open,
    /// The cycle ended here, or before it.
    Ended,
}

impl Progress {
    /// In a word.
    pub fn words(self) -> &'static str {
        match self {
            Progress::Done => "done",
            Progress::Now => "now",
            Progress::Open => "to come",
            Progress::Ended => "not done",
        }
    }
}

/// What a phase does with the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It reads.
    Read,
    /// It only thinks.
    Thought,
    /// It writes into the journal, and nowhere else.
    Recorded,
    /// It writes knobs.
    Executed,
    /// It would write knobs, and did not: a dry run.
    Dry,
}

impl Manner {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Manner::Read => "read only",
            Manner::Thought => "thought only",
            Manner::Recorded => "journal only",
            Manner::Executed => "executed",
            Manner::Dry => "dry, not executed",
        }
    }
}

/// One phase.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// Its name.
    pub name: &'static str,
    /// How far it is.
    pub progress: Progress,
    /// What it does with the machine.
    pub manner: Manner,
    /// When it was over, or began if it is under way.
    pub at: Option<Wall>,
    /// Seconds that it took.
    pub took: Option<f64>,
    /// Who did it.
    pub who: Option<Who>,
    /// What it rests on, or what came of it, in lines.
    pub evidence: Vec<String>,
}

impl Phase {
    fn new(name: &'static str, manner: Manner) -> Phase {
        Phase { name, progress: Progress::Open, manner, at: None, took: None, who: None, evidence: Vec::new() }
    }
}

/// Writes shown of a plan.
const SHOWN: usize = 6;

/// One deed of a change, as it keeps them.
type Kept = (Wall, Who, String);

/// The newest deed whose words begin so.
fn deed<'c>(change: &'c Change, words: &str) -> Option<&'c Kept> {
    change.deeds.iter().rev().find(|(_, _, text)| text.starts_with(words))
}

fn between(from: Wall, to: Wall) -> Option<f64> {
    (to >= from).then(|| (to.0 - from.0) as f64 / 1000.0)
}

/// Every phase of a change, in order.
pub fn phases(change: &Change) -> Vec<Phase> {
    let mut all = vec![
        detect(change),
        explain(change),
        propose(change),
        approve(change),
        prepare(change),
        apply(change),
        verify(change),
        watch(change),
        judge(change),
        end(change),
    ];
    // What follows the end of a cycle that ended early does not come any more.
    let over = change.state.is_over();
    for phase in all.iter_mut().filter(|phase| over && phase.progress == Progress::Open) {
        phase.progress = Progress::Ended;
    }
    if change.proposal.asked {
        all.retain(|phase| !matches!(phase.name, "detect" | "explain" | "watch" | "judge"));
    }
    all
}

fn done(mut phase: Phase, by: Option<&Kept>, since: Option<Wall>) -> Phase {
    if let Some((at, who, _)) = by {
        phase.progress = Progress::Done;
        (phase.at, phase.who) = (Some(*at), Some(who.clone()));
        phase.took = since.and_then(|since| between(since, *at));
    }
    phase
}

fn detect(change: &Change) -> Phase {
    let finding = &change.finding;
    let mut evidence = vec![finding.headline.clone()];
    evidence.extend(finding.evidence.iter().map(measured));
    let phase = Phase::new("detect", Manner::Read);
    Phase { progress: Progress::Done, at: Some(finding.since), who: Some(Who::Engine), evidence, ..phase }
}

fn measured(evidence: &Evidence) -> String {
    let unit = evidence.metric.unit();
    let over = evidence.threshold.map(|t| format!(" (threshold {})", unit.show(t))).unwrap_or_default();
    format!("{} of {} {}{over}, from {}", evidence.metric.words(), evidence.subject, unit.show(evidence.value), evidence.from)
}

fn explain(change: &Change) -> Phase {
    let finding = &change.finding;
    let mut evidence: Vec<String> =
        [parties("culprits", &finding.culprits), parties("victims", &finding.victims)].into_iter().flatten().collect();
    if !finding.ruled_out.is_empty() {
        evidence.push(format!("not: {}", finding.ruled_out.join("; ")));
    }
    evidence.push(change.proposal.why.clone());
    let phase = Phase::new("explain", Manner::Thought);
    Phase { progress: Progress::Done, at: Some(change.proposed), who: Some(Who::Engine), evidence, ..phase }
}

/// Who has a part, those of one name together.
fn parties(label: &str, all: &[Party]) -> Option<String> {
    let mut names: Vec<(&str, usize, f64)> = Vec::new();
    for party in all {
        match names.iter_mut().find(|(name, ..)| *name == &*party.name) {
            Some((_, count, share)) => (*count, *share) = (*count + 1, *share + party.share),
            None => names.push((&party.name, 1, party.share)),
        }
    }
    let one = |(name, count, share): &(&str, usize, f64)| {
        let times = if *count > 1 { format!("{count} x ") } else { String::new() };
        format!("{times}{name} ({})", Unit::Share.show(*share))
    };
    let shown: Vec<String> = names.iter().take(SHOWN).map(one).collect();
    (!shown.is_empty()).then(|| format!("{label}: {}", shown.join(", ")))
}

fn propose(change: &Change) -> Phase {
    let proposal = &change.proposal;
    let mut phase = done(Phase::new("propose", Manner::Recorded), deed(change, "proposed"), Some(change.finding.since));
    if proposal.asked {
        phase.took = None;
    }
    phase.evidence = vec![proposal.title.clone(), format!("risk {}, fit {:.2}", proposal.risk.words(), proposal.fit)];
    phase.evidence.extend(Some(proposal.expect.clone()).filter(|expect| !expect.is_empty()));
    phase
}

fn approve(change: &Change) -> Phase {
    let phase = Phase::new("approve", Manner::Recorded);
    let taken_back = deed(change, "unapproved").map(|(at, ..)| *at);
    let approved = deed(change, "approved").filter(|(at, ..)| taken_back.is_none_or(|back| *at >= back) || !change.state.is_open());
    let mut phase = done(phase, approved, Some(change.proposed));
    if let Some((_, first, _)) = deed(change, "endorsed") {
        phase.evidence.push(format!("first of two: {first}"));
    }
    if approved.is_some() && !change.digest.is_empty() {
        phase.evidence.push(format!("bound to the plan {}", change.digest.get(..12).unwrap_or(&change.digest)));
    }
    let ended = ["rejected", "expired"].iter().find_map(|words| deed(change, words));
    match (approved, ended) {
        (_, Some((at, who, words))) => {
            phase.evidence.push(format!("{words} by {who}"));
            Phase { progress: Progress::Ended, at: Some(*at), who: Some(who.clone()), took: between(change.proposed, *at), ..phase }
        }
        (None, None) if change.state == ChangeState::Proposed => {
            Phase { progress: Progress::Now, at: Some(change.proposed), ..phase }
        }
        _ => phase,
    }
}

fn prepare(change: &Change) -> Phase {
    let mut phase = Phase::new("prepare", Manner::Read);
    if let Some(plan) = &change.plan {
        phase.evidence.push(format!("{} writes, each with its prior value read", plan.steps.len()));
    }
    if let Some(lock) = change.lock.as_ref().filter(|_| change.state.is_open()) {
        phase.evidence.push(format!("locked: {}", lock.why));
    }
    let since = deed(change, "approved").map(|(at, ..)| *at);
    if change.is_dry() {
        return done(phase, deed(change, "refused"), since);
    }
    if let Some((at, who, words)) = deed(change, "refused") {
        phase.evidence.push(words.clone());
        return Phase { progress: Progress::Ended, at: Some(*at), who: Some(who.clone()), ..phase };
    }
    done(phase, deed(change, "prepared"), since)
}

fn apply(change: &Change) -> Phase {
    let mut phase = Phase::new("apply", Manner::Executed);
    if change.is_dry() {
        phase = Phase { manner: Manner::Dry, progress: Progress::Ended, ..phase };
        phase.evidence.extend(change.trouble.clone());
        return phase;
    }
    let begun = deed(change, "being applied").map(|(at, ..)| *at);
    if begun.is_some() || change.state.is_open() {
        phase.evidence.extend(change.plan.iter().flat_map(writes));
    }
    match (deed(change, "applied"), begun) {
        (Some(applied), since) => done(phase, Some(applied), since),
        (None, Some(at)) => Phase {
            progress: if change.state == ChangeState::Applying { Progress::Now } else { Progress::Ended },
            at: Some(at),
            ..phase
        },
        (None, None) => phase,
    }
}

fn writes(plan: &Plan) -> Vec<String> {
    let shown = plan.steps.iter().take(SHOWN).map(|step| format!("{}: {} -> {}", step.knob, step.before, step.after));
    let more = plan.steps.len().checked_sub(SHOWN).filter(|more| *more > 0).map(|more| format!("and {more} more"));
    shown.chain(more).collect()
}

fn verify(change: &Change) -> Phase {
    let mut phase = done(Phase::new("verify", Manner::Read), deed(change, "applied"), None);
    if phase.progress == Progress::Done {
        phase.evidence.push(match &change.held {
            Some(Held::Drifted { knob, found }) => format!("{knob} is {found} now, set by somebody else"),
            Some(Held::Gone) => "every target has ended".into(),
            Some(Held::Holds) => "every value stands as written, and was read back since".into(),
            None => "every value was read back as written".into(),
        });
    }
    phase
}

fn watch(change: &Change) -> Phase {
    let windows = change.proposal.trial.windows;
    let mut phase = Phase::new("watch", Manner::Read);
    let seconds = |s: f64| Unit::Seconds.show(s);
    phase.evidence.push(format!(
        "{}, {} to settle, {} watched against {} before; {} guardrails",
        change.proposal.trial.primary,
        seconds(windows.settle),
        seconds(windows.after),
        seconds(windows.before),
        change.proposal.trial.guardrails.len()
    ));
    let Some((from, who, _)) = deed(change, "watched") else { return phase };
    phase.evidence.push(format!("{} points kept", change.track.len()));
    let until = deed(change, "judged").or_else(|| deed(change, "rolling back")).map(|(at, ..)| *at);
    Phase {
        progress: if until.is_some() || change.state != ChangeState::Watching { Progress::Done } else { Progress::Now },
        at: until.or(Some(*from)),
        took: until.and_then(|until| between(*from, until)),
        who: Some(who.clone()),
        ..phase
    }
}

fn judge(change: &Change) -> Phase {
    let mut phase = done(Phase::new("judge", Manner::Thought), deed(change, "judged"), None);
    match &change.verdict {
        Some(verdict) => phase.evidence = judged(verdict, change.proposal.trial.primary.metric.unit()),
        None if change.undone.is_some() => phase.evidence.push("it ended before a verdict".into()),
        None => {}
    }
    phase
}

fn judged(verdict: &Verdict, unit: Unit) -> Vec<String> {
    let percent = |share: f64| format!("{:+.0} %", share * 100.0);
    let effect = |effect: &Effect| {
        let (low, high) = effect.interval;
        let levels = format!("{} -> {}", unit.show(effect.before), unit.show(effect.after));
        format!("{levels}, {} ({} to {})", percent(effect.change), percent(low), percent(high))
    };
    let mut lines = vec![verdict.why.clone()];
    lines.extend(verdict.effect.as_ref().map(effect));
    lines.extend(verdict.placebo.map(|p| format!("as large by chance in {} of earlier windows", Unit::Share.show(p))));
    lines.extend(verdict.doubts.iter().map(|doubt| format!("doubt: {doubt}")));
    lines
}

fn end(change: &Change) -> Phase {
    let begun = deed(change, "rolling back");
    let ends = ["rolled back", "yielded", "stuck", "kept", "done"].iter().filter_map(|words| deed(change, words));
    let last = ends.max_by_key(|(at, ..)| *at);
    let (name, manner) = match (begun, last.map(|(_, _, words)| words.as_str())) {
        (Some(_), _) => ("roll back", Manner::Executed),
        (None, Some("kept" | "done")) => ("keep", Manner::Recorded),
        (None, Some(_)) => ("yield", Manner::Recorded),
        (None, None) => ("keep or roll back", Manner::Recorded),
    };
    let mut phase = Phase::new(name, manner);
    phase.evidence.extend(change.cause.filter(|_| begun.is_some()).map(|cause| cause.words().to_string()));
    phase.evidence.extend(change.trouble.clone().filter(|_| last.is_some() || begun.is_some()));
    match (begun, change.state) {
        (Some((at, who, _)), ChangeState::RollingBack | ChangeState::Stuck) => {
            Phase { progress: Progress::Now, at: Some(*at), who: Some(who.clone()), ..phase }
        }
        _ => done(phase, last, begun.map(|(at, ..)| *at)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{
        change::{Cause, ChangeId, Deed, Entry},
        finding::{Finding, FindingId, FindingKind, Severity},
        metric::{Better, Key, Metric},
        plan::Refusal,
        proposal::{Domain, Proposal, Risk},
        subject::Subject,
        time::{Now, Tick},
        trial::{Trial, Windows},
    };

    fn begun() -> Change {
        let id = FindingId { kind: FindingKind::CpuContention, subject: Subject::Host };
        let finding = Finding {
            id: id.clone(),
            severity: Severity::Warning,
            headline: "shop waits".into(),
            evidence: vec![],
            culprits: vec![],
            victims: vec![],
            ruled_out: vec![],
            advice: None,
            impact: 0.5,
            priority: 1.0,
            since: Wall(0),
            crossing: None,
        };
        let proposal = Proposal {
            action: "nice".into(),
            finding: id,
            title: "nice 10".into(),
            why: "it holds the cpu".into(),
            mechanism: String::new(),
            expect: String::new(),
            undo: String::new(),
            wants: vec![],
            risk: Risk::Low,
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
            fit: 0.9,
            cooldown: 60.0,
            asked: false,
            foreseen: None,
            course: crate::model::proposal::Course::default(),
        };
        let deed = Deed::Proposed { proposal: Box::new(proposal), finding: Box::new(finding) };
        Change::begin(&entry(4, deed, Who::Engine)).unwrap()
    }

    fn entry(second: i64, deed: Deed, who: Who) -> Entry {
        let now = Now { tick: Tick(0), wall: Wall(second * 1000) };
        Entry { change: ChangeId(1), deed, who, now, boot: "b".into() }
    }

    fn ann() -> Who {
        Who::Operator { user: "ann".into(), via: "console".into() }
    }

    fn told(change: &Change) -> Vec<(&'static str, Progress)> {
        phases(change).iter().map(|phase| (phase.name, phase.progress)).collect()
    }

    #[test]
    fn a_whole_cycle_is_told_phase_by_phase_with_times_and_names() {
        use Progress::{Done, Now, Open};
        let mut change = begun();
        let start = [("detect", Done), ("explain", Done), ("propose", Done), ("approve", Now), ("prepare", Open), ("apply", Open)];
        assert_eq!(told(&change)[..6], start);
        let plan = Box::new(Plan { action: "nice".into(), boot: "b".into(), steps: vec![] });
        let approved = [(24, Deed::Approved { digest: "d".into() }, ann()), (25, Deed::Prepared, Who::Engine)];
        let rest = [
            (25, Deed::ApplyStarted { plan, deadline: Tick(9), leave: false }, Who::Engine),
            (26, Deed::Applied, Who::Engine),
            (26, Deed::WatchStarted, Who::Engine),
        ];
        for (second, deed, who) in approved.into_iter().chain(rest) {
            change.take(&entry(second, deed, who)).unwrap();
        }
        assert_eq!(told(&change)[3..8], [("approve", Done), ("prepare", Done), ("apply", Done), ("verify", Done), ("watch", Now)]);
        let verdict = Verdict { why: "nothing shown".into(), ..Verdict::default() };
        for (second, deed) in
            [(89, Deed::Judged(Box::new(verdict))), (89, Deed::RollbackStarted(Cause::NoEffect)), (90, Deed::RolledBack)]
        {
            change.take(&entry(second, deed, Who::Engine)).unwrap();
        }
        let all = phases(&change);
        assert!(all.iter().all(|phase| phase.progress == Done), "{all:?}");
        let took: Vec<Option<f64>> = all.iter().map(|phase| phase.took).collect();
        let spans = [None, None, Some(4.0), Some(20.0), Some(1.0), Some(1.0), None, Some(63.0), None, Some(1.0)];
        assert_eq!(took, spans);
        assert_eq!((&all[3].who, all[9].name, all[9].manner), (&Some(ann()), "roll back", Manner::Executed));
        assert_eq!(all[9].evidence, ["no benefit shown"]);
    }

    #[test]
    fn a_cycle_that_ends_early_says_where_and_a_dry_run_that_nothing_was_executed() {
        let mut rejected = begun();
        rejected.take(&entry(9, Deed::Rejected, ann())).unwrap();
        let all = phases(&rejected);
        assert_eq!((all[3].progress, all[3].evidence.last().unwrap().as_str()), (Progress::Ended, "rejected by ann (console)"));
        assert!(all[4..].iter().all(|phase| phase.progress == Progress::Ended));
        let mut dry = begun();
        let plan = Plan { action: "nice".into(), boot: "b".into(), steps: vec![] };
        for deed in [Deed::Approved { digest: "d".into() }, Deed::Refused(Refusal::dry(&plan))] {
            dry.take(&entry(10, deed, Who::Engine)).unwrap();
        }
        let all = phases(&dry);
        assert_eq!((all[4].progress, all[5].manner, all[5].progress), (Progress::Done, Manner::Dry, Progress::Ended));
        assert!(all[5].evidence[0].starts_with("dry run"), "{:?}", all[5]);
    }
}
