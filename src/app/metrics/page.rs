//! The two text formats: OpenMetrics 1.0 (<https://prometheus.io/docs/specs/om/open_metrics_spec/>) and the one before it, 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>). A family is written whole or, without rows, not at all.

use crate::{
    app::metrics::MOST,
    model::{message::Exposition, unit::Unit},
};
use std::{borrow::Cow, fmt::Write};

/// What kind of numbers a family has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up.
    Counter,
    /// Counts of what was at most so much.
    Histogram,
    /// Text in labels.
    Info,
    /// One of several states; the label has the family's name.
    StateSet,
}

/// What a family is.
#[derive(Clone, Debug)]
pub struct Family<'a> {
    /// Its name, with its unit, without `trimtab_` and without `_total` or `_info`.
    pub name: &'a str,
    /// Its kind.
    pub kind: Kind,
    /// Its unit, which the name ends with; empty for plain counts.
    pub unit: &'static str,
    /// One line for people.
    pub help: &'a str,
}

/// One number of a family.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// What follows the family's name, such as `_bucket`; the kind's own ending is added by itself.
    pub ending: &'static str,
    /// Labels.
    pub labels: Vec<(&'static str, Cow<'a, str>)>,
    /// The number.
    pub value: f64,
}

impl<'a> Row<'a> {
    /// A number without labels.
    pub fn plain(value: f64) -> Row<'a> {
        Row { ending: "", labels: Vec::new(), value }
    }

    /// A number with labels.
    pub fn of<const N: usize>(labels: [(&'static str, Cow<'a, str>); N], value: f64) -> Row<'a> {
        Row { ending: "", labels: labels.into(), value }
    }
}

/// The name of a unit; values are always in the base unit.
pub fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Share => "ratio",
        Unit::Cores => "cores",
        Unit::Bytes => "bytes",
        Unit::BytesPerSecond => "bytes_per_second",
        Unit::Seconds => "seconds",
        Unit::SecondsPerSecond => "seconds_per_second",
        Unit::PerSecond => "per_second",
        Unit::Hertz => "hertz",
        Unit::Celsius => "celsius",
        Unit::Watts => "watts",
        Unit::Count => "",
    }
}

/// A page that is being written.
#[derive(Debug)]
pub struct Page {
    format: Exposition,
    out: String,
    left_out: usize,
}

impl Page {
    /// An empty one.
    pub fn new(format: Exposition) -> Page {
        Page { format, out: String::with_capacity(1 << 15), left_out: 0 }
    }

    /// Writes a family with its rows, [`MOST`] at most.
    pub fn family<'r>(&mut self, family: &Family<'_>, rows: impl IntoIterator<Item = Row<'r>>) {
        let mut rows = rows.into_iter().filter(|row| !row.value.is_nan()).peekable();
        if rows.peek().is_none() {
            return;
        }
        self.head(family);
        let mut written = 0;
        for row in rows {
            if written >= MOST {
                self.left_out += 1;
                continue;
            }
            written += 1;
            self.row(family, &row);
        }
    }

    /// Counts rows that a writer has left out by itself.
    pub fn leave_out(&mut self, rows: usize) {
        self.left_out += rows;
    }

    /// The whole text.
    pub fn end(mut self) -> String {
        let help = "Rows that are not on this page because there are too many";
        let left_out = self.left_out as f64;
        self.family(&Family { name: "rows_left_out", kind: Kind::Gauge, unit: "", help }, [Row::plain(left_out)]);
        if self.format == Exposition::OpenMetrics {
            self.out.push_str("# EOF\n");
        }
        self.out
    }

    fn head(&mut self, family: &Family<'_>) {
        let Family { name, kind, unit, help } = family;
        let open = self.format == Exposition::OpenMetrics;
        // The older format knows no families: there the name is that of the rows.
        let ending = if open { "" } else { ending(*kind) };
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
            Kind::Info if open => "info",
            Kind::StateSet if open => "stateset",
            Kind::Gauge | Kind::Info | Kind::StateSet => "gauge",
        };
        self.put(format_args!("# TYPE trimtab_{name}{ending} {kind}\n"));
        if open && !unit.is_empty() {
            self.put(format_args!("# UNIT trimtab_{name} {unit}\n"));
        }
        self.put(format_args!("# HELP trimtab_{name}{ending} {}\n", escaped(help, open)));
    }

    fn row(&mut self, family: &Family<'_>, row: &Row<'_>) {
        self.put(format_args!("trimtab_{}{}{}", family.name, row.ending, ending(family.kind)));
        for (i, (name, value)) in row.labels.iter().enumerate() {
            let opening = if i == 0 { '{' } else { ',' };
            // The label of a state set is its family's whole name.
            let prefix = if family.kind == Kind::StateSet && *name == family.name { "trimtab_" } else { "" };
            self.put(format_args!("{opening}{prefix}{name}=\"{}\"", escaped(value, true)));
        }
        let closing = if row.labels.is_empty() { "" } else { "}" };
        match row.value {
            f64::INFINITY => self.put(format_args!("{closing} +Inf\n")),
            f64::NEG_INFINITY => self.put(format_args!("{closing} -Inf\n")),
            value => self.put(format_args!("{closing} {value}\n")),
        }
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _never = self.out.write_fmt(text);
    }
}

