//! What the word before the cursor may become.

use crate::query::field::Schema;

/// The unfinished word at the end of `text`, and the names of fields that begin with it; none where a value is expected.
pub fn complete<'a>(text: &'a str, schema: &Schema) -> (&'a str, Vec<&'static str>) {
    let begin = text.rfind(|c: char| c.is_whitespace() || "()!&|=<>~\"'".contains(c)).map_or(0, |at| at + 1);
    // The last separator is one byte, or the last byte of a blank of several.
    let begin = (begin..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let (before, word) = text.split_at(begin);
    let quoted = before.matches('"').count() % 2 == 1;
    let value = before.trim_end().ends_with(['=', '<', '>', '~']);
    if quoted || value {
        return (word, Vec::new());
    }
    let lower = word.to_ascii_lowercase();
    let mut names: Vec<&str> = schema.fields.iter().map(|field| field.name()).filter(|name| name.starts_with(&lower)).collect();
    if !word.is_empty() {
        let aliases = schema.fields.iter().flat_map(|field| field.aliases()).copied();
        names.extend(aliases.filter(|name| name.starts_with(&lower)));
    }
    (word, names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::rows::process::PROCESSES;

    #[test]
    fn a_name_is_completed_and_a_value_is_not() {
        assert_eq!(complete("cpu > 5 and (us", &PROCESSES), ("us", vec!["user"]));
        assert_eq!(complete("!na", &PROCESSES).1, ["name"]);
        assert_eq!(complete("name = na", &PROCESSES).1, Vec::<&str>::new());
        assert_eq!(complete("\u{2003}ag", &PROCESSES).1, ["age"]);
        assert_eq!(complete("res", &PROCESSES).1, ["resident"]);
        assert_eq!(complete("", &PROCESSES).1.len(), PROCESSES.fields.len());
    }
}
