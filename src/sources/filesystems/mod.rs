//! Mounts and their space: `/proc/self/mountinfo` and `statvfs(3)`, which may hang for ever on a dead network mount. Such a mount
//! keeps its last known space with the seconds since it answered, and the others do not wait for it.

mod mounts;
mod worker;

use crate::{
    host::{
        error::HostError,
        host::{Host, Touch},
    },
    model::{
        knob::Place,
        sample::{FilesystemSample, Sample, SourceName, Space},
        text::clean,
        time::Tick,
    },
    sources::{
        kept::Kept,
        parse::{self, mountinfo},
        source::{Lane, Source, SourceAbout},
    },
};
use std::{
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, TryRecvError},
    },
    time::Duration,
};
use worker::{Answers, Worker};

/// How long a mount may take to answer before it counts as hung.
const DEADLINE: Duration = Duration::from_millis(250);

/// The source.
pub struct Filesystems {
    host: Arc<dyn Host>,
    deadline: Duration,
    file: Kept,
    buffer: Vec<u8>,
    /// Content of mountinfo when the mounts were chosen.
    seen: Vec<u8>,
    mounts: Vec<Mount>,
    worker: Option<Worker>,
}

/// A mount and what it said.
struct Mount {
    about: mountinfo::Mount,
    row: FilesystemSample,
    /// When it was first asked or last answered.
    since: Tick,
    /// Where the answer of a hung one would come.
    hung: Option<Answers>,
    /// It refuses to tell: no row.
    refused: bool,
}

impl Filesystems {
    /// Asks `host` on a thread of its own.
    pub fn new(host: Arc<dyn Host>) -> Filesystems {
        Filesystems {
            host,
            deadline: DEADLINE,
            file: Kept::new(Place::proc("self/mountinfo")),
            buffer: Vec::new(),
            seen: Vec::new(),
            mounts: Vec::new(),
            worker: None,
        }
    }

    fn refresh_mounts(&mut self, now: Tick) {
        if self.buffer == self.seen {
            return;
        }
        let mut old = std::mem::take(&mut self.mounts);
        for about in mounts::choose(&parse::text(&self.buffer)) {
            let known = old.iter().position(|mount| mount.about == about).map(|i| old.swap_remove(i));
            self.mounts.push(known.unwrap_or_else(|| Mount::new(about, now)));
        }
        std::mem::swap(&mut self.seen, &mut self.buffer);
    }

    /// Asks all mounts from number `first` on that are not hung. Stops after the first that does not answer in time, whose number it
    /// returns.
    fn ask(&mut self, now: Tick, first: usize) -> Touch<Option<usize>> {
        let waiting = || self.mounts.iter().enumerate().skip(first).filter(|(_, mount)| mount.hung.is_none());
        let numbers: Vec<usize> = waiting().map(|(number, _)| number).collect();
        let places = waiting().map(|(_, mount)| parse::place(&mount.about.at)).collect();
        let worker = match self.worker.take() {
            Some(worker) => worker,
            None => Worker::start(Arc::clone(&self.host))?,
        };
        worker.ask(places)?;
        for number in numbers {
            let Some(mount) = self.mounts.get_mut(number) else { continue };
            match worker.answers().recv_timeout(self.deadline) {
                Ok(answer) => mount.take(answer, now),
                Err(RecvTimeoutError::Timeout) => {
                    mount.hung = Some(worker.leave());
                    return Ok(Some(number));
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(Some(number)),
            }
        }
        self.worker = Some(worker);
        Ok(None)
    }
}

impl Mount {
    fn new(about: mountinfo::Mount, now: Tick) -> Mount {
        let row = FilesystemSample {
            at: clean(&about.at, 256),
            device: clean(&about.device, 256),
            kind: clean(&about.kind, 32),
            number: about.number,
            space: None,
            stale: None,
        };
        Mount { about, row, since: now, hung: None, refused: false }
    }

    fn take(&mut self, answer: Touch<Space>, now: Tick) {
        self.refused = answer.is_err();
        self.row.space = answer.ok();
        self.since = now;
    }

    fn row(&mut self, now: Tick) -> Option<FilesystemSample> {
        self.row.stale = self.hung.as_ref().map(|_| now.seconds_since(self.since));
        let empty = self.row.space.is_some_and(|space| space.total == 0);
        (!empty && !self.refused).then(|| self.row.clone())
    }
}

impl Source for Filesystems {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Filesystems,
            lane: Lane::Apart,
            // Several mounts that hang in the same moment are found one after the other.
            deadline: Duration::from_secs(2),
            reads: "/proc/self/mountinfo, statvfs of each mount",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        self.file.read(host, &mut self.buffer)?;
        let now = host.now().tick;
        self.refresh_mounts(now);
        for mount in &mut self.mounts {
            match mount.hung.as_ref().map(Answers::try_recv) {
                Some(Ok(answer)) => {
                    mount.hung = None;
                    mount.take(answer, now);
                }
                Some(Err(TryRecvError::Disconnected)) => mount.hung = None,
                Some(Err(TryRecvError::Empty)) | None => {}
            }
        }
        let mut next = 0;
        while let Some(stopped) = self.ask(now, next)? {
            next = stopped + 1;
        }
        Ok(Sample::Filesystems(self.mounts.iter_mut().filter_map(|mount| mount.row(now)).collect()))
    }
}
