//! One network namespace: its counters each sweep, its settings and listeners in turns.

use super::{
    counters, limits,
    members::Members,
    owners::Owners,
    traffic::{Traffic, Where},
};
use crate::{
    host::{error::HostError, host::Host},
    model::{
        knob::{Knob, Place},
        sample::TcpSample,
        subject::ProcessId,
        time::Tick,
    },
    sources::{kept::Kept, parse},
};
use std::sync::Arc;

/// Seconds between two looks at the settings.
const SETTINGS: f64 = 10.0;
/// Seconds between two looks at the listeners while nothing overflows.
const LISTENERS: f64 = 10.0;
/// Seconds between two searches for owners that are not known, while something overflows and otherwise. Who listens serves others:
/// findings choose their victims by it.
const OWNERS: (f64, f64) = (5.0, 30.0);

/// A namespace.
pub struct Namespace {
    /// As last read.
    pub sample: TcpSample,
    files: Files,
    settings_read: Option<Tick>,
    limits_read: Option<Tick>,
    listeners_read: Option<Tick>,
    owners_sought: Option<Tick>,
    owners: Owners,
    traffic: Traffic,
}

/// Segments sent again between two sweeps, and connections in TIME_WAIT, that are worth a look at the limits.
const RESENT: u64 = 5;
const WAITING: u64 = 5000;

/// Where its counters are: kept open for our own; opened each time for a foreign one, since an open file would keep a dead
/// namespace alive.
enum Files {
    Own(Box<[Kept; 4]>),
    Foreign,
}

const NAMES: [&str; 4] = ["snmp", "snmp6", "netstat", "sockstat"];

impl Namespace {
    /// Our own.
    pub fn own(netns: u64) -> Namespace {
        let files = NAMES.map(|name| Kept::new(Place::proc(format!("net/{name}"))));
        Namespace::new(TcpSample { netns, ..TcpSample::default() }, Files::Own(Box::new(files)))
    }

    /// One that is read through a process in it.
    pub fn foreign(netns: u64, through: ProcessId) -> Namespace {
        Namespace::new(TcpSample { netns, through: Some(through), ..TcpSample::default() }, Files::Foreign)
    }

    fn new(sample: TcpSample, files: Files) -> Namespace {
        let (settings_read, limits_read, listeners_read, owners_sought) = (None, None, None, None);
        let (owners, traffic) = (Owners::default(), Traffic::default());
        Namespace { sample, files, settings_read, limits_read, listeners_read, owners_sought, owners, traffic }
    }

    /// Reads its counters.
    pub fn read_counters(&mut self, host: &dyn Host, buffer: &mut Vec<u8>) -> Result<(), HostError> {
        self.files.read(host, &mut self.sample, buffer)
    }

    /// Looks at the connections, if it is time to.
    pub fn read_traffic(&mut self, at: &mut Where<'_>, buffer: &mut Vec<u8>) {
        let (host, files) = (at.host, &mut self.files);
        let read = self.traffic.read(&mut self.sample, at, |sample| files.read(host, sample, buffer));
        // Where the kernel does not tell, nobody's traffic is known.
        self.sample.traffic = read.unwrap_or_default();
    }

    /// Reads connection tracking. Only our own namespace tells how many there are without entering it.
    fn read_tracking(&mut self, host: &dyn Host) {
        let number =
            |file: &str| host.text(&Place::proc(format!("sys/net/netfilter/{file}"))).ok().and_then(|text| parse::whole(&text));
        self.sample.conntrack = number("nf_conntrack_count").zip(number("nf_conntrack_max")).map(|(now, most)| [now, most]);
    }

