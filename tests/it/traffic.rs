//! Traffic of processes, by real connections: what a pair moves over the loopback is what is told of each, with the mark that it deserves.
//!
//! The pair lives in a network namespace of its own, so that no other connection of this machine counts. The clock steps as told: a look
//! is a second after the one before, however soon the test asks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};
use trimtab::{
    analysis::derive::deriver::Deriver,
    host::{
        host::{Connection, Handle, Host, Touch},
        real::RealHost,
    },
    model::{
        facts::Facts,
        knob::{Knob, Place},
        sample::{Listener, NetMark, Sample, SourceName, Space},
        snapshot::{ProcessNet, Snapshot, Tcp},
        subject::ProcessId,
        time::{Now, Tick},
    },
    sources::{processes::Processes, source::Source, tcp},
};

/// A client and its server, driven by lines. Each answer has the bytes that the client has sent for the line.
const PAIR: &str = r#"
import os, socket, struct, sys, threading
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen(5)
address = listener.getsockname()
def serve(one):
    while True:
        head = one.recv(8, socket.MSG_WAITALL)
        if not head: return one.close()
        left = struct.unpack("=Q", head)[0]
        while left: left -= len(one.recv(min(left, 1 << 16)))
        one.sendall(b"k")
server = os.fork()
if server == 0:
    while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
listener.close()
def send(to, n):
    to.sendall(struct.pack("=Q", n)); to.sendall(bytes(n)); to.recv(1)
    return n + 8
main = socket.create_connection(address)
heir = 0
print(os.getpid(), server, flush=True)
for line in sys.stdin:
    word, n = line.split()
    if word == "send": print(send(main, int(n)), flush=True)
    if word == "short":
        with socket.create_connection(address) as one: print(send(one, int(n)), flush=True)
    if word == "udp":
        one = socket.socket(type=socket.SOCK_DGRAM); one.sendto(bytes(int(n)), address); print(n, flush=True)
    if word == "share":
        heir = os.fork()
        if heir == 0:
            sys.stdin.close()
            while True: threading.Event().wait()
        print(heir, flush=True)
for pid in (server, heir):
    if pid: os.kill(pid, 9); os.waitpid(pid, 0)
"#;

struct Pair {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    client: u32,
    server: u32,
}

impl Pair {
    /// `None` where no namespace can be made.
    fn start() -> Option<Pair> {
        let script = "ip link set lo up && exec python3 -c \"$PAIR\"";
        let mut command = Command::new("unshare");
        command.args(["-n", "sh", "-c", script]).env("PAIR", PAIR).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().ok()?;
        let (to, from) = (child.stdin.take(), BufReader::new(child.stdout.take()?));
        let mut pair = Pair { child, to, from, client: 0, server: 0 };
        let pids = pair.hear();
        let mut pids = pids.split_whitespace().filter_map(|pid| pid.parse().ok());
        let (Some(client), Some(server)) = (pids.next(), pids.next()) else {
            eprintln!("skipped: no unshare, ip or python3, or no right to make a namespace");
            return None;
        };
        (pair.client, pair.server) = (client, server);
        Some(pair)
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        line
    }

    fn tell(&mut self, line: &str) -> u64 {
        writeln!(self.to.as_mut().unwrap(), "{line}").unwrap();
        self.hear().trim().parse().unwrap()
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        // The end of its input ends it and its children.
        drop(self.to.take());
        let _status = self.child.wait();
    }
}

/// The machine with a clock that only steps.
struct Stepped(RealHost, Mutex<Now>);

impl Host for Stepped {
    fn now(&self) -> Now {
        *self.1.lock().unwrap()
    }
    fn pause(&self, span: Duration) {
        let mut now = self.1.lock().unwrap();
        now.tick = now.tick + span;
    }
    fn read(&self, place: &Place, into: &mut Vec<u8>) -> Touch<()> {
        self.0.read(place, into)
    }
    fn open(&self, place: &Place) -> Touch<Box<dyn Handle>> {
        self.0.open(place)
    }
    fn list(&self, place: &Place, into: &mut Vec<String>) -> Touch<()> {
        self.0.list(place, into)
    }
    fn link(&self, place: &Place) -> Touch<String> {
        self.0.link(place)
    }
    fn inode(&self, place: &Place) -> Touch<u64> {
        self.0.inode(place)
    }
    fn descriptors(&self, pid: u32) -> Touch<u32> {
        self.0.descriptors(pid)
    }
    fn space(&self, at: &Place) -> Touch<Space> {
        self.0.space(at)
    }
    fn cpu_clock(&self, pid: u32) -> Touch<u64> {
        self.0.cpu_clock(pid)
    }
    fn listeners(&self, netns: u64, through: Option<ProcessId>) -> Touch<Vec<Listener>> {
        self.0.listeners(netns, through)
    }
    fn connections(&self, netns: u64, through: Option<ProcessId>, into: &mut Vec<Connection>) -> Touch<()> {
        self.0.connections(netns, through, into)
    }
    fn facts(&self) -> Facts {
        self.0.facts()
    }
    fn family(&self) -> Vec<u32> {
        self.0.family()
    }
    fn get(&self, knob: &Knob) -> Touch<String> {
        self.0.get(knob)
    }
    fn set(&self, knob: &Knob, value: &str) -> Touch<()> {
        self.0.set(knob, value)
    }
    fn may_set(&self, knob: &Knob) -> Touch<()> {
        self.0.may_set(knob)
    }
}

/// The sources as a sweep reads them, and what is derived.
struct Watch {
    host: Arc<Stepped>,
    tcp: tcp::Tcp,
    processes: Processes,
    deriver: Deriver,
    netns: u64,
}

