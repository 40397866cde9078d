//! The socket: the wire as a golden file, and a server that nothing from outside can stall or end.

use proptest::prelude::*;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::watch,
};
use trimtab::{
    link::{
        client::{Client, LinkError},
        doors::Doors,
        guests,
        server::{self, Entrance, Peer},
        socket::{self, Claim, Reach},
    },
    model::{
        alert::{Alert, AlertId, AlertState, Side},
        change::{Cause, Change, ChangeId, ChangeState, Deed, Entry, Who},
        facts::Facts,
        finding::{Evidence, Finding, FindingId, FindingKind, Party, Severity},
        inspection::{
            Delays, Files, Inspection, Limit, MappedMemory, Moved, Namespace, Owner, Privileges, Socket, StatusMemory, Thread,
            Waits,
        },
        knob::Knob,
        lesson::{Chance, HarmBound, Idle, Lesson, Lessons, Part, Regret, Tally, Veto},
        limits::{Mode, Trust},
        message::{Answer, Ask, Body, Command, Cost, Exposition, GuardState, Present, Reply, Request, View, WIRE, Welcome},
        metric::{Better, Key, Metric},
        outlook::{
            Anomaly, Band, Crossing, Effort, Forecast, Link, Method, Outlook, Pattern, Record, Shape, Story, Suspect, Unusual,
        },
        past::{Event, Mark, Past, Trace, Trend},
        plan::{Plan, Step},
        proposal::{Domain, Proposal, Risk, Want},
        role::Role,
        series::Point,
        snapshot::Snapshot,
        subject::{ProcessId, Subject},
        time::{Now, Tick, Wall},
        timing::{Spread, Timings},
        trial::{Guardrail, Trial, Windows},
        unit::Unit,
    },
};

const WHEN: Now = Now { tick: Tick(5_000_000_000), wall: Wall(1_700_000_000_000) };

fn finding() -> Finding {
    let victim = Party { subject: process(7), name: "shop".into(), share: 0.75, amount: 0.5, unit: Unit::SecondsPerSecond };
    Finding {
        id: FindingId { kind: FindingKind::CpuContention, subject: Subject::Host },
        severity: Severity::Warning,
        headline: "shop waits 500 ms/s for cpu that 6 x batch hold".into(),
        evidence: vec![Evidence {
            metric: Metric::PressureCpuSome,
            subject: Subject::Host,
            value: 0.5,
            threshold: Some(0.25),
            from: "/proc/pressure/cpu".into(),
        }],
        culprits: vec![Party { subject: process(9), name: "batch".into(), unit: Unit::Cores, ..victim.clone() }],
        victims: vec![victim],
        ruled_out: vec!["steal".into()],
        advice: None,
        impact: 0.5,
        priority: 1.0,
        since: WHEN.wall,
        crossing: None,
    }
}

fn process(pid: u32) -> Subject {
    Subject::Process(ProcessId { pid, start: 100 })
}

fn proposal() -> Proposal {
    let primary = Key { subject: process(7), metric: Metric::ProcessRunDelay };
    Proposal {
        action: "autogroup".into(),
        finding: finding().id,
        title: "autogroup nice 19 for batch".into(),
        why: "it lives in a session of its own".into(),
        mechanism: "sessions share the cpu by weight".into(),
        expect: "less waiting".into(),
        undo: "at once".into(),
        wants: vec![Want { on: process(9), to: "19".into() }],
        risk: Risk::Low,
        reversible: true,
        domain: Domain::Cpu,
        trial: Trial {
            primary: primary.clone(),
            better: Better::Lower,
            least: 0.1,
            guardrails: vec![Guardrail { key: primary, relative: 0.1, absolute: 0.5 }],
            controls: vec![],
            windows: Windows::default(),
            prevents: None,
        },
        fit: 0.5,
        cooldown: 60.0,
        asked: false,
        foreseen: None,
        course: trimtab::model::proposal::Course::Judged,
    }
}

