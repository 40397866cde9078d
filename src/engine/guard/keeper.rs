//! What the guard holds and does: plans in memory, each with its deadline; everything else it looks up in the journal.

use crate::{
    engine::undo::{Case, End, Tools, undo},
    model::{
        change::{Cause, Change, ChangeId, ChangeState, Who},
        plan::Plan,
        time::Tick,
    },
};
use std::{collections::BTreeMap, time::Duration};

/// After a rollback that could not be written down, or whose journal could not be read: once more.
const AGAIN: Duration = Duration::from_secs(5);

/// One plan in the guard's hands.
#[derive(Debug)]
struct Owed {
    plan: Plan,
    /// `None` when nobody waits for a confirmation any more.
    deadline: Option<Tick>,
    /// To be undone when the engine ends, even if kept.
    leave: bool,
    /// Changes are armed in the order in which they are applied, which is not that of their numbers.
    turn: u64,
}

impl Owed {
    /// What the guard owes for a change as the journal has it; nothing when it has been kept for good or has ended.
    fn of(change: Change) -> Option<Owed> {
        let Change { state, plan, deadline, leave, .. } = change;
        match state {
            ChangeState::Kept if leave => Some(Owed { plan: plan?, deadline: None, leave, turn: 0 }),
            state if state.is_unconfirmed() => Some(Owed { plan: plan?, deadline, leave, turn: 0 }),
            _ => None,
        }
    }
}

/// The guard's memory.
pub struct Keeper {
    tools: Tools,
    owed: BTreeMap<ChangeId, Owed>,
    turns: u64,
}

impl Keeper {
    /// One that holds nothing yet.
    pub fn new(tools: Tools) -> Keeper {
        Keeper { tools, owed: BTreeMap::new(), turns: 0 }
    }

    /// Answers a line of the engine: `arm N` with `armed N`, `settled N` (there is nothing to hold) or `refused N why`; `disarm N` with
    /// `disarmed N`; anything else with `unknown`.
    pub fn hear(&mut self, line: &str) -> String {
        let (verb, number) = line.split_once(' ').unwrap_or((line, ""));
        match (verb, number.parse().map(ChangeId)) {
            ("arm", Ok(change)) => self.arm(change),
            ("disarm", Ok(change)) => self.disarm(change),
            _ => "unknown".into(),
        }
    }

    fn arm(&mut self, change: ChangeId) -> String {
        let number = change.0;
        match self.tools.standing(change) {
            Ok(Some((_, now))) => match Owed::of(now) {
                Some(owed) => {
                    self.hold(change, owed);
                    format!("armed {number}")
                }
                None => format!("settled {number}"),
            },
            Ok(None) => format!("refused {number} the journal does not know it"),
            Err(e) => format!("refused {number} {}", e.to_string().replace('\n', " ")),
        }
    }

    fn hold(&mut self, change: ChangeId, owed: Owed) {
        self.turns += 1;
        let turn = self.owed.get(&change).map_or(self.turns, |held| held.turn);
        self.owed.insert(change, Owed { turn, ..owed });
    }

    /// Those that `which` says, the last applied first.
    fn newest(&self, which: impl Fn(&Owed) -> bool) -> Vec<ChangeId> {
        let held = self.owed.iter().filter(|(_, owed)| which(owed));
        let mut all: Vec<(u64, ChangeId)> = held.map(|(id, owed)| (owed.turn, *id)).collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        all.into_iter().map(|(_, id)| id).collect()
    }

    /// The engine has written that it is kept or ended; what is to be left behind with the engine stays until then.
    fn disarm(&mut self, change: ChangeId) -> String {
        match self.tools.standing(change).map(|now| now.and_then(|(_, now)| Owed::of(now))) {
            Ok(Some(owed)) => self.hold(change, owed),
            Ok(None) => drop(self.owed.remove(&change)),
            // The engine's word stands; with no journal to look at, one to be left behind is held on to.
            Err(_) => self.owed.retain(|id, owed| *id != change || owed.leave),
        }
        format!("disarmed {}", change.0)
    }

    /// The nearest deadline.
    pub fn deadline(&self) -> Option<Tick> {
        self.owed.values().filter_map(|owed| owed.deadline).min()
    }

    /// True when it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.owed.is_empty()
    }

    /// Rolls back what nobody has confirmed by now, newest first.
    pub fn meet_deadlines(&mut self) {
        let now = self.tools.host.now().tick;
        let late = |owed: &Owed| owed.deadline.is_some_and(|deadline| deadline <= now);
        for change in self.newest(late) {
            let Some(mut owed) = self.owed.remove(&change) else { continue };
            let undoing = undo(&mut self.tools, &case(change, &owed.plan, Cause::Deadline));
            owed.deadline = undoing.unwritten.is_some().then(|| now + AGAIN);
            let hold = match undoing.end {
                // Tried once more when the engine ends.
                End::Stuck(_) => true,
                End::Settled(state) => state == ChangeState::Kept && owed.leave,
                End::Undone | End::Yielded => undoing.unwritten.is_some(),
            };
            if hold {
                self.owed.insert(change, owed);
            }
        }
    }

    /// The engine has ended: rolls back what nobody confirmed, and what was to be left behind with it, newest first.
    pub fn engine_ended(&mut self) {
        for change in self.newest(|_| true) {
            let Some(owed) = self.owed.remove(&change) else { continue };
            let cause = if owed.leave { Cause::Leaving } else { Cause::LostWatcher };
            // Nobody is left to tell of what could not be written; recovery will read the world.
            let _undoing = undo(&mut self.tools, &case(change, &owed.plan, cause));
        }
    }
}

fn case(change: ChangeId, plan: &Plan, cause: Cause) -> Case<'_> {
    Case { change, plan, cause, who: Who::Guard }
}
