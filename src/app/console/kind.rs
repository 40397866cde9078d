//! What kind of terminal this is: which symbols it has, how many colours, and whether a cursor can be placed in it at all.
//!
//! From the environment alone (`TERM`, `COLORTERM`, the locale), as terminfo(5) names them: what a terminal does not say of itself, it
//! is not asked for.

/// How many colours a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None: bold, underlined and reversed only.
    Mono,
    /// The sixteen.
    Sixteen,
    /// The sixteen, a cube of 6x6x6 and 24 greys.
    Indexed,
    /// Red, green and blue by 256 steps each.
    True,
}

/// What a terminal can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its colours.
    pub depth: Depth,
    /// It shows UTF-8, with box drawing and braille.
    pub unicode: bool,
}

/// What the environment says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Says {
    /// `TERM`.
    pub term: String,
    /// `COLORTERM`.
    pub colorterm: String,
    /// The locale in force: `LC_ALL`, else `LC_CTYPE`, else `LANG`.
    pub locale: String,
    /// `TMUX` is set.
    pub tmux: bool,
}

impl Kind {
    /// What follows from it, or why there can be no console in such a terminal.
    pub fn of(says: &Says) -> Result<Kind, String> {
        let term = says.term.as_str();
        let family = term.split('-').next().unwrap_or(term);
        if matches!(family, "" | "dumb" | "unknown") {
            let name = if term.is_empty() { "(none)" } else { term };
            return Err(format!(
                "TERM is {name}: no cursor can be placed in such a terminal; set TERM, or use `trimtab --once`, `trimtab status`, `trimtab --stream jsonl`"
            ));
        }
        let old = matches!(family, "vt52" | "vt100" | "vt102" | "vt220" | "ansi" | "cons25" | "sun");
        let depth = match family {
            "vt52" | "vt100" | "vt102" | "vt220" | "sun" => Depth::Mono,
            _ if term.ends_with("-mono") || term.ends_with("-m") => Depth::Mono,
            _ if matches!(says.colorterm.as_str(), "truecolor" | "24bit") || term.ends_with("-direct") => Depth::True,
            _ if term.contains("256color") => Depth::Indexed,
            _ => Depth::Sixteen,
        };
        let locale = says.locale.to_ascii_lowercase();
        // The Linux console has neither braille nor round corners in its fonts.
        let unicode = !old && family != "linux" && (locale.contains("utf-8") || locale.contains("utf8"));
        Ok(Kind { depth, unicode })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn says(term: &str, colorterm: &str, locale: &str) -> Says {
        Says { term: term.into(), colorterm: colorterm.into(), locale: locale.into(), tmux: false }
    }

    #[test]
    fn each_terminal_gets_what_it_can_show() {
        let cases = [
            (says("xterm-256color", "truecolor", "C.UTF-8"), Depth::True, true),
            (says("xterm-256color", "", "de_DE.utf8"), Depth::Indexed, true),
            (says("xterm", "", "C"), Depth::Sixteen, false),
            (says("linux", "", "C.UTF-8"), Depth::Sixteen, false),
            (says("vt100", "", "C.UTF-8"), Depth::Mono, false),
            (says("screen", "", "C.UTF-8"), Depth::Sixteen, true),
            (says("screen-256color", "", "C.UTF-8"), Depth::Indexed, true),
            (says("tmux-256color", "truecolor", "C.UTF-8"), Depth::True, true),
        ];
        for (said, depth, unicode) in cases {
            assert_eq!(Kind::of(&said), Ok(Kind { depth, unicode }), "{said:?}");
        }
    }

    #[test]
    fn where_no_cursor_can_be_placed_the_way_around_is_told() {
        for term in ["dumb", ""] {
            assert!(Kind::of(&says(term, "", "C.UTF-8")).unwrap_err().contains("--once"));
        }
    }
}
