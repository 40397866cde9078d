//! What all parts of a simulation share: the clock, the dice, the disk, the machine, and who lives.
//!
//! One simulation is one thread: its world stands in a thread-local, so that the traits of the engine (which are `Send`) can be had by
//! values that hold nothing. Each operation of a simulated process on host or disk passes [`gate`]: there it may fail, or its process may
//! die before, after or in the middle of it. A dead process goes on unwinding, but nothing that it does has any effect.

use crate::{dice::Dice, disk::Disk, machine::Machine, vfs::Layer};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    time::Duration,
};
use trimtab::model::time::{Now, Tick, Wall};

/// A process of the simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor(pub u32);

/// Who only looks: nothing fails for it and it never dies.
pub const OBSERVER: Actor = Actor(0);

/// Kinds of operation, as far as faults tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    DiskRead,
    DiskWrite,
    DiskSync,
    DiskName,
    DiskLock,
    Get,
    Set,
    Look,
}

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It is done.
    Go,
    /// It fails with that errno, without effect.
    Fail(i32),
    /// Its process is dead, or died just before it.
    Dead,
    /// It is done, and its process dies before it hears of that.
    DieAfter,
    /// Half of it is done, and its process dies.
    DieTorn,
}

/// Faults that last until they are healed.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// One in so many operations on the disk fails; 0 is none.
    pub disk: u64,
    /// Every write to the disk fails with this.
    pub full: Option<i32>,
    /// One in so many locks of the journal is held by a stranger for too long.
    pub busy: u64,
    /// One in so many writes of a knob goes wrong in some way.
    pub knobs: u64,
    /// One in so many readings of a knob fails.
    pub looks: u64,
}

pub struct World {
    pub dice: Dice,
    pub now: Now,
    pub boot: u64,
    pub disk: Disk,
    pub layer: Layer,
    pub machine: Machine,
    pub faults: Faults,
    /// Operations until the end, for those that are to die.
    fuses: BTreeMap<Actor, u64>,
    alive: Vec<Actor>,
    born: u32,
    pub steps: u64,
    pub counts: BTreeMap<&'static str, u64>,
    trace: VecDeque<String>,
    pub broken: Option<String>,
    /// A hash of all that happened: equal runs have equal ones.
    pub print: u64,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
    static CURRENT: Cell<Actor> = const { Cell::new(OBSERVER) };
}

/// Lines of the trace that are kept.
const TRACE: usize = 60;

/// A new world on this thread.
pub fn begin(seed: u64) {
    let mut dice = Dice::new(seed);
    let now = Now { tick: Tick(dice.range(100, 100_000) * 1_000_000_000), wall: Wall(1_700_000_000_000) };
    let world = World {
        now,
        boot: 1,
        disk: Disk::default(),
        layer: Layer::default(),
        machine: Machine::new(1, &mut dice),
        faults: Faults::default(),
        fuses: BTreeMap::new(),
        alive: Vec::new(),
        born: 0,
        steps: 0,
        counts: BTreeMap::new(),
        trace: VecDeque::new(),
        broken: None,
        print: seed,
        dice,
    };
    WORLD.with(|cell| *cell.borrow_mut() = Some(world));
    CURRENT.set(OBSERVER);
}

/// Touches the world. Never nested.
pub fn world<T>(touch: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with(|cell| touch(cell.borrow_mut().as_mut().expect("a world was begun on this thread")))
}

pub fn end() -> World {
    WORLD.with(|cell| cell.borrow_mut().take().expect("a world was begun on this thread"))
}

/// Who acts at this moment.
pub fn current() -> Actor {
    CURRENT.get()
}

/// Does something as that process.
pub fn acting<T>(actor: Actor, deed: impl FnOnce() -> T) -> T {
    let before = CURRENT.replace(actor);
    let done = deed();
    CURRENT.set(before);
    done
}

