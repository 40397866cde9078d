//! Answers questions about an engine in this process: for the socket and for a console at its side.

use crate::{
    app::{metrics, seat::Seat},
    engine::handle::EngineHandle,
    link::server::Peer,
    model::{
        change::Who,
        message::{Ask, Body, Reply},
    },
};
use tokio::sync::{mpsc, oneshot};

/// Questions of a console that wait; a full queue makes the console wait.
const ROOM: usize = 16;

/// The answer to `ask` of `who`.
pub async fn answer(engine: EngineHandle, who: Who, ask: Ask) -> Body {
    match ask {
        Ask::Watch => match engine.welcome().await {
            Some(welcome) => Body::Welcome(Box::new(welcome)),
            None => Body::Error("the engine has ended".into()),
        },
        Ask::View => Body::View(Box::new((**engine.views.borrow()).clone())),
        Ask::Do(command) => Body::Reply(engine.command(who, command).await),
        Ask::Audit { most } => Body::Audit(engine.audit(most).await),
        Ask::Past { .. } | Ask::Trace { .. } | Ask::Marks { .. } | Ask::WriteSnapshot { .. } => engine.past(ask).await,
        Ask::Forecast { of, horizon } => engine.forecast(of, horizon).await,
        Ask::Inspect(process) => match engine.inspect(process).await {
            Ok(inspection) => Body::Inspected(inspection),
            Err(why) => Body::Error(why),
        },
        Ask::Learned => match engine.learned().await {
            Some(lessons) => Body::Learned(Box::new(lessons)),
            None => Body::Error("the engine has ended".into()),
        },
        Ask::Metrics(format) => match engine.counters().await {
            Some(counters) => Body::Metrics(metrics::page(&engine.views.borrow(), &counters, format)),
            None => Body::Error("the engine has ended".into()),
        },
    }
}

/// Who a peer is, in the journal's words. The user is the socket's word, the way is theirs.
pub fn peer(engine: &EngineHandle, peer: &Peer) -> Who {
    let user = engine.views.borrow().facts.user(peer.uid).to_string();
    let via = if peer.via.is_empty() { "socket".into() } else { format!("socket, {}", peer.via) };
    Who::Operator { user, via }
}

/// A seat at a replay: what is asked for is answered, but nothing is done.
pub async fn replayed(engine: &EngineHandle) -> Option<Seat> {
    let seat = seat(engine, Who::Engine).await?;
    let (asks, mut asked) = mpsc::channel::<(Ask, oneshot::Sender<Body>)>(ROOM);
    let inner = seat.asks;
    tokio::spawn(async move {
        while let Some((ask, back)) = asked.recv().await {
            if matches!(ask, Ask::Do(_)) {
                let _gone = back.send(Body::Reply(Reply::Refused("this is a replay: nothing can be changed here".into())));
            } else if inner.send((ask, back)).await.is_err() {
                return;
            }
        }
    });
    Some(Seat { asks, replay: true, ..seat })
}

/// A seat at an engine in this process. `None` when it has ended already.
pub async fn seat(engine: &EngineHandle, who: Who) -> Option<Seat> {
    let welcome = engine.welcome().await?;
    let (asks, mut asked) = mpsc::channel::<(Ask, oneshot::Sender<Body>)>(ROOM);
    let views = engine.views.clone();
    let engine = engine.clone();
    tokio::spawn(async move {
        while let Some((ask, back)) = asked.recv().await {
            let slow = matches!(ask, Ask::Inspect(_));
            let answered = answer(engine.clone(), who.clone(), ask);
            // A console that has gone wants no answer.
            let reply = async move { drop(back.send(answered.await)) };
            // Orders keep their order; a look that takes its time does not hold them up.
            if slow {
                tokio::spawn(reply);
            } else {
                reply.await;
            }
        }
    });
    Some(Seat { welcome, views, asks, news: None, own: true, replay: false })
}
