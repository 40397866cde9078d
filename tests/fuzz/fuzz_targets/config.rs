//! Configuration in two layers: no text breaks the reading of it, and what was read of nothing is what is built in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trimtab::{
    config::{
        layer::Layer,
        sections::{Config, merge},
    },
    ui::keymap::{self, Keymap},
};

fuzz_target!(|text: &str| {
    let (one, other) = text.split_once('\0').unwrap_or((text, ""));
    let layer = |name: &str, text: &str| Layer { name: name.into(), text: text.into() };
    let layers = if other.is_empty() { vec![layer("a", one)] } else { vec![layer("a", one), layer("b", other)] };
    match merge(&layers, &keymap::wrong) {
        Ok(config) => drop(Keymap::new(&config.keys)),
        Err(complaints) => assert!(!complaints.to_string().is_empty()),
    }
    assert_eq!(merge(&[layer("none", "()")], &keymap::wrong), Ok(Config::default()));
});
