//! The most that sockets may hold of what was received (catalogue N5; networking/ip-sysctl.rst "tcp_rmem", sysctl/net.rst "rmem_max").
//!
//! Changes: the last number of `net.ipv4.tcp_rmem`, and `net.core.rmem_max` (`wmem_max` where datagrams found no room on their way out).
//! Helps when: receive queues are cut though the programs keep up, or datagrams are lost to programs that ask for more buffer.
//! Hurts when: the program reads too slowly: more memory holds older data; and TCP's memory as a whole may run out.
//! Undone how: the whole triple and the maxima before are written back; sockets shrink as they are read.
//!
//! The kernel takes `1 2 3` for a triple and one number for its first: whole triples are written, the first two numbers as they were, and
//! the last never beyond 64 MiB. Sockets whose program asked for a size of its own follow `rmem_max`, when they are made.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            network::{self, NEEDS},
            refuse::{from_host, refusal},
            setting::Setting,
            trial::{self, rise},
        },
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        knob::Place,
        metric::Metric,
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        sample::NetworkLimits,
        snapshot::Tcp,
        unit::Unit,
        world::World,
    },
};

/// Never beyond this for one socket (bpftune went to 2 GiB and below zero).
const MOST: u64 = 64 << 20;
/// The least that the kernel itself would set as the first number.
const LEAST: u64 = 4096;
/// Share of `tcp_mem` that may be taken already.
const TAKEN: f64 = 0.5;

/// Buffers of sockets.
pub struct SocketBuffers;

impl Setting for SocketBuffers {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "socket-buffers",
            row: "N5",
            changes: "the most of net.ipv4.tcp_rmem, and rmem_max or wmem_max, of a namespace",
            helps: "receive queues are cut though the programs keep up",
            hurts: "the program reads too slowly: more memory holds older data",
            undone: "the whole triple and the maxima before are written back",
            risk: Risk::Medium,
            needs: NEEDS,
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let small = world.findings.iter().filter(|f| f.id.kind == FindingKind::SocketBuffers);
        small.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let steps = network::only_raised(network::steps(proposal, host)?)?;
        if let Some(step) = steps.iter().find(|step| !is_sound(step)) {
            return Err(refusal(Obstacle::Unsupported, format!("{}: {} is no sound limit.", step.knob, step.after)));
        }
        has_room(host)?;
        Ok(steps)
    }
}

impl SocketBuffers {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let row = network::row(world, finding)?;
        let limit = world.thresholds.socket_buffers;
        let prunes = network::measured(finding, Metric::TcpPrunes, row.strained.prunes.unwrap_or(0.0));
        let lost = network::measured(finding, Metric::UdpFull, row.udp.full.iter().sum());
        // What the whole of TCP may take is the limit then, not that of a socket.
        if row.strained.memory.is_some_and(|rate| rate > 0.0) {
            return None;
        }
        let (wants, changes) = wishes(row, row.limits.as_ref()?, prunes >= limit);
        if wants.is_empty() {
            return None;
        }
        let (metric, rate) = if prunes >= limit { (Metric::TcpPrunes, prunes) } else { (Metric::UdpFull, lost) };
        let guardrails = vec![rise(Metric::PressureMemoryFull, 0.05), network::rise(row, Metric::TcpResentShare, 0.01)];
        let trial = trial::of(world, network::key(row, metric), guardrails);
        let rate = Unit::PerSecond.show((rate * 10.0).round() / 10.0);
        Some(Proposal {
            title: changes.join(", ").chars().take(60).collect(),
            why: format!("{} {rate}: more comes than the buffers of sockets hold.", metric.words()),
            mechanism: "A socket may hold more of what was received until its program reads it; small ones stay small.".into(),
            expect: format!("{} should fall from {rate} to 0.", metric.words()),
            undo: "The triple and the maxima before are written back at once; sockets shrink as they are read.".into(),
            wants,
            // Datagrams find more room only where a program asks for more than it was given.
            fit: if prunes >= limit { 0.7 } else { 0.4 },
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Network, trial)
        })
    }
}

/// What to wish for, and each in a few words.
fn wishes(row: &Tcp, limits: &NetworkLimits, pruned: bool) -> (Vec<Want>, Vec<String>) {
    let (mut wants, mut words) = (Vec::new(), Vec::new());
    let mut wish = |file: &str, (old, new): (u64, u64), value: String| {
        if new > old {
            let name = file.rsplit('/').next().unwrap_or(file);
            words.push(format!("{name} {} -> {}", Unit::Bytes.show(old as f64), Unit::Bytes.show(new as f64)));
            wants.push(network::want(row, file, value));
        }
    };
    let twice = |old: u64| (old, old.saturating_mul(2).min(MOST));
    if let Some([least, usual, most]) = limits.rmem.filter(|_| pruned) {
        wish("ipv4/tcp_rmem", twice(most), format!("{least} {usual} {}", twice(most).1));
    }
    if let Some(most) = limits.rmem_max.filter(|_| pruned || row.udp.full[0] > 0.0) {
        wish("core/rmem_max", twice(most), twice(most).1.to_string());
    }
    if let Some(most) = limits.wmem_max.filter(|_| row.udp.full[1] > 0.0) {
        wish("core/wmem_max", twice(most), twice(most).1.to_string());
    }
    (wants, words)
}

