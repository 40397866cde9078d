//! `assets/config.ron`, the file that operators copy from: it says what is built in, and leaves nothing out.

use serde_json::Value;
use std::collections::BTreeSet;
use trimtab::{
    config::{
        layer::Layer,
        sections::{Config, merge},
    },
    ui::keymap,
};

const FILE: &str = include_str!("../../assets/config.ron");

fn merged(text: &str) -> Config {
    merge(&[Layer { name: "assets/config.ron".into(), text: text.into() }], &keymap::wrong)
        .unwrap_or_else(|complaints| panic!("{complaints}"))
}

/// The path of every field, such as `policy.windows.after`.
fn paths(value: &Value, at: &str, into: &mut BTreeSet<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = format!("{at}.{name}");
        paths(value, &path, into);
        into.insert(path);
    }
}

fn every_path(value: impl serde::Serialize) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    paths(&serde_json::to_value(value).unwrap(), "", &mut all);
    all
}

#[test]
fn the_example_is_the_built_in_configuration() {
    assert_eq!(merged(FILE), Config::default());
}

#[test]
fn the_example_names_every_setting_and_says_what_it_is() {
    let written: ron::Value = ron::from_str(FILE).unwrap();
    assert_eq!(every_path(written), every_path(Config::default()));
    let setting = |line: &&str| line.starts_with("        ") && !line.trim_start().starts_with("//") && line.contains(": ");
    let mute: Vec<&str> =
        FILE.lines().filter(setting).filter(|line| !line.ends_with(['(', '[']) && !line.contains(", // ")).collect();
    assert!(mute.is_empty(), "without a comment: {mute:?}");
}

#[test]
fn the_service_in_the_comment_can_be_uncommented() {
    let config = merged(&FILE.replace("// (name: \"shop", "(name: \"shop"));
    assert_eq!(config.services.len(), 1);
}

#[test]
fn the_rules_in_the_comments_can_be_uncommented() {
    let uncommented = FILE
        .replace("// (subjects", "(subjects")
        .replace("// (tier", "(tier")
        .replace("// (families", "(families")
        .replace("//  confidence", " confidence")
        .replace("// (risk", "(risk")
        .replace("// (allow", "(allow")
        .replace("// (match", "(match")
        .replace("// \"Sun", "\"Sun");
    let config = merged(
        &uncommented.replace("// (name: \"drain", "(name: \"drain").replace("//  verify", " verify").replace("//  env", " env"),
    );
    assert_eq!(config.actions.len(), 1);
    let policy = config.policy;
    assert_eq!((policy.rules.len(), policy.tiers.len(), policy.maintenance.len()), (6, 1, 2));
}

#[test]
fn the_keys_in_the_comment_can_be_uncommented_and_wrong_ones_are_told_with_all_else() {
    assert_eq!(merged(&FILE.replace("// \"", "\"")).keys.len(), 2);
    let text = "(\n  policy: (per_hour: -1),\n  keys: {\n    \"freeze\": [\"e\"],\n    \"apply\": [\"Enter\"],\n  },\n)";
    let complaints = merge(&[Layer { name: "f".into(), text: text.into() }], &keymap::wrong).unwrap_err().to_string();
    let told: Vec<&str> = complaints.lines().collect();
    assert_eq!(told.len(), 3, "{complaints}");
    assert!(told[0].starts_with("f:2:") && told[1] == "f:4:5: `e` is `expand` already", "{complaints}");
    assert!(told[2].starts_with("f:5:5: `Enter` cannot start"), "{complaints}");
}
