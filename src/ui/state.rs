//! Everything the screen depends on. [`update`](crate::ui::update) alone changes it, [`draw`](crate::ui::draw) only looks.

use crate::{
    model::{
        alert::AlertId,
        change::{Change, ChangeId, Entry},
        finding::{Finding, FindingId},
        lesson::Lessons,
        message::{Ask, Body, View, Welcome},
        role::Role,
        time::{Now, Tick},
    },
    ui::{
        arrangement::Arrangement,
        basis::Basis,
        chart::Ink,
        close_look::CloseLook,
        dialog::{Dialog, HOLD},
        entry,
        filter::{Field, Filters, List},
        foresight::Foresight,
        history::History,
        key::Key,
        keymap::Keymap,
        keys::{Context, Motion},
        layout,
        palette::Palette,
        pane::{Page, Pane},
        panels::log::LogView,
        processes::{list::ProcessList, row::Sight},
        spots::Spot,
        theme::Theme,
        time::Travel,
    },
};
use std::{sync::Arc, time::Duration};

/// What can happen to a screen.
#[derive(Clone, Debug)]
pub enum Msg {
    /// A key.
    Key(Key),
    /// Text from a clipboard.
    Paste(String),
    /// A click of the mouse on something.
    Click(Spot),
    /// Its wheel, over a pane.
    Wheel(Option<Pane>, Motion),
    /// A new size: columns, rows.
    Resize(u16, u16),
    /// A new view.
    View(Arc<View>),
    /// The answer to an earlier [`UiCommand::Ask`].
    Answer(Body),
    /// Something to tell the operator, from the console itself.
    Notice(String),
    /// The engine has ended, or the connection is lost; why it could not be had again, where that is tried.
    Lost(Option<String>),
    /// The connection is there again, maybe to another engine.
    Back(Box<Welcome>),
    /// Time has passed.
    Tick,
}

/// What the screen wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum UiCommand {
    /// Ask the engine.
    Ask(Ask),
    /// Drop all input that is waiting: a question has opened.
    Drain,
    /// Clear the terminal and draw everything.
    Redraw,
    /// Take reports of the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Put text into the clipboard.
    Copy(String),
    /// End.
    Quit,
}

/// One line for the operator, for a while.
#[derive(Clone, Debug)]
pub struct Toast {
    /// What.
    pub text: String,
    /// It is bad news.
    pub bad: bool,
    /// Until when.
    pub until: Tick,
}

/// What lies over the page.
#[derive(Clone, Debug, Default)]
pub enum Over {
    /// Nothing.
    #[default]
    Nothing,
    /// A question.
    Dialog(Dialog),
    /// The menu of orders, and the row chosen.
    SortMenu(usize),
    /// The menu of modes, and the row chosen.
    ModeMenu(usize),
    /// The menu of intervals between sweeps, and the row chosen.
    IntervalMenu(usize),
    /// The menu of signals, and the row chosen.
    SignalMenu(usize),
    /// The menu of times for which an alert can be put off, and the row chosen.
    SnoozeMenu {
        /// Which alert.
        alert: AlertId,
        /// The row.
        row: usize,
    },
    /// The menu of nice values, and the row chosen.
    NiceMenu(usize),
    /// The menu of themes and the row chosen, which is shown already, and the one before.
    ThemeMenu {
        /// Chosen.
        row: usize,
        /// Comes back when the menu is cancelled.
        before: usize,
    },
    /// The menu of layouts, likewise.
    LayoutMenu {
        /// Chosen.
        row: usize,
        /// Comes back when the menu is cancelled.
        before: usize,
    },
    /// A time to go to is being typed.
    Jump(entry::Entry),
    /// The bookmarks, and the row chosen.
    Marks(usize),
    /// A filter is being typed.
    Filter(Field),
    /// The palette.
    Palette(Palette),
}

/// How the screen looks.
#[derive(Clone, Debug)]
pub struct Look {
    /// All themes.
    pub themes: Vec<Theme>,
    /// Which one.
    pub chosen: usize,
    /// All layouts.
    pub layouts: Vec<Arrangement>,
    /// Which one.
    pub layout: usize,
    /// Braille or ASCII.
    pub ink: Ink,
}

