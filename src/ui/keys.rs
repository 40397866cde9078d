//! The one table of keys. The bottom bar, the help page, the palette and the dispatch all come from it, as the operator's
//! configuration changes it (`keymap`).
//!
//! Rules: moving and viewing never change the host; only capital letters, F-keys and `!` start a change, and none acts on one keystroke; the
//! key that confirms is never the one that starts, and never Enter.

use crate::ui::{entry::Edit, key::Key, pane::Pane};
use Context as C;
use Intent as I;

/// Where a key has its meaning. Several hold at once; see [`crate::ui::state::State::contexts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// Everywhere.
    Always,
    /// On every page, unless something is asked.
    Global,
    /// While the queue can be seen, focused or not.
    Queue,
    /// In a pane with charts.
    Chart,
    /// In a pane with rows.
    List,
    /// In the table of processes.
    Processes,
    /// On the page of a process.
    Process,
    /// In that table while its rows stand side by side.
    Flat,
    /// In that table while its rows stand below one another and fold.
    Tree,
    /// Where a process can be meant: in the list and on its page.
    Target,
    /// Where an alert is chosen.
    Alerts,
    /// On the page of one alert.
    Moment,
    /// In the list of forecasts.
    Forecasts,
    /// On the page of one forecast.
    Forecast,
    /// On a page of text.
    Reader,
    /// In a question that wants `y`.
    Dialog,
    /// In a question that wants a typed code.
    Code,
    /// In a menu.
    Menu,
    /// Where rows can be filtered.
    Filterable,
    /// While a line is typed.
    Field,
    /// In the menu of columns.
    Columns,
    /// While a filter is typed.
    Filter,
    /// In the palette.
    Palette,
    /// While a time is typed.
    Jump,
}

impl Context {
    /// True where keys may be changed. Questions, menus and fields are the same for everybody.
    pub fn is_free(self) -> bool {
        use Context::{Code, Columns, Dialog, Field, Filter, Jump, Menu, Palette};
        !matches!(self, Dialog | Code | Menu | Columns | Field | Filter | Palette | Jump)
    }

    /// Where that is, in words.
    pub fn place(self) -> &'static str {
        match self {
            Context::Always | Context::Global => "everywhere",
            Context::Queue => "where the queue can be seen",
            Context::Chart => "in a pane with charts",
            Context::List => "in a list",
            Context::Processes => "in the list of processes",
            Context::Process => "on the page of a process",
            Context::Target => "where a process is chosen",
            Context::Filterable => "in a list of processes, findings, changes, forecasts, or in the log, the journal, the help",
            Context::Alerts => "where an alert is chosen",
            Context::Moment => "on the page of an alert",
            Context::Forecasts => "in the list of forecasts",
            Context::Forecast => "on the page of a forecast",
            Context::Reader => "on a page of text",
            Context::Dialog | Context::Code => "in a question",
            Context::Flat => "in the list of processes while it is no tree",
            Context::Tree => "in the tree of processes",
            Context::Menu | Context::Columns => "in a menu",
            Context::Field => "while a line is typed",
            Context::Filter => "while a filter is typed",
            Context::Palette => "in the palette",
            Context::Jump => "while a time is typed",
        }
    }
}

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Intent {
    Leave,
    Quit,
    Help,
    Back,
    Focus(Pane),
    NextPane,
    PreviousPane,
    Expand,
    Freeze,
    Theme,
    Layout,
    Mouse,
    Mode,
    Interval,
    Basis,
    Halt,
    Audit,
    Learned,
    Phases,
    Alerts,
    Acknowledge,
    Snooze,
    Moment,
    Forecasts,
    Why,
    Ahead,
    OrderForecasts,
    Coarser,
    Finer,
    Redraw,
    Copy,
    Move(Motion),
    Details,
    Threads,
    Filter,
    SortMenu,
    Invert,
    SortCpu,
    SortMemory,
    SortNext,
    SortPrevious,
    Column,
    Form,
    Group,
    Fold,
    Unfold,
    Close,
    Open,
    FoldAll,
    Mark,
    Unmark,
    Follow,
    NextMatch,
    PreviousMatch,
    KernelThreads,
    Approve,
    Dismiss,
    Unapprove,
    Apply,
    Keep,
    RollBack,
    RollBackAll,
    Rescue,
    Verify,
    Signal,
    Nice(Lean),
    Confirm,
    Cancel,
    Choose,
    Erase,
    Accept,
    Edit(Edit),
    Complete,
    Earlier,
    Later,
    Language,
    Palette,
    StepEarlier,
    StepLater,
    GoTo,
    Now,
    MarkBefore,
    MarkAfter,
    Marks,
    Compare,
    WriteSnapshot,
    ZoomOut,
    ZoomIn,
    ZoomNone,
}

