//! What operators ask: each command is checked against the state and the bounds, then done or refused in words that say what to do.
//! The same command twice is one deed; its second asker gets the same answer.

use crate::{
    analysis::impact::case::LEAST_POINTS,
    engine::{
        brain::{
            desk::{Purpose, Then},
            ledger::troubled,
            office::{Office, approver, brief, errand},
            rescue::hold::hold,
        },
        input::Ticket,
        job::{Carry, Job},
    },
    model::{
        change::{Cause, Change, ChangeId, ChangeState, Deed, Who},
        knob::Knob,
        limits::Mode,
        message::{Command, GuardState, Reply},
        note::Note,
        snapshot::Snapshot,
        wish::Wish,
    },
    planning::{policy, wish},
};

/// One command with who gave it.
pub struct Order {
    /// To answer under.
    pub ticket: Ticket,
    /// Who.
    pub who: Who,
}

/// Why not, in words.
type Answer = Result<Option<String>, String>;

/// Does a command, or begins it; the answer comes at once or when the deed is done. `snapshot` knows the names of processes.
pub fn obey(office: &mut Office, snapshot: &Snapshot, order: Order, command: Command) {
    let ticket = order.ticket;
    let answer = match command {
        Command::Approve { change, digest } => approve(office, order, change, digest),
        Command::Unapprove(id) => unapprove(office, order, id),
        Command::Reject(id) => reject(office, order, id),
        Command::Apply { change, digest } => apply(office, order, change, digest),
        Command::Keep(id) => keep(office, order, id),
        Command::RollBack(id) => roll_back(office, order, id),
        Command::RollBackAll => roll_back_all(office, order),
        Command::Wish(wish) => carry(office, snapshot, order, &wish),
        Command::Halt(halt) => stop_all(office, order, halt),
        // The brain's own answers, before it comes here.
        Command::Interval(_) | Command::Rescue(_) => Ok(None),
        // Alerts are not the office's: the brain has done these before it came here.
        Command::Acknowledge(_) | Command::Snooze { .. } => Ok(None),
        Command::SetMode(mode) => Ok(Some(set_mode(office, mode, &order.who))),
    };
    match answer {
        Ok(None) => {}
        Ok(Some(text)) => office.reply(ticket, Reply::Done(text)),
        Err(why) => office.reply(ticket, Reply::Refused(why)),
    }
}

fn known(office: &Office, id: ChangeId) -> Result<&Change, String> {
    office.ledger.get(id).ok_or_else(|| format!("there is no change {id}: look at the queue"))
}

/// True when the same deed is under way and the asker has joined it; an error while another one is.
fn joined(office: &mut Office, order: &Order, id: ChangeId, purpose: Purpose) -> Result<bool, String> {
    match office.desk.deed(id).map(|deed| deed.purpose) {
        None => Ok(false),
        Some(same) if same == purpose => {
            office.desk.expect(order.ticket);
            office.desk.join(id, order.ticket);
            Ok(true)
        }
        Some(other) => Err(format!("{id} is just being {}: try again in a moment", other.words())),
    }
}

fn begin(office: &mut Office, order: Order, what: (ChangeId, Purpose), deed: Deed) -> Answer {
    office.desk.expect(order.ticket);
    office.record(errand(what.0, what.1, Some(order.ticket)), deed, order.who);
    Ok(None)
}

fn writable(office: &Office) -> Result<(), String> {
    match &office.journal {
        Some(why) => Err(format!("the journal cannot be written ({why}): mend that first; rollback still works")),
        None => Ok(()),
    }
}

fn approve(office: &mut Office, order: Order, id: ChangeId, shown: Option<String>) -> Answer {
    if joined(office, &order, id, Purpose::Approve)? {
        return Ok(None);
    }
    writable(office)?;
    if office.mode == Mode::Observe {
        return Err("the mode is observe, nothing is applied: switch to suggest first".into());
    }
    let change = known(office, id)?;
    let digest = change.digest.clone();
    match change.state {
        ChangeState::Approved => return already(office, id, shown.as_deref()),
        ChangeState::Proposed => {}
        state => return Err(format!("{id} is {} and cannot be approved", state.words())),
    }
    if let Some(lock) = &change.lock {
        return Err(format!("{id} is locked: {}", lock.why));
    }
    if change.plan.is_none() {
        return Err(format!("the plan of {id} is still being made: try again in a moment"));
    }
    if shown.is_some_and(|shown| shown != digest) {
        return Err(format!("the plan of {id} has changed since it was shown: look at it again, then approve"));
    }
    let standing = office.standing();
    standing.is_allowed(change).map_err(|refusal| format!("{id} is not approved: {}", refusal.why))?;
    if standing.approvals(change) < 2 {
        return begin(office, order, (id, Purpose::Approve), Deed::Approved { digest });
    }
    // An endorsement of another plan, or too old, counts for nothing.
    let first = change.endorsed.as_ref().filter(|e| e.digest == digest && standing.is_fresh(change, e.at.tick).is_ok());
    match first {
        None => begin(office, order, (id, Purpose::Endorse), Deed::Endorsed { digest }),
        Some(first) if first.who.user() == order.who.user() => {
            Err(format!("{id} is approved by {} already: it takes a second person (1 of 2)", first.who.user()))
        }
        Some(_) => begin(office, order, (id, Purpose::Approve), Deed::Approved { digest }),
    }
}

