//! Rates of interfaces, of the receive path, and of TCP in each network namespace.

use super::delta::{delta, per, rate};
use crate::model::{
    sample::{InterfaceSample, NetworkSample, TcpSample},
    snapshot::{Interface, Network, Strained, Tcp, Udp},
};

/// What happened between two samples.
pub(super) fn network(old: &NetworkSample, new: &NetworkSample, seconds: f64) -> Network {
    let before = |name: &str| old.interfaces.binary_search_by(|row| (*row.name).cmp(name)).ok().and_then(|i| old.interfaces.get(i));
    let interfaces = new.interfaces.iter().filter_map(|row| interface(before(&row.name)?, row, seconds)).collect();
    // Rows of softnet_stat carry no cpu number on old kernels: with another count of them they cannot be paired.
    let softnet = if old.softnet.len() == new.softnet.len() {
        let pairs = old.softnet.iter().zip(&new.softnet);
        pairs.map(|(old, new)| counters(*old, *new, seconds).unwrap_or_default()).collect()
    } else {
        Vec::new()
    };
    Network { interfaces, softnet, receive: new.receive, neighbours: new.neighbours.clone() }
}

fn interface(old: &InterfaceSample, new: &InterfaceSample, seconds: f64) -> Option<Interface> {
    Some(Interface {
        name: new.name.clone(),
        bytes: counters(old.bytes, new.bytes, seconds)?,
        packets: counters(old.packets, new.packets, seconds)?,
        errors: counters(old.errors, new.errors, seconds)?,
        drops: counters(old.drops, new.drops, seconds)?,
        speed: new.speed,
        up: new.up,
        kind: new.kind,
        mtu: new.mtu,
        duplex: new.duplex.clone(),
        carrier: new.carrier,
    })
}

/// Rates of counters that were set to zero together or not at all.
fn counters<const N: usize>(old: [u64; N], new: [u64; N], seconds: f64) -> Option<[f64; N]> {
    let mut rates = [0.0; N];
    for (to, (old, new)) in rates.iter_mut().zip(old.into_iter().zip(new)) {
        *to = per(delta(old, new)? as f64, seconds);
    }
    Some(rates)
}

/// What happened between two samples, in the order of the newer one.
pub(super) fn tcp(old: &[TcpSample], new: &[TcpSample], seconds: f64) -> Vec<Tcp> {
    let before = |new: &TcpSample| old.iter().find(|old| old.netns == new.netns && old.out_segs <= new.out_segs);
    new.iter().filter_map(|row| Some(namespace(before(row)?, row, seconds))).collect()
}

fn namespace(old: &TcpSample, new: &TcpSample, seconds: f64) -> Tcp {
    let per = |field: fn(&TcpSample) -> u64| rate(field(old), field(new), seconds);
    Tcp {
        netns: new.netns,
        through: new.through,
        segments_out: per(|s| s.out_segs),
        segments_in: per(|s| s.in_segs),
        retransmits: per(|s| s.retrans_segs),
        errors: per(|s| s.in_errs),
        overflows: per(|s| s.listen_overflows),
        drops: per(|s| s.listen_drops),
        established: new.established,
        time_wait: new.time_wait,
        opens: per(|s| s.active_opens) + per(|s| s.passive_opens),
        connects: per(|s| s.active_opens),
        somaxconn: new.somaxconn,
        port_range: new.port_range,
        listeners: new.listeners.clone(),
        resets: [per(|s| s.out_rsts), per(|s| s.estab_resets)],
        syn_drops: per(|s| s.syn_drops),
        orphans: new.orphans,
        udp: Udp {
            datagrams: [per(|s| s.udp.in_datagrams), per(|s| s.udp.out_datagrams)],
            full: [per(|s| s.udp.rcvbuf_errors), per(|s| s.udp.sndbuf_errors)],
            errors: per(|s| s.udp.in_errors),
        },
        conntrack: new.conntrack,
        states: new.traffic.as_ref().map(|traffic| traffic.states),
        unattributed: None,
        strained: strained(old, new, seconds),
        pages: new.pages,
        limits: new.limits.clone(),
        round_trip: new.traffic.as_ref().and_then(|traffic| traffic.round_trip),
    }
}

/// Without cookies, a request beyond three quarters of `tcp_max_syn_backlog` counts as a drop and nothing else, as one from where there is
/// no way back does: it takes many that are half open to tell them apart.
fn crowded(sample: &TcpSample) -> bool {
    let half_open = sample.traffic.as_ref().map_or(0, |traffic| traffic.states.get(3).copied().map_or(0, u64::from));
    let most = sample.limits.as_ref().filter(|limits| limits.syncookies == Some(0)).and_then(|limits| limits.max_syn_backlog);
    most.is_some_and(|most| half_open >= most / 2)
}

