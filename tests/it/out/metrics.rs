//! Pages for Prometheus: both formats as golden files, the endpoint against clients of every kind, the file for node_exporter.

use super::{golden, scene};
use crate::cli::{Daemon, Home, ended};
use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::TcpStream,
    process::{Command, Stdio},
};
use trimtab::{app::metrics, model::message::Exposition};

fn page(format: Exposition) -> String {
    let (view, counters) = scene::host(2);
    metrics::page(&view, &counters, format).replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

#[test]
fn the_pages_are_what_they_were() {
    golden("metrics-1.om.txt", &page(Exposition::OpenMetrics));
    golden("metrics-1.prom", &page(Exposition::Text));
}

/// The name of a row and the family it belongs to by the rules of OpenMetrics.
fn family(name: &str, kind: &str) -> String {
    let endings: &[&str] = match kind {
        "counter" => &["_total"],
        "info" => &["_info"],
        "histogram" => &["_bucket", "_count", "_sum"],
        _ => &[""],
    };
    endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or_else(|| panic!("{name} is no {kind}")).into()
}

#[test]
fn every_row_belongs_to_the_family_above_it_and_no_family_comes_twice() {
    let text = page(Exposition::OpenMetrics);
    let (mut name, mut kind, mut unit) = (String::new(), String::new(), String::new());
    let (mut families, mut rows) = (BTreeSet::new(), BTreeSet::new());
    assert!(text.ends_with("\n# EOF\n"));
    for line in text.lines().filter(|line| *line != "# EOF") {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", "TYPE", of, is] => {
                (name, kind, unit) = (of.into(), is.into(), String::new());
                assert!(families.insert(name.clone()), "{name} comes twice");
            }
            ["#", "UNIT", of, is] => {
                assert!(of == name && of.ends_with(&format!("_{is}")), "{line}");
                unit = is.into();
            }
            ["#", "HELP", of, help] => assert!(of == name && !help.is_empty(), "{line}"),
            _ => {
                let row = line.split(['{', ' ']).next().unwrap();
                assert_eq!(family(row, &kind), name, "{line}");
                assert!(rows.insert(line.rsplit_once(' ').unwrap().0), "{line} comes twice");
            }
        }
    }
    assert!(families.iter().all(|name| name.starts_with("trimtab_")));
    assert_eq!(unit, "", "the last family has none");
}

#[test]
fn promtool_finds_nothing_to_complain_about() {
    let run = || {
        Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    };
    let (code, host, errors) = ended(&Home::new().run(&["metrics", "--format", "text"]));
    assert_eq!((code, errors.as_str()), (0, ""));
    for page in [page(Exposition::Text), host] {
        let Ok(mut promtool) = run() else {
            println!("not run: promtool is not installed (Debian package prometheus)");
            return;
        };
        promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
        let output = promtool.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.is_empty(), "{told}");
    }
}

/// Where the daemon says that its metrics are.
pub fn endpoint(daemon: &Daemon) -> String {
    let heard = &daemon.heard;
    let (_, rest) = heard.split_once("http://").unwrap_or_else(|| panic!("no endpoint in {heard}"));
    rest.split('/').next().unwrap().into()
}

/// Sends bytes and reads all that comes.
pub fn converse(at: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(at: &str, accept: &str) -> String {
    converse(at, &format!("GET /metrics HTTP/1.1\r\nHost: {at}\r\nAccept: {accept}\r\n\r\n"))
}

#[test]
fn the_endpoint_serves_the_page_in_the_format_that_is_asked_for_and_nothing_else() {
    let home = Home::new();
    let daemon = Daemon::start(&home, &["--observe", "--metrics", "0"]);
    let at = endpoint(&daemon);
    assert!(at.starts_with("127.0.0.1:"), "{at}");
    let open = get(&at, "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
    assert!(open.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0"), "{open}");
    let (head, body) = open.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}", body.len())) && body.ends_with("# EOF\n"));
    let text = get(&at, "*/*");
    assert!(text.contains("Content-Type: text/plain; version=0.0.4") && !text.contains("# EOF"), "{text}");
    let head = converse(&at, "HEAD /metrics HTTP/1.1\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n".to_string(), "404 Not Found"),
        ("POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n".into(), "405 Method Not Allowed"),
        ("hello\r\n\r\n".into(), "400 Bad Request"),
        (format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(metrics::server::HEAD)), "431 "),
    ] {
        let answer = converse(&at, &request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}

#[test]
fn clients_that_say_nothing_hold_nobody_up_and_one_too_many_is_closed() {
    let home = Home::new();
    let daemon = Daemon::start(&home, &["--observe", "--metrics", "0"]);
    let at = endpoint(&daemon);
    let mut silent: Vec<TcpStream> = (1..metrics::server::CONNECTIONS).map(|_| TcpStream::connect(&at).unwrap()).collect();
    assert!(get(&at, "").contains("trimtab_cpus"), "the last place serves");
    silent.push(TcpStream::connect(&at).unwrap());
    let mut refused = TcpStream::connect(&at).unwrap();
    assert_eq!(refused.read(&mut [0; 16]).unwrap(), 0, "closed at once");
    // The socket of the engine is another door.
    assert_eq!(ended(&home.run(&["status"])).0, 0);
    // Whoever takes too long is told so; then there is room again.
    let mut told = String::new();
    silent.remove(0).read_to_string(&mut told).unwrap();
    assert!(told.starts_with("HTTP/1.1 408"), "{told}");
    drop(silent);
    assert!(get(&at, "").contains("trimtab_cpus"));
}

#[test]
fn an_address_for_everybody_is_said_in_the_log_and_a_taken_one_is_refused() {
    let home = Home::new();
    let daemon = Daemon::start(&home, &["--observe", "--metrics", "0.0.0.0:0"]);
    assert!(daemon.heard.contains("warn: metrics on 0.0.0.0:") && daemon.heard.contains("without a password"), "{}", daemon.heard);
    let port = endpoint(&daemon).rsplit_once(':').unwrap().1.to_string();
    let other = Home::new();
    let (code, _, errors) = ended(&other.run(&["daemon", "--observe", "--metrics", &port]));
    assert_eq!(code, 1);
    assert!(errors.contains(&format!("metrics on 127.0.0.1:{port}")), "{errors}");
}

#[test]
fn the_file_is_for_the_collector_and_an_engine_that_runs_is_asked_for_it() {
    let home = Home::new();
    let daemon = Daemon::start(&home, &["--observe"]);
    let path = home.path("trimtab.prom");
    let (code, out, errors) = ended(&home.run(&["metrics", "--out", path.to_str().unwrap()]));
    assert_eq!((code, out.as_str(), errors.as_str()), (0, "", ""));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("# TYPE trimtab_cpu_seconds_total counter") && !text.contains("# EOF"), "{text}");
    assert!(text.contains("trimtab_mode{trimtab_mode=\"observe\"} 1"));
    let (_, out, _) = ended(&home.run(&["metrics"]));
    assert!(out.ends_with("# EOF\n"));
    assert_eq!(daemon.end(rustix::process::Signal::TERM).0, 0);
}
