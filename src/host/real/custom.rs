//! Programs of custom actions: run without a shell, as a limited user, with a bare environment, for a limited time, in a process group
//! of their own; what they print is bounded and cleaned. credentials(7), prctl(2) PR_SET_NO_NEW_PRIVS, setrlimit(2).
//!
//! A program is trusted when it is owned by root or by us and nobody else may write in it, nor in any directory above it.

use super::{RealHost, calls};
use crate::{
    host::{
        error::{HostError, Kind},
        host::{Host, Touch},
    },
    model::{
        custom::Program,
        knob::{Knob, Place},
        text::clean,
    },
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, Signal, kill_process, kill_process_group},
};
use std::{
    io::{self, PipeReader, Read},
    os::unix::{
        fs::MetadataExt,
        process::{CommandExt, ExitStatusExt},
    },
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// Bytes kept of what a program prints.
const KEPT: usize = 2048;
/// Characters of it that are told.
const TOLD: usize = 160;
/// Between two looks at a running program.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
/// Marks the processes of a run, so that those that left their group are found, too.
const MARK: &str = "TRIMTAB_RUN";
/// The path that programs are given to find others by.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// Done or undone, as the verify program says: exit code 0 is done, any other undone; a crash or a time-out is neither.
pub(super) fn get(host: &RealHost, knob: &Knob, program: &Program) -> Touch<String> {
    if program.verify.is_empty() {
        return Ok(Program::UNDONE.into());
    }
    let ran = run(host, knob, program, &program.verify)?;
    match ran.status.code() {
        Some(0) => Ok(Program::DONE.into()),
        Some(_) => Ok(Program::UNDONE.into()),
        None => Err(ran.failed(knob)),
    }
}

/// Does or undoes it.
pub(super) fn set(host: &RealHost, knob: &Knob, program: &Program, value: &str) -> Touch<()> {
    let command = program.to(value);
    if command.is_empty() {
        return Err(HostError::plain("run", knob, Kind::Invalid, "there is no program for that"));
    }
    let ran = run(host, knob, program, command)?;
    if ran.status.success() { Ok(()) } else { Err(ran.failed(knob)) }
}

/// Whether its programs are there and to be trusted, and we may run them as their user.
pub(super) fn may_run(host: &RealHost, knob: &Knob, program: &Program) -> Touch<()> {
    program.paths().try_for_each(|path| trusted(host, knob, path))?;
    user(host, knob, program).map(drop)
}

/// What came of a run.
struct Ran {
    status: ExitStatus,
    said: String,
}

impl Ran {
    fn failed(&self, knob: &Knob) -> HostError {
        let how = match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("it ended with {code}"),
            (None, Some(signal)) => format!("signal {signal} ended it"),
            _ => "it ended strangely".into(),
        };
        let said = if self.said.is_empty() { String::new() } else { format!(": {}", self.said) };
        HostError::plain("run", knob, Kind::Other, format!("{how}{said}"))
    }
}

fn run(host: &RealHost, knob: &Knob, program: &Program, words: &[String]) -> Touch<Ran> {
    let Some((path, arguments)) = words.split_first() else {
        return Err(HostError::plain("run", knob, Kind::Invalid, "there is no program for that"));
    };
    trusted(host, knob, path)?;
    let mark = format!("{}-{}-{}", std::process::id(), program.name, host.now().tick.0);
    let mut command = Command::new(host.path(&Place::top(path)));
    command.arg0(path).args(arguments).env_clear().env("PATH", PATH).envs(&program.env).env(MARK, &mark);
    command.current_dir("/").stdin(Stdio::null()).process_group(0);
    let failed = |e: io::Error| HostError::new("run", knob, &e);
    let (output, input) = io::pipe().map_err(failed)?;
    command.stdout(input.try_clone().map_err(failed)?).stderr(input);
    if let Some((uid, gid)) = user(host, knob, program)? {
        // The standard library drops all supplementary groups, too, when root becomes somebody else.
        command.uid(uid).gid(gid);
    }
    calls::confine(&mut command, u64::from(program.timeout) + 1);
    let child = command.spawn().map_err(failed)?;
    // It holds our ends of the pipe.
    drop(command);
    let mut running = Running { child, output: Some(output), said: Vec::new(), mark, host };
    let ended = running.wait(Duration::from_secs(program.timeout.into()));
    match ended {
        Ok(Some(status)) => Ok(Ran { status, said: running.words() }),
        Ok(None) => {
            running.kill();
            let said = running.words();
            let said = if said.is_empty() { said } else { format!("; it said: {said}") };
            let why = format!("it took longer than {} s and was killed{said}", program.timeout);
            Err(HostError::plain("run", knob, Kind::Other, why))
        }
        Err(e) => {
            running.kill();
            Err(failed(e))
        }
    }
}

