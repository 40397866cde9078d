//! Tables of the network that are nearly full: neighbours (networking/ip-sysctl.rst "neigh/default/gc_thresh3": beyond it no new
//! neighbour is reached, "neighbour table overflow" in the kernel log) and connections without a program ("tcp_max_orphans": beyond it
//! they are reset).

use crate::{
    analysis::detect::report::{self, Report, evidence},
    model::{
        finding::{FindingId, FindingKind, Level, Severity, Signal},
        metric::{Key, Metric},
        subject::Subject,
        world::World,
    },
};

/// From here on a table is as good as full.
const FULL: f64 = 0.95;

/// A table of the whole host.
struct Table {
    kind: FindingKind,
    metric: Metric,
    /// Share of what it holds.
    used: f64,
    limit: f64,
    from: &'static str,
    headline: String,
    advice: Option<&'static str>,
}

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    [neighbours(world), orphans(world)].into_iter().flatten().filter_map(|table| report(table).signal()).collect()
}

fn neighbours(world: &World<'_>) -> Option<Table> {
    let tables = &world.snapshot.network.known()?.neighbours;
    let fullest = tables.iter().max_by(|a, b| a.used().total_cmp(&b.used()))?;
    let ([_, _, most], family) = (fullest.thresholds, if fullest.six { "IPv6" } else { "IPv4" });
    Some(Table {
        kind: FindingKind::NeighbourTable,
        metric: Metric::NeighboursUsed,
        used: fullest.used(),
        limit: world.thresholds.neighbours,
        from: "/proc/net/stat/arp_cache, ndisc_cache",
        headline: format!("{} of {most} {family} neighbours are known: beyond that no new one is reached", fullest.entries),
        advice: None,
    })
}

/// Their number is that of the whole host, as its limit is.
fn orphans(world: &World<'_>) -> Option<Table> {
    let row = world.snapshot.tcp.known()?.first()?;
    let most = row.limits.as_ref()?.max_orphans?;
    Some(Table {
        kind: FindingKind::Orphans,
        metric: Metric::OrphansUsed,
        used: row.orphaned()?,
        limit: world.thresholds.orphans,
        from: "/proc/net/sockstat",
        headline: format!("{} of {most} connections without a program: beyond that they are reset", row.orphans),
        advice: Some("clients that vanish while they are answered leave them: ss -tan state fin-wait-1 state last-ack"),
    })
}

fn report(table: Table) -> Report {
    let Table { kind, metric, used, limit, from, headline, advice } = table;
    Report {
        id: FindingId { kind, subject: Subject::Host },
        level: if limit > 0.0 { report::level(used, limit) } else { Level::Clear },
        severity: if used >= FULL { Severity::Critical } else { Severity::Warning },
        headline,
        evidence: vec![evidence(Key::host(metric), used, Some(limit), from)],
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: Vec::new(),
        advice: advice.map(Into::into),
        impact: used,
        crossing: None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, only},
        model::{
            finding::{FindingKind, Severity},
            sample::{NeighbourTable, NetworkLimits},
            snapshot::{Network, Reading, Tcp},
        },
    };

    fn with(tables: &[(bool, u64)]) -> Scene {
        let table =
            |(six, entries): &(bool, u64)| NeighbourTable { six: *six, entries: *entries, fulls: 0, thresholds: [128, 512, 1024] };
        let mut scene = Scene::quiet();
        let neighbours = tables.iter().map(table).collect();
        scene.snapshot.network = Reading::Known(Network { neighbours, ..Network::default() });
        scene
    }

    #[test]
    fn the_fuller_table_of_neighbours_speaks() {
        let finding = only(with(&[(false, 40), (true, 1000)]).seen(look)).finding;
        assert_eq!((finding.id.kind, finding.severity), (FindingKind::NeighbourTable, Severity::Critical));
        assert!(finding.headline.starts_with("1000 of 1024 IPv6"), "{}", finding.headline);
        assert_eq!(only(with(&[(false, 850)]).seen(look)).finding.severity, Severity::Warning);
        assert!(with(&[(false, 400), (true, 2)]).seen(look).is_empty());
        assert!(with(&[]).seen(look).is_empty());
    }

    #[test]
    fn orphans_count_against_what_the_host_allows() {
        let scene = |orphans| {
            let limits = Some(NetworkLimits { max_orphans: Some(1000), ..NetworkLimits::default() }.into());
            let mut scene = Scene::quiet();
            scene.snapshot.tcp = Reading::Known(vec![Tcp { orphans, limits, ..Tcp::default() }]);
            scene
        };
        assert_eq!(only(scene(900).seen(look)).finding.id.kind, FindingKind::Orphans);
        assert!(scene(300).seen(look).is_empty());
        let mut unknown = Scene::quiet();
        unknown.snapshot.tcp = Reading::Known(vec![Tcp { orphans: 900, ..Tcp::default() }]);
        assert!(unknown.seen(look).is_empty());
    }
}
