//! A proven setting is written down for later boots (catalogue B0: "persisting is a second, separately approved action after the win is
//! confirmed"; sysctl.d(5), systemd.unit(5)).
//!
//! Changes: `/etc/sysctl.d/90-trimtab-NAME.conf`, or `/etc/systemd/system/UNIT.d/90-trimtab.conf`; nothing at runtime.
//! Helps when: a change was measured, helped and was kept, and a boot would take it away.
//! Hurts when: what it helped with does not come back: it then is a setting that nobody remembers.
//! Undone how: the file is taken away, if it is still as it was written; a file that is not trimtab's is never touched.
//!
//! It is offered by the engine alone, of what it has kept. `set-property` without `--runtime` is not used: it would leave a file that
//! looks like anybody's.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            owner,
            refuse::{self, from_host, nothing, refusal},
            setting::Setting,
            shell::command,
        },
    },
    host::host::Host,
    model::{
        change::ChangeId,
        document::{self, NONE},
        knob::{Knob, Place},
        plan::{Obstacle, Refusal, Step},
        proposal::{Proposal, Risk, Want},
        subject::Subject,
        systemd::{Property, is_unit},
        world::World,
    },
};

/// What outlives a boot.
pub struct Persist;

/// One setting to write down.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lasting {
    Sysctl { key: String, value: String },
    Unit { unit: String, directory: Place, property: Property, value: String },
}

impl Setting for Persist {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "persist",
            row: "B0",
            changes: "a file of trimtab's own in /etc/sysctl.d, or a drop-in of a systemd unit in /etc",
            helps: "a change helped and was kept, and a boot would take it away",
            hurts: "the trouble never comes back: a setting that nobody remembers",
            undone: "the file is taken away, if it is still as it was written",
            risk: Risk::Medium,
            needs: "root (owner of /etc)",
            cooldown: 0.0,
        }
    }

    fn propose(&self, _: &World<'_>) -> Vec<Proposal> {
        Vec::new()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let of = proposal.course.parent().ok_or_else(|| refusal(Obstacle::Unsupported, "it says not of which change."))?;
        let all: Vec<Lasting> = proposal.wants.iter().map(parse).collect::<Option<_>>().ok_or_else(unknown)?;
        all.iter().try_for_each(|setting| stands(host, setting))?;
        let place = place(&all)?;
        let text = text(&all, of);
        let knob = Knob::Document(place);
        let before = host.get(&knob).map_err(|e| from_host(&e, Setting::about(self).needs))?;
        if before == text {
            return Err(nothing(format!("{knob} is as wished")));
        }
        if before != NONE {
            let why = format!("{knob} is there already: look at it, then take it away or leave it.");
            return Err(refusal(Obstacle::Owned, why));
        }
        Ok(vec![Step { apply: command(&knob, &text), undo: command(&knob, &before), knob, before, after: text }])
    }
}

fn unknown() -> Refusal {
    refusal(Obstacle::Unsupported, "not all of it can be written down for later boots. Reject this proposal.")
}

/// The words of the proposal to make a change last.
fn parse(want: &Want) -> Option<Lasting> {
    match &want.on {
        Subject::Host => {
            let (key, value) = want.to.split_once(" = ")?;
            let plain = |c: char| c.is_ascii_alphanumeric() || "/._- ".contains(c);
            let plain = key.chars().chain(value.chars()).all(plain) && !value.is_empty();
            plain.then(|| Lasting::Sysctl { key: key.into(), value: value.into() })
        }
        Subject::Cgroup(path) => {
            let (unit, (name, value)) = want.to.split_once(' ').and_then(|(unit, rest)| Some((unit, rest.split_once('=')?)))?;
            let property = Property::ALL.into_iter().find(|property| property.name() == name)?;
            let fit = is_unit(unit) && property.takes(value);
            let directory = Place::sys(&**path);
            fit.then(|| Lasting::Unit { unit: unit.into(), directory, property, value: value.into() })
        }
        _ => None,
    }
}

/// Refuses what does not stand any more as it was measured, what somebody else pins, and units that no boot knows.
fn stands(host: &dyn Host, setting: &Lasting) -> Result<(), Refusal> {
    let (knob, value) = match setting {
        Lasting::Sysctl { key, value } => (Knob::File(Place::proc(format!("sys/{key}"))), value),
        Lasting::Unit { unit, directory, property, value } => {
            (Knob::UnitProperty { unit: unit.clone(), directory: directory.clone(), property: *property }, value)
        }
    };
    owner::of(host, &knob, &host.tuners())?;
    let found = host.get(&knob).map_err(|e| from_host(&e, "read access to it"))?;
    if found != *value {
        return Err(refuse::moved(&knob, value, &found));
    }
    match setting {
        Lasting::Unit { unit, .. } if !has_file(host, unit) => {
            let why = format!("{unit} has no unit file that a boot would find: it was made for this run. Reject this proposal.");
            Err(refusal(Obstacle::Unsupported, why))
        }
        _ => Ok(()),
    }
}

/// Whether a unit comes back with a boot: it, or the template that it is an instance of, has a file (systemd.unit(5), "Unit load path").
fn has_file(host: &dyn Host, unit: &str) -> bool {
    let template = unit.split_once('@').and_then(|(stem, rest)| Some(format!("{stem}@.{}", rest.rsplit_once('.')?.1)));
    let names = std::iter::once(unit.to_string()).chain(template);
    let folders = ["/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
    let place = |folder: &str, name: &str| match folder.strip_prefix("/etc/") {
        Some(below) => Place::etc(format!("{below}/{name}")),
        None => Place::top(&format!("{folder}/{name}")),
    };
    // Slices need none: systemd makes them of their names.
    unit.ends_with(".slice") || names.into_iter().any(|name| folders.iter().any(|f| host.inode(&place(f, &name)).is_ok()))
}

/// One file for all settings of a change.
fn place(all: &[Lasting]) -> Result<Place, Refusal> {
    match all.first() {
        Some(Lasting::Sysctl { key, .. }) if all.iter().all(|s| matches!(s, Lasting::Sysctl { .. })) => {
            Ok(document::sysctl_place(key))
        }
        Some(Lasting::Unit { unit, .. }) if all.iter().all(|s| matches!(s, Lasting::Unit { unit: other, .. } if other == unit)) => {
            Ok(document::unit_place(unit))
        }
        _ => Err(unknown()),
    }
}

fn text(all: &[Lasting], of: ChangeId) -> String {
    let (mut sysctls, mut properties, mut name) = (Vec::new(), Vec::new(), "");
    for setting in all {
        match setting {
            Lasting::Sysctl { key, value } => sysctls.push((key.clone(), value.clone())),
            Lasting::Unit { unit, property, value, .. } => {
                name = unit;
                properties.push((*property, value.clone()));
            }
        }
    }
    if properties.is_empty() { document::sysctls(of, &sysctls) } else { document::drop_in(of, name, &properties) }
}
