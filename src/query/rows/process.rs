//! Processes as rows. What a process does not know by itself (names of users, containers, units; the time; marks) comes along.

use crate::{
    model::{
        facts::Facts,
        sample::Policy,
        snapshot::{Process, Snapshot},
        time::Tick,
    },
    query::field::{Field, Row, Schema, Short, Value},
};

/// Fields of a process.
pub static PROCESSES: Schema = Schema {
    rows: "processes",
    fields: &[
        Field::Name,
        Field::Command,
        Field::Pid,
        Field::Parent,
        Field::User,
        Field::Uid,
        Field::State,
        Field::Cpu,
        Field::Wait,
        Field::IoWait,
        Field::Memory,
        Field::MemoryShare,
        Field::Read,
        Field::Write,
        Field::Receive,
        Field::Send,
        Field::Faults,
        Field::Threads,
        Field::Descriptors,
        Field::Nice,
        Field::Policy,
        Field::Cgroup,
        Field::Unit,
        Field::Container,
        Field::Tty,
        Field::Session,
        Field::Age,
        Field::CpuTime,
        Field::Kernel,
        Field::Marked,
    ],
    words: &[Field::Name, Field::Command, Field::Pid],
};

/// What all processes of a list share.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The host.
    pub facts: &'a Facts,
    /// The sweep that they are from.
    pub snapshot: &'a Snapshot,
    /// When.
    pub now: Tick,
}

/// A process in its surroundings.
#[derive(Clone, Copy, Debug)]
pub struct ProcessRow<'a> {
    /// It.
    pub process: &'a Process,
    /// The rest.
    pub around: Around<'a>,
    /// Marked by the operator.
    pub marked: bool,
}

impl Row for ProcessRow<'_> {
    fn field(&self, field: Field) -> Value<'_> {
        let p = self.process;
        let io = |which: usize| Value::from(p.io.and_then(|io| io.get(which).copied()));
        let number = |n: u32| Value::Number(f64::from(n));
        match field {
            Field::Name => Value::Text(&p.name),
            Field::Command => Value::Text(&p.command),
            Field::Pid => number(p.id.pid),
            Field::Parent => number(p.parent),
            Field::User => self.user(),
            Field::Uid => number(p.uid),
            Field::State => state(p.state),
            Field::Cpu => p.cpu.into(),
            Field::Wait => p.wait.into(),
            Field::IoWait => p.io_wait.into(),
            Field::Memory => Value::Number(p.resident as f64),
            Field::MemoryShare => match self.around.facts.memory {
                0 => Value::Missing,
                all => Value::Number(p.resident as f64 / all as f64),
            },
            Field::Read => io(0),
            Field::Write => io(1),
            Field::Receive => p.net.as_ref().map(|net| net.received).into(),
            Field::Send => p.net.as_ref().map(|net| net.sent).into(),
            Field::Faults => Value::Number(p.major_faults),
            Field::Threads => number(p.threads),
            Field::Descriptors => p.descriptors.map(f64::from).into(),
            Field::Nice => Value::Number(f64::from(p.nice)),
            Field::Policy if p.policy == Policy::Unknown => Value::Missing,
            Field::Policy => Value::Text(p.policy.words()),
            Field::Cgroup => Value::Text(&p.cgroup),
            Field::Unit => self.around.snapshot.unit(&p.cgroup).map(|unit| &**unit).into(),
            Field::Container => self.around.snapshot.container(&p.cgroup).map(|name| &**name).into(),
            Field::Tty => tty(p.tty),
            Field::Session => number(p.session),
            Field::Age => Value::Number(p.id.age(self.around.now)),
            Field::CpuTime => Value::Number(p.cpu_time as f64 / 1e9),
            Field::Kernel => Value::Flag(p.kernel),
            Field::Marked => Value::Flag(self.marked),
            _ => Value::Missing,
        }
    }
}

impl ProcessRow<'_> {
    fn user(&self) -> Value<'_> {
        let uid = self.process.uid;
        match self.around.facts.users.iter().find(|(id, _)| *id == uid) {
            Some((_, name)) => Value::Text(name),
            None => Value::Short(Short::new(format_args!("{uid}"))),
        }
    }
}

/// By letter and by word, as `ps` explains them.
fn state(letter: char) -> Value<'static> {
    match letter {
        'R' => Value::Either("R", "running"),
        'S' => Value::Either("S", "sleeping"),
        'D' => Value::Either("D", "waiting"),
        'Z' => Value::Either("Z", "zombie"),
        'T' => Value::Either("T", "stopped"),
        't' => Value::Either("t", "traced"),
        'I' => Value::Either("I", "idle"),
        'X' => Value::Either("X", "dead"),
        other => Value::Short(Short::new(format_args!("{other}"))),
    }
}

/// The terminal of a device number (proc_pid_stat(5): minor in bits 31 to 20 and 7 to 0, major in bits 15 to 8).
fn tty(device: i32) -> Value<'static> {
    let (major, minor) = (device >> 8 & 0xfff, (device & 0xff) | (device >> 12 & 0xfff00));
    match major {
        0 => Value::Missing,
        4 if minor < 64 => Value::Short(Short::new(format_args!("tty{minor}"))),
        4 => Value::Short(Short::new(format_args!("ttyS{}", minor - 64))),
        136..=143 => Value::Short(Short::new(format_args!("pts/{}", (major - 136) * 256 + minor))),
        _ => Value::Short(Short::new(format_args!("{major}:{minor}"))),
    }
}
