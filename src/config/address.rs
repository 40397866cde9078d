//! Addresses to listen on, as operators write them. What is not said to be elsewhere is on loopback.

use std::net::SocketAddr;

/// `PORT` and `:PORT` are on loopback; any other address must be written out.
pub fn parse(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text);
    if let Ok(port) = port.parse::<u16>() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    text.parse().map_err(|_| format!("`{text}` is no address to listen on, such as 9877 (on loopback), 127.0.0.1:9877, [::1]:9877"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_on_loopback() {
        for (text, at) in
            [("9877", "127.0.0.1:9877"), (":0", "127.0.0.1:0"), ("[::1]:9877", "[::1]:9877"), ("0.0.0.0:9877", "0.0.0.0:9877")]
        {
            assert_eq!(parse(text).unwrap(), at.parse().unwrap());
        }
        assert!(parse("web:9877").is_err() && parse("65536").is_err() && parse("").is_err());
    }
}
