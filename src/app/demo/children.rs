//! The children of the demo: started, and gone when this is dropped.
//!
//! The kernel ties them to the *thread* that starts them (prctl(2)), so that it must be the one that lives longest: the main one.

use crate::app::{demo::prober::HISTOGRAM, failure::Failure};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// All of them.
#[derive(Debug, Default)]
pub struct Children(Vec<Child>);

impl Drop for Children {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // One that has ended already is as good.
            let _ended = child.kill();
        }
        for child in &mut self.0 {
            let _reaped = child.wait();
        }
    }
}

/// How to start them.
#[derive(Clone, Debug)]
pub struct Cast {
    /// This program.
    pub program: PathBuf,
    /// How long they live at most.
    pub seconds: u64,
    /// How many hogs.
    pub hogs: u32,
    /// Where the prober writes.
    pub metrics: PathBuf,
}

impl Children {
    /// Starts the service, the prober and the hogs. When one cannot be started, those that were are ended.
    pub fn start(cast: &Cast) -> Result<Children, Failure> {
        let mut all = Children::default();
        let service = all.add(cast.part("service").stdout(Stdio::piped()))?;
        let port = service.stdout.take().and_then(|out| {
            let mut line = String::new();
            BufReader::new(out).read_line(&mut line).ok().and_then(|_| line.trim().parse::<u16>().ok())
        });
        let port = port.ok_or_else(|| Failure::new("the demo's service did not start"))?;
        all.add(cast.part("prober").arg("--file").arg(&cast.metrics).arg("--port").arg(port.to_string()))?;
        for _ in 0..cast.hogs {
            all.add(&mut cast.part("batch"))?;
        }
        Ok(all)
    }

    fn add(&mut self, command: &mut Command) -> Result<&mut Child, Failure> {
        let child = command.spawn().map_err(|e| Failure::new(format!("a part of the demo cannot be started: {e}")))?;
        self.0.push(child);
        self.0.last_mut().ok_or_else(|| Failure::new("no part of the demo was started"))
    }
}

impl Cast {
    fn part(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["demo-part", name, "--parent", &std::process::id().to_string(), "--seconds", &self.seconds.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// What to watch.
    pub fn watch(&self) -> crate::model::limits::ServiceWatch {
        crate::model::limits::ServiceWatch {
            name: "demo".into(),
            file: path_text(&self.metrics),
            histogram: HISTOGRAM.into(),
            process: super::part::SERVICE.into(),
        }
    }
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
