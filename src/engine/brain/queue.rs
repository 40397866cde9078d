//! The queue: from findings to proposals, kept fresh while they wait, taken out when their reason has gone.
//!
//! At most one open proposal per finding and action, at most three per finding. A proposal becomes a change through the journal, then
//! `prepare` shows its plan, its digest and its locks, and does so again every few seconds.
//!
//! What has proved itself is offered once more, to be made lasting: that answers no finding that holds, and lives as long as the change
//! that it makes lasting is kept.

use crate::{
    actions::action::Action,
    analysis::impact::foresight,
    engine::{
        brain::{
            desk::Purpose,
            ledger::troubled,
            office::{Office, errand},
        },
        job::{Job, Preview},
    },
    model::{
        change::{Change, ChangeId, ChangeState, Deed},
        finding::FindingKind,
        limits::Mode,
        plan::{Obstacle, Refusal},
        proposal::{Domain, Proposal, Want},
        rule::{self, Decision},
        time::Tick,
        world::World,
    },
    planning::{
        lasting,
        learning::{learned::Learned, prospects},
        rank::{self, Likeness},
        rules::{self, Moment},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A preview is older than this: look again.
const PREVIEW: Duration = Duration::from_secs(10);

/// Foresight is older than this: compute again.
const FORESIGHT: Duration = Duration::from_secs(5);

/// An action that has not repeated its advice for so long may replace it by something else.
const REPLACE: f64 = 5.0;

/// Kindred advice that has stayed the same for so long replaces the older one. Where processes come and go, it never does, and the
/// operator has a proposal that stands still.
const SETTLED: f64 = 10.0;

/// What is known of an open proposal beside its change.
#[derive(Clone, Debug)]
struct Card {
    /// Its finding held, and its action repeated it, at this time.
    advised: Tick,
    /// Its finding held at this time.
    held: Tick,
    /// The preview was asked for.
    previewed: Option<Tick>,
    /// Foresight was computed.
    foreseen: Option<Tick>,
    /// Kindred advice, and since when it has been just that.
    kin: Option<(Proposal, Tick)>,
}

impl Card {
    fn new(now: Tick) -> Card {
        Card { advised: now, held: now, previewed: None, foreseen: None, kin: None }
    }
}

/// The open proposals.
#[derive(Debug, Default)]
pub struct Queue {
    cards: BTreeMap<ChangeId, Card>,
    /// Given to the journal and not yet in it.
    offered: BTreeMap<ChangeId, Proposal>,
}

impl Queue {
    /// Once per sweep.
    pub fn tend(&mut self, world: &World<'_>, actions: &[&dyn Action], office: &mut Office) {
        self.settle(office);
        if office.mode != Mode::Observe && office.journal.is_none() {
            for mut proposal in advice(world, actions, &office.ledger.learned) {
                if only_observed(&proposal, world, office) {
                    continue;
                }
                office.ledger.experience.tell(&mut proposal);
                self.advise(proposal, world, office);
            }
            self.offer_lasting(office);
        }
        self.refresh(world, office);
        decide(world, office);
        self.expire(office);
        self.preview(office);
        self.foresee(world, office);
    }

    /// Cards are for open changes, and offers for those that wait for the journal.
    fn settle(&mut self, office: &Office) {
        let now = office.now.tick;
        self.offered.retain(|id, _| office.desk.busy(Purpose::Propose, Some(*id)));
        self.cards.retain(|id, _| office.ledger.get(*id).is_some_and(|c| c.state.is_open()));
        for change in office.ledger.open() {
            self.cards.entry(change.id).or_insert_with(|| Card::new(now));
        }
    }

    /// Takes one piece of advice: known already, or new, or nothing to bother anybody with.
    fn advise(&mut self, proposal: Proposal, world: &World<'_>, office: &mut Office) {
        let rival = |other: &Proposal| other.finding == proposal.finding && other.action == proposal.action;
        if self.offered.values().any(rival) {
            return;
        }
        let open = office.ledger.open().find(|c| rival(&c.proposal)).map(|c| (c.id, rank::likeness(&c.proposal, &proposal)));
        match open {
            Some((id, Likeness::Same)) => self.repeat(id, proposal, office),
            Some((id, Likeness::Kin)) => self.vary(id, proposal, office),
            Some((id, Likeness::Other)) => {
                let silent = |card: &Card, now: Tick| now.seconds_since(card.advised) > REPLACE;
                self.replace(id, silent, office);
            }
            None if wanted(&proposal, world, office) => self.offer(proposal, world, office),
            None => {}
        }
    }

    /// The same advice again: its words and numbers are brought up to date as long as nobody has approved them.
    fn repeat(&mut self, id: ChangeId, proposal: Proposal, office: &mut Office) {
        let now = office.now.tick;
        let Some(card) = self.cards.get_mut(&id) else { return };
        (card.advised, card.kin) = (now, None);
        let Some(change) = office.ledger.get(id) else { return };
        if change.state != ChangeState::Proposed || office.desk.deed(id).is_some() || change.proposal == proposal {
            return;
        }
        let wants = |p: &Proposal| p.wants.iter().cloned().collect::<BTreeSet<Want>>();
        let moved = wants(&change.proposal) != wants(&proposal);
        // Numbers that dance from look to look wait for the next preview: a plan that is shown, and approved, is of the wishes it was made of.
        if moved && card.previewed.is_some_and(|at| now.since(at) < PREVIEW) {
            return;
        }
        if moved {
            card.previewed = None;
        }
        if let Some(change) = office.ledger.get_mut(id) {
            change.proposal = proposal;
            if moved {
                change.plan = None;
            }
        }
    }

    /// Kindred advice: the open one stands for it, unless it stays as it is for a while.
    fn vary(&mut self, id: ChangeId, proposal: Proposal, office: &mut Office) {
        let now = office.now.tick;
        let Some(card) = self.cards.get_mut(&id) else { return };
        card.advised = now;
        let since = match card.kin.take() {
            Some((before, since)) if rank::likeness(&before, &proposal) == Likeness::Same => since,
            _ => now,
        };
        card.kin = Some((proposal, since));
        let settled = |card: &Card, now: Tick| card.kin.as_ref().is_some_and(|(_, since)| now.seconds_since(*since) >= SETTLED);
        self.replace(id, settled, office);
    }

    /// An open proposal that nobody has approved makes room for other advice when it is `over`.
    fn replace(&mut self, id: ChangeId, over: impl Fn(&Card, Tick) -> bool, office: &mut Office) {
        let over = self.cards.get(&id).is_some_and(|card| over(card, office.now.tick));
        if over && office.ledger.get(id).is_some_and(|c| c.state == ChangeState::Proposed) && office.desk.deed(id).is_none() {
            office.note(id, Purpose::Expire, Deed::Expired);
        }
    }

    fn offer(&mut self, proposal: Proposal, world: &World<'_>, office: &mut Office) {
        let of_finding = |p: &&Proposal| p.finding == proposal.finding;
        let open = office.ledger.open().map(|c| &c.proposal).filter(of_finding).count();
        if open + self.offered.values().filter(of_finding).count() >= rank::PER_FINDING {
            return;
        }
        let Some(finding) = world.findings.iter().find(|f| f.id == proposal.finding) else { return };
        let id = office.ledger.number();
        let deed = Deed::Proposed { proposal: Box::new(proposal.clone()), finding: Box::new(finding.clone()) };
        office.note(id, Purpose::Propose, deed);
        self.offered.insert(id, proposal);
    }

    /// Offers to make lasting what has helped and was kept long enough; once for each.
    fn offer_lasting(&mut self, office: &mut Office) {
        let (now, wait) = (office.now.tick, office.policy.lasting);
        let proved = |c: &&Change| !c.leave && c.applied.is_some_and(|applied| now.seconds_since(applied.tick) >= wait);
        let offers = office.ledger.live().filter(proved).filter_map(|c| Some((lasting::proposal(c)?, c.finding.clone())));
        let known = |p: &Proposal| {
            let child = |c: &Change| c.proposal.course == p.course && c.state != ChangeState::Expired;
            office.ledger.all().any(|c| child(c)) || self.offered.values().any(|other| other.course == p.course)
        };
        let Some((proposal, finding)) = offers.into_iter().find(|(proposal, _)| !known(proposal)) else { return };
        let id = office.ledger.number();
        let deed = Deed::Proposed { proposal: Box::new(proposal.clone()), finding: Box::new(finding) };
        office.note(id, Purpose::Propose, deed);
        self.offered.insert(id, proposal);
    }

    /// Findings that hold keep their proposals alive and their numbers fresh.
    fn refresh(&mut self, world: &World<'_>, office: &mut Office) {
        for (id, card) in &mut self.cards {
            let Some(change) = office.ledger.get(*id) else { continue };
            if let Some(parent) = change.proposal.course.parent() {
                if office.ledger.get(parent).is_some_and(|parent| parent.state == ChangeState::Kept) {
                    (card.held, card.advised) = (world.now.tick, world.now.tick);
                }
                continue;
            }
            let Some(finding) = world.findings.iter().find(|f| f.id == change.proposal.finding) else { continue };
            card.held = world.now.tick;
            if change.finding != *finding
                && let Some(change) = office.ledger.get_mut(*id)
            {
                change.finding = finding.clone();
            }
        }
    }

    /// Takes out what has lost its reason, and takes back approvals that are too old.
    fn expire(&mut self, office: &mut Office) {
        let now = office.now.tick;
        let (alive, approval) = (office.policy.proposal, office.policy.approval);
        let idle = self.cards.iter().filter(|(id, _)| office.desk.deed(**id).is_none());
        let idle: Vec<(ChangeId, Tick, Tick)> = idle.map(|(id, card)| (*id, card.held, card.advised)).collect();
        for (id, held, advised) in idle {
            if now.seconds_since(held) > alive || now.seconds_since(advised) > alive.max(approval) {
                office.note(id, Purpose::Expire, Deed::Expired);
            } else if office
                .ledger
                .get(id)
                .and_then(|c| c.endorsed.as_ref())
                .is_some_and(|e| now.seconds_since(e.at.tick) > approval)
            {
                office.note(id, Purpose::Unapprove, Deed::Unapproved);
                office
                    .log(log::Level::Info, format!("{id}: its first approval is older than {approval:.0} s and no longer counts"));
            } else if office.ledger.approval(id).is_some_and(|a| now.seconds_since(a.at) > approval) {
                office.note(id, Purpose::Unapprove, Deed::Unapproved);
                office.log(log::Level::Info, format!("{id}: its approval is older than {approval:.0} s and no longer counts"));
            }
        }
    }

    /// Asks for the oldest preview that is due; one at a time.
    fn preview(&mut self, office: &mut Office) {
        if office.desk.busy(Purpose::Preview, None) {
            return;
        }
        let now = office.now.tick;
        let due = |card: &Card| card.previewed.is_none_or(|at| now.since(at) >= PREVIEW);
        let Some((id, card)) = self.cards.iter_mut().filter(|(_, card)| due(card)).min_by_key(|(_, card)| card.previewed) else {
            return;
        };
        let Some(change) = office.ledger.get(*id) else { return };
        card.previewed = Some(now);
        let proposal = Box::new(change.proposal.clone());
        office.perform(errand(*id, Purpose::Preview, None), Job::Preview(*id, proposal));
    }

    /// What came of a preview.
    pub fn previewed(&mut self, id: ChangeId, result: &Preview, office: &mut Office) {
        let Some(change) = office.ledger.get_mut(id).filter(|c| c.state.is_open()) else { return };
        match result {
            Ok((plan, digest)) => {
                change.plan = Some(plan.clone());
                change.digest.clone_from(digest);
                change.lock = None;
            }
            Err(refusal) => change.lock = Some(refusal.clone()),
        }
        if office.desk.deed(id).is_some() {
            return;
        }
        if matches!(result, Err(Refusal { kind: Obstacle::Gone, .. })) {
            office.note(id, Purpose::Expire, Deed::Expired);
        } else if let Ok((_, digest)) = result
            && approved(office, id).is_some_and(|approved| approved != *digest)
        {
            office.note(id, Purpose::Unapprove, Deed::Unapproved);
            office.log(log::Level::Warn, format!("{id}: its plan is not the approved one any more: look again and approve"));
        }
        if self.cards.values().any(|card| card.previewed.is_none()) {
            self.preview(office);
        }
    }

    /// Computes the oldest foresight that is due; one per sweep, so that no step is long.
    fn foresee(&mut self, world: &World<'_>, office: &mut Office) {
        let now = office.now.tick;
        let due = |card: &Card| card.foreseen.is_none_or(|at| now.since(at) >= FORESIGHT);
        let Some((id, card)) = self.cards.iter_mut().filter(|(_, card)| due(card)).min_by_key(|(_, card)| card.foreseen) else {
            return;
        };
        card.foreseen = Some(now);
        if let Some(change) = office.ledger.get_mut(*id) {
            let since = troubled(change, world.now);
            change.foresight = foresight::foresee(&change.proposal.trial, world.series, since, now);
        }
        if let Some(change) = office.ledger.get(*id) {
            let prospects = prospects::of(&office.ledger.learned, change, world.snapshot, world.now.wall);
            if let Some(change) = office.ledger.get_mut(*id) {
                change.prospects = Some(prospects);
            }
        }
    }
}

/// The digest that one or two people have approved.
fn approved(office: &Office, id: ChangeId) -> Option<String> {
    let whole = office.ledger.approval(id).map(|approval| approval.digest.clone());
    whole.or_else(|| office.ledger.get(id)?.endorsed.as_ref().map(|first| first.digest.clone()))
}

/// What policy says of each open change now: rules know hours, and names of processes may come late.
fn decide(world: &World<'_>, office: &mut Office) {
    let open: Vec<ChangeId> = office.ledger.open().map(|change| change.id).collect();
    for id in open {
        let Some(change) = office.ledger.get(id) else { continue };
        let names = rule::names(&change.proposal, world.snapshot);
        let known = change.decision.as_ref().is_some_and(|decision| decision.names == names);
        if !known && let Some(change) = office.ledger.get_mut(id) {
            change.decision = Some(Decision { names, ..Decision::default() });
        }
        let decision = office.ledger.get(id).map(|change| office.standing().decision(change));
        if let Some(change) = office.ledger.get_mut(id)
            && change.decision != decision
        {
            change.decision = decision;
        }
    }
}

/// What the actions advise for the findings that hold, best first; how sure they are of themselves is moved by how they did here. While the
/// hypervisor takes our time, no cpu knob can give it back.
fn advice(world: &World<'_>, actions: &[&dyn Action], learned: &Learned) -> Vec<Proposal> {
    if world.findings.is_empty() {
        return Vec::new();
    }
    let stolen = world.findings.iter().any(|f| f.id.kind == FindingKind::Steal);
    let mut proposals: Vec<Proposal> = actions.iter().flat_map(|action| action.propose(world)).collect();
    proposals.retain(|p| !(stolen && p.domain == Domain::Cpu));
    for proposal in &mut proposals {
        if let Some(finding) = world.findings.iter().find(|f| f.id == proposal.finding) {
            proposal.fit = (proposal.fit * learned.lean(proposal, finding, world.now.wall)).clamp(0.0, 1.0);
        }
    }
    rank::rank(proposals, world.findings)
}

/// True for advice of a kind that a rule lets only be observed, here and now.
fn only_observed(proposal: &Proposal, world: &World<'_>, office: &Office) -> bool {
    if office.policy.rules.is_empty() {
        return false;
    }
    let moment = Moment::of(&office.policy, office.now.wall, office.low_traffic);
    rules::decide(&office.policy, proposal, rule::names(proposal, world.snapshot), &moment).level == Mode::Observe
}

/// False for advice that was dismissed, rests, or is in force already.
fn wanted(proposal: &Proposal, world: &World<'_>, office: &Office) -> bool {
    let standing = office.standing();
    let in_force = |c: &Change| {
        c.proposal.action == proposal.action
            && c.proposal.wants.iter().any(|have| proposal.wants.iter().any(|want| want.on == have.on))
    };
    let finding = world.findings.iter().find(|f| f.id == proposal.finding);
    let vetoed = finding.and_then(|finding| standing.learned.vetoed(proposal, finding, standing.policy, standing.now.wall));
    standing.may_touch(proposal).is_ok()
        && !standing.memory.rejected(proposal, standing.now.tick, office.policy.rejected)
        && vetoed.is_none()
        && !office.ledger.live().any(in_force)
}
