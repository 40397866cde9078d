//! Lists that are stored row by row: of thousands of processes those that did nothing since the last frame cost nothing.

use super::{
    bytes::{Cursor, Damaged, Read, fold, put, unfold},
    form::{Heard, Value},
    pack::Packer,
    unpack::unpack,
};
use crate::model::{
    sample::{CgroupSample, ProcessSample},
    subject::ProcessId,
};
use serde::{Serialize, de::DeserializeOwned};

/// A row with an identity. Its list is sorted by that.
pub trait Row: Clone + PartialEq + Serialize + DeserializeOwned {
    /// What makes it the same row from frame to frame.
    type Key<'a>: Ord
    where
        Self: 'a;

    /// Its identity.
    fn key(&self) -> Self::Key<'_>;
}

impl Row for ProcessSample {
    type Key<'a> = ProcessId;
    fn key(&self) -> ProcessId {
        self.id
    }
}

impl Row for CgroupSample {
    type Key<'a> = &'a str;
    fn key(&self) -> &str {
        &self.path
    }
}

/// True when the rows are in the order of their identities, each there once: others are stored as one value.
pub fn is_sorted<R: Row>(rows: &[R]) -> bool {
    rows.is_sorted_by(|a, b| a.key() < b.key())
}

/// What a writer knows of a list: under which number each row of the last frame goes, and its value.
#[derive(Debug, Default)]
pub struct RowWriter {
    /// Numbers of the rows of the last frame, in their order.
    numbers: Vec<u32>,
    /// Values by number.
    values: Vec<Value>,
}

impl RowWriter {
    /// Writes what has changed from `before` (as written last) to `now`: rows that went, then rows that came or are not as they were.
    pub fn write<R: Row>(&mut self, packer: &mut Packer, before: &[R], now: &[R], out: &mut Vec<u8>) -> Read<()> {
        let (mut numbers, mut gone, mut changed) = (Vec::with_capacity(now.len()), Vec::new(), Vec::new());
        let mut next = self.values.len() as u32;
        let mut old = before.iter().zip(std::mem::take(&mut self.numbers)).peekable();
        for row in now {
            while let Some((_, number)) = old.next_if(|(was, _)| was.key() < row.key()) {
                gone.push(number);
            }
            match old.next_if(|(was, _)| was.key() == row.key()) {
                Some((was, number)) => {
                    numbers.push(number);
                    if was != row {
                        changed.push((number, row));
                    }
                }
                None => {
                    numbers.push(next);
                    changed.push((next, row));
                    next += 1;
                }
            }
        }
        gone.extend(old.map(|(_, number)| number));
        self.numbers = numbers;
        put(out, gone.len() as u64);
        gone.iter().for_each(|number| put(out, (*number).into()));
        put(out, changed.len() as u64);
        for (number, row) in changed {
            let value = packer.pack(row)?;
            put(out, number.into());
            let was = self.values.get_mut(number as usize);
            write_value(was.as_deref(), &value, out);
            match was {
                Some(was) => *was = value,
                None => self.values.push(value),
            }
        }
        Ok(())
    }
}

/// Writes a value as the difference to the one before where both have the same form.
pub fn write_value(was: Option<&Value>, value: &Value, out: &mut Vec<u8>) {
    match was.filter(|was| was.form == value.form && was.cells.len() == value.cells.len()) {
        Some(was) => {
            put(out, u64::from(value.form) << 1 | 1);
            let changed = was.cells.iter().zip(&value.cells).filter(|(was, is)| was != is).count();
            put(out, changed as u64);
            let mut skipped = 0;
            for (was, is) in was.cells.iter().zip(&value.cells) {
                if was == is {
                    skipped += 1;
                } else {
                    put(out, skipped);
                    put(out, fold(is.wrapping_sub(*was).cast_signed()));
                    skipped = 0;
                }
            }
        }
        None => {
            put(out, u64::from(value.form) << 1);
            put(out, value.cells.len() as u64);
            value.cells.iter().for_each(|cell| put(out, *cell));
        }
    }
}

/// Reads what [`write_value`] wrote, into the value before.
pub fn read_value(from: &mut Cursor<'_>, value: &mut Value) -> Read<()> {
    let head = from.number()?;
    let form = u32::try_from(head >> 1).map_err(|_| Damaged("a form's number is too great".into()))?;
    if head & 1 == 0 {
        let count = from.count()?;
        value.form = form;
        value.cells.clear();
        for _ in 0..count {
            value.cells.push(from.number()?);
        }
        return Ok(());
    }
    if form != value.form {
        return Err(Damaged("a difference to a value of another form".into()));
    }
    let mut place = 0_usize;
    for _ in 0..from.count()? {
        let skipped = usize::try_from(from.number()?).unwrap_or(usize::MAX);
        place = place.saturating_add(skipped);
        let cell = value.cells.get_mut(place).ok_or_else(|| Damaged("a difference beyond the value".into()))?;
        *cell = cell.wrapping_add(unfold(from.number()?).cast_unsigned());
        place += 1;
    }
    Ok(())
}

/// One row as a reader holds it: its value, and the row once it was asked for.
#[derive(Clone, Debug)]
struct Held<R> {
    value: Value,
    row: Option<R>,
    alive: bool,
}

/// What a reader knows of a list.
#[derive(Clone, Debug)]
pub struct RowReader<R> {
    held: Vec<Held<R>>,
}

impl<R> Default for RowReader<R> {
    fn default() -> Self {
        RowReader { held: Vec::new() }
    }
}

impl<R: Row> RowReader<R> {
    /// Reads what [`RowWriter::write`] wrote.
    pub fn read(&mut self, from: &mut Cursor<'_>) -> Read<()> {
        for _ in 0..from.count()? {
            let number = from.number()?;
            self.at(number)?.alive = false;
        }
        for _ in 0..from.count()? {
            let number = from.number()?;
            if number == self.held.len() as u64 {
                self.held.push(Held { value: Value { form: u32::MAX, cells: Vec::new() }, row: None, alive: true });
            }
            let held = self.at(number)?;
            read_value(from, &mut held.value)?;
            held.row = None;
        }
        Ok(())
    }

    fn at(&mut self, number: u64) -> Read<&mut Held<R>> {
        let held = usize::try_from(number).ok().and_then(|n| self.held.get_mut(n));
        held.ok_or_else(|| Damaged(format!("there is no row {number}")))
    }

    /// The list as it stands now.
    pub fn rows(&mut self, heard: &Heard) -> Read<Vec<R>> {
        let mut all = Vec::with_capacity(self.held.len());
        for held in self.held.iter_mut().filter(|held| held.alive) {
            let row = match &held.row {
                Some(row) => row.clone(),
                None => unpack(heard, &held.value)?,
            };
            held.row = Some(row.clone());
            all.push(row);
        }
        all.sort_by(|a, b| a.key().cmp(&b.key()));
        Ok(all)
    }
}
