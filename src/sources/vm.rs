//! Reclaim, swap, faults and writeback: `/proc/vmstat`. Kernels split some counters by zone or by cause; the parts are added up.

use crate::{
    host::{error::HostError, host::Host},
    model::{
        knob::Place,
        sample::{Sample, SourceName, VmSample},
    },
    sources::{
        kept::Kept,
        parse,
        source::{Lane, Source, SourceAbout},
    },
};
use std::time::Duration;

/// The source.
pub struct Vm {
    file: Kept,
    buffer: Vec<u8>,
    page_size: Option<u64>,
}

impl Default for Vm {
    fn default() -> Self {
        Vm { file: Kept::new(Place::proc("vmstat")), buffer: Vec::new(), page_size: None }
    }
}

impl Source for Vm {
    fn about(&self) -> SourceAbout {
        SourceAbout { name: SourceName::Vm, lane: Lane::Look, deadline: Duration::from_millis(500), reads: "/proc/vmstat" }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        let page_size = match self.page_size {
            Some(known) => known,
            None => *self.page_size.insert(parse::page_size(host)?),
        };
        self.file.read(host, &mut self.buffer)?;
        let sample = parse_vmstat(&parse::text(&self.buffer)).ok_or_else(|| parse::malformed(self.file.place(), "pgfault"))?;
        Ok(Sample::Vm(VmSample { page_size, ..sample }))
    }
}

/// `/proc/vmstat`, page size left out; `None` without its fault counter.
pub fn parse_vmstat(text: &str) -> Option<VmSample> {
    let mut sample = VmSample::default();
    let mut seen = false;
    for (key, value) in parse::keyed(text) {
        seen |= key == "pgfault";
        if let Some(field) = field(&mut sample, key) {
            *field = field.saturating_add(value);
        }
    }
    seen.then_some(sample)
}

/// Where a counter belongs. Before 4.8 the scan and steal counters carry a zone (`pgscan_direct_normal`), as `allocstall_*` does now.
fn field<'a>(sample: &'a mut VmSample, key: &str) -> Option<&'a mut u64> {
    Some(match key {
        "pgfault" => &mut sample.pgfault,
        "pgmajfault" => &mut sample.pgmajfault,
        "pgpgin" => &mut sample.pgpgin,
        "pgpgout" => &mut sample.pgpgout,
        "pswpin" => &mut sample.pswpin,
        "pswpout" => &mut sample.pswpout,
        "compact_stall" => &mut sample.compact_stall,
        "compact_fail" => &mut sample.compact_fail,
        "thp_fault_alloc" => &mut sample.thp_fault_alloc,
        "thp_fault_fallback" => &mut sample.thp_fault_fallback,
        "workingset_refault_anon" => &mut sample.workingset_refault_anon,
        // One counter for both before 5.9, nearly all of it file pages.
        "workingset_refault_file" | "workingset_refault" => &mut sample.workingset_refault_file,
        "oom_kill" => &mut sample.oom_kill,
        "nr_dirty" => &mut sample.nr_dirty,
        "nr_writeback" => &mut sample.nr_writeback,
        "nr_dirty_threshold" => &mut sample.nr_dirty_threshold,
        "nr_dirty_background_threshold" => &mut sample.nr_dirty_background_threshold,
        "pgscan_direct_throttle" => return None,
        _ if key.starts_with("pgscan_direct") => &mut sample.pgscan_direct,
        _ if key.starts_with("pgscan_kswapd") => &mut sample.pgscan_kswapd,
        _ if key.starts_with("pgsteal_direct") => &mut sample.pgsteal_direct,
        _ if key.starts_with("pgsteal_kswapd") => &mut sample.pgsteal_kswapd,
        _ if key.starts_with("allocstall") => &mut sample.allocstall,
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn counters_split_by_zone_are_added_up() {
        let text = "pgfault 9\nallocstall_dma 1\nallocstall_normal 2\npgscan_direct_dma 3\npgscan_direct_normal 4\n\
                    pgscan_direct_throttle 50\npgscan_kswapd 7\n";
        let sample = parse_vmstat(text).unwrap();
        assert_eq!((sample.allocstall, sample.pgscan_direct, sample.pgscan_kswapd), (3, 7, 7));
    }

    #[test]
    fn without_counters_there_is_no_sample() {
        assert!(parse_vmstat("nr_free_pages 1\n").is_none());
        assert!(parse_vmstat("pgfault\n").is_none());
    }
}
