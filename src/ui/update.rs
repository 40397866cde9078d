//! What a message does to the state. Pure: the same state, time and message give the same state and commands.

use crate::{
    model::{
        change::Who,
        message::{Ask, Body, Reply, View},
        time::Now,
    },
    ui::{
        act, alerts, close_look,
        dialog::{Dialog, Question},
        entry::Entry,
        filter::{self, Field, List},
        foresight,
        key::Key,
        keys::{Intent, Motion},
        layout::Shape,
        motion,
        palette::{self, Palette},
        pane::{Page, Pane},
        pointer,
        processes::{self, row::RowId},
        state::{Msg, Over, State, UiCommand},
        time, wish,
    },
};
use std::sync::Arc;

/// Entries of the journal that the audit page asks for.
const AUDITED: usize = 500;

/// Takes a message at a time; says what the console is to do.
pub fn update(state: &mut State, now: Now, msg: Msg) -> Vec<UiCommand> {
    state.now = now;
    let mut commands = take(state, msg);
    state.settle();
    commands.extend(close_look::due(state).map(UiCommand::Ask));
    commands.extend(foresight::due(state).map(UiCommand::Ask));
    commands
}

fn take(state: &mut State, msg: Msg) -> Vec<UiCommand> {
    let now = state.now;
    if state.toast.as_ref().is_some_and(|toast| toast.until <= now.tick) {
        state.toast = None;
    }
    match msg {
        Msg::Key(key) => press(state, key),
        Msg::Paste(text) => paste(state, &text),
        Msg::Click(spot) => pointer::click(state, spot),
        Msg::Wheel(pane, motion) => pointer::wheel(state, pane, motion),
        Msg::Resize(width, height) => {
            resize(state, width, height);
            vec![UiCommand::Redraw]
        }
        Msg::View(view) => view_came(state, view),
        Msg::Answer(body) => answer(state, body),
        Msg::Notice(text) => {
            state.refuse(text);
            vec![]
        }
        Msg::Lost(retries) => {
            (state.lost, state.retries) = (true, retries);
            vec![]
        }
        Msg::Back(welcome) => {
            state.rejoin(&welcome);
            vec![]
        }
        Msg::Tick => vec![],
    }
}

/// A small terminal begins with the queue: it has room for the verdict and one pane.
fn resize(state: &mut State, width: u16, height: u16) {
    let small = |(width, height): (u16, u16)| Shape::of(width, height) == Shape::Small;
    if small((width, height)) && !small(state.size) {
        state.focus = Pane::Queue;
    }
    state.size = (width, height);
}

fn view_came(state: &mut State, view: Arc<View>) -> Vec<UiCommand> {
    state.history.take(&view);
    if let Some(news) = others(&state.view, &view, state.toast.is_some()) {
        state.tell(news);
    }
    state.view = view;
    if let Over::Dialog(dialog) = &mut state.over {
        dialog.check(&state.view);
    }
    if state.frozen.is_none() {
        state.refresh();
    }
    time::passed(state)
}

/// What other operators did since the view before: who is at this console sees its own deeds answered.
fn others(before: &View, now: &View, told: bool) -> Option<String> {
    if told || Arc::ptr_eq(&before.changes, &now.changes) || now.present.len() < 2 {
        return None;
    }
    now.changes.iter().find_map(|change| {
        let known = before.changes.iter().find(|c| c.id == change.id).map_or(0, |c| c.deeds.len());
        let (_, who, deed) = change.deeds.get(known..)?.iter().find(|(_, who, _)| matches!(who, Who::Operator { .. }))?;
        Some(format!("{} {}: {deed} by {who}", change.id, change.proposal.title))
    })
}

fn answer(state: &mut State, body: Body) -> Vec<UiCommand> {
    match body {
        Body::Past(past) => return time::came(state, *past),
        Body::Marks(marks) => return time::marked(state, marks),
        Body::Trace(trace) => {
            if let Some(trace) = foresight::take(state, trace) {
                time::traced(state, trace);
            }
        }
        Body::Reply(Reply::Done(text)) => state.tell(text),
        Body::Reply(Reply::Refused(text)) => state.refuse(text),
        Body::Error(_) if foresight::failed(state) => {}
        Body::Error(text) => {
            time::failed(state);
            state.refuse(text);
        }
        Body::Audit(entries) => state.audit = Some(entries),
        Body::Learned(lessons) => state.learned = Some(lessons),
        Body::Inspected(look) => state.close_look.take(look),
        Body::Welcome(_) | Body::View(_) | Body::Metrics(_) | Body::Forecast(_) => {}
    }
    vec![]
}

