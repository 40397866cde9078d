//! Rates, latencies and queues of block devices (Documentation/admin-guide/iostats.rst).

use super::delta::{delta, delta32, mean, per};
use crate::model::{sample::DiskSample, snapshot::Disk};

/// Bytes in a sector of `/proc/diskstats`, whatever the device's own are.
const SECTOR: f64 = 512.0;

/// What happened between two samples. A disk needs to be in both, with counters that did not go backwards.
pub(super) fn disks(old: &[DiskSample], new: &[DiskSample], seconds: f64) -> Vec<Disk> {
    let before = |new: &DiskSample| old.iter().find(|old| old.name == new.name && old.device == new.device);
    new.iter().filter_map(|disk| derive(before(disk)?, disk, seconds)).collect()
}

fn derive(old: &DiskSample, new: &DiskSample, seconds: f64) -> Option<Disk> {
    let [reads, writes, discards, flushes] = all(old.completed, new.completed, delta)?;
    let [read, written, discarded] = all(old.sectors, new.sectors, delta)?;
    let [read_ms, write_ms, discard_ms, flush_ms] = all(old.millis, new.millis, delta32)?;
    let busy = delta32(old.busy_millis, new.busy_millis)?;
    let queue = delta32(old.queue_millis, new.queue_millis)?;
    let took = |millis: u64, requests: u64| mean(millis as f64 / 1000.0, requests);
    Some(Disk {
        name: new.name.clone(),
        device: new.device,
        read: per(read as f64 * SECTOR, seconds),
        write: per(written as f64 * SECTOR, seconds),
        reads: per(reads as f64, seconds),
        writes: per(writes as f64, seconds),
        flushes: per(flushes as f64, seconds),
        read_latency: took(read_ms, reads),
        write_latency: took(write_ms, writes),
        flush_latency: took(flush_ms, flushes),
        latency: took(read_ms + write_ms + discard_ms + flush_ms, reads + writes + discards + flushes),
        queue: per(queue as f64 / 1000.0, seconds),
        busy: per(busy as f64 / 1000.0, seconds).min(1.0),
        settings: new.queue.clone(),
        in_flight: new.in_flight,
        discards: per(discards as f64, seconds),
        discarded: per(discarded as f64 * SECTOR, seconds),
        request_size: [mean(read as f64 * SECTOR, reads), mean(written as f64 * SECTOR, writes)],
        layout: new.layout.clone(),
    })
}

fn all<const N: usize>(old: [u64; N], new: [u64; N], step: fn(u64, u64) -> Option<u64>) -> Option<[u64; N]> {
    let mut steps = [0; N];
    for (to, (old, new)) in steps.iter_mut().zip(old.into_iter().zip(new)) {
        *to = step(old, new)?;
    }
    Some(steps)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn disk(requests: u64, millis: u64) -> DiskSample {
        DiskSample {
            name: "vda".into(),
            completed: [requests, 0, 0, 1],
            sectors: [requests * 8, 0, 0],
            millis: [millis, 0, 0, 40],
            busy_millis: millis,
            queue_millis: (millis * 3) % (1 << 32),
            ..DiskSample::default()
        }
    }

    #[test]
    fn latency_is_time_over_requests_and_none_without_them() {
        let row = &disks(&[disk(100, 1000)], &[disk(150, 1500)], 2.0)[0];
        assert_eq!((row.read, row.reads), (50.0 * 4096.0 / 2.0, 25.0));
        assert_eq!((row.read_latency, row.write_latency, row.flush_latency), (Some(0.01), None, None));
        assert_eq!((row.busy, row.queue), (0.25, 0.75));
    }

    #[test]
    fn milliseconds_wrap_at_32_bits() {
        let row = &disks(&[disk(100, u64::from(u32::MAX) - 99)], &[disk(200, 100)], 1.0);
        assert!((row[0].read_latency.unwrap() - 0.002).abs() < 1e-9);
    }

    #[test]
    fn a_disk_made_anew_or_first_seen_has_no_row() {
        assert!(disks(&[disk(100, 10)], &[disk(5, 10)], 1.0).is_empty());
        assert!(disks(&[], &[disk(5, 10)], 1.0).is_empty());
        let other = DiskSample { device: (8, 16), ..disk(500, 10) };
        assert!(disks(&[disk(100, 10)], &[other], 1.0).is_empty());
    }
}
