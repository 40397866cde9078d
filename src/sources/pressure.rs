//! Pressure stall information of the host: `/proc/pressure/{cpu,memory,io}` (Documentation/accounting/psi.rst).

use crate::{
    host::{
        error::{HostError, Kind},
        host::Host,
    },
    model::{
        knob::Place,
        sample::{PressureSample, Sample, SourceName, Stall},
    },
    sources::{
        kept::Kept,
        parse::{self, stall},
        source::{Lane, Source, SourceAbout},
    },
};
use std::time::Duration;

/// The source.
pub struct Pressure {
    files: [Kept; 3],
    buffer: Vec<u8>,
}

impl Default for Pressure {
    fn default() -> Self {
        let files = ["cpu", "memory", "io"].map(|name| Kept::new(Place::proc(format!("pressure/{name}"))));
        Pressure { files, buffer: Vec::new() }
    }
}

impl Source for Pressure {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Pressure,
            lane: Lane::Fast,
            deadline: Duration::from_millis(500),
            reads: "/proc/pressure/{cpu,memory,io}",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        let buffer = &mut self.buffer;
        let mut read = |file: &mut Kept| -> Result<Stall, HostError> {
            file.read(host, buffer).map_err(in_words)?;
            stall::parse(&parse::text(buffer)).ok_or_else(|| parse::malformed(file.place(), "the line `some`"))
        };
        let [cpu, memory, io] = &mut self.files;
        Ok(Sample::Pressure(PressureSample { cpu: read(cpu)?, memory: read(memory)?, io: read(io)? }))
    }
}

/// A kernel built without it has no files; one that has it switched off refuses to open (EOPNOTSUPP) or to have them.
fn in_words(error: HostError) -> HostError {
    match error.kind {
        Kind::Absent => HostError { source: "pressure is off in this kernel: boot with psi=1".into(), ..error },
        _ => error,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    #[test]
    fn a_kernel_without_it_says_what_to_do() {
        let error = Pressure::default().read(&RecordedHost::default()).unwrap_err();
        assert!(error.to_string().contains("boot with psi=1"), "{error}");
        let off = HostError::new("open", "/proc/pressure/cpu", &std::io::Error::from_raw_os_error(libc::EOPNOTSUPP));
        assert!(in_words(off).to_string().contains("boot with psi=1"));
    }
}
