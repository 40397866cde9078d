//! Text of `/proc/PID/*` that only a close look reads (Documentation/filesystems/proc.rst, 1.1).

use crate::{
    host::capability::CAPABILITIES,
    model::{
        inspection::{Limit, Owner, Privileges, StatusMemory},
        text::clean,
    },
};
use std::sync::Arc;

/// Characters of a command line at most: an argument list has up to 2 MiB.
const COMMAND: usize = 8192;

/// `/proc/PID/status`.
#[derive(Debug, Default)]
pub struct Status {
    /// Whose it is.
    pub owner: Option<Owner>,
    /// Absent for kernel threads.
    pub memory: Option<StatusMemory>,
    /// What it may do.
    pub rights: Option<Privileges>,
}

impl Status {
    /// Takes it apart; missing lines count as zero.
    pub fn parse(text: &str) -> Status {
        let (mut owner, mut memory, mut rights) = (Owner::default(), StatusMemory::default(), Privileges::default());
        let [mut owned, mut sized, mut capable] = [false; 3];
        for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
            let number = || value.split_ascii_whitespace().next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
            let bytes = || number().saturating_mul(1024);
            match key {
                "Uid" => (owner.uids, owned) = (ids(value), true),
                "Gid" => owner.gids = ids(value),
                "VmPeak" => (memory.peak, sized) = (bytes(), true),
                "VmSize" => memory.size = bytes(),
                "VmLck" => memory.locked = bytes(),
                "VmHWM" => memory.resident_peak = bytes(),
                "VmRSS" => memory.resident = bytes(),
                "RssAnon" => memory.anon = bytes(),
                "RssFile" => memory.file = bytes(),
                "RssShmem" => memory.shmem = bytes(),
                "VmData" => memory.data = bytes(),
                "VmStk" => memory.stack = bytes(),
                "VmPTE" => memory.page_tables = bytes(),
                "VmSwap" => memory.swap = bytes(),
                "HugetlbPages" => memory.huge = bytes(),
                "CapEff" => {
                    (rights.capabilities, capable) = (capabilities(u64::from_str_radix(value.trim(), 16).unwrap_or(0)), true)
                }
                "NoNewPrivs" => rights.no_new = number() == 1,
                "Seccomp" => rights.seccomp = number() != 0,
                "TracerPid" => rights.traced_by = u32::try_from(number()).ok().filter(|pid| *pid != 0),
                _ => {}
            }
        }
        Status { owner: owned.then_some(owner), memory: sized.then_some(memory), rights: capable.then_some(rights) }
    }
}

fn ids(value: &str) -> [u32; 4] {
    let mut found = value.split_ascii_whitespace().map(|word| word.parse().unwrap_or(u32::MAX));
    std::array::from_fn(|_| found.next().unwrap_or(u32::MAX))
}

/// A mask of capabilities in words: what is fewer is named.
fn capabilities(mask: u64) -> Arc<str> {
    let named = |held: bool| -> Vec<&str> {
        CAPABILITIES.iter().enumerate().filter(|(bit, _)| (mask >> bit & 1 == 1) == held).map(|(_, name)| *name).collect()
    };
    match (named(true), named(false)) {
        (held, _) if held.is_empty() => "none".into(),
        (_, lacking) if lacking.is_empty() => "all".into(),
        (held, lacking) if lacking.len() < held.len() => format!("all but {}", lacking.join(", ")).into(),
        (held, _) => held.join(", ").into(),
    }
}

/// Arguments with blanks between them, cleaned.
pub fn command(bytes: &[u8]) -> Arc<str> {
    let end = bytes.iter().rposition(|b| *b != 0 && !b.is_ascii_whitespace()).map_or(0, |last| last + 1);
    let bytes = bytes.get(..end.min(4 * COMMAND)).unwrap_or_default();
    let spaced: Vec<u8> = bytes.iter().map(|b| if *b == 0 { b' ' } else { *b }).collect();
    clean(&String::from_utf8_lossy(&spaced), COMMAND)
}

/// Controllers and path of each line of `/proc/PID/cgroup`; the unified hierarchy has no controllers there.
pub fn cgroups(text: &str) -> Vec<(Arc<str>, Arc<str>)> {
    let line = |line: &str| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        Some((clean(controllers, 64), clean(path, 512)))
    };
    text.lines().filter_map(line).collect()
}

/// Nanoseconds run and waited for a cpu: the first numbers of a `schedstat`.
pub fn schedstat(text: &str) -> Option<(u64, u64)> {
    let mut fields = text.split_ascii_whitespace();
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// `/proc/PID/io`: rchar, wchar, syscr, syscw, read_bytes, write_bytes, cancelled_write_bytes.
pub fn io(text: &str) -> Option<[u64; 7]> {
    let mut values = text.lines().filter_map(|line| line.split_once(": ")?.1.trim().parse().ok());
    let found: [Option<u64>; 7] = std::array::from_fn(|_| values.next());
    let [a, b, c, d, e, f, g] = found;
    Some([a?, b?, c?, d?, e?, f?, g?])
}

/// `/proc/PID/limits`: columns of fixed width, since names have blanks in them.
pub fn limits(text: &str) -> Vec<Limit> {
    let column = |line: &str, from: usize, to: usize| clean(line.get(from..to.min(line.len())).unwrap_or("").trim(), 64);
    let row = |line: &str| {
        let name = column(line, 0, 26);
        let short = name.strip_prefix("Max ").map_or_else(|| name.clone(), Into::into);
        Limit { name: short, soft: column(line, 26, 47), hard: column(line, 47, 68), unit: column(line, 68, usize::MAX) }
    };
    text.lines().skip(1).map(row).filter(|limit| !limit.soft.is_empty()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn capabilities_are_named_from_the_shorter_side() {
        assert_eq!(&*capabilities(0), "none");
        assert_eq!(&*capabilities((1 << 41) - 1), "all");
        assert_eq!(&*capabilities(((1 << 41) - 1) & !(1 << 24)), "all but CAP_SYS_RESOURCE");
        assert_eq!(&*capabilities(1 << 10 | 1), "CAP_CHOWN, CAP_NET_BIND_SERVICE");
    }

    #[test]
    fn a_kernel_thread_has_no_memory_and_a_damaged_status_has_nothing() {
        let thread = Status::parse("Uid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\nSeccomp:\t0\n");
        assert!(thread.memory.is_none() && thread.owner.is_some());
        let nothing = Status::parse("Uid 0\n\n:\n");
        assert!(nothing.memory.is_none() && nothing.owner.is_none() && nothing.rights.is_none());
    }

    #[test]
    fn limits_are_read_by_column() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max open files            1024                 524288               files     \n\
                    Max nice priority         0                    0                    \n";
        let all = limits(text);
        assert_eq!((&*all[0].name, &*all[0].soft, &*all[0].hard, &*all[0].unit), ("open files", "1024", "524288", "files"));
        assert_eq!((&*all[1].name, &*all[1].soft, &*all[1].unit), ("nice priority", "0", ""));
    }

    proptest! {
        #[test]
        fn no_text_makes_them_panic(text in "(Uid:|CapEff:|Vm|\\PC|\n|\t| ){0,60}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _any = (Status::parse(&text), limits(&text), io(&text), schedstat(&text), cgroups(&text), command(&bytes));
        }
    }
}
