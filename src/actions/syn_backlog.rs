//! Room for requests to connect (catalogue N2; networking/ip-sysctl.rst "tcp_syncookies", "tcp_max_syn_backlog").
//!
//! Changes: `net.ipv4.tcp_syncookies` to 1, or `net.ipv4.tcp_max_syn_backlog` where that is the limit and the requests are load.
//! Helps when: requests are dropped since too many connections are half open, and cookies are off.
//! Hurts when: clients need TCP options that a cookie cannot carry; a flood fills whatever room it is given.
//! Undone how: the value before is written back; connections that stand stay.
//!
//! `tcp_max_syn_backlog` counts only while cookies are off, and a listener's own backlog bounds it too (`tcp_conn_request`): it is raised
//! only where it is the smaller of the two, and never for a flood.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            network,
            setting::Setting,
            trial::{self, rise},
        },
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        metric::Metric,
        plan::{Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        snapshot::Tcp,
        unit::Unit,
        world::World,
    },
};

/// Never more half-open connections than this: some 300 bytes each.
const MOST: u64 = 65_536;

/// Room for requests.
pub struct SynBacklog;

impl Setting for SynBacklog {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "syn-backlog",
            row: "N2",
            changes: "net.ipv4.tcp_syncookies, or tcp_max_syn_backlog, of a namespace",
            helps: "requests to connect are dropped while cookies are off",
            hurts: "clients need options that a cookie cannot carry; a flood fills any room",
            undone: "the value before is written back; connections stay",
            risk: Risk::Low,
            needs: network::NEEDS,
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let full = world.findings.iter().filter(|f| f.id.kind == FindingKind::SynDrops);
        full.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        network::only_raised(network::steps(proposal, host)?)
    }
}

impl SynBacklog {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let row = network::row(world, finding)?;
        if row.limits.as_ref()?.syncookies != Some(0) {
            return None;
        }
        let dropped = network::measured(finding, Metric::TcpSynDrops, row.strained.syns.unwrap_or(0.0));
        let accepted = network::measured(finding, Metric::TcpAccepts, row.opens - row.connects);
        // What clients finish is load; what they do not is a flood.
        let raise = if accepted >= dropped { room(row) } else { None };
        let (want, title, mechanism): (Want, String, &str) = match raise {
            Some((old, new)) => (
                network::want(row, "ipv4/tcp_max_syn_backlog", new),
                format!("half-open connections at most {old} -> {new}"),
                "More requests wait for their client's last word; without cookies the last quarter is kept for known ones.",
            ),
            None => (
                network::want(row, "ipv4/tcp_syncookies", 1),
                "SYN cookies on".into(),
                "A request without room is answered with a cookie that needs none; who sends it back is connected.",
            ),
        };
        let trial = trial::of(world, network::key(row, Metric::TcpSynDrops), vec![rise(Metric::PressureCpuSome, 0.10)]);
        let rate = |value: f64| Unit::PerSecond.show((value * 10.0).round() / 10.0);
        Some(Proposal {
            title,
            why: format!(
                "{} requests to connect are dropped while {} are finished; cookies are off.",
                rate(dropped),
                rate(accepted)
            ),
            mechanism: mechanism.into(),
            expect: format!("requests dropped should fall from {} to 0.", rate(dropped)),
            undo: "The value before is written back at once; connections that stand stay.".into(),
            wants: vec![want],
            fit: 0.8,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Network, trial)
        })
    }
}

/// The limit now and one that lets the longest queue of a listener fill, where three quarters of the one now do not.
fn room(row: &Tcp) -> Option<(u64, u64)> {
    let old = row.limits.as_ref()?.max_syn_backlog?;
    let longest = row.listeners.iter().map(|listener| u64::from(listener.backlog)).max()?;
    let new = (longest * 4 / 3 + 1).next_power_of_two().min(MOST);
    (old / 4 * 3 < longest && new > old).then_some((old, new))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::sample::{Listener, NetworkLimits};

    #[test]
    fn the_limit_is_raised_only_where_it_is_the_smaller_one() {
        let row = |limit, backlog| Tcp {
            limits: Some(NetworkLimits { max_syn_backlog: Some(limit), ..NetworkLimits::default() }.into()),
            listeners: vec![Listener { port: 80, waiting: 0, backlog, inode: 1, owner: None }].into(),
            ..Tcp::default()
        };
        assert_eq!(room(&row(128, 511)), Some((128, 1024)));
        assert_eq!(room(&row(1024, 511)), None);
        assert_eq!(room(&row(128, 16)), None, "the listener's own queue is full first");
        assert_eq!(room(&row(128, 4_000_000)), Some((128, MOST)));
        assert_eq!(room(&Tcp::default()), None);
    }
}
