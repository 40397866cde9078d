//! One receiver: its queue, its pace and its patience, on a thread of its own.

use crate::{
    engine::{
        input::Input,
        notify::{
            exec,
            notice::{Message, Notice},
            webhook,
        },
    },
    host::host::Host,
    model::{alert::Target, time::Tick},
};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};
use tokio::sync::mpsc::Sender;

/// What comes within so long is told at once.
const GATHER: Duration = Duration::from_millis(250);

/// Alerts in one message at most; older ones make room.
pub const MOST: usize = 50;

/// The first pause after a failure; each one doubles it, up to the longest.
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(600);

const HOUR: Duration = Duration::from_secs(3600);

/// The engine has ended.
struct Ended;

/// A receiver at work.
pub(super) struct Courier {
    pub(super) target: Target,
    pub(super) host: Arc<dyn Host>,
    pub(super) name: Arc<str>,
    pub(super) queue: Receiver<Notice>,
    /// Notices that the queue had no room for.
    pub(super) lost: Arc<AtomicUsize>,
    pub(super) out: Sender<Vec<Input>>,
    pub(super) waiting: VecDeque<Notice>,
    /// When it was told something, within the last hour.
    pub(super) told: VecDeque<Tick>,
    /// Failures one after another.
    pub(super) failures: u32,
}

impl Courier {
    /// Works until the engine ends.
    pub(super) fn run(mut self) {
        while let Ok(first) = self.queue.recv() {
            self.add(first);
            while !self.waiting.is_empty() {
                let pause = self.pause();
                if self.gather(pause).is_err() {
                    return;
                }
                self.tell();
            }
        }
    }

    /// The newest word on an alert replaces an older one that was not told yet.
    fn add(&mut self, notice: Notice) {
        self.waiting.retain(|other| other.alert.id != notice.alert.id);
        self.waiting.push_back(notice);
        if self.waiting.len() > MOST {
            self.waiting.pop_front();
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How long to wait before the next message: for company, after a failure, or for the hour's bound.
    fn pause(&mut self) -> Duration {
        let now = self.host.now().tick;
        while self.told.front().is_some_and(|at| now.since(*at) >= HOUR) {
            self.told.pop_front();
        }
        let failed = match self.failures {
            0 => Duration::ZERO,
            n => PAUSE.saturating_mul(1 << (n - 1).min(10)).min(LONGEST),
        };
        let full = self.told.len() >= self.target.per_hour;
        let bound = self.told.front().filter(|_| full).map_or(Duration::ZERO, |at| (*at + HOUR).since(now));
        GATHER.max(failed).max(bound)
    }

    /// Takes what comes for so long.
    fn gather(&mut self, span: Duration) -> Result<(), Ended> {
        let end = self.host.now().tick + span;
        loop {
            let left = end.since(self.host.now().tick);
            match self.queue.recv_timeout(left) {
                Ok(notice) => self.add(notice),
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(Ended),
            }
        }
    }

    fn tell(&mut self) {
        let notices: Vec<Notice> = self.waiting.iter().cloned().collect();
        let left_out = self.lost.load(Ordering::Relaxed);
        let message = Message { host: &self.name, notices: &notices, left_out };
        let patience = Duration::from_secs_f64(self.target.timeout);
        let told = match &self.target.webhook {
            Some(url) => webhook::tell(url, &message, patience, &*self.host),
            None => exec::tell(&self.target.exec, &message, patience),
        };
        self.told.push_back(self.host.now().tick);
        let failed_before = self.failures > 0;
        match &told {
            Ok(()) => {
                self.failures = 0;
                self.waiting.clear();
                self.lost.fetch_sub(left_out, Ordering::Relaxed);
            }
            Err(_) => self.failures = self.failures.saturating_add(1),
        }
        if told.is_err() || failed_before {
            let input = Input::Notified { target: self.target.to_string(), error: told.err() };
            // Without an engine there is nobody to report to.
            let _ended = self.out.blocking_send(vec![input]);
        }
    }
}
