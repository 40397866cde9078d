//! Knobs of the real machine: read, set, and may they be set.
//!
//! The target's identity is looked at right before each touch. A file is opened first and its target looked at then, which leaves no
//! moment in which the open file could be another one's.

use super::{RealHost, calls, custom, documents, files, held, mount, netns, rights, status::Status, threads, units, wake};
use crate::{
    host::{
        canonical::{self, selected},
        error::{HostError, Kind},
        host::{Host, Touch},
        identity,
    },
    model::{
        knob::{Knob, Place, Root},
        subject::ProcessId,
        wish,
    },
};
use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal, pidfd_open, pidfd_send_signal, prlimit};
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    time::Duration,
};

/// What a signal's knob reads: its process is there.
const RUNNING: &str = "running";

/// What a process that was stopped reads.
const STOPPED: &str = "stopped";

/// What a log reads before it is shrunk.
const KEPT: &str = "kept";

/// The present value, canonical.
pub(super) fn get(host: &RealHost, knob: &Knob) -> Touch<String> {
    read(host, knob).map_err(|e| ended(host, knob, e))
}

/// Writes it.
pub(super) fn set(host: &RealHost, knob: &Knob, value: &str) -> Touch<()> {
    write(host, knob, value).map_err(|e| ended(host, knob, e))
}

/// Whether it could be set and undone, without writing.
pub(super) fn may_set(host: &RealHost, knob: &Knob) -> Touch<()> {
    ask(host, knob).map_err(|e| ended(host, knob, e))
}

/// The error, unless something is missing because the target ended on the way: then that is the reason.
fn ended(host: &RealHost, knob: &Knob, error: HostError) -> HostError {
    match error.kind {
        Kind::Absent => identity::check(host, knob).err().unwrap_or(error),
        _ => error,
    }
}

fn read(host: &RealHost, knob: &Knob) -> Touch<String> {
    if let Some(place) = file_of(knob) {
        return in_its_namespace(host, knob, || read_file(host, knob, &place));
    }
    identity::check(host, knob)?;
    match knob {
        Knob::Mount { at, .. } => mount::get(host, at),
        Knob::Descriptors(process) => limit(host, *process, "Max open files").map(|(soft, hard)| format!("{soft}:{hard}")),
        Knob::Signal(_) => Ok(RUNNING.into()),
        Knob::Custom(program) => custom::get(host, knob, program),
        Knob::Run(process) => runs(host, *process),
        Knob::Log(_) => Ok(KEPT.into()),
        Knob::WakeLatency { holder } => wake::get(host, knob, *holder),
        Knob::Backlog { process, netns, port } => backlog(host, *process, *netns, *port),
        Knob::UnitProperty { unit, directory, property } => units::property(host, knob, unit, (directory, *property)),
        Knob::Document(place) => documents::get(host, place),
        thread => threads::get(thread),
    }
}

fn write(host: &RealHost, knob: &Knob, value: &str) -> Touch<()> {
    if let Some(done) = held::write(host, knob, value) {
        return done;
    }
    if let Some(place) = file_of(knob) {
        return in_its_namespace(host, knob, || write_file(host, knob, &place, value));
    }
    identity::check(host, knob)?;
    match knob {
        Knob::Mount { at, .. } => mount::set(host, at, value),
        Knob::Descriptors(process) => set_descriptors(knob, *process, value),
        Knob::Custom(program) => custom::set(host, knob, program, value),
        Knob::Signal(process) | Knob::Run(process) => send(host, knob, *process, signal_of(knob, value)?),
        Knob::Log(place) => vacuum(host, knob, place, value),
        Knob::WakeLatency { holder } => wake::set(host, knob, *holder, value),
        Knob::Backlog { process, .. } => {
            takes_sighup(host, knob, *process)?;
            send(host, knob, *process, Signal::HUP)
        }
        Knob::UnitProperty { unit, property, .. } => units::set_property(host, knob, unit, (*property, value)),
        Knob::Document(place) => documents::set(host, place, value),
        thread => threads::set(thread, value),
    }
}

fn ask(host: &RealHost, knob: &Knob) -> Touch<()> {
    identity::check(host, knob)?;
    match file_of(knob) {
        Some(place) => in_its_namespace(host, knob, || rights::file(host, knob, &place)),
        None => match knob {
            Knob::UnitProperty { unit, .. } => units::may(host, knob, unit),
            Knob::Document(place) => documents::may_set(host, place),
            process => rights::process(host, process),
        },
    }
}

/// The file behind a knob, where it is one.
fn file_of(knob: &Knob) -> Option<Place> {
    match knob {
        Knob::File(place) => Some(place.clone()),
        Knob::ProcessFile { process, file } => Some(Place::proc(format!("{}/{file}", process.pid))),
        Knob::CgroupFile { directory, file, .. } | Knob::CgroupDevice { directory, file, .. } => Some(directory.join(file)),
        Knob::NetworkFile { file, .. } => Some(Place::proc(format!("sys/net/{file}"))),
        _ => None,
    }
}

