//! Control groups as rows.

use crate::{
    model::snapshot::Cgroup,
    query::field::{Field, Row, Schema, Value},
};

/// Fields of a control group.
pub static CGROUPS: Schema = Schema {
    rows: "control groups",
    fields: &[
        Field::Cgroup,
        Field::Unit,
        Field::Container,
        Field::Cpu,
        Field::Throttled,
        Field::Memory,
        Field::Limit,
        Field::Read,
        Field::Write,
        Field::Processes,
        Field::Threads,
    ],
    words: &[Field::Cgroup, Field::Container],
};

impl Row for Cgroup {
    fn field(&self, field: Field) -> Value<'_> {
        let io = |which: usize| Value::from(self.io.and_then(|io| io.get(which).copied()));
        match field {
            Field::Cgroup => Value::Text(&self.path),
            Field::Unit => self.unit.as_deref().into(),
            Field::Container => self.container.as_deref().into(),
            Field::Cpu => self.cpu.into(),
            Field::Throttled => self.throttled.into(),
            Field::Memory => self.memory.map(|bytes| bytes as f64).into(),
            Field::Limit => self.memory_limit.map(|bytes| bytes as f64).into(),
            Field::Read => io(0),
            Field::Write => io(1),
            Field::Processes => Value::Number(f64::from(self.processes)),
            Field::Threads => Value::Number(f64::from(self.threads)),
            _ => Value::Missing,
        }
    }
}
