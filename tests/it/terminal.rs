//! A terminal for tests: a pseudo-terminal with the real binary on its other end, and a screen that is read as a person would.

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags, fcntl_setfl, open},
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};
use std::{
    os::fd::OwnedFd,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// A program in a terminal. Killed and reaped when dropped.
pub struct Terminal {
    master: Option<OwnedFd>,
    screen: vt100::Parser,
    /// What came since it was last asked for.
    raw: Vec<u8>,
    /// The program: its pid is the program's own.
    pub child: Child,
}

impl Terminal {
    /// Starts the command in a new terminal of that size, as leader of a session of its own.
    pub fn start(command: &Command, rows: u16, columns: u16) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = open(&*name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        tcsetwinsize(&slave, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        fcntl_setfl(&master, OFlags::NONBLOCK).unwrap();
        // setsid(1) makes the terminal the controlling one and becomes the program.
        let mut session = Command::new("setsid");
        session.arg("--ctty").arg(command.get_program()).args(command.get_args()).env_clear();
        session.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let end = |fd: &OwnedFd| Stdio::from(fd.try_clone().unwrap());
        let child = session.stdin(end(&slave)).stdout(end(&slave)).stderr(end(&slave)).spawn().unwrap();
        Terminal { master: Some(master), screen: vt100::Parser::new(rows, columns, 0), raw: Vec::new(), child }
    }

    /// What stands on the screen.
    pub fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// The bytes that came since this was last asked for.
    pub fn sent(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.raw)
    }

    /// Makes it larger or smaller, as a window is; the program is told by the kernel.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        tcsetwinsize(self.master.as_ref().unwrap(), Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        self.screen.screen_mut().set_size(rows, columns);
    }

    /// True when keys are echoed and lines are edited by the kernel, as a shell wants it.
    pub fn is_cooked(&self) -> bool {
        let modes = tcgetattr(self.master.as_ref().unwrap()).unwrap().local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON)
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        rustix::io::write(self.master.as_ref().unwrap(), keys.as_bytes()).unwrap();
    }

    /// Reads until the screen is as wanted; a screen that does not come is shown in the failure.
    pub fn wait(&mut self, what: &str, patience: Duration, wanted: impl Fn(&str) -> bool) -> String {
        self.wait_for(what, patience, |screen| wanted(&screen.contents()));
        self.text()
    }

    /// The same, where colours matter.
    pub fn wait_for(&mut self, what: &str, patience: Duration, wanted: impl Fn(&vt100::Screen) -> bool) {
        let end = Instant::now() + patience;
        while !wanted(self.screen.screen()) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && self.read(left), "{what} did not come:\n{}", self.text());
        }
    }

    /// Reads until these bytes are among those that came since they were last asked for.
    pub fn wait_for_bytes(&mut self, what: &str, patience: Duration, wanted: &str) {
        let end = Instant::now() + patience;
        while !self.raw.windows(wanted.len()).any(|bytes| bytes == wanted.as_bytes()) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && self.read(left), "{what} did not come:\n{}", self.text());
        }
    }

    /// Reads until the program closes the terminal, then gives how it ended.
    pub fn wait_for_end(&mut self, patience: Duration) -> ExitStatus {
        let end = Instant::now() + patience;
        while self.read(end.saturating_duration_since(Instant::now())) {
            assert!(Instant::now() < end, "it does not end:\n{}", self.text());
        }
        self.child.wait().unwrap()
    }

    /// Hangs up, as a closed window or a lost connection does.
    pub fn hang_up(&mut self) {
        self.master = None;
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Reads what comes within the patience; false when the other end is closed.
    fn read(&mut self, patience: Duration) -> bool {
        let master = self.master.as_ref().unwrap();
        let timeout = Timespec::try_from(patience).unwrap();
        let mut ready = [PollFd::new(master, PollFlags::IN)];
        poll(&mut ready, Some(&timeout)).unwrap();
        let mut bytes = [0; 65_536];
        match rustix::io::read(master, &mut bytes) {
            Ok(n) => {
                self.screen.process(&bytes[..n]);
                self.raw.extend_from_slice(&bytes[..n]);
                n > 0
            }
            Err(rustix::io::Errno::AGAIN) => true,
            // EIO: nobody holds the other end any more.
            Err(_) => false,
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
