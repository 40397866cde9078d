//! Learning from journals made by hand: bounds, vetoes, the arm that does nothing, choices, prospects, spans.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::{choose::choose, kin, learned::Learned, prospects, report};
use crate::model::{
    change::{Cause, Change, ChangeId, Deed, Entry, Who},
    finding::{Finding, FindingId, FindingKind, Party, Severity},
    limits::{Mode, Policy, Trust},
    metric::{Better, Key, Metric},
    note::Note,
    proposal::{Domain, Proposal, Risk, Want},
    snapshot::{Reading, Service, Snapshot},
    subject::{ProcessId, Subject},
    time::{Now, Tick, Wall},
    trial::{Trial, Windows},
    unit::Unit,
    verdict::{Effect, Foresight, Outcome, Verdict},
};

const START: i64 = 1_700_000_000_000;
const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

/// A journal being written, one change after another.
struct Past {
    learned: Learned,
    policy: Policy,
    at: i64,
    changes: u64,
}

fn operator() -> Who {
    Who::Operator { user: "ann".into(), via: "console".into() }
}

fn process(pid: u32) -> Subject {
    Subject::Process(ProcessId { pid, start: 1 })
}

fn verdict(outcome: Outcome, change: f64) -> Deed {
    let effect = Some(Effect { before: 1.0, after: 1.0 + change, change, interval: (change, change), points: (60, 60) });
    Deed::Judged(Box::new(Verdict { outcome, effect, ..Verdict::default() }))
}

/// What is proposed, and against what.
#[derive(Clone, Copy)]
struct Case {
    action: &'static str,
    risk: Risk,
    fit: f64,
    severity: Severity,
    pid: u32,
}

const NICE: Case = Case { action: "nice", risk: Risk::Low, fit: 0.9, severity: Severity::Warning, pid: 7 };

impl Past {
    fn new() -> Past {
        Past::under(Policy::default())
    }

    fn under(policy: Policy) -> Past {
        Past { learned: Learned::new(&policy), policy, at: START, changes: 0 }
    }

    fn now(&self) -> Now {
        Now { tick: Tick((self.at - START) as u64 * 1_000_000), wall: Wall(self.at) }
    }

    fn proposed(&mut self, case: Case) -> Change {
        self.changes += 1;
        let id = FindingId { kind: FindingKind::CpuContention, subject: Subject::Host };
        let party =
            |pid: u32, name: &str| Party { subject: process(pid), name: name.into(), share: 0.9, amount: 1.0, unit: Unit::Cores };
        let finding = Finding {
            id: id.clone(),
            severity: case.severity,
            headline: String::new(),
            evidence: vec![],
            culprits: vec![party(case.pid, "batch")],
            victims: vec![],
            ruled_out: vec![],
            advice: None,
            impact: 0.5,
            priority: 1.0,
            since: Wall(self.at - 4000),
            crossing: None,
        };
        let proposal = Proposal {
            action: case.action.into(),
            finding: id,
            title: String::new(),
            why: String::new(),
            mechanism: String::new(),
            expect: String::new(),
            undo: String::new(),
            wants: vec![Want { on: process(case.pid), to: "10".into() }],
            risk: case.risk,
            reversible: true,
            domain: Domain::Cpu,
            trial: Trial {
                primary: Key::new(Subject::Service("shop".into()), Metric::ServiceP95),
                better: Better::Lower,
                least: 0.1,
                guardrails: vec![],
                controls: vec![],
                windows: Windows { before: 120.0, settle: 3.0, after: 60.0 },
                prevents: None,
            },
            fit: case.fit,
            cooldown: 60.0,
            asked: false,
            foreseen: None,
            course: crate::model::proposal::Course::Judged,
        };
        let deed = Deed::Proposed { proposal: Box::new(proposal), finding: Box::new(finding) };
        let entry = self.entry(ChangeId(self.changes), deed, Who::Engine);
        let change = Change::begin(&entry).unwrap();
        self.learned.take(&change, &entry);
        change
    }

