//! systemd's units as far as trimtab sets them: names, the properties of systemd.resource-control(5), and how their values read.
//!
//! A property has three faces: what `systemctl set-property --runtime` wrote below `/run/systemd` (its drop-in), what systemd says that
//! it holds (`systemctl show`), and what stands in the kernel's file of the unit's cgroup. One text of all three is the value of the knob,
//! so that whoever moves one of them is seen.

use crate::model::knob::{Place, Root};
use serde::{Deserialize, Serialize};

/// Begins the value of a property that nothing at runtime sets.
pub const UNSET: &str = "unset";

/// Kinds of units that have a cgroup, hence properties of resource control.
const KINDS: [&str; 6] = ["service", "scope", "slice", "socket", "mount", "swap"];

/// True for a name that systemd takes (systemd.unit(5), "Description") of a unit that has a cgroup.
pub fn is_unit(name: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    let kind = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, kind)| kind);
    name.len() < 256 && name.chars().all(known) && !name.starts_with(['.', '@']) && kind.is_some_and(|kind| KINDS.contains(&kind))
}

/// Whose a cgroup is where systemd is pid 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// Nobody's: a group that a program made within its own unit, or beside all units.
    Nobody,
    /// That unit's, of the system's manager.
    Unit(String),
    /// A unit's of another manager (a user's, a container's) that runs within this one.
    Within(String),
}

/// Whose the cgroup of that path is, by its name: every group that systemd makes is named as its unit, and stands below slices alone.
/// A name that begins with `_` is escaped, as `_cpu.service` is (systemd's CGROUP_DELEGATION.md).
pub fn keeper(path: &str) -> Keeper {
    let bare = |part: &'_ str| part.strip_prefix('_').unwrap_or(part).to_string();
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let Some(last) = parts.pop().map(bare).filter(|name| is_unit(name)) else { return Keeper::Nobody };
    match parts.iter().find(|part| !part.ends_with(".slice")) {
        None => Keeper::Unit(last),
        Some(inner) if is_unit(&bare(inner)) => Keeper::Within(bare(inner)),
        Some(_) => Keeper::Nobody,
    }
}

/// A property of resource control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Property {
    /// `CPUWeight`, 1 to 10000.
    CpuWeight,
    /// `CPUQuota`, in whole percent of one core, as systemd writes it down; `infinity` for none.
    CpuQuota,
    /// `MemoryLow`, in bytes.
    MemoryLow,
    /// `MemoryHigh`, in bytes; `infinity` for none.
    MemoryHigh,
    /// `MemoryMax`, in bytes; `infinity` for none.
    MemoryMax,
    /// `IOWeight`, 1 to 10000.
    IoWeight,
    /// `TasksMax`, a number; `infinity` for none.
    TasksMax,
}

impl Property {
    /// All of them.
    pub const ALL: [Property; 7] = [
        Property::CpuWeight,
        Property::CpuQuota,
        Property::MemoryLow,
        Property::MemoryHigh,
        Property::MemoryMax,
        Property::IoWeight,
        Property::TasksMax,
    ];

