//! How memory is handed out: free blocks by size (`/proc/buddyinfo`) and the settings of reclaim (Documentation/admin-guide/sysctl/vm.rst).
//! All of it is a state and no counter, so the sample is what the snapshot shows.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Zones and settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Paging {
    /// In the kernel's order.
    pub zones: Vec<Zone>,
    /// Settings.
    pub settings: PagingSettings,
}

/// A zone of memory: blocks of 2^order pages that are free, by order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Number of its node.
    pub node: u32,
    /// Its name, such as `Normal`, cleaned.
    pub name: Arc<str>,
    /// Free blocks of each order, from 0.
    pub free: Vec<u64>,
}

/// Settings as they stand; `None` where this kernel has no such file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the kernel's own words: Documentation/admin-guide/sysctl/vm.rst
pub struct PagingSettings {
    pub watermark_scale_factor: Option<u64>,
    pub min_free_kbytes: Option<u64>,
    pub vfs_cache_pressure: Option<u64>,
    pub compaction_proactiveness: Option<u64>,
    pub zone_reclaim_mode: Option<u64>,
    /// `kernel.numa_balancing`.
    pub numa_balancing: Option<u64>,
}

impl Paging {
    /// Share of the free pages that are in blocks of 2^order pages or more; `None` when nothing is free.
    pub fn in_blocks_of(&self, order: usize) -> Option<f64> {
        let pages = |from: usize| -> f64 {
            let zone = |zone: &Zone| {
                zone.free.iter().enumerate().skip(from).map(|(order, n)| *n as f64 * (order as f64).exp2()).sum::<f64>()
            };
            self.zones.iter().map(zone).sum()
        };
        let all = pages(0);
        (all > 0.0).then(|| pages(order) / all)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn blocks_count_by_their_pages() {
        let zone = |free: &[u64]| Zone { free: free.into(), ..Zone::default() };
        let paging = Paging { zones: vec![zone(&[16, 0, 0, 0, 1]), zone(&[32])], ..Paging::default() };
        assert_eq!(paging.in_blocks_of(4), Some(0.25));
        assert_eq!(Paging::default().in_blocks_of(4), None);
    }
}
