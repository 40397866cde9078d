//! What is chosen and asked for on the pages about what is coming and why: which forecast, in which order, which suspect or link.

use crate::{
    model::{
        ahead::after,
        message::Ask,
        metric::Key,
        outlook::{Forecast, Link, Outlook, Pattern, Story, Suspect},
        past::Trace,
        subject::Subject,
        time::{Tick, Wall},
    },
    query::rows::forecast::ForecastRow,
    ui::{
        pane::{Page, Pane},
        state::State,
        update,
    },
};
use std::{cmp::Ordering, sync::Arc, time::Duration};

/// Dots of the past that a page of charts asks for.
pub const DOTS: usize = 320;

/// Seconds of the past on such a page for each second ahead.
pub const PAST: f64 = 2.0;

/// The shortest stretch that a history keeps trends of.
const TREND: Duration = Duration::from_secs(10);

/// In which order forecasts stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What reaches its limit first.
    #[default]
    Soonest,
    /// What can be forecast best.
    Skill,
    /// By name.
    Name,
}

impl Order {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Order::Soonest => "by time to the limit",
            Order::Skill => "by skill",
            Order::Name => "by name",
        }
    }

    fn next(self) -> Order {
        match self {
            Order::Soonest => Order::Skill,
            Order::Skill => Order::Name,
            Order::Name => Order::Soonest,
        }
    }
}

/// Which way to go among the forecasts of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// To longer steps, further ahead.
    Coarser,
    /// To shorter steps.
    Finer,
}

/// What the cursor of the page of causes stands on.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// A story without suspects: its symptom, and when it began.
    Story(Key, Wall),
    /// A suspect of a story.
    Suspect(Key, Wall, Subject),
    /// Two numbers that move together.
    Link(Key, Key),
    /// A pattern.
    Pattern(Key),
}

/// What is chosen on these pages.
#[derive(Clone, Debug, Default)]
pub struct Foresight {
    /// Charts show only what was.
    pub hidden: bool,
    /// The order of forecasts.
    pub order: Order,
    /// The forecast under the cursor.
    pub chosen: Option<Key>,
    /// Of the forecasts of one number the one shown, from the finest; the one that tells most unless chosen.
    pub resolution: Option<usize>,
    /// The row of causes under the cursor.
    pub cause: Option<Cause>,
    /// The past of the charts on the page, as it was asked for, and what came.
    asked: Option<Asked>,
}

#[derive(Clone, Debug)]
struct Asked {
    keys: Vec<Key>,
    from: Wall,
    at: Tick,
    again: Duration,
    /// No answer has come yet.
    pending: bool,
    trace: Option<Trace>,
}

/// What is thought about the host, if anything yet.
pub fn outlook(state: &State) -> Option<&Arc<Outlook>> {
    state.shown().outlook.as_ref()
}

/// The forecasts that pass the filter, one of each number, in the order chosen.
pub fn listed(state: &State) -> Vec<&Arc<Forecast>> {
    let Some(outlook) = outlook(state) else { return Vec::new() };
    let now = state.shown().now.wall;
    let all = outlook.keys().filter_map(|key| outlook.chief(key));
    let mut all: Vec<_> = all.filter(|f| state.filters.forecasts.passes(&ForecastRow::of(f, now))).collect();
    all.sort_by(|a, b| compare(a, b, state.foresight.order, now).then_with(|| a.key.path().cmp(&b.key.path())));
    all
}

fn compare(a: &Forecast, b: &Forecast, order: Order, now: Wall) -> Ordering {
    let skill = |f: &Forecast| if f.reliable { f.skill.unwrap_or(0.0) } else { f64::NEG_INFINITY };
    let by_skill = || skill(b).total_cmp(&skill(a));
    match order {
        Order::Soonest => {
            let due = |f: &Forecast| f.due(now).unwrap_or(f64::INFINITY);
            let might = |f: &Forecast| f.crossing.as_ref().map_or(0.0, |crossing| crossing.confidence);
            due(a).total_cmp(&due(b)).then(might(b).total_cmp(&might(a))).then_with(by_skill)
        }
        Order::Skill => by_skill(),
        Order::Name => Ordering::Equal,
    }
}

/// The forecast that keys are about.
pub fn chosen(state: &State) -> Option<Key> {
    let all = listed(state);
    let kept = state.foresight.chosen.as_ref().filter(|key| all.iter().any(|f| f.key == **key));
    kept.or_else(|| all.first().map(|f| &f.key)).cloned()
}

/// The next order.
pub fn reorder(state: &mut State) {
    state.foresight.order = state.foresight.order.next();
    state.tell(state.foresight.order.words());
}

/// Charts with or without what is coming.
pub fn toggle(state: &mut State) {
    state.foresight.hidden = !state.foresight.hidden;
    state.tell(if state.foresight.hidden { "charts show what was" } else { "charts go on into what is coming" });
}

