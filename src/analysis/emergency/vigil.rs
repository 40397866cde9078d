//! When a sign has lasted long enough to be an emergency, and when that is over. Fixed sustain, hysteresis between the two, no votes:
//! a sign counts only while it holds without a break, and ends only after the configured seconds of calm without it.

use crate::{
    analysis::emergency::sight::Sight,
    model::{
        emergency::EmergencyKind,
        finding::{Finding, Level},
        time::{Now, Tick},
    },
};
use std::{collections::BTreeMap, time::Duration};

/// What is remembered of one sign.
#[derive(Clone, Debug, Default)]
struct Sign {
    over: Option<Tick>,
    clear: Option<Tick>,
    raised: bool,
    eased: bool,
}

/// An emergency that holds.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// Since when.
    pub since: Now,
    /// Its newest finding.
    pub finding: Finding,
}

/// What one look changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Began.
    pub raised: Vec<EmergencyKind>,
    /// Are over.
    pub ended: Vec<EmergencyKind>,
}

/// The memory of all signs.
#[derive(Clone, Debug, Default)]
pub struct Vigil {
    signs: BTreeMap<(EmergencyKind, &'static str), Sign>,
    alarms: BTreeMap<EmergencyKind, Alarm>,
}

impl Vigil {
    /// Takes what was seen in one look; `calm` is how long a sign must be clear. Signs that are not told stay as they are.
    pub fn take(&mut self, now: Now, calm: f64, sights: Vec<Sight>) -> Turn {
        let mut turn = Turn::default();
        for sight in sights {
            let sign = self.signs.entry((sight.kind, sight.sign)).or_default();
            sign.take(now.tick, calm, &sight);
            if sign.raised && sight.level != Level::Clear {
                let alarm = self.alarms.entry(sight.kind).or_insert_with(|| {
                    turn.raised.push(sight.kind);
                    Alarm { since: now, finding: sight.finding.clone() }
                });
                alarm.finding = Finding { since: alarm.since.wall, ..sight.finding };
            }
        }
        let signs = &self.signs;
        let over = |kind: EmergencyKind| !signs.iter().any(|((of, _), sign)| *of == kind && sign.raised);
        turn.ended = self.alarms.keys().copied().filter(|kind| over(*kind)).collect();
        self.alarms.retain(|kind, _| !turn.ended.contains(kind));
        turn
    }

    /// The emergencies that hold.
    pub fn alarms(&self) -> impl Iterator<Item = (EmergencyKind, &Alarm)> {
        self.alarms.iter().map(|(kind, alarm)| (*kind, alarm))
    }

    /// Every sign that raised it is clear at this moment.
    pub fn is_eased(&self, kind: EmergencyKind) -> bool {
        self.signs.iter().filter(|((of, _), sign)| *of == kind && sign.raised).all(|(_, sign)| sign.eased)
    }

    /// Some sign is over, whether or not it has lasted: then looks come with every pass.
    pub fn is_tense(&self) -> bool {
        self.signs.values().any(|sign| sign.raised || sign.over.is_some())
    }
}

impl Sign {
    fn take(&mut self, now: Tick, calm: f64, sight: &Sight) {
        self.eased = sight.eased;
        match sight.level {
            Level::Over => {
                self.clear = None;
                let since = *self.over.get_or_insert(now);
                self.raised |= now.since(since) >= Duration::from_secs_f64(sight.sustain);
            }
            Level::Between => {
                self.over = None;
                self.clear = None;
            }
            Level::Clear => {
                self.over = None;
                let since = *self.clear.get_or_insert(now);
                if now.since(since) >= Duration::from_secs_f64(calm) {
                    self.raised = false;
                }
            }
        }
    }
}
