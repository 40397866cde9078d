//! One run: a seed chooses the setup, then every second what happens; at the end all is healed and everything has to come to rest.

use crate::{
    law,
    life::{self, Setup},
    machine::{HOGS, PROTECTED, VICTIM},
    world::{self, begin, now, pass, tell, world},
};
use std::{collections::BTreeMap, time::Duration};
use trimtab::model::{
    change::ChangeId,
    limits::{Mode, Policy},
    message::Command,
    trial::Windows,
    wish::Wish,
};

const SECOND: Duration = Duration::from_secs(1);

/// How long everything may take to come to rest once it is healed, in seconds.
const REST: u64 = 150;

/// What came of a run.
pub struct Outcome {
    pub broken: Option<String>,
    pub trace: String,
    pub print: u64,
    pub counts: BTreeMap<&'static str, u64>,
    pub operations: u64,
}

/// The chance of each kind of trouble in a second, as one in so many; 0 is never. A seed leaves out about half of the kinds, so that
/// what one of them covers up is seen in other runs (swarm testing, Groce et al. 2012).
struct Nemesis {
    crash: u64,
    fuse: u64,
    guard: u64,
    hold_guard: u64,
    hold_engine: u64,
    hold_hands: u64,
    reboot: u64,
    stranger: u64,
    disk: u64,
    full: u64,
    knobs: u64,
    looks: u64,
    jump: u64,
    suspend: u64,
    gap: u64,
    reuse: u64,
    quit: u64,
    heal: u64,
    keys: u64,
}

fn nemesis() -> Nemesis {
    let calm = world(|w| w.dice.one_in(10));
    let odds = |usual: u64| world(|w| if calm || w.dice.one_in(2) { 0 } else { usual / 2 + w.dice.below(usual) });
    Nemesis {
        crash: odds(60),
        fuse: odds(40),
        guard: odds(60),
        hold_guard: odds(120),
        hold_engine: odds(80),
        hold_hands: odds(30),
        reboot: odds(80),
        stranger: odds(25),
        disk: odds(60),
        full: odds(80),
        knobs: odds(50),
        looks: odds(60),
        jump: odds(50),
        suspend: odds(90),
        gap: odds(40),
        reuse: odds(80),
        quit: odds(120),
        heal: 12,
        keys: 3 + world(|w| w.dice.below(12)),
    }
}

fn prepared() -> Setup {
    world(|w| {
        let windows = Windows { before: 10.0, settle: 1.0, after: 8.0 };
        let mode = if w.dice.one_in(2) { Mode::Auto } else { Mode::Suggest };
        let policy = Policy {
            mode,
            windows,
            per_hour: w.dice.range(1, 8) as usize,
            flaps: w.dice.range(1, 4) as usize,
            approval: 20.0,
            proposal: 20.0,
            rejected: 30.0,
            grace: w.dice.range(1, 20) as f64,
            ..Policy::default()
        };
        let leave = w.dice.one_in(6);
        let meddling = if w.dice.one_in(3) { 0 } else { 10 + w.dice.below(60) };
        Setup { policy, leave, meddling, stuck: w.dice.one_in(2), strangers: w.dice.one_in(2) }
    })
}

/// Runs a seed to its end.
pub fn run(seed: u64) -> Outcome {
    begin(seed);
    law::begin();
    life::begin(prepared());
    let nemesis = nemesis();
    let length = world(|w| w.dice.range(40, 160));
    let mut hours = Hours::default();
    for _ in 0..length {
        second(&nemesis, &mut hours);
        if world(|w| w.broken.is_some()) {
            break;
        }
    }
    if world(|w| w.broken.is_none()) {
        rest();
    }
    let story = law::story();
    tell(format!("in the end: {story}"));
    life::end();
    law::blind();
    let world = world::end();
    Outcome { trace: world.trace(), broken: world.broken, print: world.print, counts: world.counts, operations: world.steps }
}

/// What lasts longer than a second.
#[derive(Default)]
struct Hours {
    engine_held: u64,
    hands_held: u64,
    blind: u64,
    down: u64,
}