/// Files of `/proc/sys/net` are those of the namespace that the opening thread is in.
fn in_its_namespace<T: Send>(host: &RealHost, knob: &Knob, work: impl FnOnce() -> Touch<T> + Send) -> Touch<T> {
    match knob {
        Knob::NetworkFile { netns, through, .. } => netns::within(host, *netns, *through, work),
        _ => work(),
    }
}

fn read_file(host: &RealHost, knob: &Knob, place: &Place) -> Touch<String> {
    let failed = |e: io::Error| HostError::new("read", knob, &e);
    let file = File::open(host.path(place)).map_err(failed)?;
    identity::check(host, knob)?;
    let mut bytes = Vec::new();
    files::read_from(&file, &mut bytes).map_err(failed)?;
    let value = selected(&String::from_utf8_lossy(&bytes), knob);
    // A process of the root task group, such as a kernel thread, has the file and nothing in it.
    if value.is_empty() && matches!(knob, Knob::ProcessFile { .. }) {
        return Err(HostError::plain("read", knob, Kind::Absent, "it is empty: this process has none"));
    }
    Ok(value)
}

/// How often a write that the kernel asks to try again is tried, and how long between: writes to `autogroup` are let through once in
/// 100 ms without CAP_SYS_ADMIN (`proc_sched_autogroup_set_nice`).
const TRIES: u32 = 3;
const BETWEEN: Duration = Duration::from_millis(110);

fn write_file(host: &RealHost, knob: &Knob, place: &Place, value: &str) -> Touch<()> {
    if !matches!(place.root, Root::Proc | Root::Sys) && !matches!(knob, Knob::CgroupFile { .. } | Knob::CgroupDevice { .. }) {
        return Err(HostError::plain("write", knob, Kind::Invalid, "only files of /proc and /sys are knobs"));
    }
    let line = canonical::line(knob, value);
    // Elsewhere the answer says that only a part was done, which a second try would do once more (`memory.reclaim`).
    let patient = matches!(knob, Knob::ProcessFile { .. });
    let mut tries = 1;
    loop {
        let opened = OpenOptions::new().write(true).open(host.path(place));
        let file = opened.map_err(|e| HostError::new("write", knob, &e).needing(rights::of_file(knob)))?;
        identity::check(host, knob)?;
        match write_once(file, line.as_bytes()) {
            Err(e) if e.raw_os_error() == Some(libc::EAGAIN) && tries < TRIES && patient => host.pause(BETWEEN),
            done => return done.map_err(|e| HostError::new("write", knob, &e).needing(rights::of_file(knob))),
        }
        tries += 1;
    }
}

/// One write, since the kernel takes each as a value of its own.
fn write_once(mut file: File, line: &[u8]) -> io::Result<()> {
    let taken = file.write(line)?;
    calls::close(file)?;
    if taken < line.len() {
        return Err(io::Error::other(format!("only {taken} of {} bytes were taken", line.len())));
    }
    Ok(())
}

/// The signal that brings a process to that value.
pub(super) fn signal_of(knob: &Knob, value: &str) -> Touch<Signal> {
    let unknown = || HostError::plain("signal", knob, Kind::Invalid, format!("there is no signal {value}"));
    match (knob, value) {
        (Knob::Run(_), RUNNING) => Ok(Signal::CONT),
        (Knob::Run(_), STOPPED) => Ok(Signal::STOP),
        (Knob::Run(_), _) => Err(unknown()),
        _ => wish::Signal::named(value).map(number).ok_or_else(unknown),
    }
}

/// `stopped` in state T or t of proc_pid_stat(5), field 3; a zombie runs no more than one that has ended.
fn runs(host: &RealHost, process: ProcessId) -> Touch<String> {
    let place = Place::proc(format!("{}/stat", process.pid));
    let text = host.text(&place)?;
    let state = text.rfind(')').and_then(|end| text.get(end + 1..)).and_then(|rest| rest.trim_start().chars().next());
    match state {
        Some('T' | 't') => Ok(STOPPED.into()),
        Some('Z' | 'X') => Err(HostError::plain("find", format!("process {}", process.pid), Kind::Gone, "it has ended")),
        _ => Ok(RUNNING.into()),
    }
}

