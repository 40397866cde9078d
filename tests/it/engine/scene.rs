//! A scripted host and scripted hands around a real brain: one victim, two hogs, a clock that only steps.

use std::{collections::VecDeque, sync::Arc, time::Duration};
use trimtab::{
    actions::action::{Action, ActionAbout},
    analysis::derive::deriver::Deriver,
    engine::{
        brain::brain::{Birth, Brain},
        input::{Effect, Input, JobNumber, Ticket},
        job::{Done, Job},
        parts::Settings,
    },
    host::{error::HostError, host::Host},
    model::{
        change::{Cause, Change, ChangeId, ChangeState, Deed, Entry, Who},
        facts::Facts,
        finding::FindingKind,
        knob::{Knob, Place},
        limits::{Mode, Policy, Rescue},
        message::{Command, GuardState, Reply, View},
        metric::{Better, Key, Metric},
        note::Note,
        plan::{Held, Obstacle, Plan, Refusal, Step, Undone},
        proposal::{Domain, Proposal, Risk, Want},
        sample::{CpuSample, CpuTimes, MemorySample, PressureLine, PressureSample, ProcessSample, Sample, SourceName, Stall},
        subject::{ProcessId, Subject},
        time::{Now, Tick, Wall},
        trial::{Guardrail, Leg, Trial, Windows},
        world::World,
    },
    sources::source::Lane,
};

pub const VICTIM: ProcessId = ProcessId { pid: 10, start: 1 };

/// An action for tests: it wants a value on each hog. What it would do to the machine is the scene's business.
struct Calm {
    name: &'static str,
    domain: Domain,
    fit: f64,
    risk: Risk,
}

impl Action for Calm {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: self.name,
            row: "C1",
            changes: "nothing",
            helps: "",
            hurts: "",
            undone: "",
            risk: Risk::Low,
            needs: "",
            cooldown: 30.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let found = world.findings.iter().find(|f| f.id.kind == FindingKind::CpuContention);
        found.map(|finding| self.advice(finding, world.windows)).into_iter().collect()
    }

    fn prepare(&self, _: &Proposal, _: &dyn Host) -> Result<Plan, Refusal> {
        unreachable!("the scene's hands prepare")
    }
    fn apply(&self, _: &Plan, _: &dyn Host) -> Result<(), Refusal> {
        unreachable!("the scene's hands apply")
    }
    fn verify(&self, _: &Plan, _: &dyn Host) -> Result<Held, HostError> {
        unreachable!("the scene's hands verify")
    }
    fn rollback(&self, _: &Plan, _: &dyn Host) -> Result<Undone, HostError> {
        unreachable!("the scene's hands roll back")
    }
}

impl Calm {
    fn advice(&self, finding: &trimtab::model::finding::Finding, windows: Windows) -> Proposal {
        let mut wants: Vec<Want> = finding.culprits.iter().map(|c| Want { on: c.subject.clone(), to: "10".into() }).collect();
        wants.sort();
        Proposal {
            action: self.name.into(),
            finding: finding.id.clone(),
            title: format!("{} the hogs", self.name),
            why: String::new(),
            mechanism: String::new(),
            expect: String::new(),
            undo: String::new(),
            wants,
            risk: self.risk,
            reversible: true,
            domain: self.domain.clone(),
            trial: Trial {
                primary: Key::new(Subject::Process(VICTIM), Metric::ProcessRunDelay),
                better: Better::Lower,
                least: 0.1,
                guardrails: vec![Guardrail { key: Key::host(Metric::PressureMemorySome), relative: 0.0, absolute: 0.05 }],
                controls: vec![],
                windows,
                prevents: None,
            },
            fit: self.fit,
            cooldown: 30.0,
            asked: false,
            foreseen: None,
            course: trimtab::model::proposal::Course::Judged,
        }
    }
}

/// Two actions of one domain, and one of another.
pub static ACTIONS: &[&dyn Action] = &[
    &Calm { name: "calm", domain: Domain::Cpu, fit: 0.9, risk: Risk::Low },
    &Calm { name: "lean", domain: Domain::Cpu, fit: 0.5, risk: Risk::Low },
    &Calm { name: "trim", domain: Domain::Memory, fit: 0.3, risk: Risk::Low },
];

