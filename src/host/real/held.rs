//! Knobs held open against an emergency: their files and pidfds are opened while there is time, so that the write needs no lookup, no
//! page of a directory and no new descriptor.
//!
//! An open file of a control group stays that group's: once the group is removed, writes fail with ENODEV, and one made anew at the same
//! path is not touched. A pidfd (pidfd_open(2)) stays its process's whoever gets the number next.

use super::{RealHost, knobs};
use crate::{
    host::{canonical, error::HostError, host::Touch, identity},
    model::knob::Knob,
};
use rustix::{
    io::{Errno, pwrite},
    process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};
use std::{collections::BTreeMap, fs::OpenOptions, os::fd::OwnedFd};

/// Descriptors held at most.
const MOST: usize = 256;

/// Opens these and keeps them; closes what was held and is not named. What cannot be opened is not held: it is opened at its time.
pub(super) fn hold(host: &RealHost, knobs: &[Knob]) {
    let mut held = host.held();
    held.retain(|knob, _| knobs.contains(knob));
    for knob in knobs {
        if held.len() >= MOST {
            return;
        }
        if !held.contains_key(knob)
            && let Some(fd) = open(host, knob)
        {
            held.insert(knob.clone(), fd);
        }
    }
}

fn open(host: &RealHost, knob: &Knob) -> Option<OwnedFd> {
    let fd = match knob {
        Knob::CgroupFile { directory, file, .. } | Knob::CgroupDevice { directory, file, .. } => {
            OwnedFd::from(OpenOptions::new().write(true).open(host.path(&directory.join(file))).ok()?)
        }
        Knob::Signal(process) | Knob::Run(process) => pidfd_open(knobs::pid_of(*process).ok()?, PidfdFlags::empty()).ok()?,
        _ => return None,
    };
    // Opened first and looked at then: it is the one that was meant, and stays it.
    identity::check(host, knob).ok()?;
    Some(fd)
}

/// Writes through what is held; `None` when nothing is.
pub(super) fn write(host: &RealHost, knob: &Knob, value: &str) -> Option<Touch<()>> {
    let held = host.held();
    let fd = held.get(knob)?;
    let failed = |e: Errno| HostError::new("write", knob, &e.into());
    Some(match knob {
        Knob::CgroupFile { .. } | Knob::CgroupDevice { .. } => {
            pwrite(fd, canonical::line(knob, value).as_bytes(), 0).map(drop).map_err(failed)
        }
        _ => match knobs::signal_of(knob, value) {
            Ok(signal) => identity::check(host, knob).and_then(|()| send(fd, signal).map_err(failed)),
            Err(e) => Err(e),
        },
    })
}

fn send(fd: &OwnedFd, signal: Signal) -> Result<(), Errno> {
    pidfd_send_signal(fd, signal)
}

impl RealHost {
    pub(super) fn held(&self) -> std::sync::MutexGuard<'_, BTreeMap<Knob, OwnedFd>> {
        self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
