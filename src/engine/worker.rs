//! The hands' thread: jobs one at a time, in order, rollbacks before all others.
//!
//! The queue has no bound of its own: the brain has at most one deed per change, one preview and one reading back under way, and
//! changes are bounded by the journal's open and live ones. So it never refuses a rollback.

use crate::{
    engine::{
        input::{Input, JobNumber},
        job::{Done, Job},
    },
    model::change::Entry,
};
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};
use tokio::sync::{mpsc, oneshot};

/// Who does jobs. The hands are the one that touches the machine.
pub trait Work: Send {
    /// Does one job to its end.
    fn perform(&mut self, job: Job) -> Done;

    /// Entries that others (the guard) have written since the last look.
    fn foreign(&mut self) -> Done;

    /// Nothing more comes.
    fn end(&mut self) {}

    /// The newest entries of the journal, oldest first.
    fn audit(&mut self, most: usize) -> Vec<(u64, Entry)>;
}

/// One thing to do.
enum Task {
    Job(JobNumber, Job),
    Foreign,
    Audit(usize, oneshot::Sender<Vec<(u64, Entry)>>),
}

#[derive(Default)]
struct Pile {
    urgent: VecDeque<Task>,
    deeds: VecDeque<Task>,
    looks: VecDeque<Task>,
    closed: bool,
}

impl Pile {
    fn next(&mut self) -> Option<Task> {
        self.urgent.pop_front().or_else(|| self.deeds.pop_front()).or_else(|| self.looks.pop_front())
    }
}

#[derive(Default)]
struct Shared {
    pile: Mutex<Pile>,
    filled: Condvar,
}

impl Shared {
    fn pile(&self) -> MutexGuard<'_, Pile> {
        self.pile.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next task; `None` when the pile is closed and empty.
    fn take(&self) -> Option<Task> {
        let mut pile = self.pile();
        loop {
            if let Some(task) = pile.next() {
                return Some(task);
            }
            if pile.closed {
                return None;
            }
            pile = self.filled.wait(pile).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The way to the hands' thread.
pub struct Worker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread; what it has done goes to `out`, where it waits for room.
    pub fn start(hands: Box<dyn Work>, out: mpsc::Sender<Vec<Input>>) -> std::io::Result<Worker> {
        let shared = Arc::new(Shared::default());
        let inside = shared.clone();
        let thread = thread::Builder::new().name("trimtab-hands".into()).spawn(move || work(hands, &inside, &out))?;
        Ok(Worker { shared, thread: Some(thread) })
    }

    /// Takes a job.
    pub fn perform(&self, number: JobNumber, job: Job) {
        let mut pile = self.shared.pile();
        let line = match &job {
            Job::RollBack { .. } | Job::Climb(_) | Job::Halt(..) => &mut pile.urgent,
            Job::Record(_) | Job::Apply(_) | Job::Switch { .. } | Job::Carry(_) | Job::Keep(..) => &mut pile.deeds,
            Job::Preview(..) | Job::Verify(..) | Job::Ready(_) => &mut pile.looks,
        };
        line.push_back(Task::Job(number, job));
        self.shared.filled.notify_one();
    }

    /// Looks for foreign entries, unless that is waiting already.
    pub fn look_foreign(&self) {
        let mut pile = self.shared.pile();
        if !pile.looks.iter().any(|task| matches!(task, Task::Foreign)) {
            pile.looks.push_back(Task::Foreign);
            self.shared.filled.notify_one();
        }
    }

    /// Answers with the newest entries of the journal.
    pub fn audit(&self, most: usize, back: oneshot::Sender<Vec<(u64, Entry)>>) {
        self.shared.pile().looks.push_back(Task::Audit(most, back));
        self.shared.filled.notify_one();
    }

    /// Does what is left, then ends the thread.
    pub fn end(mut self) {
        self.shared.pile().closed = true;
        self.shared.filled.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the hands' thread ended in a panic");
        }
    }
}

fn work(mut hands: Box<dyn Work>, shared: &Shared, out: &mpsc::Sender<Vec<Input>>) {
    while let Some(task) = shared.take() {
        let (job, done) = match task {
            Task::Job(number, job) => (Some(number), hands.perform(job)),
            Task::Foreign => (None, hands.foreign()),
            Task::Audit(most, back) => {
                // The asker may have gone; nobody else wants the answer.
                let _asker_gone = back.send(hands.audit(most));
                continue;
            }
        };
        // The loop ends before the hands: at the end nobody listens any more, and the journal has it all.
        let _loop_ended = out.blocking_send(vec![Input::Performed { job, done: Box::new(done) }]);
    }
    hands.end();
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{
        change::{Cause, ChangeId, Who},
        plan::Plan,
    };
    use std::sync::mpsc::{Receiver, sync_channel};

    /// Waits for leave before each job.
    struct Patient(Receiver<()>);

    impl Work for Patient {
        fn perform(&mut self, _: Job) -> Done {
            self.0.recv().unwrap();
            Done::default()
        }
        fn foreign(&mut self) -> Done {
            Done::default()
        }
        fn audit(&mut self, _: usize) -> Vec<(u64, Entry)> {
            Vec::new()
        }
    }

    fn plan() -> Box<Plan> {
        Box::new(Plan { action: "nice".into(), boot: String::new(), steps: vec![] })
    }

    fn number(inputs: &[Input]) -> Option<u64> {
        match &inputs[0] {
            Input::Performed { job, .. } => job.map(|number| number.0),
            _ => panic!("{inputs:?}"),
        }
    }

    #[test]
    fn a_rollback_overtakes_what_waits_and_the_end_does_what_is_left() {
        let (go, gate) = sync_channel(8);
        let (out, mut inputs) = mpsc::channel(8);
        let worker = Worker::start(Box::new(Patient(gate)), out).unwrap();
        worker.perform(JobNumber(1), Job::Verify(ChangeId(1), plan()));
        go.send(()).unwrap();
        assert_eq!(number(&inputs.blocking_recv().unwrap()), Some(1));
        // The thread holds the second one and waits for leave, or has taken nothing yet: the rollback comes before the rest anyway.
        worker.perform(JobNumber(2), Job::Verify(ChangeId(1), plan()));
        worker.perform(JobNumber(3), Job::Verify(ChangeId(1), plan()));
        worker.perform(JobNumber(4), Job::Keep(ChangeId(2), Who::Engine));
        let (change, who) = (ChangeId(3), Who::Engine);
        worker.perform(JobNumber(5), Job::RollBack { change, plan: plan(), cause: Cause::Panic, who });
        for _ in 0..4 {
            go.send(()).unwrap();
        }
        worker.end();
        let mut order = Vec::new();
        while let Some(batch) = inputs.blocking_recv() {
            order.extend(number(&batch));
        }
        order.retain(|n| *n != 2);
        assert_eq!(order, [5, 4, 3]);
    }
}
