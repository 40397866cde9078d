//! How long one step of the brain takes: samples in, effects out, with 300 processes, all detectors and all actions, on a host in
//! trouble. Goals: p50 at most 0.3 ms, p99 at most 2 ms. `cargo bench --bench brain`.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stderr)]

use std::{sync::Arc, time::Duration};
use trimtab::{
    actions,
    analysis::derive::deriver::Deriver,
    engine::{
        brain::brain::{Birth, Brain},
        input::{Effect, Input, JobNumber},
        job::{Done, Job},
        parts::Settings,
    },
    model::{
        change::Entry,
        facts::Facts,
        plan::{Obstacle, Refusal},
        sample::{
            CgroupSample, CpuSample, CpuTimes, DiskSample, FilesystemSample, InterfaceSample, MemorySample, NetworkSample,
            PressureLine, PressureSample, ProcessSample, Sample, SourceName, Space, Stall, TcpSample, VmSample,
        },
        snapshot::Quota,
        subject::ProcessId,
        time::{Now, Tick, Wall},
    },
    sources::source::Lane,
};

const PROCESSES: u32 = 300;
const WARM: u64 = 700;
const MEASURED: u64 = 1200;

struct Host {
    now: Now,
    second: u64,
    pass: u64,
    rows: Vec<ProcessSample>,
}

impl Host {
    fn new() -> Host {
        let row = |i: u32| ProcessSample {
            id: ProcessId { pid: 100 + i, start: u64::from(i) },
            parent: 1,
            name: if i.is_multiple_of(6) { "python3".into() } else { format!("worker-{}", i % 12).into() },
            state: 'S',
            session: 100 + i / 8,
            run_delay: Some(0),
            resident: u64::from(i) << 20,
            threads: 2,
            io: Some([0, 0]),
            descriptors: Some(20 + i),
            descriptor_limit: Some((1024, 4096)),
            cgroup: format!("/system.slice/unit-{}.service", i % 20).into(),
            ..ProcessSample::default()
        };
        Host {
            now: Now { tick: Tick(1_000_000_000_000), wall: Wall(1_700_000_000_000) },
            second: 0,
            pass: 0,
            rows: (0..PROCESSES).map(row).collect(),
        }
    }

    fn step(&mut self) {
        self.now.tick = self.now.tick + Duration::from_millis(100);
        self.now.wall.0 += 100;
        self.pass += 1;
    }

    fn fast(&self) -> Vec<(SourceName, Sample)> {
        let n = self.pass;
        let times = CpuTimes { user: n * 9, idle: n, ..CpuTimes::default() };
        let cores = (0..8).map(|i| (i, times)).collect();
        let total = CpuTimes { user: n * 72, idle: n * 8, ..CpuTimes::default() };
        let line = |share: u64| PressureLine { avg: [0.0; 3], total: n * share * 1000 };
        let stall = |share| Stall { some: line(share), full: Some(line(share / 2)) };
        vec![
            (SourceName::Cpu, Sample::Cpu(CpuSample { total, cores, load: Some([9.0, 8.0, 7.0]), ..CpuSample::default() })),
            (SourceName::Memory, Sample::Memory(MemorySample { total: 1 << 34, available: 1 << 33, ..MemorySample::default() })),
            (SourceName::Vm, Sample::Vm(VmSample { pgfault: n * 100, page_size: 4096, ..VmSample::default() })),
            (SourceName::Pressure, Sample::Pressure(PressureSample { cpu: stall(60), memory: stall(2), io: stall(20) })),
        ]
    }

    /// One process waits, eighteen hold the cpus, every third does a little.
    fn processes(&mut self) -> Sample {
        let wobble = self.second % 7;
        for (i, row) in self.rows.iter_mut().enumerate() {
            let (used, waited) = match i {
                7 => (40_000_000, 500_000_000 + wobble * 10_000_000),
                _ if i < 108 && i % 6 == 0 => (400_000_000, 300_000_000),
                _ if i % 3 == 0 => (15_000_000, 2_000_000),
                _ => (0, 0),
            };
            row.cpu += used;
            row.run_delay = row.run_delay.map(|delay| delay + waited);
        }
        Sample::Processes(Arc::new(self.rows.clone()))
    }

