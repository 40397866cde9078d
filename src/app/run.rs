//! From the command line to the way to run.

use crate::{
    actions,
    app::{
        anomalies, attach, audit,
        cli::{Audit, Cli, DemoPart, Format, Verb},
        daemon, demo, doctor,
        env::Env,
        failure::Failure,
        forecast, guard, halt, manual, metrics, once, out, parts, record, replay, settings, snapshot, solo, stream, verbs, what_if,
    },
    host::{host::Host, real::RealHost},
    sources,
};
use clap::{Parser, error::ErrorKind};
use std::{process::ExitCode, sync::Arc};

/// Parses, runs, says what went wrong.
pub fn main() -> ExitCode {
    let env = Env::here();
    let ended = match Cli::try_parse() {
        Ok(cli) => dispatch(&cli, &env),
        Err(e) if matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            out::say(&format!("{}\n", e.render().to_string().trim_end()))
        }
        Err(e) => Err(Failure::usage(e.render().to_string().trim_start_matches("error: "))),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out::complain(&failure.why);
            failure.code.into()
        }
    }
}

fn dispatch(cli: &Cli, env: &Env) -> Result<(), Failure> {
    if env.raised {
        return Err(Failure::usage("this program takes its rights from its user, not from set-uid"));
    }
    match &cli.verb {
        Some(Verb::Demo(demo)) => wait(demo::run::run(demo, &cli.common, env)),
        Some(Verb::DemoPart(part)) => demo_part(part),
        Some(Verb::Guard(of)) => guard::run(&of.directory),
        Some(Verb::Completions(wish)) => manual::completions(wish.shell),
        Some(Verb::Man) => manual::page(),
        Some(Verb::Doctor(format)) => diagnose(*format, cli, env),
        Some(Verb::Metrics(wish)) => wait(metrics::print::run(wish, &cli.common, env)),
        Some(Verb::Record(wish)) => wait(record::run(wish, &cli.common, env)),
        Some(Verb::Replay(wish)) => wait(replay::run(wish, &cli.common, env)),
        Some(Verb::Snapshot(wish)) => snapshot::run(wish, &cli.common, env),
        Some(Verb::Forecast(wish)) if wish.stdin => forecast::stdin::run(wish),
        Some(Verb::Forecast(wish)) => wait(forecast::ask::run(wish, &cli.common, env)),
        Some(Verb::Anomalies(wish)) => anomalies::run(wish),
        Some(Verb::WhatIf(wish)) if wish.stdin => what_if::stdin::run(wish),
        Some(Verb::WhatIf(wish)) => wait(what_if::ask::run(wish, &cli.common, env)),
        Some(Verb::Audit(Audit { what: Some(what), .. })) => audit::run(what, &cli.common, env),
        Some(Verb::Halt(format)) => wait(halt::run(true, *format, &cli.common, env)),
        Some(Verb::Resume(format)) => wait(halt::run(false, *format, &cli.common, env)),
        Some(Verb::Attach(wish)) => wait(solo::attach(wish, &cli.common, env)),
        Some(Verb::Daemon) => wait(daemon::run(&cli.common, env)),
        Some(verb) => wait(verbs::run(verb, env, &attach::socket(cli.common.socket.as_deref(), env))),
        None if cli.stream.is_some() => wait(stream::run(cli, env)),
        None if cli.once => {
            let format = if cli.json { once::Format::Json } else { once::Format::Text };
            once::run(&settings::load(&cli.common, env)?, format)
        }
        None => wait(solo::run(&cli.common, env)),
    }
}

fn demo_part(part: &DemoPart) -> Result<(), Failure> {
    match (part.part.as_str(), part.port, &part.file) {
        ("service", ..) => demo::service::run(part.parent, part.seconds),
        ("batch", ..) => demo::batch::run(part.parent, part.seconds),
        ("prober", Some(port), Some(file)) => demo::prober::run(part.parent, part.seconds, port, file),
        _ => Err(Failure::usage("parts of the demo are started by the demo")),
    }
}

fn diagnose(format: Format, cli: &Cli, env: &Env) -> Result<(), Failure> {
    let config = settings::load(&cli.common, env)?;
    let host: Arc<dyn Host> = Arc::new(RealHost::default());
    let mut sources = sources::all(&host, &config.services, parts::handles());
    let mut report = doctor::report(&*host, actions::proposed(), &mut sources);
    let history = match snapshot::local(&cli.common, env) {
        Ok(path) => doctor::history::line(&path, &config.history),
        Err(failure) => failure.why,
    };
    report.host.push(("history", history));
    let foresight = match snapshot::local(&cli.common, env) {
        Ok(path) => doctor::foresight::line(path.parent().unwrap_or(&path), &config.foresight),
        Err(failure) => failure.why,
    };
    report.host.push(("foresight", foresight));
    let judge = match snapshot::local(&cli.common, env) {
        Ok(path) => doctor::judge::line(path.parent().unwrap_or(&path)),
        Err(failure) => failure.why,
    };
    report.host.push(("judge", judge));
    if format.json { out::json(&report) } else { out::say(&report.to_string()) }
}

/// Runs to the end on this thread.
fn wait<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    runtime.block_on(work)
}
