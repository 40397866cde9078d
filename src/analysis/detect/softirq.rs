//! One cpu carries the network's soft interrupts while the others look on (Documentation/networking/scaling.rst).

use crate::{
    analysis::detect::{
        innocent::{self, Suspect},
        report::{self, Report, evidence},
    },
    model::{
        finding::{FindingId, FindingKind, Level, Party, Severity, Signal},
        metric::{Key, Metric},
        snapshot::{Cpu, Network},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// The greatest load over the mean at which it is one-sided (catalogue C8). With few cores the ratio cannot reach it: there, three
/// quarters of what it can be.
const UNEVEN: f64 = 4.0;
const REACHABLE: f64 = 0.75;

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    let Some(cpu) = world.snapshot.vitals.cpu.known() else { return Vec::new() };
    imbalance(world, cpu).and_then(Report::signal).into_iter().collect()
}

fn imbalance(world: &World<'_>, cpu: &Cpu) -> Option<Report> {
    let limit = world.thresholds.softirq;
    let (core, split) = cpu.cores.iter().max_by(|a, b| a.1.softirq.total_cmp(&b.1.softirq))?;
    let network = world.snapshot.network.known();
    let level = report::level(split.softirq, limit);
    if level == Level::Clear || !one_sided(cpu, network) {
        return None;
    }
    let key = Key::new(Subject::Cpu(*core), Metric::CpuSoftirq);
    let squeezed: f64 = network.map_or(0.0, |n| n.softnet.iter().map(|[_, dropped, squeezed]| dropped + squeezed).sum());
    let culprits: Vec<Party> = network.and_then(busiest).into_iter().collect();
    let from = culprits.first().map_or_else(String::new, |p| format!(", most from {}", report::short(&p.name)));
    Some(Report {
        id: FindingId { kind: FindingKind::SoftirqImbalance, subject: Subject::Host },
        level,
        severity: if squeezed >= 10.0 { Severity::Critical } else { Severity::Warning },
        headline: format!("cpu {core} spends {} in soft interrupts while others are free{from}", Unit::Share.show(split.softirq)),
        evidence: vec![
            evidence(key, split.softirq, Some(limit), "/proc/stat"),
            evidence(Key::host(Metric::CpuSoftirq), cpu.total.softirq, None, "/proc/stat"),
        ],
        culprits,
        victims: Vec::new(),
        ruled_out: innocent::among(world, &[Suspect::Steal, Suspect::MemoryPressure]),
        advice: Some("spread the receive work: rps_cpus of the interface's queues, or irqbalance".into()),
        impact: split.softirq,
        crossing: None,
    })
}

/// By packets of each cpu where they are counted, else by time.
fn one_sided(cpu: &Cpu, network: Option<&Network>) -> bool {
    let packets: Vec<f64> = network.map_or_else(Vec::new, |n| n.softnet.iter().map(|[processed, ..]| *processed).collect());
    let times: Vec<f64> = cpu.cores.iter().map(|(_, split)| split.softirq).collect();
    is_uneven(&packets) || is_uneven(&times)
}

fn is_uneven(loads: &[f64]) -> bool {
    let count = loads.len() as f64;
    let mean = loads.iter().sum::<f64>() / count.max(1.0);
    loads.len() >= 2 && mean > 0.0 && loads.iter().copied().fold(0.0, f64::max) / mean >= UNEVEN.min(REACHABLE * count)
}

fn busiest(network: &Network) -> Option<Party> {
    let packets = |bytes: &[f64; 2]| bytes.iter().sum::<f64>();
    let whole: f64 = network.interfaces.iter().map(|i| packets(&i.packets)).sum();
    let most = network.interfaces.iter().max_by(|a, b| packets(&a.packets).total_cmp(&packets(&b.packets)))?;
    (whole > 0.0).then(|| Party {
        subject: Subject::Interface(most.name.clone()),
        name: most.name.clone(),
        share: packets(&most.packets) / whole,
        amount: packets(&most.packets),
        unit: Unit::PerSecond,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, only},
        model::{
            finding::FindingKind,
            snapshot::{Interface, Network, Reading},
        },
    };

    fn softirqs<const N: usize>(shares: [f64; N], packets: [f64; N]) -> Scene {
        let mut scene = Scene::quiet().cores([0.5; N]);
        if let Reading::Known(cpu) = &mut scene.snapshot.vitals.cpu {
            cpu.cores.iter_mut().zip(shares).for_each(|((_, split), share)| split.softirq = share);
        }
        let interface = Interface { name: "eth0".into(), packets: [1e5, 1e5], ..Interface::default() };
        let softnet = packets.iter().map(|p| [*p, 0.0, 0.0]).collect();
        scene.snapshot.network = Reading::Known(Network { interfaces: vec![interface], softnet, ..Network::default() });
        scene
    }

    #[test]
    fn one_cpu_that_does_it_all_is_named_with_the_interface() {
        let finding = only(softirqs([0.8, 0.0, 0.0, 0.0, 0.0, 0.0], [1e5, 0.0, 0.0, 0.0, 0.0, 0.0]).seen(look)).finding;
        assert_eq!(finding.id.kind, FindingKind::SoftirqImbalance);
        assert_eq!(&*finding.culprits[0].name, "eth0");
    }

    #[test]
    fn two_cores_can_be_one_sided_as_well() {
        assert_eq!(softirqs([0.8, 0.1], [1e5, 1e3]).seen(look).len(), 1);
        assert!(softirqs([0.8, 0.5], [1e5, 8e4]).seen(look).is_empty());
    }

    #[test]
    fn heavy_but_even_or_uneven_but_light_is_fine() {
        assert!(softirqs([0.8; 6], [1e5; 6]).seen(look).is_empty());
        assert!(softirqs([0.2, 0.0, 0.0, 0.0, 0.0, 0.0], [1e5, 0.0, 0.0, 0.0, 0.0, 0.0]).seen(look).is_empty());
        assert!(softirqs([0.9], [1e5]).seen(look).is_empty());
    }
}