    fn sweep(&mut self) -> Vec<(SourceName, Sample)> {
        self.second += 1;
        let n = self.second;
        let disk = |name: &str| DiskSample {
            name: name.into(),
            completed: [n * 50, n * 80, 0, n * 3],
            sectors: [n * 400, n * 900, 0],
            millis: [n * 60, n * 900, 0, n * 30],
            busy_millis: n * 700,
            queue_millis: n * 900,
            ..DiskSample::default()
        };
        let mount = |i: u64| FilesystemSample {
            at: format!("/srv/{i}").into(),
            kind: "ext4".into(),
            number: (8, i as u32),
            space: Some(Space { total: 1 << 40, used: i << 36, available: 1 << 39, ..Space::default() }),
            ..FilesystemSample::default()
        };
        let card =
            |name: &str| InterfaceSample { name: name.into(), bytes: [n * 9000, n * 7000], up: true, ..InterfaceSample::default() };
        let group = |i: u64| CgroupSample {
            path: format!("/system.slice/unit-{i:02}.service").into(),
            inode: i,
            cpu: Some(n * 90_000_000),
            throttling: Some([n * 10, n / 30, n * 1000]),
            quota: Some(Quota { quota: i.is_multiple_of(4).then_some(50_000), period: 100_000 }),
            memory: Some(i << 26),
            ..CgroupSample::default()
        };
        let network = NetworkSample {
            interfaces: vec![card("eth0"), card("eth1"), card("lo")],
            softnet: vec![[n * 500, 0, 0]; 8],
            ..NetworkSample::default()
        };
        vec![
            (SourceName::Disks, Sample::Disks(vec![disk("sda"), disk("sdb"), disk("vda")])),
            (SourceName::Filesystems, Sample::Filesystems((0..6).map(mount).collect())),
            (SourceName::Interfaces, Sample::Interfaces(network)),
            (SourceName::Tcp, Sample::Tcp(vec![TcpSample { netns: 1, out_segs: n * 900, ..TcpSample::default() }])),
            (SourceName::Processes, self.processes()),
            (SourceName::Cgroups, Sample::Cgroups((0..20).map(group).collect())),
        ]
    }
}

/// Cpu time of this thread: what others do on the machine does not count.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Steps through a lane's samples and its pass; the cpu time from the first sample in to the last effect out.
fn measure(brain: &mut Brain, now: Now, lane: Lane, samples: Vec<(SourceName, Sample)>) -> (Duration, Vec<Effect>) {
    let begun = cpu_time();
    let mut effects = Vec::new();
    for (source, sample) in samples {
        effects.extend(brain.step(Input::Sampled { source, at: now, sample: Ok(sample) }));
    }
    effects.extend(brain.step(Input::Passed { lane, now }));
    (cpu_time() - begun, effects)
}

/// Journals what is recorded; every preview is locked.
fn work(brain: &mut Brain, now: Now, entries: &mut u64, effects: Vec<Effect>) -> usize {
    let mut jobs: Vec<(JobNumber, Job)> = Vec::new();
    let mut views = 0;
    let mut sort = |effects: Vec<Effect>, jobs: &mut Vec<_>| {
        for effect in effects {
            match effect {
                Effect::Perform { job, what } => jobs.push((job, what)),
                Effect::Publish(_) => views += 1,
                _ => {}
            }
        }
    };
    sort(effects, &mut jobs);
    while let Some((job, what)) = jobs.pop() {
        let mut done = Done::default();
        match what {
            Job::Record(deeds) => {
                for (change, deed, who) in deeds {
                    *entries += 1;
                    done.entries.push((*entries, Entry { change, deed, who, now, boot: "boot".into() }));
                }
            }
            Job::Preview(id, _) => {
                done.preview = Some((id, Err(Refusal { kind: Obstacle::Unsupported, why: "a bench changes nothing".into() })));
            }
            _ => {}
        }
        let effects = brain.step(Input::Performed { job: Some(job), done: Box::new(done) });
        sort(effects, &mut jobs);
    }
    views
}

fn report(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{name:<28} {:>6} steps   p50 {:.3} ms   p99 {:.3} ms   most {:.3} ms", times.len(), at(0.5), at(0.99), at(1.0));
}

fn main() {
    let mut host = Host::new();
    let facts = Facts { boot: "boot".into(), cpus: 8, memory: 1 << 34, pressure: true, ..Facts::default() };
    let mut brain = Brain::new(Birth {
        deriver: Deriver::new([]),
        facts: Arc::new(facts),
        actions: actions::all(),
        settings: Settings::default(),
        entries: vec![],
        leave: false,
        engine: 1,
        now: host.now,
    });
    let (mut fast, mut sweep, mut entries, mut views) = (Vec::new(), Vec::new(), 0, 0);
    for second in 0..WARM + MEASURED {
        for _ in 0..10 {
            host.step();
            let (took, effects) = measure(&mut brain, host.now, Lane::Fast, host.fast());
            views += work(&mut brain, host.now, &mut entries, effects);
            if second >= WARM {
                fast.push(took);
            }
        }
        let samples = host.sweep();
        let (took, effects) = measure(&mut brain, host.now, Lane::Sweep, samples);
        views += work(&mut brain, host.now, &mut entries, effects);
        if second >= WARM {
            sweep.push(took);
        }
    }
    let view = brain.welcome().view;
    let found: Vec<&str> = view.findings.iter().map(|f| f.id.kind.words()).collect();
    println!(
        "{PROCESSES} processes, {} findings ({}), {} changes, {views} views",
        found.len(),
        found.join(", "),
        view.changes.len()
    );
    report("fast pass", &mut fast);
    report("sweep", &mut sweep);
    let mut all: Vec<Duration> = fast.into_iter().chain(sweep).collect();
    report("every step", &mut all);
}
