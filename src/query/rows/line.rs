//! Lines of text as rows: the log, the help page.

use crate::query::field::{Field, Row, Schema, Value};

/// Fields of a line of the log.
pub static LOG: Schema = Schema { rows: "log", fields: &[Field::Text, Field::Level], words: &[Field::Text] };

/// Fields of a line of text.
pub static LINES: Schema = Schema { rows: "lines", fields: &[Field::Text], words: &[Field::Text] };

/// A line.
#[derive(Clone, Copy, Debug)]
pub struct LineRow<'a> {
    /// What it says.
    pub text: &'a str,
    /// How grave it is, where it says so.
    pub level: Option<&'a str>,
}

impl Row for LineRow<'_> {
    fn field(&self, field: Field) -> Value<'_> {
        match field {
            Field::Text => Value::Text(self.text),
            Field::Level => self.level.into(),
            _ => Value::Missing,
        }
    }
}
