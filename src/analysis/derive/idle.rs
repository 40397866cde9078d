//! Idle states: time in each as a share of the time of the processors that were looked at.

use super::delta::delta;
use crate::model::idle::{Idle, IdleSample, IdleState};

/// What the newest sample says; `old` is the one before. No shares where other processors were looked at.
pub(super) fn idle(old: Option<&IdleSample>, new: &IdleSample, seconds: f64) -> Idle {
    let old = old.filter(|old| old.cpus == new.cpus && new.cpus > 0 && seconds > 0.0);
    let share = |name: &str, time: u64| {
        let before = old?.states.iter().find(|state| &*state.name == name)?;
        Some((delta(before.time, time)? as f64 / 1e6 / seconds / f64::from(new.cpus)).min(1.0))
    };
    let states =
        new.states.iter().map(|s| IdleState { name: s.name.clone(), latency: s.latency, share: share(&s.name, s.time) }).collect();
    Idle { states }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::idle::IdleCounter;

    #[test]
    fn shares_are_of_the_time_of_all_processors_looked_at() {
        let sample = |cpus, time| IdleSample { cpus, states: vec![IdleCounter { name: "C6".into(), latency: 133, time }] };
        let share = |old: &IdleSample, new: &IdleSample| idle(Some(old), new, 10.0).states[0].share;
        assert_eq!(share(&sample(2, 0), &sample(2, 15_000_000)), Some(0.75));
        assert_eq!(share(&sample(1, 0), &sample(2, 15_000_000)), None, "a processor came: the sum is of others");
        assert_eq!(share(&sample(2, 9), &sample(2, 3)), None);
        assert_eq!(idle(None, &sample(2, 5), 0.0).states[0].share, None);
    }
}
