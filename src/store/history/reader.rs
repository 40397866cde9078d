//! Reads a history, beside its writer or alone. What is damaged is passed over and counted; all else is there.

use super::{
    block::{Batch, Kind},
    bytes::Read,
    file,
    frame::Frame,
    reel::FrameReader,
    trend::TrendReader,
    writer::{STRETCHES, TIERS, left, mark},
};
use crate::{
    model::{
        change::{Change, ChangeId, Entry},
        metric::Key,
        past::{Event, Mark, Trace, Trend},
        time::Wall,
    },
    store::{error::StoreError, history::block::Record},
};
use rusqlite::{Connection, OptionalExtension, params};
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
};

/// Steps of a trace at most.
const POINTS: usize = 4096;

/// A history to read.
pub struct History {
    connection: Connection,
    path: PathBuf,
    damaged: Cell<usize>,
}

/// A stored instant with what it takes to show it.
#[derive(Clone, Debug)]
pub struct Instant {
    /// The instant, last, and those of the same run before it that its block has: rates are differences to them.
    pub frames: Vec<Frame>,
    /// When the stored instants before and after it were.
    pub earlier: Option<Wall>,
    /// See `earlier`.
    pub later: Option<Wall>,
}

/// A place in a batch.
struct Spot {
    period: i64,
    batch: Batch,
    index: usize,
    at: Wall,
}

type Kept<T> = Result<T, StoreError>;

