//! The outline of a RON file: its fields as raw text with their places, so that each can be read by itself and one mistake does not
//! hide the next. Grammar: <https://github.com/ron-rs/ron/blob/master/docs/grammar.md>.

use crate::config::{complaint::Complaint, layer::Layer};
use ron::{error::SpannedError, extensions::Extensions, value::RawValue};
use serde::{
    Deserialize,
    de::{DeserializeOwned, Deserializer, MapAccess, Visitor},
};
use std::{fmt, ops::Range};

/// A field somewhere in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value as text.
    pub value: &'a str,
    layer: &'a Layer,
}

/// The fields of a file.
pub(super) struct Outline<'a>(Vec<Field<'a>>);

impl<'a> Outline<'a> {
    /// The field of that name.
    pub(super) fn field(&self, name: &str) -> Option<&Field<'a>> {
        self.0.iter().find(|field| field.name == name)
    }
}

impl Field<'_> {
    /// A complaint about its value as a whole.
    pub(super) fn complaint(&self, why: String) -> Complaint {
        complaint(self.layer, place(self.layer, self.value), why)
    }
}

/// Names and raw values in the order of the file. The names are not known beforehand: that is what the caller complains about.
struct Raw<'a>(Vec<(&'a str, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Vec<(&'de str, &'de RawValue)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("fields in parentheses")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    all.push(pair);
                }
                Ok(all)
            }
        }
        from.deserialize_struct("", &[], Names).map(Raw)
    }
}

/// How every piece is read: a value that may be absent is written without `Some`.
pub(super) fn options() -> ron::Options {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME)
}

/// The outline of a file; complains about unknown sections and repeated ones. `None` when it cannot be read at all.
pub(super) fn of_file<'a>(layer: &'a Layer, known: &[&str], complaints: &mut Vec<Complaint>) -> Option<Outline<'a>> {
    let raw = match options().from_str::<Raw<'a>>(&layer.text) {
        Ok(raw) => raw,
        Err(e) => {
            complaints.push(spanned(layer, &e));
            return None;
        }
    };
    let mut outline = Outline(distinct(layer, raw, complaints));
    outline.0.retain(|field| {
        let known_one = known.contains(&field.name);
        if !known_one {
            let why = format!("unknown section `{}`; there are {}", field.name, known.join(", "));
            complaints.push(complaint(layer, place(layer, field.name), why));
        }
        known_one
    });
    Some(outline)
}

/// The fields within a section.
pub(super) fn fields<'a>(section: &Field<'a>, complaints: &mut Vec<Complaint>) -> Vec<Field<'a>> {
    // The text of the value is borrowed from the file, so that places can be told from addresses.
    match options().from_str::<Raw<'a>>(section.value) {
        Ok(raw) => distinct(section.layer, raw, complaints),
        Err(e) => {
            complaints.push(section.complaint(e.code.to_string()));
            Vec::new()
        }
    }
}

fn distinct<'a>(layer: &'a Layer, raw: Raw<'a>, complaints: &mut Vec<Complaint>) -> Vec<Field<'a>> {
    let mut all: Vec<Field<'a>> = Vec::new();
    for (name, value) in raw.0 {
        if all.iter().any(|field| field.name == name) {
            complaints.push(complaint(layer, place(layer, name), format!("`{name}` stands here twice")));
        } else {
            all.push(Field { name, value: value.get_ron().trim(), layer });
        }
    }
    all
}

/// The struct with this field set and all others at their defaults.
pub(super) fn alone<T: DeserializeOwned>(field: &Field<'_>) -> Result<T, Complaint> {
    let begin = offset(field.layer, field.name);
    let end = offset(field.layer, field.value) + field.value.len();
    // The outermost parenthesis stands before every field, so that the first byte is free for one.
    let text = format!("({})", blanked(&field.layer.text, begin..end).get(1..).unwrap_or_default());
    options().from_str(&text).map_err(|e| {
        let told = spanned(field.layer, &e);
        match e.code {
            ron::Error::NoSuchStructField { .. } => told,
            // A number that goes on where its kind has ended, such as `1.5` for a count.
            ron::Error::ExpectedComma => Complaint { why: format!("`{}`: this is no value of its kind", field.name), ..told },
            _ => Complaint { why: format!("`{}`: {}", field.name, told.why), ..told },
        }
    })
}

