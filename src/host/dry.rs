//! A host that reads through to another one and refuses every write: observe mode and dry runs hold nothing else.

use crate::{
    host::{
        error::{HostError, Kind},
        host::{Connection, Gpus, Handle, Host, Stirs, Touch},
    },
    model::{
        facts::Facts,
        knob::{Knob, Place},
        sample::{DelaySample, Listener, Space},
        subject::ProcessId,
        time::Now,
    },
};
use std::{sync::Arc, time::Duration};

/// Reads of the inner host; no writes.
pub struct DryHost(
    /// Who answers the reads.
    pub Arc<dyn Host>,
);

/// Reads of the inner host, as they are.
macro_rules! reads {
    () => {
        fn now(&self) -> Now {
            self.0.now()
        }
        fn pause(&self, span: Duration) {
            self.0.pause(span);
        }
        fn stirs(&self) -> Touch<Arc<dyn Stirs>> {
            self.0.stirs()
        }
        fn read(&self, place: &Place, into: &mut Vec<u8>) -> Touch<()> {
            self.0.read(place, into)
        }
        fn open(&self, place: &Place) -> Touch<Box<dyn Handle>> {
            self.0.open(place)
        }
        fn list(&self, place: &Place, into: &mut Vec<String>) -> Touch<()> {
            self.0.list(place, into)
        }
        fn link(&self, place: &Place) -> Touch<String> {
            self.0.link(place)
        }
        fn inode(&self, place: &Place) -> Touch<u64> {
            self.0.inode(place)
        }
        fn descriptors(&self, pid: u32) -> Touch<u32> {
            self.0.descriptors(pid)
        }
        fn space(&self, at: &Place) -> Touch<Space> {
            self.0.space(at)
        }
        fn cpu_clock(&self, pid: u32) -> Touch<u64> {
            self.0.cpu_clock(pid)
        }
        fn thread_clock(&self) -> Touch<u64> {
            self.0.thread_clock()
        }
        fn delays(&self, pid: u32) -> Touch<DelaySample> {
            self.0.delays(pid)
        }
        fn listeners(&self, netns: u64, through: Option<ProcessId>) -> Touch<Vec<Listener>> {
            self.0.listeners(netns, through)
        }
        fn connections(&self, netns: u64, through: Option<ProcessId>, into: &mut Vec<Connection>) -> Touch<()> {
            self.0.connections(netns, through, into)
        }

        fn gpus(&self) -> Touch<Box<dyn Gpus>> {
            self.0.gpus()
        }
        fn facts(&self) -> Facts {
            self.0.facts()
        }

        fn first_facts(&self) -> Facts {
            self.0.first_facts()
        }
        fn tuners(&self) -> Vec<Arc<str>> {
            self.0.tuners()
        }
        fn family(&self) -> Vec<u32> {
            self.0.family()
        }
        fn get(&self, knob: &Knob) -> Touch<String> {
            self.0.get(knob)
        }
    };
}

impl Host for DryHost {
    reads!();

    fn set(&self, knob: &Knob, _value: &str) -> Touch<()> {
        Err(HostError::plain("write", knob, Kind::Denied, "trimtab only observes (start without --observe to change anything)"))
    }
    fn may_set(&self, knob: &Knob) -> Touch<()> {
        self.set(knob, "")
    }
}

/// A dry run: it answers whether a write would be allowed, and does none.
pub struct Rehearsal(
    /// Who answers the reads, and whether a write would be allowed.
    pub Arc<dyn Host>,
);

impl Host for Rehearsal {
    reads!();

    fn set(&self, knob: &Knob, _value: &str) -> Touch<()> {
        Err(HostError::plain("write", knob, Kind::Denied, "this is a dry run: nothing is written"))
    }
    fn may_set(&self, knob: &Knob) -> Touch<()> {
        self.0.may_set(knob)
    }
}