/// The state.
#[derive(Debug)]
pub struct State {
    /// The newest view.
    pub view: Arc<View>,
    /// The view that is held on the screen.
    pub frozen: Option<Arc<View>>,
    /// What the charts draw, now.
    pub history: History,
    /// Where in time the screen stands.
    pub travel: Travel,
    /// Columns and rows.
    pub size: (u16, u16),
    /// The time of the last message.
    pub now: Now,
    /// The focused pane.
    pub focus: Pane,
    /// It fills the screen.
    pub expanded: bool,
    /// What fills the screen.
    pub page: Page,
    /// Rows scrolled on a page of text.
    pub scroll: usize,
    /// The processes.
    pub processes: ProcessList,
    /// The filters of the other lists.
    pub filters: Filters,
    /// The finding under the cursor.
    pub finding: Option<FindingId>,
    /// The changes as the queue shows them.
    pub queue: Vec<Arc<Change>>,
    /// The change under the cursor.
    pub change: Option<ChangeId>,
    /// The alert under the cursor.
    pub alert: Option<AlertId>,
    /// What is chosen on the pages about what is coming and why.
    pub foresight: Foresight,
    /// What lies over the page.
    pub over: Over,
    /// The journal, once asked for.
    pub audit: Option<Vec<(u64, Entry)>>,
    /// What changes taught, once asked for.
    pub learned: Option<Box<Lessons>>,
    /// The close look at the process on the page.
    pub close_look: CloseLook,
    /// One line for the operator.
    pub toast: Option<Toast>,
    /// The engine has ended, or the connection is lost.
    pub lost: bool,
    /// Why it could not be had again; it is tried on and on.
    pub retries: Option<String>,
    /// What this operator may ask.
    pub role: Role,
    /// The engine is in this process and ends with the console.
    pub own: bool,
    /// What 100 % of processor time is.
    pub basis: Basis,
    /// The mouse is ours; else the terminal selects text with it.
    pub mouse: bool,
    /// The keys in force.
    pub keymap: Keymap,
    /// How it looks.
    pub look: Look,
    /// The log.
    pub log: LogView,
}

use Context as C;

/// The sets of contexts that can hold at once, as [`State::contexts`] gives them.
pub const CONTEXTS: &[&[Context]] = &[
    &[C::Always, C::Global, C::Queue, C::Chart],
    &[C::Always, C::Global, C::Queue, C::List, C::Filterable, C::Processes, C::Target, C::Flat],
    &[C::Always, C::Global, C::Queue, C::List, C::Filterable, C::Processes, C::Target, C::Tree],
    &[C::Always, C::Global, C::Queue, C::List, C::Filterable],
    &[C::Always, C::Global, C::Queue, C::Reader],
    &[C::Always, C::Global, C::Process, C::Reader, C::Target],
    &[C::Always, C::Global, C::Reader],
    &[C::Always, C::Global, C::List, C::Alerts],
    &[C::Always, C::Global, C::Reader, C::Alerts, C::Moment],
    &[C::Always, C::Global, C::Reader, C::Filterable],
    &[C::Always, C::Global, C::List, C::Filterable, C::Forecasts],
    &[C::Always, C::Global, C::Reader, C::Forecast],
    &[C::Always, C::Global, C::List],
    &[C::Always, C::Dialog],
    &[C::Always, C::Code],
    &[C::Always, C::Menu],
    &[C::Always, C::Columns],
    &[C::Always, C::Field, C::Filter],
    &[C::Always, C::Field, C::Palette],
    &[C::Always, C::Field, C::Jump],
];

impl State {
    /// The state of a console that has just been seated.
    pub fn begin(welcome: &Welcome, look: Look, own: bool) -> State {
        let view = Arc::new(welcome.view.clone());
        let mut state = State {
            history: History::begin(welcome),
            travel: Travel::default(),
            now: view.now,
            view,
            frozen: None,
            size: (80, 24),
            focus: Pane::Processes,
            expanded: false,
            page: Page::Overview,
            scroll: 0,
            processes: ProcessList::default(),
            filters: Filters::default(),
            finding: None,
            queue: Vec::new(),
            change: None,
            alert: None,
            foresight: Foresight::default(),
            over: Over::Nothing,
            audit: None,
            learned: None,
            close_look: CloseLook::default(),
            toast: None,
            lost: false,
            retries: None,
            role: welcome.role,
            own,
            basis: Basis::default(),
            mouse: false,
            keymap: Keymap::default(),
            look,
            log: LogView::default(),
        };
        state.refresh();
        state.settle();
        state
    }

