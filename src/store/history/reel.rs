//! Frames as bytes and back: within a block the first one is whole, each other is what changed since.

use super::{
    bytes::{Cursor, Damaged, Read, put, put_bytes, put_signed},
    form::{Heard, Value},
    frame::{Frame, Own, Reading, Readings},
    pack::Packer,
    rows::{RowReader, RowWriter, is_sorted, read_value, write_value},
    unpack::unpack,
};
use crate::model::{
    facts::Facts,
    finding::Finding,
    sample::{CgroupSample, ProcessSample, Sample, SourceName},
    text::clean,
    time::{Now, Tick, Wall},
};
use serde::{Deserialize, de::IntoDeserializer};
use std::{collections::BTreeMap, sync::Arc};

/// Longest text that is read back; longer ones are cut.
const TEXT: usize = 1 << 16;

/// What stands in a part: why a reading failed, one value, or rows.
mod body {
    pub const FAILED: u64 = 0;
    pub const WHOLE: u64 = 1;
    pub const ROWS: u64 = 2;
}

/// Parts that are no readings begin with a sign that no source's name has.
const FACTS: &str = "=facts";
const FINDINGS: &str = "=findings";
const OWN: &str = "=own";

/// What was written last of one source.
#[derive(Debug, Default)]
struct Written {
    reading: Option<Arc<Reading>>,
    whole: Option<Value>,
    rows: Option<RowWriter>,
}

/// Writes frames; one per block.
#[derive(Debug, Default)]
pub struct FrameWriter {
    packer: Packer,
    sources: BTreeMap<SourceName, Written>,
    facts: (Option<Arc<Facts>>, Option<Value>),
    findings: (Option<Arc<Vec<Finding>>>, Option<Value>),
    own: (Option<Own>, Option<Value>),
    parts: Vec<u8>,
}

impl FrameWriter {
    /// Appends the frame to `out`.
    pub fn write(&mut self, frame: &Frame, out: &mut Vec<u8>) -> Read<()> {
        self.parts.clear();
        let mut count = 0;
        for (name, reading) in &frame.readings {
            let written = self.sources.entry(*name).or_default();
            if written.reading.as_ref().is_some_and(|was| Arc::ptr_eq(was, reading) || was.at == reading.at) {
                continue;
            }
            count += 1;
            let name = format!("{name:?}");
            put(&mut self.parts, self.packer.told.string(&name).into());
            put_signed(&mut self.parts, frame.now.tick.0.wrapping_sub(reading.at.tick.0).cast_signed());
            put_signed(&mut self.parts, frame.now.wall.0.wrapping_sub(reading.at.wall.0));
            write_reading(written, &mut self.packer, reading, &mut self.parts)?;
            written.reading = Some(reading.clone());
        }
        if self.facts.0.as_ref() != Some(&frame.facts) {
            count += 1;
            write_part(&mut self.packer, FACTS, &*frame.facts, &mut self.facts.1, &mut self.parts)?;
            self.facts.0 = Some(frame.facts.clone());
        }
        if self.findings.0.as_ref() != Some(&frame.findings) {
            count += 1;
            write_part(&mut self.packer, FINDINGS, &*frame.findings, &mut self.findings.1, &mut self.parts)?;
            self.findings.0 = Some(frame.findings.clone());
        }
        if self.own.0.as_ref() != Some(&frame.own) {
            count += 1;
            write_part(&mut self.packer, OWN, &frame.own, &mut self.own.1, &mut self.parts)?;
            self.own.0 = Some(frame.own.clone());
        }
        put_signed(out, frame.now.wall.0);
        put(out, frame.now.tick.0);
        let told = &mut self.packer.told;
        put(out, told.new_strings.len() as u64);
        told.new_strings.drain(..).for_each(|text| put_bytes(out, text.as_bytes()));
        put(out, told.new_forms.len() as u64);
        told.new_forms.drain(..).for_each(|form| put_bytes(out, &form));
        put(out, count);
        out.extend_from_slice(&self.parts);
        Ok(())
    }
}

