//! What is wrong with a filter, and where.

use std::{fmt, ops::Range};

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    /// Bytes of the text that it is about; empty at the end of the text.
    pub at: Range<usize>,
    /// What was expected, or what is wrong.
    pub why: String,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {}", self.at.start + 1, self.why)
    }
}

impl std::error::Error for QueryError {}
