//! A signal to processes that an operator chose by hand (signal(7), pidfd_send_signal(2)).
//!
//! Changes: nothing that could be read back; what a program does about a signal is its own affair.
//! Helps when: a process has to end, to stop for a while, or to read its configuration anew.
//! Hurts when: it held what others need, or had not saved its work.
//! Undone how: not at all. It is written down before it is sent, and sent once.

use crate::{
    actions::{
        action::{Action, ActionAbout},
        knob::{
            protect,
            refuse::{from_host, gone, refusal},
            shell,
        },
    },
    host::{
        error::{HostError, Kind},
        host::Host,
    },
    model::{
        knob::{Knob, Place},
        plan::{Held, Obstacle, Plan, Refusal, Step, Undone},
        proposal::{Proposal, Risk},
        subject::ProcessId,
        world::World,
    },
};

/// Signals, as wished.
pub struct Signal;

const NEEDS: &str = "CAP_KILL";

impl Action for Signal {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "signal",
            row: "by hand",
            changes: "a process gets a signal (pidfd_send_signal)",
            helps: "asked for by hand: `X` or `F9`",
            hurts: "it held what others need, or had not saved its work",
            undone: "not at all; it is sent once",
            risk: Risk::High,
            needs: "the process's own user, or CAP_KILL",
            cooldown: 0.0,
        }
    }

    fn propose(&self, _: &World<'_>) -> Vec<Proposal> {
        Vec::new()
    }

    fn prepare(&self, proposal: &Proposal, host: &dyn Host) -> Result<Plan, Refusal> {
        let mut steps = Vec::new();
        for want in &proposal.wants {
            if let Some(process) = want.on.process() {
                steps.extend(step(process, &want.to, host)?);
            }
        }
        if steps.is_empty() {
            return Err(gone());
        }
        let boot = host.text(&Place::proc("sys/kernel/random/boot_id")).map_err(|e| from_host(&e, "read access to it"))?;
        Ok(Plan { action: proposal.action.to_string(), boot: boot.trim().into(), steps })
    }

    /// Goes on past a process that has ended; all of them have: that is a refusal.
    fn apply(&self, plan: &Plan, host: &dyn Host) -> Result<(), Refusal> {
        let mut sent = 0;
        for step in &plan.steps {
            match host.set(&step.knob, &step.after) {
                Ok(()) => sent += 1,
                Err(e) if e.kind == Kind::Gone => {}
                Err(e) if sent == 0 => return Err(from_host(&e, NEEDS)),
                Err(e) => {
                    let why = format!("{sent} of {} got the signal, then: {e}", plan.steps.len());
                    return Err(refusal(Obstacle::Failed, why));
                }
            }
        }
        if sent == 0 { Err(gone()) } else { Ok(()) }
    }

    /// A signal that was taken cannot be read back.
    fn verify(&self, _: &Plan, _: &dyn Host) -> Result<Held, HostError> {
        Ok(Held::Holds)
    }

    fn rollback(&self, plan: &Plan, _: &dyn Host) -> Result<Undone, HostError> {
        Ok(Undone::Yielded(plan.steps.iter().map(|step| format!("{} {}", step.after, step.knob)).collect()))
    }
}

/// What is sent to one process; nothing to one that has ended.
fn step(process: ProcessId, signal: &str, host: &dyn Host) -> Result<Option<Step>, Refusal> {
    match protect::process(host, process) {
        Err(refusal) if refusal.kind == Obstacle::Gone => return Ok(None),
        other => other?,
    }
    let knob = Knob::Signal(process);
    host.may_set(&knob).map_err(|e| from_host(&e, NEEDS))?;
    let apply = shell::command(&knob, signal);
    Ok(Some(Step { knob, before: "running".into(), after: signal.into(), apply, undo: "# a signal cannot be taken back".into() }))
}
