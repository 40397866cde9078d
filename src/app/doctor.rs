//! `trimtab doctor`: what this host lets us read and change, and why not. It reads each source once and asks for each action's rights;
//! it writes nothing.

pub mod foresight;
pub mod history;
pub mod judge;
mod probe;

use crate::{
    actions::action::Action,
    app::text,
    host::{error::Kind, host::Host},
    model::{
        allowance::Allowance,
        facts::Facts,
        hardware::HardwareSample,
        knob::Place,
        sample::{Sample, SourceName},
        unit::Unit,
    },
    sources::{allowance::Allowance as OwnLimits, source::Source},
};
use serde::Serialize;
use std::fmt;

/// May a thing be read, or a knob be turned, here?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum May {
    /// Wherever it is.
    Yes,
    /// In some places; the reason says which.
    Partly,
    /// Nowhere.
    No,
}

impl May {
    fn word(self) -> &'static str {
        match self {
            May::Yes => "yes",
            May::Partly => "partly",
            May::No => "no",
        }
    }
}

/// One source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Readable {
    /// Its name.
    pub source: SourceName,
    /// What it reads.
    pub reads: &'static str,
    /// Whether it was read.
    pub may: May,
    /// Why there is nothing, or what is hidden. Empty when nothing is missing.
    pub why: String,
    /// How long the reading took, in seconds.
    pub took: f64,
}

/// One action.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changeable {
    /// Its name.
    pub action: &'static str,
    /// Its knob.
    pub changes: &'static str,
    /// What it needs.
    pub needs: &'static str,
    /// Whether we may.
    pub may: May,
    /// What is missing: a right, a feature of the kernel, a mount. Empty when nothing is.
    pub why: String,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The host and our rights on it.
    pub facts: Facts,
    /// What matters of the facts, in words: name and value.
    pub host: Vec<(&'static str, String)>,
    /// What can be read.
    pub reads: Vec<Readable>,
    /// What can be changed.
    pub changes: Vec<Changeable>,
}

/// Looks at everything. A source that hangs on a dead mount hangs here as well: it is read last.
pub fn report(host: &dyn Host, actions: &[&dyn Action], sources: &mut [Box<dyn Source>]) -> Report {
    let facts = host.facts();
    let changes = actions.iter().map(|action| changeable(host, &facts, *action)).collect();
    let mut order: Vec<&mut Box<dyn Source>> = sources.iter_mut().collect();
    order.sort_by_key(|source| source.about().lane);
    let reads = order.into_iter().map(|source| readable(host, &facts, source.as_mut())).collect();
    Report { host: in_words(host, &facts), facts, reads, changes }
}

fn readable(host: &dyn Host, facts: &Facts, source: &mut dyn Source) -> Readable {
    let about = source.about();
    let began = host.now().tick;
    let (may, why) = match source.read(host) {
        Err(e) => (May::No, e.to_string()),
        Ok(sample) => match hidden(host, facts, about.name) {
            Some(what) => (May::Partly, what.into()),
            None => (May::Yes, nothing(&sample).unwrap_or("").into()),
        },
    };
    Readable { source: about.name, reads: about.reads, may, why, took: host.now().tick.seconds_since(began) }
}

/// What this machine does not have, though it may be read.
fn nothing(sample: &Sample) -> Option<&'static str> {
    match sample {
        Sample::Hardware(found) if *found == HardwareSample::default() => Some("this machine tells of no clock, heat or power"),
        Sample::Gpus(all) if all.is_empty() => Some("no graphics processor that tells of itself"),
        Sample::Allowance(found) if *found == Allowance::default() => Some("nothing is tighter than the host"),
        _ => None,
    }
}

/// What is hidden from us for want of rights, in a line each. Cheap: nothing is swept for it.
pub fn lacks(host: &dyn Host, facts: &Facts) -> Vec<&'static str> {
    let partly = [SourceName::Processes, SourceName::Tcp, SourceName::Hardware];
    partly.into_iter().filter_map(|source| hidden(host, facts, source)).collect()
}

/// What a source cannot see of others without rights, though it reads without an error.
fn hidden(host: &dyn Host, facts: &Facts, source: SourceName) -> Option<&'static str> {
    match source {
        SourceName::Processes if host.inode(&Place::proc("1")).is_err() => {
            Some("processes of others are hidden (hidepid of /proc)")
        }
        SourceName::Processes if !facts.can("CAP_SYS_PTRACE") => {
            Some("I/O, descriptors and network namespaces of others' processes are hidden: needs CAP_SYS_PTRACE")
        }
        SourceName::Hardware if denied(host, "class/powercap/intel-rapl:0/energy_uj") => {
            Some("power of the processor packages is hidden: energy_uj needs root or CAP_DAC_READ_SEARCH")
        }
        SourceName::Tcp if !facts.can("CAP_SYS_ADMIN") => {
            Some("listening sockets of other network namespaces are hidden: needs CAP_SYS_ADMIN")
        }
        _ => None,
    }
}

