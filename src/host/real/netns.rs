//! Network namespaces: work done in one that may not be ours, and the listening sockets of one.
//!
//! A thread enters a namespace with setns(2) and cannot get back without rights, so that a foreign one is entered by a thread that lives
//! for one piece of work (network_namespaces(7)).

use super::{RealHost, connections, diag};
use crate::{
    host::{
        error::{HostError, Kind},
        host::{Connection, Host, Touch},
    },
    model::{knob::Place, sample::Listener, subject::ProcessId},
};
use rustix::{
    fd::AsFd,
    thread::{LinkNameSpaceType, move_into_link_name_space},
};
use std::{fs::File, os::unix::fs::MetadataExt};

/// What entering a foreign namespace needs.
const RIGHTS: &str = "CAP_SYS_ADMIN (and CAP_SYS_PTRACE where the process is not ours)";

/// Listening sockets, owners left open.
pub(super) fn listeners(host: &RealHost, netns: u64, through: Option<ProcessId>) -> Touch<Vec<Listener>> {
    within(host, netns, through, || diag::listeners().map_err(|e| HostError::new("inet_diag", spot(netns), &e)))
}

/// Connections, but those in TIME_WAIT.
pub(super) fn connections(host: &RealHost, netns: u64, through: Option<ProcessId>, into: &mut Vec<Connection>) -> Touch<()> {
    within(host, netns, through, || connections::read(into).map_err(|e| HostError::new("inet_diag", spot(netns), &e)))
}

/// Does the work in a network namespace: at once when it is our own, else in a thread that enters it through `/proc/PID/ns/net`.
pub(super) fn within<T: Send>(
    host: &RealHost,
    netns: u64,
    through: Option<ProcessId>,
    work: impl FnOnce() -> Touch<T> + Send,
) -> Touch<T> {
    // A kernel without namespaces has no such file, and everything is in the one that there is.
    match host.inode(&Place::proc("self/ns/net")) {
        Ok(own) if own == netns => return work(),
        Err(e) if e.kind == Kind::Absent => return work(),
        _ => {}
    }
    let Some(process) = through else {
        return Err(HostError::plain("enter", spot(netns), Kind::Gone, "it is not our own namespace any more"));
    };
    let door = door(host, netns, process)?;
    let visit = || {
        move_into_link_name_space(door.as_fd(), Some(LinkNameSpaceType::Network))
            .map_err(|e| HostError::new("enter", spot(netns), &e.into()).needing(RIGHTS))?;
        work()
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("netns".into()).spawn_scoped(scope, visit);
        let thread = thread.map_err(|e| HostError::new("start a thread for", spot(netns), &e))?;
        thread.join().unwrap_or_else(|_| Err(HostError::plain("enter", spot(netns), Kind::Other, "the thread for it broke")))
    })
}

/// The namespace's file, opened first and looked at then, so that it cannot be another one's afterwards.
fn door(host: &RealHost, netns: u64, process: ProcessId) -> Touch<File> {
    let place = Place::proc(format!("{}/ns/net", process.pid));
    let file = File::open(host.path(&place)).map_err(|e| {
        let error = HostError::new("open", &place, &e).needing("CAP_SYS_PTRACE");
        // A process that has ended, and one that nobody has waited for yet, have no such file any more.
        if error.kind == Kind::Absent { HostError { kind: Kind::Gone, ..error } } else { error }
    })?;
    let inode = file.metadata().map_err(|e| HostError::new("stat", &place, &e))?.ino();
    if inode == netns {
        Ok(file)
    } else {
        Err(HostError::plain("enter", spot(netns), Kind::Gone, "the process is in another one now"))
    }
}

fn spot(netns: u64) -> String {
    format!("network namespace {netns}")
}
