//! Alerts on the screen: their page at every size, the header and the findings pane, and their keys.

use super::{compare, drawn, press, scene, state_of, text};
use std::sync::Arc;
use trimtab::{
    model::{
        alert::{Alert, AlertId, AlertState, Side},
        change::Who,
        finding::Severity,
        message::{Ask, Command, View},
        metric::{Key, Metric},
        subject::Subject,
        time::Wall,
    },
    ui::{
        pane::Page,
        state::{Over, State, UiCommand},
    },
};

fn alert(id: u64, state: AlertState, severity: Severity) -> Arc<Alert> {
    let now = scene::full_view().now.wall.0;
    let fired = Wall(now - 600_000 - id as i64 * 1000);
    let ann = Who::Operator { user: "ann".into(), via: "console".into() };
    Arc::new(Alert {
        id: AlertId(id),
        rule: "filesystem nearly full".into(),
        key: Key::new(Subject::Filesystem(format!("/srv/data-{id}").into()), Metric::FilesystemUsed),
        severity,
        state,
        side: Side::Above,
        limit: 0.9,
        value: 0.934,
        peak: 0.951,
        since: Wall(fired.0 - 300_000),
        fired: (state != AlertState::Pending).then_some(fired),
        cleared: (state == AlertState::Cleared).then_some(Wall(now - 60_000)),
        acknowledged: (state == AlertState::Acknowledged).then(|| (ann.clone(), Wall(now - 300_000))),
        snoozed: (state == AlertState::Snoozed).then(|| (ann, Some(Wall(now + 900_000)))),
        times: 1,
        note: "find what grows, or make room".into(),
    })
}

fn seated() -> State {
    use AlertState as S;
    use Severity::{Critical, Warning};
    let mut alerts = vec![
        alert(9, S::Firing, Critical),
        alert(7, S::Firing, Warning),
        alert(8, S::Pending, Warning),
        alert(6, S::Acknowledged, Warning),
        alert(5, S::Snoozed, Warning),
        alert(4, S::Cleared, Warning),
        alert(3, S::Cleared, Critical),
    ];
    alerts.sort_by(|a, b| a.order(b));
    state_of(View { alerts: Arc::new(alerts), ..scene::full_view() })
}

#[test]
fn the_page_is_of_use_at_every_size() {
    for (width, height) in [(160, 48), (100, 30), (80, 24), (60, 20), (40, 15)] {
        let mut state = seated();
        press(&mut state, 0, "0");
        let picture = text(&drawn(&mut state, width, height));
        compare(&format!("alerts-{width}x{height}"), &picture);
        assert!(picture.contains("!!") && picture.contains("filesystem"), "{picture}");
    }
}

#[test]
fn firing_ones_stand_in_the_header_and_below_the_findings() {
    let picture = text(&drawn(&mut seated(), 160, 48));
    assert!(picture.contains("!! 2 alerts"), "{picture}");
    assert!(picture.contains("alert filesystem nearly full"), "{picture}");
    let calm = text(&drawn(&mut state_of(scene::full_view()), 160, 48));
    assert!(!calm.contains("alert"), "{calm}");
}

#[test]
fn keys_are_about_the_alert_under_the_cursor() {
    let mut state = seated();
    let ask = |command| UiCommand::Ask(Ask::Do(command));
    assert_eq!(press(&mut state, 0, "0a"), [ask(Command::Acknowledge(AlertId(9)))]);
    assert_eq!(press(&mut state, 0, "ja"), [ask(Command::Acknowledge(AlertId(7)))]);
    assert_eq!(press(&mut state, 0, "z"), []);
    assert!(matches!(state.over, Over::SnoozeMenu { alert: AlertId(7), row: 0 }));
    assert!(text(&drawn(&mut state, 80, 24)).contains("until it clears"));
    assert_eq!(press(&mut state, 0, "jj "), [ask(Command::Snooze { alert: AlertId(7), seconds: Some(14_400) })]);
    assert_eq!(press(&mut state, 0, "zjjj "), [ask(Command::Snooze { alert: AlertId(7), seconds: None })]);
    assert_eq!(press(&mut state, 0, "ja"), [], "a pending one is nobody's yet");
    assert!(state.toast.as_ref().unwrap().text.contains("pending"));
    assert_eq!(press(&mut state, 0, "Ga"), []);
    assert!(state.toast.as_ref().unwrap().text.contains("is over"));
    let commands = press(&mut state, 0, "gy");
    assert!(matches!(&commands[..], [UiCommand::Copy(text)] if text.contains("!9") && text.contains("make room")), "{commands:?}");
}

#[test]
fn one_alert_says_all_that_is_known_of_it() {
    let mut state = seated();
    press(&mut state, 0, "0jjj");
    trimtab::ui::update::update(&mut state, scene::after(0), trimtab::ui::state::Msg::Key(trimtab::ui::key::Key::Enter));
    assert_eq!(state.page, Page::Alert(AlertId(6)));
    let picture = text(&drawn(&mut state, 100, 30));
    for word in ["filesystem_used:/srv/data-6", "95.1 %", "ann (console)", "find what grows"] {
        assert!(picture.contains(word), "{word}: {picture}");
    }
    let fired = scene::full_view().now.wall.0 - 606_000;
    let enter = trimtab::ui::state::Msg::Key(trimtab::ui::key::Key::Enter);
    let commands = trimtab::ui::update::update(&mut state, scene::after(0), enter);
    assert!(commands.contains(&UiCommand::Ask(Ask::Past { at: Wall(fired) })), "{commands:?}");
    assert_eq!(state.page, Page::Overview);
}
