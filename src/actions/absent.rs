//! Rows of the catalogue that have no action, or none in part, and why: shown in the README beside the table of those that have one.

/// Row, what it would change, why there is no action.
pub const ROWS: &[(&str, &str, &str)] = &[
    ("C6", "relaxing a cap step by step", "a change is one step that is judged; a cap is kept or undone as a whole"),
    (
        "C12",
        "scheduler slice (`debug/sched/base_slice_ns`)",
        "a file of debugfs whose name, unit and meaning change between kernels, of use to throughput hosts alone: by hand",
    ),
    (
        "M1",
        "`memory.soft_limit_in_bytes` (cgroup v1)",
        "looked at only when the whole host is short, and then too late to throttle: M3 limits instead",
    ),
    ("M2, M4", "`memory.low`, `memory.reclaim` on cgroup v1", "version 1 has neither"),
    ("M10", "`vm.min_free_kbytes`", "set too high it kills at once (sysctl/vm.rst); the scale factor does the same without that"),
    ("M11", "`vfs_cache_pressure` below 100", "no number of the kernel tells that names, not pages, are looked up in vain"),
    ("M12", "lowering `oom_score_adj`", "takes CAP_SYS_RESOURCE, which trimtab does not ask for: `OOMScoreAdjust=` in the unit"),
    ("M13", "zswap", "what is in it when it is switched off stays in it: no exact undo"),
];
