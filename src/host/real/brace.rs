//! Bracing a process for emergencies: its memory stays in core and the kernel's killer passes it by (mlockall(2), proc(5)
//! `oom_score_adj`). Asked for by the daemon and its guard, whose whole worth is to work when nothing else does.

use super::{RealHost, calls};
use crate::{
    host::host::Host,
    model::{knob::Place, unit::Unit},
};

/// Where the kernel's killer is to look last but for what may never be killed (-1000); the value of systemd-journald and sshd is alike.
const SPARED: &str = "-900";

/// Keeps this process's pages in core, those of later too, and asks the killer to spare it. What is not granted is told, in words.
pub fn brace(host: &RealHost) -> Vec<String> {
    let mut refused = Vec::new();
    match room() {
        Some(why) => refused.push(why),
        None => {
            if let Err(e) = calls::lock_memory() {
                refused.push(format!("memory is not locked: {e}"));
            }
        }
    }
    let place = Place::proc("self/oom_score_adj");
    if let Err(e) = std::fs::write(host.path(&place), SPARED) {
        refused.push(format!("the kernel's killer may choose trimtab: {place} {SPARED}: {e} (needs CAP_SYS_RESOURCE)"));
    }
    refused
}

/// Why memory cannot be locked for good, if so: without CAP_IPC_LOCK all that is mapped has to fit below RLIMIT_MEMLOCK, or the next
/// mapping fails.
pub fn room() -> Option<String> {
    let host = RealHost::default();
    let status = super::status::Status::read(&host, "self").ok()?;
    if status.holds("CAP_IPC_LOCK") {
        return None;
    }
    let limit = rustix::process::getrlimit(rustix::process::Resource::Memlock).current?;
    Some(format!(
        "memory is not locked: RLIMIT_MEMLOCK is {} and CAP_IPC_LOCK is missing (LimitMEMLOCK=infinity in the unit)",
        Unit::Bytes.show(limit as f64)
    ))
}

/// How much of this process is locked, in bytes, as the kernel counts it.
pub fn locked(host: &dyn Host) -> Option<u64> {
    let status = host.text(&Place::proc("self/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmLck:"))?;
    line.split_ascii_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}
