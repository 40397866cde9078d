//! Counters of the whole host: processors, paging, pressure, TCP.

use crate::{
    app::metrics::{
        counters::counter,
        page::{Page, Row},
    },
    model::sample::{Counters, CpuSample, CpuTimes, PressureSample, TcpSample, VmSample},
};

/// `USER_HZ` is 100 in the ABI of every architecture that Rust runs on (proc(5)).
const TICK: f64 = 0.01;

/// Writes them.
pub fn write(counters: &Counters, page: &mut Page) {
    if let Some(cpu) = &counters.cpu {
        processors(cpu, page);
    }
    if let Some(vm) = &counters.vm {
        paging(vm, page);
    }
    if let Some(pressure) = &counters.pressure {
        stalls(pressure, page);
    }
    if let Some(own) = counters.tcp.iter().find(|row| row.through.is_none()) {
        tcp(own, page);
    }
}

fn processors(cpu: &CpuSample, page: &mut Page) {
    let modes = |t: &CpuTimes| {
        [
            ("user", t.user),
            ("nice", t.nice),
            ("system", t.system),
            ("idle", t.idle),
            ("iowait", t.iowait),
            ("irq", t.irq),
            ("softirq", t.softirq),
            ("steal", t.steal),
            ("guest", t.guest),
        ]
    };
    let rows = modes(&cpu.total).map(|(mode, ticks)| Row::of([("mode", mode.into())], ticks as f64 * TICK));
    page.family(&counter("cpu_seconds", "seconds", "Time of all processors by what they did; guest is not in user"), rows);
    let rows = cpu.cores.iter().map(|(core, times)| {
        let busy =
            modes(times).iter().filter(|(mode, _)| !matches!(*mode, "idle" | "iowait" | "steal")).map(|(_, t)| t).sum::<u64>();
        Row::of([("cpu", core.to_string().into())], busy as f64 * TICK)
    });
    page.family(&counter("cpu_busy_by_cpu_seconds", "seconds", "Time that a processor worked: not idle, iowait or steal"), rows);
    for (name, value, help) in [
        ("switched_contexts", cpu.context_switches, "Context switches"),
        ("forks", cpu.forks, "Processes and threads begun"),
        ("interrupts", cpu.interrupts, "Interrupts served"),
    ] {
        page.family(&counter(name, "", help), [Row::plain(value as f64)]);
    }
}

fn paging(vm: &VmSample, page: &mut Page) {
    let bytes = |pages: u64| pages as f64 * vm.page_size as f64;
    for (name, unit, value, help) in [
        ("page_faults", "", vm.pgfault as f64, "Page faults, minor and major"),
        ("page_faults_major", "", vm.pgmajfault as f64, "Page faults that needed I/O"),
        ("swapped_in_bytes", "bytes", bytes(vm.pswpin), "Bytes read from swap"),
        ("swapped_out_bytes", "bytes", bytes(vm.pswpout), "Bytes written to swap"),
        ("pages_scanned_direct", "", vm.pgscan_direct as f64, "Pages scanned by tasks that had to wait for memory"),
        ("pages_scanned_kswapd", "", vm.pgscan_kswapd as f64, "Pages scanned by kswapd"),
        ("oom_kills", "", vm.oom_kill as f64, "Kills for want of memory"),
    ] {
        page.family(&counter(name, unit, help), [Row::plain(value)]);
    }
}

fn stalls(pressure: &PressureSample, page: &mut Page) {
    let all = [("cpu", pressure.cpu), ("memory", pressure.memory), ("io", pressure.io)];
    let rows = all.into_iter().flat_map(|(resource, stall)| {
        let lines = [("some", Some(stall.some)), ("full", stall.full)];
        lines.into_iter().filter_map(move |(who, line)| {
            Some(Row::of([("resource", resource.into()), ("who", who.into())], line?.total as f64 / 1e6))
        })
    });
    page.family(&counter("stalled_seconds", "seconds", "Time in which some or all (full) tasks waited for a resource (PSI)"), rows);
}

fn tcp(own: &TcpSample, page: &mut Page) {
    for (name, value, help) in [
        ("tcp_segments_received", own.in_segs, "TCP segments received"),
        ("tcp_segments_sent", own.out_segs, "TCP segments sent, without retransmits"),
        ("tcp_segments_retransmitted", own.retrans_segs, "TCP segments sent again"),
        ("tcp_opened_active", own.active_opens, "TCP connections opened from here"),
        ("tcp_opened_passive", own.passive_opens, "TCP connections opened to here"),
        ("tcp_listen_overflows", own.listen_overflows, "Connections dropped because an accept queue was full"),
        ("tcp_listen_drops", own.listen_drops, "Connections dropped on listen for any cause"),
    ] {
        page.family(&counter(name, "", help), [Row::plain(value as f64)]);
    }
}
