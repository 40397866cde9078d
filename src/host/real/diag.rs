//! sock_diag(7): TCP sockets of the network namespace that the calling thread is in, over netlink(7); here those that listen.
//!
//! For a listening socket the kernel's `rqueue` is how many connections wait to be accepted and `wqueue` how many may
//! (include/uapi/linux/inet_diag.h; `tcp_diag_get_info` in net/ipv4/tcp_diag.c).

use crate::model::sample::Listener;
use rustix::{
    fd::OwnedFd,
    io::retry_on_intr,
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, netlink::SocketAddrNetlink, recv, sendto,
        socket_with,
    },
};
use std::io;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// The older request, whose answer has the same messages under its own number.
pub(super) const TCPDIAG_GETSOCK: u16 = 18;
const REQUEST_DUMP: u16 = 0x301;
const DONE: u16 = 3;
const ERROR: u16 = 2;
const TCP_LISTEN: u32 = 10;

const HEADER: usize = 16;
/// Size of `struct inet_diag_req_v2`.
const REQUEST: usize = 56;
/// Size of `struct inet_diag_msg`.
pub(super) const MESSAGE: usize = 72;
/// The kernel fills at most 32 KiB at once.
pub(super) const DATAGRAM: usize = 64 * 1024;

/// All listening sockets, IPv4 and IPv6.
pub(super) fn listeners() -> io::Result<Vec<Listener>> {
    let mut found = Vec::new();
    both_families(1 << TCP_LISTEN, 0, &mut |body| found.extend(listener(body)))?;
    Ok(found)
}

/// Calls `take` with each message about a socket in one of the `states` (a mask), IPv4 and then IPv6, with what `extension` (a mask)
/// asks for beside. A kernel without IPv6 has only the first.
pub(super) fn both_families(states: u32, extension: u8, take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; DATAGRAM];
    let socket = open()?;
    dump(&socket, &request(AddressFamily::INET, states, extension), &mut buffer, take)?;
    match dump(&socket, &request(AddressFamily::INET6, states, extension), &mut buffer, take) {
        Err(e) if e.raw_os_error() != Some(libc::ENOENT) => Err(e),
        _ => Ok(()),
    }
}

/// A socket to ask with.
pub(super) fn open() -> io::Result<OwnedFd> {
    Ok(socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(netlink::SOCK_DIAG))?)
}

