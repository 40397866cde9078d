//! Close looks at processes, asked for by an operator: on threads of their own, which are started by the first question.
//!
//! A look may hang, as the memory of a process is locked by one of its own threads while that waits for a dead disk. The asker is
//! answered in time all the same (see [`DEADLINE`]); the thread is left to its look and the next question has another one, up to
//! `MOST`. A thread that comes back from its look is used again.

use crate::{
    host::host::Host,
    model::{inspection::Inspection, subject::ProcessId, time::Tick},
    sources::source::Inspect,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};
use tokio::sync::oneshot;

/// How long an asker waits for a look.
pub const DEADLINE: Duration = Duration::from_secs(2);

/// A look that takes longer counts as hanging.
const HANGS: Duration = Duration::from_secs(2);

/// Threads at most: so many processes may hang before a question is refused.
const MOST: usize = 4;

/// Questions that wait for a thread; more are refused.
const ROOM: usize = 8;

/// The answer, or why there is none.
pub type Answer = Result<Box<Inspection>, String>;

type Question = (ProcessId, oneshot::Sender<Answer>);

/// The threads that look.
pub struct Inspectors {
    host: Arc<dyn Host>,
    make: fn() -> Box<dyn Inspect>,
    threads: Vec<Looking>,
}

struct Looking {
    questions: SyncSender<Question>,
    /// Tick at which the present look began; 0 between looks.
    began: Arc<AtomicU64>,
}

impl Inspectors {
    /// None yet.
    pub fn new(host: Arc<dyn Host>, make: fn() -> Box<dyn Inspect>) -> Inspectors {
        Inspectors { host, make, threads: Vec::new() }
    }

    /// Has somebody look. Never waits.
    pub fn ask(&mut self, process: ProcessId, back: oneshot::Sender<Answer>) {
        let now = self.host.now().tick;
        let hangs = |looking: &Looking| {
            let began = looking.began.load(Ordering::Relaxed);
            began != 0 && now.since(Tick(began)) > HANGS
        };
        let free = self.threads.iter().position(|looking| !hangs(looking));
        let (refusal, question) = match free.map_or_else(|| self.start(), Ok) {
            Ok(free) => match self.threads.get(free).map(|looking| looking.questions.try_send((process, back))) {
                Some(Err(full)) => {
                    let (std::sync::mpsc::TrySendError::Full(question) | std::sync::mpsc::TrySendError::Disconnected(question)) =
                        full;
                    ("too many processes are asked for at once".to_string(), question)
                }
                _ => return,
            },
            Err(why) => (why, (process, back)),
        };
        // An asker that has gone wants no answer.
        let _gone = question.1.send(Err(refusal));
    }

    /// Starts one more; its place.
    fn start(&mut self) -> Result<usize, String> {
        if self.threads.len() >= MOST {
            return Err(format!(
                "{MOST} looks at processes hang already: their memory is locked by a thread that waits for a device"
            ));
        }
        let (questions, asked) = sync_channel(ROOM);
        let began = Arc::new(AtomicU64::new(0));
        let (host, inspector, since) = (self.host.clone(), (self.make)(), began.clone());
        let look = move || look(&*host, inspector, &asked, &since);
        thread::Builder::new().name("trimtab-inspect".into()).spawn(look).map_err(|e| format!("cannot start a thread: {e}"))?;
        self.threads.push(Looking { questions, began });
        Ok(self.threads.len() - 1)
    }
}

/// Looks as asked, until nobody can ask any more. What nobody waits for any longer is not looked at.
fn look(host: &dyn Host, mut inspector: Box<dyn Inspect>, asked: &Receiver<Question>, began: &AtomicU64) {
    while let Ok((process, back)) = asked.recv() {
        if back.is_closed() {
            continue;
        }
        began.store(host.now().tick.0.max(1), Ordering::Relaxed);
        let answer = inspector.inspect(host, process).map(Box::new).map_err(|e| e.to_string());
        began.store(0, Ordering::Relaxed);
        let _gone = back.send(answer);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::{
        error::{HostError, Kind},
        recorded::RecordedHost,
    };
    use std::sync::{Mutex, OnceLock};

    /// Hangs on pid 1 until told to go on; says of any other that it is gone.
    struct Stuck;

    /// Says that a look has begun, and lets it go on.
    type Gate = (Option<SyncSender<()>>, Option<Receiver<()>>);

    fn gate() -> &'static Mutex<Gate> {
        static GATE: OnceLock<Mutex<Gate>> = OnceLock::new();
        GATE.get_or_init(|| Mutex::new((None, None)))
    }

    impl Inspect for Stuck {
        fn inspect(&mut self, _: &dyn Host, process: ProcessId) -> Result<Inspection, HostError> {
            if process.pid == 1 {
                let (begun, go) = {
                    let mut gate = gate().lock().unwrap();
                    (gate.0.clone().unwrap(), gate.1.take().unwrap())
                };
                begun.send(()).unwrap();
                let _let_go = go.recv();
            }
            Err(HostError::plain("look at", process.pid, Kind::Gone, "it has ended"))
        }
    }

    #[test]
    fn a_look_that_hangs_keeps_nobody_else_waiting_and_its_thread_is_used_again() {
        let host = RecordedHost::default();
        host.step(Duration::from_secs(1));
        let mut inspectors = Inspectors::new(Arc::new(host.clone()), || Box::new(Stuck));
        let (begin, begun) = sync_channel(1);
        let (let_go, go) = sync_channel(1);
        *gate().lock().unwrap() = (Some(begin), Some(go));
        let ask = |inspectors: &mut Inspectors, pid| {
            let (back, answer) = oneshot::channel();
            inspectors.ask(ProcessId { pid, start: 1 }, back);
            answer
        };
        let stuck = ask(&mut inspectors, 1);
        begun.recv().unwrap();
        host.step(Duration::from_secs(3));
        let other = ask(&mut inspectors, 2).blocking_recv().unwrap();
        assert_eq!(other.unwrap_err(), "look at 2: it has ended");
        assert_eq!(inspectors.threads.len(), 2);
        let_go.send(()).unwrap();
        assert!(stuck.blocking_recv().unwrap().is_err());
        ask(&mut inspectors, 3).blocking_recv().unwrap().unwrap_err();
        assert_eq!(inspectors.threads.len(), 2, "no third one was needed");
    }
}
