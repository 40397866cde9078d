//! The one way back, for hands, guard and recovery alike: journal the beginning, undo, journal the outcome.
//!
//! Each entry is appended only if nobody else has moved the change since it was looked at; whoever comes second looks again. The undoing
//! itself writes absolute values, so two who undo at once do no harm. A journal that cannot be written does not stop it.

use crate::{
    actions::action::Action,
    host::host::Host,
    model::{
        change::{Cause, Change, ChangeId, ChangeState, Deed, Entry, Who},
        plan::{Plan, Undone},
    },
    store::{
        error::{StoreError, Trouble},
        journal::Journal,
    },
};
use std::{collections::BTreeSet, path::Path, sync::Arc};

/// Finds the action of that name.
pub type Lookup = fn(&str) -> Option<&'static dyn Action>;

/// Looks at a change that somebody else keeps moving, at most.
const ROUNDS: usize = 16;

/// What hands, guard and recovery work with.
pub struct Tools {
    /// The machine.
    pub host: Arc<dyn Host>,
    /// The actions.
    pub actions: Lookup,
    /// The journal.
    pub journal: Journal,
    /// Identity of this boot.
    pub boot: String,
}

impl Tools {
    /// A change as the journal has it now, and the number of its newest entry.
    pub fn standing(&self, change: ChangeId) -> Result<Option<(u64, Change)>, StoreError> {
        let entries = self.journal.of(change)?;
        let newest = entries.last().map_or(0, |(number, _)| *number);
        Ok(fold(entries.iter().map(|(_, entry)| entry)).map(|change| (newest, change)))
    }

    /// Appends deeds to a change if nobody has moved it since entry `seen`; the number of the last.
    pub fn move_on(&mut self, change: ChangeId, seen: u64, who: &Who, deeds: Vec<Deed>) -> Result<Option<u64>, StoreError> {
        let entries: Vec<Entry> = deeds.into_iter().map(|deed| self.entry(change, deed, who.clone())).collect();
        let numbers = self.journal.append_if(change, seen, &entries)?;
        Ok(numbers.and_then(|numbers| numbers.last().copied()))
    }

    /// An entry of this moment.
    pub fn entry(&self, change: ChangeId, deed: Deed, who: Who) -> Entry {
        Entry { change, deed, who, now: self.host.now(), boot: self.boot.clone() }
    }
}

/// A change as the fold of its entries; deeds that its state does not allow change nothing.
pub fn fold<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Option<Change> {
    let mut entries = entries.into_iter();
    let mut change = Change::begin(entries.next()?)?;
    for entry in entries {
        let _illegal_changes_nothing = change.take(entry);
    }
    Some(change)
}

/// A rollback to carry out.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// Which change.
    pub change: ChangeId,
    /// Its plan: known here, whatever the journal says by now.
    pub plan: &'a Plan,
    /// Why.
    pub cause: Cause,
    /// Who does it.
    pub who: Who,
}

/// How a rollback ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Every knob is at its prior value.
    Undone,
    /// Somebody else set knobs since; those were left alone.
    Yielded,
    /// It failed, and why.
    Stuck(String),
    /// There was nothing to do: the change had been confirmed or ended.
    Settled(ChangeState),
}

/// What came of a rollback.
#[derive(Clone, Debug)]
pub struct Undoing {
    /// How it ended.
    pub end: End,
    /// What could not be written down, if so.
    pub unwritten: Option<StoreError>,
}

/// Rolls a change back.
pub fn undo(tools: &mut Tools, case: &Case<'_>) -> Undoing {
    let begun = match advance(tools, case, &[Deed::RollbackStarted(case.cause)]) {
        Ok(Some(state)) => return Undoing { end: End::Settled(state), unwritten: None },
        begun => begun.is_ok(),
    };
    let outcome = match undo_steps(tools, case.plan) {
        Deed::Yielded(knobs) => below(tools, case, knobs),
        outcome => outcome,
    };
    let end = match &outcome {
        Deed::Yielded(_) => End::Yielded,
        Deed::Stuck { error, .. } => End::Stuck(error.clone()),
        _ => End::Undone,
    };
    // What could not be begun in writing may yet be written whole.
    let deeds = if begun { vec![outcome] } else { vec![Deed::RollbackStarted(case.cause), outcome] };
    Undoing { end, unwritten: advance(tools, case, &deeds).err() }
}

