//! The command line, by the real binary: what it prints, what it exits with, and how engine and verbs find each other.

use crate::terminal::Terminal;
use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

/// A user of their own: home, configuration, state and socket in a directory that goes away.
pub struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Home {
        Home { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The binary in these surroundings and no others.
    pub fn trimtab(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trimtab"));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.dir.path()).env("TERM", "xterm-256color");
        command.env("XDG_CONFIG_HOME", self.path("config")).env("RUNTIME_DIRECTORY", self.path("run")).args(args);
        command.arg("--socket").arg(self.path("run/engine.sock")).arg("--state").arg(self.path("state"));
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.trimtab(args).stdin(Stdio::null()).output().unwrap()
    }

    pub fn config(&self, text: &str) -> PathBuf {
        let path = self.path("config/trimtab/config.ron");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

fn text(bytes: &[u8]) -> String {
    assert!(!bytes.contains(&0x1b), "an escape code in {}", String::from_utf8_lossy(bytes));
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Exit code, standard output, standard error.
pub fn ended(output: &Output) -> (i32, String, String) {
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// A daemon that is listening; ended with this.
pub struct Daemon {
    child: Child,
    errors: BufReader<std::process::ChildStderr>,
    /// What it has said up to where it listens.
    pub heard: String,
}

impl Daemon {
    pub fn start(home: &Home, args: &[&str]) -> Daemon {
        let mut command = home.trimtab(&[&["daemon"], args].concat());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut heard = String::new();
        while !heard.contains("listens on") {
            assert!(errors.read_line(&mut heard).unwrap() > 0, "it did not start: {heard}");
        }
        Daemon { child, errors, heard }
    }

    fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Reads what it says until it says that.
    pub fn hear(&mut self, word: &str) {
        while !self.heard.contains(word) {
            assert!(self.errors.read_line(&mut self.heard).unwrap() > 0, "it never said {word}: {}", self.heard);
        }
    }

    /// Kills it.
    pub fn end_at_once(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends the signal and waits for the end.
    pub fn end(mut self, signal: rustix::process::Signal) -> (i32, String) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
        let mut rest = String::new();
        self.errors.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code().unwrap(), rest)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[test]
fn once_tells_the_host_in_plain_text() {
    let (code, out, errors) = ended(&Home::new().run(&["--once"]));
    assert_eq!((code, errors.as_str()), (0, ""));
    for word in ["Linux", "cpu ", "memory ", "available"] {
        assert!(out.contains(word), "{word}: {out}");
    }
}

#[test]
fn once_as_json_has_facts_snapshot_findings_and_proposals() {
    let (code, out, _) = ended(&Home::new().run(&["--once", "--json"]));
    assert_eq!(code, 0);
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(value["facts"]["cpus"].as_u64().unwrap() > 0);
    let own = std::process::id();
    let processes = value["snapshot"]["processes"]["Known"].as_array().unwrap();
    assert!(processes.iter().any(|p| p["id"]["pid"] == own), "the test itself is a process");
    assert!(value["snapshot"]["vitals"]["cpu"]["Known"]["total"]["idle"].is_f64());
    assert!(value["findings"].is_array() && value["proposals"].is_array());
}

#[test]
fn without_an_engine_the_error_says_so_and_what_to_do() {
    for verb in
        [&["status"][..], &["queue", "--json"], &["apply", "1"], &["rollback", "--all"], &["audit"], &["why"], &["forecast"]]
    {
        let home = Home::new();
        let (code, out, errors) = ended(&home.run(verb));
        assert_eq!((code, out.as_str()), (3, ""), "{verb:?}");
        assert!(errors.contains("engine.sock") && errors.contains("trimtab daemon"), "{errors}");
    }
}

#[test]
fn wrong_use_is_exit_code_two() {
    let home = Home::new();
    for args in [&["approve", "x"][..], &["mode", "wild"], &["--nonsense"], &["--once", "--config", "/nonexistent.ron"]] {
        let (code, out, errors) = ended(&home.run(args));
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(!errors.is_empty());
    }
    assert_eq!(ended(&home.run(&["--help"])).0, 0);
}

#[test]
fn the_version_is_that_of_the_package() {
    let (code, out, errors) = ended(&Home::new().run(&["--version"]));
    assert_eq!((code, errors.as_str()), (0, ""));
    assert_eq!(out, format!("trimtab {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_complaint_about_the_configuration_comes_at_once() {
    let home = Home::new();
    let path = home.config("(\n  thresholds: (cpu_presure: 1,\n    steal: 7.0),\n  console: (ascii: maybe),\n)\n");
    let more = home.path("more.ron");
    std::fs::write(&more, "(policy: (mode: Wild))").unwrap();
    for verb in [&["--once"][..], &["daemon"]] {
        let (code, _, errors) = ended(&home.run(&[verb, &["--config", more.to_str().unwrap()]].concat()));
        assert_eq!(code, 2);
        let at = |path: &Path, line: u32| errors.contains(&format!("{}:{line}:", path.display()));
        assert!(at(&path, 2) && at(&path, 3) && at(&path, 4) && at(&more, 1), "{errors}");
        assert_eq!(errors.lines().count(), 4, "{errors}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = Home::new();
    let mut child = home.trimtab(&["--once", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
}

#[test]
fn an_engine_is_found_asked_and_ended() {
    let home = Home::new();
    let daemon = Daemon::start(&home, &[]);
    let (code, out, errors) = ended(&home.run(&["status"]));
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(out.contains(&format!("pid {}", daemon.child.id())), "{out}");
    let (_, out, _) = ended(&home.run(&["status", "--json"]));
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["engine"], daemon.child.id());
    assert_eq!(ended(&home.run(&["mode", "observe"])).0, 0);
    let (_, out, _) = ended(&home.run(&["status", "--json"]));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap()["mode"], "Observe");
    for list in [["queue", "--json"], ["audit", "--json"]] {
        let (code, out, _) = ended(&home.run(&list));
        assert_eq!(code, 0);
        assert!(serde_json::from_str::<serde_json::Value>(&out).unwrap().is_array());
    }
    let (code, out, errors) = ended(&home.run(&["apply", "4711"]));
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(errors.contains("#4711"), "{errors}");
    let (code, out, _) = ended(&home.run(&["keep", "4711", "--json"]));
    assert_eq!(code, 1);
    assert!(serde_json::from_str::<serde_json::Value>(&out).unwrap()["Refused"].is_string());
    for list in [&["forecast"][..], &["why"], &["why", "--json"]] {
        assert_eq!(ended(&home.run(list)).0, 0, "{list:?}");
    }
    let (code, out, errors) = ended(&home.run(&["forecast", "filesystem_used:/nowhere"]));
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(errors.contains("filesystem_used:/nowhere"), "{errors}");
    assert_eq!(ended(&home.run(&["forecast", "nonsense"])).0, 2);
    assert_eq!(daemon.end(rustix::process::Signal::TERM).0, 0);
    assert_eq!(ended(&home.run(&["status"])).0, 3);
}

#[test]
fn the_second_engine_is_refused_and_a_killed_one_leaves_room() {
    let home = Home::new();
    let first = Daemon::start(&home, &[]);
    let (code, _, errors) = ended(&home.run(&["daemon"]));
    assert_eq!(code, 1);
    assert!(errors.contains("an engine runs already"), "{errors}");
    drop(first);
    let second = Daemon::start(&home, &[]);
    assert_eq!(second.end(rustix::process::Signal::HUP).0, 0);
}

#[test]
fn watching_needs_no_home_that_can_be_written() {
    let home = Home::new();
    let daemon = Daemon::start(&home, &["--observe"]);
    assert!(!home.path("state").exists());
    assert_eq!(ended(&home.run(&["status"])).0, 0);
    assert_eq!(daemon.end(rustix::process::Signal::INT).0, 0);
}

#[test]
fn without_a_place_for_the_journal_it_watches_and_says_why() {
    let home = Home::new();
    std::fs::write(home.path("state"), "no directory").unwrap();
    let daemon = Daemon::start(&home, &[]);
    let (_, out, _) = ended(&home.run(&["status", "--json"]));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap()["mode"], "Observe");
    let (code, rest) = daemon.end(rustix::process::Signal::TERM);
    assert_eq!(code, 0, "{rest}");
}

#[test]
fn a_console_without_a_terminal_is_wrong_use() {
    for args in [&[][..], &["demo"]] {
        let (code, out, errors) = ended(&Home::new().run(args));
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(errors.contains("terminal") && errors.contains("--once"), "{errors}");
    }
}

/// Long enough for a loaded machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_console_attaches_to_a_running_engine_and_leaves_it_running() {
    let home = Home::new();
    let daemon = Daemon::start(&home, &[]);
    let mut terminal = Terminal::start(&home.trimtab(&["--mode", "observe"]), 24, 80);
    terminal.wait("the console", PATIENCE, |text| text.contains("trimtab") && text.contains("observe"));
    terminal.press("q");
    assert!(terminal.wait_for_end(PATIENCE).success(), "{}", terminal.text());
    assert_eq!(ended(&home.run(&["status"])).0, 0);
    assert_eq!(daemon.end(rustix::process::Signal::TERM).0, 0);
}

#[test]
fn a_console_of_its_own_can_be_asked_and_ends_with_its_terminal() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home.trimtab(&["--observe"]), 24, 80);
    terminal.wait("the console", PATIENCE, |text| text.contains("observe"));
    assert_eq!(ended(&home.run(&["status"])).0, 0);
    terminal.hang_up();
    assert!(terminal.child.wait().unwrap().success());
    assert_eq!(ended(&home.run(&["status"])).0, 3);
}