    fn entry(&self, change: ChangeId, deed: Deed, who: Who) -> Entry {
        Entry { change, deed, who, now: self.now(), boot: "b".into() }
    }

    fn deed(&mut self, change: &mut Change, deed: Deed, who: Who) {
        let entry = self.entry(change.id, deed, who);
        change.take(&entry).unwrap();
        self.learned.take(change, &entry);
    }

    /// From a proposal to the verdict and what follows of it.
    fn trial(&mut self, case: Case, outcome: Outcome, effect: f64, who: &Who) {
        let mut change = self.proposed(case);
        self.at += 20_000;
        self.deed(&mut change, Deed::Approved { digest: "d".into() }, who.clone());
        self.deed(&mut change, Deed::Prepared, Who::Engine);
        let plan = crate::model::plan::Plan { action: case.action.into(), boot: "b".into(), steps: vec![] };
        let intent = Deed::ApplyStarted { plan: Box::new(plan), deadline: Tick(u64::MAX), leave: false };
        self.deed(&mut change, intent, Who::Engine);
        self.at += 50;
        self.deed(&mut change, Deed::Applied, Who::Engine);
        self.deed(&mut change, Deed::WatchStarted, Who::Engine);
        self.at += 63_000;
        self.deed(&mut change, verdict(outcome, effect), Who::Engine);
        if outcome == Outcome::Better {
            self.deed(&mut change, Deed::Kept, Who::Engine);
        } else {
            let cause = if outcome == Outcome::Worse { Cause::Hurt } else { Cause::NoEffect };
            self.deed(&mut change, Deed::RollbackStarted(cause), Who::Engine);
            self.at += 200;
            self.deed(&mut change, Deed::RolledBack, Who::Engine);
        }
        self.at += MINUTE;
    }

    fn trials(&mut self, count: usize, case: Case, outcome: Outcome) {
        let effect = match outcome {
            Outcome::Better => -0.4,
            Outcome::Worse => 0.5,
            _ => 0.0,
        };
        (0..count).for_each(|_| self.trial(case, outcome, effect, &Who::Engine));
    }

    /// A finding whose proposal nobody touched expires so many seconds after it was proposed.
    fn left_alone(&mut self, case: Case, seconds: i64) {
        let mut change = self.proposed(case);
        self.at += seconds * 1000;
        self.deed(&mut change, Deed::Expired, Who::Engine);
        self.at += 10 * MINUTE;
    }

    fn chosen(&mut self, cases: &[Case]) -> Option<(usize, crate::model::note::Choice)> {
        let changes: Vec<Change> = cases.iter().map(|case| self.proposed(*case)).collect();
        let may: Vec<&Change> = changes.iter().collect();
        let choice = choose(&may, &self.learned, &self.policy, self.now())?;
        Some((changes.iter().position(|c| c.id == choice.chosen).unwrap(), choice))
    }

    fn trust(&mut self, case: Case) -> Result<String, String> {
        let change = self.proposed(case);
        self.learned.harm(&change.proposal, self.now().wall).trust(case.risk, self.policy.trust)
    }
}

#[test]
fn twenty_eight_clean_runs_hold_harm_below_ten_percent_and_fifty_eight_below_five() {
    let bound = |runs: usize, risk: Risk| {
        let case = Case { risk, ..NICE };
        let mut past = Past::new();
        past.trials(runs, case, Outcome::Neutral);
        let change = past.proposed(case);
        // As of the last trial, so that next to nothing has faded.
        past.learned.harm(&change.proposal, Wall(START))
    };
    assert!((bound(0, Risk::Low).upper - 0.95).abs() < 1e-9, "without a run nothing is known");
    let exact = |n: f64| 1.0 - 0.05_f64.powf(1.0 / (n + 1.0));
    let thirty = bound(30, Risk::Low);
    assert!((thirty.upper - exact(thirty.clean)).abs() < 1e-6, "{thirty:?}");
    assert!(!bound(27, Risk::Low).is_proven() && thirty.is_proven());
    assert!(!bound(55, Risk::Medium).is_proven() && bound(62, Risk::Medium).is_proven());
    assert!(!bound(62, Risk::High).is_proven(), "what risks much is never automatic");
}