/// Only a field takes a paste, only its first line, and nothing that controls a terminal.
fn paste(state: &mut State, text: &str) -> Vec<UiCommand> {
    type_in(state, text.lines().next().unwrap_or(""));
    vec![]
}

/// Types into the field in front, if there is one.
fn type_in(state: &mut State, text: &str) {
    edit(state, |entry| entry.insert(text));
}

/// Changes the line in front, and what follows from it.
fn edit(state: &mut State, change: impl FnOnce(&mut Entry)) {
    match std::mem::take(&mut state.over) {
        Over::Filter(field) => state.over = Over::Filter(filter::type_into(state, field, |field| change(&mut field.entry))),
        Over::Jump(mut entry) => {
            change(&mut entry);
            state.over = Over::Jump(entry);
        }
        Over::Palette(mut palette) => {
            change(&mut palette.entry);
            state.over = Over::Palette(Palette { row: 0, ..palette });
        }
        other => state.over = other,
    }
}

fn press(state: &mut State, key: Key) -> Vec<UiCommand> {
    let contexts = state.contexts();
    if let Over::Dialog(dialog) = &mut state.over
        && key != Key::Ctrl('c')
        && !dialog.is_armed(state.now.tick)
    {
        // A question that has gone stale is closed by any key, one that has just opened by none.
        if dialog.stale.is_some() {
            state.over = Over::Nothing;
        }
        return vec![];
    }
    match (state.keymap.find(contexts, key), key) {
        (Some(intent), _) => perform(state, intent),
        (None, Key::Char(c)) => letter(state, c),
        (None, _) => vec![],
    }
}

fn letter(state: &mut State, c: char) -> Vec<UiCommand> {
    type_in(state, c.encode_utf8(&mut [0; 4]));
    if let Over::Dialog(Dialog { code: Some(code), typed, .. }) = &mut state.over {
        typed.push(c);
        if typed == code {
            return confirm(state);
        }
        if typed.len() >= code.len() {
            typed.clear();
        }
    }
    vec![]
}

