//! Open files and tasks of the whole host, and how many there may be: `/proc/sys/fs/file-nr`, the fourth word of `/proc/loadavg`
//! (proc(5)) and two settings of the kernel. What cannot be read is left out.

use crate::{
    host::{error::HostError, host::Host},
    model::{
        knob::Place,
        sample::{Sample, SourceName},
        tables::{Files, Tables as Sampled, Tasks},
    },
    sources::{
        parse,
        source::{Lane, Source, SourceAbout},
    },
};
use std::time::Duration;

/// The source.
#[derive(Default)]
pub struct Tables {
    buffer: Vec<u8>,
}

impl Source for Tables {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Tables,
            lane: Lane::Seldom(5),
            deadline: Duration::from_millis(1500),
            reads: "/proc/sys/fs/file-nr, /proc/loadavg, kernel.pid_max and threads-max",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        let mut text = |file: &str| {
            host.read(&Place::proc(file), &mut self.buffer).ok()?;
            Some(parse::text(&self.buffer).into_owned())
        };
        let files = text("sys/fs/file-nr").and_then(|text| parse_file_nr(&text));
        let used = text("loadavg").and_then(|text| parse_tasks(&text));
        let mut limit = |file: &str| text(file).and_then(|text| parse::whole(&text));
        let limits = limit("sys/kernel/pid_max").zip(limit("sys/kernel/threads-max"));
        let tasks = used.zip(limits).map(|(used, (pid_max, threads_max))| Tasks { used, pid_max, threads_max });
        Ok(Sample::Tables(Sampled { files, tasks }))
    }
}

/// `1952 0 808412`: handles there are, of these unused, and how many there may be.
pub fn parse_file_nr(text: &str) -> Option<Files> {
    let mut fields = text.split_ascii_whitespace().map(|word| word.parse::<u64>().ok());
    let (handles, unused, most) = (fields.next()??, fields.next()??, fields.next()??);
    Some(Files { used: handles.saturating_sub(unused), most })
}

/// `0.20 0.18 0.12 1/80 11206`: of the fourth word what stands behind the slash.
pub fn parse_tasks(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().nth(3)?.split_once('/')?.1.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    fn read(host: &RecordedHost) -> Sampled {
        let Ok(Sample::Tables(found)) = Tables::default().read(host) else { panic!("no sample") };
        found
    }

    #[test]
    fn what_is_in_use_stands_beside_what_there_may_be() {
        let host = RecordedHost::default();
        host.put("/proc/sys/fs/file-nr", "1952\t52\t808412\n");
        host.put("/proc/loadavg", "0.20 0.18 0.12 1/8000 11206\n");
        assert_eq!(read(&host), Sampled { files: Some(Files { used: 1900, most: 808_412 }), tasks: None });
        host.put("/proc/sys/kernel/pid_max", "32768\n");
        host.put("/proc/sys/kernel/threads-max", "10000\n");
        let tasks = read(&host).tasks.unwrap();
        assert_eq!((tasks.used, tasks.most(), tasks.share()), (8000, 10_000, 0.8));
        assert_eq!(read(&RecordedHost::default()), Sampled::default());
    }

    #[test]
    fn other_words_are_no_numbers() {
        for text in ["", "1", "1 2", "1 2 x", "a b c"] {
            assert_eq!(parse_file_nr(text), None, "{text}");
        }
        for text in ["", "0 0 0", "0 0 0 7 8", "0 0 0 1/x 8"] {
            assert_eq!(parse_tasks(text), None, "{text}");
        }
    }
}
