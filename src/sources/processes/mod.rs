//! Processes: `/proc/PID/*`. The cost of watching is decided here, see `row.rs` for what is read when.
//!
//! Each sweep lists `/proc` and asks the cpu clock of every process, which costs a fifth of a microsecond; only those that ran are
//! looked at closely, the others in turns. What that misses for up to ten seconds: changes of an idle process that cost it no cpu,
//! such as memory that others took from it.

mod handles;
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
use handles::Handles;
use row::{Row, Sweep};
use std::{sync::Arc, time::Duration};

/// The source.
pub struct Processes {
    handles: Handles,
    names: Vec<String>,
    pids: Vec<u32>,
    /// Sorted by pid.
    rows: Vec<Row>,
    sweeps: u64,
    page_size: Option<u64>,
}

impl Processes {
    /// Keeps at most `handles` files open between sweeps.
    pub fn new(handles: usize) -> Processes {
        Processes {
            handles: Handles::new(handles),
            names: Vec::new(),
            pids: Vec::new(),
            rows: Vec::new(),
            sweeps: 0,
            page_size: None,
        }
    }

    /// Brings the rows in line with the processes there are.
    fn match_rows(&mut self) {
        if self.rows.iter().map(Row::pid).eq(self.pids.iter().copied()) {
            return;
        }
        let mut old = std::mem::take(&mut self.rows).into_iter().peekable();
        self.rows.reserve(self.pids.len());
        for pid in &self.pids {
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
            reads: "/proc/PID/{stat,schedstat,io,status,cgroup,cmdline,limits,fd,ns/net,task}",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        let page_size = match self.page_size {
            Some(known) => known,
            None => *self.page_size.insert(parse::page_size(host)?),
        };
        host.list(&Place::proc(""), &mut self.names)?;
        self.pids.clear();
        self.pids.extend(self.names.iter().filter_map(|name| name.parse::<u32>().ok()));
        self.pids.sort_unstable();
        self.match_rows();
        let sweep = Sweep { number: self.sweeps, page_size };
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
