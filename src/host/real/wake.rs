//! The bound on waking a processor (Documentation/power/pm_qos_interface.rst): a number of microseconds written to
//! `/dev/cpu_dma_latency` counts for as long as that descriptor is open. Whoever holds it, holds the knob.

use super::RealHost;
use crate::{
    host::{
        error::{HostError, Kind},
        host::{Host, Touch},
    },
    model::{
        knob::{Knob, Place},
        subject::ProcessId,
    },
};
use rustix::fs::{Access, AtFlags, CWD, accessat};
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

const DEVICE: &str = "dev/cpu_dma_latency";
/// No bound of ours.
const NONE: &str = "none";

/// The open descriptor and the bound that it holds.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<Option<(File, i32)>>);

/// What is held; in another process's case only whether it holds anything.
pub(super) fn get(host: &RealHost, knob: &Knob, holder: ProcessId) -> Touch<String> {
    if holder.pid == std::process::id() {
        let held = host.wake.0.lock().unwrap_or_else(PoisonError::into_inner);
        return Ok(held.as_ref().map_or(NONE.into(), |(_, bound)| bound.to_string()));
    }
    let open = Place::proc(format!("{}/fd", holder.pid));
    let mut names = Vec::new();
    host.list(&open, &mut names)?;
    let device = host.path(&Place::top(DEVICE));
    if names.iter().any(|name| host.link(&open.join(name)).is_ok_and(|to| device == *to)) {
        let why = format!("process {} holds it open and alone can let go: it ends with that process", holder.pid);
        return Err(HostError::plain("read", knob, Kind::Other, why));
    }
    Ok(NONE.into())
}

/// Holds a bound from now on, or none.
pub(super) fn set(host: &RealHost, knob: &Knob, holder: ProcessId, value: &str) -> Touch<()> {
    if holder.pid != std::process::id() {
        let why = format!("only process {} can set what it holds", holder.pid);
        return Err(HostError::plain("write", knob, Kind::Other, why));
    }
    let mut held = host.wake.0.lock().unwrap_or_else(PoisonError::into_inner);
    if value == NONE {
        *held = None;
        return Ok(());
    }
    let bound = value.parse::<i32>().ok().filter(|bound| *bound >= 0);
    let bound =
        bound.ok_or_else(|| HostError::plain("write", knob, Kind::Invalid, format!("{value} is no time in microseconds")))?;
    let file = hold(host, bound).map_err(|e| HostError::new("write", knob, &e).needing("root"))?;
    *held = Some((file, bound));
    Ok(())
}

fn hold(host: &RealHost, bound: i32) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).open(host.path(&Place::top(DEVICE)))?;
    file.write_all(&bound.to_ne_bytes())?;
    Ok(file)
}

/// The device is there and we may write it.
pub(super) fn may_set(host: &RealHost, knob: &Knob) -> Touch<()> {
    let asked = accessat(CWD, host.path(&Place::top(DEVICE)), Access::WRITE_OK, AtFlags::EACCESS);
    asked.map_err(|e| HostError::new("write", knob, &e.into()).needing("root"))
}
