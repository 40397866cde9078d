//! What looking ahead costs on a host with some 200 numbers: the share of a core over an hour with days of past, what a forecast at each
//! resolution costs, how old forecasts become within the budget, and the bytes that all of it holds.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    collections::{BTreeMap, BTreeSet},
    f64::consts::TAU,
    sync::Arc,
    time::Instant,
};
use trimtab::{
    analysis::forecast::forecast::{self, Past},
    engine::seer::{
        ladder::{Ladder, SCALES},
        schedule::AHEAD,
        seer::Seer,
        shelf::Shelf,
    },
    host::{host::Host, real::RealHost},
    model::{
        limits::{Foresight, Mode},
        message::{Cost, GuardState, View},
        metric::Key,
        sample::MemorySample,
        snapshot::{Cgroup, CpuSplit, Disk, Filesystem, Interface, Network, Pressure, Process, Reading, Service, Snapshot, Vitals},
        subject::ProcessId,
        time::{Now, Tick, Wall},
    },
};

const START: i64 = 1_795_200_000;
const DAYS: i64 = 3;

/// A number that has a day, an hour and noise.
fn number(which: u32, second: i64) -> f64 {
    let t = second as f64;
    let mut state = (second as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(which).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 30)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let noise = (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
    let phase = f64::from(which);
    0.4 + 0.2 * (TAU * t / 86_400.0 + phase).sin() + 0.05 * (TAU * t / 3600.0 + 2.0 * phase).sin() + 0.1 * noise
}

fn snapshot(now: Now, second: i64) -> Snapshot {
    let n = |which: u32| number(which, second);
    let disk = |i: u32| Disk {
        name: format!("vd{i}").into(),
        read: 1e7 * n(10 * i),
        write: 1e7 * n(10 * i + 1),
        read_latency: Some(0.01 * n(10 * i + 2)),
        write_latency: Some(0.01 * n(10 * i + 3)),
        flush_latency: Some(0.01 * n(10 * i + 4)),
        latency: Some(0.01 * n(10 * i + 5)),
        queue: 4.0 * n(10 * i + 6),
        busy: n(10 * i + 7),
        ..Disk::default()
    };
    let space = |i: u32| trimtab::model::sample::Space {
        total: 1 << 40,
        used: ((1_u64 << 40) as f64 * n(200 + i)) as u64,
        available: ((1_u64 << 40) as f64 * (1.0 - n(200 + i))) as u64,
        inodes: 1 << 20,
        inodes_free: 1 << 19,
    };
    let filesystem = |i: u32| Filesystem { at: format!("/srv/{i}").into(), space: Some(space(i)), ..Filesystem::default() };
    let interface = |i: u32| Interface {
        name: format!("eth{i}").into(),
        bytes: [1e7 * n(300 + 2 * i), 1e7 * n(301 + 2 * i)],
        speed: Some(1_000_000_000),
        ..Interface::default()
    };
    let cgroup = |i: u32| Cgroup {
        path: format!("/app{i:02}.slice").into(),
        cpu: Some(n(400 + 3 * i)),
        memory: Some((1e9 * n(401 + 3 * i)) as u64),
        memory_limit: (i < 6).then_some(1 << 30),
        ..Cgroup::default()
    };
    let process = |i: u32| Process {
        id: ProcessId { pid: 100 + i, start: 7 },
        name: format!("worker{i}").into(),
        cpu: Some(0.5 * n(500 + 2 * i)),
        wait: Some(0.01),
        resident: (1e8 * n(501 + 2 * i)) as u64,
        io: Some([1e5 * n(600 + i), 1e5]),
        ..Process::default()
    };
    let service = |i: u32| Service {
        name: format!("shop{i}").into(),
        rate: 100.0 * n(700 + i),
        latency: Some([0.01 * n(710 + i), 0.02 * n(720 + i), 0.04 * n(730 + i)]),
        ..Service::default()
    };
    let memory = MemorySample {
        total: 1 << 34,
        available: ((1_u64 << 34) as f64 * n(800)) as u64,
        swap_total: 1 << 32,
        swap_free: 1 << 31,
        ..MemorySample::default()
    };
    let total = CpuSplit { user: n(801), system: 0.1 * n(802), ..CpuSplit::default() };
    let cpu = trimtab::model::snapshot::Cpu { total, running: 2, load: Some([n(803); 3]), ..Default::default() };
    let vitals = Vitals {
        now,
        cpu: Reading::Known(cpu),
        memory: Reading::Known(memory),
        pressure: Reading::Known(Pressure::default()),
        ..Vitals::default()
    };
    Snapshot {
        vitals,
        disks: Reading::Known((0..8).map(disk).collect()),
        filesystems: Reading::Known((0..6).map(filesystem).collect()),
        network: Reading::Known(Network { interfaces: (0..4).map(interface).collect(), ..Network::default() }),
        processes: Reading::Known(Arc::new((0..60).map(process).collect())),
        cgroups: Reading::Known((0..20).map(cgroup).collect()),
        services: Reading::Known((0..4).map(service).collect()),
        ..Snapshot::default()
    }
}

fn view(second: i64) -> Arc<View> {
    let now = Now { tick: Tick((second as u64 + 1000) * 1_000_000_000), wall: Wall((START + second) * 1000) };
    Arc::new(View {
        number: 0,
        now,
        mode: Mode::Observe,
        facts: Arc::default(),
        snapshot: Arc::new(snapshot(now, second)),
        findings: Arc::default(),
        changes: Arc::default(),
        problems: Vec::new(),
        halted: None,
        cost: Cost::default(),
        guard: GuardState::default(),
        engine: 1,
        alerts: Arc::default(),
        outlook: None,
        emergencies: Vec::new(),
        present: Vec::new(),
        trust: None,
    })
}

/// An hour of sweeps after days that were not thought about, by the clock of this thread.
fn hour(host: &RealHost) {
    let mut seer = Seer::new(Foresight::default(), forecast::forecast, Vec::new());
    let clock = || host.thread_clock().unwrap();
    for second in (0..DAYS * 86_400).step_by(10) {
        seer.take(view(second));
    }
    let begin = DAYS * 86_400;
    let (mut all, mut takes, mut made, mut longest) = (0, 0, 0, 0);
    let mut ages: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for second in begin..begin + 3600 {
        let view = view(second);
        let before = clock();
        seer.take(view);
        let took = clock() - before;
        takes += took;
        seer.spend(took);
        let turn = clock();
        loop {
            let before = clock();
            let did = seer.think();
            seer.spend(clock() - before);
            if !did {
                break;
            }
            made += 1;
        }
        let outlook = seer.outlook();
        all += clock() - before;
        longest = longest.max(clock() - turn);
        if let Some(outlook) = outlook.filter(|_| second > begin + 1800) {
            for forecast in &outlook.forecasts {
                ages.entry(forecast.step as i64).or_default().push(START + second - forecast.made.0 / 1000);
            }
        }
    }
    let effort = seer.effort();
    println!("{} series, {} forecasts, {made} turns of thought in an hour", effort.series, effort.forecasts);
    println!("share of a core: {:.4} (says {:.4}, budget {})", all as f64 / 3600e9, effort.cpu, effort.budget);
    println!("a sweep taken: {:.3} ms; the longest turn {:.1} ms", takes as f64 / 3600e6, longest as f64 / 1e6);
    println!("bytes: {} ({:.1} MiB)", effort.bytes, effort.bytes as f64 / (1 << 20) as f64);
    for (step, mut ages) in ages {
        ages.sort_unstable();
        let at = |share: f64| ages.get((ages.len() as f64 * share) as usize).copied().unwrap_or_default();
        println!("age of forecasts of {step} s steps: median {} s, 95 % below {} s", at(0.5), at(0.95));
    }
}

/// What one forecast costs at each resolution with all of its past.
fn each(host: &RealHost) {
    for (rung, (scale, ahead)) in SCALES.iter().zip(AHEAD).enumerate() {
        let values: Vec<f64> = (0..scale.most as i64).map(|i| number(7, i * scale.step)).collect();
        let past = Past { values: &values, start: START as f64, step: scale.step as f64, floor: Some(0.0), ceiling: Some(1.0) };
        let times: Vec<f64> = (0..9)
            .map(|_| {
                let before = host.thread_clock().unwrap();
                std::hint::black_box(forecast::forecast(&past, ahead));
                (host.thread_clock().unwrap() - before) as f64 / 1e6
            })
            .collect();
        let least = times.iter().copied().fold(f64::INFINITY, f64::min);
        println!("one forecast, {} x {} s, {ahead} ahead (resolution {rung}): {least:.2} ms", scale.most, scale.step);
    }
}

/// Bytes of 200 ladders that are full.
fn full() {
    let mut ladder = Ladder::new(START as f64);
    for (rung, scale) in SCALES.iter().enumerate() {
        ladder.backfill(rung, (1..=scale.most as i64).map(|i| ((START - i * scale.step) as f64, 0.5)));
    }
    println!("200 full ladders: {:.1} MiB", 200.0 * ladder.bytes() as f64 / (1 << 20) as f64);
    let mut shelf = Shelf::default();
    let began = Instant::now();
    for second in 0..600 {
        let now = Now { tick: Tick(second as u64 * 1_000_000_000), wall: Wall((START + second) * 1000) };
        shelf.take((START + second) as f64, &snapshot(now, second), &BTreeSet::<Key>::new());
    }
    println!("ladders alone: {:.3} ms a sweep with making it", began.elapsed().as_secs_f64() / 0.6);
}

fn main() {
    let host = RealHost::default();
    each(&host);
    full();
    hour(&host);
}
