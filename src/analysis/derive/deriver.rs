//! The state of deriving: samples in, vitals and snapshots out. No I/O, no clock; the brain feeds it and replay feeds it the same.

use super::{
    backing::backing,
    cgroups::cgroups,
    cpu::cpu,
    disks::disks,
    hardware::hardware,
    idle::idle,
    network::{network, tcp},
    pressure::pressure,
    processes::processes,
    receive::receive,
    services::services,
    slot::{Ring, Slot},
    traffic::Traffic,
    vm::vm,
};
use crate::model::{
    allowance::Allowance,
    backing::{Backing, BackingSample},
    facts::Facts,
    hardware::{Gpu, Hardware, HardwareSample},
    idle::{Idle, IdleSample},
    paging::Paging,
    receive::{Receive, ReceiveSample},
    sample::{
        CgroupSample, Counters, CpuSample, DiskSample, MOST_CGROUPS, MemorySample, NetworkSample, PressureSample, ProcessSample,
        Sample, ServiceSample, SourceName, TcpSample, VmSample,
    },
    snapshot::{Cgroup, Disk, Filesystem, Gap, Network, Process, Reading, Service, Snapshot, Tcp, Vitals},
    tables::Tables,
    time::Now,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How a source does.
#[derive(Default)]
struct Health {
    /// A reading is late when the last one is older than this.
    patience: Option<Duration>,
    good: Option<Now>,
    failed: Option<Gap>,
}

/// Turns samples into vitals and snapshots.
#[derive(Default)]
pub struct Deriver {
    health: BTreeMap<SourceName, Health>,
    /// Sweeps are so much further apart than usual.
    stretch: Duration,
    /// The first time it heard of.
    born: Option<Now>,
    cpu: Ring<CpuSample>,
    vm: Ring<VmSample>,
    pressure: Ring<PressureSample>,
    memory: Ring<MemorySample>,
    disks: Slot<Vec<DiskSample>, Vec<Disk>>,
    filesystems: Slot<(), Vec<Filesystem>>,
    network: Slot<NetworkSample, Network>,
    traffic: Traffic,
    tcp: Slot<Vec<TcpSample>, Vec<Tcp>>,
    processes: Slot<Arc<Vec<ProcessSample>>, Arc<Vec<Process>>>,
    cgroups: Slot<Vec<CgroupSample>, Vec<Cgroup>>,
    services: Slot<Vec<ServiceSample>, Vec<Service>>,
    hardware: Slot<HardwareSample, Hardware>,
    gpus: Slot<(), Vec<Gpu>>,
    backing: Slot<BackingSample, Backing>,
    allowance: Slot<(), Allowance>,
    paging: Slot<(), Paging>,
    receive: Slot<ReceiveSample, Receive>,
    idle: Slot<IdleSample, Idle>,
    tables: Slot<(), Tables>,
    facts: Arc<Facts>,
}

impl Deriver {
    /// Expects these sources, each to be heard of at least so often: its interval and its deadline.
    pub fn new(expected: impl IntoIterator<Item = (SourceName, Duration)>) -> Deriver {
        let health = expected.into_iter().map(|(name, patience)| (name, Health { patience: Some(patience), ..Health::default() }));
        Deriver { health: health.collect(), ..Deriver::default() }
    }

    /// Sweeps come so often from now on: nothing is late for that.
    pub fn expect(&mut self, sweep: Duration) {
        self.stretch = sweep.saturating_sub(Duration::from_secs(1));
    }

    /// Takes a sample that was read at `at`, or the reason why there is none.
    pub fn take(&mut self, source: SourceName, at: Now, reading: Result<Sample, Arc<str>>) {
        self.born.get_or_insert(at);
        let health = self.health.entry(source).or_default();
        match reading {
            Ok(sample) => {
                health.good = Some(at);
                health.failed = None;
                self.take_sample(at, sample);
            }
            Err(why) => {
                let since = health.failed.as_ref().map_or(at.wall, |gap| gap.since);
                health.failed = Some(Gap { why, since });
            }
        }
    }

    fn take_sample(&mut self, at: Now, sample: Sample) {
        let at = at.tick;
        match sample {
            Sample::Cpu(new) => self.cpu.take(at, new),
            Sample::Memory(new) => self.memory.take(at, new),
            Sample::Vm(new) => self.vm.take(at, new),
            Sample::Pressure(new) => self.pressure.take(at, new),
            Sample::Disks(new) => self.disks.take(at, new, |old, new, dt| Some(disks(old?, new, dt))),
            Sample::Filesystems(new) => {
                let rows = new.into_iter().map(|row| Filesystem {
                    at: row.at,
                    device: row.device,
                    kind: row.kind,
                    space: row.space,
                    stale: row.stale,
                    number: row.number,
                    read_only: row.read_only,
                    options: row.options,
                });
                self.filesystems.take(at, (), |_, (), _| Some(rows.collect()));
            }
            Sample::Interfaces(new) => self.network.take(at, new, |old, new, dt| Some(network(old?, new, dt))),
            Sample::Tcp(new) => {
                self.traffic.take(&new);
                let traffic = &self.traffic;
                self.tcp.take(at, new, |old, new, dt| {
                    let mut rows = tcp(old?, new, dt);
                    traffic.tell(&mut rows);
                    Some(rows)
                });
            }
            Sample::Processes(new) => {
                let traffic = &self.traffic;
                self.processes.take(at, new, |old, new, dt| {
                    let mut rows = processes(old.map(|old| old.as_slice()).unwrap_or_default(), new, dt);
                    traffic.fill(&mut rows);
                    Some(Arc::new(rows))
                });
            }
            Sample::Cgroups(new) => {
                let processes = self.processes.newest().map(|all| all.as_slice()).unwrap_or_default();
                self.cgroups
                    .take(at, new, |old, new, dt| Some(cgroups(old.map(Vec::as_slice).unwrap_or_default(), new, processes, dt)));
            }
            Sample::Services(new) => self.services.take(at, new, |old, new, dt| Some(services(old?, new, dt))),
            Sample::Facts(new) => self.facts = new,
            Sample::Hardware(new) => self.hardware.take(at, new, |old, new, dt| Some(hardware(old, new, dt))),
            Sample::Gpus(new) => self.gpus.take(at, (), |_, (), _| Some(new)),
            Sample::Backing(new) => self.backing.take(at, new, |old, new, dt| Some(backing(old, new, dt))),
            Sample::Allowance(new) => self.allowance.take(at, (), |_, (), _| Some(new)),
            Sample::Paging(new) => self.paging.take(at, (), |_, (), _| Some(new)),
            Sample::Receive(new) => self.receive.take(at, new, |old, new, dt| Some(receive(old, new, dt))),
            Sample::Idle(new) => self.idle.take(at, new, |old, new, dt| Some(idle(old, new, dt))),
            Sample::Tables(new) => self.tables.take(at, (), |_, (), _| Some(new)),
        }
    }

    /// The newest facts.
    pub fn facts(&self) -> &Arc<Facts> {
        &self.facts
    }

    /// The newest samples as they were read.
    pub fn counters(&self) -> Counters {
        Counters {
            cpu: self.cpu.last().cloned(),
            vm: self.vm.last().cloned(),
            pressure: self.pressure.last().cloned(),
            disks: self.disks.last().cloned().unwrap_or_default(),
            network: self.network.last().cloned().unwrap_or_default(),
            tcp: self.tcp.last().cloned().unwrap_or_default(),
            cgroups: self.cgroups.last().cloned().unwrap_or_default(),
            services: self.services.last().cloned().unwrap_or_default(),
        }
    }

    /// What the fast lane says at `now`, over the last second.
    pub fn vitals(&self, now: Now) -> Vitals {
        let ends = self.cpu.ends();
        Vitals {
            now: self.health.get(&SourceName::Cpu).and_then(|health| health.good).unwrap_or(now),
            cpu: self.reading(SourceName::Cpu, now, ends.and_then(|(old, new, dt)| cpu(old, new, dt))),
            memory: self.reading(SourceName::Memory, now, self.memory.last().cloned()),
            vm: self.reading(SourceName::Vm, now, self.vm.ends().map(|(old, new, dt)| vm(old, new, dt))),
            pressure: self.reading(SourceName::Pressure, now, self.pressure.ends().map(|(old, new, dt)| pressure(old, new, dt))),
        }
    }

    /// All that is known at `now`.
    pub fn snapshot(&self, now: Now) -> Snapshot {
        Snapshot {
            vitals: self.vitals(now),
            disks: self.reading(SourceName::Disks, now, self.disks.derived.clone()),
            filesystems: self.reading(SourceName::Filesystems, now, self.filesystems.derived.clone()),
            network: self.reading(SourceName::Interfaces, now, self.network.derived.clone()),
            tcp: self.reading(SourceName::Tcp, now, self.tcp.derived.clone()),
            processes: self.reading(SourceName::Processes, now, self.processes.derived.clone()),
            cgroups: self.reading(SourceName::Cgroups, now, self.cgroups.derived.clone()),
            services: self.reading(SourceName::Services, now, self.services.derived.clone()),
            hardware: self.reading(SourceName::Hardware, now, self.hardware.derived.clone()),
            gpus: self.reading(SourceName::Gpus, now, self.gpus.derived.clone()),
            backing: self.reading(SourceName::Backing, now, self.backing.derived.clone()),
            allowance: self.reading(SourceName::Allowance, now, self.allowance.derived.clone()),
            paging: self.reading(SourceName::Paging, now, self.paging.derived.clone()),
            receive: self.reading(SourceName::Receive, now, self.receive.derived.clone()),
            idle: self.reading(SourceName::Idle, now, self.idle.derived.clone()),
            tables: self.reading(SourceName::Tables, now, self.tables.derived),
            gaps: self.gaps(now),
        }
    }

    fn reading<T>(&self, source: SourceName, now: Now, value: Option<T>) -> Reading<T> {
        match (self.gap(source, now), value) {
            (Some(gap), _) => Reading::Gap(gap),
            (None, Some(value)) => Reading::Known(value),
            (None, None) => Reading::Initializing,
        }
    }

    /// Why a source has no value now: its last reading failed, or it is late.
    fn gap(&self, source: SourceName, now: Now) -> Option<Gap> {
        let health = self.health.get(&source)?;
        if let Some(gap) = &health.failed {
            return Some(gap.clone());
        }
        let last = health.good.or(self.born)?;
        let late = health.patience.is_some_and(|patience| now.tick.since(last.tick) > patience + self.stretch);
        late.then(|| Gap { why: "late: it has not answered in time".into(), since: last.wall })
    }

    fn gaps(&self, now: Now) -> Vec<(SourceName, Gap)> {
        let mut all: Vec<_> = self.health.keys().filter_map(|name| Some((*name, self.gap(*name, now)?))).collect();
        if self.cgroups.derived.as_ref().is_some_and(|groups| groups.len() >= MOST_CGROUPS) {
            let why = format!("only {MOST_CGROUPS} control groups are read, there are more");
            all.push((SourceName::Cgroups, Gap { why: why.into(), since: self.born.map(|born| born.wall).unwrap_or_default() }));
        }
        all
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{
        sample::CpuTimes,
        time::{Tick, Wall},
    };

    fn at(millis: i64) -> Now {
        Now { tick: Tick(millis as u64 * 1_000_000), wall: Wall(millis) }
    }

    fn cpu_sample(user: u64, idle: u64) -> Result<Sample, Arc<str>> {
        Ok(Sample::Cpu(CpuSample { total: CpuTimes { user, idle, ..CpuTimes::default() }, ..CpuSample::default() }))
    }

    fn deriver() -> Deriver {
        Deriver::new([(SourceName::Cpu, Duration::from_millis(200)), (SourceName::Disks, Duration::from_millis(1500))])
    }

    #[test]
    fn first_initializing_then_known_over_the_last_second() {
        let mut deriver = deriver();
        deriver.take(SourceName::Cpu, at(0), cpu_sample(0, 0));
        assert_eq!(deriver.vitals(at(0)).cpu, Reading::Initializing);
        for step in 1..=20_u64 {
            // Idle for a second, then busy: only the last second counts.
            let (user, idle) = if step <= 10 { (0, step * 10) } else { ((step - 10) * 10, 100) };
            deriver.take(SourceName::Cpu, at(step as i64 * 100), cpu_sample(user, idle));
        }
        let vitals = deriver.vitals(at(2000));
        assert_eq!(vitals.cpu.known().unwrap().total.user, 1.0);
        assert_eq!(vitals.now, at(2000));
    }

    #[test]
    fn a_late_source_is_a_gap_since_its_last_word_and_comes_back() {
        let mut deriver = deriver();
        deriver.take(SourceName::Cpu, at(0), cpu_sample(0, 0));
        deriver.take(SourceName::Cpu, at(100), cpu_sample(5, 5));
        assert!(deriver.vitals(at(300)).cpu.known().is_some());
        let Reading::Gap(gap) = deriver.vitals(at(301)).cpu else { panic!("not a gap") };
        assert_eq!(gap.since, Wall(100));
        deriver.take(SourceName::Cpu, at(600), cpu_sample(10, 50));
        assert!((deriver.vitals(at(600)).cpu.known().unwrap().total.user - 10.0 / 60.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_asked_for_less_often_is_not_late_for_it() {
        let mut deriver = deriver();
        deriver.take(SourceName::Disks, at(0), Ok(Sample::Disks(Vec::new())));
        deriver.expect(Duration::from_secs(5));
        assert!(deriver.snapshot(at(5400)).gaps.iter().all(|(name, _)| *name != SourceName::Disks));
        assert!(deriver.snapshot(at(5600)).gaps.iter().any(|(name, _)| *name == SourceName::Disks));
    }

    #[test]
    fn a_source_never_heard_of_is_initializing_until_its_patience_ends() {
        let mut deriver = deriver();
        deriver.take(SourceName::Cpu, at(0), cpu_sample(0, 0));
        assert_eq!(deriver.snapshot(at(1000)).disks, Reading::Initializing);
        assert!(matches!(deriver.snapshot(at(1600)).disks, Reading::Gap(_)));
        assert_eq!(deriver.snapshot(at(99_000)).tcp, Reading::Initializing, "not expected: never late");
    }

    #[test]
    fn a_failure_is_a_gap_since_its_first_time_with_its_newest_reason() {
        let mut deriver = deriver();
        deriver.take(SourceName::Pressure, at(0), Err("off".into()));
        deriver.take(SourceName::Pressure, at(100), Err("off: boot with psi=1".into()));
        let gap = Gap { why: "off: boot with psi=1".into(), since: Wall(0) };
        let snapshot = deriver.snapshot(at(150));
        assert_eq!(snapshot.vitals.pressure, Reading::Gap(gap.clone()));
        assert_eq!(snapshot.gaps, [(SourceName::Pressure, gap)]);
        deriver.take(SourceName::Pressure, at(200), Ok(Sample::Pressure(PressureSample::default())));
        assert_eq!(deriver.vitals(at(200)).pressure, Reading::Initializing);
    }

    #[test]
    fn too_many_cgroups_are_said() {
        let mut deriver = deriver();
        deriver.take(SourceName::Cgroups, at(0), Ok(Sample::Cgroups(vec![CgroupSample::default(); MOST_CGROUPS])));
        assert!(deriver.snapshot(at(0)).gaps[0].1.why.contains("2000"));
    }
}
