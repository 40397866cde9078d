//! Hysteresis: a condition becomes a finding when it was over its threshold in N of the last M looks, and ends when it was clear in K
//! looks in a row. Between the two nothing changes, so that a value that dances around its threshold makes no noise.
//! Trouble that is foretold for the next minutes is raised sooner: there is no time for more.

use crate::{
    analysis::detect::Lane,
    model::{
        finding::{Finding, FindingId, Level, Signal},
        limits::Hysteresis,
        time::{Now, Wall},
    },
};
use std::collections::{BTreeMap, VecDeque};

/// Conditions remembered at most. A host with more troubles than this has one: the first ones stay.
const MOST: usize = 256;

/// What is remembered of one condition.
#[derive(Clone, Debug)]
struct Memory {
    lane: Lane,
    /// The newest looks, oldest first, with the time of those that were over.
    looks: VecDeque<Option<Wall>>,
    /// Clear looks in a row.
    clear: usize,
    /// Since when it is a finding.
    since: Option<Wall>,
    /// As last reported.
    finding: Finding,
}

/// The memory of all conditions.
#[derive(Clone, Debug)]
pub struct Tracker {
    rule: Hysteresis,
    all: BTreeMap<FindingId, Memory>,
}

impl Tracker {
    /// An empty memory under `rule`. A rule that asks for more looks than it remembers asks for all of them.
    pub fn new(rule: &Hysteresis) -> Tracker {
        let looks = rule.looks.max(1);
        let raise = rule.raise.clamp(1, looks);
        let rule = Hysteresis { looks, raise, urgent: rule.urgent.clamp(1, raise), clear: rule.clear.max(1) };
        Tracker { rule, all: BTreeMap::new() }
    }

    /// Takes what the detectors of one lane said in one look. Conditions of that lane that were not mentioned are clear.
    pub fn look(&mut self, lane: Lane, now: Now, signals: Vec<Signal>) {
        let mut said: BTreeMap<FindingId, Signal> = BTreeMap::new();
        for signal in signals {
            let louder = said.get(&signal.finding.id).is_none_or(|other| other.level < signal.level);
            if louder {
                said.insert(signal.finding.id.clone(), signal);
            }
        }
        for (id, memory) in self.all.iter_mut().filter(|(_, memory)| memory.lane == lane) {
            memory.take(&self.rule, now, said.remove(id));
        }
        for (id, signal) in said.into_iter().filter(|(_, signal)| signal.level == Level::Over) {
            if self.all.len() >= MOST {
                break;
            }
            let mut memory = Memory { lane, looks: VecDeque::new(), clear: 0, since: None, finding: signal.finding.clone() };
            memory.take(&self.rule, now, Some(signal));
            self.all.insert(id, memory);
        }
        self.all.retain(|_, memory| memory.since.is_some() || memory.looks.iter().any(Option::is_some));
    }

    /// The findings that hold, most pressing first.
    pub fn findings(&self) -> Vec<Finding> {
        let held = self.all.values().filter_map(|m| m.since.map(|since| Finding { since, ..m.finding.clone() }));
        let mut held: Vec<Finding> = held.collect();
        held.sort_by(|a, b| b.priority.total_cmp(&a.priority).then_with(|| a.id.cmp(&b.id)));
        held
    }
}

