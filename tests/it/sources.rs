//! Sources and deriving on recorded hosts (`hosts/*.tree`), on arbitrary content, and on this machine.

use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use trimtab::{
    analysis::derive::deriver::Deriver,
    host::{error::Kind, host::Host, real::RealHost, recorded::RecordedHost},
    model::{
        facts::Facts,
        limits::ServiceWatch,
        sample::{CgroupVersion, Policy, ProcessSample, Sample, SourceName, Space},
        snapshot::{Quota, Reading, Snapshot},
        subject::ProcessId,
        time::Now,
    },
    sources::{self, source::Source},
};

const HYBRID: &str = include_str!("hosts/hybrid.tree");
const UNIFIED: &str = include_str!("hosts/unified.tree");
const HOSTILE: &str = include_str!("hosts/hostile.tree");

/// All sources of a host with the deriver that they feed.
struct Watch {
    host: Arc<dyn Host>,
    sources: Vec<Box<dyn Source>>,
    deriver: Deriver,
}

impl Watch {
    fn new(host: Arc<dyn Host>) -> Watch {
        let services =
            [ServiceWatch { name: "shop".into(), file: "/run/shop.prom".into(), histogram: "rt".into(), process: "".into() }];
        let sources = sources::all(&host, &services, 64);
        let deriver = Deriver::new(sources.iter().map(|source| (source.about().name, source.about().patience())));
        Watch { host, sources, deriver }
    }

    /// Reads each source once. The samples, or why there are none.
    fn sweep(&mut self) -> BTreeMap<SourceName, Result<Sample, String>> {
        let mut all = BTreeMap::new();
        for source in &mut self.sources {
            let read = source.read(&*self.host).map_err(|error| error.to_string());
            let why = read.clone().map_err(Arc::from);
            self.deriver.take(source.about().name, self.host.now(), why);
            all.insert(source.about().name, read);
        }
        all
    }

    fn snapshot(&self) -> Snapshot {
        self.deriver.snapshot(self.host.now())
    }

    fn processes(&mut self) -> Vec<ProcessSample> {
        match self.sweep().remove(&SourceName::Processes) {
            Some(Ok(Sample::Processes(rows))) => rows.to_vec(),
            other => panic!("{other:?}"),
        }
    }
}

/// A recorded host and the watch on it.
fn recorded(tree: &str) -> (RecordedHost, Watch) {
    let host = RecordedHost::load(tree);
    for at in ["/", "/run", "/dev/shm", "/boot/efi"] {
        host.set_space(at, Space { total: 1000, used: 600, available: 300, inodes: 0, inodes_free: 0 });
    }
    (host.clone(), Watch::new(Arc::new(host)))
}

fn second(host: &RecordedHost) {
    host.step(Duration::from_secs(1));
}

/// Replaces text in a recorded file.
fn edit(host: &RecordedHost, path: &str, from: &str, to: &str) {
    let text = host.text(&trimtab::model::knob::Place::top(path)).or_else(|_| {
        let (root, rest) = path[1..].split_once('/').unwrap();
        host.text(&match root {
            "proc" => trimtab::model::knob::Place::proc(rest),
            _ => trimtab::model::knob::Place::sys(rest),
        })
    });
    let text = text.unwrap();
    assert!(text.contains(from), "{path} lacks {from}");
    host.put(path, &text.replace(from, to));
}