fn due(odds: u64) -> bool {
    odds > 0 && world(|w| w.dice.one_in(odds))
}

fn second(nemesis: &Nemesis, hours: &mut Hours) {
    trouble(nemesis, hours);
    pass(SECOND / 2);
    life::guards();
    pass(SECOND / 2);
    life::guards();
    if life::engine().is_none() {
        if hours.down > 0 {
            hours.down -= 1;
        } else {
            let fuse = due(if nemesis.fuse > 0 { 4 } else { 0 }).then(|| world(|w| w.dice.below(300)));
            life::start(fuse);
            hours.down = world(|w| w.dice.below(4));
        }
    } else if hours.engine_held > 0 {
        hours.engine_held -= 1;
    } else {
        life::sweep();
        if due(nemesis.keys) {
            press();
            if due(3) {
                press();
            }
        }
        if hours.hands_held > 0 {
            hours.hands_held -= 1;
        } else {
            let most = if due(8) { 1 } else { 60 };
            life::work(most);
        }
    }
    law::look();
}

fn trouble(n: &Nemesis, hours: &mut Hours) {
    if due(n.crash) {
        life::kill_engine();
        hours.down = world(|w| w.dice.below(30));
    }
    if due(n.fuse)
        && let Some(actor) = life::engine()
    {
        world(|w| {
            let operations = if w.dice.one_in(2) { w.dice.below(40) } else { w.dice.below(600) };
            w.light(actor, operations);
        });
    }
    if due(n.guard) {
        match life::any_guard() {
            Some(actor) if world(|w| w.dice.one_in(2)) => world(|w| {
                let operations = w.dice.below(60);
                w.light(actor, operations);
            }),
            _ => life::kill_guard(),
        }
        if due(4) {
            life::kill_engine();
        }
    }
    if due(n.hold_guard) {
        life::hold_guard(SECOND * world(|w| w.dice.range(2, 40)) as u32);
    }
    if due(n.hold_engine) {
        hours.engine_held = world(|w| w.dice.range(2, 60));
        tell(format!("the engine is stopped for {} s", hours.engine_held));
    }
    if due(n.hold_hands) {
        hours.hands_held = world(|w| w.dice.range(1, 20));
    }
    if due(n.quit) {
        life::stop();
    }
    if due(n.reboot) {
        life::reboot();
        law::nothing_was_lost();
    }
    if due(n.stranger) {
        life::stranger();
    }
    faults(n);
    clocks(n);
    if due(n.gap) {
        hours.blind = world(|w| w.dice.range(1, 15));
        tell(format!("nothing is measured for {} s", hours.blind));
    }
    life::set_measured(hours.blind == 0);
    hours.blind = hours.blind.saturating_sub(1);
    if due(n.reuse) {
        world(|w| {
            let pid = *w.dice.pick(&HOGS);
            w.machine.reuse(pid);
            w.tell(format!("process {pid} ends, its number is another's now"));
        });
    }
    if due(20) {
        let wait = world(|w| *w.dice.pick(&[0.0, 0.2, 0.5, 0.5, 0.8]));
        life::set_wait(wait);
    }
}

fn faults(n: &Nemesis) {
    world(|w| {
        let mut often = |odds: u64| odds > 0 && w.dice.one_in(odds);
        let (disk, full, knobs, looks, heal) = (often(n.disk), often(n.full), often(n.knobs), often(n.looks), often(n.heal));
        if heal && (w.faults.disk + w.faults.knobs + w.faults.looks + w.faults.busy > 0 || w.faults.full.is_some()) {
            w.faults = world::Faults::default();
            w.tell("healed".into());
        }
        if disk {
            w.faults.disk = w.dice.range(1, 30);
            w.faults.busy = if w.dice.one_in(2) { w.dice.range(2, 10) } else { 0 };
            w.tell(format!("the disk fails once in {}", w.faults.disk));
        }
        if full {
            let errno = *w.dice.pick(&[libc::ENOSPC, libc::ENOSPC, libc::EROFS]);
            w.faults.full = Some(errno);
            w.tell(format!("the disk takes nothing: {errno}"));
        }
        if knobs {
            w.faults.knobs = w.dice.range(1, 6);
            w.tell(format!("knobs fail once in {}", w.faults.knobs));
        }
        if looks {
            w.faults.looks = w.dice.range(2, 20);
            w.tell(format!("readings fail once in {}", w.faults.looks));
        }
    });
}

