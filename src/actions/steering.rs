//! Packets handed on to other processors than the one that was interrupted (catalogue C9; networking/scaling.rst, RPS and RFS).
//!
//! Changes: `rps_cpus` and `rps_flow_cnt` of every receive queue of an interface, and `net.core.rps_sock_flow_entries` where it is 0.
//! Helps when: an interface has fewer queues than there are processors, and one of these does all of the network's work.
//! Hurts when: the processors are busy: handing a packet on costs an interrupt between them.
//! Undone how: each file gets its own value back.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            refuse::{from_host, gone, nothing},
            setting::Setting,
            steps, trial,
        },
    },
    host::{
        canonical::{parse_cpus, show_cpus},
        error::{HostError, Kind},
        host::Host,
    },
    model::{
        finding::{Finding, FindingKind},
        knob::{Knob, Place},
        metric::{Key, Metric},
        plan::{Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Flows remembered in all (scaling.rst's value for a busy server), shared by the queues.
const FLOWS: u64 = 32_768;
/// Processors from which on the interrupted one is left out: it has enough to do.
const MANY: usize = 4;
/// The greatest processor number that is looked at.
const LAST: u32 = 8191;

/// Receive packet steering.
pub struct Steering;

impl Setting for Steering {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "rps",
            row: "C9",
            changes: "rps_cpus and rps_flow_cnt of an interface's queues, rps_sock_flow_entries",
            helps: "an interface has fewer queues than there are processors, and one does all the work",
            hurts: "the processors are busy: handing a packet on has its price",
            undone: "each file gets its own value back",
            risk: Risk::Medium,
            needs: "root (owner of /sys/class/net)",
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let uneven = world.findings.iter().filter(|f| f.id.kind == FindingKind::SoftirqImbalance);
        uneven.filter_map(|finding| self.spread(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let lacks = |e: HostError| from_host(&e, Setting::about(self).needs);
        let mut all = Vec::new();
        for want in &proposal.wants {
            let (Subject::Interface(name), Some(cpus)) = (&want.on, parse_cpus(&want.to, LAST)) else { continue };
            let queues = Place::sys(format!("class/net/{name}/queues"));
            let mut names = Vec::new();
            match host.list(&queues, &mut names) {
                Err(e) if e.kind == Kind::Absent => return Err(gone()),
                done => done.map_err(lacks)?,
            }
            names.retain(|queue| queue.starts_with("rx-"));
            names.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
            let flows = flows(names.len());
            all.extend(table(host).map_err(lacks)?);
            for queue in names.iter().map(|queue| queues.join(queue)) {
                all.push(mask(host, queue.join("rps_cpus"), &cpus).map_err(lacks)?);
                all.push(steps::step(host, Knob::File(queue.join("rps_flow_cnt")), flows.to_string()).map_err(lacks)?);
            }
        }
        if all.is_empty() { Err(nothing("no queue is there to steer")) } else { Ok(all) }
    }
}

/// Flows of each queue: a power of two, as the kernel would round it up.
fn flows(queues: usize) -> u64 {
    let each = FLOWS / (queues.max(1) as u64);
    if each == 0 { 1 } else { 1 << each.ilog2() }
}

/// The table of flows, for which there is no need to grow.
fn table(host: &dyn Host) -> Result<Option<Step>, HostError> {
    let step = steps::step(host, Knob::File(Place::proc("sys/net/core/rps_sock_flow_entries")), FLOWS.to_string())?;
    Ok((step.before == "0").then_some(step))
}

fn mask(host: &dyn Host, file: Place, cpus: &[u32]) -> Result<Step, HostError> {
    let knob = Knob::File(file);
    let before = host.get(&knob)?;
    steps::step(host, knob, hex(cpus, &before))
}

/// The processors as a mask as wide as `like`, in the kernel's form: words of eight digits, the greatest first.
fn hex(cpus: &[u32], like: &str) -> String {
    let digits = like.chars().filter(char::is_ascii_hexdigit).count().max(1);
    let digit = |place: usize| {
        let bits = (0..4u32).filter(|bit| cpus.contains(&(place as u32 * 4 + bit))).map(|bit| 1 << bit).sum::<u32>();
        char::from_digit(bits, 16).unwrap_or('0')
    };
    let mut mask = String::new();
    for place in (0..digits).rev() {
        mask.push(digit(place));
        if place > 0 && place.is_multiple_of(8) {
            mask.push(',');
        }
    }
    mask
}

impl Steering {
    fn spread(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let receive = world.snapshot.receive.known()?;
        let name =
            finding.culprits.iter().find_map(|p| if let Subject::Interface(name) = &p.subject { Some(name) } else { None })?;
        let path = receive.path(name).filter(|path| !path.steered)?;
        let cores = &world.vitals.cpu.known()?.cores;
        if u64::from(path.queues) * 4 > cores.len().max(4) as u64 {
            return None;
        }
        let (hot, split) = cores.iter().max_by(|a, b| a.1.softirq.total_cmp(&b.1.softirq))?;
        let mut cpus: Vec<u32> = cores.iter().map(|(core, _)| *core).filter(|core| !receive.isolated.contains(core)).collect();
        cpus.retain(|core| cores.len() < MANY || core != hot);
        if cpus.len() < 2 {
            return None;
        }
        let busiest = Key::new(Subject::Cpu(*hot), Metric::CpuBusy);
        let guardrails = vec![trial::rise(Metric::CpuBusy, 0.10), trial::rise(Metric::CpuSoftirq, 0.05)];
        let trial = trial::for_service(world, &[], (busiest, guardrails));
        let list = show_cpus(cpus.iter().copied());
        Some(Proposal {
            title: format!("packets of {name} to cpus {list}").chars().take(60).collect(),
            why: format!(
                "{name} has {} receive queue(s) for {} cpus, and cpu {hot} spends {} in soft interrupts.",
                path.queues,
                cores.len(),
                Unit::Share.show(split.softirq)
            ),
            mechanism: "A packet is handed on by its flow, to the processor that its reader runs on.".into(),
            expect: trial::outlook(world, &trial, 0.7),
            undo: "Each file gets its own value back, at once.".into(),
            wants: vec![Want { on: Subject::Interface(name.clone()), to: list }],
            fit: 0.7,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Network, trial)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_has_the_width_of_the_one_that_stands() {
        assert_eq!(hex(&[0, 1], "0"), "3");
        assert_eq!(hex(&[0, 5, 33], "00000000,00000000"), "00000002,00000021");
        assert_eq!(hex(&[0, 9], "000"), "201");
        assert_eq!((flows(1), flows(3), flows(4)), (32_768, 8192, 8192));
    }
}
