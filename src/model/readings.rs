//! Which numbers of a snapshot are kept over time: the one list that engine and screen both feed their series from.

use crate::model::{
    backing::Backing,
    hardware::{Gpu, Hardware},
    idle::Idle,
    metric::{Key, Metric},
    snapshot::{Cgroup, Disk, Network, Process, Service, Snapshot, Tcp, Vitals},
    subject::Subject,
};

/// Calls `keep` with each key and value of the fast lane's part.
pub fn vitals(vitals: &Vitals, keep: &mut dyn FnMut(Key, f64)) {
    let mut host = |metric, value: f64| keep(Key::host(metric), value);
    if let Some(cpu) = vitals.cpu.known() {
        host(Metric::CpuBusy, cpu.total.busy());
        host(Metric::CpuIowait, cpu.total.iowait);
        host(Metric::CpuSteal, cpu.total.steal);
        host(Metric::CpuSoftirq, cpu.total.softirq);
        host(Metric::RunQueue, cpu.running as f64);
        host(Metric::ContextSwitches, cpu.context_switches);
        if let Some([one, ..]) = cpu.load {
            host(Metric::Load, one);
        }
    }
    if let Some(memory) = vitals.memory.known() {
        host(Metric::MemoryAvailable, memory.available as f64);
        host(Metric::MemoryUsed, memory.total.saturating_sub(memory.available) as f64);
        host(Metric::SwapUsed, memory.swap_total.saturating_sub(memory.swap_free) as f64);
        host(Metric::SlabReclaimable, memory.slab_reclaimable as f64);
    }
    if let Some(vm) = vitals.vm.known() {
        host(Metric::SwapIn, vm.swap_in);
        host(Metric::SwapOut, vm.swap_out);
        host(Metric::MajorFaults, vm.major_faults);
        host(Metric::DirectReclaim, vm.scan_direct);
        host(Metric::AllocationStalls, vm.stalls);
        host(Metric::CompactionStalls, vm.compact_stalls);
        host(Metric::FileRefaults, vm.refault_file);
        host(Metric::Dirty, (vm.dirty + vm.writeback) as f64);
    }
    if let Some(pressure) = vitals.pressure.known() {
        host(Metric::PressureCpuSome, pressure.cpu.some);
        host(Metric::PressureMemorySome, pressure.memory.some);
        host(Metric::PressureMemoryFull, pressure.memory.full);
        host(Metric::PressureIoSome, pressure.io.some);
        host(Metric::PressureIoFull, pressure.io.full);
    }
}

/// Calls `keep` with each key and value of a whole snapshot, vitals and busy or waiting processes included.
pub fn snapshot(snapshot: &Snapshot, keep: &mut dyn FnMut(Key, f64)) {
    vitals(&snapshot.vitals, keep);
    if let Some(cpu) = snapshot.vitals.cpu.known() {
        for (core, split) in &cpu.cores {
            keep(Key::new(Subject::Cpu(*core), Metric::CpuBusy), split.busy());
        }
    }
    if let Some(tables) = snapshot.tables.known() {
        let mut put = |metric, share: Option<f64>| {
            if let Some(share) = share.filter(|share| *share >= 0.1) {
                keep(Key::host(metric), share);
            }
        };
        put(Metric::FilesUsed, tables.files.map(|files| files.share()));
        put(Metric::TasksUsed, tables.tasks.map(|tasks| tasks.share()));
    }
    for row in snapshot.disks.known().into_iter().flatten() {
        disk(row, keep);
    }
    for row in snapshot.filesystems.known().into_iter().flatten() {
        if let Some(used) = row.used() {
            keep(Key::new(Subject::Filesystem(row.at.clone()), Metric::FilesystemUsed), used);
        }
        if let Some(used) = row.inodes_used() {
            keep(Key::new(Subject::Filesystem(row.at.clone()), Metric::FilesystemInodes), used);
        }
    }
    for row in snapshot.network.known().map(|n| n.interfaces.as_slice()).unwrap_or_default() {
        let subject = Subject::Interface(row.name.clone());
        let ([received, sent], [errors_in, errors_out], [drops_in, drops_out]) = (row.bytes, row.errors, row.drops);
        keep(Key::new(subject.clone(), Metric::NetReceive), received);
        keep(Key::new(subject.clone(), Metric::NetTransmit), sent);
        if let Some(used) = row.used() {
            keep(Key::new(subject.clone(), Metric::NetUsed), used);
        }
        keep(Key::new(subject, Metric::NetDrops), errors_in + errors_out + drops_in + drops_out);
    }
    if let Some(found) = snapshot.network.known() {
        receive(found, keep);
    }
    for row in snapshot.tcp.known().into_iter().flatten() {
        tcp(row, keep);
    }
    for row in snapshot.processes.known().into_iter().flat_map(|all| all.iter()) {
        process(row, keep);
    }
    for row in snapshot.cgroups.known().into_iter().flatten() {
        cgroup(row, keep);
    }
    for row in snapshot.services.known().into_iter().flatten() {
        service(row, keep);
    }
    if let Some(found) = snapshot.hardware.known() {
        hardware(found, keep);
    }
    if let (Some(memory), Some(backing)) = (snapshot.vitals.memory.known(), snapshot.backing.known())
        && (memory.zswap > 0 || !backing.zrams.is_empty())
    {
        let zrams: u64 = backing.zrams.iter().map(|zram| zram.used).sum();
        keep(Key::host(Metric::CompressedMemory), (memory.zswap + zrams) as f64);
    }
    if let Some(share) = snapshot.backing.known().and_then(Backing::remote) {
        keep(Key::host(Metric::RemotePages), share);
    }
    if let Some(share) = snapshot.idle.known().and_then(Idle::deep_share) {
        keep(Key::host(Metric::DeepIdle), share);
    }
    for row in snapshot.gpus.known().into_iter().flatten() {
        gpu(row, keep);
    }
}

