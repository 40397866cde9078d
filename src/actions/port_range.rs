//! The local ports of outgoing connections (catalogue N3; networking/ip-sysctl.rst "ip_local_port_range").
//!
//! Changes: `net.ipv4.ip_local_port_range`; ports on which somebody listens are put into `ip_local_reserved_ports` first.
//! Helps when: connections in use and in TIME_WAIT nearly fill the range, and connect() fails with EADDRNOTAVAIL.
//! Hurts when: a program that is not running now expects a port below the old range to be free.
//! Undone how: the range before, then the reserved ports before; connections that are open stay.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            refuse::{from_host, nothing},
            setting::Setting,
            steps,
            trial::{self, rise},
        },
    },
    host::{
        canonical::{parse_cpus, show_cpus},
        host::Host,
    },
    model::{
        finding::{Finding, FindingKind},
        knob::Knob,
        metric::{Key, Metric},
        plan::{Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        snapshot::Tcp,
        subject::{ProcessId, Subject},
        unit::Unit,
        world::World,
    },
};
use std::collections::BTreeSet;

/// The widest range that leaves the ports of system services alone.
const LOW: u16 = 1024;
const HIGH: u16 = 65_535;

/// The local ports.
pub struct PortRange;

impl Setting for PortRange {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "port-range",
            row: "N3",
            changes: "net.ipv4.ip_local_port_range, with listeners in ip_local_reserved_ports",
            helps: "connections in use and in TIME_WAIT nearly fill the range",
            hurts: "a program that is not running now expects its port to be free",
            undone: "the range before, then the reserved ports before",
            risk: Risk::Medium,
            needs: "CAP_NET_ADMIN in the namespace",
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let kinds = [FindingKind::PortExhaustion, FindingKind::PredictedPorts];
        let out = world.findings.iter().filter(|f| kinds.contains(&f.id.kind));
        out.filter_map(|finding| self.relief(world, finding)).collect()
    }

    /// The want's text is `NETNS PID START LOW HIGH`, pid and start of a process in that namespace, or 0 for our own.
    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let lacks = |e| from_host(&e, Setting::about(self).needs);
        let mut steps = Vec::new();
        for want in &proposal.wants {
            let words: Vec<u64> = want.to.split(' ').filter_map(|word| word.parse().ok()).collect();
            let [netns, pid, start, low, high] = words[..] else { continue };
            let process = ProcessId { pid: u32::try_from(pid).unwrap_or(0), start };
            let through = (process.pid != 0).then_some(process);
            let knob = |file: &str| Knob::NetworkFile { netns, through, file: format!("ipv4/{file}") };
            let range = steps::step(host, knob("ip_local_port_range"), format!("{low} {high}")).map_err(lacks)?;
            let before = ports(&range.before.replace(' ', "-"));
            let listeners = host.listeners(netns, through).map_err(lacks)?;
            let mut reserved = ports(&host.get(&knob("ip_local_reserved_ports")).map_err(lacks)?);
            let new = |port: &u32| u64::from(*port) >= low && u64::from(*port) <= high && !before.contains(port);
            reserved.extend(listeners.iter().map(|l| u32::from(l.port)).filter(new));
            if range.before == range.after {
                return Err(nothing(format!("{} is {}", range.knob, range.before)));
            }
            let reserved = steps::step(host, knob("ip_local_reserved_ports"), show_cpus(reserved)).map_err(lacks)?;
            steps.extend((reserved.before != reserved.after).then_some(reserved));
            steps.push(range);
        }
        Ok(steps)
    }
}

impl PortRange {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let rows = world.snapshot.tcp.known()?;
        let tcp: &Tcp = match &finding.id.subject {
            Subject::Network(netns) => rows.iter().find(|row| row.netns == *netns)?,
            _ => rows.first()?,
        };
        let (low, high) = tcp.port_range?;
        if low <= LOW && high == HIGH {
            return None;
        }
        let used = tcp.established.saturating_add(tcp.time_wait);
        let size = |low: u16, high: u16| u64::from(high.saturating_sub(low)) + 1;
        let (old, new) = (size(low, high), size(LOW.min(low), HIGH));
        let subject = if tcp.through.is_none() { Subject::Host } else { Subject::Network(tcp.netns) };
        let trial = trial::of(world, Key::new(subject.clone(), Metric::PortsUsed), vec![rise(Metric::PressureMemoryFull, 0.05)]);
        let through = tcp.through.unwrap_or_default();
        let to = format!("{} {} {} {} {HIGH}", tcp.netns, through.pid, through.start, LOW.min(low));
        Some(Proposal {
            title: format!("local ports {low}-{high} -> {}-{HIGH}", LOW.min(low)),
            why: format!("{used} connections stand in a range of {old} local ports ({} in TIME_WAIT).", tcp.time_wait),
            mechanism: "Outgoing connections choose among more ports; those of present listeners are reserved first.".into(),
            expect: format!("connections should fill {} of the range instead of {}.", share(used, new), share(used, old)),
            undo: "The range and the reserved ports before are written back; open connections stay.".into(),
            wants: vec![Want { on: subject, to }],
            fit: 0.8,
            foreseen: trial::foreseen(finding),
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Network, trial)
        })
    }
}

fn share(used: u64, of: u64) -> String {
    Unit::Share.show(used as f64 / of.max(1) as f64)
}

/// Ports of a list such as `8080,9000-9003`: the kernel writes them as it writes cpu lists.
fn ports(list: &str) -> BTreeSet<u32> {
    parse_cpus(list, u32::from(HIGH)).unwrap_or_default().into_iter().collect()
}
