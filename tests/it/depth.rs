//! Processes and control groups in depth, on this machine: real groups with limits on, a storm of processes that vanish, a close look.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use trimtab::{
    analysis::derive::deriver::Deriver,
    host::{
        host::{Connection, Handle, Host, Touch},
        real::{RealHost, Roots},
    },
    model::{
        facts::Facts,
        knob::{Knob, Place},
        sample::{DelaySample, Listener, ProcessSample, Sample, Space},
        snapshot::{Quota, Snapshot},
        subject::ProcessId,
        time::Now,
    },
    sources::{self, cgroups::Cgroups, processes::Processes, source::Source},
};

/// A child of ours, ended with the test.
struct Own(Child);

impl Own {
    fn shell(script: &str) -> Own {
        Own(Command::new("sh").args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Control groups of the test in v1's hierarchies and the unified one, with what runs in them; all of it gone at the end.
struct Groups {
    /// Below each hierarchy, outermost first.
    made: Vec<PathBuf>,
}

const HIERARCHIES: [&str; 6] = ["cpu", "cpuacct", "memory", "pids", "blkio", "unified"];

impl Groups {
    /// The groups of this path; `None` where there are no such hierarchies or we may not make groups in them.
    fn make(path: &str) -> Option<Groups> {
        let mut groups = Groups { made: Vec::new() };
        for hierarchy in HIERARCHIES {
            let mut at = Path::new("/sys/fs/cgroup").join(hierarchy);
            for part in path.trim_start_matches('/').split('/') {
                at.push(part);
                match fs::create_dir(&at) {
                    Ok(()) => groups.made.push(at.clone()),
                    Err(e) => {
                        eprintln!("skipped: {}: {e}", at.display());
                        return None;
                    }
                }
            }
        }
        Some(groups)
    }

    fn file(hierarchy: &str, path: &str, name: &str) -> PathBuf {
        PathBuf::from(format!("/sys/fs/cgroup/{hierarchy}{path}/{name}"))
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        for directory in self.made.iter().rev() {
            for pid in fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default().lines() {
                let pid = pid.parse().ok().and_then(rustix::process::Pid::from_raw);
                pid.map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL));
            }
            // What was killed leaves its group a moment later.
            let begun = Instant::now();
            while fs::remove_dir(directory).is_err() && directory.exists() && begun.elapsed() < Duration::from_secs(5) {
                std::thread::yield_now();
            }
        }
    }
}

/// The sources of processes and groups on a host, and what is derived from them.
struct Watch {
    processes: Processes,
    cgroups: Cgroups,
    deriver: Deriver,
}

impl Watch {
    fn new() -> Watch {
        Watch { processes: Processes::new(200), cgroups: Cgroups::new(200), deriver: Deriver::new([]) }
    }

    fn sweep(&mut self, host: &dyn Host) -> Snapshot {
        for source in [&mut self.processes as &mut dyn Source, &mut self.cgroups] {
            let read = source.read(host).unwrap();
            self.deriver.take(source.about().name, host.now(), Ok(read));
        }
        self.deriver.snapshot(host.now())
    }
}

/// Waits for what the kernel counts; half a minute of a machine that does nothing of it is a failure.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::yield_now();
    }
}

const ID: &str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";

