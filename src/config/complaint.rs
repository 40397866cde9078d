//! What is wrong with a configuration, and where.

use std::fmt;

/// One complaint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Complaint {
    /// The file, as it is shown.
    pub file: String,
    /// Line and column, from 1; `None` when the file could not be read at all.
    pub at: Option<(usize, usize)>,
    /// What.
    pub why: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.file, self.why),
            None => write!(f, "{}: {}", self.file, self.why),
        }
    }
}

/// All of them, by file, then by place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaints(pub Vec<Complaint>);

impl Complaints {
    /// Sorted for reading, each once.
    pub(super) fn sorted(mut all: Vec<Complaint>) -> Complaints {
        all.sort();
        all.dedup();
        Complaints(all)
    }
}

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, complaint) in self.0.iter().enumerate() {
            write!(f, "{}{complaint}", if i == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Complaints {}
