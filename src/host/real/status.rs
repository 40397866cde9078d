//! `/proc/PID/status` (proc_pid_status(5)): whose it is, which signals it catches, which capabilities it holds.

use crate::{
    host::{
        capability::CAPABILITIES,
        host::{Host, Touch},
    },
    model::knob::Place,
};

/// What rights are decided on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    /// Real, effective and saved user id.
    pub(super) uids: [u32; 3],
    /// Real, effective and saved group id.
    pub(super) gids: [u32; 3],
    /// Signals with a handler, as a bit mask; bit 0 is signal 1.
    pub(super) caught: u64,
    /// Effective capabilities, as a bit mask.
    pub(super) capabilities: u64,
}

impl Status {
    /// Of a directory such as `self`, `123` or `123/task/124`.
    pub(super) fn read(host: &dyn Host, directory: &str) -> Touch<Status> {
        Ok(parse(&host.text(&Place::proc(format!("{directory}/status")))?))
    }

    /// True when the capability of that name is among the effective ones.
    pub(super) fn holds(&self, capability: &str) -> bool {
        CAPABILITIES.iter().position(|name| *name == capability).is_some_and(|bit| self.capabilities >> bit & 1 == 1)
    }

    /// Names of the effective capabilities.
    pub(super) fn capability_names(&self) -> impl Iterator<Item = &'static str> {
        let mask = self.capabilities;
        CAPABILITIES.iter().enumerate().filter(move |(bit, _)| mask >> bit & 1 == 1).map(|(_, name)| *name)
    }
}

fn parse(text: &str) -> Status {
    let mut status = Status::default();
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        match key {
            "Uid" => status.uids = ids(value),
            "Gid" => status.gids = ids(value),
            "SigCgt" => status.caught = mask(value),
            "CapEff" => status.capabilities = mask(value),
            _ => {}
        }
    }
    status
}

fn ids(value: &str) -> [u32; 3] {
    let mut found = value.split_ascii_whitespace().map(|word| word.parse().unwrap_or(u32::MAX));
    std::array::from_fn(|_| found.next().unwrap_or(u32::MAX))
}

fn mask(value: &str) -> u64 {
    u64::from_str_radix(value.trim(), 16).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_signals_and_capabilities_are_read() {
        let text = "Name:\ta: b\nUid:\t33\t34\t35\t36\nGid:\t1\t2\t3\t4\nSigCgt:\t0000000180000001\nCapEff:\t0000000000800001\n";
        let status = parse(text);
        assert_eq!(status.uids, [33, 34, 35]);
        assert_eq!(status.gids, [1, 2, 3]);
        assert_eq!(status.caught, 0x1_8000_0001);
        assert_eq!(status.capability_names().collect::<Vec<_>>(), ["CAP_CHOWN", "CAP_SYS_NICE"]);
        assert!(status.holds("CAP_SYS_NICE") && !status.holds("CAP_SYS_ADMIN") && !status.holds("CAP_NO_SUCH"));
    }

    #[test]
    fn a_damaged_line_grants_nobody_anything() {
        let status = parse("Uid:\nCapEff:\tzz\n");
        assert_eq!(status.uids, [u32::MAX; 3]);
        assert_eq!(status.capabilities, 0);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(Uid:|CapEff:|SigCgt:|\\PC|\n|\t){0,30}") {
            let _any = parse(&text);
        }
    }
}
