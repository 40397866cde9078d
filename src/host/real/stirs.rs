//! Pressure triggers: `/proc/pressure/{cpu,memory,io}` (Documentation/accounting/psi.rst, monitoring for pressure thresholds).
//!
//! A trigger is a text written to the file; it lives as long as the descriptor, changes nothing, and wakes at most once per window.
//! With CAP_SYS_RESOURCE the kernel watches ten times per window; without, from Linux 6.6 on, at its own pace of two seconds.

use super::RealHost;
use crate::{
    host::{
        error::HostError,
        host::{Stirs, Touch},
    },
    model::knob::Place,
};
use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, eventfd, poll},
    io::Errno,
};
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::{fd::OwnedFd, unix::fs::OpenOptionsExt},
    sync::Arc,
};

/// Microseconds waited within a window of microseconds, the quicker one first.
const TRIGGERS: [&str; 2] = ["some 50000 500000", "some 200000 2000000"];

struct Triggers {
    files: Vec<File>,
    closed: OwnedFd,
}

/// Sets the triggers that this kernel and our rights allow; an error when there are none.
pub(super) fn watch(host: &RealHost) -> Touch<Arc<dyn Stirs>> {
    let mut refused = None;
    let mut files = Vec::new();
    for name in ["cpu", "memory", "io"] {
        let place = Place::proc(format!("pressure/{name}"));
        match trigger(host, &place) {
            Ok(file) => files.push(file),
            Err(e) => refused = Some(HostError::new("set a trigger on", place, &e)),
        }
    }
    match refused {
        Some(why) if files.is_empty() => Err(why),
        _ => {
            let closed = eventfd(0, EventfdFlags::CLOEXEC).map_err(|e| HostError::new("eventfd", "pressure", &e.into()))?;
            Ok(Arc::new(Triggers { files, closed }))
        }
    }
}

fn trigger(host: &RealHost, place: &Place) -> io::Result<File> {
    let mut last = io::Error::from(io::ErrorKind::Unsupported);
    for text in TRIGGERS {
        // A file takes one trigger in its life (EBUSY): each try has its own.
        let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
        let mut file = OpenOptions::new().read(true).write(true).custom_flags(nonblock).open(host.path(place))?;
        match file.write_all(format!("{text}\0").as_bytes()) {
            Ok(()) => return Ok(file),
            Err(e) => last = e,
        }
    }
    Err(last)
}

impl Stirs for Triggers {
    fn wait(&self) -> Touch<bool> {
        let failed = |e: Errno| HostError::new("poll", "/proc/pressure", &e.into());
        let mut all: Vec<PollFd<'_>> = self.files.iter().map(|file| PollFd::new(file, PollFlags::PRI)).collect();
        all.push(PollFd::new(&self.closed, PollFlags::IN));
        loop {
            match poll(&mut all, None) {
                Err(Errno::INTR) => continue,
                other => other.map_err(failed)?,
            };
            if all.last().is_some_and(|closed| !closed.revents().is_empty()) {
                return Ok(false);
            }
            if all.iter().any(|fd| fd.revents().contains(PollFlags::ERR)) {
                return Err(failed(Errno::NODEV));
            }
            return Ok(true);
        }
    }

    fn close(&self) {
        // An eventfd takes one more unless it was closed 2^64 times.
        let _never_full = rustix::io::write(&self.closed, &1_u64.to_ne_bytes());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::{host::Host, real::Roots};

    #[test]
    fn closing_ends_the_waiting_of_another_thread_now_and_later() {
        let Ok(stirs) = RealHost::default().stirs() else { return };
        let waiter = stirs.clone();
        let waiting = std::thread::spawn(move || while waiter.wait().unwrap() {});
        stirs.close();
        waiting.join().unwrap();
        assert!(!stirs.wait().unwrap());
    }

    #[test]
    fn a_kernel_without_pressure_says_so() {
        let empty = tempfile::tempdir().unwrap();
        let host = RealHost::below(Roots { proc: empty.path().into(), ..Roots::default() });
        assert!(host.stirs().err().unwrap().to_string().contains("/proc/pressure/io"));
    }
}
