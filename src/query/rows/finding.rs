//! Findings as rows.

use crate::{
    model::finding::{Finding, Party, Severity},
    query::{
        field::{Field, Row, Schema, Value},
        rows::subject,
    },
};

/// Fields of a finding.
pub static FINDINGS: Schema = Schema {
    rows: "findings",
    fields: &[Field::What, Field::Severity, Field::Headline, Field::Subject, Field::Culprit, Field::Victim, Field::Impact],
    words: &[Field::What, Field::Headline, Field::Subject, Field::Culprit, Field::Victim],
};

impl Row for Finding {
    fn field(&self, field: Field) -> Value<'_> {
        match field {
            Field::What => Value::Text(self.id.kind.words()),
            Field::Severity => severity(self.severity),
            Field::Headline => Value::Text(&self.headline),
            Field::Subject => subject::value(&self.id.subject),
            Field::Culprit => first(&self.culprits),
            Field::Victim => first(&self.victims),
            Field::Impact => Value::Number(self.impact),
            _ => Value::Missing,
        }
    }
}

fn first(parties: &[Party]) -> Value<'_> {
    parties.first().map(|party| &*party.name).into()
}

/// By word and by sign.
pub(super) fn severity(severity: Severity) -> Value<'static> {
    let word = match severity {
        Severity::Notice => "notice",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    };
    Value::Either(word, severity.sign())
}