#[test]
fn a_hybrid_host_reads_as_recorded() {
    let (_, mut watch) = recorded(HYBRID);
    let all = watch.sweep();
    let failed: Vec<_> = all.iter().filter(|(_, read)| read.is_err()).map(|(name, _)| *name).collect();
    assert_eq!(failed, [SourceName::Services], "only the service's file is missing");

    let Ok(Sample::Cpu(cpu)) = &all[&SourceName::Cpu] else { panic!() };
    assert_eq!((cpu.cores.len(), cpu.context_switches, cpu.running), (2, 2_695_436, 11));
    assert_eq!(cpu.load, Some([8.80, 9.18, 5.90]));
    let Ok(Sample::Memory(memory)) = &all[&SourceName::Memory] else { panic!() };
    assert_eq!((memory.total, memory.free), (24_684_084 * 1024, 9_788_436 * 1024));
    let Ok(Sample::Vm(vm)) = &all[&SourceName::Vm] else { panic!() };
    assert_eq!((vm.pgfault, vm.pgmajfault, vm.page_size), (81_101_364, 24_032, 4096));
    let Ok(Sample::Pressure(pressure)) = &all[&SourceName::Pressure] else { panic!() };
    assert_eq!((pressure.cpu.some.total, pressure.io.some.avg[1]), (930_952_982, 12.58));
    let Ok(Sample::Disks(disks)) = &all[&SourceName::Disks] else { panic!() };
    assert_eq!(disks.iter().map(|d| (&*d.name, d.completed)).collect::<Vec<_>>(), [("vda", [588_806, 258_002, 38_836, 29_245])]);
    assert_eq!(disks[0].queue.as_ref().map(|queue| (&*queue.scheduler, queue.read_ahead)), Some(("mq-deadline", 8192)));
    let Ok(Sample::Filesystems(mounts)) = &all[&SourceName::Filesystems] else { panic!() };
    assert_eq!(mounts.iter().map(|m| &*m.at).collect::<Vec<_>>(), ["/", "/dev/shm"]);
    let Ok(Sample::Interfaces(network)) = &all[&SourceName::Interfaces] else { panic!() };
    let names: Vec<_> = network.interfaces.iter().map(|row| (&*row.name, row.bytes[0])).collect();
    assert_eq!(names[0], ("eth0", 215_180_315));
    assert_eq!(network.softnet.len(), 2);
    let Ok(Sample::Tcp(tcp)) = &all[&SourceName::Tcp] else { panic!() };
    assert_eq!((tcp[0].netns, tcp[0].retrans_segs, tcp[0].established), (4_026_531_833, 191, 2));
    assert_eq!((tcp[0].somaxconn, tcp[0].port_range), (Some(4096), Some((32768, 60999))));
}

#[test]
fn processes_of_a_hybrid_host() {
    let (_, mut watch) = recorded(HYBRID);
    let all = watch.processes();
    assert_eq!(
        all.iter().map(|p| (p.id.pid, &*p.name, p.kernel)).collect::<Vec<_>>(),
        [(1, "init", false), (2, "kthreadd", true), (14, "kworker/0:1-events", true), (812, "python3", false),]
    );
    let python = &all[3];
    assert_eq!(python.id, ProcessId { pid: 812, start: 457_691 });
    assert_eq!((&*python.cgroup, python.netns, &*python.command), ("/batch", 4_026_531_833, "/usr/bin/python3 -m http.server"));
    assert_eq!((python.resident, python.threads, python.policy), (3445 * 4096, 1, Policy::Other));
    assert_eq!((python.descriptors, python.descriptor_limit), (Some(3), Some((20_000, 20_000))));
    assert!(python.io.is_some() && python.run_delay.is_some());
    assert_eq!((all[1].io, all[1].descriptors, &*all[1].command), (None, None, ""));
    assert_eq!((all[0].nice, all[0].id.start), (-10, 24));
}

#[test]
fn v1_hierarchies_are_one_row_per_path() {
    let (host, mut watch) = recorded(HYBRID);
    let all = watch.sweep();
    let Ok(Sample::Cgroups(groups)) = &all[&SourceName::Cgroups] else { panic!() };
    assert_eq!(groups.iter().map(|g| &*g.path).collect::<Vec<_>>(), ["/", "/batch"]);
    let (root, batch) = (&groups[0], &groups[1]);
    assert_eq!((batch.version, batch.cpu, batch.weight), (CgroupVersion::V1, Some(61_200_345_111), Some(512)));
    assert_eq!(batch.quota, Some(Quota { quota: Some(50_000), period: 100_000 }));
    assert_eq!((batch.memory, batch.pressure, batch.processes), (None, None, 1));
    assert_eq!((root.quota.unwrap().quota, root.memory_limit, root.oom_kills), (None, None, Some(0)));
    assert!(root.pressure.is_some() && root.memory.is_some());

    // A second later it used half a core and was throttled in four of ten periods.
    edit(&host, "/sys/fs/cgroup/cpuacct/batch/cpuacct.usage", "61200345111", "61700345111");
    edit(&host, "/sys/fs/cgroup/cpuacct/cpuacct.usage", "\n", "9\n");
    let stat = "nr_periods 1210\nnr_throttled 304\nthrottled_time 45200000000\n";
    host.put("/sys/fs/cgroup/cpu/batch/cpu.stat", stat);
    second(&host);
    watch.sweep();
    let snapshot = watch.snapshot();
    let batch = snapshot.cgroup("/batch").unwrap();
    assert_eq!((batch.cpu, batch.throttled, batch.throttled_time), (Some(0.5), Some(0.4), Some(0.2)));
    assert_eq!(batch.quota.unwrap().cores(), Some(0.5));
}

