//! One network namespace: its counters each sweep, its settings and listeners in turns.

use super::{counters, members::Members, owners::Owners};
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
    listeners_read: Option<Tick>,
    owners_sought: Option<Tick>,
    owners: Owners,
}

/// Where its counters are: kept open for our own; opened each time for a foreign one, since an open file would keep a dead
/// namespace alive.
enum Files {
    Own(Box<[Kept; 3]>),
    Foreign,
}

const NAMES: [&str; 3] = ["snmp", "netstat", "sockstat"];

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
        Namespace { sample, files, settings_read: None, listeners_read: None, owners_sought: None, owners: Owners::default() }
    }

    /// Reads its counters.
    pub fn read_counters(&mut self, host: &dyn Host, buffer: &mut Vec<u8>) -> Result<(), HostError> {
        for (number, name) in NAMES.iter().enumerate() {
            let place = match (&mut self.files, self.sample.through) {
                (Files::Own(files), _) => {
                    let Some(file) = files.get_mut(number) else { continue };
                    file.read(host, buffer)?;
                    file.place().clone()
                }
                (Files::Foreign, through) => {
                    let place = Place::proc(format!("{}/net/{name}", through.unwrap_or_default().pid));
                    host.read(&place, buffer)?;
                    place
                }
            };
            let text = parse::text(buffer);
            let whole = match *name {
                "snmp" => counters::take_snmp(&mut self.sample, &text),
                "netstat" => counters::take_netstat(&mut self.sample, &text),
                _ => {
                    counters::take_sockstat(&mut self.sample, &text);
                    true
                }
            };
            if !whole {
                return Err(parse::malformed(&place, "its TCP lines"));
            }
        }
        Ok(())
    }

    /// Reads settings and listeners when it is time to, or when connections were dropped since `before`.
    pub fn read_rest(&mut self, host: &dyn Host, before: &TcpSample, members: &Members) {
        let now = host.now().tick;
        let due = |last: Option<Tick>, seconds: f64| last.is_none_or(|last| now.seconds_since(last) >= seconds);
        if due(self.settings_read, SETTINGS) {
            self.settings_read = Some(now);
            self.sample.somaxconn = self.setting(host, "core/somaxconn").and_then(|text| parse::whole(&text));
            self.sample.port_range = self.setting(host, "ipv4/ip_local_port_range").and_then(|text| counters::parse_range(&text));
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

    fn setting(&self, host: &dyn Host, file: &str) -> Option<String> {
        let knob = Knob::NetworkFile { netns: self.sample.netns, through: self.sample.through, file: file.into() };
        host.get(&knob).ok()
    }
}
