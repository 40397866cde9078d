//! The keys of the queue: what each asks of the engine, and why it may not be possible here and now.

use crate::{
    model::{
        change::{Change, ChangeState},
        emergency::{EmergencyKind, Stage},
        limits::Mode,
        message::{Ask, Command},
    },
    ui::{
        alerts,
        copy::{self, Copied},
        dialog::Question,
        filter, foresight,
        keys::Intent,
        pane::Page,
        state::{Over, State, UiCommand},
        update::{ask, open},
        wish,
    },
};

/// Modes, in the order of the menu.
pub const MODES: [Mode; 3] = [Mode::Observe, Mode::Suggest, Mode::Auto];

/// Intervals between sweeps, in milliseconds, in the order of the menu.
pub const INTERVALS: [u32; 5] = [500, 1000, 2000, 5000, 10_000];

/// Why an intent cannot be carried out here and now; `None` when it can. The bottom bar shows only what can.
pub fn obstacle(state: &State, intent: Intent) -> Option<String> {
    use Intent as I;
    let engine = matches!(
        intent,
        I::Approve
            | I::Dismiss
            | I::Unapprove
            | I::Apply
            | I::Keep
            | I::RollBack
            | I::RollBackAll
            | I::Rescue
            | I::Halt
            | I::Mode
            | I::Interval
            | I::Audit
            | I::Learned
            | I::Signal
            | I::Nice(_)
            | I::Acknowledge
            | I::Snooze
    );
    if engine && state.lost {
        return Some("the engine has ended; nothing can be asked of it".into());
    }
    if engine && !matches!(intent, I::Audit | I::Learned) && state.travel.replay {
        return Some("this is a replay: nothing can be changed".into());
    }
    // What was is no ground to act on; PANIC is about what is applied now, and asks.
    if engine && !matches!(intent, I::Audit | I::Learned | I::RollBackAll | I::Halt) && state.travel.past.is_some() {
        return Some("the screen shows the past; `.` goes back to now".into());
    }
    match intent {
        I::Copy => copy::chosen(state).err(),
        I::Moment if alerts::chosen(state).is_none() => Some("there is no alert".into()),
        I::Acknowledge | I::Snooze => alerts::obstacle(state, intent),
        I::Signal | I::Nice(_) => wish::obstacle(state),
        I::Rescue if waiting(state).is_none() => Some("there is no emergency that waits for a yes".into()),
        I::RollBackAll if !state.view.changes.iter().any(|c| c.state.is_live()) => Some("nothing is applied".into()),
        I::Approve | I::Dismiss | I::Unapprove | I::Apply | I::Keep | I::RollBack | I::Verify | I::Phases => {
            match state.chosen_change() {
                None => Some("the queue is empty".into()),
                Some(change) => of_change(change, intent),
            }
        }
        _ => None,
    }
}

/// The first emergency that waits for a yes.
fn waiting(state: &State) -> Option<EmergencyKind> {
    state.view.emergencies.iter().find(|emergency| emergency.stage == Stage::Proposed).map(|emergency| emergency.kind)
}

/// Keys that would do nothing here: they are left out of the bar, and pressing them is no mistake.
pub fn is_idle(state: &State, intent: Intent) -> bool {
    let overview = state.page == Page::Overview;
    match intent {
        Intent::Expand => !overview,
        Intent::Back => {
            let list = &state.processes;
            let filtered = state.list().is_some_and(|list| !filter::of(state, list).is_empty());
            overview && !state.expanded && list.cursor.is_none() && !filtered && state.frozen.is_none()
        }
        Intent::Coarser | Intent::Finer => match &state.page {
            Page::Forecast(key) => foresight::outlook(state).is_none_or(|outlook| outlook.of(key).count() < 2),
            _ => true,
        },
        Intent::Focus(pane) => overview && state.focus == pane,
        Intent::Rescue => waiting(state).is_none(),
        Intent::Verify => matches!(state.page, Page::Verify(_)),
        Intent::Phases => matches!(state.page, Page::Phases(_)),
        _ => false,
    }
}

