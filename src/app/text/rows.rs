//! Lines, aligned rows, and the time of day.

use crate::model::time::Wall;
use std::fmt::Write;

/// Date and time of day in UTC, from days since 1970 (the civil calendar repeats every 400 years, of 146 097 days).
pub fn clock(at: Wall) -> String {
    let seconds = at.0.div_euclid(1000);
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years that begin in March put the leap day last: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// The same with milliseconds, as ISO 8601 has it.
pub fn iso(at: Wall) -> String {
    let whole = clock(at);
    let seconds = whole.trim_end_matches('Z').replacen(' ', "T", 1);
    format!("{seconds}.{:03}Z", at.0.rem_euclid(1000))
}

/// A row with its name, below something.
pub(super) fn row(out: &mut String, name: &str, value: &str) {
    line(out, &format!("   {name:<9} {value}"));
}

/// A line.
pub(super) fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _never = writeln!(out, "{}", text.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_is_shown_in_utc() {
        for (millis, text) in [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_400_000, "2000-02-29 00:00:00Z"),
            (1_735_689_599_999, "2024-12-31 23:59:59Z"),
            (-1, "1969-12-31 23:59:59Z"),
        ] {
            assert_eq!(clock(Wall(millis)), text);
        }
        assert_eq!(iso(Wall(1_735_689_599_007)), "2024-12-31T23:59:59.007Z");
        assert_eq!(iso(Wall(-1)), "1969-12-31T23:59:59.999Z");
    }
}
