//! Text of the kernel, taken apart. Shared by the sources; pure but for [`page_size`].
//!
//! Kernel files are text in practice but not by promise: bytes that are no UTF-8 become U+FFFD, a number that is none reads as zero
//! or is left out, as its caller needs. Nothing here fails.

pub mod mountinfo;
pub mod stall;

use crate::{
    host::{
        error::{HostError, Kind},
        host::{Host, Touch},
    },
    model::knob::{Place, Root},
};
use std::{borrow::Cow, str::SplitAsciiWhitespace};

/// The bytes as text; borrowed when they are UTF-8.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// The number at the start of a field list, or zero.
pub fn next(fields: &mut SplitAsciiWhitespace) -> u64 {
    fields.next().and_then(|field| field.parse().ok()).unwrap_or(0)
}

/// Lines of a name (a colon after it is dropped) and a number, as in meminfo, vmstat and every flat keyed cgroup file.
pub fn keyed(text: &str) -> impl Iterator<Item = (&str, u64)> {
    text.lines().filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let key = fields.next()?.trim_end_matches(':');
        Some((key, fields.next()?.parse().ok()?))
    })
}

/// The names and values of the pair of lines that begin with `prefix`, as in `/proc/net/snmp`: first the names, then the numbers.
pub fn paired<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let mut lines = text.lines().filter_map(move |line| line.strip_prefix(prefix));
    let (names, values) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    names.split_ascii_whitespace().zip(values.split_ascii_whitespace())
}

/// The whole text as one number.
pub fn whole(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// The place of an absolute path.
pub fn place(path: &str) -> Place {
    let below = |root: Root| path.strip_prefix(root.usual()).and_then(|rest| rest.strip_prefix('/'));
    match (below(Root::Proc), below(Root::Sys)) {
        (Some(rest), _) => Place::proc(rest),
        (_, Some(rest)) => Place::sys(rest),
        _ => Place::top(path),
    }
}

/// Inode in the target of a namespace link, such as `net:[4026531833]`.
pub fn namespace(link: &str) -> Option<u64> {
    link.split_once(":[")?.1.strip_suffix(']')?.parse().ok()
}

/// Bytes in a page, from a quantity that two files give in both units: pages are powers of two, so a value that moves between the
/// two reads does no harm.
pub fn page_size(host: &dyn Host) -> Touch<u64> {
    let (memory, vm) = (Place::proc("meminfo"), Place::proc("vmstat"));
    let find = |text: &str, wanted| keyed(text).find(|(key, _)| *key == wanted).map_or(0, |(_, value)| value);
    let kib = find(&host.text(&memory)?, "MemFree");
    let pages = find(&host.text(&vm)?, "nr_free_pages");
    let exponent = (kib as f64 * 1024.0 / pages as f64).log2().round();
    if (12.0..=18.0).contains(&exponent) {
        Ok(1 << exponent as u32)
    } else {
        Err(HostError::plain("read", vm, Kind::Other, "no page size: nr_free_pages does not fit MemFree"))
    }
}

/// The error of a file whose content is not what it should be.
pub fn malformed(place: &Place, what: &str) -> HostError {
    HostError::plain("parse", place, Kind::Other, format!("{what} is missing or malformed"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    #[test]
    fn paired_lines_give_values_by_name() {
        let text = "Ip: A B\nIp: 1 2\nTcp: RtoAlgorithm OutSegs\nTcp: 1 77\n";
        let found: Vec<_> = paired(text, "Tcp:").collect();
        assert_eq!(found, [("RtoAlgorithm", "1"), ("OutSegs", "77")]);
        assert_eq!(paired(text, "TcpExt:").count(), 0);
    }

    #[test]
    fn places_follow_their_root() {
        assert_eq!(place("/sys/fs/cgroup/cpu"), Place::sys("fs/cgroup/cpu"));
        assert_eq!(place("/system"), Place::top("/system"));
        assert_eq!(namespace("net:[4026531833]"), Some(4_026_531_833));
        assert_eq!(namespace("socket:4026531833"), None);
    }

    #[test]
    fn the_page_size_survives_a_value_that_moved_between_two_reads() {
        let host = RecordedHost::default();
        host.put("/proc/meminfo", "MemFree: 8838904 kB\n");
        host.put("/proc/vmstat", "nr_free_pages 2109726\n");
        assert_eq!(page_size(&host).unwrap(), 4096);
        host.put("/proc/vmstat", "nr_free_pages 0\n");
        assert!(page_size(&host).is_err());
    }
}
