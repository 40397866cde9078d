//! `--stream`: its form as golden files, and the real binary with and without an engine.

use super::{golden, scene};
use crate::cli::{Daemon, Home, ended};
use std::{
    io::{BufRead, BufReader, Read},
    process::Stdio,
    sync::Arc,
};
use trimtab::{
    app::stream::{Lines, csv::Csv, jsonl::Jsonl},
    model::{message::View, pick::Pick, snapshot::Snapshot},
};

fn picks(text: &str) -> Vec<Pick> {
    text.split(',').map(|pick| pick.parse().unwrap()).collect()
}

/// Two sweeps, and one in which the disk is gone.
fn sweeps(lines: &mut dyn Lines) -> String {
    let (first, second) = (scene::host(1).0, scene::host(2).0);
    let bare = Snapshot { disks: Default::default(), ..(*second.snapshot).clone() };
    let third = View { snapshot: Arc::new(bare), ..second.clone() };
    [first, second, third].iter().map(|view| lines.lines(view)).collect()
}

#[test]
fn json_lines_are_what_they_were() {
    let text = sweeps(&mut Jsonl::new(vec![]));
    golden("stream-1.jsonl", &text);
    assert_eq!(text.lines().count(), 4);
    for line in text.lines() {
        assert_eq!(serde_json::from_str::<serde_json::Value>(line).unwrap()["v"], 1);
    }
}

#[test]
fn rows_are_what_they_were() {
    let text = sweeps(&mut Csv::new(picks("cpu_busy,cpu_busy:*,filesystem_used,disk_read:vda,disk_read:vdz,gpu_busy,cpu_busy")));
    golden("stream-1.csv", &text);
    let rows: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(rows.len(), 5, "{text}");
    assert_eq!(
        rows[0],
        "time,cpu_busy,cpu_busy:0,cpu_busy:1,\"filesystem_used:/srv/\"\"odd\"\", \\name\",disk_read:vda,disk_read:vdz,gpu_busy"
    );
    assert!(rows[1].starts_with("2023-11-14T22:13:21.000Z,0.5,0.3,0.7,0.6,409600,,"), "{}", rows[1]);
    assert!(rows[3].ends_with(",,,"), "gone is empty: {}", rows[3]);
}

fn lines(out: &str) -> Vec<serde_json::Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn without_an_engine_it_reads_by_itself_and_keeps_nothing() {
    let home = Home::new();
    let (code, out, errors) = ended(&home.run(&["--stream", "jsonl", "--count", "2", "--keys", "cpu_busy,memory_available,load"]));
    assert_eq!((code, errors.as_str()), (0, ""));
    let all = lines(&out);
    assert_eq!(all.iter().map(|line| line["kind"].as_str().unwrap()).collect::<Vec<_>>(), ["facts", "sweep", "sweep"]);
    assert!(all[0]["facts"]["cpus"].as_u64().unwrap() > 0);
    let values = all[2]["values"].as_object().unwrap();
    assert_eq!(values.keys().map(String::as_str).collect::<Vec<_>>(), ["cpu_busy", "load", "memory_available"]);
    assert!(all[2]["wall"].as_i64() > all[1]["wall"].as_i64());
    assert!(!home.path("state").exists() && !home.path("run/engine.sock").exists());
}

#[test]
fn a_running_engine_is_asked() {
    let home = Home::new();
    let daemon = Daemon::start(&home, &["--observe"]);
    let (code, out, errors) = ended(&home.run(&["--stream", "csv", "--count", "2", "--keys", "cpu_busy,memory_available"]));
    assert_eq!((code, errors.as_str()), (0, ""));
    let rows: Vec<&str> = out.split("\r\n").collect();
    assert_eq!((rows.len(), rows[0]), (4, "time,cpu_busy,memory_available"));
    // What a process of ours does is not in it; what the engine's own process did is: it reads, we only ask.
    assert_eq!(daemon.end(rustix::process::Signal::TERM).0, 0);
}

#[test]
fn a_reader_that_closes_ends_it_in_peace() {
    for format in ["jsonl", "csv"] {
        let home = Home::new();
        let mut child = home.trimtab(&["--stream", format]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        assert!(out.read_line(&mut first).unwrap() > 0);
        drop(out);
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!((child.wait().unwrap().code(), errors.as_str()), (Some(0), ""));
    }
}

#[test]
fn a_metric_that_there_is_not_is_wrong_use() {
    let (code, out, errors) = ended(&Home::new().run(&["--stream", "csv", "--keys", "cpu_busi"]));
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(errors.contains("cpu_busi") && errors.contains("cpu_busy"), "{errors}");
}
