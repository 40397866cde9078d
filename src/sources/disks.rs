//! Block devices: `/proc/diskstats` (Documentation/admin-guide/iostats.rst) and `/sys/block/NAME`.
//!
//! Whole devices only: those that have a directory in `/sys/block`. Left out: RAM disks, loop devices that never moved anything, devices
//! of no size.

use crate::{
    host::{error::HostError, host::Host},
    model::{
        knob::Place,
        sample::{DiskLayout, DiskQueue, DiskSample, Sample, SourceName},
        text::clean,
        time::Tick,
    },
    sources::{
        kept::Kept,
        parse,
        source::{Lane, Source, SourceAbout},
    },
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Seconds after which settings are read again without a sign of change.
const TURN: f64 = 10.0;

/// The source.
pub struct Disks {
    stats: Kept,
    buffer: Vec<u8>,
    names: Vec<String>,
    /// Every name of the last `/proc/diskstats`, partitions too.
    listed: Vec<Arc<str>>,
    whole: BTreeMap<Arc<str>, Device>,
}

/// What is known of a whole device beside its counters.
struct Device {
    directory: Place,
    scheduler: Kept,
    /// Content of the scheduler file when the settings were read.
    seen: Vec<u8>,
    read: Option<Tick>,
    size: Option<u64>,
    queue: Option<Arc<DiskQueue>>,
    layout: Option<Arc<DiskLayout>>,
}

impl Default for Disks {
    fn default() -> Self {
        Disks {
            stats: Kept::new(Place::proc("diskstats")),
            buffer: Vec::new(),
            names: Vec::new(),
            listed: Vec::new(),
            whole: BTreeMap::new(),
        }
    }
}

impl Source for Disks {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Disks,
            lane: Lane::Sweep,
            deadline: Duration::from_millis(1500),
            reads: "/proc/diskstats, /sys/block/NAME/{size,queue,holders,slaves}",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        self.stats.read(host, &mut self.buffer)?;
        let mut rows = parse_diskstats(&parse::text(&self.buffer));
        if !rows.iter().map(|row| &row.name).eq(&self.listed) {
            self.list(host, &rows);
        }
        let now = host.now().tick;
        let numbers: Vec<(Arc<str>, (u32, u32))> =
            rows.iter().filter(|row| !self.whole.contains_key(&row.name)).map(|row| (row.name.clone(), row.device)).collect();
        rows.retain_mut(|row| {
            if row.name.starts_with("ram") || (row.name.starts_with("loop") && row.completed.iter().all(|n| *n == 0)) {
                return false;
            }
            let Some(device) = self.whole.get_mut(&row.name) else { return false };
            if device.refresh(host, now, &mut self.buffer) {
                let partitions = numbers.iter().filter(|(name, _)| is_partition(name, &row.name)).cloned().collect();
                device.look(host, partitions, &mut self.buffer);
            }
            row.queue.clone_from(&device.queue);
            row.layout.clone_from(&device.layout);
            device.size != Some(0)
        });
        Ok(Sample::Disks(rows))
    }
}

impl Disks {
    /// Finds which names are whole devices. Where `/sys/block` cannot be listed, all are taken for such.
    fn list(&mut self, host: &dyn Host, rows: &[DiskSample]) {
        let block = Place::sys("block");
        let known = host.list(&block, &mut self.names).is_ok();
        self.listed.clear();
        self.listed.extend(rows.iter().map(|row| row.name.clone()));
        let names = &self.names;
        // A slash in a device's name is an exclamation mark in its directory's.
        let directory = |name: &str| name.replace('/', "!");
        let whole = |name: &Arc<str>| !known || names.contains(&directory(name));
        self.whole.retain(|name, _| self.listed.contains(name));
        for name in self.listed.iter().filter(|name| whole(name)) {
            self.whole.entry(name.clone()).or_insert_with(|| Device::new(block.join(&directory(name))));
        }
    }
}

impl Device {
    fn new(directory: Place) -> Device {
        let scheduler = Kept::new(directory.join("queue/scheduler"));
        Device { directory, scheduler, seen: Vec::new(), read: None, size: None, queue: None, layout: None }
    }

