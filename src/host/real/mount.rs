//! Options of one mount (mount(2), "Remounting an existing mount"): with MS_BIND beside MS_REMOUNT the filesystem itself and its other
//! mounts stay as they are.

use super::RealHost;
use crate::{
    host::{
        error::{HostError, Kind},
        host::{Host, Touch},
        mounts,
    },
    model::knob::Place,
};
use rustix::mount::{MountFlags, mount_remount};

/// The options, as mountinfo has them.
pub(super) fn get(host: &RealHost, at: &str) -> Touch<String> {
    let text = host.text(&Place::proc("self/mountinfo"))?;
    let found = mounts::options(&text, at).map(|(_, options)| options.to_string());
    found.ok_or_else(|| HostError::plain("find", at, Kind::Gone, "it is not mounted any more"))
}

/// Sets them all: what is not named is off.
pub(super) fn set(host: &RealHost, at: &str, options: &str) -> Touch<()> {
    let unknown = |name: &str| HostError::plain("remount", at, Kind::Invalid, format!("option {name} is not known here"));
    let flags = flags(options).map_err(unknown)?;
    mount_remount(host.path(&Place::top(at)), MountFlags::BIND | flags, "")
        .map_err(|e| HostError::new("remount", at, &e.into()).needing("CAP_SYS_ADMIN"))
}

/// Flags of options; the first one unknown otherwise. A mount without a word about access times writes them all (strictatime).
fn flags(options: &str) -> Result<MountFlags, &str> {
    let mut flags = MountFlags::empty();
    for name in options.split(',') {
        flags |= match name {
            "rw" => MountFlags::empty(),
            "ro" => MountFlags::RDONLY,
            "nosuid" => MountFlags::NOSUID,
            "nodev" => MountFlags::NODEV,
            "noexec" => MountFlags::NOEXEC,
            "noatime" => MountFlags::NOATIME,
            "nodiratime" => MountFlags::NODIRATIME,
            "relatime" => MountFlags::RELATIME,
            "nosymfollow" => MountFlags::NOSYMFOLLOW,
            other => return Err(other),
        };
    }
    if !flags.intersects(MountFlags::NOATIME | MountFlags::RELATIME) {
        flags |= MountFlags::STRICTATIME;
    }
    Ok(flags)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn no_option_is_lost_and_none_is_guessed() {
        assert_eq!(flags("rw,nosuid,noatime"), Ok(MountFlags::NOSUID | MountFlags::NOATIME));
        assert_eq!(flags("ro,relatime"), Ok(MountFlags::RDONLY | MountFlags::RELATIME));
        assert_eq!(flags("rw"), Ok(MountFlags::STRICTATIME), "mountinfo has no word for it");
        assert_eq!(flags("rw,idmapped"), Err("idmapped"));
    }
}
