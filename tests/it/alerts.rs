//! Alerts through the whole engine: real programs, a real web server, receivers that hang, a restart; and how seldom a healthy host
//! breaks the rules that are built in.

use crate::cli::{Daemon, Home, ended};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, pidfd_open},
};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command as Program,
    sync::Arc,
    time::Duration,
};
use trimtab::{
    analysis::alerts::tracker::{News, Tracker},
    config::rules,
    engine::{
        engine,
        handle::EngineHandle,
        job::{Done, Job},
        notify::receiver::MOST,
        parts::{AlertSettings, Feed, Parts, Settings},
        worker::Work,
    },
    host::{error::HostError, host::Host, real::RealHost},
    model::{
        alert::{AlertId, AlertState, Kept, Rule, Side, Target},
        change::{Entry, Who},
        finding::Severity,
        message::{Command, Reply, View},
        metric::{Key, Metric},
        sample::{FilesystemSample, Sample, SourceName, Space},
        subject::Subject,
        time::{Now, Tick, Wall},
    },
    sources::source::{Lane, Source, SourceAbout},
    store::alerts,
};

/// Hands that are never needed.
struct Idle;

impl Work for Idle {
    fn perform(&mut self, _: Job) -> Done {
        Done::default()
    }
    fn foreign(&mut self) -> Done {
        Done::default()
    }
    fn audit(&mut self, _: usize) -> Vec<(u64, Entry)> {
        Vec::new()
    }
}

/// So many filesystems, all of them full.
struct Full(SourceAbout, u64);

impl Source for Full {
    fn about(&self) -> SourceAbout {
        self.0
    }
    fn read(&mut self, _: &dyn Host) -> Result<Sample, HostError> {
        let space = Some(Space { total: 100, used: 99, available: 1, ..Space::default() });
        let row = |n| FilesystemSample { at: format!("/srv/{n}").into(), space, ..FilesystemSample::default() };
        Ok(Sample::Filesystems((0..self.1).map(row).collect()))
    }
}

fn full() -> Rule {
    Rule {
        name: "full".into(),
        metric: Metric::FilesystemUsed,
        subject: "any".into(),
        side: Side::Above,
        limit: 0.9,
        clear: 0.8,
        span: 0.0,
        severity: Severity::Critical,
        note: "make room".into(),
        enabled: true,
    }
}

fn start(filesystems: u64, alerts: AlertSettings) -> EngineHandle {
    let about =
        SourceAbout { name: SourceName::Filesystems, lane: Lane::Sweep, deadline: Duration::from_millis(500), reads: "nothing" };
    engine::start(Parts {
        host: Arc::new(RealHost::default()),
        feed: Feed::Live(vec![Box::new(Full(about, filesystems))]),
        history: None,
        inspector: trimtab::sources::inspector,
        actions: &[],
        hands: Box::new(Idle),
        entries: vec![],
        settings: Settings { alerts: AlertSettings { rules: vec![full()], ..alerts }, ..Settings::default() },
        leave: false,
    })
    .unwrap()
}

fn tell(target: Target) -> AlertSettings {
    AlertSettings { targets: vec![target], ..AlertSettings::default() }
}

async fn until(engine: &mut EngineHandle, wanted: impl Fn(&View) -> bool) -> Arc<View> {
    engine.views.wait_for(|view| wanted(view)).await.unwrap().clone()
}

/// A program in a directory, and a pipe through which it says that it has come so far.
struct Script {
    dir: tempfile::TempDir,
}

