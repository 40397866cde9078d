//! Which process is in which network namespace, found by `/proc/PID/ns/net` without looking at every process each time.
//!
//! A process is looked at when it is new and once more a pass later, since a container's first process moves into its namespace right
//! after its birth; the others in turns. Without the right to look at a process it counts for no namespace.

use crate::{
    host::host::{Host, Touch},
    model::{knob::Place, subject::ProcessId},
    sources::parse,
};
use std::collections::BTreeMap;

/// Passes after which a process is looked at again.
const TURN: u32 = 12;

/// Processes and their namespaces.
#[derive(Default)]
pub struct Members {
    /// By pid.
    all: BTreeMap<u32, Member>,
    pass: u32,
    names: Vec<String>,
}

struct Member {
    /// Inode of its namespace; 0 when unknown.
    netns: u64,
    looks: u8,
    /// The pass in which it was last there.
    pass: u32,
}

impl Members {
    /// One pass over the processes there are.
    pub fn refresh(&mut self, host: &dyn Host) -> Touch<()> {
        host.list(&Place::proc(""), &mut self.names)?;
        self.pass = self.pass.wrapping_add(1);
        for pid in self.names.iter().filter_map(|name| name.parse::<u32>().ok()) {
            let member = self.all.entry(pid).or_insert(Member { netns: 0, looks: 0, pass: 0 });
            member.pass = self.pass;
            if member.looks < 2 || pid.wrapping_add(self.pass).is_multiple_of(TURN) {
                member.looks = member.looks.saturating_add(1);
                member.netns = namespace(host, pid);
            }
        }
        let pass = self.pass;
        self.all.retain(|_, member| member.pass == pass);
        Ok(())
    }

    /// Every namespace with its lowest pid.
    pub fn namespaces(&self) -> BTreeMap<u64, u32> {
        let mut found = BTreeMap::new();
        for (pid, member) in self.all.iter().filter(|(_, member)| member.netns != 0) {
            found.entry(member.netns).or_insert(*pid);
        }
        found
    }

    /// Whether there was such a process in the last pass.
    pub fn knows(&self, pid: u32) -> bool {
        self.all.contains_key(&pid)
    }

    /// Pids in a namespace, lowest first.
    pub fn of(&self, netns: u64) -> impl Iterator<Item = u32> + '_ {
        self.all.iter().filter(move |(_, member)| member.netns == netns).map(|(pid, _)| *pid)
    }
}

/// Inode of the network namespace of a process, or 0.
pub fn namespace(host: &dyn Host, pid: u32) -> u64 {
    let link = host.link(&Place::proc(format!("{pid}/ns/net"))).ok();
    link.and_then(|link| parse::namespace(&link)).unwrap_or(0)
}

/// The process of a pid.
pub fn identity(host: &dyn Host, pid: u32) -> Option<ProcessId> {
    Some(ProcessId { pid, start: host.start_time(&pid.to_string()).ok()? })
}
