//! Text of `/proc/PID/*`, taken apart (Documentation/filesystems/proc.rst, 1.1; `proc_pid_stat(5)`).

use crate::model::{sample::Policy, text::clean};
use std::sync::Arc;

/// What `/proc/PID/stat` says, its name aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the kernel's own words
pub struct Stat<'a> {
    /// Between the first `(` and the last `)`: a name may hold both, blanks, and newlines.
    pub comm: &'a [u8],
    pub state: char,
    pub ppid: u32,
    pub session: u32,
    pub tty: i32,
    pub flags: u64,
    pub majflt: u64,
    /// User and system time, in `USER_HZ` ticks.
    pub ticks: u64,
    pub nice: i8,
    pub threads: u32,
    pub start: u64,
    /// Pages.
    pub rss: u64,
    /// The cpu it ran on last.
    pub processor: u32,
    pub policy: Policy,
    /// Blocked on storage, in `USER_HZ` ticks; 0 while the kernel does not count it.
    pub blkio: u64,
}

/// `/proc/PID/stat`; `None` when it is cut short before the start time.
pub fn parse_stat(bytes: &[u8]) -> Option<Stat<'_>> {
    let open = bytes.iter().position(|b| *b == b'(')?;
    let close = bytes.iter().rposition(|b| *b == b')')?;
    let comm = bytes.get(open + 1..close)?;
    let mut fields = std::str::from_utf8(bytes.get(close + 1..)?).ok()?.split_ascii_whitespace();
    let mut stat = Stat { comm, state: fields.next()?.chars().next()?, ..Stat::default() };
    let mut seen_start = false;
    // Field numbers of the manual; the state was number 3.
    for (number, field) in (4..=42).zip(fields) {
        match number {
            4 => stat.ppid = field.parse().ok()?,
            6 => stat.session = field.parse().unwrap_or(0),
            7 => stat.tty = field.parse().unwrap_or(0),
            9 => stat.flags = field.parse().unwrap_or(0),
            12 => stat.majflt = field.parse().unwrap_or(0),
            14 | 15 => stat.ticks = stat.ticks.saturating_add(field.parse().unwrap_or(0)),
            19 => stat.nice = field.parse().unwrap_or(0),
            20 => stat.threads = field.parse().unwrap_or(0),
            22 => {
                stat.start = field.parse().ok()?;
                seen_start = true;
            }
            24 => stat.rss = field.parse().unwrap_or(0),
            39 => stat.processor = field.parse().unwrap_or(0),
            41 => stat.policy = policy(field),
            42 => stat.blkio = field.parse().unwrap_or(0),
            _ => {}
        }
    }
    seen_start.then_some(stat)
}

fn policy(field: &str) -> Policy {
    match field {
        "0" => Policy::Other,
        "1" => Policy::Fifo,
        "2" => Policy::RoundRobin,
        "3" => Policy::Batch,
        "5" => Policy::Idle,
        "6" => Policy::Deadline,
        "7" => Policy::Ext,
        _ => Policy::Unknown,
    }
}

/// Nanoseconds of waiting on a run queue, the second number of a `schedstat` (Documentation/scheduler/sched-stats.rst).
pub fn parse_schedstat(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// `read_bytes` and `write_bytes` of `/proc/PID/io`: what reached (or will reach) storage.
pub fn parse_io(text: &str) -> Option<[u64; 2]> {
    let mut found = [None; 2];
    for line in text.lines() {
        let [read, written] = &mut found;
        match line.split_once(": ") {
            Some(("read_bytes", n)) => *read = n.trim().parse().ok(),
            Some(("write_bytes", n)) => *written = n.trim().parse().ok(),
            _ => {}
        }
    }
    let [read, written] = found;
    Some([read?, written?])
}

/// Soft and hard limit of open files in `/proc/PID/limits`; `unlimited` is [`u64::MAX`].
pub fn parse_limits(text: &str) -> Option<(u64, u64)> {
    let mut fields = text.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_ascii_whitespace();
    let mut next = || match fields.next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    };
    Some((next()?, next()?))
}

/// Real user id, the first number of `Uid:` in `/proc/PID/status`.
pub fn parse_uid(text: &str) -> Option<u32> {
    text.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_ascii_whitespace().next()?.parse().ok()
}

