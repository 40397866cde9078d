//! What seldom changes about a host, and what it lets us do.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Facts of the host and of our rights on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Host name, cleaned.
    pub host: Arc<str>,
    /// Kernel release.
    pub kernel: Arc<str>,
    /// Distribution, such as `Debian GNU/Linux 12`.
    pub os: Arc<str>,
    /// Processor model.
    pub cpu_model: Arc<str>,
    /// Online logical processors.
    pub cpus: u32,
    /// NUMA nodes.
    pub nodes: u32,
    /// Processors by where they sit: NUMA nodes, or sockets where there is one node. Empty with only one of each.
    #[serde(default)]
    pub groups: Vec<CpuGroup>,
    /// Memory in bytes.
    pub memory: u64,
    /// Seconds since boot when the facts were read.
    pub uptime: f64,
    /// Identity of this boot (`/proc/sys/kernel/random/boot_id`).
    pub boot: Arc<str>,
    /// Our own pid: trimtab is never a culprit of its own findings.
    #[serde(default)]
    pub own: u32,
    /// Effective user id that we run as.
    pub uid: u32,
    /// Effective capabilities by name, such as `CAP_SYS_NICE`.
    pub capabilities: Vec<Arc<str>>,
    /// `kernel.sched_autogroup_enabled` is 1.
    pub autogroup: bool,
    /// `/proc/pressure` exists.
    pub pressure: bool,
    /// cgroup v1 controllers mounted, with the mount point of each.
    pub cgroup_v1: Vec<(Arc<str>, Arc<str>)>,
    /// Mount point of the unified hierarchy.
    pub cgroup_v2: Option<Arc<str>>,
    /// pid 1 is systemd.
    pub systemd: bool,
    /// Running in a container, by what sign.
    pub container: Option<Arc<str>>,
    /// Other programs that own knobs, such as `tuned`, `irqbalance`, `kubelet`; found running.
    pub tuners: Vec<Arc<str>>,
    /// Tasks that there may be at all: the lesser of `kernel.pid_max` and `kernel.threads-max`; 0 where that is not known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tasks: u64,
    /// User names by id.
    pub users: Vec<(u32, Arc<str>)>,
}

fn is_zero(tasks: &u64) -> bool {
    *tasks == 0
}

/// Processors that sit together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuGroup {
    /// What it is, such as `node 0` or `socket 1`.
    pub name: Arc<str>,
    /// Their numbers, ascending.
    pub cpus: Vec<u32>,
}

impl Facts {
    /// The name of `uid`, or its number.
    pub fn user(&self, uid: u32) -> Arc<str> {
        self.users.iter().find(|(id, _)| *id == uid).map_or_else(|| uid.to_string().into(), |(_, name)| name.clone())
    }

    /// True when we hold the capability of that name.
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|c| &**c == capability)
    }
}