fn write_reading(written: &mut Written, packer: &mut Packer, reading: &Reading, out: &mut Vec<u8>) -> Read<()> {
    let before = written.reading.as_ref().map(|was| &was.sample);
    match &reading.sample {
        Err(why) => {
            put(out, body::FAILED);
            put(out, packer.told.string(why).into());
            *written = Written::default();
            Ok(())
        }
        Ok(Sample::Processes(rows)) if is_sorted(rows) => {
            let before = if let Some(Ok(Sample::Processes(rows))) = before { rows.as_slice() } else { &[] };
            // The reader lets a value go when rows come in its place.
            written.whole = None;
            write_rows(&mut written.rows, |writer| {
                put(out, body::ROWS);
                writer.write(packer, before, rows, out)
            })
        }
        Ok(Sample::Cgroups(rows)) if is_sorted(rows) => {
            let before = if let Some(Ok(Sample::Cgroups(rows))) = before { rows.as_slice() } else { &[] };
            // The reader lets a value go when rows come in its place.
            written.whole = None;
            write_rows(&mut written.rows, |writer| {
                put(out, body::ROWS);
                writer.write(packer, before, rows, out)
            })
        }
        Ok(sample) => {
            let value = packer.pack(sample)?;
            put(out, body::WHOLE);
            write_value(written.whole.as_ref(), &value, out);
            *written = Written { whole: Some(value), ..Written::default() };
            Ok(())
        }
    }
}

fn write_rows(rows: &mut Option<RowWriter>, write: impl FnOnce(&mut RowWriter) -> Read<()>) -> Read<()> {
    write(rows.get_or_insert_default())
}

fn write_part(
    packer: &mut Packer,
    name: &str,
    part: &impl serde::Serialize,
    was: &mut Option<Value>,
    out: &mut Vec<u8>,
) -> Read<()> {
    let value = packer.pack(part)?;
    put(out, packer.told.string(name).into());
    put_signed(out, 0);
    put_signed(out, 0);
    put(out, body::WHOLE);
    write_value(was.as_ref(), &value, out);
    *was = Some(value);
    Ok(())
}

/// What was read last of one part.
#[derive(Clone, Debug)]
struct Part {
    at: Now,
    state: State,
    /// The reading, once it was asked for.
    made: Option<Arc<Reading>>,
}

#[derive(Clone, Debug)]
enum State {
    Failed(Arc<str>),
    Whole(Value),
    Processes(RowReader<ProcessSample>),
    Cgroups(RowReader<CgroupSample>),
}

/// Reads frames one after the other; [`FrameReader::frame`] makes the one that was read last.
#[derive(Clone, Debug, Default)]
pub struct FrameReader {
    heard: Heard,
    now: Now,
    parts: BTreeMap<Arc<str>, Part>,
    facts: Option<Arc<Facts>>,
    findings: Option<Arc<Vec<Finding>>>,
}

impl FrameReader {
    /// Takes the next frame of the block.
    pub fn read(&mut self, bytes: &[u8]) -> Read<()> {
        let mut from = Cursor(bytes);
        self.now = Now { wall: Wall(from.signed()?), tick: Tick(from.number()?) };
        for _ in 0..from.count()? {
            let text = std::str::from_utf8(from.bytes()?).map_err(|_| Damaged("a text is no text".into()))?;
            // A file may come from anywhere: what is in it must not reach a terminal either.
            self.heard.strings.push(clean(text, TEXT));
        }
        for _ in 0..from.count()? {
            self.heard.forms.push(from.bytes()?.into());
        }
        for _ in 0..from.count()? {
            self.read_part(&mut from)?;
        }
        if from.is_empty() { Ok(()) } else { Err(Damaged("there is more than a frame".into())) }
    }