struct Running<'a> {
    child: Child,
    /// Both of its outputs, until it closes them.
    output: Option<PipeReader>,
    said: Vec<u8>,
    mark: String,
    host: &'a RealHost,
}

impl Running<'_> {
    /// Waits for its end; `None` when it takes too long. Children that it leaves behind with its pipes are not waited for.
    fn wait(&mut self, patience: Duration) -> io::Result<Option<ExitStatus>> {
        let began = Instant::now();
        loop {
            let ended = self.child.try_wait()?;
            self.listen(ended.is_some());
            if ended.is_some() {
                return Ok(ended);
            }
            if began.elapsed() >= patience {
                return Ok(None);
            }
        }
    }

    /// Takes what it has printed by now; without any, waits a moment unless it has ended.
    fn listen(&mut self, ended: bool) {
        let mut patience = if ended { AT_ONCE } else { LOOK };
        // What prints without end is not listened to without end.
        for _ in 0..64 {
            let Some(output) = &mut self.output else {
                if !ended {
                    self.host.pause(Duration::from_millis(20));
                }
                return;
            };
            let mut ready = [PollFd::new(output, PollFlags::IN)];
            if !matches!(poll(&mut ready, Some(&patience)), Ok(count) if count > 0) {
                return;
            }
            let mut some = [0; 1024];
            match output.read(&mut some) {
                Ok(count) if count > 0 => {
                    let room = KEPT.saturating_sub(self.said.len());
                    self.said.extend(some.iter().take(count.min(room)));
                }
                // It has closed its output; it may still run.
                _ => self.output = None,
            }
            patience = AT_ONCE;
        }
    }

    fn words(&self) -> String {
        let text = String::from_utf8_lossy(&self.said);
        let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        clean(&line, TOLD).to_string()
    }

    /// Kills it with all its children: its group, then whoever left the group but bears the mark of this run.
    fn kill(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ended_already = kill_process_group(pid, Signal::KILL);
        }
        let _ended_already = self.child.kill();
        let _waited_for = self.child.wait();
        for _ in 0..4 {
            let strays = self.strays();
            if strays.is_empty() {
                return;
            }
            for pid in strays {
                let _ended_already = kill_process(pid, Signal::KILL);
            }
        }
    }

    fn strays(&self) -> Vec<Pid> {
        let mark = format!("{MARK}={}", self.mark);
        let mut names = Vec::new();
        if self.host.list(&Place::proc(""), &mut names).is_err() {
            return Vec::new();
        }
        let marked = |name: &&String| {
            let environment = self.host.text(&Place::proc(format!("{name}/environ"))).unwrap_or_default();
            environment.split('\0').any(|entry| entry == mark)
        };
        let pids = names.iter().filter(|name| name.bytes().all(|b| b.is_ascii_digit())).filter(marked);
        pids.filter_map(|name| Pid::from_raw(name.parse().ok()?)).collect()
    }
}

/// The file is there, can be run, and nobody but root and us can have changed it.
fn trusted(host: &RealHost, knob: &Knob, path: &str) -> Touch<()> {
    let failed = |e: io::Error| HostError::new("run", format!("{knob} ({path})"), &e);
    let unsafe_ = |what: String| HostError::plain("run", knob, Kind::Denied, what);
    let real = std::fs::canonicalize(host.path(&Place::top(path))).map_err(failed)?;
    let us = rustix::process::geteuid().as_raw();
    let meta = std::fs::metadata(&real).map_err(failed)?;
    if !meta.is_file() || meta.mode() & 0o111 == 0 {
        return Err(unsafe_(format!("{path} is no program: its mode is {:o}", meta.mode() & 0o7777)));
    }
    for place in real.ancestors().filter(|place| *place != Path::new("")) {
        let meta = std::fs::metadata(place).map_err(failed)?;
        if meta.uid() != 0 && meta.uid() != us {
            return Err(unsafe_(format!("{} belongs to user {}, who could change it", place.display(), meta.uid())));
        }
        // In a sticky directory only the owner can replace what is there.
        let sticky = meta.is_dir() && meta.mode() & 0o1000 != 0;
        if meta.mode() & 0o022 != 0 && !sticky {
            return Err(unsafe_(format!("others may write in {}: chmod go-w", place.display())));
        }
    }
    Ok(())
}

