//! `trimtab demo`: starts the children, opens the console on them, ends everything.

use crate::{
    actions,
    app::{
        cli::{Common, Demo},
        console, daemon,
        demo::{
            children::{Cast, Children},
            confined::confined,
            room::Room,
        },
        env::Env,
        failure::Failure,
        parts::{self, Legacy, Memory, Rights, Wish},
        settings,
        solo::{self, End},
    },
    host::real,
    link::{
        doors::Doors,
        server::Entrance,
        socket::{self, Reach},
    },
    model::{limits::Switchback, trial::Windows},
};
use std::{num::NonZero, thread, time::Duration};

/// Short windows: a verdict within half a minute.
const WINDOWS: Windows = Windows { before: 10.0, settle: 3.0, after: 20.0 };
/// Hogs per cpu.
const HOGS: u32 = 3;
/// How much longer the children may live than the demo: to be there for the undo.
const AFTER: u64 = 30;

/// Runs it to its end: the operator's, or that of its time.
pub async fn run(demo: &Demo, common: &Common, env: &Env) -> Result<(), Failure> {
    solo::needs_terminal(env)?;
    console::keep_log();
    let mut config = settings::load(common, env)?;
    solo::looks(&config, env)?;
    config.policy.windows = WINDOWS;
    // Turns of off and on would take three minutes: what the demo shows, before and after show, too.
    config.policy.switchback = Switchback::Never;
    // Nobody is called for a trouble that is made to be looked at.
    config.notify.clear();
    let room = Room::make(env)?;
    let cpus = thread::available_parallelism().map_or(1, NonZero::get);
    let cast = Cast {
        program: env.program.clone(),
        seconds: demo.seconds + AFTER,
        hogs: demo.hogs.unwrap_or_else(|| u32::try_from(cpus).unwrap_or(1).saturating_mul(HOGS)),
        metrics: room.metrics(),
    };
    config.services = vec![cast.watch()];
    // Dropped in the reverse of this order: the engine has ended by then, the children end, the directory goes.
    let children = Children::start(&cast)?;
    let (listener, claim) = socket::claim(common.socket.as_deref().unwrap_or(&room.socket()), env.uid, Reach::Own)?;
    let rights = if common.observe { daemon::rights(common, env) } else { Rights::Change(room.state()) };
    let running = parts::start(
        &Wish { actions: confined(actions::all()), config: config.clone(), rights, legacy: Legacy::Leave, memory: Memory::Usual },
        env,
    )?;
    let entrance = Entrance { doors: Doors::of(env.uid), groups: real::peer_groups };
    let serving = daemon::serve(listener, entrance, &running.engine);
    let ended = solo::sit_at(&running.engine, &config, env, End::After(Duration::from_secs(demo.seconds))).await;
    running.engine.stop().await;
    serving.abort();
    drop((running, claim, children, room));
    ended
}
