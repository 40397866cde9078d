//! The one table of columns, in the order in which they stand from left to right.

use crate::{
    model::unit::Unit,
    ui::processes::{
        column::{Column, Show, Worth as W},
        row::Item,
    },
};
use std::fmt::Write;

/// `USER_HZ`, in which start times are told, is 100 in the ABI of every architecture that Rust runs on.
const TICKS: f64 = 100.0;

/// Width of a number with its unit.
const NUMBER: u16 = 9;

/// All columns.
pub const TABLE: &[Column] = &[
    Column::number("pid", (7, W::Always), Show::Whole, (|p, _| Some(f64::from(p.id.pid)), |_, _| None)).help("process id"),
    Column::number("ppid", (7, W::Asked), Show::Whole, (|p, _| Some(f64::from(p.parent)), |_, _| None)).help("id of the parent"),
    Column::text("user", (9, W::Room(8)), |item, sight, out| {
        if let Item::Process(p) = item {
            match sight.facts.users.iter().find(|(uid, _)| *uid == p.uid) {
                Some((_, name)) => out.push_str(name),
                None => put(out, format_args!("{}", p.uid)),
            }
        }
    })
    .help("user that it runs as"),
    Column::text("name", (16, W::Always), |item, _, out| item.write_name(out))
        .help("name of the process, program, unit or container"),
    Column::number("count", (5, W::Groups(2)), Show::Whole, (|_, _| None, |g, _| Some(f64::from(g.processes))))
        .head("procs")
        .help("processes in it and below"),
    Column::text("state", (1, W::Room(12)), |item, _, out| {
        if let Item::Process(p) = item {
            out.push(p.state);
        }
    })
    .head("S")
    .help("R runs or wants to, S sleeps, D waits for a device, T stopped, Z ended and not reaped, I idle kernel thread"),
    Column::number("cpu", (NUMBER, W::Room(0)), Show::Cpu, (|p, _| p.cpu, |g, _| g.cpu))
        .head("cpu/core")
        .help("cpu used; V changes between 100 % of one core and of the machine"),
    Column::number("quota", (7, W::Cgroups(4)), Show::Cpu, (|_, _| None, |g, _| g.quota)).help("cpu that the group may use"),
    Column::number("throttled", (9, W::Cgroups(3)), Show::As(Unit::Share), (|_, _| None, |g, _| g.throttled))
        .notable(0.05)
        .help("share of the quota's periods in which the group was stopped"),
    Column::number("wait", (10, W::Room(5)), Show::Wait, (|p, _| p.wait, |g, _| g.wait))
        .notable(0.3)
        .help("time ready to run but waiting for a cpu, all threads"),
    Column::number("io wait", (10, W::Known(11)), Show::Wait, (|p, _| p.io_wait, |g, _| g.io_wait))
        .notable(0.3)
        .help("time blocked on storage, main thread; known with kernel.task_delayacct=1"),
    Column::number("memory", (NUMBER, W::Room(1)), Show::As(Unit::Bytes), (|p, _| Some(p.resident as f64), |g, _| Some(g.memory)))
        .help("resident; of a control group what is charged to it"),
    Column::number(
        "mem share",
        (NUMBER, W::Asked),
        Show::As(Unit::Share),
        (
            |p, sight| share(p.resident as f64, sight.facts.memory as f64),
            |g, sight| share(g.memory, g.memory_limit.filter(|limit| limit.is_finite()).unwrap_or(sight.facts.memory as f64)),
        ),
    )
    .notable(0.9)
    .help("resident memory of the machine's; of a control group of its limit, where it has one"),
    Column::number("mem limit", (NUMBER, W::Cgroups(7)), Show::As(Unit::Bytes), (|_, _| None, |g, _| g.memory_limit))
        .help("memory that the group may use"),
    Column::number("cpu psi", (7, W::Cgroups(8)), Show::As(Unit::Share), (|_, _| None, |g, _| g.pressure[0]))
        .notable(0.3)
        .help("share of time in which some task of the group waited for a cpu"),
    Column::number("mem psi", (7, W::Cgroups(8)), Show::As(Unit::Share), (|_, _| None, |g, _| g.pressure[1]))
        .notable(0.05)
        .help("share of time in which some task of the group waited for memory"),
    Column::number("io psi", (7, W::Cgroups(8)), Show::As(Unit::Share), (|_, _| None, |g, _| g.pressure[2]))
        .notable(0.3)
        .help("share of time in which some task of the group waited for storage"),
    Column::number("read", (NUMBER, W::Room(6)), Show::As(Unit::BytesPerSecond), (|p, _| p.io.map(|[r, _]| r), |g, _| g.read))
        .help("read from storage; - without the right to see it"),
    Column::number("write", (NUMBER, W::Room(7)), Show::As(Unit::BytesPerSecond), (|p, _| p.io.map(|[_, w]| w), |g, _| g.write))
        .help("written to storage; - without the right to see it"),
    Column::number(
        "net in",
        (10, W::Known(9)),
        Show::Net,
        (|p, _| p.net.map(|net| net.received), |g, _| g.net.map(|n| n.received)),
    )
    .help("received over TCP: + at least that much, ~ estimated"),
    Column::number("net out", (10, W::Known(10)), Show::Net, (|p, _| p.net.map(|net| net.sent), |g, _| g.net.map(|n| n.sent)))
        .help("sent over TCP: + at least that much, ~ estimated"),
    Column::number("threads", (4, W::Room(14)), Show::Whole, (|p, _| Some(f64::from(p.threads)), |g, _| Some(g.threads)))
        .head("thr")
        .help("threads"),
    Column::number("nice", (4, W::Room(13)), Show::Whole, (|p, _| Some(f64::from(p.nice)), |_, _| None)).help("nice value"),
    Column::text("policy", (8, W::Asked), |item, _, out| {
        if let Item::Process(p) = item {
            out.push_str(p.policy.words());
        }
    })
    .help("scheduling policy"),
    Column::number("faults", (8, W::Asked), Show::As(Unit::PerSecond), (|p, _| Some(p.major_faults), |g, _| Some(g.faults)))
        .notable(10.0)
        .help("page faults that had to wait for storage"),
    Column::number("fds", (6, W::Asked), Show::Whole, (|p, _| p.descriptors.map(f64::from), |g, _| g.descriptors))
        .help("open descriptors"),
    Column::number(
        "fd share",
        (8, W::Asked),
        Show::As(Unit::Share),
        (|p, _| share(f64::from(p.descriptors?), p.descriptor_limit?.0 as f64), |_, _| None),
    )
    .notable(0.8)
    .help("open descriptors of the soft limit"),
    Column::number(
        "cpu time",
        (8, W::Room(17)),
        Show::As(Unit::Seconds),
        (|p, _| Some(p.cpu_time as f64 / 1e9), |g, _| Some(g.cpu_time)),
    )
    .help("cpu used since it began"),
    Column::number(
        "age",
        (8, W::Room(18)),
        Show::As(Unit::Seconds),
        (|p, sight| Some((sight.now.0 as f64 / 1e9 - p.id.start as f64 / TICKS).max(0.0)), |_, _| None),
    )
    .help("time since it began"),
    Column::text("tty", (8, W::Asked), |item, _, out| {
        if let Item::Process(p) = item {
            write_tty(p.tty, out);
        }
    })
    .help("controlling terminal"),
    Column::number("session", (7, W::Asked), Show::Whole, (|p, _| Some(f64::from(p.session)), |_, _| None)).help("session id"),
    Column::text("container", (14, W::Asked), |item, sight, out| {
        if let Item::Process(p) = item {
            out.push_str(sight.snapshot.container(&p.cgroup).map_or("-", |name| name));
        }
    })
    .help("container that it runs in"),
    Column::text("unit", (18, W::Room(16)), |item, sight, out| {
        if let Item::Process(p) = item {
            out.push_str(sight.snapshot.unit(&p.cgroup).map_or("-", |name| name));
        }
    })
    .help("systemd unit that it belongs to"),
    Column::text("cgroup", (24, W::Asked), |item, _, out| match item {
        Item::Process(p) => out.push_str(&p.cgroup),
        Item::Cgroup(path, ..) => out.push_str(path),
        Item::Program(..) => {}
    })
    .help("path of its control group"),
    Column::text("command", (24, W::Room(15)), |item, _, out| {
        if let Item::Process(p) = item {
            out.push_str(&p.command);
        }
    })
    .help("command line"),
];

