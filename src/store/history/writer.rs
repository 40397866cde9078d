//! The one writer of a history: frames in, rows out, nothing above the budget.

use super::{
    block::{Batch, Kind, Record},
    bytes::Damaged,
    file,
    frame::Frame,
    reel::FrameWriter,
    retention::Shelf,
    trend::{Stretch, TrendWriter, beginning},
};
use crate::{
    model::{
        change::Entry,
        finding::Finding,
        past::{Event, Mark},
        snapshot::Snapshot,
        time::Wall,
    },
    store::error::{StoreError, Trouble},
};
use rusqlite::{Connection, params};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Milliseconds between frames of each tier: every sweep, then every tenth second, every minute, every tenth minute.
pub const TIERS: [i64; 4] = [1000, 10_000, 60_000, 600_000];

/// Milliseconds that a trend covers, in each tier of them.
pub const STRETCHES: [i64; 3] = [10_000, 60_000, 600_000];

/// Records in a block.
const BLOCK: usize = 60;

/// Bytes of records after which a block is sealed, however few they are.
const GREAT: usize = 4 << 20;

/// Kinds of marks as they stand in the file.
pub(super) mod mark {
    pub const EVENT: i64 = 0;
    pub const DEED: i64 = 1;
}

/// The block of one tier that is being filled.
#[derive(Debug)]
struct Track<W> {
    period: i64,
    writer: W,
    batch: Batch,
    /// The instant that the next record belongs to must be after this one.
    last: Option<Wall>,
}

impl<W: Default> Track<W> {
    fn new(period: i64) -> Track<W> {
        Track { period, writer: W::default(), batch: Batch::default(), last: None }
    }

    fn is_full(&self) -> bool {
        self.batch.times.len() >= BLOCK || self.batch.records.len() >= GREAT
    }
}

/// Writes a history.
pub struct HistoryWriter {
    connection: Connection,
    path: PathBuf,
    shelf: Shelf,
    frames: [Track<FrameWriter>; 4],
    trends: [Track<TrendWriter>; 3],
    stretches: [Stretch; 3],
    findings: Arc<Vec<Finding>>,
    /// A write failed: what stands open in the file must be sealed before new records may follow.
    stale: bool,
    scratch: Vec<u8>,
}

/// What is written of: the file and its share of the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// Bytes that it may take, its log included.
    pub bytes: u64,
}

impl HistoryWriter {
    /// Opens or makes the file; what a damaged one was is told.
    pub fn open(place: &Place, now: Wall) -> Result<(HistoryWriter, Option<String>), StoreError> {
        let opened = file::open(&place.path, now.0 / 1000)?;
        let told = opened.aside.map(|(kept, why)| format!("the history was damaged ({why}); it is kept as {}", kept.display()));
        let mut writer = HistoryWriter::on(opened.connection, place)?;
        writer.seal_left()?;
        Ok((writer, told))
    }

    /// Makes a new file; it is an error if there is one.
    pub fn create(place: &Place) -> Result<HistoryWriter, StoreError> {
        HistoryWriter::on(file::create(&place.path)?, place)
    }

    fn on(connection: Connection, place: &Place) -> Result<HistoryWriter, StoreError> {
        let shelf = Shelf::measure(&connection, place.bytes).map_err(|e| StoreError::sql(&place.path, "read", &e))?;
        Ok(HistoryWriter {
            connection,
            path: place.path.clone(),
            shelf,
            frames: TIERS.map(Track::new),
            trends: STRETCHES.map(Track::new),
            stretches: Default::default(),
            findings: Arc::default(),
            stale: false,
            scratch: Vec::new(),
        })
    }

    /// Stores a frame, in each tier whose time has come, with what was derived from it and what it newly found. All of it or nothing.
    pub fn put(&mut self, frame: &Frame, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.whole(|writer| {
            writer.put_raw(frame)?;
            writer.put_trends(frame.now.wall, snapshot)
        })
    }