/// One action of high risk.
pub static RISKY: &[&dyn Action] = &[&Calm { name: "calm", domain: Domain::Cpu, fit: 0.9, risk: Risk::High }];

/// The scripted host, hands and clock.
pub struct Scene {
    pub brain: Brain,
    pub now: Now,
    /// Seconds per second that the victim waits.
    pub wait: f64,
    /// What it waits once a change is applied.
    pub cured: f64,
    /// What it waited when the change was applied; undo brings it back.
    sick: f64,
    /// The victim is measured.
    pub measured: bool,
    pub journal_down: bool,
    /// A third hog of that pid.
    pub visitor: Option<u32>,
    /// Undo is done and cannot be written down.
    pub unwritten: bool,
    /// Microseconds of each pass in which all tasks wait for memory.
    pub squeeze: u64,
    /// Share of all cores that idles.
    pub idle: f64,
    idled: u64,
    squeezed: u64,
    /// Percent that the kernel's own average over ten seconds says of it.
    pub full10: f64,
    /// The first word of the rung that brings relief.
    pub relief: &'static str,
    /// Rungs climbed, in their words.
    pub climbed: Vec<String>,
    /// The plan of previews, told apart by this text.
    pub plan: &'static str,
    pub lock: Option<Refusal>,
    pub held: Held,
    pub replies: Vec<(Ticket, Reply)>,
    pub entries: Vec<Entry>,
    pub done: Vec<String>,
    pub view: Option<Arc<View>>,
    /// How often sweeps are wanted.
    pub every: Option<Duration>,
    waiting: VecDeque<(JobNumber, Job)>,
    /// Jobs are left waiting.
    pub asleep: bool,
    tickets: u64,
    noise: u64,
    cpu: [u64; 3],
    delay: [u64; 3],
    ticks: u64,
    stalled: u64,
}

impl Scene {
    pub fn new(mode: Mode) -> Scene {
        let windows = Windows { before: 30.0, settle: 2.0, after: 20.0 };
        Scene::with(Policy { mode, windows, ..Policy::default() })
    }

    pub fn with(policy: Policy) -> Scene {
        Scene::born(policy, vec![])
    }

    /// With a journal of before.
    pub fn born(policy: Policy, entries: Vec<(u64, Entry)>) -> Scene {
        Scene::of(policy, ACTIONS, entries)
    }

    /// With these numbers for emergencies.
    pub fn urgent(policy: Policy, rescue: Rescue) -> Scene {
        Scene::begun(Settings { policy, rescue, ..Settings::default() }, ACTIONS, Vec::new())
    }

