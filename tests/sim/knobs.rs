//! What the brain may propose here: the real actions with the real `prepare`, `apply`, `verify` and `rollback`, but advised whenever
//! there is contention, with a fit and at times a target (a protected process) that the seed chooses.

use crate::{
    machine::{HOGS, VICTIM},
    world::world,
};
use trimtab::{
    actions::{
        self,
        action::{Action, ActionAbout},
    },
    host::{error::HostError, host::Host},
    model::{
        finding::FindingKind,
        metric::{Better, Key, Metric},
        plan::{Held, Plan, Refusal, Undone},
        proposal::{Domain, Proposal, Risk, Want},
        subject::Subject,
        trial::Trial,
        world::World,
    },
};

/// Seconds that knobs rest here after they were touched.
pub const COOLDOWN: f64 = 12.0;

pub struct Posed {
    name: &'static str,
    domain: Domain,
}

pub const ACTIONS: &[&dyn Action] = &[
    &Posed { name: "nice", domain: Domain::Cpu },
    &Posed { name: "cgroup-weight", domain: Domain::Cpu },
    &Posed { name: "writeback", domain: Domain::Storage },
    &Posed { name: "io-scheduler", domain: Domain::Storage },
    &Posed { name: "swappiness", domain: Domain::Memory },
];

pub fn named(name: &str) -> Option<&'static dyn Action> {
    ACTIONS.iter().copied().find(|action| action.about().name == name).or_else(|| actions::named(name))
}

impl Posed {
    fn real(&self) -> &'static dyn Action {
        actions::named(self.name).expect("a real action")
    }

    fn wants(&self) -> Vec<Want> {
        let host = |to: &str| Want { on: Subject::Host, to: to.into() };
        match self.name {
            "nice" => world(|w| {
                let bait = w.machine.bait;
                let whom = HOGS.iter().copied().chain(bait);
                whom.map(|pid| Want { on: Subject::Process(w.machine.process(pid)), to: "19".into() }).collect()
            }),
            "cgroup-weight" => vec![Want { on: Subject::Cgroup("/batch".into()), to: "16".into() }],
            "writeback" => vec![host("dirty_background 16777216"), host("dirty 50331648")],
            "io-scheduler" => vec![Want { on: Subject::Disk("vda".into()), to: "bfq".into() }],
            _ => vec![host("20")],
        }
    }
}

impl Action for Posed {
    fn about(&self) -> ActionAbout {
        ActionAbout { risk: Risk::Low, cooldown: COOLDOWN, ..self.real().about() }
    }

    fn propose(&self, seen: &World<'_>) -> Vec<Proposal> {
        let Some(finding) = seen.findings.iter().find(|f| f.id.kind == FindingKind::CpuContention) else { return Vec::new() };
        let victim = world(|w| w.machine.process(VICTIM));
        let fit = world(|w| w.machine.fits.get(self.name).copied().unwrap_or(0.5));
        let trial = Trial {
            primary: Key::new(Subject::Process(victim), Metric::ProcessRunDelay),
            better: Better::Lower,
            least: 0.1,
            guardrails: vec![],
            controls: vec![],
            windows: seen.windows,
            prevents: None,
        };
        vec![Proposal {
            action: self.name.into(),
            finding: finding.id.clone(),
            title: format!("{} for the simulation", self.name),
            why: String::new(),
            mechanism: String::new(),
            expect: String::new(),
            undo: String::new(),
            wants: self.wants(),
            risk: Risk::Low,
            reversible: true,
            domain: self.domain.clone(),
            trial,
            fit,
            cooldown: COOLDOWN,
            asked: false,
            foreseen: None,
            course: trimtab::model::proposal::Course::Judged,
        }]
    }

    fn prepare(&self, proposal: &Proposal, host: &dyn Host) -> Result<Plan, Refusal> {
        self.real().prepare(proposal, host)
    }
    fn apply(&self, plan: &Plan, host: &dyn Host) -> Result<(), Refusal> {
        self.real().apply(plan, host)
    }
    fn verify(&self, plan: &Plan, host: &dyn Host) -> Result<Held, HostError> {
        self.real().verify(plan, host)
    }
    fn rollback(&self, plan: &Plan, host: &dyn Host) -> Result<Undone, HostError> {
        self.real().rollback(plan, host)
    }
}
