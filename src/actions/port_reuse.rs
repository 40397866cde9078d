//! Local ports used again while they wait (catalogue N3; networking/ip-sysctl.rst "tcp_tw_reuse", RFC 6191).
//!
//! Changes: `net.ipv4.tcp_tw_reuse` to 1.
//! Helps when: outgoing connections to few places come and go, and those in TIME_WAIT hold most local ports.
//! Hurts when: a middlebox or peer without timestamps takes a new connection for the old one.
//! Undone how: the value before is written back; connections that stand stay.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            network::{self, NEEDS},
            refuse::{from_host, nothing, refusal},
            setting::Setting,
            trial,
        },
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        knob::Knob,
        metric::Metric,
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk},
        unit::Unit,
        world::World,
    },
};

/// Share of the connections that wait from which it is worth it.
const WAITING: f64 = 0.5;

/// Ports used again.
pub struct PortReuse;

impl Setting for PortReuse {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "port-reuse",
            row: "N3",
            changes: "net.ipv4.tcp_tw_reuse of a namespace",
            helps: "connections in TIME_WAIT hold most local ports",
            hurts: "a middlebox takes a new connection for the old one",
            undone: "the value before is written back; connections stay",
            risk: Risk::Medium,
            needs: NEEDS,
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let kinds = [FindingKind::PortExhaustion, FindingKind::PredictedPorts];
        let out = world.findings.iter().filter(|f| kinds.contains(&f.id.kind));
        out.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let steps = network::steps(proposal, host)?;
        match steps.first() {
            Some(step) if step.before == step.after => Err(nothing(format!("{} is {}", step.knob, step.before))),
            Some(step) => stamped(step, host).map(|()| steps),
            None => Ok(steps),
        }
    }
}

impl PortReuse {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let row = network::row(world, finding)?;
        if row.limits.as_ref()?.tw_reuse? == 1 {
            return None;
        }
        let waiting = row.time_wait as f64 / row.established.saturating_add(row.time_wait).max(1) as f64;
        if waiting < WAITING {
            return None;
        }
        let guardrails = vec![network::rise(row, Metric::TcpResets, 5.0)];
        let trial = trial::of(world, network::key(row, Metric::PortsUsed), guardrails);
        let widest = row.port_range.is_some_and(|(low, high)| high.saturating_sub(low) > 60_000);
        Some(Proposal {
            title: "local ports in TIME_WAIT are used again".into(),
            why: format!(
                "{} of {} connections stand in TIME_WAIT and hold a port each.",
                Unit::Share.show(waiting),
                row.time_wait.saturating_add(row.established)
            ),
            mechanism: "A new outgoing connection may take a port that has waited for a second; timestamps tell the two apart."
                .into(),
            expect: format!("ports in TIME_WAIT should fall from {} as they are taken again.", row.time_wait),
            undo: "The value before is written back at once; connections that stand stay.".into(),
            wants: vec![network::want(row, "ipv4/tcp_tw_reuse", 1)],
            // A wider range comes first, while there is one.
            fit: if widest { 0.8 } else { 0.5 },
            foreseen: trial::foreseen(finding),
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Network, trial)
        })
    }
}

/// Refuses without timestamps: the kernel would not reuse a port then.
fn stamped(step: &Step, host: &dyn Host) -> Result<(), Refusal> {
    let Knob::NetworkFile { netns, through, .. } = &step.knob else { return Ok(()) };
    let knob = Knob::NetworkFile { netns: *netns, through: *through, file: "ipv4/tcp_timestamps".into() };
    match host.get(&knob).map_err(|e| from_host(&e, "read access to it"))?.as_str() {
        "0" => Err(refusal(Obstacle::Unsupported, format!("{knob} is 0: without timestamps no port is used again. Set it first."))),
        _ => Ok(()),
    }
}