/// Does what a key means; says why not when it cannot be done here and now.
pub fn perform(state: &mut State, intent: Intent) -> Vec<UiCommand> {
    if let Some(why) = act::obstacle(state, intent) {
        state.refuse(why);
        return vec![];
    }
    match intent {
        Intent::Leave => return vec![UiCommand::Quit],
        Intent::Quit => return quit(state),
        Intent::Back => back(state),
        Intent::Redraw => return vec![UiCommand::Redraw],
        Intent::Alerts => open(state, Page::Alerts),
        Intent::Forecasts => open(state, Page::Forecasts),
        Intent::Why => open(state, Page::Causes),
        Intent::Ahead => foresight::toggle(state),
        Intent::OrderForecasts => foresight::reorder(state),
        Intent::Coarser => foresight::refocus(state, foresight::Focus::Coarser),
        Intent::Finer => foresight::refocus(state, foresight::Focus::Finer),
        Intent::Acknowledge => return alerts::acknowledge(state),
        Intent::Snooze => alerts::ask_snooze(state),
        Intent::Moment => return alerts::then(state),
        Intent::Audit => {
            open(state, Page::Audit);
            return vec![UiCommand::Ask(Ask::Audit { most: AUDITED })];
        }
        Intent::Learned => {
            open(state, Page::Learned);
            return vec![UiCommand::Ask(Ask::Learned)];
        }
        Intent::Help => open(state, if state.page == Page::Help { Page::Overview } else { Page::Help }),
        Intent::Focus(pane) => focus(state, pane),
        Intent::NextPane => focus(state, state.focus.along(1)),
        Intent::PreviousPane => focus(state, state.focus.along(Pane::ALL.len() - 1)),
        Intent::Expand => state.expanded = state.page == Page::Overview && !state.expanded,
        Intent::Freeze => freeze(state),
        Intent::Theme => state.over = Over::ThemeMenu { row: state.look.chosen, before: state.look.chosen },
        Intent::Layout => {
            open(state, Page::Overview);
            state.expanded = false;
            state.over = Over::LayoutMenu { row: state.look.layout, before: state.look.layout };
        }
        Intent::Basis => {
            state.basis = state.basis.next();
            state.tell(state.basis.words());
        }
        Intent::Interval => act::intervals(state),
        Intent::Mouse => {
            state.mouse = !state.mouse;
            state.tell(if state.mouse {
                "the mouse is ours; m gives it back"
            } else {
                "the mouse is the terminal's, to select text"
            });
            return vec![UiCommand::Mouse(state.mouse)];
        }
        Intent::Mode => state.over = Over::ModeMenu(state.view.mode as usize),
        Intent::Move(motion) => motion::go(state, motion),
        Intent::Details => details(state),
        Intent::Threads => state.close_look.threads = !state.close_look.threads,
        Intent::Filter => {
            if let Some(list) = state.list() {
                state.over = Over::Filter(Field::open(state, list));
            }
        }
        Intent::Palette => state.over = Over::Palette(Palette::default()),
        Intent::SortMenu
        | Intent::Invert
        | Intent::SortCpu
        | Intent::SortMemory
        | Intent::SortNext
        | Intent::SortPrevious
        | Intent::Column
        | Intent::Form
        | Intent::Group
        | Intent::Fold
        | Intent::Unfold
        | Intent::Close
        | Intent::Open
        | Intent::FoldAll
        | Intent::Mark
        | Intent::Unmark
        | Intent::Follow
        | Intent::NextMatch
        | Intent::PreviousMatch
        | Intent::KernelThreads => processes::act::perform(state, intent),
        Intent::StepEarlier => return time::earlier(state),
        Intent::StepLater => return time::later(state),
        Intent::GoTo => time::open_jump(state),
        Intent::Now => return time::now(state),
        Intent::MarkBefore => return time::mark_before(state),
        Intent::MarkAfter => return time::mark_after(state),
        Intent::Marks => return time::list_marks(state),
        Intent::Compare => return time::compare(state),
        Intent::WriteSnapshot => return time::write_snapshot(state),
        Intent::ZoomOut => return time::zoom(state, time::zoomed(state) + 1),
        Intent::ZoomIn => return time::zoom(state, time::zoomed(state).saturating_sub(1)),
        Intent::ZoomNone => return time::zoom(state, 0),
        Intent::Signal => state.over = Over::SignalMenu(0),
        Intent::Nice(lean) => wish::open_nice(state, lean),
        Intent::Confirm => return confirm(state),
        Intent::Cancel => cancel(state),
        Intent::Choose => return choose(state),
        Intent::Erase => erase(state),
        Intent::Edit(change) => edit(state, |entry| entry.edit(change)),
        Intent::Accept | Intent::Complete | Intent::Earlier | Intent::Later | Intent::Language => in_filter(state, intent),
        Intent::Approve
        | Intent::Dismiss
        | Intent::Unapprove
        | Intent::Apply
        | Intent::Keep
        | Intent::RollBack
        | Intent::RollBackAll
        | Intent::Rescue
        | Intent::Halt
        | Intent::Verify
        | Intent::Phases
        | Intent::Copy => return act::perform(state, intent),
    }
    vec![]
}

fn quit(state: &mut State) -> Vec<UiCommand> {
    if state.page != Page::Overview {
        open(state, Page::Overview);
        return vec![];
    }
    if state.in_flight() > 0 && !state.lost {
        return ask(state, Question::Quit);
    }
    vec![UiCommand::Quit]
}

/// Opens a question and drops what was typed before it could be seen.
pub fn ask(state: &mut State, question: Question) -> Vec<UiCommand> {
    state.toast = None;
    state.over = Over::Dialog(Dialog::open(question, &state.view, state.now.tick));
    vec![UiCommand::Drain]
}

fn confirm(state: &mut State) -> Vec<UiCommand> {
    let Over::Dialog(dialog) = &mut state.over else { return vec![] };
    dialog.check(&state.view);
    if dialog.stale.is_some() {
        return vec![];
    }
    let command = dialog.command();
    state.over = Over::Nothing;
    vec![command.map_or(UiCommand::Quit, |command| UiCommand::Ask(Ask::Do(command)))]
}

