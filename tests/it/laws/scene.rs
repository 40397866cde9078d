//! Worlds in which each action has something to propose: the recorded tree as sources and detectors would show it.

use std::{sync::Arc, time::Duration};
use trimtab::{
    host::recorded::{RecordedHost, at},
    model::{
        backing::{Backing, Node},
        facts::Facts,
        finding::{Finding, FindingId, FindingKind, Party, Severity},
        hardware::{FrequencyPolicy, Hardware},
        idle::{Idle, IdleState},
        limits::Thresholds,
        metric::{Key, Metric},
        outlook::{Crossing, Outlook},
        paging::{Paging, PagingSettings, Zone},
        receive::{Interrupt, Path, Receive},
        sample::{CgroupVersion, DiskQueue, Listener, NeighbourTable, NetworkLimits, ReceiveLimits},
        series::{Point, SeriesSet},
        snapshot::{
            Cgroup, Cpu, CpuSplit, Disk, Filesystem, Interface, Memory, Network, Process, Quota, Reading, Service, Snapshot,
            Strained, Tcp, Vitals, Vm,
        },
        subject::{ProcessId, Subject},
        time::{Now, Wall},
        trial::Windows,
        unit::Unit,
        world::World,
    },
};

/// The namespace of the tree's own network, and another one.
pub const OWN: u64 = 4_026_531_840;
pub const OTHER: u64 = 77;

/// Everything that a world borrows.
pub struct Scene {
    pub snapshot: Snapshot,
    pub vitals: Vitals,
    pub facts: Facts,
    pub series: SeriesSet,
    pub thresholds: Thresholds,
    pub findings: Vec<Finding>,
    pub outlook: Outlook,
}

impl Scene {
    pub fn world(&self) -> World<'_> {
        World {
            now: Now { tick: at(100.0), wall: Wall(0) },
            vitals: &self.vitals,
            snapshot: &self.snapshot,
            facts: &self.facts,
            series: &self.series,
            thresholds: &self.thresholds,
            findings: &self.findings,
            outlook: &self.outlook,
            windows: Windows::default(),
        }
    }

    pub fn find(mut self, kind: FindingKind, subject: Subject, culprits: &[u32], victims: &[u32]) -> Scene {
        let party = |pid: &u32| Party {
            subject: Subject::Process(id(*pid)),
            name: self.snapshot.process(id(*pid)).map(|p| p.name.clone()).unwrap(),
            share: 0.5,
            amount: 0.8,
            unit: Unit::Cores,
        };
        let (culprits, victims) = (culprits.iter().map(party).collect(), victims.iter().map(party).collect());
        let finding = Finding {
            id: FindingId { kind, subject },
            severity: Severity::Warning,
            headline: "it waits".into(),
            evidence: Vec::new(),
            culprits,
            victims,
            ruled_out: Vec::new(),
            advice: None,
            impact: 0.5,
            priority: 0.5,
            since: Wall(0),
            crossing: None,
        };
        self.findings.push(finding);
        self
    }

    /// Gives the last finding a time, as trouble that has not come yet has one.
    pub fn coming(mut self, limit: f64) -> Scene {
        let crossing =
            Crossing { limit, of: "limit".into(), likely: Some(20.0), earliest: Some(15.0), latest: Some(30.0), confidence: 0.9 };
        self.findings.last_mut().unwrap().crossing = Some(crossing);
        self
    }

    /// Cgroups of version 2 for all controllers, as [`machine`] has them for the same actions: `/app/web` with the victim, `/grower`
    /// with the culprit, growing by a quarter in a minute, and `/cold`.
    pub fn unified(mut self) -> Scene {
        let row = |path: &str, memory: u64| Cgroup {
            path: path.into(),
            version: CgroupVersion::V2,
            memory: Some(memory),
            pressure: Some([0.0; 3]),
            ..Cgroup::default()
        };
        let rows = [("/app", 4 << 30), ("/app/web", 4 << 30), ("/cold", 4 << 30), ("/grower", 2 << 30)];
        self.snapshot.cgroups = Reading::Known(rows.map(|(path, memory)| row(path, memory)).into());
        if let Reading::Known(all) = &mut self.snapshot.processes {
            for process in Arc::make_mut(all) {
                process.cgroup = if process.id.pid == 300 { "/grower" } else { "/app/web" }.into();
            }
            Arc::make_mut(all).retain(|p| matches!(p.id.pid, 200 | 300));
        }
        let key = Key::new(Subject::Cgroup("/grower".into()), Metric::CgroupMemory);
        self.series.push(key, Point { at: at(40.0), value: 1.6e9 }, 10);
        self.facts.cgroup_v2 = Some("/sys/fs/cgroup/unified".into());
        self
    }

    /// Changes what memory and processes are.
    pub fn with(mut self, change: impl FnOnce(&mut Memory, &mut Vec<Process>)) -> Scene {
        let (Reading::Known(memory), Reading::Known(all)) = (&mut self.vitals.memory, &mut self.snapshot.processes) else {
            unreachable!("a scene knows both")
        };
        change(memory, Arc::make_mut(all));
        self
    }

    /// The last finding names the interface of the tree.
    fn on_eth0(mut self) -> Scene {
        let party = Party {
            subject: Subject::Interface("eth0".into()),
            name: "eth0".into(),
            share: 1.0,
            amount: 1e5,
            unit: Unit::PerSecond,
        };
        self.findings.last_mut().unwrap().culprits = vec![party];
        self
    }

    /// Shapes the first disk.
    pub fn disk(mut self, change: impl Fn(&mut Disk)) -> Scene {
        if let Reading::Known(disks) = &mut self.snapshot.disks {
            change(&mut disks[0]);
        }
        self
    }

    pub fn vm(mut self, vm: Vm) -> Scene {
        self.vitals.vm = Reading::Known(vm);
        self
    }
}