    /// Its name in a unit file.
    pub fn name(self) -> &'static str {
        match self {
            Property::CpuWeight => "CPUWeight",
            Property::CpuQuota => "CPUQuota",
            Property::MemoryLow => "MemoryLow",
            Property::MemoryHigh => "MemoryHigh",
            Property::MemoryMax => "MemoryMax",
            Property::IoWeight => "IOWeight",
            Property::TasksMax => "TasksMax",
        }
    }

    /// Its name for `systemctl show`.
    pub fn shown(self) -> &'static str {
        if self == Property::CpuQuota { "CPUQuotaPerSecUSec" } else { self.name() }
    }

    /// The kernel's file behind it, in a directory of cgroup v2.
    pub fn file(self) -> &'static str {
        match self {
            Property::CpuWeight => "cpu.weight",
            Property::CpuQuota => "cpu.max",
            Property::MemoryLow => "memory.low",
            Property::MemoryHigh => "memory.high",
            Property::MemoryMax => "memory.max",
            Property::IoWeight => "io.weight",
            Property::TasksMax => "pids.max",
        }
    }

    /// The property behind that file of cgroup v2.
    pub fn of_file(file: &str) -> Option<Property> {
        Property::ALL.into_iter().find(|property| property.file() == file)
    }

    /// The drop-in that `set-property --runtime` writes for it: beside the unit's own file where that is transient, as scopes are.
    pub fn drop_ins(self, unit: &str) -> [Place; 2] {
        let place = |folder| Place { root: Root::Top, path: format!("run/systemd/{folder}/{unit}.d/50-{}.conf", self.name()) };
        [place("system.control"), place("transient")]
    }

    /// The value in what `systemctl show` says; empty where systemd says `[not set]`.
    pub fn told(self, shown: &str) -> String {
        match (self, shown.trim()) {
            (_, "[not set]") => String::new(),
            (_, "infinity" | "18446744073709551615") => "infinity".into(),
            (Property::CpuQuota, span) => microseconds(span).map_or_else(|| span.into(), |each| percent(each as f64 / 1e6)),
            (_, text) => text.into(),
        }
    }

    /// The value that a file of the kernel's (cgroup v2) amounts to.
    pub fn of_kernel(self, text: &str) -> Option<String> {
        let mut words = text.split_ascii_whitespace();
        let first = words.next()?;
        match self {
            _ if first == "max" => Some("infinity".into()),
            Property::CpuQuota => {
                Some(percent(first.parse::<f64>().ok()? / words.next()?.parse::<f64>().ok().filter(|p| *p > 0.0)?))
            }
            Property::IoWeight if first == "default" => words.next().map(str::to_string),
            _ => first.parse::<u64>().ok().map(|number| number.to_string()),
        }
    }

    /// The value that a drop-in sets, if it sets this property and nothing else; else its whole text in one line, which is no value.
    pub fn of_drop_in(self, text: &str) -> String {
        let meant = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';', '[']));
        let lines: Vec<&str> = meant.collect();
        match lines.as_slice() {
            [line] => match line.split_once('=').filter(|(name, _)| name.trim() == self.name()) {
                // So systemd writes that there is no quota.
                Some((_, "")) if self == Property::CpuQuota => "infinity".into(),
                Some((_, value)) => value.trim().into(),
                None => line.to_string(),
            },
            all => all.join("; "),
        }
    }

    /// Whether the kernel's file says what systemd means; memory is rounded to pages, a quota to microseconds of its period.
    pub fn agrees(self, value: &str, kernel: &str) -> bool {
        let Some(found) = self.of_kernel(kernel) else { return false };
        let number = |text: &str| text.trim_end_matches('%').parse::<f64>().ok();
        let grain = match self {
            Property::MemoryLow | Property::MemoryHigh | Property::MemoryMax => 65_536.0,
            Property::CpuQuota => 1.0,
            _ => 0.5,
        };
        match (self, value) {
            (Property::CpuWeight | Property::IoWeight, "") => found == "100",
            (_, "") => true,
            _ if value == found => true,
            _ => number(value).zip(number(&found)).is_some_and(|(meant, found)| (meant - found).abs() < grain),
        }
    }

    /// True for a value that may be written: what stands in a command line comes from here.
    pub fn takes(self, value: &str) -> bool {
        let number = if self == Property::CpuQuota { value.strip_suffix('%').unwrap_or("") } else { value };
        value == "infinity" || (!number.is_empty() && number.len() <= 20 && number.bytes().all(|b| b.is_ascii_digit()))
    }
}

/// The text of what systemd holds (`told`, may be empty) and what the drop-in sets, if there is one: `unset`, `unset 100`, `20`, or
/// `100 over 20` where systemd does not hold what the drop-in says.
pub fn value(told: &str, drop_in: Option<&str>) -> String {
    match drop_in {
        None if told.is_empty() => UNSET.into(),
        None => format!("{UNSET} {told}"),
        Some(set) if set == told => set.into(),
        Some(set) => format!("{told} over {set}").trim().into(),
    }
}

fn percent(cores: f64) -> String {
    format!("{:.0}%", cores * 100.0)
}

