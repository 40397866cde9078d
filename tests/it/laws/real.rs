//! The same laws on real knobs: processes, cgroups and network namespaces that the tests start themselves, as root.

use super::proposal;
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use trimtab::{
    actions::{self, action::Action},
    host::{host::Host, real::RealHost},
    model::{
        knob::Knob,
        plan::{Held, Obstacle, Plan, Undone},
        proposal::{Proposal, Want},
        subject::{ProcessId, Subject},
    },
};

/// A child that ends with the test.
struct Started(Child);

impl Started {
    /// Runs a program that says a line when it stands.
    fn new(command: &[&str]) -> Started {
        let mut child = Command::new(command[0]).args(&command[1..]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "{command:?}");
        Started(child)
    }

    fn id(&self) -> ProcessId {
        let pid = self.0.id();
        ProcessId { pid, start: RealHost::default().start_time(&pid.to_string()).unwrap() }
    }

    fn netns(&self) -> u64 {
        let link = fs::read_link(format!("/proc/{}/ns/net", self.0.id())).unwrap();
        link.to_str().unwrap().trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// A cpu cgroup (v1) that goes with the test.
struct Group(PathBuf);

impl Group {
    fn new(name: &str) -> Option<Group> {
        let path = PathBuf::from(format!("/sys/fs/cgroup/cpu/trimtab_test_{}_{name}", std::process::id()));
        fs::create_dir(&path).ok().map(|()| Group(path))
    }

    fn subject(&self) -> Subject {
        Subject::Cgroup(format!("/{}", self.0.file_name().unwrap().to_str().unwrap()).into())
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap().trim().into()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _left_for_the_eye_if_it_stays = fs::remove_dir(&self.0);
    }
}

/// Root, or a word about why the test does nothing.
fn root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("skipped: real knobs need root");
    }
    root
}

/// The action's own proposal, aimed at something real.
fn aimed(action: &dyn Action, wants: &[(Subject, &str)]) -> Proposal {
    let wants = wants.iter().map(|(on, to)| Want { on: on.clone(), to: (*to).into() }).collect();
    Proposal { wants, ..proposal(action) }
}

/// There and back, with the machine asked at each turn; gives the plan.
fn round_trip(name: &str, wants: &[(Subject, &str)]) -> Plan {
    let (host, action) = (RealHost::default(), actions::named(name).unwrap());
    let plan = action.prepare(&aimed(action, wants), &host).unwrap_or_else(|r| panic!("{name}: {}", r.why));
    let now = |plan: &Plan| plan.steps.iter().map(|s| host.get(&s.knob).unwrap()).collect::<Vec<_>>();
    let before = now(&plan);
    action.apply(&plan, &host).unwrap_or_else(|r| panic!("{name}: {}", r.why));
    assert_eq!(action.verify(&plan, &host).unwrap(), Held::Holds, "{name}");
    assert_ne!(now(&plan), before, "{name}");
    action.apply(&plan, &host).unwrap();
    assert_eq!(action.rollback(&plan, &host).unwrap(), Undone::Undone, "{name}");
    assert_eq!(now(&plan), before, "{name}");
    plan
}

const SLEEPER: &[&str] = &["sh", "-c", "echo ready; exec sleep 1000"];

#[test]
fn nice_policy_and_io_priority_of_a_child() {
    let child = Started::new(SLEEPER);
    if root() {
        for (name, to) in [("nice", "19"), ("policy-batch", "batch"), ("policy-idle", "idle"), ("io-priority", "idle")] {
            round_trip(name, &[(Subject::Process(child.id()), to)]);
        }
    }
}

#[test]
fn the_last_cpu_only_for_a_child() {
    let child = Started::new(SLEEPER);
    let online = fs::read_to_string("/sys/devices/system/cpu/online").unwrap();
    let Some((_, last)) = online.trim().rsplit_once(['-', ',']) else { return eprintln!("skipped: a single cpu") };
    if root() {
        round_trip("affinity", &[(Subject::Process(child.id()), last)]);
    }
}

#[test]
fn the_session_of_a_child() {
    let child = Started::new(&["setsid", "sh", "-c", "echo ready; exec sleep 1000"]);
    if root() && fs::read_to_string("/proc/sys/kernel/sched_autogroup_enabled").is_ok_and(|on| on.trim() == "1") {
        let plan = round_trip("autogroup", &[(Subject::Process(child.id()), "19")]);
        assert_eq!(plan.steps.len(), 1);
    }
}

