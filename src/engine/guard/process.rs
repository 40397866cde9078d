//! The engine's side of the guard: a child process, started with the first apply, spoken to in lines through its standard input and output.
//!
//! The child detaches itself (a session of its own, deaf to signals), so that it outlives terminal and engine; the end of its input is how
//! it learns that the engine has ended. One that dies is started anew and armed again from the journal.

use crate::{
    engine::guard::arm::Guard,
    model::{change::ChangeId, message::GuardState},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use std::{
    collections::BTreeSet,
    ffi::OsString,
    io::{Read, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// For an answer; starting it takes some ten milliseconds.
const PATIENCE: Timespec = Timespec { tv_sec: 3, tv_nsec: 0 };

/// For its end, when the engine ends: it may have to roll back.
const FAREWELL: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// A guard that runs, as the engine speaks with it: a line there, a line back. Letting go of it ends its input.
pub trait Peer: Send {
    /// Its pid.
    fn id(&self) -> u32;

    /// Whether it still runs.
    fn lives(&mut self) -> bool;

    /// Tells it a line.
    fn tell(&mut self, line: &str) -> Result<(), String>;

    /// Waits for its next line, some seconds at most.
    fn line(&mut self) -> Result<String, String>;
}

/// Starts a guard.
pub type Start = Box<dyn FnMut() -> Result<Box<dyn Peer>, String> + Send>;

/// The guard as a process.
pub struct GuardProcess {
    start: Start,
    born: Box<dyn Fn(u32) + Send>,
    running: Option<Box<dyn Peer>>,
    /// Changes that it was ever armed for, in the order in which they were applied, and of those the ones that nobody has confirmed.
    known: Vec<ChangeId>,
    open: BTreeSet<ChangeId>,
    failed: Option<String>,
}

impl GuardProcess {
    /// A guard that will run `program args`; `born` is told its pid (0 when it is gone).
    pub fn new(program: PathBuf, args: Vec<OsString>, born: Box<dyn Fn(u32) + Send>) -> GuardProcess {
        let start = move || Running::start(&program, &args).map(|running| Box::new(running) as Box<dyn Peer>);
        GuardProcess::over(Box::new(start), born)
    }

    /// A guard that is started in that way, and spoken to through what that gives.
    pub fn over(start: Start, born: Box<dyn Fn(u32) + Send>) -> GuardProcess {
        GuardProcess { start, born, running: None, known: Vec::new(), open: BTreeSet::new(), failed: None }
    }

    /// The running guard; starts one where there is none, and arms it for all that an earlier one held.
    fn running(&mut self) -> Result<&mut Box<dyn Peer>, String> {
        if !self.running.as_mut().is_some_and(|peer| peer.lives()) {
            self.running = None;
            (self.born)(0);
            let mut fresh = (self.start)()?;
            let mut settled = Vec::new();
            for change in &self.known {
                if ask(fresh.as_mut(), *change)? == Answer::Settled {
                    settled.push(*change);
                }
            }
            for change in settled {
                self.known.retain(|known| *known != change);
                self.open.remove(&change);
            }
            (self.born)(fresh.id());
            self.running = Some(fresh);
        }
        self.running.as_mut().ok_or_else(|| "it ended at once".to_string())
    }

    fn standing(&self) -> GuardState {
        match (&self.failed, &self.running) {
            (Some(why), _) => GuardState::Failed(why.clone()),
            (None, Some(running)) => GuardState::Armed { pid: running.id(), plans: self.open.len() },
            (None, None) => GuardState::Idle,
        }
    }
}

impl Guard for GuardProcess {
    fn arm(&mut self, change: ChangeId) -> Result<GuardState, String> {
        let armed = self.running().and_then(|running| ask(running.as_mut(), change)).and_then(|answer| match answer {
            Answer::Armed => Ok(()),
            Answer::Settled => Err(format!("the guard takes {change} for ended")),
        });
        self.failed = armed.as_ref().err().cloned();
        armed?;
        if !self.known.contains(&change) {
            self.known.push(change);
        }
        self.open.insert(change);
        Ok(self.standing())
    }

    fn disarm(&mut self, change: ChangeId) {
        if self.open.remove(&change)
            && let Some(running) = &mut self.running
        {
            // One that is gone is noticed, and started anew, by the next look.
            let _gone = running.tell(&format!("disarm {}", change.0));
        }
    }

    fn state(&mut self) -> GuardState {
        if !self.known.is_empty() && !self.running.as_mut().is_some_and(|peer| peer.lives()) {
            self.failed = self.running().err();
        }
        self.standing()
    }
}

/// What it answers to `arm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// It holds the plan.
    Armed,
    /// The change has been kept or has ended.
    Settled,
}

struct Running {
    child: Child,
    /// `None` once it was told to end.
    input: Option<ChildStdin>,
    output: ChildStdout,
    heard: Vec<u8>,
}

impl Running {
    fn start(program: &PathBuf, args: &[OsString]) -> Result<Running, String> {
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|e| format!("cannot start {}: {e}", program.display()))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Running { child, input: Some(input), output, heard: Vec::new() }),
            _ => Err("it has no pipes".into()),
        }
    }
}

/// Arms it for a change and waits for the answer that is about this one; others are late ones.
fn ask(peer: &mut dyn Peer, change: ChangeId) -> Result<Answer, String> {
    peer.tell(&format!("arm {}", change.0))?;
    loop {
        let line = peer.line()?;
        let mut words = line.splitn(3, ' ');
        let (word, number, why) = (words.next(), words.next(), words.next());
        if number.and_then(|n| n.parse().ok()) != Some(change.0) {
            continue;
        }
        match word {
            Some("armed") => return Ok(Answer::Armed),
            Some("settled") => return Ok(Answer::Settled),
            Some("refused") => return Err(why.unwrap_or("it refuses").into()),
            _ => {}
        }
    }
}

impl Peer for Running {
    fn id(&self) -> u32 {
        self.child.id()
    }

    fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn tell(&mut self, line: &str) -> Result<(), String> {
        let Some(input) = &mut self.input else { return Err("it was told to end".into()) };
        input.write_all(format!("{line}\n").as_bytes()).map_err(|e| format!("it does not listen: {e}"))
    }

    fn line(&mut self) -> Result<String, String> {
        loop {
            if let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim().into());
            }
            if !readable(&self.output, &PATIENCE)? {
                return Err("it does not answer".into());
            }
            let mut some = [0; 512];
            match self.output.read(&mut some) {
                Ok(0) => return Err("it has ended".into()),
                Ok(count) => self.heard.extend(some.iter().take(count)),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(format!("it cannot be heard: {e}")),
            }
        }
    }
}

impl Drop for Running {
    /// Ends its input and waits until it has undone what it held. One that takes too long goes on by itself.
    fn drop(&mut self) {
        self.input = None;
        let mut rest = [0; 512];
        while let Ok(true) = readable(&self.output, &FAREWELL) {
            match self.output.read(&mut rest) {
                Ok(0) => {
                    let _already_waited_for = self.child.wait();
                    return;
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}

/// Whether there is something to read, or its end, within that time.
fn readable(output: &ChildStdout, within: &Timespec) -> Result<bool, String> {
    loop {
        let mut ready = [PollFd::new(output, PollFlags::IN)];
        match poll(&mut ready, Some(within)) {
            Ok(count) => return Ok(count > 0),
            Err(Errno::INTR) => {}
            Err(e) => return Err(format!("it cannot be heard: {e}")),
        }
    }
}
