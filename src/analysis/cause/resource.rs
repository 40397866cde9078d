//! Mechanisms: which resource, when it is short, can hurt in which way; how short it is; and what use of it is a dose.

use crate::{
    analysis::cause::witness::Use,
    model::{
        metric::{Key, Metric},
        unit::Unit,
    },
};

/// What can be short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// Processor time of this host.
    Cpu,
    /// Bandwidth and queue of disks.
    Storage,
    /// Memory.
    Memory,
    /// The receive path: interrupts and the packets behind them.
    Network,
    /// A control group's share of processor time.
    Quota,
    /// Processor time that the hypervisor gives to others.
    Steal,
}

impl Resource {
    /// Every resource that can hurt in `metric`, with how well that fits, 0 to 1.
    pub fn behind(metric: Metric) -> &'static [(Resource, f64)] {
        use Metric::*;
        use Resource::*;
        match metric {
            CpuBusy | Load | RunQueue | ContextSwitches => &[(Cpu, 1.0), (Steal, 0.8), (Network, 0.5)],
            PressureCpuSome | ProcessRunDelay | ProcessCpu => &[(Cpu, 1.0), (Steal, 0.9), (Quota, 0.6), (Network, 0.5)],
            CpuSteal => &[(Steal, 1.0)],
            CpuSoftirq | NetDrops | NetUsed | NetReceive | NetTransmit | UdpFull => &[(Network, 1.0)],
            CpuIowait | Dirty | PressureIoSome | PressureIoFull | DiskRead | DiskWrite | DiskReadLatency | DiskWriteLatency
            | DiskFlushLatency | DiskLatency | DiskQueue | DiskBusy => &[(Storage, 1.0), (Memory, 0.8)],
            MemoryAvailable | MemoryUsed | SwapUsed | SwapIn | SwapOut | MajorFaults | DirectReclaim | PressureMemorySome
            | PressureMemoryFull | CgroupMemory | ProcessResident | CompressedMemory => &[(Memory, 1.0)],
            CgroupThrottled | CgroupThrottledTime => &[(Quota, 1.0)],
            ServiceP50 | ServiceP95 | ServiceP99 | ServiceRate => {
                &[(Cpu, 1.0), (Storage, 1.0), (Memory, 1.0), (Quota, 1.0), (Steal, 1.0), (Network, 0.7)]
            }
            ListenOverflows | TcpSynReceived | TcpRetransmits | TcpResentShare | TcpResets => {
                &[(Network, 0.9), (Cpu, 0.8), (Quota, 0.8), (Memory, 0.5), (Steal, 0.8)]
            }
            CpuFrequency | ThermalThrottles | Temperature | Power => &[(Cpu, 0.7)],
            _ => &[(Cpu, 0.6), (Storage, 0.6), (Memory, 0.6), (Network, 0.6)],
        }
    }

    /// `metric` itself says that this resource is short, or how much of it is used.
    pub fn is_measured_by(self, metric: Metric) -> bool {
        let behind = Resource::behind(metric);
        let sure = behind.iter().filter(|(_, fit)| *fit == 1.0).count();
        sure == 1 && behind.iter().any(|(resource, fit)| *resource == self && *fit == 1.0)
    }

    /// The host's numbers that show how short it is, the best first.
    pub fn stress(self) -> &'static [Metric] {
        match self {
            Resource::Cpu => &[Metric::PressureCpuSome, Metric::CpuBusy],
            Resource::Storage => &[Metric::PressureIoSome, Metric::CpuIowait],
            Resource::Memory => &[Metric::PressureMemorySome, Metric::SwapIn],
            Resource::Network => &[Metric::CpuSoftirq],
            Resource::Quota => &[Metric::CgroupThrottled],
            Resource::Steal => &[Metric::CpuSteal],
        }
    }

    /// A rise of its stress by so much is all that it takes to believe that it is short.
    pub fn full(self) -> f64 {
        match self {
            Resource::Cpu | Resource::Storage => 0.2,
            Resource::Network | Resource::Memory => 0.1,
            Resource::Quota => 0.2,
            Resource::Steal => 0.1,
        }
    }

    /// The use that is the dose, with its unit.
    pub fn dose(self) -> (Use, Unit) {
        match self {
            Resource::Cpu | Resource::Quota | Resource::Steal => (Use::Cpu, Unit::Cores),
            Resource::Storage => (Use::Storage, Unit::BytesPerSecond),
            Resource::Memory => (Use::Memory, Unit::Bytes),
            Resource::Network => (Use::Sent, Unit::BytesPerSecond),
        }
    }

    /// The rise of a dose below which nobody is worth naming; of memory it is a share of the host's besides.
    pub fn material(self, cpus: f64, memory: f64) -> f64 {
        match self {
            Resource::Cpu | Resource::Quota | Resource::Steal => 0.03 * cpus.max(1.0),
            Resource::Storage => 262_144.0,
            Resource::Memory => (0.005 * memory).max(16_777_216.0),
            Resource::Network => 131_072.0,
        }
    }

    /// Seconds by which the effect may come after the dose: dirty pages are written later, memory runs out slowly.
    pub fn delay(self) -> f64 {
        match self {
            Resource::Storage => 10.0,
            Resource::Memory => 20.0,
            _ => 4.0,
        }
    }

    /// The host's number that its doses add up to.
    pub fn whole(self) -> Option<Key> {
        match self {
            Resource::Cpu => Some(Key::host(Metric::CpuBusy)),
            Resource::Memory => Some(Key::host(Metric::MemoryUsed)),
            _ => None,
        }
    }

    /// It is a stock that fills up, not a flow.
    pub fn is_stock(self) -> bool {
        self == Resource::Memory
    }
}
