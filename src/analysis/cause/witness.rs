//! What was seen: ten minutes of what every actor used and waited for, and of every number of the host. Processes that have gone stay
//! known, since a job by the clock is gone when its effect is looked at.
//!
//! Bounded: [`ACTORS`] actors and [`NUMBERS`] numbers of [`ROUNDS`] values in single precision are below 4 MiB.

use crate::model::{
    metric::{Key, Metric},
    readings,
    snapshot::{Process, Snapshot},
    subject::{ProcessId, Subject},
    time::{Now, Tick},
};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// Sweeps remembered.
pub const ROUNDS: usize = 600;
/// Actors remembered; beyond, the one that has been idle longest makes room.
pub const ACTORS: usize = 96;
/// Numbers remembered; those of the host come first.
pub const NUMBERS: usize = 320;
/// Actors of one name, cgroup and session before further ones join them as a crowd: the compilers of one build.
const CROWD: usize = 8;

/// Seconds of age below which use since birth stands for a rate.
const YOUNG: f64 = 5.0;

/// What an actor uses or suffers, each summed over its processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Cores.
    Cpu,
    /// Bytes per second read from and written to storage.
    Storage,
    /// Resident bytes.
    Memory,
    /// Bytes per second received by its connections.
    Received,
    /// Bytes per second sent.
    Sent,
    /// Seconds per second runnable but waiting.
    Wait,
    /// Seconds per second blocked on storage.
    Blocked,
}

const USES: [Use; 7] = [Use::Cpu, Use::Storage, Use::Memory, Use::Received, Use::Sent, Use::Wait, Use::Blocked];

/// Processes that are one program doing one thing: same name, cgroup and command line; or a crowd of short-lived ones.
#[derive(Clone, Debug)]
pub struct Actor {
    /// `comm`.
    pub name: Arc<str>,
    /// cgroup path.
    pub cgroup: Arc<str>,
    /// The process of it that used most, or the last one seen.
    pub chief: ProcessId,
    /// Its processes now; 0 when it has gone.
    pub count: u32,
    /// Start of its first process, in seconds of boot time.
    pub born: f64,
    command: Arc<str>,
    session: u32,
    crowd: bool,
    idle: usize,
    tracks: [VecDeque<f32>; USES.len()],
    sums: [f64; USES.len()],
    greatest: f64,
}

impl Actor {
    /// The values of a use, one a round, newest last. Rounds before the first are those in which it was idle or not there.
    pub fn track(&self, which: Use) -> &VecDeque<f32> {
        let [cpu, storage, memory, received, sent, wait, blocked] = &self.tracks;
        match which {
            Use::Cpu => cpu,
            Use::Storage => storage,
            Use::Memory => memory,
            Use::Received => received,
            Use::Sent => sent,
            Use::Wait => wait,
            Use::Blocked => blocked,
        }
    }

    fn of(process: &Process) -> Actor {
        Actor {
            name: process.name.clone(),
            cgroup: process.cgroup.clone(),
            chief: process.id,
            count: 0,
            born: process.id.start as f64 / 100.0,
            command: process.command.clone(),
            session: process.session,
            crowd: false,
            idle: 0,
            tracks: std::array::from_fn(|_| VecDeque::new()),
            sums: [0.0; USES.len()],
            greatest: 0.0,
        }
    }

    fn takes(&self, process: &Process) -> bool {
        let kin = self.name == process.name && self.cgroup == process.cgroup;
        kin && if self.crowd { self.session == process.session } else { self.command == process.command }
    }

    fn add(&mut self, process: &Process, now: Tick) {
        let used = uses(process, now);
        self.sums.iter_mut().zip(used).for_each(|(sum, value)| *sum += value);
        let weight = used.iter().zip(SCALE).map(|(value, scale)| value / scale).fold(0.0, f64::max);
        if self.count == 0 || weight > self.greatest {
            (self.chief, self.greatest) = (process.id, weight);
        }
        self.count += 1;
    }