/// A time span of systemd.time(7) as `systemctl show` writes it, such as `1.5s` or `1min 4s`.
fn microseconds(span: &str) -> Option<u64> {
    const UNITS: [(&str, f64); 5] = [("us", 1.0), ("ms", 1e3), ("min", 6e7), ("s", 1e6), ("h", 3.6e9)];
    let mut sum = 0.0;
    for word in span.split_ascii_whitespace() {
        let (number, factor) = UNITS.iter().find_map(|(unit, factor)| Some((word.strip_suffix(unit)?, factor)))?;
        sum += number.parse::<f64>().ok()? * factor;
    }
    (sum > 0.0).then_some(sum.round() as u64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_names_that_systemd_takes_are_units() {
        for name in ["nginx.service", "a@1.service", "-.slice", "dev-disk\\x2dby.swap", "session-3.scope", "a:b_c.mount"] {
            assert!(is_unit(name), "{name}");
        }
        let long = format!("{}.service", "x".repeat(300));
        for name in
            ["nginx", ".service", "a b.service", "a;rm.service", "é.service", "a.timer", "a/b.service", "@.service", "", &long]
        {
            assert!(!is_unit(name), "{name}");
        }
    }

    #[test]
    fn a_cgroup_belongs_to_the_unit_that_it_is_named_as() {
        let unit = |name: &str| Keeper::Unit(name.into());
        assert_eq!(keeper("/system.slice/nginx.service"), unit("nginx.service"));
        assert_eq!(keeper("/system.slice/system-a.slice/_cpu.service"), unit("cpu.service"));
        assert_eq!(keeper("/user.slice"), unit("user.slice"));
        for free in ["/", "", "/batch/jobs", "/system.slice/docker.service/jobs", "/batch/a.service"] {
            assert_eq!(keeper(free), Keeper::Nobody, "{free}");
        }
        let users = "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service";
        assert_eq!(keeper(users), Keeper::Within("user@1000.service".into()));
    }

    #[test]
    fn the_three_faces_of_a_value_are_one_text() {
        let quota = Property::CpuQuota;
        assert_eq!(
            [quota.told("200ms"), quota.told("1.5s"), quota.told("1min 4s"), quota.told("infinity")],
            ["20%", "150%", "6400%", "infinity"]
        );
        assert_eq!(
            (Property::CpuWeight.told("[not set]"), Property::MemoryMax.told("18446744073709551615")),
            (String::new(), "infinity".into())
        );
        let text = "# made by systemctl\n[Service]\nCPUQuota=20%\n";
        assert_eq!(quota.of_drop_in(text), "20%");
        assert_eq!(quota.of_drop_in("[Service]\nCPUQuota=\n"), "infinity");
        assert_eq!(quota.of_drop_in("[Service]\nCPUQuota=20%\nNice=5\n"), "CPUQuota=20%; Nice=5");
        assert_eq!(
            [value("", None), value("100", None), value("20", Some("20")), value("100", Some("20"))],
            ["unset", "unset 100", "20", "100 over 20"]
        );
        assert_eq!(value("", Some("20")), "over 20");
    }

    #[test]
    fn the_kernels_file_proves_it() {
        assert!(Property::CpuWeight.agrees("20", "20\n") && !Property::CpuWeight.agrees("20", "100\n"));
        assert!(Property::CpuWeight.agrees("", "100\n") && !Property::CpuWeight.agrees("", "7\n"));
        assert!(Property::CpuQuota.agrees("20%", "20000 100000\n") && !Property::CpuQuota.agrees("20%", "max 100000\n"));
        assert!(Property::MemoryMax.agrees("1000001", "999424\n") && !Property::MemoryMax.agrees("1000001", "max\n"));
        assert!(Property::IoWeight.agrees("50", "default 50\n8:0 10\n") && Property::TasksMax.agrees("infinity", "max\n"));
        assert_eq!(Property::CpuQuota.of_kernel("150000 100000").as_deref(), Some("150%"));
    }

    proptest! {
        #[test]
        fn nothing_but_a_plain_value_reaches_a_command(text in "\\PC{0,12}|[0-9%]{0,6}") {
            for property in Property::ALL {
                if property.takes(&text) {
                    prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'%'));
                }
            }
        }

        #[test]
        fn no_text_makes_them_panic(path in "(/|[a-z_.@]|slice|service|\\PC){0,20}", text in "\\PC{0,20}") {
            let _any = (keeper(&path), is_unit(&text), microseconds(&text));
            for property in Property::ALL {
                let _any = (property.told(&text), property.of_kernel(&text), property.of_drop_in(&text), property.agrees(&path, &text));
            }
        }
    }
}
