//! Actions: one file per knob, each with five verbs. No action imports a sibling; shared help is in [`knob`].

pub mod absent;
pub mod access_times;
pub mod action;
pub mod affinity;
pub mod autogroup;
pub mod cgroup_io;
pub mod congestion_control;
pub mod conntrack;
pub mod custom;
pub mod descriptors;
pub mod io_priority;
pub mod io_scheduler;
pub mod knob;
pub mod listen_backlog;
pub mod memory_limit;
pub mod neighbour_table;
pub mod nice;
pub mod orphans;
pub mod policy;
pub mod port_range;
pub mod port_reuse;
pub mod quota;
pub mod read_ahead;
pub mod receive_backlog;
pub mod renice;
pub mod request_completion;
pub mod request_queue;
pub mod signal;
pub mod slow_start_idle;
pub mod socket_buffers;
pub mod swappiness;
pub mod syn_backlog;
pub mod thp;
pub mod weight;
pub mod writeback;

use crate::actions::action::Action;

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
        &memory_limit::MemoryLimit,
        &writeback::Writeback,
        &swappiness::Swappiness,
        &thp::Thp,
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
    ]
}

/// What only an operator asks for, by hand.
pub fn asked() -> &'static [&'static dyn Action] {
    &[&renice::Renice, &signal::Signal]
}

/// What carries out plans of what is configured; see [`custom`].
fn carried() -> &'static [&'static dyn Action] {
    &[&custom::Custom]
}

/// The action of that name.
pub fn named(name: &str) -> Option<&'static dyn Action> {
    all().iter().chain(asked()).chain(carried()).copied().find(|action| action.about().name == name)
}

/// The README's table of actions.
pub fn table() -> String {
    let mut table =
        String::from("| action | changes | helps when | hurts when | undone how | risk | needs |\n|---|---|---|---|---|---|---|\n");
    for about in all().iter().chain(asked()).map(|action| action.about()) {
        let cells = [about.changes, about.helps, about.hurts, about.undone, about.risk.words(), about.needs];
        table.push_str(&format!("| `{}` ({}) | {} |\n", about.name, about.row, cells.join(" | ")));
    }
    table
}
