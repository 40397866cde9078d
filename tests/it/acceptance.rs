//! What a console owes whoever starts it, by the real binary in a terminal of its own: as any user, in any terminal, at any size, on any
//! filesystem, and given back as it was found.

use crate::{
    cli::{Daemon, Home, ended},
    terminal::Terminal,
};
use clap::CommandFactory;
use rustix::process::Signal;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};
use trimtab::app::cli::Cli;

/// Long enough for a loaded machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// A console that only watches, in a terminal of that name and with these variables.
fn watching(home: &Home, args: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = home.trimtab(&[&["--read-only"], args].concat());
    command.env("LANG", "C.UTF-8").env("XDG_STATE_HOME", home.path("kept")).envs(variables.iter().copied());
    command
}

/// Everything that such a console sends from its start to its end, with some pages looked at.
fn everything(args: &[&str], variables: &[(&str, &str)]) -> String {
    let home = Home::new();
    let mut terminal = Terminal::start(&watching(&home, args, variables), 40, 120);
    terminal.wait("the overview", PATIENCE, |text| text.contains("observe") && text.contains("Processes"));
    for (keys, title) in [("1e", "CPU"), ("e5", "Processes"), ("?", "Keys and commands")] {
        terminal.press(keys);
        terminal.wait(title, PATIENCE, |text| text.contains(title));
    }
    terminal.press("\x1b");
    terminal.wait("the way back", PATIENCE, |text| !text.contains("Keys and commands"));
    terminal.press("q");
    assert!(terminal.wait_for_end(PATIENCE).success());
    String::from_utf8(terminal.sent()).unwrap()
}

