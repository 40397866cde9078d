//! What is coming and why, on the screen: charts that go on, the pages of forecasts and causes, and their keys.

use super::{compare, drawn, look, press, scene, styles, text};
use proptest::prelude::*;
use scene::{GIB, after, at};
use std::sync::Arc;
use trimtab::{
    model::{
        finding::Severity,
        message::{Ask, Body, View},
        metric::{Key, Metric},
        outlook::*,
        past::{Past, Trace, Trend},
        subject::Subject,
        text::clean,
        time::Wall,
    },
    ui::{
        chart::Ink,
        key::Key as Press,
        pane::{Page, Pane},
        state::{Msg, State, UiCommand},
        theme::Theme,
        update::update,
    },
};

fn now() -> Wall {
    scene::full_view().now.wall
}

fn ago(seconds: i64) -> Wall {
    Wall(now().0 - seconds * 1000)
}

/// A course from `from` with a slope a second and a range that widens.
fn bands(from: f64, slope: f64, spread: f64, (step, count): (f64, usize)) -> Vec<Band> {
    let one = |i: usize| {
        let time = (i + 1) as f64 * step;
        let (point, wide) = (from + slope * time, spread * time.sqrt());
        Band { point, lo80: point - wide, hi80: point + wide, lo95: point - 2.0 * wide, hi95: point + 2.0 * wide }
    };
    (0..count).map(one).collect()
}

fn forecast(key: Key, step: f64, bands: Vec<Band>) -> Forecast {
    Forecast {
        key,
        made: now(),
        step,
        bands,
        blend: vec![(Method::Ridge, 0.62), (Method::ElasticNet, 0.38)],
        skill: Some(0.41),
        reliable: true,
        season: None,
        trained: 5400.0,
        changed: None,
        record: Some(Record { scored: 812, skill: 0.38, within80: 0.79, within95: 0.94 }),
        crossing: None,
    }
}

fn memory() -> Key {
    Key::host(Metric::MemoryUsed)
}

fn var() -> Key {
    Key::new(Subject::Filesystem("/var".into()), Metric::FilesystemUsed)
}

fn evil() -> Key {
    Key::new(
        Subject::Cgroup(clean("/evil\u{1b}[2J\u{202e}name/with a very long path that does not fit anywhere", 80)),
        Metric::CgroupMemory,
    )
}

fn forecasts() -> Vec<Forecast> {
    let disk = |metric| Key::new(Subject::Disk("nvme0n1".into()), metric);
    let net = |metric| Key::new(Subject::Interface("eth0".into()), metric);
    let (fine, coarse) = ((1.0, 120), (300.0, 24));
    let used = 13.0 * GIB as f64;
    let leak = Crossing {
        limit: 32.0 * GIB as f64,
        of: "MemTotal".into(),
        likely: Some(2280.0),
        earliest: Some(1860.0),
        latest: Some(3060.0),
        confidence: 0.86,
    };
    let slow =
        Crossing { limit: 1.0, of: "/var".into(), likely: Some(6900.0), earliest: Some(5200.0), latest: None, confidence: 0.44 };
    let doubtful = |key, skill| Forecast {
        reliable: false,
        skill,
        record: None,
        blend: vec![(Method::LastValue, 1.0)],
        ..forecast(key, 1.0, bands(9.0, 0.0, 0.4, fine))
    };
    vec![
        forecast(Key::host(Metric::CpuBusy), 1.0, bands(0.9, -0.004, 0.02, fine)),
        Forecast { season: Some(86_400.0), ..forecast(Key::host(Metric::CpuBusy), 300.0, bands(0.5, 0.0, 0.002, coarse)) },
        forecast(memory(), 1.0, bands(used, 20e6, 3e7, fine)),
        Forecast { crossing: Some(leak), ..forecast(memory(), 300.0, bands(used, 8.5e6, 3e7, coarse)) },
        forecast(disk(Metric::DiskRead), 1.0, bands(50e6, 0.0, 1e6, fine)),
        forecast(disk(Metric::DiskWrite), 1.0, bands(10e6, 2e5, 1e6, fine)),
        forecast(net(Metric::NetReceive), 1.0, bands(4e6, 5e4, 1e5, fine)),
        forecast(net(Metric::NetTransmit), 1.0, bands(9e6, -5e4, 1e5, fine)),
        Forecast { crossing: Some(slow), changed: Some(9000.0), ..forecast(var(), 300.0, bands(0.92, 1.16e-5, 2e-4, coarse)) },
        doubtful(Key::host(Metric::Load), Some(-0.04)),
        doubtful(evil(), None),
    ]
}