/// The identity that the tree gives that pid.
pub fn id(pid: u32) -> ProcessId {
    ProcessId { pid, start: u64::from(pid) * 10 }
}

fn process(pid: u32, name: &str, session: u32, cgroup: &str) -> Process {
    Process {
        id: id(pid),
        parent: 1,
        name: name.into(),
        session,
        cgroup: cgroup.into(),
        cpu: Some(0.8),
        wait: Some(0.4),
        descriptors: Some(60),
        descriptor_limit: Some((1024, 1_048_576)),
        io: Some([200e6, 0.0]),
        ..Process::default()
    }
}

fn cgroup(path: &str, quota: Option<u64>) -> Cgroup {
    Cgroup {
        path: path.into(),
        version: CgroupVersion::V1,
        weight: Some(1024),
        quota: Some(Quota { quota, period: 100_000 }),
        cpu: Some(0.15),
        throttled: Some(0.9),
        memory: Some(220 << 20),
        reclaimable: Some(20 << 20),
        memory_limit: quota.map(|_| 256 << 20),
        io: (path == "/batch").then_some([180e6, 0.0]),
        ..Cgroup::default()
    }
}

fn disk() -> Disk {
    let queue = DiskQueue {
        scheduler: "mq-deadline".into(),
        schedulers: ["none", "mq-deadline", "kyber", "bfq"].map(Arc::from).into(),
        read_ahead: 128,
        requests: 256,
        write_throttling: Some(2000),
        ..DiskQueue::default()
    };
    Disk {
        name: "vda".into(),
        device: (254, 0),
        read: 200e6,
        reads: 1500.0,
        write: 1e6,
        flush_latency: Some(0.4),
        latency: Some(0.1),
        settings: Some(queue.into()),
        ..Disk::default()
    }
}

fn tcp(netns: u64, through: Option<ProcessId>) -> Tcp {
    let listener = |port, inode, owner| Listener { port, waiting: 16, backlog: 16, inode, owner: Some(id(owner)) };
    Tcp {
        netns,
        through,
        overflows: 40.0,
        established: 9_000,
        time_wait: 18_000,
        somaxconn: Some(16),
        port_range: Some((32_768, 60_999)),
        listeners: vec![listener(80, 1, 200)].into(),
        conntrack: Some([50_000, 65_536]),
        opens: 600.0,
        connects: 400.0,
        segments_out: 1000.0,
        retransmits: 30.0,
        orphans: 60_000,
        round_trip: Some(0.08),
        strained: Strained { syns: Some(20.0), prunes: Some(9.0), restarts: Some(4.0), ..Strained::default() },
        limits: Some(limits().into()),
        ..Tcp::default()
    }
}

