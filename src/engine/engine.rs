//! The loop: inputs in, the brain's step, effects out. It never waits for the machine, for a screen or for the hands.
//!
//! Threads: this one; one for the hands ([`worker`](crate::engine::worker)); those that tell and keep
//! alerts ([`notify`](crate::engine::notify)); those that read
//! ([`sampler`](crate::engine::sampler)), one that looks ahead ([`seer`](crate::engine::seer)), and once asked for, those that look at processes ([`inspect`](crate::engine::inspect)). Channels: `asks` (64, a full one makes the asker wait), `inputs` (64, a full one makes readers
//! and hands wait), `views` (latest wins).

use crate::{
    engine::{
        brain::brain::{Birth, Brain},
        handle::{Asked, EngineHandle},
        input::{Effect, Input, Ticket},
        inspect::Inspectors,
        notify::{
            keeper::{Keeper, What},
            notifier::Notifier,
        },
        parts::{Feed, Parts},
        past::PastHandle,
        player::Player,
        record::{Recorder, is_sweep},
        sampler::Sampler,
        seer::thread::{SeerThread, Wish},
        worker::Worker,
    },
    host::host::Host,
    model::{
        alert::Kept,
        message::{Command, Reply, View},
        week::Week,
    },
    store::{alerts, stop, week},
};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, thread, time::Duration};
use tokio::sync::{mpsc, oneshot, watch};

/// Room in `asks` and in `inputs`.
const ROOM: usize = 64;

/// With no input for so long, time itself is one.
const TICK: Duration = Duration::from_secs(2);

