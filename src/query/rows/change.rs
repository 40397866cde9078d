//! Changes of the queue as rows.

use crate::{
    model::change::Change,
    query::{
        field::{Field, Row, Schema, Value},
        rows::{finding, subject},
    },
};

/// Fields of a change.
pub static CHANGES: Schema = Schema {
    rows: "changes",
    fields: &[
        Field::Number,
        Field::State,
        Field::Action,
        Field::Headline,
        Field::Risk,
        Field::What,
        Field::Severity,
        Field::Subject,
        Field::Open,
        Field::Live,
        Field::Locked,
    ],
    words: &[Field::Headline, Field::Action, Field::State, Field::Number],
};

impl Row for Change {
    fn field(&self, field: Field) -> Value<'_> {
        match field {
            Field::Number => Value::Number(self.id.0 as f64),
            Field::State => Value::Text(self.state.words()),
            Field::Action => Value::Text(&self.proposal.action),
            Field::Headline => Value::Text(&self.proposal.title),
            Field::Risk => Value::Text(self.proposal.risk.words()),
            Field::What => Value::Text(self.finding.id.kind.words()),
            Field::Severity => finding::severity(self.finding.severity),
            Field::Subject => subject::value(&self.finding.id.subject),
            Field::Open => Value::Flag(self.state.is_open()),
            Field::Live => Value::Flag(self.state.is_live()),
            Field::Locked => Value::Flag(self.lock.is_some()),
            _ => Value::Missing,
        }
    }
}
