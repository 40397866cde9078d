//! Lives: the engine with its brain and hands, its guards, and what happens to them while one of them waits for the machine.
//!
//! The engine here is what `engine::engine` and `app::parts` make of the same pieces, without their threads: the brain's steps, the hands'
//! jobs (rollbacks first, looks last) and the guard's turns come in an order that the dice choose. Everything that decides or acts is the
//! real code: `Brain`, `Hands`, recovery, `GuardProcess` with its book of changes, `Keeper`, `Journal`.

use crate::{
    knobs, law,
    machine::{self, HOGS, Machine, VICTIM},
    vfs::Simulated,
    world::{Actor, Op, acting, current, now, pass, tell, world},
};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::Path,
    sync::Arc,
    time::Duration,
};
use trimtab::{
    analysis::derive::deriver::Deriver,
    engine::{
        brain::brain::{Birth, Brain},
        guard::{
            keeper::Keeper,
            process::{GuardProcess, Peer},
        },
        hands::Hands,
        input::{Effect, Input, JobNumber, Ticket},
        job::Job,
        parts::Settings,
        undo::Tools,
        worker::Work,
    },
    model::{
        change::{ChangeId, Who},
        knob::{Knob, Place},
        limits::{Mode, Policy},
        message::{Command, Reply},
        sample::{CpuSample, CpuTimes, MemorySample, PressureLine, PressureSample, ProcessSample, Sample, SourceName, Stall},
        time::Tick,
    },
    sources::source::Lane,
    store::journal::Journal,
};

/// Where the journal lies.
pub const PATH: &str = "/state/journal.db";

/// How the engine of this run is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    pub policy: Policy,
    pub leave: bool,
    /// One in so many touches of a knob is one in which something else happens.
    pub meddling: u64,
    /// Calls may be stuck.
    pub stuck: bool,
    /// Strangers may write in between.
    pub strangers: bool,
}

/// The engine's mind, and the pile of its hands.
struct Mind {
    actor: Actor,
    brain: Brain,
    urgent: VecDeque<(JobNumber, Job)>,
    deeds: VecDeque<(JobNumber, Job)>,
    looks: VecDeque<(Option<JobNumber>, Option<Job>)>,
    tickets: u64,
    asked: BTreeMap<Ticket, String>,
    mode: Mode,
    ended: bool,
    stop: Option<Ticket>,
}

/// A guard process.
struct GuardLife {
    actor: Actor,
    keeper: Option<Keeper>,
    out: VecDeque<String>,
    unheard: Vec<String>,
    /// When it hears that its engine has ended.
    ends: Option<Tick>,
    asleep: Tick,
    holds: BTreeSet<ChangeId>,
    since: Tick,
}

