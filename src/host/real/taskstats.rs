//! Delay accounting of a process: the command `TASKSTATS_CMD_GET` of generic netlink(7)
//! (Documentation/accounting/taskstats.rst, include/uapi/linux/taskstats.h).
//!
//! The kernel answers within the `send`, so that nothing here waits. It answers only those with CAP_NET_ADMIN in the host's own user
//! and pid namespaces.

use crate::{
    host::{
        error::{HostError, Kind},
        host::Touch,
    },
    model::sample::DelaySample,
};
use rustix::{
    fd::OwnedFd,
    io::retry_on_intr,
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, netlink::SocketAddrNetlink, recv, sendto,
        socket_with,
    },
};
use std::io;

const REQUEST: u16 = 1;
const ERROR: u16 = 2;
/// `GENL_ID_CTRL`: who knows the numbers of all others.
const CONTROL: u16 = 16;
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;
/// `TASKSTATS_CMD_GET`, `TASKSTATS_CMD_ATTR_TGID`.
const GET: u8 = 1;
const ASKED_PROCESS: u16 = 2;
/// `TASKSTATS_TYPE_STATS` within `TASKSTATS_TYPE_AGGR_TGID`.
const STATS: u16 = 3;
const OF_PROCESS: u16 = 5;
/// The two upper bits of an attribute's type are flags.
const TYPE: u16 = 0x3fff;

/// `struct nlmsghdr`, and `struct genlmsghdr` behind it.
const HEADER: usize = 16;
const GENERIC: usize = 4;
/// `struct taskstats` has less than 1 KiB in every version.
const DATAGRAM: usize = 4096;

/// Delay accounting of a process, ended threads included.
pub(super) fn delays(pid: u32) -> Touch<DelaySample> {
    let spot = || format!("process {pid}");
    let stats = ask(pid).map_err(|e| match e.raw_os_error() {
        // So the kernel refuses one that is not in the host's own pid namespace.
        Some(libc::EINVAL) => {
            HostError::plain("taskstats of", spot(), Kind::Denied, "only answered in the host's own pid and user namespaces")
        }
        Some(libc::ENOENT) => HostError::plain("taskstats of", spot(), Kind::Absent, "this kernel has no CONFIG_TASKSTATS"),
        _ => HostError::new("taskstats of", spot(), &e).needing("CAP_NET_ADMIN"),
    })?;
    parse(&stats).ok_or_else(|| HostError::plain("taskstats of", spot(), Kind::Other, "the answer is not understood"))
}

/// The `struct taskstats` of a process.
fn ask(pid: u32) -> io::Result<Vec<u8>> {
    let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(netlink::GENERIC))?;
    let malformed = || io::Error::from_raw_os_error(libc::EBADMSG);
    let answer = exchange(&socket, &request([CONTROL, GET_FAMILY.into()], FAMILY_NAME, b"TASKSTATS\0"))?;
    let family = attribute(&answer, FAMILY_ID).and_then(|id| id.first_chunk().copied()).map(u16::from_ne_bytes);
    let family = family.ok_or_else(malformed)?;
    let answer = exchange(&socket, &request([family, GET.into()], ASKED_PROCESS, &pid.to_ne_bytes()))?;
    let stats = attribute(&answer, OF_PROCESS).and_then(|inside| attribute(inside, STATS));
    stats.map(<[u8]>::to_vec).ok_or_else(malformed)
}

/// Sends a request; the attributes of its answer.
fn exchange(socket: &OwnedFd, request: &[u8]) -> io::Result<Vec<u8>> {
    sendto(socket, request, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut buffer = vec![0; DATAGRAM];
    let (_, length) = retry_on_intr(|| recv(socket, &mut *buffer, RecvFlags::DONTWAIT))?;
    body(buffer.get(..length).unwrap_or_default()).map(<[u8]>::to_vec)
}

/// A message to a family with one attribute.
fn request([family, command]: [u16; 2], kind: u16, value: &[u8]) -> Vec<u8> {
    let attribute = 4 + value.len();
    let length = (HEADER + GENERIC + attribute).next_multiple_of(4);
    let mut all = Vec::with_capacity(length);
    all.extend((length as u32).to_ne_bytes());
    all.extend(family.to_ne_bytes());
    all.extend(REQUEST.to_ne_bytes());
    all.extend([0; 8]);
    all.extend([command as u8, 1, 0, 0]);
    all.extend((attribute as u16).to_ne_bytes());
    all.extend(kind.to_ne_bytes());
    all.extend(value);
    all.resize(length, 0);
    all
}

/// The attributes in a datagram of one message.
fn body(datagram: &[u8]) -> io::Result<&[u8]> {
    let malformed = || io::Error::from_raw_os_error(libc::EBADMSG);
    let length = datagram.first_chunk().copied().map(u32::from_ne_bytes).ok_or_else(malformed)? as usize;
    let kind = datagram.get(4..).and_then(|b| b.first_chunk().copied()).map(u16::from_ne_bytes).ok_or_else(malformed)?;
    let content = datagram.get(HEADER..length).ok_or_else(malformed)?;
    if kind == ERROR {
        let code = content.first_chunk().copied().map_or(0, i32::from_ne_bytes);
        return Err(io::Error::from_raw_os_error(code.wrapping_neg()));
    }
    content.get(GENERIC..).ok_or_else(malformed)
}

/// The value of the first attribute of a kind.
fn attribute(mut all: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16::from_ne_bytes(*all.first_chunk()?));
        let kind = u16::from_ne_bytes(*all.get(2..)?.first_chunk()?) & TYPE;
        let value = all.get(4..length)?;
        if kind == wanted {
            return Some(value);
        }
        all = all.get(length.next_multiple_of(4)..)?;
    }
}