fn already(office: &Office, id: ChangeId, shown: Option<&str>) -> Answer {
    let approved = office.ledger.approval(id).map(|approval| approval.digest.as_str());
    if shown.is_none() || shown == approved {
        let who = office.ledger.get(id).map(approver).unwrap_or_default();
        Ok(Some(format!("{id} is approved already, by {who}")))
    } else {
        Err(format!("another plan of {id} is approved than the one shown: take that back first, then approve"))
    }
}

fn unapprove(office: &mut Office, order: Order, id: ChangeId) -> Answer {
    if joined(office, &order, id, Purpose::Unapprove)? {
        return Ok(None);
    }
    match known(office, id)?.state {
        ChangeState::Proposed if known(office, id)?.endorsed.is_none() => Ok(Some(format!("{id} is not approved"))),
        ChangeState::Proposed | ChangeState::Approved => begin(office, order, (id, Purpose::Unapprove), Deed::Unapproved),
        state => Err(format!("{id} is {}: there is no approval to take back", state.words())),
    }
}

fn reject(office: &mut Office, order: Order, id: ChangeId) -> Answer {
    if joined(office, &order, id, Purpose::Reject)? {
        return Ok(None);
    }
    match known(office, id)?.state {
        ChangeState::Rejected => Ok(Some(format!("{id} is rejected already"))),
        ChangeState::Proposed | ChangeState::Approved => begin(office, order, (id, Purpose::Reject), Deed::Rejected),
        state if state.is_live() => Err(format!("{id} is {} and cannot be rejected: roll it back", state.words())),
        state => Err(format!("{id} is {} already", state.words())),
    }
}

fn apply(office: &mut Office, order: Order, id: ChangeId, shown: Option<String>) -> Answer {
    if joined(office, &order, id, Purpose::Apply)? {
        return Ok(None);
    }
    match known(office, id)?.state {
        ChangeState::Approved => {}
        ChangeState::Proposed => return Err(format!("{id} is not approved: approve it first")),
        ChangeState::Applied | ChangeState::Watching => return Ok(Some(format!("{id} is applied already and being watched"))),
        ChangeState::Kept => return Ok(Some(format!("{id} is applied already and kept"))),
        state => return Err(format!("{id} is {} and cannot be applied", state.words())),
    }
    measurable(office, id)?;
    let approved = office.ledger.approval(id).map(|approval| approval.digest.clone());
    if shown.is_some() && shown != approved {
        return Err(format!("the plan shown for {id} is not the approved one: look at it again, then approve"));
    }
    let ticket = order.ticket;
    office.apply(id, order.who, Some(ticket)).map_err(|refusal| format!("{id} is not applied: {}", refusal.why))?;
    office.desk.expect(ticket);
    Ok(None)
}

/// A trouble younger than this has too little history to measure a change by: every change would end as unclear.
fn measurable(office: &Office, id: ChangeId) -> Result<(), String> {
    if !known(office, id)?.proposal.course.is_watched() {
        return Ok(());
    }
    let least = LEAST_POINTS as f64 + 1.0;
    let age = office.now.tick.seconds_since(troubled(known(office, id)?, office.now));
    if age >= least {
        return Ok(());
    }
    Err(format!(
        "{id} is not applied: the trouble is {age:.0} s old, too young to measure a change by; try again in {:.0} s",
        (least - age).ceil()
    ))
}

fn keep(office: &mut Office, order: Order, id: ChangeId) -> Answer {
    if joined(office, &order, id, Purpose::Keep)? {
        return Ok(None);
    }
    match known(office, id)?.state {
        ChangeState::Kept => Ok(Some(format!("{id} is kept already"))),
        ChangeState::Applied | ChangeState::Watching => {
            writable(office)?;
            office.desk.expect(order.ticket);
            office.perform(errand(id, Purpose::Keep, Some(order.ticket)), Job::Keep(id, order.who));
            Ok(None)
        }
        state => Err(format!("{id} is {}: only a change that is being watched can be kept", state.words())),
    }
}

/// What is asked for by hand is the operator's own decision: modes that act, budgets and cool-downs are not asked, but nothing is done
/// that could not be written down or guarded, nor where trimtab was told to change nothing.
fn carry(office: &mut Office, snapshot: &Snapshot, order: Order, wish: &Wish) -> Answer {
    writable(office)?;
    if office.mode == Mode::Observe {
        return Err("the mode is observe, nothing is changed: switch to suggest first".into());
    }
    if let Some(file) = office.halted() {
        return Err(policy::halted(file));
    }
    if let GuardState::Failed(why) = &office.guard {
        return Err(format!("the guard that would undo it is not running ({why}): nothing is changed without it"));
    }
    if let Some(id) = under_trial(office, wish) {
        return Err(format!(
            "{id} is trying the nice of these processes, and could not be judged any more: keep it or roll it back first"
        ));
    }
    let (proposal, finding) = wish::proposal(wish, snapshot, &order.who.to_string(), office.now.wall)?;
    let change = office.ledger.number();
    let job = Carry { change, proposal, finding, who: order.who, confirm: brief(&office.policy), leave: office.leave };
    office.desk.expect(order.ticket);
    office.perform(errand(change, Purpose::Carry, Some(order.ticket)), Job::Carry(Box::new(job)));
    Ok(None)
}

