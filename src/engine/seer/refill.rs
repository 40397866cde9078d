//! What the history knows goes into the ladders, so that after a restart forecasts stand at once: in pieces, newest first, each small
//! enough to fit between sweeps.

use crate::{
    engine::seer::{
        ladder::{Ladder, SCALES, number},
        shelf::Shelf,
    },
    model::{metric::Key, time::Wall},
    store::{error::StoreError, history::reader::History},
};
use std::{
    collections::{HashMap, VecDeque},
    path::Path,
};

/// A piece of the past: trends of one length, for some resolutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    /// Milliseconds of a trend.
    period: i64,
    /// Places in [`SCALES`] that it fills.
    rungs: &'static [usize],
    /// From here, in seconds since 1970.
    from: i64,
    /// Up to here.
    to: i64,
}

/// How far back trends of a length are read, and in pieces of how many seconds. The shortest trends are ten seconds, so there is
/// nothing for the finest resolution; those of ten minutes only fill what is older than those of a minute.
const READ: [(i64, &[usize], i64, i64); 3] =
    [(10_000, &[1], 7200, 3600), (60_000, &[2, 3], 3 * 86_400, 6 * 3600), (600_000, &[3], 14 * 86_400, 2 * 86_400)];

/// What is still to be read.
pub struct Refill {
    history: History,
    pieces: VecDeque<Piece>,
}

impl Refill {
    /// Reads a history up to `now`, in seconds since 1970.
    pub fn open(path: &Path, now: f64) -> Result<Refill, StoreError> {
        let history = History::open(path)?;
        let oldest = history.kept()?.map_or(i64::MAX, |(oldest, _)| oldest.0.div_euclid(1000));
        let pieces = pieces(now, oldest);
        Ok(Refill { history, pieces })
    }

    /// Reads one piece; false when there is none left.
    pub fn step(&mut self, shelf: &mut Shelf) -> Result<bool, StoreError> {
        let Some(piece) = self.pieces.pop_front() else { return Ok(false) };
        let keys: Vec<Key> = shelf.iter().map(|(key, _)| key.clone()).collect();
        for rung in piece.rungs {
            for (key, values) in read(&self.history, &keys, piece, *rung)? {
                if let Some(row) = shelf.get_mut(&key) {
                    row.ladder.backfill(*rung, values.into_iter());
                }
            }
        }
        Ok(true)
    }
}

/// The course of one number as a history knows it, without an engine; `None` where nothing of it is kept.
pub fn ladder(history: &History, key: &Key) -> Result<Option<Ladder>, StoreError> {
    let Some((oldest, newest)) = history.kept()? else { return Ok(None) };
    let end = newest.0 as f64 / 1000.0 + 1.0;
    let mut ladder = Ladder::new(end);
    let mut last = None;
    for piece in pieces(end, oldest.0.div_euclid(1000)) {
        for rung in piece.rungs {
            for (_, values) in read(history, std::slice::from_ref(key), piece, *rung)? {
                last = values.iter().map(|(at, _)| *at).fold(last, |last: Option<f64>, at| Some(last.map_or(at, |l| l.max(at))));
                ladder.backfill(*rung, values.into_iter());
            }
        }
    }
    Ok(last.map(|seen| {
        ladder.seen = seen;
        ladder
    }))
}

fn pieces(now: f64, oldest: i64) -> VecDeque<Piece> {
    let mut pieces = VecDeque::new();
    for (period, rungs, back, length) in READ {
        // Pieces end where coarse steps do.
        let end = (number(now, 600) + 1) * 600;
        let first = oldest.max(end - back);
        let mut to = end;
        while to > first {
            pieces.push_back(Piece { period, rungs, from: to - length, to });
            to -= length;
        }
    }
    pieces
}

/// Beginnings of steps in seconds since 1970, and means.
type Means = Vec<(f64, f64)>;

/// Values of these keys at a resolution.
fn read(history: &History, keys: &[Key], piece: Piece, rung: usize) -> Result<Vec<(Key, Means)>, StoreError> {
    let step = SCALES.get(rung).map_or(1, |scale| scale.step * 1000);
    let mut gathered: HashMap<Key, HashMap<i64, (f64, i64)>> = HashMap::new();
    let bounds = (Wall(piece.from * 1000), Wall(piece.to * 1000 - 1));
    history.trends(piece.period, Some(keys), bounds, |begins, key, trend| {
        // A long trend stands for every step that it covers.
        for number in begins.0.div_euclid(step)..(begins.0 + piece.period).div_euclid(step).max(begins.0.div_euclid(step) + 1) {
            if !gathered.contains_key(key) {
                gathered.insert(key.clone(), HashMap::new());
            }
            if let Some(steps) = gathered.get_mut(key) {
                let slot = steps.entry(number).or_insert((0.0, 0));
                *slot = (slot.0 + trend.mean, slot.1 + 1);
            }
        }
    })?;
    let enough = (step / piece.period).max(1);
    let values = |steps: HashMap<i64, (f64, i64)>| {
        let whole = steps.into_iter().filter(|(_, (_, count))| 2 * count >= enough);
        whole.map(|(number, (sum, count))| ((number * step) as f64 / 1000.0, sum / count as f64)).collect()
    };
    Ok(gathered.into_iter().map(|(key, steps)| (key, values(steps))).collect())
}
