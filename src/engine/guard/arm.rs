//! What the hands ask of a guard.

use crate::model::{change::ChangeId, message::GuardState};

/// Somebody who outlives the engine and holds the plans of unconfirmed changes.
pub trait Guard: Send {
    /// Puts a change into its hands, before the first write: its intent is in the journal. `Ok` only when the guard has acknowledged
    /// that it holds the plan.
    fn arm(&mut self, change: ChangeId) -> Result<GuardState, String>;

    /// Takes a confirmed or ended change out of its hands; one made to be left behind stays in them until the engine ends. A guard that
    /// does not hear it finds the confirmation in the journal.
    fn disarm(&mut self, change: ChangeId);

    /// How it stands. A guard that died is started anew and armed again.
    fn state(&mut self) -> GuardState;
}
