//! The seer's thread. The loop gives it each sweep's view and never waits: when the thread is behind by `ROOM`, sweeps are left out of
//! the ladders. It wakes with the sweeps alone, thinks for as long as its budget of cpu time allows, and tells the brain.

use crate::{
    engine::{
        input::Input,
        seer::{ahead::Model, refill::Refill, seer::Seer},
    },
    host::host::Host,
    model::{
        limits::Foresight,
        message::{Body, View},
    },
    store::{error::Trouble, foresight},
};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};
use tokio::sync::{mpsc, oneshot};

/// Sweeps and questions that wait.
const ROOM: usize = 8;

/// Sweeps before the past is read: by then it is known whose.
const FIRST: u32 = 3;

/// Seconds between two writings of the track record.
const KEEP: f64 = 300.0;

/// What a forecast counts for where cpu time cannot be read, as with a recorded host: nanoseconds.
const NOMINAL: u64 = 2_000_000;

enum Told {
    Swept(Arc<View>),
    Asked { of: String, horizon: f64, back: oneshot::Sender<Body> },
    End,
}

/// What the thread needs.
pub struct Wish {
    /// How far to look, at what cost.
    pub foresight: Foresight,
    /// The models.
    pub model: Model,
    /// Where the track record outlives the engine, if anywhere.
    pub file: Option<PathBuf>,
    /// Where the past is, if anywhere.
    pub past: Option<PathBuf>,
}

/// The way to the thread.
#[derive(Clone, Debug)]
pub struct SeerHandle(SyncSender<Told>);

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Told::Swept(_) => "swept",
            Told::Asked { .. } => "asked",
            Told::End => "end",
        })
    }
}

impl SeerHandle {
    /// Gives a sweep's view. Never waits.
    pub fn give(&self, view: &Arc<View>) {
        // Full: it is behind, and the next sweep says more.
        let _left_out = self.0.try_send(Told::Swept(view.clone()));
    }

    /// The forecast of a number for so many seconds.
    pub async fn ask(&self, of: String, horizon: f64) -> Body {
        let (back, answer) = oneshot::channel();
        match self.0.try_send(Told::Asked { of, horizon, back }) {
            Ok(()) => answer.await.unwrap_or_else(|_| Body::Error("the engine has ended".into())),
            Err(TrySendError::Full(_)) => Body::Error("too many questions wait: ask again".into()),
            Err(TrySendError::Disconnected(_)) => Body::Error("the engine has ended".into()),
        }
    }
}

/// The thread.
pub struct SeerThread {
    /// The way to it.
    pub handle: SeerHandle,
    thread: JoinHandle<()>,
}

impl SeerThread {
    /// Starts it; what it sees goes to `out`.
    pub fn start(wish: Wish, host: &Arc<dyn Host>, out: &mpsc::Sender<Vec<Input>>) -> std::io::Result<SeerThread> {
        let (tell, told) = sync_channel(ROOM);
        let (host, out) = (host.clone(), out.clone());
        let life = move || Life::new(wish, host, out).run(&told);
        let thread = thread::Builder::new().name("trimtab-seer".into()).spawn(life)?;
        Ok(SeerThread { handle: SeerHandle(tell), thread })
    }

    /// Keeps the track record and ends the thread.
    pub fn end(self) {
        // An error means that it has ended by itself.
        let _ended = self.handle.0.send(Told::End);
        if self.thread.join().is_err() {
            log::error!("the thread of foresight ended in a panic");
        }
    }
}

/// Cpu time of this thread.
struct Meter {
    host: Arc<dyn Host>,
    /// Nanoseconds at the last reading.
    read: Option<u64>,
}

impl Meter {
    /// Nanoseconds since the last reading; `None` where they cannot be read.
    fn lap(&mut self) -> Option<u64> {
        let now = self.host.thread_clock().ok();
        let before = std::mem::replace(&mut self.read, now);
        Some(now?.saturating_sub(before?))
    }
}

struct Life {
    seer: Seer,
    meter: Meter,
    out: mpsc::Sender<Vec<Input>>,
    file: Option<PathBuf>,
    past: Option<PathBuf>,
    trouble: Option<Arc<str>>,
    kept: f64,
    sweeps: u32,
    spent: u64,
}

impl Life {
    fn new(wish: Wish, host: Arc<dyn Host>, out: mpsc::Sender<Vec<Input>>) -> Life {
        let Wish { foresight, model, mut file, past } = wish;
        let mut trouble = None;
        let rows = match file.as_deref().map(foresight::load) {
            None => Vec::new(),
            Some(Ok(rows)) => rows,
            Some(Err(e)) => {
                // One of a newer trimtab is left as it is; a damaged one is written anew.
                file = file.filter(|_| e.trouble != Trouble::Newer);
                trouble = Some(format!("how earlier forecasts did is not known: {e}").into());
                Vec::new()
            }
        };
        let meter = Meter { host, read: None };
        let mut life =
            Life { seer: Seer::new(foresight, model, rows), meter, out, file, past, trouble: None, kept: 0.0, sweeps: 0, spent: 0 };
        life.complain(trouble);
        life
    }

    fn run(mut self, told: &Receiver<Told>) {
        self.meter.lap();
        while let Ok(told) = told.recv() {
            match told {
                Told::Swept(view) => {
                    self.swept(view);
                    if self.tell().is_err() {
                        break;
                    }
                }
                Told::Asked { of, horizon, back } => {
                    let answer = self.seer.answer(&of, horizon);
                    self.charge(NOMINAL);
                    // An asker that has gone wants no answer.
                    let _gone = back.send(answer.map_or_else(Body::Error, |forecast| Body::Forecast(Box::new(forecast))));
                }
                Told::End => break,
            }
        }
        self.keep();
    }

    fn swept(&mut self, view: Arc<View>) {
        self.seer.take(view);
        self.sweeps = self.sweeps.saturating_add(1);
        if self.sweeps == FIRST {
            self.remember();
        }
        self.charge(0);
        while self.seer.think() {
            self.charge(NOMINAL);
        }
        if self.kept == 0.0 {
            self.kept = self.seer.now();
        }
        if self.seer.now() - self.kept >= KEEP {
            self.kept = self.seer.now();
            self.keep();
            self.charge(0);
        }
    }

    fn charge(&mut self, nominal: u64) {
        let nanos = self.meter.lap().unwrap_or(nominal);
        self.spent += nanos;
        self.seer.spend(nanos);
    }

    fn remember(&mut self) {
        let Some(past) = self.past.take().filter(|past| past.exists()) else { return };
        match Refill::open(&past, self.seer.now()) {
            Ok(refill) => self.seer.remember(refill),
            Err(e) => log::warn!(target: "engine", "what was before is not known to foresight: {e}"),
        }
    }

    /// Tells the brain; an error when the loop has ended.
    fn tell(&mut self) -> Result<(), ()> {
        let outlook = self.seer.outlook();
        let spent = std::mem::take(&mut self.spent);
        self.out.blocking_send(vec![Input::Foreseen { outlook, cpu: spent }]).map_err(|_| ())
    }

    fn keep(&mut self) {
        let Some(file) = &self.file else { return };
        let done = foresight::save(file, self.seer.kept());
        self.complain(done.err().map(|e| format!("how forecasts did is not kept: {e}").into()));
    }

    fn complain(&mut self, trouble: Option<Arc<str>>) {
        if trouble != self.trouble {
            self.trouble.clone_from(&trouble);
            // When the loop has ended nobody wants to know.
            let _ended = self.out.try_send(vec![Input::Foresight(trouble)]);
        }
    }
}
