//! The endpoint that Prometheus scrapes: `GET /metrics` over HTTP/1.1 (RFC 9112), one request a connection, nothing else.
//!
//! It runs beside the engine and asks it as a console does, so that nobody who connects can hold the engine up. Bounds: so many
//! connections at a time, so many bytes of a request, so long to send it, so long to take the answer.

use crate::{
    app::{
        failure::Failure,
        metrics::{
            self,
            accept::{content_type, wanted},
        },
    },
    config::{address, sections::Metrics},
    engine::handle::EngineHandle,
    model::message::Exposition,
};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};

/// Connections at a time; one more is closed at once.
pub const CONNECTIONS: usize = 8;
/// Bytes of a request's head at most.
pub const HEAD: usize = 8 << 10;
/// How long a client may take to send its request.
pub const ASK: Duration = Duration::from_secs(5);
/// How long a client may take to read the answer.
pub const TAKE: Duration = Duration::from_secs(10);

/// Listens where the configuration says, if it does, and tells the log.
pub async fn listen(config: &Metrics) -> Result<Option<TcpListener>, Failure> {
    let Some(wanted) = &config.listen else { return Ok(None) };
    let failed = |e: io::Error| Failure::new(format!("metrics on {wanted}: {e}"));
    let listener = TcpListener::bind(address::parse(wanted).map_err(Failure::usage)?).await.map_err(failed)?;
    let at = listener.local_addr().map_err(failed)?;
    log::info!("metrics are on http://{at}/metrics");
    if !at.ip().is_loopback() {
        log::warn!("metrics on {at} can be read by whoever reaches this address, without a password");
    }
    Ok(Some(listener))
}

/// Serves until its task is dropped.
pub async fn serve(listener: TcpListener, engine: EngineHandle) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut all = tokio::task::JoinSet::new();
    loop {
        while all.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, most likely: connections that end give some back.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(place) = room.clone().try_acquire_owned() else { continue };
        let engine = engine.clone();
        all.spawn(async move {
            // Whoever breaks off has only itself to tell.
            let _ended = converse(stream, &engine).await;
            drop(place);
        });
    }
}

async fn converse(mut stream: TcpStream, engine: &EngineHandle) -> io::Result<()> {
    let answer = match timeout(ASK, head(&mut stream)).await {
        Ok(Ok(head)) => answer(&head, engine).await,
        Ok(Err(e)) if e.kind() == io::ErrorKind::InvalidData => plain("431 Request Header Fields Too Large", ""),
        Ok(Err(e)) => return Err(e),
        Err(_) => plain("408 Request Timeout", ""),
    };
    let give = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // What the client still sends is read away: closing before that would reset the connection and lose the answer.
        let mut rest = [0; 1024];
        while stream.read(&mut rest).await? > 0 {}
        Ok(())
    };
    timeout(TAKE, give).await.unwrap_or(Ok(()))
}

/// The bytes up to the empty line that ends a request's head.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut held = Vec::with_capacity(1024);
    loop {
        if let Some(end) = held.windows(4).position(|four| four == b"\r\n\r\n") {
            held.truncate(end);
            return Ok(String::from_utf8_lossy(&held).into_owned());
        }
        if held.len() >= HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if stream.read_buf(&mut held).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Request {
    /// The page, in a format; without the page itself for `HEAD`.
    Page(Exposition, Whole),
    /// Something that there is not.
    Nothing,
    /// Another method.
    Method,
    /// No HTTP.
    Nonsense,
}

#[derive(Debug, PartialEq, Eq)]
enum Whole {
    Yes,
    HeadOnly,
}

fn request(head: &str) -> Request {
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next()) else {
        return Request::Nonsense;
    };
    if !version.starts_with("HTTP/1.") {
        return Request::Nonsense;
    }
    let whole = match method {
        "GET" => Whole::Yes,
        "HEAD" => Whole::HeadOnly,
        _ => return Request::Method,
    };
    if target.split('?').next() != Some("/metrics") {
        return Request::Nothing;
    }
    let headers = lines.filter_map(|line| line.split_once(':'));
    let accept: Vec<&str> =
        headers.filter(|(name, _)| name.eq_ignore_ascii_case("accept")).map(|(_, value)| value.trim()).collect();
    Request::Page(wanted(&accept.join(",")), whole)
}

async fn answer(head: &str, engine: &EngineHandle) -> String {
    match request(head) {
        Request::Nonsense => plain("400 Bad Request", ""),
        Request::Method => plain("405 Method Not Allowed", "Allow: GET, HEAD\r\n"),
        Request::Nothing => plain("404 Not Found", ""),
        Request::Page(format, whole) => {
            let Some(counters) = engine.counters().await else { return plain("503 Service Unavailable", "") };
            let view = engine.views.borrow().clone();
            let page = metrics::page(&view, &counters, format);
            let body = if whole == Whole::Yes { page.as_str() } else { "" };
            response("200 OK", content_type(format), "", (body, page.len()))
        }
    }
}

fn plain(status: &str, headers: &str) -> String {
    let body = format!("{}; the metrics are at /metrics\n", status.get(4..).unwrap_or_default());
    response(status, "text/plain; charset=utf-8", headers, (&body, body.len()))
}

/// A whole response; the length is told even where the body is left out.
fn response(status: &str, content: &str, headers: &str, (body, length): (&str, usize)) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content}\r\nContent-Length: {length}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\n{headers}Connection: close\r\n\r\n{body}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_page_is_served() {
        let page = |accept: &str| request(&format!("GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\naccept: {accept}"));
        assert_eq!(page("text/plain"), Request::Page(Exposition::Text, Whole::Yes));
        assert_eq!(page("application/openmetrics-text"), Request::Page(Exposition::OpenMetrics, Whole::Yes));
        assert_eq!(request("HEAD /metrics HTTP/1.0"), Request::Page(Exposition::Text, Whole::HeadOnly));
        for nothing in ["GET / HTTP/1.1", "GET /metrics/x HTTP/1.1", "GET http://a/metrics HTTP/1.1"] {
            assert_eq!(request(nothing), Request::Nothing);
        }
        assert_eq!(request("POST /metrics HTTP/1.1"), Request::Method);
        for nonsense in ["", "GET /metrics", "GET /metrics HTTP/2", "GET  /metrics HTTP/1.1", "\u{16}\u{3}\u{1}"] {
            assert_eq!(request(nonsense), Request::Nonsense, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn no_head_breaks_it(head in "\\PC{0,60}", more in "[a-zA-Z:;=,./0-9 \r\n]{0,80}") {
            request(&head);
            request(&format!("GET /metrics HTTP/1.1\r\n{more}"));
        }
    }
}
