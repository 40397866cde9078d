//! The journal's reserve: a file beside it whose blocks are taken while there is room (fallocate(2)), and given back at the moment at
//! which the disk is full, so that what is done about it can still be written down.
//!
//! It is the engine that makes it; whoever appends may let go of it, the guard as well. It is made anew once there is room again.

use rustix::fs::{FallocateFlags, fallocate};
use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Bytes kept: some hundred entries with their pages, twice (log and database).
const ROOM: u64 = 2 << 20;

/// Its name beside the journal's.
const SUFFIX: &str = "-reserve";

/// The reserve of one journal.
#[derive(Clone, Debug)]
pub struct Reserve {
    path: PathBuf,
}

impl Reserve {
    /// Of the journal at that path.
    pub fn of(journal: &Path) -> Reserve {
        let mut name = journal.as_os_str().to_owned();
        name.push(SUFFIX);
        Reserve { path: name.into() }
    }

    /// Takes the blocks, unless they are there.
    pub fn fill(&self) -> io::Result<()> {
        if self.held() >= ROOM {
            return Ok(());
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path)?;
        if let Err(e) = fallocate(&file, FallocateFlags::empty(), 0, ROOM) {
            // A half-taken reserve would only eat what is left.
            let _first_error_counts = file.set_len(0);
            return Err(e.into());
        }
        Ok(())
    }

    /// Gives the blocks back; true when there were any.
    pub fn release(&self) -> bool {
        let held = self.held();
        held > 0 && OpenOptions::new().write(true).open(&self.path).and_then(|file| file.set_len(0)).is_ok()
    }

    /// Bytes of disk that it holds now.
    pub fn held(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |meta| meta.blocks() * 512)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_real_blocks_and_gives_them_back_once() {
        let directory = tempfile::tempdir().unwrap();
        let reserve = Reserve::of(&directory.path().join("journal.db"));
        assert!(!reserve.release());
        reserve.fill().unwrap();
        assert!(reserve.held() >= ROOM);
        reserve.fill().unwrap();
        assert!(reserve.release());
        assert_eq!(reserve.held(), 0);
        assert!(!reserve.release());
    }
}
