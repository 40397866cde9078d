//! A snapshot file: a stretch of one history as a history of its own, small enough to be sent to somebody.
//!
//! It holds what the screen would have shown: numbers, names and command lines of processes, mount points, findings, and the journal's
//! entries on changes. It holds no environment variables and no file's content.

use super::{
    reader::History,
    trend::Stretch,
    writer::{HistoryWriter, Place, STRETCHES},
};
use crate::{model::time::Wall, store::error::StoreError};
use std::{collections::BTreeMap, path::Path};

/// Bytes that a snapshot may take.
const MOST: u64 = 256 << 20;

/// Writes what `from` has between two times, both included, into a new file; how many frames that were. Nothing is left of it if it
/// fails.
pub fn write(from: &History, file: &Path, (first, last): (Wall, Wall)) -> Result<usize, StoreError> {
    let place = Place { path: file.into(), bytes: MOST };
    let mut to = HistoryWriter::create(&place)?;
    let done = copy(from, &mut to, (first, last)).and_then(|frames| to.finish().map(|()| frames));
    if done.is_err() {
        for suffix in ["", "-wal", "-shm"] {
            // What cannot be removed is told by the error that led here.
            let _left = std::fs::remove_file(crate::store::repair::beside(file, suffix));
        }
    }
    done
}

fn copy(from: &History, to: &mut HistoryWriter, (first, last): (Wall, Wall)) -> Result<usize, StoreError> {
    to.deeds(&from.deeds(last)?)?;
    let (mut at, mut count) = (Wall(first.0.saturating_sub(1)), 0);
    while at < last {
        let mut frames = from.some_after(at)?;
        let Some(end) = frames.last() else { break };
        at = end.now.wall;
        frames.retain(|frame| frame.now.wall <= last);
        to.copy(&frames, &[])?;
        count += frames.len();
    }
    for period in STRETCHES {
        let mut stretches: BTreeMap<Wall, Stretch> = BTreeMap::new();
        from.trends(period, None, (first, last), |begins, key, trend| {
            stretches.entry(begins).or_default().restore(begins, key, trend)
        })?;
        let stretches: Vec<(i64, Stretch)> = stretches.into_values().map(|stretch| (period, stretch)).collect();
        to.copy(&[], &stretches)?;
    }
    Ok(count)
}