fn suspect(subject: Subject, name: &str, confidence: f64, supports: &[&str], against: &[&str]) -> Suspect {
    let own = |all: &[&str]| all.iter().map(|one| (*one).to_string()).collect();
    Suspect { subject, name: clean(name, 64), confidence, supports: own(supports), against: own(against) }
}

fn outlook() -> Outlook {
    let mut forecasts: Vec<Arc<Forecast>> = forecasts().into_iter().map(Arc::new).collect();
    forecasts.sort_by(|a, b| a.key.cmp(&b.key).then(a.step.total_cmp(&b.step)));
    let finding = scene::full_view().findings[0].id.clone();
    let p95 = Key::new(Subject::Service("shop".into()), Metric::ServiceP95);
    let odd = |key, since, until, severity| Anomaly { key, since, until, value: 0.97, expected: (0.2, 0.63), score: 3.4, severity };
    let hogs = suspect(
        Subject::Process(scene::process_id(5000)),
        "python3",
        0.72,
        &[
            "its cpu rose 2 s before the wait (0 to 1.20 cores)",
            "r +0.93 (+0.88 to +0.96) with the wait of shopd",
            "began 61 s ago, right before",
        ],
        &["shares the cpu with five others of its name"],
    );
    let evil = suspect(
        Subject::Cgroup("/batch".into()),
        "evil\u{1b}[2J\u{202e}name",
        0.11,
        &["reads 40.0 M/s from sdb"],
        &["began an hour before"],
    );
    Outlook {
        forecasts,
        anomalies: vec![
            odd(Key::host(Metric::CpuBusy), ago(61), None, Severity::Critical),
            odd(memory(), ago(30), None, Severity::Notice),
            odd(Key::new(Subject::Disk("nvme0n1".into()), Metric::DiskWrite), ago(80), Some(ago(70)), Severity::Warning),
        ],
        unusual: Some(Unusual { since: ago(58), score: 1.8, by: vec![(Key::host(Metric::CpuBusy), 0.6), (memory(), 0.2)] }),
        links: vec![
            Link {
                leads: Key::host(Metric::CpuBusy),
                follows: p95.clone(),
                lag: 2.0,
                r: 0.91,
                interval: (0.84, 0.95),
                partial: Some(0.77),
                q: 0.0002,
            },
            Link { leads: memory(), follows: var(), lag: 0.0, r: -0.52, interval: (-0.7, -0.29), partial: None, q: 0.031 },
        ],
        stories: vec![
            Story {
                finding: Some(finding),
                symptom: p95,
                began: ago(60),
                headline: "p95 of shop went from 4.00 ms to 41.0 ms; most likely behind it is python3".into(),
                suspects: vec![hogs, evil],
            },
            Story {
                finding: None,
                symptom: memory(),
                began: ago(900),
                headline: "memory used stepped up by 2.00 GiB".into(),
                suspects: vec![],
            },
        ],
        patterns: vec![
            Pattern { key: Key::host(Metric::CpuBusy), shape: Shape::Periodic { period: 60.0, width: 8.0 }, confidence: 0.93 },
            Pattern {
                key: memory(),
                shape: Shape::Step { at: ago(900), from: 11.0 * GIB as f64, to: 13.0 * GIB as f64 },
                confidence: 0.81,
            },
            Pattern { key: var(), shape: Shape::Ramp { slope: 1.16e-5 }, confidence: 0.7 },
            Pattern { key: evil_key(), shape: Shape::Bursts { per_hour: 3.2 }, confidence: 0.6 },
        ],
        effort: Effort { series: 64, forecasts: 11, cpu: 0.004, budget: 0.01, bytes: 9 << 20 },
    }
}

