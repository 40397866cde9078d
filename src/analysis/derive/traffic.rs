//! Rates of what the TCP connections of processes move. Connections are looked at in turns: a rate holds until the next look.

use super::delta::{per, rate};
use crate::model::{
    sample::{ProcessTraffic, TcpSample, TrafficSample},
    snapshot::{Process, ProcessNet, Tcp},
    subject::ProcessId,
};
use std::{collections::BTreeMap, sync::Arc};

/// What the last two looks at each namespace made.
#[derive(Default)]
pub(super) struct Traffic {
    /// By inode of the namespace.
    spaces: BTreeMap<u64, Space>,
    /// What each process moves, in all namespaces of its connections.
    processes: BTreeMap<ProcessId, ProcessNet>,
}

struct Space {
    last: Arc<TrafficSample>,
    /// Rates over the time before it; `None` after the first look.
    rates: Option<Rates>,
}

struct Rates {
    processes: Vec<(ProcessId, ProcessNet)>,
    unattributed: [f64; 2],
}

impl Traffic {
    /// Takes the samples of all namespaces.
    pub(super) fn take(&mut self, samples: &[TcpSample]) {
        self.spaces.retain(|netns, _| samples.iter().any(|sample| sample.netns == *netns && sample.traffic.is_some()));
        for (netns, new) in samples.iter().filter_map(|sample| Some((sample.netns, sample.traffic.as_ref()?))) {
            match self.spaces.get_mut(&netns) {
                Some(space) if space.last.at < new.at => {
                    space.rates = Some(rates(&space.last, new));
                    space.last = new.clone();
                }
                // The same look as before.
                Some(space) if space.last.at == new.at => {}
                // A first look, or the clock of a new boot.
                _ => {
                    self.spaces.insert(netns, Space { last: new.clone(), rates: None });
                }
            }
        }
        self.processes.clear();
        for (id, net) in self.spaces.values().filter_map(|space| space.rates.as_ref()).flat_map(|rates| &rates.processes) {
            let all = self.processes.entry(*id).or_default();
            all.received += net.received;
            all.sent += net.sent;
            all.mark = all.mark.max(net.mark);
        }
    }

    /// Writes into the namespaces what nobody is known to have moved.
    pub(super) fn tell(&self, rows: &mut [Tcp]) {
        for row in rows {
            row.unattributed = self.spaces.get(&row.netns).and_then(|space| space.rates.as_ref()).map(|rates| rates.unattributed);
        }
    }

    /// Writes into the processes, sorted by id, what each of them moves.
    pub(super) fn fill(&self, rows: &mut [Process]) {
        for (id, net) in &self.processes {
            if let Some(row) = rows.binary_search_by_key(id, |row| row.id).ok().and_then(|at| rows.get_mut(at)) {
                row.net = Some(*net);
            }
        }
    }
}

fn rates(old: &TrafficSample, new: &TrafficSample) -> Rates {
    let seconds = new.at.seconds_since(old.at);
    let two = |old: [u64; 2], new: [u64; 2]| [rate(old[0], new[0], seconds), rate(old[1], new[1], seconds)];
    let process = |row: &ProcessTraffic| {
        let before = old.processes.binary_search_by_key(&row.id, |old| old.id).ok().and_then(|at| old.processes.get(at));
        // One that was not there before has moved all it has since.
        let [received, sent] = before.map_or(row.bytes.map(|bytes| per(bytes as f64, seconds)), |old| two(old.bytes, row.bytes));
        (row.id, ProcessNet { received, sent, mark: row.mark })
    };
    Rates { processes: new.processes.iter().map(process).collect(), unattributed: two(old.unattributed, new.unattributed) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{sample::NetMark, time::Tick};

    const ID: ProcessId = ProcessId { pid: 7, start: 70 };

    fn sample(netns: u64, second: u64, bytes: u64, mark: NetMark) -> TcpSample {
        let processes = vec![ProcessTraffic { id: ID, bytes: [bytes, bytes / 2], mark }];
        let at = Tick(second * 1_000_000_000);
        let traffic = TrafficSample { at, processes, unattributed: [bytes * 10, 0], ..TrafficSample::default() };
        TcpSample { netns, traffic: Some(Arc::new(traffic)), ..TcpSample::default() }
    }

    fn net(traffic: &Traffic) -> Option<ProcessNet> {
        let mut rows = vec![Process::default(), Process { id: ID, ..Process::default() }];
        traffic.fill(&mut rows);
        rows[1].net
    }

    #[test]
    fn a_rate_spans_two_looks_and_holds_until_the_next() {
        let mut traffic = Traffic::default();
        traffic.take(&[sample(1, 10, 1000, NetMark::Exact)]);
        assert_eq!(net(&traffic), None, "one look is no rate");
        traffic.take(&[sample(1, 14, 5000, NetMark::Exact)]);
        let expect = Some(ProcessNet { received: 1000.0, sent: 500.0, mark: NetMark::Exact });
        assert_eq!(net(&traffic), expect);
        traffic.take(&[sample(1, 14, 5000, NetMark::Exact)]);
        assert_eq!(net(&traffic), expect);
        let mut rows = [Tcp { netns: 1, ..Tcp::default() }];
        traffic.tell(&mut rows);
        assert_eq!(rows[0].unattributed, Some([10_000.0, 0.0]));
    }

    #[test]
    fn connections_in_two_namespaces_are_added_and_the_least_sure_mark_counts() {
        let mut traffic = Traffic::default();
        traffic.take(&[sample(1, 1, 0, NetMark::Exact), sample(2, 1, 0, NetMark::Exact)]);
        traffic.take(&[sample(1, 2, 100, NetMark::AtLeast), sample(2, 2, 10, NetMark::Exact)]);
        assert_eq!(net(&traffic), Some(ProcessNet { received: 110.0, sent: 55.0, mark: NetMark::AtLeast }));
        traffic.take(&[sample(2, 3, 20, NetMark::Exact)]);
        assert_eq!(net(&traffic).unwrap().received, 10.0, "a namespace that is gone counts no more");
    }
}
