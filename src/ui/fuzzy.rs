//! How well a few typed letters fit a name: all of them in order, better at the beginnings of words and side by side.

/// Points for a letter that begins a word.
const BEGINS: i32 = 8;

/// Points more for one that begins the name.
const FIRST: i32 = 2;

/// Points for a letter right after the one before.
const FOLLOWS: i32 = 6;

/// Points lost for each letter that is passed over, at most [`FAR`] of them.
const GAP: i32 = 1;

/// A gap costs no more than that.
const FAR: i32 = 5;

/// The score of `typed` in `name`, the more the better; `None` when it does not fit. Blanks in `typed` part words that may each stand
/// anywhere; case does not matter.
pub fn score(typed: &str, name: &str) -> Option<i32> {
    let letters: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let mut sum = 0;
    for word in typed.split_whitespace() {
        let word: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
        let starts = letters.iter().enumerate().filter(|(_, c)| Some(*c) == word.first()).map(|(at, _)| at);
        sum += starts.filter_map(|at| from(&word, &letters, at)).max()?;
    }
    Some(sum)
}

/// The score when the first letter stands at `start` and each later one at its next place.
fn from(word: &[char], letters: &[char], start: usize) -> Option<i32> {
    let (mut sum, mut at) = (0, start);
    for (i, c) in word.iter().enumerate() {
        let place = letters.iter().skip(at).position(|l| l == c)? + at;
        let begins = place.checked_sub(1).and_then(|before| letters.get(before)).is_none_or(|before| !before.is_alphanumeric());
        let gap = i32::try_from(place - at).unwrap_or(i32::MAX);
        sum += if begins { BEGINS } else { 0 };
        sum += if place == 0 { FIRST } else { 0 };
        sum += if i > 0 && gap == 0 { FOLLOWS } else { -GAP * gap.min(FAR) };
        at = place + 1;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likelier_name_has_more_points() {
        for (typed, better, worse) in [
            ("rb", "roll back", "order by"),
            ("th", "theme dark", "with the"),
            ("sort", "sort cpu", "some other thing"),
            ("cpu sort", "sort cpu", "sort a cup"),
            ("FRZ", "freeze", "for raised z"),
        ] {
            assert!(score(typed, better) > score(typed, worse), "{typed}");
        }
        assert_eq!(score("xyz", "freeze"), None);
        assert_eq!(score("", "freeze"), Some(0));
    }
}
