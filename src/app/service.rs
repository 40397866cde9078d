//! What a service manager is told (sd_notify(3)): that the engine is ready, how it stands, that it lives, that it stops. Where there is no
//! such manager nobody is told.

use crate::model::message::View;
use sd_notify::NotifyState;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle, time::sleep};

/// The engine listens.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// It ends: what nobody confirmed is being undone.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Feeds the watchdog for as long as views come: an engine whose loop stands still is started anew, and its guard undoes what nobody
/// confirmed. Twice within the watchdog's time, as sd_watchdog_enabled(3) wants it.
pub fn watchdog(views: watch::Receiver<Arc<View>>) -> Option<JoinHandle<()>> {
    let mut micros = 0;
    if !sd_notify::watchdog_enabled(false, &mut micros) {
        return None;
    }
    Some(tokio::spawn(feed(views, Duration::from_micros(micros / 2), || tell(&[NotifyState::Watchdog]))))
}

async fn feed<T>(mut views: watch::Receiver<T>, every: Duration, mut food: impl FnMut()) {
    loop {
        sleep(every).await;
        match views.has_changed() {
            Ok(true) => {
                views.mark_unchanged();
                food();
            }
            Ok(false) => {}
            Err(_ended) => return,
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(e) = sd_notify::notify(false, states) {
        log::warn!("the service manager could not be told: {e}");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test(start_paused = true)]
    async fn an_engine_that_stands_still_is_not_fed() {
        let (show, views) = watch::channel(0);
        let fed = Cell::new(0);
        let feeding = feed(views, Duration::from_secs(15), || fed.set(fed.get() + 1));
        let showing = async {
            show.send_replace(1);
            sleep(Duration::from_secs(16)).await;
            assert_eq!(fed.get(), 1);
            sleep(Duration::from_secs(60)).await;
            assert_eq!(fed.get(), 1, "no view came");
            show.send_replace(2);
            sleep(Duration::from_secs(16)).await;
            assert_eq!(fed.get(), 2);
            drop(show);
        };
        tokio::join!(feeding, showing);
    }
}
