//! Idle states of the processors (Documentation/admin-guide/pm/cpuidle.rst). Raw and derived.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Idle states, summed over the processors that were looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IdleSample {
    /// How many processors were looked at.
    pub cpus: u32,
    /// The shallowest first.
    pub states: Vec<IdleCounter>,
}

/// One state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IdleCounter {
    /// Its name, such as `C6`, cleaned.
    pub name: Arc<str>,
    /// Microseconds that it takes to leave it at most.
    pub latency: u64,
    /// Microseconds spent in it since boot.
    pub time: u64,
}

/// Idle states over the window; empty where the machine has none to choose from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Idle {
    /// The shallowest first.
    pub states: Vec<IdleState>,
}

/// One state over the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IdleState {
    /// Its name.
    pub name: Arc<str>,
    /// Microseconds that it takes to leave it at most.
    pub latency: u64,
    /// Share of time in it; `None` before the second reading.
    pub share: Option<f64>,
}

impl Idle {
    /// From so many microseconds on a state is slow to leave: what a request to a fast service can feel.
    pub const DEEP: u64 = 20;

    /// The states that are slow to leave.
    pub fn deep(&self) -> impl Iterator<Item = &IdleState> {
        self.states.iter().filter(|state| state.latency > Idle::DEEP)
    }

    /// Share of time in states that are slow to leave; `None` before the second reading and where there are no states.
    pub fn deep_share(&self) -> Option<f64> {
        self.states.first()?.share?;
        Some(self.deep().filter_map(|state| state.share).sum())
    }

    /// Seconds that leaving takes a processor that idles, in the mean over the states it idles in, at most.
    pub fn exit(&self) -> Option<f64> {
        let (mut time, mut weighed) = (0.0, 0.0);
        for state in &self.states {
            time += state.share?;
            weighed += state.share? * state.latency as f64;
        }
        (time > 0.0).then(|| weighed / time * 1e-6)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn leaving_is_weighed_by_the_time_in_each_state() {
        let state = |latency, share| IdleState { latency, share, ..IdleState::default() };
        let idle = Idle { states: vec![state(2, Some(0.2)), state(100, Some(0.6))] };
        assert_eq!(idle.deep_share(), Some(0.6));
        assert!((idle.exit().unwrap() - 75.5e-6).abs() < 1e-9);
        assert_eq!(Idle { states: vec![state(2, None)] }.deep_share(), None);
        assert_eq!((Idle::default().deep_share(), Idle::default().exit()), (None, None));
    }
}
