//! Every rung on recorded trees of cgroup v1 and v2: what is written, what is taken back, and who is never touched.

use proptest::prelude::*;
use trimtab::{
    actions::{self, action::Action},
    host::{host::Host, recorded::RecordedHost},
    model::{
        finding::{FindingId, FindingKind},
        knob::{Knob, Place},
        metric::{Better, Key, Metric},
        plan::{Held, Obstacle, Plan, Refusal, Undone},
        proposal::{Domain, Proposal, Risk, Want},
        subject::{ProcessId, Subject},
        trial::{Trial, Windows},
    },
};

const V1: &str = "31 1 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                  32 1 0:30 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n\
                  33 1 0:31 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
                  34 1 0:32 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio\n";
const V2: &str = "24 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";

fn id(pid: u32) -> ProcessId {
    ProcessId { pid, start: u64::from(pid) * 10 }
}

fn stat(pid: u32, start: u64, name: &str, flags: u64) -> String {
    format!("{pid} ({name}) S 1 {pid} {pid} 0 -1 {flags} 1 0 0 0 5 6 0 0 20 0 1 0 {start} 1000 10\n")
}

fn live(host: &RecordedHost, pid: u32, name: &str) {
    host.put(&format!("/proc/{pid}/stat"), &stat(pid, u64::from(pid) * 10, name, 4_194_560));
}

/// A machine with two hogs in `/hog`, a database in `/db`, and a login in `/login`.
fn machine(mounts: &str) -> RecordedHost {
    let host = RecordedHost::default();
    host.put("/proc/self/mountinfo", mounts);
    host.put("/proc/sys/kernel/random/boot_id", "boot\n");
    host.put("/proc/sys/net/ipv4/tcp_max_syn_backlog", "1024\n");
    for (pid, name) in [(50, "hog"), (51, "hog"), (60, "postgres"), (70, "sshd"), (71, "bash"), (80, "lone")] {
        live(&host, pid, name);
    }
    let v1 = mounts == V1;
    let homes: &[&str] = if v1 { &["memory", "freezer", "pids", "blkio"] } else { &[""] };
    for home in homes {
        let below = if home.is_empty() { "/sys/fs/cgroup".to_string() } else { format!("/sys/fs/cgroup/{home}") };
        for (group, pids) in [("hog", "50\n51\n"), ("db", "60\n"), ("login", "70\n71\n")] {
            host.put(&format!("{below}/{group}/cgroup.procs"), pids);
            let files: &[(&str, &str)] = match *home {
                "freezer" => &[("freezer.state", "THAWED\n")],
                "pids" => &[("pids.max", "max\n")],
                "blkio" => &[("blkio.throttle.write_bps_device", "")],
                "memory" => &[("memory.limit_in_bytes", "9223372036854771712\n")],
                _ => &[
                    ("memory.high", "max\n"),
                    ("memory.reclaim", ""),
                    ("cgroup.freeze", "0\n"),
                    ("cgroup.kill", ""),
                    ("pids.max", "max\n"),
                    ("io.max", ""),
                ],
            };
            files.iter().for_each(|(file, content)| host.put(&format!("{below}/{group}/{file}"), content));
        }
    }
    host.set_family(vec![71]);
    host
}

fn rescue() -> &'static dyn Action {
    actions::named("rescue").unwrap()
}

fn proposal(on: Subject, to: &str) -> Proposal {
    Proposal {
        action: "rescue".into(),
        finding: FindingId { kind: FindingKind::EmergencyMemory, subject: Subject::Host },
        title: to.into(),
        why: String::new(),
        mechanism: String::new(),
        expect: String::new(),
        undo: String::new(),
        wants: vec![Want { on, to: to.into() }],
        risk: Risk::High,
        reversible: true,
        domain: Domain::Memory,
        trial: Trial {
            primary: Key::host(Metric::Load),
            better: Better::Lower,
            least: 0.1,
            guardrails: vec![],
            controls: vec![],
            windows: Windows::default(),
            prevents: None,
        },
        fit: 1.0,
        cooldown: 0.0,
        asked: true,
        foreseen: None,
        course: trimtab::model::proposal::Course::Judged,
    }
}

fn group(name: &str) -> Subject {
    Subject::Cgroup(name.into())
}

fn plan(host: &RecordedHost, on: Subject, to: &str) -> Result<Plan, Refusal> {
    rescue().prepare(&proposal(on, to), host)
}

fn file(host: &RecordedHost, path: &str) -> String {
    let place = path.strip_prefix("/proc/").map_or_else(|| Place::sys(path.trim_start_matches("/sys/")), Place::proc);
    host.text(&place).unwrap()
}

