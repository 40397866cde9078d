//! Canonical text of knob values: what a file of the kernel says in one form, so that two readings can be compared as text.
//!
//! Selectors (`[bfq]`) are as in Documentation/block/switching-sched.rst, cpu lists as in cpuset(7), `FORMATS`.

use crate::model::knob::Knob;
use std::fmt::Write;

/// What a device has in a file where it has no line.
fn unset(file: &str) -> &'static str {
    if file == "io.max" { "rbps=max wbps=max riops=max wiops=max" } else { "0" }
}

/// The value of a device in a file that has a line for each (cgroup-v2.rst "io.max", cgroup-v1/blkio-controller.rst).
fn of_device(text: &str, file: &str, (major, minor): (u32, u32)) -> String {
    let name = format!("{major}:{minor}");
    let line = text.lines().find_map(|line| line.trim().split_once(' ').filter(|(device, _)| *device == name));
    line.map_or_else(|| unset(file).into(), |(_, value)| value.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
}

/// The text of such a file after that value was written for a device.
pub(crate) fn with_device(text: &str, file: &str, (major, minor): (u32, u32), value: &str) -> String {
    let name = format!("{major}:{minor} ");
    let mut lines: Vec<String> = text.lines().filter(|line| !line.starts_with(&name)).map(|line| format!("{line}\n")).collect();
    lines.extend((value != unset(file)).then(|| format!("{name}{value}\n")));
    lines.concat()
}

/// What is written to give a knob that is a file its value.
pub(crate) fn line(knob: &Knob, value: &str) -> String {
    match knob {
        Knob::CgroupDevice { device: (major, minor), .. } => format!("{major}:{minor} {value}\n"),
        _ => format!("{value}\n"),
    }
}

/// The value in a file's text: the bracketed word of a selector, the number of an autogroup line, else the text trimmed, with runs of
/// white space (vector sysctls) as one blank.
pub(crate) fn selected(text: &str, knob: &Knob) -> String {
    if let Knob::ProcessFile { file, .. } = knob
        && file == "autogroup"
    {
        return text.rsplit(' ').next().unwrap_or("").trim().into();
    }
    if let Knob::CgroupDevice { file, device, .. } = knob {
        return of_device(text, file, *device);
    }
    let words = || text.split_ascii_whitespace();
    match words().find(|w| w.starts_with('[') && w.ends_with(']')) {
        Some(word) => word.trim_matches(['[', ']']).into(),
        None => words().collect::<Vec<_>>().join(" "),
    }
}

/// The processors of a list such as `0-3,6`, in any order, repeats allowed; `None` if it is no such list or names one beyond `most`.
pub(crate) fn parse_cpus(list: &str, most: u32) -> Option<Vec<u32>> {
    let mut cpus = Vec::new();
    for range in list.trim().split(',').filter(|range| !range.is_empty()) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if last < first || last > most {
            return None;
        }
        cpus.extend(first..=last);
    }
    cpus.sort_unstable();
    cpus.dedup();
    Some(cpus)
}

/// The list of ascending processors, as the kernel writes it: `0-3,6`.
pub(crate) fn show_cpus(ascending: impl IntoIterator<Item = u32>) -> String {
    let mut out = String::new();
    let mut numbers = ascending.into_iter().peekable();
    while let Some(first) = numbers.next() {
        let mut last = first;
        while let Some(next) = numbers.next_if_eq(&(last + 1)) {
            last = next;
        }
        let comma = if out.is_empty() { "" } else { "," };
        let _into_a_string_never_fails =
            if last == first { write!(out, "{comma}{first}") } else { write!(out, "{comma}{first}-{last}") };
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{knob::Place, subject::ProcessId};
    use proptest::prelude::*;

    #[test]
    fn a_file_has_one_canonical_value() {
        let file = Knob::File(Place::sys("x"));
        assert_eq!(selected("none [mq-deadline] kyber\n", &file), "mq-deadline");
        assert_eq!(selected("4096\t131072\t6291456\n", &file), "4096 131072 6291456");
        assert_eq!(selected("60\n", &file), "60");
        assert_eq!(selected("", &file), "");
        let autogroup = Knob::ProcessFile { process: ProcessId::default(), file: "autogroup".into() };
        assert_eq!(selected("/autogroup-17 nice -5\n", &autogroup), "-5");
        assert_eq!(selected("", &autogroup), "");
    }

    #[test]
    fn a_device_has_its_own_line_or_none() {
        let knob = |file: &str| Knob::CgroupDevice { directory: Place::sys("x"), inode: 1, file: file.into(), device: (8, 0) };
        let two = "8:16 rbps=max wbps=9 riops=max wiops=max\n8:0 rbps=5 wbps=max riops=max wiops=max\n";
        assert_eq!(selected(two, &knob("io.max")), "rbps=5 wbps=max riops=max wiops=max");
        assert_eq!(selected("8:16 rbps=1\n", &knob("io.max")), "rbps=max wbps=max riops=max wiops=max");
        assert_eq!(selected("8:0 1048576\n", &knob("blkio.throttle.read_bps_device")), "1048576");
        assert_eq!(selected("", &knob("blkio.throttle.read_bps_device")), "0");
        assert_eq!(line(&knob("io.max"), "rbps=5"), "8:0 rbps=5\n");
        let file = "blkio.throttle.read_bps_device";
        assert_eq!(with_device("8:16 9\n", file, (8, 0), "5"), "8:16 9\n8:0 5\n");
        assert_eq!(with_device("8:16 9\n8:0 5\n", file, (8, 0), "0"), "8:16 9\n");
    }

    #[test]
    fn cpu_lists_are_read_and_written_as_the_kernel_does() {
        assert_eq!(parse_cpus("0-3,6\n", 1023), Some(vec![0, 1, 2, 3, 6]));
        assert_eq!(parse_cpus("6,0-1,1", 1023), Some(vec![0, 1, 6]));
        assert_eq!(parse_cpus("", 1023), Some(vec![]));
        for wrong in ["3-1", "a", "-1", "1-", "0-4294967295", "1024", "0-3:1/2"] {
            assert_eq!(parse_cpus(wrong, 1023), None, "{wrong}");
        }
        assert_eq!(show_cpus([0, 1, 2, 3, 6]), "0-3,6");
        assert_eq!(show_cpus([5]), "5");
        assert_eq!(show_cpus([]), "");
    }

    proptest! {
        #[test]
        fn any_set_of_cpus_survives_the_round_trip(set in proptest::collection::btree_set(0u32..1024, 0..64)) {
            let cpus: Vec<u32> = set.into_iter().collect();
            prop_assert_eq!(parse_cpus(&show_cpus(cpus.iter().copied()), 1023), Some(cpus));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[-0-9, ]{0,20}|\\PC{0,20}") {
            let _may_be_no_list = parse_cpus(&text, 1023);
        }
    }
}
