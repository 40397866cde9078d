//! The journal: what was done to the machine, in order, durable before it is done.
//!
//! SQLite in a file of its own, write-ahead log, `synchronous=FULL`: an append is on the disk when it returns. Engine and guard hold it
//! open at once; what one of them decides on, it appends only if the other has not moved the change meanwhile
//! ([`Journal::append_if`]), so that a change is kept or rolled back, never both. A failed append leaves nothing behind, and a later one
//! writes its pages anew, so that a failed fsync is never taken for a good one.

use crate::{
    model::{
        change::{ChangeId, Entry},
        time::Now,
    },
    store::{
        chain::{self, Break, Walk},
        disk::{self, Disk, OnDisk},
        error::{StoreError, Trouble},
        proof::Anchor,
        repair::{self, Damage},
        reserve::Reserve,
    },
};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Params, TransactionBehavior};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Its name in the state directory.
pub const FILE: &str = "journal.db";

/// How long an append waits for the other process; a commit takes milliseconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    connection: Connection,
    path: PathBuf,
    reserve: Reserve,
}

/// A journal with what stood in it.
#[derive(Debug)]
pub struct Opened {
    /// The journal.
    pub journal: Journal,
    /// Every entry, oldest first, its chain proved.
    pub entries: Vec<(u64, Entry)>,
    /// What was wrong with the file, if anything was.
    pub damage: Option<Damage>,
}

impl Journal {
    /// Opens the journal for the engine, which holds the [`crate::store::lock::Lock`]: makes it where there is none, proves the whole
    /// chain, and replaces a damaged file by its valid part.
    pub fn open(path: &Path, now: Now) -> Result<Opened, StoreError> {
        Self::open_on(&OnDisk, path, now)
    }

    /// The same on another disk.
    pub fn open_on(disk: &dyn Disk, path: &Path, now: Now) -> Result<Opened, StoreError> {
        let log = disk.size(&repair::beside(path, "-wal")).is_ok_and(|bytes| bytes > 0);
        if disk.size(path).is_err() && !log {
            repair::create(disk, path, None)?;
        }
        let (old, broken) = match Self::walk(disk, path) {
            Ok((journal, Walk { entries, broken: None })) => return Ok(Opened { journal, entries, damage: None }),
            Ok((journal, Walk { broken: Some(broken), .. })) => (Some(journal), broken),
            Err(e) if e.trouble == Trouble::Damaged => (None, Break { record: 1, why: e.why }),
            Err(e) => return Err(e),
        };
        let damage = repair::repair(disk, path, old.as_ref().map(|j| &j.connection), (broken, now.wall))?;
        drop(old);
        match Self::walk(disk, path)? {
            (journal, Walk { entries, broken: None }) => Ok(Opened { journal, entries, damage: Some(damage) }),
            (journal, Walk { broken: Some(again), .. }) => Err(journal.broken(&again)),
        }
    }

    /// Opens a journal that another process has made and proved: for the guard, and for reading beside an engine.
    pub fn join(path: &Path) -> Result<Journal, StoreError> {
        Self::join_on(&OnDisk, path)
    }

