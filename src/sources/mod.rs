//! Sources: one file per thing read. Each has a pure `parse` inside; a source never fails, it has gaps.

pub mod allowance;
pub mod backing;
pub mod cgroups;
pub mod cpu;
pub mod disks;
pub mod facts;
pub mod filesystems;
pub mod gpus;
pub mod hardware;
pub mod idle;
pub mod interfaces;
pub mod kept;
pub mod memory;
pub mod paging;
pub mod parse;
pub mod pressure;
pub mod processes;
pub mod receive;
pub mod services;
pub mod source;
pub mod tables;
pub mod tcp;
pub mod vm;

use crate::{
    host::host::Host,
    model::limits::ServiceWatch,
    sources::source::{Inspect, Source},
};
use std::sync::Arc;

/// Every source, fast lane first. The order is the order of reading within a lane.
///
/// `host` is the one that they will read, for those that need it on threads of their own; `services` are watched; at most `handles` files
/// of processes and cgroups are kept open between sweeps: half of the soft descriptor limit is a fair share.
pub fn all(host: &Arc<dyn Host>, services: &[ServiceWatch], handles: usize) -> Vec<Box<dyn Source>> {
    vec![
        Box::<cpu::Cpu>::default(),
        Box::<memory::Memory>::default(),
        Box::<vm::Vm>::default(),
        Box::<pressure::Pressure>::default(),
        // Before the processes, which show what their connections move.
        Box::<tcp::Tcp>::default(),
        Box::new(processes::Processes::new(handles / 4 * 3)),
        Box::new(cgroups::Cgroups::new(handles / 4)),
        Box::<disks::Disks>::default(),
        Box::<interfaces::Interfaces>::default(),
        Box::new(services::Services::new(services)),
        Box::new(filesystems::Filesystems::new(Arc::clone(host))),
        Box::<backing::Backing>::default(),
        Box::<allowance::Allowance>::default(),
        Box::<paging::Paging>::default(),
        Box::<receive::Receive>::default(),
        Box::<idle::Idle>::default(),
        Box::<tables::Tables>::default(),
        Box::<hardware::Hardware>::default(),
        Box::<gpus::Gpus>::default(),
        Box::new(facts::Facts),
    ]
}

/// One that looks closely at processes.
pub fn inspector() -> Box<dyn Inspect> {
    Box::<processes::inspect::Inspector>::default()
}
