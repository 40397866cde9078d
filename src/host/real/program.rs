//! Programs of the system, run directly (never through a shell), in the C locale, with nothing of our environment, for a bounded time.

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open},
};
use std::{
    io::{self, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Where programs that it starts are looked for.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// Bytes of an answer that are read; what says more than a pipe holds is ended at its time.
const MOST: u64 = 65_536;

/// What a program said, and whether it succeeded.
#[derive(Debug)]
pub(super) struct Answer {
    /// It ended with 0.
    pub(super) well: bool,
    /// Standard output.
    pub(super) out: String,
    /// The first line of standard error.
    pub(super) trouble: String,
}

/// Runs it to its end; with all that it began it is killed once `patience` is over.
pub(super) fn run(program: &Path, args: &[&str], patience: Duration) -> io::Result<Answer> {
    let mut command = Command::new(program);
    command.args(args).env_clear().env("PATH", PATH).env("LC_ALL", "C").process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if !has_ended(Pid::from_child(&child), patience) {
        // It has not been waited for: its number, and its group's, are still its own.
        let _gone = kill_process_group(Pid::from_child(&child), Signal::KILL);
        let _reaped = child.wait();
        return Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", patience.as_secs_f64())));
    }
    let well = child.wait()?.success();
    let (out, trouble) = said(&mut child);
    Ok(Answer { well, out, trouble: crate::model::text::clean(trouble.lines().next().unwrap_or_default(), 200).to_string() })
}

fn said(child: &mut Child) -> (String, String) {
    let read = |from: Option<&mut dyn Read>| {
        let mut bytes = Vec::new();
        // What cannot be read was not said.
        let _unread = from.map(|from| from.take(MOST).read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let out = read(child.stdout.as_mut().map(|pipe| pipe as &mut dyn Read));
    (out, read(child.stderr.as_mut().map(|pipe| pipe as &mut dyn Read)))
}

fn has_ended(pid: Pid, patience: Duration) -> bool {
    let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
    let Ok(timeout) = Timespec::try_from(patience) else { return false };
    loop {
        match poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&timeout)) {
            Err(rustix::io::Errno::INTR) => {}
            ready => return ready.is_ok_and(|count| count > 0),
        }
    }
}
