//! Units and documents below roots of their own, with a double of systemctl that keeps its state in files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::{RealHost, Roots};
use crate::{
    host::{error::Kind, host::Host},
    model::{
        change::ChangeId,
        document,
        knob::{Knob, Place},
        systemd::Property,
    },
};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};
use tempfile::TempDir;

/// A double of systemctl(1): `web.service` is loaded, its weight comes from a drop-in once its files are read; each call is noted.
const DOUBLE: &str = r#"#!/bin/sh
top=${0%/usr/bin/systemctl}
control=$top/run/systemd/system.control/web.service.d
echo "$*" >>"$top/calls"
case "$*" in
*show*broken*) sleep 60 ;;
*show*web.service) echo LoadState=loaded; echo ActiveState=active
    echo "CPUWeight=$(cat "$top/held")" ;;
*show*) echo LoadState=not-found; echo CPUWeight= ;;
*set-property*"-- web.service CPUWeight="*) mkdir -p "$control"; value=${*##*=}
    printf '[Service]\nCPUWeight=%s\n' "$value" >"$control/50-CPUWeight.conf"; echo "$value" >"$top/held"; echo "$value" >"$top/group/cpu.weight" ;;
*daemon-reload*) [ -f "$control/50-CPUWeight.conf" ] || { echo '[not set]' >"$top/held"; echo 100 >"$top/group/cpu.weight"; } ;;
*) echo "Failed: Unit not found." >&2; exit 5 ;;
esac
"#;

struct World {
    top: TempDir,
    host: RealHost,
}

impl World {
    fn new() -> World {
        let top = tempfile::tempdir().unwrap();
        let at = |name: &str| top.path().join(name);
        for folder in ["usr/bin", "group", "etc/sysctl.d", "etc/systemd/system", "run"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::write(at("usr/bin/systemctl"), DOUBLE).unwrap();
        fs::set_permissions(at("usr/bin/systemctl"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(at("held"), "[not set]\n").unwrap();
        fs::write(at("group/cpu.weight"), "100\n").unwrap();
        let roots = Roots { etc: at("etc"), top: top.path().into(), ..Roots::default() };
        World { host: RealHost::below(roots), top }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.top.path().join(name)
    }

    fn get(&self, knob: &Knob) -> String {
        self.host.get(knob).unwrap()
    }
}

fn weight(unit: &str) -> Knob {
    Knob::UnitProperty { unit: unit.into(), directory: Place::top("/group"), property: Property::CpuWeight }
}

#[test]
fn a_property_is_set_proved_and_taken_away_with_exactly_our_drop_in() {
    let (world, web) = (World::new(), weight("web.service"));
    let others = world.at("run/systemd/system.control/web.service.d/50-IOWeight.conf");
    fs::create_dir_all(others.parent().unwrap()).unwrap();
    fs::write(&others, "[Service]\nIOWeight=7\n").unwrap();
    assert_eq!(world.get(&web), "unset");
    world.host.set(&web, "20").unwrap();
    assert_eq!(world.get(&web), "20");
    fs::write(world.at("group/cpu.weight"), "55\n").unwrap();
    assert_eq!(world.get(&web), "20 (cpu.weight 55)", "the kernel's own file is the proof");
    fs::write(world.at("held"), "100\n").unwrap();
    assert_eq!(world.get(&web), "100 over 20 (cpu.weight 55)", "lost at a reload");
    world.host.set(&web, "unset").unwrap();
    assert_eq!(world.get(&web), "unset");
    world.host.set(&web, "unset").unwrap();
    assert!(others.exists(), "what another property sets stays");
    let calls = fs::read_to_string(world.at("calls")).unwrap();
    assert!(calls.contains("set-property --runtime -- web.service CPUWeight=20\n") && !calls.contains("revert"), "{calls}");
}

#[test]
fn a_unit_that_is_not_loaded_is_gone_and_what_it_left_can_still_be_taken_away() {
    let (world, gone) = (World::new(), weight("gone.service"));
    assert_eq!(world.host.get(&gone).unwrap_err().kind, Kind::Gone);
    assert_eq!(world.host.may_set(&gone).unwrap_err().kind, Kind::Gone);
    assert_eq!(world.host.set(&gone, "20").unwrap_err().kind, Kind::Gone);
    let left = world.at("run/systemd/transient/gone.service.d/50-CPUWeight.conf");
    fs::create_dir_all(left.parent().unwrap()).unwrap();
    fs::write(&left, "[Service]\nCPUWeight=20\n").unwrap();
    assert_eq!(world.get(&gone), "20");
    world.host.set(&gone, "unset").unwrap();
    assert!(!left.exists() && !left.parent().unwrap().exists());
}

#[test]
fn no_hostile_name_or_value_reaches_the_program() {
    let world = World::new();
    for name in ["--root=x.service", "a b.service", "$(x).service", "../a.service"] {
        let found = world.host.get(&weight(name)).map_err(|e| e.kind);
        assert!(found == Err(Kind::Invalid) || name.starts_with("--"), "{name}: {found:?}");
    }
    for value in ["20 CPUQuota=1%", "20\n", "-1", ""] {
        assert_eq!(world.host.set(&weight("web.service"), value).unwrap_err().kind, Kind::Invalid, "{value}");
    }
    let calls = fs::read_to_string(world.at("calls")).unwrap_or_default();
    assert!(calls.lines().all(|line| line.contains("-- --root=x.service")), "a name is behind the end of options: {calls}");
}

#[test]
fn a_document_is_written_whole_and_never_over_another_s() {
    let world = World::new();
    let text = document::sysctls(ChangeId(1), &[("vm.swappiness".into(), "20".into())]);
    let place = document::sysctl_place("vm/swappiness");
    let knob = Knob::Document(place.clone());
    assert_eq!(world.get(&knob), "none");
    world.host.may_set(&knob).unwrap();
    world.host.set(&knob, &text).unwrap();
    assert_eq!(world.get(&knob), text);
    let names: Vec<_> = fs::read_dir(world.at("etc/sysctl.d")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["90-trimtab-vm-swappiness.conf"], "nothing is left beside it");
    world.host.set(&knob, "none").unwrap();
    world.host.set(&knob, "none").unwrap();
    assert_eq!(world.get(&knob), "none");
    let path = world.at("etc").join(&place.path);
    fs::write(&path, "vm.swappiness = 7\n").unwrap();
    for value in [text.as_str(), "none"] {
        assert_eq!(world.host.set(&knob, value).unwrap_err().kind, Kind::Invalid);
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "vm.swappiness = 7\n");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(world.at("held"), &path).unwrap();
    assert_eq!(world.host.set(&knob, &text).unwrap_err().kind, Kind::Invalid, "not through a link");
    assert_eq!(world.host.set(&Knob::Document(Place::etc("passwd")), &text).unwrap_err().kind, Kind::Invalid);
}

#[test]
fn a_drop_ins_directory_goes_with_it_unless_others_are_in_it() {
    let world = World::new();
    let text = document::drop_in(ChangeId(1), "web.service", &[(Property::CpuWeight, "20".into())]);
    let knob = Knob::Document(document::unit_place("web.service"));
    let folder = world.at("etc/systemd/system/web.service.d");
    world.host.set(&knob, &text).unwrap();
    world.host.set(&knob, "none").unwrap();
    assert!(!folder.exists());
    world.host.set(&knob, &text).unwrap();
    fs::write(folder.join("override.conf"), "").unwrap();
    world.host.set(&knob, "none").unwrap();
    assert!(folder.join("override.conf").exists());
}
