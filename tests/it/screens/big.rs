//! A big host, from its files to its picture: 256 processors in eight nodes with clocks and heat, graphics processors, swap on zram, and
//! ourselves in a container with limits.

use super::{compare, drawn, look, press, scene, text};
use std::{fmt::Write, sync::Arc, time::Duration};
use trimtab::{
    analysis::derive::deriver::Deriver,
    host::{host::Host, recorded::RecordedHost},
    model::{
        facts::{CpuGroup, Facts},
        hardware::{Gpu, GpuProcess},
        message::{View, Welcome},
        snapshot::Snapshot,
    },
    sources,
    ui::{chart::Ink, state::State},
};

const CORES: u32 = 256;
const NODES: u32 = 8;

/// Ticks that a core has worked of each second: node 2 is hot, the others idle more the higher their number.
fn busy(core: u32) -> u32 {
    match core / (CORES / NODES) {
        2 => 97 + core % 4,
        node => (core * 7 % 23) * 4 / (node + 1),
    }
}

fn stat(seconds: u32) -> String {
    let mut out = String::new();
    let line = |out: &mut String, name: &str, busy: u32, all: u32| {
        let _ = writeln!(
            out,
            "{name} {} 0 {} {} 0 0 0 0 0 0",
            busy * 3 / 4 * seconds,
            (busy - busy * 3 / 4) * seconds,
            (all - busy) * seconds
        );
    };
    line(&mut out, "cpu ", (0..CORES).map(busy).sum(), CORES * 100);
    (0..CORES).for_each(|core| line(&mut out, &format!("cpu{core}"), busy(core), 100));
    let _ = write!(
        out,
        "intr {}\nctxt {}\nprocesses {}\nprocs_running 41\nprocs_blocked 2\n",
        90_000 * seconds,
        400_000 * seconds,
        20 * seconds
    );
    out
}

fn put_all(host: &RecordedHost, seconds: u32) {
    host.put("/proc/stat", &stat(seconds));
    for node in 0..NODES {
        let at = |file: &str| format!("/sys/devices/system/node/node{node}/{file}");
        let free = 60_000_000 - node * 7_000_000;
        let meminfo = [("MemTotal", 67_108_864), ("MemFree", free), ("AnonPages", 2_000_000), ("FilePages", 3_000_000)];
        let line = |(key, kib): &(&str, u32)| format!("Node {node} {key}: {kib} kB\n");
        host.put(&at("meminfo"), &meminfo.iter().map(line).collect::<String>());
        let (hit, miss) = (100_000 * seconds, 4_000 * node * seconds);
        host.put(&at("numastat"), &format!("numa_hit {hit}\nnuma_miss {miss}\nnuma_foreign 0\nother_node {miss}\n"));
    }
}

