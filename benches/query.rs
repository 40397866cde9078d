//! What a filter costs: 10,000 processes asked once, in milliseconds.
//!
//! `cargo bench --bench query`
#![allow(clippy::unwrap_used)]

use std::{hint::black_box, time::Instant};
use trimtab::{
    model::{
        facts::Facts,
        snapshot::{Process, Snapshot},
        subject::ProcessId,
        time::Tick,
    },
    query::{
        filter::Filter,
        rows::process::{Around, PROCESSES, ProcessRow},
    },
};

fn process(pid: u32) -> Process {
    Process {
        id: ProcessId { pid, start: 1 },
        name: format!("worker-{pid}").into(),
        command: format!("/usr/lib/app/bin/worker --id {pid} --config /etc/app/worker.conf --queue jobs-{}", pid % 7).into(),
        uid: pid % 20,
        cpu: Some(f64::from(pid % 100) / 100.0),
        resident: u64::from(pid) << 20,
        ..Process::default()
    }
}

fn main() {
    let all: Vec<Process> = (1..=10_000).map(process).collect();
    let facts = Facts { users: (0..20).map(|n| (n, format!("user{n}").into())).collect(), ..Facts::default() };
    let snapshot = Snapshot::default();
    let around = Around { facts: &facts, snapshot: &snapshot, now: Tick(1) };
    for text in
        ["jobs-3", "cpu > 50", "cpu > 5 and (user = user3 or mem > 1 gib)", "command ~ \"--id \\d+5 \"", "not /queue jobs-[12]$/"]
    {
        let filter = Filter::parse(text, &PROCESSES).unwrap();
        let ask = || all.iter().filter(|process| filter.matches(&ProcessRow { process, around, marked: false })).count();
        black_box(ask());
        let begin = Instant::now();
        let found = black_box(ask());
        println!("{:8.2} ms  {found:5} found  {text}", begin.elapsed().as_secs_f64() * 1e3);
    }
}