    /// A scene with these actions, whose engine finds a journal of these entries.
    pub fn of(policy: Policy, actions: &'static [&'static dyn Action], entries: Vec<(u64, Entry)>) -> Scene {
        // What many harms in a short time lead to (E7) has tests of its own.
        let rescue = Rescue { harms: 100, ..Rescue::default() };
        Scene::begun(Settings { policy, rescue, ..Settings::default() }, actions, entries)
    }

    fn begun(settings: Settings, actions: &'static [&'static dyn Action], entries: Vec<(u64, Entry)>) -> Scene {
        let now = Now { tick: Tick(1_000_000_000_000), wall: Wall(1_700_000_000_000) };
        let names = [SourceName::Cpu, SourceName::Pressure, SourceName::Processes];
        let facts = Facts { boot: "boot".into(), cpus: 2, ..Facts::default() };
        let birth = Birth {
            deriver: Deriver::new(names.map(|name| (name, Duration::from_secs(2)))),
            facts: Arc::new(facts),
            actions,
            settings: Settings { stop: Some("/run/x/STOP".into()), ..settings },
            entries,
            leave: false,
            engine: 1,
            now,
        };
        let brain = Brain::new(birth);
        Scene {
            brain,
            now,
            wait: 0.5,
            cured: 0.05,
            sick: 0.5,
            measured: true,
            journal_down: false,
            visitor: None,
            unwritten: false,
            squeeze: 0,
            idle: 0.0,
            idled: 0,
            squeezed: 0,
            full10: 0.0,
            relief: "",
            climbed: vec![],
            plan: "one",
            lock: None,
            held: Held::Holds,
            replies: vec![],
            entries: vec![],
            done: vec![],
            view: None,
            every: None,
            waiting: VecDeque::new(),
            asleep: false,
            tickets: 0,
            noise: 7,
            cpu: [0; 3],
            delay: [0; 3],
            ticks: 0,
            stalled: 0,
        }
    }

    /// A number between -1 and 1, the same ones in each run.
    fn noise(&mut self) -> f64 {
        self.noise = self.noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.noise >> 33) as f64 / f64::from(1_u32 << 30) - 1.0
    }

    /// One pass of the fast lane, 100 ms on.
    pub fn pass(&mut self) {
        self.now.tick = self.now.tick + Duration::from_millis(100);
        self.now.wall.0 += 100;
        self.ticks += 10;
        self.stalled += 60_000;
        self.squeezed += self.squeeze;
        let squeezed = PressureLine { avg: [self.full10, 0.0, 0.0], total: self.squeezed };
        let times = CpuTimes { user: self.ticks, ..CpuTimes::default() };
        self.idled += (20.0 * self.idle) as u64;
        let total = CpuTimes { user: 2 * self.ticks - self.idled, idle: self.idled, ..CpuTimes::default() };
        let cpu = CpuSample { total, cores: vec![(0, times), (1, times)], ..CpuSample::default() };
        let some = PressureLine { avg: [0.0; 3], total: self.stalled };
        let pressure = PressureSample {
            cpu: Stall { some, full: None },
            memory: Stall { some: squeezed, full: Some(squeezed) },
            ..PressureSample::default()
        };
        self.sample(SourceName::Cpu, Sample::Cpu(cpu));
        self.sample(SourceName::Pressure, Sample::Pressure(pressure));
        let memory = MemorySample { total: 1 << 33, available: 1 << 32, ..MemorySample::default() };
        self.sample(SourceName::Memory, Sample::Memory(memory));
        self.step(Input::Passed { lane: Lane::Fast, now: self.now });
    }

    fn sample(&mut self, source: SourceName, sample: Sample) {
        self.step(Input::Sampled { source, at: self.now, sample: Ok(sample) });
    }

    /// A second: ten passes, then a sweep.
    pub fn second(&mut self) {
        for _ in 0..10 {
            self.pass();
        }
        let wait = (self.wait * (1.0 + 0.1 * self.noise())).max(0.0);
        let (use_, waits) = ([0.05, 0.9, 0.9], [wait, 0.3, 0.3]);
        let rows = (0..3).map(|i| {
            self.cpu[i] += (use_[i] * 1e9) as u64;
            self.delay[i] += (waits[i] * 1e9) as u64;
            let id = [VICTIM, ProcessId { pid: 20, start: 2 }, ProcessId { pid: 21, start: 3 }][i];
            let name = if i == 0 { "web" } else { "hog" };
            ProcessSample {
                id,
                name: name.into(),
                state: 'R',
                cpu: self.cpu[i],
                run_delay: Some(self.delay[i]),
                threads: 1,
                resident: [1 << 20, 1 << 30, 1 << 29][i],
                ..ProcessSample::default()
            }
        });
        let mut rows: Vec<ProcessSample> = rows.collect();
        if let (Some(pid), Some(hog)) = (self.visitor, rows.last()) {
            rows.push(ProcessSample { id: ProcessId { pid, start: 4 }, ..hog.clone() });
        }
        let rows = rows.into_iter().filter(|row| self.measured || row.id != VICTIM).collect();
        self.sample(SourceName::Processes, Sample::Processes(Arc::new(rows)));
        self.step(Input::Passed { lane: Lane::Sweep, now: self.now });
    }

    pub fn seconds(&mut self, count: usize) {
        for _ in 0..count {
            self.second();
        }
    }

    /// Gives a command and returns its answer, if it came at once.
    pub fn command(&mut self, command: Command) -> Option<Reply> {
        self.command_of("root", command)
    }

    /// The same of that user.
    pub fn command_of(&mut self, user: &str, command: Command) -> Option<Reply> {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let who = Who::Operator { user: user.into(), via: "test".into() };
        self.step(Input::Commanded { ticket, who, command });
        self.answer(ticket)
    }

    pub fn answer(&self, ticket: Ticket) -> Option<Reply> {
        self.replies.iter().find(|(t, _)| *t == ticket).map(|(_, reply)| reply.clone())
    }

    pub fn stop(&mut self) -> Option<Reply> {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.step(Input::Stopped { ticket });
        self.answer(ticket)
    }

    pub fn step(&mut self, input: Input) {
        let effects = self.brain.step(input);
        for effect in effects {
            match effect {
                Effect::Publish(view) => self.view = Some(view),
                Effect::Perform { job, what } => self.waiting.push_back((job, what)),
                Effect::Reply { ticket, reply } => self.replies.push((ticket, reply)),
                Effect::SweepEvery(span) => self.every = Some(span),
                Effect::LookForeign | Effect::Log(..) | Effect::Notify(_) | Effect::KeepAlerts(_) | Effect::KeepWeek(_) => {}
            }
        }
        self.work();
    }

    /// The hands do what waits.
    pub fn work(&mut self) {
        while !self.asleep
            && let Some((job, what)) = self.waiting.pop_front()
        {
            let done = Box::new(self.perform(what));
            self.step(Input::Performed { job: Some(job), done });
        }
    }

    fn entry(&mut self, change: ChangeId, deed: Deed, who: &Who) -> (u64, Entry) {
        let entry = Entry { change, deed, who: who.clone(), now: self.now, boot: "boot".into() };
        self.entries.push(entry.clone());
        (self.entries.len() as u64, entry)
    }

    fn plan(&self) -> Plan {
        let step = Step {
            knob: Knob::File(Place::proc("sys/vm/swappiness")),
            before: "60".into(),
            after: self.plan.into(),
            apply: String::new(),
            undo: String::new(),
        };
        Plan { action: "calm".into(), boot: "boot".into(), steps: vec![step] }
    }

    fn turn(&mut self, to: Leg) {
        self.wait = if to == Leg::On { self.cured } else { self.sick };
    }

    fn perform(&mut self, job: Job) -> Done {
        self.done.push(format!("{job:?}").split(['(', ' ', '{']).next().unwrap().to_string());
        let down = self.journal_down && !matches!(job, Job::Preview(..) | Job::Verify(..) | Job::RollBack { .. });
        if down {
            return Done { error: Some("disk full".into()), journal_down: true, ..Done::default() };
        }
        match job {
            Job::Record(deeds) => {
                let entries = deeds.into_iter().map(|(id, deed, who)| self.entry(id, deed, &who)).collect();
                Done { entries, ..Done::default() }
            }
            Job::Preview(id, _) => {
                let result = self.lock.clone().map_or_else(|| Ok((self.plan(), self.plan.to_string())), Err);
                Done { preview: Some((id, result)), ..Done::default() }
            }
            Job::Apply(apply) => {
                if apply.digest != self.plan {
                    let refusal = Refusal { kind: Obstacle::Moved, why: "the plan is another one by now".into() };
                    return Done { entries: vec![self.entry(apply.change, Deed::Refused(refusal), &apply.who)], ..Done::default() };
                }
                (self.sick, self.wait) = (self.wait, self.cured);
                let started =
                    Deed::ApplyStarted { plan: Box::new(self.plan()), deadline: self.now.tick + apply.confirm, leave: apply.leave };
                let next = if apply.proposal.course.is_watched() { Deed::WatchStarted } else { Deed::Kept };
                let deeds = [Deed::Prepared, started, Deed::Applied, next];
                let entries = deeds.into_iter().map(|deed| self.entry(apply.change, deed, &apply.who)).collect();
                let guard = Some(GuardState::Armed { pid: 2, plans: 1 });
                Done { entries, guard, ..Done::default() }
            }
            Job::RollBack { change, cause, who, .. } => {
                self.wait = self.sick;
                if self.unwritten {
                    let error = Some(format!("{change} was rolled back, but not written down"));
                    return Done { error, journal_down: true, ..Done::default() };
                }
                let deeds = [Deed::RollbackStarted(cause), Deed::RolledBack];
                Done { entries: deeds.into_iter().map(|deed| self.entry(change, deed, &who)).collect(), ..Done::default() }
            }
            Job::Carry(carry) => {
                let proposed = Deed::Proposed { proposal: Box::new(carry.proposal), finding: Box::new(carry.finding) };
                let approved = Deed::Approved { digest: self.plan.into() };
                let started =
                    Deed::ApplyStarted { plan: Box::new(self.plan()), deadline: self.now.tick + carry.confirm, leave: carry.leave };
                let deeds = [proposed, approved, Deed::Prepared, started, Deed::Applied, Deed::Kept];
                let entries = deeds.into_iter().map(|deed| self.entry(carry.change, deed, &carry.who)).collect();
                Done { entries, ..Done::default() }
            }
            Job::Ready(rungs) => Done { ready: Some(vec![None; rungs.len()]), ..Done::default() },
            Job::Climb(climb) => {
                let words = climb.proposal.wants[0].to.clone();
                if !self.relief.is_empty() && words.starts_with(self.relief) {
                    (self.squeeze, self.full10) = (0, 0.0);
                }
                self.climbed.push(words);
                let proposed = Deed::Proposed { proposal: Box::new(climb.proposal.clone()), finding: Box::new(climb.finding) };
                let approved = Deed::Approved { digest: self.plan.into() };
                // Each rung has a knob of its own: changes on one knob are undone together.
                let mut plan = self.plan();
                plan.steps[0].knob = Knob::File(Place::proc(format!("sys/rung/{}", climb.change)));
                let started = Deed::ApplyStarted { plan: Box::new(plan), deadline: self.now.tick + climb.confirm, leave: true };
                let end = if climb.proposal.reversible { Deed::Kept } else { Deed::Done };
                let deeds = [proposed, approved, Deed::Prepared, started, Deed::Applied, end];
                let entries = deeds.into_iter().map(|deed| self.entry(climb.change, deed, &climb.who)).collect();
                Done { entries, ..Done::default() }
            }
            Job::Halt(halt, who) => {
                let note = Deed::Noted(Box::new(Note::Halted(halt)));
                Done { entries: vec![self.entry(ChangeId::HOUSE, note, &who)], ..Done::default() }
            }
            Job::Switch { change, to, .. } => {
                self.turn(to);
                Done { entries: vec![self.entry(change, Deed::Switched(to), &Who::Engine)], ..Done::default() }
            }
            Job::Keep(id, who) => {
                let back = self.wait == self.sick;
                let on = back.then(|| self.entry(id, Deed::Switched(Leg::On), &Who::Engine));
                self.turn(Leg::On);
                Done { entries: on.into_iter().chain([self.entry(id, Deed::Kept, &who)]).collect(), ..Done::default() }
            }
            Job::Verify(id, _) => Done { held: Some((id, self.held.clone())), ..Done::default() },
        }
    }

    /// The change of that action, from the last view.
    pub fn change(&self, action: &str) -> Option<Arc<Change>> {
        self.view.as_ref()?.changes.iter().find(|c| &*c.proposal.action == action).cloned()
    }

    pub fn state(&self, action: &str) -> Option<ChangeState> {
        self.change(action).map(|c| c.state)
    }

    /// Until a proposal with a plan stands in the queue.
    pub fn until_proposed(&mut self) -> ChangeId {
        self.seconds(40);
        let change = self.change("calm").expect("proposed");
        assert!(change.plan.is_some(), "previewed");
        change.id
    }

    /// Proposes, approves, applies.
    pub fn until_applied(&mut self) -> ChangeId {
        let id = self.until_proposed();
        assert!(is_done(self.command(approve(id))));
        assert!(is_done(self.command(apply(id))));
        assert_eq!(self.state("calm"), Some(ChangeState::Watching));
        id
    }

    /// Why changes were rolled back, in order.
    pub fn causes(&self) -> Vec<Cause> {
        let cause = |e: &Entry| match e.deed {
            Deed::RollbackStarted(cause) => Some(cause),
            _ => None,
        };
        self.entries.iter().filter_map(cause).collect()
    }
}

pub fn approve(change: ChangeId) -> Command {
    Command::Approve { change, digest: None }
}

pub fn apply(change: ChangeId) -> Command {
    Command::Apply { change, digest: None }
}

pub fn is_done(reply: Option<Reply>) -> bool {
    matches!(reply, Some(Reply::Done(_)))
}

/// The refusal's words.
pub fn refused(reply: Option<Reply>) -> String {
    match reply {
        Some(Reply::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}
