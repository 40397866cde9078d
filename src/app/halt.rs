//! `trimtab halt` and `trimtab resume`: put the stop file there or take it away. They do it themselves, so that it works with an engine
//! that hangs, or with none; an engine that answers is told, so that its journal has the name of who it was.

use crate::{
    app::{
        attach,
        cli::{Common, Format},
        env::Env,
        failure::Failure,
        out, settings,
        tunnel::SYSTEM,
    },
    link::client::Client,
    model::message::{Ask, Body, Command, Reply},
    planning::policy,
    store::stop,
};
use std::{path::Path, time::Duration};

/// How long an engine may take to answer: the file is there already.
const PATIENCE: Duration = Duration::from_secs(3);

/// Does it.
pub async fn run(halt: bool, format: Format, common: &Common, env: &Env) -> Result<(), Failure> {
    // A configuration that is wrong must not stand in the way.
    let asked = settings::load(common, env).map(|config| config.policy.stop).unwrap_or_default();
    let socket = attach::socket(common.socket.as_deref(), env);
    // Of the system's engine it is the system's file that counts, whoever asks.
    let file = match socket.parent() {
        Some(directory) if asked.is_none() && socket == Path::new(SYSTEM) => directory.join(stop::FILE),
        _ => env.stop(asked.as_deref()),
    };
    let done = if halt { stop::raise(&file, &env.user) } else { stop::lower(&file) };
    let told = tokio::time::timeout(PATIENCE, tell(halt, &socket, env)).await;
    let said = match (told, done) {
        (Ok(Ok(Reply::Done(said))), _) => said,
        (_, Ok(())) if halt => policy::halted(&file.display().to_string()),
        (_, Ok(())) => format!("no longer halted: {} is not there", file.display()),
        (Ok(Ok(Reply::Refused(why))), Err(e)) => return Err(Failure::new(format!("{e}; the engine: {why}"))),
        (Ok(Err(why)), Err(e)) => return Err(Failure::new(format!("{e}; {}", why.why))),
        (Err(_elapsed), Err(e)) => return Err(Failure::new(format!("{e}; the engine does not answer"))),
    };
    if format.json { out::json(&Reply::Done(said)) } else { out::say(&(said + "\n")) }
}

async fn tell(halt: bool, socket: &Path, env: &Env) -> Result<Reply, Failure> {
    let mut client = Client::connect(socket, env.uid, &env.via).await?;
    match client.ask(Ask::Do(Command::Halt(halt))).await? {
        Body::Reply(reply) => Ok(reply),
        _ => Err(Failure::new("the engine answered something else than was asked")),
    }
}
