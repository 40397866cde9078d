//! The fields that a filter can ask for: one table for every kind of row, so that a name means the same everywhere.

use crate::model::unit::Unit;
use std::fmt;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text: `=`, `!=`, `~`, `!~`.
    Text,
    /// A number of this unit: `=`, `!=`, `<`, `<=`, `>`, `>=`.
    Number(Unit),
    /// Yes or no: `is FIELD`, `FIELD = yes`.
    Flag,
}

macro_rules! fields {
    ($($name:ident, $word:literal, [$($alias:literal),*], $kind:expr, $help:literal;)*) => {
        /// A field of a row.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // each says what it is in `help`
        pub enum Field { $($name,)* }

        impl Field {
            /// Every field, in the order of the help page.
            pub const ALL: &'static [Field] = &[$(Field::$name,)*];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Field::$name => $word,)* }
            }

            /// Other names that it answers to.
            pub fn aliases(self) -> &'static [&'static str] {
                match self { $(Field::$name => &[$($alias),*],)* }
            }

            /// What it holds.
            pub fn kind(self) -> Kind {
                match self { $(Field::$name => $kind,)* }
            }

            /// A line for the help page.
            pub fn help(self) -> &'static str {
                match self { $(Field::$name => $help,)* }
            }
        }
    };
}

use Kind::{Flag, Number, Text};

fields! {
    Pid, "pid", [], Number(Unit::Count), "process id";
    Parent, "ppid", ["parent"], Number(Unit::Count), "process id of the parent";
    Name, "name", ["comm"], Text, "name";
    Command, "command", ["cmd", "args"], Text, "command line";
    User, "user", [], Text, "name of the user, or its number where it has none";
    Uid, "uid", [], Number(Unit::Count), "number of the user";
    State, "state", ["s"], Text, "state, by letter or word: R running, S sleeping, D waiting, Z zombie, T stopped, I idle";
    Cpu, "cpu", ["cpu%"], Number(Unit::Cores), "cpu time, in percent of one core";
    Wait, "wait", ["delay"], Number(Unit::SecondsPerSecond), "time runnable but waiting for a cpu, per second";
    IoWait, "iowait", [], Number(Unit::SecondsPerSecond), "time blocked on storage, per second";
    Memory, "mem", ["memory", "rss", "resident"], Number(Unit::Bytes), "memory";
    MemoryShare, "memshare", ["mem%"], Number(Unit::Share), "memory as a share of the host's";
    Threads, "threads", ["thr"], Number(Unit::Count), "threads";
    Nice, "nice", ["ni"], Number(Unit::Count), "nice";
    Policy, "policy", ["class"], Text, "scheduling policy: other, batch, idle, fifo, rr, deadline, ext";
    Read, "read", [], Number(Unit::BytesPerSecond), "bytes read from storage";
    Write, "write", [], Number(Unit::BytesPerSecond), "bytes written to storage";
    Receive, "netin", ["net", "received"], Number(Unit::BytesPerSecond), "bytes received over TCP";
    Send, "netout", ["sent"], Number(Unit::BytesPerSecond), "bytes sent over TCP";
    Faults, "faults", [], Number(Unit::PerSecond), "page faults that needed storage";
    Descriptors, "fds", ["descriptors", "files"], Number(Unit::Count), "open descriptors";
    Cgroup, "cgroup", [], Text, "path of the control group";
    Unit, "unit", ["service"], Text, "systemd unit that it belongs to";
    Container, "container", [], Text, "name of the container";
    Tty, "tty", ["terminal"], Text, "controlling terminal, such as pts/3";
    Session, "session", ["sid"], Number(Unit::Count), "session id";
    Age, "age", [], Number(Unit::Seconds), "time since it began";
    CpuTime, "cputime", ["time"], Number(Unit::Seconds), "cpu time that it has used";
    Kernel, "kernel", [], Flag, "kernel thread";
    Marked, "marked", [], Flag, "marked with Space";
    What, "kind", [], Text, "kind, such as disk latency";
    Severity, "severity", [], Text, "notice, warning or critical";
    Headline, "headline", ["title"], Text, "the line that says what it is";
    Subject, "subject", ["about"], Text, "what it is about, such as disk vda";
    Culprit, "culprit", [], Text, "who causes it most";
    Victim, "victim", [], Text, "who suffers most";
    Impact, "impact", [], Number(Unit::Share), "share of time or space lost";
    Number, "number", ["id"], Number(Unit::Count), "number of the change";
    Action, "action", [], Text, "action, such as autogroup";
    Risk, "risk", [], Text, "low, medium or high";
    Locked, "locked", [], Flag, "cannot be applied here and now";
    Open, "open", [], Flag, "waits for the operator";
    Live, "live", [], Flag, "applied, or on its way";
    Latency, "latency", [], Number(Unit::Seconds), "mean time of a request";
    Queue, "queue", [], Number(Unit::Count), "mean requests in flight";
    Busy, "busy", [], Number(Unit::Share), "share of time with a request in flight";
    Throttled, "throttled", [], Number(Unit::Share), "share of enforcement periods in which its quota held it back";
    Limit, "limit", [], Number(Unit::Bytes), "limit of its memory";
    Processes, "processes", [], Number(Unit::Count), "processes directly in it";
    Deed, "deed", [], Text, "what was done, such as approved";
    Who, "who", [], Text, "by whom";
    Due, "due", ["left"], Number(Unit::Seconds), "time until its limit is likely reached";
    Confidence, "confidence", [], Number(Unit::Share), "chance that its limit is reached as far as it looks ahead";
    Reliable, "reliable", [], Flag, "there is a reliable forecast";
    Skill, "skill", [], Number(Unit::Count), "1 less its error over that of the last value, in its own past";
    Method, "method", [], Text, "the method that counts most in it";
    Text, "text", ["message"], Text, "the whole line";
    Level, "level", [], Text, "error, warn, info, debug";
}

