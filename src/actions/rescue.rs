//! A rung of an emergency's ladder (catalogue E1 to E6; cgroup-v2.rst "memory.reclaim", "memory.high", "cgroup.freeze", "cgroup.kill",
//! "io.max"; cgroup-v1/freezer-subsystem.rst).
//!
//! Changes: what the rung says: memory taken back, a bound on growth, tasks, writing or heat, a pause, an end.
//! Helps when: there is no time to ask, measure and judge.
//! Hurts when: the target mattered more than what it took from all others.
//! Undone how: bounds and pauses by their values before; what was taken back, removed or ended is not undone.
//!
//! It proposes nothing by itself: the ladder is the engine's (`analysis::emergency`), prepared each second in quiet times. Who is
//! protected is asked when the plan is made and again right before each write.
//!
//! The words of a want: on a cgroup `reclaim BYTES`, `high BYTES`, `freeze`, `pids N`, `write DEVICE BYTES`, `term`, `kill`; on a process
//! `stop`, `term`, `kill`; on the host `set PATH VALUE` and `raise PATH VALUE` (below `/proc/sys` or `/sys`),
//! `vacuum BYTES`.

use crate::{
    actions::{
        action::{Action, ActionAbout},
        knob::{
            cgroups::{self, Directory},
            protect,
            refuse::{from_host, gone, refusal},
            shell,
            steps::{self, Order},
        },
    },
    host::{
        error::{HostError, Kind},
        host::Host,
    },
    model::{
        knob::{Knob, Place},
        plan::{Held, Obstacle, Plan, Refusal, Step, Undone},
        proposal::{Proposal, Risk, Want},
        sample::CgroupVersion,
        subject::{ProcessId, Subject},
        world::World,
    },
};
use std::collections::BTreeSet;

/// Rungs.
pub struct Rescue;

const NEEDS: &str = "root, or the owner of the cgroup and CAP_KILL";

/// Processes of a control group that are signalled one by one at most, where the kernel cannot do it at once.
const CROWD: usize = 64;

/// Where systemd-journald keeps what outlives a boot.
const LOG: &str = "var/log/journal";

impl Action for Rescue {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "rescue",
            row: "E1 to E6",
            changes: "in an emergency: memory.reclaim, memory.high, freezer, pids.max, io.max, presets, signals",
            helps: "there is no time to ask, measure and judge",
            hurts: "the target mattered more than all that waited for it",
            undone: "bounds and pauses are lifted once it is over; what was ended or removed is not",
            risk: Risk::High,
            needs: NEEDS,
            cooldown: 0.0,
        }
    }

    fn propose(&self, _: &World<'_>) -> Vec<Proposal> {
        Vec::new()
    }

    fn prepare(&self, proposal: &Proposal, host: &dyn Host) -> Result<Plan, Refusal> {
        let mut steps = Vec::new();
        for want in &proposal.wants {
            for step in wanted(want, host)? {
                host.may_set(&step.knob).map_err(|e| from_host(&e, NEEDS))?;
                steps.push(step);
            }
        }
        if steps.is_empty() {
            return Err(gone());
        }
        let boot = host.text(&Place::proc("sys/kernel/random/boot_id")).map_err(|e| from_host(&e, "read access to it"))?;
        Ok(Plan { action: proposal.action.to_string(), boot: boot.trim().into(), steps })
    }

    fn apply(&self, plan: &Plan, host: &dyn Host) -> Result<(), Refusal> {
        let mut done = 0;
        for step in &plan.steps {
            match write(step, plan, host) {
                Ok(()) => done += 1,
                Err(refusal) if refusal.kind == Obstacle::Gone => {}
                Err(refusal) => return Err(refusal),
            }
        }
        if done == 0 { Err(gone()) } else { Ok(()) }
    }

    fn verify(&self, plan: &Plan, host: &dyn Host) -> Result<Held, HostError> {
        let plan = undoable(plan);
        if plan.steps.is_empty() { Ok(Held::Holds) } else { steps::verify(&plan, host) }
    }

    fn rollback(&self, plan: &Plan, host: &dyn Host) -> Result<Undone, HostError> {
        let once: Vec<String> = plan.steps.iter().filter(|s| s.knob.is_one_way()).map(|s| s.knob.to_string()).collect();
        match steps::rollback(&undoable(plan), Order::LastFirst, host)? {
            Undone::Undone if once.is_empty() || once.len() < plan.steps.len() => Ok(Undone::Undone),
            Undone::Undone => Ok(Undone::Yielded(once)),
            yielded => Ok(yielded),
        }
    }
}

