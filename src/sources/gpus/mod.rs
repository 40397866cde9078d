//! Graphics processors: NVIDIA's through their library, those of others through the files of their drivers (Documentation/gpu).
//!
//! The library is loaded only where the driver is: on any other machine a reading is a look at two directories. A processor that
//! sleeps is not woken, and one that is idle and may sleep is left alone for a while, since asking it would keep it awake.

mod drm;

use crate::{
    host::{
        error::{HostError, Kind},
        host::{Gpus as Library, Host},
    },
    model::{
        hardware::Gpu,
        knob::Place,
        sample::{Sample, SourceName},
    },
    sources::source::{Lane, Source, SourceAbout},
};
use std::{sync::Arc, time::Duration};

/// Readings for which an idle one that may sleep is left alone, and a library that did not load.
const REST: u32 = 12;

/// The source.
#[derive(Default)]
pub struct Gpus {
    library: Option<Box<dyn Library>>,
    /// Readings to wait before the library is tried again.
    wait: u32,
    cards: Vec<Card>,
    others: drm::Cards,
}

/// A processor of NVIDIA's driver.
struct Card {
    id: Arc<str>,
    rest: u32,
    last: Option<Gpu>,
}

impl Source for Gpus {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Gpus,
            lane: Lane::Apart(5),
            deadline: Duration::from_secs(5),
            reads: "libnvidia-ml.so.1 where its driver is loaded, /sys/class/drm/card*",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        let mut all = self.nvidia(host)?;
        all.extend(self.others.read(host));
        Ok(Sample::Gpus(all))
    }
}

impl Gpus {
    fn nvidia(&mut self, host: &dyn Host) -> Result<Vec<Gpu>, HostError> {
        if host.inode(&Place::proc("driver/nvidia")).is_err() {
            self.library = None;
            return Ok(Vec::new());
        }
        self.list(host);
        let mut ask = Vec::new();
        for card in &mut self.cards {
            if asleep(host, &card.id) {
                (card.rest, card.last) = (0, None);
            } else if card.rest > 0 {
                card.rest -= 1;
            } else {
                ask.push(card.id.clone());
            }
        }
        // Without addresses in sysfs, as in some containers, the library is asked for all it has.
        if self.cards.is_empty() {
            return self.ask(host, &[]);
        }
        let answers = if ask.is_empty() { Vec::new() } else { self.ask(host, &ask)? };
        Ok(self.cards.iter_mut().filter_map(|card| card.take(host, &answers, &ask)).collect())
    }

    fn ask(&mut self, host: &dyn Host, at: &[Arc<str>]) -> Result<Vec<Gpu>, HostError> {
        if self.library.is_none() {
            if self.wait > 0 {
                self.wait -= 1;
                return Ok(Vec::new());
            }
            match host.gpus() {
                Ok(library) => self.library = Some(library),
                Err(error) => {
                    self.wait = REST;
                    // A driver without its library is a choice; anything else is worth a word.
                    return if error.kind == Kind::Absent { Ok(Vec::new()) } else { Err(error) };
                }
            }
        }
        let Some(library) = &self.library else { return Ok(Vec::new()) };
        let read = library.read(at);
        if read.is_err() {
            (self.library, self.wait) = (None, REST);
        }
        read
    }

    /// Keeps the cards as the driver's directory lists them.
    fn list(&mut self, host: &dyn Host) {
        let mut names = Vec::new();
        let _none_in_some_containers = host.list(&Place::sys("bus/pci/drivers/nvidia"), &mut names);
        names.retain(|name| name.contains(':') && name.contains('.'));
        names.sort_unstable();
        if !names.iter().map(String::as_str).eq(self.cards.iter().map(|card| &*card.id)) {
            self.cards = names.iter().map(|name| Card { id: name.as_str().into(), rest: 0, last: None }).collect();
        }
    }
}

impl Card {
    /// Its row: the answer, the last one while it is left alone, or that it sleeps.
    fn take(&mut self, host: &dyn Host, answers: &[Gpu], asked: &[Arc<str>]) -> Option<Gpu> {
        if asked.contains(&self.id) {
            self.last = answers.iter().find(|gpu| gpu.id == self.id).cloned();
            let idle = self.last.as_ref().is_some_and(|gpu| gpu.busy == Some(0.0) && gpu.processes.is_empty());
            self.rest = if idle && may_sleep(host, &self.id) { REST } else { 0 };
            return self.last.clone();
        }
        let sleeps = || Gpu { id: self.id.clone(), name: "nvidia".into(), asleep: true, ..Gpu::default() };
        Some(self.last.clone().unwrap_or_else(sleeps))
    }
}

