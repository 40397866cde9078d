//! The table of processes: each of its forms at every size, and its keys.

use super::{compare, drawn, press, scene, state_of, text};
use scene::{after, full_view, process_id};
use std::sync::Arc;
use trimtab::{
    model::{
        message::View,
        snapshot::{Cgroup, Process, Quota, Reading},
        text::clean,
    },
    ui::{
        key::Key,
        pane::Page,
        processes::row::RowId,
        state::{Msg, State},
        update::update,
    },
};

const SIZES: [(u16, u16); 5] = [(160, 48), (100, 30), (80, 24), (60, 20), (40, 15)];

fn process(pid: u32, parent: u32, name: &str, cpu: f64, cgroup: &str) -> Process {
    Process {
        id: process_id(pid),
        parent,
        name: clean(name, 64),
        command: clean(&format!("/usr/sbin/{name} --config /etc/{name}/{name}.conf --number {pid}"), 256),
        uid: if pid > 4000 { 1000 } else { 0 },
        state: 'S',
        cpu: Some(cpu),
        wait: Some(cpu / 3.0),
        resident: u64::from(pid) << 14,
        threads: 1 + pid % 5,
        io: Some([0.0, 4096.0]),
        cgroup: cgroup.into(),
        kernel: cgroup == "/",
        ..Process::default()
    }
}

/// A host with services, a container and a session.
fn world() -> View {
    let (web, db) = ("/system.slice/nginx.service", "/system.slice/docker-abc.scope");
    let session = "/user.slice/user-1000.slice/session-3.scope";
    let mut all = vec![
        process(1, 0, "systemd", 0.01, "/init.scope"),
        process(2, 0, "kthreadd", 0.0, "/"),
        process(40, 2, "kswapd0", 0.07, "/"),
        process(812, 1, "nginx", 0.02, web),
        process(813, 812, "nginx", 0.61, web),
        process(814, 812, "nginx", 0.55, web),
        process(2000, 1, "postgres", 0.33, db),
        process(2001, 2000, "postgres", 0.12, db),
        process(4242, 1, "bash", 0.0, session),
        process(4243, 4242, "evil\u{1b}[2J\u{202e}name", 0.9, session),
        process(4300, 4242, "漢字プロセス名前とても長い", 0.04, session),
    ];
    all.sort_by_key(|p| p.id);
    let group = |path: &str, cpu: f64, mib: u64| Cgroup {
        path: path.into(),
        cpu: Some(cpu),
        memory: Some(mib << 20),
        pressure: Some([cpu / 10.0, 0.0, 0.02]),
        unit: path.rsplit('/').next().map(Arc::from),
        ..Cgroup::default()
    };
    let mut groups = vec![
        group("/", 3.0, 900),
        group("/init.scope", 0.01, 8),
        group("/system.slice", 1.63, 600),
        Cgroup {
            quota: Some(Quota { quota: Some(100_000), period: 100_000 }),
            throttled: Some(0.31),
            throttled_time: Some(0.2),
            memory_limit: Some(1 << 30),
            ..group(web, 1.18, 220)
        },
        Cgroup { container: Some("shop-db".into()), unit: None, memory_limit: Some(512 << 20), ..group(db, 0.45, 380) },
        group("/system.slice/left.service", 0.0, 12),
        group("/user.slice", 0.94, 120),
        group(session, 0.94, 118),
    ];
    groups.sort_by(|a, b| a.path.cmp(&b.path));
    let mut view = full_view();
    let snapshot = Arc::make_mut(&mut view.snapshot);
    snapshot.processes = Reading::Known(Arc::new(all));
    snapshot.cgroups = Reading::Known(groups);
    view
}

fn state() -> State {
    let mut state = state_of(world());
    drawn(&mut state, 160, 48);
    press(&mut state, 0, "5");
    state
}

fn key(state: &mut State, key: Key) {
    update(state, after(0), Msg::Key(key));
}

#[test]
fn every_form_at_every_size() {
    let forms = [("list", ""), ("cgroups", "x"), ("parents", "xx"), ("programs", "E"), ("marked", "j jj "), ("menu", "s")];
    for (name, keys) in forms {
        let mut all = String::new();
        for (width, height) in SIZES {
            let mut state = state();
            drawn(&mut state, width, height);
            press(&mut state, 0, "5");
            press(&mut state, 0, keys);
            state.toast = None;
            all.push_str(&format!("{width}x{height}\n{}\n", text(&drawn(&mut state, width, height))));
        }
        compare(&format!("table-{name}"), &all);
    }
}

