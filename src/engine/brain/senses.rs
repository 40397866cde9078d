//! From raw samples to vitals, snapshot, facts and our own cost.

use crate::{
    analysis::derive::deriver::Deriver,
    model::{
        facts::Facts,
        message::Cost,
        sample::{Counters, Sample, SourceName},
        snapshot::{Snapshot, Vitals},
        time::{Now, Tick},
    },
};
use std::{sync::Arc, time::Duration};

/// What is perceived now.
pub struct Senses {
    deriver: Deriver,
    /// The newest fast-lane reading.
    pub vitals: Vitals,
    /// The newest sweep.
    pub snapshot: Arc<Snapshot>,
    /// Facts of the host.
    pub facts: Arc<Facts>,
    /// What we cost ourselves.
    pub cost: Cost,
    /// Cores of it that sweeping costs: all but the thread that looks ahead, which has a budget of its own.
    pub sweeping: f64,
    /// Cpu nanoseconds that the thread that looks ahead has used since the last weighing.
    pub apart: u64,
    weighed: Option<(Tick, u64)>,
}

impl Senses {
    /// Nothing is perceived yet but the facts, which were read at the start.
    pub fn new(deriver: Deriver, facts: Arc<Facts>) -> Senses {
        Senses {
            deriver,
            vitals: Vitals::default(),
            snapshot: Arc::default(),
            facts,
            cost: Cost::default(),
            sweeping: 0.0,
            apart: 0,
            weighed: None,
        }
    }

    /// Takes one reading.
    pub fn take(&mut self, source: SourceName, at: Now, sample: Result<Sample, Arc<str>>) {
        if let Ok(Sample::Facts(facts)) = &sample {
            self.facts = facts.clone();
        }
        self.deriver.take(source, at, sample);
    }

    /// The newest samples as they were read.
    pub fn counters(&self) -> Counters {
        self.deriver.counters()
    }

    /// A pass of the fast lane is done.
    pub fn look(&mut self, now: Now) {
        self.vitals = self.deriver.vitals(now);
    }

    /// A sweep is done.
    pub fn sweep(&mut self, now: Now) {
        let snapshot = self.deriver.snapshot(now);
        self.vitals = snapshot.vitals.clone();
        self.snapshot = Arc::new(snapshot);
    }

    /// Sweeps come so often from now on.
    pub fn expect(&mut self, every: Duration) {
        self.deriver.expect(every);
    }

    /// Our own cost from two readings of our cpu clock; false when there was only one yet.
    pub fn weigh(&mut self, at: Tick, cpu: u64, resident: u64) -> bool {
        self.cost.resident = resident;
        let weighed = self.weighed.is_some();
        if let Some((before, used)) = self.weighed.replace((at, cpu)) {
            let span = at.seconds_since(before);
            if span > 0.0 {
                let (all, apart) = (cpu.saturating_sub(used), std::mem::take(&mut self.apart));
                self.cost.cpu = all as f64 / 1e9 / span;
                self.sweeping = all.saturating_sub(apart) as f64 / 1e9 / span;
            }
        }
        weighed
    }
}
