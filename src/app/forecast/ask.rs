//! Asks the running engine where a number is heading, or what can be asked.

use crate::{
    app::{
        cli::{Common, Forecast as Wish, Horizon},
        env::Env,
        failure::Failure,
        out, text,
    },
    link::client::Client,
    model::{
        ahead::after,
        message::{Ask, Body, View},
        outlook::{Forecast, Outlook},
        pick::Pick,
        readings,
        time::Wall,
    },
};
use std::sync::Arc;

/// Asks and prints.
pub async fn run(wish: &Wish, common: &Common, env: &Env) -> Result<(), Failure> {
    let Horizon::Span(horizon) = wish.horizon else {
        return Err(Failure::usage("steps are for --stdin; a horizon is a span such as 30m, 2h"));
    };
    let mut client = Client::connect(&env.socket(common.socket.as_deref()), env.uid, &env.via).await?;
    let Body::View(view) = client.ask(Ask::View).await? else {
        return Err(Failure::new("the engine answered something else than was asked"));
    };
    let outlook = view.outlook.clone().unwrap_or_default();
    let Some(metric) = &wish.metric else { return list(&view, &outlook, wish) };
    let all = find(&outlook, metric, horizon.as_secs_f64(), view.now.wall)?;
    if wish.json {
        return out::json(&all);
    }
    let shown: Vec<String> = all.iter().map(|forecast| text::forecast::forecast(forecast, &view, horizon.as_secs_f64())).collect();
    out::say(&shown.join("\n"))
}

fn list(view: &View, outlook: &Outlook, wish: &Wish) -> Result<(), Failure> {
    if wish.json {
        return out::json(&outlook.forecasts);
    }
    out::say(&text::forecast::list(view, outlook))
}

/// The forecasts that answer for what was named.
fn find(outlook: &Outlook, name: &str, horizon: f64, now: Wall) -> Result<Vec<Arc<Forecast>>, Failure> {
    let pick: Pick = name.parse().map_err(Failure::usage)?;
    let of_host = outlook.keys().any(|key| *key == crate::model::metric::Key::host(pick.metric));
    let keys = outlook.keys().filter(|key| pick.means(key, of_host));
    let end = after(now, horizon);
    let all: Vec<_> = keys.filter_map(|key| outlook.answer(key, end).or_else(|| outlook.chief(key)).cloned()).collect();
    if all.is_empty() {
        let why = format!("there is no forecast of {name} yet; `trimtab forecast` lists those that there are");
        return Err(Failure::new(why));
    }
    Ok(all)
}

/// The present value of what is forecast.
pub fn present(view: &View, forecast: &Forecast) -> Option<f64> {
    let mut found = None;
    readings::snapshot(&view.snapshot, &mut |key, value| {
        if key == forecast.key {
            found = Some(value);
        }
    });
    found
}
