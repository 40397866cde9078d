//! The bounds on acting (`reference/safety.md`, 9 and 10): mode, budget, one change per interference domain, cool-down, flaps.
//!
//! Pure. Every refusal says what stands in the way and what to do. Rollback is never asked here: it is always allowed.

use crate::{
    model::{
        change::Change,
        finding::FindingId,
        limits::{Mode, Policy, Switchback},
        message::GuardState,
        plan::{Obstacle, Refusal},
        proposal::{Proposal, Risk},
        rule::{Decision, Tier, Window},
        time::{Now, Tick},
        unit::Unit,
        verdict::Foresight,
    },
    planning::{
        experience::Experience,
        learning::learned::Learned,
        memory::Memory,
        rules::{Moment, decide},
    },
};
use std::collections::BTreeSet;

/// What the bounds are held against.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// When.
    pub now: Now,
    /// The mode in force.
    pub mode: Mode,
    /// The numbers.
    pub policy: &'a Policy,
    /// What past changes taught.
    pub memory: &'a Memory,
    /// What is believed of actions since.
    pub learned: &'a Learned,
    /// What actions did here before.
    pub experience: &'a Experience,
    /// Actions whose knobs act at once and leave nothing behind.
    pub instant: &'a BTreeSet<&'static str>,
    /// Findings that are critical now.
    pub critical: &'a [FindingId],
    /// This hour of the week is quiet here; `None` as long as too little is known of the host's week.
    pub low_traffic: Option<bool>,
    /// The stop file, if it is there.
    pub halted: Option<&'a str>,
    /// How the guard stands.
    pub guard: &'a GuardState,
    /// Why the journal cannot be written, if so.
    pub journal: Option<&'a str>,
}

