//! Which processes a filter lets through: the one place that knows what a filter means.

use crate::{model::snapshot::Process, ui::processes::row::Sight};
use std::fmt::Write;

/// Whether a process contains the text, which is in lower case, in its name, command, control group, user or as its pid.
pub fn matches(p: &Process, filter: &str, sight: &Sight<'_>) -> bool {
    filter.is_empty()
        || [&p.name, &p.command, &p.cgroup].iter().any(|text| contains(text, filter))
        || sight.facts.users.iter().any(|(uid, name)| *uid == p.uid && contains(name, filter))
        || is_pid(p.id.pid, filter)
}

fn is_pid(pid: u32, filter: &str) -> bool {
    filter.starts_with(|c: char| c.is_ascii_digit()) && filter.parse() == Ok(pid)
}

/// Whether `text` contains `part`, which is in lower case, whatever its own case.
fn contains(text: &str, part: &str) -> bool {
    if part.is_ascii() {
        return text.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()));
    }
    let mut lower = String::with_capacity(text.len());
    // Writing into memory cannot fail.
    let _never = text.chars().flat_map(char::to_lowercase).try_for_each(|c| lower.write_char(c));
    lower.contains(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_found_whatever_its_case() {
        for (text, part, found) in
            [("Python3", "py", true), ("python", "yt", true), ("bash", "py", false), ("", "a", false), ("ÄRGER", "är", true)]
        {
            assert_eq!(contains(text, part), found, "{text} {part}");
        }
    }
}
