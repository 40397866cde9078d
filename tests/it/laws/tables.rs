//! What the actions on tables of the whole host, and on the tasks of a cgroup, must not do.

use super::{
    proposal, same,
    scene::{machine, of, quiet},
};
use trimtab::{
    actions,
    host::host::Host,
    model::{
        finding::FindingKind,
        plan::{Obstacle, Undone},
        proposal::{Proposal, Want},
        snapshot::{Cpu, Reading},
        subject::Subject,
    },
};

fn of_host() -> Proposal {
    let scene = quiet().find(FindingKind::TasksExhaustion, Subject::Host, &[], &[]);
    actions::named("pids-limit").unwrap().propose(&scene.world()).remove(0)
}

#[test]
fn the_limit_that_binds_the_host_is_raised_and_the_wider_one_left() {
    let (host, pids) = (machine("pids-limit"), actions::named("pids-limit").unwrap());
    let plan = pids.prepare(&of_host(), &host).unwrap();
    let steps: Vec<_> = plan.steps.iter().map(|s| (s.knob.to_string(), s.before.clone(), s.after.clone())).collect();
    assert_eq!(steps, [("/proc/sys/kernel/pid_max".to_string(), "32768".to_string(), "65536".to_string())]);
    let before = host.dump();
    pids.apply(&plan, &host).unwrap();
    host.put("/proc/loadavg", "0.20 0.18 0.12 1/40000 11206\n");
    let refused = pids.rollback(&plan, &host).unwrap_err();
    assert!(refused.source.contains("40000 tasks run"), "{refused}");
    host.put("/proc/loadavg", "0.20 0.18 0.12 1/30000 11206\n");
    assert_eq!(pids.rollback(&plan, &host).unwrap(), Undone::Undone);
    same(&host.dump(), &before, "pids-limit");
}

#[test]
fn what_may_be_a_fork_bomb_keeps_its_limit() {
    let pids = actions::named("pids-limit").unwrap();
    let forks = |forks: f64| {
        let mut scene = of("pids-limit");
        scene.vitals.cpu = Reading::Known(Cpu { forks, ..Cpu::default() });
        pids.propose(&scene.world()).len()
    };
    assert_eq!((forks(90.0), forks(110.0)), (1, 0));
    let mut blind = of("pids-limit");
    blind.vitals.cpu = Reading::Initializing;
    assert!(pids.propose(&blind.world()).is_empty());
}

#[test]
fn a_group_gets_no_more_tasks_than_those_around_it_have_room_for() {
    let pids = actions::named("pids-limit").unwrap();
    let wish = |around: u64| {
        let mut scene = of("pids-limit");
        if let Reading::Known(all) = &mut scene.snapshot.cgroups {
            all.iter_mut().filter(|row| &*row.path == "/app").for_each(|row| row.pids_limit = Some(around));
        }
        pids.propose(&scene.world()).first().map(|p| p.wants[0].to.clone())
    };
    assert_eq!([wish(1000), wish(150), wish(100)], [Some("200".into()), Some("150".into()), None]);
    let poor = of("pids-limit").with(|memory, _| memory.available = 1 << 20);
    assert!(pids.propose(&poor.world()).is_empty());
}

#[test]
fn a_group_with_more_tasks_than_before_keeps_its_limit() {
    let (host, pids) = (machine("pids-limit"), actions::named("pids-limit").unwrap());
    let plan = pids.prepare(&proposal(pids), &host).unwrap();
    pids.apply(&plan, &host).unwrap();
    host.put("/sys/fs/cgroup/unified/app/web/pids.current", "150\n");
    assert!(pids.rollback(&plan, &host).unwrap_err().source.contains("150 tasks run"));
    assert_eq!(host.get(&plan.steps[0].knob).unwrap(), "200");
}

#[test]
fn only_limits_of_tasks_are_written() {
    let (host, pids) = (machine("pids-limit"), actions::named("pids-limit").unwrap());
    for wish in ["kernel/panic 1", "../../etc/x 1", "65536", ""] {
        let forged = Proposal { wants: vec![Want { on: Subject::Host, to: wish.into() }], ..of_host() };
        assert_eq!(pids.prepare(&forged, &host).unwrap_err().kind, Obstacle::Unsupported, "{wish}");
    }
}

#[test]
fn open_files_keep_their_room() {
    let (host, table) = (machine("file-table"), actions::named("file-table").unwrap());
    let plan = table.prepare(&proposal(table), &host).unwrap();
    assert_eq!((&*plan.steps[0].before, &*plan.steps[0].after), ("100000", "200000"));
    table.apply(&plan, &host).unwrap();
    host.put("/proc/sys/fs/file-nr", "120000\t0\t200000\n");
    assert!(table.rollback(&plan, &host).unwrap_err().source.contains("120000 files are open"));
    let poor = of("file-table").with(|memory, _| memory.available = 100 << 20);
    assert!(table.propose(&poor.world()).is_empty());
}
