//! The house as a test: who imports whom, `//!` on each file, one home for paths and clocks.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use syn::visit::Visit;

/// Each room and the rooms that it may import; the table of `src/lib.rs`.
const MAY: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("host", &["model"]),
    ("analysis", &["model"]),
    ("planning", &["model", "analysis"]),
    ("store", &["model"]),
    ("link", &["model"]),
    ("config", &["model"]),
    ("query", &["model"]),
    ("sources", &["model", "host"]),
    ("actions", &["model", "host"]),
    ("ui", &["model", "config", "query"]),
    ("engine", &["model", "host", "analysis", "planning", "store", "config", "query", "sources", "actions"]),
    ("app", &["model", "host", "analysis", "planning", "store", "link", "config", "query", "sources", "actions", "ui", "engine"]),
];

fn files(below: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn source() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&root, &mut found);
    let name = |p: &Path| p.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
    found.iter().map(|p| (name(p), fs::read_to_string(p).unwrap())).collect()
}

/// Every path that begins with `crate`, in imports and in code.
#[derive(Default)]
struct Imports(Vec<Vec<String>>);

impl Imports {
    fn tree(&mut self, tree: &syn::UseTree, mut path: Vec<String>) {
        match tree {
            syn::UseTree::Path(p) => {
                path.push(p.ident.to_string());
                self.tree(&p.tree, path);
            }
            syn::UseTree::Group(g) => g.items.iter().for_each(|item| self.tree(item, path.clone())),
            syn::UseTree::Name(n) => {
                path.push(n.ident.to_string());
                self.0.push(path);
            }
            syn::UseTree::Rename(n) => {
                path.push(n.ident.to_string());
                self.0.push(path);
            }
            syn::UseTree::Glob(_) => self.0.push(path),
        }
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, Vec::new());
    }
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.0.push(path.segments.iter().map(|s| s.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        // Tests may look across rooms.
        if item.ident != "tests" {
            syn::visit::visit_item_mod(self, item);
        }
    }
}

fn imports(text: &str) -> Vec<Vec<String>> {
    let mut imports = Imports::default();
    imports.visit_file(&syn::parse_file(text).unwrap());
    imports.0.retain(|path| path.first().is_some_and(|first| first == "crate") && path.len() > 1);
    imports.0
}

#[test]
fn no_room_imports_upward_or_sideways() {
    let may: BTreeMap<_, _> = MAY.iter().copied().collect();
    let mut broken = Vec::new();
    for (file, text) in source() {
        let Some(room) = file.split_once('/').map(|(room, _)| room) else { continue };
        let allowed = may.get(room).unwrap_or_else(|| panic!("{room} is not in the table of rooms"));
        for path in imports(&text) {
            let other = path[1].as_str();
            if other != room && !allowed.contains(&other) {
                broken.push(format!("{file} imports {}", path.join("::")));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_engine_sees_only_the_traits_of_sources_and_actions() {
    for (file, text) in source().iter().filter(|(file, _)| file.starts_with("engine/")) {
        for path in imports(text).iter().filter(|p| p[1] == "sources" || p[1] == "actions") {
            assert!(matches!(path[2].as_str(), "source" | "action"), "{file} imports {}", path.join("::"));
        }
    }
}

#[test]
fn siblings_of_a_family_do_not_import_each_other() {
    for (room, shared) in [("sources", &["source", "parse", "kept"][..]), ("actions", &["action", "knob"][..])] {
        let inside = format!("{room}/");
        for (file, text) in source().iter().filter(|(file, _)| file.starts_with(&inside) && !file.ends_with("mod.rs")) {
            let own = file[inside.len()..].split(['/', '.']).next().unwrap();
            for path in imports(text).iter().filter(|p| p[1] == room && p.len() > 2) {
                assert!(path[2] == own || shared.contains(&path[2].as_str()), "{file} imports {}", path.join("::"));
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for (file, text) in source() {
        assert!(text.starts_with("//!"), "{file} does not open with //!");
    }
}

/// The text of a file up to its tests, without comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn clocks_stand_only_in_the_host() {
    for (file, text) in source().iter().filter(|(file, _)| !file.starts_with("host/real/")) {
        for clock in ["Instant::now(", "SystemTime::now(", "clock_gettime(ClockId"] {
            assert!(!code(text).contains(clock), "{file} asks a clock by itself: {clock}");
        }
    }
}

#[test]
fn roots_stand_only_in_one_place() {
    for (file, text) in source().iter().filter(|(file, _)| *file != "model/knob.rs") {
        let code = code(text);
        // A path to open would be a literal that ends with the root or is opened by std; words for the operator may name files.
        for open in
            ["File::open(\"/", "fs::read(\"/", "fs::read_to_string(\"/", "fs::write(\"/", "Path::new(\"/proc", "Path::new(\"/sys"]
        {
            assert!(!code.contains(open), "{file} opens a path by itself: {open}");
        }
        assert!(!code.contains("\"/proc\"") && !code.contains("\"/sys\""), "{file} names a root by itself");
    }
}
