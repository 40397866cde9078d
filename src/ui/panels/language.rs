//! What can be typed into a filter: the language in a page, with the fields of a list. See [`crate::query`].

use crate::{
    query::field::{Field, Kind},
    ui::{filter::List, panels::reader::Prose, theme::Theme},
};
use ratatui::text::Span;

/// Forms and what they mean.
const FORMS: &[(&str, &str)] = &[
    ("nginx", "contains it, in any case unless it has a capital"),
    ("\"two words\"", "contains it as it stands"),
    ("/worker-\\d+/", "contains what the regular expression finds"),
    ("name = nginx", "is it; != is not"),
    ("name ~ ^ng.*x$", "matches the regular expression; !~ does not"),
    ("cpu > 5", "compares: = != < <= > >="),
    ("mem > 1.5 gib", "with a unit: % b k m g t kib mib gib kb mb gb ns us ms s min h d, /s"),
    ("is kernel", "yes; not is kernel: no"),
    ("has read", "the value is known; unknown read: it is not"),
    ("a b, a and b, a && b", "both"),
    ("a or b, a || b", "one of them; `and` binds closer"),
    ("not a, !a", "not that"),
    ("( )", "groups"),
];

const RULE: &str = "A value that is not known answers no comparison, neither = nor !=, and `not` leaves it so: such rows are found by \
                    `unknown FIELD` alone. A number without a unit counts as its column shows it: percent (of one core for cpu), bytes, \
                    seconds; a time of waiting in milliseconds per second.";

/// Writes the page about the filter of a list.
pub fn write(list: List, prose: &mut Prose<'_>) {
    prose.heading("Filter language");
    for (form, meaning) in FORMS {
        entry(form, meaning, prose);
    }
    prose.text(RULE, prose.theme.dim);
    write_fields(list, prose);
}

/// Writes the fields of a list.
pub fn write_fields(list: List, prose: &mut Prose<'_>) {
    prose.heading(&format!("Fields of {}", list.schema().rows));
    for field in list.schema().fields {
        entry(&names(*field), &about(*field), prose);
    }
}

fn names(field: Field) -> String {
    let mut names = vec![field.name()];
    names.extend(field.aliases().iter().take(2));
    names.join(" ")
}

fn about(field: Field) -> String {
    let kind = match field.kind() {
        Kind::Text | Kind::Number(_) => "",
        Kind::Flag => " (yes or no)",
    };
    format!("{}{kind}", field.help())
}

/// A form and its meaning, beside it or, where there is no room, below it.
fn entry(form: &str, meaning: &str, prose: &mut Prose<'_>) {
    let (title, text) = (prose.theme.title, prose.theme.text);
    if prose.width < 50 {
        prose.line(vec![Span::styled(form.to_string(), title)]);
        prose.text(meaning, text);
        return;
    }
    let lines = crate::ui::words::wrap(meaning, prose.width.saturating_sub(24));
    for (i, line) in lines.into_iter().enumerate() {
        let form = if i == 0 { form } else { "" };
        prose.line(vec![Span::styled(format!("{form:<24}"), title), Span::styled(line, text)]);
    }
}

/// Rows of the page at this width of the screen.
pub fn rows(list: List, width: u16) -> usize {
    let theme = Theme::default();
    let mut prose = Prose { theme: &theme, width: columns(width).into(), lines: Vec::new() };
    write(list, &mut prose);
    prose.lines.len()
}

/// Columns of the page on a screen of this width.
pub fn columns(width: u16) -> u16 {
    width.saturating_sub(4).min(100)
}
