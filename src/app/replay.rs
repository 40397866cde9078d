//! `trimtab replay`: the console on what was stored. The loop is the one that runs live, its clock follows the samples, and its hands do
//! nothing.

use crate::{
    actions,
    app::{
        cli::{Common, Replay},
        desk,
        env::Env,
        failure::Failure,
        settings, snapshot,
        solo::{self, End},
    },
    engine::{
        engine,
        handle::EngineHandle,
        job::{Done, Job},
        parts::{AlertSettings, Feed, ForesightSettings, Parts, Settings, WeekSettings},
        player::Reel,
        worker::Work,
    },
    host::{host::Host, real::RealHost, recorded::RecordedHost},
    model::{change::Entry, limits::Mode, time::Wall, when},
    sources,
    store::history::reader::History,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Longer histories begin so many milliseconds before their end, shorter ones at their beginning.
const SHORT: i64 = 3_600_000;
const TAIL: i64 = 600_000;

/// Opens the console on it.
pub async fn run(wish: &Replay, common: &Common, env: &Env) -> Result<(), Failure> {
    solo::needs_terminal(env)?;
    let config = settings::load(common, env)?;
    solo::looks(&config, env)?;
    let now = RealHost::default().now().wall;
    let (path, from) = find(&wish.what, common, env, now)?;
    let history = History::open(&path).map_err(Failure::new)?;
    let (oldest, newest) = history.kept().map_err(Failure::new)?.ok_or_else(|| Failure::new("nothing is stored there"))?;
    let asked = wish.from.as_deref().map(|text| when::time(text, newest).ok_or_else(|| not_a_time(text))).transpose()?;
    let usual = if newest.0 - oldest.0 > SHORT { Wall(newest.0 - TAIL) } else { oldest };
    let from = asked.or(from).unwrap_or(usual);
    if from > newest || from.0 < oldest.0 - 60_000 {
        let why = format!("{} is not kept: there is {} to {}", when::show(from), when::show(oldest), when::show(newest));
        return Err(Failure::new(why));
    }
    let engine = start(
        &history,
        from,
        wish.speed,
        Settings {
            thresholds: config.thresholds.clone(),
            hysteresis: config.hysteresis.clone(),
            policy: crate::model::limits::Policy { mode: Mode::Observe, ..config.policy.clone() },
            budget: config.cost,
            foresight: ForesightSettings { wish: config.foresight, ..ForesightSettings::default() },
            rescue: config.emergency.clone(),
            // What held then is raised again from the same numbers; nobody is told, nothing is kept.
            alerts: AlertSettings { rules: config.alerts.0.clone(), ..AlertSettings::default() },
            stop: None,
            week: WeekSettings::default(),
        },
    )?;
    let seat = desk::replayed(&engine).await.ok_or_else(|| Failure::new("the replay has ended"))?;
    let ended = solo::screen(seat, &config, env, End::Never).await;
    engine.stop().await;
    ended
}

/// A file, or a time in the history of this host.
fn find(what: &str, common: &Common, env: &Env, now: Wall) -> Result<(PathBuf, Option<Wall>), Failure> {
    if Path::new(what).exists() {
        return Ok((PathBuf::from(what), None));
    }
    match when::time(what, now) {
        Some(at) => Ok((snapshot::local(common, env)?, Some(at))),
        None => Err(not_a_time(what)),
    }
}

fn not_a_time(text: &str) -> Failure {
    let why = format!("{text}: neither a file nor a time; times are `14:05`, `-10m`, `2026-11-21 14:05` (UTC)");
    Failure::usage(why)
}

/// An engine that plays the history.
pub fn start(history: &History, from: Wall, speed: f64, settings: Settings) -> Result<EngineHandle, Failure> {
    let first = history.at(from).map_err(Failure::new)?;
    let frame = first.and_then(|instant| instant.frames.into_iter().next_back()).unwrap_or_default();
    let host = Arc::new(RecordedHost::default());
    host.set_facts((*frame.facts).clone());
    host.set_now(frame.now);
    let entries = history.deeds(from).map_err(Failure::new)?;
    let reel = Reel { path: history.path().into(), from, speed, host: host.clone() };
    engine::start(Parts {
        host,
        feed: Feed::Stored(reel),
        history: None,
        inspector: sources::inspector,
        actions: actions::proposed(),
        hands: Box::new(Still(entries.clone())),
        entries,
        settings,
        leave: false,
    })
    .map_err(Failure::new)
}

/// Hands that do nothing, and remember what others did.
struct Still(Vec<(u64, Entry)>);

impl Work for Still {
    fn perform(&mut self, _job: Job) -> Done {
        Done::default()
    }

    fn foreign(&mut self) -> Done {
        Done::default()
    }

    fn audit(&mut self, most: usize) -> Vec<(u64, Entry)> {
        self.0.iter().rev().take(most).rev().cloned().collect()
    }
}
