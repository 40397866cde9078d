//! A file that is read again and again: its handle is kept, since opening costs more than reading.

use crate::{
    host::host::{Handle, Host, Touch},
    model::knob::Place,
};

/// A file with its handle, opened at the first read and again after a failure.
pub struct Kept {
    place: Place,
    handle: Option<Box<dyn Handle>>,
}

impl Kept {
    /// The file, not yet opened.
    pub fn new(place: Place) -> Kept {
        Kept { place, handle: None }
    }

    /// Which file.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Replaces the content of `into` with the whole file.
    pub fn read(&mut self, host: &dyn Host, into: &mut Vec<u8>) -> Touch<()> {
        let handle = match self.handle.take() {
            Some(handle) => handle,
            None => host.open(&self.place)?,
        };
        handle.read(into)?;
        self.handle = Some(handle);
        Ok(())
    }
}
