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
        Kind::Denied if error.errno == Some("EROFS") => {
            refusal(Obstacle::Unsupported, format!("{error}{errno}. No right changes that here: it is mounted read-only."))
        }
        Kind::Denied => denied(error, &errno, needs),
        Kind::Gone => refusal(Obstacle::Gone, format!("{error}. Nothing was left to change.")),
        Kind::Absent => refusal(Obstacle::Unsupported, format!("{error}{errno}. This kernel or target has no such knob.")),
        Kind::Invalid => refusal(Obstacle::Unsupported, format!("{error}{errno}. The kernel does not take that value here.")),
        Kind::Full | Kind::Other => refusal(Obstacle::Failed, format!("{error}{errno}. See the kernel log, then try again.")),
    }
}

/// Rights are missing. They are named once, in the host's own words where it has said which.
fn denied(error: &HostError, errno: &str, needs: &str) -> Refusal {
    let mut words = error.source.split(": needs ");
    let said = words.next().unwrap_or_default();
    let needs = words.next().unwrap_or(needs);
    let cure = if said.contains(needs) { "Run trimtab as root.".into() } else { format!("Needs {needs}: run trimtab as root.") };
    refusal(
        Obstacle::Rights { errno: error.errno.unwrap_or("denied").into(), needs: needs.into() },
        format!("{} {}: {said}{errno}. {cure}", error.op, error.spot),
    )
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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use std::io;

    fn denied(code: i32) -> HostError {
        HostError::new("write", "/proc/x", &io::Error::from_raw_os_error(code))
    }

    #[test]
    fn missing_rights_are_named_once() {
        let plain = from_host(&denied(libc::EPERM), "CAP_SYS_NICE").why;
        assert_eq!(plain, "write /proc/x: Operation not permitted (EPERM). Needs CAP_SYS_NICE: run trimtab as root.");
        let known = from_host(&denied(libc::EACCES).needing("CAP_KILL"), "CAP_SYS_NICE");
        assert_eq!(known.why, "write /proc/x: Permission denied (EACCES). Needs CAP_KILL: run trimtab as root.");
        assert_eq!(known.kind, Obstacle::Rights { errno: "EACCES".into(), needs: "CAP_KILL".into() });
        let twice = from_host(&denied(libc::EACCES).needing("CAP_KILL").needing("root"), "CAP_SYS_NICE");
        assert_eq!(twice, known, "who was nearest knows best");
        let told = HostError::plain("write", "/proc/x", Kind::Denied, "could not be undone without CAP_SYS_NICE");
        let told = from_host(&told, "CAP_SYS_NICE").why;
        assert_eq!(told, "write /proc/x: could not be undone without CAP_SYS_NICE. Run trimtab as root.");
    }

    #[test]
    fn no_right_makes_a_read_only_file_writable() {
        let refused = from_host(&denied(libc::EROFS).needing("root"), "root");
        assert_eq!(refused.kind, Obstacle::Unsupported);
        assert_eq!(
            refused.why,
            "write /proc/x: Read-only file system (EROFS). No right changes that here: it is mounted read-only."
        );
    }
}
