//! Derive: two samples and the time between them become rates. Counters that went backwards (a device or a namespace made anew) make no
//! number: their row is left out until it has been seen twice again.

mod backing;
mod cgroups;
mod cpu;
mod delta;
pub mod deriver;
mod disks;
mod hardware;
mod idle;
mod network;
mod pressure;
mod processes;
mod receive;
mod services;
mod slot;
mod traffic;
mod vm;
