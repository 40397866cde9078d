//! Which mounts are worth a row: what `df` shows, less what cannot fill up.

use crate::{
    model::knob::Root,
    sources::parse::{
        self,
        mountinfo::{self, Mount},
    },
};

/// Types without space of their own, and automount points, where asking would mount.
const WITHOUT_SPACE: &[&str] = &[
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "ramfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tracefs",
];

/// Images that are full by nature.
const IMAGES: &[&str] = &["cramfs", "erofs", "iso9660", "romfs", "squashfs", "udf"];

/// The mounts worth a row. Of several on one device the whole one with the shortest path counts; of several at one point the last.
pub fn choose(text: &str) -> Vec<Mount> {
    let mut chosen: Vec<Mount> = Vec::new();
    for mount in mountinfo::parse(text) {
        // Whatever was mounted here before is hidden now.
        chosen.retain(|other| other.at != mount.at);
        if !worthy(&mount) {
            continue;
        }
        match chosen.iter_mut().find(|other| other.number == mount.number) {
            Some(other) if rank(&mount) < rank(other) => *other = mount,
            Some(_) => {}
            None => chosen.push(mount),
        }
    }
    chosen
}

fn worthy(mount: &Mount) -> bool {
    let kind = mount.kind.as_str();
    let of_the_kernel = parse::place(&mount.at).root != Root::Top || mount.at.starts_with("/dev/");
    let odd_place = of_the_kernel && mount.at != "/dev/shm";
    let layers = kind == "overlay" && mount.at != "/";
    let sealed = kind == "tmpfs" && mount.options.split(',').any(|option| option == "ro");
    !(WITHOUT_SPACE.contains(&kind) || IMAGES.contains(&kind) || odd_place || layers || sealed)
}

/// Less is better: the whole filesystem before a bind mount of a part, then the shorter path.
fn rank(mount: &Mount) -> (bool, usize) {
    (mount.root != "/", mount.at.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn pseudo_filesystems_images_bind_mounts_and_hidden_mounts_are_left_out() {
        let text = "22 27 0:21 / /proc rw - proc proc rw\n\
            27 1 254:0 / / rw - ext4 /dev/vda rw\n\
            28 27 254:0 /srv/data /mnt/bind rw - ext4 /dev/vda rw\n\
            29 27 0:23 / /dev/shm rw - tmpfs tmpfs rw\n\
            30 29 0:27 / /dev/shm rw - tmpfs tmpfs rw\n\
            31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
            32 27 7:1 / /snap/core ro - squashfs /dev/loop1 ro\n\
            33 27 0:50 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n\
            34 27 0:51 / /mnt/nfs rw - nfs4 server:/x rw\n";
        let found: Vec<_> = choose(text).iter().map(|m| (m.at.clone(), m.number.1)).collect();
        assert_eq!(found, [("/".to_string(), 0), ("/dev/shm".to_string(), 27), ("/mnt/nfs".to_string(), 51)]);
    }

    #[test]
    fn a_container_sees_its_own_overlay_and_the_whole_wins_over_a_part() {
        let text = "1 0 0:9 / / rw - overlay overlay rw\n2 1 8:1 /etc/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n3 1 8:1 / /data rw - ext4 /dev/sda1 rw\n";
        let found: Vec<_> = choose(text).iter().map(|m| m.at.clone()).collect();
        assert_eq!(found, ["/", "/data"]);
    }
}
