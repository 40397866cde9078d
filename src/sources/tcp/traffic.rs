//! What the TCP connections of a namespace move, for each process that holds them, with how sure that is.
//!
//! The kernel counts for each connection what it has moved (inet_diag), and nothing for processes. Connections are looked at in turns,
//! never more often than the namespace sends or receives anything, and the more of them there are the less often: a look that takes
//! long must not cost more than a hundredth of a core. What a connection moved after the last look at it, before it ended, is lost, and
//! so is all of one that lived between two looks; UDP is not counted for sockets at all. The marks say so.

use super::{holders::Holders, members::Members};
use crate::{
    host::host::{Connection, Host, Path, Touch},
    model::{
        sample::{NetMark, ProcessTraffic, TcpSample, TrafficSample},
        subject::ProcessId,
        time::Tick,
    },
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Seconds between two looks, a little less than a sweep; and while hardly anything moves.
const BETWEEN: (f64, f64) = (0.9, 4.0);
/// Segments that are hardly anything.
const FEW: u64 = 64;
/// Looks at the beginning that do not wait for that.
const PROMPT: u32 = 3;
/// A look is followed by so many times the time it took.
const REST: f64 = 100.0;
/// Microseconds of round trip from which a slow start is felt.
const LONG: u32 = 20_000;
/// More connections than that are not looked at.
pub const MOST: u64 = 100_000;

/// The connections of a namespace.
#[derive(Default)]
pub struct Traffic {
    known: HashMap<u64, Known>,
    holders: Holders,
    sums: BTreeMap<ProcessId, Sum>,
    unattributed: [u64; 2],
    states: [u32; 13],
    round_trip: RoundTrip,
    restarts: u64,
    looks: u32,
    last: Option<Look>,
    found: Vec<Connection>,
    latest: Option<Arc<TrafficSample>>,
    /// Nothing moved between the last two samples.
    quiet: bool,
}

/// A connection as last seen.
struct Known {
    bytes: [u64; 2],
    inode: u64,
    /// What it moved while nobody was known to hold it.
    pending: [u64; 2],
    look: u32,
    /// A whole round has not found who holds it.
    foreign: bool,
    /// Its program has closed it.
    closed: bool,
    path: Option<Path>,
}

/// The mean round trip of what was sent.
#[derive(Clone, Copy, Default)]
struct RoundTrip {
    bytes: u64,
    /// Bytes times seconds.
    weighed: f64,
}

impl RoundTrip {
    fn add(&mut self, sent: u64, path: Option<Path>) {
        let Some(path) = path.filter(|path| path.micros > 0) else { return };
        self.bytes = self.bytes.saturating_add(sent);
        self.weighed += sent as f64 * f64::from(path.micros) / 1e6;
    }

    fn mean(&self) -> Option<f64> {
        (self.bytes > 0).then(|| self.weighed / self.bytes as f64)
    }
}

/// Its window shrank over a long path though nothing was sent again: it had rested (RFC 2861, `tcp_cwnd_restart`).
fn restarted(old: Option<Path>, new: Option<Path>) -> bool {
    old.zip(new).is_some_and(|(old, new)| new.micros >= LONG && new.window < old.window && new.resent == old.resent)
}

/// What a process has moved.
#[derive(Default)]
struct Sum {
    bytes: [u64; 2],
    /// How sure what the last look added is, as far as its own connections go.
    mark: NetMark,
}

/// The last look.
struct Look {
    at: Tick,
    counts: Counts,
    took: f64,
    /// No connection was opened meanwhile.
    still: bool,
}

/// Counters of the namespace that tell what a look may have missed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Counts {
    segments: u64,
    opens: u64,
    datagrams: u64,
}

impl Counts {
    fn of(sample: &TcpSample) -> Counts {
        Counts {
            segments: sample.in_segs.wrapping_add(sample.out_segs),
            opens: sample.active_opens.wrapping_add(sample.passive_opens),
            datagrams: sample.udp.in_datagrams.wrapping_add(sample.udp.out_datagrams),
        }
    }
}

/// Who is looked for where.
pub struct Where<'a> {
    /// The machine.
    pub host: &'a dyn Host,
    /// Processes by namespace.
    pub members: &'a mut Members,
    /// Links to descriptors that may still be read in this pass.
    pub links: &'a mut usize,
}

/// FIN_WAIT1, FIN_WAIT2, LAST_ACK, CLOSING (include/net/tcp_states.h): this side has closed the connection.
fn is_closed(state: u8) -> bool {
    matches!(state, 4 | 5 | 9 | 11)
}

