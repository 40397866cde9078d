//! `/proc/self/mountinfo` (Documentation/filesystems/proc.rst, 3.5).

use crate::host::mounts::plain;

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Device number.
    pub number: (u32, u32),
    /// The directory of the filesystem that is mounted: not `/` for a bind mount of a part.
    pub root: String,
    /// Mount point, octal escapes undone.
    pub at: String,
    /// Type.
    pub kind: String,
    /// Source, such as `/dev/vda1`.
    pub device: String,
    /// Options of the filesystem: for cgroup v1 its controllers.
    pub options: String,
    /// Options of this mount, such as `rw,noatime`.
    pub own: String,
    /// Nothing can be written here, be it for this mount or for the whole filesystem.
    pub read_only: bool,
}

/// All mounts, in the order in which they were mounted. Malformed lines are left out.
pub fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<Mount> {
    // 36 35 98:0 /root /at rw,noatime shared:1 - ext3 /dev/root rw: the optional fields end with a lone dash.
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(2);
    let (major, minor) = left.next()?.split_once(':')?;
    let (root, at, own) = (left.next()?, left.next()?, left.next().unwrap_or(""));
    let mut right = right.split(' ');
    let (kind, device, options) = (plain(right.next()?), plain(right.next()?), right.next().unwrap_or("").to_string());
    let sealed = |options: &str| options.split(',').any(|option| option == "ro");
    Some(Mount {
        read_only: sealed(own) || sealed(&options),
        number: (major.parse().ok()?, minor.parse().ok()?),
        own: own.to_string(),
        root: plain(root),
        at: plain(at),
        kind,
        device,
        options,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn mounts_with_escapes_and_optional_fields() {
        let text = "36 35 98:0 / /mnt/my\\040disk rw,noatime master:1 shared:2 - ext4 /dev/sdb1 rw,errors=continue\n\
                    32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\nbroken line - x\n";
        let all = parse(text);
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].number, all[0].at.as_str(), all[0].kind.as_str()), ((98, 0), "/mnt/my disk", "ext4"));
        assert_eq!((all[1].device.as_str(), all[1].options.as_str()), ("cgroup", "rw,cpu"));
    }
}
