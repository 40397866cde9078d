//! The machine itself, below injectable roots.

pub mod alone;
pub mod brace;
mod calls;
mod connections;
mod custom;
mod diag;
mod documents;
mod facts;
mod files;
mod held;
mod knobs;
mod mount;
mod netns;
pub mod nvml;
mod program;
mod rights;
mod status;
mod stirs;
mod taskstats;
mod threads;
mod topology;
mod units;
mod wake;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod units_tests;

use crate::{
    host::{
        error::HostError,
        host::{Connection, Gpus, Handle, Host, Stirs, Touch},
    },
    model::{
        facts::Facts,
        knob::{Knob, Place, Root},
        sample::{DelaySample, Listener, Space},
        subject::ProcessId,
        time::{Now, Tick, Wall},
    },
};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    os::fd::{BorrowedFd, OwnedFd},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

/// Directories that stand for the roots of [`Root`].
#[derive(Clone, Debug)]
pub struct Roots {
    /// For [`Root::Proc`].
    pub proc: PathBuf,
    /// For [`Root::Sys`].
    pub sys: PathBuf,
    /// For [`Root::Etc`].
    pub etc: PathBuf,
    /// For [`Root::Top`].
    pub top: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        let usual = |root: Root| PathBuf::from(root.usual());
        Roots { proc: usual(Root::Proc), sys: usual(Root::Sys), etc: usual(Root::Etc), top: PathBuf::from("/") }
    }
}

/// The groups of the other end of a unix socket: its supplementary ones, as the kernel knows them. None where it does not tell.
pub fn peer_groups(socket: BorrowedFd<'_>) -> Vec<u32> {
    calls::peer_groups(socket).unwrap_or_default()
}

/// The machine.
#[derive(Debug, Default)]
pub struct RealHost {
    roots: Roots,
    guard: AtomicU32,
    /// Opened against an emergency.
    held: Mutex<BTreeMap<Knob, OwnedFd>>,
    wake: wake::Held,
}

impl RealHost {
    /// The machine below other roots.
    pub fn below(roots: Roots) -> RealHost {
        RealHost { roots, ..RealHost::default() }
    }

    /// Makes the guard's pid one of the family; 0 for none.
    pub fn set_guard(&self, pid: u32) {
        self.guard.store(pid, Ordering::Relaxed);
    }

    /// Runs the calling thread, and those that it will start, before all ordinary ones (`SCHED_FIFO` at its lowest priority): for a
    /// measuring instrument.
    pub fn run_in_real_time(&self) -> Touch<()> {
        let lowest = calls::Scheduling { policy: libc::SCHED_FIFO.unsigned_abs(), priority: 1, ..Default::default() };
        calls::set_scheduling(0, lowest).map_err(|e| HostError::new("sched_setattr", "this thread", &e))
    }

    fn path(&self, place: &Place) -> PathBuf {
        let root = match place.root {
            Root::Proc => &self.roots.proc,
            Root::Sys => &self.roots.sys,
            Root::Etc => &self.roots.etc,
            Root::Top => &self.roots.top,
        };
        root.join(&place.path)
    }
}

impl Host for RealHost {
    fn now(&self) -> Now {
        let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let nanos = u64::try_from(boot.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(boot.tv_nsec).unwrap_or(0);
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Now { tick: Tick(nanos), wall: Wall(i64::try_from(wall.as_millis()).unwrap_or(0)) }
    }

    fn pause(&self, span: Duration) {
        std::thread::sleep(span);
    }

    fn read(&self, place: &Place, into: &mut Vec<u8>) -> Touch<()> {
        files::read(&self.path(place), into).map_err(|e| HostError::new("read", place, &e))
    }

    fn open(&self, place: &Place) -> Touch<Box<dyn Handle>> {
        files::open(&self.path(place), place)
    }

    fn list(&self, place: &Place, into: &mut Vec<String>) -> Touch<()> {
        files::list(&self.path(place), into).map_err(|e| HostError::new("list", place, &e))
    }

    fn link(&self, place: &Place) -> Touch<String> {
        let to = std::fs::read_link(self.path(place)).map_err(|e| HostError::new("readlink", place, &e))?;
        Ok(to.to_string_lossy().into_owned())
    }

    fn inode(&self, place: &Place) -> Touch<u64> {
        let meta = std::fs::metadata(self.path(place)).map_err(|e| HostError::new("stat", place, &e))?;
        Ok(std::os::unix::fs::MetadataExt::ino(&meta))
    }

    fn descriptors(&self, pid: u32) -> Touch<u32> {
        let place = Place::proc(format!("{pid}/fd"));
        files::descriptors(&self.path(&place)).map_err(|e| HostError::new("count", &place, &e))
    }

    fn space(&self, at: &Place) -> Touch<Space> {
        files::space(&self.path(at)).map_err(|e| HostError::new("statvfs", at, &e))
    }

    fn cpu_clock(&self, pid: u32) -> Touch<u64> {
        calls::cpu_clock(pid).map_err(|e| HostError::new("clock_gettime", format!("process {pid}"), &e))
    }

    fn thread_clock(&self) -> Touch<u64> {
        let used = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Ok(u64::try_from(used.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(used.tv_nsec).unwrap_or(0))
    }

    fn delays(&self, pid: u32) -> Touch<DelaySample> {
        taskstats::delays(pid)
    }

    fn listeners(&self, netns: u64, through: Option<ProcessId>) -> Touch<Vec<Listener>> {
        netns::listeners(self, netns, through)
    }

    fn stirs(&self) -> Touch<Arc<dyn Stirs>> {
        stirs::watch(self)
    }

    fn connections(&self, netns: u64, through: Option<ProcessId>, into: &mut Vec<Connection>) -> Touch<()> {
        netns::connections(self, netns, through, into)
    }

    fn gpus(&self) -> Touch<Box<dyn Gpus>> {
        nvml::open(OsStr::new(nvml::LIBRARY))
    }

    fn facts(&self) -> Facts {
        facts::read(self)
    }

    fn first_facts(&self) -> Facts {
        facts::first(self)
    }

    fn tuners(&self) -> Vec<Arc<str>> {
        facts::running(self)
    }

    fn family(&self) -> Vec<u32> {
        let mut family = vec![std::process::id(), self.guard.load(Ordering::Relaxed)];
        let mut pid = std::process::id();
        while let Some(parent) = files::parent(self, pid)
            && parent > 0
            && !family.contains(&parent)
        {
            family.push(parent);
            pid = parent;
        }
        family.retain(|pid| *pid != 0);
        family
    }

    fn get(&self, knob: &Knob) -> Touch<String> {
        knobs::get(self, knob)
    }

    fn set(&self, knob: &Knob, value: &str) -> Touch<()> {
        knobs::set(self, knob, value)
    }

    fn may_set(&self, knob: &Knob) -> Touch<()> {
        knobs::may_set(self, knob)
    }

    fn hold(&self, knobs: &[Knob]) {
        held::hold(self, knobs);
    }
}
