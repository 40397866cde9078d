//! What a day costs on disk and how fast it is read: thirty real sweeps of this host, carried forward over 24 hours with a seeded
//! generator, through the real store. Prints bytes against the budget, processor time per stored sweep, the time to open, to jump to
//! any minute (200 random ones) and to trace ten numbers over the day. `cargo bench --bench history [-- HOURS]`.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stderr)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use trimtab::{
    analysis::derive::deriver::Deriver,
    engine::past,
    host::{host::Host, real::RealHost},
    model::{
        limits::Keeping,
        message::{Ask, Body},
        sample::{Sample, SourceName},
        time::{Now, Tick, Wall},
    },
    sources,
    store::history::{
        frame::{Frame, Own, Reading, Readings},
        reader::History,
        writer::{HistoryWriter, Place, size},
    },
};

const RECORDED: usize = 30;
const BUDGET: u64 = 256 << 20;

/// xorshift: the same day each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: u64) -> u64 {
        self.roll() % n.max(1)
    }
}

type Sweep = Vec<(SourceName, Sample)>;

/// Real sweeps, a second apart.
fn record() -> (Vec<Sweep>, Arc<trimtab::model::facts::Facts>) {
    let host: Arc<dyn Host> = Arc::new(RealHost::default());
    let mut sources = sources::all(&host, &[], 1000);
    let facts = Arc::new(host.facts());
    let sweeps = (0..RECORDED).map(|_| {
        let sweep = sources.iter_mut().filter_map(|source| Some((source.about().name, source.read(&*host).ok()?))).collect();
        host.pause(Duration::from_secs(1));
        sweep
    });
    (sweeps.collect(), facts)
}

/// Carries a recorded sweep to another time: what the recording gained in a round is added for each round that has passed, so that
/// counters only rise, and gauges jitter.
fn carry(sample: &mut Sample, rounds: u64, dice: &mut Dice) {
    let grow = |value: &mut u64, per_round: u64| *value += per_round * rounds;
    match sample {
        Sample::Cpu(cpu) => {
            let split = |times: &mut trimtab::model::sample::CpuTimes| {
                times.user += 300 * rounds;
                times.system += 90 * rounds;
                times.idle += 2600 * rounds;
            };
            split(&mut cpu.total);
            cpu.cores.iter_mut().for_each(|(_, times)| split(times));
            grow(&mut cpu.context_switches, 60_000);
            grow(&mut cpu.interrupts, 30_000);
            cpu.running = dice.below(4);
        }
        Sample::Memory(memory) => {
            memory.available = memory.available.saturating_sub(dice.below(1 << 14) << 12);
            memory.cached = memory.cached.saturating_sub(dice.below(1 << 12) << 12);
        }
        Sample::Vm(vm) => {
            grow(&mut vm.pgfault, 200_000);
            grow(&mut vm.pgpgout, 40_000);
            vm.nr_dirty = dice.below(20_000);
        }
        Sample::Pressure(pressure) => {
            for stall in [&mut pressure.cpu, &mut pressure.memory, &mut pressure.io] {
                grow(&mut stall.some.total, 500_000);
                stall.some.avg[0] = dice.below(900) as f64 / 100.0;
                if let Some(full) = &mut stall.full {
                    grow(&mut full.total, 200_000);
                }
            }
        }
        Sample::Disks(disks) => {
            for disk in disks {
                grow(&mut disk.completed[1], 900);
                grow(&mut disk.sectors[1], 30_000);
                grow(&mut disk.millis[1], 800);
                grow(&mut disk.busy_millis, 700);
            }
        }
        Sample::Interfaces(network) => {
            for interface in &mut network.interfaces {
                grow(&mut interface.bytes[0], 90_000);
                grow(&mut interface.bytes[1], 60_000);
                grow(&mut interface.packets[0], 300);
            }
        }
        Sample::Processes(rows) => {
            for row in Arc::make_mut(rows).iter_mut() {
                // Whoever did something in the recording goes on doing it; every tenth of the others stirs now and then.
                let gain = if row.cpu > 1_000_000_000 { 900_000_000 } else { 0 };
                grow(&mut row.cpu, gain);
                if dice.below(40) == 0 {
                    row.cpu += dice.below(10_000_000);
                    row.resident += dice.below(16) << 12;
                }
            }
        }
        Sample::Cgroups(groups) => {
            for group in groups {
                if let Some(cpu) = &mut group.cpu {
                    grow(cpu, 500_000_000);
                }
            }
        }
        _ => {}
    }
}

