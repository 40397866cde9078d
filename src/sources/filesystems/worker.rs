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
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

/// The answers to come, in the order of the questions.
pub type Answers = Receiver<Touch<Space>>;

/// A thread that answers.
pub struct Worker {
    asks: Sender<Vec<Place>>,
    answers: Answers,
}

impl Worker {
    /// Starts it. It ends when nobody listens to it any more.
    pub fn start(host: Arc<dyn Host>) -> Touch<Worker> {
        let (asks, asked) = channel::<Vec<Place>>();
        let (answer, answers) = channel();
        let work = move || {
            for place in asked.iter().flatten() {
                if answer.send(host.space(&place)).is_err() {
                    return;
                }
            }
        };
        match thread::Builder::new().name("statvfs".into()).spawn(work) {
            Ok(_left_to_itself) => Ok(Worker { asks, answers }),
            Err(error) => Err(HostError::new("start a thread for", "mounts", &error)),
        }
    }

    /// Asks for the space of places.
    pub fn ask(&self, places: Vec<Place>) -> Touch<()> {
        let gone = |_| HostError::new("ask", "mounts", &io::Error::from(io::ErrorKind::BrokenPipe));
        self.asks.send(places).map_err(gone)
    }

    /// Where its answers come.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// Gives it up: it answers what it is at, into what this returns, and ends.
    pub fn leave(self) -> Answers {
        self.answers
    }
}
