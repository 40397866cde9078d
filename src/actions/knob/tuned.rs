//! What TuneD's active profile sets (tuned.conf(5), tuned-profiles(7)): sections by plug-in, profiles that include others.

use crate::{
    host::host::Host,
    model::knob::{Knob, Place},
};

/// Profiles that include each other at most.
const DEEP: usize = 16;

/// A setting of a profile: plug-in, option, value.
type Setting = (String, String, String);

/// The active profiles in words and all that they set; `None` when they cannot be read.
pub fn active(host: &dyn Host) -> Option<(String, Vec<Setting>)> {
    let names = host.text(&Place::etc("tuned/active_profile")).ok()?;
    let mut left: Vec<String> = names.split_ascii_whitespace().map(str::to_string).collect();
    let (shown, mut seen, mut all) = (left.join(" "), Vec::new(), Vec::new());
    while let Some(name) = left.pop() {
        if seen.contains(&name) || seen.len() >= DEEP {
            continue;
        }
        let settings = parse(&profile(host, &name)?);
        let included = settings.iter().filter(|(kind, option, _)| kind == "main" && option == "include");
        left.extend(included.flat_map(|(.., value)| value.split([',', ' '])).filter(|name| !name.is_empty()).map(str::to_string));
        seen.push(name);
        all.extend(settings);
    }
    (!seen.is_empty()).then_some((shown, all))
}

fn profile(host: &dyn Host, name: &str) -> Option<String> {
    if name.contains('/') {
        return None;
    }
    let path = |folder: &str| format!("{folder}/{name}/tuned.conf");
    let places = [
        Place::etc(path("tuned")),
        Place::etc(path("tuned/profiles")),
        Place::top(&path("/usr/lib/tuned")),
        Place::top(&path("/usr/lib/tuned/profiles")),
    ];
    places.iter().find_map(|place| host.text(place).ok())
}

/// Sections of INI; one may say by `type` that it is of another plug-in than its name.
fn parse(text: &str) -> Vec<Setting> {
    let mut all: Vec<Setting> = Vec::new();
    let (mut kind, mut begun) = (String::new(), 0);
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            (kind, begun) = (name.to_string(), all.len());
        } else if let Some((option, value)) = line.split_once('=') {
            let (option, value) = (option.trim(), value.trim());
            if option == "type" {
                kind = value.into();
                all.iter_mut().skip(begun).for_each(|(of, ..)| of.clone_from(&kind));
            }
            all.push((kind.clone(), option.into(), value.into()));
        }
    }
    all
}

/// Whether a setting is about that knob.
pub fn sets((kind, option, _): &Setting, knob: &Knob, sysctl: Option<&str>) -> bool {
    let file = match knob {
        Knob::File(place) => place.path.as_str(),
        _ => "",
    };
    let huge = "kernel/mm/transparent_hugepage";
    match kind.as_str() {
        "sysctl" => sysctl.is_some_and(|key| super::owner::same_key(option, key)),
        "sysfs" => super::owner::matches(option.trim_start_matches("/sys/"), file),
        "vm" if option.starts_with("transparent_hugepage") => {
            file == format!("{huge}/{}", if option.ends_with("defrag") { "defrag" } else { "enabled" })
        }
        "vm" => sysctl.is_some_and(|key| key == format!("vm/{option}")),
        "disk" => match option.as_str() {
            "readahead" => file.ends_with("/queue/read_ahead_kb"),
            "elevator" => file.ends_with("/queue/scheduler"),
            _ => false,
        },
        "cpu" => file.contains("/cpufreq/") || file.contains("/power/energy_perf_bias"),
        "scheduler" => matches!(knob, Knob::Nice(_) | Knob::Policy(_) | Knob::Affinity(_)) && option.starts_with("group."),
        _ => false,
    }
}
