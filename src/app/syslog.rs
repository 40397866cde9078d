//! A line for the system's log (RFC 3164, over the socket that every Linux syslog has), and for our own: what is to be found later outside
//! of trimtab's own files.

use std::os::unix::net::UnixDatagram;

/// Where the system's log listens.
const SOCKET: &str = "/dev/log";

/// Facility authpriv, severity info: who changed what on this machine.
const PRIORITY: u8 = (10 << 3) | 6;

/// Tells both. A system without such a log has only ours, which under systemd is the same.
pub fn tell(text: &str) {
    log::info!("{text}");
    let line = format!("<{PRIORITY}>trimtab[{}]: {text}", std::process::id());
    let told = UnixDatagram::unbound().and_then(|socket| {
        socket.set_nonblocking(true)?;
        socket.send_to(line.as_bytes(), SOCKET)
    });
    if let Err(e) = told {
        log::debug!("{SOCKET}: {e}");
    }
}
