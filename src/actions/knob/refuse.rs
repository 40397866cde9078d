//! Errors of the machine as refusals: what, where, and what to do about it.

use crate::{
    host::error::{HostError, Kind},
    model::{
        knob::Knob,
        plan::{Obstacle, Refusal},
    },
};

/// A refusal of that kind.
pub fn refusal(kind: Obstacle, why: impl Into<String>) -> Refusal {
    Refusal { kind, why: why.into() }
}

/// The refusal that an error of the host amounts to. `needs` is the capability that the action names, such as `CAP_SYS_NICE`; where
/// the host knows better it says so itself (see [`HostError::needing`]).
pub fn from_host(error: &HostError, needs: &str) -> Refusal {
    let errno = error.errno.map(|name| format!(" ({name})")).unwrap_or_default();
    match error.kind {
        Kind::Denied => {
            let (said, needs) = error.source.split_once(": needs ").unwrap_or((&error.source, needs));
            let what = format!("{} {}: {said}{errno}", error.op, error.spot);
            refusal(
                Obstacle::Rights { errno: error.errno.unwrap_or("denied").into(), needs: needs.into() },
                format!("{what}. Needs {needs}: run trimtab as root."),
            )
        }
        Kind::Gone => refusal(Obstacle::Gone, format!("{error}. Nothing was left to change.")),
        Kind::Absent => refusal(Obstacle::Unsupported, format!("{error}{errno}. This kernel or target has no such knob.")),
        Kind::Invalid => refusal(Obstacle::Unsupported, format!("{error}{errno}. The kernel does not take that value here.")),
        Kind::Full | Kind::Other => refusal(Obstacle::Failed, format!("{error}{errno}. See the kernel log, then try again.")),
    }
}

/// The value moved between decision and write.
pub fn moved(knob: &Knob, expected: &str, found: &str) -> Refusal {
    refusal(
        Obstacle::Moved,
        format!("{knob}: expected {expected}, found {found}. Somebody changed it since; look at the new proposal."),
    )
}

/// It is so already.
pub fn nothing(what: impl std::fmt::Display) -> Refusal {
    refusal(Obstacle::Nothing, format!("{what} already. Nothing to change."))
}

/// Every target has ended.
pub fn gone() -> Refusal {
    refusal(Obstacle::Gone, "every target has ended. Nothing was left to change.")
}
