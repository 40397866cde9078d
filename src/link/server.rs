//! The engine's side of the socket. Whatever comes in, nothing but that one connection can be stalled or ended by it.
//!
//! Each connection has one task that reads, answers and, once asked to, streams views; the newest one wins, so that a slow reader
//! sees fewer of them and one that does not read at all is let go after [`WRITE`].

use crate::{
    link::{
        doors::Doors,
        guests::{Guest, Guests},
        lines::{Broken, Lines},
        socket::Reach,
    },
    model::{
        message::{Answer, Ask, Body, Present, Reply, Request, View, WIRE},
        outlook::Outlook,
        role::Role,
    },
};
use serde::Deserialize;
use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    time::timeout,
};

/// Bytes of a request at most.
pub const REQUEST: usize = 1 << 20;
/// How long a client may take to read what it is sent.
pub const WRITE: Duration = Duration::from_secs(5);
/// How long a client that does not watch may say nothing, and how long any may take over one line.
pub const SILENCE: Duration = Duration::from_secs(10);

/// Who is on the other end: taken from the socket, but for `via`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// User id.
    pub uid: u32,
    /// Process id, where the kernel tells it.
    pub pid: Option<i32>,
    /// How they say that they came; cut and cleaned.
    pub via: Arc<str>,
    /// What they may ask.
    pub role: Role,
}

/// Who may come in, and how their groups are found.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// Roles.
    pub doors: Doors,
    /// The groups of the other end, as the kernel knows them.
    pub groups: fn(BorrowedFd<'_>) -> Vec<u32>,
}

impl Entrance {
    /// Whom the socket's file has to let in.
    pub fn reach(&self) -> Reach {
        if self.doors.are_open() { Reach::Host } else { Reach::Own }
    }
}

/// Serves until its task is dropped. Who has no role is turned away; `answer` is asked all that a role may ask, but what
/// [`Ask::Watch`] goes on with.
pub async fn serve<A, F>(listener: UnixListener, entrance: Entrance, views: watch::Receiver<Arc<View>>, answer: A)
where
    A: Fn(Peer, Ask) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Body> + Send + 'static,
{
    let guests = Guests::default();
    // Connections end with this set, that is with the caller.
    let mut all = tokio::task::JoinSet::new();
    loop {
        while all.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, most likely: connections that end give some back.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Some((uid, pid)) = stream.peer_cred().ok().map(|cred| (cred.uid(), cred.pid())) else { continue };
        let Some(role) = entrance.doors.role(uid, &(entrance.groups)(stream.as_fd())) else {
            turn_away(&stream, "this engine belongs to another user, and its configuration gives you no role (access)");
            continue;
        };
        let at_home = uid == 0 || uid == entrance.doors.owner;
        let Some(guest) = guests.admit(uid, at_home) else {
            turn_away(&stream, "too many clients are connected");
            continue;
        };
        let (reader, writer) = stream.into_split();
        let connection = Connection {
            lines: Lines::new(reader, REQUEST),
            writer,
            views: views.clone(),
            watching: None,
            outlook: None,
            peer: Peer { uid, pid, via: "socket".into(), role },
            guest,
        };
        let answer = answer.clone();
        all.spawn(connection.run(answer));
    }
}

/// A word to one who cannot be served, if it fits the socket's buffer.
fn turn_away(stream: &UnixStream, why: &str) {
    if let Ok(line) = line(0, Body::Error(why.into())) {
        let _unread = stream.try_write(&line);
    }
}

fn line(id: u64, body: Body) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(&Answer { wire: WIRE, id, body })?;
    line.push(b'\n');
    Ok(line)
}

struct Connection {
    lines: Lines<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    views: watch::Receiver<Arc<View>>,
    /// Id of the watch request, once there was one.
    watching: Option<u64>,
    /// The outlook that was sent last: large, and most views carry the same one.
    outlook: Option<Arc<Outlook>>,
    peer: Peer,
    /// Its place among all; free again when this ends.
    guest: Guest,
}