thread_local! {
    static MIND: RefCell<Option<Mind>> = const { RefCell::new(None) };
    static HANDS: RefCell<Option<Hands>> = const { RefCell::new(None) };
    static GUARDS: RefCell<Vec<GuardLife>> = const { RefCell::new(Vec::new()) };
    static SENSED: RefCell<Sensed> = RefCell::new(Sensed::default());
    static SETUP: RefCell<Option<Setup>> = const { RefCell::new(None) };
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Counters that samples show.
#[derive(Default)]
struct Sensed {
    cpu: [u64; 3],
    delay: [u64; 3],
    ticks: u64,
    stalled: u64,
    /// Share of a second that the victim waits, before anything is changed.
    wait: f64,
    measured: bool,
}

pub fn begin(setup: Setup) {
    MIND.with(|cell| *cell.borrow_mut() = None);
    HANDS.with(|cell| *cell.borrow_mut() = None);
    GUARDS.with(|cell| cell.borrow_mut().clear());
    SENSED.with(|cell| *cell.borrow_mut() = Sensed { wait: 0.5, measured: true, ..Sensed::default() });
    SETUP.with(|cell| *cell.borrow_mut() = Some(setup));
    DEPTH.set(0);
}

pub fn setup<T>(look: impl FnOnce(&mut Setup) -> T) -> T {
    SETUP.with(|cell| look(cell.borrow_mut().as_mut().expect("a setup")))
}

pub fn set_wait(wait: f64) {
    SENSED.with(|cell| cell.borrow_mut().wait = wait);
}

pub fn set_measured(measured: bool) {
    SENSED.with(|cell| cell.borrow_mut().measured = measured);
}

// ---------------------------------------------------------------- engine

pub fn engine() -> Option<Actor> {
    MIND.with(|cell| cell.borrow().as_ref().map(|mind| mind.actor))
}

/// Starts an engine as `app::parts` does; `fuse` is after how many operations it dies, if it is to. False when it could not.
pub fn start(fuse: Option<u64>) -> bool {
    let actor = world(|w| w.birth());
    if let Some(operations) = fuse {
        world(|w| w.light(actor, operations));
    }
    tell(format!("engine {actor:?} starts"));
    let begun = acting(actor, begin_engine);
    match begun {
        Ok((hands, mind)) if world(|w| w.lives(actor)) => {
            HANDS.with(|cell| *cell.borrow_mut() = Some(hands));
            MIND.with(|cell| *cell.borrow_mut() = Some(mind));
            world(|w| w.count("engines"));
            true
        }
        begun => {
            let why = begun.as_ref().err().cloned().unwrap_or_else(|| "it died".into());
            tell(format!("engine {actor:?} does not start: {why}"));
            world(|w| w.kill(actor));
            acting(actor, || drop(begun));
            false
        }
    }
}

fn begin_engine() -> Result<(Hands, Mind), String> {
    let opened = Journal::open_on(&Simulated, Path::new(PATH), now()).map_err(|e| e.to_string())?;
    if let Some(damage) = &opened.damage {
        law::broke(format!("the journal was damaged: {damage}"));
    }
    let host = machine::shared();
    let mut entries = opened.entries;
    let boot = host.text(&Place::proc("sys/kernel/random/boot_id")).map_err(|e| e.to_string())?;
    let tools = Tools { host: host.clone(), actions: knobs::named, journal: opened.journal, boot: boot.trim().into() };
    let guard = GuardProcess::over(Box::new(start_guard), Box::new(|_| ()));
    let seen = entries.last().map_or(0, |(number, _)| *number);
    let mut hands = Hands::new(tools, Box::new(guard), seen);
    let recovered = hands.recover(&entries);
    if let Some(error) = &recovered.error {
        tell(format!("recovery: {error}"));
    }
    entries.extend(recovered.entries);
    let (policy, leave) = setup(|s| (s.policy.clone(), s.leave));
    let names = [SourceName::Cpu, SourceName::Pressure, SourceName::Processes];
    let mode = policy.mode;
    let birth = Birth {
        deriver: Deriver::new(names.map(|name| (name, Duration::from_secs(2)))),
        facts: Arc::new(host.facts()),
        actions: knobs::ACTIONS,
        settings: Settings { policy, ..Settings::default() },
        entries,
        leave,
        engine: current().0,
        now: now(),
    };
    let mind = Mind {
        actor: current(),
        brain: Brain::new(birth),
        urgent: VecDeque::new(),
        deeds: VecDeque::new(),
        looks: VecDeque::new(),
        tickets: 0,
        asked: BTreeMap::new(),
        mode,
        ended: false,
        stop: None,
    };
    Ok((hands, mind))
}

/// The engine dies here and now.
pub fn kill_engine() {
    let Some(actor) = engine() else { return };
    tell(format!("kill -9 engine {actor:?}"));
    world(|w| w.kill(actor));
    bury();
}

/// What a dead engine leaves is dropped; nothing of that has an effect but the end of its guard's input.
fn bury() {
    let mind = MIND.with(|cell| cell.borrow_mut().take());
    let hands = HANDS.with(|cell| cell.borrow_mut().take());
    if let Some(mind) = mind {
        acting(mind.actor, || drop(hands));
    }
}

/// One step of the brain.
pub fn step(input: Input) {
    let told = MIND.with(|cell| {
        let mut mind = cell.borrow_mut();
        mind.as_mut().map(|mind| mind.step(input)).unwrap_or_default()
    });
    told.into_iter().for_each(tell);
}

impl Mind {
    fn step(&mut self, input: Input) -> Vec<String> {
        let before = self.mode;
        let mut told = Vec::new();
        for effect in self.brain.step(input) {
            match effect {
                Effect::Publish(view) => self.mode = view.mode,
                Effect::Perform { job, what } => {
                    if before == Mode::Observe && self.mode == Mode::Observe && matches!(what, Job::Apply(_) | Job::Carry(_)) {
                        law::broke(format!("in observe mode: {what:?}"));
                    }
                    match &what {
                        Job::RollBack { .. } => self.urgent.push_back((job, what)),
                        Job::Preview(..) | Job::Verify(..) => self.looks.push_back((Some(job), Some(what))),
                        _ => self.deeds.push_back((job, what)),
                    }
                }
                Effect::LookForeign if self.looks.iter().any(|(job, _)| job.is_none()) => {}
                Effect::LookForeign => self.looks.push_back((None, None)),
                Effect::Reply { ticket, reply } => {
                    let of = self.asked.remove(&ticket);
                    let (Reply::Done(text) | Reply::Refused(text)) = &reply;
                    told.push(format!("answer to {}: {text}", of.unwrap_or_else(|| "?".into())));
                    if self.stop == Some(ticket) {
                        self.ended = true;
                    }
                }
                Effect::Log(level, text) if level <= log::Level::Warn => told.push(text),
                _ => {}
            }
        }
        told
    }

    fn next(&mut self) -> Option<(Option<JobNumber>, Option<Job>)> {
        let urgent = self.urgent.pop_front().or_else(|| self.deeds.pop_front());
        urgent.map(|(number, job)| (Some(number), Some(job))).or_else(|| self.looks.pop_front())
    }
}

/// Looks of the fast lane and a sweep: what a second of the machine shows.
pub fn sweep() {
    if engine().is_none() {
        return;
    }
    let (passes, rows, counted) = SENSED.with(|cell| cell.borrow_mut().second());
    let at = now();
    for (cpu, pressure) in passes {
        step(Input::Sampled { source: SourceName::Cpu, at, sample: Ok(Sample::Cpu(cpu)) });
        step(Input::Sampled { source: SourceName::Pressure, at, sample: Ok(Sample::Pressure(pressure)) });
        let memory = MemorySample { total: 1 << 33, available: 1 << 32, ..MemorySample::default() };
        step(Input::Sampled { source: SourceName::Memory, at, sample: Ok(Sample::Memory(memory)) });
        step(Input::Passed { lane: Lane::Fast, now: at });
    }
    if counted {
        law::measured(at.tick);
    }
    step(Input::Sampled { source: SourceName::Processes, at, sample: Ok(Sample::Processes(Arc::new(rows))) });
    step(Input::Passed { lane: Lane::Sweep, now: at });
}

type Pass = (CpuSample, PressureSample);

impl Sensed {
    fn second(&mut self) -> (Vec<Pass>, Vec<ProcessSample>, bool) {
        self.ticks += 100;
        let (effect, noise) = world(|w| (w.machine.effect(), w.dice.share() * 2.0 - 1.0));
        let wait = (self.wait * effect * (1.0 + 0.1 * noise)).clamp(0.0, 1.0);
        self.stalled += (wait * 1.2 * 1e6) as u64;
        let times = CpuTimes { user: self.ticks, ..CpuTimes::default() };
        let total = CpuTimes { user: 2 * self.ticks, ..CpuTimes::default() };
        let cpu = CpuSample { total, cores: vec![(0, times), (1, times)], ..CpuSample::default() };
        let some = PressureLine { avg: [0.0; 3], total: self.stalled };
        let none = PressureLine { avg: [0.0; 3], total: 0 };
        let pressure = PressureSample {
            cpu: Stall { some, full: None },
            memory: Stall { some: none, full: Some(none) },
            ..PressureSample::default()
        };
        let (used, waits) = ([0.05, 0.9, 0.9], [wait, 0.3, 0.3]);
        let pids = [VICTIM, HOGS[0], HOGS[1]];
        let ids = world(|w| pids.map(|pid| w.machine.process(pid)));
        let rows = (0..3).map(|i| {
            self.cpu[i] += (used[i] * 1e9) as u64;
            self.delay[i] += (waits[i] * 1e9) as u64;
            let name = if i == 0 { "web" } else { "hog" };
            ProcessSample {
                id: ids[i],
                name: name.into(),
                state: 'R',
                cpu: self.cpu[i],
                run_delay: Some(self.delay[i]),
                threads: 1,
                ..ProcessSample::default()
            }
        });
        let rows: Vec<ProcessSample> = rows.collect();
        let rows = rows.into_iter().filter(|row| self.measured || row.id != ids[0]).collect();
        (vec![(cpu, pressure)], rows, self.measured)
    }
}

/// The hands do one thing that waits; false when nothing does or they are not free.
pub fn work_once() -> bool {
    let task = MIND.with(|cell| {
        cell.borrow_mut().as_mut().map(|mind| (mind.actor, mind)).and_then(|(actor, mind)| {
            HANDS.with(|hands| hands.borrow().is_some()).then(|| mind.next()).flatten().map(|task| (actor, task))
        })
    });
    let Some((actor, (number, job))) = task else { return false };
    let Some(mut hands) = HANDS.with(|cell| cell.borrow_mut().take()) else { return false };
    let words = job.as_ref().map(brief);
    if let Some(words) = words.filter(|_| !matches!(job, Some(Job::Preview(..) | Job::Verify(..)))) {
        tell(format!("hands: {words}"));
    }
    let done = acting(actor, || match job {
        Some(job) => hands.perform(job),
        None => hands.foreign(),
    });
    if !world(|w| w.lives(actor)) {
        HANDS.with(|cell| *cell.borrow_mut() = Some(hands));
        bury();
        return false;
    }
    HANDS.with(|cell| *cell.borrow_mut() = Some(hands));
    if let Some(error) = &done.error {
        tell(format!("hands say: {error}"));
    }
    step(Input::Performed { job: number, done: Box::new(done) });
    true
}

fn brief(job: &Job) -> String {
    match job {
        Job::Record(deeds) => deeds.iter().map(|(id, deed, _)| format!("{id} {}", deed.words())).collect::<Vec<_>>().join(", "),
        Job::Preview(id, _) => format!("preview {id}"),
        Job::Apply(apply) => format!("apply {}", apply.change),
        Job::RollBack { change, cause, .. } => format!("roll back {change}, {}", cause.words()),
        Job::Carry(carry) => format!("carry {}", carry.change),
        Job::Keep(id, _) => format!("keep {id}"),
        Job::Verify(id, _) => format!("verify {id}"),
        #[allow(unreachable_patterns)]
        _ => "another job".into(),
    }
}

/// All that waits, at most so much.
pub fn work(most: usize) {
    for _ in 0..most {
        if !work_once() {
            break;
        }
    }
}

pub fn command(command: Command) {
    let ticket = MIND.with(|cell| {
        cell.borrow_mut().as_mut().map(|mind| {
            mind.tickets += 1;
            mind.asked.insert(Ticket(mind.tickets), format!("{command:?}"));
            Ticket(mind.tickets)
        })
    });
    let Some(ticket) = ticket else { return };
    tell(format!("operator: {command:?}"));
    let who = Who::Operator { user: "root".into(), via: "test".into() };
    step(Input::Ticked { now: now() });
    step(Input::Commanded { ticket, who, command });
}

/// Commands that nobody has answered.
pub fn unanswered() -> Vec<String> {
    MIND.with(|cell| cell.borrow().as_ref().map(|mind| mind.asked.values().cloned().collect()).unwrap_or_default())
}

/// Asks the engine to end, and lets it.
pub fn stop() {
    let ticket = MIND.with(|cell| {
        cell.borrow_mut().as_mut().map(|mind| {
            mind.tickets += 1;
            mind.stop = Some(Ticket(mind.tickets));
            mind.asked.insert(Ticket(mind.tickets), "stop".into());
            Ticket(mind.tickets)
        })
    });
    let Some(ticket) = ticket else { return };
    tell("the engine is asked to end");
    step(Input::Stopped { ticket });
    for _ in 0..200 {
        if engine().is_none() || MIND.with(|cell| cell.borrow().as_ref().is_some_and(|mind| mind.ended)) {
            break;
        }
        if !work_once() {
            pass(Duration::from_secs(1));
            sweep();
        }
    }
    // The worker does what is left, then the hands are let go.
    work(100);
    let Some(actor) = engine() else { return };
    let hands = HANDS.with(|cell| cell.borrow_mut().take());
    acting(actor, || drop(hands));
    MIND.with(|cell| *cell.borrow_mut() = None);
    world(|w| w.kill(actor));
}

// ---------------------------------------------------------------- guard

fn start_guard() -> Result<Box<dyn Peer>, String> {
    let engine = current();
    if !world(|w| w.lives(engine)) {
        return Err("a dead engine starts nothing".into());
    }
    let actor = world(|w| w.birth());
    let made = acting(actor, || {
        let journal = Journal::join_on(&Simulated, Path::new(PATH)).map_err(|e| e.to_string())?;
        let host = machine::shared();
        let boot = host.text(&Place::proc("sys/kernel/random/boot_id")).map_err(|e| e.to_string())?;
        Ok(Keeper::new(Tools { host, actions: knobs::named, journal, boot: boot.trim().into() }))
    });
    match made {
        Ok(keeper) => {
            tell(format!("guard {actor:?} of engine {engine:?} starts"));
            world(|w| w.count("guards"));
            let life = GuardLife {
                actor,
                keeper: Some(keeper),
                out: VecDeque::new(),
                unheard: Vec::new(),
                ends: None,
                asleep: Tick(0),
                holds: BTreeSet::new(),
                since: now().tick,
            };
            GUARDS.with(|cell| cell.borrow_mut().push(life));
            Ok(Box::new(Wire { engine, guard: actor }))
        }
        Err(why) => {
            world(|w| w.kill(actor));
            let why: String = why;
            Err(why)
        }
    }
}

/// The engine's end of the pipes.
struct Wire {
    engine: Actor,
    guard: Actor,
}

fn guard<T>(actor: Actor, touch: impl FnOnce(&mut GuardLife) -> T) -> Option<T> {
    GUARDS.with(|cell| cell.borrow_mut().iter_mut().find(|life| life.actor == actor).map(touch))
}

impl Peer for Wire {
    fn id(&self) -> u32 {
        self.guard.0
    }
    fn lives(&mut self) -> bool {
        world(|w| w.lives(self.guard))
    }
    fn tell(&mut self, line: &str) -> Result<(), String> {
        if !world(|w| w.lives(self.engine)) || !self.lives() {
            return Err("it does not listen".into());
        }
        let waits = guard(self.guard, |life| {
            life.unheard.push(line.into());
            life.asleep > now().tick || life.keeper.is_none()
        });
        if waits == Some(false) {
            turn(self.guard);
        }
        Ok(())
    }
    fn line(&mut self) -> Result<String, String> {
        match guard(self.guard, |life| life.out.pop_front()).flatten() {
            Some(line) => Ok(line),
            None if self.lives() => {
                pass(Duration::from_secs(3));
                Err("it does not answer".into())
            }
            None => Err("it has ended".into()),
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let alive = world(|w| w.lives(self.engine));
        let late = if alive { 0 } else { world(|w| w.dice.below(3)) };
        let ends = now().tick + Duration::from_secs(late);
        let awake = guard(self.guard, |life| {
            life.ends = Some(ends);
            life.asleep <= now().tick
        });
        if alive && awake == Some(true) {
            turn(self.guard);
        }
    }
}

/// A guard's turn: what it was told, what is due, and its end if its engine has ended.
fn turn(actor: Actor) {
    let taken = guard(actor, |life| {
        (life.asleep <= now().tick).then(|| (life.keeper.take(), std::mem::take(&mut life.unheard), life.ends))
    });
    let Some(Some((Some(mut keeper), unheard, ends))) = taken else { return };
    let over = ends.is_some_and(|at| at <= now().tick);
    let mut answers = Vec::new();
    acting(actor, || {
        for line in unheard {
            answers.push(keeper.hear(&line));
            keeper.meet_deadlines();
        }
        if over {
            tell(format!("guard {actor:?} hears the end of its engine"));
            keeper.engine_ended();
        } else if keeper.deadline().is_some() {
            keeper.meet_deadlines();
        }
    });
    if over {
        world(|w| w.kill(actor));
    }
    if !world(|w| w.lives(actor)) {
        acting(actor, || drop(keeper));
        GUARDS.with(|cell| cell.borrow_mut().retain(|life| life.actor != actor));
        return;
    }
    guard(actor, |life| {
        for answer in answers {
            if let Some(id) = answer.strip_prefix("armed ").and_then(|n| n.parse().ok()) {
                life.holds.insert(ChangeId(id));
                law::armed(ChangeId(id));
            }
            life.out.push_back(answer);
        }
        life.keeper = Some(keeper);
    });
}

/// Every guard has its turn.
pub fn guards() {
    let all: Vec<Actor> = GUARDS.with(|cell| cell.borrow().iter().map(|life| life.actor).collect());
    all.into_iter().for_each(turn);
}

pub fn any_guard() -> Option<Actor> {
    GUARDS.with(|cell| cell.borrow().last().map(|life| life.actor))
}

/// Whether a guard that was awake for the last seconds holds that change.
pub fn is_guarded(change: ChangeId, awake: Duration) -> bool {
    let now = now().tick;
    let holds = |life: &GuardLife| {
        life.holds.contains(&change) && life.asleep + awake <= now && life.since + awake <= now && life.keeper.is_some()
    };
    GUARDS.with(|cell| cell.borrow().iter().any(holds))
}

pub fn kill_guard() {
    let Some(actor) = any_guard() else { return };
    let here = guard(actor, |life| life.keeper.take()).flatten();
    let Some(keeper) = here else { return };
    tell(format!("kill -9 guard {actor:?}"));
    world(|w| w.kill(actor));
    acting(actor, || drop(keeper));
    GUARDS.with(|cell| cell.borrow_mut().retain(|life| life.actor != actor));
}

/// A guard is held still for so long.
pub fn hold_guard(span: Duration) {
    if let Some(actor) = any_guard() {
        tell(format!("guard {actor:?} is stopped for {} s", span.as_secs()));
        guard(actor, |life| life.asleep = now().tick + span);
    }
}

pub fn wake_guards() {
    GUARDS.with(|cell| cell.borrow_mut().iter_mut().for_each(|life| life.asleep = Tick(0)));
}

// ---------------------------------------------------------------- the machine

/// Everything ends at once, and the disk keeps what was synced. Then the machine starts anew.
pub fn reboot() {
    tell("the power goes");
    let guards = GUARDS.with(|cell| std::mem::take(&mut *cell.borrow_mut()));
    if let Some(actor) = engine() {
        world(|w| w.kill(actor));
    }
    guards.iter().for_each(|life| world(|w| w.kill(life.actor)));
    bury();
    for life in guards {
        acting(life.actor, || drop(life.keeper));
    }
    law::blind();
    world(|w| {
        let left = w.layer.open_files();
        if left > 0 {
            w.broke(format!("{left} files are open after everything has ended"));
        }
        w.count("reboots");
        w.disk.fail(&mut w.dice);
        w.layer.clear();
        w.boot += 1;
        let (effects, fits, bait) = (w.machine.effects.clone(), w.machine.fits.clone(), w.machine.bait);
        w.machine = Machine::new(w.boot, &mut w.dice);
        (w.machine.effects, w.machine.fits, w.machine.bait) = (effects, fits, bait);
        let off = w.dice.range(5, 5000);
        w.now.wall.0 += off as i64 * 1000;
        w.now.tick = Tick(w.dice.range(20, 200) * 1_000_000_000);
    });
    SENSED.with(|cell| {
        let mut sensed = cell.borrow_mut();
        *sensed = Sensed { wait: sensed.wait, measured: sensed.measured, ..Sensed::default() };
    });
    law::rebooted();
}

/// While somebody touches a knob, the rest of the machine goes on.
pub fn meanwhile(op: Op, knob: &Knob) {
    let odds = setup(|s| s.meddling);
    if odds == 0 || DEPTH.get() > 0 || !world(|w| w.lives(current())) || !world(|w| w.dice.one_in(odds)) {
        return;
    }
    DEPTH.set(1);
    let me = current();
    let (stuck, strangers) = setup(|s| (s.stuck, s.strangers));
    match world(|w| w.dice.below(6)) {
        0 if stuck => {
            let span = world(|w| w.dice.range(1, 45));
            tell(format!("{me:?} is stuck in {op:?} of {knob} for {span} s"));
            world(|w| w.count("stuck calls"));
            for _ in 0..span {
                pass(Duration::from_secs(1));
                guards();
                if engine() == Some(me) {
                    sweep();
                }
            }
        }
        1 | 2 if strangers && op == Op::Get && Machine::group(knob).len() == 1 => stranger(),
        3 | 4 => guards(),
        _ => {
            if engine() != Some(me) {
                work_once();
            } else {
                guards();
            }
        }
    }
    DEPTH.set(0);
}

pub fn stranger() {
    let told = world(|w| w.machine.stranger(&mut w.dice));
    tell(told);
    world(|w| w.count("strangers"));
}

/// The run is over: everything is let go.
pub fn end() {
    if let Some(actor) = engine() {
        world(|w| w.kill(actor));
    }
    bury();
    let guards = GUARDS.with(|cell| std::mem::take(&mut *cell.borrow_mut()));
    for life in guards {
        world(|w| w.kill(life.actor));
        acting(life.actor, || drop(life.keeper));
    }
}
