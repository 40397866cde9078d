//! The keys of the table.

use crate::ui::{
    keys::{Intent, Motion},
    layout, motion,
    pane::Pane,
    processes::{
        choices::{Form, KernelThreads, Way},
        columns::TABLE,
        filter::matches,
        fit,
        fold::Rule,
        row::{Fold, RowId, Sight},
    },
    state::{Over, State},
};
use ratatui::layout::Rect;

/// Does what a key of the table means.
pub fn perform(state: &mut State, intent: Intent) {
    match intent {
        Intent::SortMenu => {
            let row = TABLE.iter().position(|column| column.name == state.processes.choices.sort);
            state.over = Over::SortMenu(row.unwrap_or(0));
        }
        Intent::Invert => {
            let way = if state.processes.choices.way == Way::Usual { Way::Inverted } else { Way::Usual };
            state.processes.choices.way = way;
            state.processes.arrange();
        }
        Intent::SortCpu => sort(state, "cpu"),
        Intent::SortMemory => sort(state, "memory"),
        Intent::SortNext => sort_beside(state, 1),
        Intent::SortPrevious => sort_beside(state, -1),
        Intent::Column => turn_column(state),
        Intent::Form => form(state, state.processes.choices.form.next()),
        Intent::Group => {
            let grouped = state.processes.choices.form == Form::Programs;
            form(state, if grouped { Form::List } else { Form::Programs });
        }
        Intent::Fold => fold(state),
        Intent::Unfold => unfold(state),
        Intent::Close => set_fold(state, Rule::Closed),
        Intent::Open => set_fold(state, Rule::Open),
        Intent::FoldAll => {
            state.processes.folds().turn();
            state.processes.refresh();
        }
        Intent::Mark => mark(state),
        Intent::Unmark => state.processes.marks.clear(),
        Intent::Follow => follow(state),
        Intent::NextMatch => to_match(state, 1),
        Intent::PreviousMatch => to_match(state, -1),
        Intent::KernelThreads => kernel_threads(state),
        _ => {}
    }
}

/// Puts the rows in the order of a column, in its usual way.
pub fn sort(state: &mut State, by: &str) {
    let choices = &mut state.processes.choices;
    choices.sort = by.into();
    choices.way = Way::Usual;
    state.processes.arrange();
}

/// Columns of the screen inside the pane.
pub fn width(state: &State) -> u16 {
    let places = layout::places(state, Rect::new(0, 0, state.size.0, state.size.1));
    let pane = places.panes.iter().find(|(pane, _)| *pane == Pane::Processes);
    pane.map_or(state.size.0, |(_, at)| at.width).saturating_sub(4)
}

/// The order of the column beside the present one, among those that can be seen.
fn sort_beside(state: &mut State, by: isize) {
    let shown = fit::fitting(&state.processes, width(state));
    let at = shown.iter().position(|(column, _)| column.name == state.processes.choices.sort).unwrap_or(0);
    if let Some((column, _)) = at.checked_add_signed(by).and_then(|at| shown.get(at)) {
        sort(state, column.name);
    }
}

/// Hides the column under the cursor of the menu if it can be seen, shows it before others if not.
fn turn_column(state: &mut State) {
    let Over::SortMenu(row) = state.over else { return };
    let Some(column) = TABLE.get(row) else { return };
    let seen = fit::fitting(&state.processes, width(state)).iter().any(|(shown, _)| shown.name == column.name);
    let choices = &mut state.processes.choices;
    for names in [&mut choices.hidden, &mut choices.wanted] {
        names.retain(|name| name != column.name);
    }
    let names = if seen { &mut choices.hidden } else { &mut choices.wanted };
    names.push(column.name.into());
    if seen && fit::fitting(&state.processes, width(state)).iter().any(|(shown, _)| shown.name == column.name) {
        state.refuse(format!("{} is always shown", column.name));
    }
}

/// Orders by the column under the cursor of the menu.
pub fn choose_sort(state: &mut State, row: usize) {
    if let Some(column) = TABLE.get(row) {
        state.processes.choices.hidden.retain(|name| name != column.name);
        sort(state, column.name);
    }
}

fn form(state: &mut State, form: Form) {
    state.processes.choices.form = form;
    state.processes.arrange();
    state.tell(format!("processes: {}", form.words()));
}

/// Folds the selected row away or, where nothing is to be folded, goes to the one above it.
fn fold(state: &mut State) {
    match selected(state) {
        Some((id, Fold::Open, _)) => fold_one(state, &id, Rule::Closed),
        Some((_, _, depth)) => to_parent(state, depth),
        None => motion::go(state, Motion::Top),
    }
}

/// Unfolds the selected row or, where it is open, goes to the first one below it.
fn unfold(state: &mut State) {
    match selected(state) {
        Some((id, Fold::Closed, _)) => fold_one(state, &id, Rule::Open),
        Some((_, Fold::Open, _)) => motion::go(state, Motion::Down),
        Some((_, Fold::Leaf, _)) => {}
        None => motion::go(state, Motion::Top),
    }
}

