//! `trimtab snapshot`: the newest minutes of this host's history as one small file, for a colleague to open with `trimtab replay`.

use crate::{
    app::{
        cli::{Common, Snapshot},
        env::Env,
        failure::Failure,
        out,
    },
    model::{time::Wall, unit::Unit},
    store::history::{file, reader::History, snapshot, writer::size},
};
use std::path::PathBuf;

/// Writes it.
pub fn run(wish: &Snapshot, common: &Common, env: &Env) -> Result<(), Failure> {
    let history = History::open(&local(common, env)?).map_err(Failure::new)?;
    let (_, newest) = history.kept().map_err(Failure::new)?.ok_or_else(|| Failure::new("nothing is kept yet"))?;
    let from = Wall(newest.0 - i64::try_from(wish.last.as_millis()).unwrap_or(i64::MAX / 2));
    let frames = snapshot::write(&history, &wish.file, (from, newest)).map_err(Failure::new)?;
    let (file, bytes) = (wish.file.display(), Unit::Bytes.show(size(&wish.file) as f64));
    out::say(&format!("{file}: {frames} sweeps, {bytes}; open it with `trimtab replay {file}`\n"))
}

/// The history of this host.
pub fn local(common: &Common, env: &Env) -> Result<PathBuf, Failure> {
    let directory = common.state.clone().or_else(|| env.state_directory());
    let directory =
        directory.ok_or_else(|| Failure::new("there is no state directory, so no history: name one with --state DIR"))?;
    Ok(directory.join(file::FILE))
}
