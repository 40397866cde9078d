//! One group between sweeps: what was last read of it, and when which part is read again.
//!
//! Cpu use is counted with that of all groups below, so a group under a parent that used none is not even read. Which part is read:
//!
//! | part | under a parent that ran | else |
//! |---|---|---|
//! | cpu use and throttling | each sweep | in turns of [`TURN`] sweeps |
//! | memory in use (and what of it can be taken back), pressure, io | each sweep if it ran itself or its tasks waited | in turns, unless its tasks waited |
//! | quota, weight, limits, swap, peak, kills, tasks, number of processes | every [`SETTINGS`] sweeps if it ran itself | every [`IDLE_SETTINGS`] |

use super::{
    container, files,
    tree::{Mounts, Part, Parts},
};
use crate::{
    host::{
        error::{HostError, Kind},
        host::{Host, Touch},
    },
    model::{
        knob::Place,
        sample::{CgroupSample, CgroupVersion, Stall},
        text::clean,
    },
    sources::{
        kept::Kept,
        parse::{self, stall},
    },
};

const TURN: u64 = 10;
const SETTINGS: u64 = 5;
const IDLE_SETTINGS: u64 = 30;

/// One group.
pub struct Group {
    /// As last read.
    pub sample: CgroupSample,
    /// Its path as it is.
    pub path: String,
    /// The hierarchies that it is in.
    pub parts: Parts,
    directories: Directories,
    /// Where its cpu use is counted; kept open while there is room.
    usage: Option<Kept>,
    /// Turns are spread by this.
    number: u64,
    known: bool,
    /// It used cpu in this sweep.
    pub ran: bool,
    /// Tasks of it waited when its pressure was last read: it may be busy without using cpu.
    stalled: bool,
}

/// Its directories in the hierarchies that it is in.
struct Directories {
    cpu: Option<Place>,
    accounting: Option<Place>,
    memory: Option<Place>,
    pids: Option<Place>,
    blkio: Option<Place>,
    unified: Option<Place>,
}

impl Group {
    /// A group in these hierarchies.
    pub fn new(mounts: &Mounts, path: &str, parts: Parts) -> Group {
        let directory = |part: Part| parts.contains(&part).then(|| mounts.directory(part, path)).flatten();
        let directories = Directories {
            cpu: directory(Part::Cpu),
            accounting: directory(Part::Accounting),
            memory: directory(Part::Memory),
            pids: directory(Part::Pids),
            blkio: directory(Part::Blkio),
            unified: directory(Part::Unified),
        };
        Group {
            sample: CgroupSample {
                path: clean(path, 512),
                version: mounts.version(),
                unit: container::unit(path).map(|unit| clean(&unit, 256)),
                ..CgroupSample::default()
            },
            path: path.into(),
            parts,
            directories,
            usage: None,
            number: path.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))),
            known: false,
            ran: false,
            stalled: false,
        }
    }

    /// Keeps the file of its cpu use open from now on.
    pub fn keep_open(&mut self) {
        self.usage = self.usage_file().map(Kept::new);
    }

    fn v1(&self) -> bool {
        self.sample.version == CgroupVersion::V1
    }

    fn usage_file(&self) -> Option<Place> {
        let d = &self.directories;
        if self.v1() { Some(d.accounting.as_ref()?.join("cpuacct.usage")) } else { Some(d.unified.as_ref()?.join("cpu.stat")) }
    }

    /// Reads what is due. An error means that it is gone.
    pub fn refresh(&mut self, reader: &mut Reader, sweep: u64, parent_ran: bool) -> Touch<()> {
        let turn = self.number.wrapping_add(sweep);
        let first = !self.known;
        let due = first || turn.is_multiple_of(TURN);
        self.ran = false;
        if !(due || parent_ran || self.stalled) {
            return Ok(());
        }
        if due {
            self.identify(reader.host)?;
        }
        let before = self.sample.cpu;
        self.read_usage(reader)?;
        self.ran = self.sample.cpu.is_none() || self.sample.cpu != before;
        let look = due || self.ran || self.stalled;
        if look {
            self.read_state(reader);
        }
        if first || turn.is_multiple_of(if self.ran { SETTINGS } else { IDLE_SETTINGS }) {
            self.read_settings(reader);
        }
        if look {
            self.read_reclaimable(reader);
        }
        self.known = true;
        Ok(())
    }

    /// Looks whether the directory is still there and still the same.
    fn identify(&mut self, host: &dyn Host) -> Touch<()> {
        let d = &self.directories;
        let home = if self.v1() { d.cpu.as_ref() } else { d.unified.as_ref() };
        let Some(directory) =
            home.or(d.accounting.as_ref()).or(d.memory.as_ref()).or(d.unified.as_ref()).or(d.pids.as_ref()).or(d.blkio.as_ref())
        else {
            return Ok(());
        };
        let inode = host.inode(directory)?;
        if self.known && inode != self.sample.inode {
            return Err(HostError::plain("find", directory, Kind::Gone, "it was made anew"));
        }
        self.sample.inode = inode;
        Ok(())
    }

    fn read_usage(&mut self, reader: &mut Reader) -> Touch<()> {
        let file = if self.usage.is_some() { None } else { self.usage_file() };
        match (&mut self.usage, file) {
            (Some(kept), _) => kept.read(reader.host, reader.buffer)?,
            (None, Some(place)) => reader.host.read(&place, reader.buffer)?,
            (None, None) => {
                self.sample.cpu = None;
                return Ok(());
            }
        }
        let text = parse::text(reader.buffer);
        if self.v1() {
            self.sample.cpu = parse::whole(&text);
        } else {
            let stat = files::parse_cpu_stat(&text);
            (self.sample.cpu, self.sample.throttling) = (stat.used, stat.throttling);
        }
        Ok(())
    }

    fn read_state(&mut self, reader: &mut Reader) {
        let (sample, d) = (&mut self.sample, &self.directories);
        sample.at = reader.host.now().tick;
        if sample.version == CgroupVersion::V1 {
            sample.throttling = reader.get(&d.cpu, "cpu.stat", |text| files::parse_cpu_stat(text).throttling);
        }
        sample.memory = match &d.memory {
            Some(_) => reader.get(&d.memory, "memory.usage_in_bytes", parse::whole),
            None => reader.get(&d.unified, "memory.current", parse::whole),
        };
        sample.io = match &d.blkio {
            Some(_) => reader.get(&d.blkio, "blkio.throttle.io_service_bytes", files::parse_io),
            None => reader.get(&d.unified, "io.stat", files::parse_io),
        };
        let mut stall = |name| reader.get(&d.unified, name, stall::parse);
        let before = sample.pressure;
        sample.pressure = match (stall("cpu.pressure"), stall("memory.pressure"), stall("io.pressure")) {
            (Some(cpu), Some(memory), Some(io)) => Some([cpu, memory, io]),
            _ => None,
        };
        let total = |stalls: [Stall; 3]| stalls.map(|stall| stall.some.total);
        self.stalled = before.map(total) != sample.pressure.map(total) && before.is_some();
    }

    fn read_settings(&mut self, reader: &mut Reader) {
        let (v1, sample, d) = (self.v1(), &mut self.sample, &self.directories);
        let cpu = if v1 { &d.cpu } else { &d.unified };
        if v1 {
            let period = reader.get(cpu, "cpu.cfs_period_us", |text| Some(text.to_string())).unwrap_or_default();
            sample.quota = reader.get(cpu, "cpu.cfs_quota_us", |quota| files::parse_cfs(quota, &period));
            sample.weight = reader.get(cpu, "cpu.shares", parse::whole);
        } else {
            sample.quota = reader.get(cpu, "cpu.max", files::parse_cpu_max);
            sample.weight = reader.get(cpu, "cpu.weight", parse::whole);
        }
        sample.idle = reader.get(cpu, "cpu.idle", parse::whole) == Some(1);
        (sample.memory_limit, sample.oom_kills) = match &d.memory {
            Some(_) => (
                reader.get(&d.memory, "memory.limit_in_bytes", files::parse_limit),
                reader.get(&d.memory, "memory.oom_control", files::parse_oom_kills),
            ),
            None => (
                reader.get(&d.unified, "memory.max", files::parse_limit),
                reader.get(&d.unified, "memory.events", files::parse_oom_kills),
            ),
        };
        self.read_room(reader);
        let d = &self.directories;
        let cpu = if v1 { &d.cpu } else { &d.unified };
        let home = [cpu, &d.memory, &d.pids, &d.blkio, &d.unified].into_iter().find(|d| d.is_some()).unwrap_or(cpu);
        let count = reader.get(home, "cgroup.procs", |text| Some(text.lines().count()));
        self.sample.processes = u32::try_from(count.unwrap_or(0)).unwrap_or(u32::MAX);
    }
}

