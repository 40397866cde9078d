//! Tables of the kernel that all of the host shares and that can be used up: open files (Documentation/admin-guide/sysctl/fs.rst,
//! `file-nr`) and tasks (sysctl/kernel.rst, `pid_max` and `threads-max`). States and no counters: the sample is what the snapshot shows.

use serde::{Deserialize, Serialize};

/// What is in use and what there may be; `None` where it cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tables {
    /// Open files of the whole host.
    pub files: Option<Files>,
    /// Tasks of the whole host.
    pub tasks: Option<Tasks>,
}

/// Open files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// Files open now.
    pub used: u64,
    /// `fs.file-max`; only the superuser opens more.
    pub most: u64,
}

/// Tasks: threads, each with a number of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tasks {
    /// Tasks there are.
    pub used: u64,
    /// `kernel.pid_max`: numbers that there are for them.
    pub pid_max: u64,
    /// `kernel.threads-max`: how many there may be.
    pub threads_max: u64,
}

impl Files {
    /// Share of all that may be open.
    pub fn share(&self) -> f64 {
        self.used as f64 / self.most.max(1) as f64
    }
}

impl Tasks {
    /// How many there may be: whichever of the two is reached first.
    pub fn most(&self) -> u64 {
        self.pid_max.min(self.threads_max)
    }

    /// Share of all that there may be.
    pub fn share(&self) -> f64 {
        self.used as f64 / self.most().max(1) as f64
    }
}