fn ending(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "_total",
        Kind::Info => "_info",
        Kind::Gauge | Kind::Histogram | Kind::StateSet => "",
    }
}

/// Backslashes and ends of lines, and where they would end a value, quotes.
fn escaped(text: &str, quotes: bool) -> Cow<'_, str> {
    if !text.contains(['\\', '\n', '"']) {
        return text.into();
    }
    let mut out = text.replace('\\', "\\\\").replace('\n', "\\n");
    if quotes {
        out = out.replace('"', "\\\"");
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(format: Exposition) -> String {
        let mut page = Page::new(format);
        let family = Family { name: "read_bytes", kind: Kind::Counter, unit: "bytes", help: "Bytes \"read\"" };
        page.family(&family, [Row::of([("disk", "v\"d\\a\n".into())], 3.0), Row::of([("disk", "b".into())], f64::NAN)]);
        page.family(&Family { name: "none", kind: Kind::Gauge, unit: "", help: "" }, []);
        let mode = Family { name: "mode", kind: Kind::StateSet, unit: "", help: "Mode" };
        page.family(&mode, [Row::of([("mode", "auto".into())], 1.0)]);
        page.family(&Family { name: "host", kind: Kind::Info, unit: "", help: "Host" }, [Row::plain(1.0)]);
        page.end()
    }

    #[test]
    fn both_formats_are_written_by_their_rules() {
        let open = "# TYPE trimtab_read_bytes counter\n# UNIT trimtab_read_bytes bytes\n\
                    # HELP trimtab_read_bytes Bytes \\\"read\\\"\ntrimtab_read_bytes_total{disk=\"v\\\"d\\\\a\\n\"} 3\n\
                    # TYPE trimtab_mode stateset\n# HELP trimtab_mode Mode\ntrimtab_mode{trimtab_mode=\"auto\"} 1\n\
                    # TYPE trimtab_host info\n# HELP trimtab_host Host\ntrimtab_host_info 1\n";
        let text = page(Exposition::OpenMetrics);
        assert!(text.starts_with(open) && text.ends_with("trimtab_rows_left_out 0\n# EOF\n"), "{text}");
        let old = "# TYPE trimtab_read_bytes_total counter\n# HELP trimtab_read_bytes_total Bytes \"read\"\n\
                   trimtab_read_bytes_total{disk=\"v\\\"d\\\\a\\n\"} 3\n\
                   # TYPE trimtab_mode gauge\n# HELP trimtab_mode Mode\ntrimtab_mode{trimtab_mode=\"auto\"} 1\n\
                   # TYPE trimtab_host_info gauge\n# HELP trimtab_host_info Host\ntrimtab_host_info 1\n";
        let text = page(Exposition::Text);
        assert!(text.starts_with(old) && text.ends_with("trimtab_rows_left_out 0\n"), "{text}");
    }

    #[test]
    fn rows_beyond_the_bound_are_counted_and_not_written() {
        let mut page = Page::new(Exposition::Text);
        let rows = (0..MOST + 7).map(|i| Row::of([("n", i.to_string().into())], 1.0));
        page.family(&Family { name: "many", kind: Kind::Gauge, unit: "", help: "Many" }, rows);
        let text = page.end();
        assert_eq!(text.matches("trimtab_many{").count(), MOST);
        assert!(text.ends_with("trimtab_rows_left_out 7\n"), "{text}");
    }
}
