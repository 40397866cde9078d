//! What trimtab derives, as gauges: every metric of the model by its own name, whatever subjects have it.

use crate::{
    app::metrics::{
        cgroups::{Chosen, MOST_BY_CPU, MOST_BY_MEMORY},
        page::{self, Family, Kind, Page, Row},
    },
    model::{
        metric::{Key, Metric},
        readings,
        snapshot::Snapshot,
        subject::Subject,
    },
};
use std::collections::BTreeMap;

/// Writes them.
pub fn write(snapshot: &Snapshot, chosen: &Chosen, page: &mut Page) {
    // A family has either the host or its parts, so that a sum over it means something: by metric, then by kind of subject.
    let mut families: BTreeMap<(Metric, &'static str), Vec<(Key, f64)>> = BTreeMap::new();
    readings::snapshot(snapshot, &mut |key, value| {
        if is_exported(&key.subject, chosen) {
            families.entry((key.metric, key.subject.kind())).or_default().push((key, value));
        }
    });
    let of_host: Vec<Metric> = families.keys().filter(|(_, kind)| *kind == "host").map(|(metric, _)| *metric).collect();
    for ((metric, kind), rows) in &families {
        let unit = page::unit(metric.unit());
        let by = if *kind != "host" && of_host.contains(metric) { format!("_by_{kind}") } else { String::new() };
        let tail = if unit.is_empty() { String::new() } else { format!("_{unit}") };
        let name = format!("{}{by}{tail}", metric.name());
        let help = help(*metric, kind);
        page.family(
            &Family { name: &name, kind: Kind::Gauge, unit, help: &help },
            rows.iter().map(|(key, value)| row(key, *value)),
        );
    }
    page.leave_out(chosen.others);
    space(snapshot, page);
}

fn is_exported(subject: &Subject, chosen: &Chosen) -> bool {
    match subject {
        Subject::Process(_) => false,
        Subject::Cgroup(path) => chosen.has(path),
        _ => true,
    }
}

fn row(key: &Key, value: f64) -> Row<'_> {
    match &key.subject {
        Subject::Host => Row::plain(value),
        subject => Row::of([(subject.kind(), subject.name())], value),
    }
}

fn help(metric: Metric, kind: &str) -> String {
    let words = metric.words();
    let mut letters = words.chars();
    let words: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    match kind {
        "host" => format!("{words} of the host"),
        "cgroup" => format!("{words} by cgroup: the {MOST_BY_CPU} by cpu time and the {MOST_BY_MEMORY} by memory that use most"),
        kind => format!("{words} by {kind}"),
    }
}

/// A way to read one number of a mount.
type Field = fn(&crate::model::sample::Space) -> u64;

/// Space of filesystems: the metric has only the share in use.
fn space(snapshot: &Snapshot, page: &mut Page) {
    let fields: [(&str, &'static str, &str, Field); 4] = [
        ("filesystem_size_bytes", "bytes", "Size of a filesystem", |space| space.total),
        ("filesystem_available_bytes", "bytes", "Bytes that an ordinary user may still write", |space| space.available),
        ("filesystem_inodes", "", "Inodes in all; absent where their number is not fixed", |space| space.inodes),
        ("filesystem_inodes_free", "", "Inodes that are free", |space| space.inodes_free),
    ];
    for (name, unit, help, field) in fields {
        let all = snapshot.filesystems.known().into_iter().flatten();
        let rows = all.filter_map(|row| {
            let space = row.space.filter(|space| !name.contains("inodes") || space.inodes > 0)?;
            Some(Row::of([("filesystem", (&*row.at).into())], field(&space) as f64))
        });
        page.family(&Family { name, kind: Kind::Gauge, unit, help }, rows);
    }
}