#[test]
fn a_unified_host_shows_its_throttled_group_and_its_missing_pressure() {
    let (host, mut watch) = recorded(UNIFIED);
    let all = watch.sweep();
    let words = all[&SourceName::Pressure].as_ref().unwrap_err();
    assert!(words.contains("pressure is off in this kernel: boot with psi=1"), "{words}");
    assert!(matches!(&watch.snapshot().vitals.pressure, Reading::Gap(gap) if gap.why.contains("psi=1")));
    let Ok(Sample::Cgroups(groups)) = &all[&SourceName::Cgroups] else { panic!() };
    let nginx = groups.iter().find(|group| group.path.ends_with("nginx.service")).unwrap();
    assert_eq!((nginx.version, nginx.weight, nginx.processes), (CgroupVersion::V2, Some(400), 3));
    assert_eq!((nginx.memory, nginx.memory_limit, nginx.oom_kills), (Some(52_428_800), Some(268_435_456), Some(1)));
    let Ok(Sample::Filesystems(mounts)) = &all[&SourceName::Filesystems] else { panic!() };
    assert_eq!(mounts.iter().map(|m| &*m.at).collect::<Vec<_>>(), ["/", "/run", "/boot/efi"]);

    let stat = "usage_usec 50200000\nuser_usec 1\nsystem_usec 1\nnr_periods 5010\nnr_throttled 4009\nthrottled_usec 320700000\n";
    host.put("/sys/fs/cgroup/batch.slice/cpu.stat", stat);
    edit(&host, "/sys/fs/cgroup/cpu.stat", "usage_usec 90000000", "usage_usec 90200000");
    second(&host);
    watch.sweep();
    let snapshot = watch.snapshot();
    let batch = snapshot.cgroup("/batch.slice").unwrap();
    assert!((batch.cpu.unwrap() - 0.2).abs() < 1e-9 && (batch.throttled_time.unwrap() - 0.7).abs() < 1e-9);
    assert_eq!((batch.throttled, batch.quota.unwrap().cores()), (Some(0.9), Some(0.2)));
}

#[test]
fn waiting_is_summed_over_threads() {
    let (host, mut watch) = recorded(UNIFIED);
    let nginx = watch.processes().remove(0);
    assert_eq!((&*nginx.name, nginx.threads, &*nginx.cgroup), ("nginx: worker", 4, "/system.slice/nginx.service"));
    assert_eq!(nginx.run_delay, Some(575_000_000));
    // The main thread waits no longer, another one does, a third one has ended.
    host.put("/proc/801/task/811/schedstat", "2000000000 300000000 9000\n");
    host.remove("/proc/801/task/813");
    second(&host);
    assert_eq!(watch.processes()[0].run_delay, Some(775_000_000));
    assert_eq!(watch.snapshot().processes.known().unwrap()[0].wait, Some(0.2));
}

