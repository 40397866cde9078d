//! `trimtab audit export`: the records as they stand, with their hashes, for other programs: one JSON object a line, or CSV (RFC 4180).
//!
//! Of a line of JSON, `hash` is SHA-256 over the 32 bytes of the hash before (zeros before the first) and the text of `entry`, byte for
//! byte: whoever has the lines can prove the chain without trimtab.

use crate::{
    app::{
        audit::proved,
        cli::{Export, Table},
        failure::Failure,
        out::{self, Reader},
        text::rows::iso,
    },
    host::{host::Host, real::RealHost},
    model::{change::Entry, time::Wall, when},
    store::proof::Record,
};
use std::path::Path;

/// The heading of the CSV.
const HEADING: &str = "number,time,change,deed,who,detail,boot,hash\n";

/// Writes the records of that time. A broken journal is exported up to the break, and that is a failure.
pub fn run(wish: &Export, path: &Path) -> Result<(), Failure> {
    let now = RealHost::default().now().wall;
    let time = |text: &Option<String>, else_: Wall| match text {
        None => Ok(else_),
        Some(text) => {
            when::time(text, now).ok_or_else(|| Failure::usage(format!("`{text}` is no time: such as -2d, 2026-11-21 or 14:05")))
        }
    };
    let span = (time(&wish.from, Wall(i64::MIN))?, time(&wish.to, Wall(i64::MAX))?);
    let (look, proof) = proved(path)?;
    if wish.format == Table::Csv {
        out::say(HEADING)?;
    }
    let mut failed = Ok(());
    let give = |record: &Record, entry: &Entry| match out::pour(&line(wish.format, record, entry)) {
        Ok(Reader::There) => true,
        Ok(Reader::Gone) => false,
        Err(e) => {
            failed = Err(e);
            false
        }
    };
    look.each(span, proof.newest.number, give).map_err(Failure::new)?;
    failed?;
    match proof.broken {
        Some(broken) => {
            Err(Failure::new(format!("{}: record {}: {}; exported up to there", path.display(), broken.record, broken.why)))
        }
        None => Ok(()),
    }
}

fn line(table: Table, record: &Record, entry: &Entry) -> String {
    let (number, hash) = (record.anchor.number, &record.anchor.hash);
    match table {
        // The text as it stands: printed anew it might differ, and the hash would no longer follow from it.
        Table::Jsonl => format!("{{\"number\":{number},\"hash\":\"{hash}\",\"entry\":{}}}\n", record.body),
        Table::Csv => {
            let fields = [
                number.to_string(),
                iso(entry.now.wall),
                entry.change.0.to_string(),
                entry.deed.words().into(),
                entry.who.to_string(),
                entry.deed.detail(),
                entry.boot.clone(),
                hash.clone(),
            ];
            fields.map(|field| quoted(&field)).join(",") + "\n"
        }
    }
}

/// A field, in quotes where it needs them. One that a spreadsheet would take for a formula gets an apostrophe.
fn quoted(field: &str) -> String {
    let tame = if field.starts_with(['=', '+', '-', '@']) { format!("'{field}") } else { field.to_string() };
    if tame.contains([',', '"', '\n', '\r']) { format!("\"{}\"", tame.replace('"', "\"\"")) } else { tame }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be_and_never_a_formula() {
        assert_eq!(quoted("plain words"), "plain words");
        assert_eq!(quoted("a, \"b\"\n"), "\"a, \"\"b\"\"\n\"");
        assert_eq!(quoted("=1+1"), "'=1+1");
    }
}
