//! What stands behind memory: `/proc/swaps` (proc_swaps(5)), zram (Documentation/admin-guide/blockdev/zram.rst), zswap
//! (Documentation/admin-guide/mm/zswap.rst) and NUMA nodes (Documentation/admin-guide/numastat.rst).

use crate::{
    host::{error::HostError, host::Host, mounts},
    model::{
        backing::{BackingSample, NodeSample, SwapArea, Zram, Zswap},
        knob::Place,
        sample::{Sample, SourceName},
        text::clean,
    },
    sources::{
        kept::Kept,
        parse,
        source::{Lane, Source, SourceAbout},
    },
};
use std::time::Duration;

/// Readings between two looks at which devices and nodes there are; swap that comes or goes is a reason to look at once.
const TURNS: usize = 12;

/// The source.
pub struct Backing {
    swaps: Kept,
    seen: Vec<u8>,
    buffer: Vec<u8>,
    turn: usize,
    zrams: Vec<String>,
    nodes: Vec<(u32, Place)>,
}

impl Default for Backing {
    fn default() -> Self {
        let swaps = Kept::new(Place::proc("swaps"));
        Backing { swaps, seen: Vec::new(), buffer: Vec::new(), turn: 0, zrams: Vec::new(), nodes: Vec::new() }
    }
}

impl Source for Backing {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Backing,
            lane: Lane::Seldom(5),
            deadline: Duration::from_millis(1500),
            reads: "/proc/swaps, /sys/block/zram*/mm_stat, zswap parameters, node*/{meminfo,numastat}",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        // A kernel built without swap has no such file, and no swap.
        if self.swaps.read(host, &mut self.buffer).is_err() {
            self.buffer.clear();
        }
        let swaps = parse_swaps(&parse::text(&self.buffer));
        if self.turn.is_multiple_of(TURNS) || self.buffer != self.seen {
            std::mem::swap(&mut self.seen, &mut self.buffer);
            self.find(host);
        }
        self.turn = self.turn.wrapping_add(1);
        let zrams = self.zrams.iter().filter_map(|name| zram(host, name)).collect();
        let nodes = self.nodes.iter().filter_map(|(number, directory)| node(host, *number, directory)).collect();
        Ok(Sample::Backing(BackingSample { swaps, zrams, zswap: zswap(host), nodes }))
    }
}

impl Backing {
    fn find(&mut self, host: &dyn Host) {
        let mut names = Vec::new();
        let _none_without_sysfs = host.list(&Place::sys("block"), &mut names);
        names.retain(|name| name.starts_with("zram"));
        names.sort_unstable();
        self.zrams.clone_from(&names);
        let root = Place::sys("devices/system/node");
        names.clear();
        let _none_without_numa = host.list(&root, &mut names);
        let number = |name: &String| Some((name.strip_prefix("node")?.parse().ok()?, root.join(name)));
        self.nodes = names.iter().filter_map(number).collect();
        self.nodes.sort_unstable();
        // A single node is the host itself.
        if self.nodes.len() < 2 {
            self.nodes.clear();
        }
    }
}

/// `/proc/swaps`, in the order in which they are filled.
pub fn parse_swaps(text: &str) -> Vec<SwapArea> {
    let line = |line: &str| {
        // From the right: the name may hold anything, blanks escaped.
        let mut fields = line.split_ascii_whitespace().rev();
        let priority = fields.next()?.parse().ok()?;
        let mut bytes = || Some(fields.next()?.parse::<u64>().ok()?.saturating_mul(1024));
        let (used, size) = (bytes()?, bytes()?);
        let name = clean(&mounts::plain(line.split_ascii_whitespace().next()?), 256);
        Some(SwapArea { name, size, used, priority })
    };
    let mut all: Vec<SwapArea> = text.lines().filter_map(line).collect();
    all.sort_by_key(|area| std::cmp::Reverse(area.priority));
    all
}

/// A device of no size is not in use.
fn zram(host: &dyn Host, name: &str) -> Option<Zram> {
    let directory = Place::sys("block").join(name);
    let size = parse::whole(&host.text(&directory.join("disksize")).ok()?).filter(|size| *size > 0)?;
    let stat = host.text(&directory.join("mm_stat")).ok()?;
    let mut fields = stat.split_ascii_whitespace();
    let (original, compressed, used) = (parse::next(&mut fields), parse::next(&mut fields), parse::next(&mut fields));
    let algorithms = host.text(&directory.join("comp_algorithm")).unwrap_or_default();
    let algorithm = algorithms.split_ascii_whitespace().find_map(|word| word.strip_prefix('[')?.strip_suffix(']')).unwrap_or("");
    Some(Zram { name: clean(name, 32), size, original, compressed, used, algorithm: clean(algorithm, 32) })
}

fn zswap(host: &dyn Host) -> Option<Zswap> {
    let of = |file: &str| host.text(&Place::sys("module/zswap/parameters").join(file)).ok();
    let enabled = matches!(of("enabled")?.trim(), "Y" | "1");
    let most = of("max_pool_percent").as_deref().and_then(parse::whole).unwrap_or(0);
    Some(Zswap { enabled, most, compressor: clean(of("compressor").unwrap_or_default().trim(), 32) })
}

