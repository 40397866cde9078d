//! A look at a recorded process.

use super::*;
use crate::{host::recorded::RecordedHost, model::sample::DelaySample};

const ID: ProcessId = ProcessId { pid: 70, start: 500 };

fn stat(tid: u32, state: char, blkio: u64) -> String {
    format!(
        "{tid} (db) {state} 1 70 70 0 -1 0 1 0 0 0 5 6 0 0 20 -5 2 0 500 1000 10 0 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 3 {blkio} 0 0\n"
    )
}

fn host() -> RecordedHost {
    let host = RecordedHost::default();
    host.put("/proc/70/stat", &stat(70, 'S', 0));
    host.put("/proc/70/status", "Name:\tdb\nUid:\t33\t33\t33\t33\nGid:\t7\t7\t7\t7\nVmPeak:\t 8 kB\nVmRSS:\t 4 kB\nCapEff:\t0\n");
    host.put("/proc/70/cmdline", "/usr/bin/db\0--data\0/var/lib/db\0");
    host.put("/proc/70/cgroup", "4:cpu,cpuacct:/db.slice\n0::/db\n");
    host.put("/proc/70/smaps_rollup", "0-1 [rollup]\nPss: 3 kB\nPrivate_Dirty: 2 kB\n");
    host.put("/proc/70/oom_score", "600\n");
    host.put("/proc/70/oom_score_adj", "-100\n");
    host.put("/proc/70/limits", "Limit\nMax open files            1024                 4096                 files     \n");
    host.put(
        "/proc/70/net/tcp",
        "head\n 0: 0100007F:1538 00000000:0000 0A 0:0 0:0 0 33 0 41 1\n 1: 0100007F:0016 00000000:0000 0A 0:0 0:0 0 0 0 40 1\n",
    );
    host.put("/proc/sys/kernel/task_delayacct", "1\n");
    for (link, to) in [("exe", "/usr/bin/db"), ("cwd", "/var/lib/db"), ("root", "/"), ("ns/net", "net:[5]"), ("ns/pid", "pid:[9]")]
    {
        host.put_link(&format!("/proc/70/{link}"), to);
    }
    host.put_link("/proc/self/ns/net", "net:[5]");
    host.put_link("/proc/self/ns/pid", "pid:[8]");
    for (fd, to) in
        [(0, "/dev/null"), (3, "socket:[41]"), (4, "/var/lib/db/a (deleted)"), (5, "pipe:[2]"), (6, "anon_inode:[eventpoll]")]
    {
        host.put_link(&format!("/proc/70/fd/{fd}"), to);
    }
    counters(&host, 0);
    host
}

/// Counters `step` steps of 100 ms of work later.
fn counters(host: &RecordedHost, step: u64) {
    for (tid, state) in [(70, 'S'), (71, if step == 2 { 'D' } else { 'R' })] {
        let ran = if tid == 71 { step * 100_000_000 } else { 0 };
        host.put(&format!("/proc/70/task/{tid}/stat"), &stat(tid, state, step * 5));
        host.put(&format!("/proc/70/task/{tid}/schedstat"), &format!("{ran} {} 9\n", ran / 2));
        host.put(&format!("/proc/70/task/{tid}/wchan"), if state == 'S' { "futex_wait_queue" } else { "0" });
        host.put(
            &format!("/proc/70/task/{tid}/syscall"),
            &if state == 'S' { format!("{} 0x0\n", libc::SYS_futex) } else { "running\n".into() },
        );
    }
    let moved = step * 4096;
    host.put(
        "/proc/70/io",
        &format!(
            "rchar: {moved}\nwchar: 0\nsyscr: {step}\nsyscw: 0\nread_bytes: {moved}\nwrite_bytes: 0\ncancelled_write_bytes: 7\n"
        ),
    );
    host.set_delays(
        70,
        DelaySample { cpu: Some(step * 50_000_000), blkio: Some(step * 100_000_000), irq: None, ..DelaySample::default() },
    );
}

fn second(host: &RecordedHost) {
    host.step(Duration::from_secs(1));
}

