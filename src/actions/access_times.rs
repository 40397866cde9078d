//! Whether reading a file writes down when (catalogue S8; mount(8) "noatime", mount(2)).
//!
//! Changes: the options of one mount to `noatime`; the filesystem, its other mounts and /etc/fstab stay as they are.
//! Helps when: a disk that is only read writes small things all the time: the times at which files were read.
//! Hurts when: somebody needs those times: mail readers of old, cleaners of temporary files.
//! Undone how: the mount is given its options before; times not written meanwhile are not made up.
//!
//! Never `/` and `/boot`: too much looks at them.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            refuse::{from_host, gone, nothing, refusal},
            setting::Setting,
            steps,
            trial::{self, rise},
        },
    },
    host::{host::Host, mounts},
    model::{
        finding::{Finding, FindingKind},
        knob::{Knob, Place},
        metric::{Key, Metric},
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        snapshot::{Disk, Filesystem},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Bytes of a write that is small.
const SMALL: f64 = 16.0 * 1024.0;
/// Writes per second that are worth it.
const WRITES: f64 = 5.0;
/// So much more is read than written.
const READS: f64 = 4.0;

/// Times of access.
pub struct AccessTimes;

impl Setting for AccessTimes {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "access-times",
            row: "S8",
            changes: "the options of a mount to noatime (never / or /boot; not fstab)",
            helps: "a disk that is only read writes small things all the time",
            hurts: "somebody needs to know when files were read",
            undone: "the mount is given its options before",
            risk: Risk::Medium,
            needs: "CAP_SYS_ADMIN",
            cooldown: 3600.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let slow = world.findings.iter().filter(|f| f.id.kind == FindingKind::DiskLatency);
        slow.filter_map(|finding| self.relief(world, finding)).collect()
    }

    /// The want's text is the option alone: the others are those that the mount has.
    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let text = host.text(&Place::proc("self/mountinfo")).map_err(|e| from_host(&e, "read access to it"))?;
        let mut steps = Vec::new();
        for want in &proposal.wants {
            let Subject::Filesystem(at) = &want.on else { continue };
            if !may_change(at) {
                return Err(refusal(Obstacle::Protected, format!("{at} is needed to start and to log in: remount it by hand.")));
            }
            let (number, before) = mounts::options(&text, at).ok_or_else(gone)?;
            let after = with(before, &want.to);
            if after == before {
                return Err(nothing(format!("{at} is mounted {before}")));
            }
            let knob = Knob::Mount { at: at.to_string(), number };
            steps.push(steps::step(host, knob, after).map_err(|e| from_host(&e, Setting::about(self).needs))?);
        }
        Ok(steps)
    }
}

impl AccessTimes {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let Subject::Disk(name) = &finding.id.subject else { return None };
        let disk = world.snapshot.disk(name)?;
        let [_, small] = disk.request_size;
        let small = small.filter(|bytes| *bytes <= SMALL && disk.writes >= WRITES && disk.read >= READS * disk.write)?;
        // Somebody who writes by himself explains the writes.
        let written: f64 = world.snapshot.processes.known()?.iter().filter_map(|p| p.io).map(|[_, written]| written).sum();
        let mount = world.snapshot.filesystems.known()?.iter().find(|row| is_on(row, disk) && keeps_times(row))?;
        if written > disk.write / 2.0 {
            return None;
        }
        let trial =
            trial::of(world, Key::new(finding.id.subject.clone(), Metric::DiskLatency), vec![rise(Metric::PressureIoFull, 0.05)]);
        let (rate, size) = (Unit::PerSecond.show(disk.writes.round()), Unit::Bytes.show(small));
        Some(Proposal {
            title: format!("no access times on {}", mount.at.chars().take(38).collect::<String>()),
            why: format!("{name} is only read, and yet writes {rate} of {size} each, which no program asked for."),
            mechanism: "Reading a file there no longer writes down when it was read.".into(),
            expect: format!("{} Writes should all but end.", trial::outlook(world, &trial, 0.8)),
            undo: "The mount is given its options before at once; the filesystem and fstab are not touched.".into(),
            wants: vec![Want { on: Subject::Filesystem(mount.at.clone()), to: "noatime".into() }],
            // By default a time is written once a day at most.
            fit: if mount.options.contains("relatime") { 0.3 } else { 0.6 },
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Storage, trial)
        })
    }
}

fn may_change(at: &str) -> bool {
    at.starts_with('/') && at != "/" && at != "/boot" && !at.starts_with("/boot/")
}

/// On that disk or a partition of it.
fn is_on(row: &Filesystem, disk: &Disk) -> bool {
    let partitions = disk.layout.iter().flat_map(|layout| &layout.partitions);
    row.number == disk.device || partitions.into_iter().any(|(_, number)| *number == row.number)
}

fn keeps_times(row: &Filesystem) -> bool {
    !row.read_only && may_change(&row.at) && !row.options.is_empty() && !row.options.split(',').any(|option| option == "noatime")
}

/// The options with that one about access times, in the order in which the kernel shows them (`show_mnt_opts` of fs/proc_namespace.c).
fn with(options: &str, wished: &str) -> String {
    let times = |option: &str| matches!(option, "noatime" | "relatime" | "nodiratime");
    let kept = || options.split(',').filter(|option| !times(option));
    let before = kept().filter(|option| *option != "nosymfollow");
    before.chain([wished]).chain(kept().filter(|option| *option == "nosymfollow")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn every_other_option_stays_in_its_place() {
        assert_eq!(with("rw,nosuid,nodev,relatime", "noatime"), "rw,nosuid,nodev,noatime");
        assert_eq!(with("rw", "noatime"), "rw,noatime", "strictatime has no word");
        assert_eq!(with("rw,noexec,nodiratime,relatime,nosymfollow", "noatime"), "rw,noexec,noatime,nosymfollow");
        assert_eq!(with("rw,noatime", "noatime"), "rw,noatime");
    }

    #[test]
    fn what_the_host_starts_from_is_not_touched() {
        assert!(may_change("/srv") && may_change("/bootleg"));
        assert!(!may_change("/") && !may_change("/boot") && !may_change("/boot/efi") && !may_change("relative"));
    }

    #[test]
    fn a_filesystem_is_on_its_disk_or_a_partition_of_it() {
        let layout = crate::model::sample::DiskLayout { partitions: vec![("vda1".into(), (254, 1))], ..Default::default() };
        let disk = Disk { device: (254, 0), layout: Some(layout.into()), ..Disk::default() };
        let on = |number| is_on(&Filesystem { number, ..Filesystem::default() }, &disk);
        assert!(on((254, 0)) && on((254, 1)) && !on((8, 1)));
    }
}