/// The column of that name.
pub fn find(name: &str) -> Option<&'static Column> {
    TABLE.iter().find(|column| column.name == name)
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into memory cannot fail.
    let _never = out.write_fmt(text);
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// The terminal of a device number as `/proc/PID/stat` has it; majors of `Documentation/admin-guide/devices.txt`.
fn write_tty(device: i32, out: &mut String) {
    let (major, minor) = (device >> 8 & 0xfff, (device & 0xff) | (device >> 12 & 0xf_ff00));
    match (device, major) {
        (0, _) => out.push('-'),
        (_, 136..=143) => put(out, format_args!("pts/{}", (major - 136) * 256 + minor)),
        (_, 4) if minor < 64 => put(out, format_args!("tty{minor}")),
        (_, 4) => put(out, format_args!("ttyS{}", minor - 64)),
        (_, 5) => out.push_str("console"),
        (_, major) => put(out, format_args!("{major}:{minor}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_everything_is_explained() {
        for (at, column) in TABLE.iter().enumerate() {
            assert!(TABLE.iter().skip(at + 1).all(|other| other.name != column.name), "{}", column.name);
            assert!(!column.help.is_empty() && column.head.len() <= usize::from(column.width), "{}", column.name);
        }
    }

    #[test]
    fn terminals_have_their_names() {
        for (device, name) in [(0, "-"), (34816, "pts/0"), (34819, "pts/3"), (1025, "tty1"), (1088, "ttyS0"), (1_048_576, "0:256")]
        {
            let mut out = String::new();
            write_tty(device, &mut out);
            assert_eq!(out, name);
        }
    }
}
