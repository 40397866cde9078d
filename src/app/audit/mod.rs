//! The journal from outside: proved, exported and timed, by reading its file alone. No engine is needed, and a running one is not disturbed.

pub mod export;
pub mod timings;
pub mod verify;

use crate::{
    app::{
        cli::{AuditOf, Common},
        env::Env,
        failure::Failure,
    },
    store::{
        journal,
        proof::{Look, Proof},
    },
};
use std::path::PathBuf;

/// Runs one of them.
pub fn run(what: &AuditOf, common: &Common, env: &Env) -> Result<(), Failure> {
    let path = place(common, env)?;
    match what {
        AuditOf::Verify(wish) => verify::run(wish, &path),
        AuditOf::Export(wish) => export::run(wish, &path),
        AuditOf::Timings(format) => timings::run(*format, &path),
    }
}

/// The journal of this host.
fn place(common: &Common, env: &Env) -> Result<PathBuf, Failure> {
    let directory = common.state.clone().or_else(|| env.state_directory());
    let directory = directory.ok_or_else(|| Failure::new("there is no state directory: name one with --state DIR"))?;
    Ok(directory.join(journal::FILE))
}

/// Opens and proves a journal.
fn proved(path: &std::path::Path) -> Result<(Look, Proof), Failure> {
    let look = Look::open(path).map_err(Failure::new)?;
    let proof = look.prove().map_err(Failure::new)?;
    match proof.broken {
        // An engine may have opened a journal that stood still a moment ago: then it is read once more, as one that moves.
        Some(_) => {
            let look = Look::open(path).map_err(Failure::new)?;
            let proof = look.prove().map_err(Failure::new)?;
            Ok((look, proof))
        }
        None => Ok((look, proof)),
    }
}
