//! TCP of each network namespace: `/proc/PID/net/{snmp,netstat,sockstat}` through a process in it, settings and listening sockets.
//!
//! Our own namespace and at most `MOST` others are read; more of them are left out.

pub mod counters;
mod holders;
mod limits;
mod members;
mod namespace;
mod owners;
mod traffic;

use crate::{
    host::{error::HostError, host::Host},
    model::{
        knob::Place,
        sample::{Sample, SourceName},
        time::Tick,
    },
    sources::{
        parse,
        source::{Lane, Source, SourceAbout},
    },
};
use members::{Members, identity, namespace};
use namespace::Namespace;
use std::time::Duration;
use traffic::Where;

/// Foreign namespaces that are read.
const MOST: usize = 32;
/// Seconds between two searches for namespaces.
const SEARCH: f64 = 5.0;
/// Links to descriptors that are read at most in a pass, to find who holds a connection.
const LINKS: usize = 2048;

/// The source.
#[derive(Default)]
pub struct Tcp {
    /// Our own first.
    all: Vec<Namespace>,
    members: Members,
    searched: Option<Tick>,
    buffer: Vec<u8>,
}

impl Tcp {
    fn search(&mut self, host: &dyn Host) -> Result<(), HostError> {
        if self.all.is_empty() {
            // A kernel without namespaces has no such link, and needs none.
            let own = host.link(&Place::proc("self/ns/net")).ok().and_then(|link| parse::namespace(&link)).unwrap_or(0);
            self.all.push(Namespace::own(own));
        }
        self.members.refresh(host)?;
        let mut found = self.members.namespaces();
        self.all.retain_mut(|known| {
            let lowest = found.remove(&known.sample.netns);
            let Some(through) = known.sample.through else { return true };
            // The process that we look through may have ended, and its pid may be another's.
            let same = identity(host, through.pid) == Some(through) && namespace(host, through.pid) == known.sample.netns;
            match lowest {
                _ if same => true,
                Some(pid) => {
                    known.sample.through = identity(host, pid);
                    known.sample.through.is_some()
                }
                None => false,
            }
        });
        for (netns, pid) in found {
            if self.all.len() > MOST {
                break;
            }
            if let Some(through) = identity(host, pid) {
                self.all.push(Namespace::foreign(netns, through));
            }
        }
        Ok(())
    }
}

impl Source for Tcp {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Tcp,
            lane: Lane::Sweep,
            deadline: Duration::from_millis(1500),
            reads: "/proc/PID/net/{snmp,snmp6,netstat,sockstat}, /proc/sys/net, inet_diag, /proc/PID/fd",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        let now = host.now().tick;
        if self.searched.is_none_or(|last| now.seconds_since(last) >= SEARCH) {
            self.searched = Some(now);
            self.search(host)?;
        }
        let (mut rows, mut links) = (Vec::with_capacity(self.all.len()), LINKS);
        for space in &mut self.all {
            let before = space.sample.clone();
            let foreign = space.sample.through;
            if foreign.is_some_and(|through| namespace(host, through.pid) != space.sample.netns) {
                // Whom we looked through is gone: look for another at once, the row comes back with it.
                self.searched = None;
                continue;
            }
            match (space.read_counters(host, &mut self.buffer), foreign) {
                (Ok(()), _) => {}
                (Err(error), None) => return Err(error),
                (Err(_), Some(_)) => {
                    self.searched = None;
                    continue;
                }
            }
            space.read_rest(host, &before, &self.members);
            let mut at = Where { host, members: &mut self.members, links: &mut links };
            space.read_traffic(&mut at, &mut self.buffer);
            rows.push(space.sample.clone());
        }
        Ok(Sample::Tcp(rows))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{
        host::recorded::RecordedHost,
        model::{
            sample::{Listener, TcpSample},
            subject::ProcessId,
        },
    };

    fn counters(host: &RecordedHost, directory: &str, overflows: u64) {
        host.put(&format!("/proc/{directory}/snmp"), "Tcp: OutSegs CurrEstab\nTcp: 100 2\n");
        host.put(&format!("/proc/{directory}/netstat"), &format!("TcpExt: ListenOverflows\nTcpExt: {overflows}\n"));
        host.put(&format!("/proc/{directory}/sockstat"), "TCP: inuse 1 tw 4\n");
    }