fn clocks(n: &Nemesis) {
    if due(n.jump) {
        world(|w| {
            let step = w.dice.range(1, 7200) as i64 * 1000;
            w.now.wall.0 += if w.dice.one_in(2) { step } else { -step };
            w.tell(format!("the wall clock is set {step} ms off"));
        });
    }
    if due(n.suspend) {
        let span = world(|w| w.dice.range(10, 4000));
        tell(format!("suspended for {span} s"));
        pass(SECOND * span as u32);
    }
}

/// Somebody presses a key, maybe twice.
fn press() {
    let id = world(|w| ChangeId(w.dice.range(1, 9) + w.counts.get("offset").copied().unwrap_or(0)));
    let id = law::recent().filter(|_| world(|w| !w.dice.one_in(6))).unwrap_or(id);
    let what = world(|w| w.dice.below(24));
    let command = match what {
        0..=6 => Command::Approve { change: id, digest: None },
        7..=13 => Command::Apply { change: id, digest: None },
        14 | 15 => Command::Keep(id),
        16 | 17 => Command::RollBack(id),
        18 => Command::Unapprove(id),
        19 => Command::Reject(id),
        20 => Command::RollBackAll,
        21 => Command::SetMode(world(|w| *w.dice.pick(&[Mode::Observe, Mode::Suggest, Mode::Auto, Mode::Auto]))),
        _ => {
            let pid =
                world(|w| if w.dice.one_in(3) { *w.dice.pick(&PROTECTED) } else { *w.dice.pick(&[HOGS[0], HOGS[1], VICTIM]) });
            // Between 1 and 18 is what strangers set.
            let to = world(|w| w.dice.below(40) as i8 - 20);
            let to = if (1..19).contains(&to) { -to } else { to };
            let process = world(|w| w.machine.process(pid));
            Command::Wish(Wish::Nice { processes: vec![process], to })
        }
    };
    life::command(command.clone());
    if due(4) {
        life::command(command);
    }
}

/// Everything is healed; then everything comes to rest.
fn rest() {
    tell("all is healed");
    world(|w| w.faults = world::Faults::default());
    life::setup(|s| s.meddling = 0);
    life::wake_guards();
    life::set_measured(true);
    life::set_wait(0.0);
    if life::engine().is_some() {
        life::command(Command::SetMode(Mode::Suggest));
    }
    let begun = now();
    // A watch that switches off and on takes its time; all have a deadline.
    let last = law::deadline().map_or(0, |at| at.since(begun.tick).as_secs());
    for _ in 0..REST + last {
        if life::engine().is_none() && !life::start(None) {
            return law::broke("on a healed machine the engine does not start");
        }
        pass(SECOND);
        life::guards();
        life::sweep();
        life::work(100);
        law::look();
        if world(|w| w.broken.is_some()) {
            return;
        }
        if !law::restless() && life::unanswered().is_empty() {
            break;
        }
    }
    if law::restless() || !life::unanswered().is_empty() {
        let (story, asked) = (law::story(), life::unanswered());
        let spent = now().tick.seconds_since(begun.tick);
        return law::broke(format!("not at rest after {spent:.0} s: {story}; unanswered: {asked:?}"));
    }
    // Once more from the start, in good order: what was stuck is tried again.
    for _ in 0..2 {
        life::stop();
        pass(SECOND * 4);
        life::guards();
        if !life::start(None) {
            return law::broke("on a healed machine the engine does not start again");
        }
        life::work(100);
    }
    life::stop();
    pass(SECOND * 4);
    life::guards();
    law::settled();
}