/// The items of a list, each with its place; those that do not fit are complained about and left out.
pub(super) fn items<T: DeserializeOwned>(list: &Field<'_>, complaints: &mut Vec<Complaint>) -> Vec<(T, Complaint)> {
    let raw: Vec<&RawValue> = match options().from_str(list.value) {
        Ok(raw) => raw,
        Err(e) => {
            complaints.push(list.complaint(e.code.to_string()));
            return Vec::new();
        }
    };
    let mut all = Vec::new();
    for item in raw.iter().map(|item| item.get_ron().trim()) {
        let begin = offset(list.layer, item);
        match options().from_str(&blanked(&list.layer.text, begin..begin + item.len())) {
            Ok(value) => all.push((value, complaint(list.layer, place(list.layer, item), String::new()))),
            Err(e) => complaints.push(spanned(list.layer, &e)),
        }
    }
    all
}

/// The entries of a map, each key and value with its place; those that do not fit are complained about and left out.
pub(super) fn entries<T: DeserializeOwned>(map: &Field<'_>, complaints: &mut Vec<Complaint>) -> Vec<(String, T, Complaint)> {
    let raw: Pairs<'_> = match options().from_str(map.value) {
        Ok(raw) => raw,
        Err(e) => {
            complaints.push(map.complaint(e.code.to_string()));
            return Vec::new();
        }
    };
    let mut all = Vec::new();
    for (key, value) in raw.0.iter().map(|(key, value)| (key.get_ron().trim(), value.get_ron().trim())) {
        match (part::<String>(map.layer, key), part::<T>(map.layer, value)) {
            (Ok(name), Ok(value)) => all.push((name, value, complaint(map.layer, place(map.layer, key), String::new()))),
            (Err(e), _) | (_, Err(e)) => complaints.push(e),
        }
    }
    all
}

/// A part of the file by itself. What is wrong with it begins no earlier than it does.
fn part<T: DeserializeOwned>(layer: &Layer, text: &str) -> Result<T, Complaint> {
    let begin = offset(layer, text);
    options().from_str(&blanked(&layer.text, begin..begin + text.len())).map_err(|e| {
        let told = spanned(layer, &e);
        Complaint { at: told.at.max(Some(place(layer, text))), ..told }
    })
}

/// Raw keys and values of a map in the order of the file.
struct Pairs<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Both;
        impl<'de> Visitor<'de> for Both {
            type Value = Vec<(&'de RawValue, &'de RawValue)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map in braces")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    all.push(pair);
                }
                Ok(all)
            }
        }
        from.deserialize_map(Both).map(Pairs)
    }
}

/// The text with everything outside `keep` blanked, character for character, so that lines and columns stay what they are.
fn blanked(text: &str, keep: Range<usize>) -> String {
    text.char_indices().map(|(i, c)| if keep.contains(&i) || c == '\n' { c } else { ' ' }).collect()
}

/// Where in the layer's text this part of it begins, in bytes.
fn offset(layer: &Layer, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(layer.text.as_ptr() as usize)
}

fn place(layer: &Layer, part: &str) -> (usize, usize) {
    let before = layer.text.get(..offset(layer, part)).unwrap_or_default();
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

fn complaint(layer: &Layer, at: (usize, usize), why: String) -> Complaint {
    Complaint { file: layer.name.clone(), at: Some(at), why }
}

fn spanned(layer: &Layer, e: &SpannedError) -> Complaint {
    complaint(layer, (e.span.start.line, e.span.start.col), e.code.to_string())
}
