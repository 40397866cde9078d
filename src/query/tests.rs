//! The language as a whole.

use crate::{
    model::{
        facts::Facts,
        sample::Policy,
        snapshot::{Process, Snapshot},
        subject::ProcessId,
        time::Tick,
    },
    query::{
        field::{Field, Kind},
        filter::Filter,
        rows::{
            cgroup::CGROUPS,
            change::CHANGES,
            disk::DISKS,
            entry::ENTRIES,
            finding::FINDINGS,
            line::{LINES, LOG},
            process::{Around, PROCESSES, ProcessRow},
        },
    },
};
use proptest::prelude::*;

fn nginx() -> Process {
    Process {
        id: ProcessId { pid: 4242, start: 100_000 },
        name: "nginx".into(),
        command: "nginx: worker process /etc/Shop.conf".into(),
        uid: 33,
        state: 'R',
        tty: 34_819,
        cpu: Some(0.31),
        resident: 310 << 20,
        threads: 5,
        nice: -5,
        policy: Policy::Batch,
        cgroup: "/system.slice/nginx.service".into(),
        ..Process::default()
    }
}

fn facts() -> Facts {
    Facts { users: vec![(0, "root".into()), (33, "www-data".into())], memory: 1 << 30, ..Facts::default() }
}

fn asked(text: &str, process: &Process) -> bool {
    let (facts, snapshot) = (facts(), Snapshot::default());
    let around = Around { facts: &facts, snapshot: &snapshot, now: Tick(1_300_000_000_000) };
    let filter = Filter::parse(text, &PROCESSES).unwrap_or_else(|e| panic!("{text}: {e}"));
    filter.matches(&ProcessRow { process, around, marked: false })
}

fn told(text: &str) -> String {
    let e = Filter::parse(text, &PROCESSES).unwrap_err();
    format!("{} {}", text.get(e.at.clone()).unwrap_or("?"), e.why)
}

#[test]
fn what_is_wanted_is_found() {
    for text in [
        "",
        "  ",
        "ngin",
        "NGINX or nginx",
        "Shop",
        "4242",
        "nginx worker",
        "cpu > 5 and (user = root or mem > 100 mib)",
        "cpu>5 mem>100m",
        "cpu >= 31% && cpu = 31",
        "name = nginx",
        "name=NGinx or name = nginx",
        "name ~ ^ng.*x$",
        "name ~ ^(ng|a)inx$ and (name ~ (g|h)i)",
        "/work\\w+ process/",
        "/etc/Shop",
        "not is kernel",
        "!apache",
        "kernel = no",
        "state = running state = r",
        "state != D",
        "user = www-data uid = 33",
        "nice < 0",
        "tty = pts/3",
        "age > 4 min and age < 6 m",
        "policy = batch",
        "memshare > 30 and memshare < 31%",
        "unknown read",
        "has cpu",
        "not has container",
        "cgroup ~ nginx\\.service$",
        "command = 'nginx: worker process /etc/Shop.conf'",
        "has",
        "unknown or nginx",
        "\"worker process\"",
    ] {
        let process = Process { command: format!("{} has", nginx().command).into(), ..nginx() };
        let process = if text.starts_with("command") { nginx() } else { process };
        assert!(asked(text, &process), "{text}");
    }
}

#[test]
fn what_is_not_wanted_is_not() {
    for text in [
        "apache",
        "Nginx",
        "cpu > 50",
        "mem > 1 gib",
        "name ~ ^x",
        "name !~ ng",
        "not nginx",
        "is kernel",
        "is marked",
        "nginx and not (cpu > 5 or mem > 5)",
        "name = ngin",
        "424",
        "user = root",
    ] {
        assert!(!asked(text, &nginx()), "{text}");
    }
}

#[test]
fn what_is_not_known_answers_no_comparison_not_even_under_not() {
    for text in [
        "read > 0",
        "not read > 0",
        "read = 0",
        "read != 0",
        "not read != 0",
        "not (read > 0 and cpu > 5)",
        "container = x",
        "not container ~ x",
    ] {
        assert!(!asked(text, &nginx()), "{text}");
    }
    for text in ["read > 0 or cpu > 5", "not (read > 0 and cpu > 50)", "unknown read", "not has read"] {
        assert!(asked(text, &nginx()), "{text}");
    }
}