impl Traffic {
    /// What is known of the namespace with these counters, after a look at its connections if it is time for one. `again` reads the
    /// counters once more.
    pub fn read(
        &mut self,
        sample: &mut TcpSample,
        at: &mut Where<'_>,
        again: impl FnOnce(&mut TcpSample) -> Touch<()>,
    ) -> Touch<Option<Arc<TrafficSample>>> {
        if sample.established > MOST {
            *self = Traffic::default();
            return Ok(None);
        }
        let (now, counts) = (at.host.now().tick, Counts::of(sample));
        if let Some(last) = &self.last {
            let since = now.seconds_since(last.at);
            let moved = counts.segments.wrapping_sub(last.counts.segments);
            let few = moved < FEW && self.looks >= PROMPT;
            let wait = (last.took * REST).max(if few && moved > 0 { BETWEEN.1 } else { BETWEEN.0 });
            if since < wait {
                return Ok(self.latest.clone());
            }
            if moved == 0 {
                self.rest(now, counts, sample.time_wait);
                return Ok(self.latest.clone());
            }
        }
        at.host.connections(sample.netns, sample.through, &mut self.found)?;
        again(sample)?;
        let still = Counts::of(sample).opens == counts.opens;
        // The search for holders has a bound of its own.
        let took = at.host.now().tick.seconds_since(now);
        self.look(now, counts, still, at, sample.netns);
        self.last = Some(Look { at: now, counts, took, still });
        self.publish(now, sample.time_wait);
        Ok(self.latest.clone())
    }

    /// Nothing was sent or received over TCP since the last look.
    fn rest(&mut self, now: Tick, counts: Counts, time_wait: u64) {
        let Some(last) = &mut self.last else { return };
        let mark = if last.counts.datagrams == counts.datagrams { NetMark::Exact } else { NetMark::AtLeast };
        let same = self.quiet && self.sums.values().all(|sum| sum.mark == mark);
        last.counts = counts;
        last.at = now;
        if !same {
            self.sums.values_mut().for_each(|sum| sum.mark = mark);
            self.publish(now, time_wait);
            self.quiet = true;
        }
    }

    /// Takes the connections that were found.
    fn look(&mut self, now: Tick, counts: Counts, still: bool, at: &mut Where<'_>, netns: u64) {
        self.looks += 1;
        self.quiet = false;
        let (moved, newly) = self.update();
        let gone = self.part();
        for (cookie, _) in &moved {
            if let Some(known) = self.known.get(cookie).filter(|known| known.inode != 0) {
                self.holders.want(known.inode, now);
            }
        }
        if !moved.is_empty() || self.holders.is_looking() {
            self.holders.look(at.host, at.members, netns, at.links);
        }
        self.sums.values_mut().for_each(|sum| sum.mark = NetMark::Exact);
        let unknown = self.attribute(moved);
        let missed = self.last.as_ref().is_none_or(|last| {
            let opens = counts.opens.wrapping_sub(last.counts.opens);
            !(still && last.still) || opens > newly || last.counts.datagrams != counts.datagrams
        });
        self.mark(gone, missed || unknown);
        let alive = |id: &ProcessId| at.members.knows(id.pid);
        self.sums.retain(|id, _| alive(id));
    }

    /// Writes down what each connection has moved: those that moved since the last look, and how many are new.
    fn update(&mut self) -> (Vec<(u64, [u64; 2])>, u64) {
        let (look, first) = (self.looks, self.last.is_none());
        let (mut moved, mut newly) = (Vec::new(), 0);
        (self.states, self.round_trip) = ([0; 13], RoundTrip::default());
        for connection in &self.found {
            if let Some(count) = self.states.get_mut(usize::from(connection.state)) {
                *count += 1;
            }
            let known = self.known.get_mut(&connection.cookie);
            let Some(bytes) = connection.bytes else {
                // What is left of a closed one has no counters any more.
                known.into_iter().for_each(|known| known.look = look);
                continue;
            };
            let delta = match known {
                Some(known) => {
                    let delta = minus(bytes, known.bytes);
                    self.round_trip.add(delta[1], connection.path);
                    self.restarts += u64::from(restarted(known.path, connection.path));
                    known.path = connection.path;
                    if connection.inode != 0 && known.inode != connection.inode {
                        known.inode = connection.inode;
                        self.holders.expect(connection.inode);
                    }
                    (known.bytes, known.look, known.closed) = (bytes, look, is_closed(connection.state));
                    if known.pending != [0; 2] && known.inode != 0 {
                        moved.push((connection.cookie, delta));
                        continue;
                    }
                    delta
                }
                None => {
                    if connection.inode != 0 {
                        self.holders.expect(connection.inode);
                    }
                    let closed = is_closed(connection.state);
                    let (inode, path) = (connection.inode, connection.path);
                    self.round_trip.add(bytes[1], path);
                    let known = Known { bytes, inode, pending: [0; 2], look, foreign: false, closed, path };
                    self.known.insert(connection.cookie, known);
                    newly += 1;
                    if first { [0; 2] } else { bytes }
                }
            };
            if delta != [0; 2] {
                moved.push((connection.cookie, delta));
            }
        }
        (moved, newly)
    }