/// Asks, and calls `take` with each message of the answer.
pub(super) fn dump(socket: &OwnedFd, request: &[u8], buffer: &mut [u8], take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    sendto(socket, request, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    loop {
        let (_, length) = retry_on_intr(|| recv(socket, &mut *buffer, RecvFlags::empty()))?;
        match parse(buffer.get(..length).unwrap_or_default(), take) {
            Dump::GoesOn => {}
            Dump::Ended => return Ok(()),
            Dump::Failed(errno) => return Err(io::Error::from_raw_os_error(errno)),
        }
    }
}

/// `struct nlmsghdr` of a dump with so long a body.
pub(super) fn header(kind: u16, body: usize) -> Vec<u8> {
    let mut fields = Vec::with_capacity(HEADER + body);
    fields.extend(((HEADER + body) as u32).to_ne_bytes());
    fields.extend(kind.to_ne_bytes());
    fields.extend(REQUEST_DUMP.to_ne_bytes());
    fields.extend([0; 8]);
    fields
}

/// With `struct inet_diag_req_v2`: the TCP sockets of a family.
fn request(family: AddressFamily, states: u32, extension: u8) -> Vec<u8> {
    let mut fields = header(SOCK_DIAG_BY_FAMILY, REQUEST);
    fields.extend([family.as_raw() as u8, libc::IPPROTO_TCP as u8, extension, 0]);
    fields.extend(states.to_ne_bytes());
    fields.resize(HEADER + REQUEST, 0);
    fields
}

/// What a datagram said about the dump.
#[derive(Debug, PartialEq, Eq)]
enum Dump {
    GoesOn,
    Ended,
    Failed(i32),
}

/// Takes the messages out of a datagram of netlink messages. One that is cut short ends the dump with an error, so that no reading loop
/// waits for an end that cannot come.
fn parse(mut datagram: &[u8], take: &mut dyn FnMut(&[u8])) -> Dump {
    while !datagram.is_empty() {
        let (Some(length), Some(kind)) = (u32_at(datagram, 0), u16_at(datagram, 4)) else { return Dump::Failed(libc::EBADMSG) };
        let Some(body) = datagram.get(HEADER..length as usize) else { return Dump::Failed(libc::EBADMSG) };
        match kind {
            DONE => return Dump::Ended,
            ERROR => return u32_at(body, 0).map_or(Dump::Failed(libc::EBADMSG), |code| Dump::Failed((code as i32).wrapping_neg())),
            SOCK_DIAG_BY_FAMILY | TCPDIAG_GETSOCK => take(body),
            _ => {}
        }
        datagram = datagram.get((length as usize).next_multiple_of(4)..).unwrap_or_default();
    }
    Dump::GoesOn
}

/// `struct inet_diag_msg`.
fn listener(body: &[u8]) -> Option<Listener> {
    let body: &[u8; MESSAGE] = body.first_chunk()?;
    let port = body.get(4..6)?.try_into().ok().map(u16::from_be_bytes)?;
    Some(Listener { port, waiting: u32_at(body, 56)?, backlog: u32_at(body, 60)?, inode: u32_at(body, 68)?.into(), owner: None })
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_ne_bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{
        net::{TcpListener, TcpStream},
        os::fd::AsFd,
    };

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let mut all = ((HEADER + body.len()) as u32).to_ne_bytes().to_vec();
        all.extend(kind.to_ne_bytes());
        all.extend([0; 10]);
        all.extend(body);
        all
    }

    fn socket(port: u16, queues: [u32; 2], inode: u32) -> Vec<u8> {
        let mut body = vec![0; MESSAGE];
        body[4..6].copy_from_slice(&port.to_be_bytes());
        body[56..60].copy_from_slice(&queues[0].to_ne_bytes());
        body[60..64].copy_from_slice(&queues[1].to_ne_bytes());
        body[68..72].copy_from_slice(&inode.to_ne_bytes());
        body
    }

    #[test]
    fn sockets_are_read_up_to_the_end() {
        let mut datagram = message(SOCK_DIAG_BY_FAMILY, &socket(8080, [3, 128], 77));
        datagram.extend(message(SOCK_DIAG_BY_FAMILY, &socket(22, [0, 5], 78)));
        let mut found = Vec::new();
        assert_eq!(parse(&datagram, &mut |body| found.extend(listener(body))), Dump::GoesOn);
        assert_eq!(found[0], Listener { port: 8080, waiting: 3, backlog: 128, inode: 77, owner: None });
        assert_eq!((found[1].port, found.len()), (22, 2));
        assert_eq!(parse(&message(DONE, &[0; 4]), &mut |_| {}), Dump::Ended);
        assert_eq!(parse(&message(ERROR, &(-libc::ENOENT).to_ne_bytes()), &mut |_| {}), Dump::Failed(libc::ENOENT));
    }

    #[test]
    fn a_cut_datagram_ends_the_dump() {
        let whole = message(SOCK_DIAG_BY_FAMILY, &socket(1, [0, 0], 1));
        assert_eq!(parse(&whole[..40], &mut |_| {}), Dump::Failed(libc::EBADMSG));
        assert_eq!(parse(&[0; 16], &mut |_| {}), Dump::Failed(libc::EBADMSG), "a message of no length would never end");
    }

    #[test]
    fn a_real_listener_shows_its_queue_and_backlog() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(server) = TcpListener::bind(address) else {
                eprintln!("skipped: {address} cannot be bound here");
                continue;
            };
            rustix::net::listen(server.as_fd(), 7).unwrap();
            let port = server.local_addr().unwrap().port();
            let _waiting = TcpStream::connect(server.local_addr().unwrap()).unwrap();
            let found: Vec<Listener> = listeners().unwrap().into_iter().filter(|l| l.port == port).collect();
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!((found[0].waiting, found[0].backlog), (1, 7));
            let inode = rustix::fs::fstat(server.as_fd()).unwrap().st_ino;
            assert_eq!(found[0].inode, inode);
        }
    }

    proptest! {
        #[test]
        fn no_datagram_makes_the_parser_panic_or_loop(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _any = parse(&bytes, &mut |_| {});
        }

        #[test]
        fn no_body_does_either(kind in 0u16..24, length in 0u32..120, body in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut bytes = message(kind, &body);
            bytes[..4].copy_from_slice(&length.to_ne_bytes());
            let _any = parse(&bytes, &mut |_| {});
        }
    }
}
