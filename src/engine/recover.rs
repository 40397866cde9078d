//! Recovery: at the start of an engine, what an earlier one left is put right by reading the world.
//!
//! A knob at its prior value needs nothing; one at the target that nobody had confirmed is rolled back, since nobody watched it; one at
//! any other value belongs to somebody else. What was kept stays, if it still holds. A boot takes away what was set at runtime; what was
//! written to outlive boots is looked at as if there had been none (`reference/safety.md`, 5). Doing it twice is doing it once.

use crate::{
    engine::undo::{Case, Tools, fold, undo},
    model::{
        change::{Cause, Change, ChangeId, ChangeState, Deed, Entry, Who},
        plan::{Held, Obstacle, Plan, Refusal},
    },
    store::error::StoreError,
};
use std::collections::BTreeMap;

/// Recovers; what could not be written down, if so.
pub fn recover(tools: &mut Tools, entries: &[(u64, Entry)]) -> Option<StoreError> {
    let mut of: BTreeMap<ChangeId, Vec<&Entry>> = BTreeMap::new();
    for (_, entry) in entries {
        of.entry(entry.change).or_default().push(entry);
    }
    let mut changes: Vec<Change> = of.into_values().filter_map(fold).collect();
    // The last applied first: where two changes met on a knob, the later one is undone before the earlier.
    let turn: BTreeMap<ChangeId, u64> = entries.iter().filter_map(|(number, entry)| begun(entry).map(|id| (id, *number))).collect();
    changes.sort_by_key(|change| std::cmp::Reverse((turn.get(&change.id).copied(), change.id)));
    let mut trouble = None;
    let mut kept: Vec<&Plan> = Vec::new();
    for change in &changes {
        let stays = change.state == ChangeState::Kept && !change.leave;
        // What was set on top of it is no foreign hand.
        if !(stays && kept.iter().any(|plan| meet(plan, change))) {
            trouble = settle(tools, change).or(trouble);
        }
        kept.extend(change.plan.as_ref().filter(|_| stays));
    }
    trouble
}

fn begun(entry: &Entry) -> Option<ChangeId> {
    matches!(entry.deed, Deed::ApplyStarted { .. }).then_some(entry.change)
}

/// Whether a plan and a change are about the same knob.
fn meet(plan: &Plan, change: &Change) -> bool {
    let mut steps = change.plan.iter().flat_map(|plan| &plan.steps);
    steps.any(|step| plan.steps.iter().any(|other| other.knob == step.knob))
}

fn settle(tools: &mut Tools, change: &Change) -> Option<StoreError> {
    match (change.state, &change.plan) {
        (ChangeState::Proposed | ChangeState::Approved, _) => close(tools, change, vec![Deed::Expired]),
        (ChangeState::Prepared, _) => {
            let why = "the engine ended before anything was written".to_string();
            close(tools, change, vec![Deed::Refused(Refusal { kind: Obstacle::Failed, why })])
        }
        (state, Some(plan)) if state.is_live() => {
            if plan.boot != tools.boot && !plan.outlives_boot() {
                close(tools, change, vec![Deed::RollbackStarted(Cause::Reboot), Deed::RolledBack])
            } else if state == ChangeState::Kept && !change.leave {
                look(tools, change, plan)
            } else {
                let cause = if change.leave { Cause::Leaving } else { Cause::LostWatcher };
                undo(tools, &Case { change: change.id, plan, cause, who: Who::Recovery }).unwritten
            }
        }
        _ => None,
    }
}

/// A kept change stays, unless somebody else has set its knobs since; of several, the rest is undone then.
fn look(tools: &mut Tools, change: &Change, plan: &Plan) -> Option<StoreError> {
    let action = (tools.actions)(&plan.action)?;
    match action.verify(plan, tools.host.as_ref()) {
        Ok(Held::Drifted { .. }) if plan.steps.len() > 1 => {
            undo(tools, &Case { change: change.id, plan, cause: Cause::NotHeld, who: Who::Recovery }).unwritten
        }
        Ok(Held::Drifted { knob, .. }) => close(tools, change, vec![Deed::Yielded(vec![knob])]),
        _ => None,
    }
}

/// Appends deeds, if the change still stands where the opened journal had it: an older guard may have moved it meanwhile.
fn close(tools: &mut Tools, change: &Change, deeds: Vec<Deed>) -> Option<StoreError> {
    let closed = match tools.standing(change.id) {
        Ok(Some((newest, now))) if now.state == change.state => {
            tools.move_on(change.id, newest, &Who::Recovery, deeds).map(|_moved_by_a_guard_otherwise| ())
        }
        Ok(_) => Ok(()),
        Err(e) => Err(e),
    };
    closed.err()
}
