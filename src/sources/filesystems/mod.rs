//! Mounts and their space: `/proc/self/mountinfo` and `statvfs(3)`, which may hang for ever on a dead network mount. Such a mount
//! keeps its last known space with the seconds since it answered, and the others do not wait for it.

pub mod mounts;
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
    sync::{Arc, mpsc::RecvTimeoutError},
    time::Duration,
};
use worker::{Left, Worker};

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
    /// It did not answer in time, and this thread is left to it.
    hung: Option<Left>,
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
            match worker.answers.recv_timeout(self.deadline) {
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
            read_only: about.read_only,
            options: clean(&about.own, 256),
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
            lane: Lane::Apart(1),
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
            if let Some(answer) = mount.hung.as_ref().and_then(Left::answer) {
                mount.hung = None;
                mount.take(answer, now);
            }
        }
        let mut next = 0;
        while let Some(stopped) = self.ask(now, next)? {
            next = stopped + 1;
        }
        Ok(Sample::Filesystems(self.mounts.iter_mut().filter_map(|mount| mount.row(now)).collect()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{
        host::{
            dry::DryHost,
            host::{Connection, Handle},
            recorded::RecordedHost,
        },
        model::{facts::Facts, knob::Knob, sample::Listener, subject::ProcessId, time::Now},
    };
    use std::sync::{Mutex, mpsc};

    /// A recorded host on which one mount does not answer before it is told to.
    struct Dead {
        inner: DryHost,
        gate: Mutex<mpsc::Receiver<()>>,
        asked: Mutex<mpsc::Sender<String>>,
    }

    impl Host for Dead {
        fn space(&self, at: &Place) -> Touch<Space> {
            self.asked.lock().unwrap().send(at.path.clone()).unwrap();
            if at.path == "mnt/dead" {
                let _ = self.gate.lock().unwrap().recv();
            }
            self.inner.space(at)
        }
        fn now(&self) -> Now {
            self.inner.now()
        }
        fn pause(&self, span: Duration) {
            self.inner.pause(span);
        }
        fn read(&self, place: &Place, into: &mut Vec<u8>) -> Touch<()> {
            self.inner.read(place, into)
        }
        fn open(&self, place: &Place) -> Touch<Box<dyn Handle>> {
            self.inner.open(place)
        }
        fn list(&self, place: &Place, into: &mut Vec<String>) -> Touch<()> {
            self.inner.list(place, into)
        }
        fn link(&self, place: &Place) -> Touch<String> {
            self.inner.link(place)
        }
        fn inode(&self, place: &Place) -> Touch<u64> {
            self.inner.inode(place)
        }
        fn descriptors(&self, pid: u32) -> Touch<u32> {
            self.inner.descriptors(pid)
        }
        fn cpu_clock(&self, pid: u32) -> Touch<u64> {
            self.inner.cpu_clock(pid)
        }
        fn listeners(&self, netns: u64, through: Option<ProcessId>) -> Touch<Vec<Listener>> {
            self.inner.listeners(netns, through)
        }
        fn connections(&self, netns: u64, through: Option<ProcessId>, into: &mut Vec<Connection>) -> Touch<()> {
            self.inner.connections(netns, through, into)
        }
        fn facts(&self) -> Facts {
            self.inner.facts()
        }
        fn family(&self) -> Vec<u32> {
            self.inner.family()
        }
        fn get(&self, knob: &Knob) -> Touch<String> {
            self.inner.get(knob)
        }
        fn set(&self, knob: &Knob, value: &str) -> Touch<()> {
            self.inner.set(knob, value)
        }
        fn may_set(&self, knob: &Knob) -> Touch<()> {
            self.inner.may_set(knob)
        }
    }

    const MOUNTS: &str = "27 1 254:0 / / rw - ext4 /dev/vda rw\n28 27 0:40 / /mnt/dead rw - nfs4 server:/x rw\n\
                          29 27 0:41 / /mnt/last rw - ext4 /dev/vdb rw\n";

    fn rows(source: &mut Filesystems, host: &RecordedHost) -> Vec<FilesystemSample> {
        let Sample::Filesystems(rows) = source.read(host).unwrap() else { panic!() };
        rows
    }

    fn recorded() -> RecordedHost {
        let host = RecordedHost::default();
        host.put("/proc/self/mountinfo", MOUNTS);
        for at in ["/", "/mnt/dead", "/mnt/last"] {
            host.set_space(at, Space { total: 100, used: 40, available: 50, inodes: 0, inodes_free: 0 });
        }
        host
    }

    #[test]
    fn a_hung_mount_is_stale_and_holds_up_nobody() {
        let recorded = recorded();
        let ((open, gate), (asked, questions)) = (mpsc::channel(), mpsc::channel());
        let dead = Dead { inner: DryHost(Arc::new(recorded.clone())), gate: Mutex::new(gate), asked: Mutex::new(asked) };
        let mut source = Filesystems::new(Arc::new(dead));
        source.deadline = Duration::from_secs(1);
        open.send(()).unwrap();
        assert!(rows(&mut source, &recorded).iter().all(|row| row.stale.is_none() && row.space.is_some()));

        recorded.step(Duration::from_secs(1));
        let all = rows(&mut source, &recorded);
        assert_eq!(all.iter().map(|row| row.stale).collect::<Vec<_>>(), [None, Some(1.0), None]);
        assert!(all[1].space.is_some(), "its last known space");
        recorded.step(Duration::from_secs(4));
        assert_eq!(rows(&mut source, &recorded)[1].stale, Some(5.0));
        let asked = questions.try_iter().filter(|at| at == "mnt/dead").count();
        assert_eq!(asked, 2, "once more after its first answer, then never while it hangs");

        open.send(()).unwrap();
        source.mounts[1].hung.as_ref().unwrap().wait();
        open.send(()).unwrap();
        assert_eq!(rows(&mut source, &recorded)[1].stale, None, "it answered, and answers again");
    }

    #[test]
    fn mounts_without_space_or_leave_to_ask_have_no_row() {
        let host = recorded();
        host.set_space("/mnt/last", Space::default());
        host.put("/proc/self/mountinfo", &format!("{MOUNTS}30 27 0:42 / /mnt/closed rw - fuse x rw\n"));
        let mut source = Filesystems::new(Arc::new(host.clone()));
        assert_eq!(rows(&mut source, &host).iter().map(|row| &*row.at).collect::<Vec<_>>(), ["/", "/mnt/dead"]);
    }

    #[test]
    fn mounts_come_and_go() {
        let host = recorded();
        let mut source = Filesystems::new(Arc::new(host.clone()));
        assert_eq!(rows(&mut source, &host).len(), 3);
        host.put("/proc/self/mountinfo", "27 1 254:0 / / rw - ext4 /dev/vda rw\n");
        assert_eq!(rows(&mut source, &host).len(), 1);
    }
}
