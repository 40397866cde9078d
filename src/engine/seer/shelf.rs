//! Which numbers are looked ahead at, and their ladders: everything that there are few of, and of control groups and processes the
//! busiest. Bounded; what is gone for half an hour is forgotten.

use crate::{
    engine::seer::ladder::Ladder,
    model::{
        metric::{Key, Metric},
        readings,
        snapshot::Snapshot,
        subject::Subject,
    },
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Numbers at most: 7 MiB of ladders.
pub const MOST: usize = 256;

/// Busy control groups and processes of which numbers are kept.
const CROWD: usize = 12;

/// Cores whose own number is kept.
const CORES: u32 = 16;

/// Subjects whose business is compared.
const COMPARED: usize = 512;

/// Seconds after which a number that is not seen any more is forgotten, and a process or control group of the crowd.
const GONE: f64 = 1800.0;
const LEFT: f64 = 120.0;

/// Seconds between two choices of the crowd.
const ROUND: f64 = 10.0;

/// Share of the newest sweep in how busy somebody is, and how much busier a newcomer must be.
const NEWEST: f64 = 0.05;
const BUSIER: f64 = 1.5;

/// No value is taken to hold for longer, in seconds: the slowest pace and some.
const HOLDS: f64 = 15.0;

/// How much a number matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// It has a limit, a finding, or a place on the first screen.
    Vital,
    /// There are few of its kind.
    Usual,
    /// One of many.
    Crowd,
}

/// A number with its course.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its course.
    pub ladder: Ladder,
    /// How much it matters.
    pub weight: Weight,
}

#[derive(Clone, Copy, Debug)]
struct Busy {
    cores: f64,
    seen: f64,
}

/// All numbers that are looked ahead at.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    rows: BTreeMap<Key, Row>,
    busy: HashMap<Subject, Busy>,
    chosen: BTreeSet<Subject>,
    last: Option<f64>,
    round: f64,
}

impl Shelf {
    /// Takes a sweep that was done at `now`, in seconds since 1970. `vital` are the numbers with a limit or a finding.
    pub fn take(&mut self, now: f64, snapshot: &Snapshot, vital: &BTreeSet<Key>) {
        let from = self.last.map_or(now - 1.0, |last| last.max(now - HOLDS));
        if now <= from {
            return;
        }
        self.last = Some(now);
        let mut fresh: Vec<(Weight, Key, f64)> = Vec::new();
        readings::snapshot(snapshot, &mut |key, value| {
            self.compare(&key, value, now);
            match self.rows.get_mut(&key) {
                Some(row) => row.ladder.take((from, now), value),
                None => fresh.extend(self.weight(&key, vital).map(|weight| (weight, key, value))),
            }
        });
        fresh.sort_by(|(a, x, _), (b, y, _)| (a, x).cmp(&(b, y)));
        for (weight, key, value) in fresh {
            if !self.make_room(weight) {
                break;
            }
            let mut ladder = Ladder::new(from);
            ladder.take((from, now), value);
            self.rows.insert(key, Row { ladder, weight });
        }
        self.rows.values_mut().for_each(|row| row.ladder.advance(now));
        if now >= self.round {
            self.round = now + ROUND;
            self.tidy(now, vital);
        }
    }

    /// The clock was set.
    pub fn shift(&mut self, seconds: f64) {
        self.rows.values_mut().for_each(|row| row.ladder.shift(seconds));
        self.busy.values_mut().for_each(|busy| busy.seen += seconds);
        self.last = self.last.map(|last| last + seconds);
        self.round += seconds;
    }