#[test]
fn a_real_container_shows_its_limits_its_throttling_and_its_name() {
    let outer = format!("/trimtab-test-{}", std::process::id());
    let path = format!("{outer}/docker/{ID}");
    let Some(groups) = Groups::make(&path) else { return };
    let set = |hierarchy: &str, name: &str, value: &str| fs::write(Groups::file(hierarchy, &path, name), value).unwrap();
    // So little that even a busy machine gives it more.
    set("cpu", "cpu.cfs_quota_us", "5000");
    set("cpu", "cpu.shares", "512");
    set("memory", "memory.limit_in_bytes", "67108864");
    set("pids", "pids.max", "50");

    // Docker's own files, where this host shall look for them.
    let top = tempfile::tempdir().unwrap();
    let home = top.path().join(format!("var/lib/docker/containers/{ID}"));
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join("config.v2.json"), r#"{"Name":"/web_1","Config":{}}"#).unwrap();
    let host = RealHost::below(Roots { top: top.path().into(), ..Roots::default() });

    // The shell moves itself, then two loops that want two cpus, and a pipe's end that holds 16 MiB.
    let join: String =
        HIERARCHIES.iter().map(|h| format!("echo $$ > {}; ", Groups::file(h, &path, "cgroup.procs").display())).collect();
    let work = "(while :; do :; done) & (while :; do :; done) & (head -c 16777216 /dev/zero; sleep 1000) | tail > /dev/null & wait";
    let _shell = Own::shell(&format!("{join}{work}"));
    let number = |hierarchy: &str, name: &str, key: &str| -> u64 {
        let text = fs::read_to_string(Groups::file(hierarchy, &path, name)).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("0");
        value.trim().parse().unwrap_or(0)
    };
    until("16 MiB are charged", || number("memory", "memory.usage_in_bytes", "") > 16 << 20);
    let mut watch = Watch::new();
    watch.sweep(&host);
    let before = number("cpu", "cpu.stat", "nr_throttled ");
    until("it is throttled", || number("cpu", "cpu.stat", "nr_throttled ") > before + 4);
    let snapshot = watch.sweep(&host);

    let row = snapshot.cgroup(&path).unwrap();
    assert_eq!(row.container.as_deref(), Some("web_1"));
    assert_eq!((row.quota, row.weight), (Some(Quota { quota: Some(5000), period: 100_000 }), Some(512)));
    assert!(row.throttled.unwrap() > 0.0 && row.throttled_time.unwrap() > 0.0, "{row:?}");
    assert!(row.cpu.unwrap() > 0.0 && row.cpu.unwrap() < 0.5, "{row:?}");
    assert_eq!((row.memory_limit, row.pids_limit), (Some(64 << 20), Some(50)));
    assert!(row.memory.unwrap() > 16 << 20 && row.memory_peak.unwrap() >= row.memory.unwrap(), "{row:?}");
    assert!(row.processes >= 4 && row.pids.unwrap() >= 4 && row.threads >= 4, "{row:?}");
    assert!(row.io.is_some());
    let unified = Groups::file("unified", &path, "cpu.pressure");
    assert!(!unified.exists() || row.pressure.unwrap()[0] > 0.0, "throttled tasks wait for a cpu: {row:?}");

    // What is above it counts it, and a process finds its container by its path.
    let above = snapshot.cgroup(&outer).unwrap();
    assert!(
        above.container.is_none() && above.processes == 0 && above.processes_below >= 4 && above.threads_below >= 4,
        "{above:?}"
    );
    let inside = snapshot.processes.known().unwrap().iter().filter(|p| *p.cgroup == *path).count();
    assert!(inside >= 4, "{inside}");
    assert_eq!(snapshot.container(&path).map(|name| &**name), Some("web_1"));

    let made = groups.made.clone();
    drop(groups);
    assert!(made.iter().all(|directory| !directory.exists()), "nothing is left behind");
}

/// The machine, with every touch counted and every open handle known.
#[derive(Default)]
struct Counting {
    inner: RealHost,
    touches: AtomicUsize,
    open: Arc<Mutex<Vec<Place>>>,
}

struct Counted {
    inner: Box<dyn Handle>,
    place: Place,
    open: Arc<Mutex<Vec<Place>>>,
}

impl Handle for Counted {
    fn read(&self, into: &mut Vec<u8>) -> Touch<()> {
        self.inner.read(into)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // A test that has failed already shall say so, and not this.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = open.iter().position(|place| *place == self.place) {
            open.swap_remove(at);
        }
    }
}

