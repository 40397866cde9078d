//! Everything that can be pressed or typed: the keys in force, the commands of the palette, the language of filters.

use crate::ui::{
    filter::List,
    keymap::Bound,
    keys::{Context, Intent, Reach},
    palette,
    panels::{language, reader::Prose},
    state::State,
    words,
};
use ratatui::text::Span;

/// Sections of the page: a title and the contexts below it.
const SECTIONS: &[(&str, &[Context])] = &[
    ("The selected change", &[Context::Queue]),
    ("Everywhere", &[Context::Global, Context::Always]),
    ("Lists", &[Context::List, Context::Filterable]),
    ("Processes", &[Context::Processes, Context::Target, Context::Flat, Context::Tree]),
    ("Alerts", &[Context::Alerts, Context::Moment]),
    ("Forecasts", &[Context::Forecasts, Context::Forecast]),
    ("Charts", &[Context::Chart]),
    ("Pages of text", &[Context::Reader, Context::Process]),
    ("Questions and menus", &[Context::Dialog, Context::Code, Context::Menu, Context::Columns]),
    ("While a filter, a command or a time is typed", &[Context::Filter, Context::Palette, Context::Jump, Context::Field]),
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
    for list in [List::Findings, List::Queue, List::Forecasts, List::Audit, List::Log] {
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
    let keys: Vec<String> = row.keys.iter().map(ToString::to_string).collect();
    let reach = match row.reach {
        Reach::Screen => "",
        Reach::Queue => "  (queue)",
        Reach::Host => "  (host)",
    };
    // The name is what the palette and the configuration call it; the first to go where room is short.
    let name = if prose.width >= 76 && row.context.is_free() { format!("{:<18}", row.intent.name()) } else { String::new() };
    let wide = if prose.width < 60 { 11 } else { 18 };
    let lines = words::wrap(row.help, prose.width.saturating_sub(wide + name.len() + reach.len()));
    let last = lines.len().saturating_sub(1);
    for (i, text) in lines.into_iter().enumerate() {
        let (keys, name) = if i == 0 { (keys.join(" ") + " ", name.clone()) } else { (String::new(), " ".repeat(name.len())) };
        prose.line(vec![
            Span::styled(format!("{keys:<wide$}"), theme.title),
            Span::styled(name, theme.dim),
            Span::styled(text, theme.text),
            Span::styled(if i == last { reach } else { "" }, theme.warning),
        ]);
    }
}