#[test]
fn our_own_session_is_refused_on_the_real_machine() {
    let (host, autogroup, child) = (RealHost::default(), actions::named("autogroup").unwrap(), Started::new(SLEEPER));
    let refusal = autogroup.prepare(&aimed(autogroup, &[(Subject::Process(child.id()), "19")]), &host).unwrap_err();
    assert!(matches!(refusal.kind, Obstacle::Protected | Obstacle::Unsupported), "{}", refusal.why);
}

#[test]
fn the_descriptor_limit_of_a_child() {
    let child = Started::new(&["sh", "-c", "ulimit -Sn 64; echo ready; exec sleep 1000"]);
    let plan = round_trip("descriptors", &[(Subject::Process(child.id()), "256")]);
    assert!(plan.steps[0].before.starts_with("64:") && plan.steps[0].after.starts_with("256:"));
}

#[test]
fn quota_and_weight_of_a_cgroup() {
    let Some(group) = root().then(|| Group::new("cpu")).flatten() else { return eprintln!("skipped: no cpu cgroup v1 to make") };
    fs::write(group.0.join("cpu.cfs_quota_us"), "15000").unwrap();
    round_trip("cgroup-quota", &[(group.subject(), "95000")]);
    assert_eq!(group.read("cpu.cfs_quota_us"), "15000");
    round_trip("cgroup-weight", &[(group.subject(), "16")]);
    assert_eq!(group.read("cpu.shares"), "1024");
}

#[test]
fn the_memory_limit_of_a_cgroup() {
    let path = PathBuf::from(format!("/sys/fs/cgroup/memory/trimtab_test_{}_limit", std::process::id()));
    let Some(group) = fs::create_dir(&path).ok().map(|()| Group(path)).filter(|_| root()) else { return };
    fs::write(group.0.join("memory.limit_in_bytes"), "67108864").unwrap();
    round_trip("memory-limit", &[(group.subject(), "134217728")]);
    assert_eq!(group.read("memory.limit_in_bytes"), "67108864");
    // With the limit of memory and swap just above it, in whose way the new one would be.
    fs::write(group.0.join("memory.memsw.limit_in_bytes"), "71303168").unwrap();
    let plan = round_trip("memory-limit", &[(group.subject(), "134217728")]);
    assert_eq!(plan.steps.len(), 2);
    assert_eq!(
        (group.read("memory.limit_in_bytes"), group.read("memory.memsw.limit_in_bytes")),
        ("67108864".into(), "71303168".into())
    );
}

#[test]
fn how_many_tasks_a_cgroup_may_have() {
    let path = PathBuf::from(format!("/sys/fs/cgroup/pids/trimtab_test_{}_tasks", std::process::id()));
    let Some(group) = fs::create_dir(&path).ok().map(|()| Group(path)).filter(|_| root()) else { return };
    fs::write(group.0.join("pids.max"), "100").unwrap();
    round_trip("pids-limit", &[(group.subject(), "200")]);
    assert_eq!(group.read("pids.max"), "100");
}

#[test]
fn a_cgroup_made_anew_is_another_one() {
    let Some(group) = root().then(|| Group::new("anew")).flatten() else { return eprintln!("skipped: no cpu cgroup v1 to make") };
    let (host, weight) = (RealHost::default(), actions::named("cgroup-weight").unwrap());
    let plan = weight.prepare(&aimed(weight, &[(group.subject(), "16")]), &host).unwrap();
    fs::remove_dir(&group.0).unwrap();
    fs::create_dir(&group.0).unwrap();
    assert_eq!(weight.apply(&plan, &host).unwrap_err().kind, Obstacle::Gone);
    assert_eq!(group.read("cpu.shares"), "1024");
}

#[test]
fn the_local_ports_of_another_namespace() {
    if !root() {
        return;
    }
    let child = Started::new(&["unshare", "-n", "sh", "-c", "echo ready; exec sleep 1000"]);
    let (id, netns) = (child.id(), child.netns());
    let plan = round_trip("port-range", &[(Subject::Network(netns), &format!("{netns} {} {} 1024 65535", id.pid, id.start))]);
    assert_eq!(plan.steps.last().unwrap().after, "1024 65535");
}

