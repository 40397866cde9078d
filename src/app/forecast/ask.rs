//! Asks the running engine where a number is heading, or what can be asked; without one the history of this host answers.

use crate::{
    app::{
        attach,
        cli::{Common, Forecast as Wish, Horizon},
        env::Env,
        failure::{Code, Failure},
        forecast::stored,
        out, text,
    },
    link::client::{Client, LinkError},
    model::{
        message::{Ask, Body, View},
        metric::Key,
        outlook::{Forecast, Outlook},
        pick::Pick,
        readings,
        time::Wall,
    },
};

/// Asks and prints.
pub async fn run(wish: &Wish, common: &Common, env: &Env) -> Result<(), Failure> {
    let Horizon::Span(horizon) = wish.horizon else {
        return Err(Failure::usage("steps are for --stdin; a horizon is a span such as 30m, 2h"));
    };
    let horizon = horizon.as_secs_f64();
    let mut client = match Client::connect(&attach::socket(common.socket.as_deref(), env), env.uid, &env.via).await {
        Ok(client) => client,
        Err(nobody @ LinkError::Nobody(_)) => {
            // What to do about a missing engine helps more than what is wrong with a missing history.
            return stored::run(wish, common, env, horizon).map_err(|failure| match failure.code {
                Code::Failed if !stored::is_kept(common, env) => Failure::from(nobody),
                _ => failure,
            });
        }
        Err(e) => return Err(e.into()),
    };
    let Body::View(view) = client.ask(Ask::View).await? else { return Err(strange()) };
    let outlook = view.outlook.as_deref().cloned().unwrap_or_default();
    let Some(name) = &wish.metric else {
        return if wish.json { out::json(&outlook.forecasts) } else { out::say(&text::forecast::list(view.now.wall, &outlook)) };
    };
    let mut all = Vec::new();
    for of in paths(&outlook, name)? {
        match client.ask(Ask::Forecast { of, horizon }).await? {
            Body::Forecast(forecast) => all.push(*forecast),
            Body::Error(why) => return Err(Failure::new(why)),
            _ => return Err(strange()),
        }
    }
    print(&all, wish, (view.now.wall, horizon), |key| present(&view, key))
}

fn strange() -> Failure {
    Failure::new("the engine answered something else than was asked")
}

/// The numbers that are meant, by their paths.
fn paths(outlook: &Outlook, name: &str) -> Result<Vec<String>, Failure> {
    let pick: Pick = name.parse().map_err(Failure::usage)?;
    let of_host = outlook.keys().any(|key| *key == Key::host(pick.metric));
    let keys: Vec<String> = outlook.keys().filter(|key| pick.means(key, of_host)).map(Key::path).collect();
    // What stands in no outlook may still be known to the engine, which else says why not.
    Ok(if keys.is_empty() { vec![name.into()] } else { keys })
}

/// Prints forecasts as they were wished for; `present` tells what a number is now.
pub fn print(
    all: &[Forecast],
    wish: &Wish,
    (now, horizon): (Wall, f64),
    present: impl Fn(&Key) -> Option<f64>,
) -> Result<(), Failure> {
    if wish.json {
        return out::json(&all);
    }
    let texts: Vec<String> = all.iter().map(|f| text::forecast::forecast(f, present(&f.key), (now, horizon))).collect();
    out::say(&texts.join("\n"))
}

/// The present value of a number.
fn present(view: &View, of: &Key) -> Option<f64> {
    let mut found = None;
    readings::snapshot(&view.snapshot, &mut |key, value| {
        if key == *of {
            found = Some(value);
        }
    });
    found
}
