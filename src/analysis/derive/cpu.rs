//! Shares of processor time.

use super::delta::rate;
use crate::model::{
    sample::{CpuSample, CpuTimes},
    snapshot::{Cpu, CpuSplit},
};

/// What happened between two samples; `None` when no time was counted between them.
pub(super) fn cpu(old: &CpuSample, new: &CpuSample, seconds: f64) -> Option<Cpu> {
    let mut before = old.cores.iter().peekable();
    let core = |(number, times): &(u32, CpuTimes)| {
        while before.next_if(|(n, _)| n < number).is_some() {}
        let (_, old) = before.next_if(|(n, _)| n == number)?;
        Some((*number, split(old, times)?))
    };
    Some(Cpu {
        total: split(&old.total, &new.total)?,
        cores: new.cores.iter().filter_map(core).collect(),
        load: new.load,
        running: new.running,
        blocked: new.blocked,
        context_switches: rate(old.context_switches, new.context_switches, seconds),
        forks: rate(old.forks, new.forks, seconds),
        interrupts: rate(old.interrupts, new.interrupts, seconds),
    })
}

/// Shares that add up to 1. The kernel lets idle and iowait go backwards a little: such a step counts as none.
fn split(old: &CpuTimes, new: &CpuTimes) -> Option<CpuSplit> {
    let step = |field: fn(&CpuTimes) -> u64| field(new).saturating_sub(field(old)) as f64;
    let steps = CpuSplit {
        user: step(|t| t.user),
        nice: step(|t| t.nice),
        system: step(|t| t.system),
        idle: step(|t| t.idle),
        iowait: step(|t| t.iowait),
        irq: step(|t| t.irq),
        softirq: step(|t| t.softirq),
        steal: step(|t| t.steal),
        guest: step(|t| t.guest),
    };
    let sum =
        steps.user + steps.nice + steps.system + steps.idle + steps.iowait + steps.irq + steps.softirq + steps.steal + steps.guest;
    (sum > 0.0).then(|| CpuSplit {
        user: steps.user / sum,
        nice: steps.nice / sum,
        system: steps.system / sum,
        idle: steps.idle / sum,
        iowait: steps.iowait / sum,
        irq: steps.irq / sum,
        softirq: steps.softirq / sum,
        steal: steps.steal / sum,
        guest: steps.guest / sum,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn times(user: u64, idle: u64, iowait: u64) -> CpuTimes {
        CpuTimes { user, idle, iowait, ..CpuTimes::default() }
    }

    #[test]
    fn shares_add_up_to_one_even_when_iowait_goes_backwards() {
        let split = split(&times(100, 1000, 50), &times(130, 1070, 40)).unwrap();
        assert!((split.user - 0.3).abs() < 1e-12 && (split.idle - 0.7).abs() < 1e-12);
        assert_eq!(split.iowait, 0.0);
        assert!((split.busy() - 0.3).abs() < 1e-12);
    }

    #[test]
    fn no_time_is_no_share() {
        assert!(split(&times(1, 1, 1), &times(1, 1, 1)).is_none());
    }

    #[test]
    fn a_core_that_came_online_waits_for_its_second_sample() {
        let old =
            CpuSample { total: times(0, 0, 0), cores: vec![(0, times(0, 0, 0)), (3, times(0, 0, 0))], ..CpuSample::default() };
        let cores = vec![(0, times(5, 5, 0)), (2, times(9, 9, 9)), (3, times(0, 10, 0))];
        let new = CpuSample { total: times(5, 15, 0), cores, context_switches: 50, ..CpuSample::default() };
        let cpu = cpu(&old, &new, 0.5).unwrap();
        assert_eq!(cpu.cores.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [0, 3]);
        assert_eq!(cpu.cores[0].1.user, 0.5);
        assert_eq!(cpu.context_switches, 100.0);
    }
}