impl Script {
    fn new(text: &str) -> Script {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        assert!(Program::new("mkfifo").arg(&fifo).status().unwrap().success());
        let path = dir.path().join("script");
        fs::write(&path, format!("#!/bin/sh\n{text}")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Script { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn target(&self) -> Target {
        let args = [self.path("script"), self.dir.path().into()];
        Target { exec: args.map(|path| path.to_str().unwrap().to_string()).into(), ..Target::default() }
    }

    /// Waits for what it writes into the pipe.
    async fn heard(&self) -> String {
        let fifo = self.path("fifo");
        tokio::task::spawn_blocking(move || fs::read_to_string(fifo).unwrap()).await.unwrap()
    }
}

#[tokio::test]
async fn a_program_gets_json_and_a_few_variables_and_no_shell_in_between() {
    let script = Script::new("cat > $1/json; env > $1/env; echo done > $1/fifo\n");
    let engine = start(1, tell(script.target()));
    script.heard().await;
    let told: serde_json::Value = serde_json::from_slice(&fs::read(script.path("json")).unwrap()).unwrap();
    assert_eq!((&told["v"], &told["left_out"]), (&1.into(), &0.into()));
    let alert = &told["alerts"][0];
    for (field, value) in
        [("event", "fired"), ("metric", "filesystem_used"), ("subject", "filesystem /srv/0"), ("note", "make room")]
    {
        assert_eq!(alert[field], value);
    }
    assert_eq!((alert["value"].as_f64(), alert["limit"].as_f64(), &alert["severity"]), (Some(0.99), Some(0.9), &"critical".into()));
    let env = fs::read_to_string(script.path("env")).unwrap();
    let mut names: Vec<&str> = env.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    names.retain(|name| !matches!(*name, "PWD" | "_" | "SHLVL"));
    names.sort_unstable();
    let given = ["PATH", "TRIMTAB_ALERT", "TRIMTAB_COUNT", "TRIMTAB_EVENT", "TRIMTAB_HEADLINE", "TRIMTAB_HOST", "TRIMTAB_SEVERITY"];
    assert_eq!(names, given, "{env}");
    engine.stop().await;
}

#[tokio::test]
async fn a_program_that_hangs_is_killed_with_all_it_began_and_that_is_shown() {
    let script = Script::new("sleep 1000 &\necho $$ $! > $1/fifo\nsleep 1000\n");
    let mut engine = start(1, tell(Target { timeout: 0.5, ..script.target() }));
    let pids = script.heard().await;
    let open = |pid: &str| pidfd_open(Pid::from_raw(pid.parse().unwrap()).unwrap(), PidfdFlags::empty()).unwrap();
    let handles: Vec<_> = pids.split_whitespace().map(open).collect();
    until(&mut engine, |view| view.problems.iter().any(|why| why.contains("alerts are not told") && why.contains("was killed")))
        .await;
    assert_eq!(handles.len(), 2);
    for handle in &handles {
        let patience = Timespec { tv_sec: 20, tv_nsec: 0 };
        assert_eq!(poll(&mut [PollFd::new(handle, PollFlags::IN)], Some(&patience)).unwrap(), 1, "it lives on");
    }
    engine.stop().await;
}

#[tokio::test]
async fn a_program_that_fails_is_shown_and_does_not_hold_the_other_receiver_up() {
    let (bad, good) = (Script::new("exit 3\n"), Script::new("cat > /dev/null; echo done > $1/fifo\n"));
    let missing = Target { exec: vec!["/nonexistent/program".into()], ..Target::default() };
    let quiet = Target { exec: vec!["/bin/false".into()], ..Target::default() };
    let settings = AlertSettings { targets: vec![bad.target(), missing, good.target(), quiet], ..AlertSettings::default() };
    let mut engine = start(1, settings);
    good.heard().await;
    let view = until(&mut engine, |view| view.problems.len() >= 3).await;
    assert!(view.problems.iter().any(|why| why.contains("exit status: 3")), "{:?}", view.problems);
    assert!(view.problems.iter().any(|why| why.contains("cannot start")), "{:?}", view.problems);
    engine.stop().await;
}

/// Reads one request and gives its body back.
fn request(stream: &mut TcpStream) -> serde_json::Value {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn a_web_server_is_told_again_after_it_failed() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook?x=1", server.local_addr().unwrap());
    let mut engine = start(1, tell(Target { webhook: Some(url), ..Target::default() }));
    let answer = |server: &TcpListener, text: &str| {
        let mut stream = server.accept().unwrap().0;
        let body = request(&mut stream);
        stream.write_all(text.as_bytes()).unwrap();
        body
    };
    let first = answer(&server, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    until(&mut engine, |view| view.problems.iter().any(|why| why.contains("answered 503"))).await;
    let second = tokio::task::spawn_blocking(move || answer(&server, "HTTP/1.1 204 No Content\r\n\r\n")).await.unwrap();
    assert_eq!(first["alerts"][0]["id"], second["alerts"][0]["id"], "what was not told is told again");
    until(&mut engine, |view| view.problems.is_empty()).await;
    engine.stop().await;
}

#[tokio::test]
async fn sweeps_go_on_while_a_receiver_never_answers_a_flood_of_alerts() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", server.local_addr().unwrap());
    let mut engine = start(150, tell(Target { webhook: Some(url), timeout: 300.0, ..Target::default() }));
    let (mut held, body) = tokio::task::spawn_blocking(move || {
        let mut stream = server.accept().unwrap().0;
        let body = request(&mut stream);
        (stream, body)
    })
    .await
    .unwrap();
    assert!(body["alerts"].as_array().unwrap().len() <= MOST, "one message for many");
    assert_eq!(body["alerts"].as_array().unwrap().len() as u64 + body["left_out"].as_u64().unwrap(), 150, "none is forgotten");
    let firing = |view: &View| view.alerts.iter().filter(|alert| alert.state == AlertState::Firing).count();
    let begun = until(&mut engine, |view| firing(view) == 150).await.snapshot.vitals.now;
    // The receiver holds its connection and says nothing, all this while.
    let mut sweeps = 0;
    let mut last = begun.tick;
    while sweeps < 4 {
        let view = until(&mut engine, |view| view.snapshot.vitals.now.tick > last).await;
        (last, sweeps) = (view.snapshot.vitals.now.tick, sweeps + 1);
        let who = Who::Operator { user: "ann".into(), via: "test".into() };
        let id = AlertId(sweeps);
        assert!(matches!(engine.command(who, Command::Acknowledge(id)).await, Reply::Done(_)));
    }
    held.set_nonblocking(true).unwrap();
    assert!(held.read(&mut [0; 8]).is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock), "it still waits");
    engine.stop().await;
}

#[tokio::test]
async fn what_was_said_of_an_alert_outlives_the_engine() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(alerts::FILE);
    let again = |kept: Kept| AlertSettings { file: Some(file.clone()), kept, ..AlertSettings::default() };
    let mut engine = start(3, again(Kept::default()));
    until(&mut engine, |view| view.alerts.len() == 3).await;
    let ann = Who::Operator { user: "ann".into(), via: "test".into() };
    let done = |reply| assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
    done(engine.command(ann.clone(), Command::Acknowledge(AlertId(1))).await);
    done(engine.command(ann.clone(), Command::Snooze { alert: AlertId(2), seconds: Some(3600) }).await);
    let unknown = engine.command(ann.clone(), Command::Acknowledge(AlertId(99))).await;
    assert!(matches!(unknown, Reply::Refused(why) if why.contains("!99")));
    engine.stop().await;
    let mut engine = start(3, again(alerts::load(&file).unwrap()));
    let view = until(&mut engine, |view| view.alerts.len() == 3).await;
    let of = |id| view.alerts.iter().find(|alert| alert.id == AlertId(id)).unwrap().clone();
    assert_eq!((of(1).state, of(1).acknowledged.as_ref().map(|(who, _)| who.clone())), (AlertState::Acknowledged, Some(ann)));
    assert_eq!((of(2).state, of(3).state), (AlertState::Snoozed, AlertState::Firing));
    engine.stop().await;
    assert!(alerts::load(&file).unwrap().live.len() == 3, "and the next one");
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_shown() {
    let file = Path::new("/nonexistent/alerts.json").to_path_buf();
    let mut engine = start(1, AlertSettings { file: Some(file), ..AlertSettings::default() });
    until(&mut engine, |view| view.problems.iter().any(|why| why.contains("/nonexistent"))).await;
    engine.stop().await;
}

/// The state of the first alert; a loaded machine may have others of its own.
fn state(home: &Home) -> String {
    let (code, out, errors) = ended(&home.run(&["alerts", "--json"]));
    assert_eq!((code, errors.as_str()), (0, ""));
    let all: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    let one = all.iter().find(|alert| alert["id"] == 1).unwrap();
    one["state"].as_str().unwrap().into()
}

#[test]
fn alerts_are_listed_acknowledged_and_snoozed_from_the_command_line_and_a_restart_knows_it() {
    let home = Home::new();
    let path = home.path("alerts.ron");
    let mut file = File::create(&path).unwrap();
    file.write_all(b"(alerts: [(name: \"memory\", metric: \"memory_available\", above: 0, for: 0, note: \"just a test\")])")
        .unwrap();
    let args = ["--config", path.to_str().unwrap()];
    let mut daemon = Daemon::start(&home, &args);
    daemon.hear("alert !1 fired");
    let (code, out, _) = ended(&home.run(&["alerts"]));
    assert_eq!(code, 0);
    assert!(out.contains("memory: ") && out.contains("just a test"), "{out}");
    let (code, out, errors) = ended(&home.run(&["ack", "1"]));
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(out.contains("!1 is acknowledged"), "{out}");
    assert_eq!(state(&home), "Acknowledged");
    assert_eq!(ended(&home.run(&["ack", "77"])).0, 1);
    assert_eq!(ended(&home.run(&["snooze", "1", "1y"])).0, 2);
    assert_eq!(daemon.end(rustix::process::Signal::TERM).0, 0);
    let daemon = Daemon::start(&home, &args);
    assert_eq!(state(&home), "Acknowledged");
    assert_eq!(ended(&home.run(&["snooze", "!1", "1h"])).0, 0);
    assert_eq!(state(&home), "Snoozed");
    assert_eq!(daemon.end(rustix::process::Signal::TERM).0, 0);
}

/// Numbers that look random and are the same each time.
struct Noise(u64);

impl Noise {
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1_u32 << 31)
    }

