//! What leaves the program for other programs: streams, pages for Prometheus, completions, the manual. Golden files are written anew by
//! `UPDATE_GOLDEN=1 cargo test --test it out::`.

mod manual;
mod metrics;
mod prometheus;
mod scene;
mod stream;

use std::path::Path;

/// Compares with a golden file.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let was = std::fs::read_to_string(&path).unwrap_or_default();
    for (n, (now, was)) in text.lines().zip(was.lines()).enumerate() {
        assert_eq!(now, was, "{name}:{}", n + 1);
    }
    assert_eq!(text, was, "{name} is longer or shorter");
}