fn evil_key() -> Key {
    evil()
}

fn seen() -> View {
    View { outlook: Some(Arc::new(outlook())), ..scene::full_view() }
}

fn state_in(theme: &str, ink: Ink) -> State {
    State::begin(&scene::welcome(seen()), look(theme, ink), true)
}

fn state() -> State {
    state_in("ansi16", Ink::Braille)
}

fn enter(state: &mut State) -> Vec<UiCommand> {
    update(state, after(0), Msg::Key(Press::Enter))
}

/// Answers the questions for the past of charts with a course of its own.
fn answer(state: &mut State, commands: &[UiCommand]) {
    for command in commands {
        let UiCommand::Ask(Ask::Trace { keys, from, to, points }) = command else { continue };
        let row = |key: &Key| {
            let full = if *key == memory() { 13.0 * GIB as f64 } else { 0.9 };
            let value = |i: usize| full * (0.7 + 0.3 * i as f64 / *points as f64);
            (0..*points).map(|i| Some(Trend { min: value(i), mean: value(i), max: value(i) })).collect()
        };
        let rows = keys.iter().map(|key| (key.clone(), row(key))).collect();
        let step = (to.0 - from.0) / *points as i64;
        update(state, after(0), Msg::Answer(Body::Trace(Trace { from: *from, step, rows })));
    }
}

const SIZES: [(u16, u16); 5] = [(160, 48), (100, 30), (80, 24), (60, 20), (40, 15)];

#[test]
fn charts_go_on_into_what_is_coming() {
    for (width, height) in [(160, 50), (120, 40), (80, 24)] {
        compare(&format!("ahead-{width}x{height}"), &text(&drawn(&mut state(), width, height)));
    }
    compare("ahead-ascii-160x50", &text(&drawn(&mut state_in("mono", Ink::Ascii), 160, 50)));
}

#[test]
fn each_pane_with_room_shows_the_range_of_what_is_coming() {
    for (key, name) in [("1", "cpu"), ("2", "memory"), ("3", "network"), ("4", "storage")] {
        let mut state = state();
        drawn(&mut state, 120, 40);
        press(&mut state, 0, key);
        press(&mut state, 0, "e");
        compare(&format!("ahead-{name}-120x40"), &text(&drawn(&mut state, 120, 40)));
    }
}

#[test]
fn what_is_coming_has_its_own_ink_in_every_theme() {
    for theme in Theme::built_in() {
        let buffer = drawn(&mut state_in(&theme.name, Ink::Braille), 160, 50);
        compare(&format!("ahead-theme-{}", theme.name), &styles(&buffer));
    }
}

#[test]
fn the_list_of_forecasts_at_every_size() {
    for (width, height) in SIZES {
        let mut state = state();
        drawn(&mut state, width, height);
        press(&mut state, 0, "pj");
        compare(&format!("forecasts-{width}x{height}"), &text(&drawn(&mut state, width, height)));
    }
    let mut ascii = state_in("mono", Ink::Ascii);
    press(&mut ascii, 0, "p");
    assert!(text(&drawn(&mut ascii, 100, 30)).is_ascii());
}

#[test]
fn one_forecast_at_every_size() {
    for (width, height) in SIZES {
        let mut state = state();
        drawn(&mut state, width, height);
        press(&mut state, 0, "p");
        let commands = enter(&mut state);
        assert_eq!(state.page, Page::Forecast(memory()), "what reaches its limit first stands at the top");
        answer(&mut state, &commands);
        compare(&format!("forecast-{width}x{height}"), &text(&drawn(&mut state, width, height)));
    }
    let mut ascii = state_in("mono", Ink::Ascii);
    drawn(&mut ascii, 120, 40);
    press(&mut ascii, 0, "p");
    let commands = enter(&mut ascii);
    answer(&mut ascii, &commands);
    let picture = text(&drawn(&mut ascii, 120, 40));
    assert!(picture.is_ascii());
    compare("forecast-ascii-120x40", &picture);
}

