//! Telling a web server: one POST over plain HTTP/1.1 (RFC 9112), its status, and no more. What needs TLS is told by a program that
//! speaks it ([`exec`](crate::engine::notify::exec)): a TLS library weighs more than all of this engine.

use crate::{engine::notify::notice::Message, host::host::Host, model::time::Tick};
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    time::Duration,
};

/// An `http://` address in its parts.
#[derive(Debug, PartialEq, Eq)]
struct Address<'a> {
    host: &'a str,
    port: u16,
    path: String,
}

/// Posts the message and reads the status.
pub fn tell(url: &str, message: &Message<'_>, patience: Duration, clock: &dyn Host) -> Result<(), String> {
    let end = clock.now().tick + patience;
    let address = parse(url).ok_or_else(|| format!("{url} is no http:// address"))?;
    let say = |e: io::Error| match e.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => format!("did not answer within {} s", patience.as_secs_f64()),
        _ => e.to_string(),
    };
    let mut stream = connect(&address, end, clock).map_err(say)?;
    let json = message.json();
    let Address { host, port, path } = &address;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: trimtab/{}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        env!("CARGO_PKG_VERSION"),
        json.len()
    );
    bound(&stream, end, clock).map_err(say)?;
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(json.as_bytes())).map_err(say)?;
    let line = status(&mut stream, end, clock).map_err(say)?;
    match line.split(' ').nth(1).and_then(|code| code.parse::<u16>().ok()) {
        Some(200..=299) => Ok(()),
        Some(code) => Err(format!("answered {code}")),
        None => Err("answered something else than HTTP".into()),
    }
}

fn parse(url: &str) -> Option<Address<'_>> {
    let rest = url.strip_prefix("http://")?;
    let (place, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (place, 80),
    };
    (!host.is_empty()).then(|| Address { host, port, path: path.into() })
}

/// What is left of the patience; an error once it has ended.
fn left(end: Tick, clock: &dyn Host) -> io::Result<Duration> {
    let left = end.since(clock.now().tick);
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn connect(address: &Address<'_>, end: Tick, clock: &dyn Host) -> io::Result<TcpStream> {
    let host = address.host.trim_start_matches('[').trim_end_matches(']');
    let all: Vec<SocketAddr> = (host, address.port).to_socket_addrs()?.collect();
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for at in all {
        match TcpStream::connect_timeout(&at, left(end, clock)?) {
            Ok(stream) => return Ok(stream),
            Err(e) => last = e,
        }
    }
    Err(last)
}

fn bound(stream: &TcpStream, end: Tick, clock: &dyn Host) -> io::Result<()> {
    let left = left(end, clock)?;
    stream.set_read_timeout(Some(left))?;
    stream.set_write_timeout(Some(left))
}

/// The first line of the answer, of which 256 bytes are enough.
fn status(stream: &mut TcpStream, end: Tick, clock: &dyn Host) -> io::Result<String> {
    let (mut held, mut more) = (Vec::new(), [0; 256]);
    while !held.contains(&b'\n') && held.len() < 256 {
        // A server that sends a byte now and then does not get more time for each.
        bound(stream, end, clock)?;
        match stream.read(&mut more)? {
            0 => break,
            n => held.extend_from_slice(more.get(..n).unwrap_or_default()),
        }
    }
    Ok(String::from_utf8_lossy(&held).lines().next().unwrap_or_default().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let address = |host, port, path: &str| Some(Address { host, port, path: path.into() });
        assert_eq!(parse("http://a"), address("a", 80, "/"));
        assert_eq!(parse("http://a:81/b?c=http://d"), address("a", 81, "/b?c=http://d"));
        assert_eq!(parse("http://[::1]:9/"), address("[::1]", 9, "/"));
        assert_eq!(parse("http://[::1]/x"), address("[::1]", 80, "/x"));
        for wrong in ["https://a", "http://", "http://a:b/", "http://a:99999"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
