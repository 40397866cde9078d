//! The doctor's line on the history: where it is, how much of its bytes it takes, how far back it goes.

use crate::{
    model::{limits::Keeping, unit::Unit, when},
    store::history::{reader::History, writer::size},
};
use std::path::Path;

/// The line.
pub fn line(path: &Path, keeping: &Keeping) -> String {
    let show = |bytes: u64| Unit::Bytes.show(bytes as f64);
    let kept =
        if path.exists() { History::open(path).and_then(|history| history.kept()).map_err(|e| e.to_string()) } else { Ok(None) };
    let off = if keeping.keep { "" } else { "; nothing is added, the configuration says so" };
    match kept {
        Err(why) => why,
        Ok(None) => format!("nothing yet, {}{off}", path.display()),
        Ok(Some((oldest, newest))) => format!(
            "{} to {}, {} of {}, {}{off}",
            when::show(oldest),
            when::show(newest),
            show(size(path)),
            show(keeping.bytes),
            path.display()
        ),
    }
}