impl Intent {
    /// Its name in the configuration and the palette: the variant's, such as `roll-back-all` or `move-page-up`.
    pub fn name(self) -> String {
        let mut name = String::new();
        for c in format!("{self:?}").chars() {
            if c.is_uppercase() && !name.is_empty() && !name.ends_with('-') {
                name.push('-');
            }
            if c.is_alphanumeric() {
                name.extend(c.to_lowercase());
            }
        }
        name
    }
}

/// How far to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Motion {
    Up,
    Down,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    Top,
    Bottom,
}

/// Which way to lean a process's nice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lean {
    /// Less nice: more cpu.
    Down,
    /// Nicer: less cpu.
    Up,
}

/// What a key can do to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only what is on the screen.
    Screen,
    /// Only the queue; can be undone at once.
    Queue,
    /// Starts a question about the host, or answers one.
    Host,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding<K = &'static [Key]> {
    /// The keys, the one to show first.
    pub keys: K,
    /// Where.
    pub context: Context,
    /// What it means.
    pub intent: Intent,
    /// A word for the bottom bar; empty for keys that everybody brings along.
    pub short: &'static str,
    /// A line for the help page.
    pub help: &'static str,
    /// What it can do to the host.
    pub reach: Reach,
}

impl Binding {
    /// The row with other keys.
    pub fn with(&self, keys: Vec<Key>) -> Binding<Vec<Key>> {
        let Binding { context, intent, short, help, reach, .. } = *self;
        Binding { keys, context, intent, short, help, reach }
    }
}

const fn row(keys: &'static [Key], context: Context, intent: Intent, short: &'static str, help: &'static str) -> Binding {
    Binding { keys, context, intent, short, help, reach: Reach::Screen }
}

const fn reaching(reach: Reach, binding: Binding) -> Binding {
    Binding { reach, ..binding }
}

use Key::{BackTab, Backspace, Char, Ctrl, Delete, Down, End, Enter, Esc, F, Home, Left, PageDown, PageUp, Right, Tab, Up};

