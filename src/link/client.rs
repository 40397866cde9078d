//! The asking side of the socket.

use crate::{
    link::lines::{Broken, Lines},
    model::{
        message::{Answer, Ask, Body, Request, View, WIRE, Welcome},
        outlook::Outlook,
    },
};
use serde::Deserialize;
use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{
    io::AsyncWriteExt,
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// Bytes of an answer at most: a view of a host with a hundred thousand processes fits.
pub const ANSWER: usize = 256 << 20;

/// Why there is no answer.
#[derive(Debug)]
pub enum LinkError {
    /// Nobody listens there.
    Nobody(PathBuf),
    /// The socket is there but not for us.
    Refused(PathBuf, io::Error),
    /// Who listens is neither our user nor root.
    Stranger(PathBuf, u32),
    /// The connection ended.
    Lost(String),
    /// The engine's own words.
    Said(String),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::Nobody(path) => {
                write!(f, "no engine runs on {}; start one with `trimtab daemon` or `trimtab`", path.display())
            }
            LinkError::Refused(path, e) => write!(f, "{}: {e}", path.display()),
            LinkError::Stranger(path, uid) => write!(f, "{} is served by user {uid}, who is neither you nor root", path.display()),
            LinkError::Lost(why) => write!(f, "the connection to the engine ended: {why}"),
            LinkError::Said(why) => write!(f, "the engine says: {why}"),
        }
    }
}

impl std::error::Error for LinkError {}

/// A connection to an engine.
#[derive(Debug)]
pub struct Client {
    lines: Lines<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    via: String,
    last: u64,
}

impl Client {
    /// Connects. `via` is how the operator came, for the journal; `uid` is who we are.
    pub async fn connect(path: &Path, uid: u32, via: &str) -> Result<Client, LinkError> {
        let stream = UnixStream::connect(path).await.map_err(|e| match e.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => LinkError::Nobody(path.into()),
            _ => LinkError::Refused(path.into(), e),
        })?;
        let owner = stream.peer_cred().map_err(|e| LinkError::Refused(path.into(), e))?.uid();
        // Root may look into a user's engine; nobody else may be led to a stranger's.
        if owner != uid && owner != 0 && uid != 0 {
            return Err(LinkError::Stranger(path.into(), owner));
        }
        let (reader, writer) = stream.into_split();
        Ok(Client { lines: Lines::new(reader, ANSWER), writer, via: via.into(), last: 0 })
    }

    /// Asks and waits for the answer. An error in the engine's words is [`LinkError::Said`].
    pub async fn ask(&mut self, ask: Ask) -> Result<Body, LinkError> {
        self.last += 1;
        let request = Request { wire: WIRE, id: self.last, via: self.via.clone(), ask };
        let mut line = serde_json::to_vec(&request).map_err(|e| LinkError::Lost(e.to_string()))?;
        line.push(b'\n');
        // A server that turns us away has answered and closed before it read: its words are worth more than a broken pipe.
        let written = self.writer.write_all(&line).await;
        match self.answer().await {
            Err(LinkError::Lost(_)) if written.is_err() => Err(LinkError::Lost("it was closed".into())),
            answer => answer,
        }
    }

    /// Turns the connection into a stream of views.
    pub async fn watch(mut self) -> Result<(Welcome, Views), LinkError> {
        match self.ask(Ask::Watch).await? {
            Body::Welcome(welcome) => {
                let outlook = welcome.view.outlook.clone();
                Ok((*welcome, Views { client: self, outlook }))
            }
            _ => Err(LinkError::Lost("it answered something else than was asked".into())),
        }
    }

    async fn answer(&mut self) -> Result<Body, LinkError> {
        let line = self.lines.next().await.map_err(|broken| {
            LinkError::Lost(match broken {
                Broken::Closed => "it was closed".into(),
                Broken::TooLong => "the answer is too long".into(),
                Broken::Failed(e) => e.to_string(),
            })
        })?;
        // The version is read first: the body of another one may not be understood.
        #[derive(Deserialize)]
        struct Head {
            wire: u32,
        }
        let strange = |e: serde_json::Error| LinkError::Lost(format!("the answer is not understood: {e}"));
        let head: Head = serde_json::from_slice(&line).map_err(strange)?;
        if head.wire != WIRE {
            let why = format!("the engine speaks version {} of the wire, this program {WIRE}; use one version of both", head.wire);
            return Err(LinkError::Said(why));
        }
        match serde_json::from_slice::<Answer>(&line).map_err(strange)?.body {
            Body::Error(why) => Err(LinkError::Said(why)),
            body => Ok(body),
        }
    }
}

/// Views as they come. The write half stays open: closing it would end the watch.
#[derive(Debug)]
pub struct Views {
    client: Client,
    /// The newest outlook: views carry it only where it changed.
    outlook: Option<Arc<Outlook>>,
}

impl Views {
    /// The next one.
    pub async fn next(&mut self) -> Result<View, LinkError> {
        match self.client.answer().await? {
            Body::View(mut view) => {
                if view.outlook.is_some() {
                    self.outlook.clone_from(&view.outlook);
                }
                view.outlook.clone_from(&self.outlook);
                Ok(*view)
            }
            _ => Err(LinkError::Lost("it answered something else than was asked".into())),
        }
    }
}