fn policy(cpu: u32) -> FrequencyPolicy {
    let (now, most, governor) = (1_500_000_000, 4_000_000_000, "schedutil".into());
    FrequencyPolicy { cpus: [cpu].into(), now, most, governor, ..FrequencyPolicy::default() }
}

fn node(number: u32) -> Node {
    Node { number, total: 8 << 30, free: 1 << 30, given: Some([9e3, 1e3, 1e3]), ..Node::default() }
}

fn idle_state((latency, share): (u64, f64)) -> IdleState {
    IdleState { name: "C".into(), latency, share: Some(share) }
}

fn paging() -> Paging {
    let settings = PagingSettings {
        watermark_scale_factor: Some(10),
        min_free_kbytes: Some(67_584),
        vfs_cache_pressure: Some(100),
        compaction_proactiveness: Some(20),
        zone_reclaim_mode: Some(1),
        numa_balancing: Some(0),
    };
    Paging { zones: vec![Zone { node: 0, name: "Normal".into(), free: vec![9000, 10] }], settings }
}

fn receive() -> Receive {
    let irq = |number, rate| Interrupt { number, cpus: "0".into(), rate: Some(rate) };
    let interrupts = vec![irq(41, 9000.0), irq(42, 4000.0), irq(43, 1.0)];
    Receive { paths: vec![Path { name: "eth0".into(), queues: 1, steered: false, interrupts }], isolated: [].into() }
}

/// A disk that serves hundreds of thousands of requests.
fn fast() -> Disk {
    Disk {
        name: "nvme0n1".into(),
        device: (259, 0),
        reads: 4e5,
        read: 1.6e9,
        settings: Some(DiskQueue::default().into()),
        ..Disk::default()
    }
}

/// As the tree has them.
fn limits() -> NetworkLimits {
    NetworkLimits {
        syncookies: Some(0),
        max_syn_backlog: Some(128),
        tw_reuse: Some(2),
        slow_start_after_idle: Some(1),
        fin_timeout: Some(120),
        rmem: Some([4096, 131_072, 6_291_456]),
        wmem: Some([4096, 16_384, 4_194_304]),
        rmem_max: Some(212_992),
        wmem_max: Some(212_992),
        congestion: "cubic".into(),
        congestions: ["reno", "bbr", "cubic"].map(Arc::from).into(),
        mem: Some([1000, 2000, 4000]),
        max_orphans: Some(65_536),
    }
}

fn network() -> Network {
    let card = Interface { name: "eth0".into(), bytes: [1e6, 9e6], ..Interface::default() };
    let neighbours = vec![NeighbourTable { six: false, entries: 1000, fulls: 3, thresholds: [128, 512, 1024] }];
    Network {
        interfaces: vec![card],
        softnet: vec![[1e5, 8.0, 40.0]],
        receive: Some(ReceiveLimits { backlog: 1000, budget: 300, micros: 2000 }),
        neighbours,
    }
}