/// Climbs, reads back, takes back; what the file held in between.
fn there_and_back(mounts: &str, on: Subject, to: &str, path: &str) -> String {
    let host = machine(mounts);
    let before = host.dump();
    let plan = plan(&host, on, to).unwrap_or_else(|refusal| panic!("{to}: {}", refusal.why));
    assert_eq!(host.dump(), before, "{to}: making a plan writes nothing");
    rescue().apply(&plan, &host).unwrap();
    assert_eq!(rescue().verify(&plan, &host).unwrap(), Held::Holds, "{to}");
    let held = file(&host, path);
    assert_eq!(rescue().rollback(&plan, &host).unwrap(), Undone::Undone, "{to}");
    assert_eq!(host.dump(), before, "{to}: taken back whole");
    held
}

#[test]
fn rungs_that_can_be_undone_are_written_and_taken_back_in_both_versions() {
    let hog = || group("/hog");
    assert_eq!(there_and_back(V2, hog(), "high 104857600", "/sys/fs/cgroup/hog/memory.high"), "104857600\n");
    assert_eq!(there_and_back(V2, hog(), "freeze", "/sys/fs/cgroup/hog/cgroup.freeze"), "1\n");
    assert_eq!(there_and_back(V1, hog(), "freeze", "/sys/fs/cgroup/freezer/hog/freezer.state"), "FROZEN\n");
    assert_eq!(there_and_back(V2, hog(), "pids 17", "/sys/fs/cgroup/hog/pids.max"), "17\n");
    assert_eq!(there_and_back(V1, hog(), "pids 17", "/sys/fs/cgroup/pids/hog/pids.max"), "17\n");
    let bound = there_and_back(V2, hog(), "write 8:0 1048576", "/sys/fs/cgroup/hog/io.max");
    assert_eq!(bound, "8:0 rbps=max wbps=1048576 riops=max wiops=max\n");
    let bound = there_and_back(V1, hog(), "write 8:0 1048576", "/sys/fs/cgroup/blkio/hog/blkio.throttle.write_bps_device");
    assert_eq!(bound, "8:0 1048576\n");
    let raised = there_and_back(
        V2,
        Subject::Host,
        "raise proc/sys/net/ipv4/tcp_max_syn_backlog 16384",
        "/proc/sys/net/ipv4/tcp_max_syn_backlog",
    );
    assert_eq!(raised, "16384\n");
}

#[test]
fn a_process_without_a_group_is_stopped_and_let_run_again() {
    let host = machine(V1);
    let before = host.dump();
    let plan = plan(&host, Subject::Process(id(80)), "stop").unwrap();
    rescue().apply(&plan, &host).unwrap();
    assert_eq!(host.get(&Knob::Run(id(80))).unwrap(), "stopped");
    assert_eq!(rescue().rollback(&plan, &host).unwrap(), Undone::Undone);
    assert_eq!(host.dump(), before);
}

#[test]
fn a_group_that_has_no_freezer_of_its_own_is_stopped_one_by_one() {
    let host = machine(V1);
    host.remove("/sys/fs/cgroup/freezer/hog");
    let plan = plan(&host, group("/hog"), "freeze").unwrap();
    let knobs: Vec<&Knob> = plan.steps.iter().map(|step| &step.knob).collect();
    assert_eq!(knobs, [&Knob::Run(id(50)), &Knob::Run(id(51))]);
    // A freezer that holds only a part of it would pause only a part.
    host.put("/sys/fs/cgroup/freezer/hog/freezer.state", "THAWED\n");
    host.put("/sys/fs/cgroup/freezer/hog/cgroup.procs", "50\n");
    assert_eq!(super::emergency::plan(&host, group("/hog"), "freeze").unwrap().steps.len(), 2);
}

/// A fork bomb's group is larger than can be met one by one, and its freezer meets it whole.
#[test]
fn a_group_of_many_is_frozen_and_never_stopped_one_by_one() {
    let host = machine(V1);
    let pids: Vec<u32> = (1000..1100).collect();
    pids.iter().for_each(|pid| live(&host, *pid, "bomb"));
    let procs: String = pids.iter().map(|pid| format!("{pid}\n")).collect();
    for home in ["memory", "freezer", "pids"] {
        host.put(&format!("/sys/fs/cgroup/{home}/hog/cgroup.procs"), &procs);
    }
    let frozen = plan(&host, group("/hog"), "freeze").unwrap();
    assert_eq!(frozen.steps.len(), 1);
    assert!(frozen.steps[0].knob.to_string().ends_with("freezer.state"), "{}", frozen.steps[0].knob);
    host.put("/sys/fs/cgroup/freezer/hog/cgroup.procs", "1000\n");
    assert_eq!(plan(&host, group("/hog"), "freeze").unwrap_err().kind, Obstacle::Unsupported, "its freezer holds a part only");
}

