//! Hostile text: names that come from outside are cleaned once, where they enter. Mistyped text: the name that was meant.

use std::sync::Arc;

/// `raw` with control characters (and Unicode marks that reorder a terminal line) replaced by `?`, cut to `most` characters.
/// Names of processes, units, containers and mounts pass through here before anything else sees them.
pub fn clean(raw: &str, most: usize) -> Arc<str> {
    let safe = |c: char| {
        !c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if raw.len() <= most && raw.chars().all(safe) {
        return Arc::from(raw);
    }
    raw.chars().take(most).map(|c| if safe(c) { c } else { '?' }).collect::<String>().into()
}

/// The name nearest to a mistyped `word`, if one is near: at most a third of its letters, rounded up, are wrong.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(32).flat_map(char::to_lowercase).collect();
    let most = word.len().div_ceil(3);
    let far = names.into_iter().map(|name| (distance(&word, name), name)).min();
    far.filter(|(far, _)| *far <= most).map(|(_, name)| name)
}

/// Letters to insert, drop or replace to make `word` from `name` (Levenshtein).
fn distance(word: &[char], name: &str) -> usize {
    let mut row: Vec<usize> = (0..=word.len()).collect();
    for (i, letter) in name.chars().flat_map(char::to_lowercase).enumerate() {
        let (mut corner, mut left) = (i, i + 1);
        for (other, above) in word.iter().zip(row.iter_mut().skip(1)) {
            let best = (corner + usize::from(letter != *other)).min(left + 1).min(*above + 1);
            (corner, left) = (std::mem::replace(above, best), best);
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_bidi_marks_cannot_reach_a_terminal() {
        assert_eq!(&*clean("a\x1b[31mb\n\u{202e}c", 64), "a?[31mb??c");
        assert_eq!(&*clean("héllo", 64), "héllo");
        assert_eq!(&*clean("abcdef", 3), "abc");
    }

    #[test]
    fn a_mistyped_word_finds_its_name() {
        let names = ["cpu", "name", "command", "kernel"];
        for (word, name) in
            [("cup", None), ("cpus", Some("cpu")), ("NAM", Some("name")), ("comand", Some("command")), ("zzz", None)]
        {
            assert_eq!(nearest(word, names), name, "{word}");
        }
        assert_eq!(distance(&['k', 'i', 't', 't', 'e', 'n'], "sitting"), 3);
    }
}
