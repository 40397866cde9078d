//! Keeps what the engine saw: each sweep's raw samples go to a thread that writes the history.
//!
//! The queue holds `ROOM` sweeps. When the disk is so slow that it is full, a sweep is left out of the history and the screen says so;
//! the loop never waits for it.

use crate::{
    engine::input::Input,
    model::{
        change::Entry,
        message::View,
        snapshot::Snapshot,
        time::{Tick, Wall},
    },
    sources::source::Lane,
    store::{
        error::{StoreError, Trouble},
        history::{
            frame::{Frame, Own, Reading, Readings},
            writer::{HistoryWriter, Place},
        },
    },
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::sync::mpsc;

/// Sweeps that wait to be written.
const ROOM: usize = 32;

/// Sweeps left out after a failure before it is tried again.
const PAUSE: u32 = 10;

/// What of the history is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The file, and how great it may become.
    pub place: Place,
    /// From one stored sweep to the next.
    pub every: Duration,
    /// What becomes of the file at the end.
    pub end: End,
}

/// What becomes of the file at the end of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The next run goes on with it.
    Stays,
    /// It is a recording: one closed file, to be carried away.
    Closed,
}

enum Told {
    Swept(Box<Frame>, Arc<Snapshot>),
    Deeds(Vec<(u64, Entry)>),
}

/// The loop's side: gathers, and hands over.
pub struct Recorder {
    out: SyncSender<Told>,
    thread: JoinHandle<()>,
    every: Duration,
    newest: Readings,
    deeds: Vec<(u64, Entry)>,
    stored: Option<Tick>,
    lost: Arc<AtomicU64>,
}

impl Recorder {
    /// Starts the thread. `entries` is the journal so far; troubles go to `inputs`.
    pub fn start(
        wish: Recording,
        entries: &[(u64, Entry)],
        inputs: mpsc::Sender<Vec<Input>>,
        now: Wall,
    ) -> std::io::Result<Recorder> {
        let (out, told) = sync_channel(ROOM);
        let lost = Arc::new(AtomicU64::new(0));
        let every = wish.every;
        let keeper = Keeper { wish, writer: None, inputs, trouble: None, pause: 0, lost: lost.clone(), now };
        let thread = thread::Builder::new().name("trimtab-history".into()).spawn(move || keeper.run(&told))?;
        Ok(Recorder { out, thread, every, newest: Readings::new(), deeds: entries.to_vec(), stored: None, lost })
    }

    /// Looks at an input before the brain takes it.
    pub fn note(&mut self, input: &Input) {
        match input {
            Input::Sampled { source, at, sample } => {
                self.newest.insert(*source, Arc::new(Reading { at: *at, sample: sample.clone() }));
            }
            Input::Performed { done, .. } => self.deeds.extend(done.entries.iter().cloned()),
            _ => {}
        }
    }

    /// Stores a sweep with the view that it made, if its time has come.
    pub fn keep(&mut self, view: &View) {
        // Half a pass early counts: sweeps jitter.
        let early = Duration::from_millis(50);
        if self.stored.is_some_and(|at| view.now.tick.since(at) + early < self.every) {
            return;
        }
        self.stored = Some(view.now.tick);
        if !self.deeds.is_empty()
            && let Err(TrySendError::Full(Told::Deeds(deeds))) = self.out.try_send(Told::Deeds(std::mem::take(&mut self.deeds)))
        {
            self.deeds = deeds;
        }
        let own = Own {
            mode: view.mode,
            problems: view.problems.clone(),
            cost: view.cost,
            guard: view.guard.clone(),
            engine: view.engine,
        };
        let frame =
            Frame { now: view.now, readings: self.newest.clone(), facts: view.facts.clone(), findings: view.findings.clone(), own };
        if self.out.try_send(Told::Swept(Box::new(frame), view.snapshot.clone())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes what waits and ends the thread.
    pub fn end(self) {
        // Deeds of the last moments: there is room soon, for nothing new comes.
        let _gone = self.out.send(Told::Deeds(self.deeds));
        drop(self.out);
        if self.thread.join().is_err() {
            log::error!("the thread of the history ended in a panic");
        }
    }
}

/// Whether a step of the loop was a sweep.
pub fn is_sweep(input: &Input) -> bool {
    matches!(input, Input::Passed { lane: Lane::Sweep, .. })
}

/// The thread's side.
struct Keeper {
    wish: Recording,
    writer: Option<HistoryWriter>,
    inputs: mpsc::Sender<Vec<Input>>,
    trouble: Option<Arc<str>>,
    pause: u32,
    lost: Arc<AtomicU64>,
    now: Wall,
}

impl Keeper {
    fn run(mut self, told: &Receiver<Told>) {
        while let Ok(told) = told.recv() {
            match told {
                Told::Swept(frame, _) if self.pause > 0 => {
                    self.now = frame.now.wall;
                    self.pause -= 1;
                }
                Told::Swept(frame, snapshot) => {
                    self.now = frame.now.wall;
                    let done = self.writer().and_then(|writer| writer.put(&frame, &snapshot));
                    self.judge(done);
                }
                Told::Deeds(entries) => {
                    let done = self.writer().and_then(|writer| writer.deeds(&entries));
                    self.judge(done);
                }
            }
        }
        let Some(mut writer) = self.writer.take() else { return };
        let ended = match self.wish.end {
            End::Stays => writer.flush(),
            End::Closed => writer.finish(),
        };
        if let Err(e) = ended {
            log::warn!("the history: {e}");
        }
    }

    fn writer(&mut self) -> Result<&mut HistoryWriter, StoreError> {
        match &mut self.writer {
            Some(writer) => Ok(writer),
            empty => {
                let (writer, told) = HistoryWriter::open(&self.wish.place, self.now)?;
                if let Some(told) = told {
                    log::warn!("{told}");
                }
                Ok(empty.insert(writer))
            }
        }
    }

    /// Tells of a trouble when it comes and when it goes. A file that turns out to be damaged is opened again: then it is set aside.
    fn judge(&mut self, done: Result<(), StoreError>) {
        let trouble = match &done {
            Err(e) => {
                self.pause = PAUSE;
                if matches!(e.trouble, Trouble::Damaged | Trouble::Other) {
                    self.writer = None;
                }
                Some(format!("the history is not written: {e}"))
            }
            Ok(()) => match self.lost.swap(0, Ordering::Relaxed) {
                0 => None,
                lost => Some(format!("the history misses {lost} sweeps: the disk is too slow")),
            },
        };
        let trouble: Option<Arc<str>> = trouble.map(Into::into);
        if trouble != self.trouble {
            self.trouble.clone_from(&trouble);
            // When the loop has ended nobody wants to know.
            let _ended = self.inputs.blocking_send(vec![Input::History(trouble)]);
        }
    }
}
