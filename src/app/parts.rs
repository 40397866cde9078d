//! Puts an engine together: machine, sources, actions, journal, guard, numbers.

use crate::{
    actions::{self, action::Action, custom},
    app::{bystander::Bystander, env::Env, failure::Failure, started, syslog, weeks},
    config::sections::Config,
    engine::{
        engine,
        guard::process::GuardProcess,
        handle::EngineHandle,
        hands::{Bounds, Hands},
        job::Job,
        parts::{AlertSettings, Feed, ForesightSettings, Parts, Settings, WeekSettings},
        record::{End, Recording},
        undo::Tools,
        worker::Work,
    },
    host::{dry::DryHost, host::Host, real::RealHost},
    model::{
        change::{ChangeId, Deed, Entry, Who},
        knob::Place,
        limits::Mode,
    },
    sources,
    store::{
        alerts,
        error::{StoreError, Trouble},
        foresight, history,
        journal::{self, Journal},
        lock::Lock,
        week,
    },
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Every sweep is kept, however slow they become.
const EVERY: Duration = Duration::from_millis(500);

/// What engine is wanted.
#[derive(Clone)]
pub struct Wish {
    /// What it may propose.
    pub actions: &'static [&'static dyn Action],
    /// The configuration in force.
    pub config: Config,
    /// What it may do.
    pub rights: Rights,
    /// When its changes end.
    pub legacy: Legacy,
    /// What becomes of what it sees.
    pub memory: Memory,
}

/// What becomes of what an engine sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memory {
    /// A history is kept in the state directory, if there is one and the configuration wants it.
    Usual,
    /// It is recorded there.
    Recorded(Recording),
}

/// What an engine may do to the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Nothing, on demand: it holds no host that could write, and no journal.
    Observe,
    /// Nothing, for want of something: what.
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

/// A running engine. Its state directory is locked as long as this lives.
pub struct Running {
    /// The way in.
    pub engine: EngineHandle,
    _lock: Option<Lock>,
}

/// Who acts, on what, and what is known from before.
struct Crew {
    host: Arc<dyn Host>,
    hands: Box<dyn Work>,
    entries: Vec<(u64, Entry)>,
    mode: Mode,
    lock: Option<Lock>,
}

/// Starts it.
pub fn start(wish: &Wish, env: &Env) -> Result<Running, Failure> {
    let config = &wish.config;
    let defined = custom::defined(&config.actions);
    let crew = match &wish.rights {
        Rights::Observe => watching(Bystander::wanted("trimtab was started with --observe")),
        Rights::Watch(why) => {
            log::warn!("only watching: {why}");
            watching(Bystander::forced(why))
        }
        Rights::Change(directory) => acting(directory, (config, &defined), env)?,
    };
    let acts = matches!(wish.rights, Rights::Change(_)) && crew.lock.is_some();
    let stop = acts.then(|| env.stop(config.policy.stop.as_deref()));
    let mut policy = config.policy.clone();
    policy.mode = crew.mode;
    let parts = Parts {
        feed: Feed::Live(sources::all(&crew.host, &config.services, handles())),
        history: recording(wish, crew.lock.is_some()),
        inspector: sources::inspector,
        host: crew.host,
        actions: [wish.actions, &defined].concat().leak(),
        hands: crew.hands,
        entries: crew.entries,
        settings: Settings {
            thresholds: config.thresholds.clone(),
            hysteresis: config.hysteresis.clone(),
            policy,
            budget: config.cost,
            foresight: foresight(wish),
            rescue: config.emergency.clone(),
            alerts: alerts(wish),
            stop,
            week: week(wish),
        },
        leave: wish.legacy == Legacy::Leave,
    };
    Ok(Running { engine: engine::start(parts).map_err(Failure::new)?, _lock: crew.lock })
}

/// Rules and receivers, and what the file in the state directory knows. An engine that keeps nothing tells nobody, either.
fn alerts(wish: &Wish) -> AlertSettings {
    let rules = wish.config.alerts.0.clone();
    let Rights::Change(directory) = &wish.rights else { return AlertSettings { rules, ..AlertSettings::default() } };
    let file = directory.join(alerts::FILE);
    let targets = wish.config.notify.clone();
    match alerts::load(&file) {
        Ok(kept) => AlertSettings { rules, targets, file: Some(file), kept },
        // One of a newer trimtab is left as it is; a damaged one is written anew.
        Err(e) => {
            log::error!("alerts of before are not known: {e}");
            let file = (e.trouble != Trouble::Newer).then_some(file);
            AlertSettings { rules, targets, file, ..AlertSettings::default() }
        }
    }
}

/// Whoever keeps a journal keeps how its forecasts did, too.
fn foresight(wish: &Wish) -> ForesightSettings {
    let file = match &wish.rights {
        Rights::Change(directory) => Some(directory.join(foresight::FILE)),
        Rights::Observe | Rights::Watch(_) => None,
    };
    ForesightSettings { wish: wish.config.foresight, file, ..ForesightSettings::default() }
}

