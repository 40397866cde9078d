//! From the bytes of a terminal to keys and pastes (ECMA-48, xterm's control sequences, the Linux console's function keys).
//!
//! crossterm 0.29 has a reader, but it never comes back from a terminal that has hung up: its `mio` source reads end of file and EIO
//! again and again for ever. Here the end of a terminal is an answer like any other.

use crate::ui::key::Key;

/// Bytes of a paste that are kept; the rest of a longer one is dropped.
const PASTE: usize = 4096;

/// Longest sequence that is waited for to end.
const LONGEST: usize = 32;

const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// What a terminal sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(Key),
    /// Text from a clipboard.
    Paste(String),
    /// The mouse, at a column and a row from 0.
    Mouse(Mouse, u16, u16),
}

/// What a mouse does, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// Its left button goes down.
    Press,
    /// Its wheel turns away from the hand.
    Up,
    /// Its wheel turns towards it.
    Down,
}

/// Puts sequences together that may come in pieces.
#[derive(Debug, Default)]
pub struct Decoder {
    pending: Vec<u8>,
    paste: Option<Vec<u8>>,
}

/// How far the front of the pending bytes is understood.
enum Front {
    /// So many bytes mean this, or nothing.
    Done(usize, Option<Input>),
    /// A paste begins after so many bytes.
    Paste(usize),
    /// More must come.
    More,
}

impl Decoder {
    /// Takes bytes as they come.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Input>) {
        self.pending.extend_from_slice(bytes);
        loop {
            if self.paste.is_some() {
                if !self.read_paste(out) {
                    return;
                }
                continue;
            }
            match front(&self.pending) {
                Front::Done(n, key) => {
                    self.pending.drain(..n);
                    out.extend(key);
                }
                Front::Paste(n) => {
                    self.pending.drain(..n);
                    self.paste = Some(Vec::new());
                }
                Front::More => return,
            }
        }
    }

    /// True when the last bytes may be a key by themselves or the beginning of more: wait a moment, then [`Decoder::flush`].
    pub fn is_waiting(&self) -> bool {
        self.paste.is_none() && !self.pending.is_empty()
    }

    /// Nothing more came: an escape by itself is the key, an unfinished sequence is dropped.
    pub fn flush(&mut self, out: &mut Vec<Input>) {
        if self.pending == [0x1b] {
            out.push(Input::Key(Key::Esc));
        }
        if self.paste.is_none() {
            self.pending.clear();
        }
    }

    /// Moves pasted bytes over; false when its end has not come yet.
    fn read_paste(&mut self, out: &mut Vec<Input>) -> bool {
        let end = self.pending.windows(PASTE_ENDS.len()).position(|w| w == PASTE_ENDS);
        // The end may be cut in two: its first part stays.
        let taken = end.unwrap_or(self.pending.len().saturating_sub(PASTE_ENDS.len() - 1));
        let Some(paste) = &mut self.paste else { return true };
        let room = PASTE.saturating_sub(paste.len());
        paste.extend(self.pending.drain(..taken).take(room));
        if end.is_none() {
            return false;
        }
        self.pending.drain(..PASTE_ENDS.len());
        let text = String::from_utf8_lossy(&self.paste.take().unwrap_or_default()).into_owned();
        out.push(Input::Paste(text));
        true
    }
}

fn front(bytes: &[u8]) -> Front {
    match bytes {
        [] | [0x1b] => Front::More,
        [0x1b, b'[', b'[', letter @ b'A'..=b'E', ..] => Front::Done(4, Some(Input::Key(Key::F(letter - b'A' + 1)))),
        [0x1b, b'[', b'['] | [0x1b, b'O'] => Front::More,
        [0x1b, b'[', rest @ ..] => control(bytes, rest),
        [0x1b, b'O', b'M', ..] => Front::Done(3, Some(Input::Key(Key::Enter))),
        [0x1b, b'O', letter, ..] => Front::Done(3, lettered(*letter).map(Input::Key)),
        [0x1b, 0x1b, ..] => Front::Done(1, Some(Input::Key(Key::Esc))),
        // Alt and a letter: no key of ours, and not the letter either.
        [0x1b, _, ..] => Front::Done(2, None),
        [first, ..] if *first < 0x80 => Front::Done(1, plain(*first).map(Input::Key)),
        _ => wide(bytes),
    }
}

