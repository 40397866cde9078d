//! `trimtab` without a verb: the console, on the running engine, or on one of its own that ends with it.

use crate::{
    actions,
    app::{
        attach::{self, Way},
        cli::{Attach, Common},
        console::{self, ConsoleOptions, kept::Chosen, kind::Kind, look::look},
        daemon, desk, doctor,
        env::Env,
        failure::Failure,
        metrics,
        parts::{self, Legacy, Memory, Wish},
        seat::Seat,
        settings,
        tunnel::Tunnel,
    },
    config::sections::Config,
    engine::handle::EngineHandle,
    host::real::RealHost,
    link::socket::{self, SocketError},
    model::{
        change::Who,
        limits::Mode,
        message::{Ask, Body, Command, Reply},
    },
};
use std::{path::Path, sync::Arc, time::Duration};

/// What ends a console besides its operator, its terminal and its engine.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// Nothing.
    Never,
    /// Time.
    After(Duration),
}

/// A console where there is no terminal is of no use, and neither is one in which no cursor can be placed.
pub fn needs_terminal(env: &Env) -> Result<(), Failure> {
    if env.terminal {
        return Kind::of(&env.says).map(drop).map_err(Failure::usage);
    }
    Err(Failure::usage("the console needs a terminal; `trimtab --once` and `trimtab status` do not"))
}

/// A theme or a layout that there is not is told before anything is started.
pub fn looks(config: &Config, env: &Env) -> Result<(), Failure> {
    let kind = Kind::of(&env.says).map_err(Failure::usage)?;
    look(&options(config, env), kind, &Chosen::default()).map(drop).map_err(Failure::usage)
}

/// Opens it.
pub async fn run(common: &Common, env: &Env) -> Result<(), Failure> {
    needs_terminal(env)?;
    console::keep_log();
    let config = settings::load(common, env)?;
    looks(&config, env)?;
    let path = attach::socket(common.socket.as_deref(), env);
    if path != env.socket(common.socket.as_deref()) {
        return attached(common, env, &path, &config).await;
    }
    let entrance = daemon::entrance(&config, env)?;
    let (listener, claim) = match socket::claim(&path, env.uid, entrance.reach()) {
        Ok(claimed) => claimed,
        Err(SocketError::Held(_)) => return attached(common, env, &path, &config).await,
        Err(e) => return Err(e.into()),
    };
    let wish = Wish {
        actions: actions::proposed(),
        config: config.clone(),
        rights: daemon::rights(common, env),
        legacy: Legacy::Stay,
        memory: Memory::Usual,
    };
    let endpoint = metrics::server::listen(&config.metrics).await?;
    let running = parts::start(&wish, env)?;
    for lack in doctor::lacks(&RealHost::default(), &running.engine.views.borrow().facts) {
        log::warn!("{lack}; `trimtab doctor` tells all");
    }
    let measured = endpoint.map(|listener| tokio::spawn(metrics::server::serve(listener, running.engine.clone())));
    let serving = daemon::serve(listener, entrance, &running.engine);
    let ended = sit_at(&running.engine, &config, env, End::Never).await;
    running.engine.stop().await;
    serving.abort();
    measured.inspect(tokio::task::JoinHandle::abort);
    drop(claim);
    ended
}

/// A console at a running engine, of this host or of another one; never starts one.
pub async fn attach(wish: &Attach, common: &Common, env: &Env) -> Result<(), Failure> {
    needs_terminal(env)?;
    console::keep_log();
    let config = settings::load(common, env)?;
    looks(&config, env)?;
    let asked = common.socket.as_deref();
    let way = match &wish.host {
        Some(host) => Way::Tunnel(Tunnel::open(host, asked, env).await?),
        None => Way::Socket(attach::socket(asked, env)),
    };
    screen(attach::lasting(env, way).await?, &config, env, End::Never).await
}

/// A console at an engine that somebody else has started.
async fn attached(common: &Common, env: &Env, path: &Path, config: &Config) -> Result<(), Failure> {
    if common.observe {
        let why = format!("an engine runs already on {}; --observe starts one of its own, on another --socket", path.display());
        return Err(Failure::usage(why));
    }
    if let Some(at) = common.metrics {
        let why = format!("an engine runs already on {}; --metrics {at} is for one that is being started", path.display());
        return Err(Failure::usage(why));
    }
    if let Some(mode) = common.mode {
        switch(env, path, mode).await?;
    }
    let seat = attach::lasting(env, Way::Socket(path.into())).await?;
    screen(seat, config, env, End::Never).await
}

async fn switch(env: &Env, path: &Path, mode: Mode) -> Result<(), Failure> {
    match attach::once(env, path, Ask::Do(Command::SetMode(mode))).await? {
        Body::Reply(Reply::Refused(why)) => Err(Failure::new(why)),
        _ => Ok(()),
    }
}

/// A console at an engine in this process.
pub async fn sit_at(engine: &EngineHandle, config: &Config, env: &Env, end: End) -> Result<(), Failure> {
    let user = engine.views.borrow().facts.user(env.uid).to_string();
    let via = if env.via.is_empty() { "console".into() } else { format!("console, {}", env.via) };
    let seat = desk::seat(engine, Who::Operator { user, via }).await.ok_or_else(|| Failure::new("the engine has ended"))?;
    screen(seat, config, env, end).await
}

/// The console until something ends it. Every such end is in order: its operator, its terminal, a signal, its time.
pub async fn screen(seat: Seat, config: &Config, env: &Env, end: End) -> Result<(), Failure> {
    let console = console::run(seat, options(config, env));
    match end {
        End::Never => console.await.map(drop).map_err(Failure::new),
        End::After(span) => tokio::time::timeout(span, console).await.map_or(Ok(()), |ended| ended.map(drop).map_err(Failure::new)),
    }
}

fn options(config: &Config, env: &Env) -> ConsoleOptions {
    ConsoleOptions {
        kept: env.console_file(),
        host: Arc::new(RealHost::default()),
        theme: config.console.theme.clone(),
        layout: config.console.layout.clone(),
        says: env.says.clone(),
        mouse: config.console.mouse.is_ours(env.ssh),
        ascii: config.console.ascii,
        forecasts: config.console.forecasts,
        keys: config.keys.clone(),
        no_color: env.no_color,
    }
}
