//! The engine as a whole, threads and all, on a recorded host whose clock stands still.

use std::sync::Arc;
use trimtab::{
    engine::{
        engine,
        handle::EngineHandle,
        job::{Done, Job},
        parts::{Feed, Parts, Settings},
        worker::Work,
    },
    host::{error::HostError, host::Host, recorded::RecordedHost},
    model::{
        change::{ChangeId, Entry, Who},
        limits::Mode,
        message::{Command, Reply},
        sample::{MemorySample, Sample, SourceName},
    },
    sources::source::{Lane, Source, SourceAbout},
};

struct Idle;

impl Work for Idle {
    fn perform(&mut self, _: Job) -> Done {
        Done::default()
    }
    fn foreign(&mut self) -> Done {
        Done::default()
    }
    fn audit(&mut self, _: usize) -> Vec<(u64, Entry)> {
        Vec::new()
    }
}

struct Memory(SourceAbout);

impl Source for Memory {
    fn about(&self) -> SourceAbout {
        self.0
    }
    fn read(&mut self, _: &dyn Host) -> Result<Sample, HostError> {
        Ok(Sample::Memory(MemorySample { total: 8, available: 4, ..MemorySample::default() }))
    }
}

fn start() -> EngineHandle {
    let about = SourceAbout {
        name: SourceName::Memory,
        lane: Lane::Fast,
        deadline: std::time::Duration::from_millis(50),
        reads: "nothing",
    };
    engine::start(Parts {
        host: Arc::new(RecordedHost::default()),
        feed: Feed::Live(vec![Box::new(Memory(about))]),
        history: None,
        inspector: trimtab::sources::inspector,
        actions: &[],
        hands: Box::new(Idle),
        entries: vec![],
        settings: Settings::default(),
        leave: false,
    })
    .unwrap()
}

#[tokio::test]
async fn it_reads_publishes_obeys_and_ends() {
    let mut engine = start();
    let read = engine.views.wait_for(|view| view.snapshot.vitals.memory.known().is_some_and(|m| m.available == 4)).await.is_ok();
    assert!(read, "the first sweep is published");
    let who = Who::Operator { user: "root".into(), via: "test".into() };
    let mode = engine.command(who.clone(), Command::SetMode(Mode::Observe)).await;
    assert_eq!(mode, Reply::Done("the mode is observe".into()));
    assert_eq!(engine.views.borrow().mode, Mode::Observe);
    let unknown = engine.command(who.clone(), Command::RollBack(ChangeId(9))).await;
    assert!(matches!(unknown, Reply::Refused(why) if why.contains("no change #9")));
    assert!(engine.audit(10).await.is_empty());
    assert!(!engine.welcome().await.unwrap().history.is_empty());
    engine.stop().await;
    assert_eq!(engine.command(who, Command::RollBackAll).await, Reply::Refused("the engine has ended".into()));
    while engine.views.changed().await.is_ok() {}
}

#[tokio::test]
async fn it_ends_when_nobody_holds_it_any_more() {
    let EngineHandle { asks, mut views, .. } = start();
    drop(asks);
    while views.changed().await.is_ok() {}
}
