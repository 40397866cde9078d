//! The brain: takes one input, gives effects. It only hands inputs to the parts that they concern, in an order that is written here.

use crate::{
    actions::action::Action,
    analysis::{derive::deriver::Deriver, detect},
    engine::{
        brain::{
            alarms::News,
            auto,
            commands::{self, Order},
            desk::{Desk, Errand, Purpose, Then},
            known::Known,
            ledger::Ledger,
            office::Office,
            publish::Publisher,
            queue::Queue,
            rescue::{hold, rescue::Rescue},
            selftest::SelfTest,
            senses::Senses,
            thrift::{self, Strain, Thrift},
            watch::{self, Watches},
        },
        input::{Effect, Input, JobNumber, Ticket},
        job::Done,
        parts::Settings,
    },
    model::{
        change::{Cause, ChangeId, Entry, Who},
        facts::Facts,
        finding::{Finding, Severity},
        lesson::Lessons,
        limits::Mode,
        message::{Command, GuardState, Reply, Welcome},
        note::Note,
        sample::Counters,
        time::{Now, Tick},
        unit::Unit,
    },
    planning::learning::report,
    planning::week::{Learner, Load},
    sources::source::Lane,
};
use std::{sync::Arc, time::Duration};

/// Without a sweep for so long, what is due by time is done without one.
const OVERDUE: Duration = Duration::from_millis(1500);

/// Sweeps after which a view per sweep is enough; until then, each pass of the fast lane shows the first numbers.
const FIRST_SWEEPS: u32 = 2;

/// What the brain is born with.
pub struct Birth {
    /// Turns samples into rates.
    pub deriver: Deriver,
    /// Facts of the host.
    pub facts: Arc<Facts>,
    /// The actions it may propose.
    pub actions: &'static [&'static dyn Action],
    /// Numbers in force.
    pub settings: Settings,
    /// The journal, recovered, oldest first.
    pub entries: Vec<(u64, Entry)>,
    /// Changes applied in this run are undone when it ends.
    pub leave: bool,
    /// Pid of the engine.
    pub engine: u32,
    /// When it is born.
    pub now: Now,
}

/// The engine's thought.
pub struct Brain {
    actions: &'static [&'static dyn Action],
    known: Known,
    office: Office,
    queue: Queue,
    watches: Watches,
    selftest: SelfTest,
    publisher: Publisher,
    thrift: Thrift,
    week: Learner,
    rescue: Rescue,
    sweeps: u32,
    tended: Tick,
    stopping: Option<Ticket>,
}

impl Brain {
    /// A brain that knows what the journal says and has perceived nothing yet.
    pub fn new(birth: Birth) -> Brain {
        let ledger = Ledger::new(&birth.entries, &birth.facts.boot, &birth.settings.policy);
        let instant = birth.actions.iter().map(|action| action.about()).filter(|about| about.is_instant());
        let office = Office {
            now: birth.now,
            mode: if hold::is_held(&birth.entries) { Mode::Observe } else { birth.settings.policy.mode },
            policy: birth.settings.policy.clone(),
            leave: birth.leave,
            instant: instant.map(|about| about.name).collect(),
            doubted: ledger.trust.is_lost(),
            ledger,
            desk: Desk::default(),
            guard: GuardState::default(),
            journal: None,
            history: None,
            foresight: None,
            stop: birth.settings.stop.as_ref().map(|path| path.display().to_string().into()),
            halted: false,
            critical: Vec::new(),
            low_traffic: None,
            probed: birth.now.tick,
            effects: Vec::new(),
        };
        Brain {
            actions: birth.actions,
            known: Known::new(Senses::new(birth.deriver, birth.facts), &birth.settings, birth.now),
            office,
            queue: Queue::default(),
            watches: Watches::default(),
            selftest: SelfTest::new(birth.now.tick),
            publisher: Publisher::new(birth.engine),
            thrift: Thrift::new(birth.settings.budget),
            week: Learner::knowing(birth.settings.week.known),
            rescue: Rescue::new(birth.settings.rescue),
            sweeps: 0,
            tended: birth.now.tick,
            stopping: None,
        }
    }