/// The parameters of every "select graphic rendition" (ECMA-48).
fn renditions(sent: &str) -> Vec<&str> {
    let starts = sent.split("\x1b[").skip(1);
    let parameters = starts.filter_map(|rest| {
        rest.split_once(|c: char| !c.is_ascii_digit() && c != ';')
            .map(|(digits, after)| (digits, &rest[..rest.len() - after.len()]))
    });
    parameters.filter(|(_, with)| with.ends_with('m')).map(|(digits, _)| digits).collect()
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Colours {
    None,
    Sixteen,
    Indexed,
    True,
}

/// The most that was asked of the terminal.
fn colours(sent: &str) -> Colours {
    let of = |parameters: &str| {
        let codes: Vec<u32> = parameters.split(';').map(|code| code.parse().unwrap_or(0)).collect();
        match codes.iter().position(|code| matches!(code, 38 | 48)) {
            Some(at) if codes[at + 1] == 2 => Colours::True,
            Some(_) => Colours::Indexed,
            None if codes.iter().any(|code| matches!(code, 30..=37 | 40..=47 | 90..=97 | 100..=107)) => Colours::Sixteen,
            None => Colours::None,
        }
    };
    renditions(sent).into_iter().map(of).max().unwrap_or(Colours::None)
}

#[test]
fn each_terminal_is_sent_what_it_can_show_and_no_more() {
    let cases: [(&[&str], &[(&str, &str)], Colours, bool); 9] = [
        (&[], &[("TERM", "xterm-256color")], Colours::Sixteen, false),
        (&["--theme", "dark"], &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], Colours::True, false),
        (&["--theme", "dark"], &[("TERM", "xterm-256color")], Colours::Indexed, false),
        (&["--theme", "dark"], &[("TERM", "linux")], Colours::Sixteen, true),
        (&["--theme", "dark"], &[("TERM", "vt100")], Colours::None, true),
        (&[], &[("TERM", "screen")], Colours::Sixteen, false),
        (&["--ascii"], &[("TERM", "xterm-256color")], Colours::Sixteen, true),
        (&["--theme", "dark"], &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")], Colours::None, false),
        (&[], &[("TERM", "xterm"), ("LC_ALL", "C")], Colours::Sixteen, true),
    ];
    for (args, variables, most, ascii) in cases {
        let sent = everything(args, variables);
        assert_eq!(colours(&sent), most, "{args:?} {variables:?}");
        assert_eq!(sent.is_ascii(), ascii, "{args:?} {variables:?}");
    }
}

#[test]
fn where_no_cursor_can_be_placed_the_way_around_is_told() {
    let home = Home::new();
    for term in ["dumb", ""] {
        let mut terminal = Terminal::start(&watching(&home, &[], &[("TERM", term)]), 24, 80);
        assert_eq!(terminal.wait_for_end(PATIENCE).code(), Some(2));
        let sent = String::from_utf8(terminal.sent()).unwrap();
        assert!(sent.contains("--once") && !sent.contains('\x1b'), "{sent}");
    }
}

#[test]
fn the_mouse_is_the_terminals_over_ssh_until_it_is_asked_for() {
    for (variables, ours) in [(&[][..], true), (&[("SSH_CONNECTION", "10.0.0.7 1 10.0.0.8 22")], false)] {
        let home = Home::new();
        let mut terminal = Terminal::start(&watching(&home, &[], variables), 24, 80);
        terminal.wait("the console", PATIENCE, |text| text.contains("observe"));
        assert_eq!(String::from_utf8_lossy(&terminal.sent()).contains("\x1b[?1000h"), ours, "{variables:?}");
        terminal.press("m");
        terminal.wait_for_bytes("the other way", PATIENCE, if ours { "\x1b[?1000l" } else { "\x1b[?1000h" });
    }
}

#[test]
fn a_look_that_there_is_not_is_wrong_use_and_starts_nothing() {
    let home = Home::new();
    for args in [["--theme", "nosuch"], ["--layout", "/nonexistent.ron"]] {
        let mut terminal = Terminal::start(&watching(&home, &args, &[]), 24, 80);
        assert_eq!(terminal.wait_for_end(PATIENCE).code(), Some(2));
        let sent = String::from_utf8(terminal.sent()).unwrap();
        assert!(sent.contains(args[1]) && !sent.contains('\x1b') && !home.path("run").exists(), "{sent}");
    }
}

#[test]
fn what_is_no_terminal_gets_no_escape_code_from_any_verb() {
    let home = Home::new();
    let file = home.path("metrics.prom");
    let recording = home.path("recording");
    let all: [&[&str]; 41] = [
        &["--help"],
        &["--version"],
        &["--nonsense"],
        &[],
        &["demo"],
        &["--once"],
        &["--once", "--json"],
        &["--stream", "jsonl", "--count", "1"],
        &["--stream", "csv", "--count", "1"],
        &["doctor"],
        &["doctor", "--json"],
        &["status"],
        &["queue"],
        &["show", "1"],
        &["approve", "1"],
        &["apply", "1"],
        &["reject", "1"],
        &["keep", "1"],
        &["rollback", "--all"],
        &["audit"],
        &["metrics"],
        &["metrics", "--out", file.to_str().unwrap()],
        &["completions", "bash"],
        &["man"],
        &["mode", "observe"],
        &["replay", "-10m"],
        &["alerts"],
        &["forecast"],
        &["forecast", "memory_used"],
        &["forecast", "--stdin", "--horizon", "3", "--step", "60"],
        &["anomalies", "--stdin"],
        &["what-if", "--stdin"],
        &["why"],
        &["learned"],
        &["rescue", "E1"],
        &["halt"],
        &["resume"],
        &["ack", "1"],
        &["snooze", "1", "1h"],
        &["snapshot", recording.to_str().unwrap()],
        &["record", "--for", "1s", "--out", recording.to_str().unwrap()],
    ];
    let verbs: Vec<String> =
        Cli::command().get_subcommands().filter(|verb| !verb.is_hide_set()).map(|verb| verb.get_name().into()).collect();
    let left_out: Vec<_> = verbs.iter().filter(|verb| !all.iter().any(|args| args.first() == Some(&verb.as_str()))).collect();
    assert_eq!(left_out, ["daemon", "attach"], "the one is tried below, the other needs a terminal");
    let daemon = Daemon::start(&home, &["--observe"]);
    assert!(!daemon.heard.contains('\x1b'));
    for args in all {
        let mut command = home.trimtab(args);
        command.envs([("COLORTERM", "truecolor"), ("CLICOLOR_FORCE", "1"), ("FORCE_COLOR", "1")]).stdin(Stdio::null());
        // `ended` looks for escape codes in both streams.
        let (_, out, errors) = ended(&command.output().unwrap());
        let may_be_silent = ["mode", "metrics", "record"].contains(args.first().unwrap_or(&""));
        assert!(may_be_silent || !(out + &errors).is_empty(), "{args:?}");
    }
    assert_eq!(daemon.end(Signal::TERM).0, 0);
}

/// The program as a user without any right, with a home of their own; `None` where we are not root ourselves.
fn as_nobody(home: &Home, args: &[&str]) -> Option<Command> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can become another user");
        return None;
    }
    let own = home.path("nobody");
    if !own.exists() {
        fs::set_permissions(own.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(&own).unwrap();
        chown(&own, Some(65_534), Some(65_534)).unwrap();
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", env!("CARGO_BIN_EXE_trimtab")]).args(args);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", &own).env("XDG_RUNTIME_DIR", &own).current_dir("/");
    command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8").stdin(Stdio::null());
    Some(command)
}

