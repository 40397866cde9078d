//! Disks as rows.

use crate::{
    model::snapshot::Disk,
    query::field::{Field, Row, Schema, Value},
};

/// Fields of a disk.
pub static DISKS: Schema = Schema {
    rows: "disks",
    fields: &[Field::Name, Field::Read, Field::Write, Field::Latency, Field::Queue, Field::Busy],
    words: &[Field::Name],
};

impl Row for Disk {
    fn field(&self, field: Field) -> Value<'_> {
        match field {
            Field::Name => Value::Text(&self.name),
            Field::Read => Value::Number(self.read),
            Field::Write => Value::Number(self.write),
            Field::Latency => self.latency.into(),
            Field::Queue => Value::Number(self.queue),
            Field::Busy => Value::Number(self.busy),
            _ => Value::Missing,
        }
    }
}
