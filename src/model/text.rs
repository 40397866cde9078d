//! Hostile text: names that come from outside are cleaned once, where they enter.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_bidi_marks_cannot_reach_a_terminal() {
        assert_eq!(&*clean("a\x1b[31mb\n\u{202e}c", 64), "a?[31mb??c");
        assert_eq!(&*clean("héllo", 64), "héllo");
        assert_eq!(&*clean("abcdef", 3), "abc");
    }
}