#[test]
fn only_processes_whose_clock_moved_are_read_at_once() {
    let (host, mut watch) = recorded(HYBRID);
    for pid in [1, 2, 14, 812] {
        host.set_clock(pid, 1_000_000_000);
    }
    watch.processes();
    // It sleeps: its state letter is S, and a change that cost it no cpu waits for its turn.
    edit(&host, "/proc/812/stat", ") R ", ") S ");
    host.set_clock(812, 1_000_000_001);
    second(&host);
    watch.processes();
    edit(&host, "/proc/812/stat", " 3445 ", " 4000 ");
    let sweeps = (1..=30).map(|_| {
        second(&host);
        watch.processes()[3].resident
    });
    let seen: Vec<u64> = sweeps.collect();
    assert_eq!(seen.last(), Some(&(4000 * 4096)), "at the latest in its turn");
    edit(&host, "/proc/812/stat", " 4000 ", " 5000 ");
    host.set_clock(812, 1_500_000_001);
    second(&host);
    assert_eq!(watch.processes()[3].resident, 5000 * 4096, "at once when it ran");
    assert_eq!(watch.snapshot().process(ProcessId { pid: 812, start: 457_691 }).unwrap().cpu, Some(0.5));
}

#[test]
fn a_process_that_ends_and_one_that_takes_its_pid() {
    let (host, mut watch) = recorded(HYBRID);
    for pid in [1, 2, 14, 812] {
        host.set_clock(pid, 5);
    }
    watch.processes();
    // Listed, but gone when it is read.
    host.remove("/proc/14/stat");
    host.put("/proc/9/comm", "ghost\n");
    edit(&host, "/proc/812/stat", " 457691 ", " 900000 ");
    host.set_clock(812, 2);
    second(&host);
    let all = watch.processes();
    assert!(all.iter().all(|p| p.id.pid != 9), "{all:?}");
    let id = ProcessId { pid: 812, start: 900_000 };
    let snapshot = watch.snapshot();
    assert_eq!(snapshot.process(id).unwrap().cpu, None, "another process: no number yet");
    assert!(snapshot.process(ProcessId { pid: 812, start: 457_691 }).is_none());
    for _ in 0..30 {
        second(&host);
        watch.sweep();
    }
    assert!(watch.processes().iter().all(|p| p.id.pid != 14), "idle, so its end is noticed in its turn");
}

#[test]
fn first_samples_make_no_rates_and_second_ones_do() {
    let (host, mut watch) = recorded(HYBRID);
    host.put("/run/shop.prom", "rt_bucket{le=\"0.1\"} 10\nrt_bucket{le=\"+Inf\"} 10\n");
    watch.sweep();
    let first = watch.snapshot();
    assert_eq!(
        (&first.disks, &first.network, &first.services),
        (&Reading::Initializing, &Reading::Initializing, &Reading::Initializing)
    );
    assert_eq!((&first.vitals.cpu, &first.vitals.pressure), (&Reading::Initializing, &Reading::Initializing));
    assert!(first.vitals.memory.known().is_some() && first.filesystems.known().is_some());
    assert!(first.processes.known().unwrap().iter().all(|process| process.cpu.is_none()));
    assert_eq!(first.gaps, []);

    edit(&host, "/proc/diskstats", "254       0 vda 588806", "254       0 vda 588906");
    edit(&host, "/proc/net/dev", "eth0: 215180315", "eth0: 215280315");
    edit(&host, "/proc/pressure/cpu", "total=930952982", "total=931202982");
    edit(&host, "/run/shop.prom", " 10", " 30");
    second(&host);
    watch.sweep();
    let snapshot = watch.snapshot();
    assert_eq!(snapshot.disk("vda").unwrap().reads, 100.0);
    assert_eq!(snapshot.network.known().unwrap().interfaces[0].bytes, [100_000.0, 0.0]);
    assert_eq!(snapshot.vitals.pressure.known().unwrap().cpu.some, 0.25);
    assert_eq!(snapshot.services.known().unwrap()[0].rate, 20.0);
    assert!(matches!(snapshot.vitals.cpu, Reading::Initializing), "no tick of the cpu went by: no share is known");
}

