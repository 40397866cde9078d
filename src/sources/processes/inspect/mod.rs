//! A close look at one process: what no operator wants to pay for each second of every process.
//!
//! Rates need two readings: the one of the look before, or at the first look one that is taken `WINDOW` earlier. What locks the memory
//! of the process (its command line, its mappings) is not read while one of its threads is blocked in the kernel: such a read may hang
//! as well. Mappings are read seldom, since walking them costs the process itself.

mod counters;
mod files;
mod memory;
mod sockets;
mod syscalls;
mod tasks;
mod text;

use crate::{
    host::{
        error::{HostError, Kind},
        host::{Host, Touch},
    },
    model::{
        inspection::{Inspection, MappedMemory, Part, Socket, Waits},
        knob::Place,
        subject::ProcessId,
        text::clean,
        time::{Now, Tick, Wall},
    },
    sources::source::Inspect,
};
use counters::Counters;
use std::{sync::Arc, time::Duration};

/// Between the two readings of a first look.
const WINDOW: Duration = Duration::from_millis(250);
/// Counters older than this are of no use for a rate of now.
const STALE: f64 = 10.0;
/// Seconds between two readings of mappings or sockets at least; and [`RESTS`] times what the last one took.
const SELDOM: f64 = 5.0;
const RESTS: f64 = 50.0;
/// Processes whose counters are remembered.
const REMEMBERED: usize = 8;

/// What reading of another user's process needs.
const TRACE: &str = "CAP_SYS_PTRACE, or to be its user";

/// Looks, and remembers.
#[derive(Default)]
pub struct Inspector {
    /// Last looked at comes last.
    known: Vec<Memory>,
}

/// What is remembered of a process.
struct Memory {
    id: ProcessId,
    counters: Counters,
    command: Option<Arc<str>>,
    mapped: Option<Seldom<MappedMemory>>,
    sockets: Option<Seldom<Vec<Socket>>>,
}

/// A dear part, and when it may be read again.
struct Seldom<T> {
    value: Part<T>,
    due: Tick,
}

impl Inspect for Inspector {
    fn inspect(&mut self, host: &dyn Host, process: ProcessId) -> Result<Inspection, HostError> {
        identify(host, process)?;
        let remembered = self.known.iter().position(|memory| memory.id == process).map(|i| self.known.remove(i));
        let now = host.now().tick;
        let mut memory = match remembered {
            Some(memory) if now.seconds_since(memory.counters.at) <= STALE => memory,
            _ => {
                let counters = Counters::read(host, process.pid);
                host.pause(WINDOW);
                Memory { id: process, counters, command: None, mapped: None, sockets: None }
            }
        };
        let inspection = look(host, &mut memory);
        self.known.retain(|memory| now.seconds_since(memory.counters.at) <= STALE);
        if self.known.len() >= REMEMBERED {
            self.known.remove(0);
        }
        self.known.push(memory);
        // A pid that became another process in the midst of it would mix the two.
        identify(host, process)?;
        Ok(inspection)
    }
}

/// Is it alive and still the same?
fn identify(host: &dyn Host, process: ProcessId) -> Touch<()> {
    let gone = |why: &str| HostError::plain("look at", format!("process {}", process.pid), Kind::Gone, why);
    match host.start_time(&process.pid.to_string()) {
        Ok(start) if start == process.start => Ok(()),
        Ok(_) => Err(gone("it has ended, and its pid belongs to another one now")),
        Err(error) if matches!(error.kind, Kind::Absent | Kind::Gone) => Err(gone("it has ended")),
        Err(error) => Err(error),
    }
}