    /// Ends a round; `known` rounds are kept.
    fn close(&mut self, known: usize) {
        let busy = self.sums.iter().zip(SCALE).any(|(sum, scale)| *sum >= scale);
        self.idle = if busy { 0 } else { self.idle + 1 };
        for (track, sum) in self.tracks.iter_mut().zip(self.sums) {
            track.push_back(sum as f32);
            while track.len() > known {
                track.pop_front();
            }
        }
    }
}

/// From which on a use makes somebody an actor.
const SCALE: [f64; USES.len()] = [0.02, 65_536.0, 67_108_864.0, 65_536.0, 65_536.0, 0.02, 0.02];

/// A process at its first sight has no rate yet; if it is young, its use since birth is one.
fn uses(process: &Process, now: Tick) -> [f64; USES.len()] {
    let age = process.id.age(now).max(0.1);
    let since_birth = (age < YOUNG).then(|| process.cpu_time as f64 / 1e9 / age);
    let [read, written] = process.io.unwrap_or_default();
    let net = process.net.unwrap_or_default();
    [
        process.cpu.or(since_birth).unwrap_or(0.0),
        read + written,
        process.resident as f64,
        net.received,
        net.sent,
        process.wait.unwrap_or(0.0),
        process.io_wait.unwrap_or(0.0),
    ]
    .map(|value| if value.is_finite() { value.max(0.0) } else { 0.0 })
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Witness {
    times: VecDeque<Tick>,
    now: Now,
    numbers: HashMap<Key, VecDeque<f32>>,
    actors: Vec<Actor>,
}

impl Witness {
    /// Sees one sweep. `own` is our own pid: we are no actor. Time that does not go on is not seen.
    pub fn see(&mut self, snapshot: &Snapshot, own: u32) {
        let now = snapshot.vitals.now;
        if self.times.back().is_some_and(|last| *last >= now.tick) {
            return;
        }
        self.now = now;
        self.times.push_back(now.tick);
        while self.times.len() > ROUNDS {
            self.times.pop_front();
        }
        self.count(snapshot);
        self.meet(snapshot, own);
    }

    fn count(&mut self, snapshot: &Snapshot) {
        let known = self.times.len();
        for track in self.numbers.values_mut() {
            track.push_back(f32::NAN);
        }
        let numbers = &mut self.numbers;
        readings::snapshot(snapshot, &mut |key, value| {
            if matches!(key.subject, Subject::Process(_) | Subject::Gpu(_)) {
                return;
            }
            if let Some(slot) = numbers.get_mut(&key).and_then(VecDeque::back_mut) {
                *slot = value as f32;
            } else if numbers.len() < NUMBERS {
                numbers.insert(key, VecDeque::from([value as f32]));
            }
        });
        for track in numbers.values_mut() {
            while track.len() > known {
                track.pop_front();
            }
        }
        numbers.retain(|_, track| track.iter().any(|v| v.is_finite()));
    }

    fn meet(&mut self, snapshot: &Snapshot, own: u32) {
        for actor in &mut self.actors {
            (actor.count, actor.sums, actor.greatest) = (0, [0.0; USES.len()], 0.0);
        }
        let now = self.now.tick;
        let all = snapshot.processes.known().into_iter().flat_map(|all| all.iter());
        for process in all.filter(|p| !p.kernel && p.id.pid > 1 && p.id.pid != own) {
            if let Some(actor) = self.actor(process) {
                actor.add(process, now);
            }
        }
        let known = self.times.len();
        self.actors.iter_mut().for_each(|actor| actor.close(known));
        self.actors.retain(|actor| actor.idle < ROUNDS);
    }

    /// The actor that a process is part of; a new one if it does anything.
    fn actor(&mut self, process: &Process) -> Option<&mut Actor> {
        if let Some(place) = self.actors.iter().position(|actor| actor.takes(process)) {
            return self.actors.get_mut(place);
        }
        if !uses(process, self.now.tick).iter().zip(SCALE).any(|(value, scale)| *value >= scale) {
            return None;
        }
        if self.actors.len() >= ACTORS {
            let idlest = self.actors.iter().enumerate().filter(|(_, a)| a.idle > 0).max_by_key(|(_, a)| a.idle)?.0;
            self.actors.swap_remove(idlest);
        }
        let kin = |a: &&Actor| a.name == process.name && a.cgroup == process.cgroup && a.session == process.session;
        let crowd = self.actors.iter().filter(kin).count() >= CROWD;
        let mut actor = Actor { crowd, ..Actor::of(process) };
        // Memory was there before the actor was noticed, unless it is younger than that.
        let (now, rounds) = (self.now.tick, self.times.len().saturating_sub(1));
        let older = self.times.iter().filter(|at| process.id.age(now) > now.seconds_since(**at)).count().min(rounds);
        for (track, which) in actor.tracks.iter_mut().zip(USES) {
            let before = if which == Use::Memory { process.resident as f32 } else { 0.0 };
            track.extend(std::iter::repeat_n(0.0, rounds - older));
            track.extend(std::iter::repeat_n(before, older));
        }
        self.actors.push(actor);
        self.actors.last_mut()
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        let tracks = self.numbers.values().chain(self.actors.iter().flat_map(|actor| &actor.tracks));
        let values: usize = tracks.map(VecDeque::capacity).sum();
        values * size_of::<f32>()
            + self.times.capacity() * size_of::<Tick>()
            + self.numbers.capacity() * size_of::<(Key, VecDeque<f32>)>()
            + self.actors.capacity() * size_of::<Actor>()
    }

    /// The newest moment seen.
    pub fn now(&self) -> Now {
        self.now
    }

    /// Seconds between two rounds: the median of the newest.
    pub fn step(&self) -> f64 {
        let newest = self.times.iter().rev().zip(self.times.iter().rev().skip(1)).take(60);
        crate::analysis::pattern::robust::median(newest.map(|(later, earlier)| later.seconds_since(*earlier))).max(0.05)
    }

    /// Rounds seen, at most [`ROUNDS`].
    pub fn rounds(&self) -> usize {
        self.times.len()
    }

    /// Everybody known.
    pub fn actors(&self) -> &[Actor] {
        &self.actors
    }

    /// The actor that a process belongs to.
    pub fn actor_of(&self, process: &Process) -> Option<&Actor> {
        self.actors.iter().find(|actor| actor.takes(process))
    }

    /// Every number of the host and its parts that is known.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.numbers.keys()
    }

    /// The values of a number of the host, a disk, an interface, a cgroup or a service: one a round, newest last, NaN for a gap; rounds before
    /// it was first seen are gaps.
    pub fn number(&self, key: &Key) -> Option<Vec<f64>> {
        let track = self.numbers.get(key)?;
        let missing = self.times.len().saturating_sub(track.len());
        Some(std::iter::repeat_n(f64::NAN, missing).chain(track.iter().map(|v| f64::from(*v))).collect())
    }

    /// The values of an actor's use, one a round; 0 before it was first seen.
    pub fn used(&self, actor: &Actor, which: Use) -> Vec<f64> {
        let track = actor.track(which);
        let missing = self.times.len().saturating_sub(track.len());
        std::iter::repeat_n(0.0, missing).chain(track.iter().map(|v| f64::from(*v))).collect()
    }

    /// The values of any key; those of a process are those of the actor that it is part of.
    pub fn values(&self, key: &Key, snapshot: &Snapshot) -> Option<Vec<f64>> {
        let Subject::Process(id) = key.subject else { return self.number(key) };
        let which = match key.metric {
            Metric::ProcessCpu => Use::Cpu,
            Metric::ProcessRunDelay => Use::Wait,
            Metric::ProcessResident => Use::Memory,
            Metric::ProcessRead | Metric::ProcessWrite => Use::Storage,
            Metric::ProcessReceive => Use::Received,
            Metric::ProcessSend => Use::Sent,
            _ => return None,
        };
        let actor = snapshot.process(id).and_then(|process| self.actor_of(process));
        actor.or_else(|| self.actors.iter().find(|a| a.chief == id)).map(|actor| self.used(actor, which))
    }
}