/// The receive path of all cpus, and the fuller table of neighbours.
fn receive(found: &Network, keep: &mut dyn FnMut(Key, f64)) {
    if !found.softnet.is_empty() {
        let [_, dropped, squeezed] = found.softnet.iter().fold([0.0; 3], |[a, b, c], [x, y, z]| [a + x, b + y, c + z]);
        keep(Key::host(Metric::BacklogDrops), dropped);
        keep(Key::host(Metric::BacklogSqueezes), squeezed);
    }
    if let Some(used) = found.neighbours.iter().map(|table| table.used()).reduce(f64::max) {
        keep(Key::host(Metric::NeighboursUsed), used);
    }
}

fn disk(row: &Disk, keep: &mut dyn FnMut(Key, f64)) {
    let mut put = |metric, value: Option<f64>| {
        if let Some(value) = value {
            keep(Key::new(Subject::Disk(row.name.clone()), metric), value);
        }
    };
    put(Metric::DiskRead, Some(row.read));
    put(Metric::DiskWrite, Some(row.write));
    put(Metric::DiskReadLatency, row.read_latency);
    put(Metric::DiskWriteLatency, row.write_latency);
    put(Metric::DiskFlushLatency, row.flush_latency);
    put(Metric::DiskLatency, row.latency);
    put(Metric::DiskQueue, Some(row.queue));
    put(Metric::DiskBusy, Some(row.busy));
}

fn tcp(row: &Tcp, keep: &mut dyn FnMut(Key, f64)) {
    let subject = if row.through.is_none() { Subject::Host } else { Subject::Network(row.netns) };
    connections(row, &subject, keep);
    keep(Key::new(subject.clone(), Metric::TcpRetransmits), row.retransmits);
    if let Some((low, high)) = row.port_range {
        let used = row.established.saturating_add(row.time_wait) as f64 / (f64::from(high.saturating_sub(low)) + 1.0);
        keep(Key::new(subject.clone(), Metric::PortsUsed), used);
    }
    keep(Key::new(subject.clone(), Metric::TcpConnects), row.connects);
    keep(Key::new(subject.clone(), Metric::TcpAccepts), (row.opens - row.connects).max(0.0));
    keep(Key::new(subject, Metric::ListenOverflows), row.overflows);
}

fn connections(row: &Tcp, subject: &Subject, keep: &mut dyn FnMut(Key, f64)) {
    let state = |which: usize| row.states.and_then(|states| states.get(which).copied()).map(f64::from);
    let mut put = |metric, value: Option<f64>| {
        if let Some(value) = value {
            keep(Key::new(subject.clone(), metric), value);
        }
    };
    put(Metric::TcpResentShare, row.resent());
    put(Metric::TcpResets, Some(row.resets[1]));
    put(Metric::TcpEstablished, Some(row.established as f64));
    put(Metric::TcpTimeWait, Some(row.time_wait as f64));
    put(Metric::TcpSynReceived, state(3));
    put(Metric::TcpCloseWait, state(8));
    put(Metric::UdpFull, Some(row.udp.full[0] + row.udp.full[1]));
    put(Metric::TcpSynDrops, row.strained.syns);
    put(Metric::TcpPrunes, row.strained.prunes);
    put(Metric::TcpRestarts, row.strained.restarts);
    put(Metric::TcpRoundTrip, row.round_trip);
    put(Metric::OrphansUsed, row.orphaned().filter(|used| *used >= 0.1));
    put(Metric::ConntrackUsed, row.conntrack.filter(|[_, most]| *most > 0).map(|[now, most]| now as f64 / most as f64));
}

