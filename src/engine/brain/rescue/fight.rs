//! One emergency being fought: its ladder, how far it was climbed, and what comes next. It climbs one rung at a time, waits for each as
//! long as the configuration says, and stops at the first relief.

use crate::{
    engine::{
        brain::{
            desk::{Errand, Purpose},
            office::Office,
        },
        job::{Climb, Job},
    },
    model::{
        change::{Cause, ChangeId, ChangeState, Who},
        emergency::{Emergency, EmergencyKind, Reach, Rung, RungState, Stage},
        finding::Finding,
        limits::Rescue as Rule,
        metric::{Better, Key},
        proposal::{Domain, Proposal, Risk},
        time::{Now, Tick},
        trial::{Trial, Windows},
    },
};
use std::time::Duration;

/// A rung takes at most so long; then an operator is told.
const LATE: Duration = Duration::from_secs(5);

/// From a rung to the guard's deadline, should the engine fall silent before it is written down as done.
const CONFIRM: Duration = Duration::from_secs(30);

/// The action that climbs.
pub const ACTION: &str = "rescue";

/// An emergency that holds.
#[derive(Debug)]
pub struct Fight {
    kind: EmergencyKind,
    since: Now,
    ladder: Vec<Rung>,
    /// Who said that it be fought.
    agreed: Option<Who>,
    /// The newest rung was begun at this time.
    begun: Option<Tick>,
    late: bool,
    stage: Stage,
}

/// What a fight is told at each look.
pub struct Look<'a> {
    /// The emergency as it is seen now.
    pub finding: &'a Finding,
    /// It is clear at this moment.
    pub eased: bool,
    /// The numbers in force.
    pub rule: &'a Rule,
}

impl Fight {
    /// A fight that nobody has agreed to yet.
    pub fn new(kind: EmergencyKind, since: Now, ladder: Vec<Rung>) -> Fight {
        Fight { kind, since, ladder, agreed: None, begun: None, late: false, stage: Stage::Proposed }
    }

    /// Somebody says that it be fought.
    pub fn agree(&mut self, who: Who) {
        self.agreed.get_or_insert(who);
        if self.stage == Stage::Proposed {
            self.stage = Stage::Climbing;
        }
    }

    /// What a screen shows of it.
    pub fn shown(&self, finding: &Finding) -> Emergency {
        Emergency {
            kind: self.kind,
            headline: finding.headline.clone(),
            since: self.since.wall,
            stage: self.stage.clone(),
            ladder: self.ladder.clone(),
        }
    }

    /// A rung that takes too long, in words.
    pub fn problem(&self) -> Option<String> {
        let rung = self.ladder.iter().find(|rung| rung.state == RungState::UnderWay).filter(|_| self.late)?;
        Some(format!("{}: {} takes longer than {} s", self.kind.row(), rung.title, LATE.as_secs()))
    }

    /// True for the change of one of its rungs.
    pub fn owns(&self, change: ChangeId) -> bool {
        self.ladder.iter().any(|rung| rung.change == Some(change))
    }

    /// Looks once, and climbs if it is time to.
    pub fn look(&mut self, look: &Look<'_>, office: &mut Office) {
        self.follow(office);
        if self.agreed.is_none() {
            self.stage = Stage::Proposed;
            return;
        }
        let now = office.now.tick;
        if self.ladder.iter().any(|rung| rung.state == RungState::UnderWay) {
            self.be_late(now, office);
            return;
        }
        let patience = Duration::from_secs_f64(look.rule.patience);
        if let Some(file) = office.halted() {
            self.stage = Stage::Spent(format!("{file} is there: nothing new is done"));
        } else if look.eased {
            self.stage = Stage::Relieved;
        } else if self.begun.is_some_and(|begun| now.since(begun) < patience) {
            self.stage = Stage::Climbing;
        } else {
            self.climb(look, office);
        }
    }

    /// The rungs as the ledger has them by now.
    fn follow(&mut self, office: &Office) {
        for rung in &mut self.ladder {
            let Some(change) = rung.change.and_then(|id| office.ledger.get(id)) else { continue };
            let under_way = office.desk.deed(change.id).is_some();
            rung.state = match change.state {
                ChangeState::Kept | ChangeState::Done => RungState::Stands,
                ChangeState::RolledBack | ChangeState::Yielded if change.applied.is_some() => RungState::Undone,
                ChangeState::Refused | ChangeState::Stuck | ChangeState::RolledBack | ChangeState::Yielded => {
                    RungState::Failed(change.trouble.clone().unwrap_or_else(|| change.state.words().into()))
                }
                _ if under_way => RungState::UnderWay,
                state => RungState::Failed(format!("it was left {}", state.words())),
            };
        }
    }

    fn be_late(&mut self, now: Tick, office: &mut Office) {
        if !self.late && self.begun.is_some_and(|begun| now.since(begun) > LATE) {
            self.late = true;
            if let Some(problem) = self.problem() {
                office.log(log::Level::Error, problem);
            }
        }
    }