    /// Mostly `usual`, now and then up to `burst`: the shape of nearly every number of a host that does its work.
    fn around(&mut self, usual: f64, burst: f64) -> f64 {
        let wild = self.share().powi(12);
        usual * (0.5 + self.share()) + (burst - usual).max(0.0) * wild
    }
}

/// Alerts that fire in `days` days of a healthy host: every rule's number around what this project's own build host shows when idle,
/// with the bursts of a nightly backup (an hour of disk pressure with pauses), of deployments each few hours and of log rotation.
fn healthy(days: u64, seed: u64) -> Vec<String> {
    const STEP: u64 = 5;
    let mut noise = Noise(seed);
    let rules: Vec<Rule> = rules::built_in();
    let at =
        |second: u64| Now { tick: Tick(1_000_000_000 * (1000 + second)), wall: Wall(1_700_000_000_000 + second as i64 * 1000) };
    let mut tracker = Tracker::new(&rules, Kept::default(), at(0));
    let mut fired = Vec::new();
    for second in (0..days * 86_400).step_by(STEP as usize) {
        let (day, hour) = (second / 86_400, second % 86_400 / 3600);
        let backup = if hour == 3 && second % 600 < 240 { 0.7 } else { 0.0 };
        let deploy = if hour % 5 == 1 && second % 3600 < 240 { 0.9 } else { 0.0 };
        let logs = 0.02 * (second % 86_400) as f64 / 86_400.0 + 0.001 * day as f64;
        let host = [
            (Metric::MemoryAvailable, 3.0e9 * (0.8 + 0.2 * noise.share())),
            (Metric::PressureMemoryFull, noise.around(0.000_5, 0.3)),
            (Metric::SwapIn, noise.around(2000.0, 6.0e7)),
            (Metric::PressureCpuSome, noise.around(0.02, 1.0).max(deploy * noise.share())),
            (Metric::PressureIoFull, noise.around(0.005, 0.9).max(backup * noise.share())),
            (Metric::CpuSteal, noise.around(0.01, 0.5)),
            (Metric::ConntrackUsed, noise.around(0.02, 0.3)),
            (Metric::Temperature, 48.0 + 20.0 * noise.share() + 15.0 * deploy),
        ];
        let of = |subject: Subject, metric, value| (Key::new(subject, metric), value);
        let parts = [
            of(Subject::Filesystem("/".into()), Metric::FilesystemUsed, 0.62 + logs),
            of(Subject::Filesystem("/".into()), Metric::FilesystemInodes, 0.2 + logs),
            of(Subject::Interface("eth0".into()), Metric::NetDrops, noise.around(0.01, 200.0)),
        ];
        let news = tracker.look(at(second), |take| {
            host.into_iter().for_each(|(metric, value)| take(Key::host(metric), value));
            parts.into_iter().for_each(|(key, value)| take(key, value));
        });
        fired.extend(news.into_iter().filter_map(|news| match news {
            News::Fired(alert) => Some(format!("day {day} hour {hour}: {}", alert.headline())),
            _ => None,
        }));
    }
    fired
}

/// X6 of the measure: at most so many a day on a healthy week.
const FEW: usize = 1;

#[test]
fn a_healthy_week_has_hardly_an_alert() {
    for seed in [1, 42, 4711] {
        let fired = healthy(7, seed);
        assert!(fired.len() <= 7 * FEW, "seed {seed}: {fired:#?}");
    }
}