#[test]
fn a_second_look_has_rates_since_the_first() {
    let (host, mut inspector) = (host(), Inspector::default());
    let first = inspector.inspect(&host, ID).unwrap();
    assert_eq!((first.window, first.waits.cpu), (0.25, Some(0.0)));
    second(&host);
    counters(&host, 1);
    let look = inspector.inspect(&host, ID).unwrap();
    assert_eq!((look.window, look.waits.cpu, look.waits.storage.clone()), (1.0, Some(0.05), Ok(0.1)));
    let delays = look.waits.delays.clone().unwrap();
    assert_eq!((delays.cpu, delays.storage, delays.swap, delays.interrupts), (Some(0.05), Some(0.1), None, None));
    let threads = look.threads.clone().unwrap();
    assert_eq!(
        threads.iter().map(|t| (t.tid, t.cpu, t.syscall.as_deref())).collect::<Vec<_>>(),
        [(71, Some(0.1), None), (70, Some(0.0), Some("futex"))]
    );
    assert_eq!((threads[0].last_cpu, threads[0].nice), (1, -5));
    let io = look.io.unwrap();
    assert_eq!((io.storage, io.storage_rate, io.operations, io.cancelled), ([4096, 0], [4096.0, 0.0], [1.0, 0.0], 7));
}

#[test]
fn everything_about_a_process_is_told_but_its_environment() {
    let host = host();
    host.put("/proc/70/environ", "PASSWORD=secret\0");
    let look = Inspector::default().inspect(&host, ID).unwrap();
    assert_eq!((look.command.as_deref(), look.cwd.as_deref()), (Ok("/usr/bin/db --data /var/lib/db"), Ok("/var/lib/db")));
    assert_eq!((look.owner.clone().unwrap().uids[0], look.oom.clone()), (33, Ok((600, -100))));
    assert_eq!((look.memory.clone().unwrap().peak, look.mapped.clone().unwrap().unique), (8192, 2048));
    let files = look.files.clone().unwrap();
    assert_eq!((files.open, files.sockets, files.pipes, files.devices, files.anonymous, files.deleted), (5, 1, 1, 1, 1, 1));
    assert_eq!(files.paths, [(4, "/var/lib/db/a (deleted)".into()), (0, "/dev/null".into())]);
    let sockets = look.sockets.clone().unwrap();
    assert_eq!(sockets.iter().map(|s| (&*s.local, &*s.state)).collect::<Vec<_>>(), [("127.0.0.1:5432", "listening")]);
    let namespaces = look.namespaces.clone().unwrap();
    assert_eq!(namespaces.iter().map(|n| (&*n.kind, n.ours)).collect::<Vec<_>>(), [("net", true), ("pid", false)]);
    assert_eq!(&*look.limits.clone().unwrap()[0].soft, "1024");
    assert_eq!(look.started, Some(Wall(host.now().wall.0 - host.now().tick.0 as i64 / 1_000_000 + 5000)));
    assert!(!serde_json::to_string(&look).unwrap().contains("secret"));
}

#[test]
fn memory_is_left_alone_while_a_thread_is_blocked() {
    let (host, mut inspector) = (host(), Inspector::default());
    counters(&host, 2);
    let look = inspector.inspect(&host, ID).unwrap();
    assert!(look.mapped.unwrap_err().contains("could hang") && look.command.unwrap_err().contains("could hang"));
    counters(&host, 1);
    inspector.inspect(&host, ID).unwrap();
    host.step(Duration::from_secs(6));
    counters(&host, 2);
    host.put("/proc/70/cmdline", "changed\0");
    host.put("/proc/70/smaps_rollup", "Pss: 9 kB\n");
    let look = inspector.inspect(&host, ID).unwrap();
    assert_eq!(look.mapped.map(|mapped| mapped.proportional), Ok(3072), "as it was read before");
    assert_eq!(look.command.as_deref(), Ok("/usr/bin/db --data /var/lib/db"), "as it was read before");
}

#[test]
fn what_is_not_allowed_or_not_there_is_said_in_its_place() {
    let host = RecordedHost::default();
    host.put("/proc/70/stat", &stat(70, 'S', 0));
    host.put("/proc/70/task/70/stat", &stat(70, 'S', 0));
    let look = Inspector::default().inspect(&host, ID).unwrap();
    assert!(look.waits.delays.unwrap_err().contains("CAP_NET_ADMIN"));
    assert!(look.waits.storage.unwrap_err().contains("kernel.task_delayacct"));
    assert!(look.files.is_err() && look.io.is_err() && look.owner.is_err());
}

#[test]
fn a_pid_of_another_process_is_not_looked_at() {
    let (host, mut inspector) = (host(), Inspector::default());
    let other = ProcessId { start: 501, ..ID };
    assert!(inspector.inspect(&host, other).unwrap_err().to_string().contains("belongs to another one"));
    host.remove("/proc/70");
    assert!(inspector.inspect(&host, ID).unwrap_err().to_string().contains("it has ended"));
}