    /// Reads the settings again in turns, and at once after another scheduler was chosen, which changes the others too. True when it did.
    fn refresh(&mut self, host: &dyn Host, now: Tick, buffer: &mut Vec<u8>) -> bool {
        let scheduler = self.scheduler.read(host, buffer).is_ok();
        let fresh = self.read.is_some_and(|read| now.seconds_since(read) < TURN);
        if fresh && (!scheduler || *buffer == self.seen) {
            return false;
        }
        self.read = Some(now);
        self.seen.clear();
        if scheduler {
            self.seen.extend_from_slice(buffer);
        }
        let mut number = |file: &str| {
            host.read(&self.directory.join(file), buffer).ok()?;
            parse::whole(&parse::text(buffer))
        };
        self.size = number("size").map(|sectors| sectors.saturating_mul(512));
        let rest = (number("queue/read_ahead_kb"), number("queue/nr_requests"), number("queue/rotational"));
        let write_throttling = number("queue/wbt_lat_usec");
        self.queue = None;
        if let (true, (Some(read_ahead), Some(requests), Some(rotational))) = (scheduler, rest) {
            let (chosen, schedulers) = parse_scheduler(&parse::text(&self.seen));
            let size = self.size.unwrap_or(0);
            let rotational = rotational == 1;
            let queue = DiskQueue { scheduler: chosen, schedulers, read_ahead, requests, rotational, size, write_throttling };
            self.queue = Some(Arc::new(queue));
        }
        true
    }

    /// Reads what it is made of and who builds on it.
    fn look(&mut self, host: &dyn Host, partitions: Vec<(Arc<str>, (u32, u32))>, buffer: &mut Vec<u8>) {
        let names = |directory: Place| {
            let mut names = Vec::new();
            let _none = host.list(&directory, &mut names);
            names.sort();
            names
        };
        let mut holders = names(self.directory.join("holders"));
        holders.extend(partitions.iter().flat_map(|(name, _)| names(self.directory.join(&format!("{name}/holders")))));
        let slaves = names(self.directory.join("slaves"));
        let mut word = |file: &str| {
            host.read(&self.directory.join(file), buffer).ok()?;
            Some(clean(parse::text(buffer).trim(), 64))
        };
        let model = word("device/model").unwrap_or_default();
        let write_back = word("queue/write_cache").is_some_and(|cache| &*cache == "write back");
        let hardware_queues = u32::try_from(names(self.directory.join("mq")).len()).unwrap_or(u32::MAX);
        let cleaned = |names: Vec<String>| names.iter().map(|name| clean(name, 64)).collect();
        let layout =
            DiskLayout { model, hardware_queues, partitions, holders: cleaned(holders), slaves: cleaned(slaves), write_back };
        if self.layout.as_deref() != Some(&layout) {
            self.layout = Some(Arc::new(layout));
        }
    }
}

