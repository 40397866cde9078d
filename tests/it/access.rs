//! Several people at one engine: what each may ask, who is seen, and a console that outlives its engine, here and through ssh.

use crate::{
    cli::{Daemon, Home, ended},
    terminal::Terminal,
};
use rustix::process::Signal;
use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(40);

/// The program as `nobody`, member of no group, at the socket of that home; `None` where we are not root ourselves.
fn as_nobody(home: &Home, args: &[&str]) -> Option<Output> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can become another user");
        return None;
    }
    fs::set_permissions(home.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", env!("CARGO_BIN_EXE_trimtab")]).args(args);
    command.arg("--socket").arg(home.path("run/engine.sock")).env_clear().env("PATH", "/usr/bin:/bin").current_dir("/");
    Some(command.stdin(Stdio::null()).output().unwrap())
}

#[test]
fn a_viewer_looks_and_an_operator_acts_and_a_stranger_stays_outside() {
    let home = Home::new();
    let daemon = Daemon::start(&home, &[]);
    let Some(stranger) = as_nobody(&home, &["status"]) else { return };
    let (code, _, errors) = ended(&stranger);
    assert!(code == 1 && errors.contains("ermission denied"), "{errors}");
    assert_eq!(daemon.end(Signal::TERM).0, 0);

    home.config("(access: (viewers: [\"nobody\"]))");
    let daemon = Daemon::start(&home, &[]);
    assert_eq!(ended(&as_nobody(&home, &["status"]).unwrap()).0, 0);
    for verb in [&["rollback", "--all"][..], &["mode", "observe"], &["approve", "1"]] {
        let (code, out, errors) = ended(&as_nobody(&home, verb).unwrap());
        assert!(code == 1 && (out + &errors).contains("you are a viewer here, and that takes an operator"), "{verb:?}");
    }
    assert_eq!(daemon.end(Signal::TERM).0, 0);

    home.config("(access: (operators: [\"*\"]))");
    let daemon = Daemon::start(&home, &[]);
    assert_eq!(ended(&as_nobody(&home, &["rollback", "--all"]).unwrap()).0, 0);
    let (code, out, errors) = ended(&as_nobody(&home, &["mode", "auto"]).unwrap());
    assert!(code == 1 && (out + &errors).contains("that takes an admin"));
    let (code, out, _) = ended(&home.run(&["audit"]));
    assert!(code == 0 && !out.contains("-> auto") && out.contains("started in mode suggest"), "{out}");
    assert_eq!(daemon.end(Signal::TERM).0, 0);

    home.config("(access: (admins: [\"@no-such-group\"]))");
    let (code, _, errors) = ended(&home.run(&["daemon"]));
    assert!(code == 2 && errors.contains("no group @no-such-group"), "{errors}");
}

/// Looks on while the engine is killed and another one is started.
fn outlives(home: &Home, terminal: &mut Terminal, daemon: Daemon) -> Daemon {
    terminal.wait("the processes", PATIENCE, |text| text.contains("trimtab") && text.contains("mode suggest"));
    daemon.end_at_once();
    terminal.wait("the loss", PATIENCE, |text| text.contains("trying again"));
    let daemon = Daemon::start(home, &[]);
    terminal.wait("the return", PATIENCE, |text| text.contains("the connection is back") && !text.contains("trying again"));
    daemon
}

#[test]
fn the_screen_outlives_its_engine() {
    let home = Home::new();
    let daemon = Daemon::start(&home, &[]);
    let mut terminal = Terminal::start(&home.trimtab(&["attach"]), 40, 140);
    let daemon = outlives(&home, &mut terminal, daemon);
    let mut second = Terminal::start(&home.trimtab(&["attach"]), 40, 160);
    second.wait("both of us", PATIENCE, |text| text.contains("here 2"));
    terminal.press("q");
    assert!(terminal.wait_for_end(PATIENCE).success(), "{}", terminal.text());
    second.wait("one of us", PATIENCE, |text| !text.contains("here 2"));
    drop(second);
    assert_eq!(daemon.end(Signal::TERM).0, 0);
    let (code, _, errors) = ended(&home.run(&["status"]));
    assert_eq!(code, 3, "{errors}");
}

/// A ssh server of our own, with keys of its own.
struct Sshd(Child);

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Sshd {
    /// Starts one, and puts a `ssh` that knows it first in the path below `room`. `None` where this host has none.
    fn start(room: &Path) -> Option<Sshd> {
        if !rustix::process::geteuid().is_root() || !Path::new("/usr/sbin/sshd").exists() {
            eprintln!("skipped: needs root and an installed openssh-server");
            return None;
        }
        let file = |name: &str| room.join(name).display().to_string();
        for key in ["host", "user"] {
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &file(key)]).status().unwrap();
            assert!(made.success());
        }
        fs::create_dir_all("/run/sshd").unwrap();
        fs::copy(file("user.pub"), file("authorized")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (host, authorized) = (file("host"), file("authorized"));
        let server = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {host}\nAuthorizedKeysFile {authorized}\nPidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin prohibit-password\n"
        );
        fs::write(file("sshd_config"), server).unwrap();
        let user = file("user");
        let known = file("known");
        let client = format!(
            "Host web1\nHostName 127.0.0.1\nPort {port}\nUser root\nIdentityFile {user}\nIdentitiesOnly yes\nUserKnownHostsFile {known}\nStrictHostKeyChecking accept-new\n"
        );
        fs::write(file("ssh_config"), client).unwrap();
        fs::create_dir_all(room.join("bin")).unwrap();
        let ssh = room.join("bin/ssh");
        fs::write(&ssh, format!("#!/bin/sh\nexec /usr/bin/ssh -F {} \"$@\"\n", file("ssh_config"))).unwrap();
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new("/usr/sbin/sshd");
        let sshd = Sshd(command.args(["-D", "-q", "-f", &file("sshd_config")]).stdin(Stdio::null()).spawn().unwrap());
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::yield_now();
        }
        Some(sshd)
    }
}

#[test]
fn another_hosts_engine_is_reached_through_ssh_and_the_screen_outlives_it() {
    let (home, room) = (Home::new(), tempfile::tempdir().unwrap());
    let Some(_sshd) = Sshd::start(room.path()) else { return };
    let daemon = Daemon::start(&home, &[]);
    let attach = |host: &str| {
        let mut command = home.trimtab(&["attach", &format!("--host={host}")]);
        command.env("PATH", format!("{}:/usr/bin:/bin", room.path().join("bin").display()));
        command
    };
    let mut terminal = Terminal::start(&attach("web1"), 40, 140);
    let daemon = outlives(&home, &mut terminal, daemon);
    terminal.press("q");
    assert!(terminal.wait_for_end(PATIENCE).success(), "{}", terminal.text());
    assert_eq!(daemon.end(Signal::TERM).0, 0);
    for (host, why) in [
        ("web1", "no engine answers on web1:"),
        ("nohost.invalid", "ssh to nohost.invalid"),
        ("-oProxyCommand=x", "--host is a host"),
    ] {
        let mut terminal = Terminal::start(&attach(host), 40, 140);
        terminal.wait("why not", PATIENCE, |text| text.replace('\n', "").contains(why));
        assert!(!terminal.wait_for_end(PATIENCE).success());
    }
}
