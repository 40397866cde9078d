//! The threads that read: one for the fast lane, which keeps the pace, one for the sweep, one for each source that may hang, one that
//! waits for the kernel's alarm and costs nothing meanwhile.
//!
//! The fast lane sleeps to an absolute schedule ([`pace`]) and wakes the others, so that a sweep, which reads what is due seldom in its
//! turn as well, directly follows fresh vitals and the machine wakes once, not twice. A wake that finds its thread still reading is
//! dropped: that source is late and the deriver makes a gap of it; nobody waits for it.

use crate::{
    engine::{
        input::Input,
        pace::{self, PASS, Stir},
    },
    host::host::{Host, Stirs},
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

/// What is due so soon after a sweep is read with it: sweeps jitter.
const SLACK: Duration = Duration::from_millis(300);

/// Sweeps per weighing of our own process.
const WEIGH: u64 = 2;

/// Between two sweeps, until told otherwise.
const SWEEP: Duration = Duration::from_secs(1);

/// Where readings go: 64 passes; a full one makes the reader wait, and what it misses meanwhile is a gap.
type Out = mpsc::Sender<Vec<Input>>;

/// What the pacer is told between passes. The channel holds 8; a full one drops an alarm and makes all others wait.
enum Nudge {
    /// Something stirs.
    Stirs,
    /// So long from one sweep to the next.
    Sweep(Duration),
    /// End.
    End,
}

/// The reading threads; one that hangs in a read is left behind.
pub struct Sampler {
    nudge: SyncSender<Nudge>,
    stirs: Option<Arc<dyn Stirs>>,
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
        let (nudge, nudged) = sync_channel(8);
        let pacer = Pacer { host: host.clone(), fast, look, wakes, out: out.clone(), nudged, stir: Stir::default(), sweep: SWEEP };
        let paced = thread::Builder::new().name("trimtab-fast".into()).spawn(move || pacer.run())?;
        let mut threads = vec![paced, swept];
        // Without an alarm a stir is seen by the next look.
        let stirs = host.stirs().ok();
        if let Some(stirs) = stirs.clone() {
            let nudge = nudge.clone();
            threads.push(thread::Builder::new().name("trimtab-stirs".into()).spawn(move || listen(&*stirs, &nudge))?);
        }
        Ok(Sampler { nudge, stirs, threads })
    }

    /// So long from one sweep to the next, from now on.
    pub fn sweep_every(&self, span: Duration) {
        // The pacer takes it with its next pass, or has ended.
        let _ended = self.nudge.send(Nudge::Sweep(span));
    }

    /// Ends the fast lane and the sweep. A thread of its own may hang in a dead mount: it ends with its read, or with the process.
    pub fn end(self) {
        // An error means that the pacer has ended by itself.
        let _ended = self.nudge.send(Nudge::End);
        if let Some(stirs) = self.stirs {
            stirs.close();
        }
        for thread in self.threads {
            if thread.join().is_err() {
                log::error!("a reading thread ended in a panic");
            }
        }
    }
}

/// Passes the kernel's alarm on.
fn listen(stirs: &dyn Stirs, nudge: &SyncSender<Nudge>) {
    loop {
        match stirs.wait() {
            // Full: it knows already.
            Ok(true) => drop(nudge.try_send(Nudge::Stirs)),
            Ok(false) => return,
            Err(e) => return log::warn!("no alarm from the kernel any more: {e}"),
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
    nudged: Receiver<Nudge>,
    stir: Stir,
    sweep: Duration,
}

impl Pacer {
    fn run(mut self) {
        let start = self.host.now().tick;
        let (mut pass, mut last) = (0_u64, None);
        loop {
            if self.pass(pass, last).is_err() {
                return;
            }
            last = Some(pass);
            let Some(next) = self.sleep(start, pass) else { return };
            pass = next;
        }
    }

    /// Reads what is due and wakes the lanes whose time has come.
    fn pass(&mut self, pass: u64, last: Option<u64>) -> Result<(), Ended> {
        let look = if pace::is_due(Lane::Look, pass, last, self.sweep) { self.look.as_mut_slice() } else { &mut [] };
        let inputs = read_all(&*self.host, self.fast.iter_mut().chain(look), Lane::Fast);
        for input in &inputs {
            if let Input::Sampled { at, sample: Ok(sample), .. } = input {
                self.stir.take(at.tick, sample);
            }
        }
        self.out.blocking_send(inputs).map_err(|_| Ended)?;
        for (_, wake) in self.wakes.iter().filter(|(lane, _)| pace::is_due(*lane, pass, last, self.sweep)) {
            // Full: still reading. Closed: its thread ended; the deriver shows the gap either way.
            let _late = wake.try_send(());
        }
        Ok(())
    }

    /// Sleeps until the next pass after `pass` is due, whose number it returns; `None` when the engine ends. An alarm calls for the
    /// pass at once. Passes that time has overtaken are left out.
    fn sleep(&mut self, start: Tick, pass: u64) -> Option<u64> {
        loop {
            let now = self.host.now().tick;
            let elapsed = u64::try_from(now.since(start).as_nanos() / PASS.as_nanos()).unwrap_or(u64::MAX);
            let next = pace::next(pass, self.stir.is_calm(now)).max(elapsed);
            let due = start + PASS.saturating_mul(u32::try_from(next).unwrap_or(u32::MAX));
            let left = due.since(now);
            if left.is_zero() {
                return Some(next);
            }
            match self.nudged.recv_timeout(left) {
                Ok(Nudge::Stirs) => self.stir.note(self.host.now().tick),
                Ok(Nudge::Sweep(span)) => self.sweep = span,
                Ok(Nudge::End) | Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
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
            let mut inputs = read_all(&*host, all.iter_mut().filter_map(|turn| turn.take(now)), lane);
            if lane == Lane::Sweep && count.is_multiple_of(WEIGH) {
                // Before the end of the pass, so that it shows what was weighed.
                inputs.splice(inputs.len().saturating_sub(1)..inputs.len().saturating_sub(1), weigh(&*host));
            }
            if out.blocking_send(inputs).is_err() {
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

/// Reads these sources once.
fn read_all<'s>(host: &dyn Host, sources: impl Iterator<Item = &'s mut Box<dyn Source>>, lane: Lane) -> Vec<Input> {
    let mut inputs = Vec::with_capacity(8);
    for source in sources {
        let sample = source.read(host).map_err(|error| error.to_string().into());
        inputs.push(Input::Sampled { source: source.about().name, at: host.now(), sample });
    }
    inputs.push(Input::Passed { lane, now: host.now() });
    inputs
}

/// Reads what our own process has used. Where that cannot be read, no cost is shown.
fn weigh(host: &dyn Host) -> Option<Input> {
    let cpu = host.cpu_clock(std::process::id()).ok()?;
    let resident = resident(&host.text(&Place::proc("self/status")).ok()?)?;
    Some(Input::Weighed { at: host.now().tick, cpu, resident })
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
