//! Paging rates and the state of writeback.

use super::delta::{delta, rate};
use crate::model::{sample::VmSample, snapshot::Vm};

/// What happened between two samples.
pub(super) fn vm(old: &VmSample, new: &VmSample, seconds: f64) -> Vm {
    let per = |field: fn(&VmSample) -> u64| rate(field(old), field(new), seconds);
    let page = new.page_size as f64;
    let huge = |field: fn(&VmSample) -> u64| delta(field(old), field(new)).unwrap_or(0);
    // `thp_fault_alloc` counts the huge ones that were given, `thp_fault_fallback` those that were not.
    let (given, refused) = (huge(|s| s.thp_fault_alloc), huge(|s| s.thp_fault_fallback));
    Vm {
        faults: per(|s| s.pgfault),
        major_faults: per(|s| s.pgmajfault),
        swap_in: per(|s| s.pswpin) * page,
        swap_out: per(|s| s.pswpout) * page,
        scan_direct: per(|s| s.pgscan_direct),
        scan_kswapd: per(|s| s.pgscan_kswapd),
        stalls: per(|s| s.allocstall),
        compact_stalls: per(|s| s.compact_stall),
        thp_fallback: (given + refused > 0).then(|| refused as f64 / (given + refused) as f64),
        refault_anon: per(|s| s.workingset_refault_anon),
        refault_file: per(|s| s.workingset_refault_file),
        oom_kills: delta(old.oom_kill, new.oom_kill).unwrap_or(0),
        dirty: new.nr_dirty.saturating_mul(new.page_size),
        writeback: new.nr_writeback.saturating_mul(new.page_size),
        dirty_threshold: new.nr_dirty_threshold.saturating_mul(new.page_size),
        dirty_background: new.nr_dirty_background_threshold.saturating_mul(new.page_size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_become_bytes_and_counters_rates() {
        let old = VmSample { pswpin: 100, pgmajfault: 7, thp_fault_alloc: 10, ..VmSample::default() };
        let new = VmSample {
            pswpin: 150,
            pgmajfault: 9,
            thp_fault_alloc: 11,
            thp_fault_fallback: 3,
            nr_dirty: 2,
            page_size: 4096,
            ..VmSample::default()
        };
        let vm = vm(&old, &new, 0.5);
        assert_eq!((vm.swap_in, vm.major_faults, vm.dirty), (409_600.0, 4.0, 8192));
        assert_eq!(vm.thp_fallback, Some(0.75));
    }

    #[test]
    fn no_huge_page_fault_is_no_share() {
        assert_eq!(vm(&VmSample::default(), &VmSample::default(), 1.0).thp_fallback, None);
    }
}