/// The plan's steps that can be read back and taken back.
fn undoable(plan: &Plan) -> Plan {
    Plan { steps: plan.steps.iter().filter(|step| !step.knob.is_one_way()).cloned().collect(), ..plan.clone() }
}

/// One step, after a last look at who it would hit.
fn write(step: &Step, plan: &Plan, host: &dyn Host) -> Result<(), Refusal> {
    spared(step, host)?;
    if !step.knob.is_one_way() {
        let one = Plan { steps: vec![step.clone()], ..plan.clone() };
        return steps::apply(&one, host, NEEDS);
    }
    match host.set(&step.knob, &step.after) {
        Ok(()) => Ok(()),
        // memory.reclaim: less than was asked for could be taken back; what could be, was.
        Err(e) if e.errno == Some("EAGAIN") => Ok(()),
        Err(e) => Err(from_host(&e, NEEDS)),
    }
}

/// Refuses a step that would hit somebody who is protected.
fn spared(step: &Step, host: &dyn Host) -> Result<(), Refusal> {
    match &step.knob {
        Knob::Signal(process) | Knob::Run(process) => protect::pausable(host, *process),
        Knob::CgroupFile { directory, file, .. } => match file.as_str() {
            "cgroup.freeze" | "freezer.state" | "cgroup.kill" => protect::pausable_cgroup(host, &directory.path, directory),
            _ => protect::cgroup(host, &directory.path, directory),
        },
        Knob::CgroupDevice { directory, .. } => protect::cgroup(host, &directory.path, directory),
        _ => Ok(()),
    }
}

/// The steps of one want.
fn wanted(want: &Want, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
    let mut words = want.to.split(' ');
    let verb = words.next().unwrap_or_default();
    let rest: Vec<&str> = words.collect();
    match (&want.on, verb, rest.as_slice()) {
        (Subject::Process(process), _, []) => one(*process, verb, host).map(|step| vec![step]),
        (Subject::Cgroup(path), _, rest) => of_cgroup(path, verb, rest, host),
        (Subject::Host, "set", [path, value]) => setting(path, value, host),
        (Subject::Host, "raise", [path, value]) => raise(path, value, host),
        (Subject::Host, "vacuum", [bytes]) => vacuum(bytes, host),
        _ => Err(refusal(Obstacle::Unsupported, format!("a rung has no word \"{}\" for {}.", want.to, want.on))),
    }
}

fn one(process: ProcessId, verb: &str, host: &dyn Host) -> Result<Step, Refusal> {
    protect::pausable(host, process)?;
    let (knob, after) = match verb {
        "stop" => (Knob::Run(process), "stopped"),
        "term" => (Knob::Signal(process), "TERM"),
        "kill" => (Knob::Signal(process), "KILL"),
        _ => return Err(refusal(Obstacle::Unsupported, format!("nothing is known of {verb} for a process."))),
    };
    step(knob, after.into(), host)
}

fn step(knob: Knob, after: String, host: &dyn Host) -> Result<Step, Refusal> {
    if knob.is_one_way() {
        let apply = shell::command(&knob, &after);
        return Ok(Step { knob, before: String::new(), after, apply, undo: "# cannot be taken back".into() });
    }
    steps::step(host, knob, after).map_err(|e| from_host(&e, NEEDS))
}

