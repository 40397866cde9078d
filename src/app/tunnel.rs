//! The way to an engine on another host: the system's own ssh carries its socket here (ssh(1), `-L` with two sockets), so that keys, agents,
//! jump hosts and `~/.ssh/config` work as they always do, and the other side sees the user that ssh logged in.

use crate::{
    app::{env::Env, failure::Failure},
    link::socket::private_directory,
};
use std::{
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::time::sleep;

/// Between two looks whether it stands.
const LOOK: Duration = Duration::from_millis(50);

/// Where a system's engine listens.
pub const SYSTEM: &str = "/run/trimtab/engine.sock";

/// A running ssh with a socket at this end.
#[derive(Debug)]
pub struct Tunnel {
    host: String,
    remote: PathBuf,
    /// Ours alone; removed at the end.
    room: PathBuf,
    ssh: Option<Child>,
}

impl Tunnel {
    /// Opens one to `host` as ssh names it, and to the socket `remote` there. ssh may ask for a password on the terminal.
    pub async fn open(host: &str, remote: Option<&Path>, env: &Env) -> Result<Tunnel, Failure> {
        if host.is_empty() || host.starts_with('-') || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(Failure::usage("--host is a host as ssh names it, such as web1 or ann@10.0.0.7"));
        }
        let remote = remote.unwrap_or(Path::new(SYSTEM)).to_path_buf();
        if !remote.is_absolute() || remote.to_string_lossy().contains(':') {
            return Err(Failure::usage(format!("{}: the socket on {host} is an absolute path without a colon", remote.display())));
        }
        let all = env.runtime_directory();
        private_directory(&all, env.uid)?;
        let room = all.join(format!("ssh-{}", std::process::id()));
        private_directory(&room, env.uid)?;
        let mut tunnel = Tunnel { host: host.into(), remote, room, ssh: None };
        tunnel.start(&[]).await?;
        Ok(tunnel)
    }

    /// This end.
    pub fn socket(&self) -> PathBuf {
        self.room.join("engine.sock")
    }

    /// Where it leads, for messages.
    pub fn place(&self) -> String {
        format!("{}:{}", self.host, self.remote.display())
    }

    /// Starts ssh anew if it has ended. Nobody can be asked for a password any more.
    pub async fn mend(&mut self) -> Result<(), Failure> {
        match self.ssh.as_mut().map(Child::try_wait) {
            Some(Ok(None)) => Ok(()),
            _ => self.start(&["-oBatchMode=yes"]).await,
        }
    }

    async fn start(&mut self, more: &[&str]) -> Result<(), Failure> {
        let mut command = Command::new("ssh");
        command.args(["-N", "-T", "-oExitOnForwardFailure=yes", "-oStreamLocalBindUnlink=yes", "-oStreamLocalBindMask=0177"]);
        // Views are text: compressed, a host with a hundred processes takes 9 KB/s of the line instead of 67.
        command.arg("-oCompression=yes");
        // A line that is dead is noticed after a quarter of a minute.
        command.args(["-oServerAliveInterval=5", "-oServerAliveCountMax=3", "-oConnectTimeout=15"]).args(more);
        command.arg("-L").arg(format!("{}:{}", self.socket().display(), self.remote.display()));
        command.arg("--").arg(&self.host).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn().map_err(|e| Failure::new(format!("cannot start ssh: {e}")))?;
        let ssh = self.ssh.insert(child);
        loop {
            if let Ok(Some(_)) = ssh.try_wait() {
                let mut said = String::new();
                let _as_far_as_it_goes = ssh.stderr.take().map(|mut stderr| stderr.read_to_string(&mut said));
                let said = crate::model::text::clean(said.trim().lines().last().unwrap_or("it ended without a word"), 200);
                return Err(Failure::new(format!("ssh to {}: {said}", self.host)));
            }
            if std::os::unix::net::UnixStream::connect(self.room.join("engine.sock")).is_ok() {
                return Ok(());
            }
            sleep(LOOK).await;
        }
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        if let Some(mut ssh) = self.ssh.take() {
            let _ended_already = ssh.kill();
            let _reaped = ssh.wait();
        }
        // What cannot be removed is an empty room of a process that is no more.
        let _left = std::fs::remove_dir_all(&self.room);
    }
}