fn power(host: &dyn Host, id: &str, file: &str) -> String {
    host.text(&Place::sys(format!("bus/pci/devices/{id}/power/{file}"))).unwrap_or_default().trim().into()
}

fn asleep(host: &dyn Host, id: &str) -> bool {
    matches!(power(host, id, "runtime_status").as_str(), "suspended" | "suspending")
}

fn may_sleep(host: &dyn Host, id: &str) -> bool {
    power(host, id, "control") == "auto"
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{host::recorded::RecordedHost, model::hardware::GpuProcess};

    const ID: &str = "0000:01:00.0";

    fn read(source: &mut Gpus, host: &RecordedHost) -> Vec<Gpu> {
        let Sample::Gpus(all) = source.read(host).unwrap() else { panic!() };
        all
    }

    fn with_driver(control: &str) -> RecordedHost {
        let host = RecordedHost::default();
        host.put("/proc/driver/nvidia/version", "NVRM version\n");
        host.put(&format!("/sys/bus/pci/drivers/nvidia/{ID}/vendor"), "0x10de\n");
        host.put("/sys/bus/pci/drivers/nvidia/new_id", "");
        host.put(&format!("/sys/bus/pci/devices/{ID}/power/runtime_status"), "active\n");
        host.put(&format!("/sys/bus/pci/devices/{ID}/power/control"), &format!("{control}\n"));
        host
    }

    fn gpu(busy: f64) -> Gpu {
        Gpu { id: ID.into(), name: "Test".into(), busy: Some(busy), ..Gpu::default() }
    }

    #[test]
    fn without_the_driver_the_library_is_not_touched() {
        let host = RecordedHost::default();
        host.set_gpus(vec![gpu(1.0)]);
        assert!(read(&mut Gpus::default(), &host).is_empty());
        assert_eq!(host.asked_gpus(), 0);
    }

    #[test]
    fn a_driver_without_its_library_is_no_error_and_is_tried_again_rarely() {
        let host = with_driver("on");
        let mut source = Gpus::default();
        assert!(read(&mut source, &host).is_empty());
        host.set_gpus(vec![gpu(0.5)]);
        let first = (1..).find(|_| !read(&mut source, &host).is_empty()).unwrap();
        assert_eq!(first, REST + 1);
    }

    #[test]
    fn one_that_sleeps_is_not_woken() {
        let host = with_driver("auto");
        host.set_gpus(vec![gpu(0.5)]);
        let mut source = Gpus::default();
        assert_eq!(read(&mut source, &host), [gpu(0.5)]);
        host.put(&format!("/sys/bus/pci/devices/{ID}/power/runtime_status"), "suspended\n");
        let before = host.asked_gpus();
        let rows = read(&mut source, &host);
        assert!(rows[0].asleep && rows[0].busy.is_none() && &*rows[0].id == ID);
        assert_eq!(host.asked_gpus(), before);
    }

    #[test]
    fn an_idle_one_that_may_sleep_is_left_alone_for_a_while() {
        let host = with_driver("auto");
        host.set_gpus(vec![gpu(0.0)]);
        let mut source = Gpus::default();
        let asked = |source: &mut Gpus, readings: u32| {
            let before = host.asked_gpus();
            (0..readings).for_each(|_| assert_eq!(read(source, &host).len(), 1));
            host.asked_gpus() - before
        };
        assert_eq!(asked(&mut source, REST + 1), 1, "asked once, then shown as it was");
        host.set_gpus(vec![Gpu { processes: vec![GpuProcess { pid: 7, memory: None }], ..gpu(0.0) }]);
        assert_eq!(asked(&mut source, 3), 3, "a process on it keeps it awake anyway");
        let awake = with_driver("on");
        awake.set_gpus(vec![gpu(0.0)]);
        let mut source = Gpus::default();
        (0..3).for_each(|_| assert_eq!(read(&mut source, &awake).len(), 1));
        assert_eq!(awake.asked_gpus(), 3, "one that never sleeps can be asked each time");
    }
}
