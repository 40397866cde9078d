//! Keeps alerts on disk, on a thread of its own: the newest state wins, a slow disk holds nobody up.

use crate::{engine::input::Input, model::alert::Kept, store::alerts};
use std::{
    io,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
};
use tokio::sync::mpsc::Sender;

#[derive(Default)]
struct Slot {
    next: Option<Arc<Kept>>,
    closed: bool,
}

/// The writer.
pub struct Keeper {
    slot: Arc<(Mutex<Slot>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the thread; without a file nothing is kept.
    pub fn start(file: Option<PathBuf>, out: &Sender<Vec<Input>>) -> io::Result<Keeper> {
        let slot = Arc::<(Mutex<Slot>, Condvar)>::default();
        let (mine, out) = (slot.clone(), out.clone());
        let write = move |path: PathBuf| {
            let mut failed = false;
            while let Some(kept) = next(&mine) {
                let error = alerts::save(&path, &kept).err().map(|e| e.to_string());
                if error.is_some() || failed {
                    failed = error.is_some();
                    // Full or closed: the loop must not be waited for, for it may be waiting for us; the next save says it again.
                    let _unheard = out.try_send(vec![Input::Notified { target: "alerts on disk".into(), error }]);
                }
            }
        };
        let thread = match file {
            Some(path) => Some(thread::Builder::new().name("trimtab-alerts".into()).spawn(move || write(path))?),
            None => None,
        };
        Ok(Keeper { slot, thread })
    }

    /// Keeps this instead of what was given before.
    pub fn keep(&self, kept: Arc<Kept>) {
        let (slot, filled) = &*self.slot;
        slot.lock().unwrap_or_else(PoisonError::into_inner).next = Some(kept);
        filled.notify_one();
    }

    /// Waits until the last state is written, then ends.
    pub fn end(self) {
        let (slot, filled) = &*self.slot;
        slot.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        filled.notify_one();
        if self.thread.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the thread that keeps alerts ended in a panic");
        }
    }
}

/// The next state to write; `None` when there will be no more.
fn next(slot: &(Mutex<Slot>, Condvar)) -> Option<Arc<Kept>> {
    let (slot, filled) = slot;
    let guard = slot.lock().unwrap_or_else(PoisonError::into_inner);
    let mut guard = filled.wait_while(guard, |slot| slot.next.is_none() && !slot.closed).unwrap_or_else(PoisonError::into_inner);
    guard.next.take()
}
