//! Which processes there are. Listing `/proc` costs half a microsecond a process, so it is done seldom: pids are given out in rising
//! order, and the last one given is the last field of `/proc/loadavg` (Documentation/filesystems/proc.rst, 1.7). When it stands still
//! nobody was born; when it moved a little, only the numbers it passed are asked for. Ends are noticed by each process's own clock.

use crate::{
    host::host::{Host, Touch},
    model::knob::Place,
    sources::{kept::Kept, parse},
};

/// Sweeps after which `/proc` is listed whatever was seen: a checkpoint may be restored to any number.
const WHOLE: u32 = 30;

/// Asking whether one number is a process costs about as much as listing this many.
const FAIR: usize = 2;

/// Births at most that are always asked for one by one.
const FEW: usize = 64;

/// Who was born since the last look.
#[derive(Debug, PartialEq, Eq)]
pub enum Births {
    /// Nobody, as far as pids tell.
    None,
    /// These, rising; some of them may be known already.
    New(Vec<u32>),
    /// These are all that there are, rising.
    All(Vec<u32>),
}

/// Looks for processes.
pub struct Census {
    load: Kept,
    /// The last pid given out at the last look and at the one before. A process that was being born at a look is found at the next.
    last: [Option<u32>; 2],
    since: u32,
    buffer: Vec<u8>,
    names: Vec<String>,
}

impl Default for Census {
    fn default() -> Self {
        let load = Kept::new(Place::proc("loadavg"));
        Census { load, last: [None; 2], since: 0, buffer: Vec::new(), names: Vec::new() }
    }
}

impl Census {
    /// Looks, when so many processes are known.
    pub fn take(&mut self, host: &dyn Host, known: usize) -> Touch<Births> {
        // Before the others: who is born meanwhile is found at the next look.
        let newest = self.newest(host);
        let [last, before] = self.last;
        self.last = [newest, last];
        self.since += 1;
        let (Some(from), Some(last), Some(to)) = (before, last, newest) else { return self.list(host) };
        let rising = from <= last && last <= to;
        if self.since >= WHOLE || !rising || (to - from) as usize > FEW.max(known / FAIR) {
            return self.list(host);
        }
        let born: Vec<u32> = (from..to).map(|pid| pid + 1).filter(|pid| host.cpu_clock(*pid).is_ok()).collect();
        Ok(if born.is_empty() { Births::None } else { Births::New(born) })
    }

    fn newest(&mut self, host: &dyn Host) -> Option<u32> {
        self.load.read(host, &mut self.buffer).ok()?;
        parse::text(&self.buffer).split_ascii_whitespace().nth(4)?.parse().ok()
    }

    fn list(&mut self, host: &dyn Host) -> Touch<Births> {
        self.since = 0;
        host.list(&Place::proc(""), &mut self.names)?;
        let mut pids: Vec<u32> = self.names.iter().filter_map(|name| name.parse().ok()).collect();
        pids.sort_unstable();
        Ok(Births::All(pids))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    fn last(host: &RecordedHost, pid: u32) {
        host.put("/proc/loadavg", &format!("0.1 0.2 0.3 1/96 {pid}\n"));
    }

    fn born(host: &RecordedHost, pid: u32) {
        host.put(&format!("/proc/{pid}/stat"), "x");
        host.set_clock(pid, 1);
    }

    fn settled() -> (RecordedHost, Census) {
        let (host, mut census) = (RecordedHost::default(), Census::default());
        born(&host, 10);
        last(&host, 20);
        for _ in 0..2 {
            assert_eq!(census.take(&host, 1).unwrap(), Births::All(vec![10]));
        }
        assert_eq!(census.take(&host, 1).unwrap(), Births::None);
        (host, census)
    }

    #[test]
    fn births_are_found_by_number_and_those_on_their_way_one_look_later() {
        let (host, mut census) = settled();
        last(&host, 23);
        born(&host, 21);
        assert_eq!(census.take(&host, 1).unwrap(), Births::New(vec![21]), "22 and 23 are threads, or already gone");
        born(&host, 23);
        assert_eq!(census.take(&host, 1).unwrap(), Births::New(vec![21, 23]));
        assert_eq!(census.take(&host, 1).unwrap(), Births::None);
    }

    #[test]
    fn numbers_that_wrapped_a_storm_of_births_and_time_lead_to_a_list() {
        let (host, mut census) = settled();
        last(&host, 5);
        assert_eq!(census.take(&host, 1).unwrap(), Births::All(vec![10]));
        assert_eq!(census.take(&host, 1).unwrap(), Births::All(vec![10]), "the wrap lies within two looks");
        assert_eq!(census.take(&host, 1).unwrap(), Births::None);
        last(&host, 5 + 65);
        assert_eq!(census.take(&host, 1).unwrap(), Births::All(vec![10]));
        assert_eq!(census.take(&host, 1000).unwrap(), Births::New(vec![10]), "among many it is fair to ask");
        let calm = (0..60).filter(|_| census.take(&host, 1).unwrap() == Births::None).count();
        assert_eq!(calm, 58, "every 30th look lists");
    }

    #[test]
    fn without_the_file_every_look_lists() {
        let host = RecordedHost::default();
        born(&host, 10);
        let mut census = Census::default();
        for _ in 0..4 {
            assert_eq!(census.take(&host, 1).unwrap(), Births::All(vec![10]));
        }
    }
}
