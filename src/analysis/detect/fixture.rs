//! A world made by hand, for the tests of detectors.

use crate::model::{
    facts::Facts,
    finding::Signal,
    limits::Thresholds,
    metric::{Key, Metric},
    outlook::Outlook,
    sample::{DiskQueue, Listener},
    series::{Point, SeriesSet},
    snapshot::{Cgroup, Cpu, CpuSplit, Disk, Memory, Pressure, Process, Quota, Reading, Snapshot, Tcp, Vitals, Vm},
    subject::{ProcessId, Subject},
    time::{Now, Tick, Wall},
    trial::Windows,
    world::World,
};
use std::sync::Arc;

/// The second at which every scene is looked at.
pub(super) const NOW: u64 = 10_000;
const SECOND: u64 = 1_000_000_000;
pub(super) const GIB: u64 = 1 << 30;

/// A host in the making: four cores, 16 GiB, at rest.
pub(super) struct Scene {
    pub(super) facts: Facts,
    pub(super) snapshot: Snapshot,
    pub(super) series: SeriesSet,
    pub(super) thresholds: Thresholds,
    pub(super) outlook: Outlook,
    processes: Vec<Process>,
}

impl Scene {
    pub(super) fn quiet() -> Scene {
        let facts = Facts { cpus: 4, own: 4242, ..Facts::default() };
        let memory = Memory { total: 16 * GIB, available: 12 * GIB, ..Memory::default() };
        let vitals = Vitals {
            memory: Reading::Known(memory),
            vm: Reading::Known(Vm::default()),
            pressure: Reading::Known(Pressure::default()),
            ..Vitals::default()
        };
        let snapshot = Snapshot { vitals, cgroups: Reading::Known(Vec::new()), ..Snapshot::default() };
        let scene = Scene {
            facts,
            snapshot,
            series: SeriesSet::default(),
            thresholds: Thresholds::default(),
            outlook: Outlook::default(),
            processes: Vec::new(),
        };
        scene.cores([0.1; 4])
    }

    /// Busy shares of the cores; they set the total.
    pub(super) fn cores<const N: usize>(mut self, busy: [f64; N]) -> Scene {
        let split = |busy: f64| CpuSplit { user: busy, idle: 1.0 - busy, ..CpuSplit::default() };
        let total = split(busy.iter().sum::<f64>() / N as f64);
        let cores = busy.iter().enumerate().map(|(i, b)| (i as u32, split(*b))).collect();
        self.facts.cpus = N as u32;
        self.snapshot.vitals.cpu = Reading::Known(Cpu { total, cores, running: 3, ..Cpu::default() });
        self
    }

    pub(super) fn vitals(mut self, change: impl FnOnce(&mut Vm, &mut Pressure, &mut Memory)) -> Scene {
        let v = &mut self.snapshot.vitals;
        match (&mut v.vm, &mut v.pressure, &mut v.memory) {
            (Reading::Known(vm), Reading::Known(pressure), Reading::Known(memory)) => change(vm, pressure, memory),
            _ => unreachable!("the vitals of a scene are known"),
        }
        self
    }

    /// Adds a process in a session of its own and lets `change` shape it.
    pub(super) fn process(mut self, pid: u32, name: &str, change: impl FnOnce(&mut Process)) -> Scene {
        let mut process = Process {
            id: id(pid),
            parent: 1,
            name: name.into(),
            command: format!("{name} {pid}").into(),
            session: pid,
            state: 'S',
            cpu: Some(0.0),
            wait: Some(0.0),
            threads: 1,
            resident: 64 << 20,
            io: Some([0.0, 0.0]),
            cgroup: "/".into(),
            ..Process::default()
        };
        change(&mut process);
        self.processes.push(process);
        self
    }

    /// A process with so much cpu and waiting.
    pub(super) fn runs(self, pid: u32, name: &str, cpu: f64, wait: f64) -> Scene {
        self.process(pid, name, |p| (p.cpu, p.wait) = (Some(cpu), Some(wait)))
    }