#[test]
fn ends_are_ends_and_cannot_be_taken_back() {
    let of = |mounts, to| {
        let host = machine(mounts);
        let plan = plan(&host, group("/hog"), to).unwrap();
        rescue().apply(&plan, &host).unwrap();
        assert!(matches!(rescue().rollback(&plan, &host).unwrap(), Undone::Yielded(_)));
        plan.steps.iter().map(|step| format!("{} {}", step.knob, step.after)).collect::<Vec<_>>()
    };
    assert_eq!(of(V2, "term"), ["signal to 50 TERM", "signal to 51 TERM"]);
    assert_eq!(of(V2, "kill"), ["/sys/fs/cgroup/hog/cgroup.kill 1"]);
    assert_eq!(of(V1, "kill"), ["signal to 50 KILL", "signal to 51 KILL"]);
    assert_eq!(of(V2, "reclaim 1048576"), ["/sys/fs/cgroup/hog/memory.reclaim 1048576"]);
}

#[test]
fn what_v1_cannot_do_without_killing_is_refused_and_so_is_a_bound_that_somebody_else_set() {
    for to in ["high 1048576", "reclaim 1048576"] {
        assert_eq!(plan(&machine(V1), group("/hog"), to).unwrap_err().kind, Obstacle::Unsupported, "{to}");
    }
    let host = machine(V2);
    host.put("/sys/fs/cgroup/hog/io.max", "8:0 rbps=max wbps=5 riops=max wiops=max\n");
    assert_eq!(plan(&host, group("/hog"), "write 8:0 1048576").unwrap_err().kind, Obstacle::Owned);
    let high = "raise proc/sys/net/ipv4/tcp_max_syn_backlog 512";
    assert_eq!(plan(&machine(V2), Subject::Host, high).unwrap_err().kind, Obstacle::Nothing);
}

#[test]
fn a_knob_that_moved_since_the_plan_was_made_is_left_alone() {
    let host = machine(V2);
    let plan = plan(&host, group("/hog"), "high 104857600").unwrap();
    host.put("/sys/fs/cgroup/hog/memory.high", "4096\n");
    assert_eq!(rescue().apply(&plan, &host).unwrap_err().kind, Obstacle::Moved);
    assert_eq!(file(&host, "/sys/fs/cgroup/hog/memory.high"), "4096\n");
}

#[test]
fn databases_logins_and_whoever_keeps_the_host_reachable_are_never_paused_nor_ended() {
    for mounts in [V1, V2] {
        for verb in ["freeze", "term", "kill"] {
            for name in ["/db", "/login", "/"] {
                let refused = plan(&machine(mounts), group(name), verb).unwrap_err();
                assert!(matches!(refused.kind, Obstacle::Protected | Obstacle::Gone), "{name} {verb}: {refused:?}");
            }
        }
        for pid in [60, 70, 71] {
            for verb in ["stop", "term", "kill"] {
                let refused = plan(&machine(mounts), Subject::Process(id(pid)), verb).unwrap_err();
                assert_eq!(refused.kind, Obstacle::Protected, "{pid} {verb}");
            }
        }
    }
}

#[test]
fn whoever_moves_into_the_group_after_the_plan_was_made_stops_it() {
    for (mounts, procs) in [(V1, "/sys/fs/cgroup/freezer/hog/cgroup.procs"), (V2, "/sys/fs/cgroup/hog/cgroup.procs")] {
        let host = machine(mounts);
        let plan = plan(&host, group("/hog"), "freeze").unwrap();
        host.put(procs, "50\n51\n70\n");
        let before = host.dump();
        assert_eq!(rescue().apply(&plan, &host).unwrap_err().kind, Obstacle::Protected);
        assert_eq!(host.dump(), before);
    }
}

/// What may stand behind a pid.
#[derive(Clone, Debug)]
struct Dweller {
    name: &'static str,
    kernel: bool,
    family: bool,
}

impl Dweller {
    fn is_spared(&self) -> bool {
        self.kernel
            || self.family
            || ["postgres", "sshd", "systemd-journald", "dbus-daemon", "containerd", "redis-server"].contains(&self.name)
    }
}

fn dweller() -> impl Strategy<Value = Dweller> {
    let names = ["hog", "java", "make", "postgres", "sshd", "systemd-journald", "dbus-daemon", "containerd", "redis-server"];
    (proptest::sample::select(names.to_vec()), proptest::bool::weighted(0.1), proptest::bool::weighted(0.1))
        .prop_map(|(name, kernel, family)| Dweller { name, kernel, family })
}

