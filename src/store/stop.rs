//! The stop file: while it is there, nothing new is applied (`reference/safety.md`, 13). Anybody who may write in its directory can put
//! it there, with or without a running engine: `touch` is enough.

use crate::store::error::StoreError;
use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

/// Its name in the runtime directory.
pub const FILE: &str = "STOP";

/// Whether it is there. Where that cannot be told it counts as there.
pub fn stands(path: &Path) -> bool {
    match fs::symlink_metadata(path) {
        Ok(_) => true,
        Err(e) => !matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

/// Puts it there, with the name of who did; one that is there stays as it is.
pub fn raise(path: &Path, who: &str) -> Result<(), StoreError> {
    let failed = |e: std::io::Error| StoreError::io(path, "create", &e);
    if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
        DirBuilder::new().mode(0o700).create(directory).map_err(failed)?;
    }
    // Never through a link, and never over another file.
    match OpenOptions::new().write(true).create_new(true).mode(0o644).open(path) {
        // The file counts, not what is in it.
        Ok(mut file) => file.write_all(format!("{who}\n").as_bytes()).or(Ok(())),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(failed(e)),
    }
}

/// Takes it away; none there is fine.
pub fn lower(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(e) if !matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Err(StoreError::io(path, "remove", &e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_is_put_there_and_taken_away_any_number_of_times() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run").join(FILE);
        assert!(!stands(&path));
        for _ in 0..2 {
            raise(&path, "ann").unwrap();
            assert!(stands(&path));
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "ann\n");
        for _ in 0..2 {
            lower(&path).unwrap();
            assert!(!stands(&path));
        }
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        assert!(stands(&path), "a link that leads nowhere is one, too");
        assert!(!stands(&dir.path().join("run").join(FILE).join("below")), "no directory, no file");
    }
}