impl Group {
    /// What of the memory in use could be taken back, where there is a limit and a fiftieth of it is used: enough to be seen heading there.
    fn read_reclaimable(&mut self, reader: &mut Reader) {
        let (sample, d) = (&mut self.sample, &self.directories);
        let near = sample.memory_limit.zip(sample.memory).is_some_and(|(limit, memory)| memory >= limit / 50);
        let directory = if d.memory.is_some() { &d.memory } else { &d.unified };
        sample.reclaimable = if near { reader.get(directory, "memory.stat", files::parse_reclaimable) } else { None };
    }

    /// Limits of memory, swap and tasks beyond the hard one, and how near they were come.
    fn read_room(&mut self, reader: &mut Reader) {
        let (sample, d) = (&mut self.sample, &self.directories);
        (sample.memory_peak, sample.swap) = match &d.memory {
            Some(_) => {
                let both = reader.get(&d.memory, "memory.memsw.usage_in_bytes", parse::whole);
                let swap = both.zip(sample.memory).map(|(both, memory)| both.saturating_sub(memory));
                (reader.get(&d.memory, "memory.max_usage_in_bytes", parse::whole), swap)
            }
            None => {
                (reader.get(&d.unified, "memory.peak", parse::whole), reader.get(&d.unified, "memory.swap.current", parse::whole))
            }
        };
        sample.memory_high = if d.memory.is_some() { None } else { reader.get(&d.unified, "memory.high", files::parse_limit) };
        let tasks = if d.pids.is_some() { &d.pids } else { &d.unified };
        sample.pids = reader.get(tasks, "pids.current", parse::whole);
        sample.pids_limit = reader.get(tasks, "pids.max", parse::whole);
    }
}

/// Reads files into one buffer.
pub struct Reader<'a> {
    /// From where.
    pub host: &'a dyn Host,
    /// What was read last.
    pub buffer: &'a mut Vec<u8>,
}

impl Reader<'_> {
    fn get<T>(&mut self, directory: &Option<Place>, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        self.host.read(&directory.as_ref()?.join(name), self.buffer).ok()?;
        parse(&parse::text(self.buffer))
    }
}