impl Watch {
    /// After the first look.
    fn start(pair: &Pair) -> Watch {
        let host = Arc::new(Stepped(RealHost::default(), Mutex::new(Now { tick: Tick(1_000_000_000), ..Now::default() })));
        let netns = host.inode(&Place::proc(format!("{}/ns/net", pair.client))).unwrap();
        let mut watch = Watch { host, tcp: tcp::Tcp::default(), processes: Processes::new(64), deriver: Deriver::default(), netns };
        watch.sweep();
        watch
    }

    /// One sweep, four seconds after the one before: as rarely as a quiet namespace is looked at.
    fn sweep(&mut self) -> Snapshot {
        self.host.pause(Duration::from_secs(4));
        let now = self.host.now();
        self.deriver.take(SourceName::Tcp, now, Ok(self.tcp.read(&*self.host).unwrap()));
        self.deriver.take(SourceName::Processes, now, Ok(self.processes.read(&*self.host).unwrap()));
        self.deriver.snapshot(now)
    }

    fn space<'s>(&self, snapshot: &'s Snapshot) -> &'s Tcp {
        snapshot.tcp.known().unwrap().iter().find(|row| row.netns == self.netns).unwrap()
    }
}

fn net(snapshot: &Snapshot, pid: u32) -> Option<ProcessNet> {
    snapshot.processes.known()?.iter().find(|p| p.id.pid == pid)?.net
}

#[test]
fn a_pair_over_the_loopback_is_told_to_the_byte_and_exact() {
    let Some(mut pair) = Pair::start() else { return };
    let mut watch = Watch::start(&pair);
    assert_eq!(net(&watch.sweep(), pair.client), None, "nothing moved yet");
    let sent = pair.tell("send 12000000");
    let snapshot = watch.sweep();
    let rate = sent as f64 / 4.0;
    let exact = |received, sent| Some(ProcessNet { received, sent, mark: NetMark::Exact });
    assert_eq!(net(&snapshot, pair.client), exact(0.25, rate), "12 MB and the length before them; the answer is one byte");
    assert_eq!(net(&snapshot, pair.server), exact(rate, 0.25));
    let space = watch.space(&snapshot);
    assert_eq!((space.unattributed, space.states.unwrap()[1]), (Some([0.0, 0.0]), 2));
    let quiet = watch.sweep();
    assert_eq!((net(&quiet, pair.client), net(&quiet, pair.server)), (exact(0.0, 0.0), exact(0.0, 0.0)));
}

#[test]
fn what_may_be_missing_is_marked() {
    let Some(mut pair) = Pair::start() else { return };
    let mut watch = Watch::start(&pair);
    pair.tell("send 4000");
    assert_eq!(net(&watch.sweep(), pair.client).unwrap().mark, NetMark::Exact);
    pair.tell("short 500000");
    let short = net(&watch.sweep(), pair.client).unwrap();
    assert_eq!((short.mark, short.sent), (NetMark::AtLeast, 0.0), "a connection that lived between two looks is lost");
    pair.tell("send 4000");
    pair.tell("udp 100");
    let beside = net(&watch.sweep(), pair.client).unwrap();
    assert_eq!((beside.mark, beside.sent), (NetMark::AtLeast, 1002.0), "who sent a datagram is not told");
    pair.tell("send 4000");
    assert_eq!(net(&watch.sweep(), pair.client).unwrap().mark, NetMark::Exact, "sure again");
}

#[test]
fn a_connection_that_two_hold_is_shared_and_estimated() {
    let Some(mut pair) = Pair::start() else { return };
    let mut watch = Watch::start(&pair);
    let heir = pair.tell("share 0") as u32;
    pair.tell("send 7992");
    let snapshot = watch.sweep();
    let half = Some(ProcessNet { received: 0.0, sent: 1000.0, mark: NetMark::Estimated });
    assert_eq!((net(&snapshot, pair.client), net(&snapshot, heir)), (half, half));
    assert_eq!(net(&snapshot, pair.server).unwrap().mark, NetMark::Exact);
}

/// Nine thousand connections, every tenth of which moves something five times a second.
const MANY: &str = r#"
import socket, time
server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen(4096)
keep = []
for i in range(9000):
    one = socket.create_connection(server.getsockname()); keep.append((one, server.accept()[0]))
print(len(keep), flush=True)
while True:
    for a, b in keep[::10]: a.sendall(bytes(1000)); b.recv(1000)
    time.sleep(0.2)
"#;

/// `cargo test --test it -- traffic::cost --ignored --nocapture`
#[test]
#[ignore = "prints figures"]
fn cost_of_many_connections() {
    let script = "ulimit -n $(ulimit -Hn); ip link set lo up && exec python3 -c \"$MANY\"";
    let mut command = Command::new("unshare");
    let mut child = command.args(["-n", "sh", "-c", script]).env("MANY", MANY).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let host = Stepped(RealHost::default(), Mutex::new(Now { tick: Tick(1_000_000_000), ..Now::default() }));
    let mut tcp = tcp::Tcp::default();
    for look in 0..12 {
        host.pause(Duration::from_secs(4));
        let started = std::time::Instant::now();
        let sample = tcp.read(&host).unwrap();
        let took = started.elapsed();
        let Sample::Tcp(rows) = sample else { panic!() };
        let counted: u32 = rows.iter().filter_map(|row| row.traffic.as_ref()).map(|t| t.states[1]).sum();
        println!("look {look}: {counted} established, {:.1} ms", took.as_secs_f64() * 1e3);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