fn cancel(state: &mut State) {
    match std::mem::take(&mut state.over) {
        Over::Filter(field) => filter::clear(state, field.list),
        Over::ThemeMenu { before, .. } => state.look.chosen = before,
        Over::LayoutMenu { before, .. } => state.look.layout = before,
        _ => {}
    }
}

/// Keys of the field of a filter.
fn in_filter(state: &mut State, intent: Intent) {
    let Over::Filter(mut field) = std::mem::take(&mut state.over) else { return };
    state.over = Over::Filter(match intent {
        Intent::Complete => filter::complete_name(state, field),
        Intent::Earlier => filter::recall(state, field, Motion::Up),
        Intent::Later => filter::recall(state, field, Motion::Down),
        Intent::Language => {
            field.language = if field.language.is_some() { None } else { Some(0) };
            field
        }
        _ => return filter::accept(state, &field),
    });
}

/// Closes, goes back, releases the list, clears the filter: the first of these that there is.
fn back(state: &mut State) {
    match &state.page {
        // From one of them back to the list that it was chosen in.
        Page::Forecast(_) => return open(state, Page::Forecasts),
        Page::Link(..) => return open(state, Page::Causes),
        _ => {}
    }
    if state.page != Page::Overview {
        open(state, Page::Overview);
    } else if state.expanded {
        state.expanded = false;
    } else if state.processes.cursor.is_some() {
        state.processes.release();
    } else if let Some(list) = state.list().filter(|list| !filter::of(state, *list).is_empty()) {
        filter::clear(state, list);
    } else if state.frozen.is_some() {
        freeze(state);
    }
    state.toast = None;
}

/// Opens a page at its top, with all its lines.
pub fn open(state: &mut State, page: Page) {
    for list in [List::Audit, List::Help] {
        filter::clear(state, list);
    }
    state.page = page;
    state.scroll = 0;
}

/// Puts a pane in front.
pub fn focus(state: &mut State, pane: Pane) {
    open(state, Page::Overview);
    if pane != Pane::Processes && state.processes.cursor.is_some() && state.processes.followed.is_none() {
        state.processes.release();
    }
    state.focus = pane;
}

fn freeze(state: &mut State) {
    time::forget(state);
    state.frozen = if state.frozen.is_some() { None } else { Some(state.view.clone()) };
    state.refresh();
}

fn details(state: &mut State) {
    match state.page {
        Page::Alerts => {
            if let Some(id) = alerts::chosen(state).map(|alert| alert.id) {
                open(state, Page::Alert(id));
            }
        }
        Page::Forecasts => {
            if let Some(key) = foresight::chosen(state) {
                foresight::number(state, key);
            }
        }
        Page::Causes => foresight::open(state),
        _ => of_pane(state),
    }
}

fn of_pane(state: &mut State) {
    let page = match state.focus {
        Pane::Processes => {
            let list = &state.processes;
            match list.cursor.as_ref().or(list.rows.all.first().map(|row| &row.id)) {
                Some(RowId::Process(id)) => Some(Page::Process(*id)),
                Some(RowId::Cgroup(path)) => Some(Page::Cgroup(path.clone())),
                Some(RowId::Program(_)) => return processes::act::turn_fold(state),
                None => None,
            }
        }
        Pane::Findings => state.chosen_finding().map(|f| Page::Finding(f.id.clone())),
        Pane::Queue => state.chosen_change().map(|c| Page::Change(c.id)),
        _ => None,
    };
    if let Some(page) = page {
        open(state, page);
    }
}

fn choose(state: &mut State) -> Vec<UiCommand> {
    match std::mem::take(&mut state.over) {
        Over::SortMenu(row) => {
            processes::act::choose_sort(state, row);
            vec![]
        }
        Over::Jump(entry) => time::jump(state, entry.text()),
        Over::Marks(row) => time::go_to_mark(state, row),
        Over::ModeMenu(row) => act::set_mode(state, row),
        Over::IntervalMenu(row) => act::set_interval(row),
        Over::Palette(palette) => palette::choose(state, palette),
        Over::SnoozeMenu { alert, row } => alerts::snooze(alert, row),
        Over::SignalMenu(row) => wish::signal(state, row),
        Over::NiceMenu(row) => wish::nice(state, row),
        _ => vec![],
    }
}

fn erase(state: &mut State) {
    if let Over::Dialog(dialog) = &mut state.over {
        dialog.typed.pop();
    }
}