/// The host's week, as it was kept, or else as the history tells it.
fn week(wish: &Wish) -> WeekSettings {
    let Rights::Change(directory) = &wish.rights else { return WeekSettings::default() };
    let file = directory.join(week::FILE);
    match week::load(&file) {
        Ok(Some(known)) => WeekSettings { known, file: Some(file) },
        Ok(None) => {
            let path = directory.join(history::file::FILE);
            WeekSettings { known: weeks::remembered(&path, wish.config.policy.utc_offset), file: Some(file) }
        }
        Err(e) => {
            log::error!("the host's week is learned anew: {e}");
            WeekSettings { file: (e.trouble != Trouble::Newer).then_some(file), ..WeekSettings::default() }
        }
    }
}

/// One engine at a time writes a history: the one that holds the lock of its directory, or has made its own file.
fn recording(wish: &Wish, locked: bool) -> Option<Recording> {
    match (&wish.memory, &wish.rights) {
        (Memory::Recorded(recording), _) => Some(recording.clone()),
        (Memory::Usual, Rights::Change(directory)) if locked && wish.config.history.keep => {
            let place = history::writer::Place { path: directory.join(history::file::FILE), bytes: wish.config.history.bytes };
            Some(Recording { place, every: EVERY, end: End::Stays })
        }
        _ => None,
    }
}

fn watching(hands: Bystander) -> Crew {
    let host = Arc::new(DryHost(Arc::new(RealHost::default())));
    Crew { host, hands: Box::new(hands), entries: Vec::new(), mode: Mode::Observe, lock: None }
}

/// The configuration, and the actions that it defines.
type Configured<'a> = (&'a Config, &'a [&'static dyn Action]);

/// Journal, recovery, guard. Where there can be no journal there are no changes either, but watching goes on.
fn acting(directory: &Path, wish: Configured<'_>, env: &Env) -> Result<Crew, Failure> {
    let host = Arc::new(RealHost::default());
    let boot = match identity(host.as_ref()) {
        Ok(boot) => boot,
        Err(why) => {
            log::error!("only watching: {why}");
            return Ok(watching(Bystander::forced(&why)));
        }
    };
    match journaled(directory, wish, (host, boot, env)) {
        Ok(crew) => Ok(crew),
        Err(e) if e.trouble == Trouble::Held => Err(Failure::new(e)),
        Err(e) => {
            log::warn!("only watching: {e}");
            Ok(watching(Bystander::forced(&e.to_string())))
        }
    }
}

/// The identity of this boot. Without it no plan of an earlier boot is told from one of this: every live change would be taken for undone
/// by a reboot, so nothing is recovered and nothing done.
fn identity(host: &dyn Host) -> Result<String, String> {
    let lacks = |why: String| format!("which boot this is cannot be read, so nothing of the journal may be undone or done: {why}");
    let boot = host.text(&Place::proc("sys/kernel/random/boot_id")).map_err(|e| lacks(e.to_string()))?;
    let boot = boot.trim();
    if boot.is_empty() { Err(lacks("/proc/sys/kernel/random/boot_id is empty".into())) } else { Ok(boot.into()) }
}

/// The machine, the identity of its boot, and what the program was started with.
type Here<'a> = (Arc<RealHost>, String, &'a Env);

fn journaled(directory: &Path, (config, defined): Configured<'_>, (host, boot, env): Here<'_>) -> Result<Crew, StoreError> {
    let lock = Lock::take(directory)?;
    let opened = Journal::open(&directory.join(journal::FILE), host.now())?;
    if let Some(damage) = &opened.damage {
        log::error!("{damage}");
    }
    let mut entries = opened.entries;
    let tools = Tools { host: host.clone(), actions: actions::named, journal: opened.journal, boot };
    let family = host.clone();
    let args = vec!["guard".into(), directory.into()];
    let guard = GuardProcess::new(env.program.clone(), args, Box::new(move |pid| family.set_guard(pid)));
    let seen = entries.last().map_or(0, |(number, _)| *number);
    let bounds = Bounds { stop: Some(env.stop(config.policy.stop.as_deref())), dry: config.policy.dry };
    let mut hands = Hands::new(tools, Box::new(guard), seen)
        .tied(bounds)
        .knowing(defined.to_vec())
        .witnessed(Box::new(|anchor| syslog::tell(&format!("journal anchor {anchor}"))));
    let recovered = hands.recover(&entries);
    if let Some(error) = &recovered.error {
        log::error!("recovery: {error}");
    }
    entries.extend(recovered.entries);
    let started = started::note(config, &host.first_facts().kernel, &entries);
    let who = Who::Operator { user: env.user.clone(), via: env.via.clone() };
    entries.extend(hands.perform(Job::Record(vec![(ChangeId::HOUSE, Deed::Noted(Box::new(started)), who)])).entries);
    Ok(Crew { host, hands: Box::new(hands), entries, mode: config.policy.mode, lock: Some(lock) })
}

/// How many files of processes and control groups may be kept open: half of what we may open at all.
pub fn handles() -> usize {
    let soft = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    usize::try_from(soft.unwrap_or(1024) / 2).unwrap_or(512)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    #[test]
    fn a_boot_without_identity_is_no_boot_to_act_in() {
        let host = RecordedHost::default();
        let why = identity(&host).unwrap_err();
        assert!(why.contains("boot_id") && why.contains("nothing of the journal may be undone"), "{why}");
        host.put("/proc/sys/kernel/random/boot_id", "\n");
        assert!(identity(&host).unwrap_err().contains("is empty"));
        host.put("/proc/sys/kernel/random/boot_id", "b\n");
        assert_eq!(identity(&host).unwrap(), "b");
    }
}
