//! Keeps something small on disk, such as the alerts, on a thread of its own: the newest state wins, a slow disk holds nobody up.

use crate::{engine::input::Input, store::error::StoreError};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
};
use tokio::sync::mpsc::Sender;

struct Slot<T> {
    next: Option<Arc<T>>,
    closed: bool,
}

/// What is kept: its name, and how it is put into a file.
pub struct What<T> {
    /// In the words of a problem, such as `alerts on disk`.
    pub name: &'static str,
    /// Puts it there, whole.
    pub save: fn(&Path, &T) -> Result<(), StoreError>,
}

/// The writer.
pub struct Keeper<T> {
    slot: Arc<(Mutex<Slot<T>>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + Sync + 'static> Keeper<T> {
    /// Starts the thread; without a file nothing is kept.
    pub fn start(what: What<T>, file: Option<PathBuf>, out: &Sender<Vec<Input>>) -> io::Result<Keeper<T>> {
        let slot = Arc::new((Mutex::new(Slot { next: None, closed: false }), Condvar::new()));
        let (mine, out) = (slot.clone(), out.clone());
        let write = move |path: PathBuf| {
            let mut failed = false;
            while let Some(kept) = next(&mine) {
                let error = (what.save)(&path, &kept).err().map(|e| e.to_string());
                if error.is_some() || failed {
                    failed = error.is_some();
                    // Full or closed: the loop must not be waited for, for it may be waiting for us; the next save says it again.
                    let _unheard = out.try_send(vec![Input::Notified { target: what.name.into(), error }]);
                }
            }
        };
        let thread = match file {
            Some(path) => Some(thread::Builder::new().name("trimtab-keeper".into()).spawn(move || write(path))?),
            None => None,
        };
        Ok(Keeper { slot, thread })
    }

    /// Keeps this instead of what was given before.
    pub fn keep(&self, kept: Arc<T>) {
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
            log::error!("a thread that keeps what is known on disk ended in a panic");
        }
    }
}

/// The next state to write; `None` when there will be no more.
fn next<T>(slot: &(Mutex<Slot<T>>, Condvar)) -> Option<Arc<T>> {
    let (slot, filled) = slot;
    let guard = slot.lock().unwrap_or_else(PoisonError::into_inner);
    let mut guard = filled.wait_while(guard, |slot| slot.next.is_none() && !slot.closed).unwrap_or_else(PoisonError::into_inner);
    guard.next.take()
}
