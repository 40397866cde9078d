//! sock_diag(7): the TCP connections of the network namespace that the calling thread is in, with what each has moved
//! (include/uapi/linux/inet_diag.h; `struct tcp_info` of include/uapi/linux/tcp.h).
//!
//! The kernel walks its whole table of connections for each request, however few there are, so both families are asked for at once:
//! only the older kind of request can do that.

use super::diag::{self, DATAGRAM, MESSAGE, TCPDIAG_GETSOCK, both_families, dump, header, u16_at, u32_at};
use crate::host::host::{Connection, Path};
use std::io;

/// ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT, LAST_ACK, CLOSING: neither TIME_WAIT nor LISTEN.
const CONNECTED: u32 = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 11;

/// The attribute with `struct tcp_info`, and its bit in a request.
const INFO: u16 = 2;
const WANT_INFO: u8 = 1 << (INFO - 1);

/// Size of `struct inet_diag_req`.
const REQUEST: usize = 60;

/// Where `struct tcp_info` has its counters of bytes: acknowledged, received (Linux 4.1), sent, sent again (4.19).
const ACKED: usize = 120;
const RECEIVED: usize = 128;
const SENT: usize = 200;
const RESENT: usize = 208;

/// Where it has the round trip, the window for sending and the segments sent again.
const ROUND_TRIP: usize = 68;
const WINDOW: usize = 80;
const RETRANSMITS: usize = 100;

/// Replaces the content of `into`.
pub(super) fn read(into: &mut Vec<Connection>) -> io::Result<()> {
    into.clear();
    let mut take = |body: &[u8]| into.extend(connection(body));
    match dump(&diag::open()?, &request(), &mut vec![0; DATAGRAM], &mut take) {
        // Only the newer kind of request is known here.
        Err(e) if matches!(e.raw_os_error(), Some(libc::EINVAL | libc::ENOENT | libc::EOPNOTSUPP)) => {
            into.clear();
            both_families(CONNECTED, WANT_INFO, &mut |body| into.extend(connection(body)))
        }
        done => done,
    }
}

/// `struct inet_diag_req`, which knows no family.
fn request() -> Vec<u8> {
    let mut fields = header(TCPDIAG_GETSOCK, REQUEST);
    fields.extend([0, 0, 0, WANT_INFO]);
    fields.extend([0; 48]);
    fields.extend(CONNECTED.to_ne_bytes());
    fields.extend([0; 4]);
    fields
}

/// `struct inet_diag_msg` and its attributes.
fn connection(body: &[u8]) -> Option<Connection> {
    let state = *body.get(1)?;
    let cookie = u64::from(u32_at(body, 44)?) | u64::from(u32_at(body, 48)?) << 32;
    let inode = u32_at(body, 68)?.into();
    let info = attribute(body.get(MESSAGE..)?, INFO);
    Some(Connection { cookie, inode, state, bytes: info.and_then(bytes), path: info.and_then(path) })
}

/// The payload of an attribute (`struct rtattr`).
fn attribute(mut rest: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let (length, kind) = (usize::from(u16_at(rest, 0)?), u16_at(rest, 2)?);
        let payload = rest.get(4..length)?;
        if kind == wanted {
            return Some(payload);
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
}

/// Received and sent, of `struct tcp_info`. Before Linux 4.19 what was acknowledged stands for what was sent.
fn bytes(info: &[u8]) -> Option<[u64; 2]> {
    let at = |place: usize| info.get(place..)?.first_chunk().copied().map(u64::from_ne_bytes);
    let sent = at(SENT).zip(at(RESENT)).map(|(sent, resent)| sent.saturating_sub(resent)).or_else(|| at(ACKED))?;
    Some([at(RECEIVED)?, sent])
}

fn path(info: &[u8]) -> Option<Path> {
    Some(Path { micros: u32_at(info, ROUND_TRIP)?, window: u32_at(info, WINDOW)?, resent: u32_at(info, RETRANSMITS)? })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{
        io::{Read, Write},
        net::{Shutdown, TcpListener, TcpStream},
        os::{fd::AsRawFd, unix::fs::MetadataExt},
    };

    fn info(size: usize) -> Vec<u8> {
        let mut info = vec![0; size];
        for (place, value) in [(ACKED, 50_u64), (RECEIVED, 7), (SENT, 100), (RESENT, 30)] {
            if let Some(field) = info.get_mut(place..place + 8) {
                field.copy_from_slice(&value.to_ne_bytes());
            }
        }
        info
    }

    #[test]
    fn resends_are_not_counted_and_older_kernels_tell_what_was_acknowledged() {
        assert_eq!(bytes(&info(232)), Some([7, 70]));
        assert_eq!(bytes(&info(160)), Some([7, 50]));
        assert_eq!(bytes(&info(104)), None, "no counters before Linux 4.1");
    }

    #[test]
    fn counters_are_found_behind_other_attributes() {
        let mut body = vec![0; MESSAGE];
        body[1] = 1;
        body[44..52].copy_from_slice(&0x1_0000_0002_u64.to_ne_bytes());
        body[68..72].copy_from_slice(&77_u32.to_ne_bytes());
        let bare = connection(&body).unwrap();
        assert_eq!((bare.bytes, bare.cookie, bare.inode, bare.state), (None, 0x1_0000_0002, 77, 1));
        body.extend([5, 0, 8, 0, 9, 0, 0, 0]);
        body.extend([236, 0, 2, 0]);
        body.extend(info(232));
        body[MESSAGE + 12 + ROUND_TRIP] = 9;
        let found = connection(&body).unwrap();
        assert_eq!((found.bytes, found.path.unwrap().micros), (Some([7, 70]), 9));
        assert_eq!(connection(&body[..MESSAGE + 40]).unwrap().bytes, None, "cut short");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = connection(&body);
        }
    }

    #[test]
    fn a_real_pair_shows_what_it_moved_in_both_families() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(server) = TcpListener::bind(address) else { continue };
            let mut client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
            let (mut served, _) = server.accept().unwrap();
            client.write_all(&[1; 30_000]).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            let mut all = Vec::new();
            served.read_to_end(&mut all).unwrap();
            let mut found = vec![Connection::default()];
            read(&mut found).unwrap();
            let of = |stream: &TcpStream| {
                let inode = std::fs::metadata(format!("/proc/self/fd/{}", stream.as_raw_fd())).unwrap().ino();
                found.iter().find(|connection| connection.inode == inode).copied().unwrap()
            };
            let [(received, _), (_, sent)] = [of(&served), of(&client)].map(|c| c.bytes.unwrap()).map(|[r, s]| (r, s));
            // The end of the stream takes a place in its numbering.
            assert!((30_000..=30_001).contains(&received), "{address}: {received}");
            assert_eq!(sent, 30_000, "{address}");
            let path = of(&client).path.unwrap();
            assert!(path.micros > 0 && path.micros < 1_000_000 && path.window >= 2, "{address}: {path:?}");
            assert_eq!(of(&served).state, 8, "the other side has closed, we have not");
        }
    }
}