    fn process(host: &RecordedHost, pid: u32, netns: u64) {
        host.put(&format!("/proc/{pid}/stat"), &format!("{pid} (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {} 0 0\n", pid * 10));
        host.put_link(&format!("/proc/{pid}/ns/net"), &format!("net:[{netns}]"));
        if netns != 1 {
            counters(host, &format!("{pid}/net"), 0);
        }
    }

    fn host() -> RecordedHost {
        let host = RecordedHost::default();
        host.put_link("/proc/self/ns/net", "net:[1]");
        counters(&host, "net", 0);
        host.put("/proc/sys/net/core/somaxconn", "4096\n");
        host.put("/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
        process(&host, 10, 1);
        process(&host, 20, 7);
        process(&host, 21, 7);
        host
    }

    fn rows(tcp: &mut Tcp, host: &RecordedHost) -> Vec<TcpSample> {
        let Sample::Tcp(rows) = tcp.read(host).unwrap() else { panic!() };
        rows
    }

    #[test]
    fn our_own_comes_first_and_a_foreign_one_is_read_through_its_lowest_pid() {
        let all = rows(&mut Tcp::default(), &host());
        assert_eq!(all.iter().map(|row| (row.netns, row.through.map(|p| p.pid))).collect::<Vec<_>>(), [(1, None), (7, Some(20))]);
        assert_eq!((all[0].somaxconn, all[0].port_range, all[0].time_wait), (Some(4096), Some((32768, 60999)), 4));
    }

    #[test]
    fn when_the_process_ends_another_one_serves_and_with_the_last_the_row_goes() {
        let (mut tcp, host) = (Tcp::default(), host());
        rows(&mut tcp, &host);
        host.remove("/proc/20");
        assert_eq!(rows(&mut tcp, &host).len(), 1, "it is noticed");
        assert_eq!(rows(&mut tcp, &host)[1].through, Some(ProcessId { pid: 21, start: 210 }));
        host.remove("/proc/21");
        rows(&mut tcp, &host);
        assert_eq!(rows(&mut tcp, &host).len(), 1);
    }

    #[test]
    fn a_process_that_moves_after_its_birth_is_looked_at_again() {
        let (mut tcp, host) = (Tcp::default(), host());
        process(&host, 30, 1);
        rows(&mut tcp, &host);
        process(&host, 30, 9);
        host.step(Duration::from_secs(5));
        assert_eq!(rows(&mut tcp, &host).iter().map(|row| row.netns).collect::<Vec<_>>(), [1, 7, 9]);
    }

    #[test]
    fn owners_of_listeners_are_sought_when_one_is_new_and_when_connections_are_dropped() {
        let (mut tcp, host) = (Tcp::default(), host());
        let listener = Listener { port: 80, waiting: 17, backlog: 16, inode: 555, owner: None };
        host.set_listeners(7, vec![listener]);
        assert_eq!(rows(&mut tcp, &host)[1].listeners[0].owner, None, "nobody holds it");
        host.put_link("/proc/21/fd/3", "socket:[555]");
        host.put_link("/proc/21/fd/4", "/dev/null");
        host.step(Duration::from_secs(11));
        assert_eq!(rows(&mut tcp, &host)[1].listeners[0].owner, None, "nothing new, nothing dropped: nobody is looked for");
        counters(&host, "20/net", 5);
        assert_eq!(rows(&mut tcp, &host)[1].listeners[0].owner, Some(ProcessId { pid: 21, start: 210 }));
        host.remove("/proc/21/fd");
        host.step(Duration::from_secs(31));
        assert_eq!(rows(&mut tcp, &host)[1].listeners[0].owner.map(|owner| owner.pid), Some(21), "it is remembered");
    }

    #[test]
    fn limits_of_a_foreign_one_are_read_once_something_is_strained() {
        let (mut tcp, host) = (Tcp::default(), host());
        host.put("/proc/sys/net/ipv4/tcp_syncookies", "1\n");
        let all = rows(&mut tcp, &host);
        assert_eq!(all[0].limits.as_ref().unwrap().syncookies, Some(1));
        assert_eq!(all[1].limits, None, "nothing has happened there");
        host.put("/proc/20/net/netstat", "TcpExt: ListenOverflows TCPReqQFullDrop\nTcpExt: 0 3\n");
        host.step(Duration::from_secs(1));
        assert!(rows(&mut tcp, &host)[1].limits.is_some());
    }

    #[test]
    fn our_own_counters_missing_are_a_gap() {
        let host = host();
        host.remove("/proc/net/netstat");
        assert!(Tcp::default().read(&host).unwrap_err().to_string().contains("net/netstat"));
    }
}
