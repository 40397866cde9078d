//! The small files by which a proven setting outlives a boot: where they may stand, and how it is told that one is trimtab's own
//! (sysctl.d(5), systemd.unit(5) on drop-ins).

use crate::model::{
    change::ChangeId,
    knob::{Place, Root},
    systemd::{Property, is_unit},
};

/// The value of a document that is not there. A document ends with a line end, so none reads like this.
pub const NONE: &str = "none";

/// How each of them begins.
const HEAD: &str = "# Written by trimtab";

/// True for a text that trimtab wrote.
pub fn is_ours(text: &str) -> bool {
    text.starts_with(HEAD)
}

/// True for a place where one may stand; no plan, wherever it is from, writes anywhere else.
pub fn may_stand(place: &Place) -> bool {
    let sysctl = |rest: &str| {
        let name = rest.strip_prefix("90-trimtab-").and_then(|rest| rest.strip_suffix(".conf"));
        name.is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
    };
    let unit = |rest: &str| rest.strip_suffix(".d/90-trimtab.conf").is_some_and(is_unit);
    place.root == Root::Etc
        && (place.path.strip_prefix("sysctl.d/").is_some_and(sysctl)
            || place.path.strip_prefix("systemd/system/").is_some_and(unit))
}

/// The file for sysctls that begin with that key, such as `vm/swappiness`.
pub fn sysctl_place(key: &str) -> Place {
    let name: String = key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Place::etc(format!("sysctl.d/90-trimtab-{name}.conf"))
}

/// The drop-in of a unit.
pub fn unit_place(unit: &str) -> Place {
    Place::etc(format!("systemd/system/{unit}.d/90-trimtab.conf"))
}

/// A file of sysctls, by key and value.
pub fn sysctls(of: ChangeId, settings: &[(String, String)]) -> String {
    let lines: String = settings.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    format!("{}{lines}", head(of))
}

/// A drop-in of a unit.
pub fn drop_in(of: ChangeId, unit: &str, settings: &[(Property, String)]) -> String {
    let section = match unit.rsplit_once('.').map_or("service", |(_, kind)| kind) {
        "slice" => "Slice",
        "scope" => "Scope",
        "socket" => "Socket",
        "mount" => "Mount",
        "swap" => "Swap",
        _ => "Service",
    };
    let lines: String = settings.iter().map(|(property, value)| format!("{}={value}\n", property.name())).collect();
    format!("{}[{section}]\n{lines}", head(of))
}

fn head(of: ChangeId) -> String {
    format!(
        "{HEAD}: change {of} was measured, helped and was kept.\n# To take it back, roll back the change that wrote this, or remove this file.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_but_its_own_is_written() {
        assert!(may_stand(&sysctl_place("net/ipv4/tcp_rmem")) && may_stand(&unit_place("nginx.service")));
        let etc = ["passwd", "sysctl.d/99-admin.conf", "sysctl.d/90-trimtab-../../x.conf", "sysctl.d/90-trimtab-.conf"];
        let units = ["systemd/system/../x.service.d/90-trimtab.conf", "systemd/system/nginx.service.d/override.conf"];
        for path in etc.iter().chain(&units) {
            assert!(!may_stand(&Place::etc(*path)), "{path}");
        }
        assert!(!may_stand(&Place::top("/etc/sysctl.d/90-trimtab-x.conf")));
    }

    #[test]
    fn what_is_written_is_known_again() {
        let sysctl = sysctls(ChangeId(7), &[("vm.swappiness".into(), "20".into())]);
        assert!(is_ours(&sysctl) && sysctl.contains("change #7") && sysctl.ends_with("\nvm.swappiness = 20\n"));
        let unit = drop_in(ChangeId(8), "a.slice", &[(Property::CpuWeight, "20".into())]);
        assert!(is_ours(&unit) && unit.ends_with("[Slice]\nCPUWeight=20\n"));
        assert!(!is_ours("vm.swappiness = 20\n"));
    }
}
