//! Bytes of a terminal: in one piece or in two, they are the same keys.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trimtab::app::console::keyboard::{Decoder, Input};

fn decode(pieces: &[&[u8]]) -> Vec<Input> {
    let (mut decoder, mut out) = (Decoder::default(), Vec::new());
    for piece in pieces {
        decoder.feed(piece, &mut out);
    }
    decoder.flush(&mut out);
    out
}

fuzz_target!(|bytes: &[u8]| {
    let (one, other) = bytes.split_at(bytes.len() / 2);
    assert_eq!(decode(&[one, other]), decode(&[bytes]));
});