/// A number or an ascending triple within bounds, whose beginning is as before.
fn is_sound(step: &Step) -> bool {
    let numbers = |text: &str| text.split(' ').filter_map(|word| word.parse().ok()).collect::<Vec<u64>>();
    match (&numbers(&step.before)[..], &numbers(&step.after)[..]) {
        ([_], [after]) => *after <= MOST,
        ([a, b, _], [least, usual, most]) => {
            (a, b) == (least, usual) && *least >= LEAST && usual >= least && most >= usual && *most <= MOST
        }
        _ => false,
    }
}

/// Refuses while TCP takes half of what all of it may (`tcp_mem`), or where that is not known.
fn has_room(host: &dyn Host) -> Result<(), Refusal> {
    let text = |path: &str| host.text(&Place::proc(path)).map_err(|e| from_host(&e, "read access to it"));
    let (stat, limits) = (text("net/sockstat")?, text("sys/net/ipv4/tcp_mem")?);
    let tcp = stat.lines().find_map(|line| line.strip_prefix("TCP:")).unwrap_or("");
    let pages = tcp.split_once(" mem ").and_then(|(_, rest)| rest.split_ascii_whitespace().next()?.parse::<u64>().ok());
    let most = limits.split_ascii_whitespace().nth(2).and_then(|word| word.parse::<u64>().ok());
    match pages.zip(most) {
        Some((pages, most)) if (pages as f64) < TAKEN * most as f64 => Ok(()),
        Some((pages, most)) => {
            let why = format!("TCP takes {pages} of {most} pages: larger buffers would run into tcp_mem. Find who does not read.");
            Err(refusal(Obstacle::Unsupported, why))
        }
        None => Err(refusal(Obstacle::Unsupported, "what TCP takes of tcp_mem is not told here. Change it where it is.")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{
        host::recorded::RecordedHost,
        model::{knob::Knob, snapshot::Udp},
    };

    fn limits() -> NetworkLimits {
        NetworkLimits {
            rmem: Some([4096, 131_072, 48 << 20]),
            rmem_max: Some(212_992),
            wmem_max: Some(212_992),
            ..NetworkLimits::default()
        }
    }

    #[test]
    fn a_limit_doubles_up_to_64_mib_and_no_further() {
        let (wants, words) = wishes(&Tcp::default(), &limits(), true);
        assert_eq!(wants[0].to, "0 0 0 ipv4/tcp_rmem 4096 131072 67108864");
        assert_eq!(words, ["tcp_rmem 48.0 MiB -> 64.0 MiB", "rmem_max 208 KiB -> 416 KiB"]);
        let full = NetworkLimits { rmem: Some([4096, 131_072, MOST]), rmem_max: Some(u64::MAX), ..limits() };
        assert!(wishes(&Tcp::default(), &full, true).0.is_empty());
    }

    #[test]
    fn datagrams_move_only_the_side_that_lost_them() {
        let row = |full| Tcp { udp: Udp { full, ..Udp::default() }, ..Tcp::default() };
        let files = |full| {
            let (wants, _) = wishes(&row(full), &limits(), false);
            wants.iter().map(|w| w.to.split(' ').nth(3).unwrap().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(files([5.0, 0.0]), ["core/rmem_max"]);
        assert_eq!(files([0.0, 5.0]), ["core/wmem_max"]);
    }

    #[test]
    fn triples_are_whole_ascending_and_keep_their_beginning() {
        let sound = |before: &str, after: &str| {
            let knob = Knob::NetworkFile { netns: 1, through: None, file: "ipv4/tcp_rmem".into() };
            is_sound(&Step { knob, before: before.into(), after: after.into(), apply: String::new(), undo: String::new() })
        };
        assert!(sound("4096 131072 6291456", "4096 131072 12582912"));
        for after in ["12582912", "4096 12582912", "8192 131072 12582912", "4096 131072 134217728"] {
            assert!(!sound("4096 131072 6291456", after), "{after}");
        }
        assert!(!sound("1 2 3", "1 2 6"), "a triple that somebody broke is not made worse");
    }

    #[test]
    fn half_of_the_memory_of_tcp_stays_free() {
        let host = RecordedHost::default();
        assert!(has_room(&host).is_err(), "what is not known is no room");
        host.put("/proc/sys/net/ipv4/tcp_mem", "100 200 400\n");
        host.put("/proc/net/sockstat", "sockets: used 9\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 199\nUDP: inuse 0 mem 999\n");
        assert!(has_room(&host).is_ok());
        host.put("/proc/net/sockstat", "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 200\n");
        assert!(has_room(&host).unwrap_err().why.contains("200 of 400 pages"));
    }
}