fn look(host: &dyn Host, memory: &mut Memory) -> Inspection {
    let process = memory.id;
    let pid = process.pid;
    let at = host.now();
    let before = std::mem::replace(&mut memory.counters, Counters::read(host, pid));
    let now = &memory.counters;
    let window = now.at.seconds_since(before.at);
    let status = text::Status::parse(&host.text(&file(pid, "status")).unwrap_or_default());
    let threads = tasks::threads(host, pid, &before, now);
    let blocked = now.threads.iter().any(|thread| thread.state == 'D');
    let main = now.threads.iter().find(|thread| thread.tid == pid);
    let files = files::files(host, pid);
    let inodes = files.as_ref().map(|(_, inodes)| inodes.clone()).unwrap_or_default();
    let started = started(at, process);
    Inspection {
        id: process,
        at,
        window,
        name: main.map_or_else(|| "".into(), |thread| thread.name.clone()),
        state: main.map_or('?', |thread| thread.state),
        command: command(host, pid, blocked, &mut memory.command),
        exe: link(host, pid, "exe"),
        cwd: link(host, pid, "cwd"),
        root: link(host, pid, "root"),
        started: Some(started),
        owner: status.owner.ok_or_else(|| "status says nothing of it".into()),
        cgroups: part(host.text(&file(pid, "cgroup"))).map(|text| text::cgroups(&text)),
        waits: Waits {
            cpu: now.waited(&before),
            storage: now.blocked(&before).ok_or_else(|| uncounted().into()),
            delays: now.delays(&before),
        },
        thread_count: u32::try_from(now.count).unwrap_or(u32::MAX),
        threads,
        memory: status.memory.ok_or_else(|| "a kernel thread has none of its own".into()),
        mapped: mapped(host, pid, blocked, &mut memory.mapped),
        io: now.moved(&before),
        limits: part(host.text(&file(pid, "limits"))).map(|text| text::limits(&text)),
        files: files.map(|(files, _)| files),
        sockets: seldom(host, &mut memory.sockets, || sockets::sockets(host, pid, &inodes)),
        namespaces: files::namespaces(host, pid),
        oom: oom(host, pid),
        rights: status.rights.ok_or_else(|| "status says nothing of it".into()),
    }
}

/// Why waiting for storage is not known.
fn uncounted() -> &'static str {
    "not counted: sysctl kernel.task_delayacct=1 begins it, for processes that start from then on"
}

fn file(pid: u32, name: &str) -> Place {
    Place::proc(format!("{pid}/{name}"))
}

/// A part, or in words why there is none.
fn part<T>(touch: Touch<T>) -> Part<T> {
    touch.map_err(|e| e.needing(TRACE).to_string().into())
}

fn link(host: &dyn Host, pid: u32, name: &str) -> Part<Arc<str>> {
    match host.link(&file(pid, name)) {
        Err(e) if e.kind == Kind::Absent => Err("a kernel thread has none".into()),
        touch => part(touch).map(|target| clean(&target, 4096)),
    }
}

/// The command line; the one that was read before while a read could hang.
fn command(host: &dyn Host, pid: u32, blocked: bool, known: &mut Option<Arc<str>>) -> Part<Arc<str>> {
    if blocked {
        return known.clone().ok_or_else(|| memory::hangs().into());
    }
    let mut bytes = Vec::new();
    part(host.read(&file(pid, "cmdline"), &mut bytes))?;
    let command = text::command(&bytes);
    *known = Some(command.clone());
    Ok(command)
}

/// The memory of its mappings; as it was read before while a read could hang.
fn mapped(host: &dyn Host, pid: u32, blocked: bool, known: &mut Option<Seldom<MappedMemory>>) -> Part<MappedMemory> {
    if blocked {
        return known.as_ref().map_or_else(|| Err(memory::hangs().into()), |known| known.value.clone());
    }
    seldom(host, known, || memory::mapped(host, pid))
}

/// The wall clock at its start; `USER_HZ` is 100 in every ABI that Rust runs on.
fn started(now: Now, process: ProcessId) -> Wall {
    let age =
        i64::try_from(now.tick.0 / 1_000_000).unwrap_or(i64::MAX) - i64::try_from(process.start.saturating_mul(10)).unwrap_or(0);
    Wall(now.wall.0 - age)
}

fn oom(host: &dyn Host, pid: u32) -> Part<(i32, i32)> {
    let number = |name: &str| part(host.text(&file(pid, name))).map(|text| text.trim().parse().unwrap_or(0));
    Ok((number("oom_score")?, number("oom_score_adj")?))
}

/// The part as it was read last, or anew once it is due.
fn seldom<T: Clone>(host: &dyn Host, kept: &mut Option<Seldom<T>>, read: impl FnOnce() -> Part<T>) -> Part<T> {
    let begun = host.now().tick;
    if let Some(kept) = kept.as_ref().filter(|kept| begun < kept.due) {
        return kept.value.clone();
    }
    let value = read();
    let took = host.now().tick.seconds_since(begun);
    *kept = Some(Seldom { value: value.clone(), due: begun + Duration::from_secs_f64(SELDOM.max(took * RESTS)) });
    value
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
