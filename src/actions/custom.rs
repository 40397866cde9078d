//! An operator's own programs as an action (catalogue X5).
//!
//! Changes: whatever the configured program does.
//! Helps when: its condition holds.
//! Hurts when: the program does; it runs without a shell, as a limited user, for a limited time.
//! Undone how: by the configured undo program; whether it is done or undone, the configured verify program says.
//!
//! [`Defined`] knows the configuration: it proposes and prepares. [`Custom`] carries out, reads back and undoes from the plan alone, so
//! that guard and recovery need no configuration.

use crate::{
    actions::{
        action::{Action, ActionAbout},
        knob::{
            refuse::{from_host, nothing, refusal},
            shell,
            steps::{self, Order},
            trial,
        },
    },
    host::{error::HostError, host::Host},
    model::{
        custom::{Condition, CustomAction, Program},
        finding::{Finding, FindingKind},
        knob::{Knob, Place},
        metric::Key,
        plan::{Held, Obstacle, Plan, Refusal, Step, Undone},
        proposal::{Proposal, Risk, Want},
        trial::Trial,
        world::World,
    },
};

const NEEDS: &str = "root, to run it as another user";

/// Carries out what plans of custom actions say.
pub struct Custom;

/// Name of the action in plans.
const NAME: &str = "custom";

impl Action for Custom {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: NAME,
            row: "X5",
            changes: "what a configured program does",
            helps: "its configured condition holds",
            hurts: "the program does",
            undone: "by the configured undo program, if there is one",
            risk: Risk::High,
            needs: NEEDS,
            cooldown: 600.0,
        }
    }

    fn propose(&self, _: &World<'_>) -> Vec<Proposal> {
        Vec::new()
    }

    fn prepare(&self, proposal: &Proposal, _: &dyn Host) -> Result<Plan, Refusal> {
        Err(refusal(Obstacle::Unsupported, format!("no custom action {} is configured any more", proposal.action)))
    }

    fn apply(&self, plan: &Plan, host: &dyn Host) -> Result<(), Refusal> {
        if plan.steps.iter().all(|step| is_told(&step.knob)) {
            return steps::apply(plan, host, NEEDS);
        }
        plan.steps.iter().try_for_each(|step| host.set(&step.knob, &step.after)).map_err(|e| from_host(&e, NEEDS))
    }

    /// What nobody can tell counts as standing.
    fn verify(&self, plan: &Plan, host: &dyn Host) -> Result<Held, HostError> {
        if plan.steps.iter().all(|step| is_told(&step.knob)) { steps::verify(plan, host) } else { Ok(Held::Holds) }
    }

    fn rollback(&self, plan: &Plan, host: &dyn Host) -> Result<Undone, HostError> {
        let reversible = |step: &Step| matches!(&step.knob, Knob::Custom(program) if program.is_reversible());
        if plan.steps.iter().all(reversible) {
            return steps::rollback(plan, Order::LastFirst, host);
        }
        Ok(Undone::Yielded(plan.steps.iter().map(|step| step.knob.to_string()).collect()))
    }
}

/// Whether a program says how it stands.
fn is_told(knob: &Knob) -> bool {
    matches!(knob, Knob::Custom(program) if !program.verify.is_empty())
}

/// One that is configured.
pub struct Defined {
    definition: CustomAction,
    condition: Condition,
    name: &'static str,
}

/// The actions of these definitions, for as long as the program runs. Those whose condition is none are left out; the configuration has
/// complained about them.
pub fn defined(definitions: &[CustomAction]) -> Vec<&'static dyn Action> {
    let action = |definition: &CustomAction| {
        let condition = definition.condition()?;
        let name = format!("custom:{}", definition.name).leak();
        let action: &'static Defined = Box::leak(Box::new(Defined { definition: definition.clone(), condition, name }));
        Some(action as &'static dyn Action)
    };
    definitions.iter().filter_map(action).collect()
}

impl Action for Defined {
    fn about(&self) -> ActionAbout {
        ActionAbout { name: self.name, risk: self.definition.risk, cooldown: self.definition.cooldown, ..Custom.about() }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let holding = self.condition.look(world.series, world.now.tick).filter(|(_, standing)| standing.holds);
        let of = |(key, _): (&Key, _)| {
            let id = |finding: &&Finding| finding.id.kind == FindingKind::Condition && finding.id.subject == key.subject;
            world.findings.iter().find(id)
        };
        holding.filter_map(of).filter_map(|finding| self.advice(world, finding)).collect()
    }

    fn prepare(&self, _: &Proposal, host: &dyn Host) -> Result<Plan, Refusal> {
        let lacks = |e: HostError| from_host(&e, NEEDS);
        let bare = self.definition.program(Vec::new());
        let pins = bare.paths().map(|path| host.inode(&Place::top(path))).collect::<Result<Vec<u64>, _>>().map_err(lacks)?;
        let program = self.definition.program(pins);
        let (told, knob) = (!program.verify.is_empty(), Knob::Custom(Box::new(program)));
        host.may_set(&knob).map_err(lacks)?;
        let before = if told { host.get(&knob).map_err(lacks)? } else { Program::UNDONE.into() };
        if before == Program::DONE {
            return Err(nothing(format!("{knob} is done")));
        }
        let (apply, undo) = (shell::command(&knob, Program::DONE), shell::command(&knob, Program::UNDONE));
        let boot = host.text(&Place::proc("sys/kernel/random/boot_id")).map_err(lacks)?;
        let step = Step { knob, before, after: Program::DONE.into(), apply, undo };
        Ok(Plan { action: NAME.into(), boot: boot.trim().into(), steps: vec![step] })
    }

    fn apply(&self, plan: &Plan, host: &dyn Host) -> Result<(), Refusal> {
        Custom.apply(plan, host)
    }

    fn verify(&self, plan: &Plan, host: &dyn Host) -> Result<Held, HostError> {
        Custom.verify(plan, host)
    }

    fn rollback(&self, plan: &Plan, host: &dyn Host) -> Result<Undone, HostError> {
        Custom.rollback(plan, host)
    }
}

impl Defined {
    /// Nothing to judge it by, no proposal.
    fn advice(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let own = &self.definition;
        let (watched, _) = world.series.iter().find(|(key, _)| key.path() == own.watch)?;
        let usual = trial::of(world, watched.clone(), Vec::new());
        let trial = Trial { better: own.better.unwrap_or(usual.better), ..usual };
        let reversible = own.program(Vec::new()).is_reversible();
        let undo = match own.undo.first() {
            Some(path) if reversible => {
                format!("{path} is run, and {} says whether that worked.", own.verify.first().map_or("", |v| v))
            }
            _ => "It cannot be taken back by trimtab: no undo and verify program is configured.".into(),
        };
        Some(Proposal {
            title: format!("run {}", own.name).chars().take(60).collect(),
            why: format!("{}.", finding.headline.trim_end_matches('.')),
            mechanism: format!("{} is run without a shell, for at most {} s.", own.apply.join(" "), own.timeout),
            expect: trial::outlook(world, &trial, if trial.better == crate::model::metric::Better::Lower { 0.9 } else { 1.1 }),
            undo,
            wants: vec![Want { on: finding.id.subject.clone(), to: Program::DONE.into() }],
            reversible,
            fit: 0.5,
            ..trial::proposal(&self.about(), &finding.id, own.domain.clone(), trial)
        })
    }
}
