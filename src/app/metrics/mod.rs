//! The present numbers for Prometheus: as OpenMetrics 1.0 or in the text format before it, over HTTP or into a file.
//!
//! Names: `trimtab_`, the metric's name ([`crate::model::metric::Metric::name`]), its unit. What the kernel counts is exported as the
//! counter that it is, what trimtab derives as a gauge. How many rows a host can make is bounded ([`MOST`], [`cgroups`]); what was left
//! out is counted in `trimtab_rows_left_out`. Processes are never exported.

pub mod accept;
pub mod cgroups;
pub mod counters;
pub mod foresight;
pub mod gauges;
pub mod page;
pub mod print;
pub mod server;
pub mod state;

use crate::{
    app::metrics::{cgroups::Chosen, page::Page},
    model::{
        message::{Exposition, View},
        sample::Counters,
    },
};

/// Rows of one family at most.
pub const MOST: usize = 512;

/// The whole page.
pub fn page(view: &View, counters: &Counters, format: Exposition) -> String {
    let mut page = Page::new(format);
    let chosen = Chosen::of(counters);
    state::write(view, &mut page);
    foresight::write(view, &mut page);
    gauges::write(&view.snapshot, &chosen, &mut page);
    counters::host::write(counters, &mut page);
    counters::devices::write(counters, &mut page);
    counters::groups::write(counters, &chosen, &mut page);
    page.end()
}
