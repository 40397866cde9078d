//! Puts an engine together.

use crate::{
    actions,
    app::{bystander::Bystander, failure::Failure},
    config::sections::Config,
    engine::{
        engine,
        handle::EngineHandle,
        parts::{Parts, Settings},
    },
    host::{dry::DryHost, host::Host, real::RealHost},
    model::limits::Mode,
    sources,
};
use std::{path::PathBuf, sync::Arc};

/// What engine is wanted.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The configuration in force.
    pub config: Config,
    /// What it may do.
    pub rights: Rights,
    /// When its changes end.
    pub legacy: Legacy,
}

/// What an engine may do to the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Nothing: it holds no host that could write, and no journal. Why, in words for the operator.
    Watch(String),
    /// What is approved, with its journal in that directory.
    Change(PathBuf),
}

/// What becomes of kept changes when the engine ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Legacy {
    /// They stay.
    Stay,
    /// They are undone.
    Leave,
}

/// Starts it.
pub fn start(wish: &Wish) -> Result<EngineHandle, Failure> {
    engine::start(parts(wish)).map_err(Failure::new)
}

fn parts(wish: &Wish) -> Parts {
    let why = match &wish.rights {
        Rights::Watch(why) => why.clone(),
        Rights::Change(_) => "nothing here can make changes yet".into(),
    };
    log::warn!("only watching: {why}");
    let (host, hands, mode): (Arc<dyn Host>, _, _) =
        (Arc::new(DryHost(Arc::new(RealHost::default()))), Box::new(Bystander(why)), Mode::Observe);
    let config = &wish.config;
    let mut policy = config.policy.clone();
    policy.mode = mode;
    Parts {
        sources: sources::all(&host, &config.services, handles()),
        host,
        actions: actions::all(),
        hands,
        entries: Vec::new(),
        settings: Settings { thresholds: config.thresholds.clone(), hysteresis: config.hysteresis.clone(), policy },
        leave: wish.legacy == Legacy::Leave,
    }
}

/// How many files of processes and control groups may be kept open: half of what we may open at all.
fn handles() -> usize {
    let soft = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    usize::try_from(soft.unwrap_or(1024) / 2).unwrap_or(512)
}