    /// Does all of it or nothing.
    fn whole(&mut self, work: impl FnOnce(&mut Self) -> Result<(), StoreError>) -> Result<(), StoreError> {
        if self.stale {
            self.seal_left()?;
            self.stale = false;
        }
        self.batch("BEGIN IMMEDIATE")?;
        let done = work(self).and_then(|()| self.batch("COMMIT"));
        if done.is_err() {
            // What is in memory has run ahead of the file: the next frame begins anew.
            let _rolled_back_already = self.connection.execute_batch("ROLLBACK");
            self.forget();
        }
        done
    }

    fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).map_err(|e| StoreError::sql(&self.path, "write", &e))
    }

    fn put_raw(&mut self, frame: &Frame) -> Result<(), StoreError> {
        self.mark(frame)?;
        (0..self.frames.len()).try_for_each(|tier| self.put_frame(tier, frame))
    }

    /// Stores frames and trends of another history.
    pub fn copy(&mut self, frames: &[Frame], trends: &[(i64, Stretch)]) -> Result<(), StoreError> {
        self.whole(|writer| {
            frames.iter().try_for_each(|frame| writer.put_raw(frame))?;
            trends.iter().try_for_each(|(period, stretch)| {
                let tier = STRETCHES.iter().position(|known| known == period);
                tier.map_or(Ok(()), |tier| writer.write_stretch(tier, stretch))
            })
        })
    }

    fn put_frame(&mut self, tier: usize, frame: &Frame) -> Result<(), StoreError> {
        let path = &self.path;
        let Some(track) = self.frames.get_mut(tier) else { return Ok(()) };
        let at = frame.now.wall;
        if tier > 0 && track.last.is_some_and(|last| beginning(last, track.period) == beginning(at, track.period)) {
            return Ok(());
        }
        // The wall clock was set back: a block's times only rise.
        let turned = track.last.is_some_and(|last| last >= at);
        if turned || track.is_full() {
            seal(&self.connection, path, &mut self.shelf, (Kind::Frames, track.period), &track.batch)?;
            (track.writer, track.batch) = Default::default();
        }
        track.last = Some(at);
        self.scratch.clear();
        track.writer.write(frame, &mut self.scratch).map_err(|e| unwritable(path, &e))?;
        let record = Record { at, echo: false, bytes: std::mem::take(&mut self.scratch) };
        let stored = add(&self.connection, path, (Kind::Frames, track.period), &record);
        track.batch.push(&record);
        let full = track.is_full();
        self.scratch = record.bytes;
        stored?;
        if full {
            self.turn(tier, frame)?;
        }
        Ok(())
    }

    /// Seals a full block of frames and begins the next with its last frame.
    fn turn(&mut self, tier: usize, frame: &Frame) -> Result<(), StoreError> {
        let path = &self.path;
        let Some(track) = self.frames.get_mut(tier) else { return Ok(()) };
        seal(&self.connection, path, &mut self.shelf, (Kind::Frames, track.period), &track.batch)?;
        (track.writer, track.batch) = Default::default();
        self.scratch.clear();
        track.writer.write(frame, &mut self.scratch).map_err(|e| unwritable(path, &e))?;
        let record = Record { at: frame.now.wall, echo: true, bytes: std::mem::take(&mut self.scratch) };
        let stored = add(&self.connection, path, (Kind::Frames, track.period), &record);
        track.batch.push(&record);
        self.scratch = record.bytes;
        stored
    }

    fn put_trends(&mut self, at: Wall, snapshot: &Snapshot) -> Result<(), StoreError> {
        for tier in 0..STRETCHES.len() {
            self.end_stretch(tier, at)?;
        }
        let ([first, ..], [shortest, ..]) = (&mut self.stretches, STRETCHES);
        first.take(beginning(at, shortest), snapshot);
        Ok(())
    }

    /// Writes a stretch that `at` is no longer in, and adds it to the next longer one.
    fn end_stretch(&mut self, tier: usize, at: Wall) -> Result<(), StoreError> {
        let Some((stretch, longer)) = self.stretches.get_mut(tier..).and_then(<[Stretch]>::split_first_mut) else { return Ok(()) };
        let (Some(track), Some(begins)) = (self.trends.get_mut(tier), stretch.begins()) else { return Ok(()) };
        if begins == beginning(at, track.period) {
            return Ok(());
        }
        let over = std::mem::take(stretch);
        if let (Some(longer), Some(period)) = (longer.first_mut(), STRETCHES.get(tier + 1)) {
            longer.merge(beginning(begins, *period), &over);
        }
        self.write_stretch(tier, &over)
    }

    fn write_stretch(&mut self, tier: usize, over: &Stretch) -> Result<(), StoreError> {
        let (Some(track), Some(begins)) = (self.trends.get_mut(tier), over.begins()) else { return Ok(()) };
        if track.is_full() || track.last.is_some_and(|last| last >= begins) {
            seal(&self.connection, &self.path, &mut self.shelf, (Kind::Trends, track.period), &track.batch)?;
            (track.writer, track.batch) = Default::default();
        }
        track.last = Some(begins);
        self.scratch.clear();
        track.writer.write(over, &mut self.scratch).map_err(|e| unwritable(&self.path, &e))?;
        let record = Record { at: begins, echo: false, bytes: std::mem::take(&mut self.scratch) };
        let stored = add(&self.connection, &self.path, (Kind::Trends, track.period), &record);
        track.batch.push(&record);
        self.scratch = record.bytes;
        stored
    }

    /// Marks findings that came and went.
    fn mark(&mut self, frame: &Frame) -> Result<(), StoreError> {
        if Arc::ptr_eq(&self.findings, &frame.findings) {
            return Ok(());
        }
        let before = std::mem::replace(&mut self.findings, frame.findings.clone());
        let missing = |finding: &&Finding, from: &[Finding]| from.iter().all(|other| other.id != finding.id);
        let raised = frame.findings.iter().filter(|f| missing(f, &before)).map(|f| (Event::Raised(f.id.clone(), f.severity), f));
        let ended = before.iter().filter(|f| missing(f, &frame.findings)).map(|f| (Event::Ended(f.id.clone()), f));
        for (event, finding) in raised.chain(ended) {
            let mark = Mark { at: frame.now.wall, event, text: finding.headline.clone() };
            self.store_mark(mark.at, (mark::EVENT, None), &mark)?;
        }
        Ok(())
    }

    /// Stores deeds with their numbers in the journal; those that are there already are left out.
    pub fn deeds(&mut self, entries: &[(u64, Entry)]) -> Result<(), StoreError> {
        let newest = self.newest_deed()?;
        let fresh = entries.iter().filter(|(number, _)| newest.is_none_or(|newest| *number > newest));
        self.whole(|writer| {
            let mut fresh = fresh;
            fresh.try_for_each(|(number, entry)| writer.store_mark(entry.now.wall, (mark::DEED, Some(*number)), entry))
        })
    }

    fn store_mark(&self, at: Wall, (kind, entry): (i64, Option<u64>), body: &impl serde::Serialize) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(body).map_err(|e| unwritable(&self.path, &Damaged(e.to_string())))?;
        let body = Record { at, echo: false, bytes }.seal();
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO marks (at, kind, entry, body) VALUES (?1, ?2, ?3, ?4)")
            .and_then(|mut insert| insert.execute(params![at.0, kind, entry, body]))
            .map_err(|e| StoreError::sql(&self.path, "write", &e))?;
        Ok(())
    }

    /// The number of the newest journal entry that is stored.
    fn newest_deed(&self) -> Result<Option<u64>, StoreError> {
        let newest = self.connection.query_row("SELECT max(entry) FROM marks", [], |row| row.get(0));
        newest.map_err(|e| StoreError::sql(&self.path, "read", &e))
    }

    /// Begins new blocks with the next frame.
    fn forget(&mut self) {
        self.stale = true;
        self.frames = TIERS.map(Track::new);
        self.trends = STRETCHES.map(Track::new);
    }

    /// Seals what an earlier writer left unsealed.
    fn seal_left(&mut self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let sql = |e: rusqlite::Error| StoreError::sql(&path, "write", &e);
        let whole = self.connection.unchecked_transaction().map_err(sql)?;
        for (kind, period) in kinds() {
            let batch = left(&whole, kind, period).map_err(sql)?;
            seal(&whole, &path, &mut self.shelf, (kind, period), &batch)?;
        }
        whole.commit().map_err(sql)
    }

    /// Seals everything and leaves one file without a log beside it: for somebody else to take away.
    pub fn finish(mut self) -> Result<(), StoreError> {
        self.flush()?;
        self.seal_left()?;
        let sql = |e: rusqlite::Error| StoreError::sql(&self.path, "close", &e);
        self.connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).map_err(sql)
    }

    /// Writes the stretches that are not over, so that nothing of a run that ends is missing.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.whole(|writer| (0..STRETCHES.len()).try_for_each(|tier| writer.end_stretch(tier, Wall(i64::MAX))))
    }

    /// Lets the file have so many pages and no more: beyond, it is as if the disk were full.
    pub fn limit(&self, pages: i64) -> Result<(), StoreError> {
        let set = self.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()));
        set.map_err(|e| StoreError::sql(&self.path, "limit", &e))
    }

    /// Bytes that the file and its log take on the disk.
    pub fn size(&self) -> u64 {
        size(&self.path)
    }
}