#[test]
fn without_any_right_it_works_and_says_what_is_missing_and_what_gives_it() {
    let home = Home::new();
    let Some(mut once) = as_nobody(&home, &["--once", "--json"]) else { return };
    let (code, out, errors) = ended(&once.output().unwrap());
    assert_eq!((code, errors.as_str()), (0, ""));
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["facts"]["uid"], 65_534);
    let processes = value["snapshot"]["processes"]["Known"].as_array().unwrap();
    assert!(processes.iter().any(|row| row["id"]["pid"] == std::process::id()), "others' processes are seen");
    let (code, out, _) = ended(&as_nobody(&home, &["doctor"]).unwrap().output().unwrap());
    assert_eq!(code, 0);
    for needed in ["CAP_SYS_PTRACE", "CAP_SYS_NICE", "CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_DAC_OVERRIDE"] {
        assert!(out.contains(needed), "{needed}: {out}");
    }
    let mut terminal = Terminal::start(&as_nobody(&home, &[]).unwrap(), 50, 160);
    terminal.wait("the processes of others", PATIENCE, |text| text.lines().any(|line| line.contains(" root ")));
    terminal.press("9e");
    terminal.wait("what is missing", PATIENCE, |text| text.contains("CAP_SYS_PTRACE") && text.contains("trimtab doctor"));
    terminal.press("eq");
    assert!(terminal.wait_for_end(PATIENCE).success(), "{}", terminal.text());
}

/// Every file below with its content and the time of its last change.
fn files(directory: &Path) -> Vec<(String, Vec<u8>, std::time::SystemTime)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => all.extend(files(&entry.path())),
            false => all.push((
                entry.path().display().to_string(),
                fs::read(entry.path()).unwrap_or_default(),
                entry.metadata().unwrap().modified().unwrap(),
            )),
        }
    }
    all.sort();
    all
}

/// Changes what a console remembers: the order of the table, and the theme.
fn choose(terminal: &mut Terminal) {
    terminal.press("5I");
    terminal.wait("the other order", PATIENCE, |text| text.contains("cpu") && text.contains("Processes"));
    terminal.press("x");
    terminal.wait("the tree", PATIENCE, |text| text.contains("tree"));
}

