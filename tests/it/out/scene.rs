//! A small host as samples, and the view that they make.

use std::sync::Arc;
use trimtab::{
    analysis::derive::deriver::Deriver,
    model::{
        facts::Facts,
        finding::{Finding, FindingId, FindingKind, Severity},
        limits::Mode,
        message::{Cost, GuardState, View},
        metric::{Key, Metric},
        outlook::{Crossing, Effort, Forecast, Outlook},
        sample::*,
        snapshot::{Quota, Snapshot},
        subject::Subject,
        time::{Now, Tick, Wall},
    },
};

pub fn at(second: u64) -> Now {
    Now { tick: Tick((100 + second) * 1_000_000_000), wall: Wall(1_700_000_000_000 + second as i64 * 1000) }
}

fn cpu(n: u64) -> CpuSample {
    let core = |user| CpuTimes { user, system: 10 * n, idle: 1000 + 90 * n - user, ..CpuTimes::default() };
    let (a, b) = (core(20 * n), core(60 * n));
    let total = CpuTimes { user: a.user + b.user, system: 20 * n, idle: a.idle + b.idle, ..CpuTimes::default() };
    CpuSample {
        total,
        cores: vec![(0, a), (1, b)],
        context_switches: 1000 * n,
        forks: 10 * n,
        interrupts: 500 * n,
        running: 2,
        blocked: 0,
        load: Some([0.5, 0.25, 0.125]),
    }
}

fn disk(n: u64) -> DiskSample {
    DiskSample {
        name: "vda".into(),
        device: (254, 0),
        completed: [100 * n, 50 * n, 0, 2 * n],
        sectors: [8 * 100 * n, 8 * 50 * n, 0],
        millis: [200 * n, 500 * n, 0, 10 * n],
        in_flight: 1,
        busy_millis: 250 * n,
        queue_millis: 700 * n,
        ..DiskSample::default()
    }
}

fn cgroup(path: &str, n: u64) -> CgroupSample {
    CgroupSample {
        path: path.into(),
        cpu: Some(250_000_000 * n),
        throttling: Some([10 * n, 5 * n, 100_000_000 * n]),
        quota: Some(Quota { quota: Some(25_000), period: 100_000 }),
        memory: Some(64 << 20),
        oom_kills: Some(1),
        ..CgroupSample::default()
    }
}

fn samples(n: u64) -> Vec<(SourceName, Sample)> {
    let line = |total| PressureLine { avg: [0.0; 3], total };
    let stall = |total| Stall { some: line(total), full: Some(line(total / 2)) };
    let pressure = PressureSample { cpu: stall(100_000 * n), memory: stall(0), io: stall(50_000 * n) };
    let vm = VmSample { pgfault: 1000 * n, pgmajfault: 10 * n, pswpin: 256 * n, page_size: 4096, ..VmSample::default() };
    let memory =
        MemorySample { total: 8 << 30, available: 6 << 30, swap_total: 1 << 30, swap_free: 1 << 30, ..MemorySample::default() };
    let space = Space { total: 100 << 30, used: 60 << 30, available: 40 << 30, inodes: 1 << 20, inodes_free: 1 << 19 };
    let mount = FilesystemSample {
        at: "/srv/\"odd\", \\name".into(),
        device: "/dev/vda1".into(),
        kind: "ext4".into(),
        space: Some(space),
        ..FilesystemSample::default()
    };
    let lo = InterfaceSample {
        name: "eth0".into(),
        bytes: [2048 * n, 1024 * n],
        packets: [20 * n, 10 * n],
        ..InterfaceSample::default()
    };
    let tcp = TcpSample { in_segs: 30 * n, out_segs: 20 * n, retrans_segs: 2 * n, ..TcpSample::default() };
    let shop = ServiceSample {
        name: "shop".into(),
        buckets: vec![(0.005, 10 * n), (1.0, 19 * n), (f64::INFINITY, 20 * n)],
        process: None,
    };
    vec![
        (SourceName::Cpu, Sample::Cpu(cpu(n))),
        (SourceName::Pressure, Sample::Pressure(pressure)),
        (SourceName::Vm, Sample::Vm(vm)),
        (SourceName::Memory, Sample::Memory(memory)),
        (SourceName::Disks, Sample::Disks(vec![disk(n)])),
        (SourceName::Filesystems, Sample::Filesystems(vec![mount])),
        (SourceName::Interfaces, Sample::Interfaces(NetworkSample { interfaces: vec![lo], ..NetworkSample::default() })),
        (SourceName::Tcp, Sample::Tcp(vec![tcp])),
        (SourceName::Cgroups, Sample::Cgroups(vec![cgroup("/a.slice", n), cgroup("/a.slice/b.service", 2 * n)])),
        (SourceName::Services, Sample::Services(vec![shop])),
    ]
}

/// The host after `seconds` seconds, with its counters.
pub fn host(seconds: u64) -> (View, Counters) {
    let mut deriver = Deriver::default();
    for n in 0..=seconds {
        for (source, sample) in samples(n) {
            deriver.take(source, at(n), Ok(sample));
        }
    }
    (view(deriver.snapshot(at(seconds))), deriver.counters())
}

pub fn view(snapshot: Snapshot) -> View {
    let finding = Finding {
        id: FindingId { kind: FindingKind::DiskLatency, subject: Subject::Disk("vda".into()) },
        severity: Severity::Warning,
        headline: "vda takes 20 ms, for \"reads\"".into(),
        evidence: vec![],
        culprits: vec![],
        victims: vec![],
        ruled_out: vec![],
        advice: None,
        impact: 0.5,
        priority: 0.5,
        since: at(0).wall,
        crossing: None,
    };
    View {
        number: 3,
        now: snapshot.vitals.now,
        mode: Mode::Suggest,
        facts: Arc::new(Facts { host: "web".into(), kernel: "6.1".into(), cpus: 2, memory: 8 << 30, ..Facts::default() }),
        snapshot: Arc::new(snapshot),
        findings: Arc::new(vec![finding]),
        changes: Arc::default(),
        problems: vec![],
        halted: None,
        cost: Cost { cpu: 0.0078125, resident: 1 << 24, ..Cost::default() },
        guard: GuardState::Idle,
        engine: 11,
        alerts: Arc::default(),
        outlook: Some(Arc::new(outlook())),
        emergencies: Vec::new(),
        present: Vec::new(),
        trust: None,
    }
}

fn outlook() -> Outlook {
    let crossing = |likely| Crossing {
        limit: 1.0,
        of: "space of /srv".into(),
        likely,
        earliest: Some(3000.0),
        latest: None,
        confidence: 0.875,
    };
    let forecast = |at: &str, likely| {
        Arc::new(Forecast {
            key: Key::new(Subject::Filesystem(at.into()), Metric::FilesystemUsed),
            made: self::at(0).wall,
            step: 300.0,
            bands: vec![],
            blend: vec![],
            skill: None,
            reliable: true,
            season: None,
            trained: 600.0,
            changed: None,
            record: None,
            crossing: Some(crossing(likely)),
        })
    };
    let effort = Effort { series: 200, forecasts: 450, cpu: 0.0078125, budget: 0.01, bytes: 8 << 20 };
    Outlook { forecasts: vec![forecast("/home", None), forecast("/srv", Some(3600.0))], effort, ..Outlook::default() }
}