/// Parameters, then one final byte.
fn control(all: &[u8], rest: &[u8]) -> Front {
    // What is too long is cut after the same byte however it came, so that pieces and whole are the same keys.
    let Some(end) = rest.iter().take(LONGEST).position(|b| (0x40..=0x7e).contains(b)) else {
        return if rest.len() >= LONGEST { Front::Done(LONGEST + 2, None) } else { Front::More };
    };
    let length = end + 3;
    if all.get(..length) == Some(PASTE_BEGINS) {
        return Front::Paste(length);
    }
    if let Some(report) = rest.get(..=end).and_then(|whole| whole.strip_prefix(b"<")) {
        return Front::Done(length, mouse(report));
    }
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).map(|b| u32::from(b - b'0'));
    let number = digits.fold(0_u32, |n, digit| n.saturating_mul(10).saturating_add(digit));
    let key = match rest.get(end) {
        Some(b'~') => numbered(number),
        Some(letter) => lettered(*letter),
        None => None,
    };
    Front::Done(length, key.map(Input::Key))
}

/// A report of the mouse (xterm's control sequences, "SGR" mode 1006): button, column and row, `M` for down and `m` for up.
fn mouse(report: &[u8]) -> Option<Input> {
    let text = std::str::from_utf8(report).ok()?.strip_suffix('M')?;
    let mut numbers = text.split(';').map(|number| number.parse::<u16>().ok());
    let (button, column, row) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let did = match button {
        0 => Mouse::Press,
        64 => Mouse::Up,
        65 => Mouse::Down,
        _ => return None,
    };
    Some(Input::Mouse(did, column.checked_sub(1)?, row.checked_sub(1)?))
}

fn lettered(letter: u8) -> Option<Key> {
    Some(match letter {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        b'Z' => Key::BackTab,
        b'P' => Key::F(1),
        b'Q' => Key::F(2),
        b'R' => Key::F(3),
        b'S' => Key::F(4),
        _ => return None,
    })
}

fn numbered(number: u32) -> Option<Key> {
    Some(match number {
        1 | 7 => Key::Home,
        4 | 8 => Key::End,
        3 => Key::Delete,
        5 => Key::PageUp,
        6 => Key::PageDown,
        11..=15 => Key::F((number - 10) as u8),
        17..=21 => Key::F((number - 11) as u8),
        23 | 24 => Key::F((number - 12) as u8),
        _ => return None,
    })
}

fn plain(byte: u8) -> Option<Key> {
    Some(match byte {
        b'\t' => Key::Tab,
        b'\r' | b'\n' => Key::Enter,
        0x08 | 0x7f => Key::Backspace,
        0x01..=0x1a => Key::Ctrl(char::from(byte - 1 + b'a')),
        0x20..=0x7e => Key::Char(char::from(byte)),
        _ => return None,
    })
}

