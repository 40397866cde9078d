//! The codec of what is stored: any serde value becomes a *form* (its structure, with field names) and *cells* (its scalars).
//!
//! Samples of one source have the same form again and again, so a block writes each form once and a value is a form's number and cells;
//! and as cells of the same form stand for the same fields, a value is written as the difference to the one before. Forms name their
//! fields: a history that an older version wrote is read by a newer one whose structs have grown, as JSON would be, at a tenth of the
//! bytes.

use super::bytes::{Damaged, Read};
use std::{collections::HashMap, sync::Arc};

/// Parts of a form: one byte each, numbers behind it as [`super::bytes::put`] writes them.
pub(super) mod op {
    /// Nothing.
    pub const UNIT: u8 = 0;
    /// One cell: 0 or 1.
    pub const BOOL: u8 = 1;
    /// One cell: a number without a sign.
    pub const WHOLE: u8 = 2;
    /// One cell: a number with a sign, folded.
    pub const SIGNED: u8 = 3;
    /// One cell: the bits of a 64-bit float.
    pub const FLOAT: u8 = 4;
    /// One cell: hundredths, folded, of a float that is exactly that. The kernel prints averages so.
    pub const CENTS: u8 = 5;
    /// One cell: a character.
    pub const CHAR: u8 = 6;
    /// One cell: the number of a string.
    pub const TEXT: u8 = 7;
    /// No value.
    pub const NONE: u8 = 8;
    /// A value; its form follows.
    pub const SOME: u8 = 9;
    /// One cell: the number of a variant's name.
    pub const VARIANT: u8 = 10;
    /// A variant with content: the number of its name and the form of the content follow.
    pub const VARIANT_OF: u8 = 11;
    /// A count and as many forms.
    pub const LIST: u8 = 12;
    /// A count and the one form of all elements.
    pub const ALIKE: u8 = 13;
    /// A count and as many pairs of name's number and form.
    pub const STRUCT: u8 = 14;
    /// A count and as many pairs of forms.
    pub const MAP: u8 = 15;
}

/// A value taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// Number of its form.
    pub form: u32,
    /// Its scalars.
    pub cells: Vec<u64>,
}

/// What a writer has told already: strings and forms by number, in the order in which they came.
#[derive(Debug, Default)]
pub struct Told {
    strings: HashMap<Arc<str>, u32>,
    forms: HashMap<Box<[u8]>, u32>,
    /// Strings that have not been written yet.
    pub new_strings: Vec<Arc<str>>,
    /// Forms that have not been written yet.
    pub new_forms: Vec<Box<[u8]>>,
}

impl Told {
    /// The number of a string.
    pub fn string(&mut self, text: &str) -> u32 {
        if let Some(number) = self.strings.get(text) {
            return *number;
        }
        let (number, text): (u32, Arc<str>) = (self.strings.len() as u32, text.into());
        self.strings.insert(text.clone(), number);
        self.new_strings.push(text);
        number
    }

    /// The number of a form.
    pub fn form(&mut self, form: &[u8]) -> u32 {
        if let Some(number) = self.forms.get(form) {
            return *number;
        }
        let (number, form): (u32, Box<[u8]>) = (self.forms.len() as u32, form.into());
        self.forms.insert(form.clone(), number);
        self.new_forms.push(form);
        number
    }
}

/// What a reader has heard.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// Strings by number.
    pub strings: Vec<Arc<str>>,
    /// Forms by number.
    pub forms: Vec<Box<[u8]>>,
}

impl Heard {
    /// The string of that number.
    pub fn string(&self, number: u64) -> Read<&Arc<str>> {
        let string = usize::try_from(number).ok().and_then(|n| self.strings.get(n));
        string.ok_or_else(|| Damaged(format!("there is no string {number}")))
    }

    /// The form of that number.
    pub fn form(&self, number: u32) -> Read<&[u8]> {
        self.forms.get(number as usize).map(AsRef::as_ref).ok_or_else(|| Damaged(format!("there is no form {number}")))
    }
}
