//! `trimtab guard DIR`: the process that outlives the engine. See [`crate::engine::guard::run`].

use crate::{
    actions,
    app::failure::Failure,
    engine::guard,
    host::real::{RealHost, alone},
};
use std::{path::Path, sync::Arc};

/// Runs it until its engine has ended and nothing is owed.
pub fn run(directory: &Path) -> Result<(), Failure> {
    let host = RealHost::default();
    alone::detach(&host);
    guard::run::run(Arc::new(host), actions::named, directory).map_err(Failure::new)
}