fn of_change(change: &Change, intent: Intent) -> Option<String> {
    use ChangeState as S;
    let (state, id) = (change.state, change.id);
    let is = state.words();
    let fits = match intent {
        Intent::Approve => state == S::Proposed,
        Intent::Dismiss => state.is_open(),
        Intent::Unapprove => state == S::Approved,
        Intent::Apply => state == S::Approved,
        Intent::Keep => state == S::Watching,
        Intent::RollBack => state.is_live() && state != S::RollingBack,
        _ => true,
    };
    if !fits {
        return Some(match intent {
            Intent::Apply if state == S::Proposed => format!("{id} is not approved yet: a approves it"),
            Intent::RollBack => format!("{id} is {is}: there is nothing to roll back"),
            _ => format!("not possible: {id} is {is}"),
        });
    }
    if intent == Intent::Approve && change.lock.is_none() && change.digest.is_empty() {
        return Some(format!("{id} is still being planned: there is nothing to approve yet"));
    }
    let lock = change.lock.as_ref().filter(|_| matches!(intent, Intent::Approve | Intent::Apply));
    lock.map(|lock| format!("{id} is locked: {}", lock.why))
}

/// Carries out a key of the queue that has no obstacle.
pub fn perform(state: &mut State, intent: Intent) -> Vec<UiCommand> {
    match intent {
        Intent::RollBackAll => return ask(state, Question::RollBackAll),
        Intent::Rescue => {
            let Some(kind) = waiting(state) else { return vec![] };
            return ask(state, Question::Rescue(kind));
        }
        Intent::Halt if state.view.halted.is_some() => return ask(state, Question::Resume),
        Intent::Halt => return ask(state, Question::Halt),
        Intent::Copy => return take(state),
        _ => {}
    }
    let Some(change) = state.chosen_change().cloned() else { return vec![] };
    let (id, digest) = (change.id, change.digest.clone());
    match intent {
        Intent::Approve => command(Command::Approve { change: id, digest: Some(digest) }),
        Intent::Dismiss => command(Command::Reject(id)),
        Intent::Unapprove => command(Command::Unapprove(id)),
        Intent::Apply => ask(state, Question::Apply(id, digest)),
        Intent::Keep => ask(state, Question::Keep(id)),
        Intent::RollBack => ask(state, Question::RollBack(id)),
        Intent::Phases => {
            open(state, Page::Phases(id));
            vec![]
        }
        Intent::Verify => {
            open(state, Page::Verify(id));
            vec![]
        }
        _ => vec![],
    }
}

fn command(command: Command) -> Vec<UiCommand> {
    vec![UiCommand::Ask(Ask::Do(command))]
}

/// Copies what is in front.
fn take(state: &mut State) -> Vec<UiCommand> {
    let Ok(Copied { what, text }) = copy::chosen(state) else { return vec![] };
    state.tell(format!("copied: {what}"));
    vec![UiCommand::Copy(text)]
}

/// `3 commands`, `1 command`.
pub fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Opens the menu of intervals at the one in force.
pub fn intervals(state: &mut State) {
    let asked = state.view.cost.pace.asked * 1000.0;
    let at = INTERVALS.iter().position(|millis| f64::from(*millis) >= asked).unwrap_or(0);
    state.over = Over::IntervalMenu(at);
}

/// Asks for the interval of that row.
pub fn set_interval(row: usize) -> Vec<UiCommand> {
    INTERVALS.get(row).map_or_else(Vec::new, |millis| command(Command::Interval(*millis)))
}

/// Switches the mode; that the engine may act by itself wants a yes.
pub fn set_mode(state: &mut State, row: usize) -> Vec<UiCommand> {
    match MODES.get(row) {
        Some(Mode::Auto) if state.view.mode != Mode::Auto => ask(state, Question::Auto),
        Some(mode) if *mode != state.view.mode => command(Command::SetMode(*mode)),
        _ => vec![],
    }
}
