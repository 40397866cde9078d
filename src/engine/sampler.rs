//! The threads that read: one for the fast lane, which keeps the pace, one for the sweep, one for each source that may hang.
//!
//! The fast lane sleeps to an absolute schedule of 100 ms; every fifth pass also reads what its detectors look at. After every tenth
//! pass it wakes the sweep, which reads what is due seldom in its turn as well, so that a sweep directly follows fresh vitals and the machine wakes once, not twice. A wake that finds its thread still reading is dropped: that source is late and
//! the deriver makes a gap of it; nobody waits for it.

use crate::{
    engine::input::Input,
    host::host::Host,
    model::{knob::Place, time::Tick},
    sources::source::{Lane, Source},
};
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::sync::mpsc;

/// From one pass of the fast lane to the next.
pub const PACE: Duration = Duration::from_millis(100);

/// Passes of the fast lane per look of its detectors.
const LOOK: u64 = 5;

/// Passes of the fast lane per sweep and per second.
const SWEEP: u64 = 10;

/// What is due so soon after a sweep is read with it: sweeps jitter.
const SLACK: Duration = Duration::from_millis(300);

/// The second sweep comes early, so that rates are on the screen soon after the start.
const EARLY: u64 = 3;

/// Sweeps per weighing of our own process.
const WEIGH: u64 = 2;

/// Where readings go: 64 passes; a full one makes the reader wait, and what it misses meanwhile is a gap.
type Out = mpsc::Sender<Vec<Input>>;

/// The reading threads. Dropping it ends them; one that hangs in a read is left behind.
pub struct Sampler {
    stop: SyncSender<()>,
    threads: Vec<JoinHandle<()>>,
}

impl Sampler {
    /// Starts a thread per lane.
    pub fn start(host: &Arc<dyn Host>, sources: Vec<Box<dyn Source>>, out: &Out) -> std::io::Result<Sampler> {
        let (mut fast, mut look, mut sweep, mut wakes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for source in sources {
            match source.about().lane {
                Lane::Fast => fast.push(source),
                Lane::Look => look.push(source),
                Lane::Sweep | Lane::Seldom(_) => sweep.push(source),
                lane @ Lane::Apart(_) => wakes.push((lane, lane_thread(host, lane, vec![source], out)?.0)),
            }
        }
        let (sweep, swept) = lane_thread(host, Lane::Sweep, sweep, out)?;
        wakes.insert(0, (Lane::Sweep, sweep));
        let (stop, stopped) = sync_channel(1);
        let pacer = Pacer { host: host.clone(), fast, look, wakes, out: out.clone(), stopped };
        let paced = thread::Builder::new().name("trimtab-fast".into()).spawn(move || pacer.run())?;
        Ok(Sampler { stop, threads: vec![paced, swept] })
    }

    /// Ends the fast lane and the sweep. A thread of its own may hang in a dead mount: it ends with its read, or with the process.
    pub fn end(self) {
        drop(self.stop);
        for thread in self.threads {
            if thread.join().is_err() {
                log::error!("a reading thread ended in a panic");
            }
        }
    }
}

/// The fast lane and the clock of all others.
struct Pacer {
    host: Arc<dyn Host>,
    fast: Vec<Box<dyn Source>>,
    look: Vec<Box<dyn Source>>,
    wakes: Vec<(Lane, SyncSender<()>)>,
    out: Out,
    stopped: Receiver<()>,
}

impl Pacer {
    fn run(mut self) {
        let start = self.host.now().tick;
        let (mut pass, mut last) = (0_u64, None);
        loop {
            let look = if is_due(Lane::Look, pass, last) { self.look.as_mut_slice() } else { &mut [] };
            if pass_over(&*self.host, self.fast.iter_mut().chain(look), Lane::Fast, &self.out).is_err() {
                return;
            }
            self.wake(pass, last);
            last = Some(pass);
            // Passes that time has overtaken are left out.
            let elapsed = self.host.now().tick.since(start).as_nanos() / PACE.as_nanos();
            pass = (pass + 1).max(u64::try_from(elapsed).unwrap_or(u64::MAX));
            if !self.sleep(start + PACE.saturating_mul(u32::try_from(pass).unwrap_or(u32::MAX))) {
                return;
            }
        }
    }

    /// Wakes the lanes whose time has come since the pass before.
    fn wake(&self, pass: u64, last: Option<u64>) {
        for (_, wake) in self.wakes.iter().filter(|(lane, _)| is_due(*lane, pass, last)) {
            // Full: still reading. Closed: its thread ended; the deriver shows the gap either way.
            let _late = wake.try_send(());
        }
    }

