//! A host in memory: a tree of files and links, knobs with values, a clock that only steps, and faults on demand.
//!
//! Tests load it from a text file (see [`RecordedHost::load`]) and compare [`RecordedHost::dump`] before and after.

use crate::{
    host::{
        canonical::{self, selected},
        error::{HostError, Kind},
        host::{Connection, Gpus, Handle, Host, Touch},
        identity, mounts,
    },
    model::{
        document::NONE,
        facts::Facts,
        hardware::Gpu,
        knob::{Knob, Place, Root},
        sample::{DelaySample, Listener, Space},
        subject::ProcessId,
        systemd::{Property, UNSET, value},
        time::{Now, Tick, Wall},
    },
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// One entry of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    File(Vec<u8>),
    Link(String),
}

#[derive(Default)]
struct State {
    tree: BTreeMap<Place, Node>,
    knobs: BTreeMap<Knob, String>,
    /// Loaded units, with what their own files set.
    units: BTreeMap<String, BTreeMap<Property, String>>,
    clocks: BTreeMap<u32, u64>,
    delays: BTreeMap<u32, DelaySample>,
    spaces: BTreeMap<String, Space>,
    listeners: BTreeMap<u64, Vec<Listener>>,
    connections: BTreeMap<u64, Vec<Connection>>,
    /// Graphics processors of the vendor's library, if it is there, and how often it was asked.
    gpus: Option<Vec<Gpu>>,
    asked_gpus: u32,
    facts: Facts,
    family: Vec<u32>,
    now: Now,
    writes: usize,
    fail_write: Option<usize>,
    denied: bool,
}

/// The recorded host. Cloning shares the state.
#[derive(Clone, Default)]
pub struct RecordedHost(Arc<Mutex<State>>);

impl RecordedHost {
    /// Reads a tree from text: a line `== /proc/stat` begins a file, its content follows up to the next such line;
    /// `=> /proc/1/ns/net net:[4026531833]` is a link.
    pub fn load(text: &str) -> RecordedHost {
        let host = RecordedHost::default();
        let mut file: Option<(String, String)> = None;
        for line in text.split_inclusive('\n') {
            if let Some(path) = line.strip_prefix("== ") {
                if let Some((path, content)) = file.take() {
                    host.put(&path, &content);
                }
                file = Some((path.trim().to_string(), String::new()));
            } else if let Some((path, to)) = line.strip_prefix("=> ").and_then(|rest| rest.trim().split_once(' ')) {
                host.state().tree.insert(place(path), Node::Link(to.into()));
            } else if let Some((_, content)) = &mut file {
                content.push_str(line);
            }
        }
        if let Some((path, content)) = file.take() {
            host.put(&path, &content);
        }
        host
    }

    /// Puts a file, by its absolute path.
    pub fn put(&self, path: &str, content: &str) {
        self.state().tree.insert(place(path), Node::File(content.into()));
    }

    /// Puts a symbolic link.
    pub fn put_link(&self, path: &str, to: &str) {
        self.state().tree.insert(place(path), Node::Link(to.into()));
    }

    /// Removes a file, or a directory with all below it.
    pub fn remove(&self, path: &str) {
        let gone = place(path);
        let below = format!("{}/", gone.path);
        self.state().tree.retain(|p, _| p.root != gone.root || (p.path != gone.path && !p.path.starts_with(&below)));
    }

    /// Loads a unit, or sets what its own files say of a property; empty for `[not set]`.
    pub fn set_unit(&self, unit: &str, property: Property, told: &str) {
        self.state().units.entry(unit.into()).or_default().insert(property, told.into());
    }

    /// Ends a unit; what its drop-ins say stays.
    pub fn remove_unit(&self, unit: &str) {
        self.state().units.remove(unit);
    }

    /// Sets a knob as a stranger would: no checks, no fault, not counted as a write.
    pub fn tamper(&self, knob: &Knob, value: &str) {
        let mut state = self.state();
        store(&mut state, knob, value);
    }

    /// The `n`th write from now on (1 is the next) fails with EIO, and all after it, until [`RecordedHost::heal`].
    pub fn fail_write(&self, n: usize) {
        let mut state = self.state();
        state.fail_write = Some(state.writes + n);
    }

    /// Ends the failing of writes.
    pub fn heal(&self) {
        self.state().fail_write = None;
    }

    /// From now on every write is answered with EPERM, or no longer.
    pub fn deny(&self, denied: bool) {
        self.state().denied = denied;
    }

    /// Writes done so far, failed ones left out.
    pub fn writes(&self) -> usize {
        self.state().writes
    }

    /// Sets the delay accounting of a process.
    pub fn set_delays(&self, pid: u32, delays: DelaySample) {
        self.state().delays.insert(pid, delays);
    }

