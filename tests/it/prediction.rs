//! `trimtab forecast --stdin`: the protocol by which any program is measured, by the real binary.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

fn forecast(args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trimtab"));
    command.args(["forecast", "--stdin"]).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Lines of a saw of twelve steps, with a gap now and then.
fn saw(count: usize, step: usize) -> String {
    let value = |i: usize| if i.is_multiple_of(31) { String::new() } else { format!("{}", i % 12) };
    (0..count).map(|i| format!("{},{}\n", 1_700_000_000 + i * step, value(i))).collect()
}

fn rows(output: &Output) -> Vec<Vec<f64>> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("step,point,lo80,hi80,lo95,hi95"));
    lines.map(|line| line.split(',').map(|v| v.parse().unwrap()).collect()).collect()
}

#[test]
fn as_many_rows_as_asked_for_each_with_its_ranges() {
    for count in [1, 2, 50, 700] {
        let rows = rows(&forecast(&["--horizon", "24", "--step", "300"], &saw(count + 1, 300)));
        assert_eq!(rows.iter().map(|row| row[0] as usize).collect::<Vec<_>>(), (1..=24).collect::<Vec<_>>(), "{count}");
        for row in rows {
            let ordered = [row[4], row[2], row[1], row[3], row[5]];
            assert!(ordered.windows(2).all(|pair| pair[0] <= pair[1]) && ordered.iter().all(|v| v.is_finite()), "{row:?}");
        }
    }
}

#[test]
fn a_saw_goes_on_and_the_header_and_the_step_may_be_left_out() {
    let told = forecast(&["--horizon", "12", "--step", "300"], &format!("t,value\n{}", saw(700, 300)));
    for (i, row) in rows(&told).iter().enumerate() {
        assert!((row[1] - ((700 + i) % 12) as f64).abs() < 2.0, "{row:?}");
    }
    assert_eq!(forecast(&["--horizon", "12"], &saw(700, 300)).stdout, told.stdout);
    assert_eq!(forecast(&["--horizon", "1h"], &saw(700, 300)).stdout, told.stdout);
}

#[test]
fn left_out_lines_are_gaps() {
    let all = saw(700, 300);
    let fewer: String = all.lines().filter(|line| !line.ends_with(',')).map(|line| format!("{line}\n")).collect();
    // The first line has no value: without it, the series begins one step later.
    let all = all.split_once('\n').unwrap().1;
    let (told, again) = (forecast(&["--horizon", "5"], all), forecast(&["--horizon", "5"], &fewer));
    assert_eq!(rows(&told), rows(&again));
}

#[test]
fn bad_input_is_refused_with_its_line() {
    for (input, says) in [
        ("t,value\n0,1\nx,2\n", "line 3: the time is no number"),
        ("0,1\n300,one\n", "line 2: the value is no number"),
        ("0,1\n0,2\n", "line 2: the time is not after"),
        ("0,1\n300,2\n9e15,3\n", "line 3: the time is too far"),
        ("", "no value to forecast from"),
        ("t,value\n0,\n300,\n", "no value to forecast from"),
    ] {
        let told = forecast(&["--horizon", "3", "--step", "300"], input);
        let error = String::from_utf8(told.stderr).unwrap();
        assert!(told.status.code() == Some(2) && error.contains(says), "{input:?}: {error}");
        assert!(told.stdout.is_empty());
    }
}
