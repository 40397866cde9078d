//! What a row is about, as text without the heap: a name goes by itself and, cut short, with what it is.

use crate::{
    model::subject::Subject,
    query::field::{Short, Value},
};

/// The subject's own name where it has one, otherwise what it is with its number.
pub(super) fn value(subject: &Subject) -> Value<'_> {
    match subject {
        Subject::Host => Value::Text("host"),
        Subject::Disk(name)
        | Subject::Filesystem(name)
        | Subject::Interface(name)
        | Subject::Cgroup(name)
        | Subject::Service(name) => Value::Text(name),
        other => Value::Short(Short::new(format_args!("{other}"))),
    }
}