    /// Sets the cpu clock of a process.
    pub fn set_clock(&self, pid: u32, nanos: u64) {
        self.state().clocks.insert(pid, nanos);
    }

    /// Sets the space of a mount.
    pub fn set_space(&self, at: &str, space: Space) {
        self.state().spaces.insert(place(at).path, space);
    }

    /// Sets the listeners of a namespace.
    pub fn set_listeners(&self, netns: u64, all: Vec<Listener>) {
        self.state().listeners.insert(netns, all);
    }

    /// Sets the connections of a namespace.
    pub fn set_connections(&self, netns: u64, all: Vec<Connection>) {
        self.state().connections.insert(netns, all);
    }

    /// Sets the graphics processors of the vendor's library, which is there from then on.
    pub fn set_gpus(&self, all: Vec<Gpu>) {
        self.state().gpus = Some(all);
    }

    /// How often they were asked.
    pub fn asked_gpus(&self) -> u32 {
        self.state().asked_gpus
    }

    /// Sets the facts.
    pub fn set_facts(&self, facts: Facts) {
        self.state().facts = facts;
    }

    /// Sets our own family of pids.
    pub fn set_family(&self, pids: Vec<u32>) {
        self.state().family = pids;
    }

    /// Sets both clocks.
    pub fn set_now(&self, now: Now) {
        self.state().now = now;
    }

    /// Steps both clocks.
    pub fn step(&self, span: Duration) {
        let mut state = self.state();
        state.now.tick = state.now.tick + span;
        state.now.wall = Wall(state.now.wall.0 + i64::try_from(span.as_millis()).unwrap_or(0));
    }

