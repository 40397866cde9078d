//! The page of a process with a close look at it: as it is drawn, and when it is asked for.

use super::{compare, drawn, press, state, text};
use crate::screens::scene::{after, full_view};
use std::sync::Arc;
use trimtab::{
    model::{
        inspection::{
            Delays, Files, Inspection, Limit, MappedMemory, Moved, Namespace, Owner, Privileges, Socket, StatusMemory, Thread,
            Waits,
        },
        message::{Ask, Body},
        sample::Policy,
        subject::ProcessId,
    },
    ui::{
        key::Key,
        pane::Page,
        state::{Msg, State, UiCommand},
        update::update,
    },
};

fn thread(tid: u32, state: char, cpu: f64, place: [Option<&str>; 2]) -> Thread {
    let [syscall, wchan] = place.map(|text| text.map(Into::into));
    Thread {
        tid,
        name: format!("worker-{}", tid % 10).into(),
        state,
        cpu: Some(cpu),
        wait: Some(cpu / 4.0),
        storage: None,
        last_cpu: tid % 8,
        nice: 0,
        policy: Policy::Other,
        wchan,
        syscall,
    }
}

/// Of a process that writes a lot; what needs rights is missing.
fn inspection(id: ProcessId) -> Inspection {
    const MIB: u64 = 1 << 20;
    let denied = |what: &str| -> Arc<str> { format!("{what}: Permission denied: needs CAP_SYS_PTRACE, or to be its user").into() };
    Inspection {
        id,
        at: after(0),
        window: 1.0,
        name: "python3".into(),
        state: 'S',
        command: Ok("/usr/bin/python3 --serve --port 8080 --workers 3 --data /var/lib/shop/data --log /var/log/shop.log".into()),
        exe: Err(denied(&format!("readlink /proc/{}/exe", id.pid))),
        cwd: Ok("/var/lib/shop".into()),
        root: Ok("/".into()),
        started: Some(trimtab::model::time::Wall(after(0).wall.0 - 11_400_000)),
        owner: Ok(Owner { uids: [1000, 0, 0, 0], gids: [1000; 4] }),
        cgroups: Ok(vec![("cpu".into(), "/batch".into()), ("memory".into(), "/memory-of-it".into())]),
        waits: Waits {
            cpu: Some(0.12),
            storage: Err("not counted: sysctl kernel.task_delayacct=1 begins it".into()),
            delays: Ok(Delays { cpu: Some(0.12), storage: Some(0.41), reclaim: Some(0.02), swap: Some(0.0), ..Delays::default() }),
        },
        threads: Ok(vec![
            thread(id.pid + 1, 'D', 0.31, [Some("fsync"), Some("jbd2_log_wait_commit")]),
            thread(id.pid + 2, 'R', 0.6, [None, None]),
            thread(id.pid, 'S', 0.0, [Some("epoll_wait"), Some("ep_poll")]),
        ]),
        thread_count: 3,
        memory: Ok(StatusMemory {
            peak: 900 * MIB,
            resident_peak: 300 * MIB,
            anon: 200 * MIB,
            file: 40 * MIB,
            ..StatusMemory::default()
        }),
        mapped: Ok(MappedMemory { proportional: 210 * MIB, unique: 200 * MIB, huge: 64 * MIB, ..MappedMemory::default() }),
        io: Ok(Moved { storage: [MIB, 90 * MIB], storage_rate: [0.0, 4e6], operations: [3.0, 1200.0], ..Moved::default() }),
        limits: Ok(vec![
            Limit { name: "open files".into(), soft: "1024".into(), hard: "524288".into(), unit: "files".into() },
            Limit { name: "cpu time".into(), soft: "unlimited".into(), hard: "unlimited".into(), unit: "seconds".into() },
        ]),
        files: Ok(Files {
            open: 9,
            files: 2,
            sockets: 4,
            pipes: 2,
            devices: 1,
            deleted: 1,
            seen: 9,
            paths: vec![(3, "/var/lib/shop/data".into()), (4, "/var/log/shop.log (deleted)".into()), (0, "/dev/null".into())],
            anonymous: 0,
        }),
        sockets: Ok(vec![Socket {
            kind: "tcp".into(),
            local: "0.0.0.0:8080".into(),
            state: "listening".into(),
            ..Socket::default()
        }]),
        namespaces: Ok(vec![Namespace { kind: "net".into(), inode: 4_026_532_001, ours: false }]),
        oom: Ok((701, 0)),
        rights: Ok(Privileges { capabilities: "none".into(), no_new: true, seccomp: true, traced_by: None }),
    }
}

/// The page of the third process, and the questions that opening it asked.
fn opened() -> (State, ProcessId, Vec<UiCommand>) {
    let mut state = state();
    drawn(&mut state, 120, 40);
    press(&mut state, 0, "5jj");
    let commands = update(&mut state, after(0), Msg::Key(Key::Enter));
    let Page::Process(id) = state.page else { panic!("{:?}", state.page) };
    (state, id, commands)
}

#[test]
fn the_page_at_three_sizes() {
    let (mut state, id, _) = opened();
    update(&mut state, after(10), Msg::Answer(Body::Inspected(Box::new(inspection(id)))));
    for (width, height) in [(160, 50), (100, 30), (80, 24)] {
        compare(&format!("close-look-{width}x{height}"), &text(&drawn(&mut state, width, height)));
    }
    let page = text(&drawn(&mut state, 160, 60));
    assert!(page.contains("Waits 410 ms/s for the disk, 120 ms/s for a cpu"), "{page}");
    assert!(page.contains("fsync (jbd2_log_wait_commit)"), "{page}");
    press(&mut state, 20, "H");
    assert!(
        !text(&drawn(&mut state, 160, 60)).contains("jbd2_log_wait_commit (")
            && !text(&drawn(&mut state, 160, 60)).contains("Threads (")
    );
}

#[test]
fn it_is_asked_for_at_once_then_each_second_and_only_while_somebody_looks() {
    let (mut state, id, commands) = opened();
    let asks = |commands: &[UiCommand]| {
        commands.iter().filter(|c| matches!(c, UiCommand::Ask(Ask::Inspect(asked)) if *asked == id)).count()
    };
    let view = || Msg::View(Arc::new(full_view()));
    assert_eq!(asks(&commands), 1);
    assert_eq!(asks(&update(&mut state, after(1000), view())), 0, "the first has not been answered");
    let answer = || Msg::Answer(Body::Inspected(Box::new(inspection(id))));
    assert_eq!(asks(&update(&mut state, after(1100), answer())), 1, "a second has gone by");
    assert_eq!(asks(&update(&mut state, after(1300), answer())), 0, "too soon");
    assert_eq!(asks(&update(&mut state, after(1400), view())), 0, "too soon");
    assert_eq!(asks(&update(&mut state, after(2050), view())), 1);
    assert_eq!(asks(&update(&mut state, after(2200), answer())), 0);
    press(&mut state, 2300, "f");
    assert_eq!(asks(&update(&mut state, after(9000), view())), 0, "the screen is held");
    press(&mut state, 9100, "f");
    update(&mut state, after(9200), Msg::Key(Key::Esc));
    assert_eq!(asks(&update(&mut state, after(20_000), view())), 0, "nobody looks");
}
