//! `trimtab --stream`: a line for each sweep of the host, for programs. It attaches to the running engine, or reads by itself and
//! changes nothing; it ends when its reader does.

pub mod csv;
pub mod jsonl;
pub mod values;

use crate::{
    app::{
        cli::{Cli, Stream},
        env::Env,
        failure::Failure,
        out::{self, Reader},
        settings,
        stream::{csv::Csv, jsonl::Jsonl},
        watching::Watching,
    },
    model::message::View,
};
use std::time::Duration;

/// Sweeps come a little early and a little late: so much early counts.
const JITTER: Duration = Duration::from_millis(500);

/// What makes lines of views.
pub trait Lines {
    /// The lines for a view; the first ones come with their heading.
    fn lines(&mut self, view: &View) -> String;
}

/// Runs it.
pub async fn run(cli: &Cli, env: &Env) -> Result<(), Failure> {
    let config = settings::load(&cli.common, env)?;
    let mut lines: Box<dyn Lines> = match cli.stream {
        Some(Stream::Csv) => Box::new(Csv::new(cli.keys.clone())),
        _ => Box::new(Jsonl::new(cli.keys.clone())),
    };
    let mut watching = Watching::begin(&cli.common, env, &config).await?;
    let ended = follow(&mut watching, &mut *lines, cli).await;
    watching.end().await;
    ended
}

async fn follow(watching: &mut Watching, lines: &mut dyn Lines, cli: &Cli) -> Result<(), Failure> {
    let every = Duration::from_secs(cli.every);
    let mut last = None;
    let mut left = cli.count;
    while left != Some(0) {
        let view = watching.sweep().await?;
        let at = view.snapshot.vitals.now.tick;
        if last.is_some_and(|last| at.since(last) + JITTER < every) {
            continue;
        }
        last = Some(at);
        let text = lines.lines(&view);
        // A reader that is slow makes its pipe wait, not the connection to the engine: views go on coming, and the newest is next.
        let poured = tokio::task::spawn_blocking(move || out::pour(&text)).await.map_err(Failure::new)??;
        if poured == Reader::Gone {
            return Ok(());
        }
        left = left.map(|left| left - 1);
    }
    Ok(())
}
