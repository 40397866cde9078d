//! Idle states of the processors: `/sys/devices/system/cpu/cpuN/cpuidle` (Documentation/admin-guide/pm/cpuidle.rst). A few processors
//! stand for all, since each has a file for each state. A machine without states to choose from (most virtual ones) gives an empty sample.

use crate::{
    host::{error::HostError, host::Host},
    model::{
        idle::{IdleCounter, IdleSample},
        knob::Place,
        sample::{Sample, SourceName},
        text::clean,
    },
    sources::{
        parse,
        source::{Lane, Source, SourceAbout},
    },
};
use std::time::Duration;

/// Processors looked at, spread over all.
const PROCESSORS: usize = 8;
/// States of a processor at most (`CPUIDLE_STATE_MAX`).
const STATES: usize = 10;
/// Readings between two looks at which processors there are.
const TURNS: usize = 30;

/// The source.
#[derive(Default)]
pub struct Idle {
    turn: usize,
    directories: Vec<Place>,
    /// Name and latency of each state of the first processor.
    states: Vec<(std::sync::Arc<str>, u64)>,
    buffer: Vec<u8>,
}

impl Source for Idle {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Idle,
            lane: Lane::Seldom(10),
            deadline: Duration::from_millis(1500),
            reads: "/sys/devices/system/cpu/cpu*/cpuidle",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        if self.turn.is_multiple_of(TURNS) {
            self.find(host);
        }
        self.turn = self.turn.wrapping_add(1);
        let mut sample = IdleSample::default();
        sample.states.extend(self.states.iter().map(|(name, latency)| IdleCounter {
            name: name.clone(),
            latency: *latency,
            time: 0,
        }));
        for directory in &self.directories {
            // One that went offline since has no times; its share would be wrong, so it is not counted.
            let Some(times) = times(host, directory, self.states.len(), &mut self.buffer) else { continue };
            sample.cpus += 1;
            sample.states.iter_mut().zip(times).for_each(|(state, time)| state.time = state.time.saturating_add(time));
        }
        if sample.cpus == 0 {
            sample.states.clear();
        }
        Ok(Sample::Idle(sample))
    }
}

impl Idle {
    fn find(&mut self, host: &dyn Host) {
        let root = Place::sys("devices/system/cpu");
        let mut names = Vec::new();
        let _absent_is_none = host.list(&root, &mut names);
        let number = |name: &String| name.strip_prefix("cpu")?.parse::<u32>().ok();
        let mut all: Vec<u32> = names.iter().filter_map(number).collect();
        all.sort_unstable();
        let directory = |cpu: &u32| root.join(&format!("cpu{cpu}/cpuidle"));
        let stride = all.len().div_ceil(PROCESSORS).max(1);
        self.directories = all.iter().step_by(stride).map(directory).collect();
        self.states.clear();
        let Some(first) = self.directories.first() else { return };
        for state in (0..STATES).map(|n| first.join(&format!("state{n}"))) {
            let Ok(name) = host.text(&state.join("name")) else { break };
            let latency = host.text(&state.join("latency")).ok().as_deref().and_then(parse::whole).unwrap_or(0);
            self.states.push((clean(name.trim(), 32), latency));
        }
    }
}

/// Microseconds in each of `count` states; `None` unless all can be read.
fn times(host: &dyn Host, directory: &Place, count: usize, buffer: &mut Vec<u8>) -> Option<Vec<u64>> {
    let mut time = |n: usize| {
        host.read(&directory.join(&format!("state{n}/time")), buffer).ok()?;
        parse::whole(&parse::text(buffer))
    };
    let all: Option<Vec<u64>> = (0..count).map(&mut time).collect();
    all.filter(|all| !all.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    fn put(host: &RecordedHost, cpu: u32, state: u32, text: [&str; 3]) {
        for (file, text) in ["name", "latency", "time"].iter().zip(text) {
            host.put(&format!("/sys/devices/system/cpu/cpu{cpu}/cpuidle/state{state}/{file}"), text);
        }
    }

    fn read(source: &mut Idle, host: &RecordedHost) -> IdleSample {
        let Sample::Idle(found) = source.read(host).unwrap() else { panic!() };
        found
    }

    #[test]
    fn times_are_summed_and_a_processor_that_went_away_is_not_counted() {
        let host = RecordedHost::default();
        for cpu in 0..2 {
            put(&host, cpu, 0, ["POLL\n", "0\n", "5\n"]);
            put(&host, cpu, 1, ["C6\n", "133\n", "70\n"]);
        }
        let mut source = Idle::default();
        let found = read(&mut source, &host);
        let times: Vec<_> = found.states.iter().map(|s| (&*s.name, s.latency, s.time)).collect();
        assert_eq!((found.cpus, times), (2, vec![("POLL", 0, 10), ("C6", 133, 140)]));
        host.remove("/sys/devices/system/cpu/cpu1");
        assert_eq!(read(&mut source, &host).cpus, 1);
    }

    #[test]
    fn of_many_processors_a_few_stand_for_all() {
        let host = RecordedHost::default();
        (0..100).for_each(|cpu| put(&host, cpu, 0, ["POLL\n", "0\n", "1\n"]));
        assert_eq!(read(&mut Idle::default(), &host).cpus, 8);
    }

    #[test]
    fn a_machine_without_idle_states_is_empty_and_no_gap() {
        assert_eq!(read(&mut Idle::default(), &RecordedHost::default()), IdleSample::default());
    }
}
