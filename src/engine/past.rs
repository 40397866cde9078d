//! Answers what was, from the history, on a thread of its own with a connection of its own: the loop and the writer know nothing of it.
//!
//! A past view goes through the same deriver as a live one; its findings are those that held then.

use crate::{
    analysis::derive::deriver::Deriver,
    model::{
        change::{Change, ChangeId},
        message::{Ask, Body, Reply, View},
        metric::Key,
        past::{Past, Trace, Trend},
        readings,
        time::Wall,
        unit::Unit,
    },
    store::{
        error::StoreError,
        history::{
            frame::Frame,
            reader::{History, Instant, fold},
            snapshot,
            writer::size,
        },
    },
};
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};
use tokio::sync::oneshot;

/// Questions that wait; one more is told to come again.
const ROOM: usize = 16;

/// Changes in a past view at most, the newest first.
const CHANGES: usize = 64;

/// A trace in finer steps than trends have (10 s) is made of frames, if it is no longer than this.
const FINE: i64 = 20 * 60 * 1000;
const TREND: i64 = 10_000;

/// The way to the thread.
#[derive(Clone, Debug)]
pub struct PastHandle(SyncSender<(Ask, oneshot::Sender<Body>)>);

impl PastHandle {
    /// Starts the thread; it ends with the last handle.
    pub fn start(path: PathBuf) -> std::io::Result<PastHandle> {
        let (ask, asks) = sync_channel(ROOM);
        thread::Builder::new().name("trimtab-past".into()).spawn(move || serve(&path, &asks))?;
        Ok(PastHandle(ask))
    }

    /// The answer to one of the questions about the past.
    pub async fn ask(&self, ask: Ask) -> Body {
        let (back, answer) = oneshot::channel();
        match self.0.try_send((ask, back)) {
            Ok(()) => answer.await.unwrap_or_else(|_| Body::Error("the history cannot be read".into())),
            Err(TrySendError::Full(_)) => Body::Error("too many questions about the past wait: ask again".into()),
            Err(TrySendError::Disconnected(_)) => Body::Error("the history cannot be read".into()),
        }
    }
}

fn serve(path: &Path, asks: &Receiver<(Ask, oneshot::Sender<Body>)>) {
    while let Ok((ask, back)) = asks.recv() {
        // The file may have been replaced since: opening it takes less than a millisecond.
        let body = History::open(path).and_then(|history| answer(&history, ask)).unwrap_or_else(|e| Body::Error(e.to_string()));
        let _asker_gone = back.send(body);
    }
}

/// Answers one question.
pub fn answer(history: &History, ask: Ask) -> Result<Body, StoreError> {
    Ok(match ask {
        Ask::Past { at } => match past(history, at)? {
            Some(past) => Body::Past(Box::new(past)),
            None => Body::Error("no history is kept yet".into()),
        },
        Ask::Trace { keys, from, to, points } => Body::Trace(trace(history, &keys, (from, to), points)?),
        Ask::Marks { from, to } => Body::Marks(history.marks(from, to)?),
        Ask::WriteSnapshot { file, from, to } => Body::Reply(match snapshot::write(history, Path::new(&file), (from, to)) {
            Ok(frames) => {
                let bytes = Unit::Bytes.show(size(Path::new(&file)) as f64);
                Reply::Done(format!("{file}: {frames} sweeps, {bytes}; open it with `trimtab replay {file}`"))
            }
            Err(e) => Reply::Refused(e.to_string()),
        }),
        _ => Body::Error("this is no question about the past".into()),
    })
}

/// The view as it was.
pub fn past(history: &History, at: Wall) -> Result<Option<Past>, StoreError> {
    let (Some(instant), Some(kept)) = (history.at(at)?, history.kept()?) else { return Ok(None) };
    let mut changes: BTreeMap<ChangeId, Change> = BTreeMap::new();
    let Instant { frames, earlier, later } = instant;
    let Some(newest) = frames.last() else { return Ok(None) };
    for (_, entry) in history.deeds(newest.now.wall)? {
        fold(&mut changes, &entry);
    }
    let before = frames.len().checked_sub(2).and_then(|i| frames.get(i));
    let over = before.map_or(0.0, |before| newest.now.tick.seconds_since(before.now.tick));
    let changes = changes.into_values().rev().take(CHANGES).map(Arc::new).collect();
    Ok(Some(Past { view: view(&frames, newest, changes), over, before: earlier, after: later, kept }))
}

fn view(frames: &[Frame], newest: &Frame, changes: Vec<Arc<Change>>) -> View {
    let mut deriver = Deriver::default();
    frames.iter().for_each(|frame| feed(&mut deriver, frame));
    let own = newest.own.clone();
    View {
        number: 0,
        now: newest.now,
        mode: own.mode,
        facts: newest.facts.clone(),
        snapshot: Arc::new(deriver.snapshot(newest.now)),
        findings: newest.findings.clone(),
        changes: Arc::new(changes),
        problems: own.problems,
        halted: None,
        cost: own.cost,
        guard: own.guard,
        engine: own.engine,
        // Alerts are not of the history: their own log says when each of them held.
        alerts: Arc::default(),
        outlook: None,
        emergencies: Vec::new(),
        present: Vec::new(),
        trust: None,
    }
}

/// The deriver leaves out what is not newer than what it has.
fn feed(deriver: &mut Deriver, frame: &Frame) {
    for (source, reading) in &frame.readings {
        deriver.take(*source, reading.at, reading.sample.clone());
    }
}

/// From trends, or for short steps from frames.
fn trace(history: &History, keys: &[Key], (from, to): (Wall, Wall), points: usize) -> Result<Trace, StoreError> {
    let mut trace = history.trace(keys, (from, to), points)?;
    if trace.step >= TREND || to.0.saturating_sub(from.0) > FINE {
        return Ok(trace);
    }
    let numbers: HashMap<&Key, usize> = keys.iter().enumerate().map(|(i, key)| (key, i)).collect();
    let mut fine: Vec<Vec<Option<(Trend, f64)>>> = trace.rows.iter().map(|(_, row)| vec![None; row.len()]).collect();
    let mut deriver = Deriver::default();
    let mut last = Wall(from.0.saturating_sub(TREND));
    loop {
        let frames = history.some_after(last)?;
        let Some(end) = frames.last() else { break };
        for frame in frames.iter().take_while(|frame| frame.now.wall < to) {
            feed(&mut deriver, frame);
            let slot = usize::try_from((frame.now.wall.0 - from.0).div_euclid(trace.step)).ok();
            readings::snapshot(&deriver.snapshot(frame.now), &mut |key, value| {
                let row = numbers.get(&key).and_then(|number| fine.get_mut(*number));
                if let Some(slot) = row.zip(slot).and_then(|(row, slot)| row.get_mut(slot)) {
                    add(slot, value);
                }
            });
        }
        last = end.now.wall;
        if last >= to {
            break;
        }
    }
    for ((_, row), fine) in trace.rows.iter_mut().zip(fine) {
        for (slot, fine) in row.iter_mut().zip(fine) {
            *slot = fine.map(|(trend, _)| trend).or(*slot);
        }
    }
    Ok(trace)
}

fn add(slot: &mut Option<(Trend, f64)>, value: f64) {
    let (trend, count) = slot.unwrap_or((Trend { min: value, mean: 0.0, max: value }, 0.0));
    let mean = (trend.mean * count + value) / (count + 1.0);
    *slot = Some((Trend { min: trend.min.min(value), mean, max: trend.max.max(value) }, count + 1.0));
}
