//! Blocks: a minute of frames (or an hour of means) sealed together, compressed, under one checksum. Until it is full, its records stand
//! in the file one by one, each under its own, so that a crash takes at most the last.

use super::bytes::{Cursor, Damaged, Read, put, put_bytes, put_signed};
use crate::model::time::Wall;

/// Version of the codec. Each block says its own, so that older ones stay readable beside newer ones.
const CODEC: u8 = 1;

/// The usual level of zstd; what a stored sweep costs with it is measured by `benches/history.rs`.
const LEVEL: i32 = 3;

/// A block unpacked is never greater.
const MOST: usize = 64 << 20;

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A frame.
    Frames = 0,
    /// Least, mean and greatest values over a stretch of time.
    Trends = 1,
}

/// Records that build on each other, the first on nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The first record repeats the last one of the batch before, so that the second has something to be compared with.
    pub echo: bool,
    /// When each record was, the echo's left out.
    pub times: Vec<Wall>,
    /// The records one after the other, each after its length.
    pub records: Vec<u8>,
}

impl Batch {
    /// Adds a record.
    pub fn push(&mut self, record: &Record) {
        match record.echo {
            true => self.echo = true,
            false => self.times.push(record.at),
        }
        put_bytes(&mut self.records, &record.bytes);
    }

    /// The records, the echo first if there is one.
    pub fn records(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = Cursor(&self.records);
        std::iter::from_fn(move || if rest.is_empty() { None } else { rest.bytes().ok() })
    }

    /// Compresses it.
    pub fn seal(&self) -> Read<Vec<u8>> {
        let mut out = vec![0; 4];
        out.push(CODEC);
        out.push(self.echo.into());
        put(&mut out, self.times.len() as u64);
        let mut before = 0;
        for at in &self.times {
            put_signed(&mut out, at.0.wrapping_sub(before));
            before = at.0;
        }
        put(&mut out, self.records.len() as u64);
        let packed = zstd::bulk::compress(&self.records, LEVEL).map_err(|e| Damaged(format!("cannot be compressed: {e}")))?;
        out.extend_from_slice(&packed);
        Ok(summed(out))
    }

    /// Unpacks what [`Batch::seal`] made.
    pub fn unseal(bytes: &[u8]) -> Read<Batch> {
        let mut from = proved(bytes)?;
        let echo = from.byte()? != 0;
        let (mut times, mut before) = (Vec::new(), 0_i64);
        for _ in 0..from.count()? {
            before = before.wrapping_add(from.signed()?);
            times.push(Wall(before));
        }
        let length = usize::try_from(from.number()?).ok().filter(|length| *length <= MOST);
        let length = length.ok_or_else(|| Damaged("it would be too great".into()))?;
        let records = zstd::bulk::decompress(from.0, length).map_err(|e| Damaged(e.to_string()))?;
        if records.len() == length { Ok(Batch { echo, times, records }) } else { Err(Damaged("it is too short".into())) }
    }
}

/// One record of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// When.
    pub at: Wall,
    /// See [`Batch::echo`].
    pub echo: bool,
    /// The record itself.
    pub bytes: Vec<u8>,
}

impl Record {
    /// For a row of its own.
    pub fn seal(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len() + 16);
        out.extend_from_slice(&[0, 0, 0, 0, CODEC, self.echo.into()]);
        put_signed(&mut out, self.at.0);
        out.extend_from_slice(&self.bytes);
        summed(out)
    }

    /// Unpacks what [`Record::seal`] made.
    pub fn unseal(bytes: &[u8]) -> Read<Record> {
        let mut from = proved(bytes)?;
        let echo = from.byte()? != 0;
        Ok(Record { echo, at: Wall(from.signed()?), bytes: from.0.to_vec() })
    }
}

/// Puts the checksum of all that follows into the first four bytes.
fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = crc32fast::hash(bytes.get(4..).unwrap_or_default());
    if let Some(head) = bytes.first_chunk_mut() {
        *head = sum.to_le_bytes();
    }
    bytes
}

/// What follows checksum and version, if both are right.
fn proved(bytes: &[u8]) -> Read<Cursor<'_>> {
    let (sum, rest) = bytes.split_first_chunk().ok_or_else(|| Damaged("it ends too early".into()))?;
    if u32::from_le_bytes(*sum) != crc32fast::hash(rest) {
        return Err(Damaged("its checksum is wrong".into()));
    }
    let mut from = Cursor(rest);
    match from.byte()? {
        CODEC => Ok(from),
        newer => Err(Damaged(format!("it has codec {newer}, this trimtab knows {CODEC}"))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record() -> impl Strategy<Value = Record> {
        (any::<i64>(), prop::collection::vec(any::<u8>(), 0..60)).prop_map(|(at, bytes)| Record {
            at: Wall(at),
            echo: false,
            bytes,
        })
    }

    proptest! {
        #[test]
        fn a_block_comes_back_and_no_flip_or_cut_of_it_does(
            echo: bool,
            records in prop::collection::vec(record(), 0..8),
            flip: prop::sample::Index,
            bit in 0..8,
            cut: prop::sample::Index,
        ) {
            let mut batch = Batch::default();
            if echo {
                batch.push(&Record { echo: true, bytes: vec![7; 3], ..Record::default() });
            }
            records.iter().for_each(|record| batch.push(record));
            let sealed = batch.seal().unwrap();
            prop_assert_eq!(&Batch::unseal(&sealed).unwrap(), &batch);
            prop_assert_eq!(batch.records().count(), records.len() + usize::from(echo));
            let mut flipped = sealed.clone();
            flipped[flip.index(sealed.len())] ^= 1_u8 << bit;
            prop_assert!(Batch::unseal(&flipped).is_err());
            prop_assert!(Batch::unseal(&sealed[..cut.index(sealed.len())]).is_err());
        }

        #[test]
        fn a_record_comes_back_and_no_flip_of_it_does(record in record(), flip: prop::sample::Index, bit in 0..8) {
            let sealed = record.seal();
            prop_assert_eq!(&Record::unseal(&sealed).unwrap(), &record);
            let mut flipped = sealed.clone();
            flipped[flip.index(sealed.len())] ^= 1_u8 << bit;
            prop_assert!(Record::unseal(&flipped).is_err());
        }
    }
}
