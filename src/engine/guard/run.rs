//! The guard process: hears the engine on standard input, answers on standard output, and wakes for deadlines.
//!
//! It holds plans in memory and the journal open, so that it needs nothing of a machine in trouble but the processor. End of input means
//! that the engine has ended, however that came about: then it undoes what is left and goes. Deadlines are of `CLOCK_BOOTTIME`, and are
//! looked at every half second while there are any, so that suspend and a stopped engine do not put them off.

use crate::{
    engine::{
        guard::keeper::Keeper,
        undo::{Lookup, Tools},
    },
    host::host::Host,
    model::knob::Place,
    store::journal::{self, Journal},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use std::{
    io::{Write, stdin, stdout},
    os::fd::AsFd,
    path::Path,
    sync::Arc,
    time::Duration,
};

/// The longest sleep while a deadline is ahead: `poll` does not count the time of a suspend.
const DOZE: Duration = Duration::from_millis(500);

/// Runs the guard of a state directory until its engine ends. `Err` when it could not even begin.
pub fn run(host: Arc<dyn Host>, actions: Lookup, directory: &Path) -> Result<(), String> {
    let journal = Journal::join(&directory.join(journal::FILE)).map_err(|e| e.to_string())?;
    let boot = host.text(&Place::proc("sys/kernel/random/boot_id")).map_err(|e| e.to_string())?;
    let tools = Tools { host: host.clone(), actions, journal, boot: boot.trim().into() };
    let mut keeper = Keeper::new(tools);
    let mut heard = Vec::new();
    while listen(&mut heard, patience(&keeper, host.as_ref())) {
        while let Some(end) = heard.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = heard.drain(..=end).collect();
            let answer = keeper.hear(String::from_utf8_lossy(&line).trim());
            // An engine that no longer listens has ended, or is about to: the end of input tells.
            let _no_listener = stdout().write_all(format!("{answer}\n").as_bytes()).and_then(|()| stdout().flush());
        }
        keeper.meet_deadlines();
    }
    keeper.engine_ended();
    Ok(())
}

/// How long to wait for the engine's next word.
fn patience(keeper: &Keeper, host: &dyn Host) -> Option<Duration> {
    keeper.deadline().map(|deadline| deadline.since(host.now().tick).min(DOZE))
}

/// Waits for more input, at most so long; false at its end.
fn listen(heard: &mut Vec<u8>, patience: Option<Duration>) -> bool {
    let input = stdin();
    let timeout = patience.map(|span| Timespec { tv_sec: 0, tv_nsec: i64::from(span.subsec_nanos()) });
    let mut ready = [PollFd::from_borrowed_fd(input.as_fd(), PollFlags::IN)];
    match poll(&mut ready, timeout.as_ref()) {
        Ok(0) | Err(Errno::INTR) => return true,
        Ok(_) => {}
        Err(_) => return false,
    }
    let mut some = [0; 4096];
    match rustix::io::read(&input, &mut some) {
        Ok(0) => false,
        Ok(count) => {
            heard.extend(some.iter().take(count));
            true
        }
        Err(Errno::INTR | Errno::AGAIN) => true,
        Err(_) => false,
    }
}
