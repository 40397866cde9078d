//! A real Prometheus (Debian package `prometheus`) scrapes a real daemon.

use super::metrics::{converse, endpoint};
use crate::cli::{Daemon, Home};
use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Long enough for a loaded machine: a scrape comes each second.
const PATIENCE: Duration = Duration::from_secs(60);

struct Prometheus {
    child: Child,
    at: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Prometheus {
    /// Starts one that scrapes `target`; `None` where it is not installed. It is ready when this returns.
    fn start(home: &Home, target: &str) -> Option<Prometheus> {
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n- job_name: trimtab\n  static_configs:\n  - targets: ['{target}']\n"
        );
        std::fs::write(home.path("prometheus.yml"), config).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", home.path("prometheus.yml").display()));
        command.arg(format!("--storage.tsdb.path={}", home.path("tsdb").display()));
        command.arg(format!("--web.listen-address={free}")).arg("--storage.tsdb.retention.time=1h");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().ok()?;
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut prometheus = Prometheus { child, at: free };
        let mut heard = String::new();
        while !heard.contains("Server is ready") {
            assert!(log.read_line(&mut heard).unwrap() > 0, "it ended: {:?} {heard}", prometheus.child.wait());
        }
        // What it says from now on is read away, so that it never waits for us.
        std::thread::spawn(move || log.lines().for_each(drop));
        Some(prometheus)
    }

    /// The first value that a query gives; looked for until it is there.
    fn value(&self, query: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = converse(&self.at, &format!("GET /api/v1/query?query={query} HTTP/1.0\r\n\r\n"));
            let body: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
            if let Some(value) = body["data"]["result"][0]["value"][1].as_str() {
                return value.into();
            }
            assert!(Instant::now() < end, "{query} did not come: {body}");
            std::thread::park_timeout(Duration::from_millis(100));
        }
    }
}

#[test]
fn it_scrapes_us_and_knows_our_numbers() {
    let home = Home::new();
    let daemon = Daemon::start(&home, &["--observe", "--metrics", "0"]);
    let Some(prometheus) = Prometheus::start(&home, &endpoint(&daemon)) else {
        println!("not run: prometheus is not installed (Debian package prometheus)");
        return;
    };
    let cpus = std::thread::available_parallelism().unwrap().get();
    assert!(prometheus.value("trimtab_cpus").parse::<usize>().unwrap() >= cpus);
    assert_eq!(prometheus.value("up{job=\"trimtab\"}"), "1");
    let busy: f64 = prometheus.value("trimtab_cpu_busy_ratio").parse().unwrap();
    assert!((0.0..=1.0).contains(&busy), "{busy}");
    // A counter goes on from scrape to scrape, as its own rate says.
    let rate: f64 = prometheus.value("sum(rate(trimtab_cpu_seconds_total[10s]))").parse().unwrap();
    assert!(rate > 0.0, "{rate}");
    assert_eq!(prometheus.value("trimtab_mode{trimtab_mode=\"observe\"}"), "1");
    // It knows what kind they are, which it does only from OpenMetrics or its predecessor read without an error.
    let answer = converse(&prometheus.at, "GET /api/v1/metadata?metric=trimtab_cpu_seconds HTTP/1.0\r\n\r\n");
    assert!(answer.contains("\"type\":\"counter\"") && answer.contains("\"unit\":\"seconds\""), "{answer}");
}