fn of_cgroup(path: &str, verb: &str, rest: &[&str], host: &dyn Host) -> Result<Vec<Step>, Refusal> {
    let found = |controller: &str| {
        let directory = cgroups::find(host, controller, path)?;
        protect::cgroup(host, path, &directory.place)?;
        Ok::<Directory, Refusal>(directory)
    };
    let only = |directory: &Directory, what: &str| match directory.version {
        CgroupVersion::V2 => Ok(()),
        CgroupVersion::V1 => Err(refusal(Obstacle::Unsupported, format!("{what} is of cgroup v2; here {path} is of v1."))),
    };
    match (verb, rest) {
        ("reclaim", [bytes]) => {
            let directory = found("memory")?;
            only(&directory, "memory.reclaim")?;
            step(directory.knob("memory.reclaim"), (*bytes).into(), host).map(|step| vec![step])
        }
        ("high", [bytes]) => {
            let directory = found("memory")?;
            // In v1 the only bound is one at which the kernel kills.
            only(&directory, "memory.high")?;
            step(directory.knob("memory.high"), (*bytes).into(), host).map(|step| vec![step])
        }
        ("pids", [most]) => step(found("pids")?.knob("pids.max"), (*most).into(), host).map(|step| vec![step]),
        ("write", [device, bytes]) => writing(&found(disk_controller(host))?, device, bytes, host),
        ("freeze", []) => freeze(path, host),
        ("term", []) => signals(path, "TERM", host),
        ("kill", []) => kill(path, host),
        _ => Err(refusal(Obstacle::Unsupported, format!("nothing is known of {verb} for a cgroup."))),
    }
}

/// The controller of disks is called `blkio` in v1 and `io` in v2.
fn disk_controller(host: &dyn Host) -> &'static str {
    let v1 = host.text(&Place::proc("self/mountinfo")).is_ok_and(|text| cgroups::has(&text, "blkio"));
    if v1 { "blkio" } else { "io" }
}

/// A bound on what the group writes to a disk.
fn writing(directory: &Directory, device: &str, bytes: &str, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
    let (file, value) = match directory.version {
        CgroupVersion::V2 => ("io.max", format!("rbps=max wbps={bytes} riops=max wiops=max")),
        CgroupVersion::V1 => ("blkio.throttle.write_bps_device", bytes.to_string()),
    };
    let number = |text: &str| text.parse::<u32>().ok();
    let Some(device) = device.split_once(':').and_then(|(major, minor)| Some((number(major)?, number(minor)?))) else {
        return Err(refusal(Obstacle::Unsupported, format!("{device} is no number of a device.")));
    };
    let Directory { place, inode, .. } = directory.clone();
    let step = step(Knob::CgroupDevice { directory: place, inode, file: file.into(), device }, value, host)?;
    if step.before == "0" || step.before == "rbps=max wbps=max riops=max wiops=max" {
        return Ok(vec![step]);
    }
    Err(refusal(Obstacle::Owned, format!("{} has a bound already: {}. Change it there.", step.knob, step.before)))
}

/// The group's freezer; where it has none of its own, every process of it is stopped.
fn freeze(path: &str, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
    if let Some(directory) = freezer(path, host) {
        protect::pausable_cgroup(host, path, &directory.place)?;
        let (file, after) = match directory.version {
            CgroupVersion::V2 => ("cgroup.freeze", "1"),
            CgroupVersion::V1 => ("freezer.state", "FROZEN"),
        };
        return step(directory.knob(file), after.into(), host).map(|step| vec![step]);
    }
    let all = crowd(path, host)?;
    all.into_iter().map(|process| one(process, "stop", host)).collect()
}

/// Where the processes of a group can be frozen together: in the freezer's hierarchy at the same path, if it holds the same ones.
fn freezer(path: &str, host: &dyn Host) -> Option<Directory> {
    let directory = cgroups::find(host, "freezer", path).ok()?;
    let file = if directory.version == CgroupVersion::V2 { "cgroup.freeze" } else { "freezer.state" };
    host.get(&directory.knob(file)).ok()?;
    if directory.version == CgroupVersion::V2 {
        return Some(directory);
    }
    // A process that is there in both looks at one hierarchy was there at the look at the other in between: of those that come and go as a
    // fork bomb's do nothing is concluded.
    let inside = || pids(&directory, host).ok();
    let all = || dwellers(path, host).ok();
    let looks = [inside()?, all()?, inside()?, all()?];
    let [first, between, second, last] = &looks;
    let same =
        first.intersection(second).all(|id| between.contains(id)) && between.intersection(last).all(|id| second.contains(id));
    (same && first.intersection(second).next().is_some()).then_some(directory)
}