    /// Every number, in the order of keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Row)> {
        self.rows.iter()
    }

    /// One number.
    pub fn get(&self, key: &Key) -> Option<&Row> {
        self.rows.get(key)
    }

    /// One number, to fill it.
    pub fn get_mut(&mut self, key: &Key) -> Option<&mut Row> {
        self.rows.get_mut(key)
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Nothing was seen yet.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        let ladders: usize = self.rows.values().map(|row| row.ladder.bytes()).sum();
        ladders + self.rows.len() * size_of::<(Key, Weight)>() + self.busy.capacity() * size_of::<(Subject, Busy)>()
    }

    /// How busy somebody of the crowd is.
    fn compare(&mut self, key: &Key, value: f64, now: f64) {
        if !matches!(key.metric, Metric::ProcessCpu | Metric::CgroupCpu) || !value.is_finite() {
            return;
        }
        let room = self.busy.len() < COMPARED;
        match self.busy.get_mut(&key.subject) {
            Some(busy) => *busy = Busy { cores: busy.cores + NEWEST * (value - busy.cores), seen: now },
            None if room => {
                self.busy.insert(key.subject.clone(), Busy { cores: NEWEST * value, seen: now });
            }
            None => {}
        }
    }

    /// `None` for what is not kept.
    fn weight(&self, key: &Key, vital: &BTreeSet<Key>) -> Option<Weight> {
        if vital.contains(key) {
            return Some(Weight::Vital);
        }
        match &key.subject {
            Subject::Process(_) | Subject::Cgroup(_) => self.chosen.contains(&key.subject).then_some(Weight::Crowd),
            Subject::Cpu(core) => (*core < CORES).then_some(Weight::Crowd),
            _ => Some(if is_on_first_screen(key) { Weight::Vital } else { Weight::Usual }),
        }
    }

    /// Whether there is room for one more; the last number that matters less gives way.
    fn make_room(&mut self, weight: Weight) -> bool {
        if self.rows.len() < MOST {
            return true;
        }
        let least = self.rows.iter().rev().max_by_key(|(_, row)| row.weight).map(|(key, row)| (key.clone(), row.weight));
        match least {
            Some((key, least)) if least > weight => self.rows.remove(&key).is_some(),
            _ => false,
        }
    }

    /// Weighs anew, forgets what is gone, and chooses the crowd.
    fn tidy(&mut self, now: f64, vital: &BTreeSet<Key>) {
        self.busy.retain(|_, busy| now - busy.seen < LEFT);
        let mut order: Vec<(f64, &Subject)> = Vec::with_capacity(self.busy.len());
        for (subject, busy) in &self.busy {
            let bonus = if self.chosen.contains(subject) { BUSIER } else { 1.0 };
            order.push((busy.cores * bonus, subject));
        }
        order.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
        self.chosen = order.into_iter().take(CROWD).map(|(_, subject)| subject.clone()).collect();
        let weights: Vec<(Key, Option<Weight>)> = self.rows.keys().map(|key| (key.clone(), self.weight(key, vital))).collect();
        for (key, weight) in weights {
            match (weight, self.rows.get_mut(&key)) {
                (Some(weight), Some(row)) if now - row.ladder.seen < GONE => row.weight = weight,
                _ => drop(self.rows.remove(&key)),
            }
        }
    }
}

