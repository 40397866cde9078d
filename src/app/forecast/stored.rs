//! Where a number is heading as the history of this host tells it, where no engine runs.

use crate::{
    app::{
        cli::{Common, Forecast as Wish},
        env::Env,
        failure::Failure,
        forecast::ask,
        out, snapshot,
        text::rows::clock,
    },
    engine::seer::stored,
    model::{ahead::after, metric::Key, outlook::Forecast, pick::Pick},
    store::{foresight, history::reader::History},
};

/// Seconds before its end in which the history must know of a number for it to be of interest.
const PRESENT: f64 = 3600.0;

/// Whether there is a history.
pub fn is_kept(common: &Common, env: &Env) -> bool {
    snapshot::local(common, env).is_ok_and(|path| path.exists())
}

/// Prints what was wished for.
pub fn run(wish: &Wish, common: &Common, env: &Env, horizon: f64) -> Result<(), Failure> {
    let history = History::open(&snapshot::local(common, env)?).map_err(Failure::new)?;
    let (_, newest) = history.kept().map_err(Failure::new)?.ok_or_else(|| Failure::new("nothing is kept yet"))?;
    let mut keys = history.keys(after(newest, -PRESENT), after(newest, 1.0)).map_err(Failure::new)?;
    keys.sort_by_key(Key::path);
    if !wish.json {
        out::say(&format!("no engine runs; this is what the history tells, up to {}\n", clock(newest)))?;
    }
    let Some(name) = &wish.metric else {
        let paths: Vec<String> = keys.iter().map(Key::path).collect();
        return if wish.json { out::json(&paths) } else { out::say(&(paths.join("\n") + "\n")) };
    };
    let pick: Pick = name.parse().map_err(Failure::usage)?;
    let of_host = keys.contains(&Key::host(pick.metric));
    keys.retain(|key| pick.means(key, of_host));
    if keys.is_empty() {
        return Err(Failure::new(format!("the history knows no {name}; `trimtab forecast` lists what can be asked")));
    }
    let record = foresight::load(&history.path().with_file_name(foresight::FILE)).unwrap_or_default();
    let look = |key: &Key| stored::forecast(&history, key, horizon, record.clone()).map_err(Failure::new);
    let all: Vec<(Forecast, Option<f64>)> = keys.iter().map(look).collect::<Result<_, _>>()?;
    let present: Vec<(Key, Option<f64>)> = all.iter().map(|(forecast, last)| (forecast.key.clone(), *last)).collect();
    let all: Vec<Forecast> = all.into_iter().map(|(forecast, _)| forecast).collect();
    let last = |key: &Key| present.iter().find(|(of, _)| of == key).and_then(|(_, last)| *last);
    ask::print(&all, wish, (newest, horizon), last)
}
