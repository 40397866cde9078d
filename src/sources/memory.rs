//! Memory: `/proc/meminfo` (Documentation/filesystems/proc.rst, meminfo).

use crate::{
    host::{error::HostError, host::Host},
    model::{
        knob::Place,
        sample::{MemorySample, Sample, SourceName},
    },
    sources::{
        kept::Kept,
        parse,
        source::{Lane, Source, SourceAbout},
    },
};
use std::time::Duration;

/// The source.
pub struct Memory {
    file: Kept,
    buffer: Vec<u8>,
}

impl Default for Memory {
    fn default() -> Self {
        Memory { file: Kept::new(Place::proc("meminfo")), buffer: Vec::new() }
    }
}

impl Source for Memory {
    fn about(&self) -> SourceAbout {
        SourceAbout { name: SourceName::Memory, lane: Lane::Look, deadline: Duration::from_millis(500), reads: "/proc/meminfo" }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        self.file.read(host, &mut self.buffer)?;
        parse_meminfo(&parse::text(&self.buffer)).map(Sample::Memory).ok_or_else(|| parse::malformed(self.file.place(), "MemTotal"))
    }
}

/// `/proc/meminfo`; `None` without MemTotal.
pub fn parse_meminfo(text: &str) -> Option<MemorySample> {
    let mut sample = MemorySample::default();
    let mut available = None;
    for (key, value) in parse::keyed(text) {
        // Huge pages are counted, all else is in KiB.
        let bytes = value.saturating_mul(1024);
        match key {
            "MemTotal" => sample.total = bytes,
            "MemFree" => sample.free = bytes,
            "MemAvailable" => available = Some(bytes),
            "Buffers" => sample.buffers = bytes,
            "Cached" => sample.cached = bytes,
            "SwapCached" => sample.swap_cached = bytes,
            "AnonPages" => sample.anon = bytes,
            "Shmem" => sample.shmem = bytes,
            "Slab" => sample.slab = bytes,
            "SReclaimable" => sample.slab_reclaimable = bytes,
            "SUnreclaim" => sample.slab_unreclaimable = bytes,
            "AnonHugePages" => sample.anon_huge = bytes,
            "KernelStack" => sample.kernel_stack = bytes,
            "Mapped" => sample.mapped = bytes,
            "Mlocked" => sample.mlocked = bytes,
            "Zswap" => sample.zswap = bytes,
            "Zswapped" => sample.zswapped = bytes,
            "Dirty" => sample.dirty = bytes,
            "Writeback" => sample.writeback = bytes,
            "PageTables" => sample.page_tables = bytes,
            "Committed_AS" => sample.committed = bytes,
            "CommitLimit" => sample.commit_limit = bytes,
            "HugePages_Total" => sample.huge_total = value,
            "HugePages_Free" => sample.huge_free = value,
            "Hugepagesize" => sample.huge_size = bytes,
            "SwapTotal" => sample.swap_total = bytes,
            "SwapFree" => sample.swap_free = bytes,
            _ => {}
        }
    }
    let guess = sample.free.saturating_add(sample.buffers).saturating_add(sample.cached).saturating_sub(sample.shmem);
    sample.available = available.unwrap_or(guess).min(sample.total);
    (sample.total > 0).then_some(sample)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn kernels_before_3_14_have_no_available() {
        let old = "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 20 kB\nCached: 300 kB\nShmem: 50 kB\n";
        assert_eq!(parse_meminfo(old).unwrap().available, 370 * 1024);
        let new = format!("{old}MemAvailable: 444 kB\n");
        assert_eq!(parse_meminfo(&new).unwrap().available, 444 * 1024);
    }

    #[test]
    fn huge_pages_are_counted_not_measured() {
        let sample = parse_meminfo("MemTotal: 9 kB\nHugePages_Total: 4\nHugePages_Free: 3\nHugepagesize: 2048 kB\n").unwrap();
        assert_eq!((sample.huge_total, sample.huge_free, sample.huge_size), (4, 3, 2048 * 1024));
    }

    #[test]
    fn a_file_cut_short_is_no_memory() {
        assert!(parse_meminfo("MemTo").is_none());
        assert!(parse_meminfo("MemTotal: what kB\n").is_none());
    }
}