impl Standing<'_> {
    /// Whether any change may begin now.
    pub fn may_act(&self) -> Result<(), Refusal> {
        if self.mode == Mode::Observe {
            return refuse("the mode is observe, nothing is applied: switch to suggest first");
        }
        if let Some(file) = self.halted {
            return refuse(halted(file));
        }
        if let Some(why) = self.journal {
            return refuse(format!(
                "the journal cannot be written ({why}), so no change begins: mend that first; rollback still works"
            ));
        }
        if let GuardState::Failed(why) = self.guard {
            return refuse(format!("the guard that would undo it is not running ({why}): no change begins without it"));
        }
        let applied = self.memory.applied(self.now.tick);
        if applied >= self.policy.per_hour {
            return refuse(format!(
                "{applied} changes were applied within the hour, the budget is {}: wait, or raise per_hour",
                self.policy.per_hour
            ));
        }
        Ok(())
    }

    /// Whether these knobs may be touched now.
    pub fn may_touch(&self, proposal: &Proposal) -> Result<(), Refusal> {
        let high = self.memory.applied_high(self.now.tick);
        if proposal.risk == Risk::High && high >= self.policy.high_per_day {
            return refuse(format!(
                "{high} changes of high risk were applied within the day, the budget is {}: wait, or raise high_per_day",
                self.policy.high_per_day
            ));
        }
        let flaps = self.memory.reversals(proposal, self.now.tick);
        if flaps >= self.policy.flaps {
            return refuse(format!(
                "these knobs were set and undone {flaps} times within the hour: they are left alone until that hour is over"
            ));
        }
        match self.memory.cooling(proposal, self.now.tick) {
            Some(left) => refuse(format!("these knobs were touched a moment ago: they rest for another {left:.0} s")),
            None => Ok(()),
        }
    }

    /// Whether `change` can be told apart from `rivals`, the other changes that nobody has confirmed yet.
    pub fn is_alone<'c>(&self, change: &Change, rivals: impl IntoIterator<Item = &'c Change>) -> Result<(), Refusal> {
        // What only later boots see has no effect now.
        if change.proposal.course.parent().is_some() {
            return Ok(());
        }
        let domain = &change.proposal.domain;
        let rival = rivals.into_iter().find(|other| other.id != change.id && other.proposal.domain == *domain);
        match rival {
            Some(other) => refuse(format!(
                "{} ({}) is {} in the same domain ({domain:?}) and their effects could not be told apart: wait for its verdict, keep it or roll it back",
                other.id,
                other.proposal.title,
                other.state.words()
            )),
            None => Ok(()),
        }
    }

    /// What policy says of a change here and now, and why auto mode may not take it, if so. The names of its subjects are those that
    /// were last looked up.
    pub fn decision(&self, change: &Change) -> Decision {
        let names = change.decision.as_ref().map(|decision| decision.names.clone()).unwrap_or_default();
        let moment = Moment::of(self.policy, self.now.wall, self.low_traffic);
        let decision = decide(self.policy, &change.proposal, names, &moment);
        let manual = self.automatic(change, &decision).err().map(|refusal| refusal.why);
        Decision { manual, ..decision }
    }

    /// Whether anybody may have this change applied.
    pub fn is_allowed(&self, change: &Change) -> Result<(), Refusal> {
        match self.decision(change) {
            Decision { level: Mode::Observe, rule, .. } => refuse(format!(
                "{} of the policy lets such changes only be observed",
                rule.map_or_else(|| "the default".into(), |rule| format!("rule {rule}"))
            )),
            _ => Ok(()),
        }
    }

    /// People who must approve a change.
    pub fn approvals(&self, change: &Change) -> u8 {
        self.decision(change).approvals
    }

    /// Whether auto mode may take this change by itself, and if not, why: the first of all that stands in the way.
    pub fn may_be_automatic(&self, change: &Change) -> Result<(), Refusal> {
        self.automatic(change, &self.decision(change))
    }

    fn automatic(&self, change: &Change, decision: &Decision) -> Result<(), Refusal> {
        let proposal = &change.proposal;
        let by = decision.rule.map_or_else(|| "without a rule".into(), |rule| format!("rule {rule}"));
        if decision.level < Mode::Auto {
            let why = match decision.rule {
                Some(rule) => format!("rule {rule} allows no more than {}", decision.level.words()),
                None if decision.tier == Tier::Critical => "its subject is critical, and no rule allows it".into(),
                None => format!("its risk is {}, and no rule allows it", proposal.risk.words()),
            };
            return refuse(why);
        }
        if !proposal.course.is_watched() {
            return refuse("nothing measures what it does, so a person approves it");
        }
        if decision.approvals > 1 {
            return refuse("two people must approve it");
        }
        if proposal.risk == Risk::High && decision.window != Some(Window::Maintenance) {
            return refuse(format!("its risk is high, and {by} names no maintenance window"));
        }
        if !proposal.reversible {
            return refuse("it cannot be undone exactly");
        }
        if let Some(lock) = &change.lock {
            return refuse(format!("it is locked: {}", lock.why));
        }
        if change.plan.is_none() {
            return refuse("its plan is still being made");
        }
        self.can_be_told(change)?;
        self.is_harmless(change, decision)?;
        self.is_no_gamble(change, decision)?;
        if self.mode < Mode::Auto {
            return refuse(format!("the mode is {}", self.mode.words()));
        }
        Ok(())
    }

    /// Whether the data can show the effect. What answers trouble that has not come yet has no effect to show; there the forecast must
    /// be sure enough.
    fn can_be_told(&self, change: &Change) -> Result<(), Refusal> {
        let trial = &change.proposal.trial;
        match (change.proposal.foreseen, change.foresight) {
            (Some(confidence), _) if confidence >= self.policy.foresight => Ok(()),
            (Some(confidence), _) => {
                refuse(format!("the forecast is sure to {confidence:.2}, it takes {:.2}", self.policy.foresight))
            }
            (None, None) => refuse("what its effect would look like is not known yet"),
            (None, Some(Foresight { short: true, .. })) => refuse("the history is too short to show its effect"),
            (None, Some(foresight)) if foresight.detectable <= BLIND * trial.least => Ok(()),
            (None, Some(_)) if self.switches(change) => Ok(()),
            (None, Some(foresight)) => {
                refuse(format!("the data could show only an effect of {} or more", Unit::Share.show(foresight.detectable)))
            }
        }
    }

    /// Whether a change is to be judged by switching it off and on: it can be, and it always is, or before and after would show too little.
    pub fn switches(&self, change: &Change) -> bool {
        let proposal = &change.proposal;
        let can = self.instant.contains(&*proposal.action) && proposal.reversible && proposal.risk != Risk::High;
        let blind = || change.foresight.is_some_and(|f| f.detectable > BLIND * proposal.trial.least);
        let wanted = match self.policy.switchback {
            Switchback::Never => false,
            Switchback::Blind => blind(),
            Switchback::Always => true,
        };
        can && wanted && proposal.trial.prevents.is_none()
    }

    /// Whether harm is known, or vouched, to be seldom enough. A rule that promotes spares it the proof, but not what it owes after harm.
    fn is_harmless(&self, change: &Change, decision: &Decision) -> Result<(), Refusal> {
        let proposal = &change.proposal;
        let bound = self.learned.harm(proposal, self.now.wall);
        match bound.trust(proposal.risk, self.policy.trust) {
            Err(why) if !decision.promoted || bound.owed > 0 => refuse(why),
            _ => Ok(()),
        }
    }

    /// Trying something that has hardly been tried here is for quiet hours, and not while something worse is the matter. Where the
    /// host's week is not known yet, only low risk is tried.
    fn is_no_gamble(&self, change: &Change, decision: &Decision) -> Result<(), Refusal> {
        let proposal = &change.proposal;
        let tried = self.experience.count(proposal);
        if decision.promoted || tried >= TRIED {
            return Ok(());
        }
        if let Some(worse) = self.critical.iter().find(|id| **id != proposal.finding) {
            return refuse(format!("it was tried {tried} times here, and now is no time to try it: {}", worse.kind.words()));
        }
        match self.low_traffic {
            Some(false) => refuse(format!("it was tried {tried} times here, and tries are for hours of low traffic")),
            None if proposal.risk > Risk::Low => {
                refuse(format!("it was tried {tried} times here, and the host's quiet hours are not known yet"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the approval given at `approved` still holds.
    pub fn is_fresh(&self, change: &Change, approved: Tick) -> Result<(), Refusal> {
        if self.now.tick.seconds_since(approved) <= self.policy.approval {
            return Ok(());
        }
        refuse(format!(
            "the approval of {} is older than {:.0} s and has expired: look again and approve",
            change.id, self.policy.approval
        ))
    }
}

/// What is said of the stop file.
pub fn halted(file: &str) -> String {
    format!("HALTED: nothing new is applied; `trimtab resume` lifts it; rollback still works ({file} is there)")
}

/// A smallest visible effect of more than so many times the least useful one: before and after alone would show nothing.
const BLIND: f64 = 3.0;

/// Fewer outcomes here make it a try.
const TRIED: usize = 3;

fn refuse(why: impl Into<String>) -> Result<(), Refusal> {
    Err(Refusal { kind: Obstacle::Policy, why: why.into() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{
        change::{Cause, ChangeId, Deed, Entry, Who},
        finding::{Finding, FindingKind, Severity},
        metric::{Better, Key, Metric},
        proposal::{Domain, Want},
        subject::Subject,
        time::Wall,
        trial::{Trial, Windows},
    };
    use proptest::prelude::*;
    use std::time::Duration;

    fn proposal(action: u8, risk: Risk) -> Proposal {
        Proposal {
            action: format!("a{action}").into(),
            finding: FindingId { kind: FindingKind::CpuContention, subject: Subject::Host },
            title: String::new(),
            why: String::new(),
            mechanism: String::new(),
            expect: String::new(),
            undo: String::new(),
            wants: vec![Want { on: Subject::Host, to: "1".into() }],
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
            fit: 0.5,
            cooldown: 60.0,
            asked: false,
            foreseen: None,
            course: crate::model::proposal::Course::Judged,
        }
    }

    fn finding(proposal: &Proposal) -> Finding {
        Finding {
            id: proposal.finding.clone(),
            severity: Severity::Warning,
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

    /// One wish to act: after so many seconds, with which action at which risk, and why it is undone, if it is.
    type Trigger = (u64, u8, Risk, Option<Cause>);

    fn triggers() -> impl Strategy<Value = Vec<Trigger>> {
        let risk = prop_oneof![3 => Just(Risk::Low), 1 => Just(Risk::Medium), 2 => Just(Risk::High)];
        let cause =
            proptest::option::of(prop_oneof![Just(Cause::Hurt), Just(Cause::NoEffect), Just(Cause::Operator), Just(Cause::NoData)]);
        let pause = prop_oneof![5 => 0..120_u64, 1 => 0..7200_u64];
        proptest::collection::vec((pause, 0..6_u8, risk, cause), 1..200)
    }

    /// What was applied and undone: when, which, at what risk.
    #[derive(Default)]
    struct Record {
        applied: Vec<(u64, u8, Risk)>,
        undone: Vec<(u64, u8, Cause)>,
    }

    /// Acts at every trigger that the bounds let through.
    fn act(triggers: &[Trigger], policy: &Policy) -> Record {
        let (mut memory, mut record, mut second) = (Memory::default(), Record::default(), 1_000_000_u64);
        for (i, (pause, action, risk, cause)) in triggers.iter().enumerate() {
            second += pause;
            let now = Now { tick: Tick(second * 1_000_000_000), wall: Wall(0) };
            let proposal = proposal(*action, *risk);
            let standing = Standing {
                now,
                mode: Mode::Auto,
                policy,
                memory: &memory,
                experience: &Experience::default(),
                learned: &Learned::default(),
                instant: &BTreeSet::new(),
                critical: &[],
                low_traffic: None,
                halted: None,
                guard: &GuardState::Idle,
                journal: None,
            };
            if standing.may_act().and_then(|()| standing.may_touch(&proposal)).is_err() {
                continue;
            }
            let entry = |deed| Entry { change: ChangeId(i as u64 + 1), deed, who: Who::Engine, now, boot: String::new() };
            let proposed = Deed::Proposed { proposal: Box::new(proposal.clone()), finding: Box::new(finding(&proposal)) };
            let mut change = Change::begin(&entry(proposed)).unwrap();
            let plan = crate::model::plan::Plan { action: String::new(), boot: String::new(), steps: vec![] };
            let started = Deed::ApplyStarted { plan: Box::new(plan), deadline: now.tick, leave: false };
            memory.take(&change, &entry(started));
            record.applied.push((second, *action, *risk));
            if let Some(cause) = cause {
                let begun = entry(Deed::RollbackStarted(*cause));
                change.cause = Some(*cause);
                memory.take(&change, &begun);
                memory.take(&change, &entry(Deed::RolledBack));
                record.undone.push((second, *action, *cause));
            }
        }
        record
    }

    fn most_within<T>(all: &[(u64, T)], span: u64) -> usize {
        all.iter().map(|(from, _)| all.iter().filter(|(at, _)| (*from..from + span).contains(at)).count()).max().unwrap_or(0)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
        #[test]
        fn whatever_triggers_the_caps_hold(triggers in triggers()) {
            let policy = Policy::default();
            let record = act(&triggers, &policy);
            let all: Vec<(u64, ())> = record.applied.iter().map(|(at, ..)| (*at, ())).collect();
            prop_assert!(most_within(&all, 3600) <= policy.per_hour);
            let high: Vec<(u64, ())> = record.applied.iter().filter(|(.., risk)| *risk == Risk::High).map(|(at, ..)| (*at, ())).collect();
            prop_assert!(most_within(&high, 24 * 3600) <= policy.high_per_day);
            for action in 0..6 {
                let own: Vec<(u64, ())> = record.undone.iter().filter(|(_, a, _)| *a == action).map(|(at, ..)| (*at, ())).collect();
                prop_assert!(most_within(&own, 3600) <= policy.flaps);
                // Each undo doubles the rest of a knob, until it is kept.
                let times: Vec<u64> = record.applied.iter().filter(|(_, a, _)| *a == action).map(|(at, ..)| *at).collect();
                for pair in times.windows(2) {
                    prop_assert!(pair[1] - pair[0] >= 60);
                }
            }
        }
    }

    #[test]
    fn each_undo_in_a_row_doubles_the_rest() {
        let every_second: Vec<Trigger> = (0..3000).map(|_| (1, 1, Risk::Low, Some(Cause::Hurt))).collect();
        let policy = Policy { per_hour: 1000, flaps: 1000, ..Policy::default() };
        let times: Vec<u64> = act(&every_second, &policy).applied.iter().map(|(at, ..)| *at).collect();
        let rests: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(rests, [120, 240, 480, 960]);
    }

    #[test]
    fn numbers_out_of_range_open_nothing() {
        let policy = Policy { per_hour: 0, high_per_day: 0, flaps: 0, ..Policy::default() };
        assert!(act(&[(1, 1, Risk::Low, None)], &policy).applied.is_empty());
        let mut memory = Memory::default();
        let change = Change::begin(&Entry {
            change: ChangeId(1),
            deed: Deed::Proposed {
                proposal: Box::new(proposal(1, Risk::Low)),
                finding: Box::new(finding(&proposal(1, Risk::Low))),
            },
            who: Who::Engine,
            now: Now::default(),
            boot: String::new(),
        });
        let late = Now { tick: Tick(u64::MAX), wall: Wall(i64::MAX) };
        memory.take(
            &change.unwrap(),
            &Entry { change: ChangeId(1), deed: Deed::RolledBack, who: Who::Guard, now: late, boot: String::new() },
        );
        assert_eq!(memory.reversals(&proposal(1, Risk::Low), Tick(0)), 1, "a clock that went back forgets nothing");
        let _no_overflow = late.tick + Duration::from_secs(1);
    }
}
