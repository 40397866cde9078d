//! Open files by kind, and namespaces: the links below `/proc/PID/fd` and `/proc/PID/ns` (proc_pid_fd(5), namespaces(7)).

use super::{file, part};
use crate::{
    host::host::Host,
    model::{
        inspection::{Files, MOST_PATHS, Namespace, Part},
        knob::Place,
        text::clean,
    },
    sources::parse,
};
use std::sync::Arc;

/// Links that are read at most.
const MOST: usize = 2048;

/// Open files, and the inodes of sockets among them.
pub fn files(host: &dyn Host, pid: u32) -> Part<(Files, Vec<u64>)> {
    let directory = file(pid, "fd");
    let mut names = Vec::new();
    part(host.list(&directory, &mut names))?;
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    let mut files = Files { open: u32::try_from(numbers.len()).unwrap_or(u32::MAX), ..Files::default() };
    let (mut inodes, mut devices) = (Vec::new(), Vec::new());
    for number in numbers.into_iter().take(MOST) {
        // One that was closed meanwhile is not open.
        let Ok(target) = host.link(&directory.join(&number.to_string())) else { continue };
        files.seen += 1;
        let path = || -> (u32, Arc<str>) { (number, clean(&target, 512)) };
        match target.as_str() {
            socket if socket.starts_with("socket:[") => {
                files.sockets += 1;
                inodes.extend(parse::namespace(socket));
            }
            pipe if pipe.starts_with("pipe:[") => files.pipes += 1,
            made if made.starts_with("anon_inode:") || made.starts_with("/memfd:") => files.anonymous += 1,
            device if device.starts_with("/dev/") && !device.starts_with("/dev/shm/") => {
                files.devices += 1;
                if devices.len() < MOST_PATHS {
                    devices.push(path());
                }
            }
            named => {
                files.files += 1;
                files.deleted += u32::from(named.ends_with(" (deleted)"));
                if files.paths.len() < MOST_PATHS {
                    files.paths.push(path());
                }
            }
        }
    }
    files.paths.extend(devices);
    files.paths.truncate(MOST_PATHS);
    Ok((files, inodes))
}

const KINDS: [&str; 8] = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];

/// Namespaces, and whether they are ours as well. A kernel may lack some kinds.
pub fn namespaces(host: &dyn Host, pid: u32) -> Part<Vec<Namespace>> {
    let inode = |of: &str, kind: &str| {
        let link = host.link(&Place::proc(format!("{of}/ns/{kind}")))?;
        Ok(parse::namespace(&link).unwrap_or(0))
    };
    let mut found = Vec::new();
    let mut failed = None;
    for kind in KINDS {
        match inode(&pid.to_string(), kind) {
            Ok(its) => found.push(Namespace { kind: kind.into(), inode: its, ours: inode("self", kind) == Ok(its) }),
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) if found.is_empty() => part(Err(error)),
        _ => Ok(found),
    }
}