/// The version in which the kernel put a maximum and a minimum behind each total; the next one moved them to the end.
const SPREAD: u16 = 15;

/// Where the totals of delays stand in every version but [`SPREAD`]: cpu, blkio, swapin, freepages, thrashing, compact, wpcopy, irq.
const TOTALS: [usize; 8] = [24, 40, 56, 320, 336, 360, 408, 424];

/// `struct taskstats`; an older kernel's is shorter.
fn parse(stats: &[u8]) -> Option<DelaySample> {
    let version = u16::from_ne_bytes(*stats.first_chunk()?);
    let total = |which: usize| {
        let shift = if version == SPREAD { 16 * which } else { 0 };
        stats.get(TOTALS.get(which)? + shift..)?.first_chunk().copied().map(u64::from_ne_bytes)
    };
    Some(DelaySample {
        cpu: total(0),
        blkio: total(1),
        swapin: total(2),
        freepages: total(3),
        thrashing: total(4),
        compact: total(5),
        wpcopy: total(6),
        irq: total(7),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A structure of a version whose 8-byte word number n holds n.
    fn words(version: u16, length: usize) -> Vec<u8> {
        let mut all: Vec<u8> = (0..length as u64 / 8).flat_map(u64::to_ne_bytes).collect();
        all[..2].copy_from_slice(&version.to_ne_bytes());
        all
    }

    #[test]
    fn each_version_of_the_structure_is_read_where_it_keeps_its_totals() {
        let new = parse(&words(16, 560)).unwrap();
        assert_eq!((new.cpu, new.blkio, new.swapin, new.freepages), (Some(3), Some(5), Some(7), Some(40)));
        assert_eq!((new.thrashing, new.compact, new.wpcopy, new.irq), (Some(42), Some(45), Some(51), Some(53)));
        let old = parse(&words(10, 352)).unwrap();
        assert_eq!((old.thrashing, old.compact, old.irq), (Some(42), None, None));
        let spread = parse(&words(15, 560)).unwrap();
        assert_eq!((spread.cpu, spread.blkio, spread.freepages, spread.irq), (Some(3), Some(7), Some(46), Some(67)));
    }

    #[test]
    fn the_machine_answers_for_our_own_process() {
        match ask(std::process::id()) {
            Ok(stats) => {
                let delays = parse(&stats).unwrap();
                let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
                let one: u64 = schedstat.split_whitespace().nth(1).unwrap().parse().unwrap();
                assert!(delays.cpu.unwrap() > 0 && one > 0, "all threads have waited: {delays:?}, this one {one}");
                assert!(delays.irq.is_some(), "{delays:?}");
                let gone = ask(u32::MAX >> 1).unwrap_err();
                assert_eq!(gone.raw_os_error(), Some(libc::ESRCH));
            }
            Err(e) => eprintln!("skipped: taskstats does not answer here: {e}"),
        }
    }

    proptest! {
        #[test]
        fn no_datagram_makes_it_panic_or_loop(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 0u16..8) {
            let _any = (body(&bytes), attribute(&bytes, kind), parse(&bytes));
        }

        #[test]
        fn attributes_of_any_length_end(lengths in proptest::collection::vec(0u16..12, 0..20)) {
            let bytes: Vec<u8> = lengths.iter().flat_map(|l| [l.to_ne_bytes(), [1, 0]].concat()).collect();
            let _any = attribute(&bytes, 7);
        }
    }
}