/// The forecast that the page of a number shows, with its place among those of that number.
pub fn shown<'s>(state: &'s State, key: &Key) -> Option<(usize, &'s Arc<Forecast>)> {
    let outlook = outlook(state)?;
    let chief = outlook.chief(key)?;
    let mut all = outlook.of(key).enumerate();
    match state.foresight.resolution {
        Some(at) => all.nth(at).or_else(|| outlook.of(key).enumerate().last()),
        None => all.find(|(_, forecast)| Arc::ptr_eq(forecast, chief)),
    }
}

/// A finer or a coarser forecast of the number on the page.
pub fn refocus(state: &mut State, to: Focus) {
    let Page::Forecast(key) = &state.page else { return };
    let Some((at, _)) = shown(state, key) else { return };
    let count = outlook(state).map_or(0, |outlook| outlook.of(key).count());
    state.foresight.resolution = Some(match to {
        Focus::Coarser => (at + 1).min(count.saturating_sub(1)),
        Focus::Finer => at.saturating_sub(1),
    });
}

/// Seconds ahead that the chart of a forecast shows: as far as it reaches yet, but not less than a part of that.
pub fn ahead(state: &State, forecast: &Forecast) -> f64 {
    forecast.left(state.shown().now.wall).max(forecast.reach() / 4.0)
}

/// Seconds ahead that the page of charts in front shows, and its numbers.
fn wanted(state: &State) -> Option<(Vec<Key>, f64)> {
    match &state.page {
        Page::Forecast(key) => Some((vec![key.clone()], ahead(state, shown(state, key)?.1))),
        Page::Link(leads, follows) => Some((vec![leads.clone(), follows.clone()], crate::ui::panels::link::SPAN / PAST)),
        _ => None,
    }
}

/// The question for the past of the charts on the page, when it is due: once, and then whenever a dot has gone by.
pub fn due(state: &mut State) -> Option<Ask> {
    let (keys, ahead) = wanted(state)?;
    let (now, span) = (state.shown().now, ahead * PAST);
    let fresh = |asked: &Asked| asked.keys == keys && state.now.tick.since(asked.at) < asked.again;
    // Wild numbers ask for nothing; a week is more than any chart of these shows.
    if state.lost || !(1.0..604_800.0).contains(&span) || state.foresight.asked.as_ref().is_some_and(fresh) {
        return None;
    }
    let from = after(now.wall, -span);
    // What came before stays on the screen until the new one comes.
    let trace = state.foresight.asked.take().filter(|asked| asked.keys == keys).and_then(|asked| asked.trace);
    let again = Duration::from_secs_f64((span / DOTS as f64).clamp(2.0, 60.0));
    state.foresight.asked = Some(Asked { keys: keys.clone(), from, at: state.now.tick, again, pending: true, trace });
    Some(Ask::Trace { keys, from, to: now.wall, points: DOTS })
}

impl Foresight {
    /// Whoever was asked does not answer any more.
    pub fn forget(&mut self) {
        self.asked = None;
    }
}

/// Takes a trace if it is the one that was asked for here.
pub fn take(state: &mut State, trace: Trace) -> Option<Trace> {
    let Some(asked) = &mut state.foresight.asked else { return Some(trace) };
    let same = asked.from == trace.from && asked.keys.iter().eq(trace.rows.iter().map(|(key, _)| key));
    if !same {
        return Some(trace);
    }
    asked.trace = Some(trace);
    asked.pending = false;
    None
}

/// An answer says that there is none. True when it was to the question for the past of a chart, which then draws what the console has
/// seen itself: where no history is kept, that is nothing to complain of.
pub fn failed(state: &mut State) -> bool {
    state.foresight.asked.as_mut().is_some_and(|asked| std::mem::take(&mut asked.pending))
}

/// The values of a number at these moments, the highest of each stretch that ends there: of the trace that came, and of what the
/// console has seen itself.
pub fn values(state: &State, key: &Key, moments: &[Wall], each: Duration) -> Vec<Option<f64>> {
    let now = state.shown().now;
    // A value is held until the next sweep is overdue.
    let held = each.max(Duration::try_from_secs_f64(state.shown().cost.pace.sweep * 1.5).unwrap_or_default());
    let trace = state.foresight.asked.as_ref().and_then(|asked| asked.trace.as_ref());
    let row = trace.and_then(|trace| Some((trace, &trace.rows.iter().find(|(of, _)| of == key)?.1)));
    let stored = |at: Wall| {
        let (trace, row) = row?;
        let slot = usize::try_from(at.0.saturating_sub(1).saturating_sub(trace.from.0) / trace.step.max(1)).ok()?;
        row.get(slot).copied().flatten().map(|trend| trend.mean)
    };
    let seen = |at: Wall| {
        let ago = Duration::from_millis(now.wall.0.checked_sub(at.0)?.try_into().ok()?);
        let end = Tick(now.tick.0.checked_sub(u64::try_from(ago.as_nanos()).ok()?)?);
        let mut points = state.history.get(key)?.points().rev().skip_while(|p| p.at > end).peekable();
        let newest = points.peek().filter(|p| end.since(p.at) < held)?.value;
        points.take_while(|p| end.since(p.at) < each).map(|p| p.value).reduce(f64::max).or(Some(newest))
    };
    // A history knows nothing shorter than its trends: within these the console's own eyes are sharper.
    let value = |at: Wall| if each < TREND { seen(at).or_else(|| stored(at)) } else { stored(at).or_else(|| seen(at)) };
    moments.iter().map(|at| value(*at)).collect()
}

