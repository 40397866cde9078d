//! Comma-separated values (RFC 4180): a heading, then a row for each sweep. A row has the columns of the heading, always: what the host
//! had not when the stream began is not in it, and what it has no value for now is empty.

use crate::{
    app::{
        stream::{Lines, values::values},
        text::rows::iso,
    },
    model::{message::View, metric::Key, pick::Pick, snapshot::Snapshot, subject::Subject},
};
use std::{borrow::Cow, collections::HashMap};

/// Makes the rows.
#[derive(Debug)]
pub struct Csv {
    picks: Vec<Pick>,
    columns: Option<Vec<String>>,
}

impl Csv {
    /// With only these numbers, or all but those of processes.
    pub fn new(picks: Vec<Pick>) -> Csv {
        Csv { picks, columns: None }
    }

    /// What is there, and what was asked for by its whole name though it is not there now.
    fn columns(&self, snapshot: &Snapshot) -> Vec<String> {
        let there: Vec<Key> = values(snapshot, &self.picks).into_iter().map(|(key, _)| key).collect();
        if self.picks.is_empty() {
            return there.iter().map(Key::path).collect();
        }
        let mut columns: Vec<String> = Vec::new();
        for pick in &self.picks {
            let of_host = there.contains(&Key { subject: Subject::Host, metric: pick.metric });
            let before = columns.len();
            columns.extend(there.iter().filter(|key| pick.means(key, of_host)).map(Key::path));
            let named = pick.path().filter(|_| columns.len() == before);
            columns.extend(named);
        }
        let mut seen = std::collections::HashSet::new();
        columns.retain(|column| seen.insert(column.clone()));
        columns
    }
}

impl Lines for Csv {
    fn lines(&mut self, view: &View) -> String {
        let mut out = String::new();
        if self.columns.is_none() {
            let columns = self.columns(&view.snapshot);
            let heading = std::iter::once("time".into()).chain(columns.iter().map(|column| quoted(column)));
            row(&mut out, heading);
            self.columns = Some(columns);
        }
        let now: HashMap<String, f64> =
            values(&view.snapshot, &self.picks).into_iter().map(|(key, value)| (key.path(), value)).collect();
        let columns = self.columns.as_deref().unwrap_or_default();
        let cells = columns.iter().map(|column| now.get(column).map_or(Cow::Borrowed(""), |value| value.to_string().into()));
        row(&mut out, std::iter::once(iso(view.snapshot.vitals.now.wall).into()).chain(cells));
        out
    }
}

fn row<'a>(out: &mut String, cells: impl Iterator<Item = Cow<'a, str>>) {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str(&cell);
    }
    out.push_str("\r\n");
}

/// Text that holds a comma, a quote or an end of line stands in quotes, its own quotes doubled.
fn quoted(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")).into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_by_the_rfc() {
        for (text, cell) in [("a b", "a b"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("a\r\nb", "\"a\r\nb\"")] {
            assert_eq!(quoted(text), cell);
        }
    }
}
