//! Everything that can be pressed or typed: the keys in force, the commands of the palette, the language of filters.

use crate::ui::{
    filter::List,
    keymap::Bound,
    keys::{Context, Intent, Reach},
    palette,
    panels::{language, reader::Prose},
    state::State,
};
use ratatui::text::Span;

/// Sections of the page: a title and the contexts below it.
const SECTIONS: &[(&str, &[Context])] = &[
    ("The selected change", &[Context::Queue]),
    ("Everywhere", &[Context::Global, Context::Always]),
    ("Lists", &[Context::List, Context::Filterable]),
    ("Processes", &[Context::Processes, Context::Target, Context::Flat, Context::Tree]),
    ("Alerts", &[Context::Alerts]),
    ("Charts", &[Context::Chart]),
    ("Pages of text", &[Context::Reader]),
    ("Questions and menus", &[Context::Dialog, Context::Code, Context::Menu, Context::Columns]),
    ("While a filter or a command is typed", &[Context::Filter, Context::Palette, Context::Field]),
];

/// Writes the page; returns its title.
pub fn write(state: &State, prose: &mut Prose<'_>) -> String {
    prose.text(
        &format!(
            "{} searches this page; {} finds every action by name and says why it is not possible now.",
            state.keymap.shown(Intent::Filter),
            state.keymap.shown(Intent::Palette)
        ),
        prose.theme.dim,
    );
    for (title, contexts) in SECTIONS {
        prose.heading(title);
        for row in state.keymap.rows.iter().filter(|row| contexts.contains(&row.context)) {
            line(row, prose);
        }
    }
    prose.heading("Commands of the palette, beside all of the above by name");
    for (form, help) in palette::COMMANDS {
        prose.line(vec![Span::styled(format!("{form:<18}"), prose.theme.title), Span::styled(*help, prose.theme.text)]);
    }
    language::write(List::Processes, prose);
    for list in [List::Findings, List::Queue, List::Audit, List::Log] {
        language::write_fields(list, prose);
    }
    prose.heading("Signs");
    prose.text("~ worth knowing   ! costs somebody something   !! act now   - not known", prose.theme.text);
    let names: Vec<&str> = state.look.themes.iter().map(|t| t.name.as_str()).collect();
    prose.text(&format!("themes: {}; now {}", names.join(", "), state.theme().name), prose.theme.dim);
    "Keys and commands".into()
}

fn line(row: &Bound, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    let names: Vec<String> = row.keys.iter().map(ToString::to_string).collect();
    let reach = match row.reach {
        Reach::Screen => "",
        Reach::Queue => "  (queue)",
        Reach::Host => "  (host)",
    };
    prose.line(vec![
        Span::styled(format!("{:<18}", names.join(" ")), theme.title),
        Span::styled(row.help, theme.text),
        Span::styled(reach, theme.warning),
    ]);
}