#[test]
fn errors_name_the_place_and_what_was_meant() {
    for (text, expect) in [
        ("cpu > 5 and usr = root", "usr no field `usr` here; did you mean `user`?"),
        ("zzzzzz = 1", "zzzzzz no field `zzzzzz` here"),
        ("mem > 5 s", "5 s mem takes bytes, not a time"),
        ("mem > lots", "lots mem takes a number"),
        ("mem >", " mem takes a number"),
        ("name > 5", "> name is text: it takes = != ~ or !~"),
        ("cpu ~ 5", "~ cpu is a number: it takes = != < <= > or >="),
        ("name ~ (", "( no regular expression: unclosed group"),
        ("(cpu > 5", " expected `)`"),
        ("cpu > 5)", ") no parenthesis is open here"),
        ("and x", "and expected a condition before `and`"),
        ("x and", " expected a word, a field, /a regular expression/ or `(`"),
        ("a = ", "a no field `a` here"),
        ("name = ", " expected a text for name"),
        ("'abc", "'abc this quote is not closed"),
        ("is cpu", "cpu cpu is not yes or no: compare it"),
        ("kernel = 5", "5 kernel is yes or no"),
        ("> 5", "> expected a word, a field, /a regular expression/ or `(`"),
        ("5 > 5", "5 no field `5` here"),
    ] {
        assert!(told(text).starts_with(expect), "{text}: {}", told(text));
    }
}

#[test]
fn depth_and_length_are_bounded() {
    assert!(told(&"(".repeat(1000)).contains("nested"));
    assert!(told(&"!".repeat(1000)).contains("nested"));
    assert!(told(&"x ".repeat(2000)).contains("at most"));
    assert!(Filter::parse(&"!".repeat(40), &PROCESSES).is_err());
}

#[test]
fn every_field_of_a_schema_can_be_asked_for() {
    for schema in [&PROCESSES, &FINDINGS, &CHANGES, &CGROUPS, &DISKS, &ENTRIES, &LOG, &LINES] {
        assert!(schema.words.iter().all(|field| schema.fields.contains(field)), "{}", schema.rows);
        for field in schema.fields {
            Filter::parse(&format!("has {} or unknown {}", field.name(), field.name()), schema).unwrap();
        }
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z][a-z0-9.!-]{0,6}",
        "\\PC{1,6}",
        Just("and".to_string()),
        Just("/usr/bin".to_string()),
        Just("a\"b'".to_string()),
        Just("not".to_string()),
    ]
}

fn leaf() -> impl Strategy<Value = String> {
    let quoted = |text: String| format!("\"{}\"", text.replace('"', "\"\""));
    prop_oneof![
        any_text().prop_map(quoted),
        "[a-z]{1,5}",
        (prop::sample::select(PROCESSES.fields), any_text(), any::<bool>(), 0_u32..9999).prop_map(move |(field, text, way, n)| {
            let name = field.name();
            match field.kind() {
                Kind::Text if way => format!("{name} != {}", quoted(text)),
                Kind::Text => format!("{name} ~ {}", regex::escape(&text).replace([' ', '\u{a0}'], ".")),
                Kind::Number(_) if way => format!("{name}>={n}"),
                Kind::Number(_) => format!("{name} < {n}.5"),
                Kind::Flag => format!("{name} = {}", if way { "yes" } else { "no" }),
            }
        }),
        Just("has read".to_string()),
        Just("/a(b|c)\\/d/".to_string()),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} or ({b} || {a})")),
            inner.prop_map(|a| format!("not ({a})")),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_down_is_read_as_the_same(text in expression()) {
        if let Ok(filter) = Filter::parse(&text, &PROCESSES) {
            let again = filter.to_string();
            let read = Filter::parse(&again, &PROCESSES).unwrap_or_else(|e| panic!("{text} became {again}: {e}"));
            prop_assert_eq!(&read, &filter, "{} became {}", text, again);
            prop_assert_eq!(read.to_string(), again);
        }
    }

    #[test]
    fn no_soup_breaks_it(parts in prop::collection::vec(prop_oneof![
        any_text(),
        prop::sample::select(vec!["(", ")", "!", "not ", " and ", " or ", "||", "&", "=", "!=", "~", "<", ">=", "/", "\"", "'", " ", "cpu", "name ", "has ", "is ", "5", "gib", "%", "\\"]).prop_map(String::from),
    ], 0..30)) {
        let text = parts.concat();
        match Filter::parse(&text, &PROCESSES) {
            Ok(filter) => {
                asked(&text, &nginx());
                let again = filter.to_string();
                prop_assert_eq!(Filter::parse(&again, &PROCESSES).unwrap_or_else(|e| panic!("{again}: {e}")), filter);
            }
            Err(e) => prop_assert!(text.get(e.at.clone()).is_some(), "{:?} in {}", e.at, text),
        }
        let (word, names) = crate::query::complete::complete(&text, &PROCESSES);
        prop_assert!(text.ends_with(word) && names.iter().all(|name| Field::find(name, PROCESSES.fields).is_some()));
    }
}

#[test]
fn and_binds_closer_than_or() {
    let node = |text: &str| Filter::parse(text, &PROCESSES).unwrap();
    assert_eq!(node("a or b c or d"), node("a || (b and c) || d"));
    assert_ne!(node("a or b c"), node("(a or b) c"));
    assert_eq!(node("a b").to_string(), "a and b");
}