#[test]
fn the_catalogue_vouches_for_low_risk_until_harm_and_then_ten_clean_runs_are_owed() {
    let mut past = Past::new();
    assert!(past.trust(NICE).is_ok());
    assert!(past.trust(Case { risk: Risk::Medium, ..NICE }).is_err() && past.trust(Case { risk: Risk::High, ..NICE }).is_err());
    past.trials(3, NICE, Outcome::Better);
    past.trials(1, NICE, Outcome::Worse);
    assert!(past.trust(NICE).unwrap_err().contains("10 more clean runs"));
    assert!(past.trust(Case { action: "quota", ..NICE }).is_ok(), "another action is not blamed");
    past.trials(9, NICE, Outcome::Neutral);
    assert!(past.trust(NICE).unwrap_err().contains("1 more clean runs"));
    past.trials(4, NICE, Outcome::Unclear);
    assert!(past.trust(NICE).is_err(), "what is unclear pays no debt");
    past.trials(1, NICE, Outcome::Better);
    let change = past.proposed(NICE);
    let bound = past.learned.harm(&change.proposal, past.now().wall);
    assert_eq!(past.trust(NICE).is_ok(), bound.vouched < 0.1, "{bound:?}");
    past.trials(20, NICE, Outcome::Neutral);
    assert!(past.trust(NICE).is_ok());
}

#[test]
fn who_trusts_only_what_is_proven_waits_for_the_runs() {
    let mut past = Past::under(Policy { trust: Trust::Proven, ..Policy::default() });
    assert!(past.trust(NICE).unwrap_err().contains("95 %"));
    past.trials(20, NICE, Outcome::Better);
    assert!(past.trust(NICE).is_err());
    past.trials(12, NICE, Outcome::Better);
    assert!(past.trust(NICE).is_ok());
}

#[test]
fn harm_that_shows_later_and_an_undo_that_fails_are_harm() {
    let mut past = Past::new();
    let mut change = past.proposed(NICE);
    past.trial(NICE, Outcome::Better, -0.4, &Who::Engine);
    for deed in [Deed::Approved { digest: "d".into() }, Deed::Prepared] {
        past.deed(&mut change, deed, Who::Engine);
    }
    let plan = crate::model::plan::Plan { action: "nice".into(), boot: "b".into(), steps: vec![] };
    for deed in [
        Deed::ApplyStarted { plan: Box::new(plan), deadline: Tick(9), leave: false },
        Deed::Applied,
        Deed::WatchStarted,
        verdict(Outcome::Better, -0.3),
        Deed::Kept,
        Deed::RollbackStarted(Cause::Hurt),
        Deed::Stuck { error: "e".into(), commands: vec![] },
    ] {
        past.deed(&mut change, deed, Who::Engine);
    }
    let tally = past.learned.tally(&change.proposal);
    assert_eq!((tally.win, tally.harm), (2, 1), "once, though it was hurt and then stuck");
}

