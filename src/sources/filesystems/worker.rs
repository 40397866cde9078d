//! The thread that asks mounts for their space. A dead network mount holds it for ever: then it is left to its mount and a new one
//! takes over, so that there is never more than one waiting for each mount.

use crate::{
    host::{
        error::HostError,
        host::{Host, Touch},
    },
    model::{knob::Place, sample::Space},
};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
};

/// A thread that answers.
pub struct Worker {
    asks: Sender<Vec<Place>>,
    /// Its answers, in the order of the questions.
    pub answers: Receiver<Touch<Space>>,
    thread: JoinHandle<()>,
    left: Arc<AtomicBool>,
}

/// A thread that was left to the mount that holds it.
pub struct Left {
    answers: Receiver<Touch<Space>>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts it. It ends when nobody asks it any more, or when it is left.
    pub fn start(host: Arc<dyn Host>) -> Touch<Worker> {
        let (asks, asked) = channel::<Vec<Place>>();
        let (answer, answers) = channel();
        let left = Arc::new(AtomicBool::new(false));
        let alone = Arc::clone(&left);
        let work = move || {
            for place in asked.iter().flatten() {
                if answer.send(host.space(&place)).is_err() || alone.load(Ordering::Acquire) {
                    return;
                }
            }
        };
        match thread::Builder::new().name("statvfs".into()).spawn(work) {
            Ok(thread) => Ok(Worker { asks, answers, thread, left }),
            Err(error) => Err(HostError::new("start a thread for", "mounts", &error)),
        }
    }

    /// Asks for the space of places.
    pub fn ask(&self, places: Vec<Place>) -> Touch<()> {
        let gone = |_| HostError::new("ask", "mounts", &io::Error::from(io::ErrorKind::BrokenPipe));
        self.asks.send(places).map_err(gone)
    }

    /// Gives it up: it answers what it is at, and ends.
    pub fn leave(self) -> Left {
        self.left.store(true, Ordering::Release);
        Left { answers: self.answers, thread: self.thread }
    }
}

impl Left {
    /// What the mount said in the end; `None` while it still hangs.
    pub fn answer(&self) -> Option<Touch<Space>> {
        let ended = self.thread.is_finished();
        let broke = || Err(HostError::new("ask", "mounts", &io::Error::from(io::ErrorKind::BrokenPipe)));
        ended.then(|| self.answers.try_recv().unwrap_or_else(|_| broke()))
    }

    /// Waits for its end.
    #[cfg(test)]
    pub fn wait(&self) {
        while !self.thread.is_finished() {
            thread::yield_now();
        }
    }
}
