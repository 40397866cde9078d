//! The receive path of interfaces: their queues, whether the work is steered to other processors, and the interrupts that serve them
//! (Documentation/networking/scaling.rst, Documentation/core-api/irq/irq-affinity.rst). Raw and derived.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The receive paths of the interfaces that are devices of the machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReceiveSample {
    /// Sorted by name.
    pub paths: Vec<PathSample>,
    /// Processors that are kept free of the kernel's own work (`isolcpus`, `nohz_full`), ascending.
    pub isolated: Arc<[u32]>,
}

/// One interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PathSample {
    /// Name, cleaned.
    pub name: Arc<str>,
    /// Receive queues.
    pub queues: u32,
    /// Some queue hands packets to other processors (`rps_cpus`).
    pub steered: bool,
    /// Interrupts of its device.
    pub interrupts: Vec<InterruptSample>,
}

/// One interrupt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InterruptSample {
    /// Its number.
    pub number: u32,
    /// The processors that serve it, as a list such as `0-3`.
    pub cpus: Arc<str>,
    /// Times that it was served since boot.
    pub count: u64,
}

/// Receive paths over the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Receive {
    /// Sorted by name.
    pub paths: Vec<Path>,
    /// As in the sample.
    pub isolated: Arc<[u32]>,
}

/// One interface over the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Path {
    /// Name.
    pub name: Arc<str>,
    /// Receive queues.
    pub queues: u32,
    /// Some queue hands packets to other processors.
    pub steered: bool,
    /// Interrupts of its device.
    pub interrupts: Vec<Interrupt>,
}

/// One interrupt over the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interrupt {
    /// Its number.
    pub number: u32,
    /// The processors that serve it, as a list.
    pub cpus: Arc<str>,
    /// Times per second that it is served; `None` before the second reading.
    pub rate: Option<f64>,
}

impl Receive {
    /// The path of that interface.
    pub fn path(&self, name: &str) -> Option<&Path> {
        self.paths.iter().find(|path| &*path.name == name)
    }
}