#[test]
fn rejected_advice_is_not_given_for_a_week_whatever_the_pid() {
    let mut past = Past::new();
    for pid in [100, 200, 300] {
        let mut change = past.proposed(Case { pid, ..NICE });
        assert_eq!(past.learned.vetoed(&change.proposal, &change.finding, &past.policy, past.now().wall), None);
        past.deed(&mut change, Deed::Rejected, operator());
        past.at += DAY;
    }
    let again = past.proposed(Case { pid: 400, ..NICE });
    let other = past.proposed(Case { action: "quota", pid: 400, ..NICE });
    let until =
        |past: &Past, change: &Change| past.learned.vetoed(&change.proposal, &change.finding, &past.policy, past.now().wall);
    assert_eq!(until(&past, &again), Some(Wall(START + 2 * DAY + 7 * DAY)));
    assert_eq!(until(&past, &other), None);
    let told = report::of(&past.learned, &past.policy, past.now().wall);
    assert_eq!((told.vetoes.len(), told.vetoes[0].rejections, &*told.vetoes[0].on), (1, 3, "batch"));
    assert_eq!(told.vetoes[0].advice, kin::advice(&again.proposal, &again.finding));
    past.at += 7 * DAY;
    assert_eq!(until(&past, &again), None, "a week later it may be said again");
    let mut change = past.proposed(NICE);
    past.deed(&mut change, Deed::Approved { digest: "d".into() }, operator());
    assert!(report::of(&past.learned, &past.policy, past.now().wall).vetoes.is_empty(), "who approves it has changed his mind");
}

#[test]
fn trouble_that_ends_by_itself_is_not_credited_to_an_action() {
    let mut past = Past::new();
    // Proposals outlive their findings by a minute: 75 s is 15 s after the proposal, 200 s is long after the trial would have ended.
    (0..4).for_each(|_| past.left_alone(NICE, 75));
    let kind = FindingKind::CpuContention;
    assert_eq!(past.learned.natural.rate(kind, past.now().wall), None, "four are too few");
    (0..6).for_each(|_| past.left_alone(NICE, 75));
    (0..2).for_each(|_| past.left_alone(NICE, 200));
    let rate = past.learned.natural.rate(kind, past.now().wall).unwrap();
    assert!((rate.mean - 11.0 / 14.0).abs() < 0.01, "{rate:?}");
    assert!(past.chosen(&[NICE]).is_none(), "it would end by itself in most cases: wait");
    let waited = past.proposed(NICE);
    past.at += 64_000;
    assert!(choose(&[&waited], &past.learned, &past.policy, past.now()).is_some(), "it did not: act");
}

#[test]
fn what_was_touched_or_rejected_early_says_nothing_of_doing_nothing() {
    let mut past = Past::new();
    past.trials(8, NICE, Outcome::Better);
    for _ in 0..8 {
        let mut change = past.proposed(NICE);
        past.at += 5000;
        past.deed(&mut change, Deed::Rejected, operator());
        let mut change = past.proposed(NICE);
        past.at += 5000;
        past.deed(&mut change, Deed::Expired, Who::Recovery);
    }
    past.at += 10 * MINUTE;
    assert_eq!(past.learned.natural.list(past.now().wall), []);
}

#[test]
fn with_nothing_known_the_actions_own_belief_decides_and_the_same_journal_chooses_the_same() {
    let lean = Case { action: "lean", fit: 0.5, ..NICE };
    let (first, choice) = Past::new().chosen(&[lean, NICE]).unwrap();
    assert_eq!((first, choice.explored), (1, false));
    assert_eq!(choice.arms.iter().map(|arm| arm.propensity).collect::<Vec<_>>(), [0.0, 1.0]);
    let taught = || {
        let mut past = Past::new();
        past.trials(2, NICE, Outcome::Neutral);
        past.at += DAY;
        past.chosen(&[lean, NICE]).unwrap()
    };
    assert_eq!(taught(), taught());
}