#[test]
fn limits_of_another_namespace() {
    if !root() {
        return;
    }
    let child =
        Started::new(&["unshare", "-n", "sh", "-c", "echo 0 > /proc/sys/net/ipv4/tcp_syncookies; echo ready; exec sleep 1000"]);
    let (id, netns) = (child.id(), child.netns());
    let there = |file: &str, value: &str| {
        let inside = Knob::NetworkFile { netns, through: Some(id), file: file.into() };
        (RealHost::default().get(&inside).ok(), format!("{netns} {} {} {file} {value}", id.pid, id.start))
    };
    let turn = |action: &str, file: &str, value: &str| match there(file, value) {
        (Some(now), want) if now != value => drop(round_trip(action, &[(Subject::Network(netns), &want)])),
        (now, _) => eprintln!("skipped: {file} is {now:?}"),
    };
    turn("syn-backlog", "ipv4/tcp_syncookies", "1");
    turn("syn-backlog", "ipv4/tcp_max_syn_backlog", "65536");
    turn("slow-start-after-idle", "ipv4/tcp_slow_start_after_idle", "0");
    turn("port-reuse", "ipv4/tcp_tw_reuse", "1");
    let (Some(triple), _) = there("ipv4/tcp_rmem", "") else { return };
    let (rest, most) = triple.rsplit_once(' ').unwrap();
    turn("socket-buffers", "ipv4/tcp_rmem", &format!("{rest} {}", (most.parse::<u64>().unwrap() * 2).min(64 << 20)));
    let (Some(allowed), _) = there("ipv4/tcp_allowed_congestion_control", "") else { return };
    let wished = allowed.split(' ').find(|name| there("ipv4/tcp_congestion_control", "").0.as_deref() != Some(name));
    let Some(wished) = wished else { return eprintln!("skipped: one congestion control alone is allowed") };
    turn("congestion-control", "ipv4/tcp_congestion_control", wished);
}

#[test]
fn a_congestion_control_that_is_not_allowed_is_refused() {
    if !root() {
        return;
    }
    let child = Started::new(&["unshare", "-n", "sh", "-c", "echo ready; exec sleep 1000"]);
    let (host, action, id) = (RealHost::default(), actions::named("congestion-control").unwrap(), child.id());
    let want = format!("{} {} {} ipv4/tcp_congestion_control nosuch", child.netns(), id.pid, id.start);
    let refusal = action.prepare(&aimed(action, &[(Subject::Network(child.netns()), &want)]), &host).unwrap_err();
    assert_eq!(refusal.kind, Obstacle::Unsupported, "{}", refusal.why);
}

/// A loop device with a filesystem mounted, in a directory of its own; all of it goes with the test. Its queue outlives it, and gets
/// its settings back.
struct Loop {
    directory: tempfile::TempDir,
    device: String,
    before: Vec<(&'static str, String)>,
}

/// The scheduler first: it resets the others.
const QUEUE: [&str; 5] = ["scheduler", "nr_requests", "wbt_lat_usec", "rq_affinity", "nomerges"];

impl Loop {
    /// `None` where one cannot be made.
    fn new() -> Option<Loop> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("disk");
        fs::File::create(&file).unwrap().set_len(32 << 20).unwrap();
        fs::create_dir(directory.path().join("mount")).unwrap();
        let run = |program: &str, arguments: &[&str]| {
            let done = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
            Some(String::from_utf8(done.stdout).unwrap().trim().to_string())
        };
        let device = run("losetup", &["-f", "--show", file.to_str()?])?;
        let mut made = Loop { directory, device, before: Vec::new() };
        let now = |name: &'static str| {
            let text = fs::read_to_string(made.queue(name)).ok()?;
            let chosen = text.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(word, _)| word.to_string());
            Some((name, chosen.unwrap_or(text)))
        };
        made.before = QUEUE.into_iter().filter_map(now).collect();
        run("mkfs.ext4", &["-q", &made.device])?;
        run("mount", &["-o", "nosuid", &made.device, made.at().to_str()?])?;
        Some(made)
    }

    fn at(&self) -> PathBuf {
        self.directory.path().join("mount")
    }

    fn disk(&self) -> Subject {
        Subject::Disk(self.device.trim_start_matches("/dev/").into())
    }

    fn queue(&self, name: &str) -> String {
        format!("/sys/block/{}/queue/{name}", self.device.trim_start_matches("/dev/"))
    }

    fn number(&self) -> String {
        fs::read_to_string(format!("/sys/block/{}/dev", self.device.trim_start_matches("/dev/"))).unwrap().trim().into()
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        for (program, arguments) in [("umount", vec![self.at().to_str().unwrap()]), ("losetup", vec!["-d", &self.device])] {
            let _may_never_have_been_made = Command::new(program).args(arguments).output();
        }
        for (name, value) in &self.before {
            fs::write(self.queue(name), value).unwrap();
        }
    }
}