#[test]
fn a_folded_group_stays_folded_and_tells_how_much_it_hides() {
    let mut state = state();
    press(&mut state, 0, "xj");
    key(&mut state, Key::Left);
    let picture = text(&drawn(&mut state, 160, 48));
    assert!(picture.contains("▸ system.slice +") && !picture.contains("nginx.service"), "{picture}");
    update(&mut state, after(1000), Msg::View(Arc::new(world())));
    assert_eq!(text(&drawn(&mut state, 160, 48)), picture);
    key(&mut state, Key::Right);
    assert!(text(&drawn(&mut state, 160, 48)).contains("▾ nginx.service"));
}

#[test]
fn plus_and_minus_fold_only_where_there_is_a_tree() {
    let mut state = state();
    let before = state.processes.rows.all.len();
    press(&mut state, 0, "j-");
    assert_eq!(state.processes.rows.all.len(), before);
    press(&mut state, 0, "x");
    let open = state.processes.rows.all.len();
    press(&mut state, 0, "g-");
    assert!(state.processes.rows.all.len() < open);
    press(&mut state, 0, "+");
    assert_eq!(state.processes.rows.all.len(), open);
    press(&mut state, 0, "*");
    assert!(state.processes.rows.all.iter().all(|row| row.depth == 0));
    press(&mut state, 0, "*");
    assert_eq!(state.processes.rows.all.len(), open);
}

#[test]
fn enter_on_a_control_group_tells_its_numbers_and_knobs() {
    let mut state = state();
    press(&mut state, 0, "x");
    state.processes.cursor = Some(RowId::Cgroup("/system.slice/nginx.service".into()));
    key(&mut state, Key::Enter);
    assert_eq!(state.page, Page::Cgroup("/system.slice/nginx.service".into()));
    compare("cgroup", &text(&drawn(&mut state, 100, 30)));
}

#[test]
fn marks_are_what_a_signal_is_about_wherever_the_cursor_is() {
    let mut state = state();
    press(&mut state, 0, "E");
    state.processes.cursor = Some(RowId::Program("nginx".into()));
    press(&mut state, 0, " jX");
    let picture = text(&drawn(&mut state, 160, 48));
    assert!(picture.contains("Signal to 3 processes"), "{picture}");
    key(&mut state, Key::Esc);
    assert!(text(&drawn(&mut state, 160, 48)).contains(" 3 marked "));
    press(&mut state, 0, "U");
    assert!(state.processes.marks.is_empty());
}

#[test]
fn a_followed_process_is_named_until_it_is_released() {
    let mut state = state();
    press(&mut state, 0, "jF");
    assert!(text(&drawn(&mut state, 160, 48)).contains("following evil?[2J?name (4243)"));
    key(&mut state, Key::Esc);
    assert!(state.processes.followed.is_none() && state.processes.cursor.is_none());
}

#[test]
fn the_search_goes_round_among_the_rows_of_the_last_filter() {
    let mut state = state();
    press(&mut state, 0, "/nginx");
    key(&mut state, Key::Esc);
    let mut met = Vec::new();
    for _ in 0..4 {
        press(&mut state, 0, "n");
        met.push(state.processes.cursor.as_ref().and_then(RowId::process).unwrap().pid);
    }
    assert_eq!(met, [813, 814, 812, 813]);
    press(&mut state, 0, "N");
    assert_eq!(state.processes.cursor, Some(RowId::Process(process_id(812))));
}

#[test]
fn the_order_goes_from_column_to_column_and_columns_come_and_go() {
    let mut state = state();
    press(&mut state, 0, ">");
    assert_eq!(state.processes.choices.sort, "wait");
    key(&mut state, Key::Left);
    assert_eq!(state.processes.choices.sort, "cpu");
    press(&mut state, 0, "sj ");
    key(&mut state, Key::Esc);
    let picture = text(&drawn(&mut state, 160, 48));
    press(&mut state, 0, "s");
    key(&mut state, Key::PageUp);
    press(&mut state, 0, "j ");
    key(&mut state, Key::Esc);
    let with = text(&drawn(&mut state, 160, 48));
    assert!(with.contains("ppid") && !picture.contains("ppid"), "{with}");
}

#[test]
fn kernel_threads_go_and_come() {
    let mut state = state();
    press(&mut state, 0, "K");
    let without = text(&drawn(&mut state, 160, 48));
    assert!(!without.contains("kswapd0") && without.contains("no kernel threads"));
    press(&mut state, 0, "K");
    assert!(text(&drawn(&mut state, 160, 48)).contains("kswapd0"));
}