/// Whether a name is that of a partition of a device: `sda1`, or `nvme0n1p1` where the device's name ends with a digit.
fn is_partition(name: &str, of: &str) -> bool {
    let Some(rest) = name.strip_prefix(of) else { return false };
    let number = if of.ends_with(|c: char| c.is_ascii_digit()) { rest.strip_prefix('p').unwrap_or("") } else { rest };
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// `/proc/diskstats`. Discards came with 4.18, flushes with 5.5; before they read as zero.
pub fn parse_diskstats(text: &str) -> Vec<DiskSample> {
    text.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<DiskSample> {
    let mut fields = line.split_ascii_whitespace();
    let device = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let name = clean(fields.next()?, 64);
    // Reads: completed, merged, sectors, ms; writes likewise; in flight, busy ms, weighted ms: a line that lacks one is cut short.
    if fields.clone().count() < 11 {
        return None;
    }
    let mut next = || parse::next(&mut fields);
    let [reads, _, read, read_ms, writes, _, written, write_ms] = std::array::from_fn(|_| next());
    let [in_flight, busy_millis, queue_millis] = std::array::from_fn(|_| next());
    let [discards, _, discarded, discard_ms, flushes, flush_ms] = std::array::from_fn(|_| next());
    Some(DiskSample {
        name,
        device,
        completed: [reads, writes, discards, flushes],
        sectors: [read, written, discarded],
        millis: [read_ms, write_ms, discard_ms, flush_ms],
        in_flight,
        busy_millis,
        queue_millis,
        queue: None,
        layout: None,
    })
}

/// The chosen one and all of `none [mq-deadline] bfq`. A device without a choice says just `none`.
fn parse_scheduler(text: &str) -> (Arc<str>, Vec<Arc<str>>) {
    let name = |word: &str| clean(word.trim_matches(['[', ']']), 64);
    let all: Vec<Arc<str>> = text.split_ascii_whitespace().map(name).collect();
    let chosen = text.split_ascii_whitespace().find(|word| word.starts_with('['));
    (chosen.map(name).or_else(|| all.first().cloned()).unwrap_or_default(), all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    const VDA: &str = " 254 0 vda 10 1 80 5 20 2 160 7 3 9 12 4 0 32 6 8 2\n";

    fn rows(disks: &mut Disks, host: &RecordedHost) -> Vec<DiskSample> {
        let Sample::Disks(rows) = disks.read(host).unwrap() else { panic!() };
        rows
    }

    fn host() -> RecordedHost {
        let host = RecordedHost::default();
        let stats = format!(
            "{VDA} 254 1 vda1 9 0 9 9 9 9 9 9 0 9 9\n 7 0 loop0 0 0 0 0 0 0 0 0 0 0 0\n 253 0 zram0 1 0 0 0 0 0 0 0 0 0 0\n"
        );
        host.put("/proc/diskstats", &stats);
        host.put("/sys/block/vda/size", "2048\n");
        host.put("/sys/block/vda/queue/scheduler", "none [mq-deadline] bfq\n");
        for (file, value) in [("read_ahead_kb", "128\n"), ("nr_requests", "256\n"), ("rotational", "1\n")] {
            host.put(&format!("/sys/block/vda/queue/{file}"), value);
        }
        host.put("/sys/block/loop0/size", "0\n");
        host.put("/sys/block/zram0/size", "0\n");
        host
    }

    #[test]
    fn fields_of_new_and_old_kernels() {
        let new = &parse_diskstats(VDA)[0];
        assert_eq!((new.completed, new.sectors, new.millis), ([10, 20, 4, 8], [80, 160, 32], [5, 7, 6, 2]));
        assert_eq!((new.in_flight, new.busy_millis, new.queue_millis), (3, 9, 12));
        let old = &parse_diskstats("8 0 sda 10 1 80 5 20 2 160 7 3 9 12\n")[0];
        assert_eq!((old.completed, old.millis), ([10, 20, 0, 0], [5, 7, 0, 0]));
        assert!(parse_diskstats("8 0 sda 10 1 80 5 20 2 160 7 3 9\n").is_empty(), "cut short");
    }

    #[test]
    fn partitions_idle_loops_and_devices_of_no_size_are_left_out() {
        let all = rows(&mut Disks::default(), &host());
        assert_eq!(all.iter().map(|d| &*d.name).collect::<Vec<_>>(), ["vda"]);
        let queue = all[0].queue.clone().unwrap();
        assert_eq!((&*queue.scheduler, queue.schedulers.len(), queue.size), ("mq-deadline", 3, 1 << 20));
        assert!(queue.rotational);
    }

    #[test]
    fn partitions_and_what_is_built_on_them_are_named() {
        let host = host();
        host.put("/sys/block/vda/vda1/holders/dm-0/dev", "252:0\n");
        host.put("/sys/block/vda/mq/0/nr_tags", "1\n");
        host.put("/sys/block/vda/mq/1/nr_tags", "1\n");
        host.put("/sys/block/vda/device/model", "QEMU HARDDISK   \n");
        host.put("/sys/block/vda/queue/write_cache", "write back\n");
        let layout = rows(&mut Disks::default(), &host)[0].layout.clone().unwrap();
        assert_eq!(
            (layout.partitions.as_slice(), layout.holders.as_slice()),
            (&[("vda1".into(), (254, 1))][..], &["dm-0".into()][..])
        );
        assert_eq!((layout.hardware_queues, &*layout.model, layout.write_back), (2, "QEMU HARDDISK", true));
        assert!(is_partition("nvme0n1p2", "nvme0n1") && !is_partition("nvme0n10", "nvme0n1") && !is_partition("sdaa", "sda"));
    }

    #[test]
    fn settings_are_read_again_after_a_scheduler_change_or_in_turns() {
        let (mut disks, host) = (Disks::default(), host());
        rows(&mut disks, &host);
        host.put("/sys/block/vda/queue/read_ahead_kb", "4096\n");
        assert_eq!(rows(&mut disks, &host)[0].queue.as_ref().unwrap().read_ahead, 128);
        host.put("/sys/block/vda/queue/scheduler", "none mq-deadline [bfq]\n");
        let queue = rows(&mut disks, &host)[0].queue.clone().unwrap();
        assert_eq!((&*queue.scheduler, queue.read_ahead), ("bfq", 4096));
        host.put("/sys/block/vda/queue/nr_requests", "32\n");
        host.step(Duration::from_secs(11));
        assert_eq!(rows(&mut disks, &host)[0].queue.as_ref().unwrap().requests, 32);
    }
}
