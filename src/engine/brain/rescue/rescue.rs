//! All emergencies: watches for them, keeps their ladders ready in quiet times, fights those that hold, and takes back what was done.
//!
//! Once a second, from the newest snapshot, each ladder is thought out anew; where it names others than before, the hands make its plans
//! and open its knobs. So that in the emergency itself nothing is left but to climb.

use crate::{
    analysis::{
        detect::Lane,
        emergency::{ladder, sight, vigil::Vigil},
    },
    engine::{
        brain::{
            desk::{Errand, Purpose},
            office::{Office, errand},
            rescue::{
                fight::{ACTION, Fight, Look, proposal},
                hold::Holder,
            },
        },
        job::Job,
        rescuer::is_about_the_target,
    },
    model::{
        change::{Cause, ChangeId, ChangeState, Who},
        emergency::{Emergency, EmergencyKind, Rung, RungState},
        finding::Finding,
        limits::{Mode, Rescue as Rule},
        note::Note,
        plan::Refusal,
        proposal::Proposal,
        subject::Subject,
        time::{Now, Tick},
        world::World,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A ladder that names the same as before is made ready again after this time: pids and prior values move.
const STALE: Duration = Duration::from_secs(10);

/// Whoever was found to be protected is passed by for so long.
const SPARED: Duration = Duration::from_secs(300);

/// What could not be taken back is tried again after this time.
const AGAIN: Duration = Duration::from_secs(10);

/// Seconds over which waiting is smoothed before it counts as relief.
const SMOOTH: f64 = 1.0;

/// The ladders of all kinds.
type Table = BTreeMap<EmergencyKind, Vec<Rung>>;

/// The emergencies of a host.
#[derive(Debug)]
pub struct Rescue {
    rule: Rule,
    vigil: Vigil,
    fights: BTreeMap<EmergencyKind, Fight>,
    table: Table,
    /// The rungs that were given to the hands, in that order.
    asked: Vec<(EmergencyKind, usize)>,
    readied: Option<Tick>,
    spared: BTreeMap<Subject, Tick>,
    /// Share of time in which all waited, for memory and for disks, smoothed.
    waiting: [f64; 2],
    looked: Option<Tick>,
    undone: Option<Tick>,
    holder: Holder,
}

impl Rescue {
    /// Watches by these numbers.
    pub fn new(rule: Rule) -> Rescue {
        Rescue {
            rule,
            vigil: Vigil::default(),
            fights: BTreeMap::new(),
            table: Table::new(),
            asked: Vec::new(),
            readied: None,
            spared: BTreeMap::new(),
            waiting: [0.0; 2],
            looked: None,
            undone: None,
            holder: Holder::default(),
        }
    }

    /// Some sign is there: looks come with every pass, and no sweep is put off.
    pub fn is_tense(&self) -> bool {
        self.vigil.is_tense()
    }

    /// A look of a lane; true when a screen should hear of it at once.
    pub fn look(&mut self, lane: Lane, world: &World<'_>, office: &mut Office) -> bool {
        if !self.rule.enabled {
            return false;
        }
        if lane == Lane::Fast {
            self.smooth(world);
        }
        let before = self.shown();
        let turn = self.vigil.take(world.now, self.rule.calm, sight::look(lane, world, &self.rule, self.waiting));
        for kind in &turn.raised {
            self.begin(*kind, world, office);
        }
        for kind in &turn.ended {
            self.fights.remove(kind);
            office.log(log::Level::Info, format!("emergency {} is over", kind.row()));
        }
        self.fight(office);
        self.take_back(office);
        before != self.shown()
    }

    /// Once per sweep: harm that adds up, and ladders for the day.
    pub fn tend(&mut self, world: &World<'_>, office: &mut Office) {
        if !self.rule.enabled {
            return;
        }
        self.holder.look(self.rule.harms, office);
        // Knobs are opened for writing: not where nothing may be written.
        if office.mode != Mode::Observe && self.fights.is_empty() && !office.desk.busy(Purpose::Ready, None) {
            self.ready(world, office);
        }
    }

    fn smooth(&mut self, world: &World<'_>) {
        let now = world.now.tick;
        let span = self.looked.replace(now).map_or(SMOOTH, |before| now.seconds_since(before));
        let Some(pressure) = world.vitals.pressure.known() else { return };
        let keep = (-span / SMOOTH).exp();
        let [memory, io] = self.waiting;
        self.waiting = [keep * memory + (1.0 - keep) * pressure.memory.full, keep * io + (1.0 - keep) * pressure.io.full];
    }

    fn begin(&mut self, kind: EmergencyKind, world: &World<'_>, office: &mut Office) {
        let Some((_, alarm)) = self.vigil.alarms().find(|(of, _)| *of == kind) else { return };
        let headline = alarm.finding.headline.clone();
        let ladder = match self.table.get(&kind) {
            Some(ladder) if !ladder.is_empty() => ladder.clone(),
            _ => ladder::of(kind, world, &self.rule, &self.passed_by(world.now.tick)),
        };
        let mut fight = Fight::new(kind, alarm.since, ladder);
        office.log(log::Level::Error, format!("EMERGENCY {}: {headline}", kind.row()));
        office.house(Note::Emergency(kind.row().into(), headline), Who::Engine);
        if office.mode == Mode::Auto {
            fight.agree(Who::Engine);
        }
        self.fights.insert(kind, fight);
    }

    fn fight(&mut self, office: &mut Office) {
        for (kind, alarm) in self.vigil.alarms() {
            if let Some(fight) = self.fights.get_mut(&kind) {
                if office.mode == Mode::Auto {
                    fight.agree(Who::Engine);
                }
                if office.mode == Mode::Observe {
                    continue;
                }
                let look = Look { finding: &alarm.finding, eased: self.vigil.is_eased(kind), rule: &self.rule };
                fight.look(&look, office);
            }
        }
    }

    /// Takes back what belongs to no emergency that holds.
    fn take_back(&mut self, office: &mut Office) {
        let now = office.now.tick;
        if self.undone.is_some_and(|at| now.since(at) < AGAIN) {
            return;
        }
        let over = |id: ChangeId| !self.fights.values().any(|fight| fight.owns(id));
        let left: Vec<ChangeId> = office
            .ledger
            .live()
            .filter(|c| &*c.proposal.action == ACTION && c.state == ChangeState::Kept && over(c.id))
            .map(|c| c.id)
            .collect();
        if left.is_empty() {
            return;
        }
        self.undone = Some(now);
        for id in left.into_iter().rev().filter(|id| office.desk.deed(*id).is_none()).collect::<Vec<_>>() {
            office.roll_back(id, (Cause::Over, Who::Engine), Vec::new());
        }
    }

    fn passed_by(&self, now: Tick) -> BTreeSet<Subject> {
        self.spared.iter().filter(|(_, at)| now.since(**at) < SPARED).map(|(on, _)| on.clone()).collect()
    }

    fn ready(&mut self, world: &World<'_>, office: &mut Office) {
        let now = world.now.tick;
        self.spared.retain(|_, at| now.since(*at) < SPARED);
        let spared = self.passed_by(now);
        let table: Table = EmergencyKind::ALL.iter().map(|kind| (*kind, ladder::of(*kind, world, &self.rule, &spared))).collect();
        let stale = self.readied.is_none_or(|at| now.since(at) >= STALE);
        if !stale && !self.is_tense() && essence(&table) == essence(&self.table) {
            return;
        }
        self.readied = Some(now);
        self.table = table;
        self.asked.clear();
        let mut rungs: Vec<Proposal> = Vec::new();
        for (kind, ladder) in &self.table {
            for (at, rung) in ladder.iter().enumerate().filter(|(_, rung)| rung.state == RungState::Waiting) {
                self.asked.push((*kind, at));
                rungs.push(proposal(*kind, rung, &nameless(*kind)));
            }
        }
        office.perform(errand(ChangeId::HOUSE, Purpose::Ready, None), Job::Ready(rungs));
    }

    /// What came of the readying.
    pub fn readied(&mut self, refusals: &[Option<Refusal>], now: Now) {
        for ((kind, at), refusal) in self.asked.iter().zip(refusals) {
            let (Some(refusal), Some(rung)) = (refusal, self.table.get_mut(kind).and_then(|ladder| ladder.get_mut(*at))) else {
                continue;
            };
            rung.state = RungState::Barred(refusal.why.clone());
            if is_about_the_target(refusal) {
                let hit = rung.wants.iter().map(|want| want.on.clone()).filter(|on| *on != Subject::Host);
                self.spared.extend(hit.map(|on| (on, now.tick)));
                // The next sweep names somebody else.
                self.readied = None;
            }
        }
    }

    /// A rung was climbed, or not.
    pub fn climbed(&mut self, errand: &Errand, error: Option<&str>, office: &mut Office) {
        for fight in self.fights.values_mut().filter(|fight| fight.owns(errand.change)) {
            fight.climbed(errand.change, error, office);
        }
    }

    /// An operator says yes.
    pub fn agree(&mut self, kind: EmergencyKind, who: Who, office: &Office) -> Result<String, String> {
        if office.mode == Mode::Observe {
            return Err("the mode is observe, nothing is done: switch to suggest first".into());
        }
        let fight = self.fights.get_mut(&kind).ok_or_else(|| format!("there is no emergency {} now", kind.row()))?;
        fight.agree(who);
        Ok(format!("{} is being fought, as far as the configuration allows ({})", kind.row(), self.rule.rungs.words()))
    }

    /// Emergencies that hold, as a screen shows them.
    pub fn shown(&self) -> Vec<Emergency> {
        let one = |(kind, alarm): (EmergencyKind, &crate::analysis::emergency::vigil::Alarm)| {
            self.fights.get(&kind).map(|fight| fight.shown(&alarm.finding))
        };
        self.vigil.alarms().filter_map(one).collect()
    }

    /// Their findings, with what an operator can do about them.
    pub fn findings(&self) -> Vec<Finding> {
        let one = |emergency: Emergency| {
            let (_, alarm) = self.vigil.alarms().find(|(kind, _)| *kind == emergency.kind)?;
            let advice = format!("{} ladder ({}): {}", emergency.kind.row(), emergency.stage.words(), emergency.promise());
            Some(Finding { advice: Some(advice), ..alarm.finding.clone() })
        };
        self.shown().into_iter().filter_map(one).collect()
    }

    /// What is wrong with the fighting itself.
    pub fn problems(&self) -> impl Iterator<Item = String> + '_ {
        self.fights.values().filter_map(Fight::problem)
    }
}

/// Who would be hit by what, without the numbers.
fn essence(table: &Table) -> BTreeSet<(EmergencyKind, &str, &Subject)> {
    let rungs = table.iter().flat_map(|(kind, ladder)| ladder.iter().map(move |rung| (*kind, rung)));
    rungs
        .flat_map(|(kind, rung)| rung.wants.iter().map(move |want| (kind, want.to.split(' ').next().unwrap_or_default(), &want.on)))
        .collect()
}

/// The finding of a rung that answers none yet.
fn nameless(kind: EmergencyKind) -> Finding {
    use crate::model::{
        finding::{FindingId, Severity},
        time::Wall,
    };
    Finding {
        id: FindingId { kind: kind.finding(), subject: Subject::Host },
        severity: Severity::Critical,
        headline: "not yet".into(),
        evidence: Vec::new(),
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: Vec::new(),
        advice: None,
        impact: 1.0,
        priority: 2.0,
        since: Wall::default(),
        crossing: None,
    }
}
