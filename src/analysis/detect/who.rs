//! Who is who among the processes: smoothed use and waiting, who serves, who is never to blame, and groups of one name.

use crate::{
    analysis::detect::{recent, report::short},
    model::{
        finding::Party,
        metric::{Key, Metric},
        snapshot::{Process, Tcp},
        subject::{ProcessId, Subject},
        unit::Unit,
        world::World,
    },
};
use std::sync::Arc;

/// What a process is to its users; the order is the order of our care for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// A service of the configuration, by its name.
    Service(Arc<str>),
    /// It holds (or shares with its parent or child) a listening socket.
    Listens,
    /// Anything else.
    Other,
}

/// A process with its use and waiting over the last seconds.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'a> {
    pub(super) process: &'a Process,
    pub(super) role: Role,
    /// Cores used.
    pub(super) cpu: f64,
    /// Seconds per second runnable but waiting.
    pub(super) wait: f64,
}

impl Candidate<'_> {
    /// The name to show.
    pub(super) fn name(&self) -> Arc<str> {
        match &self.role {
            Role::Service(name) => name.clone(),
            _ => self.process.name.clone(),
        }
    }

    /// True when it wants more cpu all the time: a thread that never sleeps.
    pub(super) fn hungry(&self) -> bool {
        self.cpu + self.wait >= 0.85
    }
}

/// A namespace as a subject: our own is the host.
pub(super) fn namespace(row: &Tcp) -> Subject {
    if row.through.is_none() { Subject::Host } else { Subject::Network(row.netns) }
}

/// Kernel threads, pid 1 and we ourselves are never culprits nor victims.
pub(super) fn exempt(world: &World<'_>, process: &Process) -> bool {
    process.kernel || process.id.pid <= 1 || process.id.pid == world.facts.own
}

/// Seconds since a process started.
pub(super) fn age(world: &World<'_>, process: &Process) -> f64 {
    process.id.age(world.now.tick)
}

/// Every process that has used or waited for a hundredth of a core, and every one that serves.
pub(super) fn candidates<'a>(world: &World<'a>) -> Vec<Candidate<'a>> {
    let Some(all) = world.snapshot.processes.known() else { return Vec::new() };
    let servers = servers(world);
    let active = |p: &&Process| !exempt(world, p);
    all.iter().filter(active).filter_map(|process| candidate(world, process, &servers)).collect()
}

fn candidate<'a>(world: &World<'a>, process: &'a Process, servers: &[&'a Process]) -> Option<Candidate<'a>> {
    let role = role(world, process, servers);
    let (cpu, wait) = (process.cpu.unwrap_or(0.0), process.wait.unwrap_or(0.0));
    if cpu < 0.01 && wait < 0.01 && role == Role::Other {
        return None;
    }
    let smooth =
        |metric, now| recent::activity(world, &Key::new(Subject::Process(process.id), metric), recent::STEADY).unwrap_or(now);
    Some(Candidate { process, role, cpu: smooth(Metric::ProcessCpu, cpu), wait: smooth(Metric::ProcessRunDelay, wait) })
}

/// The processes that hold listening sockets.
fn servers<'a>(world: &World<'a>) -> Vec<&'a Process> {
    let rows = world.snapshot.tcp.known().into_iter().flatten();
    let mut owners: Vec<ProcessId> = rows.flat_map(|row| row.listeners.iter().filter_map(|l| l.owner)).collect();
    owners.sort_unstable();
    owners.dedup();
    owners.iter().filter_map(|id| world.snapshot.process(*id)).collect()
}

fn role(world: &World<'_>, process: &Process, servers: &[&Process]) -> Role {
    let services = world.snapshot.services.known().map(Vec::as_slice).unwrap_or_default();
    if let Some(service) = services.iter().find(|s| s.process == Some(process.id)) {
        return Role::Service(service.name.clone());
    }
    if servers.iter().any(|server| shares_socket(process, server)) { Role::Listens } else { Role::Other }
}

/// A listening socket is inherited: master and workers hold the same one, and only one of them is named as its owner.
fn shares_socket(process: &Process, owner: &Process) -> bool {
    let related = process.parent == owner.id.pid
        || owner.parent == process.id.pid
        || (process.parent == owner.parent && process.parent > 1 && process.command == owner.command);
    process.id == owner.id || (related && process.name == owner.name)
}

/// A party that is a process.
pub(super) fn party(process: &Process, share: f64, amount: (f64, Unit)) -> Party {
    Party {
        subject: Subject::Process(process.id),
        name: process.name.clone(),
        share: share.clamp(0.0, 1.0),
        amount: amount.0,
        unit: amount.1,
    }
}

/// The parties by name, greatest first, such as `6 x python3, make and others`.
pub(super) fn names(parties: &[Party]) -> String {
    let mut groups: Vec<(&str, usize, f64)> = Vec::new();
    for party in parties {
        match groups.iter_mut().find(|(name, ..)| *name == &*party.name) {
            Some((_, count, amount)) => {
                *count += 1;
                *amount += party.amount;
            }
            None => groups.push((&party.name, 1, party.amount)),
        }
    }
    groups.sort_by(|a, b| b.2.total_cmp(&a.2));
    let show = |(name, count, _): &(&str, usize, f64)| if *count > 1 { format!("{count} x {}", short(name)) } else { short(name) };
    let named: Vec<String> = groups.iter().take(2).map(show).collect();
    named.join(", ") + if groups.len() > 2 { " and others" } else { "" }
}