    /// Begins the next rung that may be climbed.
    fn climb(&mut self, look: &Look<'_>, office: &mut Office) {
        let Some(who) = self.agreed.clone() else { return };
        loop {
            let Some(at) = self.ladder.iter().position(|rung| rung.state == RungState::Waiting) else {
                self.spend(office);
                return;
            };
            let spent = climbed(office) >= look.rule.per_hour;
            let Some(rung) = self.ladder.get_mut(at) else { return };
            let proposal = proposal(self.kind, rung, look.finding);
            let barred = match office.standing().may_touch(&proposal) {
                _ if spent => Some(format!("{} rungs were climbed within the hour", look.rule.per_hour)),
                Err(refusal) => Some(refusal.why),
                Ok(()) => None,
            };
            if let Some(why) = barred {
                rung.state = RungState::Barred(why);
                continue;
            }
            let change = office.ledger.number();
            rung.change = Some(change);
            rung.state = RungState::UnderWay;
            let finding = look.finding.clone();
            let job = Climb { change, proposal, finding, who, confirm: CONFIRM };
            let errand = Errand { change, purpose: Purpose::Climb, then: None, askers: Vec::new() };
            office.log(log::Level::Warn, format!("{}: {}", self.kind.row(), rung.title));
            office.perform(errand, Job::Climb(Box::new(job)));
            self.begun = Some(office.now.tick);
            self.late = false;
            self.stage = Stage::Climbing;
            return;
        }
    }

    /// Nothing is left to climb: told once.
    fn spend(&mut self, office: &mut Office) {
        let stage = Stage::Spent(self.end());
        if self.stage != stage {
            office.log(log::Level::Error, format!("{}: {}", self.kind.row(), stage.words()));
            self.stage = stage;
        }
    }

    /// Why nothing is left.
    fn end(&self) -> String {
        if self.ladder.is_empty() {
            return "nobody was found to act on".into();
        }
        let barred = self.ladder.iter().find_map(|rung| match &rung.state {
            RungState::Barred(why) => Some(why.clone()),
            _ => None,
        });
        barred.unwrap_or_else(|| "all were climbed".into())
    }

    /// A rung has been climbed, or not. Whoever is to end has to run for it: its pause is lifted.
    pub fn climbed(&mut self, change: ChangeId, error: Option<&str>, office: &mut Office) {
        let Some(at) = self.ladder.iter().position(|rung| rung.change == Some(change)) else { return };
        let Some(rung) = self.ladder.get_mut(at) else { return };
        match error {
            Some(why) => rung.state = RungState::Failed(why.into()),
            None => rung.state = RungState::Stands,
        }
        if error.is_some() {
            // A rung that failed brings no relief: the next one is due at once.
            self.begun = None;
            return;
        }
        if rung.reach.is_reversible() {
            return;
        }
        let on: Vec<_> = rung.wants.iter().map(|want| want.on.clone()).collect();
        let paused = self.ladder.iter().filter(|r| r.reach == Reach::Freeze && r.wants.iter().any(|want| on.contains(&want.on)));
        for change in paused.filter_map(|rung| rung.change).collect::<Vec<_>>() {
            office.roll_back(change, (Cause::Over, Who::Engine), Vec::new());
        }
    }
}

/// Rungs climbed within the hour.
fn climbed(office: &Office) -> usize {
    let now = office.now.tick;
    let recent = |at: Now| now.seconds_since(at.tick) < 3600.0;
    office.ledger.all().filter(|c| &*c.proposal.action == ACTION && c.applied.is_some_and(recent)).count()
}

/// The rung as a proposal: asked for by the emergency, judged by nothing but its end.
pub fn proposal(kind: EmergencyKind, rung: &Rung, finding: &Finding) -> Proposal {
    let reversible = rung.reach.is_reversible()
        && !rung.wants.iter().any(|want| want.to.starts_with("vacuum") || want.to.starts_with("reclaim"));
    let primary = finding.evidence.first().map(|fact| Key::new(fact.subject.clone(), fact.metric));
    let primary = primary.unwrap_or_else(|| Key::host(crate::model::metric::Metric::Load));
    Proposal {
        action: ACTION.into(),
        finding: finding.id.clone(),
        title: rung.title.clone(),
        why: format!("{}: {}.", kind.row(), finding.headline),
        mechanism: "It takes from the one that is most to blame what all others lack.".into(),
        expect: "Relief within 5 seconds, or the next rung.".into(),
        undo: if reversible { "Taken back as soon as the emergency is over.".into() } else { "It cannot be taken back.".into() },
        wants: rung.wants.clone(),
        risk: if reversible { Risk::Medium } else { Risk::High },
        reversible,
        domain: match kind {
            EmergencyKind::Memory => Domain::Memory,
            EmergencyKind::Space | EmergencyKind::Io => Domain::Storage,
            EmergencyKind::Connections => Domain::Network,
            EmergencyKind::Forks | EmergencyKind::Heat => Domain::Cpu,
        },
        trial: Trial {
            primary,
            better: Better::Lower,
            least: 0.1,
            guardrails: Vec::new(),
            controls: Vec::new(),
            windows: Windows::default(),
            prevents: None,
        },
        fit: 1.0,
        cooldown: 0.0,
        asked: true,
        foreseen: None,
        course: crate::model::proposal::Course::Judged,
    }
}
