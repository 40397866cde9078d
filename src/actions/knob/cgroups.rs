//! Where a controller's directory of a cgroup is: below its own mount in v1, below the unified one in v2 (cgroups(7)).

use crate::{
    actions::knob::refuse::{from_host, refusal},
    host::{
        error::{HostError, Kind},
        host::{Host, Touch},
    },
    model::{
        knob::{Knob, Place, Root},
        plan::{Obstacle, Refusal},
        sample::CgroupVersion,
    },
};

/// A cgroup's directory of a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Where.
    pub place: Place,
    /// Its inode: its identity beside the path.
    pub inode: u64,
    /// Which version, hence which file names.
    pub version: CgroupVersion,
}

impl Directory {
    /// The knob that is this file of it.
    pub fn knob(&self, file: &str) -> Knob {
        Knob::CgroupFile { directory: self.place.clone(), inode: self.inode, file: file.into() }
    }
}

/// Finds the directory that a controller such as `cpu` has of a cgroup path such as `/batch`; refuses one that is gone or that an
/// orchestrator owns.
pub fn find(host: &dyn Host, controller: &str, path: &str) -> Result<Directory, Refusal> {
    if let Some(owner) = owner(path) {
        return Err(refusal(Obstacle::Owned, format!("{owner} sets cgroup {path} and would set it back: change it there.")));
    }
    locate(host, controller, path).map_err(|e| from_host(&e, "read access to it"))
}

/// Who rewrites the cgroups of that path by itself.
pub fn owner(path: &str) -> Option<&'static str> {
    path.split('/').any(|part| part.starts_with("kubepods")).then_some("kubelet")
}

fn locate(host: &dyn Host, controller: &str, path: &str) -> Touch<Directory> {
    let none =
        || HostError::plain("find", format!("{controller} controller"), Kind::Absent, "no cgroup hierarchy with it is mounted");
    let (mount, version) = mount(&host.text(&Place::proc("self/mountinfo"))?, controller).ok_or_else(none)?;
    let place = Place { root: mount.root, path: format!("{}{path}", mount.path) };
    let inode = host.inode(&place).map_err(|e| if e.kind == Kind::Absent { HostError { kind: Kind::Gone, ..e } } else { e })?;
    Ok(Directory { place, inode, version })
}

/// The mount of a controller in `/proc/self/mountinfo`; v1 wins where both are there, since a controller is only in one.
fn mount(mountinfo: &str, controller: &str) -> Option<(Place, CgroupVersion)> {
    let mut unified = None;
    for line in mountinfo.lines() {
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let Some(at) = left.split(' ').nth(4) else { continue };
        let mut right = right.split(' ');
        match (right.next(), right.nth(1)) {
            (Some("cgroup"), Some(options)) if options.split(',').any(|o| o == controller) => {
                return Some((below(at), CgroupVersion::V1));
            }
            (Some("cgroup2"), _) if unified.is_none() => unified = Some((below(at), CgroupVersion::V2)),
            _ => {}
        }
    }
    unified
}

/// True when `/proc/self/mountinfo` shows a hierarchy of v1 with that controller.
pub fn has(mountinfo: &str, controller: &str) -> bool {
    mount(mountinfo, controller).is_some_and(|(_, version)| version == CgroupVersion::V1)
}

fn below(at: &str) -> Place {
    match at.strip_prefix(Root::Sys.usual()).and_then(|rest| rest.strip_prefix('/')) {
        Some(rest) => Place::sys(rest),
        None => Place::top(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_controller_is_found_in_either_version() {
        let v2 = "24 1 0:22 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let v1 = "31 1 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n\
                  32 1 0:30 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu\n";
        assert_eq!(mount(v2, "cpu"), Some((Place::sys("fs/cgroup/unified"), CgroupVersion::V2)));
        assert_eq!(mount(&format!("{v2}{v1}"), "cpu"), Some((Place::sys("fs/cgroup/cpu"), CgroupVersion::V1)));
        assert_eq!(mount(&format!("{v2}{v1}"), "memory"), Some((Place::sys("fs/cgroup/unified"), CgroupVersion::V2)));
        assert_eq!(mount("1 2 3", "cpu"), None);
    }
}