impl Memory {
    fn take(&mut self, rule: &Hysteresis, now: Now, signal: Option<Signal>) {
        let level = signal.as_ref().map_or(Level::Clear, |s| s.level);
        if let Some(signal) = signal.filter(|s| s.level != Level::Clear) {
            self.finding = signal.finding;
        }
        self.looks.push_back((level == Level::Over).then_some(now.wall));
        while self.looks.len() > rule.looks {
            self.looks.pop_front();
        }
        self.clear = if level == Level::Clear { self.clear + 1 } else { 0 };
        let over = self.looks.iter().flatten();
        let raise = if self.finding.is_imminent() { rule.urgent } else { rule.raise };
        if self.since.is_none() && over.clone().count() >= raise {
            self.since = over.min().copied();
        } else if self.since.is_some() && self.clear >= rule.clear {
            self.since = None;
            // What is over must be over anew to be raised again.
            self.looks.clear();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{
        finding::{FindingKind, Severity},
        subject::Subject,
        time::Tick,
    };
    use proptest::prelude::*;

    fn signal(cpu: u32, level: Level) -> Signal {
        let finding = Finding {
            id: FindingId { kind: FindingKind::CpuContention, subject: Subject::Cpu(cpu) },
            severity: Severity::Warning,
            headline: String::new(),
            evidence: Vec::new(),
            culprits: Vec::new(),
            victims: Vec::new(),
            ruled_out: Vec::new(),
            advice: None,
            impact: 0.5,
            priority: 0.5,
            since: Wall::default(),
            crossing: None,
        };
        Signal { level, finding }
    }

    fn now(look: usize) -> Now {
        Now { tick: Tick(look as u64 * 1_000_000_000), wall: Wall(look as i64) }
    }

    /// Whether the condition is a finding after each look.
    fn play(rule: &Hysteresis, levels: &[Level]) -> Vec<bool> {
        let mut tracker = Tracker::new(rule);
        let mut held = Vec::new();
        for (look, level) in levels.iter().enumerate() {
            let said = if *level == Level::Clear { vec![] } else { vec![signal(0, *level)] };
            tracker.look(Lane::Sweep, now(look), said);
            held.push(!tracker.findings().is_empty());
        }
        held
    }

    #[test]
    fn four_of_six_raise_and_ten_clear_end() {
        use Level::{Between as B, Clear as C, Over as O};
        let rule = Hysteresis::default();
        assert_eq!(play(&rule, &[O, C, O, B, O, O]), [false, false, false, false, false, true]);
        assert_eq!(play(&rule, &[O, O, O, C, C, C, C, O]), [false; 8]);
        let mut levels = vec![O; 4];
        levels.extend([C; 9]);
        levels.push(B);
        levels.extend([C; 10]);
        let held = play(&rule, &levels);
        assert!(held[3..23].iter().all(|h| *h), "{held:?}");
        assert!(!held[23]);
    }

    #[test]
    fn what_is_foretold_for_the_next_minutes_is_raised_by_the_second_look() {
        let looks_until = |kind, severity| {
            let mut tracker = Tracker::new(&Hysteresis::default());
            let mut said = signal(0, Level::Over);
            (said.finding.id.kind, said.finding.severity) = (kind, severity);
            (1..10).find(|look| {
                tracker.look(Lane::Sweep, now(*look), vec![said.clone()]);
                !tracker.findings().is_empty()
            })
        };
        assert_eq!(looks_until(FindingKind::PredictedMemory, Severity::Critical), Some(2));
        assert_eq!(looks_until(FindingKind::PredictedMemory, Severity::Warning), Some(4));
        assert_eq!(looks_until(FindingKind::MemoryPressure, Severity::Critical), Some(4));
    }

    #[test]
    fn since_is_the_first_look_that_counted_and_stays() {
        let mut tracker = Tracker::new(&Hysteresis::default());
        for look in 5..30 {
            tracker.look(Lane::Sweep, now(look), vec![signal(0, Level::Over)]);
        }
        assert_eq!(tracker.findings()[0].since, Wall(5));
    }

    #[test]
    fn a_look_of_one_lane_says_nothing_about_the_other() {
        let mut tracker = Tracker::new(&Hysteresis::default());
        for look in 0..4 {
            tracker.look(Lane::Sweep, now(look), vec![signal(0, Level::Over)]);
        }
        for look in 4..40 {
            tracker.look(Lane::Fast, now(look), vec![]);
        }
        assert_eq!(tracker.findings().len(), 1);
    }

    #[test]
    fn conditions_beyond_count_are_not_remembered_and_silence_forgets() {
        let mut tracker = Tracker::new(&Hysteresis::default());
        tracker.look(Lane::Sweep, now(0), (0..10_000).map(|cpu| signal(cpu, Level::Over)).collect());
        assert_eq!(tracker.all.len(), MOST);
        for look in 1..20 {
            tracker.look(Lane::Sweep, now(look), vec![]);
        }
        assert!(tracker.all.is_empty());
    }

    #[test]
    fn said_twice_in_one_look_the_louder_counts_once() {
        let mut tracker = Tracker::new(&Hysteresis::default());
        for look in 0..3 {
            tracker.look(Lane::Sweep, now(look), vec![signal(0, Level::Over), signal(0, Level::Between), signal(0, Level::Over)]);
        }
        assert!(tracker.findings().is_empty());
        tracker.look(Lane::Sweep, now(3), vec![signal(0, Level::Between), signal(0, Level::Over)]);
        assert_eq!(tracker.findings().len(), 1);
    }

    fn levels() -> impl Strategy<Value = Vec<Level>> {
        proptest::collection::vec(prop_oneof![Just(Level::Clear), Just(Level::Between), Just(Level::Over)], 0..200)
    }

    proptest! {
        #[test]
        fn it_is_raised_at_the_first_look_that_meets_the_rule_and_never_flaps_faster(
            levels in levels(), looks in 1usize..10, raise in 1usize..10, clear in 1usize..15,
        ) {
            let raise = raise.min(looks);
            let held = play(&Hysteresis { looks, raise, urgent: raise, clear }, &levels);
            let (mut up, mut began) = (false, 0);
            for (i, held) in held.iter().enumerate() {
                let from = began.max((i + 1).saturating_sub(looks));
                let over = levels[from..=i].iter().filter(|l| **l == Level::Over).count();
                let quiet = i + 1 >= clear && levels[i + 1 - clear..=i].iter().all(|l| *l == Level::Clear);
                match up {
                    false => prop_assert_eq!(*held, over >= raise, "look {}", i),
                    true => prop_assert_eq!(*held, !quiet, "look {}", i),
                }
                if up && !held {
                    began = i + 1;
                }
                up = *held;
            }
        }
    }
}
