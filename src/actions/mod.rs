//! Actions: one file per knob, each with five verbs. No action imports a sibling; shared help is in [`knob`]. Rows of the catalogue
//! without an action, and why, are in [`absent`].

pub mod absent;
pub mod access_times;
pub mod action;
pub mod affinity;
pub mod autogroup;
pub mod cache_pressure;
pub mod cap;
pub mod cgroup_io;
pub mod compact_memory;
pub mod compaction;
pub mod congestion_control;
pub mod conntrack;
pub mod custom;
pub mod descriptors;
pub mod drop_caches;
pub mod file_table;
pub mod governor;
pub mod interrupts;
pub mod io_priority;
pub mod io_scheduler;
pub mod knob;
pub mod listen_backlog;
pub mod memory_high;
pub mod memory_limit;
pub mod memory_low;
pub mod neighbour_table;
pub mod nice;
pub mod numa_balancing;
pub mod oom_score;
pub mod orphans;
pub mod persist;
pub mod pids_limit;
pub mod policy;
pub mod port_range;
pub mod port_reuse;
pub mod quota;
pub mod read_ahead;
pub mod receive_backlog;
pub mod reclaim;
pub mod renice;
pub mod request_completion;
pub mod request_queue;
pub mod rescue;
pub mod signal;
pub mod slow_start_idle;
pub mod socket_buffers;
pub mod steering;
pub mod swappiness;
pub mod syn_backlog;
pub mod thp;
pub mod wake_latency;
pub mod watermark;
pub mod weight;
pub mod writeback;
pub mod zone_reclaim;

use crate::actions::{action::Action, knob::trigger::Once};
use std::sync::LazyLock;

/// Every action, in the order of the README's table.
pub fn all() -> &'static [&'static dyn Action] {
    &[
        &nice::Nice,
        &autogroup::Autogroup,
        &policy::Policy::Batch,
        &policy::Policy::Idle,
        &weight::Weight,
        &quota::Quota,
        &affinity::Affinity,
        &cap::Cap,
        &interrupts::Interrupts,
        &steering::Steering,
        &governor::Governor,
        &wake_latency::WakeLatency,
        &memory_limit::MemoryLimit,
        &memory_high::MemoryHigh,
        &memory_low::MemoryLow,
        &writeback::Writeback,
        &swappiness::Swappiness,
        &thp::Thp,
        &compaction::Compaction,
        &watermark::Watermark,
        &cache_pressure::CachePressure,
        &oom_score::OomScore,
        &zone_reclaim::ZoneReclaim,
        &numa_balancing::NumaBalancing,
        &io_scheduler::IoScheduler,
        &io_priority::IoPriority,
        &read_ahead::ReadAhead,
        &request_queue::RequestQueue,
        &cgroup_io::CgroupIo,
        &request_completion::RequestCompletion,
        &access_times::AccessTimes,
        &listen_backlog::ListenBacklog,
        &syn_backlog::SynBacklog,
        &port_range::PortRange,
        &port_reuse::PortReuse,
        &conntrack::Conntrack,
        &socket_buffers::SocketBuffers,
        &receive_backlog::ReceiveBacklog,
        &congestion_control::CongestionControl,
        &slow_start_idle::SlowStartIdle,
        &neighbour_table::NeighbourTable,
        &orphans::Orphans,
        &descriptors::Descriptors,
        &file_table::FileTable,
        &pids_limit::PidsLimit,
    ]
}

/// What is proposed but has no way back: an operator decides each time. Kept apart, since the laws of undoing do not hold for it.
pub fn triggers() -> &'static [&'static dyn Action] {
    &[&Once(reclaim::Reclaim), &Once(compact_memory::CompactMemory), &Once(drop_caches::DropCaches)]
}

/// What the engine may propose.
pub fn proposed() -> &'static [&'static dyn Action] {
    static PROPOSED: LazyLock<Vec<&'static dyn Action>> = LazyLock::new(|| [all(), triggers()].concat());
    &PROPOSED
}

/// What only an operator asks for, by hand.
pub fn asked() -> &'static [&'static dyn Action] {
    &[&renice::Renice, &signal::Signal]
}

/// What carries out plans of what is configured; see [`custom`].
fn carried() -> &'static [&'static dyn Action] {
    &[&custom::Custom]
}

/// What the engine itself offers, of changes that have proved themselves.
pub fn lasting() -> &'static [&'static dyn Action] {
    &[&persist::Persist]
}

/// What only an emergency asks for.
pub fn urgent() -> &'static [&'static dyn Action] {
    &[&rescue::Rescue]
}

/// The action of that name.
pub fn named(name: &str) -> Option<&'static dyn Action> {
    let all = proposed().iter().chain(lasting()).chain(asked()).chain(urgent()).chain(carried());
    all.copied().find(|action| action.about().name == name)
}

/// The README's table of actions.
pub fn table() -> String {
    let mut table =
        String::from("| action | changes | helps when | hurts when | undone how | risk | needs |\n|---|---|---|---|---|---|---|\n");
    for about in proposed().iter().chain(lasting()).chain(asked()).chain(urgent()).map(|action| action.about()) {
        let cells = [about.changes, about.helps, about.hurts, about.undone, about.risk.words(), about.needs];
        table.push_str(&format!("| `{}` ({}) | {} |\n", about.name, about.row, cells.join(" | ")));
    }
    table
}
