//! Which pairs are no news: numbers of one subject, and parts of one whole, move together by definition.

use crate::model::{
    metric::{Key, Metric},
    subject::Subject,
};

/// What a metric of the host is about. Two metrics of one aspect say the same in other words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aspect {
    Cpu,
    Memory,
    Paging,
    Io,
    Network,
    Heat,
    Other,
}

fn aspect(metric: Metric) -> Aspect {
    use Metric::*;
    match metric {
        CpuBusy | CpuSteal | CpuSoftirq | Load | RunQueue | ContextSwitches | PressureCpuSome => Aspect::Cpu,
        MemoryAvailable | MemoryUsed | SwapUsed | CompressedMemory => Aspect::Memory,
        SwapIn | SwapOut | MajorFaults | DirectReclaim | PressureMemorySome | PressureMemoryFull => Aspect::Paging,
        CpuIowait | Dirty | PressureIoSome | PressureIoFull => Aspect::Io,
        TcpRetransmits | TcpResentShare | TcpResets | TcpEstablished | TcpTimeWait | TcpCloseWait | TcpSynReceived | UdpFull
        | ConntrackUsed | ListenOverflows | PortsUsed | TcpConnects | TcpAccepts => Aspect::Network,
        CpuFrequency | ThermalThrottles | Temperature | Power => Aspect::Heat,
        _ => Aspect::Other,
    }
}

/// True for two keys of which one follows from the other, or both from a third, by definition.
pub(super) fn are_kin(a: &Key, b: &Key) -> bool {
    match (&a.subject, &b.subject) {
        (Subject::Host, Subject::Host) => aspect(a.metric) == aspect(b.metric) || a.metric == b.metric,
        (Subject::Cpu(_), Subject::Cpu(_)) => true,
        (Subject::Host, Subject::Cpu(_)) => aspect(a.metric) == Aspect::Cpu,
        (Subject::Cpu(_), Subject::Host) => aspect(b.metric) == Aspect::Cpu,
        (Subject::Cgroup(one), Subject::Cgroup(other)) => above(one, other) || above(other, one),
        (one, other) => one == other,
    }
}

/// True when `inner` is `outer`, or below it.
fn above(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_one_whole_are_kin_and_components_are_not() {
        let group = |path: &str| Key::new(Subject::Cgroup(path.into()), Metric::CgroupCpu);
        let disk = |metric| Key::new(Subject::Disk("vda".into()), metric);
        assert!(are_kin(&Key::host(Metric::MemoryUsed), &Key::host(Metric::MemoryAvailable)));
        assert!(are_kin(&Key::host(Metric::CpuBusy), &Key::new(Subject::Cpu(3), Metric::CpuBusy)));
        assert!(are_kin(&disk(Metric::DiskBusy), &disk(Metric::DiskQueue)));
        assert!(are_kin(&group("/a"), &group("/a/b")) && are_kin(&group("/"), &group("/a")));
        assert!(!are_kin(&group("/a"), &group("/ab")));
        assert!(!are_kin(&disk(Metric::DiskWrite), &Key::host(Metric::PressureIoSome)));
        assert!(!are_kin(&Key::host(Metric::CpuBusy), &Key::host(Metric::PressureIoSome)));
    }
}
