//! The congestion control of new connections (catalogue N9; networking/ip-sysctl.rst "tcp_congestion_control"; Cardwell et al., BBR).
//!
//! Changes: `net.ipv4.tcp_congestion_control` to `bbr`.
//! Helps when: segments are lost over a long path for reasons other than too much sending: others take each loss for congestion.
//! Hurts when: others share the bottleneck: bbr can take more than its part, and send more twice.
//! Undone how: the one before is written back; connections that stand keep theirs until they end, both ways.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            network::{self, NEEDS},
            refuse::{from_host, refusal},
            setting::Setting,
            trial,
        },
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        knob::Knob,
        metric::{Key, Metric},
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk},
        sample::InterfaceKind,
        snapshot::Tcp,
        subject::Subject,
        trial::Windows,
        unit::Unit,
        world::World,
    },
};

const WISHED: &str = "bbr";
/// Lifetimes of connections after which nearly all are new.
const LIFETIMES: f64 = 3.0;
/// Seconds beyond which nobody waits for that.
const PATIENCE: f64 = 900.0;

/// The congestion control.
pub struct CongestionControl;

impl Setting for CongestionControl {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "congestion-control",
            row: "N9",
            changes: "net.ipv4.tcp_congestion_control of a namespace, for new connections",
            helps: "segments are lost over a long path, and each loss is taken for congestion",
            hurts: "others share the bottleneck: bbr can take more than its part",
            undone: "the one before is written back; open connections keep theirs",
            risk: Risk::Medium,
            needs: NEEDS,
            cooldown: 3600.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let lossy = world.findings.iter().filter(|f| f.id.kind == FindingKind::LossyPath);
        lossy.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let steps = network::steps(proposal, host)?;
        steps.iter().try_for_each(|step| is_offered(step, host))?;
        Ok(steps)
    }
}

impl CongestionControl {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let row = network::row(world, finding)?;
        let limits = row.limits.as_ref()?;
        if &*limits.congestion == WISHED || !limits.congestions.iter().any(|name| &**name == WISHED) {
            return None;
        }
        let settle = renewed(row)?;
        let share = network::measured(finding, Metric::TcpResentShare, row.resent()?);
        let trip = network::measured(finding, Metric::TcpRoundTrip, row.round_trip?);
        // What gets through is what counts; the price is what is sent twice.
        let primary = Key::new(busiest(world)?, Metric::NetTransmit);
        let windows = Windows { settle: settle.max(world.windows.settle), ..world.windows };
        let guardrails = vec![network::rise(row, Metric::TcpResentShare, 0.03), network::rise(row, Metric::TcpResets, 5.0)];
        let trial = crate::model::trial::Trial { windows, ..trial::of(world, primary, guardrails) };
        Some(Proposal {
            title: format!("congestion control {} -> {WISHED}", limits.congestion),
            why: format!(
                "{} of what is sent is lost over a path of {}: {} slows down for each loss.",
                Unit::Share.show(share),
                Unit::Seconds.show(trip),
                limits.congestion
            ),
            mechanism: format!(
                "{WISHED} sends at the rate that the path was seen to carry and does not take a lost segment for a full one."
            ),
            expect: format!(
                "{} Connections are new after {}; only then it is judged.",
                trial::outlook(world, &trial, 1.2),
                Unit::Seconds.show(settle)
            ),
            undo: "The one before is written back at once; connections opened meanwhile keep bbr until they end.".into(),
            wants: vec![network::want(row, "ipv4/tcp_congestion_control", WISHED)],
            fit: 0.6,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Network, trial)
        })
    }
}

/// Seconds until nearly all connections are new ones; `None` where that takes too long to be judged. By Little's law a connection lives
/// for as long as their number over the rate at which they are opened.
fn renewed(row: &Tcp) -> Option<f64> {
    let lifetime = row.established as f64 / row.opens;
    Some(LIFETIMES * lifetime).filter(|wait| wait.is_finite() && *wait <= PATIENCE)
}

/// The interface that sends most, this machine's own loop aside.
fn busiest(world: &World<'_>) -> Option<Subject> {
    let all = &world.snapshot.network.known()?.interfaces;
    let outside = all.iter().filter(|row| row.kind != InterfaceKind::Loopback && row.bytes[1] > 0.0);
    outside.max_by(|a, b| a.bytes[1].total_cmp(&b.bytes[1])).map(|row| Subject::Interface(row.name.clone()))
}

/// Refuses one that the kernel has not loaded; in a namespace that is not the first, also one that is not allowed there.
fn is_offered(step: &Step, host: &dyn Host) -> Result<(), Refusal> {
    let Knob::NetworkFile { netns, through, .. } = &step.knob else { return Ok(()) };
    let list = if through.is_none() { "available" } else { "allowed" };
    let knob = Knob::NetworkFile { netns: *netns, through: *through, file: format!("ipv4/tcp_{list}_congestion_control") };
    let names = host.get(&knob).map_err(|e| from_host(&e, "read access to it"))?;
    if names.split(' ').any(|name| name == step.after) {
        return Ok(());
    }
    let why = format!("{knob} has no {}: load tcp_{} or allow it first.", step.after, step.after);
    Err(refusal(Obstacle::Unsupported, why))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    #[test]
    fn it_is_judged_after_three_lifetimes_or_not_at_all() {
        let row = |established, opens| Tcp { established, opens, ..Tcp::default() };
        assert_eq!(renewed(&row(100, 20.0)), Some(15.0));
        assert_eq!(renewed(&row(1000, 0.1)), None, "they live for hours");
        assert_eq!(renewed(&row(1000, 0.0)), None);
    }

    #[test]
    fn what_is_not_offered_is_refused() {
        let host = RecordedHost::default();
        let knob = Knob::NetworkFile { netns: 1, through: None, file: "ipv4/tcp_congestion_control".into() };
        let step = Step { knob, before: "cubic".into(), after: "bbr".into(), apply: String::new(), undo: String::new() };
        host.put("/proc/sys/net/ipv4/tcp_available_congestion_control", "reno cubic\n");
        assert!(is_offered(&step, &host).unwrap_err().why.contains("load tcp_bbr"));
        host.put("/proc/sys/net/ipv4/tcp_available_congestion_control", "reno bbr cubic\n");
        assert!(is_offered(&step, &host).is_ok());
    }
}
