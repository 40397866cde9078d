//! How times and long texts are put into words on the screen. Numbers with a unit are shown by [`Unit::show`](crate::model::unit).

use crate::model::{
    time::{Tick, Wall},
    unit::Unit,
};
use unicode_width::UnicodeWidthStr;

/// A stretch of time in whole units, such as `41 s`, `12 min`, `3 h 10 min`, `12 d`.
pub fn span(seconds: f64) -> String {
    let whole = seconds.max(0.0).round();
    match whole {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", (s / 60.0).floor()),
        s if s < 172_800.0 => format!("{:.0} h {:.0} min", (s / 3600.0).floor(), (s / 60.0).floor() % 60.0),
        s => format!("{:.0} d", (s / 86_400.0).floor()),
    }
}

/// How long ago `then` was on the wall clock.
pub fn since(now: Wall, then: Wall) -> String {
    span(now.0.saturating_sub(then.0) as f64 / 1000.0)
}

/// Time until `then`, or `None` when it has passed.
pub fn until(now: Tick, then: Tick) -> Option<String> {
    (then > now).then(|| span(then.seconds_since(now)))
}

/// Time of day in UTC.
pub fn clock(at: Wall) -> String {
    let seconds = at.0.div_euclid(1000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A relative change, such as `-62 %`.
pub fn change(share: f64) -> String {
    if share.is_finite() { format!("{:+.0} %", share * 100.0) } else { "-".into() }
}

/// A value that may be missing.
pub fn maybe(unit: Unit, value: Option<f64>) -> String {
    value.map_or_else(|| "-".into(), |value| unit.show(value))
}

/// True for the text of a number that says that nothing happens, or that it is not known: it is drawn quietly.
pub fn is_quiet(text: &str) -> bool {
    matches!(text, "-" | "none" | "0" | "0.0" | "0.0 %") || text.starts_with("0 ") || text == "0/s"
}

/// `text` in lines of at most `width` columns, broken between words where that is possible.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        for piece in pieces(word, width) {
            let Some(last) = lines.last_mut() else { continue };
            let room = width.saturating_sub(last.width());
            match (last.is_empty(), piece.width() < room) {
                (true, _) => last.push_str(&piece),
                (false, true) => {
                    last.push(' ');
                    last.push_str(&piece);
                }
                (false, false) => lines.push(piece),
            }
        }
    }
    lines
}

/// As [`wrap`], at most `most` lines, with an ellipsis where something is left out.
pub fn wrap_most(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines = wrap(text, width);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            while last.width() + 1 > width && last.pop().is_some() {}
            last.push('…');
        }
    }
    lines
}

/// A word, cut up if it is wider than a whole line.
fn pieces(word: &str, width: usize) -> Vec<String> {
    if word.width() <= width {
        return vec![word.into()];
    }
    let mut all = vec![String::new()];
    for c in word.chars() {
        let full = all.last().is_some_and(|last| last.width() >= width);
        if full {
            all.push(String::new());
        }
        if let Some(last) = all.last_mut() {
            last.push(c);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        for (seconds, text) in [(41.2, "41 s"), (130.0, "2 min"), (11_430.0, "3 h 10 min"), (1_036_800.0, "12 d"), (-1.0, "0 s")] {
            assert_eq!(span(seconds), text);
        }
        assert_eq!(clock(Wall(43_471_000)), "12:04:31Z");
        assert_eq!(until(Tick(5), Tick(4)), None);
    }

    #[test]
    fn lines_break_between_words_and_only_then_within_one() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("one abcdefghij", 4), ["one", "abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap_most("one two three", 8, 1), ["one two…"]);
        assert_eq!(wrap_most("one two", 8, 1), ["one two"]);
    }
}
