//! The way into a running engine: views out, commands in. Cheap to clone; every console and the socket hold one.

use crate::{
    engine::{
        inspect::{self, DEADLINE},
        past::PastHandle,
        seer::thread::SeerHandle,
    },
    model::{
        change::{Entry, Who},
        lesson::Lessons,
        message::{Ask, Body, Command, Reply, View, Welcome},
        sample::Counters,
        subject::ProcessId,
    },
};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// A question to the loop, with the way back. The queue holds 64; a full one makes the asker wait, never the loop.
#[derive(Debug)]
pub enum Asked {
    /// Do something.
    Do(Who, Command, oneshot::Sender<Reply>),
    /// The present view and the history of the charts.
    Welcome(oneshot::Sender<Welcome>),
    /// The newest samples as they were read.
    Counters(oneshot::Sender<Counters>),
    /// The newest entries of the journal, oldest first, with their numbers.
    Audit(usize, oneshot::Sender<Vec<(u64, Entry)>>),
    /// All that was learned from changes.
    Learned(oneshot::Sender<Lessons>),
    /// Look closely at a process.
    Inspect(ProcessId, oneshot::Sender<inspect::Answer>),
    /// End: changes made to be left behind are kept, those of a demo and unconfirmed ones are rolled back; then answer.
    Stop(oneshot::Sender<()>),
}

/// The way into a running engine.
#[derive(Clone, Debug)]
pub struct EngineHandle {
    /// Questions.
    pub asks: mpsc::Sender<Asked>,
    /// The newest view; latest wins, a slow screen never slows the loop.
    pub views: watch::Receiver<Arc<View>>,
    /// The past, where one is kept.
    pub past: Option<PastHandle>,
    /// What is coming, unless nobody is to look ahead.
    pub seer: Option<SeerHandle>,
}

impl EngineHandle {
    /// Gives a command and waits for the answer. `Refused` when the engine has ended.
    pub async fn command(&self, who: Who, command: Command) -> Reply {
        self.ask(|back| Asked::Do(who, command, back)).await.unwrap_or_else(|| Reply::Refused("the engine has ended".into()))
    }

    /// The present view with the history of the charts; `None` when the engine has ended.
    pub async fn welcome(&self) -> Option<Welcome> {
        self.ask(Asked::Welcome).await
    }

    /// The newest samples as they were read; `None` when the engine has ended.
    pub async fn counters(&self) -> Option<Counters> {
        self.ask(Asked::Counters).await
    }

    /// The newest journal entries.
    pub async fn audit(&self, most: usize) -> Vec<(u64, Entry)> {
        self.ask(|back| Asked::Audit(most, back)).await.unwrap_or_default()
    }

    /// All that was learned from changes; `None` when the engine has ended.
    pub async fn learned(&self) -> Option<Lessons> {
        self.ask(Asked::Learned).await
    }

    /// The answer to a question about the past.
    pub async fn past(&self, ask: Ask) -> Body {
        match &self.past {
            Some(past) => past.ask(ask).await,
            None => Body::Error("no history is kept: trimtab has no state directory, only observes, or was told so".into()),
        }
    }

    /// The course ahead of the number of that path; an error in words where there is none.
    pub async fn forecast(&self, of: String, horizon: f64) -> Body {
        match &self.seer {
            Some(seer) => seer.ask(of, horizon).await,
            None => Body::Error("nobody looks ahead: the configuration says so (foresight, enabled)".into()),
        }
    }

    /// A close look at a process; an error in words when it is gone, or when the look takes too long.
    pub async fn inspect(&self, process: ProcessId) -> inspect::Answer {
        match tokio::time::timeout(DEADLINE, self.ask(|back| Asked::Inspect(process, back))).await {
            Ok(answer) => answer.unwrap_or_else(|| Err("the engine has ended".into())),
            Err(_elapsed) => Err(format!(
                "process {} does not let itself be looked at: a thread of it may be blocked in the kernel",
                process.pid
            )),
        }
    }

    /// Ends the engine and waits until it has cleaned up.
    pub async fn stop(&self) {
        let _ended_already = self.ask(Asked::Stop).await;
    }

    async fn ask<T>(&self, make: impl FnOnce(oneshot::Sender<T>) -> Asked) -> Option<T> {
        let (back, answer) = oneshot::channel();
        self.asks.send(make(back)).await.ok()?;
        answer.await.ok()
    }
}