/// A process is kept while it uses or waits for a hundredth of a core, moves storage or network traffic, or nears its descriptor limit.
fn process(row: &Process, keep: &mut dyn FnMut(Key, f64)) {
    let (cpu, wait) = (row.cpu.unwrap_or(0.0), row.wait.unwrap_or(0.0));
    let descriptors = row.descriptors.zip(row.descriptor_limit).map(|(open, (soft, _))| f64::from(open) / soft.max(1) as f64);
    let moved = row.io.map_or(0.0, |[read, written]| read + written) + row.net.map_or(0.0, |net| net.received + net.sent);
    if cpu < 0.01 && wait < 0.01 && moved < 65_536.0 && descriptors.unwrap_or(0.0) < 0.5 {
        return;
    }
    let mut put = |metric, value: Option<f64>| {
        if let Some(value) = value {
            keep(Key::new(Subject::Process(row.id), metric), value);
        }
    };
    put(Metric::ProcessCpu, row.cpu);
    put(Metric::ProcessRunDelay, row.wait);
    put(Metric::ProcessResident, Some(row.resident as f64));
    put(Metric::ProcessRead, row.io.map(|[read, _]| read));
    put(Metric::ProcessWrite, row.io.map(|[_, written]| written));
    put(Metric::ProcessReceive, row.net.map(|net| net.received));
    put(Metric::ProcessSend, row.net.map(|net| net.sent));
    put(Metric::ProcessDescriptors, descriptors);
}

fn cgroup(row: &Cgroup, keep: &mut dyn FnMut(Key, f64)) {
    let mut put = |metric, value: Option<f64>| {
        if let Some(value) = value {
            keep(Key::new(Subject::Cgroup(row.path.clone()), metric), value);
        }
    };
    put(Metric::CgroupCpu, row.cpu);
    put(Metric::CgroupThrottled, row.throttled);
    put(Metric::CgroupThrottledTime, row.throttled_time);
    put(Metric::CgroupMemory, row.memory.map(|bytes| bytes as f64));
    put(Metric::CgroupUnreclaimable, row.unreclaimable().map(|bytes| bytes as f64));
    put(Metric::CgroupTasks, row.pids.filter(|tasks| row.pids_limit.is_some_and(|most| *tasks >= most / 4)).map(|n| n as f64));
    put(Metric::CgroupTasksUsed, row.tasks_used().filter(|used| *used >= 0.25));
}

fn service(row: &Service, keep: &mut dyn FnMut(Key, f64)) {
    let subject = Subject::Service(row.name.clone());
    keep(Key::new(subject.clone(), Metric::ServiceRate), row.rate);
    if let Some([p50, p95, p99]) = row.latency {
        keep(Key::new(subject.clone(), Metric::ServiceP50), p50);
        keep(Key::new(subject.clone(), Metric::ServiceP95), p95);
        keep(Key::new(subject, Metric::ServiceP99), p99);
    }
}

fn hardware(found: &Hardware, keep: &mut dyn FnMut(Key, f64)) {
    let mut put = |metric, value: Option<f64>| {
        if let Some(value) = value {
            keep(Key::host(metric), value);
        }
    };
    put(Metric::CpuFrequency, found.frequency());
    put(Metric::ThermalThrottles, found.core_throttles.map(|(rate, _)| rate));
    put(Metric::Temperature, found.hottest().and_then(|sensor| sensor.value));
    put(Metric::Power, found.package_power());
}

fn gpu(row: &Gpu, keep: &mut dyn FnMut(Key, f64)) {
    let mut put = |metric, value: Option<f64>| {
        if let Some(value) = value {
            keep(Key::new(Subject::Gpu(row.id.clone()), metric), value);
        }
    };
    put(Metric::GpuBusy, row.busy);
    put(Metric::GpuMemory, row.memory.map(|(used, _)| used as f64));
    put(Metric::Temperature, row.temperature);
    put(Metric::Power, row.power);
}
