//! The filter language: no text breaks it, and what it writes down is read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trimtab::{
    model::{
        facts::Facts,
        snapshot::{Process, Snapshot},
        time::Tick,
    },
    query::{
        complete::complete,
        filter::Filter,
        rows::process::{Around, PROCESSES, ProcessRow},
    },
};

fuzz_target!(|text: &str| {
    let (word, _) = complete(text, &PROCESSES);
    assert!(text.ends_with(word));
    match Filter::parse(text, &PROCESSES) {
        Ok(filter) => {
            let process = Process { name: "nginx".into(), command: "nginx: worker".into(), cpu: Some(0.3), ..Process::default() };
            let (facts, snapshot) = (Facts::default(), Snapshot::default());
            let around = Around { facts: &facts, snapshot: &snapshot, now: Tick(1) };
            let asked = |filter: &Filter| filter.matches(&ProcessRow { process: &process, around, marked: true });
            let written = filter.to_string();
            // Quotes make a text a little longer, up to the most that is read.
            if written.len() <= 2000 {
                let again = Filter::parse(&written, &PROCESSES).unwrap_or_else(|e| panic!("{written}: {e}"));
                assert_eq!(again, filter);
                assert_eq!(asked(&again), asked(&filter));
            }
        }
        Err(e) => assert!(text.get(e.at.clone()).is_some()),
    }
});