/// Bytes that a history and its log take on the disk.
pub fn size(path: &Path) -> u64 {
    let of = |suffix| std::fs::metadata(crate::store::repair::beside(path, suffix)).map_or(0, |m| m.len());
    of("") + of("-wal")
}

/// Every kind of record with each of its periods.
pub(super) fn kinds() -> impl Iterator<Item = (Kind, i64)> {
    TIERS.into_iter().map(|period| (Kind::Frames, period)).chain(STRETCHES.into_iter().map(|period| (Kind::Trends, period)))
}

/// The records that stand in the file one by one. What follows a damaged one builds on it, so it ends the batch.
pub(super) fn left(connection: &Connection, kind: Kind, period: i64) -> rusqlite::Result<Batch> {
    let mut query = connection.prepare_cached("SELECT body FROM open WHERE kind = ?1 AND period = ?2 ORDER BY id")?;
    let mut rows = query.query((kind as i64, period))?;
    let mut batch = Batch::default();
    while let Some(row) = rows.next()? {
        let Ok(record) = Record::unseal(row.get_ref(0)?.as_blob()?) else { break };
        batch.push(&record);
    }
    Ok(batch)
}

fn add(connection: &Connection, path: &Path, (kind, period): (Kind, i64), record: &Record) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO open (kind, period, body) VALUES (?1, ?2, ?3)")
        .and_then(|mut insert| insert.execute((kind as i64, period, record.seal())))
        .map(drop)
        .map_err(|e| StoreError::sql(path, "write", &e))
}

/// Replaces the open records of a kind by one block, and makes room for it.
fn seal(
    connection: &Connection,
    path: &Path,
    shelf: &mut Shelf,
    (kind, period): (Kind, i64),
    batch: &Batch,
) -> Result<(), StoreError> {
    let sql = |e: rusqlite::Error| StoreError::sql(path, "write", &e);
    connection
        .prepare_cached("DELETE FROM open WHERE kind = ?1 AND period = ?2")
        .and_then(|mut delete| delete.execute((kind as i64, period)))
        .map_err(sql)?;
    let (Some(first), Some(last)) = (batch.times.first(), batch.times.last()) else { return Ok(()) };
    let body = batch.seal().map_err(|e| unwritable(path, &e))?;
    shelf.make_room(connection, body.len()).map_err(sql)?;
    connection
        .prepare_cached("INSERT INTO blocks (kind, period, first, last, size, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .and_then(|mut insert| insert.execute(params![kind as i64, period, first.0, last.0, body.len() as i64, body]))
        .map_err(sql)?;
    shelf.put((kind, period), body.len());
    Ok(())
}

fn unwritable(path: &Path, why: &Damaged) -> StoreError {
    StoreError::plain(path, Trouble::Other, format!("a record cannot be written: {why}"))
}