    /// The same on another disk.
    pub fn join_on(disk: &dyn Disk, path: &Path) -> Result<Journal, StoreError> {
        if disk.size(path).map_err(|e| StoreError::io(path, "open", &e))? == 0 {
            return Err(StoreError::plain(path, Trouble::Damaged, "the file is empty"));
        }
        let sql = |e: rusqlite::Error| StoreError::sql(path, "open", &e);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = disk::connect(disk, path, flags).map_err(sql)?;
        connection.busy_timeout(PATIENCE).map_err(sql)?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).map_err(sql)?;
        connection.execute_batch("PRAGMA synchronous = FULL").map_err(sql)?;
        let journal = Journal { connection, path: path.into(), reserve: Reserve::of(path) };
        match chain::header(&journal.connection) {
            Ok(header) if header.format > chain::FORMAT => Err(StoreError::plain(
                path,
                Trouble::Newer,
                format!("it has form {}, this trimtab knows {}", header.format, chain::FORMAT),
            )),
            // A missing header or table is damage like a broken page; whoever proves the chain says where.
            _ => Ok(journal),
        }
    }

    fn walk(disk: &dyn Disk, path: &Path) -> Result<(Journal, Walk), StoreError> {
        if disk.size(path).is_err() {
            return Err(StoreError::plain(path, Trouble::Damaged, "the file is gone, but its write-ahead log is not"));
        }
        let journal = Self::join_on(disk, path)?;
        let walk = journal.proved()?;
        Ok((journal, walk))
    }

    /// The whole chain as of one moment: a guard that an engine left behind may be appending.
    fn proved(&self) -> Result<Walk, StoreError> {
        chain::walk(&self.connection).map_err(|e| self.failed("read", &e))
    }

    /// Proves the whole chain again; the number of records.
    pub fn verify(&self) -> Result<u64, StoreError> {
        match self.proved()? {
            Walk { entries, broken: None } => Ok(entries.len() as u64),
            Walk { broken: Some(broken), .. } => Err(self.broken(&broken)),
        }
    }

    /// Appends all of the entries or none; their numbers. They are on the disk when it returns.
    pub fn append(&mut self, entries: &[Entry]) -> Result<Vec<u64>, StoreError> {
        Ok(self.write(entries, None)?.unwrap_or_default())
    }

    /// Appends all of the entries, unless an entry of this change is newer than `newest_seen`: then somebody else has moved it, and the
    /// answer is `None`.
    pub fn append_if(&mut self, change: ChangeId, newest_seen: u64, entries: &[Entry]) -> Result<Option<Vec<u64>>, StoreError> {
        self.write(entries, Some((change, newest_seen)))
    }

    /// Appends like [`Journal::append_if`] (unconditionally without a change), but does not wait for the disk: what is written survives the
    /// end of this process, not that of the machine. For deeds that a reboot undoes anyway, when there is no time; the next ordinary append
    /// brings them to the disk with itself.
    pub fn append_swiftly(&mut self, unless: Option<(ChangeId, u64)>, entries: &[Entry]) -> Result<Option<Vec<u64>>, StoreError> {
        self.connection.execute_batch("PRAGMA synchronous = NORMAL").map_err(|e| self.failed("write", &e))?;
        let written = self.write(entries, unless);
        self.connection.execute_batch("PRAGMA synchronous = FULL").map_err(|e| self.failed("write", &e))?;
        written
    }

    /// Takes room on the disk for the day on which there is none.
    pub fn fill_reserve(&self) -> Result<(), StoreError> {
        self.reserve.fill().map_err(|e| StoreError::io(&self.path, "keep a reserve for", &e))
    }

    /// Writes; on a full disk the reserve is given back, and it is tried once more.
    fn write(&mut self, entries: &[Entry], unless: Option<(ChangeId, u64)>) -> Result<Option<Vec<u64>>, StoreError> {
        match self.try_write(entries, unless) {
            Err(e) if e.trouble == Trouble::Full && self.reserve.release() => self.try_write(entries, unless),
            written => written,
        }
    }

    fn try_write(&mut self, entries: &[Entry], unless: Option<(ChangeId, u64)>) -> Result<Option<Vec<u64>>, StoreError> {
        let path = &self.path;
        let sql = |e: rusqlite::Error| StoreError::sql(path, "write", &e);
        let bodies = entries.iter().map(|entry| body(path, entry)).collect::<Result<Vec<_>, _>>()?;
        let whole = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
        if let Some((change, seen)) = unless {
            let newer = "SELECT 1 FROM entries WHERE change = ?1 AND number > ?2";
            if whole.query_row(newer, (change.0, seen), |_| Ok(())).optional().map_err(sql)?.is_some() {
                return Ok(None);
            }
        }
        let mut head = chain::header(&whole).map_err(sql)?;
        let mut numbers = Vec::with_capacity(entries.len());
        for (entry, body) in entries.iter().zip(&bodies) {
            head.newest += 1;
            head.hash = chain::link(&head.hash, body).to_vec();
            let row = (head.newest, entry.change.0, body, &head.hash);
            whole.execute("INSERT INTO entries VALUES (?1, ?2, ?3, ?4)", row).map_err(sql)?;
            numbers.push(head.newest);
        }
        whole.execute("UPDATE header SET newest = ?1, hash = ?2", (head.newest, head.hash)).map_err(sql)?;
        whole.commit().map_err(sql)?;
        Ok(Some(numbers))
    }

    /// The entries after that number, oldest first.
    pub fn since(&self, number: u64) -> Result<Vec<(u64, Entry)>, StoreError> {
        self.read("SELECT number, body FROM entries WHERE number > ?1 ORDER BY number", [number])
    }

    /// The entries of one change, oldest first.
    pub fn of(&self, change: ChangeId) -> Result<Vec<(u64, Entry)>, StoreError> {
        self.read("SELECT number, body FROM entries WHERE change = ?1 ORDER BY number", [change.0])
    }

    /// The newest `most` entries, oldest first.
    pub fn newest(&self, most: usize) -> Result<Vec<(u64, Entry)>, StoreError> {
        let most = u64::try_from(most).unwrap_or(u64::MAX).min(i64::MAX.unsigned_abs());
        let query = "SELECT number, body FROM (SELECT number, body FROM entries ORDER BY number DESC LIMIT ?1) ORDER BY number";
        self.read(query, [most])
    }

    /// Number and hash of the newest record: written down elsewhere, it shows later whether this journal was rewritten.
    pub fn anchor(&self) -> Result<Anchor, StoreError> {
        let head = chain::header(&self.connection).map_err(|e| self.failed("read", &e))?;
        Ok(Anchor::of(head.newest, &head.hash))
    }

    /// A number that moves when another process has written: the cheap question before [`Journal::since`].
    pub fn stamp(&self) -> Result<i64, StoreError> {
        self.connection.query_row("PRAGMA data_version", [], |row| row.get(0)).map_err(|e| self.failed("read", &e))
    }

    fn read(&self, query: &str, about: impl Params) -> Result<Vec<(u64, Entry)>, StoreError> {
        let sql = |e: rusqlite::Error| self.failed("read", &e);
        let mut query = self.connection.prepare(query).map_err(sql)?;
        let mut rows = query.query(about).map_err(sql)?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next().map_err(sql)? {
            let (number, body): (u64, String) = row.get(0).and_then(|n| Ok((n, row.get(1)?))).map_err(sql)?;
            let entry = serde_json::from_str(&body)
                .map_err(|e| StoreError::plain(&self.path, Trouble::Damaged, format!("record {number} is not understood: {e}")))?;
            entries.push((number, entry));
        }
        Ok(entries)
    }

    fn broken(&self, broken: &Break) -> StoreError {
        StoreError::plain(&self.path, Trouble::Damaged, format!("record {}: {}", broken.record, broken.why))
    }

    fn failed(&self, tried: &str, source: &rusqlite::Error) -> StoreError {
        StoreError::sql(&self.path, tried, source)
    }
}