/// The logging daemon's own tool removes its oldest archived files (journalctl(1), `--vacuum-size`); without a shell, by its full path.
fn vacuum(host: &RealHost, knob: &Knob, place: &Place, bytes: &str) -> Touch<()> {
    let tool = Place::top("usr/bin/journalctl");
    let failed = |e: io::Error| HostError::new("run", &tool, &e);
    let mut command = std::process::Command::new(host.path(&tool));
    command.arg(format!("--vacuum-size={bytes}")).arg(format!("--directory={}", host.path(place).display()));
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    command.env_clear();
    let mut child = command.spawn().map_err(failed)?;
    for _ in 0..VACUUM_LOOKS {
        match child.try_wait().map_err(failed)? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(HostError::plain("run", &tool, Kind::Other, format!("it ended with {status}"))),
            None => host.pause(BETWEEN),
        }
    }
    let _ended_meanwhile = child.kill();
    child.wait().map_err(failed)?;
    Err(HostError::plain("shrink", knob, Kind::Other, "it took longer than a rung may take, and was stopped"))
}

/// Looks at a tool at work, [`BETWEEN`] apart: as long as a rung may take.
const VACUUM_LOOKS: u32 = 40;

/// Soft and hard limit by the name that `/proc/PID/limits` has, which needs no rights, unlike prlimit(2).
pub(super) fn limit(host: &RealHost, process: ProcessId, name: &str) -> Touch<(String, String)> {
    let place = Place::proc(format!("{}/limits", process.pid));
    let text = host.text(&place)?;
    let row = text.lines().find_map(|line| line.strip_prefix(name));
    let mut words = row.unwrap_or_default().split_ascii_whitespace().map(str::to_string);
    match (words.next(), words.next()) {
        (Some(soft), Some(hard)) => Ok((soft, hard)),
        _ => Err(HostError::plain("read", place, Kind::Absent, format!("it has no row \"{name}\""))),
    }
}

fn set_descriptors(knob: &Knob, process: ProcessId, value: &str) -> Touch<()> {
    let wanted = parse_limit(value).ok_or_else(|| {
        HostError::plain("write", knob, Kind::Invalid, format!("\"{value}\" is no SOFT:HARD of numbers or unlimited"))
    })?;
    let failed = |e: io::Error| HostError::new("write", knob, &e).needing("CAP_SYS_RESOURCE");
    prlimit(Some(pid_of(process).map_err(failed)?), Resource::Nofile, wanted).map_err(|e| failed(e.into()))?;
    Ok(())
}

fn parse_limit(value: &str) -> Option<Rlimit> {
    let one = |text: &str| if text == "unlimited" { Some(None) } else { text.parse().ok().map(Some) };
    let (soft, hard) = value.split_once(':')?;
    Some(Rlimit { current: one(soft)?, maximum: one(hard)? })
}

/// The pid for a call; one that cannot be is answered as one that is not there.
pub(super) fn pid_of(process: ProcessId) -> io::Result<Pid> {
    let found = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
    found.ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))
}

/// The least backlog among the sockets that listen on the port.
fn backlog(host: &RealHost, process: ProcessId, netns: u64, port: u16) -> Touch<String> {
    let all = netns::listeners(host, netns, Some(process))?;
    let least = all.iter().filter(|l| l.port == port).map(|l| l.backlog).min();
    let gone = || HostError::plain("read", format!("backlog of port {port}"), Kind::Gone, "nothing listens there any more");
    least.map(|backlog| backlog.to_string()).ok_or_else(gone)
}

/// True when the program has a handler for SIGHUP, which would end it otherwise.
pub(super) fn takes_sighup(host: &RealHost, knob: &Knob, process: ProcessId) -> Touch<()> {
    let status = Status::read(host, &process.pid.to_string())?;
    if status.caught & 1 == 1 {
        return Ok(());
    }
    let why =
        "the program has no handler for SIGHUP (SigCgt in its status), so it cannot be asked to listen again: restart it instead";
    Err(HostError::plain("signal", knob, Kind::Invalid, why))
}

/// A signal through a pidfd, which stays with the process even if its number goes to another one.
fn send(host: &RealHost, knob: &Knob, process: ProcessId, signal: Signal) -> Touch<()> {
    let failed = |e: io::Error| HostError::new("signal", knob, &e).needing("CAP_KILL");
    let handle = pidfd_open(pid_of(process).map_err(failed)?, PidfdFlags::empty()).map_err(|e| failed(e.into()))?;
    identity::check(host, knob)?;
    pidfd_send_signal(handle, signal).map_err(|e| failed(e.into()))
}

fn number(signal: wish::Signal) -> Signal {
    match signal {
        wish::Signal::Term => Signal::TERM,
        wish::Signal::Int => Signal::INT,
        wish::Signal::Hup => Signal::HUP,
        wish::Signal::Quit => Signal::QUIT,
        wish::Signal::Kill => Signal::KILL,
        wish::Signal::Stop => Signal::STOP,
        wish::Signal::Cont => Signal::CONT,
        wish::Signal::Usr1 => Signal::USR1,
        wish::Signal::Usr2 => Signal::USR2,
    }
}
