//! The keys in force: the table, with the operator's own keys in place of its keys, under the same rules.

use crate::{
    config::sections::Keys,
    model::text::nearest,
    ui::{
        key::Key,
        keys::{Binding, Context, Intent, Reach, TABLE},
        state::CONTEXTS,
    },
};
/// A row in force.
pub type Bound = Binding<Vec<Key>>;

/// Terminals and multiplexers keep these.
pub const KEPT: &[Key] = &[Key::Ctrl('s'), Key::Ctrl('q'), Key::Ctrl('a'), Key::Ctrl('b'), Key::Ctrl('z')];

/// The table in force.
#[derive(Clone, Debug)]
pub struct Keymap {
    /// Its rows, in the order of the help page.
    pub rows: Vec<Bound>,
}

impl Default for Keymap {
    fn default() -> Self {
        Keymap { rows: TABLE.iter().map(|row| row.with(row.keys.to_vec())).collect() }
    }
}

impl Keymap {
    /// The table with wishes fulfilled that [`wrong`] has nothing against.
    pub fn new(wishes: &Keys) -> Keymap {
        let mut keymap = Keymap::default();
        for row in keymap.rows.iter_mut().filter(|row| row.context.is_free()) {
            if let Some(wish) = wishes.get(&row.intent.name()) {
                row.keys = wish.iter().filter_map(|key| key.parse().ok()).collect();
            }
        }
        keymap
    }

    /// What `key` means where these contexts hold.
    pub fn find(&self, contexts: &[Context], key: Key) -> Option<Intent> {
        self.rows.iter().find(|row| contexts.contains(&row.context) && row.keys.contains(&key)).map(|row| row.intent)
    }

    /// The key to show for an intent; empty when it has none.
    pub fn shown(&self, intent: Intent) -> String {
        let row = self.rows.iter().find(|row| row.intent == intent && !row.keys.is_empty());
        row.and_then(|row| row.keys.first()).map(ToString::to_string).unwrap_or_default()
    }

    /// Two meanings of one key at once, if there are any: the names of both, and the key.
    fn clashes(&self) -> Vec<(Intent, Intent, Key)> {
        let mut all = Vec::new();
        for contexts in CONTEXTS {
            let mut seen: Vec<(Key, Intent)> = Vec::new();
            for row in self.rows.iter().filter(|row| contexts.contains(&row.context)) {
                for key in &row.keys {
                    let other = seen.iter().find(|(other, intent)| other == key && *intent != row.intent);
                    all.extend(other.map(|(key, intent)| (*intent, row.intent, *key)));
                    seen.push((*key, row.intent));
                }
            }
        }
        all
    }
}

/// What is wrong with wishes, each with the name of its wish.
pub fn wrong(wishes: &Keys) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for (name, keys) in wishes {
        all.extend(wrong_wish(name, keys).into_iter().map(|why| (name.clone(), why)));
    }
    let mut clashing: Vec<(String, String)> = Vec::new();
    for (one, other, key) in Keymap::new(wishes).clashes() {
        for (wished, beside) in [(one.name(), other), (other.name(), one)] {
            // A key that may not stand there at all needs no second complaint.
            if wishes.contains_key(&wished) && !all.iter().any(|(name, _)| *name == wished) {
                clashing.push((wished, format!("`{key}` is `{}` already", beside.name())));
            }
        }
    }
    clashing.sort();
    clashing.dedup();
    all.extend(clashing);
    all
}

fn wrong_wish(name: &str, keys: &[String]) -> Vec<String> {
    let rows: Vec<&Binding> = TABLE.iter().filter(|row| row.intent.name() == name).collect();
    if rows.is_empty() {
        let names: Vec<String> = TABLE.iter().filter(|row| row.context.is_free()).map(|row| row.intent.name()).collect();
        let meant =
            nearest(name, names.iter().map(String::as_str)).map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
        return vec![format!("no key means `{name}`{meant}")];
    }
    if !rows.iter().any(|row| row.context.is_free()) || rows.iter().any(|row| row.intent == Intent::Leave) {
        return vec![format!("the keys of `{name}` are the same for everybody")];
    }
    let host = rows.iter().any(|row| row.reach == Reach::Host);
    keys.iter().filter_map(|text| wrong_key(text, host)).collect()
}

fn wrong_key(text: &str, host: bool) -> Option<String> {
    let Ok(key) = text.parse::<Key>() else {
        return Some(format!("there is no key `{text}`; keys are such as a, A, F5, Ctrl-p, Space, PgUp"));
    };
    if KEPT.contains(&key) {
        return Some(format!("`{key}` is kept by terminals and multiplexers"));
    }
    if host && !matches!(key, Key::Char('A'..='Z' | '!') | Key::F(_)) {
        return Some(format!("`{key}` cannot start what reaches the host: only capital letters, `!` and F-keys can"));
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::ui::keys::Motion;

    fn wishes(all: &[(&str, &[&str])]) -> Keys {
        all.iter().map(|(name, keys)| (name.to_string(), keys.iter().map(ToString::to_string).collect())).collect()
    }

    #[test]
    fn a_wish_replaces_the_keys_of_its_intent_everywhere() {
        let wishes = wishes(&[("freeze", &["F12"]), ("move-up", &["Up", "Ctrl-k"])]);
        assert_eq!(wrong(&wishes), []);
        let keymap = Keymap::new(&wishes);
        assert_eq!(keymap.find(&[Context::Global], Key::F(12)), Some(Intent::Freeze));
        assert_eq!(keymap.find(&[Context::Global], Key::Char('f')), None);
        assert_eq!(keymap.find(&[Context::Reader], Key::Ctrl('k')), Some(Intent::Move(Motion::Up)));
        assert_eq!(keymap.find(&[Context::Menu], Key::Char('k')), Some(Intent::Move(Motion::Up)), "menus stay as they are");
        assert_eq!(keymap.shown(Intent::Freeze), "F12");
    }

    #[test]
    fn what_breaks_a_rule_is_told() {
        for (name, keys, expect) in [
            ("frieze", &["f"][..], "no key means `frieze`; did you mean `freeze`?"),
            ("freeze", &["Hyper-f"], "there is no key `Hyper-f`"),
            ("freeze", &["Ctrl-s"], "`Ctrl-S` is kept by terminals"),
            ("freeze", &["e"], "`e` is `expand` already"),
            ("apply", &["x"], "`x` cannot start what reaches the host"),
            ("roll-back", &["Enter"], "`Enter` cannot start"),
            ("confirm", &["Enter"], "the same for everybody"),
            ("leave", &["x"], "the same for everybody"),
        ] {
            let told = wrong(&wishes(&[(name, keys)]));
            assert!(!told.is_empty() && told.iter().all(|(of, _)| of == name) && told[0].1.contains(expect), "{name} {told:?}");
        }
        assert_eq!(wrong(&wishes(&[("freeze", &["e"]), ("expand", &["f"])])), [], "two may change places");
    }

    #[test]
    fn the_table_itself_has_no_clash_and_no_two_intents_one_name() {
        assert_eq!(Keymap::default().clashes(), []);
        for (i, row) in TABLE.iter().enumerate() {
            for other in TABLE.iter().skip(i + 1) {
                assert!(row.intent == other.intent || row.intent.name() != other.intent.name(), "{}", row.intent.name());
            }
        }
    }
}
