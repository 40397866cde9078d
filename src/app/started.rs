//! What the journal says of a start: version, mode, kernel, and the configuration: its digest, what of it is not built in, and what differs
//! from the start before, so that who changed a setting when is proved by the same chain as what was done under it.

use crate::{
    config::sections::Config,
    model::{
        change::{Deed, Entry},
        note::{Note, Setting},
    },
    store::chain::digest,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// What stands for a value that is not set.
const BUILT_IN: &str = "built-in";

/// The note; `entries` is the journal so far.
pub fn note(config: &Config, kernel: &str, entries: &[(u64, Entry)]) -> Note {
    let settings = settings(config);
    let before = entries.iter().rev().find_map(|(_, entry)| match &entry.deed {
        Deed::Noted(note) => match &**note {
            Note::Started { settings, .. } => Some(settings.clone()),
            _ => None,
        },
        _ => None,
    });
    let changed = before.map(|before| changed(before, &settings)).unwrap_or_default();
    Note::Started {
        version: env!("CARGO_PKG_VERSION").into(),
        mode: config.policy.mode,
        config: digest(&format!("{config:?}")),
        kernel: kernel.into(),
        settings,
        changed,
    }
}

/// What is not built in, by `section.field`.
fn settings(config: &Config) -> Vec<(String, String)> {
    let flat = |config: &Config| {
        let mut all = BTreeMap::new();
        flatten("", &serde_json::to_value(config).unwrap_or_default(), &mut all);
        all
    };
    let built_in = flat(&Config::default());
    let mut own: Vec<(String, String)> =
        flat(config).into_iter().filter(|(field, value)| built_in.get(field) != Some(value)).collect();
    // Receivers may carry addresses that are secrets: that they are others is told, not which.
    for (_, value) in own.iter_mut().filter(|(field, _)| field.starts_with("notify")) {
        *value = digest(value).chars().take(12).collect();
    }
    own
}

/// Fields of structs by their names, and of lists of named things by these names; all else as one value.
fn flatten(path: &str, value: &Value, all: &mut BTreeMap<String, String>) {
    let below = |name: &str| if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| flatten(&below(name), value, all)),
        Value::Array(items) if !items.is_empty() && items.iter().all(|item| item.get("name").is_some_and(Value::is_string)) => {
            for item in items {
                flatten(&below(item.get("name").and_then(Value::as_str).unwrap_or_default()), item, all);
            }
        }
        other => drop(all.insert(path.into(), other.to_string())),
    }
}

fn changed(before: Vec<(String, String)>, now: &[(String, String)]) -> Vec<Setting> {
    let mut fields: BTreeMap<String, (Option<String>, Option<String>)> = BTreeMap::new();
    before.into_iter().for_each(|(field, value)| fields.entry(field).or_default().0 = Some(value));
    now.iter().for_each(|(field, value)| fields.entry(field.clone()).or_default().1 = Some(value.clone()));
    let word = |value: Option<String>| value.unwrap_or_else(|| BUILT_IN.into());
    let differ = fields.into_iter().filter(|(_, (from, to))| from != to);
    differ.map(|(field, (from, to))| Setting { field, from: word(from), to: word(to) }).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{
        alert::Target,
        change::{ChangeId, Who},
        limits::{Mode, Policy},
        time::Now,
    };

    fn parts(note: &Note) -> (Vec<(String, String)>, Vec<Setting>) {
        match note {
            Note::Started { settings, changed, .. } => (settings.clone(), changed.clone()),
            other => panic!("{other:?}"),
        }
    }

    fn entry(note: Note) -> (u64, Entry) {
        let deed = Deed::Noted(Box::new(note));
        (1, Entry { change: ChangeId::HOUSE, deed, who: Who::Engine, now: Now::default(), boot: "b".into() })
    }

    #[test]
    fn a_start_tells_what_is_set_and_what_changed_since_the_start_before() {
        let plain = note(&Config::default(), "6.1", &[]);
        assert_eq!(parts(&plain), (vec![], vec![]), "the first start has nothing to differ from");
        let mut config = Config { policy: Policy { mode: Mode::Auto, per_hour: 3, ..Policy::default() }, ..Config::default() };
        config.alerts.0[0].limit = 0.123;
        let set = note(&config, "6.1", &[entry(plain)]);
        let (settings, changed) = parts(&set);
        let rule = format!("alerts.{}.limit", config.alerts.0[0].name);
        let fields: Vec<&str> = settings.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, [rule.as_str(), "policy.mode", "policy.per_hour"]);
        assert_eq!(changed[2], Setting { field: "policy.per_hour".into(), from: "built-in".into(), to: "3".into() });
        assert!(set.words().contains("policy.mode built-in -> \"Auto\""), "{}", set.words());
        config.policy.per_hour = 4;
        config.alerts = Config::default().alerts;
        let again = note(&config, "6.1", &[entry(set)]);
        let words: Vec<String> = parts(&again).1.iter().map(|c| format!("{} {} {}", c.field, c.from, c.to)).collect();
        assert_eq!(words, [format!("{rule} 0.123 built-in"), "policy.per_hour 3 4".into()]);
        assert_eq!(parts(&note(&config, "6.1", &[entry(again)])).1, [], "nothing changed");
    }

    #[test]
    fn no_address_of_a_receiver_comes_into_the_journal() {
        let target = Target { webhook: Some("http://hooks/secret".into()), ..Target::default() };
        let config = Config { notify: vec![target], ..Config::default() };
        let (settings, _) = parts(&note(&config, "", &[]));
        assert!(settings.iter().any(|(field, _)| field.starts_with("notify")));
        assert!(!format!("{settings:?}").contains("secret"), "{settings:?}");
    }
}