fn denied(host: &dyn Host, file: &str) -> bool {
    host.read(&Place::sys(file), &mut Vec::new()).is_err_and(|error| error.kind == Kind::Denied)
}

fn changeable(host: &dyn Host, facts: &Facts, action: &dyn Action) -> Changeable {
    let about = action.about();
    let (may, why) = probe::ask(host, facts, &about);
    Changeable { action: about.name, changes: about.changes, needs: about.needs, may, why }
}

fn in_words(host: &dyn Host, facts: &Facts) -> Vec<(&'static str, String)> {
    let without = |there: bool, lack: &str| if there { "yes".to_string() } else { format!("no: {lack}") };
    let nodes = if facts.nodes > 1 { format!(", {} NUMA nodes", facts.nodes) } else { String::new() };
    vec![
        ("host", format!("{}, {}, Linux {}", facts.host, facts.os, facts.kernel)),
        ("processors", format!("{} x {}{nodes}", facts.cpus, facts.cpu_model)),
        ("memory", Unit::Bytes.show(facts.memory as f64)),
        ("we are", rights(facts)),
        ("pressure", without(facts.pressure, "the kernel lacks PSI or has it off (boot with psi=1)")),
        ("cgroup v1", probe::controllers_v1(facts)),
        ("cgroup v2", probe::controllers_v2(host, facts)),
        ("autogroup", without(facts.autogroup, "kernel.sched_autogroup_enabled is 0, so nice alone ranks rivals")),
        ("systemd", without(facts.systemd, "pid 1 is another program")),
        ("container", facts.container.as_deref().unwrap_or("no sign of one").into()),
        ("our limits", limits(host)),
        ("memory lock", memory_lock(host, facts)),
        ("other tuners", if facts.tuners.is_empty() { "none running".into() } else { facts.tuners.join(", ") }),
    ]
}

