//! One engine per state directory: a file under `flock(2)`, which the kernel lets go when its holder ends, however it ends.

use crate::store::error::{StoreError, Trouble};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

/// The lock, held as long as this lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a state directory, which is made (for its owner alone) where it is missing. When another engine holds it, the
    /// error names its pid.
    pub fn take(directory: &Path) -> Result<Lock, StoreError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|e| StoreError::io(directory, "make the directory", &e))?;
        let path = directory.join("engine.lock");
        let failed = |tried: &str, e: &std::io::Error| StoreError::io(&path, tried, e);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|e| failed("open", &e))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(held(directory, file)),
            Err(e) => return Err(failed("lock", &e.into())),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(|e| failed("write", &e))?;
        write!(file, "{}", std::process::id()).map_err(|e| failed("write", &e))?;
        Ok(Lock { _file: file })
    }
}

fn held(directory: &Path, mut file: File) -> StoreError {
    let mut pid = String::new();
    let by = match file.read_to_string(&mut pid) {
        Ok(_) if !pid.is_empty() => format!("another trimtab engine (pid {pid}) runs on this directory"),
        _ => "another trimtab engine runs on this directory".into(),
    };
    StoreError::plain(directory, Trouble::Held, by)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_second_engine_is_told_who_holds_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let first = Lock::take(&state).unwrap();
        let refused = Lock::take(&state).unwrap_err();
        assert_eq!(refused.trouble, Trouble::Held);
        assert!(refused.to_string().contains(&format!("pid {}", std::process::id())), "{refused}");
        drop(first);
        Lock::take(&state).unwrap();
    }
}