    /// Takes one input. Pure: no await, no clock, no I/O.
    pub fn step(&mut self, input: Input) -> Vec<Effect> {
        match input {
            Input::Sampled { source, at, sample } => self.known.senses.take(source, at, sample),
            Input::Weighed { at, cpu, resident } => self.weighed(at, cpu, resident),
            Input::Passed { lane: Lane::Fast, now } => self.passed(now),
            Input::Passed { lane: Lane::Sweep, now } => self.swept(now),
            Input::Passed { .. } => {}
            Input::Ticked { now } => self.ticked(now),
            Input::Commanded { ticket, command: Command::Interval(millis), .. } => self.interval(ticket, millis),
            Input::Commanded { ticket, who, command: Command::Rescue(kind) } => {
                let reply = match self.rescue.agree(kind, who, &self.office) {
                    Ok(text) => Reply::Done(text),
                    Err(why) => Reply::Refused(why),
                };
                self.look(Lane::Fast);
                self.office.reply(ticket, reply);
                self.publish();
            }
            Input::Commanded { ticket, who, command } => {
                match self.known.alerts.obey(&command, &who, &mut self.office) {
                    Some(reply) => self.office.reply(ticket, reply),
                    None => commands::obey(&mut self.office, &self.known.senses.snapshot, Order { ticket, who }, command),
                }
                self.publish();
            }
            Input::Performed { job, done } => self.performed(job, &done),
            Input::Foreseen { outlook, cpu } => self.known.foresee(outlook, cpu),
            Input::Halted(halted) => self.halted(halted),
            Input::Foresight(trouble) => self.office.foresight = trouble,
            Input::History(trouble) => self.office.history = trouble,
            Input::Notified { target, error } => {
                self.known.alerts.heard(target, error, &mut self.office);
                self.publish();
            }
            Input::Stopped { ticket } => self.stop(ticket),
        }
        std::mem::take(&mut self.office.effects)
    }

    /// The present view with the history of the charts.
    pub fn welcome(&self) -> Welcome {
        self.publisher.welcome(self.office.now, (&self.known, &self.rescue), &self.office)
    }

    /// All that was learned from changes.
    pub fn lessons(&self) -> Lessons {
        report::of(&self.office.ledger.learned, &self.office.policy, self.office.now.wall)
    }

    /// The newest samples as they were read.
    pub fn counters(&self) -> Counters {
        self.known.senses.counters()
    }

    /// Looks whether our own cost or the host's distress calls for another pace.
    fn weighed(&mut self, at: Tick, cpu: u64, resident: u64) {
        let first = !self.known.senses.weigh(at, cpu, resident);
        let senses = &self.known.senses;
        let urgent = self.rescue.is_tense() || self.known.alarms.findings.iter().any(Finding::is_imminent);
        let strain = Strain { urgent, ..Strain::of(&senses.snapshot, senses.sweeping, senses.facts.own) };
        if !first && self.thrift.look(&strain) {
            self.paced();
        }
        self.known.senses.cost.budget = self.thrift.budget();
        self.known.senses.cost.pace = self.thrift.pace();
    }

    /// The stop file came or went. Whoever asked us for it has written that down already.
    fn halted(&mut self, halted: bool) {
        if self.office.halted != halted && !self.office.desk.busy(Purpose::Halt, None) {
            self.office.house(Note::Halted(halted), Who::Engine);
            let level = if halted { log::Level::Warn } else { log::Level::Info };
            self.office.log(level, Note::Halted(halted).words());
        }
        self.office.halted = halted;
        self.publish();
    }

