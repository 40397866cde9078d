//! Numbers with units, checked against the unit of the field that they are compared with.

use crate::{
    model::unit::Unit,
    query::field::{Field, Kind},
};

/// A number as it was typed, and what it means.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// As it was typed, without spaces.
    pub text: Box<str>,
    /// In the base unit of the field.
    pub value: f64,
}

/// What units of a family measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Percent,
    Bytes,
    Time,
    Count,
}

const KIB: f64 = 1024.0;

/// Every unit with its families and factors. `m` is MiB, minutes or a million, as the field needs.
const UNITS: &[(&str, &[(Family, f64)])] = &[
    ("%", &[(Family::Percent, 0.01)]),
    ("b", &[(Family::Bytes, 1.0)]),
    ("k", &[(Family::Bytes, KIB), (Family::Count, 1e3)]),
    ("m", &[(Family::Bytes, KIB * KIB), (Family::Count, 1e6), (Family::Time, 60.0)]),
    ("g", &[(Family::Bytes, KIB * KIB * KIB), (Family::Count, 1e9)]),
    ("t", &[(Family::Bytes, KIB * KIB * KIB * KIB), (Family::Count, 1e12)]),
    ("kib", &[(Family::Bytes, KIB)]),
    ("mib", &[(Family::Bytes, KIB * KIB)]),
    ("gib", &[(Family::Bytes, KIB * KIB * KIB)]),
    ("tib", &[(Family::Bytes, KIB * KIB * KIB * KIB)]),
    ("kb", &[(Family::Bytes, 1e3)]),
    ("mb", &[(Family::Bytes, 1e6)]),
    ("gb", &[(Family::Bytes, 1e9)]),
    ("tb", &[(Family::Bytes, 1e12)]),
    ("ns", &[(Family::Time, 1e-9)]),
    ("us", &[(Family::Time, 1e-6)]),
    ("ms", &[(Family::Time, 1e-3)]),
    ("s", &[(Family::Time, 1.0)]),
    ("min", &[(Family::Time, 60.0)]),
    ("h", &[(Family::Time, 3600.0)]),
    ("d", &[(Family::Time, 86_400.0)]),
];

/// Without its `/s`, and whether there was one.
fn rate(unit: &str) -> (&str, bool) {
    unit.strip_suffix("/s").map_or((unit, false), |unit| (unit, true))
}

fn families(unit: &str) -> Option<&'static [(Family, f64)]> {
    UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, families)| *families)
}

/// True for a word that can follow a number as its unit.
pub fn is_unit(word: &str) -> bool {
    families(rate(word).0).is_some() || word == "/s"
}

/// Digits and the rest of a word such as `1.5gib`.
pub fn split(word: &str) -> (&str, &str) {
    let sign = usize::from(word.starts_with(['-', '+']));
    let digits = word.get(sign..).unwrap_or("");
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
    word.split_at(sign + end)
}

/// What a field of this unit takes, in words.
fn takes(unit: Unit) -> &'static str {
    match unit {
        Unit::Share | Unit::Cores => "percent",
        Unit::Bytes => "bytes",
        Unit::BytesPerSecond => "bytes per second",
        Unit::Seconds => "a time",
        Unit::SecondsPerSecond => "a time per second",
        Unit::PerSecond => "a number per second",
        Unit::Count | Unit::Hertz | Unit::Celsius | Unit::Watts => "a number",
    }
}

fn word(family: Family, per_second: bool) -> &'static str {
    match (family, per_second) {
        (Family::Percent, _) => "percent",
        (Family::Bytes, false) => "bytes",
        (Family::Bytes, true) => "bytes per second",
        (Family::Time, false) => "a time",
        (Family::Time, true) => "a time per second",
        (Family::Count, _) => "a number",
    }
}

