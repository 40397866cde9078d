//! The table of neighbours (catalogue N11; networking/ip-sysctl.rst "neigh/default/gc_thresh1" to "gc_thresh3").
//!
//! Changes: `gc_thresh3`, `gc_thresh2` and `gc_thresh1` of IPv4 or IPv6, each doubled, the greatest first.
//! Helps when: the host talks to nearly as many neighbours as the table holds: beyond that no new one is reached.
//! Hurts when: somebody scans the network: each address asked for takes an entry, whatever the size.
//! Undone how: the three before are written back, the least first; what is too much is swept out.
//!
//! An attached network has so many addresses and no more: four times that is the most that is ever wished for.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            network,
            refuse::{from_host, refusal},
            setting::Setting,
            steps,
            trial::{self, rise},
        },
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        knob::{Knob, Place},
        metric::{Key, Metric},
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        sample::NeighbourTable as Table,
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Never more entries than this: some 400 bytes each.
const MOST: u64 = 262_144;
/// Entries for each address of the attached networks.
const EACH: u64 = 4;

/// The table of neighbours.
pub struct NeighbourTable;

impl Setting for NeighbourTable {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "neighbour-table",
            row: "N11",
            changes: "gc_thresh1 to 3 of net.ipv4 or net.ipv6 neigh/default, as one",
            helps: "the host has nearly as many neighbours as the table holds",
            hurts: "somebody scans the network: a larger table fills as well",
            undone: "the three before are written back, the least first",
            risk: Risk::Low,
            needs: "CAP_NET_ADMIN",
            cooldown: 600.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let full = world.findings.iter().filter(|f| f.id.kind == FindingKind::NeighbourTable);
        full.filter_map(|finding| self.relief(world, finding)).collect()
    }

    /// The want's text is `ipv4` or `ipv6` and the three thresholds.
    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let Some((family, numbers)) = proposal.wants.first().and_then(|w| w.to.split_once(' ')) else { return Ok(Vec::new()) };
        let numbers: Vec<u64> = numbers.split(' ').filter_map(|word| word.parse().ok()).collect();
        let [one, two, three] = numbers[..] else { return Ok(Vec::new()) };
        if family == "ipv4" {
            fits(host, three)?;
        }
        // The greatest first, and at undo the least first: at no time does one stand above the next.
        let step = |(number, value): (u8, u64)| {
            let knob = Knob::File(Place::proc(format!("sys/net/{family}/neigh/default/gc_thresh{number}")));
            steps::step(host, knob, value.to_string()).map_err(|e| from_host(&e, Setting::about(self).needs))
        };
        let all: Result<Vec<Step>, Refusal> = [(3, three), (2, two), (1, one)].into_iter().map(step).collect();
        network::only_raised(all?)
    }
}

impl NeighbourTable {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let tables = &world.snapshot.network.known()?.neighbours;
        let table = tables.iter().max_by(|a, b| a.used().total_cmp(&b.used()))?;
        let [one, two, three] = doubled(table)?;
        let (family, [_, _, most]) = (if table.six { "ipv6" } else { "ipv4" }, table.thresholds);
        let trial = trial::of(world, Key::host(Metric::NeighboursUsed), vec![rise(Metric::PressureMemoryFull, 0.05)]);
        let share = |of: u64| Unit::Share.show(table.entries as f64 / of.max(1) as f64);
        Some(Proposal {
            title: format!("{family} neighbours at most {most} -> {three}"),
            why: format!("{} of {most} neighbours are known; when the table is full no new one is reached.", table.entries),
            mechanism: "The table may hold more before old entries are swept out and new ones refused.".into(),
            expect: format!("the table should be {} full instead of {}.", share(three), share(most)),
            undo: "The three thresholds before are written back, the least first; what is too much is swept out.".into(),
            wants: vec![Want { on: Subject::Host, to: format!("{family} {one} {two} {three}") }],
            fit: 0.8,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Network, trial)
        })
    }
}

/// Each twice what it is; `None` beyond what is sensible, or where they are not in order.
fn doubled(table: &Table) -> Option<[u64; 3]> {
    let [one, two, three] = table.thresholds.map(|n| n.saturating_mul(2));
    (one <= two && two <= three && three <= MOST).then_some([one, two, three])
}

/// Refuses more entries than four for each address of the networks that the host is attached to: they cannot be neighbours.
fn fits(host: &dyn Host, entries: u64) -> Result<(), Refusal> {
    let place = Place::proc("net/route");
    let addresses = attached(&host.text(&place).map_err(|e| from_host(&e, "read access to it"))?);
    if entries <= addresses.saturating_mul(EACH) {
        return Ok(());
    }
    let why =
        format!("the attached networks have {addresses} addresses: {entries} neighbours are not to be had. Look who scans them.");
    Err(refusal(Obstacle::Unsupported, why))
}

/// Addresses of the networks in `/proc/net/route` that are reached without a gateway.
fn attached(routes: &str) -> u64 {
    let size = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let number = |at: usize| u32::from_str_radix(fields.get(at)?, 16).ok();
        // Iface Destination Gateway Flags RefCnt Use Metric Mask: addresses in the byte order of the network.
        let (gateway, mask) = (number(2)?, number(7)?);
        (gateway == 0 && mask != 0).then(|| u64::from(!u32::from_be(mask)) + 1)
    };
    routes.lines().skip(1).filter_map(size).fold(0, u64::saturating_add)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_double_in_order_and_within_bounds() {
        let of = |thresholds| doubled(&Table { thresholds, ..Table::default() });
        assert_eq!(of([128, 512, 1024]), Some([256, 1024, 2048]));
        assert_eq!(of([128, 512, 200_000]), None);
        assert_eq!(of([600, 512, 1024]), None, "somebody has them out of order: that is for a human");
    }

    #[test]
    fn attached_networks_bound_the_table() {
        let routes = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\n\
                      eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\n\
                      eth0\t0000000A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\n\
                      eth1\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\n";
        assert_eq!(attached(routes), 65_536 + 256);
        assert_eq!(attached("Iface\n"), 0);
    }
}
