//! `trimtab metrics`: the page once, on standard output, or into a file for node_exporter's textfile collector.

use crate::{
    app::{
        cli::{Common, Metrics},
        env::Env,
        failure::Failure,
        out, settings,
        watching::Watching,
    },
    model::message::{Ask, Body, Exposition},
};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Runs it.
pub async fn run(wish: &Metrics, common: &Common, env: &Env) -> Result<(), Failure> {
    let config = settings::load(common, env)?;
    let mut watching = Watching::begin(common, env, &config).await?;
    watching.sweep().await?;
    // The collector reads the older format only.
    let format = wish.format.unwrap_or(if wish.out.is_some() { Exposition::Text } else { Exposition::OpenMetrics });
    let body = watching.ask(Ask::Metrics(format)).await;
    watching.end().await;
    let Body::Metrics(page) = body? else { return Err(Failure::new("the engine answered something else than was asked")) };
    match &wish.out {
        Some(path) => replace(path, &page).map_err(|e| Failure::new(format!("{}: {e}", path.display()))),
        None => out::say(&page),
    }
}

/// Puts a whole new file in the place of the old one: whoever reads it meanwhile sees one or the other.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    // A name that does not end in `.prom`, so that the collector never reads half of it.
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // It may not even have been made.
        let _gone = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trimtab.prom");
        for text in ["old\n", "new\n"] {
            replace(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        fs::create_dir(dir.path().join("full")).unwrap();
        fs::write(dir.path().join("full/file"), "").unwrap();
        assert!(replace(&dir.path().join("full"), "x").is_err(), "a directory is not replaced");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
