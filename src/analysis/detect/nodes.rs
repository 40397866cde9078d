//! Remote memory: pages are wanted on one NUMA node and given on another (Documentation/admin-guide/numastat.rst), where every access
//! to them is slower. Nothing on a machine of one node.

use crate::{
    analysis::detect::{
        innocent::{self, Suspect},
        report::{self, Report, evidence},
    },
    model::{
        backing::Backing,
        finding::{FindingId, FindingKind, Severity, Signal},
        metric::{Key, Metric},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    remote(world).and_then(Report::signal).into_iter().collect()
}

fn remote(world: &World<'_>) -> Option<Report> {
    let (limit, backing) = (world.thresholds.remote_pages, world.snapshot.backing.known()?);
    let share = backing.remote()?;
    Some(Report {
        id: FindingId { kind: FindingKind::RemoteMemory, subject: Subject::Host },
        level: report::level(share, limit),
        severity: Severity::Notice,
        headline: format!("{} of pages are given on another node than wanted{}", Unit::Share.show(share), fullest(backing)),
        evidence: vec![evidence(Key::host(Metric::RemotePages), share, Some(limit), "node*/numastat")],
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: innocent::among(world, &[Suspect::Swap, Suspect::MemoryPressure]),
        advice: Some("bind the large ones to the nodes (numactl), or let the kernel move pages: kernel.numa_balancing".into()),
        impact: share,
        crossing: None,
    })
}

fn fullest(backing: &Backing) -> String {
    let left = |free: u64, total: u64| free as f64 / total.max(1) as f64;
    let fullest = backing.nodes.iter().min_by(|a, b| left(a.free, a.total).total_cmp(&left(b.free, b.total)));
    fullest.map_or(String::new(), |node| format!("; node {} has {} free", node.number, Unit::Bytes.show(node.free as f64)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{GIB, Scene, only},
        model::{
            backing::{Backing, Node},
            finding::FindingKind,
            snapshot::Reading,
        },
    };

    fn scene(given: &[[f64; 3]]) -> Scene {
        let mut scene = Scene::quiet();
        let node = |(number, given): (usize, &[f64; 3])| Node {
            number: number as u32,
            total: 8 * GIB,
            free: GIB * (number as u64 + 1),
            given: Some(*given),
            ..Node::default()
        };
        scene.snapshot.backing =
            Reading::Known(Backing { nodes: given.iter().enumerate().map(node).collect(), ..Backing::default() });
        scene
    }

    #[test]
    fn pages_wanted_here_and_given_there_are_told_with_the_full_node() {
        let finding = only(scene(&[[9e3, 0.0, 1e3], [5e3, 1e3, 0.0]]).seen(look)).finding;
        assert_eq!(finding.id.kind, FindingKind::RemoteMemory);
        assert!(finding.headline.contains("node 0"), "{}", finding.headline);
    }

    #[test]
    fn one_node_or_hardly_any_page_is_no_finding() {
        assert!(scene(&[[9e3, 0.0, 9e3]]).seen(look).is_empty());
        assert!(scene(&[[9.0, 0.0, 9.0], [0.0; 3]]).seen(look).is_empty());
        assert!(scene(&[[9e3, 0.0, 10.0], [5e3, 10.0, 0.0]]).seen(look).is_empty());
    }
}
