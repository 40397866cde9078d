//! Slow start after a rest (catalogue N10; networking/ip-sysctl.rst "tcp_slow_start_after_idle", RFC 2861).
//!
//! Changes: `net.ipv4.tcp_slow_start_after_idle` to 0.
//! Helps when: kept connections over a long path answer in bursts: each one after a rest takes round trips to come up to speed.
//! Hurts when: the path has changed meanwhile: the first burst is more than it carries, and is sent twice.
//! Undone how: the value before is written back, at once, for all connections.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            network::{self, NEEDS},
            setting::Setting,
            trial,
        },
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        metric::Metric,
        plan::{Refusal, Step},
        proposal::{Domain, Proposal, Risk},
        unit::Unit,
        world::World,
    },
};

/// Slow start after a rest.
pub struct SlowStartIdle;

impl Setting for SlowStartIdle {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "slow-start-after-idle",
            row: "N10",
            changes: "net.ipv4.tcp_slow_start_after_idle of a namespace",
            helps: "kept connections over a long path answer in bursts",
            hurts: "the path has changed during the rest: the first burst is sent twice",
            undone: "the value before is written back",
            risk: Risk::Low,
            needs: NEEDS,
            cooldown: 600.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let resting = world.findings.iter().filter(|f| f.id.kind == FindingKind::IdleRestart);
        resting.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        network::steps(proposal, host)
    }
}

impl SlowStartIdle {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let row = network::row(world, finding)?;
        if row.limits.as_ref()?.slow_start_after_idle? == 0 {
            return None;
        }
        let rate = network::measured(finding, Metric::TcpRestarts, row.strained.restarts?);
        let trip = network::measured(finding, Metric::TcpRoundTrip, row.round_trip?);
        let guardrails = vec![network::rise(row, Metric::TcpResentShare, 0.01)];
        let trial = trial::of(world, network::key(row, Metric::TcpRestarts), guardrails);
        let shown = Unit::PerSecond.show((rate * 10.0).round() / 10.0);
        Some(Proposal {
            title: "no slow start after a rest".into(),
            why: format!("Kept connections are seen to start slowly again {shown} over a path of {}.", Unit::Seconds.show(trip)),
            mechanism: "A connection that has rested goes on with the window that it had, instead of growing it anew.".into(),
            expect: format!(
                "slow starts after a rest should fall from {shown} to 0; each spared {} or more.",
                Unit::Seconds.show(trip)
            ),
            undo: "The value before is written back at once, for all connections.".into(),
            wants: vec![network::want(row, "ipv4/tcp_slow_start_after_idle", 0)],
            fit: 0.7,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Network, trial)
        })
    }
}