/// Something happened.
pub fn tell(text: impl Into<String>) {
    let text = text.into();
    world(|w| w.tell(text));
}

pub fn gate(op: Op) -> Gate {
    gate_of(current(), op)
}

pub fn gate_of(actor: Actor, op: Op) -> Gate {
    world(|w| w.gate(actor, op))
}

pub fn now() -> Now {
    world(|w| w.now)
}

/// Time goes on, but for the dead.
pub fn pass(span: Duration) {
    let who = current();
    world(|w| {
        if w.lives(who) {
            w.pass(span);
        }
    });
}

impl World {
    pub fn tell(&mut self, text: String) {
        for byte in text.bytes() {
            self.print = (self.print ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        let at = self.now.tick.0 as f64 / 1e9;
        if std::env::var_os("TRIMTAB_TRACE").is_some() {
            println!("{at:10.2} {text}");
        }
        if self.trace.len() == TRACE {
            self.trace.pop_front();
        }
        self.trace.push_back(format!("{at:10.2} {text}"));
    }

    pub fn trace(&self) -> String {
        self.trace.iter().map(|line| format!("{line}\n")).collect()
    }

    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// An invariant is broken. The first one is told.
    pub fn broke(&mut self, why: String) {
        if self.broken.is_none() {
            self.tell(format!("BROKEN {why}"));
            self.broken = Some(why);
        }
    }

    pub fn pass(&mut self, span: Duration) {
        self.now.tick = self.now.tick + span;
        self.now.wall.0 += span.as_millis() as i64;
    }

    pub fn birth(&mut self) -> Actor {
        self.born += 1;
        self.alive.push(Actor(self.born));
        Actor(self.born)
    }

    pub fn lives(&self, actor: Actor) -> bool {
        actor == OBSERVER || self.alive.contains(&actor)
    }

    pub fn kill(&mut self, actor: Actor) {
        self.alive.retain(|other| *other != actor);
        self.fuses.remove(&actor);
    }

    /// It will die at that operation from now.
    pub fn light(&mut self, actor: Actor, operations: u64) {
        self.fuses.insert(actor, operations);
    }

    fn gate(&mut self, actor: Actor, op: Op) -> Gate {
        self.steps += 1;
        if actor == OBSERVER {
            return Gate::Go;
        }
        if !self.lives(actor) {
            return Gate::Dead;
        }
        if let Some(left) = self.fuses.get_mut(&actor) {
            if *left == 0 {
                self.kill(actor);
                self.tell(format!("{actor:?} dies at {op:?}"));
                self.count("deaths");
                return match self.dice.below(3) {
                    0 => Gate::Dead,
                    1 => Gate::DieAfter,
                    _ => Gate::DieTorn,
                };
            }
            *left -= 1;
        }
        match self.fault(op) {
            Some(errno) => {
                self.tell(format!("{actor:?} {op:?} fails with {errno}"));
                self.count("faults");
                Gate::Fail(errno)
            }
            None => Gate::Go,
        }
    }

    fn fault(&mut self, op: Op) -> Option<i32> {
        let often = |odds: u64, dice: &mut Dice| odds > 0 && dice.one_in(odds);
        match op {
            Op::DiskWrite | Op::DiskName if self.faults.full.is_some() => self.faults.full,
            Op::DiskRead | Op::DiskWrite | Op::DiskSync | Op::DiskName => {
                often(self.faults.disk, &mut self.dice).then_some(libc::EIO)
            }
            Op::DiskLock => often(self.faults.busy, &mut self.dice).then_some(libc::EAGAIN),
            Op::Get | Op::Look => often(self.faults.looks, &mut self.dice).then_some(libc::EIO),
            Op::Set => {
                let errnos = [libc::EIO, libc::ENOSPC, libc::EINTR, libc::EBUSY, libc::EPERM];
                let failed = often(self.faults.knobs, &mut self.dice);
                failed.then(|| *self.dice.pick(&errnos))
            }
        }
    }
}
