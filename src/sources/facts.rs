//! Facts of the host, as a source: they seldom change and cost milliseconds.

use crate::{
    host::{error::HostError, host::Host},
    model::sample::{Sample, SourceName},
    sources::source::{Lane, Source, SourceAbout},
};
use std::{sync::Arc, time::Duration};

/// The source.
#[derive(Default)]
pub struct Facts;

impl Source for Facts {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Facts,
            lane: Lane::Apart(60),
            deadline: Duration::from_secs(5),
            reads: "names, rights, mounts of cgroups, users",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        Ok(Sample::Facts(Arc::new(host.facts())))
    }
}
