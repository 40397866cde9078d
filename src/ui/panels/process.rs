//! One process.

use crate::{
    model::{subject::ProcessId, unit::Unit},
    ui::{panels::reader::Prose, state::State, words},
};

/// Writes the page; returns its title.
pub fn write(state: &State, id: ProcessId, prose: &mut Prose<'_>) -> String {
    let theme = prose.theme;
    let Some(p) = state.shown().snapshot.process(id) else {
        prose.text("This process has ended.", theme.dim);
        return format!("process {}", id.pid);
    };
    let facts = &state.shown().facts;
    let moved = |which: usize| words::maybe(Unit::BytesPerSecond, p.io.and_then(|io| io.get(which).copied()));
    let descriptors = match (p.descriptors, p.descriptor_limit) {
        (Some(open), Some((soft, hard))) => format!("{open} open, limit {soft} (hard {hard})"),
        (Some(open), None) => format!("{open} open"),
        _ => "-".into(),
    };
    let kind = if p.kernel { "kernel thread" } else { "" };
    let rows: [(&str, String); 13] = [
        ("command", p.command.to_string()),
        ("user", facts.user(p.uid).to_string()),
        ("parent", p.parent.to_string()),
        ("state", format!("{} {kind}", p.state)),
        ("cpu", format!("{} of one core", words::maybe(Unit::Cores, p.cpu))),
        ("wait", format!("{} runnable and waiting, all threads", words::maybe(Unit::SecondsPerSecond, p.wait))),
        ("memory", format!("{} resident, {:.0} major faults/s", Unit::Bytes.show(p.resident as f64), p.major_faults)),
        ("storage", format!("{} read, {} written", moved(0), moved(1))),
        ("threads", p.threads.to_string()),
        ("nice", p.nice.to_string()),
        ("descriptors", descriptors),
        ("session", p.session.to_string()),
        ("cgroup", p.cgroup.to_string()),
    ];
    for (label, value) in rows {
        prose.field(label, value.trim(), theme.text);
    }
    format!("process {} {}", id.pid, p.name)
}