/// The table, in the order of the help page.
pub const TABLE: &[Binding] = &[
    // The change under the cursor of the queue.
    reaching(Reach::Queue, row(&[Char('a')], C::Queue, I::Approve, "approve", "approve the selected proposal as it is shown")),
    reaching(Reach::Queue, row(&[Char('d')], C::Queue, I::Dismiss, "dismiss", "dismiss the selected proposal")),
    reaching(Reach::Queue, row(&[Char('u')], C::Queue, I::Unapprove, "unapprove", "take the approval back")),
    reaching(Reach::Host, row(&[Char('A')], C::Queue, I::Apply, "apply", "apply the approved change; asks")),
    reaching(Reach::Host, row(&[Char('C')], C::Queue, I::Keep, "keep", "keep the change that is being watched, now; asks")),
    reaching(Reach::Host, row(&[Char('R')], C::Queue, I::RollBack, "roll back", "roll the selected change back; asks")),
    reaching(
        Reach::Host,
        row(&[Char('!')], C::Global, I::RollBackAll, "roll back all", "PANIC: roll back everything; asks for a code"),
    ),
    reaching(
        Reach::Host,
        row(&[Char('Y')], C::Global, I::Rescue, "RESCUE", "fight the emergency that holds: climb its ladder; asks"),
    ),
    // It stands in the help and the palette only, to leave the bar to what is about this change.
    reaching(Reach::Host, row(&[Char('S')], C::Global, I::Halt, "", "HALT: nothing new is applied until that is lifted; asks")),
    row(&[Char('v')], C::Queue, I::Verify, "verify", "before and after, and whether the values still stand"),
    row(&[Char('h')], C::Queue, I::Phases, "phases", "each phase of the change: evidence, time, who, executed or dry"),
    row(&[Char('y')], C::Global, I::Copy, "copy", "copy the selected row: command line, finding, commands of the change"),
    // Panes.
    row(&[Char('1')], C::Global, I::Focus(Pane::Cpu), "", "processors"),
    row(&[Char('2')], C::Global, I::Focus(Pane::Memory), "", "memory"),
    row(&[Char('3')], C::Global, I::Focus(Pane::Network), "", "network"),
    row(&[Char('4')], C::Global, I::Focus(Pane::Storage), "", "disks and filesystems"),
    row(&[Char('5')], C::Global, I::Focus(Pane::Processes), "", "processes"),
    row(&[Char('6')], C::Global, I::Focus(Pane::Services), "", "measured services"),
    row(&[Char('7')], C::Global, I::Focus(Pane::Findings), "", "findings"),
    row(&[Char('8')], C::Global, I::Focus(Pane::Queue), "queue", "the queue of changes"),
    row(&[Char('9')], C::Global, I::Focus(Pane::Log), "", "log"),
    row(&[Char('0')], C::Global, I::Alerts, "", "alerts: what is beyond its limit, and what was"),
    reaching(Reach::Queue, row(&[Char('a')], C::Alerts, I::Acknowledge, "acknowledge", "say that you know of the selected alert")),
    reaching(
        Reach::Queue,
        row(&[Char('z')], C::Alerts, I::Snooze, "snooze", "put the selected alert off for a while, or until it clears"),
    ),
    row(&[Enter], C::Moment, I::Moment, "then", "the host as it was when the alert fired, where a history is kept"),
    row(&[Char('p')], C::Global, I::Forecasts, "forecasts", "where numbers are heading: what reaches its limit first comes first"),
    row(&[Char('r')], C::Global, I::Why, "why", "root cause: suspects with the evidence, what moves together, what repeats"),
    row(&[Char('O')], C::Global, I::Ahead, "", "charts with what is coming, or without"),
    row(&[Char('s'), F(6)], C::Forecasts, I::OrderForecasts, "order", "order by time to the limit, by skill, by name"),
    row(&[Char('+')], C::Forecast, I::Coarser, "further", "the forecast that looks further ahead, in longer steps"),
    row(&[Char('-')], C::Forecast, I::Finer, "nearer", "the forecast in shorter steps"),
    row(&[Tab], C::Global, I::NextPane, "pane", "next pane"),
    row(&[BackTab], C::Global, I::PreviousPane, "", "previous pane"),
    row(&[Enter], C::Chart, I::Expand, "", "let the pane fill the screen, or give it back"),
    row(&[Char('e')], C::Global, I::Expand, "expand", "let the pane fill the screen, or give it back"),
    // Lists.
    row(&[Enter], C::List, I::Details, "details", "all about the selected row"),
    row(&[Up, Char('k')], C::List, I::Move(Motion::Up), "", "up"),
    row(&[Down, Char('j')], C::List, I::Move(Motion::Down), "", "down"),
    row(&[PageUp], C::List, I::Move(Motion::PageUp), "", "a page up"),
    row(&[PageDown], C::List, I::Move(Motion::PageDown), "", "a page down"),
    row(&[Ctrl('u')], C::List, I::Move(Motion::HalfUp), "", "half a page up"),
    row(&[Ctrl('d')], C::List, I::Move(Motion::HalfDown), "", "half a page down"),
    row(&[Char('g'), Home], C::List, I::Move(Motion::Top), "", "to the top"),
    row(&[Char('G'), End], C::List, I::Move(Motion::Bottom), "", "to the bottom"),
    row(
        &[Char('/'), F(4), Char('\\')],
        C::Filterable,
        I::Filter,
        "filter",
        "show only some rows: a text, or conditions (F1 there)",
    ),
    row(&[Char('n'), F(3)], C::Processes, I::NextMatch, "", "to the next row that matches the filter, or the last filter"),
    row(&[Char('N')], C::Processes, I::PreviousMatch, "", "to the row before that matches"),
    row(&[Char('s'), F(6)], C::Processes, I::SortMenu, "sort", "choose the order, and which columns are shown"),
    row(&[Char('>')], C::Processes, I::SortNext, "", "order by the column to the right"),
    row(&[Char('<')], C::Processes, I::SortPrevious, "", "order by the column to the left"),
    row(&[Right], C::Flat, I::SortNext, "", "order by the column to the right"),
    row(&[Left], C::Flat, I::SortPrevious, "", "order by the column to the left"),
    row(&[Char('I')], C::Processes, I::Invert, "", "invert the order"),
    row(&[Char('P')], C::Processes, I::SortCpu, "", "order by cpu"),
    row(&[Char('M')], C::Processes, I::SortMemory, "", "order by memory"),
    row(&[Char('x'), F(5)], C::Processes, I::Form, "tree", "list, tree of control groups, tree of parents and children"),
    row(&[Char('E')], C::Processes, I::Group, "group", "one row per program, or back to the list"),
    row(&[Char('F')], C::Processes, I::Follow, "follow", "the cursor stays on this row wherever it goes; again to release it"),
    row(&[Char(' ')], C::Processes, I::Mark, "mark", "mark the process, or all of a group, and go on"),
    row(&[Char('U')], C::Processes, I::Unmark, "", "take all marks away"),
    row(&[Char('K')], C::Processes, I::KernelThreads, "", "show or hide kernel threads"),
    row(&[Right], C::Tree, I::Unfold, "", "unfold, or into what is open"),
    row(&[Left], C::Tree, I::Fold, "fold", "fold, or to the row above"),
    row(&[Char('+')], C::Tree, I::Open, "", "unfold"),
    row(&[Char('-')], C::Tree, I::Close, "", "fold"),
    row(&[Char('*')], C::Tree, I::FoldAll, "", "unfold everything; fold everything if nothing is folded"),
    reaching(
        Reach::Host,
        row(&[Char('X'), F(9)], C::Target, I::Signal, "signal", "send a signal to the selected or marked processes; asks"),
    ),
    reaching(Reach::Host, row(&[F(7)], C::Target, I::Nice(Lean::Down), "", "less nice, more cpu: choose a value; asks")),
    reaching(Reach::Host, row(&[F(8)], C::Target, I::Nice(Lean::Up), "", "nicer, less cpu: choose a value; asks")),
    // Pages of text.
    row(&[Up, Char('k')], C::Reader, I::Move(Motion::Up), "", "up"),
    row(&[Down, Char('j')], C::Reader, I::Move(Motion::Down), "", "down"),
    row(&[PageUp], C::Reader, I::Move(Motion::PageUp), "", "a page up"),
    row(&[PageDown, Char(' ')], C::Reader, I::Move(Motion::PageDown), "page", "a page down"),
    row(&[Ctrl('u')], C::Reader, I::Move(Motion::HalfUp), "", "half a page up"),
    row(&[Ctrl('d')], C::Reader, I::Move(Motion::HalfDown), "", "half a page down"),
    row(&[Char('g'), Home], C::Reader, I::Move(Motion::Top), "", "to the top"),
    row(&[Char('G'), End], C::Reader, I::Move(Motion::Bottom), "", "to the bottom"),
    // Time.
    row(&[Char('T')], C::Global, I::StepEarlier, "", "one stored sweep back"),
    row(&[Char('t')], C::Global, I::StepLater, "", "one stored sweep on"),
    row(&[Char('b')], C::Global, I::GoTo, "", "go to a time: 14:05, -10m, 2026-11-21 14:05 (UTC)"),
    row(&[Char('.')], C::Global, I::Now, "", "back to now"),
    row(&[Char('[')], C::Global, I::MarkBefore, "", "to the finding or change before"),
    row(&[Char(']')], C::Global, I::MarkAfter, "", "to the finding or change after"),
    row(&[Char('B')], C::Global, I::Marks, "", "every finding and change that is kept, to go to"),
    row(&[Char('D')], C::Global, I::Compare, "", "mark a window of time, then another one, and compare them"),
    row(&[Char('w')], C::Global, I::WriteSnapshot, "", "write the ten minutes before into a file for a colleague"),
    row(&[Char('+')], C::Chart, I::ZoomOut, "", "longer charts, up to a day"),
    row(&[Char('-')], C::Chart, I::ZoomIn, "", "shorter charts"),
    row(&[Char('=')], C::Chart, I::ZoomNone, "", "charts of the newest minutes"),
    row(&[Char('H')], C::Process, I::Threads, "threads", "list the threads of the process, or hide them"),
    // Everything else.
    row(&[Char('f'), Char('Z')], C::Global, I::Freeze, "freeze", "hold the screen still; watching goes on"),
    row(&[Char('L')], C::Global, I::Audit, "audit", "who did what, when: the journal"),
    row(&[Char('l')], C::Global, I::Learned, "", "what changes taught here: how often each helps or harms, what auto mode trusts"),
    row(&[Char('c')], C::Global, I::Theme, "", "choose a theme; each is shown as you pass it"),
    row(&[F(2)], C::Global, I::Layout, "", "choose a layout of the panes; each is shown as you pass it"),
    row(&[Char('m')], C::Global, I::Mouse, "", "let the mouse choose and scroll, or give it back to the terminal"),
    row(&[Char('V')], C::Global, I::Basis, "", "what 100 % of cpu is: usual, of one core, of the machine"),
    row(&[Char('o')], C::Global, I::Mode, "mode", "observe, suggest or auto"),
    row(&[Char('i')], C::Global, I::Interval, "interval", "how often the host is looked at"),
    row(&[Esc], C::Global, I::Back, "back", "close, back, release the list, clear the filter, in that order"),
    row(&[Ctrl('l')], C::Always, I::Redraw, "", "draw the screen anew"),
    row(&[Char(':'), Ctrl('p')], C::Global, I::Palette, "commands", "every action by name"),
    row(&[Char('?'), F(1)], C::Global, I::Help, "help", "this page"),
    row(&[Char('q'), F(10), Char('Q')], C::Global, I::Quit, "quit", "back, and from the overview quit"),
    row(&[Ctrl('c')], C::Always, I::Leave, "", "quit at once, from anywhere"),
    // Questions.
    reaching(Reach::Host, row(&[Char('y')], C::Dialog, I::Confirm, "yes", "yes")),
    row(&[Char('n'), Esc, Char('q'), Enter, Char('N')], C::Dialog, I::Cancel, "no", "no"),
    row(&[Esc, Char('q'), Enter], C::Code, I::Cancel, "cancel", "cancel"),
    row(&[Backspace], C::Code, I::Erase, "", "erase a letter"),
    row(&[Up, Char('k')], C::Menu, I::Move(Motion::Up), "", "up"),
    row(&[Down, Char('j')], C::Menu, I::Move(Motion::Down), "", "down"),
    row(&[Enter, Char(' ')], C::Menu, I::Choose, "choose", "choose"),
    row(&[Esc, Char('q')], C::Menu, I::Cancel, "cancel", "close the menu"),
    row(&[Up, Char('k')], C::Columns, I::Move(Motion::Up), "", "up"),
    row(&[Down, Char('j')], C::Columns, I::Move(Motion::Down), "", "down"),
    row(&[PageUp], C::Columns, I::Move(Motion::PageUp), "", "a page up"),
    row(&[PageDown], C::Columns, I::Move(Motion::PageDown), "", "a page down"),
    row(&[Enter], C::Columns, I::Choose, "order by it", "put the rows in the order of this column"),
    row(&[Char(' ')], C::Columns, I::Column, "show or hide", "show the column before others, or hide it"),
    row(&[Esc, Char('q'), Char('s')], C::Columns, I::Cancel, "close", "close the menu"),
    row(&[Enter], C::Filter, I::Accept, "keep filter", "keep the filter"),
    row(&[Esc], C::Filter, I::Cancel, "clear", "clear the filter"),
    row(&[Tab], C::Filter, I::Complete, "complete", "complete the name of a field"),
    row(&[Up], C::Filter, I::Earlier, "earlier", "the filter used before"),
    row(&[Down], C::Filter, I::Later, "", "the filter used after that"),
    row(&[F(1)], C::Filter, I::Language, "language", "what can be typed; PgUp and PgDn scroll it"),
    row(&[PageUp], C::Filter, I::Move(Motion::PageUp), "", "a page up"),
    row(&[PageDown], C::Filter, I::Move(Motion::PageDown), "", "a page down"),
    row(&[Enter], C::Palette, I::Choose, "do it", "do what the chosen row says; what reaches the host asks first"),
    row(&[Esc], C::Palette, I::Cancel, "close", "close the palette"),
    row(&[Up], C::Palette, I::Move(Motion::Up), "", "up"),
    row(&[Down], C::Palette, I::Move(Motion::Down), "", "down"),
    row(&[PageUp], C::Palette, I::Move(Motion::PageUp), "", "a page up"),
    row(&[PageDown], C::Palette, I::Move(Motion::PageDown), "", "a page down"),
    row(&[Enter], C::Jump, I::Choose, "go", "go there"),
    row(&[Esc], C::Jump, I::Cancel, "cancel", "stay here"),
    row(&[Backspace], C::Field, I::Edit(Edit::Erase), "", "erase a letter"),
    row(&[Delete], C::Field, I::Edit(Edit::EraseAhead), "", "erase the letter under the cursor"),
    row(&[Ctrl('w')], C::Field, I::Edit(Edit::EraseWord), "", "erase a word"),
    row(&[Ctrl('u')], C::Field, I::Edit(Edit::EraseAll), "", "erase all"),
    row(&[Left], C::Field, I::Edit(Edit::Left), "", "left"),
    row(&[Right], C::Field, I::Edit(Edit::Right), "", "right"),
    row(&[Home], C::Field, I::Edit(Edit::Start), "", "to the beginning"),
    row(&[End], C::Field, I::Edit(Edit::End), "", "to the end"),
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ui::state::CONTEXTS;

    #[test]
    fn no_key_has_two_meanings_at_once() {
        for contexts in CONTEXTS {
            let mut seen: Vec<(Key, Intent)> = Vec::new();
            for binding in TABLE.iter().filter(|b| contexts.contains(&b.context)) {
                for key in binding.keys {
                    let clash = seen.iter().find(|(other, _)| other == key);
                    assert!(clash.is_none(), "{key} is {:?} and {clash:?} in {contexts:?}", binding.intent);
                    seen.push((*key, binding.intent));
                }
            }
        }
    }

    #[test]
    fn every_context_is_met_somewhere_and_every_row_has_a_key_and_a_line() {
        for binding in TABLE {
            assert!(CONTEXTS.iter().any(|all| all.contains(&binding.context)), "{:?}", binding.context);
            assert!(!binding.keys.is_empty() && !binding.help.is_empty(), "{binding:?}");
        }
    }

    #[test]
    fn only_capitals_start_what_reaches_the_host_and_enter_never_confirms() {
        for binding in TABLE.iter().filter(|b| b.reach == Reach::Host) {
            for key in binding.keys {
                let capital = matches!(key, Char('A'..='Z' | '!') | F(_));
                assert!(capital || binding.intent == Intent::Confirm, "{key} starts {:?}", binding.intent);
            }
            assert!(!binding.keys.contains(&Enter));
        }
        let confirms = TABLE.iter().find(|b| b.intent == Intent::Confirm).unwrap();
        let starts = TABLE.iter().filter(|b| b.reach == Reach::Host && b.intent != Intent::Confirm);
        assert!(starts.flat_map(|b| b.keys).all(|key| !confirms.keys.contains(key)));
    }

    #[test]
    fn no_key_is_one_that_terminals_or_multiplexers_keep() {
        for key in TABLE.iter().flat_map(|b| b.keys) {
            assert!(!matches!(key, Ctrl('s' | 'q' | 'a' | 'b' | 'z')), "{key}");
        }
    }
}
