//! The accept queue of a listening program (catalogue N1; listen(2), sysctl/net.rst "somaxconn").
//!
//! Changes: `net.core.somaxconn` of the program's network namespace, then asks the program (SIGHUP) to listen again: a live
//! listener keeps the backlog of its last `listen()`.
//! Helps when: connections come in bursts and the queue that somaxconn capped overflows.
//! Hurts when: the program is too slow for its clients: they wait longer instead of being refused. A SIGHUP reloads it.
//! Undone how: somaxconn first, then the program listens again.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            protect,
            refuse::{from_host, refusal},
            rivals::touchable,
            setting::Setting,
            steps::{self, Order},
            trial::{self, rise},
        },
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        knob::{Knob, Place},
        metric::{Key, Metric},
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        sample::Listener,
        snapshot::{Process, Tcp},
        subject::{ProcessId, Subject},
        unit::Unit,
        world::World,
    },
};

/// somaxconn and backlog wished for: what Linux has had as its default since 5.4.
const BACKLOG: u32 = 4096;

/// Cores used from which a program of one thread is bound by them.
const BOUND: f64 = 0.9;

/// The accept queue.
pub struct ListenBacklog;

impl Setting for ListenBacklog {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "listen-backlog",
            row: "N1",
            changes: "net.core.somaxconn of a namespace, and SIGHUP to the program that listens",
            helps: "bursts of connections overflow a queue that somaxconn capped",
            hurts: "the program is too slow: clients wait longer; SIGHUP reloads it",
            undone: "somaxconn first, then the program listens again",
            risk: Risk::Medium,
            needs: "CAP_NET_ADMIN in the namespace, CAP_KILL",
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let full = world.findings.iter().filter(|f| f.id.kind == FindingKind::AcceptOverflow);
        full.filter_map(|finding| self.relief(world, finding)).collect()
    }

    /// The want's subject is the program, its text the namespace and the port: `NETNS PORT BACKLOG`.
    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let lacks = |e| from_host(&e, Setting::about(self).needs);
        let mut steps = Vec::new();
        for (process, text) in proposal.wants.iter().filter_map(|w| Some((w.on.process()?, &w.to))) {
            protect::process(host, process)?;
            reloads(host, process)?;
            let mut words = text.split(' ');
            let (Some(netns), Some(port), Some(to)) = (number(words.next()), number(words.next()), words.next()) else { continue };
            let own = host.link(&Place::proc("self/ns/net")).is_ok_and(|link| link == format!("net:[{netns}]"));
            let somaxconn = Knob::NetworkFile { netns, through: (!own).then_some(process), file: "core/somaxconn".into() };
            let cap = steps::step(host, somaxconn, to).map_err(lacks)?;
            // A cap that is higher already stays; the listener may still have been made under a lower one.
            let enough = number::<u32>(Some(&cap.before)).is_some_and(|before| before >= BACKLOG);
            if !enough {
                steps.push(cap);
            }
            steps.push(steps::step(host, Knob::Backlog { process, netns, port }, to).map_err(lacks)?);
        }
        Ok(steps)
    }

    /// somaxconn decides what the program gets when it listens again.
    fn order(&self) -> Order {
        Order::FirstFirst
    }
}

impl ListenBacklog {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let tcp = namespace(world, &finding.id.subject)?;
        let (listener, process) = fullest(world, finding, tcp)?;
        let (port, old) = (listener.port, listener.backlog);
        let subject = if tcp.through.is_none() { Subject::Host } else { Subject::Network(tcp.netns) };
        let guardrails = vec![rise(Metric::PressureMemoryFull, 0.05)];
        let trial = trial::of(world, Key::new(subject, Metric::ListenOverflows), guardrails);
        let (name, rate) = (&process.name, Unit::PerSecond.show(tcp.overflows));
        Some(Proposal {
            title: format!("backlog {old} -> {BACKLOG} for {} port {port}", name.chars().take(15).collect::<String>()),
            why: format!("The accept queue of {name} holds {old}, all that somaxconn allowed, and overflows {rate}."),
            mechanism: "somaxconn is raised and SIGHUP asks the program to listen again: a burst then waits in the queue.".into(),
            expect: format!("listen overflows should fall from {rate} to 0."),
            undo: "somaxconn is written back and the program listens again (SIGHUP); queued connections stay.".into(),
            wants: vec![Want { on: Subject::Process(process.id), to: format!("{} {port} {BACKLOG}", tcp.netns) }],
            // A program that has no cpu left cannot accept faster: a longer queue only hides it.
            fit: if process.cpu.is_some_and(|cpu| cpu >= BOUND) { 0.3 } else { 0.8 },
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Network, trial)
        })
    }
}

/// The row of the namespace that the finding is about.
fn namespace<'a>(world: &World<'a>, subject: &Subject) -> Option<&'a Tcp> {
    let rows = world.snapshot.tcp.known()?;
    match subject {
        Subject::Network(netns) => rows.iter().find(|row| row.netns == *netns),
        Subject::Process(id) => rows.iter().find(|row| row.listeners.iter().any(|l| l.owner == Some(*id))),
        _ => rows.first(),
    }
}

/// The listener that somaxconn capped, whose owner is known and may get a signal: one that the finding names before any other, then
/// the fullest.
fn fullest<'a>(world: &World<'a>, finding: &Finding, tcp: &'a Tcp) -> Option<(&'a Listener, &'a Process)> {
    let cap = tcp.somaxconn.and_then(|cap| u32::try_from(cap).ok()).unwrap_or(u32::MAX);
    let named = |id: ProcessId| {
        let subject = Subject::Process(id);
        finding.culprits.iter().chain(&finding.victims).any(|party| party.subject == subject)
    };
    let fill = |l: &Listener| f64::from(l.waiting) / f64::from(l.backlog.max(1));
    tcp.listeners
        .iter()
        .filter(|l| l.backlog < BACKLOG && l.backlog <= cap)
        .filter_map(|l| Some((l, master(world, world.snapshot.process(l.owner?)?))))
        .filter(|(_, process)| touchable(process))
        .max_by(|(a, ap), (b, bp)| {
            (named(ap.id), fill(a)).partial_cmp(&(named(bp.id), fill(b))).unwrap_or(std::cmp::Ordering::Equal)
        })
}

/// The process that takes signals for a program: its eldest ancestor of the same name and session. A supervisor of the same name (one
/// script that starts another) stands in a session of its own.
fn master<'a>(world: &World<'a>, process: &'a Process) -> &'a Process {
    let all = world.snapshot.processes.known().map(|all| all.as_slice()).unwrap_or_default();
    let mut eldest = process;
    while let Some(parent) =
        all.iter().find(|p| p.id.pid == eldest.parent && p.name == process.name && p.session == process.session && p.id < eldest.id)
    {
        eldest = parent;
    }
    eldest
}

/// Refuses a program that would die of SIGHUP, or not hear it (`SigCgt` of proc(5), signal 1).
fn reloads(host: &dyn Host, process: ProcessId) -> Result<(), Refusal> {
    let place = Place::proc(format!("{}/status", process.pid));
    let status = host.text(&place).map_err(|e| from_host(&e, "read access to it"))?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).map(str::trim).unwrap_or_default();
    if u64::from_str_radix(mask, 16).is_ok_and(|mask| mask & 1 != 0) {
        return Ok(());
    }
    let why = format!("process {} does not catch SIGHUP: raise somaxconn and restart it by hand.", process.pid);
    Err(refusal(Obstacle::Unsupported, why))
}

fn number<T: std::str::FromStr>(text: Option<&str>) -> Option<T> {
    text?.parse().ok()
}