#[test]
fn draws_follow_what_is_known_and_are_not_made_while_trouble_is_critical() {
    let lean = Case { action: "lean", fit: 0.8, ..NICE };
    let mut past = Past::new();
    past.trials(2, NICE, Outcome::Neutral);
    past.trials(2, lean, Outcome::Better);
    past.at += DAY;
    let mut taken = [0; 2];
    let mut explored = 0;
    for _ in 0..200 {
        past.learned.entries += 1;
        if let Some((i, choice)) = past.chosen(&[NICE, lean]) {
            taken[i] += 1;
            explored += usize::from(choice.explored);
            let sum: f64 = choice.arms.iter().map(|arm| arm.propensity).sum();
            assert!(sum <= 1.0 + 1e-9 && choice.arms[i].propensity > 0.0, "{choice:?}");
        }
    }
    assert!(taken[1] > 3 * taken[0] && taken[0] > 0, "mostly what helped, at times the other: {taken:?}");
    assert_eq!(explored, taken[0]);
    let critical = |case: Case| Case { severity: Severity::Critical, ..case };
    for _ in 0..50 {
        past.learned.entries += 1;
        assert_eq!(past.chosen(&[critical(NICE), critical(lean)]).unwrap().0, 1);
    }
    past.learned.explored = Some(past.now().wall);
    past.at += 30 * MINUTE;
    for _ in 0..50 {
        past.learned.entries += 1;
        assert_eq!(past.chosen(&[NICE, lean]).unwrap().0, 1, "one try an hour is enough");
    }
}

#[test]
fn beyond_its_budget_of_regret_only_what_is_proven_is_done() {
    let mut past = Past::under(Policy { regret: 0.002, ..Policy::default() });
    let wild = Case { action: "wild", ..NICE };
    // 150 % worse for a minute: 94 s of a budget of 172.
    past.trial(wild, Outcome::Worse, 1.5, &Who::Engine);
    assert!(past.chosen(&[NICE]).is_some());
    past.trial(wild, Outcome::Worse, 1.5, &operator());
    let spent = |past: &Past| report::of(&past.learned, &past.policy, past.now().wall).regret;
    assert!(
        (spent(&past).spent - 94.5).abs() < 1.0 && (spent(&past).budget - 172.8).abs() < 1e-9,
        "what people try is theirs: {:?}",
        spent(&past)
    );
    past.trial(wild, Outcome::Worse, 1.5, &Who::Engine);
    assert!(spent(&past).spent > spent(&past).budget);
    assert!(past.chosen(&[NICE]).is_none());
    let mut proven = Past::under(past.policy.clone());
    proven.trials(32, NICE, Outcome::Better);
    (0..2).for_each(|_| proven.trial(wild, Outcome::Worse, 1.5, &Who::Engine));
    assert!(proven.chosen(&[wild]).is_none() && proven.chosen(&[NICE, wild]).unwrap().0 == 0);
    past.at += DAY;
    assert!(past.chosen(&[NICE]).is_some(), "another day");
}

#[test]
fn what_helped_is_ranked_higher_and_what_did_not_lower_by_subject_too() {
    let mut past = Past::new();
    let fresh = past.proposed(NICE);
    let now = past.now().wall;
    assert_eq!(past.learned.lean(&fresh.proposal, &fresh.finding, now), 1.0);
    past.trials(6, NICE, Outcome::Neutral);
    let lean = |past: &Past, change: &Change| past.learned.lean(&change.proposal, &change.finding, past.now().wall);
    let low = lean(&past, &fresh);
    assert!(low < 0.5, "{low}");
    let mut stranger = past.proposed(NICE);
    stranger.finding.culprits[0].name = "cron".into();
    let other = lean(&past, &stranger);
    assert!(low < other && other < 1.0, "another program is believed in more, but not as before: {low} {other}");
    past.trials(12, NICE, Outcome::Better);
    assert!(lean(&past, &fresh) > 1.0);
}

