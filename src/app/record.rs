//! `trimtab record`: watches without a screen and writes what it sees into a file for `trimtab replay`.

use crate::{
    actions,
    app::{
        cli::{Common, Record},
        env::Env,
        failure::Failure,
        out,
        parts::{self, Legacy, Memory, Rights, Wish},
        settings,
        signals::Signals,
    },
    engine::record::{End, Recording},
    host::{host::Host, real::RealHost},
    model::{text::clean, unit::Unit, when},
    store::history::{
        reader::History,
        writer::{Place, size},
    },
};
use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    time::Duration,
};

/// Between two lines that say how it goes.
const TELL: Duration = Duration::from_secs(60);

/// Runs until its time is over or a signal comes.
pub async fn run(wish: &Record, common: &Common, env: &Env) -> Result<(), Failure> {
    let mut signals = Signals::catch()?;
    let config = settings::load(common, env)?;
    let file = wish.out.clone().unwrap_or_else(usual);
    let path = std::path::absolute(&file).map_err(Failure::new)?;
    if path.exists() {
        return Err(Failure::new(format!("{}: there is such a file already", path.display())));
    }
    let place = Place { path: path.clone(), bytes: config.history.bytes };
    let recording = Recording { place, every: wish.every.saturating_sub(Duration::from_millis(500)), end: End::Closed };
    let (rights, memory) = (Rights::Observe, Memory::Recorded(recording));
    let wanted = Wish { actions: actions::proposed(), config, rights, legacy: Legacy::Stay, memory };
    let running = parts::start(&wanted, env)?;
    let console = std::io::stderr().is_terminal();
    let tell = |line: String| {
        if console {
            out::complain(&line);
        }
    };
    tell(format!("recording into {}; Ctrl-C ends it", path.display()));
    let over = async {
        match wish.last {
            Some(span) => tokio::time::sleep(span).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(over);
    let mut views = running.engine.views.clone();
    loop {
        tokio::select! {
            name = signals.next() => { tell(format!("{name}: ending")); break }
            () = &mut over => break,
            () = tokio::time::sleep(TELL) => tell(format!("{} so far", Unit::Bytes.show(size(&path) as f64))),
            changed = views.wait_for(|view| !view.problems.is_empty()) => {
                let why = changed.map_or_else(|_| "the engine has ended".into(), |view| view.problems.join("; "));
                running.engine.stop().await;
                return Err(Failure::new(why));
            }
        }
    }
    running.engine.stop().await;
    tell(summary(&path)?);
    Ok(())
}

/// A name that says where and when.
fn usual() -> PathBuf {
    let host = RealHost::default();
    let time: String = when::show(host.now().wall).chars().filter(|c| c.is_ascii_digit() || *c == ' ').collect();
    let name = clean(&host.facts().host, 64).replace(['/', ' '], "-");
    PathBuf::from(format!("trimtab-{name}-{}.history", time.replace(' ', "-")))
}

fn summary(path: &Path) -> Result<String, Failure> {
    let bytes = Unit::Bytes.show(size(path) as f64);
    let kept = History::open(path).and_then(|history| history.kept()).map_err(Failure::new)?;
    let Some((oldest, newest)) = kept else { return Ok(format!("{}: nothing was recorded", path.display())) };
    let (path, oldest, newest) = (path.display(), when::show(oldest), when::show(newest));
    Ok(format!("{path}: {oldest} to {newest}, {bytes}; open it with `trimtab replay {path}`"))
}