    pub(super) fn cgroup(mut self, path: &str, quota: Option<u64>, throttled: f64) -> Scene {
        let group = Cgroup {
            path: path.into(),
            quota: Some(Quota { quota, period: 100_000 }),
            throttled: Some(throttled),
            throttled_time: Some(throttled / 2.0),
            processes: 1,
            ..Cgroup::default()
        };
        if let Reading::Known(all) = &mut self.snapshot.cgroups {
            all.push(group);
        }
        self
    }

    pub(super) fn disk(mut self, change: impl FnOnce(&mut Disk)) -> Scene {
        let mut disk = Disk { name: "vda".into(), settings: Some(Arc::new(DiskQueue::default())), ..Disk::default() };
        change(&mut disk);
        self.snapshot.disks = Reading::Known(vec![disk]);
        self
    }

    pub(super) fn tcp(mut self, overflows: f64, listeners: Vec<Listener>) -> Scene {
        let row = Tcp {
            netns: 99,
            through: Some(id(50)),
            overflows,
            somaxconn: Some(16),
            listeners: Arc::new(listeners),
            ..Tcp::default()
        };
        self.snapshot.tcp = Reading::Known(vec![Tcp::default(), row]);
        self
    }

    /// A namespace of a container with a range of 10,000 local ports.
    pub(super) fn ports(mut self, change: impl FnOnce(&mut Tcp)) -> Scene {
        let mut row = Tcp { netns: 99, through: Some(id(50)), port_range: Some((30_000, 39_999)), ..Tcp::default() };
        change(&mut row);
        self.snapshot.tcp = Reading::Known(vec![Tcp::default(), row]);
        self
    }

    /// Values one second apart, the last one now.
    pub(super) fn history(mut self, key: &Key, values: impl IntoIterator<Item = f64>) -> Scene {
        let values: Vec<f64> = values.into_iter().collect();
        let start = NOW + 1 - values.len() as u64;
        for (i, value) in values.into_iter().enumerate() {
            self.series.push(key.clone(), Point { at: Tick((start + i as u64) * SECOND), value }, 10_000);
        }
        self
    }

    /// What `look` says of this scene.
    pub(super) fn seen(mut self, look: fn(&World<'_>) -> Vec<Signal>) -> Vec<Signal> {
        self.processes.sort_by_key(|p| p.id);
        self.snapshot.processes = Reading::Known(Arc::new(self.processes));
        let world = World {
            now: Now { tick: Tick(NOW * SECOND), wall: Wall(1_700_000_000_000) },
            vitals: &self.snapshot.vitals,
            snapshot: &self.snapshot,
            facts: &self.facts,
            series: &self.series,
            thresholds: &self.thresholds,
            findings: &[],
            outlook: &self.outlook,
            windows: Windows::default(),
        };
        look(&world)
    }
}

pub(super) fn id(pid: u32) -> ProcessId {
    ProcessId { pid, start: u64::from(pid) * 10 }
}

pub(super) fn of_process(pid: u32, metric: Metric) -> Key {
    Key::new(Subject::Process(id(pid)), metric)
}

pub(super) fn listener(port: u16, waiting: u32, backlog: u32, owner: Option<u32>) -> Listener {
    Listener { port, waiting, backlog, inode: u64::from(port), owner: owner.map(id) }
}

/// The pids of parties, in order.
pub(super) fn pids(parties: &[crate::model::finding::Party]) -> Vec<u32> {
    let pid = |subject: &Subject| if let Subject::Process(id) = subject { id.pid } else { 0 };
    parties.iter().map(|p| pid(&p.subject)).collect()
}

/// The one signal there is.
pub(super) fn only(signals: Vec<Signal>) -> Signal {
    assert_eq!(signals.len(), 1, "{signals:?}");
    let signal = signals.into_iter().next().unwrap_or_else(|| unreachable!());
    assert!(signal.finding.headline.chars().count() <= 100, "{}", signal.finding.headline);
    assert!((0.0..=1.0).contains(&signal.finding.impact) && (0.0..=1.0).contains(&signal.finding.priority));
    signal
}
