//! Who holds the sockets of a namespace: the processes with a descriptor whose link names the socket's inode.
//!
//! Only a look at every descriptor of every process tells all the holders of a socket. Such a round is made when a socket that moves
//! something is not known yet, and once in a while for those that are; it goes on from pass to pass, each with its share of links.

use super::{
    members::{Members, identity},
    owners::socket,
};
use crate::{
    host::host::Host,
    model::{knob::Place, subject::ProcessId, time::Tick},
};
use std::collections::HashMap;

/// Seconds after which a round is made again, for sockets that were found and for those that were not.
const AGAIN: f64 = 30.0;
/// What the listing of a process's descriptors costs, in links.
const LISTING: usize = 4;

/// Holders by socket inode.
#[derive(Default)]
pub struct Holders {
    all: HashMap<u64, Holding>,
    /// Rounds begun.
    rounds: u32,
    round: Option<Round>,
    ended: Option<Tick>,
    wanted: bool,
}

/// Who holds a socket.
#[derive(Default)]
pub struct Holding {
    /// Found so far.
    pub owners: Vec<ProcessId>,
    /// A whole round has been made for it: nobody else holds it.
    pub settled: bool,
    /// Found by the round that goes on.
    fresh: Vec<ProcessId>,
    /// Rounds begun before it was known: they may have passed its holder by.
    after: u32,
}

/// A look at all descriptors.
#[derive(Default)]
struct Round {
    /// Processes to come, the next one last.
    pids: Vec<u32>,
    /// The process that is looked at, and its descriptors to come.
    current: Option<(u32, Option<ProcessId>)>,
    names: Vec<String>,
}

impl Holders {
    /// Makes a socket known.
    pub fn expect(&mut self, inode: u64) {
        let after = self.rounds;
        self.all.entry(inode).or_insert_with(|| Holding { after, ..Holding::default() });
    }

    /// What is known of a socket.
    pub fn of(&self, inode: u64) -> Option<&Holding> {
        self.all.get(&inode)
    }

    /// It is gone.
    pub fn forget(&mut self, inode: u64) -> Option<Holding> {
        self.all.remove(&inode)
    }

    /// A socket that moves something wants to know its holders.
    pub fn want(&mut self, inode: u64, now: Tick) {
        let settled = self.all.get(&inode).is_some_and(|holding| holding.settled);
        self.wanted |= !settled || self.ended.is_none_or(|ended| now.seconds_since(ended) >= AGAIN);
    }

    /// True while a round goes on.
    pub fn is_looking(&self) -> bool {
        self.round.is_some()
    }

    /// Goes on with the round, or begins one that is wanted, until it ends or nothing is `left` of the links that may be read.
    pub fn look(&mut self, host: &dyn Host, members: &mut Members, netns: u64, left: &mut usize) {
        if self.round.is_none() {
            if !std::mem::take(&mut self.wanted) || *left == 0 {
                return;
            }
            self.begin(host, members, netns);
        }
        let Some(mut round) = self.round.take() else { return };
        while *left > 0 {
            if !self.step(host, &mut round, left) {
                self.end(host.now().tick);
                return;
            }
        }
        self.round = Some(round);
    }

    fn begin(&mut self, host: &dyn Host, members: &mut Members, netns: u64) {
        // Whoever was born since the last pass may hold what is wanted. If they cannot be listed, the known ones are looked at.
        let _known = members.refresh(host);
        let mut pids: Vec<u32> = members.of(netns).collect();
        let mut likely: Vec<u32> = self.all.values().flat_map(|holding| holding.owners.iter().map(|owner| owner.pid)).collect();
        likely.sort_unstable();
        likely.dedup();
        // Those that hold others are looked at first, which means that they stand last.
        pids.sort_by_cached_key(|pid| (likely.binary_search(pid).is_ok(), std::cmp::Reverse(*pid)));
        self.rounds += 1;
        self.round = Some(Round { pids, ..Round::default() });
    }

    /// Reads one link, or lists the next process; false at the end.
    fn step(&mut self, host: &dyn Host, round: &mut Round, left: &mut usize) -> bool {
        let Some((pid, found)) = &mut round.current else {
            let Some(pid) = round.pids.pop() else { return false };
            *left = left.saturating_sub(LISTING);
            if host.list(&Place::proc(format!("{pid}/fd")), &mut round.names).is_ok() {
                round.current = Some((pid, None));
            }
            return true;
        };
        let Some(name) = round.names.pop() else {
            round.current = None;
            return true;
        };
        *left -= 1;
        let link = host.link(&Place::proc(format!("{pid}/fd/{name}"))).ok();
        let Some(holding) = link.and_then(|link| socket(&link)).and_then(|inode| self.all.get_mut(&inode)) else { return true };
        if found.is_none() {
            *found = identity(host, *pid);
        }
        if let Some(owner) = found.filter(|owner| !holding.fresh.contains(owner)) {
            holding.fresh.push(owner);
            if !holding.owners.contains(&owner) {
                holding.owners.push(owner);
            }
        }
        true
    }

    fn end(&mut self, now: Tick) {
        self.ended = Some(now);
        let round = self.rounds;
        for holding in self.all.values_mut() {
            let fresh = std::mem::take(&mut holding.fresh);
            if holding.after < round {
                holding.owners = fresh;
                holding.settled = true;
            }
        }
    }
}