/// What our own control group allows, in words.
fn limits(host: &dyn Host) -> String {
    match OwnLimits::default().read(host) {
        Ok(Sample::Allowance(found)) => text::hardware::limits(&found).unwrap_or_else(|| "none tighter than the host".into()),
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

/// Whether the daemon can keep its memory in core for an emergency (mlockall(2)): CAP_IPC_LOCK, or no RLIMIT_MEMLOCK, as `host::real::brace`
/// asks for it.
fn memory_lock(host: &dyn Host, facts: &Facts) -> String {
    if facts.can("CAP_IPC_LOCK") {
        return "yes".into();
    }
    let limits = host.text(&Place::proc("self/limits")).unwrap_or_default();
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max locked memory")?.split_ascii_whitespace().next());
    match soft {
        Some("unlimited") => "yes".into(),
        Some(bytes) => {
            let bytes = bytes.parse::<f64>().map_or_else(|_| bytes.to_string(), |bytes| Unit::Bytes.show(bytes));
            format!("no: RLIMIT_MEMLOCK is {bytes} and CAP_IPC_LOCK is missing (LimitMEMLOCK=infinity in the unit)")
        }
        None => "unknown: /proc/self/limits cannot be read".into(),
    }
}

/// Capabilities that the knobs ask for; the others do not matter here.
const WANTED: [&str; 7] =
    ["CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_NET_ADMIN", "CAP_DAC_OVERRIDE", "CAP_KILL"];

fn rights(facts: &Facts) -> String {
    let user = facts.user(facts.uid);
    let missing: Vec<&str> = WANTED.into_iter().filter(|name| !facts.can(name)).collect();
    match missing.len() {
        0 => format!("{user}, with every capability that a knob asks for"),
        n if n == WANTED.len() => format!("{user}, without capabilities: our own processes and files only"),
        _ => format!("{user}, without {}", missing.join(", ")),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "this host")?;
        for (name, value) in &self.host {
            writeln!(f, "  {name:<13} {value}")?;
        }
        writeln!(f, "\nwhat it lets us read")?;
        for row in &self.reads {
            let name = format!("{:?}", row.source).to_lowercase();
            let took = Unit::Seconds.show(row.took);
            writeln!(f, "  {:<6}  {name:<11} {took:>8}  {}", row.may.word(), row.reads)?;
            reason(f, &row.why)?;
        }
        writeln!(f, "\nwhat it lets us change")?;
        let width = self.changes.iter().map(|row| row.action.len()).max().unwrap_or(0);
        for row in &self.changes {
            writeln!(f, "  {:<6}  {:<width$}  {}", row.may.word(), row.action, row.changes)?;
            reason(f, &row.why)?;
        }
        Ok(())
    }
}

fn reason(f: &mut fmt::Formatter<'_>, why: &str) -> fmt::Result {
    if why.is_empty() { Ok(()) } else { writeln!(f, "          {why}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{
        actions,
        host::{dry::DryHost, error::HostError, real::RealHost, recorded::RecordedHost},
        sources::source::{Lane, SourceAbout},
    };
    use std::{sync::Arc, time::Duration};

    struct Boot(Lane);

    impl Source for Boot {
        fn about(&self) -> SourceAbout {
            let deadline = Duration::from_secs(1);
            SourceAbout { name: SourceName::Facts, lane: self.0, deadline, reads: "/proc/sys/kernel/random/boot_id" }
        }
        fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
            host.text(&Place::proc("sys/kernel/random/boot_id")).map(|_| Sample::Services(Vec::new()))
        }
    }

    #[test]
    fn a_gap_is_told_in_words_and_what_may_hang_is_read_last() {
        let host = RecordedHost::default();
        let mut sources: Vec<Box<dyn Source>> = vec![Box::new(Boot(Lane::Apart(1))), Box::new(Boot(Lane::Fast))];
        let report = report(&host, &[], &mut sources);
        let gap = &report.reads[0];
        assert!(gap.may == May::No && gap.why.contains("boot_id") && gap.why.contains("No such file"), "{gap:?}");
        assert!(report.to_string().contains(&gap.why));
        assert_eq!(sources[0].about().lane, Lane::Apart(1), "the caller's order stays");
        host.put("/proc/sys/kernel/random/boot_id", "x\n");
        assert_eq!(super::report(&host, &[], &mut sources).reads[1].may, May::Yes);
    }

    #[test]
    fn what_is_hidden_of_others_is_told() {
        let host = RecordedHost::default();
        host.put("/proc/1/stat", "1 (init) S\n");
        let can = |name: &str| Facts { capabilities: vec![name.into()], ..Facts::default() };
        assert!(hidden(&host, &Facts::default(), SourceName::Processes).unwrap().contains("CAP_SYS_PTRACE"));
        assert_eq!(hidden(&host, &can("CAP_SYS_PTRACE"), SourceName::Processes), None);
        assert!(hidden(&host, &Facts::default(), SourceName::Tcp).unwrap().contains("CAP_SYS_ADMIN"));
        host.remove("/proc/1");
        assert!(hidden(&host, &can("CAP_SYS_PTRACE"), SourceName::Processes).unwrap().contains("hidepid"));
    }

    #[test]
    fn a_host_that_only_observes_changes_nothing_and_says_why() {
        let host = DryHost(Arc::new(RealHost::default()));
        for row in report(&host, actions::all(), &mut []).changes {
            assert_eq!(row.may, May::No, "{row:?}");
            assert!(!row.why.is_empty(), "{row:?}");
        }
    }

    #[test]
    fn every_action_is_probed() {
        for about in actions::all().iter().map(|action| action.about()) {
            assert!(probe::known(about.row), "the doctor has no probe for {} ({})", about.name, about.row);
        }
    }

    #[test]
    fn the_page_is_plain_and_says_what_is_missing() {
        let report = report(&RealHost::default(), actions::all(), &mut []);
        let page = report.to_string();
        assert!(page.lines().all(|line| line.chars().all(|c| !c.is_control())), "{page}");
        for row in &report.changes {
            assert!(page.contains(row.action));
            assert_eq!(row.may == May::Yes, row.why.is_empty(), "{row:?}");
        }
        assert!(serde_json::to_value(&report).unwrap()["changes"].is_array());
    }

    #[test]
    fn a_limit_that_forbids_the_lock_is_told() {
        let host = RecordedHost::default();
        let facts =
            |names: &[&str]| Facts { capabilities: names.iter().map(|name| Arc::from(*name)).collect(), ..Facts::default() };
        assert!(memory_lock(&host, &facts(&[])).starts_with("unknown"));
        host.put("/proc/self/limits", "Max locked memory         8388608              8388608              bytes     \n");
        let said = memory_lock(&host, &facts(&[]));
        assert!(said.starts_with("no: RLIMIT_MEMLOCK is 8.00 MiB and CAP_IPC_LOCK is missing"), "{said}");
        assert_eq!(memory_lock(&host, &facts(&["CAP_IPC_LOCK"])), "yes");
        host.put("/proc/self/limits", "Max locked memory         unlimited            unlimited            bytes     \n");
        assert_eq!(memory_lock(&host, &facts(&[])), "yes");
    }

    #[test]
    fn rights_name_what_is_missing() {
        let all: Vec<Arc<str>> = WANTED.iter().map(|name| Arc::from(*name)).collect();
        let facts = |capabilities: &[Arc<str>]| Facts { capabilities: capabilities.to_vec(), ..Facts::default() };
        assert_eq!(rights(&facts(&all)), "0, with every capability that a knob asks for");
        assert_eq!(rights(&facts(&all[1..])), "0, without CAP_SYS_NICE");
        assert!(rights(&facts(&[])).contains("our own"));
    }
}
