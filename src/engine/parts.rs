//! What an engine is made of; the app puts it together.

use crate::{
    actions::action::Action,
    analysis::{derive::deriver::Deriver, forecast::forecast},
    engine::{player::Reel, record::Recording, seer::ahead::Model, worker::Work},
    host::host::Host,
    model::{
        alert::{Kept, Rule, Target},
        change::Entry,
        limits::{Budget, Foresight, Hysteresis, Policy, Rescue, Thresholds},
        week::Week,
    },
    sources::source::{Inspect, Source},
};
use std::{path::PathBuf, sync::Arc};

/// Alerts: what is looked at, who is told, where it is kept.
#[derive(Clone, Debug, Default)]
pub struct AlertSettings {
    /// The rules.
    pub rules: Vec<Rule>,
    /// Receivers.
    pub targets: Vec<Target>,
    /// The file in which they outlive the engine, if they do.
    pub file: Option<PathBuf>,
    /// What stood in it.
    pub kept: Kept,
}

/// Foresight: how far it looks at what cost, by which models, and where it keeps how they did.
#[derive(Clone, Debug)]
pub struct ForesightSettings {
    /// How far, at what cost.
    pub wish: Foresight,
    /// The models.
    pub model: Model,
    /// The file in which the track record outlives the engine, if it does.
    pub file: Option<PathBuf>,
}

impl Default for ForesightSettings {
    fn default() -> Self {
        ForesightSettings { wish: Foresight::default(), model: forecast::forecast, file: None }
    }
}

/// Numbers that an operator may set.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Of the detectors.
    pub thresholds: Thresholds,
    /// When a condition becomes a finding.
    pub hysteresis: Hysteresis,
    /// Bounds on acting, mode and windows.
    pub policy: Policy,
    /// Alerts.
    pub alerts: AlertSettings,
    /// What trimtab may cost.
    pub budget: Budget,
    /// How far ahead it looks.
    pub foresight: ForesightSettings,
    /// What is done when there is no time to ask.
    pub rescue: Rescue,
    /// The file that stops everything while it is there.
    pub stop: Option<PathBuf>,
    /// The host's week.
    pub week: WeekSettings,
}

/// The host's week: what is known of it, and where it is kept.
#[derive(Clone, Debug, Default)]
pub struct WeekSettings {
    /// As far as it is known.
    pub known: Week,
    /// The file in which it outlives the engine, if it does.
    pub file: Option<PathBuf>,
}

/// Where samples come from.
pub enum Feed {
    /// The machine.
    Live(Vec<Box<dyn Source>>),
    /// A history.
    Stored(Reel),
}

impl Feed {
    /// A deriver that expects what will come. Of a history nothing is late.
    pub fn deriver(&self) -> Deriver {
        match self {
            Feed::Live(sources) => Deriver::new(sources.iter().map(|source| (source.about().name, source.about().patience()))),
            Feed::Stored(_) => Deriver::default(),
        }
    }
}

/// What an engine is made of.
pub struct Parts {
    /// The machine.
    pub host: Arc<dyn Host>,
    /// What is read.
    pub feed: Feed,
    /// Where to keep it, if anywhere.
    pub history: Option<Recording>,
    /// Makes one that looks closely at processes.
    pub inspector: fn() -> Box<dyn Inspect>,
    /// What may be changed.
    pub actions: &'static [&'static dyn Action],
    /// Who carries it out and writes it down.
    pub hands: Box<dyn Work>,
    /// The journal after recovery, oldest first.
    pub entries: Vec<(u64, Entry)>,
    /// Numbers in force.
    pub settings: Settings,
    /// Changes applied in this run are undone when it ends, even if kept (demo).
    pub leave: bool,
}
