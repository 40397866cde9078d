//! Where a journal lies: the few touches of files that SQLite does not make itself, and which layer SQLite makes its own through.
//!
//! On a machine it is the file system ([`OnDisk`]). The simulator puts a disk in its place that loses what was not synced
//! (`tests/sim`), so that every fsync of the journal is one that a test misses when it is taken out.

use rusqlite::{Connection, OpenFlags};
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// A disk with files.
pub trait Disk {
    /// The name of SQLite's layer (VFS) for it; `None` is the system's own.
    fn layer(&self) -> Option<&'static str>;

    /// Bytes of a file.
    fn size(&self, file: &Path) -> io::Result<u64>;

    /// Makes an empty file, for its owner alone, where there is none.
    fn make(&self, file: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, file: &Path) -> io::Result<()>;

    /// Copies a file; the copy's content is durable when it returns.
    fn copy(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file the name of another one, in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;
}

/// Opens a database on that disk.
pub(super) fn connect(disk: &dyn Disk, path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    match disk.layer() {
        None => Connection::open_with_flags(path, flags),
        Some(layer) => Connection::open_with_flags_and_vfs(path, flags, layer),
    }
}

/// The machine's own file systems.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnDisk;

impl Disk for OnDisk {
    fn layer(&self) -> Option<&'static str> {
        None
    }

    fn size(&self, file: &Path) -> io::Result<u64> {
        fs::metadata(file).map(|m| m.len())
    }

    fn make(&self, file: &Path) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map(drop)
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        fs::remove_file(file)
    }

    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::copy(from, to).and_then(|_| File::open(to)?.sync_all())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        File::open(directory).and_then(|d| d.sync_all())
    }
}
