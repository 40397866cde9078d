//! A filesystem that is nearly full, in bytes or in inodes; where it fills along a straight line, with the time that is left.

use crate::{
    analysis::{
        detect::report::{self, Report, evidence},
        trouble::{
            crossing,
            limits::{IMAGES, Limit},
        },
    },
    model::{
        finding::{FindingId, FindingKind, Level, Severity, Signal},
        metric::{Key, Metric},
        outlook::Crossing,
        sample::Space,
        snapshot::Filesystem,
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Catalogue E2: full within so many seconds is an emergency.
const SOON: f64 = 900.0;

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    let all = world.snapshot.filesystems.known().into_iter().flatten();
    let real = all.filter(|fs| !IMAGES.contains(&&*fs.kind));
    real.filter_map(|fs| full(world, fs)).filter_map(Report::signal).collect()
}

fn full(world: &World<'_>, fs: &Filesystem) -> Option<Report> {
    let limit = world.thresholds.filesystem;
    let (space, bytes, inodes) = (fs.space?, fs.used().unwrap_or(0.0), inodes(fs.space?));
    let used = bytes.max(inodes);
    let level = report::level(used, limit);
    // A few percent below "nearly full" is not seven tenths of it: space does not dance like a rate.
    if level == Level::Clear || used < limit - 0.02 {
        return None;
    }
    let key = Key::new(Subject::Filesystem(fs.at.clone()), Metric::FilesystemUsed);
    let left = time_left(world, &key);
    let at = report::short(&fs.at);
    let what = match inodes > bytes {
        true => format!("{} of its inodes in use, {} left", Unit::Share.show(inodes), Unit::Count.show(space.inodes_free as f64)),
        false => format!("{} full, {} left", Unit::Share.show(bytes), Unit::Bytes.show(space.available as f64)),
    };
    let when = left.as_ref().map_or_else(String::new, |left| format!(", full {}", report::when(left)));
    let severity = match used {
        u if u >= 0.98 || left.as_ref().and_then(|left| left.likely).is_some_and(|s| s < SOON) => Severity::Critical,
        u if u >= 0.95 => Severity::Warning,
        _ => Severity::Notice,
    };
    Some(Report {
        id: FindingId { kind: FindingKind::FilesystemFull, subject: key.subject.clone() },
        level,
        severity,
        headline: format!("{at} is {what}{when}"),
        evidence: vec![evidence(key, used, Some(limit), "statvfs")],
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: Vec::new(),
        advice: Some(format!("find what is large: du -xh --max-depth=2 {} | sort -h | tail", fs.at)),
        impact: used,
        crossing: left,
    })
}

fn inodes(space: Space) -> f64 {
    if space.inodes == 0 { 0.0 } else { space.inodes.saturating_sub(space.inodes_free) as f64 / space.inodes as f64 }
}

/// When it is full along the line of its newest regime, where that is as sure as what is foretold has to be.
fn time_left(world: &World<'_>, key: &Key) -> Option<Crossing> {
    let limit = Limit { key: key.clone(), limit: 1.0, of: "space".into(), floor: false };
    let found = crossing::along(world.series.get(key)?, &limit, world.now.tick, world.thresholds.trouble_horizon)?;
    (found.confidence >= world.thresholds.trouble_confidence && found.likely.is_some()).then_some(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{GIB, Scene, only},
        model::{
            finding::{FindingKind, Severity},
            metric::{Key, Metric},
            sample::Space,
            snapshot::{Filesystem, Reading},
            subject::Subject,
        },
    };

    fn mounted(kind: &str, percent: u64, inodes_free: u64) -> Scene {
        let used = GIB * percent / 100;
        let space = Space { total: GIB, used, available: GIB - used, inodes: 1000, inodes_free };
        let fs = Filesystem { at: "/var".into(), kind: kind.into(), space: Some(space), ..Filesystem::default() };
        let mut scene = Scene::quiet();
        scene.snapshot.filesystems = Reading::Known(vec![fs]);
        scene
    }

    #[test]
    fn nearly_full_is_told_with_what_is_left() {
        let finding = only(mounted("ext4", 96, 900).seen(look)).finding;
        assert_eq!((finding.id.kind, finding.severity), (FindingKind::FilesystemFull, Severity::Warning));
        assert_eq!(finding.headline, "/var is 96.0 % full, 41.0 MiB left");
    }

    #[test]
    fn a_straight_line_gives_the_time_that_is_left() {
        let key = Key::new(Subject::Filesystem("/var".into()), Metric::FilesystemUsed);
        let steady = (0..600).map(|i| 0.92 - 0.0001 * f64::from(599 - i));
        let finding = only(mounted("ext4", 92, 900).history(&key, steady).seen(look)).finding;
        assert!(finding.headline.ends_with("full in 13 min (13 to 13 min)"), "{}", finding.headline);
        assert_eq!(finding.severity, Severity::Critical);
        let saw = (0..600).map(|i| 0.9 + 0.0005 * f64::from(i % 40));
        assert!(!only(mounted("ext4", 92, 900).history(&key, saw).seen(look)).finding.headline.contains("full in"));
    }

    #[test]
    fn inodes_run_out_too() {
        assert!(only(mounted("ext4", 10, 5).seen(look)).finding.headline.contains("inodes"));
    }

    #[test]
    fn images_room_enough_and_silent_mounts_are_nothing() {
        assert!(mounted("squashfs", 100, 0).seen(look).is_empty());
        assert!(mounted("ext4", 85, 900).seen(look).is_empty());
        let mut scene = mounted("nfs", 99, 900);
        scene.snapshot.filesystems = Reading::Known(vec![Filesystem { stale: Some(30.0), ..Filesystem::default() }]);
        assert!(scene.seen(look).is_empty());
    }
}
