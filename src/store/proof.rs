//! Proving a journal from outside: read-only, beside a running engine or without one, and against an anchor that was written down
//! elsewhere. A journal that was rewritten as a whole has a chain that holds; only a number and a hash kept in another place tell.

use crate::{
    model::{change::Entry, time::Wall},
    store::{
        chain::{self, Break, Walk},
        error::{StoreError, Trouble},
        repair::beside,
    },
};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::{
    fmt::{self, Write},
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

/// Number and hash of a record: `123:5f0c...`, the hash in 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The number; 0 is the beginning of an empty journal.
    pub number: u64,
    /// The hash.
    pub hash: String,
}

impl Anchor {
    /// Of a record.
    pub(super) fn of(number: u64, hash: &[u8]) -> Anchor {
        Anchor { number, hash: hex(hash) }
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, self.hash)
    }
}

impl FromStr for Anchor {
    type Err = String;

    fn from_str(text: &str) -> Result<Anchor, String> {
        let wrong = || "an anchor is NUMBER:HASH as trimtab logs it, with 64 hexadecimal digits".to_string();
        let (number, hash) = text.split_once(':').ok_or_else(wrong)?;
        let number = number.parse().map_err(|_| wrong())?;
        let whole = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        whole.then(|| Anchor { number, hash: hash.to_ascii_lowercase() }).ok_or_else(wrong)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _never_fails = write!(text, "{byte:02x}");
        text
    })
}

/// A journal that is only looked at.
#[derive(Debug)]
pub struct Look {
    connection: Connection,
    path: PathBuf,
}

/// What the proof of a chain came to.
#[derive(Debug)]
pub struct Proof {
    /// Every whole record, oldest first.
    pub entries: Vec<(u64, Entry)>,
    /// The newest whole record.
    pub newest: Anchor,
    /// The first broken record.
    pub broken: Option<Break>,
}

/// One record as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number and hash.
    pub anchor: Anchor,
    /// Its text: what the hash covers, after the hash before.
    pub body: String,
}

impl Look {
    /// Opens a journal for reading, so that nothing of it is changed. `Err` when there is none, or when the machine does not let it be read.
    pub fn open(path: &Path) -> Result<Look, StoreError> {
        let size = fs::metadata(path).map_err(|e| StoreError::io(path, "open", &e))?.len();
        if size == 0 {
            return Err(StoreError::plain(path, Trouble::Damaged, "the file is empty"));
        }
        let sql = |e: rusqlite::Error| StoreError::sql(path, "open", &e);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = match still(path) {
            Some(uri) => Connection::open_with_flags(uri, flags),
            None => Connection::open_with_flags(path, flags),
        };
        let connection = connection.map_err(sql)?;
        connection.busy_timeout(super::journal::PATIENCE).map_err(sql)?;
        Ok(Look { connection, path: path.into() })
    }

    /// Proves the whole chain as of one moment.
    pub fn prove(&self) -> Result<Proof, StoreError> {
        let sql = |e: rusqlite::Error| StoreError::sql(&self.path, "read", &e);
        if let Ok(header) = chain::header(&self.connection)
            && header.format > chain::FORMAT
        {
            let why = format!("it has form {}, this trimtab knows {}", header.format, chain::FORMAT);
            return Err(StoreError::plain(&self.path, Trouble::Newer, why));
        }
        let Walk { entries, broken } = chain::walk(&self.connection).map_err(sql)?;
        let number = entries.last().map_or(0, |(number, _)| *number);
        let newest = self.anchor(number)?.unwrap_or_else(|| Anchor::of(0, &chain::ROOT));
        Ok(Proof { entries, newest, broken })
    }

    /// The record of that number, if there is one, by its hash.
    pub fn anchor(&self, number: u64) -> Result<Option<Anchor>, StoreError> {
        if number == 0 {
            return Ok(Some(Anchor::of(0, &chain::ROOT)));
        }
        let query = "SELECT hash FROM entries WHERE number = ?1";
        let hash: rusqlite::Result<Option<Vec<u8>>> = self.connection.query_row(query, [number], |row| row.get(0)).optional();
        let hash = hash.map_err(|e| StoreError::sql(&self.path, "read", &e))?;
        Ok(hash.map(|hash| Anchor::of(number, &hash)))
    }

    /// Gives each record from one time to another, oldest first, up to and with `last`.
    pub fn each(
        &self,
        (from, to): (Wall, Wall),
        last: u64,
        mut give: impl FnMut(&Record, &Entry) -> bool,
    ) -> Result<(), StoreError> {
        let sql = |e: rusqlite::Error| StoreError::sql(&self.path, "read", &e);
        let all = "SELECT number, body, hash FROM entries WHERE number <= ?1 ORDER BY number";
        let mut query = self.connection.prepare(all).map_err(sql)?;
        let mut rows = query.query([last]).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let read = || -> rusqlite::Result<(u64, String, Vec<u8>)> { Ok((row.get(0)?, row.get(1)?, row.get(2)?)) };
            let (number, body, hash) = read().map_err(sql)?;
            let Ok(entry) = serde_json::from_str::<Entry>(&body) else { continue };
            let inside = entry.now.wall >= from && entry.now.wall <= to;
            if inside && !give(&Record { anchor: Anchor::of(number, &hash), body }, &entry) {
                break;
            }
        }
        Ok(())
    }
}

