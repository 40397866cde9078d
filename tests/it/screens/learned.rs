//! What was learned, what may come of a proposal, and the phases of a change's cycle, at several sizes.

use super::{compare, drawn, press, scene, state_of, text};
use crate::screens::scene::{at, open, view, watched};
use trimtab::{
    model::{
        change::{Cause, Change, Deed, Entry, Who},
        finding::FindingKind,
        lesson::{Chance, Gain, HarmBound, Idle, Lesson, Lessons, Part, Prospects, Regret, Tally, Veto},
        limits::Trust,
        message::{Ask, Body},
        proposal::Risk,
        time::Wall,
        timing::{Spread, Timings},
        verdict::{Effect, Outcome, Verdict},
    },
    ui::{
        key::Key,
        pane::Page,
        state::{Msg, State, UiCommand},
        update::update,
    },
};

const SIZES: [(u16, u16); 3] = [(160, 48), (100, 30), (80, 24)];

fn chance(mean: f64) -> Chance {
    Chance { mean, low: mean * 0.6, high: (mean * 1.4).min(1.0) }
}

fn bound(clean: f64, owed: u32) -> HarmBound {
    let upper = 1.0 - 0.05_f64.powf(1.0 / (clean + 1.0));
    HarmBound { upper, vouched: upper / 2.0, limit: Some(0.1), clean, runs: clean, harmed: owed > 0, owed }
}

fn lesson(action: &str, tally: Tally, bound: HarmBound) -> Lesson {
    let trust = bound.trust(Risk::Low, Trust::Catalogue);
    let part = |subject: Option<&str>| Part {
        class: "process".into(),
        subject: subject.map(Into::into),
        tally,
        win: chance(0.6),
        harm: chance(0.04),
    };
    Lesson {
        action: action.into(),
        kind: FindingKind::CpuContention,
        risk: Risk::Low,
        tally,
        weight: 4.0,
        win: chance(0.6),
        neutral: chance(0.3),
        harm: chance(0.05),
        gain: (tally.win > 0).then(|| chance(0.42)),
        bound,
        trusted: trust.is_ok(),
        why: trust.unwrap_or_else(|why| why),
        parts: vec![part(None), part(Some("python3"))],
    }
}

fn lessons(now: Wall) -> Lessons {
    let spread = |p50: f64| Some(Spread { count: 12, p50, p95: p50 * 4.0 });
    let kind = FindingKind::CpuContention;
    Lessons {
        at: now,
        kernel: "6.18.5".into(),
        trust: Trust::Catalogue,
        lessons: vec![
            lesson("autogroup", Tally { win: 3, neutral: 1, harm: 0, unclear: 1 }, bound(4.0, 0)),
            lesson("cpu_weight", Tally { win: 0, neutral: 1, harm: 1, unclear: 0 }, bound(1.0, 10)),
        ],
        idle: vec![Idle { kind, ended: 6, stayed: 3, rate: Some(chance(0.64)) }],
        vetoes: vec![Veto {
            advice: "a1b2".into(),
            action: "nice".into(),
            kind,
            on: "backup".into(),
            rejections: 3,
            until: Some(Wall(now.0 + 5 * 86_400_000)),
        }],
        regret: Regret { spent: 42.0, budget: 4320.0 },
        timings: Timings {
            propose: spread(4.0),
            decide: spread(31.0),
            automatic: None,
            apply: spread(0.04),
            rollback: spread(0.05),
        },
    }
}

fn seen(change: Change) -> State {
    let mut state = state_of(view(0, vec![change]));
    drawn(&mut state, 120, 40);
    press(&mut state, 0, "8");
    state
}

/// A change through its whole cycle.
fn undone() -> Change {
    let mut change = watched();
    let applied = change.deeds.pop().unwrap();
    for words in ["prepared", "being applied", "applied", "watched"] {
        change.deeds.push((applied.0, applied.1.clone(), words.into()));
    }
    let effect = Some(Effect { before: 0.041, after: 0.04, change: -0.02, interval: (-0.2, 0.16), points: (60, 60) });
    let verdict = Verdict {
        outcome: Outcome::Neutral,
        effect,
        why: "p95 moved by -2 %, less than the 10 % that would be useful".into(),
        ..Verdict::default()
    };
    let second = scene::SECOND;
    for (later, deed) in
        [(43, Deed::Judged(Box::new(verdict))), (43, Deed::RollbackStarted(Cause::NoEffect)), (44, Deed::RolledBack)]
    {
        let entry = Entry { change: change.id, deed, who: Who::Engine, now: at(second + later), boot: "b".into() };
        change.take(&entry).unwrap();
    }
    change
}

#[test]
fn phases_of_a_change() {
    for (width, height) in SIZES {
        let mut state = seen(undone());
        press(&mut state, 0, "h");
        assert!(matches!(state.page, Page::Phases(_)));
        let picture = text(&drawn(&mut state, width, height));
        assert!(picture.contains("detect") && picture.contains("read only"), "{picture}");
        compare(&format!("phases-{width}x{height}"), &picture);
        press(&mut state, 0, "G");
        let picture = text(&drawn(&mut state, width, height));
        assert!(picture.contains("roll back") && picture.contains("executed"), "{picture}");
    }
}

#[test]
fn what_was_learned() {
    for (width, height) in SIZES {
        let mut state = seen(open());
        assert_eq!(press(&mut state, 0, "l"), [UiCommand::Ask(Ask::Learned)]);
        assert!(text(&drawn(&mut state, width, height)).contains("asking the engine"));
        let now = state.now;
        let told = lessons(state.view.now.wall);
        update(&mut state, now, Msg::Answer(Body::Learned(Box::new(told))));
        let picture = text(&drawn(&mut state, width, height));
        assert!(picture.contains("3 win / 1 neutral / 0 harm / 1 unclear"), "{picture}");
        compare(&format!("learned-{width}x{height}"), &picture);
    }
}

#[test]
fn what_may_come_of_a_proposal_stands_on_its_page() {
    let prospects = Prospects {
        tally: Tally { win: 3, neutral: 1, harm: 0, unclear: 0 },
        win: chance(0.65),
        harm: chance(0.02),
        bound: bound(4.0, 0),
        gain: Some(Gain { share: chance(0.42), amount: Some(chance(0.017)), saved: Some(chance(6200.0).map(|s| s * 1000.0)) }),
        trial: 23.0,
        decision: Some(31.0),
        apply: Some(0.04),
        undo: Some(0.05),
        payback: Some(1.9),
        nothing: None,
        lean: 1.13,
    };
    for (width, height) in SIZES {
        let mut state = seen(Change { prospects: Some(prospects), ..open() });
        let now = state.now;
        update(&mut state, now, Msg::Key(Key::Enter));
        drawn(&mut state, width, height);
        press(&mut state, 0, if height > 40 { "" } else { " " });
        let picture = text(&drawn(&mut state, width, height));
        compare(&format!("prospects-{width}x{height}"), &picture);
    }
}
