//! What the operator asks for by hand: signals and nice values, for the processes that were marked, or the one that is chosen.
//!
//! Never for a row that merely stands at the top: without a choice there is no target.

use crate::{
    model::{
        snapshot::Process,
        subject::ProcessId,
        wish::{Signal, Wish},
    },
    ui::{
        dialog::Question,
        keys::Lean,
        pane::Page,
        state::{Over, State, UiCommand},
        update::ask,
        words,
    },
};

/// The values of the menu.
pub const NICE: [i8; 9] = [-20, -15, -10, -5, 0, 5, 10, 15, 19];

/// What a value means beside nice 0 (`sched_prio_to_weight`).
pub fn about(nice: i8) -> &'static str {
    match nice {
        -20 => "about 87 times the share",
        -15 => "about 29 times the share",
        -10 => "about 9 times the share",
        -5 => "about 3 times the share",
        0 => "the usual share",
        5 => "about a third of the share",
        10 => "about a ninth of the share",
        15 => "about a 28th of the share",
        _ => "about a 68th of the share: only what others leave",
    }
}

/// The processes meant: that of the page, else the marked ones, else the one under the cursor.
fn targets(state: &State) -> Vec<ProcessId> {
    match state.page {
        Page::Process(id) => vec![id],
        _ => state.processes.targets(),
    }
}

fn rows(state: &State) -> Vec<&Process> {
    targets(state).into_iter().filter_map(|id| state.view.snapshot.process(id)).collect()
}

/// Why nothing can be asked for here and now.
pub fn obstacle(state: &State) -> Option<String> {
    if targets(state).is_empty() {
        return Some("choose a process first: move the cursor to it, or mark some".into());
    }
    rows(state).is_empty().then(|| "it has ended".into())
}

/// Who, in a word or two.
pub fn whom(state: &State) -> String {
    match rows(state).as_slice() {
        [one] => format!("{} ({})", one.name, one.id.pid),
        many => format!("{} processes", many.len()),
    }
}

/// Opens the menu of nice values at the next one that way.
pub fn open_nice(state: &mut State, lean: Lean) {
    let now = rows(state).first().map_or(0, |process| process.nice);
    let at = match lean {
        Lean::Up => NICE.iter().position(|nice| *nice > now).unwrap_or(NICE.len() - 1),
        Lean::Down => NICE.iter().rposition(|nice| *nice < now).unwrap_or(0),
    };
    state.over = Over::NiceMenu(at);
}

/// Asks before a signal.
pub fn signal(state: &mut State, row: usize) -> Vec<UiCommand> {
    let Some(signal) = Signal::ALL.get(row).copied() else { return vec![] };
    question(state, |processes| Wish::Signal { processes, signal })
}

/// Asks before a nice value.
pub fn nice(state: &mut State, row: usize) -> Vec<UiCommand> {
    let Some(to) = NICE.get(row).copied() else { return vec![] };
    question(state, |processes| Wish::Nice { processes, to })
}

fn question(state: &mut State, wish: impl Fn(Vec<ProcessId>) -> Wish) -> Vec<UiCommand> {
    let all = rows(state);
    if all.is_empty() {
        state.refuse("it has ended");
        return vec![];
    }
    let names = all.iter().map(|process| name(state, process)).collect();
    let wish = wish(all.iter().map(|process| process.id).collect());
    ask(state, Question::Wish(wish, names))
}

/// `backup (123) of ann, started 3 min ago, in /system.slice/backup.service`: enough to see that it is the right one.
fn name(state: &State, process: &Process) -> String {
    let user = state.view.facts.user(process.uid);
    let age = words::span(process.id.age(state.view.now.tick));
    format!("{} ({}) of {user}, {age} old, in {}", process.name, process.id.pid, process.cgroup)
}
