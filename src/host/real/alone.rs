//! A process that outlives its parent: a session of its own, deaf to the signals that end a terminal's programs, none of the
//! descriptors of whoever started it, and late in the line of the out-of-memory killer.

use super::{RealHost, calls};
use crate::model::knob::Place;
use std::{fs::File, io::Write};

/// Of 1000; what services that must not die ask for (`choom(1)`).
const OOM_SCORE: &str = "-900";
/// Rollback is worth a little more than what it undoes.
const NICE: i32 = -5;

/// Detaches this process. To be the first deed of a process, before it opens anything or starts a thread.
///
/// SIGTERM is ignored too: who ends all of trimtab ends the engine, and the guard then undoes what it holds and goes. SIGKILL alone
/// takes it away, and an engine that lives starts another.
pub fn detach(host: &RealHost) {
    calls::close_inherited();
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGPIPE, libc::SIGTSTP] {
        calls::ignore(signal);
    }
    // A leader of its group is in a session of its own already.
    let _leader_already = rustix::process::setsid();
    // Both need rights that a plain user lacks.
    let _without_rights = rustix::process::setpriority_process(None, NICE);
    let score = host.path(&Place::proc("self/oom_score_adj"));
    let _without_rights = File::options().write(true).open(score).and_then(|mut file| file.write_all(OOM_SCORE.as_bytes()));
}
