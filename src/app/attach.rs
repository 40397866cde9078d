//! A seat at an engine behind a socket, of this host or of another one.

use crate::{
    app::{
        env::Env,
        failure::{Code, Failure},
        seat::{News, Seat},
        tunnel::{SYSTEM, Tunnel},
    },
    link::client::{Client, Views},
    model::message::{Ask, Body, View, Welcome},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::sleep,
};

/// Questions of a console that wait; a full queue makes the console wait.
const ROOM: usize = 16;
/// News of the connection that wait: a loss and a return.
const NEWS: usize = 2;
/// Between two tries to come back.
const AGAIN: Duration = Duration::from_millis(500);

/// The socket to ask: the one that is wished for, else this user's own where somebody listens, else the system's where it lets us in.
pub fn socket(asked: Option<&Path>, env: &Env) -> PathBuf {
    let own = env.socket(asked);
    let listens = |path: &Path| std::os::unix::net::UnixStream::connect(path).is_ok();
    if asked.is_some() || listens(&own) || !listens(Path::new(SYSTEM)) { own } else { PathBuf::from(SYSTEM) }
}

/// Connects and watches. The views close when the connection is lost.
pub async fn seat(env: &Env, socket: &Path) -> Result<Seat, Failure> {
    let (welcome, mut stream) = watch_at(env, socket).await?;
    let (show, views) = watch::channel(Arc::new(welcome.view.clone()));
    tokio::spawn(async move { show_all(&mut stream, &show).await });
    Ok(Seat { welcome, views, asks: asks(env, socket), news: None, own: false, replay: false })
}

/// Connects and watches, and comes back whenever the connection is lost: the engine may be started anew, the line may fail.
pub async fn lasting(env: &Env, way: Way) -> Result<Seat, Failure> {
    let socket = way.socket();
    let (welcome, mut stream) = watch_at(env, &socket).await.map_err(|failure| way.explain(failure))?;
    let (show, views) = watch::channel(Arc::new(welcome.view.clone()));
    let (tell, news) = mpsc::channel(NEWS);
    let asks = asks(env, &socket);
    let env = env.clone();
    tokio::spawn(async move {
        let mut way = way;
        loop {
            show_all(&mut stream, &show).await;
            let mut why = "it was closed".to_string();
            let back = loop {
                // A console that has gone wants no news.
                if tell.send(News::Lost(why)).await.is_err() {
                    return;
                }
                sleep(AGAIN).await;
                match come_back(&env, &mut way).await {
                    Ok(back) => break back,
                    Err(failure) => why = failure.why,
                }
            };
            stream = back.1;
            if tell.send(News::Back(Box::new(back.0))).await.is_err() {
                return;
            }
        }
    });
    Ok(Seat { welcome, views, asks, news: Some(news), own: false, replay: false })
}

/// How an engine is reached.
#[derive(Debug)]
pub enum Way {
    /// By a socket of this host.
    Socket(PathBuf),
    /// Through ssh.
    Tunnel(Tunnel),
}

impl Way {
    fn socket(&self) -> PathBuf {
        match self {
            Way::Socket(path) => path.clone(),
            Way::Tunnel(tunnel) => tunnel.socket(),
        }
    }

    /// Through ssh, a socket that is not there looks like a connection that ends at once.
    fn explain(&self, failure: Failure) -> Failure {
        match self {
            Way::Tunnel(tunnel) if failure.why.starts_with("the connection to the engine ended") => Failure {
                code: Code::NoEngine,
                why: format!("no engine answers on {}; start `trimtab daemon` there, or name its --socket", tunnel.place()),
            },
            _ => failure,
        }
    }
}

async fn come_back(env: &Env, way: &mut Way) -> Result<(Welcome, Views), Failure> {
    if let Way::Tunnel(tunnel) = way {
        tunnel.mend().await?;
    }
    watch_at(env, &way.socket()).await.map_err(|failure| way.explain(failure))
}

async fn watch_at(env: &Env, socket: &Path) -> Result<(Welcome, Views), Failure> {
    Ok(Client::connect(socket, env.uid, &env.via).await?.watch().await?)
}

async fn show_all(stream: &mut Views, show: &watch::Sender<Arc<View>>) {
    while let Ok(view) = stream.next().await {
        show.send_replace(Arc::new(view));
    }
}

fn asks(env: &Env, socket: &Path) -> mpsc::Sender<(Ask, oneshot::Sender<Body>)> {
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
    asks
}

/// One question on a connection of its own.
pub async fn once(env: &Env, socket: &Path, ask: Ask) -> Result<Body, Failure> {
    Ok(Client::connect(socket, env.uid, &env.via).await?.ask(ask).await?)
}
