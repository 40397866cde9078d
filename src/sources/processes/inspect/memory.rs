//! Memory as the mappings of a process add up: `/proc/PID/smaps_rollup` (Documentation/filesystems/proc.rst, 1.1; Linux 4.14).

use super::{file, part};
use crate::{
    host::{error::Kind, host::Host},
    model::inspection::{MappedMemory, Part},
    sources::parse,
};

/// Why what locks the memory of a process is not read.
pub fn hangs() -> &'static str {
    "not read while a thread of it is blocked in the kernel: the reading could hang as well"
}

/// Reads it.
pub fn mapped(host: &dyn Host, pid: u32) -> Part<MappedMemory> {
    match host.text(&file(pid, "smaps_rollup")) {
        Err(e) if matches!(e.kind, Kind::Gone) => Err("a kernel thread has none of its own".into()),
        touch => part(touch).map(|text| parse(&text)),
    }
}

fn parse(text: &str) -> MappedMemory {
    let mut memory = MappedMemory::default();
    for (key, kib) in parse::keyed(text) {
        let bytes = kib.saturating_mul(1024);
        match key {
            "Pss" => memory.proportional = bytes,
            "Private_Clean" | "Private_Dirty" | "Private_Hugetlb" => memory.unique = memory.unique.saturating_add(bytes),
            "Shared_Clean" | "Shared_Dirty" | "Shared_Hugetlb" => memory.shared = memory.shared.saturating_add(bytes),
            "AnonHugePages" | "ShmemPmdMapped" | "FilePmdMapped" => memory.huge = memory.huge.saturating_add(bytes),
            "SwapPss" => memory.swap = bytes,
            "Locked" => memory.locked = bytes,
            _ => {}
        }
    }
    memory
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_from_their_lines() {
        let text = "55-7f ---p 00000000 00:00 0 [rollup]\nRss: 100 kB\nPss: 40 kB\nShared_Clean: 30 kB\nShared_Dirty: 5 kB\n\
                    Private_Clean: 10 kB\nPrivate_Dirty: 55 kB\nAnonHugePages: 2048 kB\nSwapPss: 7 kB\n";
        let memory = parse(text);
        assert_eq!((memory.proportional, memory.unique, memory.shared), (40 << 10, 65 << 10, 35 << 10));
        assert_eq!((memory.huge, memory.swap), (2 << 20, 7 << 10));
    }
}
