//! The trait of an action.

use crate::{
    host::{error::HostError, host::Host},
    model::{
        plan::{Held, Plan, Refusal, Undone},
        proposal::{Proposal, Risk},
        world::World,
    },
};

/// What an action is; the README's table is made of these.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActionAbout {
    /// Its name, such as `autogroup`.
    pub name: &'static str,
    /// Its row in the catalogue, such as `C2`.
    pub row: &'static str,
    /// What it changes: the knob, as a path or call.
    pub changes: &'static str,
    /// When it helps.
    pub helps: &'static str,
    /// When it hurts.
    pub hurts: &'static str,
    /// How it is undone.
    pub undone: &'static str,
    /// Risk.
    pub risk: Risk,
    /// The capability or ownership that it needs, such as `CAP_SYS_NICE`.
    pub needs: &'static str,
    /// Seconds before the same knob is touched again.
    pub cooldown: f64,
}

/// Rows of the catalogue whose knobs act at once and leave nothing behind when they are reset (`reference/impact.md`, C3.6): these alone
/// may be judged by switching them off and on.
const INSTANT: [&str; 13] = ["C1", "C2", "C3", "C4", "C5", "C6", "C10", "M5", "M6", "S2", "S4", "S5", "N6"];

impl ActionAbout {
    /// True when its knob acts at once and leaves nothing behind.
    pub fn is_instant(&self) -> bool {
        INSTANT.contains(&self.row)
    }
}

/// One knob and its five verbs. Stateless and idempotent.
pub trait Action: Send + Sync {
    /// What it is.
    fn about(&self) -> ActionAbout;

    /// Candidate changes for the findings of the world. Pure.
    fn propose(&self, world: &World<'_>) -> Vec<Proposal>;

    /// Reads the machine and makes the plan; writes nothing. Refuses what is protected, gone, locked or pointless.
    fn prepare(&self, proposal: &Proposal, host: &dyn Host) -> Result<Plan, Refusal>;

    /// Writes the steps in order, comparing each knob with its `before` first; stops at the first failure. A target that ended is
    /// skipped. Doing it twice is doing it once.
    fn apply(&self, plan: &Plan, host: &dyn Host) -> Result<(), Refusal>;

    /// Reads every knob back.
    fn verify(&self, plan: &Plan, host: &dyn Host) -> Result<Held, HostError>;

    /// Writes the values before back, last in first out, but only where the present value is still ours; else yields.
    fn rollback(&self, plan: &Plan, host: &dyn Host) -> Result<Undone, HostError>;
}