/// Whom to become; `None` for ourselves.
fn user(host: &RealHost, knob: &Knob, program: &Program) -> Touch<Option<(u32, u32)>> {
    let us = rustix::process::geteuid().as_raw();
    let wanted = match &program.user {
        Some(name) => name.as_str(),
        None if us == 0 => "nobody",
        None => return Ok(None),
    };
    let passwd = host.text(&Place::etc("passwd"))?;
    let row = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find_map(|row| match row.as_slice() {
        [name, _, uid, gid, ..] if *name == wanted || *uid == wanted => Some((uid.parse::<u32>().ok()?, gid.parse::<u32>().ok()?)),
        _ => None,
    });
    match row {
        None => Err(HostError::plain("run", knob, Kind::Invalid, format!("there is no user {wanted}"))),
        Some((uid, _)) if uid == us => Ok(None),
        Some(row) if us == 0 => Ok(Some(row)),
        Some(_) => Err(HostError {
            errno: Some("EPERM"),
            ..HostError::plain("run", knob, Kind::Denied, format!("only root can run it as {wanted}"))
        }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};
    use tempfile::TempDir;

    /// A directory of small programs that act on a file in it.
    struct Shelf(TempDir, RealHost);

    impl Shelf {
        fn new() -> Shelf {
            let dir = tempfile::tempdir().unwrap();
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
            Shelf(dir, RealHost::default())
        }

        fn put(&self, name: &str, body: &str) -> Vec<String> {
            let path = self.0.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            vec![path.to_str().unwrap().into()]
        }

        fn at(&self, name: &str) -> String {
            self.0.path().join(name).to_str().unwrap().into()
        }

        /// Programs that make, look for, and remove the file `flag`.
        fn flag(&self) -> Program {
            let flag = self.at("flag");
            Program {
                name: "flag".into(),
                apply: self.put("do", &format!("touch {flag}")),
                verify: self.put("verify", &format!("test -e {flag}")),
                undo: self.put("undo", &format!("rm {flag}")),
                timeout: 5,
                user: Some(rustix::process::geteuid().as_raw().to_string()),
                env: [("GREETING".to_string(), "a b".to_string())].into(),
                pins: vec![],
            }
        }

        fn set(&self, program: &Program, value: &str) -> Touch<()> {
            self.1.set(&Knob::Custom(Box::new(program.clone())), value)
        }

        fn get(&self, program: &Program) -> Touch<String> {
            self.1.get(&Knob::Custom(Box::new(program.clone())))
        }

        fn doing(&self, body: &str) -> Result<(), String> {
            let program = Program { apply: self.put("deed", body), timeout: 1, ..self.flag() };
            self.set(&program, Program::DONE).map_err(|e| e.source)
        }
    }

    #[test]
    fn it_is_done_undone_and_told_apart_by_its_own_programs() {
        let shelf = Shelf::new();
        let program = shelf.flag();
        assert_eq!(shelf.get(&program).unwrap(), "undone");
        shelf.set(&program, Program::DONE).unwrap();
        assert_eq!(shelf.get(&program).unwrap(), "done");
        shelf.set(&program, Program::UNDONE).unwrap();
        assert_eq!(shelf.get(&program).unwrap(), "undone");
        assert!(shelf.1.may_set(&Knob::Custom(Box::new(program))).is_ok());
    }

    #[test]
    fn exit_codes_signals_and_hostile_output_are_told() {
        let shelf = Shelf::new();
        assert_eq!(shelf.doing("echo no disk >&2; exit 3").unwrap_err(), "it ended with 3: no disk");
        assert_eq!(shelf.doing("kill -SEGV $$").unwrap_err(), "signal 11 ended it");
        let hostile = shelf.doing("printf '\\033[2Jevil\\n\\n'; exit 1").unwrap_err();
        assert_eq!(hostile, "it ended with 1: ?[2Jevil");
        let flood = shelf.doing("yes flood | head -c 10000000; exit 1").unwrap_err();
        assert!(flood.len() < 300 && flood.contains("flood"), "{}", flood.len());
    }

    #[test]
    fn nothing_of_our_environment_and_no_input_reaches_it() {
        let shelf = Shelf::new();
        let said = shelf.doing("env | cut -d= -f1 | sort | tr '\\n' ' '; cat; exit 1").unwrap_err();
        assert_eq!(said, "it ended with 1: GREETING PATH PWD TRIMTAB_RUN");
        let said =
            shelf.doing("pwd; echo \"$GREETING\"; grep NoNewPrivs /proc/self/status; ulimit -c; ulimit -n; exit 1").unwrap_err();
        assert_eq!(said, "it ended with 1: / a b NoNewPrivs: 1 0 256");
    }

    #[test]
    fn what_hangs_is_killed_with_all_its_children_also_those_that_left_its_group() {
        let shelf = Shelf::new();
        let (one, two) = (shelf.at("one"), shelf.at("two"));
        let body = format!(
            "sleep 60 & echo $! > {one}; setsid sh -c 'echo $$ > {two}; exec sleep 60' & while [ ! -s {two} ]; do :; done; echo hung; wait"
        );
        let why = shelf.doing(&body).unwrap_err();
        assert_eq!(why, "it took longer than 1 s and was killed; it said: hung");
        for file in [one, two] {
            let pid = fs::read_to_string(&file).unwrap();
            let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
            assert!(state.is_empty() || state.contains(") Z "), "{file}: {state}");
        }
    }

    #[test]
    fn a_daemon_that_it_leaves_behind_is_not_waited_for() {
        let shelf = Shelf::new();
        let pid = shelf.at("pid");
        let began = Instant::now();
        let program = Program { apply: shelf.put("deed", &format!("sleep 30 & echo $! > {pid}")), ..shelf.flag() };
        shelf.set(&program, Program::DONE).unwrap();
        assert!(began.elapsed() < Duration::from_secs(20));
        let left = Pid::from_raw(fs::read_to_string(pid).unwrap().trim().parse().unwrap()).unwrap();
        kill_process(left, Signal::KILL).unwrap();
    }

    #[test]
    fn what_others_could_change_is_not_run() {
        let shelf = Shelf::new();
        let refused = |program: &Program| shelf.1.may_set(&Knob::Custom(Box::new(program.clone()))).unwrap_err();
        let program = shelf.flag();
        let missing = Program { undo: vec![shelf.at("missing")], ..program.clone() };
        assert_eq!(refused(&missing).kind, Kind::Absent);
        assert!(shelf.set(&Program { apply: vec![shelf.at("missing")], ..program.clone() }, Program::DONE).is_err());
        fs::set_permissions(&program.apply[0], fs::Permissions::from_mode(0o775)).unwrap();
        assert!(refused(&program).source.contains("others may write"), "{:?}", refused(&program));
        assert!(shelf.set(&program, Program::DONE).is_err(), "looked at again right before it is run");
        fs::set_permissions(&program.apply[0], fs::Permissions::from_mode(0o644)).unwrap();
        assert!(refused(&program).source.contains("no program"));
        fs::set_permissions(&program.apply[0], fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(shelf.0.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(refused(&program).source.contains("others may write"));
        fs::set_permissions(shelf.0.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(refused(&Program { user: Some("no such user".into()), ..program }).source.contains("no user"));
    }

    #[test]
    fn root_gives_its_rights_away() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let shelf = Shelf::new();
        let body = "id -u; id -G; grep CapEff /proc/self/status; exit 1";
        let program = Program { apply: shelf.put("deed", body), user: None, ..shelf.flag() };
        let said = shelf.set(&program, Program::DONE).unwrap_err().source;
        assert_eq!(said, "it ended with 1: 65534 65534 CapEff: 0000000000000000");
    }
}
