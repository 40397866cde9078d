//! How long waking a processor may take (catalogue C11; power/pm_qos_interface.rst, "/dev/cpu_dma_latency").
//!
//! Changes: a bound in microseconds that is held by an open descriptor of trimtab, and ends with it.
//! Helps when: a fast service waits for processors that little work lets fall into deep idle states.
//! Hurts when: power or heat is short: the processors never sleep deeply meanwhile.
//! Undone how: the descriptor is closed. Should trimtab end, however it ends, the kernel does that.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            refuse::{from_host, refusal},
            setting::Setting,
            steps, trial,
        },
    },
    host::{error::HostError, host::Host},
    model::{
        finding::{Finding, FindingKind},
        idle::Idle,
        knob::Knob,
        metric::{Key, Metric},
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        subject::{ProcessId, Subject},
        unit::Unit,
        world::World,
    },
};

/// The bound on waking.
pub struct WakeLatency;

impl Setting for WakeLatency {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "wake-latency",
            row: "C11",
            changes: "/dev/cpu_dma_latency, held open",
            helps: "a fast service waits for processors in deep idle states",
            hurts: "power or heat is short: the processors never sleep deeply",
            undone: "the descriptor is closed, at the latest when trimtab ends",
            risk: Risk::Low,
            needs: "root (owner of /dev/cpu_dma_latency)",
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let deep = world.findings.iter().filter(|f| f.id.kind == FindingKind::DeepIdle);
        deep.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let lacks = |e: HostError| from_host(&e, Setting::about(self).needs);
        let Some(own) = host.family().first().copied() else {
            return Err(refusal(Obstacle::Failed, "trimtab does not know its own pid, so nobody could hold the bound."));
        };
        let holder = ProcessId { pid: own, start: host.start_time(&own.to_string()).map_err(lacks)? };
        let wanted = proposal.wants.iter().map(|want| steps::step(host, Knob::WakeLatency { holder }, want.to.clone()));
        wanted.collect::<Result<_, _>>().map_err(lacks)
    }
}

impl WakeLatency {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let Subject::Service(name) = &finding.id.subject else { return None };
        let idle = world.snapshot.idle.known()?;
        let bound = bound(idle)?;
        let (share, exit) = (idle.deep_share()?, idle.exit()?);
        let key = Key::new(finding.id.subject.clone(), Metric::ServiceP99);
        let trial = trial::of(world, key, vec![trial::rise(Metric::Temperature, 10.0), trial::rise(Metric::ThermalThrottles, 0.1)]);
        let time = |micros: f64| Unit::Seconds.show(micros * 1e-6);
        Some(Proposal {
            title: format!("wake cpus within {}", time(bound as f64)),
            why: format!(
                "The processors are {} of the time in states that take long to leave, {} in the mean; {name} waits for that.",
                Unit::Share.show(share),
                time(exit * 1e6)
            ),
            mechanism: "The kernel chooses only idle states that can be left within the bound.".into(),
            expect: trial::outlook(world, &trial, 0.8),
            undo: "The descriptor that holds the bound is closed; should trimtab end, the kernel closes it.".into(),
            wants: vec![Want { on: Subject::Host, to: bound.to_string() }],
            fit: 0.7,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Cpu, trial)
        })
    }
}

/// The latency of the deepest state that may still be used, in microseconds: never 0, at which the processors would spin.
fn bound(idle: &Idle) -> Option<u64> {
    let latencies = || idle.states.iter().map(|state| state.latency).filter(|latency| *latency > 0);
    let shallow = latencies().filter(|latency| *latency <= Idle::DEEP).max();
    let bound = shallow.or_else(|| latencies().min())?;
    idle.deep().any(|state| state.latency > bound).then_some(bound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::idle::IdleState;

    #[test]
    fn the_bound_leaves_a_state_to_sleep_in_and_forbids_a_deeper_one() {
        let idle = |latencies: &[u64]| Idle {
            states: latencies.iter().map(|latency| IdleState { latency: *latency, ..IdleState::default() }).collect(),
        };
        assert_eq!(bound(&idle(&[0, 2, 10, 133, 890])), Some(10));
        assert_eq!(bound(&idle(&[0, 33, 200])), Some(33), "without a shallow one the least deep");
        assert_eq!(bound(&idle(&[0, 1])), None, "there is no deep one");
        assert_eq!(bound(&idle(&[0, 33])), None);
    }
}