    /// Sleeps until `due`; false when the engine ends.
    fn sleep(&self, due: Tick) -> bool {
        loop {
            let left = due.since(self.host.now().tick);
            if left.is_zero() {
                return true;
            }
            if self.stopped.recv_timeout(left) != Err(RecvTimeoutError::Timeout) {
                return false;
            }
        }
    }
}

/// Whether a lane's time has come with this pass; `last` is the pass before, which may be several ago.
fn is_due(lane: Lane, pass: u64, last: Option<u64>) -> bool {
    let Some(last) = last else { return true };
    let crossed = |every: u64| pass / every > last / every;
    match lane {
        Lane::Apart(seconds) if seconds > 1 => crossed(SWEEP * u64::from(seconds)),
        Lane::Look => crossed(LOOK) || (last < EARLY && pass >= EARLY),
        _ => crossed(SWEEP) || (last < EARLY && pass >= EARLY),
    }
}

/// A thread that reads its sources each time it is woken, and ends when nobody can wake it any more.
fn lane_thread(
    host: &Arc<dyn Host>,
    lane: Lane,
    sources: Vec<Box<dyn Source>>,
    out: &Out,
) -> std::io::Result<(SyncSender<()>, JoinHandle<()>)> {
    let (wake, woken) = sync_channel(1);
    let (host, out) = (host.clone(), out.clone());
    let mut all: Vec<Turn> = sources.into_iter().map(Turn::new).collect();
    let read = move || {
        let mut count = 0_u64;
        while woken.recv().is_ok() {
            let now = host.now().tick;
            if pass_over(&*host, all.iter_mut().filter_map(|turn| turn.take(now)), lane, &out).is_err() {
                return;
            }
            if lane == Lane::Sweep && count.is_multiple_of(WEIGH) && weigh(&*host, &out).is_err() {
                return;
            }
            count += 1;
        }
    };
    let name = if lane == Lane::Sweep { "trimtab-sweep" } else { "trimtab-apart" };
    let thread = thread::Builder::new().name(name.into()).spawn(read)?;
    Ok((wake, thread))
}

/// A source on a thread that wakes more often than it is due.
struct Turn {
    source: Box<dyn Source>,
    due: Tick,
}

impl Turn {
    fn new(source: Box<dyn Source>) -> Turn {
        Turn { source, due: Tick(0) }
    }

    /// The source, if it is due now.
    fn take(&mut self, now: Tick) -> Option<&mut Box<dyn Source>> {
        if let Lane::Seldom(_) = self.source.about().lane {
            if now + SLACK < self.due {
                return None;
            }
            self.due = now + self.source.about().lane.interval();
        }
        Some(&mut self.source)
    }
}

/// The loop has ended.
struct Ended;

/// Reads every source of a lane once.
fn pass_over<'s>(
    host: &dyn Host,
    sources: impl Iterator<Item = &'s mut Box<dyn Source>>,
    lane: Lane,
    out: &Out,
) -> Result<(), Ended> {
    let mut inputs = Vec::with_capacity(8);
    for source in sources {
        let sample = source.read(host).map_err(|error| error.to_string().into());
        inputs.push(Input::Sampled { source: source.about().name, at: host.now(), sample });
    }
    inputs.push(Input::Passed { lane, now: host.now() });
    out.blocking_send(inputs).map_err(|_| Ended)
}

/// Reads what our own process has used. Where that cannot be read, no cost is shown.
fn weigh(host: &dyn Host, out: &Out) -> Result<(), Ended> {
    let Ok(cpu) = host.cpu_clock(std::process::id()) else { return Ok(()) };
    let Some(resident) = host.text(&Place::proc("self/status")).ok().and_then(|text| resident(&text)) else { return Ok(()) };
    out.blocking_send(vec![Input::Weighed { at: host.now().tick, cpu, resident }]).map_err(|_| Ended)
}

/// Bytes of the line `VmRSS:     1234 kB` of `/proc/PID/status`.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{
        host::error::HostError,
        model::sample::{Sample, SourceName},
        sources::source::SourceAbout,
    };

    #[test]
    fn sweeps_follow_every_tenth_pass_with_an_early_second_one_even_when_passes_were_missed() {
        let passes = [0, 1, 2, 4, 9, 10, 11, 35, 36, 40, 600, 601];
        let due = |lane| {
            let mut last = None;
            passes.iter().filter(|pass| is_due(lane, **pass, last.replace(**pass))).copied().collect::<Vec<u64>>()
        };
        assert_eq!(due(Lane::Sweep), [0, 4, 10, 35, 40, 600]);
        assert_eq!(due(Lane::Apart(1)), due(Lane::Sweep));
        assert_eq!(due(Lane::Apart(60)), [0, 600]);
    }

    #[test]
    fn what_is_due_seldom_is_read_with_the_sweep_nearest_to_its_time() {
        struct Rare;
        impl Source for Rare {
            fn about(&self) -> SourceAbout {
                let (name, deadline) = (SourceName::Facts, Duration::ZERO);
                SourceAbout { name, lane: Lane::Seldom(5), deadline, reads: "" }
            }
            fn read(&mut self, _: &dyn Host) -> Result<Sample, HostError> {
                Ok(Sample::Services(Vec::new()))
            }
        }
        let mut turn = Turn::new(Box::new(Rare));
        let sweeps = [0.0, 1.0, 2.0, 4.1, 4.9, 6.0, 9.6, 20.0, 21.0];
        let read: Vec<f64> = sweeps.into_iter().filter(|second| turn.take(Tick((second * 1e9) as u64)).is_some()).collect();
        assert_eq!(read, [0.0, 4.9, 9.6, 20.0]);
    }

    #[test]
    fn our_own_memory_is_read_from_its_line() {
        assert_eq!(resident("Name:\ttrimtab\nVmRSS:\t    1234 kB\nRssAnon: 1 kB\n"), Some(1234 * 1024));
        assert_eq!(resident("Name:\ttrimtab\n"), None);
        assert_eq!(resident("VmRSS:\tmany kB\n"), None);
    }
}
