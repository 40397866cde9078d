//! Sensors: states as they are, energy as watts, throttles as events per second.

use super::delta::{delta, per, rate};
use crate::model::hardware::{EnergyCounter, Hardware, HardwareSample};

/// What the newest sample says; `old` is the one before.
pub(super) fn hardware(old: Option<&HardwareSample>, new: &HardwareSample, seconds: f64) -> Hardware {
    let throttles = |field: fn(&HardwareSample) -> Option<u64>| {
        let now = field(new)?;
        Some((old.and_then(field).map_or(0.0, |before| rate(before, now, seconds)), now))
    };
    let power = new.energy.iter().filter_map(|counter| {
        let before = old?.energy.iter().find(|before| before.name == counter.name)?;
        Some((counter.name.clone(), watts(before, counter, seconds)?))
    });
    Hardware {
        policies: new.policies.clone(),
        core_throttles: throttles(|s| s.core_throttles),
        package_throttles: throttles(|s| s.package_throttles),
        sensors: new.sensors.clone(),
        power: power.collect(),
    }
}

/// The counter begins anew at its range, on large machines within minutes.
fn watts(old: &EnergyCounter, new: &EnergyCounter, seconds: f64) -> Option<f64> {
    let used = delta(old.microjoules, new.microjoules)
        .or_else(|| (new.range > old.microjoules).then(|| new.range - old.microjoules + new.microjoules))?;
    (seconds > 0.0).then(|| per(used as f64 / 1e6, seconds))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn sample(microjoules: u64, throttles: Option<u64>) -> HardwareSample {
        let energy = vec![EnergyCounter { name: "package-0".into(), microjoules, range: 1_000_000_000 }];
        HardwareSample { energy, core_throttles: throttles, ..HardwareSample::default() }
    }

    #[test]
    fn energy_becomes_watts_also_where_its_counter_began_anew() {
        let power = |old, new| hardware(Some(&sample(old, None)), &sample(new, None), 5.0).power[0].1;
        assert_eq!(power(0, 50_000_000), 10.0);
        assert_eq!(power(990_000_000, 10_000_000), 4.0);
        assert!(hardware(None, &sample(5, None), 0.0).power.is_empty(), "one reading is no power");
    }

    #[test]
    fn throttles_are_a_rate_and_a_sum_where_the_kernel_counts_them() {
        let seen = hardware(Some(&sample(0, Some(7))), &sample(0, Some(17)), 5.0);
        assert_eq!((seen.core_throttles, seen.package_throttles), (Some((2.0, 17)), None));
        assert_eq!(hardware(None, &sample(0, Some(3)), 0.0).core_throttles, Some((0.0, 3)));
    }
}
