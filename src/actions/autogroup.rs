//! Nice of an autogroup, that is of a whole session (catalogue C2; sched(7), "The autogroup feature").
//!
//! Changes: `/proc/PID/autogroup`, one value for all processes of a session.
//! Helps when: culprit and victim live in different sessions of the root cgroup; nice of threads changes nothing between those.
//! Hurts when: something in the same session is wanted quick: all of it slows.
//! Undone how: the value before is written back through any process of the session that lives.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            protect,
            refuse::{from_host, gone, refusal},
            rivals::{self, Culprit, Lever, Rivals, crowd},
            setting::Setting,
            steps,
            threads::{self, Stat},
            trial,
        },
    },
    host::{error::Kind, host::Host},
    model::{
        knob::{Knob, Place},
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        subject::{ProcessId, Subject},
        world::World,
    },
};
use std::collections::BTreeMap;

/// The value given: weight 15 beside 1024.
const NICE: &str = "19";

/// Nice of a session.
pub struct Autogroup;

impl Setting for Autogroup {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "autogroup",
            row: "C2",
            changes: "/proc/PID/autogroup: nice of a whole session",
            helps: "culprit and victim live in different sessions of the root cgroup",
            hurts: "something in the culprit's session is wanted quick",
            undone: "the value before is written back",
            risk: Risk::Low,
            needs: "CAP_SYS_NICE",
            cooldown: 60.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if !world.facts.autogroup || world.facts.tuners.iter().any(|t| t.starts_with("ananicy")) {
            return Vec::new();
        }
        rivals::all(world).iter().filter_map(|rivals| self.against(world, rivals)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        enabled(host)?;
        let mut steps: Vec<Step> = Vec::new();
        for want in &proposal.wants {
            let Some(process) = want.on.process() else { continue };
            match threads::same(host, process) {
                Ok(stat) => session(host, &stat, &want.to, &mut steps)?,
                Err(e) if e.kind == Kind::Gone => {}
                Err(e) => return Err(from_host(&e, "read access to it")),
            }
        }
        if steps.is_empty() { Err(gone()) } else { Ok(steps) }
    }
}

impl Autogroup {
    fn against(&self, world: &World<'_>, rivals: &Rivals<'_>) -> Option<Proposal> {
        let suffers = |session: u32| rivals::processes(world, &rivals.finding.victims).any(|(_, victim)| victim.session == session);
        let (culprits, part) = rivals.at(|c| matches!(c.lever, Lever::Session(session) if session != 0 && !suffers(session)));
        let first = culprits.first()?;
        let trial = trial::contention(world, rivals, Some(first.process.id));
        Some(Proposal {
            title: format!("autogroup nice {NICE} for {}", crowd(culprits.iter().map(|c| &*c.party.name))),
            why: format!("{} They live in other sessions, where nice of a thread has no say.", rivals.why(&culprits)),
            mechanism: "The scheduler gives a session of nice 19 about 1/68 of the share of one of nice 0.".into(),
            expect: trial::outlook(world, &trial, 0.3),
            undo: "The session's nice before is written back, at once.".into(),
            wants: one_each(world, &culprits),
            fit: 0.9 * part,
            ..trial::proposal(&Setting::about(self), &rivals.finding.id, Domain::Cpu, trial)
        })
    }
}

/// One want for each session: on its leader, who outlives what it starts, else on the greatest culprit in it.
fn one_each(world: &World<'_>, culprits: &[&Culprit<'_>]) -> Vec<Want> {
    let all = world.snapshot.processes.known().map(|all| all.as_slice()).unwrap_or_default();
    let mut one: BTreeMap<u32, ProcessId> = BTreeMap::new();
    for process in culprits.iter().map(|c| c.process) {
        let leader = all.iter().find(|p| p.id.pid == process.session && p.session == process.session);
        one.entry(process.session).or_insert_with(|| leader.unwrap_or(process).id);
    }
    one.into_values().map(|id| Want { on: Subject::Process(id), to: NICE.into() }).collect()
}

fn enabled(host: &dyn Host) -> Result<(), Refusal> {
    let place = Place::proc("sys/kernel/sched_autogroup_enabled");
    let text = host.text(&place).map_err(|e| from_host(&e, "read access to it"))?;
    if text.trim() == "1" {
        return Ok(());
    }
    Err(refusal(Obstacle::Unsupported, format!("{place} is {}: sessions have no nice of their own. Use nice.", text.trim())))
}

/// The steps of one session: through the process named and through another one, so that undo finds it when either has ended.
fn session(host: &dyn Host, named: &Stat, to: &str, steps: &mut Vec<Step>) -> Result<(), Refusal> {
    let members = protect::session(host, named.session)?;
    let other = members.iter().find(|member| member.id != named.id);
    for process in [named].into_iter().chain(other).map(|member| member.id) {
        match steps::step(host, knob(process), to) {
            Ok(step) if !steps.iter().any(|known| known.knob == step.knob) => steps.push(step),
            Ok(_) => {}
            Err(e) if e.kind == Kind::Gone => {}
            Err(e) => return Err(from_host(&e, "CAP_SYS_NICE")),
        }
    }
    Ok(())
}

fn knob(process: ProcessId) -> Knob {
    Knob::ProcessFile { process, file: "autogroup".into() }
}