    /// Takes leave of connections that have ended: who held them, with `None` for one that nobody is known to have held.
    fn part(&mut self) -> Vec<Option<ProcessId>> {
        let (look, mut gone) = (self.looks, Vec::new());
        let (holders, unattributed) = (&mut self.holders, &mut self.unattributed);
        self.known.retain(|_, known| {
            if known.look == look {
                return true;
            }
            let owners = holders.forget(known.inode).map(|holding| holding.owners).unwrap_or_default();
            if owners.is_empty() {
                gone.push(None);
            }
            gone.extend(owners.into_iter().map(Some));
            *unattributed = plus(*unattributed, known.pending);
            false
        });
        gone
    }

    /// Adds what was moved to the processes that hold the connections; true when somebody may be missing something for want of an owner.
    fn attribute(&mut self, moved: Vec<(u64, [u64; 2])>) -> bool {
        let mut unknown = false;
        for (cookie, delta) in moved {
            let Some(known) = self.known.get_mut(&cookie) else { continue };
            let pending = std::mem::take(&mut known.pending);
            let (late, delta) = (pending != [0; 2], plus(delta, pending));
            let holding = self.holders.of(known.inode);
            let (owners, settled) = holding.map_or((&[][..], false), |holding| (&holding.owners, holding.settled));
            match owners {
                [] if settled => {
                    // Its owner may be one that we may not look at; or it was closed while we looked.
                    self.unattributed = plus(self.unattributed, delta);
                    unknown |= late || !std::mem::replace(&mut known.foreign, true);
                }
                [] => {
                    known.pending = delta;
                    // One that nobody has accepted yet is nobody's; one that was closed before it was seen was somebody's.
                    unknown |= known.inode != 0 || known.closed;
                }
                owners => {
                    let mark = if owners.len() > 1 || !settled || late { NetMark::Estimated } else { NetMark::Exact };
                    let share = |bytes: u64| bytes / owners.len() as u64;
                    for owner in owners {
                        let sum = self.sums.entry(*owner).or_default();
                        sum.bytes = plus(sum.bytes, delta.map(share));
                        sum.mark = sum.mark.max(mark);
                    }
                }
            }
        }
        unknown
    }

    /// Lowers the marks of those that held what has ended, and of all when something was missed that may be anybody's.
    fn mark(&mut self, gone: Vec<Option<ProcessId>>, missed: bool) {
        let anybody = missed || gone.contains(&None);
        for owner in gone.into_iter().flatten() {
            let sum = self.sums.entry(owner).or_default();
            sum.mark = sum.mark.max(NetMark::AtLeast);
        }
        if anybody {
            self.sums.values_mut().for_each(|sum| sum.mark = sum.mark.max(NetMark::AtLeast));
        }
    }

    fn publish(&mut self, now: Tick, time_wait: u64) {
        let processes = self.sums.iter().map(|(id, sum)| ProcessTraffic { id: *id, bytes: sum.bytes, mark: sum.mark });
        let mut states = self.states;
        if let Some(count) = states.get_mut(6) {
            *count = u32::try_from(time_wait).unwrap_or(u32::MAX);
        }
        let sample = TrafficSample {
            at: now,
            processes: processes.collect(),
            unattributed: self.unattributed,
            states,
            round_trip: self.round_trip.mean(),
            restarts: self.restarts,
        };
        self.latest = Some(Arc::new(sample));
    }
}

fn minus(a: [u64; 2], b: [u64; 2]) -> [u64; 2] {
    [a[0].saturating_sub(b[0]), a[1].saturating_sub(b[1])]
}

fn plus(a: [u64; 2], b: [u64; 2]) -> [u64; 2] {
    [a[0].saturating_add(b[0]), a[1].saturating_add(b[1])]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_shrinks_without_a_loss_on_a_long_path_has_rested() {
        let path = |micros, window, resent| Some(Path { micros, window, resent });
        assert!(restarted(path(30_000, 80, 3), path(30_000, 10, 3)));
        assert!(!restarted(path(30_000, 80, 3), path(30_000, 40, 5)), "that was a loss");
        assert!(!restarted(path(30_000, 10, 3), path(30_000, 80, 3)));
        assert!(!restarted(path(200, 80, 0), path(200, 10, 0)), "nobody feels it over a short path");
        assert!(!restarted(None, path(30_000, 10, 3)));
    }

    #[test]
    fn the_round_trip_is_that_of_what_was_sent() {
        let mut all = RoundTrip::default();
        assert_eq!(all.mean(), None);
        all.add(9_000, Some(Path { micros: 50_000, ..Path::default() }));
        all.add(1_000, Some(Path { micros: 100, ..Path::default() }));
        all.add(5_000, None);
        assert!((all.mean().unwrap() - 0.04501).abs() < 1e-9);
    }
}