impl History {
    /// Opens it.
    pub fn open(path: &Path) -> Kept<History> {
        Ok(History { connection: file::look(path)?, path: path.into(), damaged: Cell::new(0) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Blocks that were passed over since it was opened, since they were damaged.
    pub fn damaged(&self) -> usize {
        self.damaged.get()
    }

    /// The oldest and the newest stored instant.
    pub fn kept(&self) -> Kept<Option<(Wall, Wall)>> {
        let query = "SELECT min(first), max(last) FROM blocks INDEXED BY by_time WHERE kind = ?1";
        let sealed: (Option<i64>, Option<i64>) = self
            .connection
            .query_row(query, [Kind::Frames as i64], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(|e| self.failed(&e))?;
        let (mut oldest, mut newest) = sealed;
        for period in TIERS {
            let open = self.left(Kind::Frames, period)?;
            oldest = oldest.into_iter().chain(open.times.first().map(|at| at.0)).min();
            newest = newest.into_iter().chain(open.times.last().map(|at| at.0)).max();
        }
        Ok(oldest.zip(newest).map(|(oldest, newest)| (Wall(oldest), Wall(newest))))
    }

    /// The newest stored instant at or before `at`, or the oldest there is.
    pub fn at(&self, at: Wall) -> Kept<Option<Instant>> {
        let mut best: Option<Spot> = None;
        for period in TIERS {
            let spot = self.before(period, at)?;
            if let Some(spot) = spot.filter(|spot| best.as_ref().is_none_or(|best| best.at < spot.at)) {
                best = Some(spot);
            }
        }
        let found = match best {
            Some(best) => Some(best),
            None => self.next(at)?,
        };
        found.map(|spot| self.instant(&spot)).transpose()
    }

    fn instant(&self, spot: &Spot) -> Kept<Instant> {
        let frames = self.frames(spot)?;
        let in_batch = |index: Option<usize>| index.and_then(|index| spot.batch.times.get(index)).copied();
        let mut earlier = in_batch(spot.index.checked_sub(1));
        if earlier.is_none() {
            for period in TIERS {
                earlier = earlier.max(self.before(period, Wall(spot.at.0 - 1))?.map(|spot| spot.at));
            }
        }
        let later = match in_batch(Some(spot.index + 1)) {
            Some(later) => Some(later),
            None => self.next(Wall(spot.at.0 + 1))?.map(|spot| spot.at),
        };
        Ok(Instant { frames, earlier, later })
    }

    /// The frames of a batch up to a place: what is read seldom was last read in one of them.
    fn frames(&self, spot: &Spot) -> Kept<Vec<Frame>> {
        let mut reader = FrameReader::default();
        let count = spot.index + usize::from(spot.batch.echo) + 1;
        let mut frames = Vec::with_capacity(count);
        for (number, record) in spot.batch.records().take(count).enumerate() {
            reader.read(record).map_err(|e| self.broken(&e.to_string()))?;
            frames.push(if number + 2 < count { reader.sketch() } else { reader.frame() });
        }
        Ok(frames)
    }

    /// The newest instant of a tier at or before `at`.
    fn before(&self, period: i64, at: Wall) -> Kept<Option<Spot>> {
        let open = self.left(Kind::Frames, period)?;
        if open.times.first().is_some_and(|first| *first <= at) {
            return Ok(place_before(period, open, at));
        }
        let query = "SELECT id, first FROM blocks WHERE kind = ?1 AND period = ?2 AND first <= ?3 ORDER BY first DESC LIMIT 1";
        let mut bound = at;
        while let Some((id, first)) = self.find(query, (Kind::Frames, period), bound)? {
            if let Some(spot) = self.block(id)?.and_then(|batch| place_before(period, batch, at)) {
                return Ok(Some(spot));
            }
            bound = Wall(first.0 - 1);
        }
        Ok(None)
    }

    /// The oldest instant of any tier at or after `at`.
    fn next(&self, at: Wall) -> Kept<Option<Spot>> {
        let mut best: Option<Spot> = None;
        for period in TIERS {
            let spot = self.after(period, at)?;
            if let Some(spot) = spot.filter(|spot| best.as_ref().is_none_or(|best| spot.at < best.at)) {
                best = Some(spot);
            }
        }
        Ok(best)
    }

    fn after(&self, period: i64, at: Wall) -> Kept<Option<Spot>> {
        let around = "SELECT id, first FROM blocks WHERE kind = ?1 AND period = ?2 AND first <= ?3 ORDER BY first DESC LIMIT 1";
        if let Some((id, _)) = self.find(around, (Kind::Frames, period), at)?
            && let Some(spot) = self.block(id)?.and_then(|batch| place_after(period, batch, at))
        {
            return Ok(Some(spot));
        }
        let behind = "SELECT id, first FROM blocks WHERE kind = ?1 AND period = ?2 AND first > ?3 ORDER BY first LIMIT 1";
        let mut bound = at;
        while let Some((id, first)) = self.find(behind, (Kind::Frames, period), bound)? {
            if let Some(spot) = self.block(id)?.and_then(|batch| place_after(period, batch, at)) {
                return Ok(Some(spot));
            }
            bound = first;
        }
        Ok(place_after(period, self.left(Kind::Frames, period)?, at))
    }

    fn find(&self, query: &str, (kind, period): (Kind, i64), at: Wall) -> Kept<Option<(i64, Wall)>> {
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, Wall(row.get(1)?)));
        self.connection
            .prepare_cached(query)
            .and_then(|mut query| query.query_row((kind as i64, period, at.0), row).optional())
            .map_err(|e| self.failed(&e))
    }

    /// A sealed block; `None`, and counted, when it is damaged.
    fn block(&self, id: i64) -> Kept<Option<Batch>> {
        let read = |row: &rusqlite::Row<'_>| Ok(Batch::unseal(row.get_ref(0)?.as_blob()?));
        let batch = self
            .connection
            .prepare_cached("SELECT body FROM blocks WHERE id = ?1")
            .and_then(|mut query| query.query_row([id], read));
        match batch {
            Ok(Ok(batch)) => Ok(Some(batch)),
            Err(e) if StoreError::sql(&self.path, "read", &e).trouble == crate::store::error::Trouble::Busy => Err(self.failed(&e)),
            // Its writer has just dropped it.
            Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
            Ok(Err(_)) | Err(_) => {
                self.damaged.set(self.damaged.get() + 1);
                Ok(None)
            }
        }
    }

    fn left(&self, kind: Kind, period: i64) -> Kept<Batch> {
        left(&self.connection, kind, period).map_err(|e| self.failed(&e))
    }

    /// The frames after `after`, oldest first, in the finest tier that has any there: those of one batch at a time, and of a coarse one
    /// only up to where a finer one begins. Empty at the end.
    pub fn some_after(&self, after: Wall) -> Kept<Vec<Frame>> {
        let Some(spot) = self.next(Wall(after.0.saturating_add(1)))? else { return Ok(Vec::new()) };
        let mut finer: Option<Wall> = None;
        for period in TIERS.into_iter().filter(|period| *period < spot.period) {
            let next = self.after(period, spot.at)?.map(|spot| spot.at);
            finer = finer.into_iter().chain(next).min();
        }
        let mut reader = FrameReader::default();
        let mut frames = Vec::new();
        let first = spot.index + usize::from(spot.batch.echo);
        for (number, record) in spot.batch.records().enumerate() {
            reader.read(record).map_err(|e| self.broken(&e.to_string()))?;
            if finer.is_some_and(|finer| reader.now().wall >= finer) {
                break;
            }
            if number >= first {
                frames.push(reader.frame());
            }
        }
        Ok(frames)
    }

    /// The course of some numbers from trends: the finest that are not finer than needed, and coarser ones where those are gone already.
    pub fn trace(&self, keys: &[Key], (from, to): (Wall, Wall), points: usize) -> Kept<Trace> {
        let points = points.clamp(1, POINTS);
        let step = ((to.0.saturating_sub(from.0)).max(1) as u64).div_ceil(points as u64).max(1).cast_signed();
        let wanted: HashMap<&Key, usize> = keys.iter().enumerate().map(|(i, key)| (key, i)).collect();
        let mut rows = vec![vec![None; points]; keys.len()];
        let finest = STRETCHES.iter().rposition(|period| *period <= step).unwrap_or(0);
        for period in STRETCHES.iter().skip(finest).rev() {
            self.overlay(*period, &wanted, (from, to, step), &mut rows)?;
        }
        // A long stretch is written when it is over: of the newest time only shorter ones tell.
        let known = rows.iter().filter_map(|row| row.iter().rposition(Option::is_some)).max();
        let tail = Wall(known.map_or(from.0, |slot| from.0 + (slot as i64 + 1) * step));
        for period in STRETCHES.iter().take(finest).rev().filter(|_| tail < to) {
            let skipped = ((tail.0 - from.0) / step) as usize;
            let mut newest: Vec<Vec<Option<Trend>>> = vec![vec![None; points - skipped.min(points)]; keys.len()];
            self.overlay(*period, &wanted, (tail, to, step), &mut newest)?;
            for (row, newest) in rows.iter_mut().zip(newest) {
                for (slot, trend) in row.iter_mut().skip(skipped).zip(newest) {
                    *slot = trend.or(*slot);
                }
            }
        }
        Ok(Trace { from, step, rows: keys.iter().cloned().zip(rows).collect() })
    }

    /// Puts the trends of one length over what coarser ones told.
    fn overlay(
        &self,
        period: i64,
        wanted: &HashMap<&Key, usize>,
        (from, to, step): (Wall, Wall, i64),
        rows: &mut [Vec<Option<Trend>>],
    ) -> Kept<()> {
        let keys: Vec<Key> = wanted.keys().map(|key| (*key).clone()).collect();
        let mut gathered: Vec<Vec<Option<(Trend, f64)>>> = rows.iter().map(|row| vec![None; row.len()]).collect();
        self.trends(period, Some(&keys), (from, to), |begins, key, trend| {
            let Some(row) = wanted.get(key).and_then(|i| gathered.get_mut(*i)) else { return };
            let (first, end) = (begins.0 - from.0, (begins.0 + period - from.0).max(0));
            for slot in first.max(0) / step..(end + step - 1) / step {
                if let Some(slot) = usize::try_from(slot).ok().and_then(|slot| row.get_mut(slot)) {
                    merge(slot, trend);
                }
            }
        })?;
        for (row, finer) in rows.iter_mut().zip(gathered) {
            for (slot, finer) in row.iter_mut().zip(finer) {
                *slot = finer.map(|(trend, _)| trend).or(*slot);
            }
        }
        Ok(())
    }

    /// Every trend of a length (one of [`STRETCHES`], milliseconds) in a stretch of time, of these keys or of all, with its beginning.
    pub fn trends(
        &self,
        period: i64,
        wanted: Option<&[Key]>,
        (from, to): (Wall, Wall),
        mut each: impl FnMut(Wall, &Key, Trend),
    ) -> Kept<()> {
        let query =
            "SELECT id FROM blocks INDEXED BY by_time WHERE kind = ?1 AND period = ?2 AND first < ?3 AND last > ?4 ORDER BY first";
        let bounds = params![Kind::Trends as i64, period, to.0, from.0.saturating_sub(period)];
        let ids: Vec<i64> = self
            .connection
            .prepare_cached(query)
            .and_then(|mut query| query.query_map(bounds, |row| row.get(0))?.collect())
            .map_err(|e| self.failed(&e))?;
        let mut read = |batch: &Batch| -> Read<()> {
            let mut reader = TrendReader::for_keys(wanted);
            let within = |begins: Wall| begins < to && begins.0 + period > from.0;
            batch.records().try_for_each(|record| {
                reader.read(record, |begins, key, trend| {
                    if within(begins) {
                        each(begins, key, trend);
                    }
                })
            })
        };
        for id in ids {
            if let Some(batch) = self.block(id)? {
                read(&batch).map_err(|e| self.broken(&e.to_string()))?;
            }
        }
        read(&self.left(Kind::Trends, period)?).map_err(|e| self.broken(&e.to_string()))
    }

    /// Findings raised and ended, and deeds, in a stretch of time, oldest first.
    pub fn marks(&self, from: Wall, to: Wall) -> Kept<Vec<Mark>> {
        let mut marks = Vec::new();
        self.each_mark(mark::EVENT, (from, to), |_, bytes| marks.extend(serde_json::from_slice::<Mark>(bytes).ok()))?;
        let mut changes: BTreeMap<ChangeId, Change> = BTreeMap::new();
        for (_, entry) in self.deeds(to)? {
            if let Some(change) = fold(&mut changes, &entry).filter(|_| entry.now.wall >= from) {
                let text = format!("{} {}: {}", change.id, entry.deed.words(), change.proposal.title);
                marks.push(Mark { at: entry.now.wall, event: Event::Moved(change.id, change.state), text });
            }
        }
        marks.sort_by_key(|mark| mark.at);
        Ok(marks)
    }

    /// Every deed up to and with `to`, with its number in the journal, oldest first.
    pub fn deeds(&self, to: Wall) -> Kept<Vec<(u64, Entry)>> {
        let mut entries: Vec<(u64, Entry)> = Vec::new();
        self.each_mark(mark::DEED, (Wall(i64::MIN), to), |number, bytes| {
            entries.extend(number.zip(serde_json::from_slice(bytes).ok()));
        })?;
        entries.sort_by_key(|(number, _)| *number);
        Ok(entries)
    }

    fn each_mark(&self, kind: i64, (from, to): (Wall, Wall), mut each: impl FnMut(Option<u64>, &[u8])) -> Kept<()> {
        let query = "SELECT entry, body FROM marks WHERE kind = ?1 AND at BETWEEN ?2 AND ?3 ORDER BY at, id";
        let mut query = self.connection.prepare_cached(query).map_err(|e| self.failed(&e))?;
        let mut rows = query.query((kind, from.0, to.0)).map_err(|e| self.failed(&e))?;
        while let Some(row) = rows.next().map_err(|e| self.failed(&e))? {
            let read = || -> rusqlite::Result<_> { Ok((row.get(0)?, Record::unseal(row.get_ref(1)?.as_blob()?))) };
            match read().map_err(|e| self.failed(&e))? {
                (number, Ok(record)) => each(number, &record.bytes),
                (_, Err(_)) => self.damaged.set(self.damaged.get() + 1),
            }
        }
        Ok(())
    }

    /// Every key of which trends are kept in that stretch of time.
    pub fn keys(&self, from: Wall, to: Wall) -> Kept<Vec<Key>> {
        let mut keys = BTreeSet::new();
        let [shortest, ..] = STRETCHES;
        self.trends(shortest, None, (from, to), |_, key, _| {
            if !keys.contains(key) {
                keys.insert(key.clone());
            }
        })?;
        Ok(keys.into_iter().collect())
    }

    fn failed(&self, source: &rusqlite::Error) -> StoreError {
        StoreError::sql(&self.path, "read", source)
    }

    fn broken(&self, why: &str) -> StoreError {
        StoreError::plain(&self.path, crate::store::error::Trouble::Damaged, why)
    }
}

/// Takes an entry into the changes; the change as it is then.
pub fn fold<'c>(changes: &'c mut BTreeMap<ChangeId, Change>, entry: &Entry) -> Option<&'c Change> {
    match Change::begin(entry) {
        Some(change) => {
            changes.insert(entry.change, change);
        }
        None => changes.get_mut(&entry.change)?.take(entry).ok()?,
    }
    changes.get(&entry.change)
}

fn place_before(period: i64, batch: Batch, at: Wall) -> Option<Spot> {
    let index = batch.times.partition_point(|time| *time <= at).checked_sub(1)?;
    let at = *batch.times.get(index)?;
    Some(Spot { period, batch, index, at })
}

fn place_after(period: i64, batch: Batch, at: Wall) -> Option<Spot> {
    let index = batch.times.partition_point(|time| *time < at);
    let at = *batch.times.get(index)?;
    Some(Spot { period, batch, index, at })
}

fn merge(slot: &mut Option<(Trend, f64)>, trend: Trend) {
    *slot = Some(match slot {
        None => (trend, 1.0),
        Some((known, count)) => {
            let mean = (known.mean * *count + trend.mean) / (*count + 1.0);
            (Trend { min: known.min.min(trend.min), mean, max: known.max.max(trend.max) }, *count + 1.0)
        }
    });
}
