//! `trimtab anomalies --stdin` by the real binary: a line for each row, told as soon as it is asked for, and what is no row is named.

use crate::cli::{Home, ended};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Output, Stdio},
};

fn run(args: &[&str], input: &str) -> Output {
    let mut command = Home::new().trimtab(&[&["anomalies", "--stdin"], args].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Two days of one column, and of three, with a burst near the end.
fn rows(columns: usize, count: usize) -> String {
    let names: Vec<String> = (1..=columns).map(|column| format!("m{column}")).collect();
    let mut text = format!("t,{}\n", names.join(","));
    for row in 0..count {
        let value = |column: usize| if row == 560 { 95.0 } else { 20.0 + ((row * 37 + column * 11) % 17) as f64 / 10.0 };
        let values: Vec<String> = (0..columns).map(|column| value(column).to_string()).collect();
        text.push_str(&format!("{},{}\n", row * 300, values.join(",")));
    }
    text
}

#[test]
fn a_row_is_judged_by_what_stood_up_to_it() {
    for columns in [1, 3] {
        let (code, whole, errors) = ended(&run(&["--step", "5m"], &rows(columns, 576)));
        assert_eq!((code, errors.as_str()), (0, ""));
        let (_, begun, _) = ended(&run(&["--step", "5m"], &rows(columns, 565)));
        assert_eq!((whole.lines().count(), begun.lines().count()), (576, 565));
        assert!(whole.starts_with(&begun), "{columns} columns: a later row changed an earlier line");
        let alerts: Vec<usize> = whole.lines().enumerate().filter(|(_, line)| line.ends_with(",1")).map(|(row, _)| row).collect();
        assert_eq!(alerts, [560], "{columns} columns");
    }
}

#[test]
fn who_asks_row_by_row_is_answered_row_by_row() {
    let mut child = Home::new()
        .trimtab(&["anomalies", "--stdin", "--step", "10"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    input.write_all(b"t,load\n").unwrap();
    for row in 0..3 {
        input.write_all(format!("{},1.5\n", row * 10).as_bytes()).unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "0.000000000,0\n");
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_is_no_row_is_named_by_its_line() {
    let (code, _, errors) = ended(&run(&[], "t,load\n0,1\n60,much\n"));
    assert_eq!((code, errors.as_str()), (2, "trimtab: line 3: column 2 is no number\n"));
    let (code, _, errors) = ended(&run(&[], ""));
    assert!(code == 2 && errors.contains("line 1: nothing came"), "{errors}");
}
