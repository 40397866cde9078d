//! Whether a node frees its own pages before it takes free ones of another node (catalogue M13; sysctl/vm.rst "zone_reclaim_mode").
//!
//! Changes: `vm.zone_reclaim_mode`, to 0.
//! Helps when: tasks free memory themselves although another node has free memory.
//! Hurts when: the programs were laid out by node, and remote memory is slower for them than reclaim.
//! Undone how: the mode before is written back.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            refuse::{nothing, refusal},
            setting::Setting,
            sysctl, trial, tuners,
        },
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        knob::Place,
        metric::{Key, Metric},
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Reclaim within a node.
pub struct ZoneReclaim;

impl Setting for ZoneReclaim {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "zone-reclaim",
            row: "M13",
            changes: "vm.zone_reclaim_mode, to 0",
            helps: "tasks free memory themselves although another node has free memory",
            hurts: "the programs were laid out by node",
            undone: "the mode before is written back",
            risk: Risk::Medium,
            needs: "root (owner of /proc/sys/vm)",
            cooldown: 600.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if world.facts.nodes < 2 || tuners::running(world.facts, &["tuned"]).is_some() {
            return Vec::new();
        }
        let waits = |kind| matches!(kind, FindingKind::DirectReclaim | FindingKind::RemoteMemory);
        let late = world.findings.iter().filter(|f| waits(f.id.kind));
        late.filter_map(|finding| self.relief(world, finding)).take(1).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        several_nodes(host)?;
        let step = sysctl::step(host, "vm/zone_reclaim_mode", proposal, Setting::about(self).needs)?;
        if step.before == step.after { Err(nothing(format!("{} is {}", step.knob, step.before))) } else { Ok(vec![step]) }
    }
}

/// Refuses on a machine of one node, where the mode means nothing.
fn several_nodes(host: &dyn Host) -> Result<(), Refusal> {
    let online = host.text(&Place::sys("devices/system/node/online")).unwrap_or_default();
    if online.contains(['-', ',']) {
        return Ok(());
    }
    Err(refusal(Obstacle::Unsupported, "this machine has one memory node: there is no other one to take from."))
}

impl ZoneReclaim {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let now = world.snapshot.paging.known()?.settings.zone_reclaim_mode.filter(|mode| *mode != 0)?;
        let free = world.snapshot.backing.known()?.nodes.iter().map(|node| node.free).max()?;
        let trial = trial::of(world, Key::host(Metric::AllocationStalls), vec![trial::rise(Metric::PressureMemoryFull, 0.05)]);
        let stalls = Unit::PerSecond.show(world.vitals.vm.known()?.stalls);
        Some(Proposal {
            title: format!("zone reclaim mode {now} -> 0"),
            why: format!(
                "{stalls} allocations wait for reclaim on their node while another has {} free.",
                Unit::Bytes.show(free as f64)
            ),
            mechanism: "A full node takes free pages of another one before it frees its own.".into(),
            expect: trial::outlook(world, &trial, 0.3),
            undo: "The mode before is written back, at once; pages stay where they are.".into(),
            wants: vec![Want { on: Subject::Host, to: "0".into() }],
            fit: 0.7,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Memory, trial)
        })
    }
}
