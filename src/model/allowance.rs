//! What our own control group and those above it allow: inside a container these are the true sizes of the machine.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The tightest limits on our way up that are tighter than the host. All `None` outside of a container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Allowance {
    /// Processor time.
    pub cpu: Option<CpuAllowance>,
    /// Memory.
    pub memory: Option<MemoryAllowance>,
    /// Processors that we may run on (cpuset or affinity), where they are fewer than the host's.
    pub cpus: Option<u32>,
}

impl Allowance {
    /// Cores that may be used: the quota, or the processors allowed if these are fewer.
    pub fn cores(&self) -> Option<f64> {
        let quota = self.cpu.as_ref().map(|cpu| cpu.cores);
        let cpus = self.cpus.map(f64::from);
        quota.into_iter().chain(cpus).reduce(f64::min)
    }
}

/// A quota of processor time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CpuAllowance {
    /// In cores.
    pub cores: f64,
    /// The control group that has it, cleaned.
    pub at: Arc<str>,
}

/// A limit of memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MemoryAllowance {
    /// In bytes.
    pub limit: u64,
    /// Bytes charged to the group that has it, where that can be seen.
    pub used: Option<u64>,
    /// Of these, file pages that the kernel takes back before it kills: inactive ones.
    pub reclaimable: u64,
    /// The control group that has it, cleaned; empty when it is above all that we see.
    pub at: Arc<str>,
}

impl MemoryAllowance {
    /// Bytes that can still be had below the limit.
    pub fn available(&self) -> Option<u64> {
        let held = self.used?.saturating_sub(self.reclaimable);
        Some(self.limit.saturating_sub(held))
    }
}