/// Puts the stop file there or takes it away; the hands do, before all else.
fn stop_all(office: &mut Office, order: Order, halt: bool) -> Answer {
    if office.stop.is_none() {
        return Err("this engine changes nothing, and looks at no stop file".into());
    }
    if office.halted == halt {
        let standing = office.halted().map_or_else(|| "nothing is halted".into(), policy::halted);
        return Ok(Some(standing));
    }
    office.desk.expect(order.ticket);
    office.perform(errand(ChangeId::HOUSE, Purpose::Halt, Some(order.ticket)), Job::Halt(halt, order.who));
    Ok(None)
}

/// The unconfirmed change, or the one being applied, whose knobs a wish would move.
fn under_trial(office: &Office, wish: &Wish) -> Option<ChangeId> {
    let Wish::Nice { processes, .. } = wish else { return None };
    let begun = office.desk.about(Purpose::Apply).filter_map(|id| office.ledger.get(id));
    let unconfirmed = office.ledger.live().filter(|c| c.state.is_unconfirmed());
    let moves = |c: &&Change| {
        let mut steps = c.plan.iter().flat_map(|plan| &plan.steps);
        steps.any(|step| matches!(step.knob, Knob::Nice(task) if processes.contains(&task.process)))
    };
    unconfirmed.chain(begun).find(moves).map(|c| c.id)
}

fn roll_back(office: &mut Office, order: Order, id: ChangeId) -> Answer {
    let state = known(office, id)?.state;
    let applying = office.desk.busy(Purpose::Apply, Some(id));
    if matches!(state, ChangeState::RolledBack | ChangeState::Yielded) {
        return Ok(Some(format!("{id} is {} already", state.words())));
    }
    if !state.is_live() && !applying {
        return Err(format!("{id} is {}: nothing of it is in force", state.words()));
    }
    if let Some(child) = office.ledger.live().find(|c| c.proposal.course.parent() == Some(id)) {
        return Err(format!("{} makes {id} last over boots: roll that back first", child.id));
    }
    if let Some(above) = office.ledger.above(id).first() {
        return Err(format!("{above} was set on top of {id} and would go back to its values: roll {above} back first"));
    }
    undo(office, id, (Cause::Operator, order.who), order.ticket)
}

fn undo(office: &mut Office, id: ChangeId, why: (Cause, Who), ticket: Ticket) -> Answer {
    if !office.roll_back(id, why, vec![ticket]) {
        return Err(format!("{id} has no plan in the journal to undo by"));
    }
    office.desk.expect(ticket);
    Ok(None)
}

/// Everything that is in force or being written, newest first.
fn roll_back_all(office: &mut Office, order: Order) -> Answer {
    let begun = begun(office);
    hold(office, format!("asked for by {}", order.who), order.who.clone());
    if begun.is_empty() {
        return Ok(Some("nothing is in force, nothing to roll back".into()));
    }
    for id in begun {
        undo(office, id, (Cause::Panic, order.who.clone()), order.ticket)?;
    }
    Ok(None)
}

/// Live changes and the one being applied, the one that was applied last first.
pub fn begun(office: &Office) -> Vec<ChangeId> {
    let mut all: Vec<ChangeId> = office.ledger.live().map(|c| c.id).chain(office.desk.about(Purpose::Apply)).collect();
    all.sort_unstable_by_key(|id| std::cmp::Reverse((office.ledger.turn(*id), *id)));
    all.dedup();
    all
}

fn set_mode(office: &mut Office, mode: Mode, who: &Who) -> String {
    let from = std::mem::replace(&mut office.mode, mode);
    if from != mode {
        office.house(Note::Mode { from, to: mode }, who.clone());
    }
    format!("the mode is {}", mode.words())
}

/// What follows a deed that is done.
pub fn follow(office: &mut Office, id: ChangeId, then: Then) {
    match then {
        Then::Apply => {
            if let Err(refusal) = office.apply(id, Who::Engine, None) {
                office.log(log::Level::Info, format!("{id} is not applied: {}", refusal.why));
            }
        }
        Then::Keep => {
            if office.ledger.get(id).is_some_and(|c| matches!(c.state, ChangeState::Applied | ChangeState::Watching)) {
                office.perform(errand(id, Purpose::Keep, None), Job::Keep(id, Who::Engine));
            }
        }
        Then::RollBack(cause, who, askers) => {
            if !office.roll_back(id, (cause, who), askers.clone()) {
                let words = office.ledger.get(id).map_or("unknown", |c| c.state.words());
                office.tell(&askers, &Reply::Done(format!("{id} is {words}, nothing of it is in force")));
            }
        }
    }
}