enum Event {
    Line(Vec<u8>),
    View,
    End(Option<&'static str>),
}

impl Connection {
    async fn run<A, F>(mut self, answer: A)
    where
        A: Fn(Peer, Ask) -> F,
        F: Future<Output = Body>,
    {
        loop {
            let sent = match self.event().await {
                Event::Line(line) => self.serve(&line, &answer).await,
                Event::View => {
                    let view = self.views.borrow_and_update().clone();
                    let view = self.fitted((*view).clone());
                    self.send(self.watching.unwrap_or(0), Body::View(Box::new(view))).await
                }
                Event::End(why) => {
                    if let Some(why) = why {
                        let _gone = self.send(0, Body::Error(why.into())).await;
                    }
                    return;
                }
            };
            if sent.is_err() {
                return;
            }
        }
    }

    /// The view with those who are here, and without an outlook that the other side has already.
    fn fitted(&mut self, mut view: View) -> View {
        view.present = self.present(&view);
        match (&self.outlook, &view.outlook) {
            (Some(sent), Some(new)) if Arc::ptr_eq(sent, new) => view.outlook = None,
            (_, new) => self.outlook = new.clone(),
        }
        view
    }

    fn present(&self, view: &View) -> Vec<Present> {
        let guests = self.guest.watchers();
        guests.into_iter().map(|(uid, via, role)| Present { user: view.facts.user(uid), via, role }).collect()
    }

    async fn event(&mut self) -> Event {
        let patience = if self.watching.is_some() && !self.lines.is_within() { Duration::MAX } else { SILENCE };
        tokio::select! {
            line = timeout(patience, self.lines.next()) => match line {
                Ok(Ok(line)) => Event::Line(line),
                Ok(Err(Broken::TooLong)) => Event::End(Some("the request is longer than 1 MiB")),
                Ok(Err(Broken::Closed | Broken::Failed(_))) => Event::End(None),
                Err(_elapsed) => Event::End(Some("no request came")),
            },
            changed = self.views.changed(), if self.watching.is_some() => match changed {
                Ok(()) => Event::View,
                Err(_ended) => Event::End(Some("the engine has ended")),
            },
        }
    }

    async fn serve<A, F>(&mut self, line: &[u8], answer: &A) -> io::Result<()>
    where
        A: Fn(Peer, Ask) -> F,
        F: Future<Output = Body>,
    {
        let request = match understand(line) {
            Ok(request) => request,
            Err((id, why)) => return self.send(id, Body::Error(why)).await,
        };
        let least = Role::asking(&request.ask);
        if self.peer.role < least {
            let (yours, needed) = (self.peer.role.words(), least.words());
            let why = format!("you are a {yours} here, and that takes an {needed}: ask one, or be made one (access)");
            return self.send(request.id, Body::Reply(Reply::Refused(why))).await;
        }
        let peer = Peer { via: clean(&request.via), ..self.peer.clone() };
        if request.ask == Ask::Watch {
            self.watching = Some(request.id);
            self.guest.watches(peer.via.clone(), peer.role);
            // What the welcome shows need not be sent again.
            self.views.mark_unchanged();
        }
        let mut body = answer(peer, request.ask).await;
        if let Body::Welcome(welcome) = &mut body {
            welcome.role = self.peer.role;
            welcome.view.present = self.present(&welcome.view);
        }
        self.send(request.id, body).await
    }

    async fn send(&mut self, id: u64, body: Body) -> io::Result<()> {
        let line = line(id, body)?;
        timeout(WRITE, self.writer.write_all(&line)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// What every version of the wire begins with.
#[derive(Deserialize)]
struct Head {
    wire: u32,
    #[serde(default)]
    id: u64,
}

fn understand(line: &[u8]) -> Result<Request, (u64, String)> {
    let head: Head = serde_json::from_slice(line).map_err(|e| (0, format!("this is no request: {e}")))?;
    if head.wire != WIRE {
        return Err((head.id, format!("the engine speaks version {WIRE} of the wire, you speak {}", head.wire)));
    }
    serde_json::from_slice(line).map_err(|e| (head.id, format!("this is no request: {e}")))
}

fn clean(via: &str) -> Arc<str> {
    crate::model::text::clean(via, 64)
}