/// The address of a journal that nobody has open: told so, SQLite leaves no files of its own beside it.
fn still(path: &Path) -> Option<String> {
    let log = fs::metadata(beside(path, "-wal")).is_ok_and(|m| m.len() > 0);
    let shared = beside(path, "-shm").exists();
    if log || shared {
        return None;
    }
    let path = fs::canonicalize(path).ok()?;
    let escaped = path.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Some(format!("file:{escaped}?immutable=1"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{
        model::{
            change::{ChangeId, Deed, Who},
            time::{Now, Tick},
            verdict::{Outcome, Verdict},
        },
        store::journal::Journal,
    };

    fn entry(n: u64) -> Entry {
        let verdict = Verdict { outcome: Outcome::Better, why: format!("for reason {n}"), ..Verdict::default() };
        let now = Now { tick: Tick(n), wall: Wall(1_700_000_000_000 + i64::try_from(n).unwrap() * 1000) };
        Entry { change: ChangeId(n % 3), deed: Deed::Judged(Box::new(verdict)), who: Who::Engine, now, boot: "b".into() }
    }

    /// A journal of ten records, still open.
    fn journal(dir: &Path) -> (PathBuf, Journal) {
        let path = dir.join("jour nal?#%.db");
        let mut journal = Journal::open(&path, Now::default()).unwrap().journal;
        (0..10).for_each(|n| drop(journal.append(&[entry(n)]).unwrap()));
        (path, journal)
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_look_beside_a_writer_and_after_it_proves_the_same_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let (path, journal) = journal(dir.path());
        let beside = Look::open(&path).unwrap().prove().unwrap();
        assert!(beside.broken.is_none() && beside.entries.len() == 10);
        assert_eq!(beside.newest, journal.anchor().unwrap());
        drop(journal);
        let before = (names(dir.path()), fs::read(&path).unwrap());
        let look = Look::open(&path).unwrap();
        assert_eq!(look.prove().unwrap().newest, beside.newest);
        drop(look);
        assert!((names(dir.path()), fs::read(&path).unwrap()) == before);
        assert_eq!(before.0.len(), 1);
    }

    #[test]
    fn every_flipped_bit_cut_and_swap_shows_at_its_record() {
        let dir = tempfile::tempdir().unwrap();
        let (path, journal) = journal(dir.path());
        drop(journal);
        let whole = fs::read(&path).unwrap();
        for n in 0..10_usize {
            let mut bytes = whole.clone();
            let text = format!("for reason {n}");
            let at = bytes.windows(text.len()).position(|w| w == text.as_bytes()).unwrap();
            bytes[at + n] ^= 1;
            fs::write(&path, bytes).unwrap();
            let proof = Look::open(&path).unwrap().prove().unwrap();
            assert_eq!((proof.broken.unwrap().record, proof.entries.len()), (n as u64 + 1, n));
        }
        for (edit, record) in [
            ("DELETE FROM entries WHERE number > 6", 7),
            ("DELETE FROM entries WHERE number = 3", 3),
            (
                "UPDATE entries SET number = 99 WHERE number = 4; UPDATE entries SET number = 4 WHERE number = 5; UPDATE entries SET number = 5 WHERE number = 99",
                4,
            ),
        ] {
            fs::write(&path, &whole).unwrap();
            Connection::open(&path).unwrap().execute_batch(edit).unwrap();
            assert_eq!(Look::open(&path).unwrap().prove().unwrap().broken.unwrap().record, record, "{edit}");
        }
        fs::write(&path, &whole[..100]).unwrap();
        let cut = Look::open(&path).and_then(|look| look.prove());
        assert!(cut.is_err() || cut.unwrap().broken.unwrap().record == 1);
    }

    #[test]
    fn a_journal_rewritten_as_a_whole_has_a_chain_that_holds_and_only_the_anchor_tells() {
        let dir = tempfile::tempdir().unwrap();
        let (path, journal) = journal(dir.path());
        let anchor = journal.anchor().unwrap();
        assert_eq!(anchor.to_string().parse::<Anchor>().unwrap(), anchor);
        drop(journal);
        fs::remove_file(&path).unwrap();
        let mut forged = Journal::open(&path, Now::default()).unwrap().journal;
        (0..12).for_each(|n| drop(forged.append(&[entry(n + u64::from(n == 4))]).unwrap()));
        drop(forged);
        let look = Look::open(&path).unwrap();
        assert!(look.prove().unwrap().broken.is_none());
        assert_ne!(look.anchor(anchor.number).unwrap(), Some(anchor));
        assert_eq!(look.anchor(99).unwrap(), None);
        for wrong in ["", "7", "7:ab", "x:00", &format!("7:{}", "g".repeat(64))] {
            assert!(wrong.parse::<Anchor>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn records_come_as_they_stand_within_their_time() {
        let dir = tempfile::tempdir().unwrap();
        let (path, _journal) = journal(dir.path());
        let look = Look::open(&path).unwrap();
        let mut seen = Vec::new();
        let span = (Wall(1_700_000_003_000), Wall(1_700_000_006_000));
        look.each(span, 6, |record, entry| {
            assert_eq!(serde_json::from_str::<Entry>(&record.body).unwrap(), *entry);
            seen.push(record.anchor.number);
            true
        })
        .unwrap();
        assert_eq!(seen, [4, 5, 6]);
    }
}