fn lessons() -> Lessons {
    let chance = Chance { mean: 0.5, low: 0.25, high: 0.75 };
    let bound = HarmBound { upper: 0.25, vouched: 0.125, limit: Some(0.1), clean: 10.0, runs: 10.5, harmed: true, owed: 3 };
    let tally = Tally { win: 3, neutral: 1, harm: 1, unclear: 2 };
    let (action, kind): (Arc<str>, _) = ("nice".into(), FindingKind::CpuContention);
    let part = Part { class: "process".into(), subject: Some("batch".into()), tally, win: chance, harm: chance };
    let lesson = Lesson {
        action: action.clone(),
        kind,
        risk: Risk::Low,
        tally,
        weight: 4.5,
        win: chance,
        neutral: chance,
        harm: chance,
        gain: Some(chance),
        bound,
        trusted: false,
        why: "so".into(),
        parts: vec![part],
    };
    let spread = Some(Spread { count: 3, p50: 1.0, p95: 2.0 });
    Lessons {
        at: WHEN.wall,
        kernel: "6.1".into(),
        trust: Trust::Catalogue,
        lessons: vec![lesson],
        idle: vec![Idle { kind, ended: 6, stayed: 2, rate: Some(chance) }],
        vetoes: vec![Veto { advice: "a1".into(), action, kind, on: "batch".into(), rejections: 3, until: Some(WHEN.wall) }],
        regret: Regret { spent: 1.0, budget: 2.0 },
        timings: Timings { propose: spread, decide: spread, automatic: None, apply: spread, rollback: spread },
    }
}

fn entries() -> Vec<(u64, Entry)> {
    let knob = Knob::ProcessFile { process: ProcessId { pid: 9, start: 100 }, file: "autogroup".into() };
    let step = Step { knob, before: "0".into(), after: "19".into(), apply: "echo 19".into(), undo: "echo 0".into() };
    let plan = Plan { action: "autogroup".into(), boot: "b".into(), steps: vec![step] };
    let deeds = [
        Deed::Proposed { proposal: Box::new(proposal()), finding: Box::new(finding()) },
        Deed::Approved { digest: "d".into() },
        Deed::Prepared,
        Deed::ApplyStarted { plan: Box::new(plan), deadline: Tick(9), leave: false },
        Deed::Applied,
        Deed::RollbackStarted(Cause::Operator),
        Deed::RolledBack,
    ];
    let who = Who::Operator { user: "ann".into(), via: "socket".into() };
    let entry = |deed| Entry { change: ChangeId(1), deed, who: who.clone(), now: WHEN, boot: "b".into() };
    (1..).zip(deeds.map(entry)).collect()
}

fn view() -> View {
    let entries = entries();
    let mut change = Change::begin(&entries[0].1).unwrap();
    for (_, entry) in &entries[1..] {
        change.take(entry).unwrap();
    }
    View {
        number: 3,
        now: WHEN,
        mode: Mode::Suggest,
        facts: Arc::new(Facts { host: "web".into(), cpus: 2, ..Facts::default() }),
        snapshot: Arc::new(Snapshot::default()),
        findings: Arc::new(vec![finding()]),
        changes: Arc::new(vec![Arc::new(change)]),
        problems: vec!["none".into()],
        halted: None,
        cost: Cost { cpu: 0.0078125, resident: 1 << 24, ..Cost::default() },
        guard: GuardState::Armed { pid: 12, plans: 1 },
        engine: 11,
        alerts: Arc::new(vec![Arc::new(alert())]),
        outlook: Some(Arc::new(outlook())),
        emergencies: Vec::new(),
        present: Vec::new(),
        trust: None,
    }
}

fn alert() -> Alert {
    Alert {
        id: AlertId(7),
        rule: "busy".into(),
        key: Key::host(Metric::CpuBusy),
        severity: Severity::Warning,
        state: AlertState::Snoozed,
        side: Side::Above,
        limit: 0.5,
        value: 0.75,
        peak: 1.0,
        since: WHEN.wall,
        fired: Some(WHEN.wall),
        cleared: None,
        acknowledged: Some((Who::Engine, WHEN.wall)),
        snoozed: Some((Who::Engine, None)),
        times: 1,
        note: "look".into(),
    }
}

