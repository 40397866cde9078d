//! What every part of the demo has in common: it dies with the demo, and by itself when its time is over.
//!
//! `PR_SET_PDEATHSIG` (prctl(2)) kills it the moment the demo ends, however that ends; that it looks at its parent and its clock
//! besides is for the instant before that is set.

use crate::{
    app::failure::Failure,
    host::{host::Host, real::RealHost},
    model::time::Tick,
};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal, setsid};
use sha2::{Digest, Sha256};
use std::{ffi::CStr, time::Duration};

/// Name of the service's process.
pub const SERVICE: &str = "demo-service";
/// Name of a hog's process.
pub const BATCH: &CStr = c"demo-batch";

/// The life of a part.
pub struct Life {
    host: RealHost,
    parent: u32,
    end: Tick,
}

impl Life {
    /// Ties this process to the demo's, in a session of its own, under a name of its own.
    pub fn begin(name: &CStr, parent: u32, seconds: u64) -> Result<Life, Failure> {
        set_parent_process_death_signal(Some(Signal::KILL)).map_err(Failure::new)?;
        let host = RealHost::default();
        let end = host.now().tick + Duration::from_secs(seconds);
        let life = Life { host, parent, end };
        if life.is_over() {
            return Err(Failure::new("the demo has ended already"));
        }
        setsid().map_err(Failure::new)?;
        rustix::thread::set_name(name).map_err(Failure::new)?;
        Ok(life)
    }

    /// True when the demo has ended or the time is over.
    pub fn is_over(&self) -> bool {
        getppid().map(Pid::as_raw_nonzero).is_none_or(|pid| u32::try_from(pid.get()) != Ok(self.parent))
            || self.host.now().tick >= self.end
    }

    /// The machine, for its clock.
    pub fn host(&self) -> &RealHost {
        &self.host
    }
}

/// Some microseconds of honest work: a hash over its own result, so that no part of it can be left out.
pub fn work(state: &mut [u8; 32]) {
    for _ in 0..64 {
        *state = Sha256::digest(&state[..]).into();
    }
}
