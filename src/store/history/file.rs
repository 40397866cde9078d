//! The file: an SQLite database of its own, beside the journal and never in it, so that nothing that befalls it touches a change.
//!
//! Write-ahead log, `synchronous=NORMAL`: a commit is a write without a sync, so that the end of the process loses nothing, and that of
//! the machine at most what the log had since its last checkpoint.

use crate::store::{
    error::{StoreError, Trouble},
    repair::beside,
};
use rusqlite::{Connection, OpenFlags};
use std::{
    fs::{self, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// Its name in the state directory.
pub const FILE: &str = "history.db";

/// Version of the tables. A file of a higher one is left alone.
pub const FORMAT: i64 = 1;

/// What makes a database ours: `TrTb`.
const OURS: i64 = 0x5472_5462;

/// Pages of the write-ahead log after which it is worked into the file: a megabyte.
const LOG_PAGES: i64 = 256;

/// How long to wait for another process; a commit takes a fraction of a millisecond.
const PATIENCE: Duration = Duration::from_millis(500);

const SCHEMA: &str = "
    CREATE TABLE header (one INTEGER PRIMARY KEY CHECK (one = 1), format INTEGER NOT NULL);
    CREATE TABLE blocks (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, period INTEGER NOT NULL, first INTEGER NOT NULL,
        last INTEGER NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE INDEX by_time ON blocks (kind, period, first, last, size);
    CREATE TABLE open (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, period INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE TABLE marks (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind INTEGER NOT NULL, entry INTEGER, body BLOB NOT NULL);
    CREATE INDEX marks_by_time ON marks (at);
    CREATE UNIQUE INDEX marks_by_entry ON marks (entry);
    INSERT INTO header VALUES (1, 1);";

/// A file to write to.
#[derive(Debug)]
pub struct Opened {
    /// The database.
    pub connection: Connection,
    /// A damaged file that stood there: where it is now, and what was wrong with it.
    pub aside: Option<(PathBuf, String)>,
}

/// Opens the history for its one writer; makes it where there is none. A file that cannot be used is kept under a name with `stamp` in
/// it.
pub fn open(path: &Path, stamp: i64) -> Result<Opened, StoreError> {
    if !path.exists() {
        return Ok(Opened { connection: create(path)?, aside: None });
    }
    match join(path).and_then(|connection| tune(path, connection)) {
        Ok(connection) => Ok(Opened { connection, aside: None }),
        Err(e) if e.trouble == Trouble::Damaged => {
            let kept = set_aside(path, stamp)?;
            Ok(Opened { connection: create(path)?, aside: Some((kept, e.why)) })
        }
        Err(e) => Err(e),
    }
}

/// Makes a new file; never over another one.
pub fn create(path: &Path) -> Result<Connection, StoreError> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|e| StoreError::io(path, "make", &e))?;
    let sql = |e: rusqlite::Error| StoreError::sql(path, "make", &e);
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(sql)?;
    connection.execute_batch(&format!("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = {OURS};")).map_err(sql)?;
    connection.execute_batch(&format!("BEGIN; {SCHEMA} COMMIT;")).map_err(sql)?;
    tune(path, connection)
}

fn tune(path: &Path, connection: Connection) -> Result<Connection, StoreError> {
    let sql = |e: rusqlite::Error| StoreError::sql(path, "open", &e);
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).map_err(sql)?;
    let pragmas = format!(
        "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = {LOG_PAGES}; PRAGMA journal_size_limit = {}; PRAGMA cache_size = -1024;",
        LOG_PAGES * 4096
    );
    connection.execute_batch(&pragmas).map_err(sql)?;
    Ok(connection)
}

fn join(path: &Path) -> Result<Connection, StoreError> {
    let sql = |e: rusqlite::Error| StoreError::sql(path, "open", &e);
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(sql)?;
    connection.busy_timeout(PATIENCE).map_err(sql)?;
    check(path, &connection)?;
    Ok(connection)
}

/// Opens a history to read, beside its writer or on another machine.
pub fn look(path: &Path) -> Result<Connection, StoreError> {
    fs::metadata(path).map_err(|e| StoreError::io(path, "open", &e))?;
    let open = |name: &Path, more: OpenFlags| {
        let sql = |e: rusqlite::Error| StoreError::sql(path, "open", &e);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
        let connection = Connection::open_with_flags(name, flags).map_err(sql)?;
        connection.busy_timeout(PATIENCE).map_err(sql)?;
        connection.execute_batch("PRAGMA cache_size = -4096").map_err(sql)?;
        check(path, &connection)?;
        Ok(connection)
    };
    open(path, OpenFlags::empty()).or_else(|e: StoreError| {
        // In a directory that cannot be written there is nobody who writes either; a name with a question mark would not be a name then.
        let name = path.to_str().filter(|name| !name.contains(['?', '#', '%'])).map(|name| format!("file:{name}?immutable=1"));
        match name {
            Some(name) if e.trouble == Trouble::Rights || e.trouble == Trouble::ReadOnly => {
                open(Path::new(&name), OpenFlags::SQLITE_OPEN_URI)
            }
            _ => Err(e),
        }
    })
}

/// Is it ours, and of a version that we know?
fn check(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    let sql = |e: rusqlite::Error| StoreError::sql(path, "read", &e);
    let id: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(sql)?;
    if id != OURS {
        return Err(StoreError::plain(path, Trouble::Damaged, "this is no history of trimtab"));
    }
    let header = connection.query_row("SELECT format FROM header", [], |row| row.get::<_, i64>(0));
    match header {
        Ok(format) if format > FORMAT => {
            let why = format!("it has form {format}, this trimtab knows {FORMAT}");
            return Err(StoreError::plain(path, Trouble::Newer, why));
        }
        Ok(_) => {}
        Err(e) => return Err(StoreError::plain(path, Trouble::Damaged, format!("its header cannot be read: {e}"))),
    }
    // Every query goes through these; what one of them cannot find is lost whatever else is whole.
    for walk in
        ["SELECT count(*), max(last) FROM blocks INDEXED BY by_time", "SELECT count(*) FROM marks", "SELECT count(*) FROM open"]
    {
        if let Err(e) = connection.query_row(walk, [], |_| Ok(())) {
            let error = StoreError::sql(path, "read", &e);
            let damaged = !matches!(error.trouble, Trouble::Busy | Trouble::Rights | Trouble::Full | Trouble::ReadOnly);
            return Err(if damaged { StoreError { trouble: Trouble::Damaged, ..error } } else { error });
        }
    }
    Ok(())
}

/// Renames file and log, so that nothing is lost and a new one can be begun.
fn set_aside(path: &Path, stamp: i64) -> Result<PathBuf, StoreError> {
    let kept = (0..)
        .map(|n: u32| beside(path, &if n == 0 { format!(".damaged-{stamp}") } else { format!(".damaged-{stamp}-{n}") }))
        .find(|name| !name.exists());
    let kept = kept.unwrap_or_else(|| beside(path, ".damaged"));
    for suffix in ["-wal", "-shm", ""] {
        match fs::rename(beside(path, suffix), beside(&kept, suffix)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(StoreError::io(path, "set aside", &e)),
            _ => {}
        }
    }
    Ok(kept)
}
