//! Asks the running engine for its history and answers from that.

use crate::{
    analysis::capacity::question::{Question, what_if},
    app::{
        attach,
        cli::{Common, Station, WhatIf},
        env::Env,
        failure::Failure,
        out, text,
    },
    link::client::Client,
    model::{
        message::{Ask, Body, View, Welcome},
        metric::Key,
        series::Point,
        time::Wall,
    },
};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

/// Steps of a stretch of stored history at most; a finer one is not needed and costs the engine time.
const STEPS: usize = 2000;

/// Asks and prints.
pub async fn run(wish: &WhatIf, common: &Common, env: &Env) -> Result<(), Failure> {
    let mut client = Client::connect(&attach::socket(common.socket.as_deref(), env), env.uid, &env.via).await?;
    let Body::View(view) = client.ask(Ask::View).await? else { return Err(strange()) };
    let question = question(wish, &view)?;
    let known = match wish.last {
        Some(span) => stored(client, &question, view.now.wall, span).await?,
        None => recent(&question, client.watch().await?.0),
    };
    let said = what_if(&question, &|key| known.get(key).cloned());
    let said = said.map_err(|why| {
        Failure::new(format!("the data cannot say: {why}; a longer stretch with more varied load may (--last 6h)"))
    })?;
    if wish.json { out::json(&said) } else { out::say(&text::what_if::said(&question, &said)) }
}

fn strange() -> Failure {
    Failure::new("the engine answered something else than was asked")
}

fn question(wish: &WhatIf, view: &View) -> Result<Question, Failure> {
    let have = view.facts.cpus.max(1);
    match (&wish.of, wish.load, wish.cores, wish.workers) {
        (Some(Station::Disk(name)), Some(load), None, None) => {
            let known = view.snapshot.disk(name).is_some();
            known.then(|| Question::Disk { name: name.as_str().into(), load }).ok_or_else(|| missing("disk", name, view))
        }
        (Some(Station::Disk(_)), ..) => Err(Failure::usage("of a disk, suppose a load: --load +50%")),
        (Some(Station::Cpu), load, cores, None) if load.is_some() || cores.is_some() => {
            Ok(Question::Cpu { have, cores: cores.unwrap_or(have), load: load.unwrap_or(1.0) })
        }
        (Some(Station::Cpu), ..) => Err(Failure::usage("of the cpu, suppose cores or a load: --cores 4, --load +50%")),
        (Some(Station::Service(name)), load, None, workers) => {
            if !view.snapshot.services.known().into_iter().flatten().any(|s| *s.name == **name) {
                return Err(missing("service", name, view));
            }
            match (load, workers) {
                (Some(load), _) => Ok(Question::ServiceLoad { name: name.as_str().into(), load }),
                (None, Some(workers)) => Ok(Question::Workers { name: name.as_str().into(), workers }),
                (None, None) => Err(Failure::usage("of a service, suppose a load or workers: --load +50%, --workers 8")),
            }
        }
        _ => Err(Failure::usage("cores are of the cpu alone")),
    }
}

fn missing(kind: &str, name: &str, view: &View) -> Failure {
    let snapshot = &view.snapshot;
    let names: Vec<&str> = match kind {
        "disk" => snapshot.disks.known().into_iter().flatten().map(|d| &*d.name).collect(),
        _ => snapshot.services.known().into_iter().flatten().map(|s| &*s.name).collect(),
    };
    let there = if names.is_empty() { "there is none".into() } else { format!("there are {}", names.join(", ")) };
    Failure::usage(format!("there is no {kind} {name} here; {there}"))
}

/// What the engine has at hand, second by second.
fn recent(question: &Question, welcome: Welcome) -> HashMap<Key, Vec<f64>> {
    let keys = question.keys();
    let wanted: Vec<(Key, Vec<Point>)> = welcome.history.into_iter().filter(|(key, _)| keys.contains(key)).collect();
    let second = |point: &Point| point.at.0 / 1_000_000_000;
    let moments: BTreeMap<u64, usize> = {
        let mut all: Vec<u64> = wanted.iter().flat_map(|(_, points)| points.iter().map(second)).collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter().enumerate().map(|(place, at)| (at, place)).collect()
    };
    let aligned = wanted.into_iter().map(|(key, points)| {
        let mut row = vec![f64::NAN; moments.len()];
        for point in points {
            if let Some(slot) = moments.get(&second(&point)).and_then(|place| row.get_mut(*place)) {
                *slot = point.value;
            }
        }
        (key, row)
    });
    aligned.collect()
}

/// What is stored, in means of equal steps.
async fn stored(mut client: Client, question: &Question, now: Wall, span: Duration) -> Result<HashMap<Key, Vec<f64>>, Failure> {
    let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 4);
    let points = usize::try_from(span.as_secs() / 10).unwrap_or(STEPS).clamp(60, STEPS);
    let ask = Ask::Trace { keys: question.keys(), from: Wall(now.0.saturating_sub(millis)), to: now, points };
    let Body::Trace(trace) = client.ask(ask).await? else { return Err(strange()) };
    let means = |row: Vec<Option<crate::model::past::Trend>>| row.into_iter().map(|t| t.map_or(f64::NAN, |t| t.mean)).collect();
    Ok(trace.rows.into_iter().map(|(key, row)| (key, means(row))).collect())
}