    fn interval(&mut self, ticket: Ticket, millis: u32) {
        let reply = if thrift::ASKED.contains(&millis) {
            self.thrift.ask(f64::from(millis) / 1000.0);
            self.paced();
            Reply::Done(format!("sweeps every {}", Unit::Seconds.show(self.thrift.pace().sweep)))
        } else {
            Reply::Refused("sweeps are 0.5 to 10 seconds apart".into())
        };
        self.office.reply(ticket, reply);
        self.publish();
    }

    fn paced(&mut self) {
        let every = self.thrift.every();
        self.known.senses.cost.pace = self.thrift.pace();
        self.known.senses.expect(every);
        self.office.effects.push(Effect::SweepEvery(every));
    }

    fn passed(&mut self, now: Now) {
        self.office.now = now;
        let looked = self.known.pass(now, self.rescue.is_tense());
        let urgent = looked.is_some() && self.look(Lane::Fast);
        let news = looked.unwrap_or_default();
        self.tell(&news);
        if urgent || !news.is_none() || self.sweeps < FIRST_SWEEPS {
            self.publish();
        }
        self.ticked(now);
    }

    fn swept(&mut self, now: Now) {
        self.office.now = now;
        self.sweeps = self.sweeps.saturating_add(1);
        let office = &self.office;
        let trials = office.ledger.all().filter(|c| c.state.is_open() || c.state.is_unconfirmed()).map(|c| &c.proposal.trial);
        let keys = trials.flat_map(|t| std::iter::once(&t.primary).chain(t.guardrails.iter().map(|g| &g.key)).chain(&t.controls));
        self.known.history.watch(keys.chain(self.watches.late()).cloned());
        let news = self.known.sweep(now);
        self.tell(&news);
        self.look(Lane::Sweep);
        self.known.alerts.look(now, &self.known.senses.snapshot, &mut self.office);
        self.learn_week(now);
        let critical = self.known.alarms.findings.iter().filter(|f| f.severity == Severity::Critical);
        self.office.critical = critical.map(|f| f.id.clone()).collect();
        if self.stopping.is_none() {
            self.rescue.tend(&self.known.world(now), &mut self.office);
            self.queue.tend(&self.known.world(now), self.actions, &mut self.office);
            auto::act(&mut self.office);
        }
        self.tend(now);
        self.publish();
    }

    /// One more reading of the host's load, and whether this hour is quiet.
    fn learn_week(&mut self, now: Now) {
        let snapshot = &self.known.senses.snapshot;
        let minute = self.office.policy.utc_offset.minute(now.wall);
        if let Some(cpu) = snapshot.vitals.cpu.known() {
            let services = snapshot.services.known().filter(|all| !all.is_empty());
            let served = services.map(|all| all.iter().map(|service| service.rate).sum());
            if self.week.take(minute, now.wall, Load { busy: cpu.total.busy(), served }) {
                self.office.effects.push(Effect::KeepWeek(Arc::new(self.week.week.clone())));
            }
        }
        self.office.low_traffic = self.week.is_quiet(minute, now.wall);
    }

    /// Looks for emergencies; true when a screen should hear of it at once.
    fn look(&mut self, lane: Lane) -> bool {
        let lane = if lane == Lane::Fast { detect::Lane::Fast } else { detect::Lane::Sweep };
        let now = self.office.now;
        self.stopping.is_none() && self.rescue.look(lane, &self.known.world(now), &mut self.office)
    }

    /// Time goes on even when no sweep comes.
    fn ticked(&mut self, now: Now) {
        self.office.now = now;
        if now.tick.since(self.tended) >= OVERDUE {
            self.tend(now);
        }
    }

    fn tend(&mut self, now: Now) {
        self.tended = now.tick;
        self.office.probe();
        let (series, snapshot) = (&self.known.history.series, &self.known.senses.snapshot);
        self.watches.tend(series, snapshot, &mut self.office);
        let calm = self.known.alarms.findings.is_empty() && self.stopping.is_none();
        self.selftest.tend(series, (snapshot, calm), &mut self.office);
    }

