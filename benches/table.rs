//! What the table of processes costs per snapshot and per frame: `cargo bench --bench table`.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use ratatui::{buffer::Buffer, layout::Rect};
use std::{sync::Arc, time::Instant};
use trimtab::{
    model::{
        facts::Facts,
        limits::Mode,
        message::{Cost, GuardState, View, Welcome},
        role::Role,
        snapshot::{Cgroup, Process, Reading, Snapshot, Vitals},
        subject::ProcessId,
        time::{Now, Tick, Wall},
    },
    ui::{
        chart::Ink,
        key::Key,
        panels::processes,
        processes::choices::Form,
        spots::Spots,
        state::{Msg, State},
        update::update,
    },
};

/// Snapshots, so many that the median is calm.
const ROUNDS: u32 = 60;

fn at(second: u64) -> Now {
    Now { tick: Tick(second * 1_000_000_000), wall: Wall(second as i64 * 1000) }
}

fn snapshot(second: u64, processes: u32, groups: u32) -> Snapshot {
    let path = |n: u32| -> Arc<str> { format!("/system.slice/group-{:02}.slice/service-{:04}.service", n % 50, n % groups).into() };
    let all = (0..processes).map(|n| Process {
        id: ProcessId { pid: n + 1, start: u64::from(n) },
        parent: n / 7,
        name: format!("worker-{}", n % 90).into(),
        command: format!("/usr/bin/worker-{} --serve --number {n}", n % 90).into(),
        cpu: Some(f64::from((n * 7919 + second as u32 * 104_729) % 1000) / 1000.0),
        wait: Some(0.0),
        resident: u64::from(n) << 12,
        cgroup: path(n),
        ..Process::default()
    });
    let mut cgroups: Vec<Cgroup> =
        (0..groups).map(|n| Cgroup { path: path(n), cpu: Some(0.1), memory: Some(1 << 20), ..Cgroup::default() }).collect();
    cgroups.sort_by(|a, b| a.path.cmp(&b.path));
    cgroups.dedup_by(|a, b| a.path == b.path);
    Snapshot {
        vitals: Vitals { now: at(second), ..Vitals::default() },
        processes: Reading::Known(Arc::new(all.collect())),
        cgroups: Reading::Known(cgroups),
        ..Snapshot::default()
    }
}

fn view(second: u64, processes: u32, groups: u32) -> View {
    View {
        number: second,
        now: at(second),
        mode: Mode::Suggest,
        facts: Arc::new(Facts { cpus: 8, memory: 1 << 34, ..Facts::default() }),
        snapshot: Arc::new(snapshot(second, processes, groups)),
        findings: Arc::default(),
        changes: Arc::default(),
        alerts: Arc::default(),
        outlook: None,
        emergencies: Vec::new(),
        trust: None,
        problems: Vec::new(),
        halted: None,
        cost: Cost::default(),
        guard: GuardState::Idle,
        engine: 1,
        present: Vec::new(),
    }
}

fn main() {
    println!("{:>9} {:>6}  {:<9} {:<5} {:>12} {:>9}", "processes", "groups", "form", "held", "snapshot us", "frame us");
    for (processes, groups) in [(300, 100), (2_000, 200), (10_000, 2_000)] {
        for form in [Form::List, Form::Cgroups, Form::Parents, Form::Programs] {
            for held in [false, true] {
                measure(processes, groups, form, held);
            }
        }
    }
}

fn measure(processes: u32, groups: u32, form: Form, held: bool) {
    let views: Vec<Arc<View>> = (0..4).map(|n| Arc::new(view(100 + n, processes, groups))).collect();
    let look = trimtab::ui::state::Look { themes: vec![], chosen: 0, layouts: vec![], layout: 0, ink: Ink::Braille };
    let mut state = State::begin(&Welcome { view: (*views[0]).clone(), history: vec![], role: Role::Admin }, look, true);
    state.processes.choices.form = form;
    state.processes.arrange();
    update(&mut state, at(100), Msg::Resize(160, 48));
    if held {
        update(&mut state, at(100), Msg::Key(Key::Down));
    }
    let area = Rect::new(0, 0, 156, 40);
    let mut buf = Buffer::empty(area);
    let (mut made, mut drawn) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        state.view = views[round as usize % views.len()].clone();
        state.processes.refresh();
        let begin = Instant::now();
        state.settle();
        made.push(begin.elapsed().as_micros());
        let begin = Instant::now();
        processes::draw(&state, area, &mut buf, &mut Spots::default());
        drawn.push(begin.elapsed().as_micros());
    }
    made.sort_unstable();
    drawn.sort_unstable();
    let middle = ROUNDS as usize / 2;
    println!("{processes:>9} {groups:>6}  {:<9} {held:<5} {:>12} {:>9}", format!("{form:?}"), made[middle], drawn[middle]);
}
