//! What the kernel counts, as the counters that they are: nothing is lost between two scrapes.

pub mod devices;
pub mod groups;
pub mod host;

use crate::app::metrics::page::{Family, Kind};

/// A counter's family.
fn counter<'a>(name: &'a str, unit: &'static str, help: &'a str) -> Family<'a> {
    Family { name, kind: Kind::Counter, unit, help }
}