fn settle(host: &RecordedHost, pid: u32, start: u64, who: &Dweller) {
    let flags = if who.kernel { 0x0020_0000 } else { 4_194_560 };
    host.put(&format!("/proc/{pid}/stat"), &stat(pid, start, who.name, flags));
}

/// Pids that were stopped, frozen or signalled.
fn hit(host: &RecordedHost) -> Vec<u32> {
    let dump = host.dump();
    let mut pids: Vec<u32> = dump
        .lines()
        .filter(|line| line.starts_with("knob "))
        .filter_map(|line| line.split("pid: ").nth(1)?.split(',').next()?.parse().ok())
        .collect();
    for n in 0..3 {
        let frozen = |path: String, value: &str| host.text(&Place::sys(path)).is_ok_and(|text| text.trim() == value);
        let paused = frozen(format!("fs/cgroup/g{n}/cgroup.freeze"), "1")
            || frozen(format!("fs/cgroup/g{n}/cgroup.kill"), "1")
            || frozen(format!("fs/cgroup/freezer/g{n}/freezer.state"), "FROZEN");
        if paused {
            for home in ["fs/cgroup", "fs/cgroup/freezer"] {
                let procs = host.text(&Place::sys(format!("{home}/g{n}/cgroup.procs"))).unwrap_or_default();
                pids.extend(procs.lines().filter_map(|line| line.parse::<u32>().ok()));
            }
        }
    }
    pids
}

proptest! {
    /// Invariant 7: random trees, random rungs, and between the look and the deed somebody else takes a number.
    #[test]
    fn nobody_protected_is_ever_hit(
        dwellers in proptest::collection::vec((dweller(), 0usize..3), 1..12),
        swaps in proptest::collection::vec((0usize..12, dweller(), proptest::bool::ANY), 0..6),
        deeds in proptest::collection::vec((0usize..12, 0usize..3, proptest::bool::ANY), 1..6),
        v1 in proptest::bool::ANY,
    ) {
        let host = RecordedHost::default();
        host.put("/proc/self/mountinfo", if v1 { V1 } else { V2 });
        host.put("/proc/sys/kernel/random/boot_id", "boot\n");
        let mut standing: Vec<(u32, u64, Dweller)> = Vec::new();
        for (at, (who, _)) in dwellers.iter().enumerate() {
            let pid = 100 + at as u32;
            standing.push((pid, u64::from(pid), who.clone()));
            settle(&host, pid, u64::from(pid), who);
        }
        for n in 0..3 {
            let procs: String = dwellers.iter().enumerate().filter(|(_, (_, g))| *g == n).map(|(at, _)| format!("{}\n", 100 + at)).collect();
            for home in if v1 { vec!["/memory", "/freezer"] } else { vec![""] } {
                host.put(&format!("/sys/fs/cgroup{home}/g{n}/cgroup.procs"), &procs);
            }
            if v1 {
                host.put(&format!("/sys/fs/cgroup/freezer/g{n}/freezer.state"), "THAWED\n");
            } else {
                host.put(&format!("/sys/fs/cgroup/g{n}/cgroup.freeze"), "0\n");
                host.put(&format!("/sys/fs/cgroup/g{n}/cgroup.kill"), "");
            }
        }
        let family = |standing: &[(u32, u64, Dweller)]| standing.iter().filter(|(_, _, who)| who.family).map(|(pid, ..)| *pid).collect();
        host.set_family(family(&standing));
        let plans: Vec<Plan> = deeds.iter().filter_map(|(at, verb, whole)| {
            let (pid, start, _) = standing.get(at % standing.len())?.clone();
            let on = if *whole { group(&format!("/g{}", at % 3)) } else { Subject::Process(ProcessId { pid, start }) };
            let verbs = if *whole { ["freeze", "term", "kill"] } else { ["stop", "term", "kill"] };
            plan(&host, on, verbs[*verb]).ok()
        }).collect();
        // Between check and use: an exec under the same number, or the number goes to another process.
        for (at, who, reborn) in swaps {
            let at = at % standing.len();
            let (pid, start, _) = standing[at];
            let start = if reborn { start + 1_000_000 } else { start };
            settle(&host, pid, start, &who);
            standing[at] = (pid, start, who);
        }
        host.set_family(family(&standing));
        for plan in &plans {
            let _refused_is_fine = rescue().apply(plan, &host);
        }
        for pid in hit(&host) {
            let (_, _, who) = standing.iter().find(|(other, ..)| *other == pid).unwrap();
            prop_assert!(!who.is_spared(), "{pid} {who:?} was hit");
        }
    }
}