/// The tree as a snapshot, with no finding yet.
pub fn quiet() -> Scene {
    let softirq = |share| CpuSplit { softirq: share, idle: 1.0 - share, ..CpuSplit::default() };
    let cores = vec![(0, softirq(0.8)), (1, softirq(0.0))];
    let total = CpuSplit { user: 0.5, idle: 0.5, ..CpuSplit::default() };
    let vitals = Vitals {
        cpu: Reading::Known(Cpu { total, cores, ..Cpu::default() }),
        memory: Reading::Known(Memory { total: 16 << 30, available: 12 << 30, swap_total: 1 << 30, ..Memory::default() }),
        vm: Reading::Known(Vm::default()),
        ..Vitals::default()
    };
    let mut processes = vec![
        process(90, "sshd", 90, "/"),
        process(200, "web", 200, "/"),
        process(205, "web deaf", 205, "/"),
        process(210, "hog", 200, "/"),
        process(299, "sh", 299, "/"),
        process(300, "hog", 299, "/"),
        process(310, "hog", 310, "/"),
        process(400, "build", 400, "/batch/jobs"),
    ];
    processes.sort_by_key(|p| p.id);
    let cgroups = vec![cgroup("/batch", None), cgroup("/batch/jobs", None), cgroup("/tenant", Some(15_000))];
    let snapshot = Snapshot {
        vitals: vitals.clone(),
        disks: Reading::Known(vec![disk(), fast()]),
        filesystems: Reading::Known(vec![Filesystem {
            at: "/srv/data".into(),
            number: (254, 0),
            options: "rw,nosuid,relatime".into(),
            ..Filesystem::default()
        }]),
        network: Reading::Known(network()),
        tcp: Reading::Known(vec![tcp(OWN, None), tcp(OTHER, Some(id(200)))]),
        processes: Reading::Known(processes.into()),
        cgroups: Reading::Known(cgroups),
        services: Reading::Known(vec![Service {
            name: "web".into(),
            rate: 100.0,
            latency: Some([0.01, 0.08, 0.1]),
            process: Some(id(200)),
        }]),
        hardware: Reading::Known(Hardware { policies: [0, 1].map(policy).into(), ..Hardware::default() }),
        backing: Reading::Known(Backing { nodes: [0, 1].map(node).into(), ..Backing::default() }),
        paging: Reading::Known(paging()),
        receive: Reading::Known(receive()),
        idle: Reading::Known(Idle { states: [(2, 0.2), (133, 0.7)].map(idle_state).into() }),
        ..Snapshot::default()
    };
    let facts = Facts {
        cpus: 2,
        nodes: 2,
        autogroup: true,
        cgroup_v1: vec![("blkio".into(), "/sys/fs/cgroup/blkio".into())],
        ..Facts::default()
    };
    Scene {
        snapshot,
        vitals,
        facts,
        series: SeriesSet::default(),
        thresholds: Thresholds::default(),
        findings: Vec::new(),
        outlook: Outlook::default(),
    }
}

