//! When lanes are due. Pure: passes are numbered every 100 ms from the start, and what was read says whether the host is calm.
//!
//! On a calm host the fast lane reads with its detectors, every half second. From the moment at which anything stirs (the kernel's own
//! alarm, or what a pass has read) it reads every 100 ms, until nothing has stirred for ten seconds.

use crate::{
    model::{
        sample::{CpuSample, MemorySample, PressureSample, Sample},
        time::Tick,
    },
    sources::source::Lane,
};
use std::time::Duration;

/// From one pass to the next.
pub const PASS: Duration = Duration::from_millis(100);

/// Passes per second.
const SECOND: u64 = 10;

/// Passes per look of the fast lane's detectors.
const LOOK: u64 = 5;

/// The second sweep comes early, so that rates are on the screen soon after the start.
const EARLY: u64 = 3;

/// Time without a stir that makes a calm host.
const CALM: Duration = Duration::from_secs(10);

/// Shares of time that something waited for cpu, for memory, and for I/O.
const WAITED: [f64; 3] = [0.1, 0.01, 0.1];

/// Share of all memory that was taken between two looks.
const TAKEN: f64 = 0.01;

/// The pass after `pass`.
pub fn next(pass: u64, calm: bool) -> u64 {
    match (calm, pass < EARLY) {
        (false, _) => pass + 1,
        (true, true) => EARLY,
        (true, false) => (pass / LOOK + 1) * LOOK,
    }
}

/// Whether a lane's time has come with this pass; `last` is the pass before, which may be several ago, `sweep` the time between sweeps.
pub fn is_due(lane: Lane, pass: u64, last: Option<u64>, sweep: Duration) -> bool {
    let Some(last) = last else { return true };
    let crossed = |every: u64| pass / every.max(1) > last / every.max(1);
    let early = last < EARLY && pass >= EARLY;
    let sweep = u64::try_from(sweep.as_millis() / PASS.as_millis()).unwrap_or(SECOND);
    match lane {
        Lane::Fast => true,
        Lane::Look => crossed(LOOK) || early,
        Lane::Sweep | Lane::Seldom(_) | Lane::Apart(0 | 1) => crossed(sweep) || early,
        Lane::Apart(seconds) => crossed(sweep.max(SECOND * u64::from(seconds))),
    }
}

/// Whether the host stirs.
#[derive(Debug, Default)]
pub struct Stir {
    last: Option<Tick>,
    waited: Option<(Tick, [u64; 3])>,
    available: Option<u64>,
}

impl Stir {
    /// Something stirs.
    pub fn note(&mut self, now: Tick) {
        self.last = Some(now);
    }

    /// Nothing has stirred for a while.
    pub fn is_calm(&self, now: Tick) -> bool {
        self.last.is_none_or(|last| now.since(last) >= CALM)
    }

    /// Looks whether what was read is a stir.
    pub fn take(&mut self, now: Tick, sample: &Sample) {
        let stirs = match sample {
            Sample::Cpu(cpu) => crowded(cpu),
            Sample::Pressure(pressure) => self.waits(now, pressure),
            Sample::Memory(memory) => self.takes(memory),
            _ => false,
        };
        if stirs {
            self.note(now);
        }
    }

    fn waits(&mut self, now: Tick, pressure: &PressureSample) -> bool {
        let totals = [&pressure.cpu, &pressure.memory, &pressure.io].map(|stall| stall.some.total);
        let Some((then, before)) = self.waited.replace((now, totals)) else { return false };
        let span = now.since(then).as_micros() as f64;
        let waited = before.iter().zip(totals).map(|(before, now)| now.saturating_sub(*before) as f64);
        span > 0.0 && waited.zip(WAITED).any(|(micros, level)| micros / span > level)
    }

    fn takes(&mut self, memory: &MemorySample) -> bool {
        let before = self.available.replace(memory.available).unwrap_or(memory.available);
        before.saturating_sub(memory.available) as f64 > memory.total as f64 * TAKEN
    }
}

