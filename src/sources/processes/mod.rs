//! Processes: `/proc/PID/*`. The cost of watching is decided here, see `row.rs` for what is read when.
//!
//! Each sweep asks the cpu clock of every process, which costs a fifth of a microsecond; only those that ran are looked at closely, the
//! others in turns. What that misses for up to half a minute, or two minutes among thousands: changes of an idle process that cost it
//! no cpu, such as memory that others took from it.

mod census;
mod handles;
pub mod inspect;
mod row;
pub mod stat;
mod threads;

use crate::{
    host::{error::HostError, host::Host},
    model::{
        knob::Place,
        sample::{ProcessSample, Sample, SourceName},
    },
    sources::{
        parse,
        source::{Lane, Source, SourceAbout},
    },
};
use census::{Births, Census};
use handles::Handles;
use row::{Row, Sweep};
use std::{sync::Arc, time::Duration};

/// Sweeps after which the kernel's switch of delay accounting is looked at again.
const SWITCH: u64 = 60;

/// The source.
pub struct Processes {
    census: Census,
    handles: Handles,
    /// Sorted by pid.
    rows: Vec<Row>,
    sweeps: u64,
    page_size: Option<u64>,
    /// The kernel counts waiting for storage.
    counted: bool,
}

impl Processes {
    /// Keeps at most `handles` files open between sweeps.
    pub fn new(handles: usize) -> Processes {
        Processes {
            census: Census::default(),
            handles: Handles::new(handles),
            rows: Vec::new(),
            sweeps: 0,
            page_size: None,
            counted: false,
        }
    }

    /// Brings the rows in line with the processes there are.
    fn match_rows(&mut self, births: Births) {
        match births {
            Births::None => {}
            Births::New(pids) => {
                for pid in pids {
                    if let Err(at) = self.rows.binary_search_by_key(&pid, Row::pid) {
                        self.rows.insert(at, Row::new(pid));
                    }
                }
            }
            Births::All(pids) => self.match_all(&pids),
        }
    }

    fn match_all(&mut self, pids: &[u32]) {
        if self.rows.iter().map(Row::pid).eq(pids.iter().copied()) {
            return;
        }
        let mut old = std::mem::take(&mut self.rows).into_iter().peekable();
        self.rows.reserve(pids.len());
        for pid in pids {
            while let Some(mut gone) = old.next_if(|row| row.pid() < *pid) {
                gone.close(&mut self.handles);
            }
            self.rows.push(old.next_if(|row| row.pid() == *pid).unwrap_or_else(|| Row::new(*pid)));
        }
        old.for_each(|mut gone| gone.close(&mut self.handles));
    }
}

impl Source for Processes {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Processes,
            lane: Lane::Sweep,
            deadline: Duration::from_millis(1500),
            reads: "/proc/loadavg, /proc/PID/{stat,schedstat,io,status,cgroup,cmdline,limits,fd,ns/net,task}",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        let page_size = match self.page_size {
            Some(known) => known,
            None => *self.page_size.insert(parse::page_size(host)?),
        };
        let births = self.census.take(host, self.rows.len())?;
        self.match_rows(births);
        if self.sweeps.is_multiple_of(SWITCH) {
            let switch = Place::proc("sys/kernel/task_delayacct");
            self.counted = host.text(&switch).is_ok_and(|text| text.trim() != "0");
        }
        let sweep = Sweep { number: self.sweeps, page_size, rows: self.rows.len() as u64, counted: self.counted };
        self.sweeps = self.sweeps.wrapping_add(1);
        let handles = &mut self.handles;
        self.rows.retain_mut(|row| {
            let alive = row.refresh(host, sweep, handles);
            if !alive {
                row.close(handles);
            }
            alive
        });
        let samples: Vec<ProcessSample> = self.rows.iter().map(|row| row.sample.clone()).collect();
        Ok(Sample::Processes(Arc::new(samples)))
    }
}