fn host() -> RecordedHost {
    let host = RecordedHost::default();
    host.put("/proc/loadavg", "44.10 38.20 30.00 41/3000 999\n");
    host.put("/proc/meminfo", "MemTotal: 536870912 kB\nMemFree: 284000000 kB\nMemAvailable: 310000000 kB\nBuffers: 900000 kB\nCached: 24000000 kB\n\
             Shmem: 1000000 kB\nAnonPages: 16000000 kB\nAnonHugePages: 9000000 kB\nSlab: 5000000 kB\nSReclaimable: 3000000 kB\nSUnreclaim: 2000000 kB\n\
             PageTables: 120000 kB\nCommitted_AS: 90000000 kB\nCommitLimit: 300000000 kB\nSwapTotal: 8388604 kB\nSwapFree: 6291452 kB\n\
             Zswap: 100000 kB\nZswapped: 350000 kB\nHugePages_Total: 1024\nHugePages_Free: 200\nHugepagesize: 2048 kB\n");
    host.put("/proc/vmstat", "nr_free_pages 71000000\npgfault 1\nnr_dirty 5\n");
    for resource in ["cpu", "memory", "io"] {
        let line = "avg10=3.00 avg60=1.00 avg300=0.50 total=9000";
        host.put(&format!("/proc/pressure/{resource}"), &format!("some {line}\nfull {line}\n"));
    }
    for core in 0..CORES {
        let at = |file: &str| format!("/sys/devices/system/cpu/cpufreq/policy{core}/{file}");
        host.put(&at("scaling_cur_freq"), &format!("{}\n", 1_500_000 + busy(core) * 20_000));
        for (file, kilo) in [("scaling_min_freq", 1_500_000), ("scaling_max_freq", 3_500_000), ("cpuinfo_max_freq", 3_700_000)] {
            host.put(&at(file), &format!("{kilo}\n"));
        }
        host.put(&at("affected_cpus"), &format!("{core}\n"));
        host.put(&at("scaling_governor"), "schedutil\n");
        let at = |file: &str| format!("/sys/devices/system/cpu/cpu{core}/{file}");
        host.put(&at("thermal_throttle/core_throttle_count"), "3\n");
        host.put(&at("thermal_throttle/package_throttle_count"), "7\n");
        host.put(&at("topology/thread_siblings_list"), &format!("{}\n", core % 128));
        host.put(&at("topology/physical_package_id"), &format!("{}\n", core / 128));
    }
    for (chip, degrees) in [(0, 71_000), (1, 83_000)] {
        let at = |file: &str| format!("/sys/class/hwmon/hwmon{chip}/{file}");
        for (file, text) in [("name", "coretemp\n"), ("temp1_crit", "95000\n")] {
            host.put(&at(file), text);
        }
        host.put(&at("temp1_label"), &format!("Package id {chip}\n"));
        host.put(&at("temp1_input"), &format!("{degrees}\n"));
    }
    host.put("/sys/class/hwmon/hwmon2/name", "nct6799\n");
    host.put("/sys/class/hwmon/hwmon2/fan1_input", "4200\n");
    host.put("/proc/swaps", "Filename Type Size Used Priority\n/dev/zram0 partition 8388604 2097152 100\n");
    for (file, text) in [
        ("disksize", "8589934592\n"),
        ("mm_stat", "2147483648 600000000 640000000 0 0 0 0 0\n"),
        ("comp_algorithm", "lzo [zstd]\n"),
    ] {
        host.put(&format!("/sys/block/zram0/{file}"), text);
    }
    for (file, text) in [("enabled", "Y\n"), ("max_pool_percent", "20\n"), ("compressor", "lzo\n")] {
        host.put(&format!("/sys/module/zswap/parameters/{file}"), text);
    }
    host.put("/proc/driver/nvidia/version", "NVRM\n");
    host.put("/sys/bus/pci/drivers/nvidia/0000:41:00.0/vendor", "0x10de\n");
    host.set_gpus(vec![Gpu {
        id: "0000:41:00.0".into(),
        name: "Example 100".into(),
        busy: Some(0.91),
        memory: Some((38 << 30, 80 << 30)),
        temperature: Some(64.0),
        power: Some(402.0),
        clock: Some(1_755_000_000),
        processes: vec![GpuProcess { pid: 4242, memory: Some(37 << 30) }],
        ..Gpu::default()
    }]);
    host.put("/proc/self/cgroup", "0::/pod/web\n");
    host.put("/proc/self/mountinfo", "24 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    host.put("/proc/self/status", "Cpus_allowed_list:\t0-63\n");
    host.put("/sys/devices/system/cpu/online", "0-255\n");
    host.put("/sys/fs/cgroup/pod/cpu.max", "1600000 100000\n");
    host.put("/sys/fs/cgroup/pod/web/memory.max", "68719476736\n");
    host.put("/sys/fs/cgroup/pod/web/memory.current", "30000000000\n");
    host
}

/// Two looks at the host, a second apart.
fn seen() -> Snapshot {
    let host = host();
    let shared: Arc<dyn Host> = Arc::new(host.clone());
    let mut all = sources::all(&shared, &[], 0);
    let mut deriver = Deriver::new([]);
    for seconds in 1..=2 {
        put_all(&host, seconds);
        host.step(Duration::from_secs(1));
        for source in &mut all {
            let read = source.read(&host).map_err(|error| error.to_string().into());
            deriver.take(source.about().name, host.now(), read);
        }
    }
    deriver.snapshot(host.now())
}

fn state(ink: Ink) -> State {
    let each = CORES / NODES;
    let groups = (0..NODES).map(|n| CpuGroup { name: format!("node {n}").into(), cpus: (n * each..(n + 1) * each).collect() });
    let facts = Facts { host: "big".into(), cpus: CORES, nodes: NODES, groups: groups.collect(), ..Facts::default() };
    let snapshot = Arc::new(seen());
    let view = View { snapshot, facts: Arc::new(facts), findings: Arc::default(), ..scene::view(0, vec![]) };
    let empty = Welcome { history: Vec::new(), ..scene::welcome(view) };
    State::begin(&empty, look("mono", ink), true)
}

#[test]
fn what_the_files_say_is_what_is_known() {
    let snapshot = seen();
    let cpu = snapshot.vitals.cpu.known().unwrap();
    assert_eq!(cpu.cores.len(), 256);
    for (core, split) in &cpu.cores {
        assert!((split.busy() - f64::from(busy(*core)) / 100.0).abs() < 1e-9, "core {core}");
    }
    let hardware = snapshot.hardware.known().unwrap();
    assert_eq!(
        (hardware.policies.len(), hardware.core_throttles, hardware.package_throttles),
        (256, Some((0.0, 384)), Some((0.0, 14)))
    );
    assert_eq!(hardware.hottest().unwrap().value, Some(83.0));
    let allowance = snapshot.allowance.known().unwrap();
    assert_eq!((allowance.cores(), allowance.cpus), (Some(16.0), Some(64)));
    assert_eq!(allowance.memory.as_ref().unwrap().available(), Some(68_719_476_736 - 30_000_000_000));
    assert_eq!(snapshot.backing.known().unwrap().nodes[3].given, Some([100_000.0, 12_000.0, 0.0]));
}

#[test]
fn a_big_host_is_legible_at_every_size() {
    for (ink, name) in [(Ink::Braille, ""), (Ink::Ascii, "-ascii")] {
        let mut state = state(ink);
        if ink == Ink::Braille {
            compare("big-overview-160x48", &text(&drawn(&mut state, 160, 48)));
        }
        press(&mut state, 10, "1e");
        for (width, height) in [(160, 48), (80, 24)] {
            compare(&format!("big-cpu-{width}x{height}{name}"), &text(&drawn(&mut state, width, height)));
        }
        if ink == Ink::Braille {
            press(&mut state, 10, "2");
            compare("big-memory-160x48", &text(&drawn(&mut state, 160, 48)));
            press(&mut state, 10, "1V");
            let of_a_core = text(&drawn(&mut state, 160, 48));
            let busy: u32 = (0..CORES).map(busy).sum();
            assert!(of_a_core.contains(&format!("{busy} % busy of one of 256, limit 16.0")), "{of_a_core}");
        }
    }
}
