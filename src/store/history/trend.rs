//! Trends: least, mean and greatest value of each kept number over ten seconds, a minute, ten minutes. A chart over hours reads these,
//! and no peak is lost in them.

use super::bytes::{Cursor, Damaged, Read, put, put_bytes, put_signed};
use crate::model::{metric::Key, past::Trend, readings, snapshot::Snapshot, subject::Subject, time::Wall};
use std::collections::{HashMap, HashSet};

/// Keys of processes in one stretch at most: whoever comes first, since a busy host has too many.
const CROWD: usize = 384;

/// Keys of anything else at most.
const MOST: usize = 4096;

/// Values of one key over a stretch.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Gathered {
    min: f64,
    max: f64,
    sum: f64,
    count: f64,
}

impl Gathered {
    fn one(value: f64) -> Gathered {
        Gathered { min: value, max: value, sum: value, count: 1.0 }
    }

    fn add(&mut self, other: &Gathered) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
        self.count += other.count;
    }
}

/// What is gathered of a stretch that is not over.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    begins: Option<Wall>,
    all: HashMap<Key, Gathered>,
    crowd: usize,
}

/// When the stretch of that length around `at` begins.
pub fn beginning(at: Wall, period: i64) -> Wall {
    Wall(at.0 - at.0.rem_euclid(period.max(1)))
}

impl Stretch {
    /// When it begins, if anything is in it.
    pub fn begins(&self) -> Option<Wall> {
        self.begins
    }

    /// Takes every number of a snapshot in; the stretch begins at `begins` if it is empty.
    pub fn take(&mut self, begins: Wall, snapshot: &Snapshot) {
        self.begins.get_or_insert(begins);
        readings::snapshot(snapshot, &mut |key, value| {
            if value.is_finite() {
                self.add(key, &Gathered::one(value));
            }
        });
    }

    /// Takes a trend that was stored in.
    pub fn restore(&mut self, begins: Wall, key: &Key, trend: Trend) {
        self.begins.get_or_insert(begins);
        self.add(key.clone(), &Gathered { min: trend.min, max: trend.max, sum: trend.mean, count: 1.0 });
    }

    /// Takes a shorter stretch in.
    pub fn merge(&mut self, begins: Wall, shorter: &Stretch) {
        self.begins.get_or_insert(begins);
        for (key, gathered) in &shorter.all {
            self.add(key.clone(), gathered);
        }
    }

    fn add(&mut self, key: Key, gathered: &Gathered) {
        if let Some(known) = self.all.get_mut(&key) {
            known.add(gathered);
            return;
        }
        let of_process = matches!(key.subject, Subject::Process(_));
        if (of_process && self.crowd >= CROWD) || self.all.len() >= MOST {
            return;
        }
        self.crowd += usize::from(of_process);
        self.all.insert(key, *gathered);
    }
}

/// Writes stretches; one per block.
#[derive(Debug, Default)]
pub struct TrendWriter {
    keys: HashMap<Key, u32>,
}

impl TrendWriter {
    /// Appends the stretch to `out`.
    pub fn write(&mut self, stretch: &Stretch, out: &mut Vec<u8>) -> Read<()> {
        put_signed(out, stretch.begins.unwrap_or_default().0);
        let mut rows: Vec<(u32, &Gathered)> = Vec::with_capacity(stretch.all.len());
        let mut fresh = Vec::new();
        for (key, gathered) in &stretch.all {
            let next = self.keys.len() as u32;
            let number = *self.keys.entry(key.clone()).or_insert_with(|| {
                fresh.push(key);
                next
            });
            rows.push((number, gathered));
        }
        rows.sort_unstable_by_key(|(number, _)| *number);
        put(out, fresh.len() as u64);
        for key in fresh {
            put_bytes(out, &serde_json::to_vec(key).map_err(|e| Damaged(e.to_string()))?);
        }
        put(out, rows.len() as u64);
        let mut before = 0;
        for (number, _) in &rows {
            put(out, (number - before).into());
            before = *number;
        }
        // Equal bytes of many floats side by side compress well: their signs and exponents are alike, their last bits are not.
        for column in [|g: &Gathered| g.min, |g: &Gathered| g.sum / g.count, |g: &Gathered| g.max] {
            let floats: Vec<[u8; 4]> = rows.iter().map(|(_, gathered)| (column(gathered) as f32).to_be_bytes()).collect();
            for byte in 0..4 {
                out.extend(floats.iter().filter_map(|float| float.get(byte)));
            }
        }
        Ok(())
    }
}

/// Reads stretches one after the other.
#[derive(Debug, Default)]
pub struct TrendReader {
    /// Keys as they are stored, where not all are wanted: comparing bytes is cheaper than reading keys.
    wanted: Option<HashSet<Vec<u8>>>,
    /// The block's keys by number; those that are not wanted are `None`.
    keys: Vec<Option<Key>>,
}

impl TrendReader {
    /// For these keys, or for all.
    pub fn for_keys(keys: Option<&[Key]>) -> TrendReader {
        let bytes = |key: &Key| serde_json::to_vec(key).unwrap_or_default();
        TrendReader { wanted: keys.map(|keys| keys.iter().map(bytes).collect()), keys: Vec::new() }
    }

    /// Takes the next stretch of the block: when it begins, and `each` of its trends.
    pub fn read(&mut self, bytes: &[u8], mut each: impl FnMut(Wall, &Key, Trend)) -> Read<()> {
        let mut from = Cursor(bytes);
        let begins = Wall(from.signed()?);
        for _ in 0..from.count()? {
            let bytes = from.bytes()?;
            let wanted = self.wanted.as_ref().is_none_or(|wanted| wanted.contains(bytes));
            let key = wanted.then(|| serde_json::from_slice(bytes)).transpose().map_err(|e| Damaged(e.to_string()))?;
            self.keys.push(key);
        }
        let count = from.count()?;
        let (mut numbers, mut number) = (Vec::with_capacity(count), 0_u64);
        for _ in 0..count {
            number = number.saturating_add(from.number()?);
            numbers.push(number);
        }
        let columns = [from.take(4 * count)?, from.take(4 * count)?, from.take(4 * count)?];
        for (row, number) in numbers.into_iter().enumerate() {
            let key = usize::try_from(number).ok().and_then(|n| self.keys.get(n));
            let Some(key) = key.ok_or_else(|| Damaged(format!("there is no key {number}")))? else { continue };
            let [min, mean, max] = columns.map(|column| float(column, row, count));
            each(begins, key, Trend { min, mean, max });
        }
        Ok(())
    }
}

/// The float of a row: its bytes stand `count` apart.
fn float(column: &[u8], row: usize, count: usize) -> f64 {
    let byte = |plane: usize| column.get(plane * count + row).copied().unwrap_or_default();
    f32::from_be_bytes([byte(0), byte(1), byte(2), byte(3)]).into()
}