/// What an operator sees first.
fn is_on_first_screen(key: &Key) -> bool {
    use Metric::*;
    let of_host = matches!(
        key.metric,
        CpuBusy
            | CpuIowait
            | CpuSteal
            | Load
            | MemoryAvailable
            | MemoryUsed
            | SwapUsed
            | PressureCpuSome
            | PressureMemorySome
            | PressureIoSome
            | TcpEstablished
            | PortsUsed
            | ConntrackUsed
    );
    match key.subject {
        Subject::Host => of_host,
        Subject::Service(_) => true,
        Subject::Disk(_) => matches!(key.metric, DiskBusy | DiskLatency | DiskRead | DiskWrite),
        Subject::Filesystem(_) => true,
        Subject::Interface(_) => matches!(key.metric, NetReceive | NetTransmit),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{
        snapshot::{Disk, Process, Reading},
        subject::ProcessId,
    };
    use std::sync::Arc;

    const START: f64 = 1_700_000_000.0;

    fn host(disks: usize, processes: &[(u32, f64)]) -> Snapshot {
        let disk = |n: usize| Disk { name: format!("d{n:03}").into(), ..Disk::default() };
        let process = |(pid, cpu): &(u32, f64)| Process {
            id: ProcessId { pid: *pid, start: 1 },
            cpu: Some(*cpu),
            resident: 1 << 20,
            ..Process::default()
        };
        Snapshot {
            disks: Reading::Known((0..disks).map(disk).collect()),
            processes: Reading::Known(Arc::new(processes.iter().map(process).collect())),
            ..Snapshot::default()
        }
    }

    fn cpu(pid: u32) -> Key {
        Key::new(Subject::Process(ProcessId { pid, start: 1 }), Metric::ProcessCpu)
    }

    fn run(shelf: &mut Shelf, seconds: std::ops::Range<u32>, snapshot: &Snapshot) {
        seconds.for_each(|second| shelf.take(START + f64::from(second), snapshot, &BTreeSet::new()));
    }

    #[test]
    fn of_a_crowd_the_busiest_are_kept_and_chance_changes_nobody() {
        let mut shelf = Shelf::default();
        let crowd: Vec<(u32, f64)> = (1..=30).map(|pid| (pid, 0.1 + 0.01 * f64::from(pid))).collect();
        run(&mut shelf, 0..60, &host(1, &crowd));
        let kept = |shelf: &Shelf| (1..=40).filter(|pid| shelf.get(&cpu(*pid)).is_some()).collect::<Vec<u32>>();
        assert_eq!(kept(&shelf), (19..=30).collect::<Vec<u32>>());
        let mut closer = crowd.clone();
        closer[0].1 = 0.32;
        run(&mut shelf, 60..200, &host(1, &closer));
        assert_eq!(kept(&shelf), (19..=30).collect::<Vec<u32>>(), "a little busier than the last of them");
        closer[0].1 = 2.0;
        run(&mut shelf, 200..260, &host(1, &closer));
        assert!(kept(&shelf).contains(&1) && kept(&shelf).len() == CROWD);
        run(&mut shelf, 260..500, &host(1, &[(1, 2.0)]));
        assert_eq!(kept(&shelf), [1], "the others have ended");
    }

    #[test]
    fn room_is_bounded_and_what_matters_more_has_it() {
        let mut shelf = Shelf::default();
        let crowd: Vec<(u32, f64)> = (1..=20).map(|pid| (pid, 1.0)).collect();
        run(&mut shelf, 0..30, &host(10, &crowd));
        assert!(shelf.get(&cpu(1)).is_some());
        run(&mut shelf, 30..60, &host(100, &crowd));
        assert_eq!(shelf.len(), MOST);
        assert!(shelf.get(&cpu(1)).is_none(), "a hundred disks are more than there is room for");
        let vital = shelf.iter().filter(|(_, row)| row.weight == Weight::Vital).count();
        assert_eq!(vital, MOST, "busy time and traffic of disks go before their flushes");
        assert!(shelf.bytes() < 8 << 20, "{}", shelf.bytes());
    }

    #[test]
    fn what_has_a_limit_is_vital_for_as_long_as_it_has_one() {
        let mut shelf = Shelf::default();
        let many: Vec<(u32, f64)> = (1..=20).map(|pid| (pid, 1.0)).collect();
        let limited = BTreeSet::from([cpu(20)]);
        (0..30).for_each(|s| shelf.take(START + f64::from(s), &host(1, &many), &limited));
        assert_eq!(shelf.get(&cpu(20)).unwrap().weight, Weight::Vital);
        run(&mut shelf, 30..60, &host(1, &many));
        assert!(shelf.get(&cpu(20)).is_none(), "one of many again, and not among the first");
    }

    #[test]
    fn what_is_gone_is_forgotten_after_half_an_hour() {
        let mut shelf = Shelf::default();
        run(&mut shelf, 0..60, &host(2, &[]));
        let before = shelf.len();
        run(&mut shelf, 60..1800, &host(1, &[]));
        assert_eq!(shelf.len(), before);
        run(&mut shelf, 1800..1900, &host(1, &[]));
        assert_eq!(shelf.len(), before / 2);
    }
}
