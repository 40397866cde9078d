//! Every parser of what the kernel and services write; the first byte says which.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::hint::black_box;
use trimtab::{
    model::sample::TcpSample,
    sources::{
        cgroups::{files, tree::Mounts},
        cpu, disks,
        filesystems::mounts,
        interfaces, memory,
        parse::{self, mountinfo, stall},
        processes::stat,
        services, tcp::counters, vm,
    },
};

fuzz_target!(|input: &[u8]| {
    let Some((which, bytes)) = input.split_first() else { return };
    let text = &*parse::text(bytes);
    match which % 30 {
        0 => drop(black_box(stat::parse_stat(bytes))),
        1 => drop(black_box(stat::parse_schedstat(text))),
        2 => drop(black_box(stat::parse_io(text))),
        3 => drop(black_box(stat::parse_limits(text))),
        4 => drop(black_box(stat::parse_uid(text))),
        5 => drop(black_box(stat::parse_cgroup(text))),
        6 => drop(black_box(stat::command(bytes))),
        7 => drop(black_box(cpu::parse_stat(text))),
        8 => drop(black_box(cpu::parse_load(text))),
        9 => drop(black_box(memory::parse_meminfo(text))),
        10 => drop(black_box(vm::parse_vmstat(text))),
        11 => drop(black_box(disks::parse_diskstats(text))),
        12 => drop(black_box(interfaces::parse_dev(text))),
        13 => drop(black_box(interfaces::parse_softnet(text))),
        14 => drop(black_box(mountinfo::parse(text))),
        15 => drop(black_box(stall::parse(text))),
        16 => drop(black_box(mounts::choose(text))),
        17 => drop(black_box(Mounts::parse(text))),
        18 => drop(black_box(files::parse_cpu_stat(text))),
        19 => drop(black_box(files::parse_cpu_max(text))),
        20 => {
            let (quota, period) = text.split_once('\n').unwrap_or((text, ""));
            let _ = black_box(files::parse_cfs(quota, period));
        }
        21 => drop(black_box(files::parse_limit(text))),
        22 => drop(black_box(files::parse_oom_kills(text))),
        23 => drop(black_box(services::parse_histogram(text, "http_request_seconds"))),
        24 => drop(black_box(counters::take_snmp(&mut TcpSample::default(), text))),
        25 => drop(black_box(counters::take_netstat(&mut TcpSample::default(), text))),
        26 => counters::take_sockstat(&mut TcpSample::default(), text),
        27 => drop(black_box(counters::parse_range(text))),
        28 => drop(black_box(parse::place(text))),
        _ => drop(black_box(parse::namespace(text))),
    }
});
