//! What is to be explained: the number in which trouble shows, and who is known to suffer from it.

use crate::model::{
    finding::{Finding, FindingId, FindingKind},
    metric::{Better, Key, Metric},
    outlook::Anomaly,
    subject::Subject,
};

/// What is to be explained.
#[derive(Clone, Debug, PartialEq)]
pub struct Symptom {
    /// The number in which it shows.
    pub key: Key,
    /// The finding, if it is one. Its culprits and victims count as evidence when it is among the findings of the scene.
    pub finding: Option<FindingId>,
}

impl Symptom {
    /// An odd number.
    pub fn of_anomaly(anomaly: &Anomaly) -> Symptom {
        Symptom { key: anomaly.key.clone(), finding: None }
    }

    /// A finding: shown by the host's number that stands for its kind, or by its own first measure where it is about something smaller.
    pub fn of_finding(finding: &Finding) -> Symptom {
        let own = |metric: Metric| Key::new(finding.id.subject.clone(), metric);
        let measured = finding.evidence.iter().find(|e| e.threshold.is_some());
        let first = measured.map(|e| Key::new(e.subject.clone(), e.metric));
        let key = match finding.id.kind {
            FindingKind::CpuContention => Key::host(Metric::PressureCpuSome),
            FindingKind::CpuSaturation => Key::host(Metric::CpuBusy),
            FindingKind::Throttled => own(Metric::CgroupThrottled),
            FindingKind::MemoryPressure => Key::host(Metric::PressureMemorySome),
            FindingKind::SwapThrash => Key::host(Metric::SwapIn),
            FindingKind::Leak | FindingKind::PredictedMemory => Key::host(Metric::MemoryUsed),
            FindingKind::DiskLatency => own(Metric::DiskLatency),
            FindingKind::WritebackStall => Key::host(Metric::Dirty),
            FindingKind::SoftirqImbalance => Key::host(Metric::CpuSoftirq),
            FindingKind::DirectReclaim => Key::host(Metric::AllocationStalls),
            FindingKind::Fragmentation => Key::host(Metric::CompactionStalls),
            FindingKind::PredictedSwap => Key::host(Metric::SwapUsed),
            FindingKind::Steal => Key::host(Metric::CpuSteal),
            _ => first.unwrap_or_else(|| Key::host(Metric::CpuBusy)),
        };
        Symptom { key, finding: Some(finding.id.clone()) }
    }

    /// Numbers that may stand for this one while it is not known.
    pub(super) fn instead(&self) -> Vec<Key> {
        let host = |metrics: &[Metric]| metrics.iter().map(|m| Key::host(*m)).collect();
        match (self.key.metric, &self.key.subject) {
            (Metric::PressureCpuSome | Metric::ProcessRunDelay, _) => host(&[Metric::PressureCpuSome, Metric::CpuBusy]),
            (Metric::PressureMemorySome, _) => host(&[Metric::SwapIn, Metric::MemoryUsed]),
            (Metric::DiskLatency | Metric::DiskFlushLatency, Subject::Disk(_)) => host(&[Metric::PressureIoSome]),
            (Metric::CgroupThrottled, Subject::Cgroup(path)) => {
                vec![Key::new(Subject::Cgroup(path.clone()), Metric::CgroupThrottledTime)]
            }
            _ => Vec::new(),
        }
    }

    /// 1 where more is worse, -1 where less is. Use of a resource counts as trouble when it rises.
    pub(super) fn sign(&self) -> f64 {
        use Metric::*;
        let amount = matches!(
            self.key.metric,
            DiskRead
                | DiskWrite
                | NetReceive
                | NetTransmit
                | ProcessCpu
                | ProcessRead
                | ProcessWrite
                | ProcessReceive
                | ProcessSend
                | CgroupCpu
                | TcpEstablished
                | TcpConnects
                | TcpAccepts
        );
        if self.key.metric.better() == Better::Lower || amount { 1.0 } else { -1.0 }
    }
}
