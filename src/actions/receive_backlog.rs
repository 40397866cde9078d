//! How much a cpu may take of received packets (catalogue N6; admin-guide/sysctl/net.rst, networking/scaling.rst).
//!
//! Changes: `net.core.netdev_max_backlog` where packets are dropped, `netdev_budget` and `netdev_budget_usecs` where rounds are cut short.
//! Helps when: bursts overflow the queue of a cpu, or wait for the next round, while there is cpu left.
//! Hurts when: there is none: longer rounds keep programs from running, and longer queues delay.
//! Undone how: the values before are written back; packets that wait are taken.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            network,
            refuse::from_host,
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
        plan::{Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        sample::ReceiveLimits,
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Never beyond these: packets that wait, packets of a round, microseconds of a round.
const MOST: ReceiveLimits = ReceiveLimits { backlog: 65_536, budget: 1200, micros: 16_000 };

/// The receive path of each cpu.
pub struct ReceiveBacklog;

impl Setting for ReceiveBacklog {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "receive-backlog",
            row: "N6",
            changes: "net.core.netdev_max_backlog, or netdev_budget and netdev_budget_usecs",
            helps: "bursts overflow the queue of a cpu, or wait for the next round",
            hurts: "no cpu is left: programs run later",
            undone: "the values before are written back",
            risk: Risk::Medium,
            needs: "CAP_NET_ADMIN",
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let full = world.findings.iter().filter(|f| f.id.kind == FindingKind::ReceiveBacklog);
        full.filter_map(|finding| self.relief(world, finding)).collect()
    }

    /// The want's text is `FILE VALUE`.
    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let needs = Setting::about(self).needs;
        let step = |(file, value): (&str, &str)| {
            let knob = Knob::File(Place::proc(format!("sys/net/core/{file}")));
            steps::step(host, knob, value).map_err(|e| from_host(&e, needs))
        };
        let all: Result<Vec<Step>, Refusal> = proposal.wants.iter().filter_map(|w| w.to.split_once(' ')).map(step).collect();
        network::only_raised(all?)
    }
}

impl ReceiveBacklog {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let network = world.snapshot.network.known()?;
        let sum = |column: fn(&[f64; 3]) -> f64| network.softnet.iter().map(column).sum::<f64>();
        let drops = network::measured(finding, Metric::BacklogDrops, sum(|[_, dropped, _]| *dropped));
        let squeezes = network::measured(finding, Metric::BacklogSqueezes, sum(|[_, _, squeezed]| *squeezed));
        let dropping = drops >= world.thresholds.backlog_drops;
        let changes = changes(network.receive?, dropping, squeezes >= world.thresholds.backlog_squeezes);
        let (metric, rate) = if dropping { (Metric::BacklogDrops, drops) } else { (Metric::BacklogSqueezes, squeezes) };
        if changes.is_empty() {
            return None;
        }
        // Rounds that are longer must not keep programs waiting (bpftune lowers again by that sign).
        let trial = trial::of(world, Key::host(metric), vec![rise(Metric::PressureCpuSome, 0.05)]);
        let rate = Unit::PerSecond.show((rate * 10.0).round() / 10.0);
        let titles: Vec<String> = changes.iter().map(|(file, old, new)| format!("{} {old} -> {new}", short(file))).collect();
        Some(Proposal {
            title: titles.join(", ").chars().take(60).collect(),
            why: format!("{} {rate}, before any protocol saw them.", metric.words()),
            mechanism: "A cpu may let more packets wait, or take more of them in one round, before it goes on to programs.".into(),
            expect: format!("{} should fall from {rate} to 0.", metric.words()),
            undo: "The values before are written back at once; packets that wait are taken.".into(),
            wants: changes.iter().map(|(file, _, new)| Want { on: Subject::Host, to: format!("{file} {new}") }).collect(),
            fit: if dropping { 0.7 } else { 0.5 },
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Network, trial)
        })
    }
}

/// File, value now and value wished, each twice what it is at most.
fn changes(now: ReceiveLimits, dropping: bool, squeezed: bool) -> Vec<(&'static str, u64, u64)> {
    let all = [
        ("netdev_max_backlog", now.backlog, MOST.backlog, dropping),
        ("netdev_budget", now.budget, MOST.budget, squeezed),
        ("netdev_budget_usecs", now.micros, MOST.micros, squeezed),
    ];
    let twice = |(file, old, most, wished): (&'static str, u64, u64, bool)| {
        let new = old.saturating_mul(2).min(most);
        (wished && new > old).then_some((file, old, new))
    };
    all.into_iter().filter_map(twice).collect()
}

fn short(file: &str) -> &str {
    file.trim_start_matches("netdev_").trim_start_matches("max_")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_doubles_within_bounds() {
        let now = ReceiveLimits { backlog: 1000, budget: 300, micros: 8000 };
        assert_eq!(changes(now, true, false), [("netdev_max_backlog", 1000, 2000)]);
        assert_eq!(changes(now, false, true), [("netdev_budget", 300, 600), ("netdev_budget_usecs", 8000, 16_000)]);
        assert!(changes(MOST, true, true).is_empty());
        assert!(changes(ReceiveLimits { micros: 0, ..MOST }, true, true).is_empty(), "an old kernel has no such file");
    }
}