#[test]
fn the_queue_and_the_mount_of_a_loop_device() {
    let Some(disk) = root().then(Loop::new).flatten() else { return eprintln!("skipped: no loop device to make") };
    let file = |name: &str| disk.queue(name);
    fs::write(file("scheduler"), "mq-deadline").unwrap();
    fs::write(file("nr_requests"), "128").unwrap();
    round_trip("request-queue", &[(disk.disk(), "nr_requests 64")]);
    if fs::read_to_string(file("wbt_lat_usec")).is_ok_and(|now| now.trim() != "0") {
        round_trip("request-queue", &[(disk.disk(), "wbt_lat_usec 600")]);
    }
    round_trip("request-completion", &[(disk.disk(), "rq_affinity 2"), (disk.disk(), "nomerges 1")]);
    let plan = round_trip("access-times", &[(Subject::Filesystem(disk.at().to_str().unwrap().into()), "noatime")]);
    assert_eq!((plan.steps[0].before.as_str(), plan.steps[0].after.as_str()), ("rw,nosuid,relatime", "rw,nosuid,noatime"));
}

#[test]
fn a_mount_that_is_gone_or_another_is_not_touched() {
    let Some(disk) = root().then(Loop::new).flatten() else { return eprintln!("skipped: no loop device to make") };
    let (host, action, at) = (RealHost::default(), actions::named("access-times").unwrap(), disk.at());
    let wants = [(Subject::Filesystem(at.to_str().unwrap().into()), "noatime")];
    let plan = action.prepare(&aimed(action, &wants), &host).unwrap();
    assert!(Command::new("umount").arg(&at).status().unwrap().success());
    assert_eq!(action.apply(&plan, &host).unwrap_err().kind, Obstacle::Gone);
    let root = action.prepare(&aimed(action, &[(Subject::Filesystem("/".into()), "noatime")]), &host).unwrap_err();
    assert_eq!(root.kind, Obstacle::Protected);
}

#[test]
fn what_a_cgroup_reads_from_a_disk() {
    let path = PathBuf::from(format!("/sys/fs/cgroup/blkio/trimtab_test_{}_io", std::process::id()));
    let Some(group) = root().then(|| fs::create_dir(&path).ok().map(|()| Group(path))).flatten() else {
        return eprintln!("skipped: no blkio cgroup v1 to make");
    };
    let Some(disk) = Loop::new() else { return eprintln!("skipped: no loop device to make") };
    let file = "blkio.throttle.read_bps_device";
    let plan = round_trip("cgroup-io", &[(group.subject(), &format!("max {} 2097152 0", disk.number()))]);
    assert_eq!((plan.steps[0].before.as_str(), group.read(file).as_str()), ("0", ""));
    fs::write(group.0.join(file), format!("{} 9000000", disk.number())).unwrap();
    round_trip("cgroup-io", &[(group.subject(), &format!("max {} 2097152 0", disk.number()))]);
    assert_eq!(group.read(file), format!("{} 9000000", disk.number()));
    if group.0.join("blkio.bfq.weight").exists() {
        round_trip("cgroup-io", &[(group.subject(), "weight 10")]);
        assert_eq!(group.read("blkio.bfq.weight"), "100");
    }
}

/// A program that listens with a great wish and listens again on SIGHUP, in a namespace whose somaxconn is 16.
const SERVER: &str = "
import signal, socket
open('/proc/sys/net/core/somaxconn', 'w').write('16')
s = socket.socket(); s.bind(('127.0.0.1', 8080)); s.listen(4096)
signal.signal(signal.SIGHUP, lambda *_: s.listen(4096))
print('ready', flush=True)
while True: signal.pause()
";

