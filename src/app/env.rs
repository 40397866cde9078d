//! What surrounds the program: user, environment, terminal. Read once, here, and handed down; nothing below asks for itself.

use crate::{app::console::kind::Says, store::stop};
use rustix::process::{getgid, getuid};
use std::{
    ffi::OsString,
    io::IsTerminal,
    path::{Path, PathBuf},
};

/// The surroundings.
#[derive(Clone, Debug)]
pub struct Env {
    /// Effective user.
    pub uid: u32,
    /// True when the program was made to run with more rights than its caller's.
    pub raised: bool,
    /// Name of the user, or number.
    pub user: String,
    /// How they came: `sudo by ann`, `ssh 10.0.0.7`, both, or empty.
    pub via: String,
    /// `$HOME`.
    pub home: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`.
    pub config: Option<PathBuf>,
    /// `$XDG_STATE_HOME`.
    pub state: Option<PathBuf>,
    /// `$XDG_RUNTIME_DIR`.
    pub runtime: Option<PathBuf>,
    /// `$STATE_DIRECTORY`, as systemd gives it to a service.
    pub service_state: Option<PathBuf>,
    /// `$RUNTIME_DIRECTORY`, as systemd gives it to a service.
    pub service_runtime: Option<PathBuf>,
    /// Where short-lived things go.
    pub tmp: PathBuf,
    /// `$NO_COLOR` is set and not empty (<https://no-color.org>).
    pub no_color: bool,
    /// What is said of the terminal.
    pub says: Says,
    /// They came through ssh.
    pub ssh: bool,
    /// Both ends are a terminal.
    pub terminal: bool,
    /// Path of this program.
    pub program: PathBuf,
}

impl Env {
    /// The surroundings of this process.
    pub fn here() -> Env {
        let var = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let path = |name: &str| var(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let uid = rustix::process::geteuid().as_raw();
        let raised = getuid() != rustix::process::geteuid() || getgid() != rustix::process::getegid();
        Env {
            uid,
            raised,
            user: text(var("USER")).unwrap_or_else(|| uid.to_string()),
            via: came(text(var("SUDO_USER")), text(var("SSH_CONNECTION"))),
            home: path("HOME"),
            config: path("XDG_CONFIG_HOME"),
            state: path("XDG_STATE_HOME"),
            runtime: path("XDG_RUNTIME_DIR"),
            service_state: path("STATE_DIRECTORY"),
            service_runtime: path("RUNTIME_DIRECTORY"),
            tmp: std::env::temp_dir(),
            says: says(&var),
            ssh: var("SSH_CONNECTION").is_some() || var("SSH_TTY").is_some(),
            no_color: var("NO_COLOR").is_some(),
            terminal: std::io::stdout().is_terminal() && std::io::stdin().is_terminal(),
            program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("trimtab")),
        }
    }

    /// Configuration files that may exist, the weakest first.
    pub fn config_files(&self) -> Vec<PathBuf> {
        let own = self.config.clone().or_else(|| self.home.as_ref().map(|home| home.join(".config")));
        let system = PathBuf::from("/etc/trimtab/config.ron");
        std::iter::once(system).chain(own.map(|dir| dir.join("trimtab/config.ron"))).collect()
    }

    /// Where the journal stands, if this user has a place for it.
    pub fn state_directory(&self) -> Option<PathBuf> {
        match &self.service_state {
            Some(given) => Some(given.clone()),
            None if self.uid == 0 => Some(PathBuf::from("/var/lib/trimtab")),
            None => {
                let base = self.state.clone().or_else(|| self.home.as_ref().map(|home| home.join(".local/state")))?;
                Some(base.join("trimtab"))
            }
        }
    }

    /// Where a console keeps what its operator chose: beside the state of this user, root too, and never with borrowed rights.
    pub fn console_file(&self) -> Option<PathBuf> {
        if self.raised {
            return None;
        }
        let base = self.state.clone().or_else(|| self.home.as_ref().map(|home| home.join(".local/state")))?;
        Some(base.join("trimtab/console.ron"))
    }

    /// The directory of sockets.
    pub fn runtime_directory(&self) -> PathBuf {
        let usual = || crate::link::socket::usual_directory(self.uid, self.runtime.as_deref(), &self.tmp);
        self.service_runtime.clone().unwrap_or_else(usual)
    }

    /// The file that stops everything while it is there.
    pub fn stop(&self, asked: Option<&str>) -> PathBuf {
        asked.map_or_else(|| self.runtime_directory().join(stop::FILE), PathBuf::from)
    }

    /// The socket of the engine.
    pub fn socket(&self, asked: Option<&Path>) -> PathBuf {
        asked.map_or_else(|| self.runtime_directory().join("engine.sock"), Path::to_path_buf)
    }
}

fn says(var: &dyn Fn(&str) -> Option<OsString>) -> Says {
    let get = |name: &str| text(var(name)).unwrap_or_default();
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().map(get).find(|value| !value.is_empty());
    Says { term: get("TERM"), colorterm: get("COLORTERM"), locale: locale.unwrap_or_default(), tmux: var("TMUX").is_some() }
}

fn text(value: Option<OsString>) -> Option<String> {
    value.map(|value| crate::model::text::clean(&value.to_string_lossy(), 32).to_string())
}

fn came(sudo: Option<String>, ssh: Option<String>) -> String {
    let ssh = ssh.and_then(|all| all.split(' ').next().map(|from| format!("ssh {from}")));
    let parts: Vec<String> = sudo.map(|name| format!("sudo by {name}")).into_iter().chain(ssh).collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> Env {
        Env { uid: 7, home: Some("/h".into()), config: None, state: None, service_state: None, ..Env::here() }
    }

    #[test]
    fn files_stand_where_the_base_directory_specification_puts_them() {
        let env = env();
        assert_eq!(env.config_files(), [Path::new("/etc/trimtab/config.ron"), Path::new("/h/.config/trimtab/config.ron")]);
        assert_eq!(env.state_directory().as_deref(), Some(Path::new("/h/.local/state/trimtab")));
        let root = Env { uid: 0, ..env.clone() };
        assert_eq!(root.state_directory().as_deref(), Some(Path::new("/var/lib/trimtab")));
        assert_eq!(env.console_file().as_deref(), Some(Path::new("/h/.local/state/trimtab/console.ron")));
        assert_eq!(Env { raised: true, ..env.clone() }.console_file(), None);
        assert_eq!(Env { home: None, ..env }.state_directory(), None);
    }

    #[test]
    fn the_way_of_the_operator_is_told() {
        assert_eq!(came(Some("ann".into()), Some("10.0.0.7 1 2 3".into())), "sudo by ann, ssh 10.0.0.7");
        assert_eq!(came(None, None), "");
    }
}