fn outlook() -> Outlook {
    let key = Key::host(Metric::MemoryUsed);
    let band = Band { point: 2.0, lo80: 1.5, hi80: 2.5, lo95: 1.0, hi95: 3.0 };
    let crossing = Crossing {
        limit: 4.0,
        of: "memory of the host".into(),
        likely: Some(2220.0),
        earliest: Some(1800.0),
        latest: None,
        confidence: 0.9,
    };
    let forecast = Forecast {
        key: key.clone(),
        made: Wall(5),
        step: 300.0,
        bands: vec![band],
        blend: vec![(Method::Ridge, 0.75), (Method::LastValue, 0.25)],
        skill: Some(0.3),
        reliable: true,
        season: Some(86_400.0),
        trained: 259_200.0,
        changed: None,
        record: Some(Record { scored: 40, skill: 0.25, within80: 0.8, within95: 0.95 }),
        crossing: Some(crossing),
    };
    let anomaly = Anomaly {
        key: key.clone(),
        since: Wall(4),
        until: None,
        value: 9.0,
        expected: (1.0, 3.0),
        score: 1.5,
        severity: Severity::Notice,
    };
    let link = Link {
        leads: Key::host(Metric::Dirty),
        follows: key.clone(),
        lag: 3.0,
        r: 0.8,
        interval: (0.6, 0.9),
        partial: Some(0.5),
        q: 0.01,
    };
    let suspect = Suspect {
        subject: process(7),
        name: "python3".into(),
        confidence: 0.8,
        supports: vec!["began 2 s before".into()],
        against: vec!["also waits".into()],
    };
    let story = Story {
        finding: None,
        symptom: key.clone(),
        began: Wall(3),
        headline: "memory grows since python3 began".into(),
        suspects: vec![suspect],
    };
    let shapes = [
        Shape::Periodic { period: 60.0, width: 2.0 },
        Shape::Bursts { per_hour: 3.0 },
        Shape::Step { at: Wall(2), from: 1.0, to: 2.0 },
        Shape::Ramp { slope: 0.5 },
    ];
    Outlook {
        forecasts: vec![Arc::new(forecast)],
        anomalies: vec![anomaly],
        unusual: Some(Unusual { since: Wall(1), score: 1.2, by: vec![(key.clone(), 0.6)] }),
        links: vec![link],
        stories: vec![story],
        patterns: shapes.map(|shape| Pattern { key: key.clone(), shape, confidence: 0.9 }).to_vec(),
        effort: Effort { series: 1, forecasts: 1, cpu: 0.004, budget: 0.01, bytes: 4096 },
    }
}

fn welcome() -> Welcome {
    let key = Key { subject: Subject::Host, metric: Metric::CpuBusy };
    Welcome { view: view(), history: vec![(key, vec![Point { at: Tick(1), value: 0.5 }])], role: Role::Operator }
}

fn past() -> Past {
    let at = |seconds: i64| Wall(WHEN.wall.0 + 1000 * seconds);
    Past { view: view(), over: 1.0, before: Some(at(-1)), after: None, kept: (at(-60), at(0)) }
}

/// A look at a process of which little could be read.
fn inspection() -> Inspection {
    let why = || Arc::from("needs CAP_SYS_PTRACE");
    Inspection {
        id: ProcessId { pid: 7, start: 100 },
        at: WHEN,
        window: 1.0,
        name: "db".into(),
        state: 'D',
        command: Ok("db --data".into()),
        exe: Err(why()),
        cwd: Err(why()),
        root: Err(why()),
        started: Some(WHEN.wall),
        owner: Ok(Owner { uids: [33; 4], gids: [7; 4] }),
        cgroups: Ok(vec![("cpu".into(), "/db".into())]),
        waits: Waits { cpu: Some(0.5), storage: Ok(0.25), delays: Ok(Delays { swap: Some(0.125), ..Delays::default() }) },
        threads: Ok(vec![Thread { tid: 7, state: 'D', syscall: Some("fsync".into()), ..Thread::default() }]),
        thread_count: 1,
        memory: Ok(StatusMemory { peak: 4096, ..StatusMemory::default() }),
        mapped: Ok(MappedMemory { unique: 4096, ..MappedMemory::default() }),
        io: Ok(Moved { storage: [1, 2], ..Moved::default() }),
        limits: Ok(vec![Limit { name: "open files".into(), soft: "1".into(), hard: "2".into(), unit: "files".into() }]),
        files: Ok(Files { open: 1, paths: vec![(3, "/a".into())], ..Files::default() }),
        sockets: Ok(vec![Socket { kind: "tcp".into(), local: "127.0.0.1:1".into(), ..Socket::default() }]),
        namespaces: Ok(vec![Namespace { kind: "net".into(), inode: 5, ours: true }]),
        oom: Ok((600, -100)),
        rights: Ok(Privileges { capabilities: "none".into(), ..Privileges::default() }),
    }
}