    /// Reads settings and listeners when it is time to, or when connections were dropped since `before`.
    pub fn read_rest(&mut self, host: &dyn Host, before: &TcpSample, members: &Members) {
        let now = host.now().tick;
        let due = |last: Option<Tick>, seconds: f64| last.is_none_or(|last| now.seconds_since(last) >= seconds);
        if due(self.settings_read, SETTINGS) {
            self.settings_read = Some(now);
            if self.sample.through.is_none() {
                self.read_tracking(host);
            }
            self.sample.somaxconn = self.setting(host, "core/somaxconn").and_then(|text| parse::whole(&text));
            self.sample.port_range = self.setting(host, "ipv4/ip_local_port_range").and_then(|text| counters::parse_range(&text));
        }
        // Each file of a foreign namespace takes a thread that enters it: not without need.
        if due(self.limits_read, SETTINGS) && (self.sample.through.is_none() || self.is_strained(before)) {
            self.limits_read = Some(now);
            self.sample.limits = Some(Arc::new(limits::read(&|file| self.setting(host, file))));
        }
        let overflows = self.listeners_read.is_some() && self.sample.listen_overflows > before.listen_overflows;
        if !overflows && !due(self.listeners_read, LISTENERS) {
            return;
        }
        self.listeners_read = Some(now);
        let Ok(mut listeners) = host.listeners(self.sample.netns, self.sample.through) else { return };
        self.owners.name(&mut listeners);
        let news = self.sample.listeners.iter().map(|l| l.inode).ne(listeners.iter().map(|l| l.inode));
        let wait = if overflows { OWNERS.0 } else { OWNERS.1 };
        if listeners.iter().any(|l| l.owner.is_none()) && (news || due(self.owners_sought, wait)) {
            self.owners_sought = Some(now);
            self.owners.find(host, members.of(self.sample.netns), &listeners);
            self.owners.name(&mut listeners);
        }
        self.sample.listeners = Arc::new(listeners);
    }

    /// Something has happened since `before` that a limit may be to blame for, or ports are short or much was sent twice.
    fn is_strained(&self, before: &TcpSample) -> bool {
        let now = &self.sample;
        let restarts = |sample: &TcpSample| sample.traffic.as_ref().map_or(0, |traffic| traffic.restarts);
        let lossy = now.retrans_segs.saturating_sub(before.retrans_segs) >= RESENT;
        let ports = now.time_wait >= WAITING;
        let news = now.strained != before.strained || now.syn_drops > before.syn_drops || restarts(now) > restarts(before);
        let datagrams = now.udp.rcvbuf_errors > before.udp.rcvbuf_errors;
        before.out_segs > 0 && (news || datagrams || lossy || ports)
    }

    fn setting(&self, host: &dyn Host, file: &str) -> Option<String> {
        let knob = Knob::NetworkFile { netns: self.sample.netns, through: self.sample.through, file: file.into() };
        host.get(&knob).ok()
    }
}

impl Files {
    fn read(&mut self, host: &dyn Host, sample: &mut TcpSample, buffer: &mut Vec<u8>) -> Result<(), HostError> {
        for (number, name) in NAMES.iter().enumerate() {
            let (place, read) = match self {
                Files::Own(files) => {
                    let Some(file) = files.get_mut(number) else { continue };
                    let read = file.read(host, buffer);
                    (file.place().clone(), read)
                }
                Files::Foreign => {
                    let place = Place::proc(format!("{}/net/{name}", sample.through.unwrap_or_default().pid));
                    let read = host.read(&place, buffer);
                    (place, read)
                }
            };
            if *name == "snmp6" && read.is_err() {
                // A kernel without IPv6 has none.
                continue;
            }
            read?;
            let text = parse::text(buffer);
            let whole = match *name {
                "snmp" => counters::take_snmp(sample, &text),
                "netstat" => counters::take_netstat(sample, &text),
                "snmp6" => {
                    counters::take_snmp6(sample, &text);
                    true
                }
                _ => {
                    counters::take_sockstat(sample, &text);
                    true
                }
            };
            if !whole {
                return Err(parse::malformed(&place, "its TCP lines"));
            }
        }
        Ok(())
    }
}