/// A character of several bytes.
fn wide(bytes: &[u8]) -> Front {
    let length = match bytes.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return Front::Done(1, None),
    };
    match bytes.get(..length) {
        None => Front::More,
        Some(all) => match std::str::from_utf8(all).ok().and_then(|text| text.chars().next()) {
            Some(c) => Front::Done(length, Some(Input::Key(Key::Char(c)))),
            None => Front::Done(1, None),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(pieces: &[&[u8]]) -> Vec<Input> {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        for piece in pieces {
            decoder.feed(piece, &mut out);
        }
        decoder.flush(&mut out);
        out
    }

    fn keys(pieces: &[&[u8]]) -> Vec<Key> {
        decode(pieces).into_iter().filter_map(|i| if let Input::Key(key) = i { Some(key) } else { None }).collect()
    }

    #[test]
    fn keys_of_many_terminals_are_known() {
        assert_eq!(
            keys(&[b"aA\r\t\x7f\x03"]),
            [Key::Char('a'), Key::Char('A'), Key::Enter, Key::Tab, Key::Backspace, Key::Ctrl('c')]
        );
        assert_eq!(keys(&[b"\x1b[A\x1bOB\x1b[Z\x1b[5~\x1b[1;5C"]), [Key::Up, Key::Down, Key::BackTab, Key::PageUp, Key::Right]);
        assert_eq!(keys(&[b"\x1bOP\x1b[11~\x1b[[A\x1b[21~\x1b[24~"]), [Key::F(1), Key::F(1), Key::F(1), Key::F(10), Key::F(12)]);
        assert_eq!(keys(&["é漢".as_bytes()]), [Key::Char('é'), Key::Char('漢')]);
    }

    #[test]
    fn sequences_may_come_in_pieces_and_an_escape_alone_is_a_key() {
        assert_eq!(keys(&[b"\x1b", b"[", b"A"]), [Key::Up]);
        assert_eq!(keys(&[b"\xc3", b"\xa9"]), [Key::Char('é')]);
        assert_eq!(keys(&[b"\x1b"]), [Key::Esc]);
        assert_eq!(keys(&[b"\x1b\x1b"]), [Key::Esc, Key::Esc]);
    }

    #[test]
    fn alt_and_unknown_sequences_never_leak_letters() {
        // A sequence that does not end, in one piece and in two.
        let long = [&b"\x1b["[..], &[b'0'; 80], b"P"].concat();
        let (one, other) = long.split_at(40);
        assert_eq!(keys(&[&long]), keys(&[one, other]));
        // A parameter beyond every number.
        assert_eq!(keys(&[b"\x1b[2222222222Ax"]), [Key::Up, Key::Char('x')]);
        assert_eq!(keys(&[b"\x1bA\x1by\x1b[99;1uA"]), [Key::Char('A')]);
    }

    #[test]
    fn the_mouse_is_told_by_place_and_what_is_not_meant_for_us_is_dropped() {
        let inputs = decode(&[b"\x1b[<0;10;3M\x1b[<0;10;3m\x1b[<64;1;1M\x1b[<65;1;2Mx\x1b[<2;5;5M\x1b[<0;0;1M\x1b[<;;M"]);
        let expect = [
            Input::Mouse(Mouse::Press, 9, 2),
            Input::Mouse(Mouse::Up, 0, 0),
            Input::Mouse(Mouse::Down, 0, 1),
            Input::Key(Key::Char('x')),
        ];
        assert_eq!(inputs, expect);
    }

    #[test]
    fn a_paste_is_one_input_whatever_it_contains() {
        let pieces: [&[u8]; 3] = [b"x\x1b[200~A\ny", b"\x1b[A\x1b[20", b"1~z"];
        let expect = [Input::Key(Key::Char('x')), Input::Paste("A\ny\x1b[A".into()), Input::Key(Key::Char('z'))];
        assert_eq!(decode(&pieces), expect);
        let long = [PASTE_BEGINS, &vec![b'a'; 3 * PASTE], PASTE_ENDS].concat();
        assert_eq!(decode(&[&long]), [Input::Paste("a".repeat(PASTE))]);
    }

    proptest! {
        #[test]
        fn bytes_in_any_pieces_give_the_same_and_nothing_breaks(
            bytes in prop::collection::vec(prop_oneof![Just(0x1b_u8), Just(b'['), Just(b'2'), Just(b'0'), Just(b'~'), any::<u8>()], 0..64),
            cut in 0_usize..64,
        ) {
            let cut = cut.min(bytes.len());
            let (a, b) = bytes.split_at(cut);
            prop_assert_eq!(decode(&[a, b]), decode(&[&bytes]));
        }
    }
}
