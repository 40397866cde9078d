//! The audit from outside, by the real binary: proved, exported and timed beside a running engine and without one, and anchored in its log.

use crate::cli::{Daemon, Home, ended};
use sha2::{Digest, Sha256};
use std::fs;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Ends a daemon; all that it has said.
fn ended_log(daemon: Daemon) -> String {
    let before = daemon.heard.clone();
    before + &daemon.end(rustix::process::Signal::TERM).1
}

/// The anchors in a log.
fn anchors(log: &str) -> Vec<String> {
    log.lines().filter_map(|line| line.split("journal anchor ").nth(1)).map(str::to_string).collect()
}

#[test]
fn a_journal_is_proved_beside_its_engine_and_after_it_and_a_forged_one_is_not() {
    let home = Home::new();
    let daemon = Daemon::start(&home, &[]);
    assert_eq!(ended(&home.run(&["mode", "auto"])).0, 0);
    assert_eq!(ended(&home.run(&["mode", "suggest"])).0, 0);
    let (code, said, _) = ended(&home.run(&["audit", "verify"]));
    assert!(code == 0 && said.contains("3 records, each as it was written"), "{said}");
    let log = ended_log(daemon);
    let anchors = anchors(&log);
    assert!(anchors.first().is_some_and(|a| a.starts_with("1:")) && anchors.last().is_some_and(|a| a.starts_with("4:")), "{log}");
    let (code, said, why) = ended(&home.run(&["audit", "verify", "--anchor", anchors.last().unwrap()]));
    assert!(code == 0 && said.contains("4 records") && said.contains("holds the anchor of record 4"), "{said}{why}");

    let journal = home.path("state/journal.db");
    let whole = fs::read(&journal).unwrap();
    let mut spoilt = whole.clone();
    let at = spoilt.windows(7).rposition(|w| w == b"\"Mode\":").unwrap();
    spoilt[at + 2] ^= 1;
    fs::write(&journal, &spoilt).unwrap();
    let (code, said, why) = ended(&home.run(&["audit", "verify"]));
    assert!(code == 1 && said.is_empty() && why.contains("record ") && why.contains("hash"), "{why}");
    let (code, said, _) = ended(&home.run(&["audit", "verify", "--json"]));
    assert!(code == 1 && said.contains("\"whole\": false"), "{said}");

    // A journal made anew has a chain that holds, but not the anchor.
    for file in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let _absent = fs::remove_file(home.path("state").join(file));
    }
    let daemon = Daemon::start(&home, &[]);
    ended_log(daemon);
    assert_eq!(ended(&home.run(&["audit", "verify"])).0, 0);
    let (code, _, why) = ended(&home.run(&["audit", "verify", "--anchor", &anchors[0]]));
    assert!(code == 1 && why.contains("rewritten"), "{why}");
    let (code, _, why) = ended(&home.run(&["audit", "verify", "--anchor", anchors.last().unwrap()]));
    assert!(code == 1 && why.contains("missing"), "{why}");
}

#[test]
fn an_export_proves_itself_without_trimtab() {
    let home = Home::new();
    let daemon = Daemon::start(&home, &[]);
    assert_eq!(ended(&home.run(&["mode", "auto"])).0, 0);
    ended_log(daemon);
    let (code, lines, _) = ended(&home.run(&["audit", "export"]));
    assert_eq!((code, lines.lines().count()), (0, 3));
    let mut hash = vec![0_u8; 32];
    for line in lines.lines() {
        let entry = line.split_once("\"entry\":").unwrap().1.strip_suffix('}').unwrap();
        hash = Sha256::new().chain_update(&hash).chain_update(entry).finalize().to_vec();
        let told: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(told["hash"], hex(&hash), "{line}");
    }
    let (code, csv, _) = ended(&home.run(&["audit", "export", "--format", "csv"]));
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!((code, rows.len(), rows[0]), (0, 4, "number,time,change,deed,who,detail,boot,hash"));
    assert!(rows[2].contains("mode suggest -> auto") && rows[3].contains("trimtab stopped"), "{csv}");
    assert_eq!(ended(&home.run(&["audit", "export", "--to", "2020-01-01"])).1, "");
    assert_eq!(ended(&home.run(&["audit", "export", "--from", "sometimes"])).0, 2);
    let (code, timings, _) = ended(&home.run(&["audit", "timings"]));
    assert!(code == 0 && timings.lines().all(|line| line.ends_with("none yet")), "{timings}");
    assert_eq!(ended(&Home::new().run(&["audit", "verify"])).0, 1, "where there is no journal nothing is proved");
}

#[test]
fn what_was_learned_and_a_changed_setting_are_told() {
    let home = Home::new();
    let daemon = Daemon::start(&home, &[]);
    let (code, said, _) = ended(&home.run(&["learned"]));
    assert!(code == 0 && said.contains("no change has been tried yet") && said.contains("auto trusts: catalogue"), "{said}");
    ended_log(daemon);
    home.config("(policy: (trust: Proven, per_hour: 2))");
    let daemon = Daemon::start(&home, &[]);
    let (_, said, _) = ended(&home.run(&["learned"]));
    assert!(said.contains("auto trusts: proven"), "{said}");
    let (_, said, _) = ended(&home.run(&["audit"]));
    assert!(said.contains("policy.per_hour built-in -> 2") && said.contains("policy.trust built-in -> \"Proven\""), "{said}");
    ended_log(daemon);
}