    /// Everything that a change could have changed, as text: equal dumps are equal machines.
    pub fn dump(&self) -> String {
        let state = self.state();
        let mut out = String::new();
        for (place, node) in &state.tree {
            match node {
                Node::File(bytes) => out.push_str(&format!("== {place}\n{}", String::from_utf8_lossy(bytes))),
                Node::Link(to) => out.push_str(&format!("=> {place} {to}\n")),
            }
        }
        for (knob, value) in &state.knobs {
            if *value != usual(knob) {
                out.push_str(&format!("knob {knob:?} {value}\n"));
            }
        }
        out
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of an absolute path.
fn place(path: &str) -> Place {
    for root in [Root::Proc, Root::Sys, Root::Etc] {
        if let Some(rest) = path.strip_prefix(root.usual()).and_then(|rest| rest.strip_prefix('/')) {
            return Place { root, path: rest.into() };
        }
    }
    Place::top(path)
}

/// The file behind a knob, where it is one.
fn file_of(knob: &Knob) -> Option<Place> {
    match knob {
        Knob::File(place) => Some(place.clone()),
        Knob::ProcessFile { process, file } => Some(Place::proc(format!("{}/{file}", process.pid))),
        Knob::CgroupFile { directory, file, .. } | Knob::CgroupDevice { directory, file, .. } => Some(directory.join(file)),
        Knob::Mount { .. } => Some(Place::proc("self/mountinfo")),
        Knob::NetworkFile { through: None, file, .. } => Some(Place::proc(format!("sys/net/{file}"))),
        _ => None,
    }
}

/// What a knob that is no file holds on a fresh machine.
fn usual(knob: &Knob) -> String {
    match knob {
        Knob::Nice(_) => "0",
        Knob::Policy(_) => "other",
        Knob::Affinity(_) => "0-1",
        Knob::IoPriority(_) => "none",
        Knob::Custom(_) => "undone",
        Knob::Signal(_) | Knob::Run(_) => "running",
        Knob::Log(_) => "kept",
        Knob::WakeLatency { .. } => "none",
        Knob::Descriptors(_) => "1024:1048576",
        Knob::Backlog { .. } => "16",
        Knob::NetworkFile { .. } => "16",
        _ => "",
    }
    .into()
}

fn store(state: &mut State, knob: &Knob, value: &str) {
    match knob {
        Knob::UnitProperty { unit, property, .. } => return set_property(state, unit, (*property, value)),
        Knob::Document(place) if value == NONE => return drop(state.tree.remove(place)),
        Knob::Document(place) => return drop(state.tree.insert(place.clone(), Node::File(value.into()))),
        _ => {}
    }
    let Some(place) = file_of(knob) else {
        state.knobs.insert(knob.clone(), value.into());
        return;
    };
    let old = match state.tree.get(&place) {
        Some(Node::File(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    };
    let new = if let Knob::ProcessFile { file, .. } = knob
        && file == "autogroup"
    {
        format!("{} nice {value}\n", old.split(" nice").next().unwrap_or("/autogroup-1"))
    } else if let Knob::CgroupDevice { file, device, .. } = knob {
        canonical::with_device(&old, file, *device, value)
    } else if let Knob::Mount { at, .. } = knob {
        mounts::with_options(&old, at, value)
    } else if old.contains('[') {
        let words = old.split_ascii_whitespace().map(|w| w.trim_matches(['[', ']']));
        words.map(|w| if w == value { format!("[{w}]") } else { w.into() }).collect::<Vec<_>>().join(" ") + "\n"
    } else {
        format!("{value}\n")
    };
    state.tree.insert(place.clone(), Node::File(new.into_bytes()));
    couple(state, &place, value);
}

/// As systemd does: a drop-in of its own for each property set at runtime.
fn set_property(state: &mut State, unit: &str, (property, value): (Property, &str)) {
    let [place, _of_transient_units] = property.drop_ins(unit);
    if value.starts_with(UNSET) {
        state.tree.remove(&place);
        return;
    }
    let text = format!("# made by set-property\n[Service]\n{}={value}\n", property.name());
    state.tree.insert(place, Node::File(text.into_bytes()));
}

/// What systemd holds: what is set at runtime, else what the unit's own files say.
fn property(state: &State, unit: &str, property: Property) -> Touch<String> {
    let [place, _of_transient_units] = property.drop_ins(unit);
    let set = match state.tree.get(&place) {
        Some(Node::File(bytes)) => Some(property.of_drop_in(&String::from_utf8_lossy(bytes))),
        _ => None,
    };
    match (state.units.get(unit), set) {
        (None, None) => Err(HostError::plain("find", unit, Kind::Gone, "systemd has no such unit loaded")),
        (_, Some(set)) => Ok(set),
        (Some(own), None) => Ok(value(own.get(&property).map_or("", String::as_str), None)),
    }
}

/// The kernel's couplings that undo has to know: writing one member of a pair zeroes the other.
fn couple(state: &mut State, place: &Place, value: &str) {
    let pairs = [("sys/vm/dirty_bytes", "sys/vm/dirty_ratio"), ("sys/vm/dirty_background_bytes", "sys/vm/dirty_background_ratio")];
    for (bytes, ratio) in pairs {
        let other = match place.path.as_str() {
            p if p == bytes => ratio,
            p if p == ratio => bytes,
            _ => continue,
        };
        if value != "0" {
            state.tree.insert(Place::proc(other), Node::File(b"0\n".to_vec()));
        }
    }
    if let Some(queue) = place.path.strip_suffix("/scheduler") {
        state.tree.insert(Place::sys(format!("{queue}/nr_requests")), Node::File(b"64\n".to_vec()));
    }
}

struct RecordedHandle(RecordedHost, Place);

impl Handle for RecordedHandle {
    fn read(&self, into: &mut Vec<u8>) -> Touch<()> {
        self.0.read(&self.1, into).map_err(|e| HostError { kind: Kind::Gone, ..e })
    }
}

struct RecordedGpus(RecordedHost);

impl Gpus for RecordedGpus {
    fn read(&self, at: &[Arc<str>]) -> Touch<Vec<Gpu>> {
        let mut state = self.0.state();
        state.asked_gpus += 1;
        let all = state.gpus.iter().flatten();
        Ok(all.filter(|gpu| at.is_empty() || at.contains(&gpu.id)).cloned().collect())
    }
}

impl Host for RecordedHost {
    fn now(&self) -> Now {
        self.state().now
    }

    fn pause(&self, span: Duration) {
        self.step(span);
    }

    fn read(&self, place: &Place, into: &mut Vec<u8>) -> Touch<()> {
        into.clear();
        match self.state().tree.get(place) {
            Some(Node::File(bytes)) => {
                into.extend_from_slice(bytes);
                Ok(())
            }
            _ => Err(absent("read", place)),
        }
    }

    fn open(&self, place: &Place) -> Touch<Box<dyn Handle>> {
        self.read(place, &mut Vec::new()).map(|()| Box::new(RecordedHandle(self.clone(), place.clone())) as Box<dyn Handle>)
    }

    fn list(&self, place: &Place, into: &mut Vec<String>) -> Touch<()> {
        into.clear();
        let below = if place.path.is_empty() { String::new() } else { format!("{}/", place.path.trim_end_matches('/')) };
        for found in self.state().tree.keys().filter(|p| p.root == place.root) {
            if let Some(rest) = found.path.strip_prefix(&below) {
                let name = rest.split('/').next().unwrap_or(rest).to_string();
                if into.last() != Some(&name) && !into.contains(&name) {
                    into.push(name);
                }
            }
        }
        if into.is_empty() { Err(absent("list", place)) } else { Ok(()) }
    }

    fn link(&self, place: &Place) -> Touch<String> {
        match self.state().tree.get(place) {
            Some(Node::Link(to)) => Ok(to.clone()),
            _ => Err(absent("readlink", place)),
        }
    }

    fn inode(&self, place: &Place) -> Touch<u64> {
        let mut names = Vec::new();
        if self.state().tree.contains_key(place) || self.list(place, &mut names).is_ok() {
            // A stable number from the path: recorded trees have no inodes of their own.
            Ok(place
                .path
                .bytes()
                .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)))
        } else {
            Err(absent("stat", place))
        }
    }

    fn descriptors(&self, pid: u32) -> Touch<u32> {
        let mut names = Vec::new();
        self.list(&Place::proc(format!("{pid}/fd")), &mut names)?;
        Ok(u32::try_from(names.len()).unwrap_or(u32::MAX))
    }

    fn space(&self, at: &Place) -> Touch<Space> {
        self.state().spaces.get(&at.path).copied().ok_or_else(|| absent("statvfs", at))
    }

    fn cpu_clock(&self, pid: u32) -> Touch<u64> {
        self.state().clocks.get(&pid).copied().ok_or_else(|| HostError::plain("clock_gettime", pid, Kind::Gone, "no such process"))
    }

    fn delays(&self, pid: u32) -> Touch<DelaySample> {
        let unknown = || HostError::plain("taskstats of", pid, Kind::Denied, "needs CAP_NET_ADMIN");
        self.state().delays.get(&pid).copied().ok_or_else(unknown)
    }

    fn listeners(&self, netns: u64, _through: Option<ProcessId>) -> Touch<Vec<Listener>> {
        Ok(self.state().listeners.get(&netns).cloned().unwrap_or_default())
    }

    fn connections(&self, netns: u64, _through: Option<ProcessId>, into: &mut Vec<Connection>) -> Touch<()> {
        into.clear();
        into.extend_from_slice(self.state().connections.get(&netns).map(Vec::as_slice).unwrap_or_default());
        Ok(())
    }

    fn gpus(&self) -> Touch<Box<dyn Gpus>> {
        let there = self.state().gpus.is_some();
        let absent = || HostError::plain("load", "graphics library", Kind::Absent, "there is none");
        if there { Ok(Box::new(RecordedGpus(self.clone()))) } else { Err(absent()) }
    }

    fn facts(&self) -> Facts {
        self.state().facts.clone()
    }

    fn family(&self) -> Vec<u32> {
        self.state().family.clone()
    }

    fn get(&self, knob: &Knob) -> Touch<String> {
        identity::check(self, knob)?;
        match file_of(knob) {
            Some(place) => {
                let text = self.text(&place)?;
                match knob {
                    Knob::Mount { at, .. } => {
                        Ok(mounts::options(&text, at).map(|(_, options)| options.to_string()).unwrap_or_default())
                    }
                    _ => Ok(selected(&text, knob)),
                }
            }
            None => match knob {
                Knob::UnitProperty { unit, property: which, .. } => property(&self.state(), unit, *which),
                Knob::Document(place) => {
                    self.text(place).or_else(|e| if e.kind == Kind::Absent { Ok(NONE.into()) } else { Err(e) })
                }
                _ => Ok(self.state().knobs.get(knob).cloned().unwrap_or_else(|| usual(knob))),
            },
        }
    }

    fn set(&self, knob: &Knob, value: &str) -> Touch<()> {
        match self.may_set(knob) {
            // What a unit that has ended left behind can be taken away.
            Err(e) if e.kind == Kind::Gone && matches!(knob, Knob::UnitProperty { .. }) && value.starts_with(UNSET) => {}
            may => may?,
        }
        let mut state = self.state();
        if state.fail_write.is_some_and(|n| state.writes + 1 >= n) {
            return Err(HostError::new("write", knob, &std::io::Error::from_raw_os_error(libc::EIO)));
        }
        state.writes += 1;
        if value == "0" && matches!(knob, Knob::File(p) if p.path.starts_with("sys/vm/dirty_") && p.path.ends_with("_bytes")) {
            return Err(HostError::new("write", knob, &std::io::Error::from_raw_os_error(libc::EINVAL)));
        }
        store(&mut state, knob, value);
        Ok(())
    }

    fn may_set(&self, knob: &Knob) -> Touch<()> {
        identity::check(self, knob)?;
        if let Some(place) = file_of(knob) {
            self.read(&place, &mut Vec::new())?;
        }
        if let Knob::UnitProperty { unit, .. } = knob
            && !self.state().units.contains_key(unit)
        {
            return Err(HostError::plain("find", unit, Kind::Gone, "systemd has no such unit loaded"));
        }
        if self.state().denied {
            return Err(HostError::new("write", knob, &std::io::Error::from_raw_os_error(libc::EPERM)));
        }
        Ok(())
    }
}

fn absent(op: &'static str, place: &Place) -> HostError {
    HostError::new(op, place, &std::io::Error::from_raw_os_error(libc::ENOENT))
}

/// A tick of that many seconds, for tests.
pub fn at(seconds: f64) -> Tick {
    Tick((seconds * 1e9) as u64)
}