#[test]
fn a_hostile_host_gets_gaps_not_panics_and_reaches_no_terminal() {
    let (host, mut watch) = recorded(HOSTILE);
    host.set_space("/mnt/\x1b[31mred\nline", Space { total: 9, used: 1, available: 8, inodes: 0, inodes_free: 0 });
    for _ in 0..3 {
        let all = watch.sweep();
        for (name, read) in &all {
            let text = format!("{:?}", serde_json::to_string(&read.as_ref().ok()));
            assert!(!text.contains("u001b") && !text.contains("u0007"), "{name:?}: {text}");
        }
        assert!(all[&SourceName::Pressure].is_err(), "one of its files is missing");
        let Ok(Sample::Tcp(tcp)) = &all[&SourceName::Tcp] else { panic!() };
        assert_eq!((tcp[0].out_segs, tcp[0].in_segs, tcp[0].listen_overflows, tcp[0].listen_drops), (5, 0, 0, 3));
        let Ok(Sample::Memory(memory)) = &all[&SourceName::Memory] else { panic!() };
        assert!(memory.available <= memory.total);
        let Ok(Sample::Cpu(cpu)) = &all[&SourceName::Cpu] else { panic!() };
        assert_eq!((cpu.load, cpu.running), (None, 0));
        second(&host);
    }
    let rows = watch.processes();
    assert_eq!(rows.iter().map(|p| p.id.pid).collect::<Vec<_>>(), [5, 6], "those cut short have no row");
    assert_eq!((rows[1].state, &*rows[1].name), ('R', "a) b (?[2J?]0;owned?"));
    assert_eq!((rows[1].io, rows[1].descriptor_limit), (None, None));
    let snapshot = watch.snapshot();
    assert!(snapshot.gaps.iter().any(|(name, _)| *name == SourceName::Pressure));
    assert!(snapshot.filesystems.known().unwrap().iter().any(|mount| &*mount.at == "/mnt/?[31mred?line"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A recorded host with damage: bytes overwritten, cut, or doubled, anywhere.
    #[test]
    fn no_content_makes_a_source_or_the_deriver_panic(
        which in 0..2_usize,
        cuts in proptest::collection::vec((any::<proptest::sample::Index>(), 0..200_usize, "[ -~\\n\u{1b}\u{e9}]{0,40}"), 1..40),
    ) {
        let mut tree = [HYBRID, UNIFIED][which].to_string();
        for (at, length, new) in cuts {
            let from = at.index(tree.len());
            let to = (from + length).min(tree.len());
            if tree.is_char_boundary(from) && tree.is_char_boundary(to) {
                tree.replace_range(from..to, &new);
            }
        }
        let (host, mut watch) = recorded(&tree);
        watch.sweep();
        second(&host);
        watch.sweep();
        let snapshot = watch.snapshot();
        for process in snapshot.processes.known().into_iter().flat_map(|all| all.iter()) {
            prop_assert!(process.cpu.is_none_or(|cpu| cpu.is_finite() && cpu >= 0.0));
        }
    }
}

/// A child of ours, ended with the test.
struct Own(Child);

impl Own {
    fn sleeper() -> Own {
        Own(Command::new("sleep").arg("1000").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn live() -> (Arc<RealHost>, Watch) {
    let host = Arc::new(RealHost::default());
    (host.clone(), Watch::new(host))
}

#[test]
fn every_source_reads_this_machine() {
    let (_, mut watch) = live();
    watch.sweep();
    for (name, read) in watch.sweep() {
        match (name, read) {
            (_, Ok(_)) | (SourceName::Services, Err(_)) => {}
            // What a kernel may lack, in words.
            (SourceName::Pressure, Err(why)) => assert!(why.contains("psi=1"), "{why}"),
            (SourceName::Cgroups, Err(why)) => assert!(why.contains("no hierarchy"), "{why}"),
            (name, Err(why)) => panic!("{name:?}: {why}"),
        }
    }
    let snapshot = watch.snapshot();
    let memory = snapshot.vitals.memory.known().unwrap();
    assert!(memory.total > 0 && memory.available <= memory.total);
    let root = snapshot.filesystems.known().unwrap().iter().find(|mount| &*mount.at == "/").unwrap();
    assert!(root.space.is_some_and(|space| space.total > 0) && root.stale.is_none());
    assert!(snapshot.tcp.known().unwrap()[0].through.is_none());
}

#[test]
fn a_process_of_ours_comes_works_and_goes() {
    let (host, mut watch) = live();
    let sleeper = Own::sleeper();
    let (pid, own) = (sleeper.0.id(), std::process::id());
    let row = |rows: &[ProcessSample], pid: u32| rows.iter().find(|row| row.id.pid == pid).cloned();
    let first = watch.processes();
    let (child, before) = (row(&first, pid).unwrap(), row(&first, own).unwrap());
    assert_eq!((child.parent, child.kernel, child.id.start), (own, false, host.start_time(&pid.to_string()).unwrap()));
    assert!(before.threads > 1 && before.run_delay.is_some() && before.descriptors.is_some_and(|open| open > 2));

    let clock = host.cpu_clock(own).unwrap();
    while host.cpu_clock(own).unwrap() < clock + 20_000_000 {
        std::hint::black_box(host.facts());
    }
    let second = watch.processes();
    assert!(row(&second, own).unwrap().cpu >= before.cpu + 20_000_000);
    assert!(watch.snapshot().process(before.id).unwrap().cpu.unwrap() > 0.0);

    drop(sleeper);
    assert!(row(&watch.processes(), pid).is_none(), "it is not listed any more");
}

/// What reading costs with 300 sleeping processes. Not a test: `cargo test --release --test it -- --ignored --nocapture cost_of`.
#[test]
#[ignore = "prints figures"]
fn cost_of_a_sweep() {
    let sleepers: Vec<Own> = (0..300).map(|_| Own::sleeper()).collect();
    let (host, mut watch) = live();
    let mut costs: BTreeMap<SourceName, Vec<f64>> = BTreeMap::new();
    for number in 0..40 {
        for source in &mut watch.sources {
            let started = Instant::now();
            let read = source.read(&*host);
            let micros = started.elapsed().as_secs_f64() * 1e6;
            if number > 0 || source.about().name == SourceName::Processes {
                costs.entry(source.about().name).or_default().push(micros);
            }
            let started = Instant::now();
            watch.deriver.take(source.about().name, host.now(), read.map_err(|error| error.to_string().into()));
            if source.about().name == SourceName::Processes {
                println!("derive processes {:.0} us", started.elapsed().as_secs_f64() * 1e6);
            }
        }
    }
    for (name, mut all) in costs {
        let first = all.remove(0);
        all.sort_by(f64::total_cmp);
        println!("{name:?}: first {first:.0} us, then median {:.0} us, p90 {:.0} us", all[all.len() / 2], all[all.len() * 9 / 10]);
    }
    drop(sleepers);
}

#[test]
fn rights_decide_what_is_none() {
    // On a host that lets us read nothing of others, their rows stand with what everyone may know.
    let (host, mut watch) = recorded(HYBRID);
    for file in ["io", "fd", "limits", "ns"] {
        host.remove(&format!("/proc/812/{file}"));
    }
    let python = watch.processes().remove(3);
    assert_eq!((python.io, python.descriptors, python.descriptor_limit, python.netns), (None, None, None, 0));
    assert!(python.run_delay.is_some());
}

#[test]
fn an_absent_file_is_named_in_the_error() {
    let host = RecordedHost::default();
    let all: Arc<dyn Host> = Arc::new(host.clone());
    host.set_facts(Facts::default());
    for mut source in sources::all(&all, &[], 0) {
        match (source.about().name, source.read(&host)) {
            (SourceName::Facts | SourceName::Services, read) => assert!(read.is_ok()),
            // What not every machine has is absent without a word.
            (
                SourceName::Hardware
                | SourceName::Gpus
                | SourceName::Backing
                | SourceName::Allowance
                | SourceName::Idle
                | SourceName::Tables,
                read,
            ) => assert!(read.is_ok()),
            (name, read) => {
                let error = read.unwrap_err();
                assert!(matches!(error.kind, Kind::Absent) && error.to_string().contains("/proc"), "{name:?}: {error}");
            }
        }
    }
    assert_eq!(Now::default(), host.now());
}
