//! Questions before anything that changes the host, and the rules that keep a stray key from answering them.
//!
//! - A question takes no answer for 0.4 s after it opened, and input that was queued before is dropped, so that type-ahead on a slow
//!   link confirms nothing.
//! - It is bound to what it showed: the change by number and the plan by digest. When either moved, it refuses and says so.
//! - `y` confirms, Enter never does. What is risky wants a code that stands on the screen to be typed.

use crate::model::{
    change::{Change, ChangeId, ChangeState},
    emergency::EmergencyKind,
    limits::Mode,
    message::{Command, View},
    proposal::Risk,
    subject::ProcessId,
    time::Tick,
    wish::Wish,
};
use std::time::Duration;

/// Keys are ignored for so long after a question opened.
pub const HOLD: Duration = Duration::from_millis(400);

/// Letters of codes: no vowels (no words), no `y`, no `q` (it cancels).
const LETTERS: &[u8] = b"bcdfghjklmnprstvwxz";

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Apply this change, with this digest.
    Apply(ChangeId, String),
    /// Keep this change.
    Keep(ChangeId),
    /// Roll this change back.
    RollBack(ChangeId),
    /// Roll everything back.
    RollBackAll,
    /// Climb the ladder of this emergency.
    Rescue(EmergencyKind),
    /// Do this to these processes, named as they were shown.
    Wish(Wish, Vec<String>),
    /// Let the engine act by itself.
    Auto,
    /// Stop everything new.
    Halt,
    /// Lift that.
    Resume,
    /// Leave while a change is in flight.
    Quit,
}

/// A question on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    /// What.
    pub question: Question,
    /// When it opened.
    pub opened: Tick,
    /// The code to type, if one is wanted.
    pub code: Option<String>,
    /// What was typed of it.
    pub typed: String,
    /// Why it can no longer be confirmed.
    pub stale: Option<String>,
}

impl Dialog {
    /// Opens a question about the state of `view`.
    pub fn open(question: Question, view: &View, now: Tick) -> Dialog {
        let code = match &question {
            Question::Apply(id, digest) => {
                let high = find(view, *id).is_some_and(|c| c.proposal.risk == Risk::High);
                high.then(|| letters(&format!("{id} {digest}")))
            }
            Question::RollBackAll => Some(letters(&format!("all {}", view.number))),
            Question::Wish(wish, _) => (wish.risk() == Risk::High).then(|| letters(&format!("{wish:?}"))),
            _ => None,
        };
        Dialog { question, opened: now, code, typed: String::new(), stale: None }
    }

    /// True once it takes answers.
    pub fn is_armed(&self, now: Tick) -> bool {
        now.since(self.opened) >= HOLD && self.stale.is_none()
    }

    /// Looks whether what was asked is still what is.
    pub fn check(&mut self, view: &View) {
        self.stale = match &self.question {
            Question::Apply(id, digest) => match find(view, *id) {
                None => Some("the change is gone".into()),
                Some(c) if c.digest != *digest => Some("the plan has changed since it was shown: look at it again".into()),
                Some(c) if c.state != ChangeState::Approved => Some(format!("the change is {} now", c.state.words())),
                Some(c) => c.lock.as_ref().map(|lock| format!("it is locked now: {}", lock.why)),
            },
            Question::Keep(id) => moved(view, *id, |state| state == ChangeState::Watching),
            Question::RollBack(id) => moved(view, *id, ChangeState::is_live),
            Question::Wish(wish, _) => {
                let lives = |id: &ProcessId| view.snapshot.process(*id).is_some();
                (!wish.processes().iter().any(lives)).then(|| "it has ended".into())
            }
            Question::Rescue(kind) => {
                let holds = view.emergencies.iter().any(|emergency| emergency.kind == *kind);
                (!holds).then(|| "the emergency is over".into())
            }
            Question::Halt | Question::Resume => {
                let done = view.halted.is_some() == (self.question == Question::Halt);
                done.then(|| "it is so already".into())
            }
            Question::RollBackAll | Question::Auto | Question::Quit => None,
        };
    }

    /// What to tell the engine when it is confirmed; `None` for a question that the console answers itself.
    pub fn command(&self) -> Option<Command> {
        match &self.question {
            Question::Apply(change, digest) => Some(Command::Apply { change: *change, digest: Some(digest.clone()) }),
            Question::Keep(change) => Some(Command::Keep(*change)),
            Question::RollBack(change) => Some(Command::RollBack(*change)),
            Question::RollBackAll => Some(Command::RollBackAll),
            Question::Rescue(kind) => Some(Command::Rescue(*kind)),
            Question::Wish(wish, _) => Some(Command::Wish(wish.clone())),
            Question::Auto => Some(Command::SetMode(Mode::Auto)),
            Question::Halt => Some(Command::Halt(true)),
            Question::Resume => Some(Command::Halt(false)),
            Question::Quit => None,
        }
    }
}

fn moved(view: &View, id: ChangeId, fits: impl Fn(ChangeState) -> bool) -> Option<String> {
    match find(view, id) {
        None => Some("the change is gone".into()),
        Some(c) if !fits(c.state) => Some(format!("the change is {} now", c.state.words())),
        Some(_) => None,
    }
}

/// The change of that number.
pub fn find(view: &View, id: ChangeId) -> Option<&Change> {
    view.changes.iter().find(|c| c.id == id).map(AsRef::as_ref)
}

/// Three letters that follow from `text` (FNV-1a).
fn letters(text: &str) -> String {
    let mut hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let mut code = String::new();
    for _ in 0..3 {
        let at = (hash % LETTERS.len() as u64) as usize;
        code.push(LETTERS.get(at).copied().map_or('x', char::from));
        hash /= LETTERS.len() as u64;
    }
    code
}
