//! A machine that is made up second by second: programs that want cpu, disk and memory, get what is left, and wait for the rest. Seeded.
#![allow(clippy::indexing_slicing)]

use crate::{
    analysis::{cause::witness::Witness, impact::simulation::Noise},
    model::{
        sample::{Listener, NetMark},
        snapshot::{
            Cgroup, Cpu, CpuSplit, Disk, Interface, Memory, Network, Pressure, PressureShare, Process, ProcessNet, Quota, Reading,
            Service, Snapshot, Tcp, Vitals, Vm,
        },
        subject::ProcessId,
        time::{Now, Tick, Wall},
    },
};
use std::sync::Arc;

/// A course over the seconds.
pub(super) type Course = Box<dyn Fn(usize) -> f64>;

/// Boot time of second 0 of a simulation.
const BOOT: u64 = 5_000;
pub(super) const GIB: f64 = 1_073_741_824.0;

/// One process (or one after the other, where it comes and goes).
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) cgroup: &'static str,
    /// Processes of it.
    pub(super) copies: usize,
    /// It is there in this second.
    pub(super) lives: Box<dyn Fn(usize) -> bool>,
    /// Cores wanted by each copy.
    pub(super) cpu: Course,
    /// Bytes per second wanted, and the share of them that is written.
    pub(super) storage: Course,
    pub(super) memory: Course,
    pub(super) received: Course,
    pub(super) sent: Course,
    pub(super) listens: bool,
}

pub(super) fn constant(value: f64) -> Course {
    Box::new(move |_| value)
}

/// `low`, and `high` from second `from` on.
pub(super) fn from(from: usize, low: f64, high: f64) -> Course {
    Box::new(move |t| if t >= from { high } else { low })
}

pub(super) fn program(name: &'static str) -> Program {
    Program {
        name,
        cgroup: "/",
        copies: 1,
        lives: Box::new(|_| true),
        cpu: constant(0.01),
        storage: constant(0.0),
        memory: constant(0.1 * GIB),
        received: constant(0.0),
        sent: constant(0.0),
        listens: false,
    }
}

