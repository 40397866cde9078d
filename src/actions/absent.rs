//! Rows of the catalogue that trimtab does not act on, each with the reason why. The README shows them below the table of actions.

/// A row without an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absent {
    /// Its row in the catalogue, such as `N7`.
    pub row: &'static str,
    /// What it would change.
    pub what: &'static str,
    /// Why not.
    pub why: &'static str,
}

/// All of them, in the order of the catalogue.
pub const ABSENT: &[Absent] = &[
    Absent {
        row: "C6",
        what: "relaxing a cap step by step",
        why: "a change is one step that is judged; a cap is kept or undone as a whole",
    },
    Absent {
        row: "C12",
        what: "the scheduler's slice (`debug/sched/base_slice_ns`)",
        why: "a file of debugfs whose name, unit and meaning change between kernels, of use to throughput hosts alone: by hand",
    },
    Absent {
        row: "M1",
        what: "`memory.soft_limit_in_bytes` (cgroup v1)",
        why: "the kernel looks at it only when the whole host is short, and then too late to throttle: M3 limits instead",
    },
    Absent { row: "M2, M4", what: "`memory.low` and `memory.reclaim` on cgroup v1", why: "version 1 has neither" },
    Absent {
        row: "M10",
        what: "`vm.min_free_kbytes`",
        why: "set too high it kills at once (sysctl/vm.rst); the scale factor does the same without that",
    },
    Absent {
        row: "M11",
        what: "`vfs_cache_pressure` below 100",
        why: "no number of the kernel tells that names, and not pages, are looked up in vain",
    },
    Absent {
        row: "M12",
        what: "lowering `oom_score_adj`",
        why: "it takes CAP_SYS_RESOURCE, which trimtab does not ask for: `OOMScoreAdjust=` in the unit",
    },
    Absent { row: "M13", what: "zswap", why: "what it holds when it is switched off stays in it: there is no exact undo" },
    Absent {
        row: "N7",
        what: "rings and coalescing of a network card (`ethtool -G`, `-C`)",
        why: "the link may drop for seconds, and with it the only way to confirm: it wants a dead-man that is confirmed over a new \
              connection, which trimtab does not have",
    },
    Absent {
        row: "N8",
        what: "the queueing discipline of an interface (`tc qdisc replace`)",
        why: "to undo it a whole tree of classes and filters has to be saved and replayed over netlink; kernels without fq, fq_codel \
              and cake have none to change to",
    },
    Absent {
        row: "S6",
        what: "the cost model of a disk (`io.cost.model`, `io.cost.qos`)",
        why: "its numbers come from a benchmark of that very disk, run while nobody uses it: that is for a human",
    },
    Absent {
        row: "P2",
        what: "`fs.inotify.max_user_watches` and `max_user_instances`",
        why: "no counter tells that they are used up: only the program that asked sees ENOSPC or EMFILE",
    },
    Absent {
        row: "P4",
        what: "pausing a batch cgroup for a while",
        why: "a pause must end by itself within two minutes, and a change that helped is kept: pausing is left to the emergency ladder \
              (E1), which thaws again",
    },
    Absent {
        row: "P5",
        what: "shifting a timer or a cron job",
        why: "that load comes with the clock is told by the patterns, but not which timer starts it; another time also moves what waits \
              for the job: by hand",
    },
    Absent {
        row: "U2",
        what: "restarting a unit that leaks",
        why: "it drops connections and cannot be undone, and no single host sees whether others can serve meanwhile: a custom action with \
              `systemctl restart` where the operator knows",
    },
    Absent {
        row: "U3",
        what: "a TuneD or vendor profile",
        why: "a profile is many knobs at once: each is tried and judged by itself here, and while TuneD runs its knobs are left to it",
    },
];

/// The README's table of them.
pub fn table() -> String {
    let mut table = String::from("| not acted on | would change | why not |\n|---|---|---|\n");
    for Absent { row, what, why } in ABSENT {
        table.push_str(&format!("| {row} | {what} | {why} |\n"));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_says_why_in_one_cell() {
        for Absent { row, what, why } in ABSENT {
            assert!(!row.is_empty() && !what.contains('|') && !why.contains('|') && why.len() > 20, "{row}");
        }
    }
}
