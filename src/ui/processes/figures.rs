//! The numbers of many processes together: of a program, or of a control group.

use crate::model::snapshot::{Cgroup, Process, ProcessNet};

/// Sums, and what only a control group has.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Processes.
    pub processes: u32,
    /// Cores used; of those that are known.
    pub cpu: Option<f64>,
    /// Seconds per second runnable but waiting.
    pub wait: Option<f64>,
    /// Seconds per second blocked on storage.
    pub io_wait: Option<f64>,
    /// Bytes resident, or charged to the control group.
    pub memory: f64,
    /// Threads.
    pub threads: f64,
    /// Bytes per second read.
    pub read: Option<f64>,
    /// Bytes per second written.
    pub write: Option<f64>,
    /// Traffic, as sure as the least sure part of it.
    pub net: Option<ProcessNet>,
    /// Major faults per second.
    pub faults: f64,
    /// Open descriptors.
    pub descriptors: Option<f64>,
    /// Seconds of cpu used so far, of the processes that live.
    pub cpu_time: f64,
    /// Cores that it may use; infinite without a limit.
    pub quota: Option<f64>,
    /// Bytes that it may use; infinite without a limit.
    pub memory_limit: Option<f64>,
    /// Share of enforcement periods that were throttled.
    pub throttled: Option<f64>,
    /// Share of the window stalled for cpu, memory and io.
    pub pressure: [Option<f64>; 3],
}

fn sum(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    }
}

impl Figures {
    /// Adds a process.
    pub fn add(&mut self, p: &Process) {
        self.add_all(&Figures {
            processes: 1,
            cpu: p.cpu,
            wait: p.wait,
            io_wait: p.io_wait,
            memory: p.resident as f64,
            threads: f64::from(p.threads),
            read: p.io.map(|[read, _]| read),
            write: p.io.map(|[_, write]| write),
            net: p.net,
            faults: p.major_faults,
            descriptors: p.descriptors.map(f64::from),
            cpu_time: p.cpu_time as f64 / 1e9,
            ..Figures::default()
        });
    }

    /// Adds the processes of a group below.
    pub fn add_all(&mut self, other: &Figures) {
        self.processes += other.processes;
        self.cpu = sum(self.cpu, other.cpu);
        self.wait = sum(self.wait, other.wait);
        self.io_wait = sum(self.io_wait, other.io_wait);
        self.memory += other.memory;
        self.threads += other.threads;
        self.read = sum(self.read, other.read);
        self.write = sum(self.write, other.write);
        self.net = match (self.net, other.net) {
            (Some(a), Some(b)) => {
                Some(ProcessNet { received: a.received + b.received, sent: a.sent + b.sent, mark: a.mark.max(b.mark) })
            }
            (a, b) => a.or(b),
        };
        self.faults += other.faults;
        self.descriptors = sum(self.descriptors, other.descriptors);
        self.cpu_time += other.cpu_time;
    }

    /// Takes what the kernel itself counts for a control group: it knows of processes that have ended within the window, and of memory
    /// that no process maps.
    pub fn measure(&mut self, group: &Cgroup) {
        self.cpu = group.cpu.or(self.cpu);
        self.memory = group.memory.map_or(self.memory, |bytes| bytes as f64);
        self.read = group.io.map(|[read, _]| read).or(self.read);
        self.write = group.io.map(|[_, write]| write).or(self.write);
        self.quota = group.quota.map(|quota| quota.cores().unwrap_or(f64::INFINITY));
        self.memory_limit = group.memory.map(|_| group.memory_limit.map_or(f64::INFINITY, |bytes| bytes as f64));
        self.throttled = group.throttled;
        self.pressure = group.pressure.map_or([None; 3], |shares| shares.map(Some));
    }
}
