//! Which processes a filter lets through: the one place of the table that knows what a filter means.

use crate::{
    model::{snapshot::Process, subject::ProcessId},
    query::rows::process::{Around, ProcessRow},
    ui::{filter::Sieve, processes::row::Sight},
};
use std::collections::BTreeSet;

/// Whether a process passes.
pub fn matches(process: &Process, filter: &Sieve, marks: &BTreeSet<ProcessId>, sight: &Sight<'_>) -> bool {
    let around = Around { facts: sight.facts, snapshot: sight.snapshot, now: sight.now };
    filter.is_empty() || filter.passes(&ProcessRow { process, around, marked: marks.contains(&process.id) })
}