/// A node without memory has only processors.
fn node(host: &dyn Host, number: u32, directory: &Place) -> Option<NodeSample> {
    let mut row = NodeSample { number, ..NodeSample::default() };
    // `Node 0 MemTotal:  24684084 kB`
    for line in host.text(&directory.join("meminfo")).ok()?.lines() {
        let mut fields = line.split_ascii_whitespace();
        let place = match fields.nth(2) {
            Some("MemTotal:") => &mut row.total,
            Some("MemFree:") => &mut row.free,
            Some("AnonPages:") => &mut row.anon,
            Some("FilePages:") => &mut row.file,
            _ => continue,
        };
        *place = parse::next(&mut fields).saturating_mul(1024);
    }
    for (key, value) in parse::keyed(&host.text(&directory.join("numastat")).unwrap_or_default()) {
        match key {
            "numa_hit" => row.hit = value,
            "numa_miss" => row.miss = value,
            "numa_foreign" => row.foreign = value,
            "other_node" => row.other = value,
            _ => {}
        }
    }
    (row.total > 0).then_some(row)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    const SWAPS: &str = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/sda2   partition\t1048572\t\t2048\t\t-2\n\
                         /my\\040swap\\040file file 4096 0 -3\n/dev/zram0 partition\t524284\t\t1024\t\t100\n";

    fn read(source: &mut Backing, host: &RecordedHost) -> BackingSample {
        let Sample::Backing(sample) = source.read(host).unwrap() else { panic!() };
        sample
    }

    fn put_zram(host: &RecordedHost, name: &str, size: &str) {
        host.put(&format!("/sys/block/{name}/disksize"), size);
        host.put(&format!("/sys/block/{name}/mm_stat"), "  40960000 10000000 10240000 0 10240000 12 0 3 3\n");
        host.put(&format!("/sys/block/{name}/comp_algorithm"), "lzo [zstd] lz4\n");
    }

    #[test]
    fn swaps_come_in_the_order_in_which_they_are_filled() {
        let all = parse_swaps(SWAPS);
        let seen: Vec<_> = all.iter().map(|s| (&*s.name, s.size, s.used, s.priority)).collect();
        let expect = [
            ("/dev/zram0", 536_866_816, 1 << 20, 100),
            ("/dev/sda2", 1_073_737_728, 2 << 20, -2),
            ("/my swap file", 4 << 20, 0, -3),
        ];
        assert_eq!(seen, expect);
        assert!(parse_swaps("").is_empty());
    }

    #[test]
    fn zram_in_use_is_found_at_once_when_swap_comes() {
        let host = RecordedHost::default();
        host.put("/proc/swaps", "Filename Type Size Used Priority\n");
        put_zram(&host, "zram1", "0\n");
        let mut source = Backing::default();
        assert!(read(&mut source, &host).zrams.is_empty(), "a device of no size is not in use");
        put_zram(&host, "zram0", "536870912\n");
        host.put("/proc/swaps", SWAPS);
        let zram = read(&mut source, &host).zrams.remove(0);
        assert_eq!((&*zram.name, zram.original, zram.compressed, &*zram.algorithm), ("zram0", 40_960_000, 10_000_000, "zstd"));
        assert_eq!(zram.ratio(), Some(4.0));
    }

    #[test]
    fn zswap_is_told_with_its_switch() {
        let host = RecordedHost::default();
        assert_eq!(read(&mut Backing::default(), &host).zswap, None);
        for (file, text) in [("enabled", "Y\n"), ("max_pool_percent", "20\n"), ("compressor", "lzo\n")] {
            host.put(&format!("/sys/module/zswap/parameters/{file}"), text);
        }
        let zswap = read(&mut Backing::default(), &host).zswap.unwrap();
        assert_eq!((zswap.enabled, zswap.most, &*zswap.compressor), (true, 20, "lzo"));
    }

    #[test]
    fn nodes_are_told_where_there_are_several() {
        let host = RecordedHost::default();
        let put = |number: u32, total: u64| {
            let at = |file: &str| format!("/sys/devices/system/node/node{number}/{file}");
            host.put(
                &at("meminfo"),
                &format!("Node {number} MemTotal: {total} kB\nNode {number} MemFree: 10 kB\nNode {number} FilePages: 4 kB\n"),
            );
            host.put(
                &at("numastat"),
                "numa_hit 100\nnuma_miss 20\nnuma_foreign 3\ninterleave_hit 9\nlocal_node 90\nother_node 30\n",
            );
        };
        put(0, 1000);
        assert!(read(&mut Backing::default(), &host).nodes.is_empty(), "one node is the host");
        put(10, 2000);
        put(2, 0);
        let nodes = read(&mut Backing::default(), &host).nodes;
        assert_eq!(nodes.iter().map(|n| n.number).collect::<Vec<_>>(), [0, 10]);
        assert_eq!((nodes[1].total, nodes[1].file, nodes[1].hit, nodes[1].miss, nodes[1].foreign), (2_048_000, 4096, 100, 20, 3));
    }
}