/// Closes or opens the selected row; what has nothing below it stands for the row above it.
fn set_fold(state: &mut State, to: Rule) {
    let Some((id, fold, depth)) = selected(state) else { return motion::go(state, Motion::Top) };
    if fold != Fold::Leaf {
        fold_one(state, &id, to);
    } else if to == Rule::Closed && depth > 0 {
        to_parent(state, depth);
        set_fold(state, to);
    }
}

/// Folds the selected row away, or unfolds it.
pub fn turn_fold(state: &mut State) {
    if state.processes.place().is_none() {
        motion::go(state, Motion::Top);
    }
    match selected(state) {
        Some((id, Fold::Closed, _)) => fold_one(state, &id, Rule::Open),
        Some((id, Fold::Open, _)) => fold_one(state, &id, Rule::Closed),
        Some((_, Fold::Leaf, _)) | None => {}
    }
}

fn fold_one(state: &mut State, id: &RowId, to: Rule) {
    state.processes.folds().set(id, to);
    state.processes.refresh();
}

fn to_parent(state: &mut State, depth: u16) {
    let list = &mut state.processes;
    let Some(place) = list.place() else { return };
    if let Some(row) = list.rows.all.iter().take(place).rev().find(|row| row.depth < depth) {
        list.cursor = Some(row.id.clone());
        list.followed = None;
    }
}

fn selected(state: &State) -> Option<(RowId, Fold, u16)> {
    let row = state.processes.rows.all.get(state.processes.place()?)?;
    Some((row.id.clone(), row.fold, row.depth))
}

/// Marks the selected process, or all of the selected group, or takes these marks away; then goes on to the next row.
fn mark(state: &mut State) {
    let Some(id) = state.processes.cursor.clone() else { return motion::go(state, Motion::Top) };
    let view = state.frozen.clone().unwrap_or_else(|| state.view.clone());
    let all = view.snapshot.processes.known().map_or(&[][..], |all| all);
    let inside = |cgroup: &str, path: &str| match path {
        "/" => cgroup.is_empty() || cgroup == "/",
        path => cgroup.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    };
    let members = all.iter().filter(|p| match &id {
        RowId::Process(id) => p.id == *id,
        RowId::Program(name) => p.name == *name,
        RowId::Cgroup(path) => inside(&p.cgroup, path),
    });
    let members: Vec<_> = members.map(|p| p.id).collect();
    let marks = &mut state.processes.marks;
    if members.iter().all(|id| marks.contains(id)) {
        marks.retain(|id| !members.contains(id));
    } else {
        marks.extend(members);
    }
    if state.processes.followed.is_none() {
        motion::go(state, Motion::Down);
    }
}

/// Follows the selected row, or lets it go.
fn follow(state: &mut State) {
    if state.processes.followed.take().is_some() {
        return state.processes.release();
    }
    let list = &state.processes;
    let Some(row) = list.place().or(Some(0)).and_then(|at| list.rows.all.get(at)) else { return };
    let mut name = String::new();
    if let Some(item) = list.rows.item(row, &state.shown().snapshot) {
        item.write_name(&mut name);
    }
    if let RowId::Process(id) = row.id {
        name.push_str(&format!(" ({})", id.pid));
    }
    state.processes.cursor = Some(row.id.clone());
    state.processes.followed = Some(name);
    state.processes.arrange();
}

/// Goes to the next row that matches the filter, or the one there was last, in a ring.
fn to_match(state: &mut State, by: isize) {
    let list = &state.processes;
    let sought = if list.filter.is_empty() { &list.sought } else { &list.filter };
    if sought.is_empty() {
        return state.refuse("nothing to search for yet: / and a text");
    }
    let count = list.rows.all.len() as isize;
    let from = list.place().map_or(if by > 0 { -1 } else { count }, |at| at as isize);
    let sight = Sight::of(state);
    let fits = |id: &RowId| {
        id.process().and_then(|id| sight.snapshot.process(id)).is_some_and(|p| matches(p, sought, &list.marks, &sight))
    };
    let mut found = (1..=count).filter_map(|step| {
        let at = (from + by * step).rem_euclid(count.max(1));
        list.rows.all.get(at as usize).map(|row| &row.id).filter(|id| fits(id))
    });
    match found.next().cloned() {
        Some(id) => {
            state.processes.cursor = Some(id);
            state.processes.followed = None;
        }
        None => {
            let why = format!("no row matches {}", sought.text());
            state.refuse(why);
        }
    }
}

fn kernel_threads(state: &mut State) {
    let list = &mut state.processes;
    let (kernel, words) = match list.choices.kernel {
        KernelThreads::Shown => (KernelThreads::Hidden, "hidden"),
        KernelThreads::Hidden => (KernelThreads::Shown, "shown"),
    };
    list.choices.kernel = kernel;
    list.arrange();
    state.tell(format!("kernel threads: {words}"));
}