#[test]
fn the_configuration_is_never_written_and_choices_are_kept_elsewhere() {
    let home = Home::new();
    fs::create_dir_all(home.path("config/trimtab")).unwrap();
    fs::write(home.path("config/trimtab/config.ron"), "(console: (theme: \"mono\"))\n").unwrap();
    let before = files(&home.path("config"));
    let mut command = home.trimtab(&[]);
    command.env("LANG", "C.UTF-8").env("XDG_STATE_HOME", home.path("kept"));
    let mut terminal = Terminal::start(&command, 40, 120);
    terminal.wait("the console", PATIENCE, |text| text.contains("Processes"));
    choose(&mut terminal);
    terminal.press("q");
    assert!(terminal.wait_for_end(PATIENCE).success());
    assert_eq!(files(&home.path("config")), before);
    assert!(home.path("kept/trimtab/console.ron").is_file());
    let stray: Vec<_> = fs::read_dir(home.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(stray.iter().all(|name| ["config", "kept", "state", "run"].contains(&name.to_str().unwrap())), "{stray:?}");
}

#[test]
fn on_a_filesystem_that_is_read_only_it_runs_and_says_what_is_not_kept() {
    let home = Home::new();
    fs::create_dir_all(home.path("kept")).unwrap();
    // The socket needs a place that can be written; /run has one on such hosts.
    let run = tempfile::tempdir().unwrap();
    let script = format!(
        "mount --bind \"$HOME\" \"$HOME\" && mount -o remount,bind,ro \"$HOME\" || exit 77
         exec {} --socket {}/engine.sock --state \"$HOME/state\"",
        env!("CARGO_BIN_EXE_trimtab"),
        run.path().display()
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", home.path(""));
    command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8").env("XDG_STATE_HOME", home.path("kept"));
    let mut may = Command::new("unshare");
    if !may.args(["-m", "true"]).stderr(Stdio::null()).status().unwrap().success() {
        eprintln!("skipped: no right to mount");
        return;
    }
    let mut terminal = Terminal::start(&command, 50, 160);
    terminal.wait("the console", PATIENCE, |text| text.contains("Processes") && text.contains("observe"));
    terminal.press("9e");
    // A frame may come in pieces: what it says once stands there once when it is whole.
    let once = |text: &str| text.contains("only watching: ") && text.matches("will not be kept").count() == 1;
    let log = terminal.wait("what is not kept", PATIENCE, once);
    assert!(log.contains("Read-only file system"), "{log}");
    terminal.press("e");
    choose(&mut terminal);
    terminal.press("q");
    assert!(terminal.wait_for_end(PATIENCE).success(), "{}", terminal.text());
}

#[test]
fn no_size_of_a_terminal_ends_it() {
    let home = Home::new();
    let mut terminal = Terminal::start(&watching(&home, &[], &[]), 24, 80);
    terminal.wait("the console", PATIENCE, |text| text.contains("trimtab"));
    for (columns, rows) in
        [(1, 1), (2, 1), (1, 100), (400, 1), (20, 5), (40, 12), (40, 15), (60, 20), (80, 24), (120, 40), (400, 100)]
    {
        terminal.sent();
        terminal.resize(rows, columns);
        // The first frame of a new size clears the screen.
        terminal.wait_for_bytes("a frame of that size", PATIENCE, "\x1b[2J");
    }
    terminal.resize(24, 80);
    terminal.wait("the console again", PATIENCE, |text| text.contains("trimtab") && text.contains("observe"));
    terminal.press("q");
    assert!(terminal.wait_for_end(PATIENCE).success());
}

/// The clock of the header.
fn clock(text: &str) -> Option<String> {
    let words = text.lines().next()?.split_whitespace();
    words.filter(|word| word.len() == 9 && word.ends_with('Z') && word.matches(':').count() == 2).map(str::to_string).next()
}

/// Bytes per second of the terminal that are enough at 80x24.
const ENOUGH: usize = 2048;

#[test]
fn a_tick_costs_at_most_two_kilobytes_of_the_line_and_each_frame_comes_as_one() {
    let home = Home::new();
    let mut terminal = Terminal::start(&watching(&home, &[], &[]), 24, 80);
    terminal.wait("the first rates", PATIENCE, |text| clock(text).is_some() && text.contains(" ms/s "));
    let mut ticks = 0;
    terminal.sent();
    while ticks < 5 {
        let before = clock(&terminal.text());
        terminal.wait("the next second", PATIENCE, |text| clock(text) != before);
        ticks += 1;
    }
    let sent = terminal.sent();
    let text = String::from_utf8_lossy(&sent);
    println!("{} bytes in {ticks} ticks at 80x24", sent.len());
    assert!(sent.len() <= ENOUGH * ticks, "{} bytes in {ticks} ticks", sent.len());
    assert!(!text.contains("\x1b[2J"), "nothing is drawn anew");
    let (begun, shown) = (text.matches("\x1b[?2026h").count(), text.matches("\x1b[?2026l").count());
    assert!(begun.abs_diff(shown) <= 1 && shown >= ticks, "{begun} begun, {shown} shown");
}

/// What gives a terminal back: the usual screen, the cursor, no paste marks, no mouse.
const BACK: [&str; 4] = ["\x1b[?1049l", "\x1b[?25h", "\x1b[?2004l", "\x1b[?1000l"];

fn given_back(terminal: &mut Terminal) -> String {
    let sent = String::from_utf8_lossy(&terminal.sent()).into_owned();
    for sequence in BACK {
        assert!(sent.contains(sequence), "{sequence:?} is missing: {sent:?}");
    }
    assert!(terminal.is_cooked());
    sent
}

#[test]
fn whatever_signal_ends_it_the_terminal_is_given_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let home = Home::new();
        let mut terminal = Terminal::start(&watching(&home, &[], &[]), 24, 80);
        terminal.wait("the console", PATIENCE, |text| text.contains("observe"));
        assert!(!terminal.is_cooked());
        terminal.signal(signal);
        assert!(terminal.wait_for_end(PATIENCE).success());
        given_back(&mut terminal);
    }
}

#[test]
#[ignore = "run by the test below, in a terminal of its own"]
fn a_console_to_panic() {
    let _taken = trimtab::app::console::terminal::Terminal::take().unwrap();
    panic!("as it was told");
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_says_why() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture", "--test-threads=1", "acceptance::a_console_to_panic"]);
    command.env("PATH", "/usr/bin:/bin").env("TERM", "xterm-256color");
    let mut terminal = Terminal::start(&command, 24, 80);
    assert!(!terminal.wait_for_end(PATIENCE).success());
    let sent = given_back(&mut terminal);
    assert!(sent.find("as it was told") > sent.find(BACK[0]), "{sent:?}");
}