/// Every process of a directory and those below it.
fn pids(directory: &Directory, host: &dyn Host) -> Result<BTreeSet<ProcessId>, Refusal> {
    let mut all = BTreeSet::new();
    protect::members(host, &directory.place, &mut |stat| {
        all.insert(stat.id);
        Ok(())
    })?;
    Ok(all)
}

/// Every process of a group and those below it, as its memory (else its tasks, else its cpu) is accounted.
fn dwellers(path: &str, host: &dyn Host) -> Result<BTreeSet<ProcessId>, Refusal> {
    let homes = ["memory", "pids", "cpu", "freezer"];
    let directory = homes.iter().find_map(|controller| cgroups::find(host, controller, path).ok()).ok_or_else(gone)?;
    protect::pausable_cgroup(host, path, &directory.place)?;
    pids(&directory, host)
}

/// The same, few enough to be met one by one.
fn crowd(path: &str, host: &dyn Host) -> Result<BTreeSet<ProcessId>, Refusal> {
    let all = dwellers(path, host)?;
    if all.len() > CROWD {
        return Err(refusal(
            Obstacle::Unsupported,
            format!("{path} holds {} processes, too many to be met one by one: at most {CROWD}.", all.len()),
        ));
    }
    if all.is_empty() { Err(gone()) } else { Ok(all) }
}

fn signals(path: &str, signal: &str, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
    crowd(path, host)?.into_iter().map(|process| step(Knob::Signal(process), signal.into(), host)).collect()
}

/// v2 ends a whole group at once, forks included (Linux 5.14); elsewhere each process gets its SIGKILL.
fn kill(path: &str, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
    if let Ok(directory) = cgroups::find(host, "freezer", path)
        && directory.version == CgroupVersion::V2
        && host.may_set(&directory.knob("cgroup.kill")).is_ok()
    {
        protect::pausable_cgroup(host, path, &directory.place)?;
        return step(directory.knob("cgroup.kill"), "1".into(), host).map(|step| vec![step]);
    }
    signals(path, "KILL", host)
}

/// One value of `/proc/sys` or `/sys`.
fn setting(path: &str, value: &str, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
    let place = match (path.strip_prefix("proc/"), path.strip_prefix("sys/")) {
        (Some(rest), _) if rest.starts_with("sys/") => Place::proc(rest),
        (_, Some(rest)) => Place::sys(rest),
        _ => return Err(refusal(Obstacle::Unsupported, format!("{path} is no setting of the kernel."))),
    };
    match steps::step(host, Knob::File(place), value) {
        Ok(step) if step.before == step.after => Err(refusal(Obstacle::Nothing, format!("{} is {value} already.", step.knob))),
        Ok(step) => Ok(vec![step]),
        Err(e) if e.kind == Kind::Absent => Err(from_host(&e, NEEDS)),
        Err(e) => Err(from_host(&e, NEEDS)),
    }
}

/// The same, but only upwards.
fn raise(path: &str, value: &str, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
    let steps = setting(path, value, host)?;
    let number = |text: &str| text.parse::<u64>().ok();
    match steps.first().and_then(|step| Some((number(&step.before)?, number(&step.after)?))) {
        Some((before, after)) if before >= after => {
            Err(refusal(Obstacle::Nothing, format!("{path} is {before} already, more than {after}.")))
        }
        _ => Ok(steps),
    }
}

fn vacuum(bytes: &str, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
    let place = Place::top(LOG);
    host.inode(&place).map_err(|e| from_host(&e, "read access to it"))?;
    step(Knob::Log(place), bytes.into(), host).map(|step| vec![step])
}
