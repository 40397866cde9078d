//! Which processor serves an interrupt of a network interface (catalogue C8; core-api/irq/irq-affinity.rst).
//!
//! Changes: `/proc/irq/N/smp_affinity_list` of its busy interrupts that one processor serves all: the busiest stays there, the others go.
//! Helps when: several queues end on the same processor, which spends its time in soft interrupts.
//! Hurts when: a queue was bound on purpose, near its memory or its reader.
//! Undone how: each interrupt gets its own list back.
//!
//! An interrupt that the kernel manages answers EIO (`irq_can_set_affinity_usr`); newer kernels show its file as read-only. It is left
//! out, and where all are such, that is the refusal.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            refuse::{from_host, gone, refusal},
            setting::Setting,
            steps, trial, tuners,
        },
    },
    host::{
        error::{HostError, Kind},
        host::Host,
    },
    model::{
        finding::{Finding, FindingKind},
        knob::{Knob, Place},
        metric::{Key, Metric},
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        receive::{Interrupt, Receive},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};
use std::sync::Arc;

/// Times per second from which on an interrupt is busy.
const BUSY: f64 = 100.0;
/// Interrupts moved at once, at most.
const MOST: usize = 16;
/// Who spreads interrupts by itself.
pub const TUNERS: &[&str] = &["irqbalance"];

/// Interrupts of an interface.
pub struct Interrupts;

impl Setting for Interrupts {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "irq-affinity",
            row: "C8",
            changes: "/proc/irq/N/smp_affinity_list of an interface",
            helps: "several of its queues end on the same processor",
            hurts: "a queue was bound on purpose, near its memory or its reader",
            undone: "each interrupt gets its own list back",
            risk: Risk::Medium,
            needs: "root (owner of /proc/irq)",
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if tuners::running(world.facts, TUNERS).is_some() {
            return Vec::new();
        }
        let uneven = world.findings.iter().filter(|f| f.id.kind == FindingKind::SoftirqImbalance);
        uneven.filter_map(|finding| self.spread(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        tuners::refuse(host, TUNERS, ("the interrupts' processors", "ban these interrupts there (--banirq), or stop it"))?;
        let lacks = |e: HostError| from_host(&e, Setting::about(self).needs);
        let (mut all, mut managed) = (Vec::new(), Vec::new());
        for (number, cpus) in proposal.wants.iter().filter_map(|want| want.to.split_once(' ')) {
            let knob = Knob::File(Place::proc(format!("irq/{number}/smp_affinity_list")));
            match host.may_set(&knob) {
                Ok(()) => all.push(steps::step(host, knob, cpus).map_err(lacks)?),
                Err(e) if e.errno == Some("EIO") => managed.push(number),
                // An interrupt that is no more: its device was reset or has left.
                Err(e) if e.kind == Kind::Absent => {}
                Err(e) => return Err(lacks(e)),
            }
        }
        match (all.is_empty(), managed.as_slice()) {
            (false, _) => Ok(all),
            (true, []) => Err(gone()),
            (true, numbers) => {
                let why = format!("the kernel manages interrupt {} itself and answers EIO: use RPS instead.", numbers.join(", "));
                Err(refusal(Obstacle::Unsupported, why))
            }
        }
    }
}

impl Interrupts {
    fn spread(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let receive = world.snapshot.receive.known()?;
        let name = interface(finding)?;
        let moves = moves(world, receive, name)?;
        let (hot, softirq) = hottest(world)?;
        let busiest = Key::new(Subject::Cpu(hot), Metric::CpuBusy);
        let guardrails = vec![trial::rise(Metric::CpuBusy, 0.10), trial::rise(Metric::CpuSoftirq, 0.05)];
        let trial = trial::for_service(world, &[], (busiest, guardrails));
        Some(Proposal {
            title: format!("spread {} interrupts of {name}", moves.len()),
            why: format!(
                "Cpu {hot} spends {} in soft interrupts and serves {} busy interrupts of {name}.",
                Unit::Share.show(softirq),
                moves.len() + 1
            ),
            mechanism: "Each queue's packets are taken in by a processor of their own.".into(),
            expect: trial::outlook(world, &trial, 0.6),
            undo: "Each interrupt gets its own list back at once, served from its next time on.".into(),
            wants: moves.into_iter().map(|to| Want { on: Subject::Interface(name.clone()), to }).collect(),
            fit: 0.8,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Network, trial)
        })
    }
}

fn interface(finding: &Finding) -> Option<&Arc<str>> {
    finding.culprits.iter().find_map(|party| if let Subject::Interface(name) = &party.subject { Some(name) } else { None })
}

/// The processor that spends most in soft interrupts, and how much.
fn hottest(world: &World<'_>) -> Option<(u32, f64)> {
    let cores = &world.vitals.cpu.known()?.cores;
    cores.iter().map(|(core, split)| (*core, split.softirq)).max_by(|a, b| a.1.total_cmp(&b.1))
}

/// `NUMBER CPU` of each busy interrupt but the busiest that the hottest processor serves, given to the others from the idlest on.
fn moves(world: &World<'_>, receive: &Receive, name: &str) -> Option<Vec<String>> {
    let (hot, _) = hottest(world)?;
    let rate = |irq: &Interrupt| irq.rate.unwrap_or(0.0);
    let mut here: Vec<&Interrupt> = receive.path(name)?.interrupts.iter().filter(|irq| *irq.cpus == *hot.to_string()).collect();
    here.retain(|irq| rate(irq) >= BUSY);
    here.sort_by(|a, b| rate(b).total_cmp(&rate(a)).then(a.number.cmp(&b.number)));
    let mut others: Vec<(u32, f64)> = world.vitals.cpu.known()?.cores.iter().map(|(core, split)| (*core, split.busy())).collect();
    others.retain(|(core, _)| *core != hot && !receive.isolated.contains(core));
    others.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let to = others.iter().cycle();
    let moves: Vec<String> =
        here.iter().skip(1).take(MOST).zip(to).map(|(irq, (core, _))| format!("{} {core}", irq.number)).collect();
    (!moves.is_empty()).then_some(moves)
}
