//! Times and spans as operators type them. Times of day are UTC, as everywhere in trimtab: colleagues on two continents mean the same
//! minute.

use crate::model::time::Wall;
use std::time::Duration;

const DAY: i64 = 86_400;

/// A span such as `90s`, `10m`, `1h30m`, `2d`; a bare number is seconds.
pub fn span(text: &str) -> Option<Duration> {
    let (mut seconds, mut digits) = (0.0, String::new());
    for c in text.trim().chars() {
        if c.is_ascii_digit() || c == '.' {
            digits.push(c);
            continue;
        }
        let unit = match c {
            's' => 1.0,
            'm' => 60.0,
            'h' => 3600.0,
            'd' => 86_400.0,
            _ => return None,
        };
        seconds += digits.parse::<f64>().ok()? * unit;
        digits.clear();
    }
    if !digits.is_empty() {
        seconds += digits.parse::<f64>().ok()?;
    }
    (seconds > 0.0 && seconds < 1e9).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

/// A time such as `-10m` (before now), `14:05` or `14:05:10` (the last one that has been), `2026-11-21` or `2026-11-21 14:05`.
pub fn time(text: &str, now: Wall) -> Option<Wall> {
    let text = text.trim().trim_end_matches('Z');
    if let Some(ago) = text.strip_prefix('-') {
        let millis = i64::try_from(span(ago)?.as_millis()).ok()?;
        return now.0.checked_sub(millis).map(Wall);
    }
    let seconds = match text.split_once([' ', 'T']) {
        Some((date, clock)) => days(date)? * DAY + clock_seconds(clock)?,
        None if text.contains(':') => {
            let today = now.0.div_euclid(1000 * DAY) * DAY + clock_seconds(text)?;
            if today * 1000 > now.0 { today - DAY } else { today }
        }
        None => days(text)? * DAY,
    };
    Some(Wall(seconds * 1000))
}

fn clock_seconds(text: &str) -> Option<i64> {
    let mut parts = text.trim().split(':');
    let mut part = |limit: i64| parts.next().map(|part| part.parse::<u8>().ok().map(i64::from).filter(|n| *n < limit));
    let (hours, minutes, seconds) = (part(24)??, part(60)??, part(60).unwrap_or(Some(0))?);
    parts.next().is_none().then_some(hours * 3600 + minutes * 60 + seconds)
}

/// Days since 1970 of a date such as `2026-11-21`.
fn days(text: &str) -> Option<i64> {
    let mut parts = text.trim().split('-');
    let mut part = || parts.next().and_then(|part| part.parse::<u32>().ok()).map(i64::from);
    let (year, month, day) = (part()?, part()?, part()?);
    if parts.next().is_some() || !(1970..10_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let number = from_civil(year, month, day);
    (civil(number) == (year, month, day)).then_some(number)
}

/// Days since 1970 of a date in the Gregorian calendar; years begin in March, so that a leap day is the last of its year.
fn from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Date and time of day, such as `2026-11-21 14:05:10Z`.
pub fn show(at: Wall) -> String {
    let seconds = at.0.div_euclid(1000);
    let ((year, month, day), rest) = (civil(seconds.div_euclid(DAY)), seconds.rem_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_understood_as_operators_type_them() {
        let now = Wall(1_795_269_910_000);
        assert_eq!(show(now), "2026-11-21 14:05:10Z");
        let at = |text| time(text, now).map(show);
        for (text, expect) in [
            ("-10m", "2026-11-21 13:55:10Z"),
            ("-1h30m", "2026-11-21 12:35:10Z"),
            ("14:05", "2026-11-21 14:05:00Z"),
            ("14:06", "2026-11-20 14:06:00Z"),
            ("09:30:15Z", "2026-11-21 09:30:15Z"),
            ("2026-11-20", "2026-11-20 00:00:00Z"),
            ("2024-02-29 23:59", "2024-02-29 23:59:00Z"),
            ("2026-11-21T14:05:09", "2026-11-21 14:05:09Z"),
        ] {
            assert_eq!(at(text).as_deref(), Some(expect), "{text}");
        }
        for bad in ["", "noon", "25:00", "14:60", "14", "2023-02-29", "2026-13-01", "-", "-5x", "1:2:3:4", "2026-11-21 x"] {
            assert_eq!(at(bad), None, "{bad}");
        }
        assert_eq!(span("90"), Some(Duration::from_secs(90)));
        assert_eq!(span("0"), None);
    }

    #[test]
    fn every_day_comes_back() {
        for day in (-200_000..3_000_000).step_by(37) {
            let (year, month, date) = civil(day);
            assert_eq!(from_civil(year, month, date), day);
        }
    }
}