/// The family that a field's unit wants, whether it is a rate, and the factor of a bare number.
fn wanted(unit: Unit) -> (Family, bool, f64) {
    match unit {
        Unit::Share | Unit::Cores => (Family::Percent, false, 0.01),
        Unit::Bytes => (Family::Bytes, false, 1.0),
        Unit::BytesPerSecond => (Family::Bytes, true, 1.0),
        Unit::Seconds => (Family::Time, false, 1.0),
        Unit::SecondsPerSecond => (Family::Time, true, 1e-3),
        Unit::PerSecond => (Family::Count, true, 1.0),
        Unit::Count | Unit::Hertz | Unit::Celsius | Unit::Watts => (Family::Count, false, 1.0),
    }
}

/// The number made of digits and a unit (empty for none), for comparison with `field`; or why it does not fit.
pub fn read(digits: &str, unit: &str, field: Field) -> Result<Number, String> {
    let Kind::Number(of) = field.kind() else { return Err(format!("{} takes no number", field.name())) };
    let name = field.name();
    let plain: f64 = digits.parse().ok().filter(|n: &f64| n.is_finite()).ok_or_else(|| format!("{name} takes a number"))?;
    let factor = factor(unit, of).map_err(|given| match given {
        Some(given) => format!("{name} takes {}, not {given}", takes(of)),
        None => format!("no unit `{unit}`; {name} takes {}", takes(of)),
    })?;
    Ok(Number { text: format!("{digits}{unit}").into(), value: plain * factor })
}

/// The factor of a unit; what was given instead, if it is a unit of something else.
fn factor(unit: &str, of: Unit) -> Result<f64, Option<&'static str>> {
    let (family, is_rate, bare) = wanted(of);
    let (base, per_second) = rate(unit);
    if base.is_empty() {
        return if per_second && !is_rate { Err(Some("a rate")) } else { Ok(bare) };
    }
    let all = families(base).ok_or(None)?;
    // A share of time is a time per second: `wait > 10 %`.
    let share = of == Unit::SecondsPerSecond && !per_second;
    let fits = |given: Family| (given == family && (is_rate || !per_second)) || (share && given == Family::Percent);
    match all.iter().find(|(given, _)| fits(*given)) {
        Some((_, factor)) => Ok(*factor),
        None => Err(all.first().map(|(given, _)| word(*given, per_second))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn value(text: &str, field: Field) -> Result<f64, String> {
        let (digits, unit) = split(text);
        read(digits, unit, field).map(|n| n.value)
    }

    #[test]
    fn a_unit_means_what_its_field_measures() {
        for (text, field, expect) in [
            ("5", Field::Cpu, 0.05),
            ("150%", Field::Cpu, 1.5),
            ("1.5gib", Field::Memory, 1.5 * 1_073_741_824.0),
            ("1GB", Field::Memory, 1e9),
            ("5m", Field::Memory, 5.0 * 1_048_576.0),
            ("5m", Field::Age, 300.0),
            ("5m", Field::Threads, 5e6),
            ("1mib/s", Field::Read, 1_048_576.0),
            ("1mib", Field::Read, 1_048_576.0),
            ("100", Field::Wait, 0.1),
            ("100ms/s", Field::Wait, 0.1),
            ("10%", Field::Wait, 0.1),
            ("-5", Field::Nice, -5.0),
            ("10/s", Field::Faults, 10.0),
        ] {
            assert!((value(text, field).unwrap() - expect).abs() < 1e-9 * expect.abs().max(1.0), "{text} {field:?}");
        }
    }

    #[test]
    fn a_unit_of_something_else_is_refused_in_words() {
        for (text, field, expect) in [
            ("5s", Field::Memory, "mem takes bytes, not a time"),
            ("5gib", Field::Age, "age takes a time, not bytes"),
            ("5gib/s", Field::Memory, "mem takes bytes, not bytes per second"),
            ("5parsec", Field::Age, "no unit `parsec`; age takes a time"),
            ("5/s", Field::Pid, "pid takes a number, not a rate"),
            ("..", Field::Pid, "pid takes a number"),
            (&"9".repeat(400), Field::Pid, "pid takes a number"),
        ] {
            assert_eq!(value(text, field).unwrap_err(), expect);
        }
    }
}
