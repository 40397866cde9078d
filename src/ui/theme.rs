//! Themes: what each role looks like. Written in RON (`themes/*.ron`), chosen live.
//!
//! A colour says one thing everywhere: what is pressing, what is chosen, what is quiet. Whatever a colour says, a sign or a word
//! says too, so that a theme without colour loses nothing.

use ratatui::style::{Color, Modifier, Style};
use serde::{Deserialize, Deserializer, de::Error};

/// The look of every role.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Theme {
    /// Shown when it is chosen.
    pub name: String,
    /// Everything that has no other role, and the background.
    #[serde(deserialize_with = "ink")]
    pub text: Style,
    /// Labels, units, what is zero.
    #[serde(deserialize_with = "ink")]
    pub dim: Style,
    #[serde(deserialize_with = "ink")]
    pub border: Style,
    /// Border and title of the focused pane, keys in the bar: the one accent.
    #[serde(deserialize_with = "ink")]
    pub accent: Style,
    #[serde(deserialize_with = "ink")]
    pub title: Style,
    /// The selected row.
    #[serde(deserialize_with = "ink")]
    pub selected: Style,
    #[serde(deserialize_with = "ink")]
    pub good: Style,
    #[serde(deserialize_with = "ink")]
    pub notice: Style,
    #[serde(deserialize_with = "ink")]
    pub warning: Style,
    #[serde(deserialize_with = "ink")]
    pub critical: Style,
    /// A chart where nothing is wrong.
    #[serde(deserialize_with = "ink")]
    pub chart: Style,
    /// The second chart of a pair.
    #[serde(deserialize_with = "ink")]
    pub second: Style,
    /// The line of what is coming in a chart.
    #[serde(default, deserialize_with = "ink")]
    pub ahead: Style,
    /// The line in a chart where a change was made.
    #[serde(deserialize_with = "ink")]
    pub mark: Style,
    /// Values removed by a diff, and added.
    #[serde(deserialize_with = "ink")]
    pub removed: Style,
    #[serde(deserialize_with = "ink")]
    pub added: Style,
}

/// A style as it is written: `(fg: "#7aa2f7", bold: true)`, `(fg: "cyan")`, `(fg: "8")`, `()`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct Ink {
    fg: String,
    bg: String,
    bold: bool,
    dim: bool,
    underlined: bool,
    reversed: bool,
}

fn ink<'de, D: Deserializer<'de>>(from: D) -> Result<Style, D::Error> {
    let ink = Ink::deserialize(from)?;
    let colour = |text: &str| -> Result<Option<Color>, D::Error> {
        match text {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| D::Error::custom(format!("{text} is no colour"))),
        }
    };
    let mut style = Style { fg: colour(&ink.fg)?, bg: colour(&ink.bg)?, ..Style::new() };
    let marks = [
        (ink.bold, Modifier::BOLD),
        (ink.dim, Modifier::DIM),
        (ink.underlined, Modifier::UNDERLINED),
        (ink.reversed, Modifier::REVERSED),
    ];
    for (_, modifier) in marks.iter().filter(|(on, _)| *on) {
        style = style.add_modifier(*modifier);
    }
    Ok(style)
}

/// The built-in themes; the first is the default.
const BUILT_IN: &[(&str, &str)] = &[
    ("ansi16", include_str!("../../themes/ansi16.ron")),
    ("dark", include_str!("../../themes/dark.ron")),
    ("light", include_str!("../../themes/light.ron")),
    ("contrast", include_str!("../../themes/contrast.ron")),
    ("mono", include_str!("../../themes/mono.ron")),
];

impl Theme {
    /// Reads a theme. The error names `file`, line and column.
    pub fn parse(file: &str, text: &str) -> Result<Theme, String> {
        ron::from_str(text).map_err(|e| format!("{file}:{}:{}: {}", e.span.start.line, e.span.start.col, e.code))
    }

    /// The built-in themes, in the order in which the key goes through them.
    pub fn built_in() -> Vec<Theme> {
        BUILT_IN.iter().filter_map(|(name, text)| Theme::parse(name, text).ok()).collect()
    }

    /// Replaces every colour, for a terminal that has fewer of them.
    pub fn recolour(&mut self, with: impl Fn(Color) -> Color) {
        let styles = [
            &mut self.text,
            &mut self.dim,
            &mut self.border,
            &mut self.accent,
            &mut self.title,
            &mut self.selected,
            &mut self.good,
            &mut self.notice,
            &mut self.warning,
            &mut self.critical,
            &mut self.chart,
            &mut self.second,
            &mut self.ahead,
            &mut self.mark,
            &mut self.removed,
            &mut self.added,
        ];
        for style in styles {
            (style.fg, style.bg) = (style.fg.map(&with), style.bg.map(&with));
        }
    }

    /// The style for a number beside its thresholds: quiet, warning, critical.
    pub fn level(&self, value: f64, warning: f64, critical: f64) -> Style {
        match value {
            v if v >= critical => self.critical,
            v if v >= warning => self.warning,
            _ => self.text,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_reads_and_bears_its_name() {
        for (name, text) in BUILT_IN {
            let theme = Theme::parse(name, text).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(theme.name, *name);
        }
        assert_eq!(Theme::built_in().len(), BUILT_IN.len());
    }

    #[test]
    fn the_mono_theme_has_no_colour_and_the_default_only_the_sixteen() {
        let themes = Theme::built_in();
        let styles = |t: &Theme| {
            let t = t.clone();
            [
                t.text, t.dim, t.border, t.accent, t.title, t.selected, t.good, t.notice, t.warning, t.critical, t.chart, t.second,
                t.ahead, t.mark,
            ]
        };
        for theme in &themes {
            for style in styles(theme) {
                for colour in [style.fg, style.bg].into_iter().flatten() {
                    assert!(theme.name != "mono", "mono uses {colour}");
                    assert!(theme.name != "ansi16" || !matches!(colour, Color::Rgb(..) | Color::Indexed(16..)), "{colour}");
                }
            }
        }
    }

    #[test]
    fn a_bad_colour_is_told_with_its_place() {
        let bad = BUILT_IN.first().unwrap().1.replacen("cyan", "cyam", 1);
        let told = Theme::parse("my.ron", &bad).unwrap_err();
        assert!(told.starts_with("my.ron:") && told.contains("cyam is no colour"), "{told}");
    }
}
