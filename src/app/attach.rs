//! A seat at an engine behind a socket.

use crate::{
    app::{env::Env, failure::Failure, seat::Seat},
    link::client::Client,
    model::message::{Ask, Body},
};
use std::{path::Path, sync::Arc};
use tokio::sync::{mpsc, oneshot, watch};

/// Questions of a console that wait; a full queue makes the console wait.
const ROOM: usize = 16;

/// Connects and watches. The views close when the connection is lost.
pub async fn seat(env: &Env, socket: &Path) -> Result<Seat, Failure> {
    let (welcome, mut stream) = Client::connect(socket, env.uid, &env.via).await?.watch().await?;
    let (show, views) = watch::channel(Arc::new(welcome.view.clone()));
    tokio::spawn(async move {
        while let Ok(view) = stream.next().await {
            show.send_replace(Arc::new(view));
        }
    });
    let (asks, mut asked) = mpsc::channel::<(Ask, oneshot::Sender<Body>)>(ROOM);
    let (env, socket) = (env.clone(), socket.to_path_buf());
    tokio::spawn(async move {
        while let Some((ask, back)) = asked.recv().await {
            let slow = matches!(ask, Ask::Inspect(_));
            let (env, socket) = (env.clone(), socket.clone());
            let reply = async move {
                let body = once(&env, &socket, ask).await.unwrap_or_else(|failure| Body::Error(failure.why));
                // A console that has gone wants no answer.
                let _gone = back.send(body);
            };
            // Orders keep their order; a look that takes its time does not hold them up.
            if slow {
                tokio::spawn(reply);
            } else {
                reply.await;
            }
        }
    });
    Ok(Seat { welcome, views, asks, own: false, replay: false })
}

/// One question on a connection of its own.
pub async fn once(env: &Env, socket: &Path, ask: Ask) -> Result<Body, Failure> {
    Ok(Client::connect(socket, env.uid, &env.via).await?.ask(ask).await?)
}
