//! What one run without an engine sees.

use crate::{
    app::{
        once::Once,
        text::{
            change::plan,
            finding::{findings, proposal},
            hardware,
            rows::{line, row},
        },
    },
    model::{snapshot::Snapshot, unit::Unit},
};

/// What one run without an engine sees.
pub fn once(once: &Once) -> String {
    let mut out = String::new();
    let facts = &once.facts;
    line(&mut out, &format!("{}, {}, Linux {}, {} cpu, {}", facts.host, facts.os, facts.kernel, facts.cpus, bytes(facts.memory)));
    snapshot(&mut out, &once.snapshot);
    for (source, gap) in &once.snapshot.gaps {
        line(&mut out, &format!("gap       {source:?}: {}", gap.why));
    }
    if once.findings.is_empty() {
        line(&mut out, "nothing holds this host back now");
    }
    for finding in &once.findings {
        findings(&mut out, std::slice::from_ref(finding));
        for offer in once.proposals.iter().filter(|offer| offer.proposal.finding == finding.id) {
            proposal(&mut out, &offer.proposal);
            match &offer.plan {
                Ok(made) => plan(&mut out, made),
                Err(refusal) => row(&mut out, "locked", &refusal.why),
            }
        }
    }
    out
}

fn bytes(n: u64) -> String {
    Unit::Bytes.show(n as f64)
}

fn snapshot(out: &mut String, snapshot: &Snapshot) {
    let share = |value: f64| Unit::Share.show(value);
    if let Some(cpu) = snapshot.vitals.cpu.known() {
        let load = cpu.load.map(|[one, five, fifteen]| format!(", load {one:.2} {five:.2} {fifteen:.2}")).unwrap_or_default();
        line(
            out,
            &format!(
                "cpu       {} busy, {} steal, {} runnable{load}",
                share(cpu.total.busy()),
                share(cpu.total.steal),
                cpu.running
            ),
        );
    }
    if let Some(memory) = snapshot.vitals.memory.known() {
        line(out, &format!("memory    {} of {} available", bytes(memory.available), bytes(memory.total)));
    }
    if let Some(limits) = snapshot.allowance.known().and_then(hardware::limits) {
        line(out, &format!("limit     {limits}"));
    }
    if let Some(sensors) = snapshot.hardware.known().and_then(hardware::sensors) {
        line(out, &format!("sensors   {sensors}"));
    }
    for gpu in snapshot.gpus.known().into_iter().flatten() {
        line(out, &format!("gpu       {}", hardware::gpu(gpu)));
    }
    if let Some(pressure) = snapshot.vitals.pressure.known() {
        let [cpu, memory, io] = [pressure.cpu, pressure.memory, pressure.io].map(|p| share(p.some));
        line(out, &format!("pressure  cpu {cpu}, memory {memory}, io {io}"));
    }
    for disk in snapshot.disks.known().into_iter().flatten() {
        let latency = disk.latency.map_or("no requests".into(), |seconds| Unit::Seconds.show(seconds));
        let [read, write] = [disk.read, disk.write].map(|rate| Unit::BytesPerSecond.show(rate));
        line(out, &format!("disk      {}: read {read}, write {write}, latency {latency}, busy {}", disk.name, share(disk.busy)));
    }
    for filesystem in snapshot.filesystems.known().into_iter().flatten() {
        let inodes = filesystem.inodes_used().map(|used| format!(", {} of inodes", share(used))).unwrap_or_default();
        match (filesystem.stale, filesystem.used()) {
            (Some(seconds), _) => line(out, &format!("space     {}: no answer for {}", filesystem.at, Unit::Seconds.show(seconds))),
            (None, Some(used)) => line(out, &format!("space     {}: {} used{inodes}", filesystem.at, share(used))),
            (None, None) => {}
        }
    }
    for interface in snapshot.network.known().into_iter().flat_map(|network| &network.interfaces) {
        let [received, sent] = interface.bytes.map(|rate| Unit::BytesPerSecond.show(rate));
        line(out, &format!("network   {}: received {received}, sent {sent}", interface.name));
    }
    for tcp in snapshot.tcp.known().into_iter().flatten().filter(|tcp| tcp.through.is_none()) {
        let resent = tcp.resent().map(|resent| format!(", {} resent", share(resent))).unwrap_or_default();
        let waiting = format!("{} established, {} in TIME_WAIT", tcp.established, tcp.time_wait);
        line(out, &format!("tcp       {waiting}{resent}, {} overflows", Unit::PerSecond.show(tcp.overflows)));
    }
    for service in snapshot.services.known().into_iter().flatten() {
        let latency = service.latency.map_or("too few".into(), |[_, p95, _]| format!("p95 {}", Unit::Seconds.show(p95)));
        line(out, &format!("service   {}: {}, {latency}", service.name, Unit::PerSecond.show(service.rate)));
    }
}
