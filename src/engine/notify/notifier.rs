//! All receivers, from the loop's side: giving a notice never waits. A queue holds 64; what finds it full is counted and said in the
//! next message.

use crate::{
    engine::{
        input::Input,
        notify::{notice::Notice, receiver::Courier},
    },
    host::host::Host,
    model::{alert::Target, finding::Severity},
};
use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread,
};
use tokio::sync::mpsc::Sender;

/// Notices that wait for a receiver.
const ROOM: usize = 64;

struct Door {
    least: Severity,
    queue: SyncSender<Notice>,
    lost: Arc<AtomicUsize>,
}

/// The receivers. Dropping it ends their threads; one that hangs is left behind and ends with its time-out.
pub struct Notifier(Vec<Door>);

impl Notifier {
    /// Starts a thread for each receiver. `name` is the host's.
    pub fn start(targets: Vec<Target>, host: &Arc<dyn Host>, name: &Arc<str>, out: &Sender<Vec<Input>>) -> io::Result<Notifier> {
        let mut doors = Vec::new();
        for target in targets {
            let (queue, waiting) = sync_channel(ROOM);
            let lost = Arc::new(AtomicUsize::new(0));
            doors.push(Door { least: target.severity, queue, lost: lost.clone() });
            let courier = Courier {
                target,
                host: host.clone(),
                name: name.clone(),
                queue: waiting,
                lost,
                out: out.clone(),
                waiting: VecDeque::new(),
                told: VecDeque::new(),
                failures: 0,
            };
            thread::Builder::new().name("trimtab-notify".into()).spawn(move || courier.run())?;
        }
        Ok(Notifier(doors))
    }

    /// Gives a notice to all who want to hear of its severity.
    pub fn give(&self, notice: &Notice) {
        for door in self.0.iter().filter(|door| notice.alert.severity >= door.least) {
            if let Err(TrySendError::Full(_)) = door.queue.try_send(notice.clone()) {
                door.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