/// More is runnable than can run; we ourselves are one of them.
fn crowded(cpu: &CpuSample) -> bool {
    cpu.running > cpu.cores.len() as u64 + 1
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::sample::{CpuTimes, PressureLine, Stall};

    const ONE: Duration = Duration::from_secs(1);

    fn at(millis: u64) -> Tick {
        Tick(millis * 1_000_000)
    }

    #[test]
    fn a_calm_host_is_read_every_half_second_and_a_stirring_one_every_100_ms() {
        let walk = |calm| std::iter::successors(Some(0), |pass| Some(next(*pass, calm))).take(6).collect::<Vec<u64>>();
        assert_eq!(walk(true), [0, 3, 5, 10, 15, 20]);
        assert_eq!(walk(false), [0, 1, 2, 3, 4, 5]);
        assert_eq!(next(7, true), 10, "back on the grid of looks");
    }

    #[test]
    fn sweeps_follow_every_tenth_pass_with_an_early_second_one_even_when_passes_were_missed() {
        let passes = [0, 1, 2, 4, 9, 10, 11, 35, 36, 40, 600, 601];
        let due = |lane, sweep| {
            let mut last = None;
            passes.iter().filter(|pass| is_due(lane, **pass, last.replace(**pass), sweep)).copied().collect::<Vec<u64>>()
        };
        assert_eq!(due(Lane::Sweep, ONE), [0, 4, 10, 35, 40, 600]);
        assert_eq!(due(Lane::Apart(1), ONE), due(Lane::Sweep, ONE));
        assert_eq!(due(Lane::Apart(60), ONE), [0, 600]);
        assert_eq!(due(Lane::Sweep, 2 * ONE), [0, 4, 35, 40, 600]);
        assert_eq!(due(Lane::Sweep, ONE / 2), [0, 4, 9, 10, 35, 40, 600]);
        assert_eq!(due(Lane::Look, 5 * ONE), due(Lane::Look, ONE), "looks keep their pace");
    }

    fn pressure(cpu: u64, memory: u64) -> Sample {
        let stall = |total| Stall { some: PressureLine { total, ..PressureLine::default() }, full: None };
        Sample::Pressure(PressureSample { cpu: stall(cpu), memory: stall(memory), io: stall(0) })
    }

    #[test]
    fn waiting_stirs_by_its_share_of_the_time_that_passed() {
        let mut stir = Stir::default();
        stir.take(at(0), &pressure(9_000_000, 0));
        stir.take(at(500), &pressure(9_040_000, 4_000));
        assert!(stir.is_calm(at(500)), "8 % for cpu, 0.8 % for memory");
        stir.take(at(1000), &pressure(9_100_000, 4_000));
        assert!(!stir.is_calm(at(1000)), "12 %");
        assert!(!stir.is_calm(at(10_999)) && stir.is_calm(at(11_000)));
        stir.take(at(20_000), &pressure(9_100_000, 400_000));
        assert!(!stir.is_calm(at(20_000)), "2 % for memory");
    }

    #[test]
    fn a_crowd_falling_memory_and_the_kernel_stir() {
        let cpu = |running| {
            let cores = vec![(0, CpuTimes::default()), (1, CpuTimes::default())];
            Sample::Cpu(CpuSample { running, cores, ..CpuSample::default() })
        };
        let memory = |available| Sample::Memory(MemorySample { total: 1000, available, ..MemorySample::default() });
        let stirs = |all: &[Sample]| {
            let mut stir = Stir::default();
            all.iter().for_each(|sample| stir.take(at(1), sample));
            !stir.is_calm(at(1))
        };
        assert!(!stirs(&[cpu(3)]) && stirs(&[cpu(4)]));
        assert!(!stirs(&[memory(500), memory(490)]) && stirs(&[memory(500), memory(489)]));
        assert!(!stirs(&[memory(500), memory(900)]), "freed");
        let mut stir = Stir::default();
        stir.note(at(5));
        assert!(!stir.is_calm(at(6)));
    }
}
