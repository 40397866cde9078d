//! The sockets of a process: its inodes, looked up in the tables of its network namespace (`/proc/PID/net/{tcp,tcp6,udp,udp6,unix}`;
//! proc_pid_net(5)).

use super::file;
use crate::{
    host::host::Host,
    model::{
        inspection::{MOST_SOCKETS, Part, Socket},
        text::clean,
    },
    sources::parse,
};
use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// Those of these inodes that are found, at most [`MOST_SOCKETS`].
pub fn sockets(host: &dyn Host, pid: u32, inodes: &[u64]) -> Part<Vec<Socket>> {
    let wanted: HashSet<u64> = inodes.iter().copied().collect();
    let mut found = Vec::new();
    let mut bytes = Vec::new();
    for kind in ["tcp", "tcp6", "udp", "udp6", "unix"] {
        if wanted.is_empty() || found.len() >= MOST_SOCKETS {
            break;
        }
        // A kernel without IPv6 has not all of them.
        if host.read(&file(pid, &format!("net/{kind}")), &mut bytes).is_err() {
            continue;
        }
        let text = parse::text(&bytes);
        let take = if kind == "unix" { unix } else { internet };
        let rows = text.lines().skip(1).filter_map(|line| take(kind, line)).filter(|(inode, _)| wanted.contains(inode));
        found.extend(rows.map(|(_, socket)| socket).take(MOST_SOCKETS - found.len()));
    }
    Ok(found)
}

/// `sl local remote state tx:rx timer:when retransmits uid timeout inode ...`, numbers in hexadecimal.
fn internet(kind: &str, line: &str) -> Option<(u64, Socket)> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let (send, receive) = fields.get(4)?.split_once(':')?;
    let hex = |text: &str| u32::from_str_radix(text, 16).ok();
    let remote = address(fields.get(2)?)?;
    let nobody = remote.port() == 0 && remote.ip().is_unspecified();
    let state = if kind.starts_with("tcp") { state(hex(fields.get(3)?)?) } else { "" };
    let socket = Socket {
        kind: kind.into(),
        local: address(fields.get(1)?)?.to_string().into(),
        remote: if nobody { "".into() } else { remote.to_string().into() },
        state: state.into(),
        queues: [hex(send)?, hex(receive)?],
    };
    Some((fields.get(9)?.parse().ok()?, socket))
}

/// `0100007F:1F90`: words of four bytes in the order of the machine.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let words: Option<Vec<u32>> = (0..ip.len()).step_by(8).map(|at| u32::from_str_radix(ip.get(at..at + 8)?, 16).ok()).collect();
    let bytes: Vec<u8> = words?.into_iter().flat_map(u32::to_ne_bytes).collect();
    let ip = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => IpAddr::V4(Ipv4Addr::from(four)),
        Err(_) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?)),
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

/// States of include/net/tcp_states.h.
fn state(number: u32) -> &'static str {
    match number {
        1 => "established",
        2 => "syn-sent",
        3 => "syn-received",
        4 => "fin-wait-1",
        5 => "fin-wait-2",
        6 => "time-wait",
        7 => "closed",
        8 => "close-wait",
        9 => "last-ack",
        10 => "listening",
        11 => "closing",
        _ => "new",
    }
}

/// `Num: RefCount Protocol Flags Type St Inode [Path]`.
fn unix(kind: &str, line: &str) -> Option<(u64, Socket)> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let state = match (*fields.get(3)?, *fields.get(5)?) {
        ("00010000", _) => "listening",
        (_, "03") => "connected",
        _ => "",
    };
    let local = clean(fields.get(7).copied().unwrap_or(""), 128);
    Some((fields.get(6)?.parse().ok()?, Socket { kind: kind.into(), local, state: state.into(), ..Socket::default() }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_states_and_queues_are_read() {
        let line = "   1: 0100007F:1F90 0200000A:D431 01 00000010:00000020 00:00000000 00000000  1000 0 4711 1 0000 20 4 30 10 -1";
        let (inode, socket) = internet("tcp", line).unwrap();
        assert_eq!((inode, &*socket.local, &*socket.remote), (4711, "127.0.0.1:8080", "10.0.0.2:54321"));
        assert_eq!((&*socket.state, socket.queues), ("established", [16, 32]));
        let line =
            "0: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 99 1 0 100 0 0 10 0";
        let (_, socket) = internet("tcp6", line).unwrap();
        assert_eq!((&*socket.local, &*socket.remote, &*socket.state), ("[::1]:22", "", "listening"));
        let line = "0000000000000000: 00000002 00000000 00010000 0001 01 1234 /run/x.sock";
        assert_eq!(
            unix("unix", line).map(|(inode, s)| (inode, s.local, s.state)),
            Some((1234, "/run/x.sock".into(), "listening".into()))
        );
    }

    proptest! {
        #[test]
        fn no_line_makes_them_panic(line in "([0-9A-F]{0,34}|:| |\\PC){0,40}") {
            let _any = (internet("tcp", &line), unix("unix", &line), address(&line));
        }
    }
}