impl Counting {
    fn touch(&self) -> &RealHost {
        self.touches.fetch_add(1, Ordering::Relaxed);
        &self.inner
    }
}

impl Host for Counting {
    fn now(&self) -> Now {
        self.inner.now()
    }
    fn pause(&self, span: Duration) {
        self.inner.pause(span);
    }
    fn read(&self, place: &Place, into: &mut Vec<u8>) -> Touch<()> {
        self.touch().read(place, into)
    }
    fn open(&self, place: &Place) -> Touch<Box<dyn Handle>> {
        let inner = self.touch().open(place)?;
        self.open.lock().unwrap().push(place.clone());
        Ok(Box::new(Counted { inner, place: place.clone(), open: self.open.clone() }))
    }
    fn list(&self, place: &Place, into: &mut Vec<String>) -> Touch<()> {
        self.touch().list(place, into)
    }
    fn link(&self, place: &Place) -> Touch<String> {
        self.touch().link(place)
    }
    fn inode(&self, place: &Place) -> Touch<u64> {
        self.touch().inode(place)
    }
    fn descriptors(&self, pid: u32) -> Touch<u32> {
        self.touch().descriptors(pid)
    }
    fn space(&self, at: &Place) -> Touch<Space> {
        self.touch().space(at)
    }
    fn cpu_clock(&self, pid: u32) -> Touch<u64> {
        self.touch().cpu_clock(pid)
    }
    fn delays(&self, pid: u32) -> Touch<DelaySample> {
        self.touch().delays(pid)
    }
    fn listeners(&self, netns: u64, through: Option<ProcessId>) -> Touch<Vec<Listener>> {
        self.touch().listeners(netns, through)
    }
    fn connections(&self, netns: u64, through: Option<ProcessId>, into: &mut Vec<Connection>) -> Touch<()> {
        self.touch().connections(netns, through, into)
    }
    fn facts(&self) -> Facts {
        self.inner.facts()
    }
    fn family(&self) -> Vec<u32> {
        self.inner.family()
    }
    fn get(&self, knob: &Knob) -> Touch<String> {
        self.touch().get(knob)
    }
    fn set(&self, knob: &Knob, value: &str) -> Touch<()> {
        self.touch().set(knob, value)
    }
    fn may_set(&self, knob: &Knob) -> Touch<()> {
        self.touch().may_set(knob)
    }
}

/// Forks since boot.
fn forks() -> u64 {
    let stat = fs::read_to_string("/proc/stat").unwrap();
    stat.lines().find_map(|line| line.strip_prefix("processes ")).unwrap().parse().unwrap()
}

#[test]
fn a_storm_of_vanishing_processes_leaves_no_handle_and_costs_no_more_than_what_is_alive() {
    let host = Counting::default();
    let mut processes = Processes::new(100_000);
    let mut sweep = || -> Arc<Vec<ProcessSample>> {
        match processes.read(&host).unwrap() {
            Sample::Processes(rows) => rows,
            other => panic!("{other:?}"),
        }
    };
    sweep();
    let storm = Own::shell("while :; do (:); done");
    let (begun, first) = (Instant::now(), forks());
    let mut sweeps = 0;
    // At 10,000 forks a minute these are six seconds of it; a shell in a loop is faster.
    while forks() < first + 1000 || sweeps < 20 {
        let before = host.touches.load(Ordering::Relaxed);
        let threads: usize = sweep().iter().map(|row| row.threads as usize).sum();
        let touches = host.touches.load(Ordering::Relaxed) - before;
        // Twelve parts of a process, each thread's schedstat; as many again for those that ended while they were read.
        assert!(touches < 200 + 14 * threads, "{touches} touches for {threads} threads");
        sweeps += 1;
    }
    let rate = (forks() - first) as f64 / begun.elapsed().as_secs_f64() * 60.0;
    drop(storm);
    let alive: BTreeSet<String> = sweep().iter().map(|row| row.id.pid.to_string()).collect();
    let open = host.open.lock().unwrap().clone();
    let pid = |place: &Place| place.path.split('/').next().unwrap().to_string();
    let of_process = |place: &&Place| pid(place).parse::<u32>().is_ok();
    let left: Vec<_> = open.iter().filter(of_process).filter(|place| !alive.contains(&pid(place))).collect();
    assert!(left.is_empty(), "handles of ended processes: {left:?}");
    eprintln!("storm: {rate:.0} forks a minute, {sweeps} sweeps, {} handles open", open.len());
}

