//! An engine to look at, for what only reads: the running one, or one of its own that changes nothing.

use crate::{
    actions,
    app::{
        attach,
        cli::Common,
        desk,
        env::Env,
        failure::{Code, Failure},
        parts::{self, Legacy, Memory, Rights, Running, Wish},
        seat::Seat,
    },
    config::sections::Config,
    model::{
        change::Who,
        message::{Ask, Body, View},
        snapshot::{Reading, Snapshot},
        time::Tick,
    },
};
use std::sync::Arc;
use tokio::sync::oneshot;

/// A seat that is looked from, and the engine if it is our own.
pub struct Watching {
    seat: Seat,
    own: Option<Running>,
    /// The sweep seen last.
    seen: Option<Tick>,
}

impl Watching {
    /// Takes a seat at the running engine, or starts one that only watches.
    pub async fn begin(common: &Common, env: &Env, config: &Config) -> Result<Watching, Failure> {
        match attach::seat(env, &attach::socket(common.socket.as_deref(), env)).await {
            Ok(seat) => return Ok(Watching { seat, own: None, seen: None }),
            Err(failure) if failure.code == Code::NoEngine => {}
            Err(failure) => return Err(failure),
        }
        let wish = Wish {
            actions: actions::proposed(),
            config: config.clone(),
            rights: Rights::Observe,
            legacy: Legacy::Stay,
            memory: Memory::Usual,
        };
        let own = parts::start(&wish, env)?;
        let seat = desk::seat(&own.engine, Who::Engine).await.ok_or_else(ended)?;
        Ok(Watching { seat, own: Some(own), seen: None })
    }

    /// The next sweep that has rates; the present one when it has not been seen yet.
    pub async fn sweep(&mut self) -> Result<Arc<View>, Failure> {
        loop {
            let view = self.seat.views.borrow_and_update().clone();
            let at = view.snapshot.vitals.now.tick;
            if has_rates(&view.snapshot) && self.seen.is_none_or(|seen| at > seen) {
                self.seen = Some(at);
                return Ok(view);
            }
            self.seat.views.changed().await.map_err(|_| ended())?;
        }
    }

    /// Asks the engine.
    pub async fn ask(&self, ask: Ask) -> Result<Body, Failure> {
        let (back, answer) = oneshot::channel();
        self.seat.asks.send((ask, back)).await.map_err(|_| ended())?;
        match answer.await.map_err(|_| ended())? {
            Body::Error(why) => Err(Failure::new(why)),
            body => Ok(body),
        }
    }

    /// Ends the engine if it is our own.
    pub async fn end(self) {
        if let Some(own) = self.own {
            own.engine.stop().await;
        }
    }
}

fn ended() -> Failure {
    Failure::new("the engine has ended")
}

/// The first sweep has counters and no rates yet.
fn has_rates(snapshot: &Snapshot) -> bool {
    fn is_in<T>(reading: &Reading<T>) -> bool {
        !matches!(reading, Reading::Initializing)
    }
    is_in(&snapshot.vitals.cpu) && is_in(&snapshot.disks) && is_in(&snapshot.network)
}