    fn performed(&mut self, job: Option<JobNumber>, done: &Done) {
        let outcome = self.office.finish(job, done);
        if let Some((id, result)) = &done.preview {
            self.queue.previewed(*id, result, &mut self.office);
        }
        if let Some(refusals) = &done.ready {
            self.rescue.readied(refusals, self.office.now);
        }
        if let Some(errand) = outcome.errand.as_ref().filter(|errand| errand.purpose == Purpose::Climb) {
            self.rescue.climbed(errand, outcome.error.as_deref(), &mut self.office);
        }
        if let Some((id, held)) = &done.held {
            watch::held(*id, held, &mut self.office);
        }
        self.office.answer(&outcome);
        for id in &outcome.moved {
            let follows = outcome.errand.as_ref().is_some_and(|e| e.change == *id && e.then.is_some());
            if !follows {
                self.watches.moved(*id, &mut self.office);
            }
        }
        if let Some(Errand { change, purpose, then: Some(then), .. }) = outcome.errand {
            self.follow(change, purpose, then, outcome.error.is_some());
        }
        self.ended();
        if !outcome.moved.is_empty() || done.preview.is_some() || done.error.is_some() {
            self.publish();
        }
    }

    /// What follows a deed. An approval that could not be written is not acted on, nor a verdict to keep; one to undo is.
    fn follow(&mut self, change: ChangeId, purpose: Purpose, then: Then, failed: bool) {
        if failed && purpose == Purpose::Judge && then == Then::Keep {
            self.watches.judge_again(change);
            return;
        }
        if failed && purpose == Purpose::Approve && then == Then::Apply {
            return;
        }
        commands::follow(&mut self.office, change, then);
        self.watches.moved(change, &mut self.office);
    }

    /// Ends: what nobody confirmed, and what was made for this run only, is undone first.
    fn stop(&mut self, ticket: Ticket) {
        if let Some(earlier) = self.stopping.replace(ticket) {
            self.office.reply(earlier, Reply::Done("stopping".into()));
        } else {
            self.office.house(Note::Stopped, Who::Engine);
        }
        for id in commands::begun(&self.office) {
            let temporary = self.office.ledger.get(id).is_none_or(|c| c.leave || !is_kept(c.state) || self.office.leave);
            if temporary {
                self.office.roll_back(id, (Cause::Leaving, Who::Engine), Vec::new());
            }
        }
        self.ended();
    }

    /// Answers the stop once nothing that touches the machine is under way any more.
    fn ended(&mut self) {
        let deeds =
            [Purpose::RollBack, Purpose::Apply, Purpose::Climb, Purpose::Judge, Purpose::Switch, Purpose::Keep, Purpose::Note];
        if deeds.iter().any(|purpose| self.office.desk.busy(*purpose, None)) {
            return;
        }
        if let Some(ticket) = self.stopping.take() {
            self.office.reply(ticket, Reply::Done("stopped".into()));
        }
    }

    fn tell(&mut self, news: &News) {
        for finding in &news.raised {
            self.office.log(log::Level::Warn, format!("{} {}", finding.severity.sign(), finding.headline));
        }
        for finding in &news.cleared {
            self.office.log(log::Level::Info, format!("over: {} ({})", finding.id.kind.words(), finding.id.subject));
        }
    }

    fn publish(&mut self) {
        let view = self.publisher.view(self.office.now, (&self.known, &self.rescue), &self.office);
        // Before any answer of this step: who is told that something is done finds it so in the view.
        self.office.effects.insert(0, Effect::Publish(Arc::new(view)));
    }
}

fn is_kept(state: crate::model::change::ChangeState) -> bool {
    matches!(state, crate::model::change::ChangeState::Kept | crate::model::change::ChangeState::Stuck)
}