#[test]
fn prospects_tell_gain_cost_and_payback_or_that_they_are_not_known() {
    let mut past = Past::new();
    let change = past.proposed(NICE);
    let nothing = prospects::of(&past.learned, &change, &Snapshot::default(), past.now().wall);
    assert!(nothing.gain.is_none() && nothing.payback.is_none() && nothing.apply.is_none() && nothing.lean == 1.0);
    assert!((nothing.win.mean - 3.0 / 5.2).abs() < 1e-9 && nothing.win.high - nothing.win.low > 0.5);
    let told: String = nothing.rows(Unit::Seconds).iter().map(|(label, text)| format!("{label}: {text}\n")).collect();
    assert!(told.contains("never tried here") && told.contains("gain: not measured here yet"), "{told}");
    past.trials(1, NICE, Outcome::Neutral);
    (0..3).for_each(|_| past.trial(NICE, Outcome::Better, -0.5, &operator()));
    let mut change = past.proposed(NICE);
    change.foresight = Some(Foresight { history: 120.0, mean: 0.2, rho: 0.1, detectable: 0.1, short: false, unstable: false });
    let service = Service { name: "shop".into(), rate: 100.0, latency: None, process: None };
    let snapshot = Snapshot { services: Reading::Known(vec![service]), ..Snapshot::default() };
    let known = prospects::of(&past.learned, &change, &snapshot, past.now().wall);
    let gain = known.gain.unwrap();
    assert!((0.38..0.5).contains(&gain.share.mean) && gain.share.low < 0.42 && gain.share.high > 0.45, "{gain:?}");
    assert!((gain.amount.unwrap().mean - 0.2 * gain.share.mean).abs() < 1e-12);
    assert!((gain.saved.unwrap().mean - 0.2 * gain.share.mean * 360_000.0).abs() < 1e-6);
    assert_eq!(known.tally.words(), "3 win / 1 neutral / 0 harm");
    assert!((known.apply.unwrap() - 0.05).abs() < 1e-9 && (known.decision.unwrap() - 20.0).abs() < 1e-9);
    let cost = known.harm.mean * 63.0 + 0.05 + (1.0 - known.win.mean) * 0.2;
    assert!((known.payback.unwrap() - cost / (known.win.mean * gain.share.mean)).abs() < 1e-9);
}

#[test]
fn another_kernel_makes_what_was_seen_count_for_less() {
    let mut past = Past::new();
    let started = |kernel: &str| Note::Started {
        version: "1".into(),
        mode: Mode::Auto,
        config: "d".into(),
        kernel: kernel.into(),
        settings: vec![],
        changed: vec![],
    };
    past.learned.note(&started("6.1"), Wall(START));
    past.trials(10, NICE, Outcome::Better);
    let weight = |past: &Past| report::of(&past.learned, &past.policy, past.now().wall).lessons[0].weight;
    let before = weight(&past);
    past.learned.note(&started("6.1"), past.now().wall);
    past.learned.note(&started(""), past.now().wall);
    assert_eq!(weight(&past), before, "the same kernel again, or one that does not say");
    past.learned.note(&started("6.12"), past.now().wall);
    assert!((weight(&past) - 0.3 * before).abs() < 1e-9);
    let told = report::of(&past.learned, &past.policy, past.now().wall);
    assert_eq!((told.lessons[0].tally.win, told.kernel.as_str()), (10, "6.12"));
    let parts: Vec<Option<&str>> = told.lessons[0].parts.iter().map(|part| part.subject.as_deref()).collect();
    assert_eq!(parts, [None, Some("batch")]);
}

#[test]
fn spans_come_from_the_journal() {
    let mut past = Past::new();
    past.trial(NICE, Outcome::Neutral, 0.0, &operator());
    past.trial(NICE, Outcome::Neutral, 0.0, &Who::Engine);
    let timings = past.learned.timings();
    let seconds = |spread: Option<crate::model::timing::Spread>| spread.map(|s| (s.count, (s.p50 * 1000.0).round()));
    assert_eq!(seconds(timings.propose), Some((2, 4000.0)));
    assert_eq!((seconds(timings.decide), seconds(timings.automatic)), (Some((1, 20_000.0)), Some((1, 20_000.0))));
    assert_eq!((seconds(timings.apply), seconds(timings.rollback)), (Some((2, 50.0)), Some((2, 200.0))));
}
