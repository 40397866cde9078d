//! Verbs that speak to a running engine: ask, print, exit code.

use crate::{
    app::{
        cli::{Audit, Format, One, Rollback, Verb},
        env::Env,
        failure::Failure,
        out, text,
    },
    link::client::Client,
    model::{
        change::{Change, ChangeId},
        lesson::Lessons,
        message::{Ask, Body, Command, Reply, View},
        outlook::Outlook,
    },
};
use std::{path::Path, sync::Arc};

/// Runs one of them.
pub async fn run(verb: &Verb, env: &Env, socket: &Path) -> Result<(), Failure> {
    let mut client = Client::connect(socket, env.uid, &env.via).await?;
    let order = |format: Format, command| (format, command);
    let (format, command) = match verb {
        Verb::Status(format) => return status(&mut client, *format).await,
        Verb::Why(format) => return why(&view(&mut client).await?, *format),
        Verb::Queue(format) => return queue(&view(&mut client).await?, *format),
        Verb::Show(one) => return show(&view(&mut client).await?, *one),
        Verb::Audit(wish) => return audit(&mut client, wish).await,
        Verb::Learned(format) => return learned(&mut client, *format).await,
        Verb::Approve(one) => order(one.format, Command::Approve { change: one.id, digest: None }),
        Verb::Apply(one) => order(one.format, Command::Apply { change: one.id, digest: None }),
        Verb::Reject(one) => order(one.format, Command::Reject(one.id)),
        Verb::Keep(one) => order(one.format, Command::Keep(one.id)),
        Verb::Rollback(Rollback { id: Some(id), format, .. }) => order(*format, Command::RollBack(*id)),
        Verb::Rollback(wish) => order(wish.format, Command::RollBackAll),
        Verb::Alerts(format) => return alerts(&view(&mut client).await?, *format),
        Verb::Ack(one) => order(one.format, Command::Acknowledge(one.id)),
        Verb::Snooze(wish) => order(wish.format, Command::Snooze { alert: wish.id, seconds: wish.span }),
        Verb::Rescue(wish) => order(wish.format, Command::Rescue(wish.kind)),
        Verb::Mode(wish) => order(wish.format, Command::SetMode(wish.to)),
        Verb::Record(_)
        | Verb::Replay(_)
        | Verb::Snapshot(_)
        | Verb::Forecast(_)
        | Verb::Anomalies(_)
        | Verb::WhatIf(_)
        | Verb::Demo(_)
        | Verb::Daemon
        | Verb::Halt(_)
        | Verb::Resume(_)
        | Verb::Attach(_)
        | Verb::Metrics(_)
        | Verb::Completions(_)
        | Verb::Man
        | Verb::Doctor(_)
        | Verb::DemoPart(_)
        | Verb::Guard(_) => {
            return Err(Failure::usage("this is nothing that an engine can be asked"));
        }
    };
    command_engine(&mut client, command, format).await
}

async fn command_engine(client: &mut Client, command: Command, format: Format) -> Result<(), Failure> {
    let Body::Reply(reply) = client.ask(Ask::Do(command)).await? else { return Err(strange()) };
    if format.json {
        out::json(&reply)?;
        return match reply {
            Reply::Done(_) => Ok(()),
            Reply::Refused(_) => Err(Failure::said()),
        };
    }
    match reply {
        Reply::Done(what) => out::say(&(what + "\n")),
        Reply::Refused(why) => Err(Failure::new(why)),
    }
}

async fn view(client: &mut Client) -> Result<View, Failure> {
    match client.ask(Ask::View).await? {
        Body::View(view) => Ok(*view),
        _ => Err(strange()),
    }
}

fn strange() -> Failure {
    Failure::new("the engine answered something else than was asked")
}

async fn status(client: &mut Client, format: Format) -> Result<(), Failure> {
    let view = view(client).await?;
    let timings = lessons(client).await.ok().map(|lessons| lessons.timings);
    if format.json {
        out::json(&text::status::Status::of(&view, timings))
    } else {
        out::say(&text::status::status(&view, timings.as_ref()))
    }
}

async fn lessons(client: &mut Client) -> Result<Lessons, Failure> {
    match client.ask(Ask::Learned).await? {
        Body::Learned(lessons) => Ok(*lessons),
        Body::Error(why) => Err(Failure::new(why)),
        _ => Err(strange()),
    }
}

async fn learned(client: &mut Client, format: Format) -> Result<(), Failure> {
    let lessons = lessons(client).await?;
    if format.json { out::json(&lessons) } else { out::say(&text::learned::learned(&lessons)) }
}

fn why(view: &View, format: Format) -> Result<(), Failure> {
    let Outlook { anomalies, unusual, links, stories, patterns, .. } = view.outlook.as_deref().cloned().unwrap_or_default();
    let outlook = Outlook { anomalies, unusual, links, stories, patterns, ..Outlook::default() };
    if format.json { out::json(&outlook) } else { out::say(&text::why::why(&outlook, view)) }
}

fn queue(view: &View, format: Format) -> Result<(), Failure> {
    let mut changes = view.changes.to_vec();
    changes.sort_by(|a, b| a.queue_order(b));
    if format.json { out::json(&changes) } else { out::say(&text::change::queue(&changes)) }
}

fn alerts(view: &View, format: Format) -> Result<(), Failure> {
    if format.json { out::json(&view.alerts) } else { out::say(&text::alerts::alerts(&view.alerts)) }
}

fn show(view: &View, one: One) -> Result<(), Failure> {
    let change = find(view, one.id)?;
    if one.format.json { out::json(change) } else { out::say(&text::change::change(change)) }
}

fn find(view: &View, id: ChangeId) -> Result<&Arc<Change>, Failure> {
    view.changes
        .iter()
        .find(|change| change.id == id)
        .ok_or_else(|| Failure::new(format!("there is no change {id} in the queue (`trimtab audit` has the journal)")))
}

async fn audit(client: &mut Client, wish: &Audit) -> Result<(), Failure> {
    let Body::Audit(entries) = client.ask(Ask::Audit { most: wish.most }).await? else { return Err(strange()) };
    if wish.format.json { out::json(&entries) } else { out::say(&text::audit::audit(&entries)) }
}
