//! Files and directories: read whole, listed, kept open.

use super::RealHost;
use crate::{
    host::{
        error::{HostError, Kind},
        host::{Handle, Host, Touch},
    },
    model::{knob::Place, sample::Space},
};
use rustix::{
    buffer::spare_capacity,
    io::{Errno, pread},
};
use std::{fs::File, io, os::unix::fs::MetadataExt, path::Path};

/// Replaces the content of `into` with the whole file.
pub(super) fn read(path: &Path, into: &mut Vec<u8>) -> io::Result<()> {
    read_from(&File::open(path)?, into)
}

/// Bytes of room for a read at the least.
const ROOM: usize = 4096;

/// Reads from the start; one `pread` suffices for nearly every `/proc` file once the buffer has grown.
pub(super) fn read_from(file: &File, into: &mut Vec<u8>) -> io::Result<()> {
    into.clear();
    loop {
        if into.capacity() - into.len() < ROOM / 4 {
            into.reserve(into.len().max(ROOM));
        }
        let (filled, room) = (into.len(), into.capacity() - into.len());
        let got = match pread(file, spare_capacity(into), filled as u64) {
            Ok(got) => got,
            Err(Errno::INTR) => continue,
            Err(e) => {
                into.clear();
                return Err(e.into());
            }
        };
        // seq files of /proc end a read at a record's end: only an empty read is the end, unless little was asked for and given.
        if got == 0 || (got < room && got < 1024 && filled < 1024) {
            return Ok(());
        }
    }
}

struct Kept {
    file: File,
    place: Place,
}

impl Handle for Kept {
    fn read(&self, into: &mut Vec<u8>) -> Touch<()> {
        read_from(&self.file, into).map_err(|e| HostError::new("read", &self.place, &e))?;
        if into.is_empty() {
            return Err(HostError::plain("read", &self.place, Kind::Gone, "it has ended"));
        }
        Ok(())
    }
}

/// Opens a file for repeated reading.
pub(super) fn open(path: &Path, place: &Place) -> Touch<Box<dyn Handle>> {
    let file = File::open(path).map_err(|e| HostError::new("open", place, &e))?;
    Ok(Box::new(Kept { file, place: place.clone() }))
}

/// Names in a directory.
pub(super) fn list(path: &Path, into: &mut Vec<String>) -> io::Result<()> {
    into.clear();
    for entry in std::fs::read_dir(path)? {
        into.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(())
}

/// Entries of a `/proc/PID/fd`: its size since Linux 6.2, counted before.
pub(super) fn descriptors(path: &Path) -> io::Result<u32> {
    let size = std::fs::metadata(path)?.size();
    let count = if size > 0 { size } else { std::fs::read_dir(path)?.count() as u64 };
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Space of a mount.
pub(super) fn space(path: &Path) -> io::Result<Space> {
    let fs = rustix::fs::statvfs(path)?;
    let block = fs.f_frsize;
    Ok(Space {
        total: fs.f_blocks * block,
        used: fs.f_blocks.saturating_sub(fs.f_bfree) * block,
        available: fs.f_bavail * block,
        inodes: fs.f_files,
        inodes_free: fs.f_ffree,
    })
}

/// The parent of a process, from field 4 of its `stat`.
pub(super) fn parent(host: &RealHost, pid: u32) -> Option<u32> {
    let text = host.text(&Place::proc(format!("{pid}/stat"))).ok()?;
    text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace().nth(1)?.parse().ok()
}
