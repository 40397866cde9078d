//! Entries of the journal as rows.

use crate::{
    model::change::{Entry, Who},
    query::field::{Field, Row, Schema, Short, Value},
};

/// Fields of an entry.
pub static ENTRIES: Schema =
    Schema { rows: "entries", fields: &[Field::Number, Field::Deed, Field::Who], words: &[Field::Number, Field::Deed, Field::Who] };

impl Row for Entry {
    fn field(&self, field: Field) -> Value<'_> {
        match field {
            Field::Number => Value::Number(self.change.0 as f64),
            Field::Deed => Value::Text(self.deed.words()),
            Field::Who => match &self.who {
                Who::Operator { user, via } => Value::Either(user, via),
                other => Value::Short(Short::new(format_args!("{other}"))),
            },
            _ => Value::Missing,
        }
    }
}
