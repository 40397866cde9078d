//! Handles that are kept open between sweeps, within a bound, and the buffers that all reads share.

use crate::{
    host::host::{Handle, Host, Touch},
    model::knob::Place,
};

/// How many handles may be kept, and shared buffers.
pub struct Handles {
    free: usize,
    /// What was read last.
    pub buffer: Vec<u8>,
    /// What was listed last.
    pub names: Vec<String>,
}

/// A file of a process: read through a handle while the process is busy, opened each time otherwise. A kept handle holds a descriptor
/// of ours and a page of the kernel's memory.
#[derive(Default)]
pub struct File(Option<Box<dyn Handle>>);

impl Handles {
    /// At most `most` handles.
    pub fn new(most: usize) -> Handles {
        Handles { free: most, buffer: Vec::new(), names: Vec::new() }
    }

    /// Reads a file into the buffer; keeps its handle if `keep` and there is room.
    pub fn read(&mut self, host: &dyn Host, file: &mut File, wanted: &Wanted) -> Touch<()> {
        if let Some(handle) = &file.0 {
            let done = handle.read(&mut self.buffer);
            if done.is_err() {
                self.drop(file);
            }
            return done;
        }
        let place = wanted.place();
        if !wanted.keep || self.free == 0 {
            return host.read(&place, &mut self.buffer);
        }
        let handle = host.open(&place)?;
        handle.read(&mut self.buffer)?;
        self.free -= 1;
        file.0 = Some(handle);
        Ok(())
    }

    /// Lets a handle go.
    pub fn drop(&mut self, file: &mut File) {
        if file.0.take().is_some() {
            self.free += 1;
        }
    }
}

/// Which file of a process, and whether to keep its handle.
pub struct Wanted {
    /// Whose.
    pub pid: u32,
    /// Of one of its threads, below `task/TID`.
    pub thread: Option<u32>,
    /// Name below `/proc/PID`.
    pub name: &'static str,
    /// Worth a handle.
    pub keep: bool,
}

impl Wanted {
    fn place(&self) -> Place {
        let Wanted { pid, name, .. } = self;
        Place::proc(match self.thread {
            Some(tid) => format!("{pid}/task/{tid}/{name}"),
            None => format!("{pid}/{name}"),
        })
    }
}
