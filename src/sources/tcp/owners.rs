//! Who holds a listening socket: the process with a descriptor whose link names the socket's inode. Dear on processes with many
//! descriptors, so it is done only when a listener is new or has no known owner, seldom, and at most [`MOST`] links at once.

use super::members::identity;
use crate::{
    host::host::Host,
    model::{knob::Place, sample::Listener, subject::ProcessId},
};
use std::collections::BTreeMap;

/// Links that are read at once.
const MOST: usize = 8192;

/// Owners by socket inode, as found so far.
#[derive(Default)]
pub struct Owners(BTreeMap<u64, ProcessId>);

impl Owners {
    /// Looks for the owners that are not known yet. Of several processes with the same socket the lowest pid, which is the one that
    /// made it, counts.
    pub fn find(&mut self, host: &dyn Host, pids: impl Iterator<Item = u32>, listeners: &[Listener]) {
        self.0.retain(|inode, _| listeners.iter().any(|listener| listener.inode == *inode));
        let mut unknown: Vec<u64> = listeners.iter().map(|l| l.inode).filter(|inode| !self.0.contains_key(inode)).collect();
        let mut left = MOST;
        let mut names = Vec::new();
        for pid in pids {
            if unknown.is_empty() || left == 0 {
                return;
            }
            let directory = Place::proc(format!("{pid}/fd"));
            if host.list(&directory, &mut names).is_err() {
                continue;
            }
            for name in names.iter().take(left) {
                let socket = host.link(&directory.join(name)).ok().and_then(|link| socket(&link));
                if let Some(inode) = socket.filter(|inode| unknown.contains(inode))
                    && let Some(owner) = identity(host, pid)
                {
                    self.0.insert(inode, owner);
                    unknown.retain(|other| *other != inode);
                }
            }
            left = left.saturating_sub(names.len());
        }
    }

    /// Writes the known owners into the listeners.
    pub fn name(&self, listeners: &mut [Listener]) {
        for listener in listeners {
            listener.owner = self.0.get(&listener.inode).copied();
        }
    }
}

/// Inode in the target of a descriptor's link, such as `socket:[12345]`.
pub fn socket(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}