#[test]
fn the_causes_at_every_size() {
    for (width, height) in SIZES {
        let mut state = state();
        drawn(&mut state, width, height);
        press(&mut state, 0, "r");
        compare(&format!("causes-{width}x{height}"), &text(&drawn(&mut state, width, height)));
    }
    let mut ascii = state_in("mono", Ink::Ascii);
    press(&mut ascii, 0, "r");
    assert!(text(&drawn(&mut ascii, 100, 30)).is_ascii());
}

#[test]
fn a_link_shows_both_charts() {
    for (width, height) in [(120, 40), (80, 24)] {
        let mut state = state();
        drawn(&mut state, width, height);
        press(&mut state, 0, "rjjj");
        let commands = enter(&mut state);
        assert!(matches!(state.page, Page::Link(..)), "{:?}", state.page);
        answer(&mut state, &commands);
        compare(&format!("link-{width}x{height}"), &text(&drawn(&mut state, width, height)));
    }
}

#[test]
fn enter_on_a_suspect_goes_to_it() {
    let mut state = state();
    drawn(&mut state, 120, 40);
    press(&mut state, 0, "r");
    enter(&mut state);
    assert_eq!(state.page, Page::Process(scene::process_id(5000)));
    press(&mut state, 0, "rj");
    enter(&mut state);
    assert_eq!(state.page, Page::Cgroup("/batch".into()));
    press(&mut state, 0, "rG");
    enter(&mut state);
    assert_eq!(state.page, Page::Forecast(evil()));
    update(&mut state, after(0), Msg::Key(Press::Esc));
    assert_eq!((&state.page, state.focus), (&Page::Forecasts, Pane::Processes));
}

#[test]
fn the_page_of_a_finding_tells_its_story() {
    let mut state = state();
    drawn(&mut state, 120, 40);
    press(&mut state, 0, "7");
    enter(&mut state);
    let picture = text(&drawn(&mut state, 120, 40));
    for words in
        ["What is behind it", "72 %  python3 (process 5000)", "+ its cpu rose 2 s before the wait", "- shares the cpu with five"]
    {
        assert!(picture.contains(words), "{words} in\n{picture}");
    }
}

#[test]
fn a_proposal_for_what_is_foreseen_says_when_it_comes_and_how_sure_that_is() {
    let mut change = scene::open();
    let crossing = Crossing {
        limit: 0.05,
        of: "the limit of shop".into(),
        likely: Some(2220.0),
        earliest: Some(1800.0),
        latest: Some(3000.0),
        confidence: 0.86,
    };
    change.proposal.foreseen = Some(0.86);
    change.finding.crossing = Some(crossing.clone());
    let mut view = scene::view(0, vec![change]);
    let mut findings = view.findings.to_vec();
    findings[0].crossing = Some(Crossing { likely: Some(1920.0), ..crossing });
    view.findings = Arc::new(findings);
    let mut state = super::state_of(view);
    let picture = text(&drawn(&mut state, 160, 50));
    assert!(picture.contains("foreseen: 50.0 ms (the limit of shop) in 32 min"), "{picture}");
    press(&mut state, 0, "8");
    enter(&mut state);
    let picture = text(&drawn(&mut state, 160, 50));
    let words = "in 32 min (30 min to 50 min), confidence 0.86";
    assert!(picture.contains(words), "{picture}");
    press(&mut state, 0, "7");
    enter(&mut state);
    assert!(text(&drawn(&mut state, 160, 50)).contains(words));
}

