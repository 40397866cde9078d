//! Plays a history: stored samples go into the very loop that live ones go into, by a clock that follows them.

use crate::{
    engine::{input::Input, job::Done},
    host::recorded::RecordedHost,
    model::time::{Now, Tick, Wall},
    sources::source::Lane,
    store::history::{frame::Frame, reader::History},
};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::sync::mpsc;

/// Before the time that was asked for so much is played at once, so that rates and findings are there from the start.
const LEAD: i64 = 30_000;

/// The longest wait for the next instant: where nothing was recorded, nothing is waited for.
const LONGEST: Duration = Duration::from_secs(5);

/// How often a history at its end is looked at for more: somebody may still be writing it.
const LOOK: Duration = Duration::from_secs(1);

/// What is played.
pub struct Reel {
    /// The history.
    pub path: PathBuf,
    /// From when on.
    pub from: Wall,
    /// Seconds of the history per second.
    pub speed: f64,
    /// The host whose clock it sets.
    pub host: Arc<RecordedHost>,
}

/// The thread that plays. Dropping it ends the thread.
pub struct Player {
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Player {
    /// Starts it.
    pub fn start(reel: Reel, out: &mpsc::Sender<Vec<Input>>) -> std::io::Result<Player> {
        let (stop, stopped) = sync_channel(1);
        let play = Play { reel, out: out.clone(), stopped, last: None, sent: BTreeMap::new() };
        let thread = thread::Builder::new().name("trimtab-replay".into()).spawn(move || play.run())?;
        Ok(Player { stop, thread })
    }

    /// Ends it.
    pub fn end(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            log::error!("the thread of the replay ended in a panic");
        }
    }
}

/// An instant as it was stored and as it is played.
#[derive(Clone)]
struct Played {
    stored: Now,
    boot: Arc<str>,
    now: Now,
}

struct Play {
    reel: Reel,
    out: mpsc::Sender<Vec<Input>>,
    stopped: Receiver<()>,
    last: Option<Played>,
    /// When each source's reading was that was sent last.
    sent: BTreeMap<crate::model::sample::SourceName, Now>,
}

/// The engine ends.
struct Ended;

impl Play {
    fn run(mut self) {
        let mut after = Wall(self.reel.from.0.saturating_sub(LEAD + 1));
        loop {
            let frames = History::open(&self.reel.path).and_then(|history| history.some_after(after));
            let frames = frames.unwrap_or_else(|e| {
                log::error!("the replay: {e}");
                Vec::new()
            });
            if frames.is_empty() && self.sleep(LOOK).is_err() {
                return;
            }
            for frame in frames {
                after = frame.now.wall;
                if self.wait(&frame).and_then(|()| self.show(&frame)).is_err() {
                    return;
                }
            }
        }
    }

    /// Waits for as long as it was between the last instant and this one.
    fn wait(&self, frame: &Frame) -> Result<(), Ended> {
        let Some(last) = &self.last else { return Ok(()) };
        if frame.now.wall <= self.reel.from {
            return Ok(());
        }
        let millis = frame.now.wall.0.saturating_sub(last.stored.wall.0.max(self.reel.from.0)).max(0);
        let span = Duration::try_from_secs_f64(millis as f64 / 1000.0 / self.reel.speed).unwrap_or(LONGEST);
        self.sleep(span.min(LONGEST))
    }

    fn sleep(&self, span: Duration) -> Result<(), Ended> {
        if self.stopped.recv_timeout(span) == Err(RecvTimeoutError::Timeout) { Ok(()) } else { Err(Ended) }
    }

    fn show(&mut self, frame: &Frame) -> Result<(), Ended> {
        let now = self.place(frame);
        self.reel.host.set_now(now);
        let mut inputs = Vec::with_capacity(frame.readings.len() + 3);
        if self.last.as_ref().is_none_or(|last| last.boot != frame.facts.boot) {
            inputs.push(facts(frame, now));
        }
        for (source, reading) in &frame.readings {
            if self.sent.insert(*source, reading.at) != Some(reading.at) {
                let age = frame.now.tick.since(reading.at.tick);
                let tick = Tick(now.tick.0.saturating_sub(u64::try_from(age.as_nanos()).unwrap_or(u64::MAX)));
                let at = Now { tick, wall: reading.at.wall };
                inputs.push(Input::Sampled { source: *source, at, sample: reading.sample.clone() });
            }
        }
        inputs.push(Input::Passed { lane: Lane::Fast, now });
        inputs.extend(self.deeds(frame.now.wall));
        inputs.push(Input::Passed { lane: Lane::Sweep, now });
        self.last = Some(Played { stored: frame.now, boot: frame.facts.boot.clone(), now });
        self.out.blocking_send(inputs).map_err(|_| Ended)
    }

    /// A clock that only goes forward, also where the recorded host was started anew.
    fn place(&self, frame: &Frame) -> Now {
        let Some(last) = &self.last else { return frame.now };
        let same = last.boot == frame.facts.boot && frame.now.tick > last.stored.tick;
        let passed = if same {
            frame.now.tick.since(last.stored.tick)
        } else {
            Duration::from_millis(frame.now.wall.0.saturating_sub(last.stored.wall.0).max(1).unsigned_abs())
        };
        Now { tick: last.now.tick + passed, wall: frame.now.wall }
    }

    /// What befell changes since the last instant, as news of somebody else.
    fn deeds(&self, to: Wall) -> Option<Input> {
        let from = self.last.as_ref()?.stored.wall;
        let all = History::open(&self.reel.path).and_then(|history| history.deeds(to)).unwrap_or_default();
        let entries: Vec<_> = all.into_iter().filter(|(_, entry)| entry.now.wall > from).collect();
        let done = Done { entries, ..Done::default() };
        (!done.entries.is_empty()).then(|| Input::Performed { job: None, done: Box::new(done) })
    }
}

fn facts(frame: &Frame, at: Now) -> Input {
    let sample = crate::model::sample::Sample::Facts(frame.facts.clone());
    Input::Sampled { source: crate::model::sample::SourceName::Facts, at, sample: Ok(sample) }
}