/// The rows of the page of causes that the cursor can stand on, from the top.
pub fn causes(state: &State) -> Vec<Cause> {
    let Some(outlook) = outlook(state) else { return Vec::new() };
    let story = |story: &Story| -> Vec<Cause> {
        let of = |suspect: &Suspect| Cause::Suspect(story.symptom.clone(), story.began, suspect.subject.clone());
        if story.suspects.is_empty() {
            return vec![Cause::Story(story.symptom.clone(), story.began)];
        }
        story.suspects.iter().map(of).collect()
    };
    let link = |link: &Link| Cause::Link(link.leads.clone(), link.follows.clone());
    let pattern = |pattern: &Pattern| Cause::Pattern(pattern.key.clone());
    let stories = outlook.stories.iter().flat_map(story);
    let all = stories.chain(outlook.links.iter().map(link)).chain(outlook.patterns.iter().map(pattern));
    // Two that cannot be told apart are one to the cursor, which would not get past the first of them.
    all.fold(Vec::new(), |mut rows, cause| {
        if !rows.contains(&cause) {
            rows.push(cause);
        }
        rows
    })
}

/// The row of causes that keys are about.
pub fn chosen_cause(state: &State) -> Option<Cause> {
    let all = causes(state);
    let kept = state.foresight.cause.as_ref().filter(|cause| all.contains(cause));
    kept.or(all.first()).cloned()
}

/// Goes to what a row of causes is about: the suspect itself, both charts of a link, the number of a pattern.
pub fn open(state: &mut State) {
    match chosen_cause(state) {
        Some(Cause::Suspect(_, _, subject)) => go_to(state, &subject),
        Some(Cause::Link(leads, follows)) => update::open(state, Page::Link(leads, follows)),
        Some(Cause::Pattern(key) | Cause::Story(key, _)) => number(state, key),
        None => {}
    }
}

/// The page of a number.
pub fn number(state: &mut State, key: Key) {
    state.foresight.chosen = Some(key.clone());
    state.foresight.resolution = None;
    update::open(state, Page::Forecast(key));
}

/// The page or pane of a subject.
fn go_to(state: &mut State, subject: &Subject) {
    let pane = match subject {
        Subject::Process(id) => return update::open(state, Page::Process(*id)),
        Subject::Cgroup(path) => return update::open(state, Page::Cgroup(path.clone())),
        Subject::Disk(_) | Subject::Filesystem(_) => Pane::Storage,
        Subject::Interface(_) | Subject::Network(_) => Pane::Network,
        Subject::Service(_) => Pane::Services,
        Subject::Host | Subject::Cpu(_) | Subject::Gpu(_) => Pane::Cpu,
    };
    update::focus(state, pane);
    state.expanded = pane != Pane::Services;
}

/// The pane in which a number is shown.
pub fn pane(key: &Key) -> Pane {
    use crate::model::metric::Metric as M;
    match (&key.subject, key.metric) {
        (Subject::Disk(_) | Subject::Filesystem(_), _) | (_, M::PressureIoSome | M::PressureIoFull | M::CpuIowait) => Pane::Storage,
        (Subject::Interface(_) | Subject::Network(_), _) => Pane::Network,
        (Subject::Process(_) | Subject::Cgroup(_), _) => Pane::Processes,
        (Subject::Service(_), _) => Pane::Services,
        (
            _,
            M::MemoryAvailable
            | M::MemoryUsed
            | M::SwapUsed
            | M::SwapIn
            | M::SwapOut
            | M::MajorFaults
            | M::DirectReclaim
            | M::Dirty
            | M::PressureMemorySome
            | M::PressureMemoryFull
            | M::CompressedMemory,
        ) => Pane::Memory,
        (
            _,
            M::NetReceive
            | M::NetTransmit
            | M::NetDrops
            | M::NetUsed
            | M::TcpRetransmits
            | M::TcpResentShare
            | M::TcpResets
            | M::TcpEstablished
            | M::TcpTimeWait
            | M::TcpCloseWait
            | M::TcpSynReceived
            | M::UdpFull
            | M::ConntrackUsed
            | M::ListenOverflows
            | M::PortsUsed
            | M::TcpConnects
            | M::TcpAccepts,
        ) => Pane::Network,
        _ => Pane::Cpu,
    }
}
