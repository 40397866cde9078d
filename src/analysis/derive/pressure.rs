//! Pressure as the share of the window that was stalled, from the totals: sharper than the kernel's own averages.

use super::delta::rate;
use crate::model::{
    sample::{PressureLine, PressureSample, Stall},
    snapshot::{Pressure, PressureShare},
};

/// What happened between two samples.
pub(super) fn pressure(old: &PressureSample, new: &PressureSample, seconds: f64) -> Pressure {
    Pressure {
        cpu: share(&old.cpu, &new.cpu, seconds),
        memory: share(&old.memory, &new.memory, seconds),
        io: share(&old.io, &new.io, seconds),
    }
}

fn share(old: &Stall, new: &Stall, seconds: f64) -> PressureShare {
    let ten = |line: PressureLine| {
        let [ten, ..] = line.avg;
        ten / 100.0
    };
    PressureShare {
        some: some(old, new, seconds),
        full: full(old, new, seconds),
        some10: ten(new.some),
        full10: new.full.map_or(0.0, ten),
    }
}

/// Share of the time in which at least one task waited.
pub(super) fn some(old: &Stall, new: &Stall, seconds: f64) -> f64 {
    line(old.some, new.some, seconds)
}

/// Share of the time in which all waited; 0 where the kernel has no such line.
pub(super) fn full(old: &Stall, new: &Stall, seconds: f64) -> f64 {
    old.full.zip(new.full).map_or(0.0, |(old, new)| line(old, new, seconds))
}

fn line(old: PressureLine, new: PressureLine, seconds: f64) -> f64 {
    // Totals are microseconds.
    (rate(old.total, new.total, seconds) / 1e6).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stall(some: u64, full: Option<u64>) -> Stall {
        let line = |total| PressureLine { avg: [25.0, 0.0, 0.0], total };
        Stall { some: line(some), full: full.map(line) }
    }

    #[test]
    fn the_share_is_stalled_time_over_time() {
        let (old, new) = (stall(1_000_000, Some(0)), stall(1_500_000, Some(100_000)));
        let share = share(&old, &new, 2.0);
        assert_eq!((share.some, share.full, share.some10), (0.25, 0.05, 0.25));
    }

    #[test]
    fn it_never_exceeds_one_and_lacks_full_on_old_kernels() {
        let share = share(&stall(0, None), &stall(9_000_000, None), 1.0);
        assert_eq!((share.some, share.full, share.full10), (1.0, 0.0, 0.0));
    }
}
