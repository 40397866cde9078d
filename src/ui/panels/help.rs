//! The keys, from their table.

use crate::ui::{
    keys::{Binding, Context, Reach, TABLE},
    panels::reader::Prose,
    state::State,
};
use ratatui::text::Span;

/// Sections of the page: a title and the contexts below it.
const SECTIONS: &[(&str, &[Context])] = &[
    ("The selected change", &[Context::Queue]),
    ("Everywhere", &[Context::Global, Context::Always]),
    ("Lists", &[Context::List]),
    ("Processes", &[Context::Processes, Context::Target, Context::Flat, Context::Tree]),
    ("Charts", &[Context::Chart]),
    ("Pages of text", &[Context::Reader]),
    ("Questions, menus, filter", &[Context::Dialog, Context::Code, Context::Menu, Context::Columns, Context::Filter]),
];

/// Writes the page; returns its title.
pub fn write(state: &State, prose: &mut Prose<'_>) -> String {
    for (title, contexts) in SECTIONS {
        prose.heading(title);
        for binding in TABLE.iter().filter(|b| contexts.contains(&b.context)) {
            line(binding, prose);
        }
    }
    prose.heading("Signs");
    prose.text("~ worth knowing   ! costs somebody something   !! act now   - not known", prose.theme.text);
    let names: Vec<&str> = state.look.themes.iter().map(|t| t.name.as_str()).collect();
    prose.text(&format!("themes: {}; now {}", names.join(", "), state.theme().name), prose.theme.dim);
    "Keys".into()
}

fn line(binding: &Binding, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    let names: Vec<String> = binding.keys.iter().map(ToString::to_string).collect();
    let reach = match binding.reach {
        Reach::Screen => "",
        Reach::Queue => "  (queue)",
        Reach::Host => "  (host)",
    };
    prose.line(vec![
        Span::styled(format!("{:<18}", names.join(" ")), theme.title),
        Span::styled(binding.help, theme.text),
        Span::styled(reach, theme.warning),
    ]);
}