/// A world in which that action proposes; a new action is in no law before it has one here.
pub fn of(action: &str) -> Scene {
    let vda = || Subject::Disk("vda".into());
    let contention = |culprits: &[u32]| quiet().find(FindingKind::CpuContention, Subject::Host, culprits, &[200]);
    match action {
        "nice" | "policy-batch" | "policy-idle" => contention(&[210]),
        "autogroup" | "affinity" => contention(&[300, 310]),
        "cgroup-weight" => contention(&[400]),
        "cpu-cap" => {
            let mut scene = contention(&[400]);
            if let Reading::Known(all) = &mut scene.snapshot.cgroups {
                all.iter_mut().for_each(|row| row.cpu = Some(1.5));
            }
            scene
        }
        "irq-affinity" | "rps" => quiet().find(FindingKind::SoftirqImbalance, Subject::Host, &[], &[]).on_eth0(),
        "governor" => quiet().find(FindingKind::SlowClock, Subject::Host, &[], &[]),
        "wake-latency" => quiet().find(FindingKind::DeepIdle, Subject::Service("web".into()), &[], &[]),
        "memory-high" | "memory-low" | "memory-reclaim" => {
            let vm = Vm { refault_file: 900.0, ..Vm::default() };
            quiet().unified().vm(vm).find(FindingKind::MemoryPressure, Subject::Host, &[300], &[200])
        }
        "oom-score" => {
            let greatest = |all: &mut Vec<Process>| all.iter_mut().filter(|p| p.id.pid == 200).for_each(|p| p.resident = 8 << 30);
            quiet().with(|_, all| greatest(all)).find(FindingKind::MemoryPressure, Subject::Host, &[300, 310], &[200])
        }
        "watermark" | "zone-reclaim" => quiet().find(FindingKind::DirectReclaim, Subject::Host, &[], &[]),
        "numa-balancing" => quiet().find(FindingKind::RemoteMemory, Subject::Host, &[], &[]),
        "cache-pressure" | "drop-caches" => {
            quiet().with(|memory, _| memory.slab_reclaimable = 8 << 30).find(FindingKind::SlabBloat, Subject::Host, &[], &[])
        }
        "compaction" | "compact-memory" => quiet().find(FindingKind::Fragmentation, Subject::Host, &[], &[]),
        "cgroup-quota" => quiet().find(FindingKind::Throttled, Subject::Cgroup("/tenant".into()), &[], &[]),
        "memory-limit" => {
            quiet().find(FindingKind::PredictedMemory, Subject::Cgroup("/tenant".into()), &[], &[]).coming((256 << 20) as f64)
        }
        "conntrack-max" => quiet().find(FindingKind::PredictedConntrack, Subject::Host, &[], &[]).coming(1.0),
        "writeback" => quiet().find(FindingKind::WritebackStall, vda(), &[300], &[200]),
        "swappiness" => {
            let vm = Vm { swap_in: 9e6, refault_anon: 900.0, refault_file: 10.0, ..Vm::default() };
            quiet().vm(vm).find(FindingKind::SwapThrash, Subject::Host, &[300], &[200])
        }
        "thp" => {
            let vm = Vm { compact_stalls: 50.0, thp_fallback: Some(0.8), ..Vm::default() };
            quiet().vm(vm).find(FindingKind::MemoryPressure, Subject::Host, &[], &[])
        }
        "request-completion" => quiet().find(FindingKind::SoftirqImbalance, Subject::Host, &[], &[]),
        "request-queue" => {
            let slow = |disk: &mut Disk| (disk.read, disk.write, disk.read_latency) = (1e6, 9e7, Some(0.2));
            quiet().disk(slow).find(FindingKind::DiskLatency, vda(), &[300], &[200])
        }
        "access-times" => {
            let small = |disk: &mut Disk| (disk.writes, disk.write, disk.request_size) = (40.0, 160e3, [None, Some(4096.0)]);
            quiet().disk(small).find(FindingKind::DiskLatency, vda(), &[300], &[200])
        }
        "cgroup-io" => quiet().find(FindingKind::DiskLatency, vda(), &[400], &[200]),
        "io-scheduler" | "read-ahead" => quiet().find(FindingKind::DiskLatency, vda(), &[300], &[200]),
        "io-priority" => quiet().find(FindingKind::DiskLatency, vda(), &[300], &[200]),
        "listen-backlog" => quiet().find(FindingKind::AcceptOverflow, Subject::Network(OTHER), &[], &[200]),
        "syn-backlog" => quiet().find(FindingKind::SynDrops, Subject::Host, &[], &[]),
        "socket-buffers" => quiet().find(FindingKind::SocketBuffers, Subject::Host, &[], &[]),
        "receive-backlog" => quiet().find(FindingKind::ReceiveBacklog, Subject::Host, &[], &[]),
        "congestion-control" => quiet().find(FindingKind::LossyPath, Subject::Host, &[], &[]),
        "slow-start-after-idle" => quiet().find(FindingKind::IdleRestart, Subject::Host, &[], &[]),
        "neighbour-table" => quiet().find(FindingKind::NeighbourTable, Subject::Host, &[], &[]),
        "orphans" => quiet().find(FindingKind::Orphans, Subject::Host, &[], &[]),
        "port-range" | "port-reuse" => quiet().find(FindingKind::PortExhaustion, Subject::Host, &[], &[]),
        "descriptors" => quiet().find(FindingKind::DescriptorExhaustion, Subject::Process(id(200)), &[], &[200]),
        _ => panic!("{action}: no world makes it propose; add one to tests/it/laws/scene.rs"),
    }
}

/// The mounts of a machine whose controllers are all of version 2.
const UNIFIED: &str = "24 1 0:22 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

/// The recorded machine that the world of that action shows.
pub fn machine(action: &str) -> RecordedHost {
    let host = host();
    if matches!(action, "memory-high" | "memory-low" | "memory-reclaim") {
        host.put("/proc/self/mountinfo", UNIFIED);
    }
    host
}

/// The recorded machine that the worlds show.
pub fn host() -> RecordedHost {
    let host = RecordedHost::load(include_str!("../hosts/laws.tree"));
    host.set_family(vec![100]);
    host.set_listeners(OWN, vec![Listener { port: 8080, waiting: 0, backlog: 128, inode: 5, owner: None }]);
    host.step(Duration::from_secs(100));
    host
}
