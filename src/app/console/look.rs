//! The look that a console begins with: themes, layouts and symbols, as they were asked for and as the terminal can show them.

use crate::{
    app::console::{
        ConsoleOptions,
        depth::shown,
        kept::Chosen,
        kind::{Depth, Kind},
    },
    ui::{arrangement::Arrangement, chart::Ink, state::Look, theme::Theme},
};

/// Themes and layouts: those asked for, else those chosen on the screen the last time.
pub fn look(options: &ConsoleOptions, kind: Kind, last: &Chosen) -> Result<Look, String> {
    let mut themes = Theme::built_in();
    let wanted = match options.theme.as_str() {
        _ if options.no_color || kind.depth == Depth::Mono => "mono".to_string(),
        "" | "default" => known(&last.theme, &themes, |theme| &theme.name).unwrap_or("ansi16").to_string(),
        path if path.ends_with(".ron") => own(path, Theme::parse, &mut themes)?.name,
        name => name.to_string(),
    };
    let theme = place("theme", &wanted, themes.iter().map(|theme| theme.name.as_str()))?;
    let mut layouts = Arrangement::built_in();
    let wanted = match options.layout.as_str() {
        "" | "default" => known(&last.layout, &layouts, |layout| &layout.name).unwrap_or("overview").to_string(),
        path if path.ends_with(".ron") => own(path, Arrangement::parse, &mut layouts)?.name,
        name => name.to_string(),
    };
    let layout = place("layout", &wanted, layouts.iter().map(|layout| layout.name.as_str()))?;
    for theme in &mut themes {
        theme.recolour(|colour| shown(colour, kind.depth));
    }
    let ink = if options.ascii || !kind.unicode { Ink::Ascii } else { Ink::Braille };
    Ok(Look { themes, chosen: theme, layouts, layout, ink })
}

/// A name of the last time, if there is such a one now.
fn known<'n, T>(name: &'n str, all: &[T], of: impl Fn(&T) -> &String) -> Option<&'n str> {
    all.iter().any(|one| of(one) == name).then_some(name)
}

/// Reads a file of the operator's own and puts it in front of the built-in ones.
fn own<T: Clone>(path: &str, parse: fn(&str, &str) -> Result<T, String>, all: &mut Vec<T>) -> Result<T, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    let read = parse(path, &text)?;
    all.insert(0, read.clone());
    Ok(read)
}

fn place<'n>(what: &str, wanted: &str, names: impl Iterator<Item = &'n str> + Clone) -> Result<usize, String> {
    let all = || names.clone().collect::<Vec<_>>().join(", ");
    names.clone().position(|name| name == wanted).ok_or_else(|| format!("no {what} {wanted}; there are {}", all()))
}
