//! Units of systemd: properties set until the next boot (systemctl(1), systemd.resource-control(5)).
//!
//! What is set at runtime stands in a drop-in of its own, one for each property. Undoing takes away exactly that file and has systemd
//! read its files again; `systemctl revert` would take away what others set as well. A reading asks systemd, looks at the drop-in, and
//! holds both against the kernel's file of the cgroup: systemd can lose a runtime value at a daemon-reload (systemd #16592), and anybody
//! can write the cgroup past it.

use super::{RealHost, program};
use crate::{
    host::{
        error::{HostError, Kind},
        host::{Host, Touch},
    },
    model::{
        knob::{Knob, Place},
        systemd::{Property, UNSET, is_unit, value},
    },
};
use std::{path::PathBuf, time::Duration};

/// For an answer to a question.
const ASK: Duration = Duration::from_secs(5);
/// For setting a property or reading all unit files again.
const DO: Duration = Duration::from_secs(30);

/// The value of a property (see [`crate::model::systemd::value`]); where the kernel disagrees, with what it says behind it.
pub(super) fn property(host: &RealHost, knob: &Knob, unit: &str, (directory, property): (&Place, Property)) -> Touch<String> {
    let told = loaded(host, knob, unit, property.shown())?;
    let set = set_at_runtime(host, unit, property)?;
    match (told, set) {
        // A unit that has gone may leave its drop-in behind, which is then still to be undone.
        (None, None) => Err(not_loaded(unit)),
        (None, Some(set)) => Ok(set),
        (Some(told), set) => {
            let told = property.told(&told);
            let value = value(&told, set.as_deref());
            Ok(match host.text(&directory.join(property.file())) {
                Ok(kernel) if !property.agrees(&told, &kernel) => format!("{value} ({} {})", property.file(), kernel.trim()),
                // systemd enables a controller with the first unit that wants it: no file, nothing to disagree.
                _ => value,
            })
        }
    }
}

/// What the drop-in of the property sets, if there is one.
fn set_at_runtime(host: &RealHost, unit: &str, property: Property) -> Touch<Option<String>> {
    for place in property.drop_ins(unit) {
        match host.text(&place) {
            Ok(text) => return Ok(Some(property.of_drop_in(&text))),
            Err(e) if e.kind == Kind::Absent => {}
            Err(e) => return Err(e),
        }
    }
    Ok(None)
}

/// Sets it until the next boot, or takes away what sets it at runtime.
pub(super) fn set_property(host: &RealHost, knob: &Knob, unit: &str, (property, value): (Property, &str)) -> Touch<()> {
    named(knob, unit)?;
    if value == UNSET || value.starts_with("unset ") {
        return unset(host, knob, &property.drop_ins(unit));
    }
    if !property.takes(value) {
        return Err(HostError::plain("set", knob, Kind::Invalid, format!("{} does not take {value}", property.name())));
    }
    let assignment = format!("{}={value}", property.name());
    systemctl(host, knob, &["set-property", "--runtime", "--", unit, &assignment], DO).map(|_| ())
}

/// Twice is once: a drop-in that is gone already leaves only the reading of the unit files.
fn unset(host: &RealHost, knob: &Knob, places: &[Place]) -> Touch<()> {
    for place in places {
        let path = host.path(place);
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            gone => gone.map_err(|e| HostError::new("remove", place, &e).needing("root"))?,
        }
        if let Some(directory) = path.parent() {
            // It stays where drop-ins of others are in it.
            let _stays = std::fs::remove_dir(directory);
        }
    }
    systemctl(host, knob, &["daemon-reload"], DO).map(|_| ())
}

/// Whether we may: systemd lets root, and it has to know the unit.
pub(super) fn may(host: &RealHost, knob: &Knob, unit: &str) -> Touch<()> {
    if loaded(host, knob, unit, "ActiveState")?.is_none() {
        return Err(not_loaded(unit));
    }
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err(HostError { errno: Some("EACCES"), ..HostError::plain("set", knob, Kind::Denied, "systemd lets root set it: needs root") })
}

/// One property of a unit as `systemctl show` tells it; `None` for a unit that is not loaded.
fn loaded(host: &RealHost, knob: &Knob, unit: &str, shown: &str) -> Touch<Option<String>> {
    named(knob, unit)?;
    let out = systemctl(host, knob, &["show", "--property=LoadState", &format!("--property={shown}"), "--", unit], ASK)?;
    let of = |name: &str| out.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    if of("LoadState") != Some("loaded") {
        return Ok(None);
    }
    let unknown = || HostError::plain("read", knob, Kind::Absent, format!("this systemd knows no {shown} of it"));
    of(shown).map(|told| Some(told.to_string())).ok_or_else(unknown)
}

fn not_loaded(unit: &str) -> HostError {
    HostError::plain("find", unit, Kind::Gone, "systemd has no such unit loaded")
}

/// Names come from cgroup paths, which anybody with a cgroup of his own may name.
fn named(knob: &Knob, unit: &str) -> Touch<()> {
    if is_unit(unit) { Ok(()) } else { Err(HostError::plain("find", knob, Kind::Invalid, "that is no name of a unit")) }
}

fn systemctl(host: &RealHost, knob: &Knob, args: &[&str], patience: Duration) -> Touch<String> {
    let all: Vec<&str> = ["--no-pager", "--no-ask-password"].iter().chain(args).copied().collect();
    let answer = program::run(&path(host)?, &all, patience).map_err(|e| HostError::new("systemctl", knob, &e))?;
    if answer.well {
        return Ok(answer.out);
    }
    let kind = if answer.trouble.contains("not found") || answer.trouble.contains("not loaded") { Kind::Gone } else { Kind::Other };
    Err(HostError::plain("systemctl", knob, kind, answer.trouble))
}

fn path(host: &RealHost) -> Touch<PathBuf> {
    let places = ["usr/bin/systemctl", "bin/systemctl"].map(Place::top);
    let found = places.iter().map(|place| host.path(place)).find(|path| path.exists());
    found.ok_or_else(|| HostError::plain("run", "systemctl", Kind::Absent, "it is not installed"))
}
