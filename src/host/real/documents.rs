//! Small files below `/etc` that are trimtab's own: written whole and durable, taken away again, never over a file of somebody else.
//!
//! A write goes to a temporary file beside it, which is synced and renamed, and then the directory is synced: a crash leaves the old
//! content or the new one (rename(2), fsync(2)).

use super::RealHost;
use crate::{
    host::{
        error::{HostError, Kind},
        host::{Host, Touch},
    },
    model::{
        document::{NONE, is_ours, may_stand},
        knob::Place,
    },
};
use rustix::fs::{AtFlags, CWD, RenameFlags, renameat_with};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Its text; `none` where there is no such file.
pub(super) fn get(host: &RealHost, place: &Place) -> Touch<String> {
    match host.text(place) {
        Err(e) if e.kind == Kind::Absent => Ok(NONE.into()),
        other => other,
    }
}

/// Writes it whole, or takes it away.
pub(super) fn set(host: &RealHost, place: &Place, text: &str) -> Touch<()> {
    let failed = |e: io::Error| HostError::new("write", place, &e).needing("root");
    let old = own(host, place)?;
    let path = host.path(place);
    let directory = path.parent().ok_or_else(|| failed(io::Error::from_raw_os_error(libc::EINVAL)))?;
    if text != NONE {
        return write(directory, &path, (text, old.is_some())).map_err(failed);
    }
    if old.is_some() {
        fs::remove_file(&path).and_then(|()| sync(directory)).map_err(failed)?;
    }
    if place.path.starts_with("systemd/") {
        // A directory of drop-ins says nothing once it is empty; where others have theirs, it stays.
        let _stays = fs::remove_dir(directory);
    }
    Ok(())
}

/// Whether it could be written and taken away again.
pub(super) fn may_set(host: &RealHost, place: &Place) -> Touch<()> {
    own(host, place)?;
    let path = host.path(place);
    let standing = path.ancestors().skip(1).find(|directory| directory.exists()).unwrap_or(Path::new("."));
    rustix::fs::accessat(CWD, standing, rustix::fs::Access::WRITE_OK, AtFlags::EACCESS)
        .map_err(|e| HostError::new("write", place, &e.into()).needing("root"))
}

/// The present text, if there is one, where the place is one of ours and so is what stands there.
fn own(host: &RealHost, place: &Place) -> Touch<Option<String>> {
    if !may_stand(place) {
        return Err(HostError::plain("write", place, Kind::Invalid, "trimtab writes no such file"));
    }
    let old = match fs::symlink_metadata(host.path(place)) {
        Ok(found) if found.is_file() => host.text(place)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(_) => return Err(foreign(place)),
        Err(e) => return Err(HostError::new("read", place, &e)),
    };
    if is_ours(&old) { Ok(Some(old)) } else { Err(foreign(place)) }
}

fn foreign(place: &Place) -> HostError {
    HostError::plain("write", place, Kind::Invalid, "what stands there is not trimtab's: it is left alone")
}

fn write(directory: &Path, path: &Path, (text, over): (&str, bool)) -> io::Result<()> {
    if !directory.exists() {
        fs::create_dir(directory)?;
        directory.parent().map_or(Ok(()), sync)?;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = directory.join(format!(".{name}.new"));
    // What a crash left of an earlier try.
    let _none_left = fs::remove_file(&beside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&beside)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| {
        let flags = if over { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
        Ok(renameat_with(CWD, &beside, CWD, path, flags)?)
    });
    if written.is_err() {
        let _gone = fs::remove_file(&beside);
    }
    written.and_then(|()| sync(directory))
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