/// The machine.
pub(super) struct Machine {
    pub(super) cores: f64,
    /// Bytes per second that the disk can move.
    pub(super) disk: Course,
    pub(super) memory: f64,
    pub(super) programs: Vec<Program>,
    pub(super) steal: Course,
    /// Bytes per second that come in from outside.
    pub(super) traffic: Course,
    /// Groups with a quota in cores.
    pub(super) quotas: Vec<(&'static str, f64)>,
    /// Name of the program behind the service `shop`, and its requests per second.
    pub(super) service: Option<(&'static str, Course)>,
    pub(super) noise: Noise,
}

impl Machine {
    pub(super) fn new(seed: u64) -> Machine {
        Machine {
            cores: 4.0,
            disk: constant(200e6),
            memory: 8.0 * GIB,
            programs: Vec::new(),
            steal: constant(0.0),
            traffic: constant(2e5),
            quotas: Vec::new(),
            service: None,
            noise: Noise::seeded(seed),
        }
    }

    /// Between `low` and `high`.
    pub(super) fn pick(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.noise.uniform()
    }

    /// Busy programs that have nothing to do with anything: restless, with traffic and storage of their own.
    pub(super) fn innocents(mut self, count: usize) -> Machine {
        const NAMES: [&str; 14] = [
            "redis", "postgres", "python3", "java", "node", "envoy", "fluentd", "sshd", "cron", "ruby", "php-fpm", "mysqld",
            "vector", "consul",
        ];
        for name in NAMES.into_iter().take(count) {
            let (cpu, storage, memory) = (self.pick(0.02, 0.25), self.pick(0.0, 4e6), self.pick(0.05, 0.5) * GIB);
            // Each changes its mind every few seconds.
            let seed = (self.pick(0.0, 1e9)) as u64;
            let restless = move |t: usize, every: usize| 0.5 + Noise::seeded(seed + (t / every) as u64 * 7919).uniform();
            self.programs.push(Program {
                cpu: Box::new(move |t| cpu * restless(t, 7)),
                storage: Box::new(move |t| storage * restless(t, 11)),
                memory: constant(memory),
                ..program(name)
            });
        }
        self
    }

    pub(super) fn with(mut self, program: Program) -> Machine {
        self.programs.push(program);
        self
    }

    /// Runs for so many seconds: what was seen, and the last sweep.
    pub(super) fn play(mut self, seconds: usize) -> (Witness, Snapshot) {
        let mut witness = Witness::default();
        let mut last = Snapshot::default();
        for t in 0..seconds {
            last = self.second(t);
            witness.see(&last, 1);
        }
        (witness, last)
    }

    fn jitter(&mut self, value: f64) -> f64 {
        (value * (1.0 + 0.1 * self.noise.normal())).max(0.0)
    }

    fn second(&mut self, t: usize) -> Snapshot {
        let wants = self.wants(t);
        let softirq = (self.traffic)(t) / 60e6;
        let steal = (self.steal)(t);
        let (throttled, wants) = self.throttle(wants);
        let cores = (self.cores * (1.0 - steal) - softirq).max(0.1);
        let gets = share(&wants.iter().map(|w| w.cpu).collect::<Vec<_>>(), cores);
        let disk = (self.disk)(t);
        let asked: f64 = wants.iter().map(|w| w.storage).sum();
        let served = (disk / asked.max(1.0)).min(1.0);
        let used: f64 = wants.iter().map(|w| w.memory).sum::<f64>() + 0.8 * GIB;
        let over = ((used - 0.93 * self.memory) / (0.2 * self.memory)).clamp(0.0, 1.0);
        let processes: Vec<Process> = wants.iter().zip(&gets).map(|(want, got)| want.process(*got, (served, over))).collect();
        let waiting: f64 = wants.iter().zip(&gets).map(|(want, got)| want.cpu - got).sum();
        let wobble = |noise: &mut Noise, v: f64| (v + 0.01 * noise.normal().abs()).clamp(0.0, 1.0);
        let noise = &mut self.noise;
        let pressure = |some: f64| PressureShare { some, full: some * 0.4, ..PressureShare::default() };
        let load = asked / disk;
        let pressures = Pressure {
            cpu: pressure(wobble(noise, 1.0 - (-waiting.max(0.0) * 0.8).exp())),
            io: pressure(wobble(noise, (load - 0.5).clamp(0.0, 1.0) * 0.9 + 0.3 * over)),
            memory: pressure(wobble(noise, over * 0.8)),
        };
        let busy: f64 = (gets.iter().sum::<f64>() / self.cores).min(1.0 - steal);
        let soft = (softirq / self.cores).min(1.0);
        let total = CpuSplit {
            user: busy,
            softirq: wobble(noise, soft),
            steal: if steal > 0.0 { wobble(noise, steal) } else { 0.0 },
            idle: (1.0 - busy - soft - steal).max(0.0),
            ..CpuSplit::default()
        };
        let wait_of = |name: &str| {
            wants.iter().zip(&gets).filter(|(w, _)| w.name == name).map(|(w, got)| (w.cpu - got) / w.cpu.max(0.01)).sum::<f64>()
        };
        let service = self.service.as_ref().map(|(name, rate)| {
            let held = throttled
                .iter()
                .filter(|(path, _)| wants.iter().any(|w| w.name == *name && w.cgroup == *path))
                .map(|(_, s)| s)
                .sum::<f64>();
            let p95 = 0.02
                * (1.0 + 8.0 * wait_of(name) + 10.0 * held + 6.0 * over + 4.0 * (load - 0.7).max(0.0) + 0.1 * noise.normal().abs());
            let process = processes.iter().find(|p| *p.name == **name).map(|p| p.id);
            Service { name: "shop".into(), rate: rate(t), latency: Some([p95 / 3.0, p95, p95 * 2.0]), process }
        });
        let latency = 0.0005 / (1.0 - load.min(0.97)) * (200e6 / disk) * (1.0 + 0.1 * noise.normal().abs());
        let listeners = processes.iter().filter(|p| self.programs.iter().any(|q| q.listens && *p.name == *q.name));
        let listeners = listeners.map(|p| Listener { port: 80, waiting: 0, backlog: 128, inode: 1, owner: Some(p.id) }).collect();
        let groups = self.quotas.iter().map(|(path, cores)| Cgroup {
            path: (*path).into(),
            quota: Some(Quota { quota: Some((cores * 1e5) as u64), period: 100_000 }),
            throttled: throttled.iter().find(|(p, _)| p == path).map(|(_, share)| *share),
            throttled_time: Some(0.0),
            ..Cgroup::default()
        });
        let moved = asked.min(disk);
        let incoming = (self.traffic)(t) * (1.0 + 0.05 * noise.normal());
        let outgoing: f64 = wants.iter().map(|w| w.sent).sum::<f64>() + 1e4;
        let mut sorted = processes.clone();
        sorted.sort_by_key(|p| p.id);
        let now = Now { tick: Tick((BOOT + t as u64) * 1_000_000_000), wall: Wall(1_700_000_000_000 + t as i64 * 1000) };
        let memory = Memory {
            total: self.memory as u64,
            available: (self.memory - used.min(0.98 * self.memory)) as u64,
            ..Memory::default()
        };
        let vm = Vm { swap_in: over * 2e7, swap_out: over * 3e7, major_faults: over * 500.0, ..Vm::default() };
        let cores = (0..self.cores as u32).map(|n| (n, total)).collect();
        Snapshot {
            vitals: Vitals {
                now,
                cpu: Reading::Known(Cpu { total, cores, running: 2, ..Cpu::default() }),
                memory: Reading::Known(memory),
                vm: Reading::Known(vm),
                pressure: Reading::Known(pressures),
            },
            disks: Reading::Known(vec![Disk {
                name: "vda".into(),
                read: moved * 0.3,
                write: moved * 0.7,
                latency: Some(latency),
                queue: latency * moved / 65_536.0,
                busy: load.min(1.0),
                ..Disk::default()
            }]),
            network: Reading::Known(Network {
                interfaces: vec![Interface { name: "eth0".into(), bytes: [incoming, outgoing], ..Interface::default() }],
                ..Network::default()
            }),
            tcp: Reading::Known(vec![Tcp { listeners: Arc::new(listeners), ..Tcp::default() }]),
            processes: Reading::Known(Arc::new(sorted)),
            cgroups: Reading::Known(groups.collect()),
            services: Reading::Known(service.into_iter().collect()),
            ..Snapshot::default()
        }
    }

    fn wants(&mut self, t: usize) -> Vec<Want> {
        let mut wants = Vec::new();
        for place in 0..self.programs.len() {
            let Some(program) = self.programs.get(place).filter(|p| (p.lives)(t)) else { continue };
            let began = (0..=t).rev().take_while(|s| (program.lives)(*s)).last().unwrap_or(t);
            let born = if began == 0 { 10 } else { BOOT + began as u64 };
            let (name, cgroup, copies) = (program.name, program.cgroup, program.copies);
            let plain = [(program.cpu)(t), (program.storage)(t), (program.memory)(t), (program.received)(t), (program.sent)(t)];
            for copy in 0..copies {
                let pid = 100 + place as u32 * 40 + copy as u32 + (born as u32 % 1000) * 4000;
                wants.push(Want {
                    id: ProcessId { pid, start: born * 100 },
                    name,
                    cgroup,
                    cpu: self.jitter(plain[0]),
                    storage: self.jitter(plain[1]),
                    memory: plain[2],
                    received: self.jitter(plain[3]),
                    sent: self.jitter(plain[4]),
                    fresh: began == t && t > 0,
                });
            }
        }
        wants
    }

    /// Throttled share of each group with a quota, and the wants that are left.
    fn throttle(&self, mut wants: Vec<Want>) -> (Vec<(&'static str, f64)>, Vec<Want>) {
        let mut throttled = Vec::new();
        for (path, cores) in &self.quotas {
            let asked: f64 = wants.iter().filter(|w| w.cgroup == *path).map(|w| w.cpu).sum();
            let left = (cores / asked.max(1e-9)).min(1.0);
            wants.iter_mut().filter(|w| w.cgroup == *path).for_each(|w| w.cpu *= left);
            throttled.push((*path, 1.0 - left));
        }
        (throttled, wants)
    }
}

struct Want {
    id: ProcessId,
    name: &'static str,
    cgroup: &'static str,
    cpu: f64,
    storage: f64,
    memory: f64,
    received: f64,
    sent: f64,
    fresh: bool,
}

impl Want {
    fn process(&self, got: f64, (served, over): (f64, f64)) -> Process {
        let io = self.storage * served;
        let net = (self.received + self.sent > 0.0).then(|| ProcessNet {
            received: self.received,
            sent: self.sent,
            mark: NetMark::default(),
        });
        Process {
            id: self.id,
            parent: 1,
            name: self.name.into(),
            command: self.name.into(),
            session: self.id.pid,
            cpu: (!self.fresh).then_some(got),
            wait: (!self.fresh).then_some(self.cpu - got),
            resident: (self.memory * (1.0 - 0.1 * over)) as u64,
            io: Some([io * 0.3, io * 0.7]),
            io_wait: Some(if self.storage > 1e5 { (1.0 - served) * 0.8 } else { 0.0 } + 0.1 * over),
            major_faults: over * 20.0,
            cgroup: self.cgroup.into(),
            net,
            ..Process::default()
        }
    }
}

/// Max-min fair shares of `all`, at most one core each.
fn share(wants: &[f64], all: f64) -> Vec<f64> {
    let mut gets = vec![0.0; wants.len()];
    let mut left = all;
    for _ in 0..20 {
        let open: Vec<usize> = (0..wants.len()).filter(|i| wants[*i] - gets[*i] > 1e-9).collect();
        if open.is_empty() || left <= 1e-9 {
            break;
        }
        let each = left / open.len() as f64;
        for i in open {
            let more = each.min(wants[i] - gets[i]);
            gets[i] += more;
            left -= more;
        }
    }
    gets
}