#[test]
fn a_listener_in_another_namespace_listens_again_both_ways() {
    if !root() || !Path::new("/usr/bin/python3").exists() {
        return eprintln!("skipped: needs root and python3");
    }
    let child = Started::new(&["unshare", "-n", "/usr/bin/python3", "-c", SERVER]);
    let want = format!("{} 8080 4096", child.netns());
    let plan = round_trip("listen-backlog", &[(Subject::Process(child.id()), &want)]);
    let values: Vec<_> = plan.steps.iter().map(|s| (s.before.as_str(), s.after.as_str())).collect();
    assert_eq!(values, [("16", "4096"), ("16", "4096")]);
}

#[test]
#[ignore = "changes knobs of the whole host for a moment: root"]
fn knobs_of_the_host() {
    round_trip("writeback", &[(Subject::Host, "dirty_background 16777216"), (Subject::Host, "dirty 67108864")]);
    round_trip("swappiness", &[(Subject::Host, "20")]);
    round_trip("watermark", &[(Subject::Host, "50")]);
    round_trip("cache-pressure", &[(Subject::Host, "200")]);
    round_trip("compaction", &[(Subject::Host, "60")]);
    round_trip("thp", &[(Subject::Host, "enabled madvise"), (Subject::Host, "defrag defer+madvise")]);
    round_trip("io-scheduler", &[(Subject::Disk("vda".into()), "bfq")]);
    round_trip("read-ahead", &[(Subject::Disk("vda".into()), "512")]);
    round_trip("rps", &[(Subject::Interface("lo".into()), "0-1")]);
    let irqs = fs::read_dir("/sys/class/net/eth0/device/../msi_irqs").unwrap();
    let last = irqs.map(|irq| irq.unwrap().file_name().into_string().unwrap()).max_by_key(|irq| irq.parse::<u32>().unwrap());
    round_trip("irq-affinity", &[(Subject::Interface("eth0".into()), &format!("{} 1", last.unwrap()))]);
}

#[test]
fn the_oom_score_of_a_child_goes_up_and_back() {
    let child = Started::new(SLEEPER);
    let path = format!("/proc/{}/oom_score_adj", child.id().pid);
    let before = fs::read_to_string(&path).unwrap();
    let plan = round_trip("oom-score", &[(Subject::Process(child.id()), "900")]);
    assert_eq!((plan.steps.len(), fs::read_to_string(&path).unwrap()), (1, before));
}

#[test]
fn the_bound_on_waking_is_held_by_a_descriptor_and_let_go() {
    if !root() || !Path::new("/dev/cpu_dma_latency").exists() {
        return eprintln!("skipped: needs root and /dev/cpu_dma_latency");
    }
    let held = || {
        let all = fs::read_dir("/proc/self/fd").unwrap().filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
        all.filter(|to| to.ends_with("cpu_dma_latency")).count()
    };
    let (host, wake) = (RealHost::default(), actions::named("wake-latency").unwrap());
    let plan = wake.prepare(&aimed(wake, &[(Subject::Host, "20")]), &host).unwrap();
    wake.apply(&plan, &host).unwrap();
    assert_eq!((held(), wake.verify(&plan, &host).unwrap()), (1, Held::Holds));
    assert_eq!((wake.rollback(&plan, &host).unwrap(), held()), (Undone::Undone, 0));
}

#[test]
fn an_interrupt_or_a_queue_that_is_not_there_is_said() {
    let (host, rps) = (RealHost::default(), actions::named("rps").unwrap());
    let refusal = rps.prepare(&aimed(rps, &[(Subject::Interface("nosuch0".into()), "0-1")]), &host).unwrap_err();
    assert_eq!(refusal.kind, Obstacle::Gone);
}

#[test]
#[ignore = "changes knobs of the whole host for a moment: root"]
fn limits_of_the_host() {
    round_trip("receive-backlog", &[(Subject::Host, "netdev_max_backlog 65536"), (Subject::Host, "netdev_budget 1200")]);
    round_trip("neighbour-table", &[(Subject::Host, "ipv6 1024 4096 8192")]);
    round_trip("orphans", &[(Subject::Host, "1000000")]);
    let doubled =
        |file: &str| (2 * fs::read_to_string(format!("/proc/sys/{file}")).unwrap().trim().parse::<u64>().unwrap()).to_string();
    round_trip("file-table", &[(Subject::Host, &doubled("fs/file-max"))]);
    let tasks = ["kernel/pid_max", "kernel/threads-max"].map(|file| format!("{file} {}", doubled(file)));
    round_trip("pids-limit", &[(Subject::Host, &tasks[0]), (Subject::Host, &tasks[1])]);
}
