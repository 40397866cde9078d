//! Hysteresis: a condition becomes a finding when it was over its threshold in N of the last M looks, and ends when it was clear in K
//! looks in a row. Between the two nothing changes, so that a value that dances around its threshold makes no noise.

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
        let rule = Hysteresis { looks, raise: rule.raise.clamp(1, looks), clear: rule.clear.max(1) };
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
        if self.since.is_none() && over.clone().count() >= rule.raise {
            self.since = over.min().copied();
        } else if self.since.is_some() && self.clear >= rule.clear {
            self.since = None;
            // What is over must be over anew to be raised again.
            self.looks.clear();
        }
    }
}