#[test]
fn a_close_look_at_a_child_of_ours_tells_what_it_is_and_what_it_waits_for() {
    let host = RealHost::default();
    let child = Own(Command::new("sleep").arg("1000").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap());
    let pid = child.0.id();
    let comm = || fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let asleep = || fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") S "));
    until("it sleeps", || comm() == "sleep\n" && asleep());
    let id = ProcessId { pid, start: host.start_time(&pid.to_string()).unwrap() };
    let mut inspector = sources::inspector();
    let look = inspector.inspect(&host, id).unwrap();
    assert_eq!((look.command.as_deref(), look.state, look.thread_count), (Ok("sleep 1000"), 'S', 1));
    assert!(look.exe.as_deref().unwrap().ends_with("sleep") || look.exe.as_deref().unwrap().contains("box"), "{look:?}");
    assert_eq!(look.cwd.as_deref(), Ok(std::env::current_dir().unwrap().to_str().unwrap()));
    let age = look.at.wall.0 - look.started.unwrap().0;
    assert!((0..60_000).contains(&age), "{age}");
    assert!(look.mapped.as_ref().unwrap().proportional > 0 && look.memory.as_ref().unwrap().resident > 0);
    let files = look.files.as_ref().unwrap();
    assert!(files.open >= 3 && files.devices >= 2, "{files:?}");
    assert!(look.namespaces.as_ref().unwrap().iter().all(|namespace| namespace.ours));
    let threads = look.threads.as_ref().unwrap();
    assert_eq!((threads[0].cpu, threads[0].wait), (Some(0.0), Some(0.0)), "it does nothing");
    assert!(look.sentence().starts_with("hardly waits for anything that is counted; now in "), "{}", look.sentence());
    if let Some(call) = &threads[0].syscall {
        assert!(call.contains("nanosleep"), "{call}");
    }
    match &look.waits.delays {
        Ok(delays) => assert_eq!(delays.cpu, Some(0.0)),
        Err(why) => {
            assert!(why.contains("CAP_NET_ADMIN") || why.contains("namespaces") || why.contains("CONFIG_TASKSTATS"), "{why}")
        }
    }
    drop(child);
    let gone = inspector.inspect(&host, id).unwrap_err().to_string();
    assert!(gone.contains("it has ended"), "{gone}");
}

/// What a close look costs. Not a test: `cargo test --release --test it -- --ignored --nocapture cost_of_a_close_look`.
#[test]
#[ignore = "prints figures"]
fn cost_of_a_close_look() {
    let host = RealHost::default();
    for pid in [std::process::id(), std::os::unix::process::parent_id()] {
        let id = ProcessId { pid, start: host.start_time(&pid.to_string()).unwrap() };
        let mut inspector = sources::inspector();
        let threads = inspector.inspect(&host, id).unwrap().thread_count;
        let mut costs: Vec<f64> = (0..50)
            .map(|_| {
                let begun = Instant::now();
                inspector.inspect(&host, id).unwrap();
                begun.elapsed().as_secs_f64() * 1e6
            })
            .collect();
        costs.sort_by(f64::total_cmp);
        let begun = Instant::now();
        let _delays = host.delays(pid);
        println!(
            "{threads} threads: median {:.0} us, p90 {:.0} us; taskstats {:.0} us",
            costs[25],
            costs[45],
            begun.elapsed().as_secs_f64() * 1e6
        );
    }
}
