//! The one error of the store: which file, what happened, and what a person can do about it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Kinds of trouble, each with its own advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No space left.
    Full,
    /// A file system or file that cannot be written.
    ReadOnly,
    /// Missing rights.
    Rights,
    /// Another process holds it for too long.
    Busy,
    /// Not what was written.
    Damaged,
    /// Written by a newer trimtab.
    Newer,
    /// Another engine runs on this state directory.
    Held,
    /// Not there.
    Absent,
    /// Anything else.
    Other,
}

impl Trouble {
    fn advice(self) -> &'static str {
        match self {
            Trouble::Full => "free some space there",
            Trouble::ReadOnly => "mount it writable, or choose another directory with --state",
            Trouble::Rights => "start as its owner, or choose another directory with --state",
            Trouble::Busy => "look for a stopped trimtab process",
            Trouble::Damaged => "restart trimtab: it keeps the damaged file aside",
            Trouble::Newer => "start the newer trimtab, or choose another directory with --state",
            Trouble::Held => "attach to it by starting `trimtab` without a verb, or choose another directory with --state",
            Trouble::Absent => "name the right directory with --state",
            Trouble::Other => "look at the kernel's log",
        }
    }
}

/// What the store could not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// The file or directory.
    pub file: PathBuf,
    /// What kind.
    pub trouble: Trouble,
    /// What was tried and what was answered.
    pub why: String,
}

impl StoreError {
    /// An error of a database call.
    pub fn sql(file: &Path, tried: &str, source: &rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode as Code;
        let trouble = match source.sqlite_error_code() {
            Some(Code::DiskFull) => Trouble::Full,
            Some(Code::ReadOnly) => Trouble::ReadOnly,
            Some(Code::PermissionDenied | Code::AuthorizationForStatementDenied | Code::CannotOpen) => Trouble::Rights,
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => Trouble::Busy,
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => Trouble::Damaged,
            _ => Trouble::Other,
        };
        StoreError { file: file.into(), trouble, why: format!("{tried}: {source}") }
    }

    /// An error of a file call.
    pub fn io(file: &Path, tried: &str, source: &io::Error) -> StoreError {
        let trouble = match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Trouble::Full,
            io::ErrorKind::ReadOnlyFilesystem => Trouble::ReadOnly,
            io::ErrorKind::NotFound => Trouble::Absent,
            io::ErrorKind::PermissionDenied => Trouble::Rights,
            _ => Trouble::Other,
        };
        StoreError { file: file.into(), trouble, why: format!("{tried}: {source}") }
    }

    /// An error that no call gave.
    pub fn plain(file: &Path, trouble: Trouble, why: impl Into<String>) -> StoreError {
        StoreError { file: file.into(), trouble, why: why.into() }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.file.display(), self.why, self.trouble.advice())
    }
}

impl std::error::Error for StoreError {}