/// One request and one answer of each kind, a line each.
fn wire() -> Vec<String> {
    let (change, digest) = (ChangeId(1), Some("d".to_string()));
    let asks = [
        Ask::Watch,
        Ask::View,
        Ask::Do(Command::Approve { change, digest: digest.clone() }),
        Ask::Do(Command::Unapprove(change)),
        Ask::Do(Command::Reject(change)),
        Ask::Do(Command::Apply { change, digest }),
        Ask::Do(Command::Keep(change)),
        Ask::Do(Command::RollBack(change)),
        Ask::Do(Command::RollBackAll),
        Ask::Do(Command::SetMode(Mode::Auto)),
        Ask::Do(Command::Acknowledge(AlertId(7))),
        Ask::Do(Command::Snooze { alert: AlertId(7), seconds: Some(900) }),
        Ask::Audit { most: 10 },
        Ask::Inspect(ProcessId { pid: 7, start: 100 }),
        Ask::Metrics(Exposition::OpenMetrics),
        Ask::Past { at: WHEN.wall },
        Ask::Trace { keys: vec![Key::host(Metric::CpuBusy)], from: Wall(0), to: WHEN.wall, points: 100 },
        Ask::Marks { from: Wall(0), to: WHEN.wall },
        Ask::WriteSnapshot { file: "/tmp/s".into(), from: Wall(0), to: WHEN.wall },
        Ask::Forecast { of: "disk_read:vda".into(), horizon: 1800.0 },
        Ask::Learned,
    ];
    let trend = Trend { min: 0.25, mean: 0.5, max: 1.0 };
    let events = [
        Event::Raised(finding().id, Severity::Warning),
        Event::Ended(finding().id),
        Event::Moved(ChangeId(1), ChangeState::Applied),
    ];
    let bodies = [
        Body::Welcome(Box::new(welcome())),
        Body::View(Box::new(view())),
        Body::Reply(Reply::Done("applied".into())),
        Body::Reply(Reply::Refused("locked".into())),
        Body::Audit(entries()),
        Body::Inspected(Box::new(inspection())),
        Body::Past(Box::new(past())),
        Body::Trace(Trace { from: Wall(0), step: 1000, rows: vec![(Key::host(Metric::CpuBusy), vec![None, Some(trend)])] }),
        Body::Marks(events.map(|event| Mark { at: WHEN.wall, event, text: "so".into() }).to_vec()),
        Body::Error("no".into()),
        Body::Metrics("# EOF\n".into()),
        Body::Forecast(Box::new(Forecast::clone(&outlook().forecasts[0]))),
        Body::Learned(Box::new(lessons())),
    ];
    let request = |ask| serde_json::to_string(&Request { wire: WIRE, id: 1, via: "ssh".into(), ask }).unwrap();
    let answer = |body| serde_json::to_string(&Answer { wire: WIRE, id: 1, body }).unwrap();
    asks.map(request).into_iter().chain(bodies.map(answer)).collect()
}

#[test]
fn the_wire_is_what_it_was() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/golden/wire-{WIRE}.jsonl"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, wire().join("\n") + "\n").unwrap();
    }
    let text = std::fs::read_to_string(&golden).unwrap_or_default();
    for (now, was) in wire().iter().zip(text.lines()) {
        assert_eq!(now, was, "the wire has changed: raise WIRE and add its golden file");
    }
    assert_eq!(text.lines().count(), wire().len(), "{} is not whole", golden.display());
}

#[test]
fn every_line_of_the_wire_is_understood_again() {
    for line in wire() {
        let again = match serde_json::from_str::<Request>(&line) {
            Ok(request) => serde_json::to_string(&request).unwrap(),
            Err(_) => serde_json::to_string(&serde_json::from_str::<Answer>(&line).unwrap()).unwrap(),
        };
        assert_eq!(again, line);
    }
}

/// A server on a socket of its own, with the sender of its views.
struct Served {
    path: PathBuf,
    views: watch::Sender<Arc<View>>,
    _claim: Claim,
    _dir: tempfile::TempDir,
}

fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn serve() -> Served {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("engine.sock");
    let (listener, claim) = socket::claim(&path, uid(), Reach::Own).unwrap();
    let (views, receiver) = watch::channel(Arc::new(view()));
    let answer = |peer: Peer, ask: Ask| async move {
        match ask {
            Ask::Watch => Body::Welcome(Box::new(welcome())),
            Ask::View => Body::View(Box::new(view())),
            Ask::Do(_) => Body::Reply(Reply::Done(format!("{} {}", peer.uid, peer.via))),
            Ask::Audit { .. } => Body::Audit(entries()),
            Ask::Metrics(_) => Body::Metrics(String::new()),
            _ => Body::Error("not here".into()),
        }
    };
    let entrance = Entrance { doors: Doors::of(uid()), groups: |_| Vec::new() };
    tokio::spawn(server::serve(listener, entrance, receiver, answer));
    Served { path, views, _claim: claim, _dir: dir }
}

impl Served {
    async fn client(&self) -> Client {
        Client::connect(&self.path, uid(), "ssh 10.0.0.7").await.unwrap()
    }

    /// Sends bytes and gives back all that comes until the server closes.
    async fn throw(&self, bytes: &[u8]) -> String {
        let mut stream = UnixStream::connect(&self.path).await.unwrap();
        // The server may close before it has read all of it.
        let _closed = stream.write_all(bytes).await;
        let mut all = Vec::new();
        let _reset = stream.read_to_end(&mut all).await;
        String::from_utf8(all).unwrap()
    }
}

/// Runs with real time: the socket is real. Time-outs are tried with a paused clock.
fn run<T>(paused: Clock, work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        if paused == Clock::Paused {
            tokio::time::pause();
        }
        work.await
    })
}

#[derive(PartialEq)]
enum Clock {
    Real,
    Paused,
}

#[test]
fn questions_are_answered_and_views_stream() {
    run(Clock::Real, async {
        let served = serve();
        let mut client = served.client().await;
        let said = Body::Reply(Reply::Done(format!("{} ssh 10.0.0.7", uid())));
        assert_eq!(client.ask(Ask::Do(Command::RollBackAll)).await.unwrap(), said);
        assert_eq!(client.ask(Ask::Audit { most: 3 }).await.unwrap(), Body::Audit(entries()));
        let (first, mut views) = client.watch().await.unwrap();
        let here = vec![Present { user: uid().to_string().into(), via: "ssh 10.0.0.7".into(), role: Role::Admin }];
        let expected = Welcome { view: View { present: here.clone(), ..view() }, role: Role::Admin, ..welcome() };
        assert_eq!(first, expected, "they see themselves and what they may ask");
        for number in 4..8 {
            served.views.send_replace(Arc::new(View { number, ..view() }));
            let view = views.next().await.unwrap();
            assert_eq!((view.number, &view.present), (number, &here));
        }
    });
}

#[test]
fn an_outlook_is_sent_once_and_every_view_has_it() {
    run(Clock::Real, async {
        let served = serve();
        let (_, mut views) = served.client().await.watch().await.unwrap();
        let (first, second) = (Arc::new(outlook()), Arc::new(Outlook::default()));
        for (number, outlook) in [(1, &first), (2, &first), (3, &second)] {
            served.views.send_replace(Arc::new(View { number, outlook: Some(outlook.clone()), ..view() }));
            assert_eq!(views.next().await.unwrap().outlook.as_ref(), Some(outlook));
        }
        let mut stream = UnixStream::connect(&served.path).await.unwrap();
        let ask = Request { wire: WIRE, id: 1, via: String::new(), ask: Ask::Watch };
        stream.write_all(format!("{}\n", serde_json::to_string(&ask).unwrap()).as_bytes()).await.unwrap();
        let mut lines = tokio::io::BufReader::new(stream).lines();
        assert!(lines.next_line().await.unwrap().unwrap().contains("Welcome"));
        for (number, carries) in [(4, true), (5, false)] {
            served.views.send_replace(Arc::new(View { number, outlook: Some(second.clone()), ..view() }));
            let line = lines.next_line().await.unwrap().unwrap();
            assert_eq!(!line.contains("\"outlook\":null"), carries, "{line}");
        }
    });
}