#[test]
fn what_is_copied_is_what_the_cursor_stands_on() {
    let mut state = state();
    let copied = |state: &mut State, keys: &str| match press(state, 0, keys).pop() {
        Some(UiCommand::Copy(text)) => text,
        other => panic!("{other:?}"),
    };
    assert!(
        copied(&mut state, "py")
            .starts_with("memory_used: in 2 h 70.0 GiB (67.6 to 72.4 GiB in 80 of 100 cases); 32.0 GiB (MemTotal) in 38 min")
    );
    assert!(copied(&mut state, "ry").contains("72 % python3 (process 5000)\n  + its cpu rose"));
    assert!(copied(&mut state, "Gy").starts_with("cgroup_memory:/evil?"));
}

#[test]
fn forecasts_are_filtered_and_put_in_order() {
    let mut state = state();
    drawn(&mut state, 100, 30);
    press(&mut state, 0, "p/is reliable and due < 1h");
    enter(&mut state);
    let picture = text(&drawn(&mut state, 100, 30));
    assert!(picture.contains("memory_used") && !picture.contains("filesystem_used"), "{picture}");
    press(&mut state, 0, "/");
    update(&mut state, after(0), Msg::Key(Press::Esc));
    press(&mut state, 0, "ss");
    let picture = text(&drawn(&mut state, 100, 30));
    let place = |name: &str| picture.find(name).unwrap_or_else(|| panic!("{name} in\n{picture}"));
    assert!(place("cpu_busy") < place("│    load") && place("│    load") < place("memory_used"), "{picture}");
}

#[test]
fn where_nothing_is_reliable_the_chart_is_whole_and_the_list_says_so() {
    let mut bare = outlook();
    for forecast in &mut bare.forecasts {
        *forecast = Arc::new(Forecast { reliable: false, crossing: None, ..(**forecast).clone() });
    }
    bare.anomalies.clear();
    let mut state =
        State::begin(&scene::welcome(View { outlook: Some(Arc::new(bare)), ..seen() }), look("ansi16", Ink::Braille), true);
    let plain = text(&drawn(&mut super::state(), 160, 50));
    assert_eq!(text(&drawn(&mut state, 160, 50)), plain);
    press(&mut state, 0, "1e");
    assert!(text(&drawn(&mut state, 160, 50)).contains("no reliable forecast for the next"));
    press(&mut state, 0, "p");
    let picture = text(&drawn(&mut state, 160, 50));
    assert!(picture.matches("no reliable forecast").count() >= 5, "{picture}");
}

#[test]
fn what_is_coming_can_be_hidden_and_the_past_has_none() {
    let mut state = state();
    let plain = text(&drawn(&mut super::state(), 160, 50));
    let charts = |picture: &str| picture.lines().take(8).map(str::to_string).collect::<Vec<_>>();
    press(&mut state, 0, "O");
    state.toast = None;
    let hidden = text(&drawn(&mut state, 160, 50));
    assert_eq!(charts(&hidden)[2..], charts(&plain)[2..]);
    press(&mut state, 0, "O");
    assert_ne!(charts(&text(&drawn(&mut state, 160, 50))), charts(&hidden));
    assert!(text(&drawn(&mut state, 160, 50)).contains("!! 1 odd"));
    let past = Past { view: scene::full_view(), over: 1.0, before: None, after: None, kept: (Wall(0), now()) };
    press(&mut state, 0, "T");
    update(&mut state, after(0), Msg::Answer(Body::Past(Box::new(past))));
    assert!(!text(&drawn(&mut state, 160, 50)).contains(" odd"));
    press(&mut state, 0, "p");
    assert!(text(&drawn(&mut state, 80, 24)).contains("the past carries no forecasts"));
}

