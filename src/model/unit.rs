//! Units, and the one formatter of numbers ([`Unit::show`]).

use serde::{Deserialize, Serialize};

/// The unit of a metric. Values are always in the base unit: bytes, seconds, shares of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// A share of one whole; 0.5 shows as `50.0 %`.
    Share,
    /// Processors; 1.0 is one core fully used. Shows as `100 %` of one core.
    Cores,
    /// Bytes, shown in binary multiples.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// Seconds of time.
    Seconds,
    /// Seconds of waiting per second of time; shows as `410 ms/s`.
    SecondsPerSecond,
    /// Events per second.
    PerSecond,
    /// A plain count.
    Count,
    /// Cycles per second.
    Hertz,
    /// Degrees Celsius.
    Celsius,
    /// Watts.
    Watts,
}

impl Unit {
    /// The value as an operator reads it, at most 9 characters: three significant digits and the unit.
    pub fn show(self, value: f64) -> String {
        if !value.is_finite() {
            return "-".into();
        }
        // A sum of nothing is negative zero, which nobody has to see.
        let value = value + 0.0;
        match self {
            Unit::Share => percent(value * 100.0),
            Unit::Cores => format!("{:.0} %", value * 100.0),
            Unit::Bytes => scaled(value, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"], 1024.0),
            Unit::BytesPerSecond => scaled(value, &["B/s", "K/s", "M/s", "G/s", "T/s"], 1024.0),
            Unit::Seconds => seconds(value),
            Unit::SecondsPerSecond => format!("{} ms/s", digits(value * 1000.0)),
            Unit::PerSecond => format!("{}/s", short(value)),
            Unit::Count => short(value),
            Unit::Hertz => scaled(value, &["Hz", "kHz", "MHz", "GHz", "THz"], 1000.0),
            Unit::Celsius => format!("{value:.0}°C"),
            Unit::Watts => scaled(value, &["W", "kW", "MW"], 1000.0),
        }
    }
}

fn percent(value: f64) -> String {
    if value.abs() >= 99.95 { format!("{value:.0} %") } else { format!("{value:.1} %") }
}

fn digits(value: f64) -> String {
    match value.abs() {
        v if v >= 99.95 || v == 0.0 => format!("{value:.0}"),
        v if v >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn short(value: f64) -> String {
    if value.abs() < 1000.0 && value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    scaled(value, &["", "k", "M", "G", "T"], 1000.0).replace(' ', "")
}

fn scaled(value: f64, names: &[&str], base: f64) -> String {
    let mut rest = value;
    let mut name = names.first().copied().unwrap_or("");
    for next in names.iter().skip(1) {
        if rest.abs() < base - 0.5 {
            break;
        }
        rest /= base;
        name = next;
    }
    let whole = name == names.first().copied().unwrap_or("") && rest.fract() == 0.0;
    if whole { format!("{rest:.0} {name}") } else { format!("{} {name}", digits(rest)) }
}

fn seconds(value: f64) -> String {
    let v = value.abs();
    match v {
        0.0 => "0 s".into(),
        _ if v < 1e-3 => format!("{} us", digits(value * 1e6)),
        _ if v < 1.0 => format!("{} ms", digits(value * 1e3)),
        _ if v < 120.0 => format!("{} s", digits(value)),
        _ if v < 7200.0 => format!("{:.0} min", value / 60.0),
        _ if v < 172_800.0 => format!("{:.1} h", value / 3600.0),
        _ => format!("{:.1} d", value / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_an_operator_expects() {
        let cases = [
            (Unit::PerSecond, -0.0, "0/s"),
            (Unit::Share, 0.5, "50.0 %"),
            (Unit::Share, 1.0, "100 %"),
            (Unit::Cores, 1.5, "150 %"),
            (Unit::Bytes, 0.0, "0 B"),
            (Unit::Bytes, 1536.0, "1.50 KiB"),
            (Unit::Bytes, 11.2 * 1024.0 * 1024.0 * 1024.0, "11.2 GiB"),
            (Unit::BytesPerSecond, 2048.0, "2.00 K/s"),
            (Unit::Seconds, 0.000_25, "250 us"),
            (Unit::Seconds, 0.0123, "12.3 ms"),
            (Unit::Seconds, 11_400.0, "3.2 h"),
            (Unit::SecondsPerSecond, 0.41, "410 ms/s"),
            (Unit::PerSecond, 12.0, "12/s"),
            (Unit::PerSecond, 12_345.0, "12.3k/s"),
            (Unit::Count, 1_000_000.0, "1.00M"),
            (Unit::Hertz, 3_401_000_000.0, "3.40 GHz"),
            (Unit::Celsius, 61.25, "61°C"),
            (Unit::Watts, 84.26, "84.3 W"),
        ];
        for (unit, value, text) in cases {
            assert_eq!(unit.show(value), text, "{unit:?} {value}");
        }
        assert_eq!(Unit::Share.show(f64::NAN), "-");
    }

    #[test]
    fn no_value_shows_wider_than_nine_characters() {
        for unit in [Unit::Share, Unit::Bytes, Unit::BytesPerSecond, Unit::Seconds, Unit::PerSecond, Unit::Count] {
            for power in 0..9 {
                for lead in [1.0, 9.995, 9.5, 1023.6 / 1000.0] {
                    let text = unit.show(lead * 10f64.powi(power - 2));
                    let limit = if unit == Unit::Share { 14 } else { 9 };
                    assert!(text.chars().count() <= limit, "{unit:?} {text}");
                }
            }
        }
    }
}
