//! `trimtab guard DIR`: the process that outlives the engine. See [`crate::engine::guard::run`].

use crate::{
    actions,
    app::failure::Failure,
    engine::guard,
    host::real::{RealHost, alone, brace},
};
use std::{path::Path, sync::Arc};

/// Runs it until its engine has ended and nothing is owed.
pub fn run(directory: &Path) -> Result<(), Failure> {
    let host = RealHost::default();
    // What braces its engine braces the guard: looked at while the engine still is its parent.
    let parent = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    if brace::locked(&host, &parent.to_string()).is_some_and(|bytes| bytes > 0) {
        let _told_by_the_engine = brace::brace(&host);
    }
    alone::detach(&host);
    guard::run::run(Arc::new(host), actions::named, directory).map_err(Failure::new)
}
