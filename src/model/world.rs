//! What detectors and actions look at: one borrowed view of everything known at one moment.

use crate::model::{
    facts::Facts,
    finding::Finding,
    limits::Thresholds,
    outlook::Outlook,
    series::SeriesSet,
    snapshot::{Snapshot, Vitals},
    time::Now,
};

/// The known world at one moment.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// When.
    pub now: Now,
    /// The newest fast-lane reading.
    pub vitals: &'a Vitals,
    /// The newest sweep.
    pub snapshot: &'a Snapshot,
    /// Facts of the host.
    pub facts: &'a Facts,
    /// History of every kept key.
    pub series: &'a SeriesSet,
    /// Thresholds in force.
    pub thresholds: &'a Thresholds,
    /// Findings that hold now, most pressing first. Empty while detectors run.
    pub findings: &'a [Finding],
    /// What is coming and what is odd, as last thought through; empty until then.
    pub outlook: &'a Outlook,
    /// Trial windows in force.
    pub windows: crate::model::trial::Windows,
}
