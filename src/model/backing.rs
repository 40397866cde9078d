//! What stands behind memory: swap devices, compressed memory, NUMA nodes. Raw and derived.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// `/proc/swaps`, zram, zswap and the nodes, as the kernel gives them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BackingSample {
    /// Swap devices and files, by priority.
    pub swaps: Vec<SwapArea>,
    /// Memory disks that compress, those in use.
    pub zrams: Vec<Zram>,
    /// The compressed cache in front of swap; `None` in a kernel without.
    pub zswap: Option<Zswap>,
    /// NUMA nodes; empty where there is only one, which is the host itself.
    pub nodes: Vec<NodeSample>,
}

/// A swap device or file, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SwapArea {
    /// Device or file, cleaned.
    pub name: Arc<str>,
    /// Its size.
    pub size: u64,
    /// In use.
    pub used: u64,
    /// The highest is filled first.
    pub priority: i64,
}

/// A zram device, in bytes (Documentation/admin-guide/blockdev/zram.rst).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Zram {
    /// Kernel name.
    pub name: Arc<str>,
    /// Size of the disk that it shows.
    pub size: u64,
    /// What was written to it.
    pub original: u64,
    /// The same, compressed.
    pub compressed: u64,
    /// Memory that it takes, with what is lost between.
    pub used: u64,
    /// The algorithm in use, cleaned.
    pub algorithm: Arc<str>,
}

impl Zram {
    /// How many bytes one byte of memory holds.
    pub fn ratio(&self) -> Option<f64> {
        (self.used > 0).then(|| self.original as f64 / self.used as f64)
    }
}

/// Settings of zswap; how full it is stands in [`crate::model::sample::MemorySample`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zswap {
    /// It takes pages.
    pub enabled: bool,
    /// The most memory that it may take, in percent.
    pub most: u64,
    /// Its compressor, cleaned.
    pub compressor: Arc<str>,
}

/// A NUMA node; counters in pages since boot (Documentation/admin-guide/numastat.rst).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeSample {
    /// Its number.
    pub number: u32,
    /// Bytes in all.
    pub total: u64,
    /// Bytes free.
    pub free: u64,
    /// Bytes of anonymous pages.
    pub anon: u64,
    /// Bytes of file pages.
    pub file: u64,
    /// Pages that were wanted here and given here.
    pub hit: u64,
    /// Pages that were wanted elsewhere and given here.
    pub miss: u64,
    /// Pages that were wanted here and given elsewhere.
    pub foreign: u64,
    /// Pages given here to a process that ran on another node.
    pub other: u64,
}

/// What stands behind memory, over the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // as in the sample
pub struct Backing {
    pub swaps: Vec<SwapArea>,
    pub zrams: Vec<Zram>,
    pub zswap: Option<Zswap>,
    pub nodes: Vec<Node>,
}

/// A NUMA node over the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its number.
    pub number: u32,
    /// Bytes in all.
    pub total: u64,
    /// Bytes free.
    pub free: u64,
    /// Bytes of anonymous pages.
    pub anon: u64,
    /// Bytes of file pages.
    pub file: u64,
    /// Pages per second: given as wanted, given here though wanted elsewhere, wanted here but given elsewhere; none before the second
    /// reading.
    pub given: Option<[f64; 3]>,
}

impl Backing {
    /// Share of the pages that were given on another node than wanted; `None` with one node, and while hardly any are given.
    pub fn remote(&self) -> Option<f64> {
        let given: Vec<[f64; 3]> = self.nodes.iter().filter_map(|node| node.given).collect();
        let (hits, foreign) = given.iter().fold((0.0, 0.0), |(hits, foreign), [hit, _, away]| (hits + hit, foreign + away));
        (given.len() > 1 && hits + foreign >= 1000.0).then(|| foreign / (hits + foreign))
    }
}
