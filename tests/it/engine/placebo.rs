//! A day on which nothing is wrong: the brain in automatic mode with every action there is, on a generated host that works, rests, backs
//! up and deploys as healthy hosts do. Nothing may be applied, nor even proposed; and to see that it could be, an hour with a hog.

use std::{collections::BTreeSet, sync::Arc, time::Duration};
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
        change::{Deed, Entry},
        facts::Facts,
        limits::{Mode, Policy},
        plan::{Plan, Step},
        sample::*,
        subject::ProcessId,
        time::{Now, Tick, Wall},
    },
    sources::source::Lane,
};

/// Seconds from sweep to sweep: what a host under a small budget gets, and a burst of a minute is still seen six times over.
const STEP: u64 = 10;
const CORES: u64 = 4;
const GIB: u64 = 1 << 30;

/// A host whose counters go on.
#[derive(Default)]
struct Host {
    noise: u64,
    /// A job that takes what it gets.
    hogged: bool,
    second: u64,
    busy: u64,
    idle: u64,
    stalls: [u64; 4],
    vm: VmSample,
    disk: DiskSample,
    network: InterfaceSample,
    tcp: TcpSample,
    cpu: [u64; 8],
    delay: [u64; 8],
}

impl Host {
    /// Between 0 and 1, the same numbers in each run.
    fn share(&mut self) -> f64 {
        self.noise = self.noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.noise >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Share of all cores in use: a day's swing, noise, ten seconds of deployment each few hours.
    fn load(&mut self) -> f64 {
        let hour = self.second as f64 / 3600.0;
        let swing = 0.2 + 0.35 * (std::f64::consts::PI * (hour - 3.0) / 24.0).sin().powi(2);
        let deploy = if self.second % 18_000 < 10 { 0.35 } else { 0.0 };
        let load = (swing + 0.1 * (self.share() - 0.5) + deploy).clamp(0.02, 0.95);
        if self.hogged { 1.0 } else { load }
    }

    fn is_backup(&self) -> bool {
        (10_800..13_200).contains(&self.second)
    }

    /// What is read in one sweep.
    fn sweep(&mut self) -> Vec<(SourceName, Sample)> {
        self.second += STEP;
        let (load, backup) = (self.load(), self.is_backup());
        let ticks = 100 * STEP * CORES;
        let busy = (load * ticks as f64) as u64;
        (self.busy, self.idle) = (self.busy + busy, self.idle + ticks - busy);
        let waits = if self.hogged { 0.7 } else { 0.02 + 0.08 * load * self.share() };
        let io = if backup { 0.12 * self.share() } else { 0.01 * self.share() };
        for (stall, share) in self.stalls.iter_mut().zip([waits, 0.0005, io, io / 4.0]) {
            *stall += (share * STEP as f64 * 1e6) as u64;
        }
        vec![
            (SourceName::Cpu, Sample::Cpu(self.processors())),
            (SourceName::Pressure, Sample::Pressure(self.pressure())),
            (SourceName::Memory, Sample::Memory(self.memory())),
            (SourceName::Vm, Sample::Vm(self.paging(load))),
            (SourceName::Disks, Sample::Disks(vec![self.storage(backup)])),
            (SourceName::Filesystems, Sample::Filesystems(vec![self.filesystem()])),
            (SourceName::Interfaces, Sample::Interfaces(self.interfaces(load))),
            (SourceName::Tcp, Sample::Tcp(vec![self.connections(load)])),
            (SourceName::Processes, Sample::Processes(Arc::new(self.processes(load, backup)))),
        ]
    }

    fn processors(&self) -> CpuSample {
        let times = |part: u64| CpuTimes { user: self.busy / part, idle: self.idle / part, ..CpuTimes::default() };
        let cores = (0..CORES as u32).map(|core| (core, times(CORES))).collect();
        CpuSample { total: times(1), cores, load: Some([1.0; 3]), forks: self.second * 3, ..CpuSample::default() }
    }

    fn pressure(&self) -> PressureSample {
        let line = |place: usize| PressureLine { avg: [0.0; 3], total: self.stalls[place] };
        let stall = |some, full| Stall { some: line(some), full: Some(line(full)) };
        PressureSample { cpu: Stall { some: line(0), full: None }, memory: stall(1, 1), io: stall(2, 3) }
    }

    fn memory(&mut self) -> MemorySample {
        let cached = 4 * GIB + (self.second % 86_400) * 20_000;
        let available = 9 * GIB + (self.share() * 2e8) as u64;
        MemorySample { total: 16 * GIB, free: 2 * GIB, available, cached, anon: 5 * GIB, ..MemorySample::default() }
    }

    fn paging(&mut self, load: f64) -> VmSample {
        self.vm.pgfault += (20_000.0 * load) as u64 * STEP;
        self.vm.pgmajfault += u64::from(self.share() > 0.9);
        self.vm.nr_dirty = 2000 + (self.share() * 3000.0) as u64;
        VmSample { nr_dirty_threshold: 800_000, nr_dirty_background_threshold: 400_000, page_size: 4096, ..self.vm.clone() }
    }

    fn storage(&mut self, backup: bool) -> DiskSample {
        let reads = if backup { 800 } else { 20 } * STEP;
        let disk = &mut self.disk;
        disk.completed[0] += reads;
        disk.completed[1] += 40 * STEP;
        disk.sectors[0] += reads * 128;
        disk.sectors[1] += 40 * STEP * 16;
        disk.millis[0] += reads;
        disk.millis[1] += 80 * STEP;
        disk.busy_millis += if backup { 500 } else { 40 } * STEP;
        let queue = DiskQueue { scheduler: "none".into(), read_ahead: 128, requests: 256, size: 500 << 30, ..DiskQueue::default() };
        DiskSample { name: "vda".into(), device: (254, 0), queue: Some(Arc::new(queue)), ..disk.clone() }
    }

    /// Logs grow and are rotated away at midnight.
    fn filesystem(&self) -> FilesystemSample {
        let used = 60 * GIB + (self.second % 86_400) * 20_000;
        let space = Space { total: 100 * GIB, used, available: 100 * GIB - used, inodes: 6_000_000, inodes_free: 5_000_000 };
        FilesystemSample {
            at: "/".into(),
            device: "/dev/vda1".into(),
            kind: "ext4".into(),
            space: Some(space),
            ..FilesystemSample::default()
        }
    }

    fn interfaces(&mut self, load: f64) -> NetworkSample {
        for side in 0..2 {
            self.network.bytes[side] += (2e7 * load) as u64 * STEP;
            self.network.packets[side] += (2e4 * load) as u64 * STEP;
        }
        let up = InterfaceSample { name: "eth0".into(), up: true, speed: Some(10_000_000_000), ..self.network.clone() };
        let softnet = vec![[self.second * 9000, 0, self.second / 600]; CORES as usize];
        NetworkSample { interfaces: vec![up], softnet, ..NetworkSample::default() }
    }

    fn connections(&mut self, load: f64) -> TcpSample {
        let segments = (2e4 * load) as u64 * STEP;
        let tcp = &mut self.tcp;
        (tcp.in_segs, tcp.out_segs) = (tcp.in_segs + segments, tcp.out_segs + segments);
        tcp.retrans_segs += segments / 5000;
        tcp.passive_opens += (200.0 * load) as u64 * STEP;
        let (established, time_wait) = ((400.0 * load) as u64, (2000.0 * load) as u64);
        TcpSample { netns: 1, established, time_wait, somaxconn: Some(4096), port_range: Some((32_768, 60_999)), ..tcp.clone() }
    }

    /// Four workers of a web server, a database, an agent, a backup at night, and a job that runs for ten seconds each quarter of an hour.
    fn processes(&mut self, load: f64, backup: bool) -> Vec<ProcessSample> {
        let job = self.second % 900 < 10;
        let load = if self.hogged { 0.3 } else { load };
        let uses = [0.6, 0.6, 0.6, 0.6, 1.0, 0.05].map(|part| part * load).into_iter();
        let report = if self.hogged { 3.0 } else { f64::from(u8::from(job)) * 0.9 };
        let uses: Vec<f64> = uses.chain([if backup { 0.4 } else { 0.0 }, report]).collect();
        let wait = if self.hogged { 2.0 } else { 0.02 };
        let names = ["web", "web", "web", "web", "postgres", "agent", "backup", "report"];
        let mut rows = Vec::new();
        for (i, (name, part)) in names.into_iter().zip(uses).enumerate() {
            self.cpu[i] += (part * STEP as f64 * 1e9) as u64;
            self.delay[i] += (part * wait * self.share() * STEP as f64 * 1e9) as u64;
            rows.push(ProcessSample {
                id: ProcessId { pid: 100 + i as u32, start: 5 },
                parent: 1,
                name: name.into(),
                command: name.into(),
                state: 'S',
                session: 100 + i as u32,
                cpu: self.cpu[i],
                run_delay: Some(self.delay[i]),
                resident: GIB / 2 + (self.share() * 1e6) as u64,
                threads: 4,
                cgroup: "/".into(),
                netns: 1,
                descriptors: Some(80),
                descriptor_limit: Some((1024, 4096)),
                ..ProcessSample::default()
            });
        }
        rows
    }
}

/// Hands that write down whatever they are told to, and take every plan for possible: nothing but the brain holds it back.
fn perform(entries: &mut Vec<(u64, Entry)>, now: Now, job: Job) -> Done {
    match job {
        Job::Record(deeds) => {
            let before = entries.len();
            for (change, deed, who) in deeds {
                entries.push((entries.len() as u64 + 1, Entry { change, deed, who, now, boot: "boot".into() }));
            }
            Done { entries: entries[before..].to_vec(), ..Done::default() }
        }
        Job::Preview(id, proposal) => {
            let knob = trimtab::model::knob::Knob::File(trimtab::model::knob::Place::proc("sys/vm/swappiness"));
            let step = Step { knob, before: "1".into(), after: "2".into(), apply: String::new(), undo: String::new() };
            let plan = Plan { action: proposal.action.to_string(), boot: "boot".into(), steps: vec![step] };
            Done { preview: Some((id, Ok((plan, "digest".into())))), ..Done::default() }
        }
        _ => Done { error: Some("nothing is touched here".into()), ..Done::default() },
    }
}

/// What the brain did in so many seconds: approvals of its own, proposals, findings.
fn watch(mut host: Host, seconds: u64) -> (usize, BTreeSet<String>, BTreeSet<String>) {
    let mut now = Now { tick: Tick(1_000_000_000_000), wall: Wall(1_700_006_400_000) };
    let every = Duration::from_secs(STEP);
    let facts = Facts { boot: "boot".into(), cpus: CORES as u32, memory: 16 * GIB, autogroup: true, ..Facts::default() };
    let mut brain = Brain::new(Birth {
        deriver: Deriver::default(),
        facts: Arc::new(facts),
        actions: actions::all(),
        settings: Settings { policy: Policy { mode: Mode::Auto, ..Policy::default() }, ..Settings::default() },
        entries: vec![],
        leave: false,
        engine: 1,
        now,
    });
    let (mut entries, mut found) = (Vec::new(), BTreeSet::new());
    for _ in 0..seconds / STEP {
        now.tick = now.tick + every;
        now.wall.0 += every.as_millis() as i64;
        let samples = host.sweep().into_iter().map(|(source, sample)| Input::Sampled { source, at: now, sample: Ok(sample) });
        let mut inputs: Vec<Input> = samples.collect();
        inputs.extend([Input::Passed { lane: Lane::Fast, now }, Input::Passed { lane: Lane::Sweep, now }]);
        while !inputs.is_empty() {
            let mut jobs: Vec<(JobNumber, Job)> = Vec::new();
            for effect in inputs.drain(..).flat_map(|input| brain.step(input)) {
                match effect {
                    Effect::Perform { job, what } => jobs.push((job, what)),
                    Effect::Publish(view) => found.extend(view.findings.iter().map(|finding| finding.headline.clone())),
                    _ => {}
                }
            }
            let done = |(job, what)| Input::Performed { job: Some(job), done: Box::new(perform(&mut entries, now, what)) };
            inputs = jobs.into_iter().map(done).collect();
        }
    }
    let proposed = entries.iter().filter(|(_, e)| matches!(e.deed, Deed::Proposed { .. })).map(|(_, e)| e.deed.detail()).collect();
    let acted = entries.iter().filter(|(_, e)| matches!(e.deed, Deed::Approved { .. })).count();
    (acted, proposed, found)
}

#[test]
fn on_a_day_on_which_nothing_is_wrong_nothing_is_done() {
    let (acted, proposed, found) = watch(Host { noise: 11, ..Host::default() }, 86_400);
    assert!(acted == 0 && proposed.is_empty(), "{acted} approved, proposed {proposed:?}, found {found:?}");
    let (acted, proposed, found) = watch(Host { noise: 11, hogged: true, ..Host::default() }, 3600);
    assert!(acted > 0, "a hog is something wrong: proposed {proposed:?}, found {found:?}");
}