/// An entry as text that is proved to read back: a number that JSON does not know (such as an infinity) must not pass for damage later.
fn body(path: &Path, entry: &Entry) -> Result<String, StoreError> {
    let refused = |e: serde_json::Error| {
        StoreError::plain(path, Trouble::Other, format!("{} {} cannot be written down: {e}", entry.change, entry.deed.words()))
    };
    let body = serde_json::to_string(entry).map_err(refused)?;
    serde_json::from_str::<Entry>(&body).map_err(refused)?;
    Ok(body)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{
        change::{Deed, Who},
        time::{Tick, Wall},
        verdict::{Outcome, Verdict},
    };
    use std::{
        fs::{self, OpenOptions},
        io::Write,
        os::unix::fs::PermissionsExt,
    };

    const NOW: Now = Now { tick: Tick(5), wall: Wall(1_700_000_000_000) };

    fn entry(change: u64, deed: Deed) -> Entry {
        Entry { change: ChangeId(change), deed, who: Who::Engine, now: NOW, boot: "b".into() }
    }

    fn verdict(why: &str) -> Deed {
        let verdict = Verdict { outcome: Outcome::Better, effect: None, placebo: None, why: why.into(), ..Verdict::default() };
        Deed::Judged(Box::new(verdict))
    }

    struct Shelf(tempfile::TempDir);

    impl Shelf {
        fn new() -> Shelf {
            Shelf(tempfile::tempdir().unwrap())
        }
        fn path(&self) -> PathBuf {
            self.0.path().join("journal.db")
        }
        fn open(&self) -> Opened {
            Journal::open(&self.path(), NOW).unwrap()
        }
        /// A journal of ten records, closed.
        fn filled(&self) -> Vec<(u64, Entry)> {
            let mut opened = self.open();
            for n in 0..10 {
                opened.journal.append(&[entry(n % 3, verdict(&format!("for reason {n}")))]).unwrap();
            }
            opened.journal.since(0).unwrap()
        }
    }

    #[test]
    fn what_was_appended_stands_there_after_reopening() {
        let shelf = Shelf::new();
        let mut first = shelf.open();
        assert!(first.entries.is_empty() && first.damage.is_none());
        assert_eq!(first.journal.append(&[entry(1, Deed::Applied), entry(2, Deed::Kept)]).unwrap(), [1, 2]);
        assert_eq!(first.journal.append(&[]).unwrap(), [0; 0]);
        drop(first);
        let again = shelf.open();
        assert_eq!(again.entries, [(1, entry(1, Deed::Applied)), (2, entry(2, Deed::Kept))]);
        assert_eq!(again.journal.since(1).unwrap(), again.entries[1..]);
        assert_eq!(again.journal.newest(1).unwrap(), again.entries[1..]);
        assert_eq!(again.journal.of(ChangeId(1)).unwrap(), again.entries[..1]);
        assert_eq!(again.journal.verify().unwrap(), 2);
        assert_eq!(fs::metadata(shelf.path()).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn an_append_is_refused_when_another_process_moved_the_change() {
        let shelf = Shelf::new();
        let mut engine = shelf.open().journal;
        let mut guard = Journal::join(&shelf.path()).unwrap();
        engine.append(&[entry(1, Deed::Applied)]).unwrap();
        let stamp = engine.stamp().unwrap();
        assert_eq!(guard.append_if(ChangeId(1), 1, &[entry(1, Deed::RolledBack)]).unwrap(), Some(vec![2]));
        assert_ne!(engine.stamp().unwrap(), stamp);
        assert_eq!(engine.append_if(ChangeId(1), 1, &[entry(1, Deed::Kept)]).unwrap(), None);
        assert_eq!(engine.append_if(ChangeId(7), 1, &[entry(7, Deed::Kept)]).unwrap(), Some(vec![3]), "another change is free");
        assert_eq!(guard.verify().unwrap(), 3);
    }

    #[test]
    fn a_full_disk_appends_nothing_and_says_so() {
        let shelf = Shelf::new();
        let mut journal = shelf.open().journal;
        journal.append(&[entry(1, Deed::Applied)]).unwrap();
        let pages: u32 = journal.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        journal.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
        let long = "x".repeat(20_000);
        let refused = journal.append(&[entry(1, Deed::Kept), entry(1, verdict(&long))]).unwrap_err();
        assert_eq!(refused.trouble, Trouble::Full);
        assert!(refused.to_string().contains("free some space"), "{refused}");
        assert_eq!(journal.verify().unwrap(), 1, "all or none");
        journal.connection.query_row("PRAGMA max_page_count = 100000", [], |_| Ok(())).unwrap();
        assert_eq!(journal.append(&[entry(1, Deed::Kept)]).unwrap(), [2], "and goes on when there is room");
    }

    #[test]
    fn a_number_that_would_not_read_back_is_not_written() {
        let shelf = Shelf::new();
        let mut journal = shelf.open().journal;
        let mut deed = verdict("x");
        if let Deed::Judged(verdict) = &mut deed {
            verdict.effect = Some(crate::model::verdict::Effect {
                before: f64::NAN,
                after: 0.0,
                change: 0.0,
                interval: (0.0, 0.0),
                points: (0, 0),
            });
        }
        assert!(journal.append(&[entry(1, deed)]).is_err());
        assert_eq!(journal.verify().unwrap(), 0);
    }

    /// Opens after damage: the valid part goes on, the file is kept as it was, and the new journal is whole.
    fn repaired(shelf: &Shelf, record: u64, whole: &[(u64, Entry)]) -> Damage {
        let spoilt = fs::read(shelf.path()).unwrap();
        let mut opened = shelf.open();
        let damage = opened.damage.unwrap();
        assert_eq!(damage.record, record, "{damage}");
        assert_eq!(opened.entries, whole[..usize::try_from(record - 1).unwrap()]);
        assert!(fs::read(&damage.aside).unwrap() == spoilt, "kept as it was");
        assert_eq!(opened.journal.append(&[entry(9, Deed::Kept)]).unwrap(), [record]);
        drop(opened.journal);
        assert!(shelf.open().damage.is_none());
        damage
    }

    #[test]
    fn a_flipped_bit_shows_at_its_record() {
        for n in 0..10u64 {
            let shelf = Shelf::new();
            let whole = shelf.filled();
            let mut bytes = fs::read(shelf.path()).unwrap();
            let text = format!("for reason {n}");
            let at = bytes.windows(text.len()).position(|w| w == text.as_bytes()).unwrap();
            bytes[at] ^= 1;
            fs::write(shelf.path(), bytes).unwrap();
            repaired(&shelf, n + 1, &whole);
        }
    }

    #[test]
    fn edited_records_show_whoever_edited_them() {
        let edits = [
            ("DELETE FROM entries WHERE number = 4", 4),
            ("DELETE FROM entries WHERE number > 7", 8),
            ("UPDATE entries SET change = 99 WHERE number = 6", 6),
            ("UPDATE entries SET body = 'x' WHERE number = 5", 5),
            ("UPDATE entries SET number = 20 WHERE number = 10", 10),
            ("DELETE FROM header", 11),
            ("DROP TABLE entries", 1),
        ];
        for (edit, record) in edits {
            let shelf = Shelf::new();
            let whole = shelf.filled();
            let stranger = Connection::open(shelf.path()).unwrap();
            stranger.execute_batch(edit).unwrap();
            drop(stranger);
            repaired(&shelf, record, &whole);
        }
    }

    #[test]
    fn a_file_that_is_no_database_or_cut_short_is_kept_aside() {
        for size in [0, 100, 4096, 8192] {
            let shelf = Shelf::new();
            let whole = shelf.filled();
            OpenOptions::new().write(true).open(shelf.path()).unwrap().set_len(size).unwrap();
            repaired(&shelf, 1, &whole);
        }
        let shelf = Shelf::new();
        let mut file = fs::File::create(shelf.path()).unwrap();
        file.write_all(&b"no database at all, but long enough to be one ".repeat(200)).unwrap();
        repaired(&shelf, 1, &[]);
    }

    #[test]
    fn an_append_in_the_midst_of_opening_is_no_damage() {
        let shelf = Shelf::new();
        let mut guard = shelf.open().journal;
        let end = 80;
        let appending = std::thread::spawn(move || {
            for _ in 0..end {
                guard.append(&[entry(1, Deed::Applied)]).unwrap();
            }
        });
        loop {
            let opened = shelf.open();
            assert_eq!(opened.damage, None);
            if opened.entries.len() == end {
                break;
            }
        }
        appending.join().unwrap();
    }

    #[test]
    fn a_newer_form_is_left_alone() {
        let shelf = Shelf::new();
        shelf.filled();
        Connection::open(shelf.path()).unwrap().execute_batch("UPDATE header SET format = 2").unwrap();
        assert_eq!(Journal::open(&shelf.path(), NOW).unwrap_err().trouble, Trouble::Newer);
        assert_eq!(
            fs::read_dir(shelf.0.path()).unwrap().filter(|f| f.as_ref().unwrap().path().extension() == Some("db".as_ref())).count(),
            1
        );
    }
}
