//! OSC 52: the terminal puts a text into the clipboard, through ssh as well (xterm's control sequences). What stands between, tmux or
//! screen, lets it through only in an envelope of its own (tmux(1), `allow-passthrough`; screen(1), device control strings).

use crate::app::console::kind::Says;

/// Bytes of one device control string at most: screen drops longer ones.
const ENVELOPE: usize = 512;

/// The bytes that put `text` into the clipboard.
pub fn sequence(text: &str, says: &Says) -> String {
    let plain = format!("\x1b]52;c;{}\x07", base64(text.as_bytes()));
    let family = says.term.split('-').next().unwrap_or_default();
    match family {
        // tmux takes the plain one itself where `set-clipboard` is on, and passes the other one on where that is allowed.
        "tmux" => format!("{plain}{}", tmux(&plain)),
        "screen" if says.tmux => format!("{plain}{}", tmux(&plain)),
        "screen" => screen(&plain),
        _ => plain,
    }
}

fn tmux(plain: &str) -> String {
    format!("\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b"))
}

fn screen(plain: &str) -> String {
    // All of it is ASCII: any byte may end a piece.
    plain.as_bytes().chunks(ENVELOPE).map(|piece| format!("\x1bP{}\x1b\\", String::from_utf8_lossy(piece))).collect()
}

/// Base64 (RFC 4648), which OSC 52 wants.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().chain([0, 0].iter()).take(3).fold(0_usize, |all, b| all << 8 | usize::from(*b));
        for i in 0..4 {
            let digit = DIGITS.get(bits >> (18 - 6 * i) & 63).copied().unwrap_or(b'=');
            out.push(if i <= three.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clipboard_gets_what_was_copied() {
        for (text, code) in [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj"), ("echo 19 > /x\n", "ZWNobyAxOSA+IC94Cg==")] {
            assert_eq!(base64(text.as_bytes()), code);
        }
    }

    #[test]
    fn what_stands_between_gets_its_envelope() {
        let says = |term: &str, tmux| Says { term: term.into(), tmux, ..Says::default() };
        let plain = "\x1b]52;c;YQ==\x07";
        let enveloped = format!("{plain}\x1bPtmux;\x1b{plain}\x1b\\");
        assert_eq!(sequence("a", &says("xterm-256color", false)), plain);
        assert_eq!(sequence("a", &says("tmux-256color", true)), enveloped);
        assert_eq!(sequence("a", &says("screen-256color", true)), enveloped);
        assert_eq!(sequence("a", &says("screen", false)), format!("\x1bP{plain}\x1b\\"));
        let long = sequence(&"x".repeat(3000), &says("screen", false));
        assert!(long.split("\x1b\\").all(|piece| piece.len() <= ENVELOPE + 2));
    }
}