/// Appends deeds while they are due; `Some` is the state of a change that they do not concern (any more).
fn advance(tools: &mut Tools, case: &Case<'_>, deeds: &[Deed]) -> Result<Option<ChangeState>, StoreError> {
    for _ in 0..ROUNDS {
        let Some((newest, now)) = tools.standing(case.change)? else {
            return Err(StoreError::plain(Path::new("journal"), Trouble::Damaged, format!("it does not know {}", case.change)));
        };
        let due = deeds.first().is_some_and(|deed| now.state.next(deed).is_ok());
        if !due || !concerns(case.cause, now.state) {
            return Ok(Some(now.state));
        }
        if tools.move_on(case.change, newest, &case.who, deeds.to_vec())?.is_some() {
            return Ok(None);
        }
    }
    Err(StoreError::plain(Path::new("journal"), Trouble::Busy, format!("somebody keeps moving {}", case.change)))
}

/// Whether a rollback for that cause is about a change in that state: what an operator has kept, no deadline takes away.
fn concerns(cause: Cause, state: ChangeState) -> bool {
    match cause {
        Cause::Deadline => state.is_unconfirmed(),
        Cause::LostWatcher => state.is_unconfirmed() || state == ChangeState::Stuck,
        _ => state.is_live(),
    }
}

/// What reads as somebody else's may be that of a later change of ours which is yet to be undone: that one goes back to our value here,
/// so this one waits for it and is undone after it.
fn below(tools: &Tools, case: &Case<'_>, knobs: Vec<String>) -> Deed {
    // What cannot be read is left alone, as a stranger's is.
    let entries = tools.journal.since(0).unwrap_or_default();
    let begun = entries.iter().rposition(|(_, e)| e.change == case.change && matches!(e.deed, Deed::ApplyStarted { .. }));
    let later = entries.iter().skip(begun.map_or(entries.len(), |at| at + 1));
    let later: BTreeSet<ChangeId> =
        later.filter(|(_, e)| matches!(e.deed, Deed::ApplyStarted { .. })).map(|(_, e)| e.change).collect();
    let holds = |change: &Change| {
        let steps = change.plan.iter().filter(|plan| plan.boot == case.plan.boot).flat_map(|plan| &plan.steps);
        let mut shared = steps.filter(|step| knobs.contains(&step.knob.to_string()));
        let open = change.state.is_unconfirmed() || change.state == ChangeState::Stuck;
        open && shared.any(|step| tools.host.get(&step.knob).is_ok_and(|found| found == step.after))
    };
    let of = |id: &ChangeId| fold(entries.iter().filter(|(_, e)| e.change == *id).map(|(_, e)| e));
    match later.iter().rev().filter_map(of).find(holds) {
        Some(above) => {
            let why = format!("{} was set on top of it and is not undone yet: roll that back first", above.id);
            stuck(tools.host.as_ref(), case.plan, why)
        }
        None => Deed::Yielded(knobs),
    }
}

/// Undoes the steps, unwritten; the deed that says how it went.
pub fn undo_steps(tools: &Tools, plan: &Plan) -> Deed {
    let host = tools.host.as_ref();
    let Some(action) = (tools.actions)(&plan.action) else {
        return stuck(host, plan, format!("this trimtab has no action {}", plan.action));
    };
    match action.rollback(plan, host) {
        Ok(Undone::Undone) => Deed::RolledBack,
        Ok(Undone::Yielded(knobs)) => Deed::Yielded(knobs),
        Err(error) => stuck(host, plan, error.to_string()),
    }
}

/// Stuck, with the commands for the knobs that are not back, last step first.
fn stuck(host: &dyn Host, plan: &Plan, error: String) -> Deed {
    let mut commands: Vec<String> = Vec::new();
    for step in plan.steps.iter().rev() {
        let back = host.get(&step.knob).is_ok_and(|value| value == step.before);
        if !back && !commands.contains(&step.undo) {
            commands.push(step.undo.clone());
        }
    }
    Deed::Stuck { error, commands }
}
