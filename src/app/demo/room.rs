//! The demo's own directory: journal, socket and figures of one run, removed at its end.

use crate::{
    app::{env::Env, failure::Failure},
    host::{host::Host, real::RealHost},
    link::socket::private_directory,
    model::knob::Place,
    store::lock::Lock,
};
use std::path::{Path, PathBuf};

const PREFIX: &str = "demo-";

/// The directory. Its removal is the end of the run.
#[derive(Debug)]
pub struct Room(PathBuf);

impl Drop for Room {
    fn drop(&mut self) {
        // What cannot be removed is swept by the next demo.
        let _swept_later = std::fs::remove_dir_all(&self.0);
    }
}

impl Room {
    /// Makes one, and sweeps those of demos that were killed.
    pub fn make(env: &Env) -> Result<Room, Failure> {
        let all = env.runtime_directory();
        private_directory(&all, env.uid)?;
        sweep(&all);
        let own = all.join(format!("{PREFIX}{}", std::process::id()));
        private_directory(&own, env.uid)?;
        Ok(Room(own))
    }

    /// Where the journal stands.
    pub fn state(&self) -> PathBuf {
        self.0.join("state")
    }

    /// Where the engine listens.
    pub fn socket(&self) -> PathBuf {
        self.0.join("engine.sock")
    }

    /// Where the prober writes.
    pub fn metrics(&self) -> PathBuf {
        self.0.join("service.prom")
    }
}

fn sweep(all: &Path) {
    let host = RealHost::default();
    for entry in std::fs::read_dir(all).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid: Option<u32> = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
        let Some(pid) = pid else { continue };
        // A guard may still be at work for a demo that was killed: its directory waits for the one after next.
        let dead = host.inode(&Place::proc(pid.to_string())).is_err();
        if dead && Lock::take(&entry.path().join("state")).is_ok() {
            let _swept_later = std::fs::remove_dir_all(entry.path());
        }
    }
}
