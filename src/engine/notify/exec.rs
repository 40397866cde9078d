//! Telling a program: no shell, JSON on standard input, a few variables of fixed names, and an end at its time-out with all it began.

use crate::engine::notify::notice::{Message, severity};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open},
};
use std::{
    io::Write,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Where programs are looked for by those that are started.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Bytes that a pipe takes without a reader: a program that never reads cannot make us wait (pipe(7): 65536).
const PIPE: usize = 60_000;

/// Runs it and waits for its end.
pub fn tell(args: &[String], message: &Message<'_>, patience: Duration) -> Result<(), String> {
    let Some((program, args)) = args.split_first() else { return Err("there is no program to start".into()) };
    let mut command = Command::new(program);
    command.args(args).env_clear().env("PATH", PATH).process_group(0);
    command.env("TRIMTAB_HOST", message.host).env("TRIMTAB_SEVERITY", severity(message.worst()));
    command.env("TRIMTAB_COUNT", (message.notices.len() + message.left_out).to_string());
    if let Some(newest) = message.notices.last() {
        command.env("TRIMTAB_EVENT", newest.event.words()).env("TRIMTAB_ALERT", newest.alert.id.0.to_string());
    }
    command.env("TRIMTAB_HEADLINE", message.headline());
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| format!("cannot start: {e}"))?;
    if let Some(mut input) = child.stdin.take() {
        let json = message.json();
        // A program that does not read its input has a right to: it has the variables.
        let _unread = input.write_all(json.as_bytes().get(..json.len().min(PIPE)).unwrap_or_default());
    }
    wait(&mut child, patience)
}

fn wait(child: &mut Child, patience: Duration) -> Result<(), String> {
    let pid = Pid::from_child(child);
    if !has_ended(pid, patience) {
        // It has not been waited for: its number, and its group's, are still its own.
        let _gone = kill_process_group(pid, Signal::KILL);
        let _reaped = child.wait();
        return Err(format!("did not end within {} s and was killed", patience.as_secs_f64()));
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("failed: {status}")),
        Err(e) => Err(format!("cannot be waited for: {e}")),
    }
}

fn has_ended(pid: Pid, patience: Duration) -> bool {
    let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
    let Ok(timeout) = Timespec::try_from(patience) else { return false };
    poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&timeout)).is_ok_and(|ready| ready > 0)
}
