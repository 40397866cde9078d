//! Standard output and standard error of everything but the console: plain text, never an escape code.

use crate::app::failure::Failure;
use serde::Serialize;
use std::io::{self, Write};

/// Who reads what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Is there.
    There,
    /// Has gone away.
    Gone,
}

/// Writes text. A reader that has gone away is no failure: it has seen what it wanted.
pub fn say(text: &str) -> Result<(), Failure> {
    pour(text).map(drop)
}

/// Writes text, and tells whether there is anybody to write more for.
pub fn pour(text: &str) -> Result<Reader, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(Reader::There),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(e) => Err(Failure::new(format!("standard output: {e}"))),
    }
}

/// Writes one JSON value and a line's end.
pub fn json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(Failure::new)?;
    say(&(text + "\n"))
}

/// Complains on standard error, each line after the program's name.
pub fn complain(text: &str) {
    let mut out = io::stderr().lock();
    for line in text.lines() {
        // There is nobody left to tell when this fails.
        let _unheard = writeln!(out, "trimtab: {line}");
    }
}
