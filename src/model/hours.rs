//! Weekly windows of time, as operators write them, and the offset of their clock from UTC.
//!
//! `Mon-Fri 22:00-06:00` is five nights, each beginning on its day; without days it is every day, without times all day; several windows
//! stand apart by `;`. Here wall time decides, since that is what a maintenance window means: a clock that is set back opens it again.

use crate::model::time::Wall;
use serde::{Deserialize, Serialize};
use std::fmt;

const DAY: u32 = 24 * 60;
const WEEK: u32 = 7 * DAY;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Minutes of the week, from Monday 00:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minute(pub u32);

/// How far the clock of windows is ahead of UTC. There is no summer time in it: who wants that moves it twice a year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Offset {
    minutes: i32,
}

impl Offset {
    /// The minute of the week at that time.
    pub fn minute(self, at: Wall) -> Minute {
        // 1970-01-01 was a Thursday: three days after a Monday.
        let minutes = at.0.div_euclid(60_000) + i64::from(self.minutes) + i64::from(3 * DAY);
        Minute(u32::try_from(minutes.rem_euclid(i64::from(WEEK))).unwrap_or(0))
    }
}

impl TryFrom<String> for Offset {
    type Error = String;

    fn try_from(text: String) -> Result<Offset, String> {
        let wrong = || format!("`{text}` is no offset from UTC, such as +02:00 or -05:30");
        let sign = if text.starts_with('-') { -1 } else { 1 };
        let minutes = clock(text.strip_prefix(['+', '-']).ok_or_else(wrong)?).filter(|m| *m <= 14 * 60).ok_or_else(wrong)?;
        Ok(Offset { minutes: sign * i32::try_from(minutes).unwrap_or(0) })
    }
}

impl From<Offset> for String {
    fn from(offset: Offset) -> String {
        let (sign, minutes) = (if offset.minutes < 0 { '-' } else { '+' }, offset.minutes.abs());
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// Windows that come again each week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    text: String,
    /// First minute of the week, and how many.
    spans: Vec<(u32, u32)>,
}

impl Hours {
    /// Whether that minute lies in one of them.
    pub fn hold(&self, at: Minute) -> bool {
        self.spans.iter().any(|(from, length)| (at.0 + WEEK - from) % WEEK < *length)
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> String {
        hours.text
    }
}

impl TryFrom<String> for Hours {
    type Error = String;

    fn try_from(text: String) -> Result<Hours, String> {
        let mut spans = Vec::new();
        for window in text.split(';') {
            let (days, (from, length)) = match window.split_whitespace().collect::<Vec<_>>().as_slice() {
                [one] if one.contains(':') => ((0..7).collect(), times(one)?),
                [one] => (days(one)?, (0, DAY)),
                [on, at] => (days(on)?, times(at)?),
                _ => return Err(format!("`{}` is no window, such as Mon-Fri 22:00-06:00", window.trim())),
            };
            spans.extend(days.into_iter().map(|day: u32| (day * DAY + from, length)));
        }
        Ok(Hours { text, spans })
    }
}

/// Days by number, from Monday 0, of `Mon-Fri`, `Sat,Sun`, `daily`.
fn days(text: &str) -> Result<Vec<u32>, String> {
    if text.eq_ignore_ascii_case("daily") {
        return Ok((0..7).collect());
    }
    let mut all = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        // From Friday to Monday is over the weekend.
        all.extend((0..=(last + 7 - first) % 7).map(|n| (first + n) % 7));
    }
    Ok(all)
}

fn day(text: &str) -> Result<u32, String> {
    let found = (0..7).zip(DAYS).find(|(_, name)| name.eq_ignore_ascii_case(text));
    found.map(|(n, _)| n).ok_or_else(|| format!("`{text}` is no day; there are {}", DAYS.join(", ")))
}

/// First minute of the day and number of minutes of `22:00-06:00`.
fn times(text: &str) -> Result<(u32, u32), String> {
    let wrong = || format!("`{text}` are no times of day, such as 22:00-06:00");
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    let (from, to) = (clock(from).ok_or_else(wrong)?, clock(to).ok_or_else(wrong)?);
    if from == to || from >= DAY || to > DAY {
        return Err(wrong());
    }
    Ok((from, (to + DAY - from - 1) % DAY + 1))
}

/// Minutes of `HH:MM`.
fn clock(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<u32>().ok())?;
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours <= 24 && minutes < 60 && hours * 60 + minutes <= DAY).then_some(hours * 60 + minutes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hold(text: &str, day: u32, at: &str) -> bool {
        Hours::try_from(text.to_string()).unwrap().hold(Minute(day * DAY + clock(at).unwrap()))
    }

    #[test]
    fn a_night_belongs_to_the_day_that_it_begins_on() {
        let nights = "Mon-Fri 22:00-06:00";
        assert!(hold(nights, 0, "22:00") && hold(nights, 0, "23:59") && hold(nights, 1, "05:59"));
        assert!(!hold(nights, 0, "05:59"), "Monday's small hours belong to Sunday");
        assert!(!hold(nights, 1, "06:00") && !hold(nights, 0, "21:59"));
        assert!(hold(nights, 5, "03:00"), "Friday's night ends on Saturday");
        assert!(!hold(nights, 5, "22:00"));
        assert!(hold("Sun 22:00-06:00", 0, "01:00"), "over the end of the week");
    }

    #[test]
    fn days_lists_and_times_stand_alone_or_together() {
        assert!(hold("Sat,Sun", 6, "23:59") && !hold("Sat,Sun", 4, "12:00"));
        assert!(hold("Fri-Mon", 6, "00:00") && !hold("Fri-Mon", 1, "00:00"));
        assert!(hold("02:00-04:00", 3, "03:59") && hold("daily 02:00-04:00", 3, "02:00"));
        assert!(hold("Sun 02:00-04:00; Wed 20:00-24:00", 2, "23:59") && !hold("Wed 20:00-24:00", 3, "00:00"));
        for wrong in ["", "Mo", "Mon 2:00-4:00", "Mon 02:00", "02:00-02:00", "Mon 25:00-26:00", "Mon 02:00-04:00 x", "24:00-01:00"]
        {
            assert!(Hours::try_from(wrong.to_string()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_offset_moves_the_clock() {
        let offset = |text: &str| Offset::try_from(text.to_string());
        // 2026-11-21 was a Saturday; 23:30 UTC.
        let at = Wall(1_795_303_800_000);
        assert_eq!(Offset::default().minute(at), Minute(5 * DAY + 23 * 60 + 30));
        assert_eq!(offset("+01:00").unwrap().minute(at), Minute(6 * DAY + 30));
        assert_eq!(offset("-05:30").unwrap().minute(at), Minute(5 * DAY + 18 * 60));
        assert_eq!(String::from(offset("-05:30").unwrap()), "-05:30");
        for wrong in ["1", "01:00", "+1:00", "+15:00", "UTC", "+"] {
            assert!(offset(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[A-Za-z0-9:,; -]{0,30}|\\PC{0,20}") {
            if let Ok(hours) = Hours::try_from(text.clone()) {
                prop_assert_eq!(String::from(hours), text.clone());
            }
            let _may_be_none = Offset::try_from(text);
        }
    }
}