    /// Takes a seat anew, maybe at another engine: what came from the old one is dropped, what the operator chose stays.
    pub fn rejoin(&mut self, welcome: &Welcome) {
        let frozen = self.frozen.is_some() || self.travel.past.is_some();
        (self.lost, self.retries, self.role) = (false, None, welcome.role);
        self.history = History::begin(welcome);
        self.view = Arc::new(welcome.view.clone());
        (self.audit, self.close_look) = (None, CloseLook::default());
        self.foresight.forget();
        if let Over::Dialog(dialog) = &mut self.over {
            dialog.check(&self.view);
        }
        if !frozen {
            self.refresh();
        }
        self.tell("the connection is back");
    }

    /// The view on the screen: the newest, or the one that is held.
    pub fn shown(&self) -> &View {
        self.frozen.as_ref().unwrap_or(&self.view)
    }

    /// The theme.
    pub fn theme(&self) -> &Theme {
        static PLAIN: std::sync::LazyLock<Theme> = std::sync::LazyLock::new(Theme::default);
        self.look.themes.get(self.look.chosen).unwrap_or(&PLAIN)
    }

    /// Which keys mean something now.
    pub fn contexts(&self) -> &'static [Context] {
        match &self.over {
            Over::Dialog(dialog) if dialog.code.is_some() => &[C::Always, C::Code],
            Over::Dialog(_) => &[C::Always, C::Dialog],
            Over::SortMenu(_) => &[C::Always, C::Columns],
            Over::Jump(_) => &[C::Always, C::Field, C::Jump],
            Over::Marks(_)
            | Over::ModeMenu(_)
            | Over::IntervalMenu(_)
            | Over::SnoozeMenu { .. }
            | Over::SignalMenu(_)
            | Over::NiceMenu(_)
            | Over::ThemeMenu { .. }
            | Over::LayoutMenu { .. } => &[C::Always, C::Menu],
            Over::Filter(_) => &[C::Always, C::Field, C::Filter],
            Over::Palette(_) => &[C::Always, C::Field, C::Palette],
            Over::Nothing => self.contexts_below(),
        }
    }

    /// Which keys mean something when nothing lies over the page.
    pub fn contexts_below(&self) -> &'static [Context] {
        match (&self.page, self.focus) {
            (Page::Change(_) | Page::Verify(_) | Page::Phases(_), _) => &[C::Always, C::Global, C::Queue, C::Reader],
            (Page::Process(_), _) => &[C::Always, C::Global, C::Process, C::Reader, C::Target],
            (Page::Forecasts, _) => &[C::Always, C::Global, C::List, C::Filterable, C::Forecasts],
            (Page::Forecast(_), _) => &[C::Always, C::Global, C::Reader, C::Forecast],
            (Page::Causes, _) => &[C::Always, C::Global, C::List],
            (Page::Finding(_) | Page::Cgroup(_) | Page::Compare | Page::Link(..) | Page::Learned, _) => {
                &[C::Always, C::Global, C::Reader]
            }
            (Page::Alerts, _) => &[C::Always, C::Global, C::List, C::Alerts],
            (Page::Alert(_), _) => &[C::Always, C::Global, C::Reader, C::Alerts, C::Moment],
            (Page::Audit | Page::Help, _) => &[C::Always, C::Global, C::Reader, C::Filterable],
            (Page::Overview, Pane::Processes) if self.processes.choices.form.is_tree() => {
                &[C::Always, C::Global, C::Queue, C::List, C::Filterable, C::Processes, C::Target, C::Tree]
            }
            (Page::Overview, Pane::Processes) => {
                &[C::Always, C::Global, C::Queue, C::List, C::Filterable, C::Processes, C::Target, C::Flat]
            }
            (Page::Overview, Pane::Findings | Pane::Queue | Pane::Log) => &[C::Always, C::Global, C::Queue, C::List, C::Filterable],
            (Page::Overview, _) => &[C::Always, C::Global, C::Queue, C::Chart],
        }
    }

    /// The list in front, if it can be filtered.
    pub fn list(&self) -> Option<List> {
        List::in_front(&self.page, self.focus)
    }

    /// The changes that pass the filter of the queue.
    pub fn queued(&self) -> impl Iterator<Item = &Arc<Change>> {
        self.queue.iter().filter(|change| self.filters.queue.passes(&***change))
    }

    /// The findings that pass their filter.
    pub fn found(&self) -> impl Iterator<Item = &Finding> {
        self.shown().findings.iter().filter(|finding| self.filters.findings.passes(*finding))
    }

    /// The change that keys of the queue are about. On a page it is the page's own, whatever the filter says.
    pub fn chosen_change(&self) -> Option<&Arc<Change>> {
        if let Page::Change(id) | Page::Verify(id) | Page::Phases(id) = &self.page {
            return self.queue.iter().find(|c| c.id == *id);
        }
        self.queued().find(|c| Some(c.id) == self.change).or_else(|| self.queued().next())
    }

    /// The finding under the cursor.
    pub fn chosen_finding(&self) -> Option<&Finding> {
        self.found().find(|f| Some(&f.id) == self.finding.as_ref()).or_else(|| self.found().next())
    }

    /// Takes what the shown view says into the lists.
    pub fn refresh(&mut self) {
        let view = self.frozen.clone().unwrap_or_else(|| self.view.clone());
        self.processes.refresh();
        self.queue = view.changes.to_vec();
        self.queue.sort_by(|a, b| a.queue_order(b));
        if self.change.is_some_and(|id| !self.queue.iter().any(|c| c.id == id)) {
            self.change = None;
        }
        // What is under the cursor stays there when better proposals come in above it, but not when it is over and nobody looks at it.
        let over = self.chosen_change().is_some_and(|c| c.state.is_over());
        let looked_at = self.focus == Pane::Queue || self.page != Page::Overview;
        if self.change.is_none() || (over && !looked_at) {
            self.change = self.queue.first().map(|c| c.id);
        }
    }

    /// Makes the rows of the processes anew if they can be seen and are not of this moment.
    pub fn settle(&mut self) {
        if !self.processes.is_stale() || !layout::shows(self, Pane::Processes) {
            return;
        }
        let mut list = std::mem::take(&mut self.processes);
        let news = list.rebuild(&Sight::of(self));
        self.processes = list;
        if let Some(news) = news {
            self.refuse(news);
        }
    }

    /// When the screen changes by itself, if it does.
    pub fn wake(&self) -> Option<Tick> {
        let armed = match &self.over {
            Over::Dialog(dialog) if self.now.tick.since(dialog.opened) < HOLD => Some(dialog.opened + HOLD),
            _ => None,
        };
        let toast = self.toast.as_ref().map(|toast| toast.until);
        armed.into_iter().chain(toast).min()
    }

    /// Tells the operator something for a while.
    pub fn tell(&mut self, text: impl Into<String>) {
        self.toast = Some(Toast { text: text.into(), bad: false, until: self.now.tick + Duration::from_secs(5) });
    }

    /// Tells the operator why something was not done.
    pub fn refuse(&mut self, text: impl Into<String>) {
        self.toast = Some(Toast { text: text.into(), bad: true, until: self.now.tick + Duration::from_secs(8) });
    }

    /// A focused pane that has no place in the layout gives way to the first that has.
    pub fn settle_focus(&mut self) {
        let Some(layout) = self.look.layouts.get(self.look.layout) else { return };
        let panes = layout.panes();
        if !panes.contains(&self.focus) {
            self.focus = panes.first().copied().unwrap_or(self.focus);
        }
    }

    /// Changes that nobody has confirmed yet.
    pub fn in_flight(&self) -> usize {
        self.view.changes.iter().filter(|c| c.state.is_unconfirmed()).count()
    }
}