    fn read_part(&mut self, from: &mut Cursor<'_>) -> Read<()> {
        let name = self.heard.string(from.number()?)?.clone();
        let tick = self.now.tick.0.wrapping_sub(from.signed()?.cast_unsigned());
        let at = Now { tick: Tick(tick), wall: Wall(self.now.wall.0.wrapping_sub(from.signed()?)) };
        let before = self.parts.remove(&name).map(|part| part.state);
        let state = match from.number()? {
            body::FAILED => State::Failed(self.heard.string(from.number()?)?.clone()),
            body::WHOLE => {
                let mut value =
                    if let Some(State::Whole(value)) = before { value } else { Value { form: u32::MAX, cells: vec![] } };
                read_value(from, &mut value)?;
                State::Whole(value)
            }
            body::ROWS if &*name == "Processes" => {
                let mut rows = if let Some(State::Processes(rows)) = before { rows } else { RowReader::default() };
                rows.read(from)?;
                State::Processes(rows)
            }
            body::ROWS if &*name == "Cgroups" => {
                let mut rows = if let Some(State::Cgroups(rows)) = before { rows } else { RowReader::default() };
                rows.read(from)?;
                State::Cgroups(rows)
            }
            other => return Err(Damaged(format!("a part {name} of kind {other}"))),
        };
        match &*name {
            FACTS => self.facts = None,
            FINDINGS => self.findings = None,
            _ => {}
        }
        self.parts.insert(name, Part { at, state, made: None });
        Ok(())
    }

    /// When the frame that was read last was.
    pub fn now(&self) -> Now {
        self.now
    }

    /// The frame that was read last. What of it is not understood, since another version wrote it, is a gap and not the end.
    pub fn frame(&mut self) -> Frame {
        self.make(|_| true)
    }

    /// The same without the lists that are stored row by row: they are read in each sweep, so whoever looks for what was read some time
    /// ago does not need them.
    pub fn sketch(&mut self) -> Frame {
        self.make(|state| !matches!(state, State::Processes(_) | State::Cgroups(_)))
    }

    fn make(&mut self, wanted: impl Fn(&State) -> bool) -> Frame {
        let mut readings = Readings::new();
        let mut own = Own::default();
        let heard = &self.heard;
        for (name, part) in self.parts.iter_mut().filter(|(_, part)| wanted(&part.state)) {
            match (&**name, &part.state) {
                (FACTS, State::Whole(value)) => {
                    self.facts.get_or_insert_with(|| Arc::new(unpack(heard, value).unwrap_or_default()));
                }
                (FINDINGS, State::Whole(value)) => {
                    self.findings.get_or_insert_with(|| Arc::new(unpack(heard, value).unwrap_or_default()));
                }
                (OWN, State::Whole(value)) => own = unpack(heard, value).unwrap_or_default(),
                _ => {
                    if let Some(name) = source(name) {
                        readings.insert(name, make(heard, part));
                    }
                }
            }
        }
        let (facts, findings) = (self.facts.clone().unwrap_or_default(), self.findings.clone().unwrap_or_default());
        Frame { now: self.now, readings, facts, findings, own }
    }
}

fn make(heard: &Heard, part: &mut Part) -> Arc<Reading> {
    if let Some(made) = &part.made {
        return made.clone();
    }
    let sample = match &mut part.state {
        State::Failed(why) => Err(why.clone()),
        State::Whole(value) => unpack(heard, value).map_err(foreign),
        State::Processes(rows) => rows.rows(heard).map(|rows| Sample::Processes(Arc::new(rows))).map_err(foreign),
        State::Cgroups(rows) => rows.rows(heard).map(Sample::Cgroups).map_err(foreign),
    };
    let made = Arc::new(Reading { at: part.at, sample });
    part.made = Some(made.clone());
    made
}

fn foreign(why: Damaged) -> Arc<str> {
    format!("stored by another version of trimtab: {why}").into()
}

/// The source of that name; `None` for one that this version does not know.
fn source(name: &str) -> Option<SourceName> {
    let name: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
    SourceName::deserialize(name).ok()
}