#[test]
fn a_chart_of_ten_minutes_shows_only_the_part_of_two_hours_that_fits() {
    let mut state = state();
    drawn(&mut state, 160, 50);
    let column = |state: &mut State| {
        press(state, 0, "O");
        let without = drawn(state, 160, 50);
        press(state, 0, "O");
        let with = drawn(state, 160, 50);
        (0..45).filter(|x| (2..8).any(|y| with[(*x, y)].symbol() != without[(*x, y)].symbol())).count()
    };
    assert!(column(&mut state) > 8);
    let mut short = outlook();
    for forecast in &mut short.forecasts {
        let mut cut = (**forecast).clone();
        cut.bands.truncate(if cut.step == 1.0 { 8 } else { 0 });
        *forecast = Arc::new(cut);
    }
    let view = View { outlook: Some(Arc::new(short)), ..seen() };
    let mut state = State::begin(&scene::welcome(view), look("ansi16", Ink::Braille), true);
    let buffer = drawn(&mut state, 160, 50);
    let ahead =
        |row: u16| (30..52).filter(|x| buffer[(*x, row)].symbol().chars().all(|c| ('\u{2801}'..='\u{28ff}').contains(&c))).count();
    assert!((2..8).map(ahead).max().unwrap() < 40, "eight seconds are two columns of four");
}

#[test]
fn no_size_and_no_outlook_breaks_a_page() {
    for width in [0, 1, 2, 3, 7, 16, 19, 24, 39, 60, 90, 138, 400] {
        for height in [0, 1, 2, 3, 4, 7, 8, 18, 28, 100] {
            let mut state = state();
            drawn(&mut state, width, height);
            for keys in ["e", "1e", "2", "p", "r", "rG", "rjjj"] {
                press(&mut state, 0, keys);
                drawn(&mut state, width, height);
                if keys.starts_with(['p', 'r']) {
                    let commands = enter(&mut state);
                    answer(&mut state, &commands);
                    drawn(&mut state, width, height);
                    press(&mut state, 0, "+-G");
                    drawn(&mut state, width, height);
                }
            }
        }
    }
}

#[test]
fn names_that_mean_harm_are_text_here_too() {
    let mut state = state();
    for keys in ["p", "r"] {
        press(&mut state, 0, keys);
        let picture = text(&drawn(&mut state, 160, 50));
        assert!(picture.contains("evil?[2J?name"), "{picture}");
        assert!(!picture.contains('\u{1b}') && !picture.contains('\u{202e}'));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_number_breaks_a_picture(
        numbers in prop::collection::vec(prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-1e300), Just(1e300), Just(0.0), -1e12..1e12], 5..40),
        step in prop_oneof![Just(0.0), Just(1.0), Just(300.0), Just(f64::NAN), Just(1e18)],
        made in prop_oneof![Just(0_i64), Just(i64::MAX), Just(i64::MIN), Just(now().0), -1000_i64..1000],
    ) {
        let bands: Vec<Band> = numbers.chunks_exact(5).map(|n| Band { point: n[0], lo80: n[1], hi80: n[2], lo95: n[3], hi95: n[4] }).collect();
        let crossing = Crossing { limit: numbers[0], of: "x".into(), likely: Some(numbers[1]), earliest: Some(numbers[2]), latest: Some(numbers[3]), confidence: numbers[4] };
        let mut wild = outlook();
        for forecast in &mut wild.forecasts {
            *forecast = Arc::new(Forecast { made: Wall(made), step, bands: bands.clone(), crossing: Some(crossing.clone()), season: Some(numbers[0]), changed: Some(numbers[1]), ..(**forecast).clone() });
        }
        for anomaly in &mut wild.anomalies {
            (anomaly.since, anomaly.until) = (Wall(made), Some(Wall(-1)));
        }
        let view = View { outlook: Some(Arc::new(wild)), ..seen() };
        let mut state = State::begin(&scene::welcome(view), look("ansi16", Ink::Braille), true);
        drawn(&mut state, 160, 50);
        press(&mut state, 0, "p");
        drawn(&mut state, 160, 50);
        let commands = enter(&mut state);
        answer(&mut state, &commands);
        drawn(&mut state, 160, 50);
        press(&mut state, 0, "r");
        drawn(&mut state, 100, 30);
        let _ = at(0);
    }
}