/// The path in `/proc/PID/cgroup` by which cpu is shared: that of the v1 cpu controller, else the unified one.
pub fn parse_cgroup(text: &str) -> Option<&str> {
    let lines = || text.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
    let v1 = lines().find(|(controllers, _)| controllers.split(',').any(|c| c == "cpu"));
    let (_, path) = v1.or_else(|| lines().find(|(controllers, _)| controllers.is_empty()))?;
    Some(path)
}

/// Arguments with blanks between them, cleaned, at most 256 characters.
pub fn command(bytes: &[u8]) -> Arc<str> {
    let end = bytes.iter().rposition(|b| *b != 0 && !b.is_ascii_whitespace()).map_or(0, |last| last + 1);
    // A character has at most four bytes: more need not be looked at.
    let bytes = bytes.get(..end.min(1024)).unwrap_or_default();
    let spaced: Vec<u8> = bytes.iter().map(|b| if *b == 0 { b' ' } else { *b }).collect();
    clean(&String::from_utf8_lossy(&spaced), 256)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINE: &[u8] =
        b"77 (a) R (\n1) S 3 77 66 34816 77 4194560 500 0 9 0 120 30 0 0 20 -5 12 0 4711 1000000 256 18446744073709551615 \
        0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 3 0 0 0 0 0 0 0 0 0 0 0\n";

    #[test]
    fn a_name_may_hold_parentheses_blanks_and_newlines() {
        let stat = parse_stat(LINE).unwrap();
        assert_eq!(stat.comm, b"a) R (\n1");
        assert_eq!((stat.state, stat.ppid, stat.session, stat.tty), ('S', 3, 66, 34816));
        assert_eq!((stat.majflt, stat.ticks, stat.nice, stat.threads), (9, 150, -5, 12));
        assert_eq!((stat.start, stat.rss, stat.policy), (4711, 256, Policy::Batch));
        assert_eq!((stat.processor, stat.blkio), (1, 0));
        assert_eq!(stat.flags & 0x0020_0000, 0);
    }

    #[test]
    fn a_stat_cut_short_is_none() {
        assert!(parse_stat(&LINE[..60]).is_none());
        assert!(parse_stat(b"77 (never closed").is_none());
        assert!(parse_stat(b") (").is_none());
    }

    #[test]
    fn cgroup_of_the_cpu_controller_wins_over_the_unified_one() {
        let v1 = "9:name=systemd:/init\n4:cpu,cpuacct:/a:b\n3:cpuset:/no\n0::/unified\n";
        assert_eq!(parse_cgroup(v1), Some("/a:b"));
        assert_eq!(parse_cgroup("0::/system.slice/x.service\n"), Some("/system.slice/x.service"));
        assert_eq!(parse_cgroup("3:cpuset:/no\n"), None);
    }

    #[test]
    fn limits_and_io_and_uid() {
        let limits =
            "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 unlimited            files\n";
        assert_eq!(parse_limits(limits), Some((1024, u64::MAX)));
        assert_eq!(parse_io("rchar: 1\nread_bytes: 5\nwrite_bytes: 6\ncancelled_write_bytes: 0\n"), Some([5, 6]));
        assert_eq!(parse_io("rchar: 1\nread_bytes: 5\n"), None);
        assert_eq!(parse_uid("Name: x\nUid:\t1000\t0\t0\t0\n"), Some(1000));
    }

    #[test]
    fn arguments_are_joined_cleaned_and_cut() {
        assert_eq!(&*command(b"cat\0-v\0\x1b[2J\0\0"), "cat -v ?[2J");
        assert_eq!(command(&[b'x'; 5000]).len(), 256);
        assert_eq!(&*command(b""), "");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in ".*") {
            let _ = (parse_stat(&bytes), command(&bytes));
            let _ = (parse_schedstat(&text), parse_io(&text), parse_limits(&text), parse_uid(&text), parse_cgroup(&text));
        }

        #[test]
        fn any_name_survives(name in "[^\0]{0,15}") {
            let line = format!("5 ({name}) R 1 5 5 0 -1 64 0 0 0 0 1 2 0 0 20 0 1 0 99 0 7 0");
            let stat = parse_stat(line.as_bytes()).unwrap();
            prop_assert_eq!(stat.comm, name.as_bytes());
            prop_assert_eq!((stat.start, stat.rss), (99, 7));
        }
    }
}