impl Field {
    /// The field that `word` names among `fields`, in any case.
    pub fn find(word: &str, fields: &[Field]) -> Option<Field> {
        let names = |field: &Field| {
            field.name().eq_ignore_ascii_case(word) || field.aliases().iter().any(|alias| alias.eq_ignore_ascii_case(word))
        };
        fields.iter().copied().find(names)
    }
}

/// A few letters that a row makes up on the spot, without the heap.
#[derive(Clone, Copy, Debug)]
pub struct Short {
    bytes: [u8; 24],
    length: usize,
}

impl Short {
    /// What `text` shows as, cut off after 24 bytes.
    pub fn new(text: fmt::Arguments<'_>) -> Short {
        let mut short = Short { bytes: [0; 24], length: 0 };
        // Writing ends where room ends, and that is all that can be said about it.
        let _cut = fmt::write(&mut short, text);
        short
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or("")
    }
}

impl fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// The value of a field in a row.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Not known; see the rule in [`crate::query`].
    Missing,
    /// A number in the base unit of the field.
    Number(f64),
    /// Text.
    Text(&'a str),
    /// Text that goes by two names, such as `R` and `running`.
    Either(&'a str, &'a str),
    /// Text that the row made up.
    Short(Short),
    /// Yes or no.
    Flag(bool),
}

impl From<Option<f64>> for Value<'_> {
    fn from(number: Option<f64>) -> Self {
        number.map_or(Value::Missing, Value::Number)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Value::Missing, Value::Text)
    }
}

/// A kind of row: which fields it has, and in which of them a bare word is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Its name in the plural.
    pub rows: &'static str,
    /// What can be asked for.
    pub fields: &'static [Field],
    /// Where a bare word is looked for: in texts a part, in numbers the whole.
    pub words: &'static [Field],
}

/// Something that a filter can be asked about.
pub trait Row {
    /// The value of a field; [`Value::Missing`] for one that this kind of row does not have.
    fn field(&self, field: Field) -> Value<'_>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_has_two_meanings() {
        let mut seen: Vec<&str> = Vec::new();
        for field in Field::ALL {
            for name in field.aliases().iter().chain([&field.name()]) {
                assert!(!seen.contains(name), "{name}");
                seen.push(name);
            }
        }
    }

    #[test]
    fn what_is_made_up_is_cut_off_and_never_overflows() {
        assert_eq!(Short::new(format_args!("pts/{}", 3)).as_str(), "pts/3");
        assert_eq!(Short::new(format_args!("{}{}", "ab", "é".repeat(20))).as_str(), "ab");
    }
}
