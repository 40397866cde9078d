//! Keys as the console knows them, whatever bytes a terminal sends for them.

use std::{fmt, str::FromStr};

/// One key press. Alt and shifted arrows are left out on purpose: terminals keep them for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Key {
    Char(char),
    Ctrl(char),
    F(u8),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Key::Char(' ') => "Space",
            Key::Char(c) => return write!(f, "{c}"),
            Key::Ctrl(c) => return write!(f, "Ctrl-{}", c.to_ascii_uppercase()),
            Key::F(n) => return write!(f, "F{n}"),
            Key::Enter => "Enter",
            Key::Esc => "Esc",
            Key::Tab => "Tab",
            Key::BackTab => "Shift-Tab",
            Key::Backspace => "Backspace",
            Key::Delete => "Del",
            Key::Up => "Up",
            Key::Down => "Down",
            Key::Left => "Left",
            Key::Right => "Right",
            Key::Home => "Home",
            Key::End => "End",
            Key::PageUp => "PgUp",
            Key::PageDown => "PgDn",
        };
        f.write_str(name)
    }
}

/// No key has that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchKey;

impl FromStr for Key {
    type Err = NoSuchKey;

    /// A key by the name that it is shown with, in any case but for single letters; `Ctrl-x` may be written `^x` or `C-x`.
    fn from_str(name: &str) -> Result<Key, NoSuchKey> {
        let mut chars = name.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return if c.is_control() { Err(NoSuchKey) } else { Ok(Key::Char(c)) };
        }
        let lower = name.to_ascii_lowercase();
        for prefix in ["ctrl-", "ctrl+", "c-", "^"] {
            if let Some(letter) = lower.strip_prefix(prefix) {
                let mut letters = letter.chars();
                return match (letters.next(), letters.next()) {
                    (Some(c @ 'a'..='z'), None) => Ok(Key::Ctrl(c)),
                    _ => Err(NoSuchKey),
                };
            }
        }
        if let Some(Ok(n @ 1..=12)) = lower.strip_prefix('f').map(str::parse::<u8>) {
            return Ok(Key::F(n));
        }
        Ok(match lower.as_str() {
            "space" => Key::Char(' '),
            "enter" | "return" => Key::Enter,
            "esc" | "escape" => Key::Esc,
            "tab" => Key::Tab,
            "shift-tab" | "backtab" => Key::BackTab,
            "backspace" => Key::Backspace,
            "del" | "delete" => Key::Delete,
            "up" => Key::Up,
            "down" => Key::Down,
            "left" => Key::Left,
            "right" => Key::Right,
            "home" => Key::Home,
            "end" => Key::End,
            "pgup" | "pageup" => Key::PageUp,
            "pgdn" | "pagedown" => Key::PageDown,
            _ => return Err(NoSuchKey),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::keys::TABLE;

    #[test]
    fn a_key_is_known_by_the_name_that_it_is_shown_with() {
        for key in TABLE.iter().flat_map(|row| row.keys) {
            assert_eq!(key.to_string().parse(), Ok(*key));
        }
        assert_eq!("^p".parse(), Ok(Key::Ctrl('p')));
        assert_eq!("^".parse(), Ok(Key::Char('^')));
        for none in ["", "F13", "Ctrl-", "ctrl-1", "Alt-x", "nope"] {
            assert_eq!(none.parse::<Key>(), Err(NoSuchKey), "{none}");
        }
    }
}