fn frame(second: u64, sweeps: &[Sweep], facts: &Arc<trimtab::model::facts::Facts>, begin: Now, dice: &mut Dice) -> Frame {
    let now = Now { tick: begin.tick + Duration::from_secs(second), wall: Wall(begin.wall.0 + second as i64 * 1000) };
    let rounds = second / sweeps.len() as u64;
    let sweep = &sweeps[second as usize % sweeps.len()];
    let readings: Readings = sweep
        .iter()
        .map(|(name, sample)| {
            let mut sample = sample.clone();
            carry(&mut sample, rounds, dice);
            (*name, Arc::new(Reading { at: now, sample: Ok(sample) }))
        })
        .collect();
    Frame { now, readings, facts: facts.clone(), own: Own::default(), ..Frame::default() }
}

fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn percentile(all: &mut [Duration], share: f64) -> Duration {
    all.sort();
    all[((all.len() - 1) as f64 * share) as usize]
}

fn main() {
    let hours: u64 = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(24);
    assert_eq!(Keeping::default().bytes, BUDGET);
    let (sweeps, facts) = record();
    let rows =
        |sweep: &Sweep| sweep.iter().find_map(|(_, s)| if let Sample::Processes(rows) = s { Some(rows.len()) } else { None });
    let directory = tempfile::tempdir().unwrap();
    let place = Place { path: directory.path().join("history.db"), bytes: BUDGET };
    let begin = Now { tick: Tick(1_000_000_000_000), wall: Wall(1_795_269_600_000) };
    let (mut writer, _) = HistoryWriter::open(&place, begin.wall).unwrap();
    let (mut deriver, mut dice, mut spent, mut greatest) = (Deriver::default(), Dice(42), Duration::ZERO, 0);
    let seconds = hours * 3600;
    let started = Instant::now();
    for second in 0..seconds {
        let frame = frame(second, &sweeps, &facts, begin, &mut dice);
        for (name, reading) in &frame.readings {
            deriver.take(*name, reading.at, reading.sample.clone());
        }
        let snapshot = deriver.snapshot(frame.now);
        let before = cpu();
        writer.put(&frame, &snapshot).unwrap();
        spent += cpu() - before;
        greatest = greatest.max(size(&place.path));
    }
    let processes = rows(&sweeps[0]).unwrap_or_default();
    eprintln!("{hours} h, {processes} processes: {seconds} sweeps in {:.0} s", started.elapsed().as_secs_f64());
    let mib = |bytes: u64| bytes as f64 / (1 << 20) as f64;
    eprintln!("on disk      {:.1} MiB of {:.0}, at most {:.1}", mib(writer.size()), mib(BUDGET), mib(greatest));
    eprintln!("per sweep    {:.3} ms of cpu", spent.as_secs_f64() * 1000.0 / seconds as f64);
    drop(writer);
    read(&place, begin, seconds, &mut dice);
}

fn read(place: &Place, begin: Now, seconds: u64, dice: &mut Dice) {
    let started = Instant::now();
    let history = History::open(&place.path).unwrap();
    let kept = history.kept().unwrap().unwrap();
    eprintln!(
        "open         {:.1} ms; kept {:.1} h",
        started.elapsed().as_secs_f64() * 1000.0,
        (kept.1.0 - kept.0.0) as f64 / 3.6e6
    );
    let mut jumps: Vec<Duration> = (0..200)
        .map(|_| {
            let at = Wall(begin.wall.0 + dice.below(seconds) as i64 * 1000);
            let started = Instant::now();
            let history = History::open(&place.path).unwrap();
            let past = past::past(&history, at).unwrap().unwrap();
            assert_eq!(past.view.now.wall, at);
            started.elapsed()
        })
        .collect();
    let (p50, p99) = (percentile(&mut jumps, 0.5), percentile(&mut jumps, 0.99));
    eprintln!("jump         p50 {:.1} ms, p99 {:.1} ms", p50.as_secs_f64() * 1000.0, p99.as_secs_f64() * 1000.0);
    let keys: Vec<_> = history.keys(kept.0, kept.1).unwrap().into_iter().take(10).collect();
    let count = keys.len();
    let started = Instant::now();
    let ask = Ask::Trace { keys, from: kept.0, to: kept.1, points: 400 };
    let Body::Trace(trace) = past::answer(&history, ask).unwrap() else { return eprintln!("no trace") };
    let known = trace.rows.iter().flat_map(|(_, row)| row).flatten().count();
    eprintln!("trace        {:.1} ms for {count} numbers in 400 steps ({known} known)", started.elapsed().as_secs_f64() * 1000.0);
}
