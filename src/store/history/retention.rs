//! How a history stays within its bytes: each kind of block has a share of them, and when there is no room left, the oldest block of
//! whoever is furthest above its share goes. So the finest frames fill whatever the others leave, and go first.

use super::{
    block::Kind,
    writer::{STRETCHES, TIERS},
};
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;

/// The share of each tier of frames, of trends.
const FRAMES: [f64; 4] = [0.5, 0.15, 0.08, 0.05];
const TRENDS: [f64; 3] = [0.12, 0.06, 0.04];

/// Room for the log beside the file.
const LOG: u64 = 2 << 20;

/// The least that a history may have.
pub const LEAST: u64 = 8 << 20;

/// Who takes how much of the budget.
#[derive(Debug)]
pub struct Shelf {
    budget: u64,
    used: HashMap<(Kind, i64), u64>,
}

impl Shelf {
    /// What is there already.
    pub fn measure(connection: &Connection, bytes: u64) -> rusqlite::Result<Shelf> {
        let mut query =
            connection.prepare("SELECT kind, period, sum(size) FROM blocks INDEXED BY by_time GROUP BY kind, period")?;
        let mut rows = query.query([])?;
        let mut used = HashMap::new();
        while let Some(row) = rows.next()? {
            let kind = if row.get::<_, i64>(0)? == Kind::Trends as i64 { Kind::Trends } else { Kind::Frames };
            used.insert((kind, row.get(1)?), row.get(2)?);
        }
        Ok(Shelf { budget: bytes.max(LEAST) - LOG, used })
    }

    /// A block was stored.
    pub fn put(&mut self, kind: (Kind, i64), bytes: usize) {
        *self.used.entry(kind).or_default() += bytes as u64;
    }

    /// Drops old blocks until so many bytes more fit in.
    pub fn make_room(&mut self, connection: &Connection, bytes: usize) -> rusqlite::Result<()> {
        // A page more for each few that a block takes, and for the records that are not sealed yet.
        let need = bytes as u64 * 9 / 8 + self.budget / 64;
        let mut dropped = false;
        while occupied(connection)? + need > self.budget {
            let Some((kind, period)) = self.greatest() else { break };
            self.drop_oldest(connection, (kind, period))?;
            dropped = true;
        }
        if dropped {
            forget_marks(connection)?;
            // Pages are used again; they are only given back when the budget has become smaller.
            let pages: u64 = pragma(connection, "page_count")?;
            let above = pages.saturating_sub(self.budget / pragma(connection, "page_size")?.max(1));
            if above > 0 {
                connection.execute_batch(&format!("PRAGMA incremental_vacuum({above})"))?;
            }
        }
        Ok(())
    }

    /// Who is furthest above its share, the finer one of two that are equal.
    fn greatest(&self) -> Option<(Kind, i64)> {
        let shares = TIERS.iter().zip(FRAMES).map(|(period, share)| ((Kind::Frames, *period), share));
        let shares = shares.chain(STRETCHES.iter().zip(TRENDS).map(|(period, share)| ((Kind::Trends, *period), share)));
        let above = shares.filter_map(|(kind, share)| {
            let used = self.used.get(&kind).filter(|used| **used > 0)?;
            Some((kind, *used as f64 / share))
        });
        above.reduce(|most, next| if next.1 > most.1 { next } else { most }).map(|(kind, _)| kind)
    }

    fn drop_oldest(&mut self, connection: &Connection, (kind, period): (Kind, i64)) -> rusqlite::Result<()> {
        let oldest = "SELECT id, size FROM blocks WHERE kind = ?1 AND period = ?2 ORDER BY first LIMIT 1";
        let found = connection
            .prepare_cached(oldest)?
            .query_row((kind as i64, period), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, u64>(1)?)))
            .optional()?;
        let used = self.used.entry((kind, period)).or_default();
        match found {
            Some((id, size)) => {
                connection.prepare_cached("DELETE FROM blocks WHERE id = ?1")?.execute([id])?;
                *used = used.saturating_sub(size);
            }
            None => *used = 0,
        }
        Ok(())
    }
}

/// Bytes of the file's pages that hold something.
fn occupied(connection: &Connection) -> rusqlite::Result<u64> {
    let pages: u64 = pragma(connection, "page_count")?;
    Ok(pages.saturating_sub(pragma(connection, "freelist_count")?) * pragma(connection, "page_size")?)
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    connection.prepare_cached(&format!("PRAGMA {name}"))?.query_row([], |row| row.get(0))
}

/// Marks of a time of which nothing else is kept mean nothing.
fn forget_marks(connection: &Connection) -> rusqlite::Result<()> {
    let oldest = "DELETE FROM marks WHERE entry IS NULL AND at < (SELECT min(first) FROM blocks INDEXED BY by_time)";
    connection.prepare_cached(oldest)?.execute([]).map(drop)
}