/// Starts an engine. It runs until it is asked to stop or every handle is gone.
pub fn start(parts: Parts) -> Result<EngineHandle, String> {
    let Parts { host, feed, history, inspector, actions, hands, entries, settings, leave } = parts;
    let facts = Arc::new(host.first_facts());
    let (targets, file) = (settings.alerts.targets.clone(), settings.alerts.file.clone());
    let foresight = settings.foresight.clone();
    let stop = settings.stop.clone();
    let week_file = settings.week.file.clone();
    let name = facts.host.clone();
    let birth = Birth {
        deriver: feed.deriver(),
        facts,
        actions,
        settings,
        entries: entries.clone(),
        leave,
        engine: std::process::id(),
        now: host.now(),
    };
    let brain = Brain::new(birth);
    let (ask, asks) = mpsc::channel(ROOM);
    let (input, inputs) = mpsc::channel(ROOM);
    let (show, views) = watch::channel(Arc::new(brain.welcome().view));
    let failed = |error: std::io::Error| format!("cannot start a thread: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
    let notifier = Notifier::start(targets, &host, &name, &input).map_err(failed)?;
    let keeper = Keeper::start(What { name: "alerts on disk", save: alerts::save }, file, &input).map_err(failed)?;
    let weeks = Keeper::start(What { name: "the host's week on disk", save: week::save }, week_file, &input).map_err(failed)?;
    let worker = Worker::start(hands, input.clone()).map_err(failed)?;
    let past = match (&feed, &history) {
        (Feed::Stored(reel), _) => Some(reel.path.clone()),
        (Feed::Live(_), history) => history.as_ref().map(|recording| recording.place.path.clone()),
    };
    let seer = foresight.wish.enabled.then(|| {
        let wish = Wish { foresight: foresight.wish, model: foresight.model, file: foresight.file, past: past.clone() };
        SeerThread::start(wish, &host, &input)
    });
    let seer = seer.transpose().map_err(failed)?;
    let seer_handle = seer.as_ref().map(|seer| seer.handle.clone());
    let past = past.map(PastHandle::start).transpose().map_err(failed)?;
    let recorder =
        history.map(|wish| Recorder::start(wish, &entries, input.clone(), host.now().wall)).transpose().map_err(failed)?;
    let reader = match feed {
        Feed::Live(sources) => Reader::Sampler(Sampler::start(&host, sources, &input).map_err(failed)?),
        Feed::Stored(reel) => Reader::Player(Player::start(reel, &input).map_err(failed)?),
    };
    let inspectors = Inspectors::new(host.clone(), inspector);
    let engine = Loop {
        brain,
        host,
        worker,
        notifier,
        keeper,
        weeks,
        recorder,
        seer,
        reader,
        inspectors,
        show,
        waiting: BTreeMap::new(),
        tickets: 0,
        over: Vec::new(),
        stop,
        halted: false,
    };
    let life = move || {
        let mut engine = engine;
        runtime.block_on(engine.run(asks, inputs));
        engine.end();
    };
    thread::Builder::new().name("trimtab-engine".into()).spawn(life).map_err(failed)?;
    Ok(EngineHandle { asks: ask, views, past, seer: seer_handle })
}

/// Who reads: the machine, or a history.
enum Reader {
    Sampler(Sampler),
    Player(Player),
}

/// Who waits for a ticket.
enum Waiter {
    Command(oneshot::Sender<Reply>),
    Stop(Option<oneshot::Sender<()>>),
}

struct Loop {
    brain: Brain,
    host: Arc<dyn Host>,
    worker: Worker,
    recorder: Option<Recorder>,
    seer: Option<SeerThread>,
    reader: Reader,
    inspectors: Inspectors,
    notifier: Notifier,
    keeper: Keeper<Kept>,
    weeks: Keeper<Week>,
    show: watch::Sender<Arc<View>>,
    waiting: BTreeMap<Ticket, Waiter>,
    tickets: u64,
    /// Stops to answer once everything has ended; not empty means that it is over.
    over: Vec<Option<oneshot::Sender<()>>>,
    /// The stop file, and whether it was there at the last look.
    stop: Option<PathBuf>,
    halted: bool,
}

impl Loop {
    async fn run(&mut self, mut asks: mpsc::Receiver<Asked>, mut inputs: mpsc::Receiver<Vec<Input>>) {
        let mut abandoned = false;
        while self.over.is_empty() {
            tokio::select! {
                biased;
                asked = asks.recv(), if !abandoned => match asked {
                    Some(asked) => self.asked(asked),
                    None => {
                        abandoned = true;
                        self.stop(None);
                    }
                },
                Some(batch) = inputs.recv() => batch.into_iter().for_each(|input| self.step(input)),
                () = tokio::time::sleep(TICK) => self.step(Input::Ticked { now: self.host.now() }),
            }
        }
    }

    fn asked(&mut self, asked: Asked) {
        match asked {
            Asked::Do(who, command, back) => {
                let ticket = self.ticket(Waiter::Command(back));
                // Who asks for the file may have put it there already: that is no news then, but theirs.
                if !matches!(command, Command::Halt(_)) {
                    self.look_for_stop();
                }
                // Decided by the time at which it came, not by that of the last reading.
                self.step(Input::Ticked { now: self.host.now() });
                self.step(Input::Commanded { ticket, who, command });
            }
            // An asker that has gone wants no answer.
            Asked::Welcome(back) => drop(back.send(self.brain.welcome())),
            Asked::Counters(back) => drop(back.send(self.brain.counters())),
            Asked::Learned(back) => drop(back.send(self.brain.lessons())),
            Asked::Audit(most, back) => self.worker.audit(most, back),
            Asked::Inspect(process, back) => self.inspectors.ask(process, back),
            Asked::Stop(back) => self.stop(Some(back)),
        }
    }

    fn stop(&mut self, back: Option<oneshot::Sender<()>>) {
        let ticket = self.ticket(Waiter::Stop(back));
        self.step(Input::Stopped { ticket });
    }

    fn ticket(&mut self, waiter: Waiter) -> Ticket {
        self.tickets += 1;
        self.waiting.insert(Ticket(self.tickets), waiter);
        Ticket(self.tickets)
    }

    /// Whether the stop file is there, as far as that is news.
    fn look_for_stop(&mut self) {
        let there = self.stop.as_deref().is_some_and(stop::stands);
        if std::mem::replace(&mut self.halted, there) != there {
            let effects = self.brain.step(Input::Halted(there));
            self.carry_out(effects);
        }
    }

    fn step(&mut self, input: Input) {
        if is_sweep(&input) || matches!(input, Input::Ticked { .. }) {
            self.look_for_stop();
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.note(&input);
        }
        let swept = is_sweep(&input);
        let effects = self.brain.step(input);
        if let (true, Some(Effect::Publish(view))) = (swept, effects.first()) {
            if let Some(recorder) = &mut self.recorder {
                recorder.keep(view);
            }
            if let Some(seer) = &self.seer {
                seer.handle.give(view);
            }
        }
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Publish(view) => drop(self.show.send_replace(view)),
                Effect::Perform { job, what } => self.worker.perform(job, what),
                Effect::SweepEvery(span) => match &self.reader {
                    Reader::Sampler(sampler) => sampler.sweep_every(span),
                    // What is stored has its own pace.
                    Reader::Player(_) => {}
                },
                Effect::LookForeign => self.worker.look_foreign(),
                Effect::Reply { ticket, reply } => match self.waiting.remove(&ticket) {
                    Some(Waiter::Command(back)) => drop(back.send(reply)),
                    Some(Waiter::Stop(back)) => self.over.push(back),
                    None => {}
                },
                Effect::Notify(notice) => self.notifier.give(&notice),
                Effect::KeepAlerts(kept) => self.keeper.keep(kept),
                Effect::KeepWeek(week) => self.weeks.keep(week),
                Effect::Log(level, text) => log::log!(target: "engine", level, "{text}"),
            }
        }
    }

    /// Ends the threads, then tells those who asked for it.
    fn end(self) {
        let Loop { worker, keeper, weeks, recorder, seer, reader, over, .. } = self;
        match reader {
            Reader::Sampler(sampler) => sampler.end(),
            Reader::Player(player) => player.end(),
        }
        worker.end();
        keeper.end();
        weeks.end();
        if let Some(recorder) = recorder {
            recorder.end();
        }
        if let Some(seer) = seer {
            seer.end();
        }
        for back in over.into_iter().flatten() {
            let _asker_gone = back.send(());
        }
    }
}