/// Rates of what tells that a limit is too low; none of what has never happened.
fn strained(old: &TcpSample, new: &TcpSample, seconds: f64) -> Strained {
    let once = |field: fn(&TcpSample) -> u64| (field(new) > 0).then(|| rate(field(old), field(new), seconds));
    let syns: fn(&TcpSample) -> u64 =
        if crowded(new) { |s| s.syn_drops.max(s.listen_drops.saturating_sub(s.listen_overflows)) } else { |s| s.syn_drops };
    let sent = once(|s| s.strained.syncookies_sent);
    Strained {
        syns: once(syns),
        cookies: sent.map(|sent| [sent, rate(old.strained.syncookies_recv, new.strained.syncookies_recv, seconds)]),
        prunes: once(|s| s.strained.prune_called.saturating_add(s.strained.rcvq_drop)),
        memory: once(|s| s.strained.memory_pressures),
        restarts: once(|s| s.traffic.as_ref().map_or(0, |traffic| traffic.restarts)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::sample::{self, NetworkLimits};

    fn row(name: &str, received: u64) -> InterfaceSample {
        InterfaceSample { name: name.into(), bytes: [received, 10], ..InterfaceSample::default() }
    }

    #[test]
    fn an_interface_made_anew_waits_for_its_second_sample() {
        let old = NetworkSample { interfaces: vec![row("eth0", 1000), row("veth1", 500)], ..NetworkSample::default() };
        let new =
            NetworkSample { interfaces: vec![row("eth0", 3000), row("veth1", 20), row("veth2", 7)], ..NetworkSample::default() };
        let all = network(&old, &new, 2.0).interfaces;
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].bytes, [1000.0, 0.0]);
    }

    #[test]
    fn receive_paths_are_paired_only_when_their_number_held() {
        let of = |softnet| NetworkSample { softnet, ..NetworkSample::default() };
        let rates = network(&of(vec![[1, 0, 0], [5, 1, 1]]), &of(vec![[3, 0, 0], [5, 1, 3]]), 1.0).softnet;
        assert_eq!(rates, [[2.0, 0.0, 0.0], [0.0, 0.0, 2.0]]);
        assert!(network(&of(vec![[1, 0, 0]]), &of(vec![[3, 0, 0], [5, 1, 3]]), 1.0).softnet.is_empty());
    }

    #[test]
    fn connections_opened_by_us_are_told_from_all() {
        let of = |active_opens, passive_opens| TcpSample { active_opens, passive_opens, ..TcpSample::default() };
        let all = tcp(&[of(100, 7)], &[of(140, 17)], 2.0);
        assert_eq!((all[0].connects, all[0].opens), (20.0, 25.0));
    }

    #[test]
    fn what_has_never_happened_has_no_rate() {
        let quiet = TcpSample::default();
        let one = |sample: &TcpSample| [sample.clone()];
        assert_eq!(tcp(&one(&quiet), &one(&quiet), 1.0)[0].strained, Strained::default());
        let of = |listen_drops, syncookies, half_open| {
            let limits = NetworkLimits { syncookies: Some(syncookies), max_syn_backlog: Some(128), ..Default::default() };
            let mut traffic = sample::TrafficSample::default();
            traffic.states[3] = half_open;
            TcpSample { listen_drops, limits: Some(limits.into()), traffic: Some(traffic.into()), ..TcpSample::default() }
        };
        let syns =
            |syncookies, half_open| tcp(&[of(4, syncookies, half_open)], &[of(10, syncookies, half_open)], 2.0)[0].strained.syns;
        assert_eq!(syns(0, 96), Some(3.0), "no room and no cookies");
        assert_eq!(syns(0, 9), None, "there is room: they come from where there is no way back");
        assert_eq!(syns(1, 96), None, "with cookies that is another cause");
        let pruned = TcpSample {
            strained: sample::Strained { prune_called: 6, rcvq_drop: 2, ..Default::default() },
            ..TcpSample::default()
        };
        assert_eq!(tcp(&one(&quiet), &one(&pruned), 2.0)[0].strained.prunes, Some(4.0));
        assert_eq!(tcp(&one(&pruned), &one(&pruned), 2.0)[0].strained.prunes, Some(0.0), "kept once it has happened");
    }

    #[test]
    fn namespaces_are_paired_by_inode() {
        let of = |netns, listen_overflows, out_segs| TcpSample { netns, listen_overflows, out_segs, ..TcpSample::default() };
        let all = tcp(&[of(7, 10, 100), of(8, 0, 50)], &[of(8, 6, 60), of(7, 10, 5), of(9, 1, 1)], 2.0);
        assert_eq!(all.len(), 1, "7 began anew, 9 is new");
        assert_eq!((all[0].netns, all[0].overflows), (8, 3.0));
    }
}