#[test]
fn a_reader_that_sleeps_gets_the_newest_view_when_it_wakes() {
    run(Clock::Real, async {
        let served = serve();
        let (_, mut views) = served.client().await.watch().await.unwrap();
        for number in 10..=500 {
            served.views.send_replace(Arc::new(View { number, ..view() }));
        }
        assert_eq!(views.next().await.unwrap().number, 500);
    });
}

#[test]
fn a_client_that_never_reads_is_let_go_and_others_are_served() {
    run(Clock::Paused, async {
        let served = serve();
        let mut deaf = UnixStream::connect(&served.path).await.unwrap();
        let ask = serde_json::to_vec(&Request { wire: WIRE, id: 1, via: String::new(), ask: Ask::Watch }).unwrap();
        deaf.write_all(&[ask, b"\n".to_vec()].concat()).await.unwrap();
        let wide = View { problems: vec!["x".repeat(4 << 20)], ..view() };
        deaf.readable().await.unwrap();
        served.views.send_replace(Arc::new(wide));
        // The clock is paused and jumps on whenever everything waits: the server's patience ends, and the others are none the wiser.
        assert!(matches!(served.client().await.ask(Ask::View).await, Ok(Body::View(_))));
        tokio::time::sleep(server::WRITE * 2).await;
        let mut all = Vec::new();
        assert!(deaf.read_to_end(&mut all).await.is_ok_and(|n| n < 4 << 20), "it was cut off");
    });
}

#[test]
fn half_a_line_and_silence_end_with_the_patience() {
    run(Clock::Paused, async {
        let served = serve();
        assert!(served.throw(b"{\"wire\":2,").await.contains("no request came"));
        assert!(served.throw(b"").await.contains("no request came"));
    });
}

#[test]
fn another_version_of_the_wire_is_told_so() {
    run(Clock::Real, async {
        let served = serve();
        let mut stream = UnixStream::connect(&served.path).await.unwrap();
        stream.write_all(b"{\"wire\":99,\"id\":5,\"ask\":\"Whatever\"}\n").await.unwrap();
        let mut answer = vec![0; 4096];
        let got = stream.read(&mut answer).await.unwrap();
        let text = String::from_utf8_lossy(&answer[..got]).into_owned();
        assert!(text.contains("\"id\":5") && text.contains(&format!("version {WIRE}")) && text.contains("99"), "{text}");
    });
}

#[test]
fn a_line_without_end_is_cut_at_the_cap() {
    run(Clock::Real, async {
        let served = serve();
        assert!(served.throw(&vec![b'{'; server::REQUEST * 2]).await.contains("longer than 1 MiB"));
        assert!(matches!(served.client().await.ask(Ask::View).await, Ok(Body::View(_))));
    });
}

#[test]
fn one_client_too_many_is_told_so_and_room_comes_back() {
    run(Clock::Real, async {
        let served = serve();
        let mut all = Vec::new();
        for _ in 0..guests::CONNECTIONS {
            let mut client = served.client().await;
            client.ask(Ask::View).await.unwrap();
            all.push(client);
        }
        let refused = served.client().await.ask(Ask::View).await;
        assert!(matches!(&refused, Err(LinkError::Said(why)) if why.contains("too many")), "{refused:?}");
        all.clear();
        while served.client().await.ask(Ask::View).await.is_err() {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn nobody_there_is_its_own_error() {
    run(Clock::Real, async {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        assert!(matches!(Client::connect(&path, uid(), "").await, Err(LinkError::Nobody(_))));
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(matches!(Client::connect(&path, uid(), "").await, Err(LinkError::Nobody(_))));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn garbage_is_answered_and_the_next_client_is_served(
        lines in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..80),
                "\\{\"wire\":2,\"id\":[0-9]{1,25},\"via\":\"[a-z\u{1b}]{0,9}\",\"ask\":[\\{\"A-Za-z:0-9\\}]{0,20}\\}".prop_map(String::into_bytes),
                Just(vec![b'['; 5000]),
            ],
            1..6,
        )
    ) {
        run(Clock::Paused, async {
            let served = serve();
            let mut bytes = lines.join(&b'\n');
            bytes.push(b'\n');
            for line in served.throw(&bytes).await.lines() {
                let answer: Answer = serde_json::from_str(line).unwrap();
                assert!(!matches!(answer.body, Body::Audit(_)) || answer.id > 0);
            }
            assert!(matches!(served.client().await.ask(Ask::View).await, Ok(Body::View(_))));
        });
    }
}
