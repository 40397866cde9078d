//! The chain of the journal: each record's hash covers the one before, so that a changed, missing or reordered record shows itself.

use crate::model::change::Entry;
use rusqlite::{Connection, Row};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Version of the journal's form. A journal of a higher one is refused, not repaired.
pub const FORMAT: i64 = 1;

/// What the first record builds on.
pub(super) const ROOT: [u8; 32] = [0; 32];

/// The table of records, and the header: the format, and number and hash of the newest record, so that a lost tail shows too.
pub(super) const SCHEMA: &str = "
    CREATE TABLE header (one INTEGER PRIMARY KEY CHECK (one = 1), format INTEGER NOT NULL, newest INTEGER NOT NULL, hash BLOB NOT NULL);
    CREATE TABLE entries (number INTEGER PRIMARY KEY, change INTEGER NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL);
    CREATE INDEX by_change ON entries (change);";

/// The hash of a record.
pub(super) fn link(previous: &[u8], body: &str) -> [u8; 32] {
    Sha256::new().chain_update(previous).chain_update(body).finalize().into()
}

/// SHA-256 of a text in hexadecimal: how an approval names the plan that was shown.
pub fn digest(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _never_fails = write!(hex, "{byte:02x}");
        hex
    })
}

/// The header row.
pub(super) struct Header {
    pub(super) format: i64,
    pub(super) newest: u64,
    pub(super) hash: Vec<u8>,
}

pub(super) fn header(connection: &Connection) -> rusqlite::Result<Header> {
    connection.query_row("SELECT format, newest, hash FROM header", [], |row| {
        Ok(Header { format: row.get(0)?, newest: row.get(1)?, hash: row.get(2)? })
    })
}

/// A record that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// Its number; all before it are whole.
    pub record: u64,
    /// What is wrong with it.
    pub why: String,
}

/// What a walk along the chain saw.
pub(super) struct Walk {
    /// The entries up to the first break.
    pub(super) entries: Vec<(u64, Entry)>,
    /// The break, if there is one.
    pub(super) broken: Option<Break>,
}

/// Reads and proves the whole chain, as it stood at one moment: another process may append meanwhile. `Err` when the machine would not let
/// it be read, which says nothing about the chain.
pub(super) fn walk(connection: &Connection) -> rusqlite::Result<Walk> {
    let moment = connection.unchecked_transaction()?;
    let mut entries = Vec::new();
    let mut hash = ROOT.to_vec();
    let broken = match follow(&moment, &mut entries, &mut hash).and_then(|()| tail(&moment, entries.len() as u64, &hash)) {
        Ok(()) => None,
        Err(Stop::Broken(broken)) => Some(broken),
        Err(Stop::Failed(error)) => return Err(error),
    };
    Ok(Walk { entries, broken })
}

/// Why a walk ends before the end.
enum Stop {
    Broken(Break),
    Failed(rusqlite::Error),
}

impl Stop {
    fn broken(record: u64, why: impl Into<String>) -> Stop {
        Stop::Broken(Break { record, why: why.into() })
    }

    /// An error while record `at` was read: what the machine could not do is no damage.
    fn reading(at: u64, error: rusqlite::Error) -> Stop {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(
                Code::DatabaseBusy
                | Code::DatabaseLocked
                | Code::OutOfMemory
                | Code::OperationInterrupted
                | Code::SystemIoFailure
                | Code::CannotOpen
                | Code::PermissionDenied
                | Code::DiskFull
                | Code::ReadOnly
                | Code::FileLockingProtocolFailed,
            ) => Stop::Failed(error),
            _ => Stop::broken(at, format!("cannot be read: {error}")),
        }
    }
}

fn follow(connection: &Connection, entries: &mut Vec<(u64, Entry)>, hash: &mut Vec<u8>) -> Result<(), Stop> {
    let all = "SELECT number, change, body, hash FROM entries ORDER BY number";
    let mut query = connection.prepare(all).map_err(|e| Stop::reading(1, e))?;
    let mut rows = query.query([]).map_err(|e| Stop::reading(1, e))?;
    loop {
        let number = entries.len() as u64 + 1;
        let Some(row) = rows.next().map_err(|e| Stop::reading(number, e))? else { return Ok(()) };
        let entry = check(row, number, hash)?;
        entries.push((number, entry));
    }
}

/// One record against its place in the chain; `hash` moves on to it.
fn check(row: &Row<'_>, number: u64, hash: &mut Vec<u8>) -> Result<Entry, Stop> {
    let read = || -> rusqlite::Result<(u64, u64, String, Vec<u8>)> { Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)) };
    let (found, change, body, written) = read().map_err(|e| Stop::reading(number, e))?;
    if found != number {
        return Err(Stop::broken(number, format!("missing: record {found} follows record {}", number - 1)));
    }
    let right = link(hash, &body);
    if written != right {
        return Err(Stop::broken(number, "its hash does not follow from its text and the record before"));
    }
    let entry: Entry = serde_json::from_str(&body).map_err(|e| Stop::broken(number, format!("not understood: {e}")))?;
    if entry.change.0 != change {
        return Err(Stop::broken(number, format!("filed under change {change}, but it is about {}", entry.change)));
    }
    *hash = right.to_vec();
    Ok(entry)
}

/// Whether the newest record is the one that the header names.
fn tail(connection: &Connection, newest: u64, hash: &[u8]) -> Result<(), Stop> {
    let next = newest + 1;
    match header(connection) {
        Ok(header) if header.newest == newest && header.hash == hash => Ok(()),
        Ok(header) => Err(Stop::broken(next, format!("the newest records are missing: there were {}", header.newest))),
        Err(rusqlite::Error::QueryReturnedNoRows) => Err(Stop::broken(next, "the header is missing")),
        Err(e) => Err(Stop::reading(next, e)),
    }
}
