//! `trimtab daemon`: the engine without a screen, and the socket through which it is asked.

use crate::{
    actions,
    app::{
        access,
        cli::Common,
        desk,
        env::Env,
        failure::Failure,
        logger, metrics,
        parts::{self, Legacy, Memory, Rights, Wish},
        service, settings,
        signals::Signals,
    },
    config::sections::Config,
    engine::handle::EngineHandle,
    host::real::{self, RealHost},
    link::{
        server::{self, Entrance},
        socket,
    },
};
use tokio::{net::UnixListener, task::JoinHandle};

/// Runs until a signal comes.
pub async fn run(common: &Common, env: &Env) -> Result<(), Failure> {
    let mut signals = Signals::catch()?;
    logger::start();
    let config = settings::load(common, env)?;
    let path = env.socket(common.socket.as_deref());
    let entrance = entrance(&config, env)?;
    let (listener, _claim) = socket::claim(&path, env.uid, entrance.reach())?;
    let endpoint = metrics::server::listen(&config.metrics).await?;
    let running = parts::start(
        &Wish { actions: actions::proposed(), config, rights: rights(common, env), legacy: Legacy::Stay, memory: Memory::Usual },
        env,
    )?;
    let _serving = serve(listener, entrance, &running.engine);
    let _measured = endpoint.map(|listener| tokio::spawn(metrics::server::serve(listener, running.engine.clone())));
    log::info!("the engine listens on {}", path.display());
    service::ready();
    let _watchdog = service::watchdog(running.engine.views.clone());
    log::info!("{}: ending", signals.next().await);
    service::stopping();
    running.engine.stop().await;
    Ok(())
}

/// Who may come to the socket.
pub fn entrance(config: &Config, env: &Env) -> Result<Entrance, Failure> {
    Ok(Entrance { doors: access::doors(&config.access, env.uid, &RealHost::default())?, groups: real::peer_groups })
}

/// Serves the engine on the socket for as long as the runtime lives.
pub fn serve(listener: UnixListener, entrance: Entrance, engine: &EngineHandle) -> JoinHandle<()> {
    let asked = engine.clone();
    let answer = move |peer: server::Peer, ask| desk::answer(asked.clone(), desk::peer(&asked, &peer), ask);
    tokio::spawn(server::serve(listener, entrance, engine.views.clone(), answer))
}

/// What the command line and this user's directories allow.
pub fn rights(common: &Common, env: &Env) -> Rights {
    match common.state.clone().or_else(|| env.state_directory()) {
        _ if common.observe => Rights::Observe,
        Some(directory) => Rights::Change(directory),
        None => Rights::Watch("there is no place for a journal: no home and no $XDG_STATE_HOME (give one with --state DIR)".into()),
    }
}
